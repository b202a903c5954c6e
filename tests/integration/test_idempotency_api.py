# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Idempotency-Key: the same request again is the same payment and the same answer; other content is refused."""
import threading
import uuid

import pytest

OTHER = "othershop"


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    shared.add_merchant(OTHER)
    return shared


def new_key():
    return f"test-{uuid.uuid4()}"


def count(payops, table, condition="1"):
    return int(payops.sql(f"SELECT COUNT(*) FROM {table} WHERE {condition}")[0][0])


def test_repeated_request_gets_the_first_answer_byte_for_byte(payops):
    headers = {"Idempotency-Key": new_key()}
    first = payops.pay(headers=headers)
    at_once = payops.pay(headers=headers)
    payops.await_status(first.json["transaction_id"], "completed")
    later = payops.pay(headers=headers)

    assert "idempotency-replayed" not in first.headers
    for again in (at_once, later):
        assert again.status == first.status == 201
        assert again.body == first.body
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["x-api-call-id"] != first.headers["x-api-call-id"]
    assert len(payops.ledger(first.json["transaction_id"])) == 1


@pytest.mark.parametrize("bare, quoted", [("{key}", '"{key}"'), ('{key}-a"b', '"{key}-a\\"b"'),
                                          ("{key}\\x", '"{key}\\\\x"')])
def test_bare_and_quoted_keys_are_the_same(payops, bare, quoted):
    key = new_key()
    first = payops.pay(headers={"Idempotency-Key": bare.format(key=key)})
    second = payops.pay(headers={"idempotency-key": quoted.format(key=key)})

    assert second.body == first.body and second.headers["idempotency-replayed"] == "true"


def test_blanks_around_a_header_are_no_part_of_it(payops):
    key = new_key()
    plain = payops.pay(headers={"Idempotency-Key": key})
    padded = payops.pay(headers={"Idempotency-Key": f"  {key} \t", "Request-Timeout": "9 "})
    shown = payops.request("GET", plain.headers["location"], headers={"Authorization": f"Bearer {payops.token()} \t "})

    assert (padded.status, padded.body) == (201, plain.body)
    assert padded.headers["idempotency-replayed"] == "true"
    assert shown.status == 200


def test_longest_key_is_taken_and_keys_are_told_apart_by_every_byte(payops):
    key = (new_key() + "k" * 255)[:255]
    first = payops.pay(headers={"Idempotency-Key": key})
    same = payops.pay(headers={"Idempotency-Key": f'"{key}"'})
    others = [payops.pay(headers={"Idempotency-Key": other}) for other in (key[:254] + "j", key[:254], key.swapcase())]

    assert same.body == first.body
    ids = {answer.json["transaction_id"] for answer in (first, *others)}
    assert len(ids) == 4 and all("idempotency-replayed" not in answer.headers for answer in others)


SPELLINGS = [
    b'{"amount":700,"currency":"USD","payment_method":"ewallet","customer_id":"spell","metadata":{"a":"1","b":"2"}}',
    b' { "metadata" : { "b" : "2" ,\r\n "a" : "1" } , "customer_id" : "spell" , "payment_method" : "ewallet" ,\t'
    b'"currency" : "USD" , "amount" : 700 }\n',
    b'{"amount":700,"currency":"\\u0055SD","payment_method":"ewallet","customer_id":"sp\\u0065ll",'
    b'"metadata":{"\\u0061":"1","b":"2"}}',
    b'{"amount":700,"currency":"USD","payment_method":"ewallet","customer_id":"spell","metadata":{"a":"1","b":"2"},'
    b'"description":null,"country":null}',
    b'{"amount":700,"currency":"USD","payment_method":"ewallet","customer_id":"spell","metadata":{"a":"1","b":"2"},'
    b'"capture":"automatic","process":"auto"}',
]


def test_order_white_space_and_escapes_of_the_body_do_not_matter(payops):
    headers = {"Idempotency-Key": new_key()}
    answers = [payops.request("POST", "/transactions", body, headers=headers, token=payops.token())
               for body in SPELLINGS]

    assert [answer.status for answer in answers] == [201] * len(SPELLINGS)
    assert len({answer.body for answer in answers}) == 1
    assert ["idempotency-replayed" in answer.headers for answer in answers] == [False] + [True] * (len(SPELLINGS) - 1)


@pytest.mark.parametrize("changes", [
    {"amount": 1001}, {"amount": "10.00"}, {"currency": "EUR"}, {"payment_method": "debit_card"},
    {"customer_id": "cust_002"},
    {"description": "zebra"}, {"payment_token": "tok_sync"}, {"country": "ID"}, {"metadata": {"animal": "zebra"}},
    {"callback_url": "https://zebra.test/"},
    {"amount": 5, "currency": "JPY", "description": "zebra", "metadata": {"animal": "zebra"}},
], ids=lambda changes: "-".join(changes))
def test_other_content_under_a_key_is_refused_by_the_names_of_its_members(payops, changes):
    headers = {"Idempotency-Key": new_key()}
    first = payops.pay(headers=headers)
    refused = payops.pay(headers=headers, **changes)
    again = payops.pay(headers=headers)

    assert refused.status == 422
    assert refused.json["code"] == "idempotency_key_reused"
    assert {error["field"] for error in refused.json["errors"]} == set(changes)
    for error in refused.json["errors"]:
        assert error["pointer"] == f"/{error['field']}" and error["code"] == "differs"
    assert b"zebra" not in refused.body and first.json["transaction_id"].encode() not in refused.body
    assert again.body == first.body


def test_keys_of_two_merchants_do_not_meet(payops):
    headers = {"Idempotency-Key": new_key()}
    ours, theirs = payops.pay(headers=headers), payops.pay(headers=headers, merchant=OTHER)

    assert theirs.status == 201 and "idempotency-replayed" not in theirs.headers
    assert ours.json["transaction_id"] != theirs.json["transaction_id"]


def test_refusal_leaves_the_key_free(payops):
    headers = {"Idempotency-Key": new_key()}
    refused = [payops.pay(headers=headers, amount=0), payops.pay(headers={**headers, "Content-Type": "text/plain"}),
               payops.pay(headers={**headers, "Request-Timeout": "0"}),
               payops.request("POST", "/transactions", b"{", headers=headers, token=payops.token()),
               payops.request("POST", "/transactions", b"{}", headers=headers)]
    taken = payops.pay(headers=headers)

    assert [answer.status for answer in refused] == [422, 415, 400, 400, 401]
    assert taken.status == 201 and "idempotency-replayed" not in taken.headers


def test_key_is_no_place_for_a_card_number(payops):
    for key in ("4111111111111111", "4111-1111-1111-1111", "order-4111111111111111", '"4111111111111111"'):
        answer = payops.pay(headers={"Idempotency-Key": key})
        assert answer.status == 422, key
        assert b"1111-1111" not in answer.body and b"11111111" not in answer.body
    assert count(payops, "operation", "idempotency_key LIKE '%4111%1111%'") == 0


def test_twenty_clients_with_one_key_make_one_payment(payops):
    key, answers, gate = new_key(), [], threading.Barrier(20)
    payops.token()

    def client():
        gate.wait()
        answers.append(payops.pay(headers={"Idempotency-Key": key}))

    threads = [threading.Thread(target=client) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 20
    assert {answer.status for answer in answers} <= {201, 409}
    accepted = [answer for answer in answers if answer.status == 201]
    assert len({answer.body for answer in accepted}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in accepted) == 1
    assert all(answer.json["code"] == "idempotency_in_flight" for answer in answers if answer.status == 409)
    assert count(payops, "operation", f"idempotency_key = '{key}'") == 1
    payops.await_status(accepted[0].json["transaction_id"], "completed")
    assert len(payops.ledger(accepted[0].json["transaction_id"])) == 1
