# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens over HTTP: forged, stale and odd ones are 401 and write nothing; good ones count until they expire."""
import base64
import hashlib
import hmac
import json
import time
from collections import namedtuple

import pytest

MERCHANT = "tokenshop"
BODY = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_token"}
HEADER = {"alg": "HS256", "typ": "JWT", "kid": "dev-1"}
SCOPE = "payments:read payments:write"

Case = namedtuple("Case", "name lines")  # lines: function of a Forge that gives the Authorization lines


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Forge:
    """Makes tokens of this instance, changed in one point."""

    def __init__(self, payops):
        self.payops = payops
        self.now = int(time.time())

    def claims(self, **changes):
        claims = {"iss": "payops", "aud": "payops", "sub": "test", "merchant": MERCHANT, "scope": SCOPE,
                  "iat": self.now, "exp": self.now + 600, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def good(self):
        return self.payops.forge(HEADER, self.claims())

    def header(self, **changes):
        """A token with another header, signed well."""
        header = {name: value for name, value in {**HEADER, **changes}.items() if value is not None}
        return self.payops.forge(header, self.claims())

    def changed(self, **changes):
        """A token with other claims, signed well; None leaves a claim out."""
        return self.payops.forge(HEADER, self.claims(**changes))

    def text(self, header=None, claims=None, key=None):
        """A token of raw JSON texts; @ in the claims' text stands for the good members."""
        good = json.dumps(self.claims())[1:-1]
        header = json.dumps(HEADER) if header is None else header
        claims = "{@}" if claims is None else claims
        return self.payops.forge(header.encode(), claims.replace("@", good).encode(), key)

    def signed(self, digest, header=None):
        """A token whose HMAC is of another hash."""
        head = ".".join(base64url(json.dumps(part).encode()) for part in (header or HEADER, self.claims()))
        return f"{head}.{base64url(hmac.new(self.payops.token_key(), head.encode(), digest).digest())}"


def token(name, make):
    return Case(name, lambda forge: [f"Bearer {make(forge)}"])


def claim(name, value):
    shown = "absent" if value is None else repr(value)[:40]
    return token(f"{name} {shown}", lambda forge: forge.changed(**{name: value}))


def raw_claim(name, text):
    """A member put in as JSON text, in place of the good one."""
    def make(forge):
        good = json.dumps(forge.claims(**{name: None}))[1:-1]
        return forge.text(claims=f'{{{good},"{name}":{text}}}')
    return token(f"{name} {text[:40]}", make)


def parts(forge):
    return forge.good().split(".")


NONE = base64url(b'{"alg":"none","kid":"dev-1"}')
ALGORITHMS = [
    token(f"alg {text}", lambda forge, text=text: forge.text(f'{{"alg":{text},"kid":"dev-1"}}')) for text in (
        '"none"', '"None"', '"NONE"', '"nOnE"', '"\\u006eone"', '""', "null", "256", "true", '["HS256"]',
        '{"a":"HS256"}', '"hs256"', '"HS256 "', '"HS384"', '"HS512"', '"RS256"', '"RS512"', '"ES256"', '"PS256"',
        '"EdDSA"', '"HMAC"', '"dir"')
] + [
    token("none and no signature", lambda forge: ".".join((NONE, parts(forge)[1], ""))),
    token("none and the good signature", lambda forge: ".".join((NONE, *parts(forge)[1:]))),
    token("no alg", lambda forge: forge.header(alg=None)),
    token("SHA-384 under HS256", lambda forge: forge.signed(hashlib.sha384)),
    token("SHA-512 as HS512", lambda forge: forge.signed(hashlib.sha512, {**HEADER, "alg": "HS512"})),
    token("alg twice", lambda forge: forge.text('{"alg":"none","alg":"HS256","kid":"dev-1"}')),
    token("alg twice by an escape", lambda forge: forge.text('{"alg":"HS256","\\u0061lg":"none","kid":"dev-1"}')),
]

KEYS = [
    token(f"kid {text[:40]}", lambda forge, text=text: forge.text(f'{{"alg":"HS256","kid":{text}}}')) for text in (
        '""', "null", "0", '"dev-2"', '"dev-"', '"dev-1 "', '"DEV-1"', '"dev-1\\u0000"', '"../keys/token.key"',
        '"/dev/null"', '"x\' UNION SELECT \'key"', '"dev-1|id"', '"%s%n"', '["dev-1"]', '{"a":"dev-1"}',
        f'"{"k" * 600}"')
] + [
    token("no kid", lambda forge: forge.header(kid=None)),
    token("kid twice", lambda forge: forge.text('{"alg":"HS256","kid":"x","kid":"dev-1"}')),
    token("signed by an empty key", lambda forge: forge.text(key=b"")),
    token("signed by another key", lambda forge: forge.text(key=b"k" * 32)),
    token("signed by the key's name", lambda forge: forge.text(key=b"dev-1")),
    # Not without its last: where that is a zero, HMAC's padding puts it back, and the key is the same one.
    token("signed by the key without its first byte", lambda forge: forge.text(key=forge.payops.token_key()[1:])),
    token("signed by the hash key", lambda forge: forge.text(
        key=(forge.payops.dir / "etc/payops/keys/hash.key").read_bytes())),
]

HEADERS = [
    token(f"header with {name}", lambda forge, name=name, value=value: forge.header(**{name: value}))
    for name, value in (
        ("crit", ["exp"]), ("crit", []), ("b64", False), ("jku", "https://evil.test/keys"),
        ("jwk", {"kty": "oct", "k": "AAAA"}), ("x5u", "https://evil.test/c"), ("x5c", ["MIIB"]), ("zip", "DEF"),
        ("cty", "JWT"), ("enc", "A256GCM"), ("typ", "JWE"), ("typ", ""), ("typ", 1), ("exp", 9999999999))
] + [
    token(f"header {text[:24]}", lambda forge, text=text: forge.text(text)) for text in (
        "{}", "[]", '"HS256"', "null", "", "{", '{"alg":"HS256","kid":"dev-1"}{}', '{"alg":"HS256","kid":"dev-1",}',
        '\ufeff{"alg":"HS256","kid":"dev-1"}')
]

CLAIMS = [
    claim(name, value) for name, values in {
        "exp": (None, 0, -1, 1, "9999999999", True, [9999999999], {"v": 1}, 2 ** 53 + 1, 2 ** 63 - 1, -2 ** 63, 1.5,
                1e10, 9999999999.0),
        "nbf": (9999999999, "0", -1, 1.5, True, 2 ** 63 - 1),
        "iat": (9999999999, "0", -1, 0.5, False),
        "iss": (None, "", "Payops", "payops ", "payops2", "https://payops", ["payops"], 1),
        "aud": (None, "", "Payops", "payops2", "payops other", [], ["other"], ["payops", 1], [["payops"]],
                {"payops": True}, 1),
        "merchant": (None, "", "DEMO", "de mo", "demo\n", "../demo", "demo' OR '1'='1", "m" * 33, ["demo"], 7, "démo",
                     "%"),
        "sub": (None, "", "a b", "a\nb", "é", "s" * 129, 7, ["test"]),
        "scope": (1, ["payments:write"], True, {"a": "b"}),
    }.items() for value in values
] + [
    raw_claim("exp", text) for text in ("null", "1e99", "1e400", "18446744073709551616", "9223372036854775808",
                                        "1" + "0" * 40, "9999999999.0", "99e8", "09999999999", "+9999999999",
                                        "0x7fffffff", "Infinity", "NaN", "9999999999 9")
] + [
    raw_claim("nbf", text) for text in ("null", "1e3", "-9223372036854775808", "1e400")
] + [
    token(f"claims {text[:24]}", lambda forge, text=text: forge.text(claims=text)) for text in (
        "{}", "[]", "null", "1", '"x"', "", "{", "{@", "{@}}", "{@}{@}", "{@,}", "[{@}]", '{@,"exp":9999999999}',
        '{@,"merchant":"demo"}', '{@,"scope":"x"}', '{@,"\\u0065xp":9999999999}', '{@,"x":1.5}', '{@,"x":"\\u0000"}',
        '{@,"x":"\\ud800"}', '\ufeff{@}', '{@,"x":' + "[" * 50 + "]" * 50 + "}", '{@,"x":"' + "y" * 5000 + '"}')
] + [
    token("claims that are not UTF-8", lambda forge: forge.payops.forge(
        HEADER, json.dumps(forge.claims()).encode()[:-1] + b',"x":"\xff"}')),
    token("expired a second ago", lambda forge: forge.changed(exp=forge.now - 1)),
    token("valid in two minutes", lambda forge: forge.changed(nbf=forge.now + 120)),
    token("issued in two minutes", lambda forge: forge.changed(iat=forge.now + 120)),
]

SHAPES = [
    token("last character of the signature changed",
          lambda forge: forge.good()[:-2] + ("AA" if forge.good()[-2:] != "AA" else "BB")),
    token("first character of the signature changed", lambda forge: ".".join(
        (*parts(forge)[:2], ("A" if parts(forge)[2][0] != "A" else "B") + parts(forge)[2][1:]))),
    token("signature of another token", lambda forge: ".".join(
        (*parts(forge)[:2], forge.changed(sub="x").split(".")[2]))),
    token("claims of another token", lambda forge: ".".join(
        (parts(forge)[0], forge.changed(merchant="demo").split(".")[1], parts(forge)[2]))),
    token("no signature", lambda forge: ".".join(parts(forge)[:2]) + "."),
    token("two parts", lambda forge: ".".join(parts(forge)[:2])),
    token("one part", lambda forge: parts(forge)[0]),
    token("four parts", lambda forge: forge.good() + ".x"),
    token("five parts", lambda forge: forge.good() + ".x.x"),
    token("dots only", lambda forge: ".."),
    token("a dot in front", lambda forge: "." + forge.good()),
    token("signature cut", lambda forge: forge.good()[:-10]),
    token("signature doubled", lambda forge: forge.good() + parts(forge)[2]),
    token("signature of zeroes", lambda forge: ".".join((*parts(forge)[:2], base64url(bytes(32))))),
    token("padding", lambda forge: forge.good() + "="),
    token("padding of each part", lambda forge: ".".join(part + "==" for part in parts(forge))),
    token("plain base64", lambda forge: ".".join((*parts(forge)[:2], parts(forge)[2][:-2] + "+/"))),
    token("escape in the token", lambda forge: forge.good().replace(".", "%2E")),
    token("a NUL escape behind", lambda forge: forge.good() + "%00"),
    token("too long", lambda forge: forge.changed(filler="x" * 4096)),
    token("quoted", lambda forge: f'"{forge.good()}"'),
    token("a payment's id", lambda forge: "trans_01M7YTV6ECD2DYMZZGJMTR1Z1T"),
    token("a word", lambda forge: "x"),
    token("the signing key itself", lambda forge: base64url(forge.payops.token_key())),
]

LINES = [
    Case("no Authorization", lambda forge: []),
    Case("empty Authorization", lambda forge: [""]),
    Case("Bearer alone", lambda forge: ["Bearer"]),
    Case("Bearer and a blank", lambda forge: ["Bearer "]),
    Case("the token alone", lambda forge: [forge.good()]),
    Case("Basic", lambda forge: ["Basic " + base64.b64encode(b"demo:demo").decode()]),
    Case("Basic with a token", lambda forge: [f"Basic {forge.good()}"]),
    Case("Digest", lambda forge: ['Digest username="demo"']),
    Case("Token", lambda forge: [f"Token {forge.good()}"]),
    Case("JWT", lambda forge: [f"JWT {forge.good()}"]),
    Case("Bearer with a colon", lambda forge: [f"Bearer: {forge.good()}"]),
    Case("Bearer with =", lambda forge: [f"Bearer={forge.good()}"]),
    Case("Bearer and two blanks", lambda forge: [f"Bearer  {forge.good()}"]),
    Case("Bearer and a tab", lambda forge: [f"Bearer\t{forge.good()}"]),
    Case("Bearers", lambda forge: [f"Bearers {forge.good()}"]),
    Case("two tokens in a line", lambda forge: [f"Bearer {forge.good()} {forge.good()}"]),
    Case("two tokens with a comma", lambda forge: [f"Bearer {forge.good()}, Bearer {forge.good()}"]),
    Case("a token and a comma", lambda forge: [f"Bearer {forge.good()},"]),
    Case("the same token twice", lambda forge: [f"Bearer {forge.good()}"] * 2),
    Case("a good one and a bad one", lambda forge: [f"Bearer {forge.good()}", "Bearer x"]),
    Case("a bad one and a good one", lambda forge: ["Bearer x", f"Bearer {forge.good()}"]),
    Case("an empty one and a good one", lambda forge: ["", f"Bearer {forge.good()}"]),
]

CASES = ALGORITHMS + KEYS + HEADERS + CLAIMS + SHAPES + LINES


def wire(lines, target="/transactions"):
    body = json.dumps(BODY)
    return "\r\n".join([f"POST {target} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
                        *(f"Authorization: {line}" for line in lines),
                        f"Content-Length: {len(body)}", "", body]).encode()


def rows(payops):
    return [int(payops.sql(f"SELECT COUNT(*) FROM {table}")[0][0]) for table in ("transaction", "operation")]


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    shared.add_merchant(MERCHANT)
    return shared


@pytest.fixture(scope="module")
def forge(payops):
    return Forge(payops)


@pytest.fixture(scope="module", autouse=True)
def nothing_written(payops):
    """The accepted tokens below are used for reading only: so no test of this module writes anything."""
    before = rows(payops)
    yield
    assert rows(payops) == before


def test_the_table_is_long_enough():
    assert len(CASES) >= 60


def test_the_forge_makes_good_tokens(payops, forge):
    """Else every refusal below would prove nothing."""
    for good in (forge.good(), forge.text(), forge.header(), forge.changed()):
        answer = payops.request("GET", "/customers/c/transactions", token=good)
        assert answer.status == 200, answer.body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.encode("ascii", "replace").decode()[:50])
def test_bad_token_is_refused(payops, forge, case):
    answer = payops.exchange(wire(case.lines(forge)))
    challenge = answer.headers.get("www-authenticate", "")

    assert answer.status == 401, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "unauthenticated"
    assert challenge.startswith('Bearer realm="payops"')
    assert ('error="invalid_token"' in challenge) == bool(case.lines(forge))
    assert challenge.isascii() and challenge.isprintable()
    for line in case.lines(forge):
        assert len(line) < 20 or line[-20:] not in answer.body.decode() + challenge


@pytest.mark.parametrize("parameter", ["access_token", "token", "jwt", "authorization"])
def test_token_in_the_query_is_no_token(payops, forge, parameter):
    answer = payops.exchange(wire([], f"/transactions?{parameter}={forge.good()}"))

    assert answer.status == 401
    assert forge.good().encode() not in answer.body


def test_token_in_body_or_cookie_is_no_token(payops, forge):
    in_cookie = payops.request("GET", "/customers/c/transactions", headers={"Cookie": f"access_token={forge.good()}"})
    in_body = payops.request("POST", "/transactions", f"access_token={forge.good()}".encode(),
                             headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert in_cookie.status == 401
    assert in_body.status == 415


@pytest.mark.parametrize("name, make", [
    ("no type", lambda forge: forge.header(typ=None)), ("type in lower case", lambda forge: forge.header(typ="jwt")),
    ("no iat", lambda forge: forge.changed(iat=None)), ("nbf now", lambda forge: forge.changed(nbf=forge.now)),
    ("times ahead within the skew", lambda forge: forge.changed(nbf=forge.now + 30, iat=forge.now + 30)),
    ("audience in an array", lambda forge: forge.changed(aud=["other", "payops"])),
    ("the last second there is", lambda forge: forge.changed(exp=2 ** 53)),
    ("claims that are not ours", lambda forge: forge.changed(jti="7", email="a@b.test", roles=["x", {"y": None}])),
    ("scopes that are not ours", lambda forge: forge.changed(scope=f"openid {SCOPE} profile")),
    ("blanks in the JSON", lambda forge: forge.text(' { "alg" : "HS256" ,\n "kid" : "dev-1" } ', " {\n@ } ")),
    ("a longest subject", lambda forge: forge.changed(sub="s" * 128)),
], ids=lambda value: value if isinstance(value, str) else "")
def test_good_token_is_taken(payops, forge, name, make):
    answer = payops.request("GET", "/customers/c/transactions", token=make(forge))

    assert answer.status == 200, answer.body


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_scheme_is_taken_in_any_case(payops, forge, scheme):
    answer = payops.request("GET", "/customers/c/transactions", headers={"authorization": f"{scheme} {forge.good()}"})

    assert answer.status == 200


@pytest.mark.parametrize("scope", [None, "", " ", "payments", "payments:", "Payments:Read", "payments:writer",
                                   "payments:read,x",
                                   "payments:read\tpayments:write", "*", "openid"])
def test_token_without_a_usable_scope_may_nothing(payops, forge, scope):
    answer = payops.request("GET", "/customers/c/transactions", token=forge.changed(scope=scope))

    assert answer.status == 403, answer.body
    assert answer.json["code"] == "insufficient_scope"


def test_issued_token_is_taken_and_is_of_the_same_kind(payops):
    issued = payops.token(MERCHANT, "payments:read")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
                      for part in issued.split(".")[:2])

    assert payops.request("GET", "/customers/c/transactions", token=issued).status == 200
    assert header["alg"] == "HS256" and header["kid"] == "dev-1"
    assert claims["merchant"] == MERCHANT and claims["scope"] == "payments:read"
    assert claims["iss"] == claims["aud"] == "payops"


def test_token_is_refused_after_its_expiry_although_it_was_verified_before(payops, forge):
    expiry = int(time.time()) + 2
    short = forge.changed(exp=expiry, jti="short")
    answers = []

    while time.time() < expiry + 0.5:
        sent = time.time()
        answers.append((sent, payops.request("GET", "/customers/c/transactions", token=short).status, time.time()))
        time.sleep(0.1)

    assert answers[0][1] == 200
    for sent, status, answered in answers:
        assert status in (200, 401)
        assert status == 200 or answered >= expiry
        assert status == 401 or sent < expiry
    assert answers[-1][1] == 401


def test_refused_token_does_not_harm_the_good_one_that_was_remembered(payops, forge):
    good = forge.good()
    for _ in range(3):
        assert payops.request("GET", "/customers/c/transactions", token=good).status == 200
        assert payops.request("GET", "/customers/c/transactions", token=good[:-3] + "AAA").status == 401


def test_no_token_is_in_the_log(payops, forge):
    payops.request("GET", "/customers/c/transactions", token=forge.good())
    log = payops.log_bytes().decode()

    assert forge.good().split(".")[2] not in log
    assert "eyJ" not in log
