# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deciding about a payment after it was taken: start a manual one, cancel, cancel by key, look a key up."""
import contextlib
import datetime
import subprocess
import threading
import urllib.parse
import uuid

import pytest

from support import (attempts, await_attempt, event_types, events, exceptions, outcomes, pay_id, sql_id, until)

OTHER = "othershop"
DAY_S = 24 * 3600


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    shared.add_merchant(OTHER)
    return shared


def new_key():
    return f"test-{uuid.uuid4()}"


def act(payops, transaction_id, action, body=None, merchant="demo", **options):
    return payops.request("POST", f"/transactions/{transaction_id}/{action}", body, token=payops.token(merchant), **options)


def cancel_by_key(payops, key, merchant="demo"):
    return payops.request("POST", "/transactions/cancel-by-key", {"idempotency_key": key}, token=payops.token(merchant))


def look_up(payops, key, merchant="demo"):
    return payops.get("/idempotency-keys/" + urllib.parse.quote(key, safe=""), merchant=merchant)


def pay_manual(payops, token_word="tok_ok", **members):
    return pay_id(payops, token_word, process="manual", **members)


def pay_with_key(payops, token_word, **members):
    key = new_key()
    return key, pay_id(payops, token_word, headers={"Idempotency-Key": key}, **members)


def seconds_until(text):
    return (datetime.datetime.fromisoformat(text) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def operation_of(payops, transaction_id, columns):
    return payops.sql(f"SELECT {columns} FROM operation WHERE transaction_id = {sql_id(transaction_id)}")[0]


def at_once(count, work):
    """work(index) from as many threads; their results, in order."""
    results, gate = [None] * count, threading.Barrier(count)

    def run(index):
        gate.wait()
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def assert_refused(answer, status, actions):
    assert answer.status == 409, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "state_conflict"
    assert answer.json["current_status"] == status
    assert answer.json["allowed_actions"] == actions
    assert answer.json["detail"] and not answer.json["retryable"]


# --- process ---

def test_manual_payment_waits_for_its_start(payops):
    transaction_id = pay_manual(payops)
    waiting = payops.get(f"/transactions/{transaction_id}").json

    assert waiting["status"] == "pending" and waiting["next_action"] == "expire"
    assert DAY_S - 60 < seconds_until(waiting["next_action_at"]) <= DAY_S
    assert payops.ledger(transaction_id) == [] and attempts(payops, transaction_id) == []

    started = act(payops, transaction_id, "process")

    assert started.status == 202 and started.json["transaction_id"] == transaction_id
    assert started.json["status"] == "pending" and started.json["next_action"] == "send"
    payops.await_status(transaction_id, "completed")
    assert event_types(payops, transaction_id)[:3] == ["created", "process_requested", "attempt_prepared"]
    assert events(payops, transaction_id)[1]["api_call_id"] == started.headers["x-api-call-id"]
    assert outcomes(payops, transaction_id) == ["succeeded"]


def test_sixteen_starts_at_once_start_one_charge(payops):
    transaction_id = pay_manual(payops)

    answers = at_once(16, lambda _: act(payops, transaction_id, "process"))
    payops.await_status(transaction_id, "completed")
    again = act(payops, transaction_id, "process", {})

    assert sorted(answer.status for answer in answers) == [200] * 15 + [202]
    assert again.status == 200 and again.json["status"] == "completed"
    assert event_types(payops, transaction_id).count("process_requested") == 1
    assert len(attempts(payops, transaction_id)) == 1
    assert outcomes(payops, transaction_id) == ["succeeded"]


def test_start_of_what_needs_none_has_no_effect(payops):
    transaction_id = pay_id(payops, "tok_callback_never")
    answer = act(payops, transaction_id, "process")
    payops.await_status(transaction_id, "completed")

    assert answer.status == 200 and answer.json["status"] in ("pending", "processing")
    assert "process_requested" not in event_types(payops, transaction_id)


def test_what_ended_otherwise_cannot_be_started(payops):
    failed, cancelled = pay_id(payops, "tok_decline_stolen_card"), pay_manual(payops)
    payops.await_status(failed, "failed")
    assert act(payops, cancelled, "cancel").status == 200

    assert_refused(act(payops, failed, "process"), "failed", [])
    assert_refused(act(payops, cancelled, "process"), "cancelled", [])


def test_manual_payment_that_nobody_starts_expires(payops):
    transaction_id = pay_manual(payops)
    payops.sql(f"UPDATE operation SET next_action_at_us = 1 WHERE transaction_id = {sql_id(transaction_id)}")

    shown = payops.await_status(transaction_id, "cancelled")

    assert shown["status_reason"] == "expired" and shown["failure"] is None and shown["next_action"] is None
    assert event_types(payops, transaction_id) == ["created", "expired"]
    assert operation_of(payops, transaction_id, "status, next_action, payment_token_sealed IS NULL") == [
        "cancelled", "none", "1"]
    assert outcomes(payops, transaction_id) == []
    assert_refused(act(payops, transaction_id, "process"), "cancelled", [])


# --- cancel ---

def test_pending_payment_is_cancelled_and_its_token_wiped(payops):
    transaction_id = pay_manual(payops)
    answer, again = (act(payops, transaction_id, "cancel") for _ in range(2))

    for told in (answer, again):
        assert told.status == 200 and told.json["transaction_id"] == transaction_id
        assert told.json["status"] == "cancelled" and told.json["status_reason"] == "cancelled_by_client"
        assert told.json["next_action"] is None
    assert event_types(payops, transaction_id) == ["created", "cancelled"]
    assert operation_of(payops, transaction_id, "status, payment_token_sealed IS NULL") == ["cancelled", "1"]
    assert outcomes(payops, transaction_id) == []


def test_cancel_between_two_tries_fails_the_payment(payops):
    transaction_id = pay_id(payops, "tok_decline_issuer_unavailable")
    until(lambda: payops.get(f"/transactions/{transaction_id}").json["status_reason"] == "retry_scheduled", 20, "a retry")

    answer, again = (act(payops, transaction_id, "cancel") for _ in range(2))

    for told in (answer, again):
        assert told.status == 200 and told.json["status"] == "failed", told.body
        assert told.json["failure"]["code"] == "cancelled_by_client"
        assert told.json["failure"]["advice"] == "retry"
    assert set(outcomes(payops, transaction_id)) == {"declined"}
    assert event_types(payops, transaction_id)[-1] == "cancelled"


def test_what_may_be_charged_is_not_cancelled(payops):
    transaction_id = pay_id(payops, "tok_callback_never")
    await_attempt(payops, transaction_id, "accepted")

    assert_refused(act(payops, transaction_id, "cancel"), "processing", [])
    payops.await_status(transaction_id, "completed")
    assert_refused(act(payops, transaction_id, "cancel"), "completed", ["refund"])

    assert operation_of(payops, transaction_id, "cancel_wished_at_us IS NULL") == ["1"]
    assert exceptions(payops, transaction_id) == []


def test_cancel_that_races_with_the_start_never_cancels_a_charge(payops):
    payments = [pay_manual(payops) for _ in range(50)]

    def race(index):
        transaction_id = payments[index // 2]
        return act(payops, transaction_id, "cancel" if index % 2 else "process").status

    for half in (0, 25):
        shown = at_once(50, lambda index, first=half: race(2 * first + index))
        assert set(shown) <= {200, 202, 409}
    ends = [payops.await_status(transaction_id, ("completed", "cancelled"))["status"] for transaction_id in payments]

    for transaction_id, end in zip(payments, ends):
        assert outcomes(payops, transaction_id) == ([] if end == "cancelled" else ["succeeded"])


def test_cancel_that_races_with_dispatch_never_cancels_a_charge(payops):
    def race(_):
        transaction_id = pay_id(payops, "tok_ok")
        return transaction_id, act(payops, transaction_id, "cancel")

    answers = [answer for _ in range(5) for answer in at_once(10, race)]

    for transaction_id, answer in answers:
        if answer.status == 200:
            assert answer.json["status"] == "cancelled"
            assert outcomes(payops, transaction_id) == [] and attempts(payops, transaction_id) == []
        else:
            assert answer.status == 409
            assert payops.await_status(transaction_id, "completed")
            assert outcomes(payops, transaction_id) == ["succeeded"]


# --- cancel by key ---

@pytest.mark.parametrize("token_word, status", [("tok_answer_lost_callback", "prepared sent unknown"),
                                                ("tok_callback_never", "accepted")])
def test_success_after_a_wish_to_cancel_is_an_exception(payops, token_word, status):
    key, transaction_id = pay_with_key(payops, token_word)
    until(lambda: any(attempt["status"] in status.split() for attempt in attempts(payops, transaction_id)), 20, "a try")

    answers = at_once(4, lambda _: cancel_by_key(payops, key))
    shown = payops.await_status(transaction_id, "completed")

    for answer in answers:
        assert_refused(answer, "processing", [])
        assert "remembered" in answer.json["detail"]
    assert event_types(payops, transaction_id).count("cancel_wished") == 1
    assert shown["status_reason"] == "cancel_wished"
    assert exceptions(payops, transaction_id) == ["unwanted_success"]
    assert outcomes(payops, transaction_id) == ["succeeded"]
    assert_refused(cancel_by_key(payops, key), "completed", ["refund"])


def test_after_a_wish_to_cancel_nothing_is_tried_again(payops):
    payops.mode("slow", 1500)
    key, transaction_id = pay_with_key(payops, "tok_decline_issuer_unavailable")
    until(lambda: attempts(payops, transaction_id), 20, "a try")
    answer = cancel_by_key(payops, key)
    payops.mode("ok")
    shown = payops.await_status(transaction_id, "failed")

    assert_refused(answer, "processing", [])
    assert shown["failure"]["code"] == "cancelled_by_client"
    assert [attempt["status"] for attempt in attempts(payops, transaction_id)] == ["declined"]
    assert exceptions(payops, transaction_id) == []
    assert cancel_by_key(payops, key).status == 200


def test_cancel_by_key_cancels_what_was_not_sent(payops):
    key, transaction_id = pay_with_key(payops, "tok_ok", process="manual")

    for spelled in (key, f'"{key}"'):
        answer = cancel_by_key(payops, spelled)
        assert answer.status == 200 and answer.json["transaction_id"] == transaction_id
        assert answer.json["status"] == "cancelled"
    assert outcomes(payops, transaction_id) == []


def test_wish_about_a_completed_payment_is_not_kept(payops):
    key, transaction_id = pay_with_key(payops, "tok_sync")
    payops.await_status(transaction_id, "completed")

    assert_refused(cancel_by_key(payops, key), "completed", ["refund"])
    assert operation_of(payops, transaction_id, "cancel_wished_at_us IS NULL") == ["1"]


def test_cancel_by_a_key_that_began_nothing_is_not_found(payops):
    key, transaction_id = pay_with_key(payops, "tok_sync")
    payops.await_status(transaction_id, "completed")

    for answer in (cancel_by_key(payops, new_key()), cancel_by_key(payops, key, merchant=OTHER)):
        assert answer.status == 404 and answer.json["code"] == "not_found"
        assert "Nothing was begun" in answer.json["detail"]


@pytest.mark.parametrize("body, code", [
    ({}, "required"), ({"idempotency_key": 7}, "wrong_type"), ({"idempotency_key": ""}, "wrong_length"),
    ({"idempotency_key": "a b"}, "wrong_characters"), ({"idempotency_key": "a,b"}, "wrong_characters"),
    ({"idempotency_key": "k" * 256}, "wrong_characters"), ({"idempotency_key": "4111111111111111"}, "wrong_characters"),
    ({"idempotency_key": "k" * 600}, "wrong_length"),
])
def test_body_of_cancel_by_key_is_judged(payops, body, code):
    answer = payops.request("POST", "/transactions/cancel-by-key", body, token=payops.token())

    assert answer.status == 422, answer.body
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [("idempotency_key", code)]
    assert b"4111" not in answer.body


# --- keys ---

def test_key_shows_what_it_began(payops):
    key, transaction_id = pay_with_key(payops, "tok_sync")
    payops.await_status(transaction_id, "completed")
    created_at = payops.get(f"/transactions/{transaction_id}").json["created_at"]

    assert look_up(payops, key).json == {"idempotency_key": key, "state": "done", "transaction_id": transaction_id,
                                         "status": "completed", "first_seen_at": created_at}


def test_key_of_any_allowed_characters_is_found(payops):
    key = f"{new_key()}/+%?#\"\\;=&~"
    transaction_id = pay_id(payops, "tok_sync", headers={"Idempotency-Key": key})

    answer = look_up(payops, key)

    assert answer.status == 200, answer.body
    assert answer.json["idempotency_key"] == key and answer.json["transaction_id"] == transaction_id


def test_key_of_another_merchant_or_of_nobody_is_not_found(payops):
    key, _ = pay_with_key(payops, "tok_sync")

    for answer in (look_up(payops, key, merchant=OTHER), look_up(payops, new_key()), look_up(payops, "a b"),
                   look_up(payops, "k" * 256)):
        assert answer.status == 404 and answer.json["code"] == "not_found"


@contextlib.contextmanager
def uncommitted(payops, key):
    """A payment with this key in a transaction that is not committed."""
    command = ["mariadb", "--no-defaults", f"--socket={payops.socket}", "--user=root", "--batch", "--unbuffered",
               "--skip-column-names", "payops"]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        client.stdin.write(
            "BEGIN; INSERT INTO operation (id, transaction_id, merchant, kind, amount_minor, status, next_action, "
            "next_action_at_us, idempotency_key, request_hashes, created_at_us, updated_at_us) VALUES "
            f"(RANDOM_BYTES(16), RANDOM_BYTES(16), 'demo', 'charge', 1, 'pending', 'send', 1, '{key}', 'x', 1, 1); "
            "SELECT 'inserted';\n")
        client.stdin.flush()
        assert client.stdout.readline() == "inserted\n"
        yield
        client.stdin.write("ROLLBACK;\n")
        client.stdin.close()


def test_key_that_is_being_committed_is_in_flight(payops):
    key = new_key()
    with uncommitted(payops, key):
        shown, refused = look_up(payops, key), cancel_by_key(payops, key)

    assert shown.status == 200 and shown.json == {"idempotency_key": key, "state": "in_flight"}
    assert refused.status == 409 and refused.json["code"] == "idempotency_in_flight"
    assert refused.headers["retry-after"] == "1"
    assert look_up(payops, key).status == 404


# --- who may, and what is sent ---

@pytest.mark.parametrize("action", ["process", "cancel"])
def test_payment_of_another_merchant_is_not_found(payops, action):
    transaction_id = pay_manual(payops)

    for name, merchant in ((transaction_id, OTHER), ("trans_" + "0" * 26, "demo"), ("nothing", "demo")):
        answer = act(payops, name, action, merchant=merchant)
        assert answer.status == 404 and answer.json["code"] == "not_found"
    assert event_types(payops, transaction_id) == ["created"]
    assert act(payops, transaction_id, "cancel").status == 200


@pytest.mark.parametrize("method, path, scope", [
    ("POST", "/transactions/x/process", "payments:read"), ("POST", "/transactions/x/cancel", "payments:read"),
    ("POST", "/transactions/cancel-by-key", "payments:read"), ("GET", "/idempotency-keys/x", "payments:write"),
])
def test_token_needs_the_scope(payops, method, path, scope):
    body = {} if method == "POST" else None

    assert payops.request(method, path, body, token=payops.token(scope=scope)).status == 403
    assert payops.request(method, path, body).status == 401


@pytest.mark.parametrize("body, headers, status", [
    (None, {}, 200), ({}, {}, 200), (b"", {"Content-Type": "application/json"}, 200), ({"amount": 1}, {}, 422),
    ([], {}, 400), (b"{", {}, 400), (b"{}", {"Content-Type": "text/plain"}, 415), (b" " * 2000, {}, 413),
])
@pytest.mark.parametrize("action", ["process", "cancel"])
def test_body_may_be_left_out_or_say_nothing(payops, action, body, headers, status):
    transaction_id = pay_manual(payops)
    answer = act(payops, transaction_id, action, body, headers=headers)
    first = 202 if action == "process" and status == 200 else status

    assert answer.status == first, answer.body
    assert act(payops, transaction_id, "cancel").status in (200, 409)
