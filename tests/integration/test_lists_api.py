# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of transactions: what each filter lets pass, how pages join, and what is refused."""
import itertools
import re
import urllib.parse

import pytest

SHOP = "listshop"
OTHER = "listother"
PAYMENTS = [  # what differs; every other member is as in Instance.pay()
    {"customer_id": "ann", "currency": "USD", "payment_method": "credit_card"},
    {"customer_id": "ann", "currency": "IDR", "payment_method": "qris"},
    {"customer_id": "bob", "currency": "IDR", "payment_method": "bank_transfer"},
    {"customer_id": "bob", "currency": "USD", "payment_method": "credit_card",
     "payment_token": "tok_decline_insufficient_funds"},
    {"customer_id": "bob", "currency": "EUR", "payment_method": "credit_card", "process": "manual"},
]
TIMES = 4  # of each


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    for merchant in (SHOP, OTHER):
        shared.add_merchant(merchant)
    return shared


@pytest.fixture(scope="module")
def paid(payops):
    """What was paid, the oldest first, as each payment is now that it is over or waits to be started."""
    ids = []
    for payment in PAYMENTS * TIMES:
        members = dict(payment)
        answer = payops.pay(members.pop("payment_token", "tok_ok"), merchant=SHOP, **members)
        assert answer.status == 201, answer.body
        ids.append(answer.json["transaction_id"])
    shown = []
    for number, transaction_id in enumerate(ids):
        wanted = "pending" if PAYMENTS[number % len(PAYMENTS)].get("process") else ("completed", "failed")
        shown.append(payops.await_status(transaction_id, wanted, merchant=SHOP))
    yield shown
    for one in shown:
        if one["status"] == "pending":
            assert payops.request("POST", f"/transactions/{one['transaction_id']}/cancel",
                                  token=payops.token(SHOP)).status == 200


def next_of(answer):
    link = answer.headers.get("link")
    if link is None:
        return None
    found = re.fullmatch(r'<(/[^>]*)>; rel="next"', link)
    assert found, link
    return found.group(1)


def walk(payops, path, merchant=SHOP):
    """All of a list, page by page."""
    seen = []
    while path is not None:
        answer = payops.get(path, merchant=merchant)
        assert answer.status == 200, answer.body
        seen += answer.json
        path = next_of(answer)
    return seen


def ids(transactions):
    return [one["transaction_id"] for one in transactions]


def test_list_shows_the_same_as_each_object_newest_first(payops, paid):
    listed = payops.get("/transactions", merchant=SHOP)

    assert listed.status == 200 and listed.headers["content-type"] == "application/json"
    assert listed.json == paid[::-1]
    assert next_of(listed) is None


FILTERS = {
    "status=completed": lambda one: one["status"] == "completed",
    "status=failed,pending": lambda one: one["status"] in ("failed", "pending"),
    "status=parked": lambda one: False,
    "currency=IDR": lambda one: one["currency"] == "IDR",
    "method=credit_card": lambda one: one["payment_method"] == "credit_card",
    "gateway=alpha": lambda one: one["gateway"] == "alpha",
    "gateway=nowhere": lambda one: False,
    "kind=payment": lambda one: True,
    "kind=deposit": lambda one: False,
    "customer_id=bob": lambda one: one["customer_id"] == "bob",
}


@pytest.mark.parametrize("names", [pair for size in (1, 2) for pair in itertools.combinations(FILTERS, size)
                                   if len({name.split("=")[0] for name in pair}) == size], ids="&".join)
def test_filters_let_pass_what_they_say_in_every_combination(payops, paid, names):
    wanted = [one for one in paid[::-1] if all(FILTERS[name](one) for name in names)]

    assert ids(walk(payops, "/transactions?limit=3&" + "&".join(names))) == ids(wanted)


def test_all_filters_together_and_on_a_customers_own_list(payops, paid):
    every = "status=completed&currency=USD&method=credit_card&gateway=alpha&kind=payment&from=2020-01-01T00:00:00Z" \
            "&to=2099-01-01T00:00:00.5Z"
    wanted = ids(one for one in paid[::-1] if one["customer_id"] == "ann" and one["currency"] == "USD")

    assert len(wanted) == TIMES
    assert ids(walk(payops, f"/transactions?limit=1&customer_id=ann&{every}")) == wanted
    assert ids(walk(payops, f"/customers/ann/transactions?limit=1&{every}")) == wanted
    assert "customer_id" not in payops.get(f"/customers/ann/transactions?{every}", merchant=SHOP).json[0]


def test_from_is_in_the_list_and_to_is_not(payops, paid):
    begin, end = paid[3]["created_at"], paid[11]["created_at"]

    assert ids(walk(payops, f"/transactions?limit=3&from={begin}&to={end}")) == ids(paid[3:11][::-1])
    assert ids(walk(payops, f"/transactions?to={begin}")) == ids(paid[:3][::-1])
    assert ids(walk(payops, f"/transactions?from={end}")) == ids(paid[11:][::-1])
    assert walk(payops, f"/transactions?from={begin}&to={begin}") == []


@pytest.mark.parametrize("narrowed", ["", "&gateway=alpha", "&status=completed", "&customer_id=ann", "&currency=USD"])
def test_nothing_is_before_the_first_of_all_times(payops, paid, narrowed):
    assert walk(payops, f"/transactions?to=1970-01-01T00:00:00Z{narrowed}") == []
    assert walk(payops, f"/transactions?from=9999-12-31T23:59:59Z{narrowed}") == []


@pytest.mark.parametrize("limit", [1, 2, 7, 19, 20, 200])
def test_pages_join_without_loss_or_repeat(payops, paid, limit):
    assert ids(walk(payops, f"/transactions?limit={limit}")) == ids(paid[::-1])


def test_another_merchant_sees_nothing_of_it(payops, paid):
    assert payops.get("/transactions", merchant=OTHER).json == []
    assert payops.get("/transactions?customer_id=ann", merchant=OTHER).json == []


def test_cursor_fits_only_the_list_it_came_from(payops, paid):
    link = next_of(payops.get("/transactions?limit=2&status=completed&currency=USD", merchant=SHOP))
    cursor = urllib.parse.parse_qs(link.partition("?")[2])["after"][0]
    fits = f"status=completed&currency=USD&limit=5&after={cursor}"
    strange = [
        f"after={cursor}", f"status=completed&after={cursor}", f"status=completed&currency=IDR&after={cursor}",
        f"status=completed,failed&currency=USD&after={cursor}", f"{fits}&kind=payment", f"{fits}&customer_id=ann",
        f"{fits}&from=1970-01-01T00:00:01Z", f"{fits}&to=2099-01-01T00:00:00Z", f"{fits}&gateway=alpha",
        f"{fits}&method=credit_card", f"status=completed&currency=USD&after={cursor[:-1]}",
        f"status=completed&currency=USD&after={'A' if cursor[0] != 'A' else 'B'}{cursor[1:]}",
        "status=completed&currency=USD&after=", "status=completed&currency=USD&after=AAAA",
    ]

    assert payops.get(f"/transactions?{fits}", merchant=SHOP).status == 200
    for query in strange:
        answer = payops.get(f"/transactions?{query}", merchant=SHOP)
        assert (answer.status, answer.json["code"]) == (400, "invalid_query"), query
    for path, merchant in ((f"/customers/ann/transactions?{fits}", SHOP), (f"/transactions?{fits}", OTHER)):
        assert payops.get(path, merchant=merchant).status == 400


BAD = ["limit=0", "limit=201", "limit=x", "limit=", "status=", "status=done", "status=Completed", "status=completed,",
       "status=,completed", "status=completed,completed", "status=completed%20", "from=", "from=yesterday",
       "from=2026-01-01", "from=2026-02-30T00:00:00Z", "from=2026-01-01T00:00:00", "from=2026-01-01T00:00:00+01:00",
       "from=2026-01-01T00:00:00.1234567Z", "from=0", "to=1", "to=2026-01-01T25:00:00Z", "currency=", "currency=usd",
       "currency=XXX1", "currency=USD,EUR", "method=", "method=cash", "method=Credit_card", "gateway=", "gateway=Alpha",
       "gateway=a'b", "gateway=" + "a" * 33, "kind=", "kind=payments", "customer_id=", "customer_id=a%20b",
       "customer_id=" + "c" * 65, "customer_id=%C3%A9", "stauts=completed", "status=completed&status=failed",
       "customer=ann", "limit=5&limit=5", "q=1", "Status=completed", "offset=1"]


@pytest.mark.parametrize("query", BAD)
def test_what_is_not_understood_is_refused_never_passed_over(payops, query):
    answer = payops.get(f"/transactions?{query}", merchant=SHOP)

    assert (answer.status, answer.json["code"]) == (400, "invalid_query")
    assert answer.json["detail"].endswith(".")
    if not query.startswith("customer_id"):
        answer = payops.get(f"/customers/ann/transactions?{query}", merchant=SHOP)
        assert (answer.status, answer.json["code"]) == (400, "invalid_query")


def test_customer_of_the_path_is_no_filter_too(payops):
    assert payops.get("/customers/ann/transactions?customer_id=ann", merchant=SHOP).status == 400


def test_link_holds_filters_of_any_length_or_they_are_refused_at_once(payops):
    customer = ("!#$%&()*+/;<=>?@[]^`{|}~" * 3)[:64]
    for _ in range(2):
        payops.pay(merchant=SHOP, customer_id=customer)
    encoded = urllib.parse.quote(customer, safe="")
    most = "status=pending,processing,authorised,completed,failed,cancelled,parked&kind=payment&currency=USD" \
           "&method=credit_card&from=2020-01-01T00:00:00.000001Z&to=2099-01-01T00:00:00.000001Z"
    own = payops.get(f"/customers/{encoded}/transactions?limit=1&{most}", merchant=SHOP)
    link = re.fullmatch(r'<([^>]*)>; rel="next"', own.headers["link"]).group(1)
    joined = urllib.parse.urljoin(f"http://x/customers/{encoded}/transactions?a", link)
    follow = payops.get(joined.removeprefix("http://x"), merchant=SHOP)
    short = walk(payops, f"/transactions?limit=1&customer_id={encoded}")
    long = payops.get(f"/transactions?limit=1&customer_id={encoded}&{most}", merchant=SHOP)

    assert len(short) == 2
    assert follow.status == 200 and len(follow.json) == 1 and follow.json != own.json
    assert long.status == 400 and "too long" in long.json["detail"]


def test_list_needs_its_scope(payops):
    write_only = payops.token(SHOP, "payments:write")

    assert payops.request("GET", "/transactions", token=write_only).status == 403
    assert payops.request("GET", "/transactions").status == 401
