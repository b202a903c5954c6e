# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Customers and their payment methods: what is kept, shown, changed, found and erased, and what is refused."""
import re
import threading
import xml.etree.ElementTree as tree

import pytest

from support import sql_id, unique

READ, WRITE = "customers:read", "customers:write"
BOTH = f"{READ} {WRITE}"
SHOP, OTHER = "profileshop", "profileother"
ANA = {"name": "Ana Wijáyä", "email": "Ana.W+x@Shop.example", "phone": "+62 812-3456 789", "country": "ID",
       "address": {"line1": "Jl. Merdeka 1", "city": "Jakarta", "postal_code": "10110"},
       "date_of_birth": "1990-02-28", "metadata": {"tier": "silver", "note": "a \"b\"\n"}}
CARD = {"gateway": "alpha", "payment_token": "tok_ok", "payment_method": "credit_card", "brand": "visa",
        "last4": "4242", "expiry_month": 12, "expiry_year": 2031}


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.heal()
    for merchant in (SHOP, OTHER):
        shared.add_merchant(merchant)
    return shared


def ask(payops, method, path, body=None, merchant=SHOP, scope=BOTH, **options):
    return payops.request(method, path, body, token=payops.token(merchant, scope), **options)


def add(payops, merchant=SHOP, **members):
    answer = ask(payops, "POST", "/customers", members, merchant)
    assert answer.status == 201, answer.body
    return answer


def add_method(payops, customer, **members):
    answer = ask(payops, "POST", f"/customers/{customer}/payment-methods", {**CARD, **members})
    assert answer.status == 201, answer.body
    return answer


def fields(answer):
    assert (answer.status, answer.json["code"]) == (422, "validation_failed"), answer.body
    return sorted({error["field"] for error in answer.json["errors"]})


# --- add, show, change ---

def test_what_was_added_is_shown_as_it_was_sent(payops):
    customer = unique("cust/a")
    answer = add(payops, customer_id=customer, **ANA)
    path = answer.headers["location"]
    shown = ask(payops, "GET", path)

    assert path == "/customers/" + customer.replace("/", "%2F")
    assert (shown.status, shown.body) == (200, answer.body)
    assert (answer.headers["etag"], shown.headers["etag"]) == ('"1"', '"1"')
    address = {"line1": "Jl. Merdeka 1", "line2": None, "city": "Jakarta", "state": None, "postal_code": "10110"}
    expected = {**ANA, "customer_id": customer, "address": address, "created_at": shown.json["created_at"],
                "updated_at": shown.json["created_at"], "erased_at": None}
    assert shown.json == expected
    assert list(shown.json)[0] == "customer_id"


def test_all_may_be_left_out_and_an_id_is_made(payops):
    answer = add(payops)

    assert re.fullmatch("cust_[0-7][0-9A-HJKMNP-TV-Z]{25}", answer.json["customer_id"])
    assert {name for name, value in answer.json.items() if value is not None} == {"customer_id", "created_at",
                                                                                 "updated_at"}
    assert ask(payops, "GET", answer.headers["location"]).json == answer.json


@pytest.mark.parametrize("change, expected", [
    ({"name": "B"}, {"name": "B"}),
    ({"name": None, "email": None, "phone": None, "country": None, "date_of_birth": None},
     {"name": None, "email": None, "phone": None, "country": None, "date_of_birth": None}),
    ({"address": {"line1": None, "city": "Bandung", "state": "JB"}},
     {"address": {"line1": None, "line2": None, "city": "Bandung", "state": "JB", "postal_code": "10110"}}),
    ({"address": None}, {"address": None}),
    ({"metadata": {"tier": None, "more": "y"}}, {"metadata": {"more": "y", "note": ANA["metadata"]["note"]}}),
    ({"metadata": None}, {"metadata": None}),
    ({"country": "SG", "phone": "+1 (555) 123-4567"}, {"country": "SG", "phone": "+1 (555) 123-4567"}),
])
def test_a_change_is_merged_and_the_rest_stays(payops, change, expected):
    before = add(payops, **ANA)
    answer = ask(payops, "PATCH", before.headers["location"], change)

    assert answer.status == 200, answer.body
    assert answer.headers["etag"] == '"2"'
    assert answer.json == {**before.json, **expected, "updated_at": answer.json["updated_at"]}
    assert ask(payops, "GET", before.headers["location"]).body == answer.body


@pytest.mark.parametrize("change", [{}, {"name": ANA["name"]}, {"metadata": {}}, {"address": {}},
                                    {"address": {"line2": None}}])
def test_what_is_so_already_is_no_change(payops, change):
    path = add(payops, **ANA).headers["location"]

    answer = ask(payops, "PATCH", path, change)
    assert (answer.status, answer.headers["etag"]) == (200, '"1"')


CARD_NUMBER = "4111 1111 1111 1111"
BAD = [
    ({"name": 1}, "name"), ({"name": "x" * 121}, "name"), ({"name": "a\nb"}, "name"), ({"name": CARD_NUMBER}, "name"),
    ({"email": ""}, "email"), ({"email": "ana"}, "email"), ({"email": "ana@shop"}, "email"), ({"email": []}, "email"),
    ({"email": "a b@shop.example"}, "email"), ({"email": "a@b@shop.example"}, "email"),
    ({"email": "a..b@shop.example"}, "email"), ({"email": "a@-shop.example"}, "email"),
    ({"email": "4111111111111111@shop.example"}, "email"), ({"email": "á@shop.example"}, "email"),
    ({"email": "a@" + "x" * 250 + ".example"}, "email"),
    ({"phone": "0812 3456 789"}, "phone"), ({"phone": "+0812345678"}, "phone"), ({"phone": "+62 12"}, "phone"),
    ({"phone": "+1234567890123456"}, "phone"), ({"phone": "+62 812 3456 789 x"}, "phone"), ({"phone": 62812}, "phone"),
    ({"phone": "+378282246310005"}, "phone"), ({"phone": "4111111111111111"}, "phone"),
    ({"country": "id"}, "country"), ({"country": "XX"}, "country"), ({"country": "IDN"}, "country"),
    ({"country": "ZZ"}, "country"), ({"country": 62}, "country"),
    ({"address": "Jl. Merdeka"}, "address"), ({"address": {"street": "x"}}, "address"),
    ({"address": {"line1": "x" * 121}}, "address"), ({"address": {"city": "x" * 81}}, "address"),
    ({"address": {"line1": 1}}, "address"), ({"address": {"line1": CARD_NUMBER}}, "address"),
    ({"address": {"line1": {"a": "b"}}}, "address"), ({"address": ["x"]}, "address"),
    ({"date_of_birth": "1990-02-30"}, "date_of_birth"), ({"date_of_birth": "2990-02-20"}, "date_of_birth"),
    ({"date_of_birth": "28.02.1990"}, "date_of_birth"), ({"date_of_birth": "1899-12-31"}, "date_of_birth"),
    ({"date_of_birth": "1990-2-28"}, "date_of_birth"), ({"date_of_birth": 1990}, "date_of_birth"),
    ({"metadata": {"a": 1}}, "metadata"), ({"metadata": "x"}, "metadata"), ({"metadata": {"": "x"}}, "metadata"),
    ({"metadata": {f"n{n}": "" for n in range(21)}}, "metadata"), ({"metadata": {"card": CARD_NUMBER}}, "metadata"),
    ({"metadata": {f"n{n}": "x" * 500 for n in range(9)}}, "metadata"),
    ({"card_number": "x"}, "card_number"), ({"status": "x"}, "status"),
]


@pytest.mark.parametrize("members, field", BAD, ids=lambda value: str(value)[:40])
def test_a_bad_field_is_refused_without_effect(payops, members, field):
    path = add(payops).headers["location"]

    assert fields(ask(payops, "POST", "/customers", members)) == [field]
    assert fields(ask(payops, "PATCH", path, members)) == [field]
    assert ask(payops, "GET", path).headers["etag"] == '"1"'


@pytest.mark.parametrize("customer", ["", "a b", "x" * 65, "4111111111111111", 7, "ä"])
def test_a_bad_id_is_refused(payops, customer):
    assert fields(ask(payops, "POST", "/customers", {"customer_id": customer})) == ["customer_id"]
    assert fields(ask(payops, "PATCH", add(payops).headers["location"], {"customer_id": "other"})) == ["customer_id"]


def test_every_bad_field_is_named(payops):
    every = {name: value for members, _ in BAD for name, value in members.items()}
    answer = ask(payops, "POST", "/customers", {"customer_id": "a b", **every})

    assert fields(answer) == sorted(["customer_id", *every])


# --- whose, and who may ---

def test_another_merchants_customer_is_not_there(payops):
    customer = unique("cust")
    path = add(payops, customer_id=customer, **ANA).headers["location"]
    method = add_method(payops, customer).headers["location"]

    for verb, where, body in (("GET", path, None), ("PATCH", path, {"name": "x"}), ("DELETE", path, None),
                              ("GET", f"{path}/payment-methods", None), ("POST", f"{path}/payment-methods", CARD),
                              ("GET", method, None), ("DELETE", method, None)):
        assert ask(payops, verb, where, body, OTHER).status == 404, (verb, where)
    assert add(payops, OTHER, customer_id=customer, name="Other").json["name"] == "Other"
    assert ask(payops, "GET", path).json["name"] == ANA["name"]
    assert ask(payops, "GET", method.replace(customer, add(payops).json["customer_id"])).status == 404


def test_a_scope_is_needed(payops):
    customer = add(payops).json["customer_id"]
    path = f"/customers/{customer}"
    method = add_method(payops, customer).headers["location"]

    for verb, where, body in (("POST", "/customers", {}), ("PATCH", path, {}), ("DELETE", path, None),
                              ("POST", f"{path}/payment-methods", CARD), ("DELETE", method, None)):
        answer = ask(payops, verb, where, body, scope=READ)
        assert (answer.status, answer.json["code"]) == (403, "insufficient_scope"), verb
    for where in ("/customers", path, f"{path}/payment-methods", method):
        assert ask(payops, "GET", where, scope=WRITE).status == 403
        assert ask(payops, "GET", where, scope="payments:read payments:write").status == 403
        assert payops.request("GET", where).status == 401
    assert ask(payops, "GET", path).status == 200


@pytest.mark.parametrize("path, allow", [
    ("/customers", "POST, GET, HEAD, OPTIONS"), ("/customers/x", "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ("/customers/x/payment-methods", "POST, GET, HEAD, OPTIONS"),
    ("/customers/x/payment-methods/y", "GET, HEAD, DELETE, OPTIONS")])
def test_options_and_405_say_what_is_allowed(payops, path, allow):
    assert (payops.request("OPTIONS", path).status, payops.request("OPTIONS", path).headers["allow"]) == (204, allow)
    answer = ask(payops, "PUT", path, {})
    assert (answer.status, answer.headers["allow"]) == (405, allow)


def test_what_names_nothing_is_not_found(payops):
    for path in ("/customers/nobody-here", "/customers/" + "x" * 100, "/customers/4111111111111111",
                 "/customers/nobody/payment-methods", "/customers/nobody/payment-methods/pm_1",
                 "/customers/%C3%A4", "/customers/%FF"):
        assert ask(payops, "GET", path).status == 404, path


# --- versions ---

def test_the_version_is_an_etag(payops):
    path = add(payops, **ANA).headers["location"]
    held = ask(payops, "GET", path, headers={"If-None-Match": '"1"'})
    head = ask(payops, "HEAD", path)

    assert (held.status, held.body, held.headers["etag"]) == (304, b"", '"1"')
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", '"1"')
    assert head.headers["content-length"] == str(len(ask(payops, "GET", path).body))
    assert ask(payops, "PATCH", path, {"name": "B"}, headers={"If-Match": '"1"'}).status == 200
    for verb, body in (("PATCH", {"name": "C"}), ("DELETE", None)):
        stale = ask(payops, verb, path, body, headers={"If-Match": '"1"'})
        assert (stale.status, stale.json["code"]) == (412, "stale_version")
    assert ask(payops, "GET", path, headers={"If-None-Match": '"1"'}).json["name"] == "B"
    assert ask(payops, "DELETE", path, headers={"If-Match": '"2"'}).status == 204


def together(count, call):
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(call(n))) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_changes_at_once_one_wins(payops):
    path = add(payops, **ANA).headers["location"]
    answers = together(8, lambda n: ask(payops, "PATCH", path, {"metadata": {"winner": str(n)}},
                                        headers={"If-Match": '"1"'}))

    assert sorted(answer.status for answer in answers) == [200] + [412] * 7
    assert ask(payops, "GET", path).json == next(one for one in answers if one.status == 200).json


def test_changes_at_once_without_a_version_all_arrive(payops):
    path = add(payops).headers["location"]
    answers = together(8, lambda n: ask(payops, "PATCH", path, {"metadata": {f"n{n}": "x"}}))

    assert {answer.status for answer in answers} == {200}
    assert ask(payops, "GET", path).json["metadata"] == {f"n{n}": "x" for n in range(8)}
    assert ask(payops, "GET", path).headers["etag"] == '"9"'


def test_of_two_with_the_same_id_one_is_added(payops):
    customer = unique("cust")
    answers = together(8, lambda n: ask(payops, "POST", "/customers", {"customer_id": customer, "name": f"n{n}"}))

    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    refused = next(one for one in answers if one.status == 409)
    assert (refused.json["code"], refused.json["retryable"]) == ("conflict", False)
    assert ask(payops, "GET", f"/customers/{customer}").json == next(one for one in answers if one.status == 201).json


# --- lists ---

def next_of(answer):
    link = answer.headers.get("link")
    return link and re.fullmatch(r'<([^>]*)>; rel="next"', link).group(1)


def walk(payops, path, merchant=SHOP):
    seen = []
    while path is not None:
        answer = ask(payops, "GET", path, merchant=merchant)
        assert answer.status == 200, answer.body
        seen += answer.json
        path = next_of(answer)
    return seen


@pytest.fixture(scope="module")
def listed(payops):
    """Customers of a merchant of its own, the newest first; two were erased."""
    shop = unique("listed")
    payops.add_merchant(shop)
    made = []
    for n in range(14):
        made.append(add(payops, shop, customer_id=f"c{n}", email=f"C{n % 4}@Shop.example", phone=f"+62 811 000 00{n % 5}",
                        country=("ID", "SG")[n % 2]).json)
    for n in (3, 8):
        assert ask(payops, "DELETE", f"/customers/c{n}", merchant=shop).status == 204
    return shop, [one for one in made[::-1] if one["customer_id"] not in ("c3", "c8")], made


@pytest.mark.parametrize("filters, passes", [
    ("", lambda n: True), ("country=ID", lambda n: n % 2 == 0), ("country=DE", lambda n: False),
    ("email=c1%40shop.EXAMPLE", lambda n: n % 4 == 1), ("email=c1%40shop.exampl", lambda n: False),
    ("phone=%2B62811000003", lambda n: n % 5 == 3), ("phone=+62%20811-000-003", lambda n: n % 5 == 3),
    ("email=c1@shop.example&country=ID", lambda n: False),
    ("email=c1@shop.example&phone=%2B62811000003", lambda n: n == 13),
    ("erased=false&country=SG&phone=%2B62811000004", lambda n: n == 9),
])
def test_filters_let_pass_what_they_say(payops, listed, filters, passes):
    shop, customers, _ = listed
    wanted = [one for one in customers if passes(int(one["customer_id"][1:]))]

    for limit in (1, 3, 200):
        assert walk(payops, f"/customers?{filters}&limit={limit}".replace("?&", "?"), shop) == wanted
    assert all(one not in customers for one in walk(payops, f"/customers?{filters}".rstrip("?"), SHOP))


def test_from_is_in_the_list_and_to_is_not(payops, listed):
    shop, customers, _ = listed
    begin, end = customers[7]["created_at"], customers[2]["created_at"]

    assert walk(payops, f"/customers?limit=2&from={begin}&to={end}", shop) == customers[3:8]


def test_of_those_who_were_erased_ids_and_times_are_left(payops, listed):
    shop, _, made = listed
    left = walk(payops, "/customers?erased=true&limit=1", shop)

    assert [one["customer_id"] for one in left] == ["c8", "c3"]
    for one in left:
        assert {name for name, value in one.items() if value is not None} == {"customer_id", "created_at", "updated_at",
                                                                             "erased_at"}
        assert one["created_at"] == made[int(one["customer_id"][1:])]["created_at"]


def test_a_cursor_fits_its_own_list_only(payops, listed):
    shop = listed[0]
    link = next_of(ask(payops, "GET", "/customers?limit=2&country=ID", merchant=shop))
    cursor = re.search("after=([^&]*)", link).group(1)

    for query, merchant in ((f"limit=2&after={cursor}", shop), (f"limit=2&country=SG&after={cursor}", shop),
                            (f"limit=2&country=ID&after={cursor}", SHOP), ("after=x", shop),
                            (f"limit=2&country=ID&after={cursor[:-1]}", shop),
                            (f"country=ID&after={'A' if cursor[0] != 'A' else 'B'}{cursor[1:]}", shop)):
        answer = ask(payops, "GET", f"/customers?{query}", merchant=merchant)
        assert (answer.status, answer.json["code"]) == (400, "invalid_query"), query
    assert payops.get(f"/transactions?after={cursor}", merchant=shop).status == 400


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "name=Ana", "email=ana", "email=", "phone=0812",
                                   "country=xx", "country=XX", "from=today", "erased=yes", "erased=", "status=active",
                                   "country=ID&country=SG"])
def test_a_filter_that_is_not_understood_is_refused(payops, query):
    answer = ask(payops, "GET", f"/customers?{query}")

    assert (answer.status, answer.json["code"]) == (400, "invalid_query")


# --- payment methods ---

def test_a_payment_method_is_kept_and_its_token_never_shown(payops):
    customer = add(payops).json["customer_id"]
    answer = add_method(payops, customer)
    path = answer.headers["location"]

    assert re.fullmatch(f"/customers/{customer}/payment-methods/pm_[0-7][0-9A-HJKMNP-TV-Z]{{25}}", path)
    expected = {"payment_method_id": path.rsplit("/", 1)[1], **CARD, "default": True,
                "created_at": answer.json["created_at"], "updated_at": answer.json["created_at"]}
    del expected["payment_token"]
    assert answer.json == expected
    assert ask(payops, "GET", path).body == answer.body
    assert ask(payops, "GET", f"/customers/{customer}/payment-methods").json == [expected]
    assert ask(payops, "GET", path, headers={"If-None-Match": '"1"'}).status == 304
    assert ask(payops, "HEAD", path).headers["etag"] == '"1"'


def test_one_is_the_default(payops):
    customer = add(payops).json["customer_id"]
    paths = [add_method(payops, customer, payment_token=f"tok_{n}", **more).headers["location"]
             for n, more in enumerate(({}, {}, {"default": True}, {"default": False}, {"default": True}))]

    shown = [ask(payops, "GET", path) for path in paths]
    assert [one.json["default"] for one in shown] == [False, False, False, False, True]
    assert [one.headers["etag"] for one in shown] == ['"2"', '"1"', '"2"', '"1"', '"1"']
    assert ask(payops, "GET", f"/customers/{customer}/payment-methods").json == [one.json for one in shown[::-1]]
    answers = together(6, lambda n: ask(payops, "POST", f"/customers/{customer}/payment-methods",
                                        {**CARD, "payment_token": f"tok_more_{n}", "default": True}))
    assert {answer.status for answer in answers} == {201}
    listed = ask(payops, "GET", f"/customers/{customer}/payment-methods").json
    assert [one["default"] for one in listed].count(True) == 1


def test_a_token_is_kept_once_for_each_customer_and_gateway(payops):
    customer, other = (add(payops).json["customer_id"] for _ in range(2))
    first = add_method(payops, customer).json["payment_method_id"]
    again = ask(payops, "POST", f"/customers/{customer}/payment-methods", CARD)

    assert (again.status, again.json["code"]) == (409, "conflict")
    assert first in again.json["detail"]
    add_method(payops, customer, gateway="beta")
    add_method(payops, other)
    answers = together(6, lambda n: ask(payops, "POST", f"/customers/{other}/payment-methods",
                                        {**CARD, "payment_token": "tok_same"}))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5


def test_fifty_payment_methods_are_enough(payops):
    customer = add(payops).json["customer_id"]
    for n in range(50):
        add_method(payops, customer, payment_token=f"tok_{n}")
    answer = ask(payops, "POST", f"/customers/{customer}/payment-methods", CARD)

    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert len(ask(payops, "GET", f"/customers/{customer}/payment-methods").json) == 50


@pytest.mark.parametrize("members, field", [
    ({"gateway": None}, "gateway"), ({"gateway": "nowhere"}, "gateway"), ({"gateway": "Alpha"}, "gateway"),
    ({"payment_token": None}, "payment_token"), ({"payment_token": CARD_NUMBER}, "payment_token"),
    ({"payment_token": "4111111111111111"}, "payment_token"), ({"payment_token": "x" * 129}, "payment_token"),
    ({"payment_method": None}, "payment_method"), ({"payment_method": "cash"}, "payment_method"),
    ({"brand": "Visa Card"}, "brand"), ({"brand": "4111111111111111"}, "brand"), ({"brand": 1}, "brand"),
    ({"last4": "424"}, "last4"), ({"last4": "42424"}, "last4"), ({"last4": "x242"}, "last4"), ({"last4": 4242}, "last4"),
    ({"last4": "4111111111111111"}, "last4"),
    ({"expiry_month": 0}, "expiry_month"), ({"expiry_month": 13}, "expiry_month"), ({"expiry_month": 1.5}, "expiry_month"),
    ({"expiry_month": "x"}, "expiry_month"), ({"expiry_month": True}, "expiry_month"), ({"expiry_month": None}, "expiry_month"),
    ({"expiry_year": 31}, "expiry_year"), ({"expiry_year": 2100}, "expiry_year"), ({"expiry_year": None}, "expiry_year"),
    ({"default": 1}, "default"), ({"default": "yes"}, "default"),
    ({"card_number": "4111111111111111"}, "card_number"), ({"number": "x"}, "number"), ({"cvc": "123"}, "cvc"),
], ids=lambda value: str(value)[:40])
def test_a_bad_payment_method_is_refused(payops, members, field):
    customer = add(payops).json["customer_id"]
    answer = ask(payops, "POST", f"/customers/{customer}/payment-methods", {**CARD, **members})

    assert fields(answer) == [field]
    assert b"4111" not in answer.body
    assert ask(payops, "GET", f"/customers/{customer}/payment-methods").json == []


def test_a_payment_method_is_deleted_for_good(payops):
    customer = add(payops).json["customer_id"]
    path = add_method(payops, customer).headers["location"]

    assert ask(payops, "DELETE", path, headers={"If-Match": '"7"'}).status == 412
    assert ask(payops, "DELETE", path, headers={"If-Match": '"1"'}).status == 204
    assert [ask(payops, verb, path).status for verb in ("GET", "DELETE")] == [404, 404]
    assert ask(payops, "GET", f"/customers/{customer}/payment-methods").json == []
    add_method(payops, customer)


# --- keys ---

def keyed(payops, path, body, key, merchant=SHOP, **headers):
    return ask(payops, "POST", path, body, merchant, headers={"Idempotency-Key": key, **headers})


def same_answer(first, again):
    assert (first.status, again.status, again.body) == (201, 201, first.body), again.body
    assert again.headers["location"] == first.headers["location"]
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")


def reused(answer):
    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused"), answer.body
    return sorted(error["field"] for error in answer.json["errors"])


@pytest.mark.parametrize("given", [True, False])
def test_a_key_adds_one_customer(payops, given):
    key, body = unique("key"), {**ANA, **({"customer_id": unique("cust")} if given else {})}
    first = keyed(payops, "/customers", body, key)
    again = keyed(payops, "/customers", dict(reversed(body.items())), f'"{key}"')
    same_answer(first, again)
    assert again.headers["etag"] == first.headers["etag"]
    assert reused(keyed(payops, "/customers", {**body, "name": "B", "address": None}, key)) == ["address", "name"]
    keyed(payops, "/customers", body, key, OTHER)

    path = first.headers["location"]
    assert ask(payops, "PATCH", path, {"name": "Changed"}).status == 200
    again = keyed(payops, "/customers", body, key)
    same_answer(first, again)
    assert "etag" not in again.headers  # it is not that version any more
    assert ask(payops, "GET", path).json["name"] == "Changed"
    assert payops.sql("SELECT COUNT(*) FROM customer WHERE idempotency_hash = (SELECT idempotency_hash FROM customer "
                      f"WHERE merchant = '{SHOP}' AND customer = '{first.json['customer_id']}')") == [["1"]]
    assert ask(payops, "DELETE", path).status == 204
    assert payops.sql("SELECT COUNT(idempotency_hash), COUNT(request_hashes) FROM customer WHERE customer = "
                      f"'{first.json['customer_id']}' AND merchant = '{SHOP}'") == [["0", "0"]]
    assert keyed(payops, "/customers", body, key).status == 201


def test_a_key_adds_one_payment_method(payops):
    customer, other = (add(payops).json["customer_id"] for _ in range(2))
    key, path = unique("key"), f"/customers/{customer}/payment-methods"
    first = keyed(payops, path, CARD, key)
    same_answer(first, keyed(payops, path, CARD, key))
    assert reused(keyed(payops, path, {**CARD, "payment_token": "tok_sync", "expiry_year": 2032}, key)) == [
        "expiry_year", "payment_token"]
    assert reused(keyed(payops, f"/customers/{other}/payment-methods", CARD, key)) == []

    add_method(payops, customer, payment_token="tok_sync", default=True)
    again = keyed(payops, path, CARD, key)
    same_answer(first, again)
    assert "etag" not in again.headers and again.json["default"] is True
    assert [one["default"] for one in ask(payops, "GET", path).json] == [True, False]


def test_a_refusal_leaves_the_key_free(payops):
    customer, key = add(payops).json["customer_id"], unique("key")
    path = f"/customers/{customer}/payment-methods"

    assert keyed(payops, "/customers", {"country": "XX"}, key).status == 422
    assert keyed(payops, "/customers", {"customer_id": customer}, key).status == 409
    same_answer(keyed(payops, "/customers", ANA, key), keyed(payops, "/customers", ANA, key))
    assert keyed(payops, path, {**CARD, "last4": "x"}, key).status == 422
    assert keyed(payops, "/customers/nobody/payment-methods", CARD, key).status == 404
    same_answer(keyed(payops, path, CARD, key), keyed(payops, path, CARD, key))
    for bad in ("a,b", "x" * 256, "\"", "4111111111111111"):
        assert keyed(payops, "/customers", {}, bad).status in (400, 422)


def test_with_one_key_at_once_one_is_added(payops):
    key, customer = unique("key"), add(payops).json["customer_id"]
    for path, body in (("/customers", ANA), (f"/customers/{customer}/payment-methods", CARD)):
        answers = together(8, lambda n: keyed(payops, path, body, key))
        assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
        assert ["idempotency-replayed" in answer.headers for answer in answers].count(False) == 1


def test_a_key_means_the_same_in_xml(payops):
    key = unique("key")
    raw = tree.tostring(element("customer", ANA))
    first = keyed(payops, "/customers", ANA, key)
    same_answer(first, keyed(payops, "/customers", raw, key, **{"Content-Type": "application/xml",
                                                               "Accept": "application/json"}))


# --- XML ---

def element(name, value):
    made = tree.Element(name)
    if isinstance(value, dict):
        made.extend(element(member, inner) for member, inner in value.items())
    else:
        made.text = str(value) if value is not None else None
    return made


def test_the_same_in_xml(payops):
    def send(method, path, body=None):
        headers = {"Accept": "application/xml", **({"Content-Type": "application/xml"} if body else {})}
        raw = tree.tostring(element("request", body)) if body else None
        answer = ask(payops, method, path, raw, headers=headers)
        return answer, tree.fromstring(answer.body)

    customer = unique("cust")
    answer, read = send("POST", "/customers", {"customer_id": customer, **ANA})
    assert (answer.status, answer.headers["content-type"], read.tag) == (201, "application/xml", "response")
    assert (read.findtext("name"), read.findtext("address/city"), read.findtext("metadata/tier")) == (
        ANA["name"], "Jakarta", "silver")
    assert ask(payops, "GET", f"/customers/{customer}").json["email"] == ANA["email"]
    answer, read = send("PATCH", f"/customers/{customer}", {"name": None, "address": {"city": "Bandung"}})
    assert (read.findtext("name"), read.findtext("address/city")) == ("", "Bandung")
    answer, read = send("POST", f"/customers/{customer}/payment-methods", {**CARD, "default": "false"})
    assert answer.status == 201, answer.body
    assert (read.findtext("expiry_month"), read.findtext("default")) == ("12", "false")
    _, read = send("GET", f"/customers/{customer}/payment-methods")
    assert (read.tag, [item.tag for item in read]) == ("payment-methods", ["payment-method"])
    _, read = send("GET", "/customers?limit=2")
    assert (read.tag, [item.tag for item in read]) == ("customers", ["customer"] * 2)
    answer, read = send("POST", "/customers", {"name": "x" * 121, "country": "XX"})
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+xml")


# --- erasure ---

def canaries():
    """Words that stand nowhere else, in each member."""
    words = [unique(name) for name in ("name", "mail", "lineone", "linetwo", "town", "state", "post", "memo", "token")]
    name, mail, line1, line2, city, state, post, memo, token = words
    profile = {"name": name, "email": f"{mail}@shop.example", "phone": "+62 899 7654 321", "country": "ID",
               "address": {"line1": line1, "line2": line2, "city": city, "state": state, "postal_code": post[:20]},
               "date_of_birth": "1971-03-04", "metadata": {"memo": memo}}
    return profile, token.replace("-", "_"), [*words[:6], post[:20], memo, token.replace("-", "_")]


def database_bytes(payops):
    """Every file of the database, and its dump."""
    payops.sql("FLUSH TABLES")
    files = [file for file in (payops.dir / "db").rglob("*") if file.is_file()]
    assert any(file.name == "customer.ibd" for file in files)
    return [file.read_bytes() for file in files]


def test_nothing_personal_is_in_clear_in_database_or_log_before_or_after_erasure(payops):
    profile, token, words = canaries()
    customer = unique("cust")
    path = add(payops, customer_id=customer, **profile).headers["location"]
    add_method(payops, customer, payment_token=token, last4="9876")
    assert ask(payops, "PATCH", path, {"metadata": {"memo2": words[0]}}).status == 200
    rows = payops.sql(f"SELECT HEX(email_hash), HEX(phone_hash), HEX(profile_sealed) FROM customer WHERE "
                      f"customer = '{customer}'", binary=True)
    assert all(cell != "NULL" for cell in rows[0])
    found = [word for raw in database_bytes(payops) for word in (*words, "1971-03-04", "899 7654 321")
             if word.encode() in raw]
    assert found == []
    log = payops.log_bytes()
    assert [word for word in words if word.encode() in log] == []


def test_erasing_leaves_money_rows_and_nothing_else(payops):
    profile, token, words = canaries()
    customer = unique("cust")
    path = add(payops, customer_id=customer, **profile).headers["location"]
    method = add_method(payops, customer, payment_token=token).headers["location"]
    paid = payops.pay(customer_id=customer, merchant=SHOP).json["transaction_id"]
    payops.await_status(paid, "completed", merchant=SHOP)

    assert (ask(payops, "DELETE", path).status, ask(payops, "DELETE", path).status) == (204, 404)
    for verb, where, body in (("GET", path, None), ("PATCH", path, {}), ("GET", method, None), ("DELETE", method, None),
                              ("GET", f"{path}/payment-methods", None), ("POST", f"{path}/payment-methods", CARD)):
        assert ask(payops, verb, where, body).status == 404, (verb, where)
    row = payops.sql("SELECT status, COALESCE(country, profile_sealed, metadata_sealed, key_id, email_hash, phone_hash), "
                     f"HEX(id) FROM customer WHERE customer = '{customer}'")[0]
    assert row[:2] == ["erased", "NULL"]
    assert payops.sql(f"SELECT COUNT(*) FROM payment_method WHERE customer_row = x'{row[2]}'") == [["0"]]
    assert ask(payops, "GET", f"/customers?email={words[1]}@shop.example").json == []
    listed = payops.get(f"/customers/{customer}/transactions", merchant=SHOP)
    assert [one["transaction_id"] for one in listed.json] == [paid]
    assert payops.get(f"/transactions/{paid}", merchant=SHOP).json["customer_id"] == customer
    again = add(payops, customer_id=customer, name="New")
    assert (again.json["name"], again.json["email"], again.headers["etag"]) == ("New", None, '"3"')
    assert ask(payops, "GET", f"{path}/payment-methods").json == []


def test_a_payments_sealed_token_is_wiped_when_it_is_final(payops):
    def sealed(transaction_id):
        return payops.sql("SELECT COUNT(payment_token_sealed) + COUNT(payment_token_key_id) FROM operation WHERE "
                          f"transaction_id = {sql_id(transaction_id)}") == [["0"]]

    done = payops.pay().json["transaction_id"]
    failed = payops.pay("tok_decline_insufficient_funds").json["transaction_id"]
    waiting = payops.pay(process="manual").json["transaction_id"]
    assert not sealed(waiting)
    assert payops.request("POST", f"/transactions/{waiting}/cancel", token=payops.token()).status == 200
    for transaction_id, status in ((done, "completed"), (failed, "failed"), (waiting, "cancelled")):
        payops.await_status(transaction_id, status)
        assert sealed(transaction_id), status
    scope = "payments:read payments:write refunds:write"
    answer = payops.request("POST", f"/transactions/{done}/refunds", {"amount": 10, "payment_token": "tok_ok"},
                            {"Idempotency-Key": unique("wiped")}, payops.token(scope=scope))
    assert answer.status == 201, answer.body
    refund = f"/refunds/{answer.json['refund_id']}"
    while payops.get(refund).json["status"] not in ("succeeded", "failed"):
        pass
    assert sealed(done)


# --- what is sealed elsewhere, or was changed ---

def test_a_row_that_does_not_open_is_an_error_and_never_wrong_data(payops):
    shop = unique("broken")
    payops.add_merchant(shop)
    for name in ("a", "b"):
        add(payops, shop, customer_id=name, name=f"name of {name}", metadata={"x": name})
    one, two = payops.sql(f"SELECT id, profile_sealed, metadata_sealed FROM customer WHERE merchant = '{shop}' ORDER BY "
                          "customer", binary=True)

    def change(column, value):
        payops.sql(f"UPDATE customer SET {column} = {value} WHERE id = {one[0]}")

    for column, bad, good in (("profile_sealed", two[1], one[1]), ("metadata_sealed", two[2], one[2]),
                              ("metadata_sealed", one[1], one[2]), ("profile_sealed", one[1][:-2] + "00", one[1]),
                              ("profile_sealed", "x'00'", one[1]), ("key_id", "'gone'", "'dev-1'")):
        change(column, bad)
        for answer in (ask(payops, "GET", "/customers/a", merchant=shop), ask(payops, "GET", "/customers", merchant=shop),
                       ask(payops, "PATCH", "/customers/a", {"name": "x"}, shop)):
            assert (answer.status, answer.json["code"]) == (500, "crypto_error"), column
            assert b"name of" not in answer.body
        change(column, good)
        assert ask(payops, "GET", "/customers/a", merchant=shop).json["name"] == "name of a"
    said = [line for line in payops.log_lines() if line["msg"] == "a customer's sealed profile does not open"]
    assert {line["why"] for line in said} >= {"its key is not in seal_keys",
                                              "it was changed, or sealed with another key"}
