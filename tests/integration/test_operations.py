# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operation against real parts: authorise, capture and void; refunds; deposits and payouts; and their keys."""
import collections
import concurrent.futures
import json
import uuid

import pytest

from support import event_types, exceptions, sql_id, until

SCOPES = "payments:read payments:write refunds:write payouts:write"


def key_new():
    return {"Idempotency-Key": f"operations-{uuid.uuid4()}"}


def post(payops, path, body=None, key=None, merchant="demo", **headers):
    sent = {**(key_new() if key is None else {"Idempotency-Key": key} if key else {}), **headers}
    return payops.request("POST", path, body if body is not None else {}, headers=sent,
                          token=payops.token(merchant, SCOPES))


def paid(payops, word="tok_sync", **members):
    answer = payops.pay(word, **members)
    assert answer.status == 201, answer.body
    transaction_id = answer.json["transaction_id"]
    payops.await_status(transaction_id, "authorised" if members.get("capture") == "manual" else "completed")
    return transaction_id


def authorised(payops, word="tok_sync", **members):
    return paid(payops, word, capture="manual", **members)


def ask(payops, transaction_id, verb, key=None, **members):
    return post(payops, f"/transactions/{transaction_id}/{verb}", members, key)


def refund_shown(payops, refund_id):
    answer = payops.get(f"/refunds/{refund_id}")
    assert answer.status == 200, answer.body
    return answer.json


def await_refund(payops, refund_id, wanted, seconds=30):
    return until(lambda: (shown := refund_shown(payops, refund_id))["status"] == wanted and shown, seconds,
                 f"refund {refund_id} that is {wanted}")


def refunded(payops, transaction_id, wanted="succeeded", **members):
    answer = ask(payops, transaction_id, "refunds", **members)
    assert answer.status == 201, answer.body
    return await_refund(payops, answer.json["refund_id"], wanted)


def captured(payops, transaction_id, total, **members):
    answer = ask(payops, transaction_id, "capture", **members)
    assert answer.status == 201, answer.body
    until(lambda: shown(payops, transaction_id)["amount_captured"] == total, 20, f"{total} captured")


def shown(payops, transaction_id):
    return payops.get(f"/transactions/{transaction_id}").json


def moved(payops, transaction_id):
    """What the gateways' ledger says succeeded, by operation."""
    sums = collections.Counter()
    for line in payops.ledger(transaction_id):
        sums[line["operation"]] += line["amount_minor"] if line["outcome"] == "succeeded" else 0
    return {kind: amount for kind, amount in sums.items() if amount}


def accounts(payops, transaction_id):
    """What our ledger has in each account, debits less credits, but for those at zero."""
    rows = payops.sql("SELECT account, SUM(debit_minor - credit_minor) FROM ledger_entry WHERE transaction_id = "
                      f"{sql_id(transaction_id)} GROUP BY account")
    return {account: int(total) for account, total in rows if int(total)}


def assert_sums_to_zero(payops, transaction_id):
    assert payops.sql("SELECT entry_group FROM ledger_entry WHERE transaction_id = " + sql_id(transaction_id) +
                      " GROUP BY entry_group, currency HAVING SUM(debit_minor) <> SUM(credit_minor)") == []


# --- authorise, capture, void ---

def test_authorisation_is_captured_in_parts_and_ends_with_the_last(payops):
    transaction_id = authorised(payops)
    assert accounts(payops, transaction_id) == {}
    assert shown(payops, transaction_id)["amount_captured"] == 0

    captured(payops, transaction_id, 300, amount=300)
    assert shown(payops, transaction_id)["status"] == "authorised"
    captured(payops, transaction_id, 500, amount="2.00")
    captured(payops, transaction_id, 1000)

    assert payops.await_status(transaction_id, "completed")["amount_captured"] == 1000
    assert moved(payops, transaction_id) == {"authorise": 1000, "capture": 1000}
    assert accounts(payops, transaction_id) == {"gateway_receivable": 1000, "merchant_payable": -1000}
    assert "void_cancelled" in event_types(payops, transaction_id)
    assert_sums_to_zero(payops, transaction_id)


@pytest.mark.parametrize("word", ["tok_ok", "tok_callback_never", "tok_reset_after_charge"])
def test_capture_that_takes_its_time_is_captured_once(payops, word):
    transaction_id = authorised(payops)

    captured(payops, transaction_id, 1000, payment_token=word)

    payops.await_status(transaction_id, "completed")
    assert moved(payops, transaction_id) == {"authorise": 1000, "capture": 1000}
    assert accounts(payops, transaction_id) == {"gateway_receivable": 1000, "merchant_payable": -1000}


def test_capture_that_is_declined_leaves_the_authorisation(payops):
    transaction_id = authorised(payops)

    ask(payops, transaction_id, "capture", payment_token="tok_decline_do_not_honor")
    until(lambda: "attempt_declined" in event_types(payops, transaction_id))

    assert shown(payops, transaction_id)["status"] == "authorised"
    captured(payops, transaction_id, 1000)
    payops.await_status(transaction_id, "completed")


def test_no_more_is_captured_than_authorised(payops):
    transaction_id = authorised(payops)
    captured(payops, transaction_id, 600, amount=600)

    refused = ask(payops, transaction_id, "capture", amount=401)

    assert refused.status == 409, refused.body
    assert refused.json["code"] == "state_conflict"
    assert refused.json["current_status"] == "authorised"
    assert refused.json["allowed_actions"] == ["capture", "void", "refund"]
    assert refused.json["detail"].startswith("At most 4.00 USD can be captured")
    assert (refused.json["amount_left"], refused.json["currency"]) == (400, "USD")
    captured(payops, transaction_id, 1000, amount=400)


def test_void_releases_and_is_asked_for_once(payops):
    transaction_id = authorised(payops)

    first = post(payops, f"/transactions/{transaction_id}/void", key="")
    assert first.status == 202, first.body
    assert payops.await_status(transaction_id, "cancelled")["status_reason"] == "voided"
    again = post(payops, f"/transactions/{transaction_id}/void", key="")

    assert again.status == 200
    assert moved(payops, transaction_id) == {"authorise": 1000, "void": 1000}
    refused = ask(payops, transaction_id, "capture")
    assert refused.status == 409
    assert refused.json["allowed_actions"] == []
    assert accounts(payops, transaction_id) == {}


def test_void_after_a_part_completes_with_that_part(payops):
    transaction_id = authorised(payops)
    captured(payops, transaction_id, 400, amount=400)

    assert post(payops, f"/transactions/{transaction_id}/void", key="").status == 202

    assert payops.await_status(transaction_id, "completed")["amount_captured"] == 400
    assert accounts(payops, transaction_id) == {"gateway_receivable": 400, "merchant_payable": -400}


def test_nothing_is_released_while_a_capture_is_open(payops):
    transaction_id = authorised(payops)
    answer = ask(payops, transaction_id, "capture", amount=100, payment_token="tok_queued_1500")
    assert answer.status == 201

    refused = post(payops, f"/transactions/{transaction_id}/void", key="")

    assert refused.status == 409, refused.body
    until(lambda: shown(payops, transaction_id)["amount_captured"] == 100)
    assert post(payops, f"/transactions/{transaction_id}/void", key="").status == 202
    payops.await_status(transaction_id, "completed")


def test_authorisation_that_expires_is_voided_at_its_gateway(payops):
    transaction_id = authorised(payops)
    assert payops.sql("SELECT next_action FROM operation WHERE kind = 'void' AND transaction_id = "
                      + sql_id(transaction_id)) == [["expire"]]

    payops.sql("UPDATE operation SET next_action_at_us = 1 WHERE kind = 'void' AND transaction_id = "
               + sql_id(transaction_id))

    assert payops.await_status(transaction_id, "cancelled")["status_reason"] == "expired"
    assert moved(payops, transaction_id) == {"authorise": 1000, "void": 1000}


def test_void_that_is_declined_waits_for_a_human(payops):
    transaction_id = authorised(payops, "tok_decline_do_not_honor/void+tok_sync")
    state = ("SELECT status, next_action, status_reason FROM operation WHERE kind = 'void' AND transaction_id = "
             + sql_id(transaction_id))

    assert post(payops, f"/transactions/{transaction_id}/void", key="").status == 202
    until(lambda: "attempt_declined" in event_types(payops, transaction_id))
    assert payops.sql(state) == [["parked", "human", "declined"]]

    assert post(payops, f"/transactions/{transaction_id}/void", key="").status == 409
    assert shown(payops, transaction_id)["status"] == "authorised"
    assert ask(payops, transaction_id, "capture").status == 409
    assert moved(payops, transaction_id) == {"authorise": 1000}


def test_authorisation_nobody_wants_any_more_is_released(payops):
    key = f"operations-{uuid.uuid4()}"
    transaction_id = payops.pay("tok_queued_1500/authorise+tok_sync", capture="manual",
                                headers={"Idempotency-Key": key}).json["transaction_id"]
    payops.await_status(transaction_id, "processing")

    assert post(payops, "/transactions/cancel-by-key", {"idempotency_key": key}, key="").status == 409

    assert payops.await_status(transaction_id, "cancelled")["status_reason"] == "cancelled_by_client"
    assert exceptions(payops, transaction_id) == []
    assert moved(payops, transaction_id) == {"authorise": 1000, "void": 1000}


# --- refunds ---

def test_refunds_give_back_in_parts_until_nothing_is_left(payops):
    transaction_id = paid(payops)

    first = refunded(payops, transaction_id, amount=300, reason="one was broken")
    second = refunded(payops, transaction_id, amount="4.00")
    rest = refunded(payops, transaction_id)
    refused = ask(payops, transaction_id, "refunds", amount=1)

    assert (first["amount"], second["amount"], rest["amount"]) == (300, "4.00", 300)
    assert first["reason"] == "one was broken" and first["gateway"] == "alpha" and first["failure"] is None
    assert shown(payops, transaction_id)["amount_refunded"] == 1000
    assert shown(payops, transaction_id)["status"] == "completed"
    assert refused.status == 409
    assert refused.json["allowed_actions"] == []
    listed = payops.get(f"/transactions/{transaction_id}/refunds").json
    assert [row["refund_id"] for row in listed] == [first["refund_id"], second["refund_id"], rest["refund_id"]]
    assert moved(payops, transaction_id) == {"charge": 1000, "refund": 1000}
    assert accounts(payops, transaction_id) == {}
    assert_sums_to_zero(payops, transaction_id)


@pytest.mark.parametrize("word", ["tok_ok", "tok_callback_never", "tok_reset_after_charge", "tok_409"])
def test_refund_that_takes_its_time_keeps_its_reservation(payops, word):
    transaction_id = paid(payops)

    answer = ask(payops, transaction_id, "refunds", amount=700, payment_token=word)
    assert answer.status == 201
    refused = ask(payops, transaction_id, "refunds", amount=301)

    assert refused.status == 409, refused.body
    await_refund(payops, answer.json["refund_id"], "succeeded")
    refunded(payops, transaction_id, amount=300)
    assert moved(payops, transaction_id) == {"charge": 1000, "refund": 1000}


def test_refund_that_is_declined_gives_its_reservation_back(payops):
    transaction_id = paid(payops)

    failed = refunded(payops, transaction_id, "failed", payment_token="tok_decline_do_not_honor")

    assert failed["failure"]["code"] == "declined"
    assert failed["failure"]["decline_code"] == "do_not_honor"
    assert shown(payops, transaction_id)["status"] == "completed"
    assert shown(payops, transaction_id)["amount_refunded"] == 0
    assert accounts(payops, transaction_id) == {"gateway_receivable": 1000, "merchant_payable": -1000}
    refunded(payops, transaction_id)


def test_refund_that_is_reversed_can_be_given_again(payops):
    transaction_id = paid(payops)

    answer = ask(payops, transaction_id, "refunds", amount=400, payment_token="tok_reversed_300")
    await_refund(payops, answer.json["refund_id"], "reversed")

    assert shown(payops, transaction_id)["amount_refunded"] == 0
    assert accounts(payops, transaction_id) == {"gateway_receivable": 1000, "merchant_payable": -1000}
    assert "refund_reversed" in event_types(payops, transaction_id)
    refunded(payops, transaction_id, amount=1000)
    assert accounts(payops, transaction_id) == {}


def test_refund_that_is_said_to_be_reversed_is_asked_about(payops):
    transaction_id = paid(payops)
    refund_id = refunded(payops, transaction_id)["refund_id"]
    refund = f"kind = 'refund' AND o.transaction_id = {sql_id(transaction_id)}"
    joined = "FROM attempt a JOIN operation o ON o.id = a.operation_id WHERE"
    (reference,), = payops.sql(f"SELECT gateway_ref {joined} {refund}")

    answer = payops.call_back(transaction_id, {"gateway_txn_id": reference, "status": "reversed",
                                               "callback_id": f"hint-{reference}"})

    assert answer.status == 200, answer.body
    assert payops.sql(f"SELECT result FROM callback WHERE callback_key = 'hint-{reference}'") == [["hint"]]
    until(lambda: payops.sql(f"SELECT open_since_us IS NOT NULL, next_action {joined} {refund}") == [["1", "none"]],
          what="its gateway's answer")
    assert refund_shown(payops, refund_id)["status"] == "succeeded"
    assert exceptions(payops, transaction_id) == []


def test_captured_parts_are_refunded(payops):
    transaction_id = authorised(payops)
    captured(payops, transaction_id, 400, amount=400)

    refunded(payops, transaction_id, amount=400)
    refused = ask(payops, transaction_id, "refunds", amount=1)

    assert refused.status == 409
    captured(payops, transaction_id, 1000)
    refunded(payops, transaction_id, amount=600)
    assert accounts(payops, transaction_id) == {}


@pytest.mark.parametrize("currency, total, part, left, nothing, said", [
    ("USD", 1000, 600, 400, 0, "4.00 USD"), ("USD", "10.00", "6.00", "4.00", "0.00", "4.00 USD"),
    ("JPY", 1000, 999, 1, 0, "1 JPY"), ("KWD", "1.005", "1.000", "0.005", "0.000", "0.005 KWD")])
# pylint: disable-next=too-many-arguments
def test_a_refusal_says_how_much_may_still_be_refunded(payops, currency, total, part, left, nothing, said):
    transaction_id = paid(payops, amount=total, currency=currency)
    refunded(payops, transaction_id, amount=part)

    over = ask(payops, transaction_id, "refunds", amount=total)
    foreign = ask(payops, transaction_id, "refunds", amount=part, currency="EUR")
    assert ask(payops, transaction_id, "refunds", payment_token="tok_queued_1500").status == 201
    late = ask(payops, transaction_id, "refunds", amount=part)

    assert (over.status, over.json["code"], over.json["allowed_actions"]) == (409, "state_conflict", ["refund"])
    assert over.json["detail"].startswith(f"At most {said} can be refunded")
    assert (over.json["amount_left"], over.json["currency"]) == (left, currency)
    assert foreign.status == 422
    assert [(one["field"], one["message"].endswith(f" {currency}")) for one in foreign.json["errors"]] == [("currency", True)]
    assert late.status == 409 and late.json["detail"].startswith("Nothing is left to refund")
    assert (late.json["amount_left"], late.json["currency"], late.json["allowed_actions"]) == (nothing, currency, [])


def test_a_refusal_in_xml_says_what_is_left_in_major_units(payops):
    transaction_id = paid(payops, amount=1000)

    refused = post(payops, f"/transactions/{transaction_id}/refunds", {"amount": 1001}, Accept="application/xml")

    assert refused.status == 409, refused.body
    assert b"<amount_left>10.00</amount_left>" in refused.body and b"<currency>USD</currency>" in refused.body


def test_refund_of_what_cannot_be_refunded(payops):
    pending = payops.pay("tok_ok", process="manual").json["transaction_id"]
    declined = payops.pay("tok_decline_do_not_honor").json["transaction_id"]
    payops.await_status(declined, "failed")
    transaction_id = paid(payops)
    payops.add_merchant("stranger")

    cases = [(ask(payops, pending, "refunds"), 409, "state_conflict"),
             (ask(payops, declined, "refunds"), 409, "state_conflict"),
             (ask(payops, transaction_id, "refunds", amount=1001), 409, "state_conflict"),
             (ask(payops, transaction_id, "refunds", currency="EUR"), 422, "validation_failed"),
             (ask(payops, transaction_id, "refunds", amount=0), 422, "validation_failed"),
             (ask(payops, transaction_id, "refunds", amount=1.5), 422, "validation_failed"),
             (ask(payops, transaction_id, "refunds", amount="1.005"), 422, "validation_failed"),
             (ask(payops, transaction_id, "refunds", price=1), 422, "validation_failed"),
             (ask(payops, transaction_id, "refunds", reason="card 4111111111111111"), 422, "validation_failed"),
             (ask(payops, "trans_" + "0" * 26, "refunds"), 404, "not_found"),
             (post(payops, f"/transactions/{transaction_id}/refunds", {}, merchant="stranger"), 404, "not_found"),
             (post(payops, f"/transactions/{transaction_id}/refunds", {}, key=""), 400, "idempotency_key_required"),
             (post(payops, f"/transactions/{transaction_id}/capture", {}), 409, "state_conflict"),
             (post(payops, f"/transactions/{transaction_id}/capture", {}, key=""), 400, "idempotency_key_required"),
             (post(payops, f"/transactions/{transaction_id}/void", key=""), 409, "state_conflict")]
    for answer, status, code in cases:
        assert (answer.status, answer.json["code"]) == (status, code), answer.body
        if status == 409:
            assert "allowed_actions" in answer.json and "current_status" in answer.json
    assert cases[0][0].json["current_status"] == "pending"
    assert payops.get(f"/transactions/{transaction_id}/refunds").json == []
    assert payops.get("/refunds/ref_" + "0" * 26).status == 404
    post(payops, f"/transactions/{pending}/cancel", key="")


# --- keys ---

@pytest.mark.parametrize("verb", ["refunds", "capture"])
def test_repeated_request_is_answered_like_the_first(payops, verb):
    transaction_id = authorised(payops) if verb == "capture" else paid(payops)
    path, key, body = f"/transactions/{transaction_id}/{verb}", f"operations-{uuid.uuid4()}", {"amount": 400}

    first = post(payops, path, body, key)
    assert first.status == 201, first.body
    until(lambda: shown(payops, transaction_id)["amount_captured" if verb == "capture" else "amount_refunded"] == 400)
    again = post(payops, path, body, key)
    other = post(payops, path, {"amount": 401, "reason": "x"}, key)
    elsewhere = post(payops, f"/transactions/{paid(payops)}/refunds", body, key)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers.get("location") == first.headers.get("location")
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert sorted(error["field"] for error in other.json["errors"]) == ["amount", "reason"]
    assert (elsewhere.status, elsewhere.json["code"]) == (422, "idempotency_key_reused")
    assert moved(payops, transaction_id).get("capture" if verb == "capture" else "refund") == 400


def test_one_key_in_flight_together_is_one_refund(payops):
    transaction_id = paid(payops)
    path, key = f"/transactions/{transaction_id}/refunds", f"operations-{uuid.uuid4()}"

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: post(payops, path, {"amount": 600}, key), range(24)))

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len(payops.get(path).json) == 1


def test_64_clients_that_refund_together_never_pass_what_was_captured(payops):
    transaction_id = paid(payops)
    payops.token("demo", SCOPES)

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: ask(payops, transaction_id, "refunds", amount=30), range(64)))

    taken = [answer.json["refund_id"] for answer in answers if answer.status == 201]
    assert {answer.status for answer in answers} == {201, 409}
    assert len(taken) == 33
    for refund_id in taken:
        await_refund(payops, refund_id, "succeeded")
    assert moved(payops, transaction_id) == {"charge": 1000, "refund": 990}
    assert shown(payops, transaction_id)["amount_refunded"] == 990
    assert_sums_to_zero(payops, transaction_id)


def test_captures_and_voids_that_race_never_do_both(payops):
    for _ in range(5):
        transaction_id = authorised(payops)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            voids = [pool.submit(post, payops, f"/transactions/{transaction_id}/void", None, "") for _ in range(8)]
            captures = [pool.submit(ask, payops, transaction_id, "capture", amount=300) for _ in range(8)]
        accepted = sum(future.result().status == 201 for future in captures)
        released = any(future.result().status == 202 for future in voids)
        assert accepted == 0 if released else accepted == 3
        if released:
            payops.await_status(transaction_id, "cancelled")
        else:
            until(lambda: shown(payops, transaction_id)["amount_captured"] == 900)


# --- deposits and withdrawals ---

@pytest.mark.parametrize("user", [123, "123"])
def test_deposit_takes_money(payops, user):
    answer = post(payops, "/deposit", {"user_id": user, "amount": "100.50", "currency": "USD",
                                       "payment_token": "tok_sync"}, key="")

    assert answer.status == 202, answer.body
    assert answer.json["status"] == "pending"
    done = payops.await_status(answer.json["transaction_id"], "completed")
    assert (done["amount"], done["customer_id"], done["payment_method"]) == ("100.50", "123", None)
    assert moved(payops, answer.json["transaction_id"]) == {"charge": 10050}


def withdraw(payops, word="tok_sync", key=None, **members):
    return post(payops, "/withdrawal", {"user_id": 123, "amount": "50.25", "currency": "USD",
                                        "payment_token": word, **members}, key)


@pytest.mark.parametrize("word", ["tok_sync", "tok_ok", "tok_reset_after_charge"])
def test_withdrawal_pays_out_once(payops, word):
    answer = withdraw(payops, word)

    assert (answer.status, answer.json["status"]) == (202, "pending"), answer.body
    transaction_id = answer.json["transaction_id"]
    done = payops.await_status(transaction_id, "completed")
    assert done["amount"] == "50.25"
    assert moved(payops, transaction_id) == {"payout": 5025}
    assert accounts(payops, transaction_id) == {"gateway_float": -5025, "merchant_payable": 5025}
    assert_sums_to_zero(payops, transaction_id)


def test_withdrawal_is_reserved_before_it_is_sent(payops):
    payops.mode("hang")
    transaction_id = withdraw(payops).json["transaction_id"]

    assert accounts(payops, transaction_id) == {"payouts_in_flight": -5025, "merchant_payable": 5025}
    payops.mode("ok")
    payops.await_status(transaction_id, ("completed", "failed"), 90)


@pytest.mark.parametrize("word", ["tok_decline_do_not_honor", "tok_decline_issuer_unavailable", "tok_429"])
def test_withdrawal_that_was_sent_is_not_sent_again(payops, word):
    transaction_id = withdraw(payops, word).json["transaction_id"]

    payops.await_status(transaction_id, "failed")

    assert len(payops.get(f"/transactions/{transaction_id}/attempts").json) == 1
    assert accounts(payops, transaction_id) == {}


def test_withdrawal_that_comes_back_is_returned(payops):
    transaction_id = withdraw(payops, "tok_returned_300").json["transaction_id"]

    until(lambda: "payout_returned" in event_types(payops, transaction_id), what="its return")

    done = shown(payops, transaction_id)
    assert (done["status"], done["status_reason"]) == ("completed", "returned")
    assert accounts(payops, transaction_id) == {}


def test_withdrawal_needs_a_key_unless_the_merchant_may_do_without(payops):
    payops.add_merchant("modern")
    body = {"user_id": "7", "amount": "1.00", "currency": "USD", "payment_token": "tok_sync"}

    assert withdraw(payops, key="").status == 202
    refused = post(payops, "/withdrawal", body, key="", merchant="modern")
    assert (refused.status, refused.json["code"]) == (400, "idempotency_key_required")
    first = post(payops, "/withdrawal", body, "w-1", merchant="modern")
    again = post(payops, "/withdrawal", body, "w-1", merchant="modern")
    assert (first.status, again.status, again.body) == (202, 202, first.body)
    other = post(payops, "/withdrawal", {**body, "user_id": 8}, "w-1", merchant="modern")
    assert (other.status, [error["field"] for error in other.json["errors"]]) == (422, ["user_id"])


def test_transfers_refuse_what_is_not_one(payops):
    for body, field in (({"user_id": -1}, "user_id"), ({"user_id": True}, "user_id"), ({"user_id": 1.5}, "user_id"),
                        ({"user_id": 4111111111111111}, "user_id"), ({"amount": 1.5}, "amount"),
                        ({"amount": "0"}, "amount"), ({"currency": "XXX"}, "currency"), ({"note": "x"}, "note")):
        answer = withdraw(payops, **body)
        assert answer.status == 422, answer.body
        assert [error["field"] for error in answer.json["errors"]] == [field]
    unscoped = payops.request("POST", "/withdrawal", {}, token=payops.token("demo", "payments:write"))
    assert unscoped.status == 403


# --- what the customer must do ---

def test_customer_is_told_how_to_act(payops):
    transaction_id = payops.pay("tok_requires_action_virtual_account").json["transaction_id"]

    waiting = until(lambda: (view := shown(payops, transaction_id))["instructions"] and view)
    assert waiting["status_reason"] == "awaiting_customer"
    assert "virtual_account" in waiting["instructions"]
    assert payops.await_status(transaction_id, "completed")["instructions"] is None


def test_books_agree_after_all_of_this(payops):
    until(lambda: payops.sql("SELECT COUNT(*) FROM operation WHERE status IN ('pending', 'processing') "
                             "AND next_action <> 'expire'") == [["0"]], 60)
    done = payops.ctl("fsck", "--all", "--config", str(payops.config), check=False)
    assert done.returncode == 0, json.dumps(done.stdout)
