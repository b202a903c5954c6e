# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slow, idle, half-closed and greedy clients: they are cut in time, and the others do not notice."""
import contextlib
import json
import select
import socket
import threading
import time
import uuid

import pytest

DEADLINE_S = 1.5
MARGIN_S = 2.5  # the watch's tick, and a machine that has other things to do
BODY = json.dumps({"amount": 1000, "currency": "USD", "payment_method": "credit_card",
                   "customer_id": "cust_slow"}).encode()


@pytest.fixture(scope="module")
def payops(shared):
    """The instance with a short read deadline, for this module only."""
    override = shared.dir / "etc" / "payops" / "conf.d" / "90-test-slow.conf"
    shared.start()
    override.write_text(f"listen: {{ read_deadline_ms = {int(DEADLINE_S * 1000)}; }};\n")
    try:
        shared.restart()
        yield shared
    finally:
        override.unlink()
        shared.restart()


def head(payops, length, *lines):
    return b"\r\n".join([b"POST /transactions HTTP/1.1", b"Host: 127.0.0.1", b"Content-Type: application/json",
                         b"Authorization: Bearer " + payops.token().encode(), b"Content-Length: %d" % length, *lines,
                         b"", b""])


def payments(payops):
    return int(payops.sql("SELECT COUNT(*) FROM transaction")[0][0])


def seconds_until_closed(link):
    """How long until the server closes a connection on which nothing is sent; what it said before."""
    begun = time.monotonic()
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := link.recv(65536):
            said += piece
    return time.monotonic() - begun, said


def drip(link, raw, pause_s):
    """Send byte by byte until the server closes; returns the seconds that took."""
    begun = time.monotonic()
    for byte in raw:
        try:
            link.sendall(bytes((byte,)))
            readable, _, _ = select.select([link], [], [], pause_s)
            if readable and not link.recv(65536):
                break
        except (BrokenPipeError, ConnectionResetError):
            break
    else:
        pytest.fail("the server took all of it")
    return time.monotonic() - begun


def test_idle_connection_is_closed_in_time(payops):
    with payops.connect() as link:
        took, said = seconds_until_closed(link)

    assert DEADLINE_S - 0.3 <= took <= DEADLINE_S + MARGIN_S
    assert said == b""


def test_idle_connection_after_an_answer_is_closed_in_time(payops):
    with payops.connect() as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        took, said = seconds_until_closed(link)

    assert said.startswith(b"HTTP/1.1 200 ")
    assert DEADLINE_S - 0.3 <= took <= DEADLINE_S + MARGIN_S


@pytest.mark.parametrize("begin", [b"", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_slow_headers_are_cut_in_time(payops, begin):
    with payops.connect() as link:
        link.sendall(begin)
        took = drip(link, b"a" * 1000, 0.2)

    assert took <= DEADLINE_S + MARGIN_S


def test_slow_body_is_cut_in_time_and_nothing_is_written(payops):
    before = payments(payops)
    with payops.connect() as link:
        link.sendall(head(payops, len(BODY)))
        took = drip(link, BODY, 1.0)

    assert took <= DEADLINE_S + MARGIN_S
    assert payments(payops) == before


def test_body_that_stops_before_its_last_byte_is_cut_and_nothing_is_written(payops):
    before = payments(payops)
    with payops.connect() as link:
        link.sendall(head(payops, len(BODY)) + BODY[:-1])
        took, said = seconds_until_closed(link)

    assert took <= DEADLINE_S + MARGIN_S
    assert b" 201 " not in said
    assert payments(payops) == before


@pytest.mark.parametrize("coding", [b"gzip", b"identity, chunked"])
def test_body_of_unknown_framing_is_refused_or_cut(payops, coding):
    before = payments(payops)
    raw = head(payops, len(BODY)).replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: " + coding)
    with payops.connect() as link:
        link.sendall(raw + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
        took, said = seconds_until_closed(link)

    assert took <= DEADLINE_S + MARGIN_S
    assert said == b"" or said.split(b" ")[1] in (b"400", b"501")
    assert payments(payops) == before


def test_slow_answer_of_a_handler_is_not_cut_by_the_read_deadline(payops):
    locker = threading.Thread(target=payops.sql, args=("LOCK TABLES transaction WRITE; DO SLEEP(2.5); UNLOCK TABLES",))
    locker.start()
    time.sleep(0.3)
    begun = time.monotonic()
    answer = payops.pay()
    took = time.monotonic() - begun
    locker.join()

    assert answer.status == 201
    assert took >= DEADLINE_S


def test_300_idle_connections_do_not_keep_a_payment_out(payops):
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(payops.connect()) for _ in range(300)]
        for link in links[::3]:
            link.sendall(b"POST /transactions HTTP/1.1\r\nHost: x\r\n")
        begun = time.monotonic()
        answer = payops.pay()
        took = time.monotonic() - begun
        closed = [seconds_until_closed(link) for link in links]

    assert answer.status == 201
    assert took < 5
    assert all(said == b"" for _, said in closed)
    assert time.monotonic() - begun <= DEADLINE_S + 2 * MARGIN_S


def test_request_before_a_half_close_is_answered(payops):
    with payops.connect() as link, link.makefile("rb") as stream:
        link.sendall(head(payops, len(BODY)) + BODY)
        link.shutdown(socket.SHUT_WR)
        answer = payops.read_answer(stream)

    assert answer.status == 201


def test_half_close_in_a_body_ends_the_connection_and_nothing_is_written(payops):
    before = payments(payops)
    with payops.connect() as link:
        link.sendall(head(payops, len(BODY)) + BODY[:20])
        link.shutdown(socket.SHUT_WR)
        took, said = seconds_until_closed(link)

    assert took <= DEADLINE_S + MARGIN_S
    assert b" 201 " not in said
    assert payments(payops) == before


def test_client_that_goes_away_before_the_answer_has_paid_once(payops):
    key = f"gone-{uuid.uuid4()}"
    with payops.connect() as link:
        link.sendall(head(payops, len(BODY), b"Idempotency-Key: " + key.encode()) + BODY)
    answer = payops.request("POST", "/transactions", BODY, headers={"Idempotency-Key": key}, token=payops.token())

    assert answer.status == 201
    assert payops.sql(f"SELECT COUNT(*) FROM operation WHERE idempotency_key = '{key}'") == [["1"]]
    payops.await_status(answer.json["transaction_id"], "completed")
    assert len(payops.ledger(answer.json["transaction_id"])) == 1


def test_pipelined_requests_are_answered_in_their_order(payops):
    names = [f"pipe-{number}" for number in range(20)]
    raw = b""
    for number, name in enumerate(names):
        line = b"X-Request-Id: " + name.encode()
        raw += head(payops, len(BODY), line) + BODY if number % 3 == 0 else \
            b"GET /%s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (b"healthz" if number % 3 == 1 else b"nothing", line)
    with payops.connect() as link, link.makefile("rb") as stream:
        link.sendall(raw)
        answers = [payops.read_answer(stream) for _ in names]

    assert [answer.headers["x-api-call-id"] for answer in answers] == names
    assert [answer.status for answer in answers] == [(201, 200, 404)[number % 3] for number in range(20)]


def test_client_that_never_reads_holds_up_nobody(payops):
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    links = []
    for _ in range(8):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", payops.port))
        link.setblocking(False)
        links.append(link)
    try:
        for link in links:
            with contextlib.suppress(BlockingIOError):
                for _ in range(400):
                    link.send(request)
        time.sleep(0.5)
        begun = time.monotonic()
        assert payops.pay().status == 201
        assert payops.request("GET", "/healthz").status == 200
        assert time.monotonic() - begun < 5
    finally:
        for link in links:
            link.close()


def test_nothing_is_left_open_afterwards(payops):
    """Every connection above is gone again: its thread and its socket with it."""
    deadline = time.monotonic() + 20
    process = f"/proc/{payops.pid('apid')}"
    while True:
        with open(f"{process}/status") as status:
            threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
        if threads <= 40:
            return
        assert time.monotonic() < deadline, f"{threads} threads"
        time.sleep(0.1)
