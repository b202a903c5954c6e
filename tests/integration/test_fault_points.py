# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""apid dies at every fault point there is, under every kind of request that leads there: nothing is lost or doubled.

The points are found in the sources, so a new one is walked without being listed, and one that nothing reaches fails.
"""
import collections
import contextlib
import http.client
import pathlib
import random
import re
import signal
import subprocess
import uuid

import pytest

from support import (assert_charged_once, assert_invariants, await_charge, callback_for, callback_results, last_attempt,
                     pay_id, until)

POINT = re.compile(r'fault_point\("([a-z_]+)"\)')
PASSES = (1, 5)        # a point is died at when it is passed for this time, at random
PASSES_YOUNG = 8       # more than that where it was passed while starting
COUNT = 3              # requests of a kind
PART = 300             # captured or refunded of 1000, so that a second time would fit
PATIENCE_S, SETTLE_S = 30, 45
SCOPES = "payments:read payments:write refunds:write payouts:write"
LINGER_S = 0.3         # for what apid does after the last answer
FAR = "(next_action_at_us > UNIX_TIMESTAMP() * 1000000 + 1800000000)"
TOP = pathlib.Path(__file__).parents[2]


def points(top):
    """Names of all fault points of the daemon."""
    found = set()
    for directory in ("lib", "apid"):
        for path in (top / directory).rglob("*.c"):
            found.update(POINT.findall(path.read_text()))
    return sorted(name for name in found if not name.startswith("migrate_"))


class Kind:
    """Requests of one kind; drive() returns once they are all answered and settled, or apid is gone."""
    settled = ("completed", "failed")

    def __init__(self, word, keyed=True, **members):
        self.word = word
        self.members = members
        self.keys = [f"point-{uuid.uuid4()}" if keyed else None for _ in range(COUNT)]
        self.acknowledged = {}
        self.unkeyed = []

    def post(self, payops, key):
        return payops.pay(self.word, headers={"Idempotency-Key": key} if key else {}, **self.members)

    def pay(self, payops, key):
        answer = self.post(payops, key)
        if answer.status not in (201, 202):
            assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1, answer.body
            return
        if key is None:
            self.unkeyed.append(answer.json["transaction_id"])
        else:
            assert self.acknowledged.setdefault(key, answer.body) == answer.body

    def drive(self, payops):
        for key in self.keys:
            self.pay(payops, key)
        for transaction_id in self.ids():
            payops.await_status(transaction_id, self.settled, PATIENCE_S)

    def again(self, payops):
        """The clients that were not answered, and those that were, repeat what has a key."""
        for key in self.keys:
            if key is not None:
                until(lambda: self.pay(payops, key) or key in self.acknowledged, PATIENCE_S, "an answer")

    def ids(self):
        return [answer_id(body) for body in self.acknowledged.values()] + self.unkeyed

    def judge(self, payops):
        assert_charged_once(payops, self.ids())


class Authorisations(Kind):
    settled = ("authorised", "failed")

    def __init__(self, _):
        super().__init__("tok_sync", capture="manual")

    def judge(self, payops):
        for transaction_id in self.ids():
            payops.await_status(transaction_id, "authorised", SETTLE_S)
            assert done(payops, transaction_id) == {"authorise": 1}


class Transfers(Kind):
    """Deposits or withdrawals. A withdrawal that may have left is never sent again, and fails where it did not."""

    def __init__(self, path):
        super().__init__("tok_sync")
        self.path = path

    def post(self, payops, key):
        body = {"user_id": 7, "amount": "10.00", "currency": "USD", "payment_token": self.word}
        return payops.request("POST", self.path, body, headers={"Idempotency-Key": key},
                              token=payops.token("demo", SCOPES))

    def judge(self, payops):
        kind = "payout" if self.path == "/withdrawal" else "charge"
        for transaction_id in self.ids():
            ended = payops.await_status(transaction_id, self.settled, SETTLE_S)["status"]
            assert ended == "completed" or kind == "payout"
            assert done(payops, transaction_id) == ({kind: 1} if ended == "completed" else {})


class Parts(Kind):
    """Captures, releases or refunds of what was set aside or charged before."""

    def __init__(self, payops, verb):
        super().__init__("tok_sync")
        self.verb = verb
        self.parent = "charge" if verb == "refunds" else "authorise"
        self.parents = {key: pay_id(payops, "tok_sync", capture="automatic" if verb == "refunds" else "manual")
                        for key in self.keys}
        for transaction_id in self.ids():
            payops.await_status(transaction_id, "completed" if verb == "refunds" else "authorised")

    def post(self, payops, key):
        body = {} if self.verb == "void" else {"amount": PART, "payment_token": self.word}
        return payops.request("POST", f"/transactions/{self.parents[key]}/{self.verb}", body,
                              headers={"Idempotency-Key": key}, token=payops.token("demo", SCOPES))

    def pay(self, payops, key):
        answer = self.post(payops, key)
        if answer.status != 503:
            assert answer.status in (200, 201, 202), answer.body
            self.acknowledged[key] = answer.body

    def is_done(self, payops, transaction_id):
        shown = payops.get(f"/transactions/{transaction_id}").json
        return {"refunds": shown["amount_refunded"] == PART, "capture": shown["amount_captured"] == PART,
                "void": shown["status"] == "cancelled"}[self.verb]

    def drive(self, payops):
        for key in self.keys:
            self.pay(payops, key)
        for transaction_id in self.ids():
            until(lambda: self.is_done(payops, transaction_id), PATIENCE_S, self.verb)

    def ids(self):
        return list(self.parents.values())

    def judge(self, payops):
        for transaction_id in self.ids():
            until(lambda: self.is_done(payops, transaction_id), SETTLE_S, f"{self.verb} of {transaction_id}")
            assert done(payops, transaction_id) == {self.parent: 1, self.verb.removesuffix("s"): 1}


class Callbacks(Kind):
    """Callbacks of payments that the gateway accepted and did not call back about."""

    def __init__(self, payops):
        super().__init__("tok_callback_never")
        self.bodies = {}
        for _ in range(COUNT):
            transaction_id = pay_id(payops, self.word)
            await_charge(payops, transaction_id)
            attempt = until(lambda: self.known(payops, transaction_id), what="an accepted attempt")
            self.bodies[transaction_id] = callback_for(attempt)

    @staticmethod
    def known(payops, transaction_id):
        attempt = last_attempt(payops, transaction_id)
        return attempt if attempt["status"] in ("accepted", "succeeded") else None

    def drive(self, payops):
        for transaction_id, body in self.bodies.items():
            assert payops.call_back(transaction_id, body).status in (200, 503)

    def again(self, payops):
        for transaction_id, body in self.bodies.items():
            until(lambda: payops.call_back(transaction_id, body).status == 200, PATIENCE_S, "the callback's 200")
            assert len(callback_results(payops, transaction_id)) == 1

    def ids(self):
        return list(self.bodies)


def done(payops, transaction_id):
    """How often the gateways carried out each operation."""
    return collections.Counter(line["operation"] for line in payops.ledger(transaction_id)
                               if line["outcome"] == "succeeded")


def answer_id(body):
    return re.search(rb'"transaction_id": ?"(trans_[0-9A-Z]{26})"', body)[1].decode()


KINDS = {
    "keyed": lambda payops: Kind("tok_sync"),
    "unkeyed": lambda payops: Kind("tok_sync", keyed=False),
    "accepted": lambda payops: Kind("tok_ok"),
    "answer_lost": lambda payops: Kind("tok_answer_lost"),
    "callback": Callbacks,
    "authorise": Authorisations,
    "capture": lambda payops: Parts(payops, "capture"),
    "void": lambda payops: Parts(payops, "void"),
    "refund": lambda payops: Parts(payops, "refunds"),
    "deposit": lambda payops: Transfers("/deposit"),
    "withdrawal": lambda payops: Transfers("/withdrawal"),
}


def shift(payops, sign, condition):
    """Move next actions by an hour; apid may hold the rows, or make us the victim of a deadlock."""
    def shifted():
        with contextlib.suppress(subprocess.CalledProcessError):
            payops.sql(f"UPDATE operation SET next_action_at_us = next_action_at_us {sign} 3600000000 "
                       f"WHERE next_action IN ('send', 'ask') AND {condition}")
            return True
        return False
    until(shifted, what="a change of next actions")


def put_off(payops):
    """Nothing is due for now, so that only the driven requests lead to a fault point."""
    shift(payops, "+", f"NOT {FAR}")


def take_up(payops):
    shift(payops, "-", FAR)


def start_armed(payops, point, passes):
    """apid with this fault, surviving its own start; a pass too early is put off."""
    while True:
        process = payops.start_apid(PAYOPS_FAULT=f"{point}:{passes}")
        until(lambda: payops.is_ready() or process.poll() is not None, what="apid")
        if process.poll() is None:
            return process
        passes += PASSES_YOUNG


def start_unarmed(payops):
    process = payops.start_apid()
    until(payops.is_ready, what="apid")
    return process


def die_at(payops, point, kind, passes):
    """Drive requests of a kind into the fault; returns whether apid died of it, having ended it otherwise."""
    process = start_armed(payops, point, passes)
    with contextlib.suppress(OSError, http.client.HTTPException):
        kind.drive(payops)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(LINGER_S)
    died = process.poll() is not None
    assert not died or process.returncode == -signal.SIGKILL
    process.kill()
    process.wait(30)
    return died


def walk(payops, point, name, passes):
    """One point under one kind of request; returns whether it was reached, and the requests to be judged."""
    kind = KINDS[name](payops)
    payops.kill("apid")
    put_off(payops)
    died = die_at(payops, point, kind, passes)
    start_unarmed(payops)
    kind.again(payops)
    return died, [kind]


def walk_seeded(payops, rng, point, name):
    """At a random pass, and where there are fewer of them, at the first."""
    died, driven = walk(payops, point, name, rng.randint(*PASSES))
    if died:
        return died, driven
    died, more = walk(payops, point, name, 1)
    return died, driven + more


@pytest.fixture
def armed(payops):
    if b"PAYOPS_FAULT" not in (payops.programs / "apid").read_bytes():
        pytest.skip("apid is built without --enable-faults")
    yield payops
    take_up(payops)


@pytest.mark.parametrize("point", points(TOP))
def test_fault_point_is_reached_by_some_request_and_nothing_is_lost_or_doubled(armed, seed, say, point):
    rng = random.Random(f"{seed}/{point}")
    reached, driven = [], []

    for name in KINDS:
        died, kinds = walk_seeded(armed, rng, point, name)
        reached += [name] * died
        driven += kinds
    take_up(armed)

    say(f"{point} reached by {', '.join(reached) or 'nothing'}")
    assert reached, f"no request leads to {point}"
    for kind in driven:
        kind.judge(armed)
    assert_invariants(armed)


def test_fault_points_are_found(payops):
    assert {"claim_committed", "store_before_commit", "store_after_commit"} <= set(points(TOP))
