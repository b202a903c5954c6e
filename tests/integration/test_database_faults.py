# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database stops, dies, stalls, locks and cuts connections under load: refused meanwhile, then as before."""
import contextlib
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from mixed import MixedLoad, judge
from support import sql_id, until

STALL_S = 30 if os.environ.get("PAYOPS_LONG") else 8
STORM_S = 12 if os.environ.get("PAYOPS_LONG") else 5
BACK_S = 5           # serving again, after the database is back
IMPATIENT_S = 2      # Request-Timeout of the probes
REFUSED_SHARE = 0.001
PAY = {"amount": 700, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_probe",
       "payment_token": "tok_sync"}


@pytest.fixture
def load(payops, seed):
    clients = MixedLoad(payops, seed)
    until(lambda: len(clients.payments) >= 20, 30, "payments under way")
    yield clients
    clients.finish()


def probe(payops, key):
    """One impatient payment under a key that no client of the load uses: its answer, and how long it took."""
    begun = time.monotonic()
    answer = payops.request("POST", "/transactions", PAY, token=payops.token(),
                            headers={"Idempotency-Key": key, "Request-Timeout": str(IMPATIENT_S)})
    if answer.status in (201, 202):
        payops.history.append({"transaction_id": answer.json["transaction_id"], "status": answer.status,
                               "merchant": "demo", **PAY})
    return answer, time.monotonic() - begun


def assert_refused_meanwhile(payops, key, within_s):
    """Impatient clients are told in time: 503 and when to come again, or 202; status and liveness stay."""
    answer, took = probe(payops, key)
    assert answer.status in (202, 503), answer.body
    assert answer.status == 202 or int(answer.headers["retry-after"]) >= 1
    assert took < within_s
    assert payops.request("GET", "/healthz").status == 200


def assert_serves_again(payops, key, since):
    """The refused payment is taken as soon as the database is back."""
    until(lambda: probe(payops, key)[0].status == 201, BACK_S, "service after the database came back")
    took = time.monotonic() - since
    assert took <= BACK_S
    until(payops.is_ready, BACK_S, "readiness")
    return took


def database_answers(payops):
    with contextlib.suppress(subprocess.CalledProcessError):
        return payops.sql("SELECT 1") == [["1"]]
    return False


def start_database(payops):
    """Start what is down; returns the moment from which the database answers."""
    starter = threading.Thread(target=payops.start)
    starter.start()
    until(lambda: database_answers(payops), 60, "the database")
    back = time.monotonic()
    starter.join()
    return back


# --- restart, kill -9, stall ---

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_database_that_is_gone_and_back_loses_and_doubles_nothing(payops, load, seed, say, number):
    rng = random.Random(seed)
    key = f"probe-{load.prefix}-gone"
    time.sleep(rng.uniform(0.2, 1.5))
    payops.kill("database", number)
    for _ in range(3):
        assert_refused_meanwhile(payops, key, IMPATIENT_S + 2)
    assert payops.request("GET", "/readyz").status == 503
    back = start_database(payops)

    took = assert_serves_again(payops, key, back)

    time.sleep(1)
    assert load.finish().refusals
    say(f"serving again after {took:.2f} s; {judge(payops, load, rng)}")


def test_database_that_stalls_holds_up_nobody_for_ever_and_loses_nothing(payops, load, seed, say):
    rng = random.Random(seed)
    key = f"probe-{load.prefix}-stall"
    time.sleep(rng.uniform(0.2, 1.5))
    with payops.stalled("database"):
        deadline = time.monotonic() + STALL_S
        while time.monotonic() < deadline - IMPATIENT_S - 2:
            assert_refused_meanwhile(payops, key, IMPATIENT_S + 2)
            time.sleep(0.5)
        time.sleep(max(deadline - time.monotonic(), 0))
    back = time.monotonic()

    took = assert_serves_again(payops, key, back)

    time.sleep(1)
    load.finish()
    say(f"serving again after {took:.2f} s; {judge(payops, load, rng)}")


def test_payments_said_to_be_under_way_are_taken_in_after_a_crash(payops):
    payops.start()
    answers = []

    def pay():  # its country is named, so that nothing is read for it that could be waited for
        answers.append(payops.request("POST", "/deposit", {"user_id": 7, "amount": "7.00", "currency": "USD", "country": "DE",
                                                           "payment_token": "tok_sync"},
                                      token=payops.token(), headers={"Request-Timeout": "1"}))

    assert payops.pay().status == 201  # the token is known
    payops.stop("database")
    try:
        threads = [threading.Thread(target=pay) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        payops.kill("database")
    start_database(payops)

    assert {answer.status for answer in answers} <= {202, 503}
    told = [answer.json for answer in answers if answer.status == 202]
    assert told
    for payment in told:
        assert payment["status_reason"] == "outcome_unknown"
        until(lambda: payops.get(f"/transactions/{payment['transaction_id']}").status == 200, 20, "the payment")
        payops.await_status(payment["transaction_id"], "completed")


# --- locks ---

def lock_session(payops, statements, seconds):
    """Another user of the database, which runs this again and again and does not mind being a deadlock's victim."""
    said = []
    with subprocess.Popen(["mariadb", "--no-defaults", f"--socket={payops.socket}", "--user=root", "--force",
                           "--unbuffered", "--batch", "--skip-column-names", "payops"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        client.stdin.write("SET innodb_lock_wait_timeout = 1;\n")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            client.stdin.write(f"START TRANSACTION;\n{next(statements)}ROLLBACK;\nSELECT 'round over';\n")
            client.stdin.flush()
            while (line := client.stdout.readline()) not in ("round over\n", ""):
                said.append(line[:10])
        client.stdin.close()
    return said.count("ERROR 1213"), said.count("ERROR 1205")


def bad_orders(rng):
    """Rows of the newest payments, locked transaction first and operation last, the other way than apid does."""
    while True:
        some = f"ORDER BY id {rng.choice(('', 'DESC'))} LIMIT {rng.randint(1, 30)} FOR UPDATE"
        tables = rng.choice((("attempt", "transaction", "operation"), ("transaction", "operation"),
                             ("event", "transaction", "attempt", "operation")))
        yield "".join(f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} "
                      f"{some.replace('id', 'transaction_id') if table == 'event' else some}) chosen;\n"
                      f"DO SLEEP({rng.uniform(0, 0.03):.3f});\n" for table in tables)


def gaps(rng):
    """Whole tables with the gaps between their rows, so that nothing can be inserted, in a bad order."""
    while True:
        first, second = rng.sample(("transaction", "operation"), 2)
        yield (f"SELECT COUNT(*) FROM {first} LOCK IN SHARE MODE;\nDO SLEEP({rng.uniform(0, 0.05):.3f});\n"
               f"SELECT COUNT(*) FROM {second} FOR UPDATE;\n")


def holds(rng):
    """Nothing can be inserted or changed for longer than an impatient client waits."""
    while True:
        yield f"SELECT COUNT(*) FROM operation FOR UPDATE;\nDO SLEEP({rng.uniform(1, 3):.2f});\n"


def storm(payops, statements, seconds=STORM_S):
    """Sessions that lock at once, each its own statements; how many deadlocks and timeouts met them."""
    met = []
    threads = [threading.Thread(target=lambda mine=mine: met.append(lock_session(payops, mine, seconds)))
               for mine in statements]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tuple(map(sum, zip(*met)))


def serializable(statements):
    for text in statements:
        yield "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nROLLBACK;\nSTART TRANSACTION;\n" + text


def test_deadlock_storm_is_bounded_retries_and_hardly_a_refusal(payops, load, seed, say):
    rng = random.Random(seed)

    deadlocks, timeouts = storm(payops, [bad_orders(random.Random(f"{seed}/{number}")) for number in range(3)])

    load.finish()
    say(f"{deadlocks} deadlocks and {timeouts} lock timeouts met the storm; {judge(payops, load, rng)}")
    refused = [answer.body for answer in load.refusals if answer.status == 503]
    assert len(refused) <= REFUSED_SHARE * load.requests, refused[:3]


def test_deadlock_storm_on_the_gaps_of_new_rows_is_survived(payops, load, seed, say):
    rng = random.Random(seed)

    deadlocks, timeouts = storm(payops, [serializable(gaps(random.Random(f"{seed}/{number}"))) for number in range(2)])

    assert_serves_again(payops, f"probe-{load.prefix}-gaps", time.monotonic())
    load.finish()
    say(f"{deadlocks} deadlocks and {timeouts} lock timeouts met the storm; {judge(payops, load, rng)}")


def test_lock_timeout_storm_is_refused_in_time_and_loses_nothing(payops, load, seed, say):
    rng = random.Random(seed)
    tell = threading.Thread(target=storm, args=(payops, [serializable(holds(random.Random(f"{seed}/hold")))]))
    tell.start()
    times = []
    while tell.is_alive():
        answer, took = probe(payops, f"probe-{load.prefix}-hold-{len(times)}")
        assert answer.status in (201, 202, 503), answer.body
        assert answer.status != 503 or int(answer.headers["retry-after"]) >= 1
        times.append(took)
    tell.join()

    assert_serves_again(payops, f"probe-{load.prefix}-held", time.monotonic())
    load.finish()
    say(f"slowest impatient answer {max(times):.2f} s; {judge(payops, load, rng)}")
    assert max(times) < IMPATIENT_S + 2


def test_row_held_for_long_holds_up_no_other_payment(payops, load, seed):
    held = load.payments[-1]
    locker = threading.Thread(target=payops.sql, args=(
        "START TRANSACTION; SELECT 1 FROM operation WHERE transaction_id = "
        f"{sql_id(held.transaction_id)} FOR UPDATE; DO SLEEP(3); ROLLBACK",))
    locker.start()
    time.sleep(0.3)
    before = len(load.payments)
    answer, took = probe(payops, f"probe-{load.prefix}-beside")
    locker.join()

    assert answer.status == 201 and took < 1
    assert len(load.payments) > before + 10
    load.finish()
    judge(payops, load, random.Random(seed))


# --- connections ---

def cut_connections(payops, rng, count):
    """About every 50 ms one of apid's connections is killed."""
    killed = 0
    deadline = time.monotonic() + 60
    while killed < count:
        assert time.monotonic() < deadline, f"{killed} connections killed"
        ids = [row[0] for row in payops.sql("SELECT id FROM information_schema.processlist "
                                            "WHERE user = 'payops_apid' ORDER BY id")]
        if ids:
            with contextlib.suppress(subprocess.CalledProcessError):
                payops.sql(f"KILL {rng.choice(ids)}")
                killed += 1
        time.sleep(0.05)


def test_connections_cut_at_random_lose_and_double_nothing(payops, load, seed, say):
    rng = random.Random(seed)

    cut_connections(payops, rng, STORM_S * 8)

    assert_serves_again(payops, f"probe-{load.prefix}-cut", time.monotonic())
    load.finish()
    say(judge(payops, load, rng))
