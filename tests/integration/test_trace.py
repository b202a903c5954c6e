# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""traceparent: the client's trace is told to gateways, of every kind of call, and stands in the log; one not valid is none."""
import random

from second_apid import Gate, gateway_at
from support import unique, until

SCOPES = "payments:read payments:write refunds:write"
NAME = "traceparent"


def trace_id():
    return f"{random.SystemRandom().getrandbits(128) | 1:032x}"


def header(trace, parent="b7ad6b7169203331", flags="01"):
    return {NAME: f"00-{trace}-{parent}-{flags}"}


def told(gate, trace):
    """What a gateway was told of a trace: (method, parent, flags) of each call."""
    found = []
    for _, head in list(gate.heads):
        for line in head.split("\r\n"):
            if line.lower().startswith(NAME + ":") and trace in line:
                version, _, parent, flags = line.split(":")[1].strip().split("-")
                assert version == "00"
                found.append((head.split(" ")[0], parent, flags))
    return found


def through_gate(payops, work):
    gate = Gate(payops.port + 2)
    gate.open()
    try:
        with gateway_at(payops, gate.port):
            def seen():
                payops.await_status(payops.pay("tok_sync").json["transaction_id"], "completed")
                return gate.heads
            until(seen, what="a call through the gate")
            return work(gate)
    finally:
        gate.close()


def test_a_trace_goes_on_to_the_gateway_with_another_parent(payops):
    paid, refunded, asked = trace_id(), trace_id(), trace_id()

    def work(gate):
        done = payops.pay("tok_sync", header(paid)).json["transaction_id"]
        payops.await_status(done, "completed")
        answer = payops.request("POST", f"/transactions/{done}/refunds", {"amount": 10, "payment_token": "tok_sync"},
                                {**header(refunded, flags="00"), "Idempotency-Key": unique("trace")},
                                payops.token(scope=SCOPES))
        assert answer.status == 201, answer.body
        until(lambda: told(gate, refunded), what="the refund")
        payops.await_status(payops.pay("tok_5xx_charged", header(asked)).json["transaction_id"], "completed")
        return gate

    gate = through_gate(payops, work)
    (method, parent, flags), = told(gate, paid)
    assert (method, flags) == ("POST", "01") and parent not in ("b7ad6b7169203331", "0" * 16)
    assert [(method, flags) for method, _, flags in told(gate, refunded)] == [("POST", "00")]
    calls = told(gate, asked)
    assert [calls[0][0], calls[-1][0]] == ["POST", "GET"]      # the inquiry is part of it, too
    assert len({parent for _, parent, _ in calls}) == 1         # one attempt is one caller

    lines = [line for line in payops.log_lines() if line.get("trace_id") == paid]
    assert {line["msg"] for line in lines} >= {"request served", "attempt answered"}


def test_one_that_is_not_valid_is_as_good_as_none(payops):
    trace = trace_id()
    bad = (f"00-{trace}-b7ad6b7169203331", f"ff-{trace}-b7ad6b7169203331-01", f"00-{trace.upper()}x-b7ad6b7169203331-01",
           f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{trace}-{'0' * 16}-01", "", "x" * 300)

    def work(gate):
        before = len(gate.heads)
        for text in bad:
            payops.await_status(payops.pay("tok_sync", {NAME: text}).json["transaction_id"], "completed")
        return [head for _, head in gate.heads[before:]]

    heads = through_gate(payops, work)
    assert len(heads) >= len(bad)
    assert [head for head in heads if NAME in head.lower()] == []
    assert [line for line in payops.log_lines() if line.get("trace_id") in (trace, "0" * 32)] == []


def test_two_lines_are_none(payops):
    trace, other = trace_id(), trace_id()
    raw = "".join(f"{NAME}: 00-{one}-b7ad6b7169203331-01\r\n" for one in (trace, other))
    answer = payops.exchange(f"GET /healthz HTTP/1.1\r\nHost: x\r\n{raw}\r\n".encode())

    assert answer.status == 200
    assert [line for line in payops.log_lines() if line.get("trace_id") in (trace, other)] == []
