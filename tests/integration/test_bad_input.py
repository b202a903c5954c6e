# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad requests: each is refused with its own status, code and list of fields; nothing is written or leaks."""
import json
import re

import pytest

from bad_requests import (ANY, BEARER, CASES, DASHED, GOOD, JSON_TYPE, READ_BEARER, SPACED, TEXT_FIELDS, VISA, chunked,
                          text_of, wire)

MERCHANT = "badinput"


@pytest.fixture(scope="module")
def payops(shared):
    """The instance with a merchant of this module's own; whatever was sent, nothing may have been written for it."""
    shared.start()
    shared.mode("ok")
    shared.add_merchant(MERCHANT)
    before = rows(shared)
    yield shared
    assert rows(shared) == before


def rows(payops):
    """How many rows there are; of this module's merchant alone where others' payments may still be under way."""
    counts = {table: int(payops.sql(f"SELECT COUNT(*) FROM {table}")[0][0]) for table in ("transaction", "operation")}
    for table in ("transaction", "operation", "event", "attempt"):
        found = payops.sql(f"SELECT COUNT(*) FROM {table} WHERE merchant = '{MERCHANT}'")
        counts[f"{MERCHANT}.{table}"] = int(found[0][0])
    return counts


def send(payops, raw):
    token = payops.token(MERCHANT, "payments:read payments:write").encode()
    read = payops.token(MERCHANT, "payments:read").encode()
    return payops.exchange(raw.replace(b"@TOKEN@", token).replace(b"@READ@", read))


MEMBERS = {"type": str, "title": str, "status": int, "code": str, "api_call_id": str, "retryable": bool}
OPTIONAL = {"detail": str, "instance": str, "retry_after": int, "errors": list}


def assert_problem(answer, status, code):
    """RFC 9457 with our own members, and the headers of every answer."""
    assert answer is not None, "the connection was closed without an answer"
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    shown = answer.json
    for name, kind in MEMBERS.items():
        assert type(shown[name]) is kind, name
    for name in set(shown) - set(MEMBERS):
        assert type(shown[name]) is OPTIONAL[name], name
    assert shown["status"] == status
    assert shown["code"] == code
    assert shown["type"] == f"/errors/{code}"
    assert shown["api_call_id"] == answer.headers["x-api-call-id"]
    for error in shown.get("errors", []):
        assert error["code"] and error["message"] and set(error) <= {"field", "pointer", "code", "message"}
    assert len(answer.body) < 8192
    return shown


def test_the_table_is_long_enough_and_names_each_case_once():
    names = [case.name for case in CASES]

    assert len(CASES) >= 150
    assert len(set(names)) == len(names), sorted(name for name in set(names) if names.count(name) > 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: re.sub(r"[^\w.+-]+", "_", case.name)[:60])
def test_bad_request_is_refused(payops, case):
    answer = send(payops, case.raw)

    if case.code is None:
        assert (answer.status if answer else 0) in case.status, answer.body
        return
    shown = assert_problem(answer, case.status, case.code)
    if case.errors is not ANY:
        assert {error["field"]: error["code"] for error in shown.get("errors", [])} == (case.errors or {})
        assert len(shown.get("errors", [])) == len(case.errors or {})
        for error in shown.get("errors", []):
            assert error["pointer"] == "/" + error["field"].replace("~", "~0").replace("/", "~1")
    if case.detail is not None:
        assert case.detail in shown["detail"]
    for number in (VISA, SPACED, DASHED):
        assert number.encode() not in answer.body


def test_refusals_tell_how_to_go_on(payops):
    unauthenticated = send(payops, wire(b"{}", (JSON_TYPE,)))
    scope = send(payops, wire(b"{}", (JSON_TYPE, READ_BEARER)))
    method = send(payops, wire(b"", (BEARER,), b"PUT"))

    assert unauthenticated.headers["www-authenticate"].startswith("Bearer ")
    assert 'error="insufficient_scope"' in scope.headers["www-authenticate"]
    assert "payments:write" in scope.headers["www-authenticate"]
    assert method.headers["allow"] == "POST, GET, HEAD, OPTIONS"


def test_a_connection_goes_on_after_a_refusal_and_ends_where_framing_is_in_doubt(payops):
    bad, good = wire(b"{"), wire(b"", (), b"GET", b"/healthz")
    doubtful = wire(chunked(text_of({})), (JSON_TYPE, BEARER, b"Transfer-Encoding: chunked"))
    token = payops.token(MERCHANT).encode()

    with payops.connect() as link, link.makefile("rb") as stream:
        link.sendall(bad.replace(b"@TOKEN@", token) + good)
        assert payops.read_answer(stream).status == 400
        assert payops.read_answer(stream).status == 200
    with payops.connect() as link, link.makefile("rb") as stream:
        link.sendall(doubtful.replace(b"@TOKEN@", token) + good)
        assert payops.read_answer(stream).status == 400
        assert payops.read_answer(stream) is None


# --- foreign text in the log ---

CANARY = "zq9canary"
POISON = f'{CANARY}\x1b[31m\r\n"}}\x00{{"level":"error"}}\x7f\u0085 {SPACED} {VISA} {DASHED}'
POISONED_LINE = f"{CANARY}\x1b[31m\x7f {SPACED} {VISA} {DASHED}".encode()
HEADER_NAMES = (b"Idempotency-Key", b"X-Request-Id", b"X-Api-Call-Id", b"traceparent", b"User-Agent", b"Accept",
                b"Referer",
                b"Request-Timeout", b"If-None-Match", b"Content-Type", b"Authorization", b"Cookie", b"X-Forwarded-For",
                b"Content-Encoding", b"Sandbox-Signature", b"Origin", b"Expect")


def poisoned_requests():
    for name in (*GOOD, *TEXT_FIELDS, "metadata", "unknown"):
        yield wire(json.dumps({**GOOD, name: POISON.replace("\0", "")}).encode())
        yield wire(json.dumps({**GOOD, name: POISON}).encode())
    yield wire(json.dumps({**GOOD, POISON.replace("\0", ""): 1}).encode())
    yield wire(json.dumps({**GOOD, "metadata": {POISON.replace("\0", ""): "x"}}).encode())
    yield wire(json.dumps({**GOOD, "metadata": {"x": POISON.replace("\0", "")}}).encode())
    yield wire(POISON.encode())
    for name in HEADER_NAMES:
        yield wire(b"{", (JSON_TYPE, BEARER, name + b": " + POISONED_LINE))
        yield wire(b"", (BEARER, name + b": " + POISONED_LINE), b"GET", b"/nothing")
    yield wire(b"{", (JSON_TYPE, b"Authorization: Bearer " + CANARY.encode() + b"." + VISA.encode() + b".x"))
    yield wire(b"{", (JSON_TYPE, b"Authorization: Basic " + VISA.encode()))
    for target in (f"/transactions/{VISA}", f"/transactions/{DASHED}/events", f"/customers/{VISA}/transactions",
                   f"/{VISA}",
                   f"/nothing/{DASHED}", f"/callback/{VISA}", f"/gateways/{VISA}/callbacks", f"/healthz?{VISA}={VISA}",
                   f"/customers/c/transactions?limit={VISA}", f"/customers/c/transactions?after={CANARY}{VISA}",
                   "/nothing%1b[31m%0a%7f", "/nothing\x1b[31m\x7f"):
        yield wire(b"", (BEARER,), b"GET", target.encode())
        yield wire(b"{}", (JSON_TYPE, BEARER), b"POST", target.encode())
    yield wire(b"", (BEARER,), CANARY.upper().encode())
    yield wire(b"", (BEARER,), VISA.encode(), b"/nothing")


def test_nothing_foreign_is_logged_or_answered_raw(payops):
    begin = len(payops.log_bytes())
    answers = [send(payops, raw) for raw in poisoned_requests()]
    written = payops.log_bytes()[begin:]

    for answer in answers:
        assert answer is None or 400 <= answer.status < 500, answer.body
        shown = b"" if answer is None else answer.body + "".join(answer.headers.values()).encode("latin-1")
        assert not re.search(rb"[^\x20-\x7e]", shown)
        for foreign in (VISA, SPACED, DASHED):
            assert foreign.encode() not in shown
    assert written.count(b"\n") >= len(answers) // 2
    for foreign in (CANARY, VISA, SPACED, DASHED):
        assert foreign.encode() not in written
    assert not re.search(rb"[^\n\x20-\x7e\x80-\xff]|\xc2[\x80-\x9f]", written)
    for line in written.decode().splitlines():
        assert type(json.loads(line)) is dict


def test_every_line_of_the_log_is_one_json_object(payops):
    lines = payops.log_bytes().decode().splitlines()
    others = [line for line in lines if not line.startswith("{")]

    assert not others, "\n".join(others[:40])  # a sanitizer's report, for one
    for line in map(json.loads, lines):
        assert type(line) is dict
        assert {"time", "level", "component", "msg"} <= set(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
