# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A payment with a decline, another gateway, a lost answer and a refund reads as a story that explains itself."""
import textwrap

import pytest

from support import pay_id, until
from test_operations import refunded
from test_routing import Routing

ROUTES = 'routes = ( { name = "story"; gateways = "alpha, beta"; } );\n'


@pytest.fixture
def two_gateways(payops):
    routing = Routing(payops)
    routing.apply(ROUTES, ["story"])
    yield
    routing.ctl("route", "apply", str(routing.etc / "routes.conf"))
    until(lambda: routing.rules_in_force() == ["default"], 3, "the first rules again")


def drawn(said):
    paragraphs = [said["charged_text"]] + [f"{step['sequence']}. {step['text']} [{step['rule']}]" for step in said["steps"]]
    return "\n  ".join(line for text in paragraphs for line in textwrap.wrap(text, 110))


def test_story_of_a_lost_answer_a_fallback_and_a_refund(payops, two_gateways, say):
    transaction_id = pay_id(payops, "tok_decline_issuer_unavailable@alpha+tok_reset_after_charge")
    payops.await_status(transaction_id, "completed")
    refunded(payops, transaction_id, amount=400, payment_token="tok_sync", reason="one was broken")

    said = payops.get(f"/transactions/{transaction_id}/why").json

    say(drawn(said))
    told = [step["text"] for step in said["steps"]]
    expected = [
        "A payment of 10.00 USD was accepted and stored. Nothing had been sent to a gateway yet.",
        "The charge of 10.00 USD was made ready for alpha.",
        "alpha declined the charge: issuer unavailable. Nothing was charged.",
        "Try 2 of the charge was made ready for beta, instead of alpha.",
        "No answer of beta came that can be relied on",
        "Asked what became of it, beta said that it charged the customer 10.00 USD.",
        "The merchant asked to give 4.00 USD back. That much is reserved.",
        "The refund of 4.00 USD was made ready for beta.",
        "beta answered that it gave 4.00 USD back to the customer.",
    ]
    places = [next((at for at, text in enumerate(told) if text.startswith(line)), line) for line in expected]
    assert all(isinstance(place, int) for place in places), places
    assert places == sorted(places), told
    assert "the customer may have been charged" in told[places[4]]
    assert "never sent again blindly" in said["steps"][places[4]]["rule"]
    assert "certainly moved no money" in said["steps"][places[3]]["rule"]
    assert (said["charged"], said["safe_to_retry"], said["safe_to_retry_reason"]) == ("yes", False, "already_charged")
    assert said["next"] == [] and said["exceptions"] == []
