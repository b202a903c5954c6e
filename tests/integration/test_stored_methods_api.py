# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Payments, deposits and withdrawals with a payment method that is kept: at the gateway that knows it, and nowhere else."""
import concurrent.futures
import time
import xml.etree.ElementTree as tree

import pytest

from support import sql_id, unique, until

SCOPE = "payments:read payments:write payouts:write refunds:write customers:read customers:write"
SHOP, OTHER = "storedshop", "storedother"
CARD = {"gateway": "gamma", "payment_token": "tok_sync", "payment_method": "credit_card", "last4": "4242",
        "expiry_month": 12, "expiry_year": 2099}
IMPATIENT_S = 2    # Request-Timeout
MARGIN_S = 2
PAYMENT = {"amount": 1000, "currency": "USD", "payment_method": "credit_card"}
TRANSFER = {"amount": "100.50", "currency": "USD"}
ROUTES = f"""
routes = (
    {{ name = "stored"; merchants = "{SHOP}, {OTHER}"; gateways = "alpha, beta, gamma"; }},
    {{ name = "default"; gateways = "alpha"; }}
);
"""


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.heal()
    for merchant in (SHOP, OTHER):
        shared.add_merchant(merchant)
    etc = shared.dir / "etc" / "payops"
    path = etc / "routes-of-stored-methods.conf"
    path.write_text(ROUTES)
    apply(shared, path, ["stored", "default"])
    yield shared
    apply(shared, etc / "routes.conf", ["default"])


def ctl(payops, *words):
    return payops.ctl(*words, "--config", str(payops.config), "--database-user", "root")


def apply(payops, path, rules):
    def in_force():
        answer = payops.request("POST", "/routes/explain", {"currency": "JPY"}, token=payops.token())
        return [rule["rule"] for rule in answer.json["rules"]]

    ctl(payops, "route", "apply", str(path))
    until(lambda: in_force() == rules, 5, "the rules in force")


def ask(payops, method, path, body=None, merchant=SHOP, **options):
    return payops.request(method, path, body, token=payops.token(merchant, SCOPE), **options)


def kept(payops, merchant=SHOP, customer=None, **members):
    """(customer, payment method)"""
    if customer is None:
        customer = ask(payops, "POST", "/customers", {"customer_id": unique("kept")}, merchant).json["customer_id"]
    answer = ask(payops, "POST", f"/customers/{customer}/payment-methods", {**CARD, **members}, merchant)
    assert answer.status == 201, answer.body
    return customer, answer.json["payment_method_id"]


def pay(payops, customer, method, key=None, merchant=SHOP, **members):
    body = {**PAYMENT, "customer_id": customer, "payment_method_id": method, **members}
    return ask(payops, "POST", "/transactions", body, merchant, headers={"Idempotency-Key": key} if key else None)


def paid(payops, *words, **members):
    answer = pay(payops, *words, **members)
    assert answer.status == 201, answer.body
    return answer.json["transaction_id"]


def gateways(payops, transaction_id):
    return [one["gateway"] for one in ask(payops, "GET", f"/transactions/{transaction_id}/attempts").json]


def errors(answer):
    assert (answer.status, answer.json["code"]) == (422, "validation_failed"), answer.body
    return [(error["field"], error["code"]) for error in answer.json["errors"]]


def count(payops):
    return payops.sql(f"SELECT COUNT(*) FROM transaction WHERE merchant = '{SHOP}'")


@pytest.mark.parametrize("gateway", ["alpha", "beta", "gamma"])
def test_a_payment_goes_to_the_gateway_that_knows_the_method(payops, gateway):
    customer, method = kept(payops, gateway=gateway)
    transaction_id = paid(payops, customer, method)

    shown = payops.await_status(transaction_id, "completed", merchant=SHOP)
    assert (shown["gateway"], shown["payment_method_id"]) == (gateway, method)
    assert gateways(payops, transaction_id) == [gateway]
    assert payops.sql("SELECT COUNT(payment_token_sealed), token_gateway FROM operation WHERE transaction_id = "
                      f"{sql_id(transaction_id)}") == [["0", gateway]]


def test_the_token_stays_secret(payops):
    token = unique("tok_ok").replace("-", "_") + "@nowhere"
    customer, method = kept(payops, gateway="alpha", payment_token=token)
    transaction_id = paid(payops, customer, method, process="manual")
    answers = [ask(payops, "GET", f"/transactions/{transaction_id}{below}")
               for below in ("", "/events", "/attempts", "/why")]

    assert {answer.status for answer in answers} == {200}
    assert [answer for answer in answers if token.encode() in answer.body] == []
    assert token.encode() not in payops.log_bytes()
    sealed = payops.sql(f"SELECT o.payment_token_sealed = m.token_sealed, o.payment_token_sealed LIKE '%{token}%' FROM "
                        "operation o JOIN payment_method m ON m.id = o.payment_method_id WHERE o.transaction_id = "
                        f"{sql_id(transaction_id)}")
    assert sealed == [["0", "0"]]  # sealed anew, for its own row
    assert ask(payops, "POST", f"/transactions/{transaction_id}/cancel").status == 200
    assert payops.sql("SELECT COUNT(payment_token_sealed) FROM operation WHERE transaction_id = "
                      f"{sql_id(transaction_id)}") == [["0"]]


@pytest.mark.parametrize("gateway", ["alpha", "beta"])
def test_after_a_decline_it_goes_nowhere_else(payops, gateway):
    token = "tok_decline_card_not_supported"
    anywhere = paid(payops, "nobody", None, payment_token=token)
    customer, method = kept(payops, gateway=gateway, payment_token=token)
    transaction_id = paid(payops, customer, method)

    for one in (anywhere, transaction_id):
        payops.await_status(one, "failed", merchant=SHOP)
    assert gateways(payops, anywhere) == ["alpha", "beta", "gamma"]  # what any gateway may have
    assert gateways(payops, transaction_id) == [gateway]


def test_a_gateway_that_is_away_is_tried_again_and_no_other(payops):
    customer, method = kept(payops, gateway="beta")
    payops.mode("down", gateway="beta")
    try:
        transaction_id = paid(payops, customer, method)
        until(lambda: gateways(payops, transaction_id), 10, "an attempt")
    finally:
        payops.mode("ok", gateway="beta")
    assert payops.await_status(transaction_id, "completed", merchant=SHOP)["gateway"] == "beta"
    assert set(gateways(payops, transaction_id)) == {"beta"}


def test_deposits_and_withdrawals_take_it_in_json_and_xml(payops):
    customer, method = kept(payops)
    made = []
    for path, status in (("/deposit", 202), ("/withdrawal", 202)):
        for as_xml in (False, True):
            body = {"user_id": customer, **TRANSFER, "payment_method_id": method}
            headers = {"Idempotency-Key": unique("key")}
            if as_xml:
                root = tree.Element("request")
                for name, value in body.items():
                    tree.SubElement(root, name).text = value
                body, headers = tree.tostring(root), {**headers, "Content-Type": "application/xml",
                                                      "Accept": "application/json"}
            answer = ask(payops, "POST", path, body, headers=headers)
            assert answer.status == status, answer.body
            made.append(answer.json["transaction_id"])
    for transaction_id in made:
        shown = payops.await_status(transaction_id, "completed", merchant=SHOP)
        assert (shown["gateway"], shown["payment_method_id"], shown["amount"]) == ("gamma", method, "100.50")


def test_an_authorisation_is_captured_and_refunded_where_it_was_made(payops):
    customer, method = kept(payops, gateway="beta")
    transaction_id = paid(payops, customer, method, capture="manual")
    payops.await_status(transaction_id, "authorised", merchant=SHOP)
    key = {"Idempotency-Key": unique("key")}
    assert ask(payops, "POST", f"/transactions/{transaction_id}/capture", {}, headers=key).status == 201
    payops.await_status(transaction_id, "completed", merchant=SHOP)
    key = {"Idempotency-Key": unique("key")}
    assert ask(payops, "POST", f"/transactions/{transaction_id}/refunds", {}, headers=key).status == 201
    until(lambda: ask(payops, "GET", f"/transactions/{transaction_id}").json["amount_refunded"] == 1000, 20, "the refund")
    assert set(gateways(payops, transaction_id)) == {"beta"}


def test_what_is_not_this_customers_is_refused_alike(payops):
    customer, method = kept(payops)
    stranger, foreign = kept(payops, OTHER)
    other, others = kept(payops)
    _, deleted = kept(payops, customer=customer, payment_token="tok_gone")
    assert ask(payops, "DELETE", f"/customers/{customer}/payment-methods/{deleted}").status == 204
    erased, gone = kept(payops)
    assert ask(payops, "DELETE", f"/customers/{erased}").status == 204
    before = count(payops)

    refusals = [pay(payops, *names) for names in (
        (customer, foreign), (stranger, foreign), (customer, others), (customer, deleted), (erased, gone),
        (unique("nobody"), method), (customer, "pm_00000000000000000000000000"), (customer, "pm_1"), (customer, "x"))]
    assert {tuple(errors(answer)) for answer in refusals} == {(("payment_method_id", "not_found"),)}
    assert len({(answer.json["title"], answer.json.get("detail"), answer.json["errors"][0]["message"])
                for answer in refusals}) == 1
    answer = pay(payops, customer, method, merchant=OTHER)
    assert errors(answer) == [("payment_method_id", "not_found")]
    assert count(payops) == before
    assert pay(payops, other, others).status == 201


@pytest.mark.parametrize("members, expected", [
    ({"payment_token": "tok_ok"}, ("payment_method_id", "not_allowed")),
    ({"payment_method": "paypal"}, ("payment_method", "differs")),
    ({"payment_method_id": ""}, ("payment_method_id", "wrong_length")),
    ({"payment_method_id": 7}, ("payment_method_id", "wrong_type")),
    ({"payment_method_id": "x" * 40}, ("payment_method_id", "wrong_length")),
    ({"payment_method_id": "4111111111111111"}, ("payment_method_id", "not_found")),
])
def test_what_does_not_go_with_it_is_refused(payops, members, expected):
    customer, method = kept(payops)
    before = count(payops)

    answer = ask(payops, "POST", "/transactions", {**PAYMENT, "customer_id": customer, "payment_method_id": method,
                                                  **members})
    assert errors(answer) == [expected]
    assert b"4111" not in answer.body
    assert count(payops) == before


def test_null_is_as_good_as_none(payops):
    assert pay(payops, "nobody", None, payment_token="tok_ok").status == 201
    customer, method = kept(payops)
    assert pay(payops, customer, method, payment_token=None).status == 201


def test_an_expired_card_is_refused(payops):
    now = payops.sql("SELECT YEAR(UTC_TIMESTAMP()), MONTH(UTC_TIMESTAMP())")[0]
    year, month = int(now[0]), int(now[1])
    customer, good = kept(payops, expiry_year=year, expiry_month=month)
    past = {"expiry_year": year - 1, "expiry_month": 12} if month == 1 else {"expiry_year": year, "expiry_month": month - 1}
    _, expired = kept(payops, customer=customer, payment_token="tok_old", **past)
    _, unknown = kept(payops, customer=customer, payment_token="tok_ok", expiry_year=None, expiry_month=None)

    assert errors(pay(payops, customer, expired)) == [("payment_method_id", "expired")]
    answer = ask(payops, "POST", "/deposit", {"user_id": customer, **TRANSFER, "payment_method_id": expired})
    assert errors(answer) == [("payment_method_id", "expired")]
    assert {pay(payops, customer, one).status for one in (good, unknown)} == {201}


def test_a_key_is_answered_though_the_method_is_gone(payops):
    customer, method = kept(payops)
    _, another = kept(payops, customer=customer, payment_token="tok_ok")
    key = unique("key")
    first = pay(payops, customer, method, key)
    assert first.status == 201
    other = pay(payops, customer, another, key)
    assert (other.json["code"], [error["field"] for error in other.json["errors"]]) == (
        "idempotency_key_reused", ["payment_method_id"])
    assert ask(payops, "DELETE", f"/customers/{customer}/payment-methods/{method}").status == 204

    again = pay(payops, customer, method, key)
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (201, first.body, "true")
    token = ask(payops, "POST", "/transactions", {**PAYMENT, "customer_id": customer, "payment_token": "tok_sync"},
                headers={"Idempotency-Key": key})
    assert sorted(error["field"] for error in token.json["errors"]) == ["payment_method_id", "payment_token"]
    assert pay(payops, customer, method, unique("key")).status == 422
    shown = payops.await_status(first.json["transaction_id"], "completed", merchant=SHOP)
    assert shown["payment_method_id"] == method


def test_what_its_gateway_does_not_take_has_no_route(payops):
    customer, method = kept(payops, gateway="gamma")
    taken = next(row for row in payops.get("/gateways").json if row["gateway"] == "gamma")
    assert taken["state"] == "enabled"
    waiting = paid(payops, customer, method, process="manual")
    ctl(payops, "gateway", "drain", "gamma", "--reason", "test")
    try:
        def refused():
            answer = pay(payops, customer, method)
            return answer.status == 422 and answer
        answer = until(refused, 5, "the refusal")
        assert answer.json["code"] == "no_route"
        assert "payment_method_id" in [error["field"] for error in answer.json["errors"]]
        # One that was taken before begins and fails in one step.
        assert ask(payops, "POST", f"/transactions/{waiting}/process", {}).status == 202
        assert payops.await_status(waiting, "failed", merchant=SHOP)["failure"]["code"] == "no_route"
    finally:
        ctl(payops, "gateway", "enable", "gamma", "--reason", "test")
    until(lambda: pay(payops, customer, method).status == 201, 5, "it is taken again")


def timed(payops, verb, path, body, **headers):
    begun = time.monotonic()
    answer = ask(payops, verb, path, body, headers={"Request-Timeout": str(IMPATIENT_S), **headers})
    return answer, time.monotonic() - begun


def test_a_stalled_database_holds_its_look_up_up_to_the_requests_deadline_and_no_longer(payops):
    customer, method = kept(payops)
    names = {"customer_id": customer, "payment_method_id": method}
    transfer = {"user_id": customer, **TRANSFER, "payment_method_id": method}
    requests = [("POST", "/transactions", {**PAYMENT, **names}, {}),
                ("POST", "/transactions", {**PAYMENT, **names}, {"Idempotency-Key": unique("key")}),
                ("POST", "/deposit", transfer, {}),
                ("POST", "/withdrawal", transfer, {"Idempotency-Key": unique("key")}),
                ("POST", "/withdrawal", transfer, {}),
                ("POST", "/routes/explain", {"currency": "USD", **names}, {}),
                ("GET", f"/customers/{customer}/payment-methods/{method}", None, {})]
    payops.sql(f"UPDATE merchant SET keyless_withdrawals = 1 WHERE merchant = '{SHOP}'")
    before = count(payops)

    with concurrent.futures.ThreadPoolExecutor(len(requests)) as clients, payops.stalled("database"):
        sent = [clients.submit(timed, payops, *words, **headers) for *words, headers in requests]
        refused = [one.result() for one in sent]
    until(payops.is_ready, 30, "readiness")

    for (_, path, _, headers), (answer, took) in zip(requests, refused):
        assert (answer.status, answer.json["code"]) == (503, "deadline_exceeded"), (path, headers, answer.body)
        assert int(answer.headers["retry-after"]) >= 1
        assert took < IMPATIENT_S + MARGIN_S, (path, headers)
    assert count(payops) == before
    for *words, headers in requests:
        answer = timed(payops, *words, **headers)[0]
        assert answer.status in (200, 201, 202), answer.body
        assert "idempotency-replayed" not in answer.headers


# --- where a payment with one would go ---

def explain(payops, merchant=SHOP, **members):
    return ask(payops, "POST", "/routes/explain", {"currency": "USD", **members}, merchant)


def candidates(answer):
    assert answer.status == 200, answer.body
    return {one["gateway"]: one["reason"] for one in answer.json["candidates"]}


@pytest.mark.parametrize("gateway", ["alpha", "beta", "gamma"])
def test_explain_says_that_only_the_methods_gateway_can_be_tried(payops, gateway):
    customer, method = kept(payops, gateway=gateway)

    told = candidates(explain(payops, customer_id=customer, payment_method_id=method))

    assert told == {name: None if name == gateway else "payment_token" for name in ("alpha", "beta", "gamma")}
    assert set(candidates(explain(payops, customer_id=customer)).values()) == {None}


def test_explain_takes_how_it_is_paid_and_where_from_the_customer(payops):
    customer = unique("kept")
    assert ask(payops, "POST", "/customers", {"customer_id": customer, "country": "ID"}).status == 201
    _, method = kept(payops, customer=customer, gateway="gamma", payment_method="ewallet")
    etc = payops.dir / "etc" / "payops"
    path = etc / "routes-of-explained-methods.conf"
    path.write_text(ROUTES.replace("routes = (", f"""routes = (
    {{ name = "kept"; merchants = "{SHOP}"; countries = "ID"; methods = "ewallet"; gateways = "gamma"; }},"""))
    apply(payops, path, ["kept", "stored", "default"])
    try:
        told = explain(payops, customer_id=customer, payment_method_id=method)
        elsewhere = explain(payops, customer_id=customer, payment_method_id=method, country="SG")
        otherwise = explain(payops, customer_id=customer)
        paid_by = payops.await_status(paid(payops, customer, method, payment_method="ewallet"), "completed",
                                      merchant=SHOP)
    finally:
        apply(payops, etc / "routes-of-stored-methods.conf", ["stored", "default"])

    assert told.json["rule"] == "kept" and candidates(told) == {"gamma": None}
    assert elsewhere.json["rules"][0] == {"rule": "kept", "fits": False, "misses": "country"}
    assert otherwise.json["rules"][0] == {"rule": "kept", "fits": False, "misses": "payment_method"}
    assert paid_by["gateway"] == "gamma"


@pytest.mark.parametrize("change, error", [
    ({"payment_method_id": "pm_" + "0" * 26}, ("payment_method_id", "not_found")),
    ({"payment_method_id": "nothing"}, ("payment_method_id", "not_found")),
    ({"customer_id": "somebody"}, ("payment_method_id", "not_found")),
    ({"payment_method": "ewallet"}, ("payment_method", "differs")),
])
def test_explain_refuses_a_method_as_a_payment_does(payops, change, error):
    customer, method = kept(payops)
    members = {"customer_id": customer, "payment_method_id": method, **change}

    assert errors(explain(payops, **members)) == [error]
    assert errors(ask(payops, "POST", "/transactions", {**PAYMENT, **members})) == [error]


def test_explain_refuses_a_method_that_is_anothers_expired_deleted_or_of_nobody(payops):
    customer, method = kept(payops)
    old = kept(payops, expiry_month=1, expiry_year=2020)
    assert errors(explain(payops, OTHER, customer_id=customer, payment_method_id=method)) == [
        ("payment_method_id", "not_found")]
    assert errors(explain(payops, customer_id=old[0], payment_method_id=old[1])) == [("payment_method_id", "expired")]
    assert errors(explain(payops, payment_method_id=method)) == [("customer_id", "required")]
    assert errors(explain(payops, payment_method_id=method, currency="XXQ")) == [
        ("customer_id", "required"), ("currency", "unknown_currency")]
    assert ask(payops, "DELETE", f"/customers/{customer}/payment-methods/{method}").status == 204
    assert errors(explain(payops, customer_id=customer, payment_method_id=method)) == [
        ("payment_method_id", "not_found")]
