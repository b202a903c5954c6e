# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile clients: whatever they send, they are refused, nobody's payment is made, texts come back as they went in, the log
stays one object a line, and apid is as well and as small afterwards as before."""
import contextlib
import json
import pathlib
import re
import signal
import socket
import urllib.parse
import xml.etree.ElementTree
import xml.sax.saxutils
from concurrent.futures import ThreadPoolExecutor

import pytest

from bad_requests import GOOD
from hostile_requests import CASES
from hostile_texts import CONTROLS, FREE, LINES, VISIBLE
from support import unique, until

MERCHANT = "hostile"
SCOPES = ("payments:read payments:write refunds:write payouts:write customers:read customers:write keys:read "
          "keys:write")
PASSES = 6
GROWTH_KB = 32 * 1024  # coarse, for the sanitizer's own comes and goes; what is not freed in the end it tells itself
READ_S = 10


@pytest.fixture(scope="module")
def payops(shared):
    """The instance with a merchant of this module's own, who never asked for anything, and a sanitizer that keeps little."""
    shared.start()
    shared.heal()
    shared.add_merchant(MERCHANT)
    override = shared.dir / "etc" / "payops" / "conf.d" / "90-test-hostile.conf"
    override.write_text(f"listen: {{ read_deadline_ms = {READ_S * 1000}; }};\n")
    shared.kill("apid", signal.SIGTERM)
    process = shared.start_apid(ASAN_OPTIONS="detect_leaks=1:exitcode=99:quarantine_size_mb=1:thread_local_quarantine_size_kb=16")
    until(shared.is_ready, 30, "apid being ready")
    try:
        yield shared
    finally:
        override.unlink()
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
        shared.start()
        assert status == 0, "apid had something to complain about"


def answers_of(payops, raw):
    """Send it all, say that no more comes, and read every answer until the connection ends, or says that it does:
    libmicrohttpd 0.9.75 writes the head of its own error pages twice, so that there are bytes left behind one."""
    raw = raw.replace(b"@TOKEN@", payops.token(MERCHANT, SCOPES).encode())
    answers = []
    with payops.connect() as link, link.makefile("rb") as stream:
        with contextlib.suppress(OSError):  # the server may have answered and gone before all was sent
            link.sendall(raw)
            link.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while not answers or answers[-1].headers.get("connection", "").lower() != "close":
                answer = payops.read_answer(stream)
                if answer is None:
                    return answers
                answers.append(answer)
            assert b" 20" not in stream.read().partition(b"\r\n")[0], "something was answered behind the last answer"
    return answers


def payments(payops):
    return int(payops.sql(f"SELECT COUNT(*) FROM operation WHERE merchant = '{MERCHANT}'")[0][0])


def assert_right(case, answers):
    first = answers[0].status if answers else 0
    assert first in case.statuses, answers and answers[0].body
    assert len(answers) <= case.answers, [answer.status for answer in answers]
    for answer in answers:
        assert answer.status < 500 or answer.status in case.statuses, answer.body
        assert answer.headers.get("x-api-call-id") != "smuggled", "a request was found inside of another"
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers
        assert b"root:" not in answer.body and b"@TOKEN@" not in answer.body


def test_table_is_long_enough_and_names_each_case_once():
    names = [case.name for case in CASES]

    assert len(CASES) >= 300
    assert len(set(names)) == len(names), sorted(name for name in set(names) if names.count(name) > 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: re.sub(r"[^\w.+-]+", "_", case.name)[:60])
def test_hostile_request_is_refused_or_harmless(payops, case):
    assert_right(case, answers_of(payops, case.raw))


def test_nobody_paid_by_any_of_them(payops):
    assert payments(payops) == 0


# --- texts come back as they went in ---

def ask(payops, method, path, body=None, **headers):
    return payops.request(method, path, body, headers={name.replace("_", "-"): value for name, value in headers.items()},
                          token=payops.token(MERCHANT, SCOPES))


def kept(payops, **members):
    """What a payment with these members looks like afterwards, and its path."""
    answer = ask(payops, "POST", "/transactions", {**GOOD, **members})
    assert answer.status == 201, (members, answer.body)
    path = answer.headers["location"]
    return ask(payops, "GET", path).json, path


def side_by_side(work, texts):
    """Do it with each text, a few at a time; the first that fails fails the test."""
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(work, texts):
            pass


def test_free_text_comes_back_byte_for_byte(payops):
    def there_and_back(text):
        name = re.sub(r"[\x00-\x1f]", "", text)[:40] or "name"
        shown, path = kept(payops, description=text, metadata={name: text, "again": text * 2})
        assert shown["description"] == text
        assert shown["metadata"] == {name: text, "again": text * 2}
        listed = [one for one in ask(payops, "GET", f"/customers/{GOOD['customer_id']}/transactions?limit=200").json
                  if one["transaction_id"] == shown["transaction_id"]]
        assert not listed or listed[0]["description"] == text
        amended = ask(payops, "PATCH", path, {"description": text[::-1]})
        assert amended.status in (200, 409), amended.body
        if amended.status == 200:
            assert ask(payops, "GET", path).json["description"] == text[::-1]

    side_by_side(there_and_back, [text for text in FREE if len(text) <= 250])


def xml_of(**members):
    escaped = {name: xml.sax.saxutils.escape(value, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}) for name, value in members.items()}
    return ("<payment>" + "".join(f"<{name}>{value}</{name}>" for name, value in escaped.items()) + "</payment>").encode()


def test_free_text_comes_back_in_xml_too(payops):
    def there_and_back(text):
        members = {**GOOD, "amount": "10.00", "description": text}
        answer = ask(payops, "POST", "/transactions", xml_of(**members), Content_Type="application/xml")
        assert answer.status == 201, (text, answer.body)
        shown = ask(payops, "GET", answer.headers["location"], Accept="application/xml")
        assert shown.headers["content-type"] == "application/xml"
        found = [node.text for node in xml.etree.ElementTree.fromstring(shown.body) if node.tag.endswith("description")]
        assert found == [text]
        assert ask(payops, "GET", answer.headers["location"], Accept="application/json").json["description"] == text

    # Blanks alone are no content of an element, and what Unicode has for no text is no XML.
    side_by_side(there_and_back, [text for text in FREE[::2] + LINES if text.strip() and len(text) <= 255])


def test_reasons_come_back_byte_for_byte(payops):
    whole, path = kept(payops, amount=100000, payment_token="tok_sync")
    payops.await_status(whole["transaction_id"], "completed", merchant=MERCHANT)
    texts = FREE[::5] + LINES
    asked = {}
    for text in texts:
        answer = ask(payops, "POST", f"{path}/refunds", {"amount": 1, "reason": text}, Idempotency_Key=unique("hostile"))
        assert answer.status in (201, 202), (text, answer.body)
        asked[answer.json["refund_id"]] = text
    listed = {one["refund_id"]: one["reason"] for one in ask(payops, "GET", f"{path}/refunds").json}
    assert listed == asked
    for refund_id, text in list(asked.items())[:10]:
        assert ask(payops, "GET", f"/refunds/{refund_id}").json["reason"] == text


def test_ids_and_keys_come_back_byte_for_byte(payops):
    def there_and_back(text):
        shown, _ = kept(payops, customer_id=text)
        assert shown["customer_id"] == text
        found = ask(payops, "GET", f"/customers/{urllib.parse.quote(text, safe='')}/transactions")
        assert [one["transaction_id"] for one in found.json] == [shown["transaction_id"]]
        user = ask(payops, "POST", "/deposit", {"user_id": text, "amount": "1.00", "currency": "USD"})
        assert user.status == 202, user.body
        assert ask(payops, "GET", user.headers["location"]).json["customer_id"] == text
        if "," not in text and not text.startswith('"'):
            key = f"{text}{unique('')}"
            begun = ask(payops, "POST", "/transactions", GOOD, Idempotency_Key=key)
            again = ask(payops, "POST", "/transactions", GOOD, Idempotency_Key=key)
            assert (begun.status, again.status, again.body) == (201, 201, begun.body)
            known = ask(payops, "GET", f"/idempotency-keys/{urllib.parse.quote(key, safe='')}")
            assert known.status == 200 and json.dumps(begun.json["transaction_id"]).encode() in known.body

    side_by_side(there_and_back, [text for text in VISIBLE if len(text) <= 64])


def properties(document, operation):
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema.get("properties", {})


def test_every_text_of_what_can_be_created_comes_back_or_is_refused_by_name(payops):
    """Whatever the description says can be created with POST: a field that is not known to this file, too."""
    document = payops.request("GET", "/openapi.json").json
    for path, methods in document["paths"].items():
        operation = methods.get("post", {})
        example = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        if example is None or "{" in path or "201" not in operation["responses"]:
            continue
        for name, schema in properties(document, operation).items():
            if "string" not in schema.get("type", ()) or "enum" in schema:
                continue
            for text in FREE[::24]:
                answer = ask(payops, "POST", path, {**example, name: text})
                if answer.status == 422:
                    assert {error["field"] for error in answer.json["errors"]} == {name}, (path, name, text)
                    continue
                assert answer.status in (201, 409), (path, name, text, answer.body)
                if answer.status == 201 and (shown := ask(payops, "GET", answer.headers["location"]).json).get(name) is not None:
                    assert shown[name] == text, (path, name)


# --- the log ---

def test_log_keeps_one_object_a_line_whatever_is_sent(payops):
    begin = len(payops.log_bytes())
    texts = [text for text in FREE + CONTROLS if len(text) < 200]
    calls = 0
    for text in texts:
        raw = text.encode("utf-8", "replace")
        line = re.sub(rb"[\r\n\0]", b"", raw)
        target = urllib.parse.quote(raw).encode()
        for request in (b"GET /x/" + target + b" HTTP/1.1\r\nHost: h\r\nX-Request-Id: " + line + b"\r\n\r\n",
                        b"GET /healthz?" + target + b" HTTP/1.1\r\nHost: h\r\nUser-Agent: " + line + b"\r\n\r\n",
                        b"POST /transactions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nAuthorization: Bearer " + line
                        + b"\r\nContent-Length: 2\r\n\r\n{}"):
            calls += len(answers_of(payops, request)) > 0
    served = until(lambda: log_since(payops, begin, calls), 20, f"{calls} lines of the log")

    assert all({"time", "level", "component", "msg"} <= set(line) for line in served)
    assert not [line for line in served if line["level"] == "error" or line["msg"] == "forged"]


def log_since(payops, begin, count):
    """The lines since then as objects, once there are so many about requests; each must be one."""
    raw = payops.log_bytes()[begin:]
    assert not re.search(rb"[^\n\x20-\x7e\x80-\xff]|\xc2[\x80-\x9f]", raw)
    lines = [json.loads(line) for line in raw.decode().splitlines()]
    # Pages of libmicrohttpd itself are no requests of ours.
    return lines if sum(line["msg"] == "request served" for line in lines) >= count * 9 // 10 else None


# --- many connections ---

def test_payment_gets_in_although_every_connection_is_taken(payops):
    """Each sends half a request, or nothing, and stays: they are given a second while it is crowded."""
    with contextlib.ExitStack() as stack:
        for number in range(1100):
            link = stack.enter_context(socket.socket())
            link.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                link.connect(("127.0.0.1", payops.port))
            if number % 2:
                with contextlib.suppress(OSError):
                    link.send(b"POST /transactions HTTP/1.1\r\nHost: x\r\nX-Half: ")
        until(lambda: paid(payops), READ_S + 5, "a payment between 1,100 connections")


def paid(payops):
    """A payment was taken; a connection too many is reset."""
    with contextlib.suppress(OSError):
        return ask(payops, "POST", "/transactions", GOOD).status == 201
    return False


# --- and afterwards ---

def memory_kb(payops):
    status = pathlib.Path(f"/proc/{payops.pid('apid')}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def test_memory_does_not_grow_with_what_is_refused(payops, say):
    def everything(_):
        for case in CASES:
            assert_right(case, answers_of(payops, case.raw))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(everything, range(2)))
        before = memory_kb(payops)
        list(pool.map(everything, range(PASSES)))
    grown = memory_kb(payops) - before
    say(f"{PASSES * len(CASES)} hostile requests: {before} kB, {grown:+} kB")

    assert grown < GROWTH_KB


def test_instance_is_well_and_its_books_are_right(payops):
    until(lambda: payops.is_ready(), 20, "readiness")
    answer = ask(payops, "POST", "/transactions?wait=10", {**GOOD, "payment_token": "tok_sync"})
    done = payops.ctl("fsck", "--config", str(payops.config), "--database-user", "root", check=False)

    assert answer.status in (200, 201) and answer.json["status"] == "completed", answer.body
    assert done.returncode == 0, done.stdout + done.stderr
