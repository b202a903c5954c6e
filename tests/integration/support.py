# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several test modules do with an instance: rows of one payment, clients that retry, waiting, the checker."""
import http.client
import json
import pathlib
import random
import string
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "checker"))

from checker import id_decode  # noqa: E402

CHECKER = pathlib.Path(__file__).parents[1] / "checker" / "checker.py"
FINAL = ("completed", "failed", "cancelled")


def until(condition, seconds=20, what="it"):
    """The first true value of condition(); fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


def unique(prefix):
    """A name that is used once. In letters: enough digits could be a card number, which is refused."""
    return f"{prefix}-" + "".join(random.SystemRandom().choices(string.ascii_lowercase, k=12))


# --- one payment ---

def sql_id(transaction_id):
    """A wire id as an SQL literal."""
    return f"x'{id_decode(transaction_id, 'trans_')}'"


def pay_id(payops, token_word, **members):
    answer = payops.pay(token_word, **members)
    assert answer.status == 201, answer.body
    return answer.json["transaction_id"]


def events(payops, transaction_id):
    return payops.get(f"/transactions/{transaction_id}/events").json


def event_types(payops, transaction_id):
    return [event["type"] for event in events(payops, transaction_id)]


def attempts(payops, transaction_id):
    return payops.get(f"/transactions/{transaction_id}/attempts").json


def last_attempt(payops, transaction_id):
    tried = attempts(payops, transaction_id)
    return tried[-1] if tried else {"status": "none"}


def await_attempt(payops, transaction_id, status, seconds=20):
    """The last attempt, once it has this status."""
    def reached():
        attempt = last_attempt(payops, transaction_id)
        return attempt if attempt["status"] == status else None
    return until(reached, seconds, f"an attempt of {transaction_id} that is {status}")


def await_charge(payops, transaction_id, seconds=20):
    return until(lambda: payops.ledger(transaction_id), seconds, f"a ledger line of {transaction_id}")


def outcomes(payops, transaction_id):
    """What the gateway's own ledger says, in order."""
    return [line["outcome"] for line in payops.ledger(transaction_id)]


def callback_results(payops, transaction_id):
    return [row[0] for row in payops.sql("SELECT result FROM callback WHERE transaction_id = "
                                         f"{sql_id(transaction_id)} ORDER BY received_at_us")]


def exceptions(payops, transaction_id):
    return sorted(row[0] for row in payops.sql("SELECT kind FROM exception WHERE transaction_id = "
                                               f"{sql_id(transaction_id)}"))


def callback_for(attempt, **members):
    """A callback's body as the gateway would write it; a member that is None is left out."""
    body = {"callback_id": unique("test"), "gateway": "alpha",
            "gateway_txn_id": attempt["gateway_txn_id"], "reference": attempt["our_reference"],
            "status": "completed", "amount_minor": 1000, "currency": "USD", **members}
    return {name: value for name, value in body.items() if value is not None}


# --- clients ---

class Clients:
    """Threads that pay, each payment under a key of its own, repeating a request until it is answered."""

    def __init__(self, payops, word, count, threads=8, prefix="load", patience=45):
        self.payops = payops
        self.word = word
        self.prefix = unique(prefix)
        self.keys = [f"{self.prefix}-{number}" for number in range(count)]
        self.waiting = list(self.keys)
        self.acknowledged = {}
        self.refusals = []
        self.wrong = []
        self.deadline = time.monotonic() + patience
        payops.token()
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while True:
            try:
                key = self.waiting.pop()
            except IndexError:
                return
            self.pay(key)

    def pay(self, key):
        while time.monotonic() < self.deadline:
            try:
                answer = self.payops.pay(self.word, headers={"Idempotency-Key": key})
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
                continue
            if answer.status in (201, 202):
                self.acknowledged[key] = answer.json["transaction_id"]
                return
            if answer.status != 503 or "retry-after" not in answer.headers:
                self.wrong.append((answer.status, answer.body))
            self.refusals.append(answer)
            time.sleep(0.1)

    def await_acknowledged(self, count):
        until(lambda: len(self.acknowledged) >= count, 40, f"{count} payments acknowledged")

    def join(self):
        """Every payment's id; fails where one was never acknowledged or was refused in a wrong way."""
        for thread in self.threads:
            thread.join()
        assert not self.wrong
        assert sorted(self.acknowledged) == sorted(self.keys)
        rows = self.payops.sql(f"SELECT COUNT(*) FROM operation WHERE idempotency_key LIKE '{self.prefix}-%'")
        assert rows == [[str(len(self.keys))]]
        return list(self.acknowledged.values())


def assert_charged_once(payops, transaction_ids, seconds=45):
    """All complete, each with one charge."""
    for transaction_id in transaction_ids:
        payops.await_status(transaction_id, "completed", seconds)
        assert outcomes(payops, transaction_id) == ["succeeded"]


# --- the independent checker ---

def mysql_arguments(payops, database="payops"):
    return f"--no-defaults --socket={payops.socket} --user=root --database={database}"


def run_checker(payops, history, mysql=None, sandbox=None, settled=True):
    """Returns (exit status, output)."""
    path = payops.dir / "history.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in history))
    command = [sys.executable, "-B", str(CHECKER), "--history", str(path),
               "--mysql", mysql or mysql_arguments(payops),
               "--sandbox", sandbox or f"http://127.0.0.1:{payops.port + 1}"]
    done = subprocess.run(command + ["--settled"] * settled, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def settle(payops, seconds=60):
    """Wait until nothing is under way any more."""
    payops.start()
    payops.heal()
    # A void that waits for its authorisation's end may wait for days.
    until(lambda: payops.sql("SELECT COUNT(*) FROM operation WHERE status IN ('pending', 'processing') AND NOT "
                             "(kind = 'void' AND next_action = 'expire')") == [["0"]],
          seconds, "every payment's end")


def assert_invariants(payops):
    """Wait until all is settled, then have everything that clients were told checked."""
    settle(payops)
    status, output = run_checker(payops, payops.history)
    payops.checked = len(payops.history)
    assert status == 0, output
