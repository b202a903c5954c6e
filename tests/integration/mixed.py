# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixed load by clients that retry, chosen by a seed, and what must hold of all they were told.

Each request has a body of its own; most have an Idempotency-Key and are repeated until they are answered. In between
clients look at payments, repeat requests that were answered long ago, and send other content under a known key.
MixedLoad pays; Commerce does all that a merchant can ask for: it authorises, captures, releases, refunds, takes deposits
and pays out too.
"""
import collections
import http.client
import random
import threading
import time

from support import id_decode, run_checker, settle, unique

# What is paid with, and how such a payment ends whatever happens on the way.
TOKENS = {
    "tok_sync": "completed",
    "tok_ok": "completed",
    "tok_callback_twice": "completed",
    "tok_callback_early": "completed",
    "tok_answer_lost": "completed",
    "tok_reset_after_charge": "completed",
    "tok_decline_insufficient_funds": "failed",
}
WEIGHTS = (6, 4, 2, 1, 1, 1, 2)
AGAIN = (409, 429, 503)  # refusals after which the same request may be sent again
UNANSWERED = (OSError, http.client.HTTPException)
KEPT = ("location", "idempotency-replayed")  # headers of answers that promise something; there may be very many
SCOPES = "payments:read payments:write refunds:write payouts:write"


class Wish:
    """One thing that a client wants done; `answers` are all that were ever given to it."""

    def __init__(self, key, body, path):
        self.key = key
        self.body = body
        self.path = path
        self.answers = []

    def created(self):
        """Answers that promise it; those who say that its outcome is unknown promise nothing."""
        return [answer for answer in self.answers if b"outcome_unknown" not in answer.body]


class Payment(Wish):
    """A transaction that a client begins."""

    def __init__(self, key, body, path="/transactions"):
        super().__init__(key, body, path)

    @property
    def transaction_id(self):
        return self.answers[0].json["transaction_id"]

    def ends(self):
        """The statuses that it may end in, whatever happens on the way."""
        if TOKENS[self.body["payment_token"]] == "completed" and self.body.get("capture") == "manual":
            return {"authorised", "completed", "cancelled"}  # as is asked for afterwards
        if self.path == "/withdrawal":
            return {TOKENS[self.body["payment_token"]], "failed"}  # one that may have left is never sent again
        return {TOKENS[self.body["payment_token"]]}


class Part(Wish):
    """A capture or refund of a payment, which may be refused: others may have come first."""

    def __init__(self, key, body, payment, verb):
        super().__init__(key, body, f"/transactions/{payment.transaction_id}/{verb}")

    def ends(self):
        return {"succeeded" if TOKENS[self.body["payment_token"]] == "completed" else "failed"}


class MixedLoad:
    """Threads of clients until finish(); `per_second` bounds what each of them begins."""

    def __init__(self, payops, seed, threads=6, per_second=15, words=tuple(TOKENS), ports=None, patience=60):
        self.payops = payops
        self.prefix = unique(f"mixed-{seed}")
        self.words = words
        self.weights = [dict(zip(TOKENS, WEIGHTS))[word] for word in words]
        self.ports = ports or [payops.port]
        self.pause_s = 1 / per_second
        self.patience = patience
        self.payments = []   # acknowledged, with a key or without
        self.parts = []      # captures and refunds, acknowledged
        self.refusals = []   # 503 and 409, which may be repeated
        self.wrong = []      # whatever may not be
        self.lost = []       # keys that were never acknowledged
        self.requests = 0
        self.stopping = threading.Event()
        payops.token("demo", SCOPES)
        self.threads = [threading.Thread(target=self.work, args=(random.Random(f"{seed}/{number}"), number))
                        for number in range(threads)]
        for thread in self.threads:
            thread.start()

    # --- what a client does ---

    def steps(self):
        """What a client may do next, and how often it does."""
        return {self.look: 2, self.repeat: 2, self.abuse: 1, self.pay_without_key: 1, self.pay_with_key: 6}

    def work(self, rng, number):
        steps, count = self.steps(), 0
        while not self.stopping.is_set():
            step = rng.choices(list(steps), list(steps.values()))[0]
            count += 1
            try:
                step(rng, f"{self.prefix}-{number}-{count}")
            except UNANSWERED:
                pass
            self.stopping.wait(rng.uniform(0.5, 1.5) * self.pause_s)

    def token(self, rng):
        return rng.choices(self.words, self.weights)[0]

    def new_body(self, rng):
        return {"amount": rng.randint(1, 5000), "currency": rng.choice(("USD", "EUR", "JPY")),
                "payment_method": "credit_card", "customer_id": f"cust_{rng.randint(1, 50)}",
                "payment_token": self.token(rng)}

    def post(self, rng, wish, body=None):
        headers = {"Idempotency-Key": wish.key} if wish.key else {}
        self.requests += 1
        answer = self.payops.request("POST", wish.path, body or wish.body, headers=headers,
                                     token=self.payops.token("demo", SCOPES), port=rng.choice(self.ports))
        if answer.status in AGAIN and (not isinstance(wish, Part) or answer.json["retryable"] is True):
            self.refusals.append(answer)
            if int(answer.headers.get("retry-after", 0)) < 1 or answer.json["retryable"] is not True:
                self.wrong.append(("a refusal that does not say when", wish.key, answer.status, answer.body))
        return answer

    def acknowledge(self, wish, answer):
        """Note an answer that promises something; returns whether it does."""
        if answer.status not in (201, 202):
            return False
        if not wish.answers:
            self.note(wish, answer)
        answer.headers = {name: answer.headers[name] for name in KEPT if name in answer.headers}
        wish.answers.append(answer)
        return True

    def note(self, wish, answer):
        if isinstance(wish, Part):
            self.parts.append(wish)
            return
        promised = 202 if b"outcome_unknown" in answer.body else 201  # a transfer's 202 is one too
        self.payops.history.append({"transaction_id": answer.json["transaction_id"], "merchant": "demo", **wish.body,
                                    "status": promised})
        self.payments.append(wish)

    def insist(self, rng, wish):
        """Repeat it until it is answered; returns whether it was accepted."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            try:
                answer = self.post(rng, wish)
                if self.acknowledge(wish, answer):
                    return True
                if self.is_refused(wish, answer):
                    return False
            except UNANSWERED:
                pass
            time.sleep(rng.uniform(0.05, 0.2))
        self.lost.append(wish.key)
        return False

    def is_refused(self, wish, answer):
        """For good: what others did first stands against a capture or refund, nothing against a payment."""
        if isinstance(wish, Part) and answer.status in (409, 422) and not answer.json["retryable"]:
            return True
        if answer.status in AGAIN:
            return False
        self.wrong.append(("refused", wish.path, wish.key, answer.status, answer.body))
        return True

    def pay_with_key(self, rng, key):
        self.insist(rng, Payment(key, self.new_body(rng)))

    def pay_without_key(self, rng, _):
        payment = Payment(None, self.new_body(rng))
        answer = self.post(rng, payment)
        if not self.acknowledge(payment, answer) and answer.status not in (429, 503):
            self.wrong.append(("refused without a key", answer.status, answer.body))

    def known(self, rng, keyed):
        """A payment that was acknowledged; None where there is none yet."""
        if not self.payments:
            return None
        payment = rng.choice(self.payments)
        return payment if payment.key or not keyed else None

    def look(self, rng, _):
        payment = self.known(rng, keyed=False)
        if payment is None or payment.answers[0].status != 201:
            return
        answer = self.payops.get(f"/transactions/{payment.transaction_id}", port=rng.choice(self.ports))
        if answer.status not in (200, 429, 503):
            self.wrong.append(("acknowledged, and then", payment.transaction_id, answer.status, answer.body))

    def repeat(self, rng, _):
        payment = self.known(rng, keyed=True)
        if payment is None:
            return
        answer = self.post(rng, payment)
        if not self.acknowledge(payment, answer) and answer.status not in AGAIN:
            self.wrong.append(("repeated", payment.key, answer.status, answer.body))

    def abuse(self, rng, _):
        payment = self.known(rng, keyed=True)
        if payment is None:
            return
        answer = self.post(rng, payment, {**payment.body, **self.other_amount(payment.body)})
        if answer.status not in (422, *AGAIN):
            self.wrong.append(("other content under a key", payment.key, answer.status, answer.body))

    @staticmethod
    def other_amount(body):
        amount = body["amount"]
        return {"amount": amount + 1 if isinstance(amount, int) else "9" + amount}

    # --- the end ---

    def finish(self):
        """No new payments; those begun are repeated until they are answered."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return self

    def keyed(self):
        return [wish for wish in self.payments + self.parts if wish.key]


class Commerce(MixedLoad):
    """Clients that use all that a merchant can ask for, each request repeated until it is answered."""

    def steps(self):
        return {**super().steps(), self.authorise: 3, self.deposit: 1, self.withdraw: 2, self.refund: 6,
                self.capture: 6, self.void: 1, self.repeat_part: 2}

    def authorise(self, rng, key):
        self.insist(rng, Payment(key, {**self.new_body(rng), "capture": "manual"}))

    def transfer(self, rng, key, path):
        body = self.new_body(rng)
        amount = f"{body['amount']}" if body["currency"] == "JPY" else f"{body['amount'] / 100:.2f}"
        self.insist(rng, Payment(key, {"user_id": rng.randint(1, 50), "amount": amount, "currency": body["currency"],
                                       "payment_token": body["payment_token"]}, path))

    def deposit(self, rng, key):
        self.transfer(rng, key, "/deposit")

    def withdraw(self, rng, key):
        self.transfer(rng, key, "/withdrawal")

    def recent(self, rng, status):
        """One of the latest payments and how it is shown, if it has this status."""
        able = [payment for payment in self.payments[-200:] if isinstance(payment.body["amount"], int)
                and (status == "completed" or payment.body.get("capture") == "manual")]
        if not able:
            return None, None
        payment = rng.choice(able)
        answer = self.payops.get(f"/transactions/{payment.transaction_id}", port=rng.choice(self.ports))
        fits = answer.status == 200 and answer.json["status"] == status
        return (payment, answer.json) if fits else (None, None)

    def part(self, rng, key, verb, payment, rest):
        body = {"amount": rng.choice((rest, rng.randint(1, rest))), "payment_token": self.token(rng)}
        self.insist(rng, Part(key, body, payment, verb))

    def refund(self, rng, key):
        payment, shown = self.recent(rng, "completed")
        if payment is not None and shown["amount_captured"] > shown["amount_refunded"]:
            self.part(rng, key, "refunds", payment, shown["amount_captured"] - shown["amount_refunded"])

    def capture(self, rng, key):
        payment, shown = self.recent(rng, "authorised")
        if payment is not None and shown["amount"] > shown["amount_captured"]:
            self.part(rng, key, "capture", payment, shown["amount"] - shown["amount_captured"])

    def void(self, rng, _):
        payment, _ = self.recent(rng, "authorised")
        if payment is not None:
            self.end(rng, payment, "void")

    def end(self, rng, payment, verb):
        answer = self.post(rng, Part(None, {}, payment, verb))
        if answer.status not in (200, 202, *AGAIN):
            self.wrong.append((verb, payment.key, answer.status, answer.body))

    def repeat_part(self, rng, _):
        if self.parts:
            part = rng.choice(self.parts)
            answer = self.post(rng, part)
            if not self.acknowledge(part, answer) and answer.status not in AGAIN:
                self.wrong.append(("repeated", part.key, answer.status, answer.body))


def assert_equal_answers(wishes):
    """The same request was answered with the same bytes; where it was unknown, with the id that came later."""
    for wish in wishes:
        created = wish.created()
        assert len({(answer.body, answer.headers.get("location")) for answer in created}) <= 1, wish.key
        assert len({id_told(answer) for answer in wish.answers}) == 1, wish.key
        assert all(answer.headers.get("idempotency-replayed") == "true" for answer in created[1:]), wish.key


def id_told(answer):
    """Of what was made: each answer names one thing first."""
    return next(iter(answer.json.values()))


def assert_one_effect_a_key(payops, load):
    rows = payops.sql("SELECT idempotency_key, COUNT(*) FROM operation "
                      f"WHERE idempotency_key LIKE '{load.prefix}-%' GROUP BY idempotency_key")
    assert {key: int(count) for key, count in rows} == {wish.key: 1 for wish in load.keyed()}


def assert_ends(payops, load):
    """Each payment and each part of one ended as its token says, whatever happened on the way."""
    shown = {transaction_id: status for transaction_id, status in payops.sql(
        "SELECT HEX(id), status FROM transaction")}
    by_key = dict(payops.sql(f"SELECT idempotency_key, status FROM operation WHERE idempotency_key LIKE '{load.prefix}-%'"))
    ends = [(payment, shown.get(id_decode(payment.transaction_id, "trans_"))) for payment in load.payments
            if payment.created()] + [(part, by_key.get(part.key)) for part in load.parts]
    assert [(wish.path, wish.body, end) for wish, end in ends if end not in wish.ends()] == []


def judge(payops, load, rng, replays=100, seconds=90):
    """Everything that must hold once the clients were answered and nothing is under way."""
    assert not load.wrong, load.wrong[:5]
    assert not load.lost, load.lost[:5]
    settle(payops, seconds)
    for wish in rng.sample(load.keyed(), min(replays, len(load.keyed()))):
        assert load.acknowledge(wish, load.post(rng, wish)), wish.key
        other = load.post(rng, wish, {**wish.body, **load.other_amount(wish.body)})
        assert (other.status, [error["field"] for error in other.json["errors"]]) == (422, ["amount"]), other.body
    assert_equal_answers(load.keyed())
    assert_one_effect_a_key(payops, load)
    assert_ends(payops, load)
    status, output = run_checker(payops, payops.history)
    payops.checked = len(payops.history)
    assert status == 0, output
    return (f"{load.requests} requests, {len(load.payments)} payments, {len(load.parts)} captures and refunds, "
            f"{len(load.refusals)} refusals to be repeated; {output.strip()}")
