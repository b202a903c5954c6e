# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every payment token of the sandbox, from the request to the end: all are started together, then each is judged."""
from typing import NamedTuple, Optional

import pytest

from support import (attempts, await_attempt, callback_for, callback_results, event_types, events, exceptions, outcomes,
                     pay_id, until)


class Scenario(NamedTuple):
    token: Optional[str]  # of the payment
    status: str           # at the end
    attempts: str         # their statuses, in order
    events: str           # their types, in order; "?": may be missing where the machine is slow
    ledger: str           # outcomes in the gateway's own ledger
    decline: Optional[str] = None
    callbacks: str = ""   # what became of each
    exceptions: str = ""  # their kinds


PAID_BY_CALLBACK = "created attempt_prepared attempt_accepted? attempt_succeeded"
PAID_AT_ONCE = "created attempt_prepared attempt_succeeded"
PAID_BY_INQUIRY = "created attempt_prepared attempt_sent? attempt_unknown attempt_succeeded"
PAID_AFTER_ACTION = "created attempt_prepared attempt_requires_action attempt_succeeded"
DECLINED = "created attempt_prepared attempt_declined"
DECLINED_FOUR_TIMES = "created" + 4 * " attempt_prepared attempt_declined" + " route_exhausted"

SCENARIOS = [
    Scenario(None, "completed", "succeeded", PAID_BY_CALLBACK, "succeeded", callbacks="applied"),
    Scenario("tok_ok", "completed", "succeeded", PAID_BY_CALLBACK, "succeeded", callbacks="applied"),
    Scenario("tok_sync", "completed", "succeeded", PAID_AT_ONCE, "succeeded"),
    Scenario("tok_decline_insufficient_funds", "failed", "declined", DECLINED, "declined", "insufficient_funds"),
    Scenario("tok_decline_do_not_honor", "failed", "declined", DECLINED, "declined", "do_not_honor"),
    Scenario("tok_decline_expired_card", "failed", "declined", DECLINED, "declined", "expired_card"),
    Scenario("tok_decline_stolen_card", "failed", "declined", DECLINED, "declined", "stolen_card"),
    Scenario("tok_decline_fraud_suspected", "failed", "declined", DECLINED, "declined", "fraud_suspected"),
    Scenario("tok_decline_issuer_unavailable", "failed", "declined declined declined declined",
             DECLINED_FOUR_TIMES, "declined declined declined declined", "issuer_unavailable"),
    Scenario("tok_decline_callback", "failed", "declined",
             "created attempt_prepared attempt_accepted? attempt_declined", "declined", "insufficient_funds",
             callbacks="applied"),
    Scenario("tok_answer_lost", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_answer_lost_callback", "completed", "succeeded",
             "created attempt_prepared attempt_sent? attempt_succeeded", "succeeded", callbacks="applied"),
    Scenario("tok_reset_after_charge", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_callback_twice", "completed", "succeeded", PAID_BY_CALLBACK, "succeeded", callbacks="applied"),
    Scenario("tok_callback_early", "completed", "succeeded", PAID_AT_ONCE, "succeeded", callbacks="applied"),
    Scenario("tok_callback_never", "completed", "succeeded",
             "created attempt_prepared attempt_accepted attempt_succeeded", "succeeded"),
    Scenario("tok_requires_action", "completed", "succeeded", PAID_AFTER_ACTION, "succeeded", callbacks="applied"),
    Scenario("tok_requires_action_qr", "completed", "succeeded", PAID_AFTER_ACTION, "succeeded", callbacks="applied"),
    Scenario("tok_queued_1000", "completed", "succeeded", PAID_BY_CALLBACK, "succeeded", callbacks="applied"),
    Scenario("tok_out_of_order", "completed", "succeeded", PAID_BY_CALLBACK, "succeeded",
             callbacks="applied superseded"),
    Scenario("tok_5xx_charged", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_409", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_html", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_huge", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_duplicate_member", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_utf16", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_truncated", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_truncate_at_17", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_reset_at_17", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_drip", "completed", "succeeded", "created attempt_prepared attempt_sent? attempt_succeeded", "succeeded"),
    Scenario("tok_late_success", "failed", "declined", DECLINED + " attempt_contradicted", "succeeded",
             "do_not_honor", "contradiction", "late_success"),
    Scenario("tok_429", "failed", "declined declined declined declined", DECLINED_FOUR_TIMES, "", "try_again_later"),
    Scenario("tok_429@beta+tok_sync@alpha", "completed", "succeeded", PAID_AT_ONCE, "succeeded"),
    Scenario("tok_409/refund", "completed", "succeeded", PAID_BY_CALLBACK, "succeeded", callbacks="applied"),
    Scenario("tok_slow_300", "completed", "succeeded", PAID_AT_ONCE, "succeeded"),
    Scenario("tok_slow_6000", "completed", "succeeded", PAID_BY_INQUIRY, "succeeded"),
    Scenario("tok_that_nobody_knows", "failed", "declined", DECLINED, "", "invalid_payment_token"),
]

ADVICE = {"insufficient_funds": "retry_later", "issuer_unavailable": "retry_later", "stolen_card": "never",
          "fraud_suspected": "never", "do_not_honor": "other_method", "expired_card": "other_method",
          "invalid_payment_token": "other_method"}


def fits(pattern, words):
    """True where the words are the pattern's, of which those with "?" may be missing."""
    if not pattern:
        return not words
    first, *rest = pattern
    if first.endswith("?") and fits(rest, words):
        return True
    return bool(words) and words[0] == first.removesuffix("?") and fits(rest, words[1:])


@pytest.fixture(scope="module")
def payments(shared):
    """Every scenario's payment, started one right after the other."""
    shared.start()
    shared.mode("ok")
    return {scenario: pay_id(shared, scenario.token) for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[str(scenario.token) for scenario in SCENARIOS])
def test_scenario_ends_as_its_row_says(payops, payments, scenario):
    transaction_id = payments[scenario]

    shown = payops.await_status(transaction_id, scenario.status)

    assert [attempt["status"] for attempt in attempts(payops, transaction_id)] == scenario.attempts.split()
    until(lambda: len(callback_results(payops, transaction_id)) >= len(scenario.callbacks.split()), 5, "callbacks")
    assert outcomes(payops, transaction_id) == scenario.ledger.split()
    assert callback_results(payops, transaction_id) == scenario.callbacks.split()
    types = event_types(payops, transaction_id)
    assert fits(scenario.events.split(), types), types
    assert exceptions(payops, transaction_id) == scenario.exceptions.split()
    assert shown["amount_captured"] == (1000 if scenario.status == "completed" else 0)
    assert shown["next_action"] is None and shown["next_action_at"] is None
    if scenario.status == "completed":
        assert shown["failure"] is None
        assert shown["gateway_txn_id"] == payops.ledger(transaction_id)[0]["gateway_ref"]
    else:
        assert shown["failure"]["code"] == "declined"
        assert shown["failure"]["decline_code"] == scenario.decline
        assert shown["failure"]["advice"] == ADVICE.get(scenario.decline, shown["failure"]["advice"])


@pytest.mark.parametrize("token", ["tok_ok", "tok_answer_lost", "tok_decline_issuer_unavailable"])
def test_scenario_events_are_numbered_and_follow_each_other(payops, payments, token):
    transaction_id = next(payments[scenario] for scenario in SCENARIOS if scenario.token == token)
    payops.await_status(transaction_id, ("completed", "failed"))

    told = events(payops, transaction_id)

    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    assert [event["from_status"] for event in told[1:]] == [event["status"] for event in told[:-1]]
    assert [event["at"] for event in told] == sorted(event["at"] for event in told)
    assert len({event["event_id"] for event in told}) == len(told)


def test_scenario_retry_uses_a_new_gateway_key_only_after_a_decline(payops, payments):
    transaction_id = next(payments[scenario] for scenario in SCENARIOS
                          if scenario.token == "tok_decline_issuer_unavailable")
    payops.await_status(transaction_id, "failed")

    references = [attempt["our_reference"] for attempt in attempts(payops, transaction_id)]

    family = references[0].removesuffix("-1")
    assert references == [f"{family}-{number}" for number in (1, 2, 3, 4)]
    assert [line["reference"] for line in payops.ledger(transaction_id)] == references


@pytest.mark.parametrize("token", ["tok_wrong_amount", "tok_wrong_currency", "tok_wrong_id"])
def test_scenario_wrong_answer_is_never_believed_whoever_repeats_it(payops, token):
    transaction_id = pay_id(payops, token)
    until(lambda: exceptions(payops, transaction_id) == ["integrity"], what="an exception")
    attempt = until(lambda: next((tried for tried in attempts(payops, transaction_id) if tried["asked_count"] > 0), None),
                    what="an inquiry, which tells the same")

    shown = payops.get(f"/transactions/{transaction_id}").json
    assert (shown["status"], attempt["status"]) == ("processing", "unknown")
    assert outcomes(payops, transaction_id) == ["succeeded"]

    assert payops.call_back(transaction_id, callback_for(attempt)).status == 200
    assert payops.await_status(transaction_id, "completed")["amount_captured"] == 1000


def test_scenario_payment_waits_until_its_customer_acts(payops):
    transaction_id = pay_id(payops, "tok_requires_action_60000")
    attempt = await_attempt(payops, transaction_id, "requires_action")
    shown = payops.get(f"/transactions/{transaction_id}").json
    assert (shown["status"], shown["status_reason"]) == ("processing", "awaiting_customer")

    payops.complete(attempt["gateway_txn_id"])

    assert payops.await_status(transaction_id, "completed")["amount_captured"] == 1000


def test_scenario_second_delivery_of_a_callback_is_counted_as_duplicate(payops, payments):
    transaction_id = next(payments[scenario] for scenario in SCENARIOS if scenario.token == "tok_callback_twice")
    payops.await_status(transaction_id, "completed")

    def counted():
        page = payops.request("GET", "/metrics").body.decode()
        return [line for line in page.splitlines() if line.startswith("payops_callbacks_total{")
                and 'result="duplicate"' in line and float(line.split()[-1]) >= 1]
    assert until(counted, 5, "a duplicate callback")
