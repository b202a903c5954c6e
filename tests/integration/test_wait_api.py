# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for an outcome instead of asking for it again: ?wait on POST and GET, ?refresh on GET."""
import threading
import time
import uuid

import pytest

from support import await_attempt, pay_id, sql_id, until

BODY = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_001"}


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    return shared


@pytest.fixture
def held(payops):
    """A gateway that does not answer; afterwards it does again."""
    payops.mode("hang")
    yield
    payops.mode("ok")


def pay(payops, wait, token_word="tok_ok", headers=None, **members):
    answer = payops.request("POST", f"/transactions?wait={wait}", {**BODY, "payment_token": token_word, **members},
                            token=payops.token(), headers=headers)
    if answer.status in (201, 202, 402):
        payops.history.append({"transaction_id": answer.json["transaction_id"], "amount": 1000, "currency": "USD",
                               "status": answer.status if answer.status != 402 else 201, "merchant": "demo",
                               "payment_token": token_word})
    return answer


def test_who_waits_is_answered_with_the_payment_as_it_has_become(payops):
    answer = pay(payops, 20)

    assert (answer.status, answer.json["status"]) == (201, "completed")
    assert answer.headers["location"] == f"/transactions/{answer.json['transaction_id']}"
    shown = payops.get(answer.headers["location"])
    assert (shown.json, shown.headers["etag"]) == (answer.json, answer.headers["etag"])


def test_a_decline_is_402_with_what_to_do(payops):
    answer = pay(payops, 20, "tok_decline_insufficient_funds", headers={"Idempotency-Key": f"declined-{uuid.uuid4()}"})

    assert (answer.status, answer.json["code"]) == (402, "payment_declined")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json["decline_code"], answer.json["advice"]) == ("insufficient_funds", "retry_later")
    assert answer.json["retryable"] is False and answer.json["detail"]
    shown = payops.get(answer.headers["location"]).json
    assert (shown["transaction_id"], shown["status"]) == (answer.json["transaction_id"], "failed")


def test_an_outcome_that_is_not_known_in_time_is_202(payops, held):
    begun = time.monotonic()
    answer = pay(payops, 1)

    assert 0.9 < time.monotonic() - begun < 8
    assert answer.status == 202
    assert answer.json["status"] in ("pending", "processing")


def test_the_requests_own_time_bounds_the_wait(payops, held):
    begun = time.monotonic()
    answer = pay(payops, 30, headers={"Request-Timeout": "1"})

    assert time.monotonic() - begun < 8
    assert answer.status == 202


def test_a_payment_that_waits_to_be_started_is_not_waited_for(payops):
    begun = time.monotonic()
    answer = pay(payops, 30, process="manual")

    assert time.monotonic() - begun < 8
    assert (answer.status, answer.json["status"]) == (201, "pending")
    assert payops.request("POST", answer.headers["location"] + "/cancel", token=payops.token()).status == 200


def test_what_the_customer_must_do_is_told_at_once(payops):
    begun = time.monotonic()
    answer = pay(payops, 25, "tok_requires_action_20000", headers={"Request-Timeout": "30"})

    assert time.monotonic() - begun < 15
    assert (answer.status, answer.json["status"]) == (202, "processing")
    assert answer.json["instructions"]["redirect_url"].startswith("https://")
    payops.complete(answer.json["gateway_txn_id"])
    # Who asks again waits for what the customer did.
    assert payops.get(answer.headers["location"] + "?wait=20").json["status"] == "completed"


def test_the_same_key_again_tells_the_payment_as_it_is_now(payops):
    key = {"Idempotency-Key": f"wait-{uuid.uuid4()}"}
    plain = payops.request("POST", "/transactions", {**BODY, "payment_token": "tok_ok"}, token=payops.token(), headers=key)
    again = pay(payops, 20, headers=key)
    last = payops.request("POST", "/transactions", {**BODY, "payment_token": "tok_ok"}, token=payops.token(), headers=key)

    assert (again.status, again.json["status"], again.headers["idempotency-replayed"]) == (201, "completed", "true")
    assert (last.status, last.body) == (plain.status, plain.body)


def test_get_waits_too_and_sees_a_start_by_somebody_else(payops):
    transaction_id = pay_id(payops, "tok_ok")
    shown = payops.get(f"/transactions/{transaction_id}?wait=20")

    assert (shown.status, shown.json["status"]) == (200, "completed")
    assert payops.get(f"/transactions/{transaction_id}?wait=20", headers={"If-None-Match": shown.headers["etag"]}).status \
        == 304


def test_many_who_wait_keep_nobody_from_paying(payops, held):
    threads = [threading.Thread(target=pay, args=(payops, 2)) for _ in range(40)]
    for thread in threads:
        thread.start()
    answer = payops.pay()
    for thread in threads:
        thread.join()

    assert answer.status == 201


@pytest.mark.parametrize("query", ["wait=", "wait=-1", "wait=31", "wait=1.5", "wait=true", "wait=1&wait=1"])
def test_waits_that_are_none_are_refused(payops, query):
    assert payops.request("POST", f"/transactions?{query}", BODY, token=payops.token()).status == 400
    assert payops.get(f"/transactions/trans_01M7YTV6ECD2DYMZZGJMTR1Z1T?{query}").status == 400


@pytest.mark.parametrize("query", ["refresh=", "refresh=1", "refresh=TRUE", "refresh"])
def test_refresh_is_true_or_false(payops, query):
    assert payops.get(f"/transactions/trans_01M7YTV6ECD2DYMZZGJMTR1Z1T?{query}").status == 400


# --- refresh ---

def put_off(payops, transaction_id, rested_s):
    """The next inquiry is an hour away, and nothing was done for so many seconds."""
    payops.sql(f"UPDATE operation SET next_action_at_us = next_action_at_us + 3600000000, "
               f"updated_at_us = updated_at_us - {rested_s * 1000000} WHERE transaction_id = {sql_id(transaction_id)}")


def test_refresh_asks_the_gateway_and_answers_what_it_said(payops):
    transaction_id = pay_id(payops, "tok_callback_never")
    await_attempt(payops, transaction_id, "accepted")
    put_off(payops, transaction_id, 10)
    before = payops.get(f"/transactions/{transaction_id}?refresh=false").json
    answer = payops.get(f"/transactions/{transaction_id}?refresh=true")

    assert before["status"] == "processing"
    assert (answer.status, answer.json["status"]) == (200, "completed")


def test_refresh_leaves_alone_what_was_touched_a_moment_ago_or_is_over(payops):
    transaction_id = pay_id(payops, "tok_callback_never")
    await_attempt(payops, transaction_id, "accepted")
    put_off(payops, transaction_id, 0)
    answer = payops.get(f"/transactions/{transaction_id}?refresh=true")

    assert (answer.status, answer.json["status"]) == (200, "processing")
    put_off(payops, transaction_id, 10)
    assert payops.get(f"/transactions/{transaction_id}?refresh=true&wait=20").json["status"] == "completed"
    assert payops.get(f"/transactions/{transaction_id}?refresh=true").json["status"] == "completed"


def test_refresh_never_takes_an_attempt_from_its_sender(payops, held):
    transaction_id = pay_id(payops, "tok_ok")
    until(lambda: payops.get(f"/transactions/{transaction_id}/attempts").json, what="an attempt")
    due = f"SELECT next_action_at_us FROM operation WHERE transaction_id = {sql_id(transaction_id)}"
    payops.sql(f"UPDATE operation SET updated_at_us = updated_at_us - 10000000 WHERE transaction_id = {sql_id(transaction_id)}")
    attempt = payops.get(f"/transactions/{transaction_id}/attempts").json[0]
    lease = payops.sql(due)
    answer = payops.get(f"/transactions/{transaction_id}?refresh=true", headers={"Request-Timeout": "1"})

    assert attempt["status"] in ("prepared", "sent")
    assert answer.json["status"] == "processing"
    assert payops.sql(due) == lease
