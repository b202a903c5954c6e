# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that die at the worst moment: nothing acknowledged is lost, nothing is charged twice."""
import signal
import subprocess
import time

import pytest

from support import (Clients, assert_charged_once, attempts, await_attempt, await_charge, event_types, events, pay_id,
                     sql_id, until)

# Where apid is killed, at which pass: there is no fault point in apid without its row (test_crash_knows_every_fault).
FAULTS = {
    "claim_committed": 1,
    "gateway_calls_out": 1,
    "gateway_answered": 1,
    "outcome_before_commit": 1,
    "outcome_after_commit": 1,
    "store_before_commit": 12,  # every transaction commits there, empty claims too
    "store_after_commit": 12,
}
FAULTS_ELSEWHERE = {"migrate_statement_done"}


def times(payops, transaction_id):
    """Moments of the first attempt, in microseconds."""
    row = payops.sql("SELECT prepared_at_us, send_by_us, lease_until_us, open_since_us, COALESCE(asked_at_us, 0) "
                     f"FROM attempt WHERE number = 1 AND transaction_id = {sql_id(transaction_id)}")[0]
    return dict(zip(("prepared", "send_by", "lease_until", "open_since", "asked"), map(int, row)))


def test_crash_between_charge_and_answer_is_settled_by_inquiry_after_the_lease(payops):
    transaction_id = pay_id(payops, "tok_slow_3000")
    await_charge(payops, transaction_id)
    payops.kill("apid")
    payops.start()

    assert_charged_once(payops, [transaction_id])

    assert [attempt["status"] for attempt in attempts(payops, transaction_id)] == ["succeeded"]
    told = events(payops, transaction_id)
    assert [event["type"] for event in told] == ["created", "attempt_prepared", "attempt_unknown", "attempt_succeeded"]
    assert told[2]["reason"] == "lease_expired"
    moments = times(payops, transaction_id)
    assert moments["prepared"] < moments["send_by"] < moments["lease_until"] <= moments["open_since"]


# --- fault points ---

def compiled_in(payops):
    return b"PAYOPS_FAULT" in (payops.programs / "apid").read_bytes()


@pytest.fixture(scope="module")
def died(shared):
    """Apid died at each fault point in turn while clients paid; what they were told."""
    shared.start()
    if not compiled_in(shared):
        pytest.skip("apid is built without --enable-faults")
    shared.mode("ok")
    clients = {}
    shared.kill("apid")
    for fault, passes in FAULTS.items():
        process = shared.start_apid(PAYOPS_FAULT=f"{fault}:{passes}")
        clients[fault] = Clients(shared, "tok_sync", 5, threads=5, prefix=fault)
        assert process.wait(20) == -signal.SIGKILL
    shared.start()
    return clients


@pytest.mark.parametrize("fault", FAULTS)
def test_crash_at_a_fault_point_loses_and_doubles_nothing(payops, died, fault):
    assert_charged_once(payops, died[fault].join())


def test_crash_knows_every_fault_point(payops):
    found = subprocess.run(["grep", "-rhoE", "--include=*.c", r'fault_point\("[a-z_]+"\)', "apid", "lib", "sandbox"],
                           cwd=payops.top, check=True, text=True, capture_output=True).stdout

    assert {line.split('"')[1] for line in found.splitlines()} == FAULTS.keys() | FAULTS_ELSEWHERE


# --- under load ---

def test_crash_under_load_loses_and_doubles_nothing(payops):
    clients = Clients(payops, "tok_ok", 40)
    for acknowledged in (8, 20):
        clients.await_acknowledged(acknowledged)
        payops.kill("apid")
        payops.start()

    assert_charged_once(payops, clients.join())


def test_crash_of_the_gateway_loses_and_doubles_nothing(payops):
    ids = [pay_id(payops, "tok_ok") for _ in range(10)]
    until(lambda: any(payops.ledger(transaction_id) for transaction_id in ids), what="a charge")
    payops.kill("sandbox")
    ids += [pay_id(payops, "tok_ok") for _ in range(3)]
    await_attempt(payops, ids[-1], "not_sent")
    payops.start()

    assert_charged_once(payops, ids)


# --- stopping ---

def stop_lines(payops, pid):
    """What the process said from its SIGTERM on."""
    lines = [line for line in payops.log_lines() if line.get("msg", "").startswith(("stopping", "stopped", "ready"))]
    start = max(index for index, line in enumerate(lines) if line.get("pid") == pid)
    return [line["msg"] for line in lines[start + 1:]]


def test_crash_not_but_sigterm_during_calls_stops_cleanly_and_loses_nothing(payops):
    payops.kill("apid", signal.SIGTERM)
    process = payops.start_apid()
    until(payops.is_up, what="apid")
    answered = pay_id(payops, "tok_slow_2500")
    unanswered = pay_id(payops, "tok_answer_lost")
    await_charge(payops, answered)
    await_charge(payops, unanswered)

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status = process.wait(30)
    took = time.monotonic() - began

    assert status == 0
    assert took < 25
    assert stop_lines(payops, process.pid) == [
        "stopping: no new connections", "stopping: requests finished", "stopping: gateway calls finished", "stopped"]
    payops.start()
    assert payops.get(f"/transactions/{answered}").json["status"] == "completed"
    assert "lease_expired" not in [event["reason"] for event in events(payops, unanswered)]
    assert_charged_once(payops, [answered, unanswered])


# --- database ---

def test_crash_of_the_database_is_503_meanwhile_and_nothing_is_lost(payops):
    in_flight = pay_id(payops, "tok_slow_2000")
    await_charge(payops, in_flight)
    clients = Clients(payops, "tok_ok", 60, threads=6)
    clients.await_acknowledged(10)
    payops.kill("database")
    refused = payops.pay("tok_ok")
    assert refused.status == 503 and int(refused.headers["retry-after"]) >= 1
    assert refused.json["retryable"] is True
    assert payops.request("GET", "/readyz").status == 503
    assert payops.request("GET", "/healthz").status == 200
    payops.start()

    back = time.monotonic()
    until(lambda: payops.pay("tok_sync").status == 201, 5, "service after the database came back")
    assert time.monotonic() - back < 5

    ids = clients.join()
    assert clients.refusals
    assert_charged_once(payops, [*ids, in_flight])
    assert event_types(payops, in_flight)[-1] == "attempt_succeeded"
