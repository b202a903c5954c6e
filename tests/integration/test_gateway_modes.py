# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that is down, answers nonsense, hangs or is slow: what certainly did not happen is tried again, what may
have happened is asked about."""
import pytest

from support import (assert_charged_once, attempts, await_attempt, await_charge, event_types, events, outcomes, pay_id,
                     until)

NOT_FOUND_THEN_PAID = ["attempt_unknown", "attempt_not_found", "attempt_prepared", "attempt_succeeded"]


def at_s(moment):
    """Seconds of the day of an RFC 3339 time."""
    hours, minutes, seconds = moment.split("T")[1].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def requests_seen(payops):
    return payops.sandbox("GET", "/_sandbox/gateways").json[0]["requests"]


@pytest.fixture(scope="module")
def lost(shared):
    """One payment each under the modes 5xx, hang and slow, which is over before the first inquiry."""
    shared.start()
    shared.mode("5xx")
    ids = {"5xx": pay_id(shared, "tok_sync")}
    await_attempt(shared, ids["5xx"], "unknown")
    shared.mode("slow", 6000)
    ids["slow"] = pay_id(shared, "tok_sync")
    await_charge(shared, ids["slow"])
    shared.mode("hang")
    before = requests_seen(shared)
    ids["hang"] = pay_id(shared, "tok_sync")
    until(lambda: requests_seen(shared) > before, what="a request at the hanging gateway")
    shared.mode("ok")
    return ids


@pytest.mark.parametrize("mode", ["5xx", "hang"])
def test_mode_that_did_nothing_is_asked_about_twice_and_then_retried_with_the_same_key(payops, lost, mode):
    transaction_id = lost[mode]

    assert_charged_once(payops, [transaction_id])

    first, second = attempts(payops, transaction_id)
    assert (first["status"], second["status"]) == ("not_found", "succeeded")
    assert first["asked_count"] >= 1
    assert first["our_reference"] == second["our_reference"]
    types = [kind for kind in event_types(payops, transaction_id) if kind != "attempt_sent"]
    assert types[2:] == NOT_FOUND_THEN_PAID


@pytest.mark.parametrize("mode", ["5xx", "hang"])
def test_mode_not_found_is_believed_only_after_lease_and_quiet_periods(payops, lost, mode):
    transaction_id = lost[mode]
    payops.await_status(transaction_id, "completed", 45)

    told = {event["type"]: at_s(event["at"]) for event in reversed(events(payops, transaction_id))}

    waited = (told["attempt_not_found"] - told["attempt_prepared"]) % 86400
    assert waited >= 2 + 1 + 4 + 2 + 2  # send window, margin, total timeout; quiet; quiet again


def test_mode_slow_beyond_the_timeout_is_unknown_and_found_by_inquiry(payops, lost):
    transaction_id = lost["slow"]

    assert_charged_once(payops, [transaction_id])

    assert [attempt["status"] for attempt in attempts(payops, transaction_id)] == ["succeeded"]
    types = event_types(payops, transaction_id)
    assert types[-2:] == ["attempt_unknown", "attempt_succeeded"]


def test_mode_down_is_retried_four_times_in_all_and_then_failed_or_completed_when_it_is_up_again(payops):
    payops.mode("down")
    stays_down = pay_id(payops, "tok_sync")
    until(lambda: len(attempts(payops, stays_down)) == 3, 20, "the third attempt")
    comes_up = pay_id(payops, "tok_sync")
    await_attempt(payops, comes_up, "not_sent")

    failed = payops.await_status(stays_down, "failed", 30)
    payops.mode("ok")

    assert failed["failure"]["code"] == "gateway_unreachable"
    tried = attempts(payops, stays_down)
    assert [attempt["status"] for attempt in tried] == ["not_sent"] * 4
    assert len({attempt["our_reference"] for attempt in tried}) == 1
    moments = [at_s(attempt["prepared_at"]) for attempt in tried]
    waits = [(later - earlier) % 86400 for earlier, later in zip(moments, moments[1:])]
    assert all(wait >= least for wait, least in zip(waits, (1.5, 3, 6))), waits
    assert outcomes(payops, stays_down) == []
    assert_charged_once(payops, [comes_up])
    assert {attempt["status"] for attempt in attempts(payops, comes_up)[:-1]} == {"not_sent"}
