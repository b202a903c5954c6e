# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks: each valid one has one effect, no forged one has any, and none is believed about another amount."""
import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
import http.client
import json
import time

import pytest

from support import (FINAL, attempts, await_attempt, await_charge, callback_for, callback_results, event_types, events,
                     exceptions, outcomes, pay_id, sql_id, unique, until)

MONEY = ("transaction", "operation", "attempt", "event")  # what a callback may move


def money_rows(payops, transaction_id, *more):
    """All that is known of a payment but its callbacks, and what `more` selects, to be compared."""
    own = sql_id(transaction_id)
    selects = [f"SELECT * FROM {table} WHERE {'id' if table == 'transaction' else 'transaction_id'} = {own}"
               for table in MONEY]
    return payops.sql("; ".join([*selects, *more]), binary=True)


def rows_of(payops, transaction_id):
    """The same, and everything a callback could leave behind anywhere."""
    return money_rows(payops, transaction_id, "SELECT COUNT(*), MAX(received_at_us) FROM callback",
                      "SELECT COUNT(*) FROM exception")


def freeze(payops, transaction_id):
    """No inquiry for now: what changes from here on, a callback changed."""
    payops.sql("UPDATE operation SET next_action_at_us = next_action_at_us + 3600000000 "
               f"WHERE next_action <> 'none' AND transaction_id = {sql_id(transaction_id)}")


def thaw(payops, transaction_id):
    payops.sql("UPDATE operation SET next_action_at_us = created_at_us "
               f"WHERE next_action IN ('send', 'ask') AND transaction_id = {sql_id(transaction_id)}")


def accepted(payops):
    """A payment the gateway took, charged and tells nobody about, kept from asking."""
    transaction_id = pay_id(payops, "tok_callback_never")
    attempt = await_attempt(payops, transaction_id, "accepted")
    freeze(payops, transaction_id)
    await_charge(payops, transaction_id)
    return transaction_id, attempt


def effects(payops, transaction_id):
    """Events of attempts that an HTTP call caused."""
    return [event for event in events(payops, transaction_id) if event["attempt_id"] and event["api_call_id"]]


@pytest.fixture
def waiting(payops):
    """A payment that only a callback can move; asked about again at the end."""
    transaction_id, attempt = accepted(payops)
    yield transaction_id, attempt
    thaw(payops, transaction_id)
    payops.await_status(transaction_id, (*FINAL, "parked"))


# --- valid ones ---

def test_callback_delivered_a_hundred_times_at_once_has_one_effect(payops, waiting):
    transaction_id, attempt = waiting
    body = json.dumps(callback_for(attempt)).encode()

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: payops.call_back(transaction_id, body), range(100)))

    assert {answer.status for answer in answers} == {200}
    assert callback_results(payops, transaction_id) == ["applied"]
    assert [event["type"] for event in effects(payops, transaction_id)] == ["attempt_succeeded"]
    assert payops.get(f"/transactions/{transaction_id}").json["status"] == "completed"


def test_callbacks_with_ids_of_their_own_about_one_success_are_superseded(payops, waiting):
    transaction_id, attempt = waiting

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: payops.call_back(
            transaction_id, callback_for(attempt, callback_id=f"{attempt['attempt_id']}_{number}")), range(16)))

    assert {answer.status for answer in answers} == {200}
    assert sorted(callback_results(payops, transaction_id)) == ["applied"] + ["superseded"] * 15
    assert len(effects(payops, transaction_id)) == 1


def test_callback_before_the_synchronous_answer_completes_the_payment_once(payops):
    transaction_id = pay_id(payops, "tok_slow_2500")
    await_charge(payops, transaction_id)
    attempt = attempts(payops, transaction_id)[0]
    assert attempt["status"] in ("prepared", "sent")
    line = payops.ledger(transaction_id)[0]

    answer = payops.call_back(transaction_id, callback_for(attempt, gateway_txn_id=line["gateway_ref"]))

    assert answer.status == 200
    assert payops.get(f"/transactions/{transaction_id}").json["status"] == "completed"
    before = money_rows(payops, transaction_id)
    time.sleep(2.7)  # the synchronous answer comes meanwhile
    assert money_rows(payops, transaction_id) == before
    assert outcomes(payops, transaction_id) == ["succeeded"]


def test_callback_without_amount_is_a_hint_that_makes_us_ask(payops, waiting):
    transaction_id, attempt = waiting

    answer = payops.call_back(transaction_id, callback_for(attempt, amount_minor=None, currency=None))

    assert answer.status == 200
    payops.await_status(transaction_id, "completed", 10)
    assert callback_results(payops, transaction_id) == ["hint"]
    assert effects(payops, transaction_id) == []  # the inquiry's answer did it


def test_callback_that_hints_before_the_synchronous_answer_is_kept_until_it_came(payops):
    payops.mode("slow", 1200)
    transaction_id = pay_id(payops, "tok_callback_never")
    await_charge(payops, transaction_id)
    payops.mode("ok")
    attempt = attempts(payops, transaction_id)[0]

    answer = payops.call_back(transaction_id, callback_for(attempt, amount_minor=None, currency=None))

    assert answer.status == 200
    assert callback_results(payops, transaction_id) == ["kept"]
    assert attempts(payops, transaction_id)[0]["status"] == "prepared"
    await_attempt(payops, transaction_id, "succeeded", 3)  # asked at once, not after the wait for a callback
    assert effects(payops, transaction_id) == []


def test_callback_of_the_old_clients_shape_is_taken_as_a_hint(payops, waiting):
    transaction_id, attempt = waiting

    answer = payops.call_back(transaction_id, {"gateway_txn_id": attempt["gateway_txn_id"], "status": "completed"})

    assert answer.status == 200
    payops.await_status(transaction_id, "completed", 10)
    assert callback_results(payops, transaction_id) == ["hint"]


def test_callback_that_says_failed_without_amount_does_not_fail_what_was_charged(payops, waiting):
    transaction_id, attempt = waiting

    payops.call_back(transaction_id, callback_for(attempt, status="failed", amount_minor=None, currency=None))

    payops.await_status(transaction_id, "completed", 10)
    assert outcomes(payops, transaction_id) == ["succeeded"]


def test_callback_with_a_word_nobody_knows_is_not_believed(payops, waiting):
    transaction_id, attempt = waiting

    answer = payops.call_back(transaction_id, callback_for(attempt, status="shipped"))

    assert answer.status == 200
    payops.await_status(transaction_id, "completed", 10)
    assert callback_results(payops, transaction_id) == ["hint"]
    assert effects(payops, transaction_id) == []


@pytest.mark.parametrize("difference", [
    {"amount_minor": 999}, {"amount_minor": 100000}, {"currency": "EUR"}, {"currency": "JPY"},
    {"gateway_txn_id": "alpha_999999999"},
], ids=lambda difference: "_".join(str(word) for pair in difference.items() for word in pair))
def test_callback_that_differs_opens_an_exception_and_completes_nothing(payops, waiting, difference):
    transaction_id, attempt = waiting

    answer = payops.call_back(transaction_id, callback_for(attempt, **difference))

    assert answer.status == 200
    assert callback_results(payops, transaction_id) == ["integrity"]
    assert exceptions(payops, transaction_id) == ["integrity"]
    assert effects(payops, transaction_id) == []
    assert payops.get(f"/transactions/{transaction_id}").json["status"] == "processing"


def test_callback_that_mixes_references_of_two_payments_completes_neither(payops, waiting):
    transaction_id, attempt = waiting
    other_id, other = accepted(payops)

    payops.call_back(transaction_id, callback_for(attempt, reference=other["our_reference"]))
    payops.call_back(other_id, callback_for(other, reference=attempt["our_reference"]))

    assert effects(payops, transaction_id) == [] and effects(payops, other_id) == []
    assert "applied" not in callback_results(payops, transaction_id) + callback_results(payops, other_id)
    thaw(payops, other_id)
    payops.await_status(other_id, "completed")


def test_callback_with_half_an_amount_is_refused_and_not_kept(payops, waiting):
    transaction_id, attempt = waiting
    before = rows_of(payops, transaction_id)

    for members in ({"currency": None}, {"amount_minor": None}, {"amount_minor": "1000"}, {"amount_minor": 1000.0},
                    {"currency": "XXY"}, {"status": None}):
        answer = payops.call_back(transaction_id, callback_for(attempt, **members))
        assert answer.status in (400, 422), members

    assert rows_of(payops, transaction_id) == before


def test_callback_for_an_attempt_nobody_made_is_an_orphan(payops):
    body = {"callback_id": unique("orphan"), "gateway_txn_id": "alpha_888888888",
            "reference": "op_01JZZZZZZZZZZZZZZZZZZZZZZZ-1", "status": "completed", "amount_minor": 1000,
            "currency": "USD"}

    answer = payops.call_back(None, body, path="/gateways/alpha/callbacks")

    assert answer.status == 200
    assert payops.sql(f"SELECT result, transaction_id FROM callback WHERE callback_key = '{body['callback_id']}'") == [
        ["orphan", "NULL"]]


def test_callback_at_the_gateways_own_address_is_matched_by_reference(payops, waiting):
    transaction_id, attempt = waiting

    answer = payops.call_back(None, callback_for(attempt), path="/gateways/alpha/callbacks")

    assert answer.status == 200
    assert callback_results(payops, transaction_id) == ["applied"]
    assert payops.get(f"/transactions/{transaction_id}").json["status"] == "completed"


@pytest.mark.parametrize("word", ["completed", "failed", "accepted", "shipped"])
def test_callback_after_the_final_state_is_kept_as_superseded(payops, word):
    transaction_id = pay_id(payops, "tok_sync")
    payops.await_status(transaction_id, "completed")
    attempt = attempts(payops, transaction_id)[0]
    before = money_rows(payops, transaction_id)

    answer = payops.call_back(transaction_id, callback_for(attempt, status=word))

    assert answer.status == 200
    assert callback_results(payops, transaction_id) == ["superseded"]
    assert money_rows(payops, transaction_id) == before


def test_callback_of_success_for_a_declined_payment_is_stored_as_contradiction(payops):
    transaction_id = pay_id(payops, "tok_decline_stolen_card")
    payops.await_status(transaction_id, "failed")
    attempt = attempts(payops, transaction_id)[0]

    for _ in range(2):
        assert payops.call_back(transaction_id, callback_for(attempt)).status == 200

    shown = payops.get(f"/transactions/{transaction_id}").json
    assert (shown["status"], shown["amount_captured"]) == ("failed", 0)
    after = attempts(payops, transaction_id)[0]
    assert after["status"] == "declined" and after["contradicted_at"] is not None
    assert exceptions(payops, transaction_id) == ["late_success"]
    assert callback_results(payops, transaction_id) == ["contradiction", "contradiction"]
    assert event_types(payops, transaction_id).count("attempt_contradicted") == 1


def test_callback_of_success_between_two_attempts_stops_all_further_ones(payops):
    transaction_id = pay_id(payops, "tok_decline_issuer_unavailable")
    attempt = await_attempt(payops, transaction_id, "declined")
    freeze(payops, transaction_id)

    payops.call_back(transaction_id, callback_for(attempt))
    thaw(payops, transaction_id)

    time.sleep(1)
    shown = payops.get(f"/transactions/{transaction_id}").json
    assert (shown["status"], shown["next_action"]) == ("parked", "human")
    assert len(attempts(payops, transaction_id)) == 1
    assert exceptions(payops, transaction_id) == ["late_success"]


def test_callback_with_card_numbers_is_taken_and_kept_masked(payops, waiting):
    transaction_id, attempt = waiting

    answer = payops.call_back(transaction_id, callback_for(attempt, note="paid with 4111 1111 1111 1111, not "
                                                                         "5555555555554444"))

    assert answer.status == 200
    kept = payops.sql(f"SELECT body_masked FROM callback WHERE transaction_id = {sql_id(transaction_id)}")[0][0]
    assert "411111" not in kept.replace(" ", "") and "5555555555554444" not in kept
    assert payops.get(f"/transactions/{transaction_id}").json["status"] == "completed"
    log = payops.log_bytes().decode()
    assert "5555555555554444" not in log and "4111 1111 1111 1111" not in log


# --- on a wrong path ---

@pytest.mark.parametrize("members", [{}, {"reference": None}, {"gateway_txn_id": None}],
                         ids=["both_references", "gateways_reference", "our_reference"])
def test_callback_of_another_payment_does_not_complete_the_one_of_the_path(payops, members):
    paid_id = pay_id(payops, "tok_sync")
    payops.await_status(paid_id, "completed")
    body = callback_for(attempts(payops, paid_id)[0], **members)
    in_flight_id = pay_id(payops, "tok_slow_2000")
    await_charge(payops, in_flight_id)

    answer = payops.call_back(in_flight_id, body)

    assert answer.status == 200
    assert effects(payops, in_flight_id) == []
    assert callback_results(payops, in_flight_id) == ["orphan"]
    payops.await_status(in_flight_id, "completed")
    assert effects(payops, in_flight_id) == []


def test_callback_on_a_path_that_is_no_id_is_404_and_on_an_unknown_id_401(payops, waiting):
    transaction_id, attempt = waiting
    before = rows_of(payops, transaction_id)

    assert payops.call_back("nonsense", callback_for(attempt)).status == 404
    unsigned = payops.call_back("nonsense", callback_for(attempt), signature="")
    assert (unsigned.status, unsigned.headers["www-authenticate"]) == (401, 'Gateway-Signature realm="payops"')
    unknown = transaction_id[:-6] + "000000"
    nobodys = callback_for(attempt, reference=None, gateway_txn_id=None)
    assert payops.call_back(unknown, nobodys).status == 401
    assert payops.call_back(None, callback_for(attempt), path="/gateways/omega/callbacks").status == 404

    assert rows_of(payops, transaction_id) == before


# --- forged ones ---

def mac(payops, body, at_s, digest=hashlib.sha256, key=None):
    return hmac.new(key or payops.callback_secret(), f"{at_s}.".encode() + body, digest).hexdigest()


def name(*values):
    return [("Sandbox-Signature", value) for value in values]


def swapped_case(text):
    return text.replace("t=", "T=").replace("v1=", "V1=")


def signed_parts(payops, body, now, form):
    return form.format(t=now, mac=mac(payops, body, now))


def api_key(payops):
    return (payops.dir / "etc" / "payops" / "keys" / "alpha.api-key").read_bytes().rstrip(b"\n")


# Each row: what is wrong, and the headers for a body at a time.
FORGERIES = {
    "no header": lambda payops, body, now: [],
    "empty header": lambda payops, body, now: name(""),
    "another header's name": lambda payops, body, now: [("X-Signature", payops.sign(body))],
    "wrong secret": lambda payops, body, now: name(payops.sign(body, secret=b"0" * 64)),
    "secret cut short": lambda payops, body, now: name(payops.sign(body, secret=payops.callback_secret()[:-1])),
    "empty secret": lambda payops, body, now: name(f"t={now},v1={mac(payops, body, now, key=bytes(1))}"),
    "the api key as secret": lambda payops, body, now: name(payops.sign(body, secret=api_key(payops))),
    "signature of an empty body": lambda payops, body, now: name(payops.sign(b"")),
    "signature of the body with a blank more": lambda payops, body, now: name(payops.sign(body + b" ")),
    "signature of the body cut short": lambda payops, body, now: name(payops.sign(body[:-1])),
    "signature of another amount": lambda payops, body, now: name(payops.sign(body.replace(b"1000", b"1001"))),
    "signature of the same JSON spelled otherwise": lambda payops, body, now: name(
        payops.sign(json.dumps(json.loads(body), separators=(",", ":")).encode())),
    "signature without the time in it": lambda payops, body, now: name(
        f"t={now},v1=" + hmac.new(payops.callback_secret(), body, hashlib.sha256).hexdigest()),
    "mac cut short": lambda payops, body, now: name(payops.sign(body)[:-1]),
    "mac of half the length": lambda payops, body, now: name(payops.sign(body)[:-32]),
    "mac with a digit more": lambda payops, body, now: name(payops.sign(body) + "0"),
    "mac not hexadecimal": lambda payops, body, now: name(payops.sign(body)[:-1] + "g"),
    "mac in base64": lambda payops, body, now: name(f"t={now},v1=" + base64.b64encode(
        bytes.fromhex(mac(payops, body, now))).decode()),
    "no mac": lambda payops, body, now: name(f"t={now},v1="),
    "a mac of zeros": lambda payops, body, now: name(f"t={now},v1=" + "0" * 64),
    "SHA-512 instead": lambda payops, body, now: name(f"t={now},v1={mac(payops, body, now, hashlib.sha512)}"),
    "SHA-1 instead": lambda payops, body, now: name(f"t={now},v1={mac(payops, body, now, hashlib.sha1)}"),
    "a hash without key": lambda payops, body, now: name(f"t={now},v1=" + hashlib.sha256(body).hexdigest()),
    "signed too long ago": lambda payops, body, now: name(payops.sign(body, now - 400)),
    "signed in the future": lambda payops, body, now: name(payops.sign(body, now + 400)),
    "time exchanged": lambda payops, body, now: name(f"t={now},v1={mac(payops, body, now - 1)}"),
    "time in milliseconds": lambda payops, body, now: name(payops.sign(body, now * 1000)),
    "time negative": lambda payops, body, now: name(payops.sign(body, -now)),
    "time with a sign": lambda payops, body, now: name(signed_parts(payops, body, now, "t=+{t},v1={mac}")),
    "time too big for a number": lambda payops, body, now: name(payops.sign(body, 10 ** 30)),
    "time empty": lambda payops, body, now: name(signed_parts(payops, body, now, "t=,v1={mac}")),
    "no time": lambda payops, body, now: name(signed_parts(payops, body, now, "v1={mac}")),
    "parts in another order": lambda payops, body, now: name(signed_parts(payops, body, now, "v1={mac},t={t}")),
    "a part more behind": lambda payops, body, now: name(signed_parts(payops, body, now, "t={t},v1={mac},v2=00")),
    "a part more in front": lambda payops, body, now: name(signed_parts(payops, body, now, "v0=00,t={t},v1={mac}")),
    "a part more between": lambda payops, body, now: name(signed_parts(payops, body, now, "t={t},x=1,v1={mac}")),
    "two macs": lambda payops, body, now: name(signed_parts(payops, body, now, "t={t},v1={mac},v1={mac}")),
    "blanks between": lambda payops, body, now: name(signed_parts(payops, body, now, "t={t}, v1={mac}")),
    "version 0": lambda payops, body, now: name(signed_parts(payops, body, now, "t={t},v0={mac}")),
    "parts in capitals": lambda payops, body, now: name(swapped_case(payops.sign(body))),
    "the header twice": lambda payops, body, now: name(payops.sign(body), payops.sign(body)),
    "the header twice, one of them forged": lambda payops, body, now: name(payops.sign(body), "t=1,v1=00"),
    "the header twice in two cases": lambda payops, body, now: [
        ("Sandbox-Signature", payops.sign(body)), ("sandbox-signature", payops.sign(body))],
    "a bearer token instead": lambda payops, body, now: [("Authorization", f"Bearer {payops.token()}")],
    "signature in quotes": lambda payops, body, now: name(f'"{payops.sign(body)}"'),
}


def post_raw(payops, path, body, headers):
    """Header lines one by one, as they are."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", payops.port, timeout=20)) as link:
        link.putrequest("POST", path)
        for line in [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]:
            link.putheader(*line)
        link.endheaders(body)
        got = link.getresponse()
        return got.status, got.read()


@pytest.fixture(scope="module")
def target(shared):
    """A payment that any believed callback would complete."""
    shared.start()
    shared.mode("ok")
    transaction_id, attempt = accepted(shared)
    yield transaction_id, attempt
    thaw(shared, transaction_id)
    shared.await_status(transaction_id, "completed")


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=[words.replace(" ", "_") for words in FORGERIES])
@pytest.mark.parametrize("path", ["/callback/{}", "/gateways/alpha/callbacks"], ids=["transaction", "gateway"])
def test_callback_forged_is_401_and_has_no_effect(payops, target, forgery, path):
    transaction_id, attempt = target
    callback_id = unique("forged")
    body = json.dumps(callback_for(attempt, callback_id=callback_id)).encode()
    payops.history.append({"forged_callback_id": callback_id})
    before = rows_of(payops, transaction_id)

    status, answer = post_raw(payops, path.format(transaction_id), body, forgery(payops, body, int(time.time())))

    assert status == 401, answer
    assert rows_of(payops, transaction_id) == before


def test_callback_with_the_signature_of_another_callback_is_401(payops, target):
    transaction_id, attempt = target
    other_id = pay_id(payops, "tok_sync")
    payops.await_status(other_id, "completed")
    others = json.dumps(callback_for(attempts(payops, other_id)[0])).encode()
    assert payops.call_back(other_id, others).status == 200
    before = rows_of(payops, transaction_id)

    answer = payops.call_back(transaction_id, callback_for(attempt), signature=payops.sign(others))

    assert answer.status == 401
    assert rows_of(payops, transaction_id) == before


def test_callback_forged_body_under_a_true_signature_is_401(payops, target):
    transaction_id, attempt = target
    body = json.dumps(callback_for(attempt)).encode()
    before = rows_of(payops, transaction_id)

    for changed in (body[:-1], body[1:], body + b"\n", b"", b"\0" + body, body.replace(b"completed", b"completeD"),
                    body[:10] + bytes([body[10] ^ 1]) + body[11:]):
        assert payops.call_back(transaction_id, changed, signature=payops.sign(body)).status == 401, changed

    assert rows_of(payops, transaction_id) == before


def test_callback_that_was_forged_often_still_works_when_it_is_true(payops):
    transaction_id, attempt = accepted(payops)
    body = json.dumps(callback_for(attempt)).encode()
    for _ in range(5):
        payops.call_back(transaction_id, body, signature=payops.sign(body, secret=b"wrong"))

    answer = payops.call_back(transaction_id, body)

    assert answer.status == 200
    until(lambda: payops.get(f"/transactions/{transaction_id}").json["status"] == "completed")
    assert callback_results(payops, transaction_id) == ["applied"]
