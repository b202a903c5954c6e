# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixed load by clients that retry, chosen by a seed, and what must hold of all they were told.

Each payment has a body of its own; most have an Idempotency-Key and are repeated until they are answered. In between
clients look at payments, repeat requests that were answered long ago, and send other content under a known key.
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


class Payment:
    """One payment that a client means to make; `answers` are all that were ever given to it."""

    def __init__(self, key, body):
        self.key = key
        self.body = body
        self.answers = []

    @property
    def transaction_id(self):
        return self.answers[0].json["transaction_id"]

    def created(self):
        return [answer for answer in self.answers if answer.status == 201]


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
        self.refusals = []   # 503 and 409, which may be repeated
        self.wrong = []      # whatever may not be
        self.lost = []       # keys that were never acknowledged
        self.requests = 0
        self.stopping = threading.Event()
        payops.token()
        self.threads = [threading.Thread(target=self.work, args=(random.Random(f"{seed}/{number}"), number))
                        for number in range(threads)]
        for thread in self.threads:
            thread.start()

    # --- what a client does ---

    def work(self, rng, number):
        steps = ((self.look, 2), (self.repeat, 2), (self.abuse, 1), (self.pay_without_key, 1), (self.pay_with_key, 6))
        count = 0
        while not self.stopping.is_set():
            step = rng.choices([step for step, _ in steps], [weight for _, weight in steps])[0]
            count += 1
            try:
                step(rng, f"{self.prefix}-{number}-{count}")
            except UNANSWERED:
                pass
            self.stopping.wait(rng.uniform(0.5, 1.5) * self.pause_s)

    def new_body(self, rng):
        return {"amount": rng.randint(1, 5000), "currency": rng.choice(("USD", "EUR", "JPY")),
                "payment_method": "credit_card", "customer_id": f"cust_{rng.randint(1, 50)}",
                "payment_token": rng.choices(self.words, self.weights)[0]}

    def post(self, rng, body, key=None):
        headers = {"Idempotency-Key": key} if key else {}
        self.requests += 1
        answer = self.payops.request("POST", "/transactions", body, headers=headers, token=self.payops.token(),
                                     port=rng.choice(self.ports))
        if answer.status in AGAIN:
            self.refusals.append(answer)
            if int(answer.headers.get("retry-after", 0)) < 1 or answer.json["retryable"] is not True:
                self.wrong.append(("a refusal that does not say when", key, answer.status, answer.body))
        return answer

    def acknowledge(self, payment, answer):
        """Note an answer that promises something; returns whether it does."""
        if answer.status not in (201, 202):
            return False
        if not payment.answers:
            self.payops.history.append({"transaction_id": answer.json["transaction_id"], "status": answer.status,
                                        "merchant": "demo", **payment.body})
            self.payments.append(payment)
        payment.answers.append(answer)
        return True

    def pay_with_key(self, rng, key):
        payment = Payment(key, self.new_body(rng))
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            try:
                answer = self.post(rng, payment.body, key)
                if self.acknowledge(payment, answer):
                    return
                if answer.status not in AGAIN:
                    self.wrong.append(("refused", key, answer.status, answer.body))
                    return
            except UNANSWERED:
                pass
            time.sleep(rng.uniform(0.05, 0.2))
        self.lost.append(key)

    def pay_without_key(self, rng, _):
        payment = Payment(None, self.new_body(rng))
        answer = self.post(rng, payment.body)
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
        answer = self.post(rng, payment.body, payment.key)
        if not self.acknowledge(payment, answer) and answer.status not in AGAIN:
            self.wrong.append(("repeated", payment.key, answer.status, answer.body))

    def abuse(self, rng, _):
        payment = self.known(rng, keyed=True)
        if payment is None:
            return
        answer = self.post(rng, {**payment.body, "amount": payment.body["amount"] + 1}, payment.key)
        if answer.status not in (422, *AGAIN):
            self.wrong.append(("other content under a key", payment.key, answer.status, answer.body))

    # --- the end ---

    def finish(self):
        """No new payments; those begun are repeated until they are answered."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return self

    def keyed(self):
        return [payment for payment in self.payments if payment.key]


def assert_equal_answers(payments):
    """The same request was answered with the same bytes; a 202 names the payment that a later 201 names."""
    for payment in payments:
        created = payment.created()
        assert len({(answer.body, answer.headers["location"]) for answer in created}) <= 1, payment.key
        assert len({answer.json["transaction_id"] for answer in payment.answers}) == 1, payment.key
        assert all(answer.headers.get("idempotency-replayed") == "true" for answer in created[1:]), payment.key


def assert_one_effect_a_key(payops, load):
    rows = payops.sql("SELECT idempotency_key, COUNT(*) FROM operation "
                      f"WHERE idempotency_key LIKE '{load.prefix}-%' GROUP BY idempotency_key")
    assert {key: int(count) for key, count in rows} == {payment.key: 1 for payment in load.keyed()}


def assert_ends(payops, payments):
    """Each payment ended as its token says, whatever happened on the way."""
    shown = {transaction_id: status for transaction_id, status in payops.sql(
        "SELECT HEX(id), status FROM transaction")}
    ends = collections.Counter((payment.body["payment_token"], shown.get(id_decode(payment.transaction_id, "trans_")))
                               for payment in payments if payment.created())
    assert {pair for pair in ends if TOKENS[pair[0]] != pair[1]} == set(), ends


def judge(payops, load, rng, replays=100, seconds=90):
    """Everything that must hold once the clients were answered and nothing is under way."""
    assert not load.wrong, load.wrong[:5]
    assert not load.lost, load.lost[:5]
    settle(payops, seconds)
    for payment in rng.sample(load.keyed(), min(replays, len(load.keyed()))):
        assert load.acknowledge(payment, load.post(rng, payment.body, payment.key)), payment.key
        other = load.post(rng, {**payment.body, "customer_id": "another"}, payment.key)
        assert (other.status, [error["field"] for error in other.json["errors"]]) == (422, ["customer_id"])
    assert_equal_answers(load.keyed())
    assert_one_effect_a_key(payops, load)
    assert_ends(payops, load.payments)
    status, output = run_checker(payops, payops.history)
    payops.checked = len(payops.history)
    assert status == 0, output
    return (f"{load.requests} requests, {len(load.payments)} payments, {len(load.refusals)} refusals to be repeated; "
            f"{output.strip()}")
