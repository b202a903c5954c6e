# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""64 clients capture, void, refund, cancel and repeat, all on one transaction: sums are never exceeded.

2,000 requests race; with PAYOPS_LONG=1 100,000. The seed says who wants what, though not who comes first.
"""
import collections
import concurrent.futures
import os
import random

from support import assert_invariants, unique, until

SCOPES = "payments:read payments:write refunds:write payouts:write"
CLIENTS, INTENTIONS = 64, 24
ROUNDS = (100_000 if os.environ.get("PAYOPS_LONG") else 2_000) // CLIENTS + 1
AMOUNT = 1000
PATHS = {"capture": "capture", "refund": "refunds", "void": "void", "cancel": "cancel"}
ACCEPTED = {"capture": (201,), "refund": (201,), "void": (200, 202), "cancel": (200, 202)}


class Intention:
    """One thing somebody wants of a transaction; several clients may want it at once, under one key."""

    def __init__(self, rng, kind):
        verbs = ("capture", "refund", "void", "cancel")
        self.verb = rng.choices(verbs, (8, 6, 1, 1) if kind == "manual" else (1, 10, 1, 1))[0]
        self.amount = rng.randint(30, 400)
        self.key = unique("race")
        self.answers = []

    def act(self, payops, transaction_id):
        body = {"amount": self.amount} if self.verb in ("capture", "refund") else {}
        self.answers.append(payops.request("POST", f"/transactions/{transaction_id}/{PATHS[self.verb]}", body,
                                           headers={"Idempotency-Key": self.key},
                                           token=payops.token("demo", SCOPES)))


class Race:
    def __init__(self, payops, rng):
        self.kind = rng.choice(("manual", "manual", "automatic"))
        answer = payops.pay("tok_sync", capture=self.kind)
        assert answer.status == 201, answer.body
        self.transaction_id = answer.json["transaction_id"]
        payops.await_status(self.transaction_id, "authorised" if self.kind == "manual" else "completed")
        self.intentions = [Intention(rng, self.kind) for _ in range(INTENTIONS)]

    def run(self, payops, rng, pool):
        wanted = [rng.choice(self.intentions) for _ in range(CLIENTS)]
        for future in [pool.submit(intention.act, payops, self.transaction_id) for intention in wanted]:
            future.result()

    def accepted(self, verb):
        return [intention for intention in self.intentions if intention.verb == verb
                and any(answer.status in ACCEPTED[verb] for answer in intention.answers)]

    def judge_answers(self):
        for intention in self.intentions:
            for answer in intention.answers:
                assert answer.status in (*ACCEPTED[intention.verb], 409), (intention.verb, answer.status, answer.body)
            made = {answer.body for answer in intention.answers if answer.status == 201}
            assert len(made) <= 1, f"{self.transaction_id}: one key was answered in two ways: {made}"
        # What was voided is cancelled, so that cancelling it finds nothing more to do.
        assert not self.accepted("cancel") or self.accepted("void"), \
            f"{self.transaction_id} was cancelled while money was set aside or taken"
        assert self.kind == "manual" or not self.accepted("capture") + self.accepted("void")

    def judge(self, lines):
        """By the gateways' own ledger; what was accepted was done once, for all of it succeeds."""
        moved = collections.Counter()
        for line in lines:
            moved[line["operation"]] += line["amount_minor"] if line["outcome"] == "succeeded" else 0
        taken = moved["charge"] + moved["capture"]
        assert taken <= AMOUNT, f"{self.transaction_id}: {dict(moved)}"
        assert moved["refund"] <= taken, f"{self.transaction_id}: {dict(moved)}"
        for verb in ("capture", "refund"):
            assert moved[verb] == sum(intention.amount for intention in self.accepted(verb)), (
                f"{self.transaction_id}: {verb}s of {moved[verb]} at the gateway, not what was accepted")
        assert moved["capture"] < AMOUNT or not moved["void"], f"{self.transaction_id}: captured all and released"


def test_64_clients_that_race_on_one_transaction_never_pass_its_sums(payops, seed, say):
    rng = random.Random(seed)
    payops.token("demo", SCOPES)
    races = []
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(ROUNDS):
            races.append(Race(payops, rng))
            races[-1].run(payops, rng, pool)
            races[-1].judge_answers()
    until(lambda: payops.sql("SELECT COUNT(*) FROM operation WHERE status IN ('pending', 'processing') AND NOT "
                             "(kind = 'void' AND next_action = 'expire')") == [["0"]], 60, "the end of all")

    ledger = collections.defaultdict(list)
    for line in payops.sandbox("GET", "/_sandbox/ledger").json:
        ledger[line["transaction"]].append(line)
    for race in races:
        race.judge(ledger[race.transaction_id])
    accepted = {verb: sum(len(race.accepted(verb)) for race in races) for verb in PATHS}
    assert accepted["capture"] > ROUNDS / 2 and accepted["refund"] > ROUNDS / 2, accepted
    assert_invariants(payops)
    say(f"{ROUNDS * CLIENTS} requests raced on {ROUNDS} transactions; accepted {accepted}")
