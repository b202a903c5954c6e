# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /refunds: what each filter lets pass, how pages join, what is refused, and whose refunds they are."""
import itertools
import re
import urllib.parse

import pytest

from support import unique, until

SHOP = "refundlistshop"
OTHER = "refundlistother"
PAYMENTS = [  # each is refunded in three parts
    {"customer_id": "ann", "currency": "USD", "payment_method": "credit_card"},
    {"customer_id": "ann", "currency": "IDR", "payment_method": "qris"},
    {"customer_id": "bob", "currency": "IDR", "payment_method": "bank_transfer"},
]
PARTS = ({"amount": 100}, {"amount": 200, "payment_token": "tok_decline_generic"}, {"amount": 300})
SCOPES = "payments:read payments:write refunds:write"


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    for merchant in (SHOP, OTHER):
        shared.add_merchant(merchant)
    return shared


@pytest.fixture(scope="module")
def refunded(payops):
    """Each refund as it is now that it is over, the oldest first, with what is its payment's."""
    token = payops.token(SHOP, SCOPES)
    paid = [payops.pay("tok_ok", merchant=SHOP, **payment).json["transaction_id"] for payment in PAYMENTS]
    for one in paid:
        payops.await_status(one, "completed", merchant=SHOP)
    made = []
    for part, (number, transaction) in itertools.product(PARTS, enumerate(paid)):
        answer = payops.request("POST", f"/transactions/{transaction}/refunds", part,
                                {"Idempotency-Key": unique("refundlist-")}, token)
        assert answer.status == 201, answer.body
        made.append((answer.json["refund_id"], PAYMENTS[number]))
    shown = []
    for refund_id, payment in made:
        read = lambda one=refund_id: payops.get(f"/refunds/{one}", merchant=SHOP).json  # noqa: E731
        until(lambda: read()["next_action"] is None, what="the refund")
        shown.append((read(), payment))
    return shown


def next_of(answer):
    link = answer.headers.get("link")
    found = link and re.fullmatch(r'<(/[^>]*)>; rel="next"', link)
    assert link is None or found, link
    return found.group(1) if link else None


def walk(payops, path, merchant=SHOP):
    seen = []
    while path is not None:
        answer = payops.get(path, merchant=merchant)
        assert answer.status == 200, answer.body
        seen += answer.json
        path = next_of(answer)
    return seen


def ids(refunds):
    return [one["refund_id"] for one in refunds]


def test_list_shows_the_same_as_each_refund_newest_first(payops, refunded):
    listed = payops.get("/refunds", merchant=SHOP)

    assert listed.status == 200 and listed.headers["content-type"] == "application/json"
    assert listed.json == [one for one, _ in refunded[::-1]]
    assert next_of(listed) is None
    assert {one["status"] for one in listed.json} == {"succeeded", "failed"}


FILTERS = {
    "status=succeeded": lambda one, payment: one["status"] == "succeeded",
    "status=failed,parked": lambda one, payment: one["status"] == "failed",
    "status=pending": lambda one, payment: False,
    "currency=IDR": lambda one, payment: payment["currency"] == "IDR",
    "method=qris": lambda one, payment: payment["payment_method"] == "qris",
    "gateway=alpha": lambda one, payment: one["gateway"] == "alpha",
    "gateway=nowhere": lambda one, payment: False,
    "customer_id=bob": lambda one, payment: payment["customer_id"] == "bob",
}


@pytest.mark.parametrize("names", [pair for size in (1, 2) for pair in itertools.combinations(FILTERS, size)
                                   if len({name.split("=")[0] for name in pair}) == size], ids="&".join)
def test_filters_let_pass_what_they_say_in_every_combination(payops, refunded, names):
    wanted = [one for one, payment in refunded[::-1] if all(FILTERS[name](one, payment) for name in names)]

    assert ids(walk(payops, "/refunds?limit=2&" + "&".join(names))) == ids(wanted)


def test_from_is_in_the_list_and_to_is_not(payops, refunded):
    begin, end = refunded[2][0]["created_at"], refunded[6][0]["created_at"]

    assert ids(walk(payops, f"/refunds?limit=2&from={begin}&to={end}")) == ids(
        one for one, _ in refunded[2:6][::-1])


@pytest.mark.parametrize("limit", [1, 2, 8, 9, 200])
def test_pages_join_without_loss_or_repeat(payops, refunded, limit):
    assert ids(walk(payops, f"/refunds?limit={limit}")) == ids(one for one, _ in refunded[::-1])


def test_another_merchant_sees_nothing_of_it(payops, refunded):
    assert payops.get("/refunds", merchant=OTHER).json == []
    assert payops.get("/refunds?customer_id=ann", merchant=OTHER).json == []


def test_cursor_fits_only_the_list_it_came_from(payops, refunded):
    link = next_of(payops.get("/refunds?limit=2&status=succeeded", merchant=SHOP))
    cursor = urllib.parse.parse_qs(link.partition("?")[2])["after"][0]

    assert payops.get(f"/refunds?status=succeeded&limit=5&after={cursor}", merchant=SHOP).status == 200
    for query in (f"after={cursor}", f"status=failed&after={cursor}", f"status=succeeded&currency=IDR&after={cursor}",
                  f"status=succeeded&after={cursor[:-1]}", "status=succeeded&after=AAAA", "after="):
        answer = payops.get(f"/refunds?{query}", merchant=SHOP)
        assert (answer.status, answer.json["code"]) == (400, "invalid_query"), query
    assert payops.get(f"/refunds?status=succeeded&after={cursor}", merchant=OTHER).status == 400
    plain = urllib.parse.parse_qs(next_of(payops.get("/refunds?limit=2", merchant=SHOP)).partition("?")[2])["after"][0]
    assert payops.get(f"/transactions?after={plain}", merchant=SHOP).status == 400


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "status=", "status=completed", "status=failed,failed",
                                   "status=Failed", "from=yesterday", "to=1", "currency=usd", "method=cash",
                                   "gateway=Alpha", "customer_id=a%20b", "kind=payment", "transaction_id=1", "q=1",
                                   "limit=5&limit=5"])
def test_what_is_not_understood_is_refused_never_passed_over(payops, query):
    answer = payops.get(f"/refunds?{query}", merchant=SHOP)

    assert (answer.status, answer.json["code"]) == (400, "invalid_query")
    assert answer.json["detail"].endswith(".")


def test_list_needs_its_scope(payops):
    assert payops.request("GET", "/refunds", token=payops.token(SHOP, "refunds:write")).status == 403
    assert payops.request("GET", "/refunds").status == 401
