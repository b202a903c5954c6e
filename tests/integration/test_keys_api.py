# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys: a merchant's program pays with one, within its scopes, until it is revoked; its secret is nowhere."""
import base64
import hashlib
import json
import re
import time

import pytest

from support import until

SCOPE = "payments:read payments:write"
FORM = re.compile(r"po_live_([0-9a-f]{16})_([A-Za-z0-9_-]{43})\n")
BODY = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_key",
        "payment_token": "tok_ok"}
EX_USAGE, EX_DATAERR = 64, 65
IMPATIENT_S = 2    # Request-Timeout
MARGIN_S = 2


class Keys:
    """payopsctl key, and every key that it made."""

    def __init__(self, payops):
        self.payops = payops
        self.made = []
        payops.add_merchant("keyshop")
        payops.add_merchant("othershop")

    def ctl(self, *words, check=True):
        return self.payops.ctl("key", *words, "--config", str(self.payops.config), "--database-user", "root",
                               check=check)

    def take(self, done):
        assert FORM.fullmatch(done.stdout), "not a key"
        self.made.append(done.stdout.strip())
        return self.made[-1]

    def issue(self, name, scope=SCOPE, merchant="keyshop", *words):
        return self.take(self.ctl("issue", "--merchant", merchant, "--name", f"{name}-{time.monotonic_ns()}",
                                  "--scope", scope, *words))

    def pay(self, key):
        answer = self.payops.request("POST", "/transactions", BODY, token=key)
        if answer.status == 201:
            self.payops.history.append({"transaction_id": answer.json["transaction_id"], "amount": BODY["amount"],
                                        "currency": BODY["currency"], "status": answer.status,
                                        "merchant": "keyshop", "payment_token": "tok_ok"})
        return answer

    def listed(self, key):
        rows = json.loads(self.ctl("list", "--json").stdout)
        return [row for row in rows if row["id"] == id_of(key)][0]


def id_of(key):
    return key.split("_")[2]


@pytest.fixture(scope="module")
def keys(shared):
    shared.start()
    return Keys(shared)


@pytest.fixture(scope="module")
def good(keys):
    return keys.issue("till")


def read_status(payops, key, path="/transactions"):
    return payops.request("GET", path, token=key).status


def assert_not_valid(answer):
    """Whatever was wrong with the key is not told."""
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == ('Bearer realm="payops", error="invalid_token", '
                                                  'error_description="the API key is not valid"')
    assert answer.json["detail"] == "the API key is not valid"


def test_a_key_pays_and_reads_what_is_its_merchants(payops, keys, good):
    made = keys.pay(good)
    assert made.status == 201, made.body
    path = "/transactions/" + made.json["transaction_id"]
    until(lambda: payops.request("GET", path, token=good).json["status"] == "completed", what="the payment")
    assert payops.get(path, merchant="keyshop").status == 200
    assert read_status(payops, keys.issue("till", SCOPE, "othershop"), path) == 404
    foreign = payops.pay("tok_ok", merchant="othershop").json["transaction_id"]
    assert read_status(payops, good, f"/transactions/{foreign}") == 404


def test_a_key_does_no_more_than_its_scopes(payops, keys):
    reader = keys.issue("reader", "payments:read")
    assert read_status(payops, reader) == 200
    answer = keys.pay(reader)
    assert answer.status == 403
    assert 'scope="payments:write"' in answer.headers["www-authenticate"]
    assert read_status(payops, keys.issue("writer", "payments:write")) == 403


def test_a_revoked_key_is_refused_within_two_seconds(payops, keys):
    key = keys.issue("leaver")
    assert read_status(payops, key) == 200
    said = keys.ctl("revoke", id_of(key)).stdout
    revoked = time.monotonic()
    assert f"key {id_of(key)} (leaver-" in said
    while read_status(payops, key) == 200:
        assert time.monotonic() < revoked + 2.5, "it is still taken"
        time.sleep(0.05)
    assert_not_valid(payops.request("GET", "/transactions", token=key))
    assert payops.get("/transactions", merchant="keyshop").status == 200  # a token of the same merchant
    assert keys.listed(key)["state"] == "revoked"
    again = keys.ctl("revoke", id_of(key))
    assert again.stdout == said


def test_an_expired_key_is_refused(payops, keys):
    key = keys.issue("guest", SCOPE, "keyshop", "--days", "1")
    row = keys.listed(key)
    assert row["state"] == "live"
    payops.sql("UPDATE api_key SET created_at_us = 1, expires_at_us = "
               f"UNIX_TIMESTAMP() * 1000000 - 1000000 WHERE id = '{id_of(key)}'")
    assert_not_valid(payops.request("GET", "/transactions", token=key))
    assert keys.listed(key)["state"] == "expired"


def test_a_key_is_rotated_without_a_gap(payops, keys):
    old = keys.issue("robot", "payments:read")
    name = keys.listed(old)["name"]
    words = ("rotate", name, "--merchant", "keyshop")
    new = keys.take(keys.ctl(*words))
    assert new != old
    assert keys.listed(new)["scope"] == "payments:read"
    assert [read_status(payops, key) for key in (old, new)] == [200, 200]
    refused = keys.ctl(*words, check=False)
    assert refused.returncode == EX_DATAERR
    assert refused.stdout == ""
    assert "two live keys" in refused.stderr
    keys.ctl("revoke", id_of(old))
    until(lambda: read_status(payops, old) == 401, what="the refusal of the old key")
    assert read_status(payops, new) == 200
    newest = keys.take(keys.ctl(*words))
    assert [read_status(payops, key) for key in (new, newest)] == [200, 200]


def spoilt(good):
    """Keys that are almost this one."""
    prefix, secret = good[:25], good[25:]
    other = "A" if secret[0] != "A" else "B"
    yield from (good[:length] for length in (8, 9, 16, 23, 24, 25, 26, 46, 67))
    yield from (good + end for end in ("A", "=", "==", "_", ".", ".A.A", "%00", "%20", "~", "/", "?x=1"))
    yield from (start + good for start in ("p", "_", "%20", ".", "Bearer", "po_live_"))
    yield from (good.replace("po_live_", start) for start in
                ("PO_LIVE_", "Po_live_", "po_test_", "po_live-", "po-live-", "po__live_", "polive_", "", "sk_live_"))
    yield from (prefix[:8] + good_id + "_" + secret for good_id in
                ("0" * 16, "f" * 16, good[8:24].upper() + "F", good[8:23] + "g", good[8:23] + "G", good[8:24] + "0",
                 good[8:23], "%" * 16, "'" * 16, "' OR '1'='1'-- ".replace(" ", "+")[:16], "x" * 16, "-1" * 8,
                 good[8:24][::-1] + "0", "_" * 16))
    yield from (prefix + changed for changed in
                (other + secret[1:], secret[:-1] + ("A" if secret[-1] != "A" else "E"), secret[::-1],
                 secret.swapcase(), secret[:42] + "+", secret[:42] + "/", secret[:42] + "=", secret[1:], "A" * 43,
                 "A" * 44, "0" * 64, "-" * 43, "_" * 43, "." * 43, "*" * 43, secret + secret,
                 hashlib.sha256(base64.urlsafe_b64decode(secret + "=")).hexdigest(),
                 base64.urlsafe_b64encode(hashlib.sha256(base64.urlsafe_b64decode(secret + "=")).digest())
                 .decode().rstrip("=")))


def test_anything_else_than_the_key_is_refused(payops, keys, good):
    variants = sorted(set(spoilt(good)) - {good})
    assert len(variants) >= 60
    for variant in variants:
        answer = payops.request("POST", "/transactions", BODY, token=variant)
        assert answer.status == 401, variant
    lines = (f"Basic {good}", f"bearer: {good}", good, f"Bearer  {good}", f"Bearer {good},{good}", f"Token {good}",
             f"Bearer {good} {good}")
    for line in lines:
        answer = payops.request("POST", "/transactions", BODY, headers={"Authorization": line})
        assert answer.status == 401, line
    for header in ("X-Api-Key", "Api-Key", "Cookie"):
        assert payops.request("GET", "/transactions", headers={header: good}).status == 401
    assert payops.request("GET", f"/transactions?key={good}").status == 401
    assert read_status(payops, good) == 200


def test_unknown_and_forged_keys_are_refused_alike(payops, good):
    unknown = "po_live_" + "0" * 16 + good[24:]
    forged = good[:25] + "A" * 43
    for key in (unknown, forged):
        assert_not_valid(payops.request("GET", "/transactions", token=key))


REFUSED = (
    (("issue", "--name", "n", "--scope", SCOPE), EX_USAGE, "--merchant"),
    (("issue", "--merchant", "keyshop", "--scope", SCOPE), EX_USAGE, "--name"),
    (("issue", "--merchant", "keyshop", "--name", "n"), EX_USAGE, "--scope"),
    (("issue", "--merchant", "keyshop", "--name", "n", "--scope", ""), EX_DATAERR, "no scope"),
    (("issue", "--merchant", "keyshop", "--name", "n", "--scope", "payments:raed"), EX_DATAERR, "payments:read"),
    (("issue", "--merchant", "keyshop", "--name", "two words", "--scope", SCOPE), EX_DATAERR, "blanks"),
    (("issue", "--merchant", "Keyshop", "--name", "n", "--scope", SCOPE), EX_DATAERR, "Keyshop"),
    (("issue", "--merchant", "nobody", "--name", "n", "--scope", SCOPE), None, "no merchant nobody"),
    (("issue", "--merchant", "keyshop", "--name", "n", "--scope", SCOPE, "--days", "0"), EX_USAGE, "days"),
    (("rotate", "nothing", "--merchant", "keyshop"), None, "no live key"),
    (("revoke", "0" * 16), None, "no key " + "0" * 16),
)


@pytest.mark.parametrize("words, status, said", REFUSED, ids=[" ".join(row[0][:1]) + "-" + row[2] for row in REFUSED])
def test_payopsctl_refuses(keys, words, status, said):
    done = keys.ctl(*words, check=False)
    assert done.returncode == status if status else done.returncode != 0, done.stderr
    assert done.stdout == ""
    assert said in done.stderr


def test_a_key_in_the_place_of_its_id_is_not_repeated(keys, good):
    done = keys.ctl("revoke", good, check=False)
    assert done.returncode == EX_DATAERR
    assert good[25:] not in done.stderr


def test_apids_database_user_may_make_and_revoke_keys_but_change_none(payops):
    grants = (payops.top / "sql" / "grants_apid.sql").read_text()
    assert re.findall(r"GRANT (.*) ON \{database\}\.api_key ", grants) == [
        "SELECT, INSERT, UPDATE (slot, revoked_at_us, revoked_by)"]


def gateways_asked(payops, key, timeout_s):
    """What needs no database but for the key: its status, and how long it took."""
    begun = time.monotonic()
    answer = payops.request("GET", "/gateways", token=key, headers={"Request-Timeout": str(timeout_s)})
    return answer, time.monotonic() - begun


def test_a_stalled_database_holds_a_key_up_to_the_requests_deadline_and_no_longer(payops, keys, good):
    """A key that was looked up within the last second goes on; one that must be looked up is refused in time."""
    unseen = keys.issue("unseen", "payments:read")

    def goes_on():
        """Whether a fresh key is served in a stall; the machine may be too slow for it to be fresh yet."""
        until(lambda: read_status(payops, good, "/gateways") == 200, 30, "a look-up")
        with payops.stalled("database"):
            return gateways_asked(payops, good, IMPATIENT_S)[0].status == 200

    until(goes_on, 60, "a request with a key that is remembered")
    with payops.stalled("database"):
        refused = [gateways_asked(payops, unseen, IMPATIENT_S) for _ in range(2)]
    until(payops.is_ready, 30, "readiness")
    for answer, took in refused:
        assert answer.status == 503, answer.body
        assert answer.json["code"] == "deadline_exceeded"
        assert int(answer.headers["retry-after"]) >= 1
        assert took < IMPATIENT_S + MARGIN_S
    until(lambda: read_status(payops, unseen, "/gateways") == 200, 10, "the key's use, with the database back")


def test_no_secret_is_logged_or_stored(payops, keys, good):
    """Runs last: it looks for all keys that were made above, in every spelling that could betray them."""
    payops.log_bytes()  # waits until apid has written what it collected
    places = b"".join(log.read_bytes() for log in (payops.dir / "log").iterdir() if log.is_file())
    for table in [row[0] for row in payops.sql("SHOW TABLES")]:
        rows = payops.sql(f"SELECT * FROM `{table}`", binary=True)
        places += "\n".join("\t".join(row) for row in rows).lower().encode() + b"\n"
    assert id_of(good).encode().hex().encode() in places  # so it is the right database
    digest = hashlib.sha256(base64.urlsafe_b64decode(good[25:] + "=")).hexdigest()
    assert digest.encode() in places
    for key in keys.made:
        secret = key[25:]
        for spelling in (secret, secret.lower(), base64.urlsafe_b64decode(secret + "=").hex(),
                         secret.encode().hex()):
            assert spelling.encode() not in places, f"the secret of key {id_of(key)} is found"
