# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two apids over one database: they share the work, and one that dies, hangs or wakes up too late does no harm."""
import contextlib
import os
import random
import signal
import threading
import time
import uuid

import pytest

from mixed import Commerce, judge
from second_apid import Gate, SecondApid, figure, gateway_at
from support import assert_charged_once, await_charge, events, sql_id, until

CLIENTS = 50
BODY = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_two"}


@pytest.fixture
def second(payops, tmp_path):
    other = SecondApid(payops, tmp_path).start()
    yield other
    other.close()


@pytest.fixture
def gate(payops):
    between = Gate(payops.port + 2)
    yield between
    between.close()


@contextlib.contextmanager
def stopped(pid):
    """The process does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def pay_at(payops, port, word, key=None):
    """One payment at one of the two; its answer, noted for the checker."""
    body = {**BODY, "payment_token": word}
    answer = payops.request("POST", "/transactions", body, token=payops.token(), port=port,
                            headers={"Idempotency-Key": key or f"two-{uuid.uuid4()}"})
    if answer.status in (201, 202):
        payops.history.append({"transaction_id": answer.json["transaction_id"], "status": answer.status,
                               "merchant": "demo", **body})
    return answer


def pay_ids(payops, port, word, count):
    answers = [pay_at(payops, port, word) for _ in range(count)]
    assert [answer.status for answer in answers] == [201] * count
    return [answer.json["transaction_id"] for answer in answers]


def statuses(payops, ids):
    chosen = ", ".join(map(sql_id, ids))
    return [row[0] for row in payops.sql(f"SELECT status FROM attempt WHERE transaction_id IN ({chosen})")]


def gateway_keys(payops, ids):
    chosen = ", ".join(map(sql_id, ids))
    return {row[0] for row in payops.sql(f"SELECT gateway_key FROM attempt WHERE transaction_id IN ({chosen})")}


# --- sharing ---

def test_two_apids_share_the_work_and_charge_once(payops, second, seed, say):
    before = figure(payops, "payops_attempts_total")
    load = Commerce(payops, seed, ports=[payops.port, second.port])
    until(lambda: len(load.payments) >= 150, 60, "payments at both")
    load.finish()

    say(judge(payops, load, random.Random(seed)))

    assert figure(payops, "payops_attempts_total") > before
    assert second.figure("payops_attempts_total") > 0


def test_two_apids_of_which_one_dies_again_and_again_lose_and_double_nothing(payops, second, seed, say):
    rng = random.Random(seed)
    load = Commerce(payops, seed, ports=[payops.port, second.port])
    for _ in range(5):
        time.sleep(rng.uniform(0.3, 1.5))
        second.signal(signal.SIGKILL)
        second.start()
    load.finish()

    say(judge(payops, load, rng))


def test_two_apids_finish_the_work_of_the_one_that_died(payops, second):
    with stopped(payops.pid("apid")):
        ids = pay_ids(payops, second.port, "tok_slow_3000", 8)
        for transaction_id in ids:
            await_charge(payops, transaction_id)
        second.signal(signal.SIGKILL)

    assert_charged_once(payops, ids)
    for transaction_id in ids:
        assert "lease_expired" in [event["reason"] for event in events(payops, transaction_id)]


# --- a zombie ---

def test_two_apids_one_stopped_past_its_lease_before_sending_does_not_send(payops, gate, tmp_path):
    """The first apid is stopped while the way to the gateway leads through the gate: it never takes it."""
    zombie = SecondApid(payops, tmp_path)
    gate.shut()
    try:
        with stopped(payops.pid("apid")), gateway_at(payops, gate.port):
            zombie.start()
            ids = pay_ids(payops, zombie.port, "tok_sync", 5)
            until(lambda: len(statuses(payops, ids)) == len(ids), what="their claim")
            zombie.signal(signal.SIGSTOP)
        assert set(statuses(payops, ids)) == {"prepared"} and gate.sent() == []
        gate.open()
        assert_charged_once(payops, ids)
        told = [events(payops, transaction_id) for transaction_id in ids]

        zombie.signal(signal.SIGCONT)
        time.sleep(4)

        assert not gateway_keys(payops, ids) & set(gate.sent()), "the zombie sent"
        assert [events(payops, transaction_id) for transaction_id in ids] == told
        assert_charged_once(payops, ids)
    finally:
        assert zombie.close() == 0


def test_two_apids_one_stopped_past_its_lease_after_sending_changes_nothing(payops, gate, tmp_path):
    gate.open()
    zombie = SecondApid(payops, tmp_path)
    try:
        with stopped(payops.pid("apid")), gateway_at(payops, gate.port):
            zombie.start()
            ids = pay_ids(payops, zombie.port, "tok_slow_1500", 5)
            for transaction_id in ids:
                await_charge(payops, transaction_id)
            zombie.signal(signal.SIGSTOP)
        assert_charged_once(payops, ids)
        told = [events(payops, transaction_id) for transaction_id in ids]

        zombie.signal(signal.SIGCONT)
        time.sleep(4)

        keys = gateway_keys(payops, ids)
        assert sorted(key for key in gate.sent() if key in keys) == sorted(keys)
        assert [events(payops, transaction_id) for transaction_id in ids] == told
    finally:
        assert zombie.close() == 0


def test_two_apids_one_stopped_at_random_under_load_loses_and_doubles_nothing(payops, tmp_path, seed, say):
    rng = random.Random(seed)
    zombie = SecondApid(payops, tmp_path).start()
    try:
        load = Commerce(payops, seed, ports=[payops.port, payops.port, zombie.port])
        time.sleep(rng.uniform(0.5, 2))
        zombie.signal(signal.SIGSTOP)
        time.sleep(9)
        zombie.signal(signal.SIGCONT)
        time.sleep(2)
        load.finish()
        say(judge(payops, load, rng))
    finally:
        assert zombie.close() == 0


# --- one key at both ---

@pytest.mark.parametrize("round_number", range(5))
def test_two_apids_given_one_key_by_fifty_clients_make_one_payment(payops, second, round_number):
    key, answers, start = f"both-{uuid.uuid4()}", [], threading.Barrier(CLIENTS)
    payops.token()

    def client(number):
        start.wait()
        answers.append(pay_at(payops, (payops.port, second.port)[number % 2], "tok_sync", key))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == CLIENTS and {answer.status for answer in answers} <= {201, 409}
    accepted = [answer for answer in answers if answer.status == 201]
    assert len({(answer.body, answer.headers["location"]) for answer in accepted}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in accepted) == 1
    for answer in answers:
        assert answer.status == 201 or (answer.json["code"], answer.headers["retry-after"]) == (
            "idempotency_in_flight", "1")
    assert payops.sql(f"SELECT COUNT(*) FROM operation WHERE idempotency_key = '{key}'") == [["1"]]
    assert_charged_once(payops, [accepted[0].json["transaction_id"]])
