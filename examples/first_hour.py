# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A first hour in Python, without any package: pay, survive a timeout, wait, refund, history, a refusal.

Needs PAYOPS_URL and PAYOPS_TOKEN: eval "$(./dev env)"; python3 examples/first_hour.py"""
import json
import os
import time
import urllib.error
import urllib.request
import uuid

TRIES = 5


class Refused(Exception):
    """A refusal; `code` is stable, `retry_after_s` is None where asking again does not help."""

    def __init__(self, status, problem, retry_after):
        super().__init__(f"{status} {problem['code']}: {problem.get('detail') or problem['title']}")
        self.status, self.code, self.problem = status, problem["code"], problem
        self.retry_after_s = int(retry_after) if retry_after else None


def call(method, path, body=None, key=None, timeout=30):
    headers = {"Authorization": "Bearer " + os.environ["PAYOPS_TOKEN"]}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key is not None:
        headers["Idempotency-Key"] = key
    request = urllib.request.Request(os.environ["PAYOPS_URL"] + path, method=method, headers=headers,
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Refused(error.code, json.load(error), error.headers.get("Retry-After")) from error


def call_surely(method, path, body, key, first_timeout=30):
    """With a key the same request may be sent until it is answered: it acts once."""
    for number in range(TRIES):
        try:
            return call(method, path, body, key, timeout=first_timeout if number == 0 else 30)
        except Refused as error:
            if error.retry_after_s is None:
                raise
            wait_s = error.retry_after_s
        except OSError as error:  # a timeout, or a connection that broke: it may have been stored
            print("no answer:", error)
            wait_s = 2 ** number / 10
        time.sleep(wait_s)
    raise TimeoutError(f"{method} {path}: not answered; ask again later, with the same key")


def outcome(transaction_id):
    """The payment when its outcome is known, or as it is after half a minute."""
    for _ in range(6):
        payment = call("GET", f"/transactions/{transaction_id}?wait=5")
        if payment["status"] not in ("pending", "processing"):
            break
    return payment


def main():
    key = f"first-hour-{uuid.uuid4()}"  # in your shop: the order's number
    body = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_001",
            "description": "Payment for order #1234"}
    made = call_surely("POST", "/transactions", body, key, first_timeout=0.001)  # too short on purpose
    same = call_surely("POST", "/transactions", body, key)
    assert made["transaction_id"] == same["transaction_id"], "one key, one payment"

    payment = outcome(made["transaction_id"])
    assert payment["status"] == "completed", payment
    print("paid", payment["transaction_id"])

    refund = call_surely("POST", f"/transactions/{payment['transaction_id']}/refunds",
                         {"amount": 250, "reason": "One came back"}, key + "-refund")
    print("refund", refund["refund_id"])

    history = call("GET", "/customers/cust_001/transactions?limit=20")
    assert payment["transaction_id"] in [one["transaction_id"] for one in history]

    try:
        call("POST", "/transactions", {**body, "amount": 10.5})
    except Refused as error:
        assert (error.status, error.code) == (422, "validation_failed"), error
        print("refused:", error)
    else:
        raise AssertionError("a number with a point was taken for an amount")


if __name__ == "__main__":
    main()
