# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests about one version of a payment, and what a web page of another origin is told."""
import pytest

from support import event_types, pay_id, unique, until


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    return shared


def act(payops, transaction_id, action, if_match):
    return payops.request("POST", f"/transactions/{transaction_id}/{action}", token=payops.token(),
                          headers={"If-Match": if_match})


@pytest.mark.parametrize("if_match", ['"2"', '"0"', 'W/"1"', "1", '""', "x", ""])
def test_a_stale_change_is_refused_without_effect(payops, if_match):
    transaction_id = pay_id(payops, process="manual", token_word="tok_ok")
    refused = [act(payops, transaction_id, action, if_match) for action in ("process", "cancel")]

    for answer in refused:
        assert (answer.status, answer.json["code"]) == (412, "stale_version")
        assert answer.json["retryable"] is False
    assert event_types(payops, transaction_id) == ["created"]
    assert act(payops, transaction_id, "cancel", '"1"').status == 200


@pytest.mark.parametrize("if_match", ['"1"', "*", '"7", "1"'])
def test_a_change_of_the_named_version_is_made_and_answers_the_new_one(payops, if_match):
    transaction_id = pay_id(payops, process="manual", token_word="tok_ok")
    shown = payops.get(f"/transactions/{transaction_id}")
    answer = act(payops, transaction_id, "cancel", if_match)

    assert shown.headers["etag"] == '"1"'
    assert (answer.status, answer.headers["etag"]) == (200, '"2"')
    assert payops.get(f"/transactions/{transaction_id}", headers={"If-None-Match": answer.headers["etag"]}).status == 304


def test_a_refund_has_its_version_too(payops):
    transaction_id = pay_id(payops, "tok_sync")
    payops.await_status(transaction_id, "completed")
    path = payops.request("POST", f"/transactions/{transaction_id}/refunds", {"payment_token": "tok_queued_1500"},
                          {"Idempotency-Key": unique("conditional-")},
                          payops.token(scope="payments:read refunds:write")).headers["location"]

    def show(tag):
        return payops.get(path, headers={"If-None-Match": tag})
    first = payops.get(path)
    until(lambda: payops.get(path).json["status"] == "succeeded", what="the refund")
    last = show(first.headers["etag"])
    held = show(last.headers["etag"])

    assert (first.json["next_action"] is not None, last.status, last.json["status"]) == (True, 200, "succeeded")
    assert (held.status, held.body, held.headers["etag"]) == (304, b"", last.headers["etag"])


def test_another_merchants_payment_is_not_found_whatever_its_version(payops):
    payops.add_merchant("othershop")
    transaction_id = pay_id(payops, process="manual", token_word="tok_ok")
    answer = payops.request("POST", f"/transactions/{transaction_id}/cancel", token=payops.token("othershop"),
                            headers={"If-Match": '"9"'})

    assert answer.status == 404
    assert act(payops, transaction_id, "cancel", "*").status == 200


def test_no_origin_is_allowed_unless_configured(payops):
    answer = payops.request("OPTIONS", "/transactions", headers={"Origin": "https://shop.example",
                                                                 "Access-Control-Request-Method": "POST"})

    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("access-control")]
