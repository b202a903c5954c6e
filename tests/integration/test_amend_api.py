# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PATCH /transactions/{id}: what may be changed, when, and what becomes of the rest."""
import threading

import pytest

from support import events, pay_id, sql_id

FIRST = {"description": "first", "metadata": {"order": "1", "note": "x"}}


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    shared.add_merchant("othershop")
    return shared


@pytest.fixture
def waiting(payops):
    """A payment that waits to be started."""
    transaction_id = pay_id(payops, "tok_ok", process="manual", **FIRST)
    yield transaction_id
    payops.request("POST", f"/transactions/{transaction_id}/cancel", token=payops.token())


def patch(payops, transaction_id, body, merchant="demo", **options):
    return payops.request("PATCH", f"/transactions/{transaction_id}", body, token=payops.token(merchant), **options)


@pytest.mark.parametrize("body, description, metadata", [
    ({"description": "second"}, "second", FIRST["metadata"]),
    ({"description": None}, None, FIRST["metadata"]),
    ({"description": ""}, None, FIRST["metadata"]),
    ({"metadata": {"order": "2"}}, "first", {"order": "2", "note": "x"}),
    ({"metadata": {"more": "y", "note": None}}, "first", {"order": "1", "more": "y"}),
    ({"metadata": {"order": None, "note": None}}, "first", {}),
    ({"metadata": None}, "first", None),
    ({"description": "é\n", "metadata": {"é": '"\\\t'}}, "é\n", {**FIRST["metadata"], "é": '"\\\t'}),
])
def test_what_is_given_is_merged_and_the_rest_stays(payops, waiting, body, description, metadata):
    before = payops.get(f"/transactions/{waiting}").json
    answer = patch(payops, waiting, body)

    assert answer.status == 200, answer.body
    assert answer.headers["etag"] == '"2"'
    assert answer.json == payops.get(f"/transactions/{waiting}").json
    assert answer.json == {**before, "description": description, "metadata": metadata,
                           "updated_at": answer.json["updated_at"]}
    happened = events(payops, waiting)[-1]
    assert (happened["type"], happened["sequence"], happened["status"]) == ("updated", 2, "pending")
    assert happened["api_call_id"] == answer.headers["x-api-call-id"]


@pytest.mark.parametrize("body", [{}, FIRST, {"metadata": {}}, {"metadata": {"never": None}}])
def test_what_is_so_already_is_no_change(payops, waiting, body):
    answer = patch(payops, waiting, body)

    assert (answer.status, answer.headers["etag"]) == (200, '"1"')
    assert len(events(payops, waiting)) == 1


@pytest.mark.parametrize("body, field", [
    ({"amount": 1}, "amount"), ({"status": "completed"}, "status"), ({"customer_id": "x"}, "customer_id"),
    ({"description": 1}, "description"), ({"description": "x" * 256}, "description"),
    ({"description": "4111 1111 1111 1111"}, "description"), ({"metadata": []}, "metadata"),
    ({"metadata": {"a": 1}}, "metadata"), ({"metadata": {"a": {}}}, "metadata"), ({"metadata": {"": "x"}}, "metadata"),
    ({"metadata": {f"n{n}": "" for n in range(19)}}, "metadata"),
    ({"metadata": {f"n{n}": "x" * 500 for n in range(9)}}, "metadata"),
])
def test_what_may_not_be_is_refused_without_effect(payops, waiting, body, field):
    answer = patch(payops, waiting, body)

    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert len(events(payops, waiting)) == 1


def test_a_payment_that_is_under_way_or_over_stays_as_it_is(payops):
    transaction_id = pay_id(payops, "tok_ok", **FIRST)
    payops.await_status(transaction_id, "completed")
    answer = patch(payops, transaction_id, {"description": "late"})

    assert (answer.status, answer.json["code"]) == (409, "state_conflict")
    assert (answer.json["current_status"], answer.json["allowed_actions"]) == ("completed", ["refund"])
    assert payops.get(f"/transactions/{transaction_id}").json["description"] == "first"


def test_only_the_named_version_of_ones_own_payment_is_changed(payops, waiting):
    assert patch(payops, waiting, {"description": "a"}, headers={"If-Match": '"1"'}).status == 200
    stale = patch(payops, waiting, {"description": "b"}, headers={"If-Match": '"1"'})
    foreign = patch(payops, waiting, {"description": "c"}, merchant="othershop")
    unscoped = payops.request("PATCH", f"/transactions/{waiting}", {}, token=payops.token(scope="payments:read"))

    assert (stale.status, stale.json["code"]) == (412, "stale_version")
    assert (foreign.status, unscoped.status) == (404, 403)
    assert patch(payops, "trans_nothing", {}).status == 404
    assert payops.get(f"/transactions/{waiting}").json["description"] == "a"


def test_of_changes_at_once_each_names_its_version_and_one_wins(payops, waiting):
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(
        patch(payops, waiting, {"metadata": {"winner": str(n)}}, headers={"If-Match": '"1"'}))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status for answer in answers) == [200] + [412] * 7
    won = next(answer for answer in answers if answer.status == 200)
    assert payops.get(f"/transactions/{waiting}").json == won.json


def test_a_replayed_request_is_answered_as_before_and_the_text_is_kept_canonical(payops):
    headers = {"Idempotency-Key": "amend-replay"}
    first = payops.pay(process="manual", headers=headers, **FIRST)
    transaction_id = first.json["transaction_id"]
    assert patch(payops, transaction_id, {"metadata": {"z": "1", "b": "2", "note": None}}).status == 200
    again = payops.pay(process="manual", headers=headers, **FIRST)
    stored = payops.sql(f"SELECT metadata FROM transaction WHERE id = {sql_id(transaction_id)}")

    assert (again.status, again.body) == (first.status, first.body)
    assert stored == [['{"b":"2","order":"1","z":"1"}']]
    assert payops.request("POST", f"/transactions/{transaction_id}/cancel", token=payops.token()).status == 200
