# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys by HTTP: made, shown, replaced and revoked by who may, never stronger than who made them."""
import datetime
import itertools
import re

import pytest

from support import unique, until

SHOP = "keypathshop"
OTHER = "keypathother"
FORM = re.compile(r"po_live_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
SCOPES = ("payments:read", "payments:write", "refunds:write", "payouts:write", "customers:read", "customers:write",
          "credit:read", "credit:write", "webhooks:write", "keys:read", "keys:write")
NOTHING = "0" * 16


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    for merchant in (SHOP, OTHER):
        shared.add_merchant(merchant)
    return shared


@pytest.fixture(scope="module")
def admin(payops):
    return payops.token(SHOP, " ".join(SCOPES))


def issue(payops, token, scope="payments:read", **members):
    return payops.request("POST", "/api-keys", {"name": unique("k-"), "scope": scope, **members}, token=token)


def made(payops, token, scope="payments:read", **members):
    answer = issue(payops, token, scope, **members)
    assert answer.status == 201, answer.body
    assert FORM.fullmatch(answer.json["key"]).group(1) == answer.json["api_key_id"]
    assert answer.headers["location"] == f"/api-keys/{answer.json['api_key_id']}"
    assert answer.headers["cache-control"] == "no-store"
    return answer.json


def without_secret(key):
    return {name: value for name, value in key.items() if name != "key"}


def reads(payops, key, path="/transactions"):
    return payops.request("GET", path, token=key).status


def revoke(payops, token, key_id):
    return payops.request("DELETE", f"/api-keys/{key_id}", token=token)


def rotate(payops, token, key_id, body=None):
    return payops.request("POST", f"/api-keys/{key_id}/rotate", body, token=token)


def test_a_key_is_made_shown_without_its_secret_and_works(payops, admin):
    key = made(payops, admin, "payments:read refunds:write")
    shown = payops.request("GET", f"/api-keys/{key['api_key_id']}", token=admin)

    assert shown.status == 200 and shown.json == without_secret(key)
    assert (key["state"], key["scope"], key["revoked_at"], key["revoked_by"]) == (
        "live", "payments:read refunds:write", None, None)
    assert reads(payops, key["key"]) == 200
    assert payops.request("POST", "/transactions", {}, token=key["key"]).status == 403
    listed = payops.request("GET", "/api-keys?limit=200", token=admin)
    assert without_secret(key) in listed.json
    assert key["key"].split("_")[3] not in listed.body.decode() + shown.body.decode()


def test_it_expires_in_a_year_or_when_it_was_made_to(payops, admin):
    days = {None: 365, 2: 2, 3649: 3649}
    now = datetime.datetime.now(datetime.timezone.utc)
    for given, wanted in days.items():
        at = {} if given is None else {"expires_at": (now + datetime.timedelta(days=given)).strftime("%FT%TZ")}
        key = made(payops, admin, **at)
        expires = datetime.datetime.strptime(key["expires_at"], "%Y-%m-%dT%H:%M:%S.%f%z")
        assert abs(expires - now - datetime.timedelta(days=wanted)) < datetime.timedelta(minutes=5)


def test_an_expired_key_is_shown_as_such_and_refused(payops, admin):
    key = made(payops, admin)
    payops.sql("UPDATE api_key SET created_at_us = 1, expires_at_us = "
               f"UNIX_TIMESTAMP() * 1000000 - 1000000 WHERE id = '{key['api_key_id']}'")

    assert payops.request("GET", f"/api-keys/{key['api_key_id']}", token=admin).json["state"] == "expired"
    assert reads(payops, key["key"]) == 401
    assert rotate(payops, admin, key["api_key_id"]).status == 409


def test_no_key_allows_more_than_who_makes_it(payops):
    """Each scope alone beside keys:write, against each scope alone: by a token and by an API key."""
    for may in SCOPES:
        token = payops.token(SHOP, f"keys:write {may}")
        key = made(payops, token, " ".join(sorted({"keys:write", may})))["key"]
        for bearer, shall in itertools.product((token, key), SCOPES):
            answer = issue(payops, bearer, shall)
            if shall in (may, "keys:write"):
                assert answer.status == 201, (may, shall)
                assert answer.json["scope"] == shall
            else:
                assert (answer.status, answer.json["code"]) == (403, "insufficient_scope"), (may, shall)
    assert issue(payops, payops.token(SHOP, "keys:write payments:read"), "payments:read payouts:write").status == 403


def test_a_stronger_key_is_not_replaced_by_a_weaker_caller(payops, admin):
    strong = made(payops, admin, "payouts:write keys:write")["api_key_id"]
    weak = payops.token(SHOP, "keys:write payments:read")
    answer = rotate(payops, weak, strong)

    assert (answer.status, answer.json["code"]) == (403, "insufficient_scope")
    assert rotate(payops, admin, strong).status == 201


def test_a_key_that_makes_keys_is_named_as_who_made_them(payops, admin):
    maker = made(payops, admin, "keys:write keys:read payments:read")
    child = made(payops, maker["key"])

    assert child["created_by"] == f"key:{maker['api_key_id']}"
    gone = revoke(payops, maker["key"], child["api_key_id"])
    assert gone.json["revoked_by"] == f"key:{maker['api_key_id']}"


def test_a_revoked_key_is_refused_within_two_seconds_for_good(payops, admin):
    key = made(payops, admin)
    assert reads(payops, key["key"]) == 200
    gone = revoke(payops, admin, key["api_key_id"])
    assert gone.status == 200 and gone.json["state"] == "revoked"
    until(lambda: reads(payops, key["key"]) == 401, what="the refusal", seconds=2.5)
    assert revoke(payops, admin, key["api_key_id"]).json == gone.json
    assert rotate(payops, admin, key["api_key_id"]).status == 409
    assert made(payops, admin, name=key["name"])["api_key_id"] != key["api_key_id"]


def test_a_key_is_rotated_without_a_gap_and_never_a_third_time(payops, admin):
    old = made(payops, admin, "payments:read payments:write")
    new = rotate(payops, admin, old["api_key_id"])
    assert new.status == 201 and new.headers["location"] == f"/api-keys/{new.json['api_key_id']}"
    assert [new.json[name] for name in ("name", "scope")] == [old["name"], old["scope"]]
    assert [reads(payops, key["key"]) for key in (old, new.json)] == [200, 200]
    for key in (old, new.json):
        assert (rotate(payops, admin, key["api_key_id"], {}).status) == 409
    revoke(payops, admin, old["api_key_id"])
    until(lambda: reads(payops, old["key"]) == 401, what="the refusal of the old key")
    assert reads(payops, new.json["key"]) == 200
    assert rotate(payops, admin, new.json["api_key_id"]).status == 201


def test_a_live_name_is_taken_once(payops, admin):
    name = unique("k-")
    assert issue(payops, admin, name=name).status == 201
    answer = issue(payops, admin, name=name)
    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert issue(payops, payops.token(OTHER, "keys:write payments:read"), name=name).status == 201


def test_another_merchants_key_is_not_there(payops, admin):
    key = made(payops, admin)
    stranger = payops.token(OTHER, " ".join(SCOPES))
    for key_id in (key["api_key_id"], NOTHING, "x", "A" * 16, key["key"]):
        bearer = stranger if key_id == key["api_key_id"] else admin
        assert payops.request("GET", f"/api-keys/{key_id}", token=bearer).status == 404
        assert revoke(payops, bearer, key_id).status == 404
        assert rotate(payops, bearer, key_id).status == 404
    assert key["api_key_id"] not in payops.request("GET", "/api-keys?limit=200", token=stranger).body.decode()
    assert reads(payops, key["key"]) == 200


def test_pages_join_without_loss_or_repeat(payops):
    token = payops.token(OTHER, "keys:read keys:write payments:read")
    wanted = [made(payops, token)["api_key_id"] for _ in range(5)][::-1]
    seen, path = [], "/api-keys?limit=2"
    while path:
        answer = payops.request("GET", path, token=token)
        assert answer.status == 200 and len(answer.json) <= 2
        seen += [one["api_key_id"] for one in answer.json]
        path = re.search("<(.*)>", answer.headers["link"]).group(1) if "link" in answer.headers else None

    assert seen[:5] == wanted
    assert len(set(seen)) == len(seen)
    for query in ("limit=0", "after=x", "state=live", "q=1"):
        assert payops.request("GET", f"/api-keys?{query}", token=token).status == 400


BAD = (
    ({"scope": "payments:read"}, "name"), ({"name": "n"}, "scope"), ({"name": "", "scope": "payments:read"}, "name"),
    ({"name": "two words", "scope": "payments:read"}, "name"), ({"name": "n" * 65, "scope": "payments:read"}, "name"),
    ({"name": "4111111111111111", "scope": "payments:read"}, "name"), ({"name": 7, "scope": "payments:read"}, "name"),
    ({"name": "n", "scope": ""}, "scope"), ({"name": "n", "scope": " "}, "scope"),
    ({"name": "n", "scope": "payments:raed"}, "scope"), ({"name": "n", "scope": "*"}, "scope"),
    ({"name": "n", "scope": ["payments:read"]}, "scope"), ({"name": "n", "scope": "Payments:read"}, "scope"),
    ({"name": "n", "scope": "payments:read", "expires_at": "tomorrow"}, "expires_at"),
    ({"name": "n", "scope": "payments:read", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"name": "n", "scope": "payments:read", "expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
    ({"name": "n", "scope": "payments:read", "merchant": "demo"}, "merchant"),
    ({"name": "n", "scope": "payments:read", "key": "po_live_x"}, "key"),
)


@pytest.mark.parametrize("body, field", BAD, ids=[f"{number}-{row[1]}" for number, row in enumerate(BAD)])
def test_what_is_not_understood_is_refused(payops, admin, body, field):
    answer = payops.request("POST", "/api-keys", body, token=admin)

    assert answer.status == 422, answer.body
    assert [one["field"] for one in answer.json["errors"]] == [field]


def test_scopes_say_who_may_do_what(payops, admin):
    key = made(payops, admin)["api_key_id"]
    for scope in SCOPES:
        token = payops.token(SHOP, scope)
        expected = 200 if scope == "keys:read" else 403
        assert payops.request("GET", "/api-keys", token=token).status == expected, scope
        assert payops.request("GET", f"/api-keys/{key}", token=token).status == expected, scope
        if scope != "keys:write":
            assert issue(payops, token, scope).status == 403
            assert rotate(payops, token, key).status == 403
            assert revoke(payops, token, key).status == 403


def test_it_is_the_same_in_xml(payops, admin):
    name = unique("k-")
    body = f"<request><name>{name}</name><scope>payments:read</scope></request>".encode()
    answer = payops.request("POST", "/api-keys", body, {"Content-Type": "application/xml"}, admin)

    assert answer.status == 201 and answer.headers["content-type"] == "application/xml"
    assert reads(payops, re.search(r"<key>(.*)</key>", answer.body.decode()).group(1)) == 200


def test_an_unknown_merchant_makes_no_key(payops):
    answer = issue(payops, payops.token("keypathnobody", "keys:write payments:read"))

    assert (answer.status, answer.json["code"]) == (403, "unknown_merchant")


def test_no_secret_is_logged_or_stored(payops, admin):
    key = made(payops, admin)
    secret = FORM.fullmatch(key["key"]).group(2).encode()

    assert key["api_key_id"].encode() in payops.log_bytes()
    assert secret not in payops.log_bytes()
    rows = payops.sql("SELECT * FROM api_key", binary=True)
    assert secret.hex() not in "\n".join("\t".join(row) for row in rows).lower()
