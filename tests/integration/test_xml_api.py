# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API in XML: bodies, answers and refusals say what they say in JSON."""
import json
import uuid
import xml.etree.ElementTree as tree

import pytest

from support import await_attempt, await_charge, callback_results, sql_id

XML = "application/xml"
PROBLEM = "{urn:ietf:rfc:7807}"
BODY = {"amount": "10.50", "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_xml",
        "payment_token": "tok_ok"}


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    return shared


def element(name, value):
    """An element as a client would write it; an object becomes elements, None an empty one."""
    made = tree.Element(name)
    if isinstance(value, dict):
        made.extend(element(member, inner) for member, inner in value.items())
    else:
        made.text = value
    return made


def document(body, root="request"):
    return tree.tostring(element(root, body), encoding="utf-8")


def members(answer, root="response"):
    """What an answer says, one level deep."""
    assert answer.headers["content-type"] == XML, answer.body
    read = tree.fromstring(answer.body)
    assert read.tag == root
    return {child.tag: child.text for child in read}


def problem(answer, status):
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+xml"
    read = tree.fromstring(answer.body)
    assert read.tag == PROBLEM + "problem"
    return read


def send(payops, method, path, raw, headers=None):
    return payops.request(method, path, raw, headers={"Content-Type": XML, **(headers or {})}, token=payops.token())


def pay(payops, body, headers=None, root="request"):
    answer = send(payops, "POST", "/transactions", body if isinstance(body, bytes) else document(body, root), headers)
    if answer.status == 201:
        payops.history.append({"transaction_id": tree.fromstring(answer.body).findtext("transaction_id"),
                               "amount": 1050, "currency": "USD", "status": 201, "merchant": "demo",
                               "payment_token": "tok_ok"})
    return answer


def pay_id(payops, body, **options):
    answer = pay(payops, body, **options)
    assert answer.status == 201, answer.body
    return members(answer)["transaction_id"]


@pytest.fixture(scope="module")
def paid(payops):
    """A payment made and shown in XML, completed."""
    transaction_id = pay_id(payops, {**BODY, "description": "Müller & <Söhne>",
                                     "metadata": {"order": "17", "size": "ü"}}, root="payment")
    payops.await_status(transaction_id, "completed")
    return transaction_id


# --- bodies ---

def test_a_payment_in_xml_is_answered_in_xml(payops):
    answer = pay(payops, BODY)

    said = members(answer)
    assert (answer.status, said["status"]) == (201, "pending")
    assert answer.headers["location"] == f"/transactions/{said['transaction_id']}"
    assert set(said) == {"transaction_id", "status", "created_at"}
    assert payops.sql("SELECT amount_minor, currency FROM transaction WHERE id = "
                      f"{sql_id(said['transaction_id'])}") == [["1050", "USD"]]
    payops.await_status(said["transaction_id"], "completed")


def test_a_payment_made_in_xml_is_the_same_in_json(payops, paid):
    shown = payops.get(f"/transactions/{paid}").json

    assert (shown["amount"], shown["currency"], shown["customer_id"]) == ("10.50", "USD", "cust_xml")
    assert shown["description"] == "Müller & <Söhne>"
    assert shown["metadata"] == {"order": "17", "size": "ü"}


def test_empty_elements_are_null_and_any_root_will_do(payops):
    transaction_id = pay_id(payops, {**BODY, "description": None, "country": None, "metadata": None}, root="deposit")

    shown = payops.await_status(transaction_id, "completed")
    assert (shown["description"], shown["metadata"]) == (None, None)


def test_paths_with_an_empty_body_take_an_empty_element(payops):
    transaction_id = pay_id(payops, {**BODY, "process": "manual"})

    answer = send(payops, "POST", f"/transactions/{transaction_id}/cancel", b"<cancel/>")
    assert (answer.status, members(answer)["status"]) == (200, "cancelled")
    refused = problem(send(payops, "POST", f"/transactions/{transaction_id}/process", b"<r/>"), 409)
    assert refused.findtext(PROBLEM + "current_status") == "cancelled"


def test_an_empty_element_in_a_patch_removes(payops):
    transaction_id = pay_id(payops, {**BODY, "process": "manual", "description": "x", "metadata": {"a": "1", "b": "2"}})

    answer = send(payops, "PATCH", f"/transactions/{transaction_id}",
                  b"<r><description/><metadata><a/><order_x0020_no>7</order_x0020_no></metadata></r>")
    assert answer.status == 200, answer.body
    assert members(answer)["description"] is None
    metadata = tree.fromstring(answer.body).find("metadata")
    assert {child.tag: child.text for child in metadata} == {"b": "2", "order_x0020_no": "7"}
    shown = payops.get(f"/transactions/{transaction_id}").json
    assert shown["metadata"] == {"b": "2", "order no": "7"}
    send(payops, "POST", f"/transactions/{transaction_id}/cancel", b"<r/>")


# --- idempotency ---

def test_json_and_xml_of_the_same_content_are_one_payment(payops):
    key = {"Idempotency-Key": f"xml-{uuid.uuid4()}"}
    body = {**BODY, "metadata": {"b": "2", "a": "1"}, "description": " x "}

    first = payops.pay("tok_ok", headers=key, **{name: value for name, value in body.items()})
    assert first.status == 201
    payops.history[-1]["amount"] = 1050
    again = send(payops, "POST", "/transactions",
                 document({**body, "metadata": {"a": "1", "b": "2"}, "country": None}), key)

    assert again.status == 201 and again.headers["idempotency-replayed"] == "true"
    assert members(again) == first.json
    back = payops.request("POST", "/transactions", body, headers={**key, "Accept": "application/json"},
                          token=payops.token())
    assert (back.status, back.body) == (201, first.body)


def test_other_content_in_the_other_form_is_refused_with_the_members_that_differ(payops):
    key = {"Idempotency-Key": f"xml-{uuid.uuid4()}"}
    pay_id(payops, BODY, headers=key)

    answer = payops.request("POST", "/transactions", {**BODY, "amount": "10.51", "description": "x"}, headers=key,
                            token=payops.token())

    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert sorted(error["field"] for error in answer.json["errors"]) == ["amount", "description"]


# --- answers ---

def test_accept_decides_and_else_the_requests_type(payops, paid):
    shown = f"/transactions/{paid}"
    for headers, wanted in [({}, "application/json"), ({"Accept": "*/*"}, "application/json"),
                            ({"Accept": XML}, XML), ({"Content-Type": XML}, XML),
                            ({"Accept": "application/json;q=0.5, application/xml"}, XML),
                            ({"Accept": "application/xml;q=0.5, application/json"}, "application/json"),
                            ({"Accept": "application/json", "Content-Type": XML}, "application/json")]:
        answer = payops.get(shown, headers=headers)
        assert (answer.status, answer.headers["content-type"]) == (200, wanted), headers
    head = payops.request("HEAD", shown, headers={"Accept": XML}, token=payops.token())
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == XML
    tag = payops.get(shown, headers={"Accept": XML}).headers["etag"]
    same = payops.get(shown, headers={"Accept": XML, "If-None-Match": tag})
    assert (same.status, same.body) == (304, b"")


def test_an_object_has_the_members_that_it_has_in_json(payops, paid):
    in_json = payops.get(f"/transactions/{paid}").json
    read = tree.fromstring(payops.get(f"/transactions/{paid}", headers={"Accept": XML}).body)

    assert [child.tag for child in read] == list(in_json)
    for child in read:
        wanted = in_json[child.tag]
        if isinstance(wanted, dict):
            assert {inner.tag: inner.text for inner in child} == wanted
        else:
            assert child.text == (str(wanted) if wanted is not None else None), child.tag


def test_an_amount_of_minor_units_is_of_major_units_in_xml(payops):
    answer = payops.pay("tok_ok", customer_id="cust_xml_minor")
    assert answer.status == 201
    payops.await_status(answer.json["transaction_id"], "completed")

    assert payops.get(answer.headers["location"]).json["amount"] == 1000
    said = members(payops.get(answer.headers["location"], headers={"Accept": XML}))
    assert (said["amount"], said["amount_captured"], said["amount_refunded"]) == ("10.00", "10.00", "0.00")
    listed = tree.fromstring(payops.get("/customers/cust_xml_minor/transactions", headers={"Accept": XML}).body)
    assert [entry.findtext("amount") for entry in listed] == ["10.00"]


@pytest.mark.parametrize("path, root, item", [
    ("/customers/cust_xml/transactions?limit=2", "transactions", "transaction"),
    ("/transactions/{id}/events", "events", "event"),
    ("/transactions/{id}/attempts", "attempts", "attempt"),
])
def test_a_list_is_elements_of_one_name(payops, paid, path, root, item):
    path = path.replace("{id}", paid)
    read = tree.fromstring(payops.get(path, headers={"Accept": XML}).body)

    in_json = payops.get(path).json
    assert (read.tag, {child.tag for child in read}) == (root, {item})
    assert len(read) == len(in_json) > 0
    assert [child.tag for child in read[0]] == list(in_json[0])


def test_every_answer_can_be_had_in_xml(payops, paid):
    for path, status in [(f"/transactions/{paid}/why", 200), ("/healthz", 200), ("/readyz", 200),
                         ("/transactions/none", 404), ("/nothing", 404), ("/transactions?typo=1", 400)]:
        answer = payops.get(path, headers={"Accept": XML})
        assert answer.status == status, path
        assert answer.headers["content-type"] in (XML, "application/problem+xml")
        tree.fromstring(answer.body)
    assert payops.get("/metrics", headers={"Accept": XML}).headers["content-type"].startswith("text/plain")


# --- refusals ---

def test_every_bad_field_is_listed(payops):
    answer = pay(payops, {"amount": "1.505", "currency": "USD", "payment_method": "cash", "typo": "x",
                          "country": "indonesia", "metadata": "x"})

    errors = problem(answer, 422).find(PROBLEM + "errors")
    assert {child.tag for child in errors} == {PROBLEM + "i"}
    assert {entry.findtext(PROBLEM + "field"): entry.findtext(PROBLEM + "code") for entry in errors} == {
        "amount": "too_precise", "payment_method": "not_allowed", "customer_id": "required", "country": "wrong_length",
        "metadata": "wrong_type", "typo": "unknown_field"}
    assert {entry.findtext(PROBLEM + "pointer") for entry in errors} >= {"/amount", "/typo"}


@pytest.mark.parametrize("form", ["xml", "json"])
def test_refusals_name_the_same_fields_in_both_forms(payops, form):
    bad = {**BODY, "amount": "-1", "currency": "ZZZ", "payment_token": "4111111111111111"}
    raw, kind = (document(bad), XML) if form == "xml" else (json.dumps(bad).encode(), "application/json")

    answer = payops.request("POST", "/transactions", raw, headers={"Content-Type": kind, "Accept": "application/json"},
                            token=payops.token())

    assert answer.status == 422
    assert sorted((error["field"], error["code"]) for error in answer.json["errors"]) == [
        ("amount", "not_positive"), ("currency", "unknown_currency"), ("payment_token", "card_number")]


@pytest.mark.parametrize("raw, detail", [
    (b"", "empty"),
    (b"<r>", "not valid XML"),
    (b'{"amount":1}', "not valid XML"),
    (b"\xef\xbb\xbf<r/>", "byte order mark"),
    (b"<r><a>\xff</a></r>", "UTF-8"),
    (b"<r>\0</r>", "NUL"),
    (b"<!DOCTYPE r [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><r><description>&a;</description></r>", "document type"),
    (b"<r><description>&a;</description></r>", "not valid XML"),
    (b"<r a='1'/>", "Attributes"),
    (b"<r xmlns='urn:x'/>", "Attributes"),
    (b"<r><amount>1<!-- 0 --></amount></r>", "Only elements"),
    (b"<r><amount>1</amount><amount>2</amount></r>", "given twice"),
    (b"<r>x<amount>1</amount></r>", "between elements"),
    (b"<a>" * 17 + b"</a>" * 17, "too deeply"),
])
def test_bad_xml_is_malformed(payops, raw, detail):
    refused = problem(pay(payops, raw), 400)

    assert refused.findtext(PROBLEM + "code") == "malformed_request"
    assert detail in refused.findtext(PROBLEM + "detail")


def test_the_other_rules_of_bodies_hold(payops):
    assert problem(pay(payops, b"<r>" + b" " * 65536 + b"</r>"), 413) is not None
    for headers in ({"Content-Type": "text/xml"}, {"Content-Type": "application/xml; charset=utf-16"},
                    {"Content-Encoding": "gzip"}):
        refused = send(payops, "POST", "/transactions", document(BODY), {"Accept": XML, **headers})
        assert problem(refused, 415).findtext(PROBLEM + "code") == "unsupported_media_type"
    wide = b"<r>" + b"".join(b"<a%d/>" % number for number in range(65)) + b"</r>"
    assert "too many members" in problem(pay(payops, wide), 422).findtext(PROBLEM + "detail")
    unknown = payops.request("POST", "/transactions", document(BODY), headers={"Content-Type": XML})
    assert problem(unknown, 401) is not None


# --- callbacks ---

def call_back(payops, transaction_id, raw, signature=None):
    return payops.request("POST", f"/callback/{transaction_id}", raw, headers={
        "Content-Type": XML, "Sandbox-Signature": signature or payops.sign(raw)})


def test_a_callback_in_xml_completes_the_payment(payops):
    transaction_id = pay_id(payops, {**BODY, "payment_token": "tok_callback_never"})
    payops.history[-1]["payment_token"] = "tok_callback_never"
    attempt = await_attempt(payops, transaction_id, "accepted")
    payops.sql("UPDATE operation SET next_action_at_us = next_action_at_us + 3600000000 "  # no inquiry meanwhile
               f"WHERE next_action <> 'none' AND transaction_id = {sql_id(transaction_id)}")
    await_charge(payops, transaction_id)
    raw = document({"callback_id": f"xml_{uuid.uuid4()}", "gateway_txn_id": attempt["gateway_txn_id"],
                    "reference": attempt["our_reference"], "status": "completed", "amount": "10.50",
                    "currency": "USD"}, "callback")

    assert problem(call_back(payops, transaction_id, raw, payops.sign(raw + b" ")), 401) is not None
    answer = call_back(payops, transaction_id, raw)
    again = call_back(payops, transaction_id, raw)

    assert answer.status == again.status == 200
    assert members(answer) == {"received": "true"}
    assert callback_results(payops, transaction_id) == ["applied"]
    assert payops.await_status(transaction_id, "completed")["amount_captured"] == "10.50"


def test_a_signed_callback_in_bad_xml_is_malformed(payops, paid):
    raw = b"<!DOCTYPE r [<!ENTITY a 'completed'>]><r><status>&a;</status></r>"

    assert problem(call_back(payops, paid, raw), 400).findtext(PROBLEM + "code") == "malformed_request"
