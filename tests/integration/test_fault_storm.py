# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm: everything a merchant can ask for, with every token of the sandbox, while gateways fall ill and callbacks come
shuffled, several times or never. Nothing is done twice, and every outcome is resolved, parked, or asked about in time.

2,000 transactions; with PAYOPS_LONG=1 100,000, or as many as PAYOPS_PAYMENTS says, with waits as they are in earnest.
"""
import bisect
import collections
import contextlib
import os
import random
import re
import subprocess
import threading
import time

import pytest

from mixed import Commerce, assert_equal_answers, assert_one_effect_a_key
from second_apid import figure
from support import id_decode, run_checker
from test_matrix import RULES, tokens
from test_routing import Routing
from weather import GATEWAYS, Postman, Weather

IS_LONG = "PAYOPS_LONG" in os.environ
COUNT = int(os.environ.get("PAYOPS_PAYMENTS") or (100_000 if IS_LONG else 2_000))
THREADS, PER_SECOND = 16, 100
PLAIN, EVERY = 60, 40         # of 100 requests: with a token that does no harm; with any of the sandbox
PATIENCE_S = 300 if IS_LONG else 0   # how long what is open is left alone before time is made to pass
SETTLE_S = 900 if IS_LONG else 90
WORK_OFF_S = 300 if IS_LONG else 30
DAY_US = 86_400_000_000
HURRIED = 5_000               # operations at once: more would be asked about in turn for longer than the slack
SLACK_US = 30_000_000         # of a machine that has other things to do, and of breakers that are open
# When an open outcome is asked about, after it became open: seconds.
SCHEDULE_US = [1_000_000 * second for second in (2, 5, 15, 60, 300, 900, 3600, 14400, 43200,
                                                 *(86400 * day for day in range(1, 8)))]
SETTINGS = """public_url = "{}";
breaker: {{ failures_in_row = 5; calls_min = 20; open_ms = 500; open_max_ms = 2000; refresh_ms = 200; }};
dispatch: {{ in_flight_max = 1000; send_window_ms = 600; lease_margin_ms = 200; }};
"""
ROUTES = """
routes = (
    { name = "storm_euro"; currencies = "EUR"; gateways = "beta, alpha, gamma"; },
    { name = "storm_yen"; currencies = "JPY"; gateways = "gamma, alpha"; },
    { name = "default"; gateways = "alpha, beta, gamma"; }
);
"""
NUMBER_MAX = 600   # of tokens that have one: milliseconds, or bytes of an answer
NEARBY = "(status IN ('pending', 'processing') AND NOT (kind = 'void' AND next_action = 'expire'))"
# Bringing forward the end of a lease would be asking about what may still be sent.
LEASED = ("EXISTS (SELECT 1 FROM attempt a WHERE a.operation_id = operation.id AND a.status IN ('prepared', 'sent') "
          "AND a.lease_until_us > UNIX_TIMESTAMP(NOW(6)) * 1000000)")


class StormLoad(Commerce):
    """Payments by any token of the sandbox, which decides nothing about how they may end."""

    def __init__(self, payops, seed):
        self.names = sorted(tokens(payops.top))
        super().__init__(payops, seed, threads=THREADS, per_second=PER_SECOND, patience=120)

    def token(self, rng):
        if rng.randrange(PLAIN + EVERY) < PLAIN:
            return rng.choice(("tok_ok", "tok_sync"))
        name = rng.choice(self.names)
        word = name + str(rng.randint(1, NUMBER_MAX)) if name.endswith("_") else name
        # Lost in silence everywhere takes a minute to be given up, gateway by gateway.
        everywhere = () if RULES[name] == "lost in silence" and not IS_LONG else ("", "")
        return word + rng.choice((*everywhere, "@alpha+tok_sync", "@gamma+tok_ok"))

    def steps(self):
        return {**super().steps(), self.cancel: 1}

    def cancel(self, rng, _):
        payment = rng.choice(self.payments[-20:]) if self.payments else None
        if payment is not None:
            self.end(rng, payment, "cancel")


class Watch:
    """Looks at an apid's figures meanwhile."""

    def __init__(self, payops):
        self.payops = payops
        self.without_next_action = self.looks = 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.look_on)
        self.thread.start()

    def look(self):
        self.without_next_action = max(self.without_next_action, figure(self.payops, "payops_rows_without_next_action"))
        self.looks += 1

    def look_on(self):
        while not self.ending.wait(1):
            self.look()

    def close(self):
        self.ending.set()
        self.thread.join()
        return self


def hasty_gateways(payops):
    """The gateways as they are, but for how long each is waited for: a storm of 2,000 has no time."""
    text = (payops.dir / "etc" / "payops" / "gateways.conf").read_text()
    for name, value in {"connect_timeout_ms": 500, "total_timeout_ms": 1000, "quiet_ms": 300,
                        "callback_wait_ms": 1500}.items():
        text, count = re.subn(rf"{name} = \d+;", f"{name} = {value};", text)
        assert count == len(GATEWAYS), name
    return text


@pytest.fixture
def stormy(shared, seed):
    """The instance with gateways, routes and breakers of a storm, and the postman between it and its gateways."""
    if not shared.is_up():
        shared.start()
    shared.heal()
    routing = Routing(shared)
    postman = Postman(random.Random(f"{seed}/postman"), [shared.port])
    override = shared.dir / "etc" / "payops" / "conf.d" / "90-test-storm.conf"
    override.write_text(SETTINGS.format(postman.url))
    moved = routing.etc / "gateways-of-storm.conf"
    moved.write_text(hasty_gateways(shared))
    try:
        routing.ctl("gateway", "apply", str(moved))
        shared.restart()
        routing.apply(ROUTES, ["storm_euro", "storm_yen"])
        watch = Watch(shared)
        try:
            yield shared, postman, watch
        finally:
            watch.close()
    finally:
        postman.close()
        override.unlink()
        routing.ctl("gateway", "apply", str(routing.etc / "gateways.conf"))
        routing.ctl("route", "apply", str(routing.etc / "routes.conf"))
        shared.restart()


def blow(payops, seed, count):
    """The storm itself, and what came of it."""
    weather = Weather(payops, f"{seed}/weather")
    load = StormLoad(payops, seed)
    try:
        while len(load.payments) < count and not load.wrong:
            time.sleep(0.05)
    finally:
        load.finish()
        weather.clear()
    return load, weather


# --- afterwards ---

def open_count(payops):
    return int(payops.sql(f"SELECT COUNT(*) FROM operation WHERE {NEARBY}")[0][0])


def still_open(payops, limit=5):
    """Some of them, with their latest attempts: for whoever has to find out why."""
    return payops.sql(
        "SELECT HEX(transaction_id), kind, status, next_action, next_action_at_us / 1e6 - UNIX_TIMESTAMP(NOW(6)), "
        "retry_count, (SELECT CONCAT_WS(' ', a.gateway, a.status, a.asked_count, a.reason) FROM attempt a WHERE "
        f"a.operation_id = operation.id ORDER BY a.number DESC LIMIT 1) FROM operation WHERE {NEARBY} LIMIT {limit}")


def out_of_schedule(payops):
    """Open outcomes of which nobody will ask in time."""
    late = []
    for identity, status, open_since, action, at_us, now_us in payops.sql(
            "SELECT HEX(o.transaction_id), a.status, a.open_since_us, o.next_action, o.next_action_at_us, "
            "FLOOR(UNIX_TIMESTAMP(NOW(6)) * 1000000) FROM operation o JOIN attempt a ON a.operation_id = o.id WHERE "
            "o.status IN ('pending', 'processing') AND a.status = 'unknown' AND a.open_since_us > "
            f"UNIX_TIMESTAMP() * 1000000 - {DAY_US}"):
        since = int(now_us) - int(open_since)
        place = bisect.bisect_right(SCHEDULE_US, since)
        due = int(open_since) + SCHEDULE_US[min(place, len(SCHEDULE_US) - 1)]
        if action != "ask" or int(at_us) > due + SLACK_US:
            late.append((identity, status, action, (int(at_us) - int(now_us)) / 1e6))
    return late


def overdue(payops):
    """What was due long ago and nobody took up."""
    return payops.sql("SELECT HEX(transaction_id), kind, next_action FROM operation WHERE next_action IN ('send', 'ask') "
                      f"AND next_action_at_us < UNIX_TIMESTAMP(NOW(6)) * 1000000 - {SLACK_US}")


def hurry(payops):
    """What waits for its turn is due now; what is within its lease is not touched."""
    with contextlib.suppress(subprocess.CalledProcessError):  # a deadlock with apid: next time
        hurry_once(payops)


def hurry_once(payops):
    payops.sql("UPDATE operation SET next_action_at_us = UNIX_TIMESTAMP(NOW(6)) * 1000000 "
               "WHERE status = 'processing' AND next_action IN ('send', 'ask') "
               f"AND next_action_at_us > UNIX_TIMESTAMP(NOW(6)) * 1000000 + 500000 AND NOT {LEASED} "
               f"ORDER BY next_action_at_us LIMIT {HURRIED}")
    # A gateway gets one retry a second beside its traffic, and each that is lost takes ten: nobody has more than one.
    payops.sql("UPDATE operation SET retry_count = 3 WHERE status = 'processing' AND retry_count < 3")


def let_a_week_pass(payops):
    """What no question can settle, asked about for a while, has been open for longer than anybody asks; how many."""
    return int(payops.sql(
        f"UPDATE attempt SET open_since_us = open_since_us - {8 * DAY_US}, asked_count = {len(SCHEDULE_US)} "
        "WHERE status IN ('unknown', 'accepted', 'requires_action') AND asked_count >= 4 "
        f"AND open_since_us > UNIX_TIMESTAMP() * 1000000 - {DAY_US} AND (gateway = 'gamma' OR EXISTS "
        "(SELECT 1 FROM exception e WHERE e.attempt_id = attempt.id AND e.kind = 'integrity')); SELECT ROW_COUNT()")[0][0])


def due_count(payops):
    return int(payops.sql("SELECT COUNT(*) FROM operation WHERE next_action IN ('send', 'ask') "
                          "AND next_action_at_us <= UNIX_TIMESTAMP(NOW(6)) * 1000000")[0][0])


def work_off(payops):
    """Until what the storm left behind is taken up, the oldest first: more was asked for than the machine could do."""
    began = time.monotonic()
    while overdue(payops):
        assert time.monotonic() < began + WORK_OFF_S, f"not taken up: {overdue(payops)[:3]}"
        time.sleep(0.5)


def settle_storm(payops, patience_s, settle_s):
    """Until every outcome is resolved or parked; returns how many nobody could tell of, when a week had passed."""
    work_off(payops)
    began, untold = time.monotonic(), 0
    while open_count(payops):
        assert time.monotonic() < began + patience_s + settle_s, f"neither resolved nor parked: {still_open(payops)}"
        assert not out_of_schedule(payops)[:3], out_of_schedule(payops)[:3]
        assert not overdue(payops)[:3], overdue(payops)[:3]
        if time.monotonic() > began + patience_s:
            untold += let_a_week_pass(payops)
            if due_count(payops) < HURRIED:
                hurry(payops)
        time.sleep(0.5)
    return untold


def charged_twice(payops):
    """Transactions whose money moved more often than once, beside what exceptions name; and how many of those there are."""
    named = collections.Counter(row[0] for row in payops.sql(
        "SELECT HEX(transaction_id) FROM exception WHERE kind = 'late_success'"))
    moved = collections.Counter(line["transaction"] for line in payops.sandbox("GET", "/_sandbox/ledger").json
                                if line["outcome"] == "succeeded" and line["operation"] in ("charge", "payout"))
    return [name for name, count in moved.items() if count > 1 + named[id_decode(name, "trans_")]], named.total()


def fsck(payops):
    done = subprocess.run([payops.programs / "payopsctl", "fsck", "--config", str(payops.config)], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def ends(payops):
    """How many transactions, and how many of all operations, are in each state."""
    counts = dict(payops.sql("SELECT status, COUNT(*) FROM transaction GROUP BY status"))
    parked = payops.sql("SELECT COUNT(*) FROM operation WHERE status = 'parked'")[0][0]
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) + f"; {parked} operations parked"


def test_storm_of_faults_does_nothing_twice_and_leaves_nothing_open(stormy, seed, say):
    payops, postman, watch = stormy
    began = time.monotonic()
    load, weather = blow(payops, seed, COUNT)
    took_s = time.monotonic() - began

    assert not load.wrong, load.wrong[:5]
    assert not load.lost, load.lost[:5]
    say(f"{len(load.payments)} transactions, {len(load.parts)} captures and refunds in {took_s:.0f} s, "
        f"{weather.spells} spells of ill gateways; {open_count(payops)} operations open")
    untold = settle_storm(payops, PATIENCE_S, SETTLE_S)
    postman.close()

    twice, named = charged_twice(payops)
    assert twice == []
    assert not postman.wrong, postman.wrong[:5]
    assert watch.close().without_next_action == 0 and watch.looks > 0
    assert figure(payops, "payops_client_resend_total") == 0
    assert_equal_answers(load.keyed())
    assert_one_effect_a_key(payops, load)
    fsck(payops)
    status, output = run_checker(payops, payops.history)
    payops.checked = len(payops.history)
    assert status == 0, output
    say(f"{ends(payops)}; 0 charged twice, {named} late successes that exceptions name, {untold} of which no "
        f"gateway ever told; {postman.delivered} callbacks delivered, {postman.dropped} dropped; "
        f"{load.requests} requests, {len(load.refusals)} to be repeated; {output.strip()}")
