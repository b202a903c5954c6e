# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Circuit breakers: a gateway that fails is left alone until a probe shows that it is back, and operators have the last
word."""
import re
import signal
import time

import pytest

from second_apid import SecondApid
from support import assert_charged_once, attempts, await_charge, pay_id, sql_id, until
from test_routing import Routing

DAY_US = 86_400_000_000
IN_FLIGHT_MAX = 16
PARTED = """
routes = (
    { name = "parted_euro"; currencies = "EUR"; gateways = "beta"; },
    { name = "default"; gateways = "alpha"; }
);
"""
CLOSED, HALF_OPEN, OPEN = 0, 1, 2
OPEN_S = 2
SETTINGS = f"""breaker: {{ failures_in_row = 5; calls_min = 20; open_ms = {OPEN_S * 1000}; open_max_ms = 4000;
refresh_ms = 200; }};
stop: {{ patience_ms = 0; }};
"""
STATE = re.compile(r'^payops_breaker_state\{gateway="alpha",operation="(\w+)"\} (\d)$', re.MULTILINE)


def put_off(shared):
    """What earlier files left open waits a day: no question of theirs is counted here, nor opens a breaker."""
    shared.sql(f"UPDATE operation SET next_action_at_us = next_action_at_us + {DAY_US} "
               "WHERE next_action IN ('send', 'ask')")


def bring_back(shared):
    shared.sql(f"UPDATE operation SET next_action_at_us = next_action_at_us - {DAY_US} "
               f"WHERE next_action IN ('send', 'ask') AND next_action_at_us > {time.time_ns() // 1000 + DAY_US // 2}")


@pytest.fixture(scope="module")
def payops(shared):
    """The instance with breakers that open soon and not for long, for this module only."""
    override = shared.dir / "etc" / "payops" / "conf.d" / "90-test-breaker.conf"
    shared.start()
    override.write_text(SETTINGS)
    try:
        shared.restart()
        put_off(shared)
        yield shared
    finally:
        bring_back(shared)
        breaker(shared, "auto", "alpha")
        override.unlink()
        shared.restart()


@pytest.fixture(autouse=True)
def as_before(payops):
    """Whatever a test did: the gateway is well, and its breakers are closed."""
    yield
    payops.mode("ok")
    breaker(payops, "auto", "alpha")
    payops.sql("UPDATE breaker SET state = 'closed', opened_at_us = NULL, until_us = NULL, span_us = NULL, "
               "probe_by = NULL, version = version + 1")
    until(lambda: all(state == CLOSED for state in states(payops).values()), what="closed breakers")


def states(payops, port=None):
    page = payops.request("GET", "/metrics", port=port).body.decode()
    return {operation: int(state) for operation, state in STATE.findall(page)}


def await_state(payops, state, operation="charge", seconds=5, port=None):
    until(lambda: states(payops, port)[operation] == state, seconds, f"a breaker in state {state}")


def breaker(payops, *words, check=True):
    return payops.ctl("breaker", *words, "--config", str(payops.config), check=check)


def attempt_count(payops):
    return int(payops.sql("SELECT COUNT(*) FROM attempt")[0][0])


def requests_at_rest(payops):
    """What the gateway has seen when no call is on its way any more: one may have left before a breaker opened, or was
    claimed by then."""
    def is_quiet():
        return 'payops_queue_depth{queue="in_flight"} 0\n' in payops.request("GET", "/metrics").body.decode()

    def rests():
        before = requests_seen(payops)
        if not is_quiet():
            return False
        time.sleep(0.1)
        return is_quiet() and requests_seen(payops) == before
    until(rests, what="no call in flight")
    return requests_seen(payops)


def assert_left_alone(payops, operation, seconds):
    """Nothing reaches the gateway, but for a probe where the machine was so slow that its time came."""
    probes = told(payops, operation=operation).count("half_open")
    seen = requests_at_rest(payops)
    time.sleep(seconds)
    if requests_seen(payops) != seen:
        until(lambda: told(payops, operation=operation).count("half_open") > probes, 2, "the probe that was seen")
        assert requests_seen(payops) == seen + 1


def requests_seen(payops):
    return next(one["requests"] for one in payops.sandbox("GET", "/_sandbox/gateways").json if one["name"] == "alpha")


def told(payops, field="state", operation="charge"):
    """The states, or forces, that the log told of, in order."""
    return [line[field] for line in payops.log_lines()
            if line["msg"] == "breaker changed" and line["gateway"] == "alpha" and line["operation"] == operation]


def test_gateway_that_is_down_is_left_alone_within_five_seconds_and_used_again_when_it_is_back(payops):
    before = len(told(payops))
    payops.mode("down")
    ids = [pay_id(payops, "tok_sync") for _ in range(8)]
    await_state(payops, OPEN, seconds=5)
    assert states(payops)["inquiry"] == CLOSED
    count = attempt_count(payops)

    waiting = [pay_id(payops, "tok_sync") for _ in range(8)]
    time.sleep(OPEN_S * 0.6)
    assert attempt_count(payops) == count
    for transaction_id in waiting:
        assert attempts(payops, transaction_id) == []
        shown = payops.get(f"/transactions/{transaction_id}").json
        assert shown["status"] == "pending" and shown["next_action"] == "send"
    until(lambda: told(payops)[before:][:3] == ["open", "half_open", "open"], 10, "a probe that failed")
    assert attempt_count(payops) == count + 1

    payops.mode("ok")
    assert_charged_once(payops, ids + waiting)
    await_state(payops, CLOSED)
    assert told(payops)[before:][-2:] == ["half_open", "closed"]
    assert payops.sql("SELECT state, span_us FROM breaker WHERE operation = 'charge'") == [["closed", "NULL"]]


def test_gateway_without_clear_answers_is_asked_no_more(payops):
    """What was answered with an error is unknown: it is asked about, and that fails too."""
    ids = [pay_id(payops, "tok_5xx_charged") for _ in range(6)]
    await_state(payops, OPEN)
    payops.mode("5xx")
    await_state(payops, OPEN, "inquiry", 10)

    assert_left_alone(payops, "inquiry", OPEN_S * 0.4)

    payops.mode("ok")
    await_state(payops, CLOSED, "inquiry", 15)
    assert_charged_once(payops, ids)


def test_inquiries_that_are_answered_wrongly_keep_no_other_payment_from_being_asked_about(payops):
    """Each tells of another amount, whenever it is asked: that is about these payments, not about the gateway."""
    ids = [pay_id(payops, "tok_wrong_amount") for _ in range(6)]
    await_state(payops, OPEN)  # of charges: whoever answers these wrongly is better left alone
    chosen = ", ".join(map(sql_id, ids))

    until(lambda: payops.sql(f"SELECT COUNT(*) FROM attempt WHERE transaction_id IN ({chosen}) AND asked_count > 0")
          == [["6"]], 15, "an inquiry about each")

    assert states(payops)["inquiry"] == CLOSED
    # Nobody will ever tell the truth about them: a human decides, and no later file waits for that.
    payops.sql("UPDATE attempt SET open_since_us = 1, asked_count = 99 WHERE asked_count > 0 AND transaction_id IN "
               f"({chosen})")
    payops.sql(f"UPDATE operation SET next_action_at_us = 1 WHERE transaction_id IN ({chosen})")
    for transaction_id in ids:
        payops.await_status(transaction_id, "parked")


def test_breaker_that_is_forced_open_lets_nothing_through_until_it_is_left_to_itself(payops):
    said = breaker(payops, "open", "alpha", "charge", "--reason", "maintenance, ticket 4711", "--minutes", "5").stdout
    assert re.fullmatch(r"alpha charge: forced open until 20\S+Z\n", said)
    await_state(payops, OPEN)
    seen = requests_at_rest(payops)

    transaction_id = pay_id(payops, "tok_sync")
    time.sleep(1)
    assert requests_seen(payops) == seen
    assert attempts(payops, transaction_id) == []
    listed = breaker(payops, "list").stdout
    assert re.search(r"^alpha +charge +open, forced until 20\S+Z by \S+: maintenance, ticket 4711$", listed, re.MULTILINE)
    assert re.search(r"^alpha +inquiry +closed$", listed, re.MULTILINE)

    assert breaker(payops, "auto", "alpha", "charge").stdout == "alpha charge: no longer forced\n"
    assert_charged_once(payops, [transaction_id])
    assert states(payops)["charge"] == CLOSED


def test_breaker_that_is_forced_closed_lets_all_through_however_many_fail(payops):
    breaker(payops, "close", "alpha", "--reason", "trust me")
    until(lambda: told(payops, "forced")[-1:] == ["closed"], what="a forced breaker")
    payops.mode("down")

    ids = [pay_id(payops, "tok_sync") for _ in range(8)]
    until(lambda: all(len(attempts(payops, one)) >= 2 for one in ids), 10, "second attempts")

    assert states(payops)["charge"] == CLOSED
    payops.mode("ok")
    assert_charged_once(payops, ids)


def test_declines_open_nothing(payops):
    ids = [pay_id(payops, "tok_decline_insufficient_funds") for _ in range(12)]

    for transaction_id in ids:
        payops.await_status(transaction_id, "failed")

    assert states(payops)["charge"] == CLOSED


def test_another_apid_agrees_and_one_that_starts_remembers(payops, tmp_path):
    second = SecondApid(payops, tmp_path).start()
    try:
        payops.mode("down")
        ids = [pay_id(payops, "tok_sync") for _ in range(8)]
        await_state(payops, OPEN)
        await_state(payops, OPEN, port=second.port, seconds=2)
        payops.sql("UPDATE breaker SET until_us = until_us + 60000000, version = version + 1 WHERE operation = 'charge'")
        payops.kill("apid", signal.SIGTERM)
        payops.start()
        assert states(payops)["charge"] == OPEN
        payops.sql("UPDATE breaker SET until_us = 1, version = version + 1 WHERE operation = 'charge'")
        payops.mode("ok")
        await_state(payops, CLOSED, seconds=10)
        await_state(payops, CLOSED, port=second.port)
        assert_charged_once(payops, ids)
    finally:
        second.close()


def test_calls_that_a_stopping_apid_cuts_off_tell_nothing(payops):
    payops.mode("slow", 3000)
    ids = [pay_id(payops, "tok_sync") for _ in range(6)]
    for transaction_id in ids:
        await_charge(payops, transaction_id)

    payops.kill("apid", signal.SIGTERM)
    payops.start()

    assert states(payops)["charge"] == CLOSED
    payops.mode("ok")
    assert_charged_once(payops, ids)


@pytest.fixture
def parted(payops):
    """Euros go to beta, all else to alpha; so few calls in flight that those which hang could take them all."""
    routing = Routing(payops)
    override = payops.dir / "etc" / "payops" / "conf.d" / "91-test-parted.conf"
    override.write_text(f"dispatch: {{ in_flight_max = {IN_FLIGHT_MAX}; }};\n")
    payops.restart()
    routing.apply(PARTED, ["parted_euro", "default"])
    yield payops
    routing.ctl("route", "apply", str(routing.etc / "routes.conf"))
    override.unlink()
    payops.restart()


def test_brown_out_of_one_gateway_leaves_the_others_payments_alone(parted):
    """Its breaker cannot know before the first calls have timed out; until then they must not take all that can be sent."""
    parted.mode("hang")
    ill = [pay_id(parted, "tok_sync") for _ in range(IN_FLIGHT_MAX + 4)]
    until(lambda: parted.sql("SELECT COUNT(*) FROM attempt WHERE gateway = 'alpha' AND status IN ('prepared', 'sent') AND "
                             f"transaction_id IN ({', '.join(map(sql_id, ill))})") == [[str(IN_FLIGHT_MAX // 2)]],
          what="as many calls as may hang")

    parted.await_status(pay_id(parted, "tok_sync", currency="EUR"), "completed")
    # Before the first call to alpha had timed out.
    assert parted.sql("SELECT COUNT(*) FROM attempt WHERE status = 'unknown' AND "
                      f"transaction_id = {sql_id(ill[0])}") == [["0"]]

    well = [pay_id(parted, "tok_sync", currency="EUR") for _ in range(2 * IN_FLIGHT_MAX)]
    for transaction_id in well:
        parted.await_status(transaction_id, "completed")
        assert [attempt["gateway"] for attempt in attempts(parted, transaction_id)] == ["beta"]
    await_state(parted, OPEN, seconds=10)
    count = attempt_count(parted)
    time.sleep(OPEN_S * 0.6)
    assert attempt_count(parted) == count
    parted.mode("ok")
    assert_charged_once(parted, ill)
    assert parted.sql("SELECT COUNT(*) FROM breaker WHERE gateway = 'beta' AND state <> 'closed'") == [["0"]]


@pytest.mark.parametrize("words,status,message", [
    (["open", "alhpa", "--reason", "x"], 66, "there is no gateway 'alhpa', did you mean alpha?"),
    (["auto", "nowhere"], 66, "there is no gateway 'nowhere'"),
    (["open", "alpha", "charg", "--reason", "x"], 65, "no operation is called 'charg', did you mean charge?"),
    (["close", "alpha", "xyz", "--reason", "x"], 65, "no operation is called 'xyz': there are charge, "),
    (["open", "alpha"], 64, "say why with --reason"),
    (["open", "alpha", "--reason", ""], 65, "--reason must be 1 to 200 characters"),
    (["close", "alpha", "--reason", "r" * 201], 65, "--reason must be 1 to 200 characters"),
    (["open", "alpha", "--reason", "x", "--minutes", "0"], 64, "--minutes"),
    (["open", "--reason", "x"], 64, "breaker open takes GATEWAY [OPERATION]"),
    (["open", "alpha", "charge", "more", "--reason", "x"], 64, "breaker open takes GATEWAY [OPERATION]"),
    (["list", "alpha"], 64, ""),
    (["auto", "alpha", "--reason", "x"], 64, "--reason"),
])
def test_what_cannot_be_is_refused_in_one_line(payops, words, status, message):
    done = breaker(payops, *words, check=False)

    assert done.returncode == status
    assert message in done.stderr and done.stderr.startswith("payopsctl")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert payops.sql("SELECT COUNT(*) FROM breaker WHERE forced IS NOT NULL") == [["0"]]
