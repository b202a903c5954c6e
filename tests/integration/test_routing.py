# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which gateway takes a payment, and what happens when it does not: rules, fallback, live changes, bad files."""
import time

import pytest

from support import attempts, event_types, sql_id, unique, until

EX_DATAERR, EX_CONFIG = 65, 78

RULES = """
routes = (
    { name = "indonesia"; countries = "ID"; currencies = "IDR"; gateways = "beta, alpha"; },
    { name = "small"; currencies = "USD"; amount_max = 50; gateways = "gamma"; },
    { name = "default"; gateways = "alpha, beta"; }
);
"""


class Routing:
    """The routes and gateways of the instance, put back afterwards."""

    def __init__(self, payops):
        self.payops = payops
        self.etc = payops.dir / "etc" / "payops"
        self.path = self.etc / "routes-under-test.conf"

    def ctl(self, *words, check=True):
        return self.payops.ctl(*words, "--config", str(self.payops.config), "--database-user", "root", check=check)

    def explain(self, **facts):
        answer = self.payops.request("POST", "/routes/explain", {"currency": "USD", **facts}, token=self.payops.token())
        assert answer.status == 200, answer.body
        return answer.json

    def rules_in_force(self):
        told = self.explain(currency="JPY", country="XX")
        return [rule["rule"] for rule in told["rules"]]

    def apply(self, text, rules):
        self.path.write_text(text)
        self.ctl("route", "apply", str(self.path))
        until(lambda: self.rules_in_force() == rules, 3, f"rules {rules} in force")

    def state(self, gateway):
        return next(row for row in self.payops.get("/gateways").json if row["gateway"] == gateway)


@pytest.fixture(scope="module")
def applied(shared):
    """The rules of these tests, and the first ones again afterwards."""
    if not shared.is_up():
        shared.start()
    made = Routing(shared)
    made.apply(RULES, ["indonesia", "small", "default"])
    yield made
    made.ctl("route", "apply", str(made.etc / "routes.conf"))
    until(lambda: made.rules_in_force() == ["default"], 3, "the first rules again")


@pytest.fixture
def routing(payops, applied):
    return applied


@pytest.fixture
def altered(payops, applied):
    """For tests that change gateways: they are put back."""
    yield applied
    for row in payops.get("/gateways").json:
        if row["state"] != "enabled":
            applied.ctl("gateway", "enable", row["gateway"])
        if row["maintenance"]:
            applied.ctl("gateway", "maintain", row["gateway"], "--end")
    applied.ctl("gateway", "apply", str(applied.etc / "gateways.conf"))
    until(lambda: {(row["state"], str(row["maintenance"]), str(row["currencies"]))
                   for row in payops.get("/gateways").json} == {("enabled", "None", "[]")}
          and not any(row["countries"] for row in payops.get("/gateways").json), 3, "the first gateways again")


def paid(payops, word, gateway, tried, **members):
    """A payment that completes at `gateway` after these attempts, with one charge in the gateways' ledger."""
    answer = payops.pay(word, **members)
    assert answer.status == 201, answer.body
    transaction_id = answer.json["transaction_id"]
    shown = payops.await_status(transaction_id, ("completed", "failed"))
    assert shown["status"] == "completed", shown
    assert shown["gateway"] == gateway
    assert [(row["gateway"], row["status"]) for row in attempts(payops, transaction_id)] == tried
    charges = [line for line in payops.ledger(transaction_id) if line["outcome"] == "succeeded"]
    assert [line["gateway"] for line in charges] == [gateway]
    return transaction_id


@pytest.mark.parametrize("members, gateway, rule", [
    ({"country": "ID", "currency": "IDR"}, "beta", "indonesia"),
    ({"country": "ID"}, "alpha", "default"),
    ({"currency": "IDR"}, "alpha", "default"),
    ({"amount": 50}, "gamma", "small"),
    ({"amount": 51}, "alpha", "default"),
    ({}, "alpha", "default"),
], ids=["country_and_currency", "country_alone", "currency_alone", "amount_within", "amount_above", "default"])
def test_the_first_rule_that_fits_chooses_the_gateway(payops, routing, members, gateway, rule):
    transaction_id = paid(payops, "tok_sync", gateway, [(gateway, "succeeded")], **members)

    assert payops.sql(f"SELECT route_rule FROM operation WHERE transaction_id = {sql_id(transaction_id)}") == [[rule]]


def test_what_one_gateway_declines_another_may_take(payops, routing):
    transaction_id = paid(payops, "tok_decline_issuer_unavailable@alpha", "beta",
                          [("alpha", "declined"), ("beta", "succeeded")])

    tried = attempts(payops, transaction_id)
    assert tried[0]["our_reference"] == tried[1]["our_reference"]  # each gateway has its own first key
    times = [row["prepared_at"] for row in tried]
    assert times[1][:16] == times[0][:16]
    assert payops.sql("SELECT route_rule, route_candidates, retry_count FROM operation WHERE transaction_id = "
                      f"{sql_id(transaction_id)}") == [["default", "alpha beta", "0"]]


def test_fallback_is_at_once(payops, routing):
    began = time.monotonic()
    paid(payops, "tok_decline_issuer_unavailable@alpha", "beta", [("alpha", "declined"), ("beta", "succeeded")])

    assert time.monotonic() - began < 2  # the first retry at the same gateway would come after 1.5 s at least


def test_a_gateway_that_is_down_is_passed_over(payops, routing):
    payops.mode("down")

    paid(payops, "tok_sync", "beta", [("alpha", "not_sent"), ("beta", "succeeded")])


def test_a_final_decline_goes_nowhere_else(payops, routing):
    transaction_id = payops.pay("tok_decline_stolen_card@alpha").json["transaction_id"]
    shown = payops.await_status(transaction_id, "failed")

    assert [row["gateway"] for row in attempts(payops, transaction_id)] == ["alpha"]
    assert shown["failure"] == {"code": "declined", "decline_code": "stolen_card", "advice": "never",
                                "message": "The payment was refused. Do not try this method again."}


def test_an_open_outcome_goes_nowhere_else(payops, routing):
    transaction_id = payops.pay("tok_answer_lost@alpha").json["transaction_id"]
    payops.await_status(transaction_id, "completed")

    assert {row["gateway"] for row in attempts(payops, transaction_id)} == {"alpha"}
    assert [line["gateway"] for line in payops.ledger(transaction_id)] == ["alpha"]


def test_when_all_candidates_are_used_up_it_fails_with_the_last_decline(payops, routing):
    transaction_id = payops.pay("tok_decline_card_not_supported").json["transaction_id"]
    shown = payops.await_status(transaction_id, "failed")

    assert [(row["gateway"], row["status"]) for row in attempts(payops, transaction_id)] == [
        ("alpha", "declined"), ("beta", "declined")]
    assert shown["failure"]["code"] == "declined"
    assert shown["failure"]["decline_code"] == "card_not_supported"
    assert shown["failure"]["advice"] == "other_method"
    assert event_types(payops, transaction_id)[-1] == "route_exhausted"


# --- explain, and what is refused ---

def test_explain_names_the_rules_that_missed_and_why(payops, routing):
    told = routing.explain(currency="IDR", country="SG")

    assert told["rule"] == "default"
    assert told["rules"] == [{"rule": "indonesia", "fits": False, "misses": "country"},
                             {"rule": "small", "fits": False, "misses": "currency"},
                             {"rule": "default", "fits": True, "misses": None}]
    assert [(row["gateway"], row["usable"], row["reason"]) for row in told["candidates"]] == [
        ("alpha", True, None), ("beta", True, None)]
    assert told["candidates"][0]["breaker"] == "closed"


@pytest.mark.parametrize("body, field", [
    ({}, "currency"), ({"currency": "XXQ"}, "currency"), ({"currency": "USD", "country": "usa"}, "country"),
    ({"currency": "USD", "kind": "gift"}, "kind"), ({"currency": "USD", "operation": "rob"}, "operation"),
    ({"currency": "USD", "amount": "1.005"}, "amount"), ({"currency": "USD", "amount": 0}, "amount"),
    ({"currency": "USD", "color": "red"}, "color"),
])
def test_explain_refuses_what_it_cannot_read(payops, body, field):
    answer = payops.request("POST", "/routes/explain", body, token=payops.token())

    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_gateways_are_listed_by_country_and_currency(payops, routing):
    assert [row["gateway"] for row in payops.get("/gateways").json] == ["alpha", "beta", "gamma"]
    assert payops.get("/gateways?country=ID&currency=IDR").json[1]["state"] == "enabled"
    for path in ("/gateways?country=idn", "/gateways?currency=XXQ", "/gateways?curency=USD"):
        assert payops.get(path).status == 400
    assert payops.request("GET", "/gateways").status == 401


def test_a_payment_that_no_gateway_takes_is_refused_with_the_rule(payops, altered):
    text = (altered.etc / "gateways.conf").read_text().replace(
        'adapter = "sandbox";', 'adapter = "sandbox"; currencies = "USD IDR JPY";')
    file = altered.etc / "gateways-under-test.conf"
    file.write_text(text)
    key = {"Idempotency-Key": unique("route")}
    first = payops.pay("tok_sync", headers=key, currency="EUR")
    assert first.status == 201
    altered.ctl("gateway", "apply", str(file))
    until(lambda: altered.state("alpha")["currencies"], 3, "alpha's currencies")

    refused = payops.pay("tok_sync", currency="EUR")
    again = payops.pay("tok_sync", headers=key, currency="EUR")

    assert refused.status == 422
    assert refused.json["code"] == "no_route"
    assert refused.json["detail"] == ("Rule default: alpha does not take the currency; "
                                      "beta does not take the currency.")
    assert [error["field"] for error in refused.json["errors"]] == ["currency"]
    assert again.status == 201 and again.body == first.body  # what a key began is not refused by later rules


# --- the customer's country ---

CUSTOMERS = "customers:read customers:write payments:read payments:write"


def customer(payops, country):
    answer = payops.request("POST", "/customers", {"country": country}, token=payops.token(scope=CUSTOMERS))
    assert answer.status == 201, answer.body
    return answer.json["customer_id"]


def test_the_customers_country_chooses_where_the_payment_names_none(payops, routing):
    ana, ben = customer(payops, "ID"), customer(payops, "SG")
    for members, gateway in (({"customer_id": ana}, "beta"), ({"customer_id": ben}, "alpha"),
                             ({"customer_id": ana, "country": "SG"}, "alpha"), ({"customer_id": ben, "country": "ID"}, "beta"),
                             ({"customer_id": "nobody_known"}, "alpha")):
        paid(payops, "tok_sync", gateway, [(gateway, "succeeded")], currency="IDR", **members)
    for path in ("/deposit", "/withdrawal"):
        answer = payops.request("POST", path, {"user_id": ana, "amount": "100.00", "currency": "IDR",
                                               "payment_token": "tok_sync"},
                                token=payops.token(scope=CUSTOMERS + " payouts:write"))
        assert answer.status == 202, answer.body
        assert payops.await_status(answer.json["transaction_id"], "completed")["gateway"] == "beta"


def test_the_country_is_the_customers_when_the_payment_is_taken(payops, routing):
    key, ana = {"Idempotency-Key": unique("route")}, customer(payops, "ID")
    members = {"customer_id": ana, "currency": "IDR", "process": "manual"}
    first = payops.pay("tok_sync", headers=key, **members)
    path, token = f"/customers/{ana}", payops.token(scope=CUSTOMERS)
    assert payops.request("PATCH", path, {"country": "SG"}, token=token).status == 200
    again = payops.pay("tok_sync", headers=key, **members)
    assert (again.status, again.body) == (201, first.body)  # the same request, whatever became of the profile
    started = payops.request("POST", f"/transactions/{first.json['transaction_id']}/process", token=token)
    assert started.status == 202
    assert payops.await_status(first.json["transaction_id"], "completed")["gateway"] == "beta"
    paid(payops, "tok_sync", "alpha", [("alpha", "succeeded")], customer_id=ana, currency="IDR")
    assert payops.request("PATCH", path, {"country": "ID"}, token=token).status == 200
    assert payops.request("DELETE", path, token=token).status == 204
    paid(payops, "tok_sync", "alpha", [("alpha", "succeeded")], customer_id=ana, currency="IDR")


def test_a_payment_that_no_gateway_takes_for_the_customers_country_is_refused(payops, altered):
    text = (altered.etc / "gateways.conf").read_text().replace(
        'adapter = "sandbox";', 'adapter = "sandbox"; countries = "SG";')
    file = altered.etc / "gateways-under-test.conf"
    file.write_text(text)
    ana = customer(payops, "ID")
    altered.ctl("gateway", "apply", str(file))
    until(lambda: altered.state("alpha")["countries"], 3, "alpha's countries")

    refused = payops.pay("tok_sync", customer_id=ana)
    assert (refused.status, refused.json["code"]) == (422, "no_route")
    assert refused.json["detail"].endswith("The country, ID, is that of the customer's profile.")
    assert payops.pay("tok_sync", customer_id=ana, country="SG").status == 201


# --- changes while it runs ---

def test_a_change_is_in_force_within_a_second(payops, altered):
    for state, command in (("draining", "drain"), ("disabled", "disable"), ("enabled", "enable")):
        altered.ctl("gateway", command, "alpha", "--reason", "a test")
        began = time.monotonic()
        until(lambda state=state: altered.state("alpha")["state"] == state, 3, state)
        assert time.monotonic() - began < 1.5


def test_a_drained_gateway_gets_no_new_payments(payops, altered):
    altered.ctl("gateway", "drain", "alpha")
    until(lambda: altered.state("alpha")["state"] == "draining", 3, "draining")

    paid(payops, "tok_sync", "beta", [("beta", "succeeded")])


def test_maintenance_takes_a_gateway_out_and_says_why(payops, altered):
    assert altered.ctl("gateway", "maintain", "alpha", "--for", "5", check=False).returncode == 64
    altered.ctl("gateway", "maintain", "alpha", "--for", "5", "--reason", "new certificates")
    until(lambda: altered.state("alpha")["maintenance"], 3, "maintenance")

    assert altered.state("alpha")["maintenance"]["reason"] == "new certificates"
    assert altered.explain()["candidates"][-1] == {"gateway": "alpha", "usable": False, "reason": "maintenance",
                                                   "breaker": "closed"}
    paid(payops, "tok_sync", "beta", [("beta", "succeeded")])


def test_what_cannot_be_used_leaves_the_old_in_force(payops, altered):
    """A secret that went away after its file was applied."""
    logged = len(payops.log_bytes())
    before = payops.sql("SELECT version FROM catalogue")
    payops.sql("UPDATE gateway SET api_key_file = '/nowhere/at/all' WHERE gateway = 'beta'")
    payops.sql("UPDATE catalogue SET version = version + 1")

    def complaints():
        return payops.log_bytes()[logged:].count(b"the old ones stay in force")
    until(complaints, 3, "a complaint")
    time.sleep(1.2)

    assert complaints() == 1  # once for a version, however often it is looked at
    assert b"/nowhere/at/all" in payops.log_bytes()[logged:]
    paid(payops, "tok_sync", "beta", [("beta", "succeeded")], country="ID", currency="IDR")
    altered.ctl("gateway", "apply", str(altered.etc / "gateways.conf"))
    assert payops.sql("SELECT version FROM catalogue") != before


# --- files ---

@pytest.mark.parametrize("text, place, fault", [
    ('routes = ( { name = "x"; gateways = "alpha"; countries = "ID"; } );', "1:12", "the last rule must be a default"),
    ('routes = (\n\t{ name = "x"; gateways = "alpha"; },\n\t{ name = "y"; gateways = "beta"; } );', "2:2",
     "this rule has no condition"),
    ('routes = ( { name = "x"; gateways = "omega"; } );', "1:26", "gateways has omega, which is no gateway"),
    ('routes = ( { name = "x"; gateways = "alpha alpha"; } );', "1:26", "gateways has alpha, which stands there twice"),
    ('routes = ( { name = "x"; gateways = "alpha"; currency = "USD"; } );', "1:46",
     "unknown setting currency; did you mean currencies?"),
    ('routes = ( { name = "x"; currencies = "USX"; gateways = "alpha"; } );', "1:26",
     "currencies has USX, which is no currency"),
    ('routes = ( { name = "x"; gateways = "alpha"; amount_max = 5; } );', "1:46", "amount_max needs currencies"),
    ('routes = ( { name = "X"; gateways = "alpha"; } );', "1:14", "name must be a word of a-z, 0-9 and _"),
    ('routes = ( { name = "x"; gateways = "alpha" } ', "1:1", "syntax error"),
    ('routes = ();', None, "routes: name at least one"),
], ids=["no_default", "default_first", "no_gateway", "twice", "unknown", "currency", "amount", "name", "syntax", "empty"])
def test_bad_routes_are_refused_with_their_place_and_change_nothing(payops, routing, text, place, fault):
    before = payops.sql("SELECT version FROM catalogue")
    file = routing.etc / "bad.conf"
    file.write_text(text)
    done = routing.ctl("route", "apply", str(file), check=False)

    assert done.returncode == EX_CONFIG
    assert f"{file}:{place}: {fault}" in done.stderr if place else fault in done.stderr
    assert payops.sql("SELECT version FROM catalogue") == before
    assert routing.rules_in_force() == ["indonesia", "small", "default"]


def gateways_text(**changed):
    settings = {"name": '"omega"', "adapter": '"sandbox"', "base_url": '"http://127.0.0.1:1"',
                "api_key_file": '"keys/alpha.api-key"', "callback_secret_file": '"keys/alpha.callback-secret"', **changed}
    lines = [f"{name} = {value};" for name, value in settings.items() if value is not None]
    return "gateways = ( {\n" + "\n".join(lines) + "\n} );\n"


@pytest.mark.parametrize("changed, line, fault", [
    ({"name": '"Omega"'}, 2, "name must be a word"),
    ({"adapter": '"fax"'}, 3, "adapter is none that this build has"),
    ({"base_url": '"ftp://x"'}, 4, "base_url must be an http or https address"),
    ({"base_url": '"http://x/"'}, 4, "base_url must be an http or https address"),
    ({"api_key_file": '"keys/none"'}, 5, "keys/none"),
    ({"callback_secret_file": None}, 1, "gateways: callback_secret_file is required"),
    ({"currencies": '"USD usd"'}, 7, "currencies has usd, which is no currency"),
    ({"countries": '"Indonesia"'}, 7, "countries has Indonesia, which is not a country"),
    ({"methods": '"card"'}, 7, "methods has card, which is no payment method"),
    ({"operations": '"steal"'}, 7, "operations has steal, which is not charge"),
    ({"limits": '"USD:9-1"'}, 7, "limits has USD:9-1, whose least is above its most"),
    ({"quiet_ms": "1"}, 7, "quiet_ms must be from 100"),
    ({"total_timeout_ms": "100"}, 7, "total_timeout_ms must not be below connect_timeout_ms"),
    ({"colour": '"red"'}, 7, "unknown setting colour"),
], ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
def test_bad_gateways_are_refused_with_their_place(payops, changed, line, fault):
    etc = payops.dir / "etc" / "payops"
    file = etc / "bad.conf"
    file.write_text(gateways_text(**changed))
    done = payops.ctl("gateway", "apply", str(file), "--config", str(payops.config), "--database-user", "root",
                      check=False)

    assert done.returncode == EX_CONFIG
    problem = next(text for text in done.stderr.removeprefix("payopsctl: ").splitlines() if fault in text)
    assert problem.startswith(f"{file}:{line}:")


def test_all_problems_of_a_file_are_named(payops):
    file = payops.dir / "etc" / "payops" / "bad.conf"
    file.write_text(gateways_text(adapter='"fax"', currencies='"USX"', limits='"x"'))
    done = payops.ctl("gateway", "apply", str(file), "--config", str(payops.config), check=False)

    assert [text.split(":")[1] for text in done.stderr.removeprefix("payopsctl: ").splitlines()] == ["3", "7", "8"]


def test_a_dry_run_changes_nothing(payops, routing):
    before = payops.sql("SELECT version FROM catalogue")
    file = routing.etc / "fewer.conf"
    file.write_text(gateways_text(name='"omega"'))

    told = routing.ctl("gateway", "apply", str(file), "--dry-run").stdout
    rules = routing.ctl("route", "apply", str(routing.etc / "routes.conf"), "--dry-run").stdout

    assert "added" in told and "disabled   alpha (not in the applied file)" in told
    assert "nothing was changed" in told and "nothing was changed" in rules
    assert payops.sql("SELECT version FROM catalogue") == before


def test_accounts_are_applied_and_kept_on_the_attempt(payops, altered):
    file = altered.etc / "gateways-under-test.conf"
    file.write_text((altered.etc / "gateways.conf").read_text() +
                    'accounts = ( { gateway = "alpha"; merchant = "demo"; account = "acct_demo"; } );\n')
    altered.ctl("gateway", "apply", str(file))
    time.sleep(1.2)
    transaction_id = paid(payops, "tok_sync", "alpha", [("alpha", "succeeded")])

    assert payops.sql(f"SELECT account FROM attempt WHERE transaction_id = {sql_id(transaction_id)}") == [["acct_demo"]]
    file.write_text(file.read_text().replace('"demo"', '"nobody"'))
    done = altered.ctl("gateway", "apply", str(file), check=False)
    assert done.returncode != 0 and "there is no merchant nobody" in done.stderr


def test_payopsctl_lists_and_explains(payops, routing):
    assert "alpha" in routing.ctl("gateway", "list").stdout
    assert "indonesia" in routing.ctl("route", "list").stdout
    told = routing.ctl("route", "explain", "--currency", "IDR", "--country", "SG").stdout
    assert told.splitlines()[:3] == ["rule 1 indonesia misses: its country differs",
                                     "rule 2 small misses: its currency differs", "rule 3 default fits"]
    assert routing.ctl("gateway", "drain", "omega", check=False).returncode == 66
    assert routing.ctl("route", "explain", "--currency", "XXQ", check=False).returncode == EX_DATAERR
