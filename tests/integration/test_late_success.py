# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A success that comes after the decision, against real parts: it stands in the ledger until it is given back or comes
back by itself, and is never counted twice."""
import json

import pytest

from support import attempts, callback_for, event_types, exceptions, sql_id, until
from test_operations import (accounts, ask, assert_sums_to_zero, await_refund, paid, refunded, shown, withdraw)


# --- what it leaves in the books ---

def test_late_success_stands_in_the_ledger_as_surplus(payops):
    transaction_id = payops.pay("tok_late_success").json["transaction_id"]
    payops.await_status(transaction_id, "failed")

    until(lambda: exceptions(payops, transaction_id) == ["late_success"], what="its exception")

    assert accounts(payops, transaction_id) == {"gateway_receivable": 1000, "surplus_owed": -1000}
    assert shown(payops, transaction_id)["amount_captured"] == 0
    give_back(payops, transaction_id)


def test_late_success_of_a_refund_is_owed_to_us(payops):
    transaction_id = paid(payops)
    refunded(payops, transaction_id, "failed", payment_token="tok_late_success")

    until(lambda: exceptions(payops, transaction_id) == ["late_success"], what="its exception")

    assert accounts(payops, transaction_id) == {"merchant_payable": -1000, "surplus_owed": 1000}
    assert shown(payops, transaction_id)["amount_refunded"] == 0
    assert ask(payops, transaction_id, "refunds").status == 201
    until(lambda: payops.sql("SELECT status FROM operation WHERE kind = 'refund' AND transaction_id = "
                             f"{sql_id(transaction_id)} ORDER BY status") == [["failed"], ["parked"]],
          what="a refund that waits until somebody has looked")


def test_late_success_of_a_payout_is_owed_to_us(payops):
    transaction_id = withdraw(payops, "tok_late_success").json["transaction_id"]
    payops.await_status(transaction_id, "failed")

    until(lambda: exceptions(payops, transaction_id) == ["late_success"], what="its exception")

    assert accounts(payops, transaction_id) == {"gateway_float": -5025, "surplus_owed": 5025}


# --- that it came back ---

def told(payops, transaction_id, word, amount, **members):
    """The gateway's signed message about the attempt that it declined first."""
    (declined,) = [attempt for attempt in attempts(payops, transaction_id) if attempt["status"] == "declined"]
    assert payops.call_back(transaction_id, callback_for(declined, status=word, amount_minor=amount, **members)).status == 200


def assert_undone(payops, transaction_id):
    """Known as late and as taken back, once each; settled, and even in the books."""
    types = event_types(payops, transaction_id)
    assert (types.count("attempt_contradicted"), types.count("late_success_reversed")) == (1, 1)
    assert payops.sql("SELECT kind, state, resolved_by FROM exception WHERE transaction_id = "
                      f"{sql_id(transaction_id)}") == [["late_success", "resolved", "payops"]]
    assert_sums_to_zero(payops, transaction_id)


def test_late_payout_that_is_returned_leaves_nothing_owed(payops):
    transaction_id = withdraw(payops, "tok_late_success").json["transaction_id"]
    until(lambda: exceptions(payops, transaction_id) == ["late_success"], what="its exception")

    for _ in range(3):
        told(payops, transaction_id, "returned", 5025)
        told(payops, transaction_id, "completed", 5025)

    assert_undone(payops, transaction_id)
    assert accounts(payops, transaction_id) == {}
    assert shown(payops, transaction_id)["status"] == "failed"
    said = payops.ctl("why", transaction_id, "--config", str(payops.config)).stdout
    assert "the late payout came back: the 50.25 USD are where they were before it" in " ".join(said.split())
    assert payops.get(f"/transactions/{transaction_id}/why").json["charged"] == "no"


def test_late_refund_that_is_reversed_keeps_no_other_from_being_sent(payops):
    transaction_id = paid(payops)
    refunded(payops, transaction_id, "failed", payment_token="tok_late_success")
    until(lambda: exceptions(payops, transaction_id) == ["late_success"], what="its exception")

    told(payops, transaction_id, "reversed", 1000)

    assert_undone(payops, transaction_id)
    assert accounts(payops, transaction_id) == {"gateway_receivable": 1000, "merchant_payable": -1000}
    refunded(payops, transaction_id, "failed", payment_token="tok_decline_do_not_honor")  # not parked any more


def test_refund_that_was_declined_and_is_reversed_may_be_refunded_anew(payops):
    transaction_id = paid(payops)
    refunded(payops, transaction_id, "failed", payment_token="tok_late_reversed_300")

    until(lambda: "late_success_reversed" in event_types(payops, transaction_id), what="what the gateway took back")

    assert_undone(payops, transaction_id)
    assert accounts(payops, transaction_id) == {"gateway_receivable": 1000, "merchant_payable": -1000}
    refunded(payops, transaction_id, payment_token="tok_sync")
    assert accounts(payops, transaction_id) == {}


def test_payout_that_was_declined_and_is_returned_leaves_nothing_owed(payops):
    transaction_id = withdraw(payops, "tok_late_reversed_300").json["transaction_id"]

    until(lambda: "late_success_reversed" in event_types(payops, transaction_id), what="what the gateway took back")

    assert_undone(payops, transaction_id)
    assert accounts(payops, transaction_id) == {}
    assert shown(payops, transaction_id)["status"] == "failed"


def test_late_charge_that_is_reversed_is_not_refunded_as_well(payops):
    transaction_id = payops.pay("tok_late_success").json["transaction_id"]
    until(lambda: exceptions(payops, transaction_id) == ["late_success"], what="its exception")

    told(payops, transaction_id, "reversed", 1000)

    assert_undone(payops, transaction_id)
    assert accounts(payops, transaction_id) == {}
    (exception_id,) = [row["exception_id"] for row in json.loads(payops.ctl(
        "exception", "list", "--state", "resolved", "--json", "--limit", "1000", "--config", str(payops.config)).stdout)
        if row["transaction_id"] == transaction_id]
    refused = payops.ctl("exception", "refund", exception_id, "--config", str(payops.config), check=False)
    assert (refused.returncode != 0, "it came back by itself" in refused.stderr) == (True, True)


@pytest.mark.parametrize("members", [{}, {"amount_minor": None, "currency": None}], ids=["amount", "hint"])
def test_return_told_before_the_late_payout_is_booked_with_it(payops, members):
    transaction_id = withdraw(payops, "tok_decline_stolen_card").json["transaction_id"]
    payops.await_status(transaction_id, "failed")
    (attempt,) = attempts(payops, transaction_id)

    assert payops.call_back(transaction_id, callback_for(attempt, **{
        "status": "returned", "amount_minor": 5025, **members})).status == 200
    assert payops.sql(f"SELECT state FROM exception WHERE transaction_id = {sql_id(transaction_id)}") == [
        ["open" if members else "resolved"]]
    told(payops, transaction_id, "completed", 5025)
    told(payops, transaction_id, "returned", 5025)

    assert_undone(payops, transaction_id)
    assert accounts(payops, transaction_id) == {}


# --- giving it back ---

def give_back(payops, transaction_id):
    """payopsctl exception refund, twice; once is given back, and the exception is resolved by it."""
    (exception,) = json.loads(payops.ctl("exception", "list", "--json", "--limit", "1000", "--config",
                                         str(payops.config)).stdout)[-1:]
    assert exception["transaction_id"] == transaction_id
    first, again = (payops.ctl("exception", "refund", exception["exception_id"], "--config", str(payops.config)).stdout
                    for _ in range(2))
    refund_id = first.split()[0]

    assert first == f"{refund_id} will be sent\n"
    assert again == f"{refund_id} was ordered before\n"
    done = await_refund(payops, refund_id, "succeeded")
    assert (done["surplus"], done["amount"]) == (True, 1000)
    assert shown(payops, transaction_id)["amount_refunded"] == 0
    assert shown(payops, transaction_id)["status"] == "failed"
    assert payops.sql("SELECT state FROM exception WHERE transaction_id = " + sql_id(transaction_id)) == [["resolved"]]
    assert accounts(payops, transaction_id) == {}
    refused = payops.ctl("exception", "refund", exception["exception_id"], "--config", str(payops.config), check=False)
    assert refused.stdout == f"{refund_id} was ordered before\n"


def test_books_agree_after_all_of_this(payops):
    until(lambda: payops.sql("SELECT COUNT(*) FROM operation WHERE status IN ('pending', 'processing') "
                             "AND next_action <> 'expire'") == [["0"]], 60)
    done = payops.ctl("fsck", "--all", "--config", str(payops.config), check=False)
    assert done.returncode == 0, json.dumps(done.stdout)
