# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of apid/route.def against every scope, every kind of bearer, and whose object it names."""
import pathlib
import re
import time

import pytest

from support import unique, until

SHOP, OTHER = "accessshop", "accessother"
SCOPES = ("payments:read", "payments:write", "refunds:write", "payouts:write", "customers:read", "customers:write",
          "credit:read", "credit:write", "webhooks:write", "keys:read", "keys:write")
ROW = re.compile(r'ROUTE\("(\w+)", "([^"]+)",\s*(ROUTE_\w+),\s*(\w+),')
ROUTES = [(method, path, who, "" if scope == "0" else scope.removeprefix("SCOPE_").lower().replace("_", ":"))
          for method, path, who, scope in ROW.findall(
              (pathlib.Path(__file__).parents[2] / "apid" / "route.def").read_text())]
BORNE = [row for row in ROUTES if row[2] == "ROUTE_TOKEN"]
NAMES = {"transaction_id": "trans_0000000000000000000000000Z", "refund_id": "ref_0000000000000000000000000Z",
         "key": "access-nothing", "customer_id": "access-nobody", "api_key_id": "0123456789abcdef",
         "payment_method_id": "pm_0000000000000000000000000Z"}

# Who has the scope: what is answered about an object of his own, another merchant's, and none. A path without an
# object is a list or makes something: it has its own answer only.
DECISIONS = {
    ("POST", "/transactions"): (201,),
    ("GET", "/transactions"): (200,),
    ("POST", "/transactions/cancel-by-key"): (200, 404, 404),
    ("GET", "/transactions/{transaction_id}"): (200, 404, 404),
    ("PATCH", "/transactions/{transaction_id}"): (200, 404, 404),
    ("GET", "/transactions/{transaction_id}/events"): (200, 404, 404),
    ("GET", "/transactions/{transaction_id}/attempts"): (200, 404, 404),
    ("GET", "/transactions/{transaction_id}/why"): (200, 404, 404),
    ("POST", "/transactions/{transaction_id}/process"): (202, 404, 404),
    ("POST", "/transactions/{transaction_id}/cancel"): (200, 404, 404),
    ("POST", "/transactions/{transaction_id}/capture"): (409, 404, 404),
    ("POST", "/transactions/{transaction_id}/void"): (409, 404, 404),
    ("POST", "/transactions/{transaction_id}/refunds"): (409, 404, 404),
    ("GET", "/transactions/{transaction_id}/refunds"): (200, 404, 404),
    ("GET", "/refunds"): (200,),
    ("GET", "/refunds/{refund_id}"): (200, 404, 404),
    ("POST", "/deposit"): (202,),
    ("POST", "/withdrawal"): (202,),
    ("GET", "/idempotency-keys/{key}"): (200, 404, 404),
    ("GET", "/customers/{customer_id}/transactions"): (200, 200, 200),  # any id may be a customer's: an empty list
    ("POST", "/api-keys"): (201,),
    ("GET", "/api-keys"): (200,),
    ("GET", "/api-keys/{api_key_id}"): (200, 404, 404),
    ("DELETE", "/api-keys/{api_key_id}"): (200, 404, 404),
    ("POST", "/api-keys/{api_key_id}/rotate"): (201, 404, 404),
    ("POST", "/customers"): (201,),
    ("GET", "/customers"): (200,),
    ("GET", "/customers/{customer_id}"): (200, 404, 404),
    ("PATCH", "/customers/{customer_id}"): (200, 404, 404),
    ("DELETE", "/customers/{customer_id}"): (204, 404, 404),
    ("POST", "/customers/{customer_id}/payment-methods"): (201, 404, 404),
    ("GET", "/customers/{customer_id}/payment-methods"): (200, 404, 404),
    ("GET", "/customers/{customer_id}/payment-methods/{payment_method_id}"): (200, 404, 404),
    ("DELETE", "/customers/{customer_id}/payment-methods/{payment_method_id}"): (204, 404, 404),
    ("GET", "/gateways"): (200,),
    ("POST", "/routes/explain"): (200,),
}


class Access:
    def __init__(self, payops):
        self.payops = payops
        self.examples = {(method.upper(), path): operation["requestBody"]["content"]["application/json"]["example"]
                         for path, methods in payops.request("GET", "/openapi.json").json["paths"].items()
                         for method, operation in methods.items()
                         if "requestBody" in operation and "example" in
                         operation["requestBody"]["content"]["application/json"]}
        self.all = {merchant: payops.token(merchant, " ".join(SCOPES)) for merchant in (SHOP, OTHER)}
        self.refunds = {merchant: self.refund(merchant) for merchant in (SHOP, OTHER)}

    def make(self, merchant, path, body, headers=None):
        answer = self.payops.request("POST", path, body, headers, self.all[merchant])
        assert answer.status in (200, 201), answer.body
        return answer.json

    def refund(self, merchant):
        paid = self.payops.pay(merchant=merchant).json["transaction_id"]
        self.payops.await_status(paid, "completed", merchant=merchant)
        made = self.make(merchant, f"/transactions/{paid}/refunds", {"amount": 1}, {"Idempotency-Key": unique("access-")})
        return {"refund_id": made["refund_id"]}

    def objects(self, merchant, path):
        """A new object of the merchant's for each name in the path."""
        if "{refund_id}" in path:
            return self.refunds[merchant]
        if "{api_key_id}" in path:
            key = self.make(merchant, "/api-keys", {"name": unique("access-"), "scope": "payments:read"})
            return {"api_key_id": key["api_key_id"]}
        if "{customer_id}" in path and not path.endswith("/transactions"):
            customer = unique("access-")
            self.make(merchant, "/customers", {"customer_id": customer, "country": "ID"})
            found = {"customer_id": customer}
            if "{payment_method_id}" in path:
                body = self.examples["POST", "/customers/{customer_id}/payment-methods"]
                method = self.make(merchant, f"/customers/{customer}/payment-methods", body)
                found["payment_method_id"] = method["payment_method_id"]
            return found
        key = unique("access-")
        made = self.payops.pay(process="manual", merchant=merchant, customer_id=key, headers={"Idempotency-Key": key})
        return {"transaction_id": made.json["transaction_id"], "key": key, "customer_id": key}

    def send(self, method, path, named, token):
        body = self.examples.get((method, path))
        if body is not None:
            changed = {"name": unique("access-"), "customer_id": unique("access-"), "scope": "keys:write",
                       "idempotency_key": named.get("key", "")}
            body = {**body, **{name: value for name, value in changed.items() if name in body}}
        headers = {"Idempotency-Key": unique("access-")} if method == "POST" else {}
        for name, value in named.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, f"{path}: no object is known for it"
        answer = self.payops.request(method, path, body, headers, token)
        if method == "POST" and path == "/transactions" and answer.status == 201:
            self.payops.history.append({"transaction_id": answer.json["transaction_id"], "amount": body["amount"],
                                        "currency": body["currency"], "status": 201, "merchant": SHOP,
                                        "payment_token": None})
        return answer


@pytest.fixture(scope="module")
def access(shared):
    shared.start()
    shared.mode("ok")
    for merchant in (SHOP, OTHER):
        shared.add_merchant(merchant)
    yield Access(shared)
    for (key,) in shared.sql("SELECT idempotency_key FROM operation WHERE idempotency_key LIKE 'access-%' "
                             "AND status = 'pending' AND kind = 'charge'"):
        for merchant in (SHOP, OTHER):
            shared.request("POST", "/transactions/cancel-by-key", {"idempotency_key": key},
                           token=shared.token(merchant, " ".join(SCOPES)))


@pytest.fixture(scope="module")
def keys(access):
    """An API key of each scope alone, with one that is revoked and one that has expired."""
    made = {scope: access.make(SHOP, "/api-keys", {"name": unique("access-"), "scope": scope})
            for scope in (*SCOPES, "revoked", "expired") if ":" in scope}
    for state in ("revoked", "expired"):
        made[state] = access.make(SHOP, "/api-keys", {"name": unique("access-"), "scope": " ".join(SCOPES)})
    access.payops.sql("UPDATE api_key SET created_at_us = 1, expires_at_us = 2 "
                      f"WHERE id = '{made['expired']['api_key_id']}'")
    revoked = made["revoked"]
    assert access.payops.request("DELETE", f"/api-keys/{revoked['api_key_id']}", token=access.all[SHOP]).status == 200
    return {name: key["key"] for name, key in made.items()}


def names_object(path):
    return "{" in path or path.endswith("/cancel-by-key")


def test_every_route_has_a_decision():
    assert {(method, path) for method, path, _, _ in BORNE} == set(DECISIONS)
    assert len(ROUTES) == (pathlib.Path(__file__).parents[2] / "apid" / "route.def").read_text().count("\nROUTE(")
    for (_, path), statuses in DECISIONS.items():
        assert len(statuses) == (3 if names_object(path) else 1), path
    assert {scope for _, _, _, scope in BORNE} <= set(SCOPES)


@pytest.mark.parametrize("method, path, scope", [(method, path, scope) for method, path, _, scope in BORNE],
                         ids=[f"{method} {path}" for method, path, _, _ in BORNE])
def test_each_scope_opens_its_own_routes_to_ones_own_objects(access, keys, method, path, scope):
    payops, statuses = access.payops, DECISIONS[method, path]
    nothing = {name: value for name, value in NAMES.items() if f"{{{name}}}" in path or name == "key"}
    own = access.objects(SHOP, path) if names_object(path) else {}
    foreign = access.objects(OTHER, path) if names_object(path) else {}

    for other in SCOPES:  # who lacks the scope learns nothing, whatever he names
        if other == scope:
            continue
        for bearer in (payops.token(SHOP, other), keys[other]):
            for named in (own, foreign, nothing) if names_object(path) else ({},):
                assert access.send(method, path, named, bearer).status == 403, other
    for bearer in (payops.token(SHOP, scope), keys[scope]):
        if names_object(path):
            assert access.send(method, path, nothing, bearer).status == statuses[2]
            answer = access.send(method, path, foreign, bearer)
            assert answer.status == statuses[1]
            assert statuses[1] == 404 or answer.json == []
        fresh = access.objects(SHOP, path) if names_object(path) else {}
        made = access.send(method, path, fresh, bearer if "rotate" not in path else access.all[SHOP])
        assert made.status == statuses[0], made.body


def test_expired_revoked_and_unknown_bearers_open_nothing(access, keys):
    payops, now = access.payops, int(time.time())
    claims = {"iss": "payops", "aud": "payops", "merchant": SHOP, "sub": "s", "scope": " ".join(SCOPES)}
    header = {"alg": "HS256", "kid": "dev-1"}
    assert payops.request("GET", "/gateways", token=payops.forge(header, {**claims, "exp": now + 60})).status == 200
    bearers = {"no token": None, "expired token": payops.forge(header, {**claims, "exp": now - 1}),
               "expired key": keys["expired"], "revoked key": keys["revoked"]}
    until(lambda: payops.request("GET", "/gateways", token=keys["revoked"]).status == 401, what="the end of the key")
    for method, path, _, _ in BORNE:
        for what, bearer in bearers.items():
            assert access.send(method, path, NAMES, bearer).status == 401, (what, method, path)


@pytest.mark.parametrize("method, path", [(method, path) for method, path, who, _ in ROUTES if who == "ROUTE_GATEWAY"])
def test_no_token_stands_for_a_gateways_signature(access, method, path):
    named = path.replace("{transaction_id}", NAMES["transaction_id"]).replace("{gateway}", "alpha")
    assert access.payops.request(method, named, {}, token=access.all[SHOP]).status == 401
