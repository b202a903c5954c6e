# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateways that payops-sandbox plays keep the promises of payops-sandbox(8): what every other test rests on."""
import concurrent.futures
import itertools
import json
import re
import time
from typing import NamedTuple, Union

import pytest

from sandbox import GATEWAYS, OPERATIONS, Sandbox, signature_of
from support import until

HELD_S = 1.5  # a caller's patience with a gateway that never answers


@pytest.fixture(scope="module")
def gateways(shared, tmp_path_factory):
    box = Sandbox(shared.programs, tmp_path_factory.mktemp("sandbox"), shared.port + 10).start()
    yield box
    assert box.close() == 0


# --- every token with every operation ---

class Promise(NamedTuple):
    token: str
    answer: Union[int, str]  # status, or how the connection ended
    inquiry: Union[str, int]  # the status afterwards, 404 where nothing was done
    ledger: str               # outcome, "" where nothing was done
    callbacks: str = ""       # their words, in order
    error: str = ""           # the answer's error word, or decline code


def declined(code):
    return Promise(f"tok_decline_{code}", 402, "declined", "declined", error=code)


PROMISES = [
    Promise("tok_ok", 202, "succeeded", "succeeded", "completed"),
    Promise("tok_sync", 200, "succeeded", "succeeded"),
    *map(declined, ("insufficient_funds", "do_not_honor", "expired_card", "stolen_card", "fraud_suspected",
                    "issuer_unavailable", "try_again_later", "limit_exceeded", "invalid_card", "card_not_supported",
                    "processing_error")),
    Promise("tok_decline_callback", 202, "declined", "declined", "failed"),
    Promise("tok_requires_action", 202, "succeeded", "succeeded", "completed"),
    Promise("tok_requires_action_virtual_account", 202, "succeeded", "succeeded", "completed"),
    Promise("tok_requires_action_qr", 202, "succeeded", "succeeded", "completed"),
    Promise("tok_requires_action_100", 202, "succeeded", "succeeded", "completed"),
    Promise("tok_answer_lost", "held", "succeeded", "succeeded"),
    Promise("tok_answer_lost_callback", "held", "succeeded", "succeeded", "completed"),
    Promise("tok_reset_after_charge", "reset", "succeeded", "succeeded"),
    Promise("tok_5xx_charged", 500, "succeeded", "succeeded", error="internal_error"),
    Promise("tok_5xx_uncharged", 500, 404, "", error="internal_error"),
    Promise("tok_timeout_uncharged", "held", 404, ""),
    Promise("tok_409", 409, "succeeded", "succeeded", error="in_progress"),
    Promise("tok_429", 429, 404, "", error="rate_limited"),
    Promise("tok_html", 200, "succeeded", "succeeded"),
    Promise("tok_huge", 200, "succeeded", "succeeded"),
    Promise("tok_duplicate_member", 200, "succeeded", "succeeded"),
    Promise("tok_utf16", 200, "succeeded", "succeeded"),
    Promise("tok_truncated", "cut", "succeeded", "succeeded"),
    Promise("tok_truncate_at_200", "cut", "succeeded", "succeeded"),
    Promise("tok_reset_at_30", "reset", "succeeded", "succeeded"),
    Promise("tok_drip", 200, "succeeded", "succeeded"),
    Promise("tok_wrong_amount", 200, "succeeded", "succeeded"),
    Promise("tok_wrong_currency", 200, "succeeded", "succeeded"),
    Promise("tok_wrong_id", 200, "succeeded", "succeeded"),
    Promise("tok_callback_twice", 202, "succeeded", "succeeded", "completed completed"),
    Promise("tok_callback_early", 202, "succeeded", "succeeded", "completed"),
    Promise("tok_callback_never", 202, "succeeded", "succeeded"),
    Promise("tok_out_of_order", 202, "succeeded", "succeeded", "completed accepted"),
    Promise("tok_late_success", 402, "succeeded", "succeeded", "completed", "do_not_honor"),
    Promise("tok_late_success_retryable", 402, "succeeded", "succeeded", "completed", "issuer_unavailable"),
    Promise("tok_late_reversed_200", 402, "declined", "declined", error="do_not_honor"),
    Promise("tok_reversed_200", 200, "succeeded", "succeeded"),
    Promise("tok_returned_200", 200, "succeeded", "succeeded"),
    Promise("tok_queued_700", 202, "succeeded", "succeeded", "completed"),
    Promise("tok_slow_400", 200, "succeeded", "succeeded"),
]

# What a token does to one kind of operation only.
SPECIAL = {
    ("tok_reversed_200", "refund"): Promise("tok_reversed_200", 200, "reversed", "succeeded", "reversed"),
    ("tok_late_reversed_200", "refund"): Promise("tok_late_reversed_200", 402, "reversed", "succeeded", "reversed",
                                                 "do_not_honor"),
    ("tok_late_reversed_200", "payout"): Promise("tok_late_reversed_200", 402, "returned", "succeeded", "returned",
                                                 "do_not_honor"),
    ("tok_returned_200", "payout"): Promise("tok_returned_200", 200, "returned", "succeeded", "returned"),
}

CELLS = [(promise, operation) for promise in PROMISES for operation in OPERATIONS]


class Cell(NamedTuple):
    reply: object
    promise: Promise
    seconds: float


@pytest.fixture(scope="module")
def cells(gateways):
    """Every token with every operation, all performed side by side and left alone until nothing more is due."""
    def perform(cell):
        promise, operation = cell
        promise = SPECIAL.get((promise.token, operation), promise)
        parent = gateways.parent(operation)
        begun = time.monotonic()
        reply = gateways.perform(operation, promise.token, parent=parent, timeout=HELD_S if "held" == promise.answer else 10)
        return Cell(reply, promise, time.monotonic() - begun)

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        done = dict(zip(CELLS, pool.map(perform, CELLS)))
    wanted = sum(len(cell.promise.callbacks.split()) for cell in done.values())
    until(lambda: len(gateways.receiver.received) >= wanted, 10, f"{wanted} callbacks")
    time.sleep(0.3)  # for those that should not come
    return done


def cell_name(cell):
    return f"{cell[0].token}/{cell[1]}"


@pytest.mark.parametrize("key", CELLS, ids=map(cell_name, CELLS))
def test_token_does_what_it_promises(gateways, cells, key):
    reply, promise, _ = cells[key]
    operation = key[1]

    assert reply.how == promise.answer
    asked = gateways.ask(reply.reference)
    assert (asked.how if promise.inquiry == 404 else asked.json["status"]) == promise.inquiry
    lines = gateways.ledger(reply.reference)
    assert [(line["operation"], line["outcome"], line["amount_minor"]) for line in lines] == (
        [(operation, promise.ledger, 1000)] if promise.ledger else [])
    assert [body["status"] for body in gateways.receiver.bodies(reply.reference)] == promise.callbacks.split()
    if promise.error:
        assert reply.json.get("decline_code", reply.json.get("error")) == promise.error


def row(cells, token, operation="charge"):
    return next(cell for key, cell in cells.items() if key == (key[0], operation) and key[0].token == token)


def test_token_list_of_the_manual_is_complete(shared):
    page = (shared.top / "man" / "payops-sandbox.8").read_text()
    section = page.split(".Sh PAYMENT TOKENS")[1].split(".Sh ")[0]
    listed = set(re.findall(r"\btok_\w+", section))
    promised = {re.sub(r"^(tok_[a-z_]+)_\d+$", r"\1_", promise.token) for promise in PROMISES}

    assert listed == promised


@pytest.mark.parametrize("token, member", [("tok_requires_action", "redirect_url"), ("tok_requires_action_qr", "qr_string"),
                                           ("tok_requires_action_virtual_account", "virtual_account")])
def test_token_requires_action_says_how(cells, token, member):
    answer = row(cells, token).reply.json

    assert answer["status"] == "requires_action"
    assert list(answer["instructions"]) == [member] and answer["instructions"][member]


@pytest.mark.parametrize("token, amount, currency, prefix", [
    ("tok_wrong_amount", 1001, "USD", ""), ("tok_wrong_currency", 1000, "EUR", ""), ("tok_wrong_id", 1000, "USD", "other-")])
def test_token_wrong_tells_answer_and_inquiry_alike(gateways, cells, token, amount, currency, prefix):
    reply = row(cells, token).reply

    for told in (reply.json, gateways.ask(reply.reference).json):
        assert (told["amount_minor"], told["currency"], told["reference"]) == (amount, currency, prefix + reply.reference)


def test_token_spoils_its_answer_in_one_way(cells):
    huge, twice, wide = (row(cells, token).reply for token in ("tok_huge", "tok_duplicate_member", "tok_utf16"))

    assert len(huge.raw) == 10 * 1024 * 1024 and huge.json["status"] == "succeeded"
    assert re.findall(rb'"status":"(\w+)"', twice.raw) == [b"succeeded", b"declined"] and twice.json
    assert wide.headers["content-type"] == "application/json; charset=utf-16le"
    assert json.loads(wide.raw.decode("utf-16-le"))["status"] == "succeeded"


def test_token_callbacks_have_an_id_each_and_the_same_one_when_repeated(gateways, cells):
    def ids(token, operation="charge"):
        return [body["callback_id"] for body in gateways.receiver.bodies(row(cells, token, operation).reply.reference)]

    assert len(set(ids("tok_callback_twice"))) == 1
    assert len(set(ids("tok_out_of_order"))) == 2
    everything = [json.loads(raw) for _, _, raw in gateways.receiver.received]
    by_id = {}
    for body in everything:
        assert by_id.setdefault(body["callback_id"], body) == body


def test_token_times_are_kept(cells):
    assert row(cells, "tok_slow_400").seconds >= 0.4
    assert row(cells, "tok_drip").seconds >= 0.5
    assert row(cells, "tok_callback_early").seconds >= 0.3


def test_token_early_callback_comes_before_its_answer(gateways):
    reply = gateways.perform("charge", "tok_callback_early")

    assert len(gateways.receiver.bodies(reply.reference)) == 1


def test_token_429_says_when_to_come_again(cells):
    assert row(cells, "tok_429").reply.headers["retry-after"] == "1"


def test_callbacks_are_signed_with_the_secret_of_their_gateway(gateways):
    references = {gateway: gateways.perform("charge", "tok_queued_1", gateway=gateway).reference for gateway in GATEWAYS}

    for gateway, reference in references.items():
        until(lambda: gateways.receiver.bodies(reference), 5, "a callback")
        _, header, raw = next(call for call in gateways.receiver.received if json.loads(call[2])["reference"] == reference)
        assert json.loads(raw)["gateway"] == gateway
        assert header == signature_of(gateway, header, raw)


def test_callbacks_share_connections(gateways):
    references = []
    for _ in range(20):  # one after the other: several at once need as many connections
        references.append(gateways.perform("charge", "tok_queued_1").reference)
        until(lambda: gateways.receiver.bodies(references[-1]), 5, "a callback")

    ports = {port for port, _, raw in gateways.receiver.received if json.loads(raw)["reference"] in references}
    assert len(ports) <= 10


def test_callback_is_repeated_until_it_is_taken(gateways):
    gateways.receiver.status = 503
    reply = gateways.perform("charge", "tok_queued_1")
    until(lambda: len(gateways.receiver.bodies(reply.reference)) >= 2, 5, "a second try")
    gateways.receiver.status = 200
    until(lambda: len(gateways.receiver.bodies(reply.reference)) >= 3, 5, "the last try")

    assert len({body["callback_id"] for body in gateways.receiver.bodies(reply.reference)}) == 1


# --- answers that end at any byte ---

@pytest.mark.parametrize("token, resets", [("tok_truncate_at", False), ("tok_reset_at", True)])
def test_answer_ends_at_every_byte_and_the_charge_stands(gateways, token, resets):
    whole = gateways.perform_raw(f"{token}_100000")[1]
    size = len(whole)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        ended = list(pool.map(lambda at: gateways.perform_raw(f"{token}_{at}"), range(1, size + 1)))

    assert whole.startswith(b"HTTP/1.1 200 OK\r\n") and whole.endswith(b"}")
    assert [len(raw) for _, raw, _ in ended] == list(range(1, size + 1))
    assert {was_reset for _, _, was_reset in ended} == {resets}
    charged = {line["reference"] for line in gateways.ledger() if line["outcome"] == "succeeded"}
    assert {reference for reference, _, _ in ended} <= charged


# --- suffixes ---

SUFFIXES = [
    # payment token, gateway, operation, the answer's status
    ("tok_html", "alpha", "charge", "html"),
    ("tok_429@alpha", "alpha", "charge", 429),
    ("tok_429@alpha", "beta", "charge", 202),
    ("tok_429@gamma", "gamma", "refund", 429),
    ("tok_429/refund", "alpha", "refund", 429),
    ("tok_429/refund", "alpha", "charge", 202),
    ("tok_429@beta/refund", "beta", "refund", 429),
    ("tok_429@beta/refund", "alpha", "refund", 202),
    ("tok_429@beta/refund", "beta", "payout", 202),
    ("tok_429@alpha+tok_409@beta+tok_sync", "alpha", "charge", 429),
    ("tok_429@alpha+tok_409@beta+tok_sync", "beta", "charge", 409),
    ("tok_429@alpha+tok_409@beta+tok_sync", "gamma", "charge", 200),
    ("tok_sync+tok_429@alpha", "alpha", "charge", 200),
    ("tok_sync@delta", "alpha", "charge", 400),
    ("tok_sync/borrow", "alpha", "charge", 400),
    ("tok_sync+tok_unheard@beta", "alpha", "charge", 400),
    ("tok_sync+", "alpha", "charge", 400),
    ("tok_unheard", "alpha", "charge", 400),
]


@pytest.mark.parametrize("token, gateway, operation, wanted", SUFFIXES)
def test_suffix_limits_a_token_to_its_gateway_and_operation(gateways, token, gateway, operation, wanted):
    reply = gateways.perform(operation, token, gateway, parent=gateways.parent(operation, gateway))

    assert ("html" if reply.raw.startswith(b"<!DOCTYPE") else reply.how) == wanted


@pytest.mark.parametrize("token, own, wanted", [
    ("tok_sync+tok_429/refund", None, 429), ("tok_sync+tok_429/refund", "tok_sync", 200),
    ("tok_sync", None, 202), ("tok_sync+tok_429@beta/refund", None, 202)])
def test_refund_without_a_token_does_what_its_charge_wished_for_refunds(gateways, token, own, wanted):
    charge = gateways.perform("charge", token).json

    assert gateways.perform("refund", own, parent=charge["id"]).how == wanted


# --- sums ---

def test_sums_captures_and_a_void_share_an_authorisation(gateways):
    parent = gateways.perform("authorise").json["id"]

    def about(operation, amount):
        told = gateways.perform(operation, parent=parent, amount_minor=amount).json
        return told.get("decline_code", told["status"])

    steps = [("capture", 600, "succeeded"), ("capture", 401, "capture_exceeds_authorisation"),
             ("refund", 601, "refund_exceeds_charge"), ("refund", 200, "succeeded"), ("capture", 100, "succeeded"),
             ("void", 300, "succeeded"), ("capture", 1, "capture_exceeds_authorisation"), ("void", 1, "nothing_to_void"),
             ("refund", 500, "succeeded"), ("refund", 1, "refund_exceeds_charge")]
    assert [(operation, amount, about(operation, amount)) for operation, amount, _ in steps] == steps


def test_sums_hold_for_many_at_once(gateways):
    parent = gateways.perform("charge", amount_minor=1000).json["id"]

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda _: gateways.perform("refund", parent=parent, amount_minor=70), range(64)))

    assert sorted(reply.how for reply in replies) == [200] * 14 + [402] * 50
    refunds = [line for line in gateways.ledger() if line.get("parent") == parent and line["outcome"] == "succeeded"]
    assert sum(line["amount_minor"] for line in refunds) == 980


@pytest.mark.parametrize("operation, members, code", [
    ("refund", {"parent": "alpha_999999"}, "parent_not_found"),
    ("refund", {"parent": "beta_000001"}, "parent_not_found"),
    ("capture", {"of": "charge"}, "parent_not_found"),
    ("void", {"of": "payout"}, "parent_not_found"),
    ("refund", {"of": "charge", "currency": "EUR"}, "currency_mismatch"),
])
def test_sums_need_a_fitting_parent(gateways, operation, members, code):
    members = dict(members)
    if kind := members.pop("of", None):
        members["parent"] = gateways.perform(kind).json["id"]

    reply = gateways.perform(operation, **members)

    assert (reply.how, reply.json["decline_code"]) == (402, code)


def test_sums_of_what_did_not_succeed_are_nothing(gateways):
    for token in ("tok_decline_do_not_honor", "tok_queued_60000"):
        parent = gateways.perform("charge", token).json["id"]
        assert gateways.perform("refund", parent=parent).json["decline_code"] == "parent_not_succeeded"


@pytest.mark.parametrize("operation, parent", [("charge", "alpha_000001"), ("payout", "alpha_000001"), ("refund", None),
                                               ("capture", None), ("void", None)])
def test_parent_is_asked_for_where_it_belongs_only(gateways, operation, parent):
    reply = gateways.perform(operation, parent=parent)

    assert reply.how == 400 and "parent" in reply.json["message"]


# --- gateways ---

def test_gateway_takes_its_own_api_key_only(gateways):
    for gateway, key in itertools.product(GATEWAYS, GATEWAYS):
        reply = gateways.exchange(gateways.gateway_port(gateway), "GET", "/v1/operations?reference=nothing", None,
                                  {"Authorization": f"Bearer api-key-of-{key}"})
        assert reply.how == (404 if gateway == key else 401)


@pytest.mark.parametrize("gateway, charges", [("alpha", 1), ("beta", 1), ("gamma", 2)])
def test_gateway_gamma_alone_does_the_same_key_again(gateways, gateway, charges):
    first = gateways.perform("charge", gateway=gateway)
    again = gateways.perform("charge", gateway=gateway, reference=first.reference)

    assert again.how == 200
    assert ("idempotent-replayed" in again.headers) == (charges == 1)
    assert len(gateways.ledger(first.reference)) == charges
    assert len({first.json["id"], again.json["id"]}) == charges


def test_gateway_gamma_does_not_know_what_is_new_or_queued(gateways):
    queued = gateways.perform("charge", "tok_queued_60000", "gamma")
    begun = time.monotonic()
    done = gateways.perform("charge", gateway="gamma")

    until(lambda: gateways.ask(done.reference, "gamma").how == 200, 5, "the inquiry's success")
    assert time.monotonic() - begun >= 1 and len(gateways.ledger(done.reference)) == 1
    assert gateways.ask(queued.reference, "gamma").how == 404
    gateways.control("POST", f"/_sandbox/operations/{queued.json['id']}/complete")
    until(lambda: gateways.ask(queued.reference, "gamma").how == 200, 5, "the queued charge")


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_gateway_modes_are_its_own(gateways, gateway):
    others = [name for name in GATEWAYS if name != gateway]

    def switch(mode, ms=0):
        assert gateways.control("PUT", f"/_sandbox/gateways/{gateway}/mode", {"mode": mode, "ms": ms}).how == 200

    for mode, wanted in (("down", "refused"), ("5xx", 500), ("hang", "held"), ("ok", 200)):
        switch(mode)
        assert gateways.perform("charge", gateway=gateway, timeout=0.3 if wanted == "held" else 10).how == wanted
        assert {gateways.perform("charge", gateway=name).how for name in others} == {200}
    switch("slow", 150)
    begun = time.monotonic()
    assert gateways.perform("charge", gateway=gateway).how == 200
    assert time.monotonic() - begun >= 0.15
    switch("ok")


def test_gateway_list_counts_charges_alone(gateways):
    def charges():
        return {line["name"]: line["charges"] for line in gateways.control("GET", "/_sandbox/gateways").json}
    before = charges()

    gateways.perform("refund", gateway="beta", parent=gateways.parent("refund", "beta"))
    gateways.perform("payout", gateway="beta")

    assert charges() == {**before, "beta": before["beta"] + 1}
    ports = [line["port"] for line in gateways.control("GET", "/_sandbox/gateways").json]
    assert ports == [gateways.port + 1, gateways.port + 2, gateways.port + 3]


# --- the control API and restarts ---

def test_control_completes_what_waits(gateways):
    waiting = [gateways.perform("charge", token) for token in ("tok_requires_action_60000", "tok_queued_60000")]

    for reply in waiting:
        assert gateways.ledger(reply.reference) == []
        done = gateways.control("POST", f"/_sandbox/operations/{reply.json['id']}/complete")
        assert (done.how, done.json["outcome"]) == (202, "succeeded")
        until(lambda: gateways.receiver.bodies(reply.reference), 5, "the callback")
        assert gateways.ask(reply.reference).json["status"] == "succeeded"
        assert gateways.control("POST", f"/_sandbox/operations/{reply.json['id']}/complete").how == 404


def test_restart_keeps_the_ledger_and_what_is_due(gateways):
    charge = gateways.perform("charge", amount_minor=500).json["id"]
    gateways.perform("refund", parent=charge, amount_minor=300)
    key = gateways.perform("charge", gateway="beta")
    queued, turning = gateways.perform("charge", "tok_queued_500"), gateways.perform("payout", "tok_returned_500")
    before = {line["gateway_ref"]: line for line in gateways.ledger() if line["reference"] != turning.reference}

    assert gateways.stop() == 0
    gateways.start()

    after = {line["gateway_ref"]: line for line in gateways.ledger()}
    assert {name: after.get(name) for name in before} == before
    over = gateways.perform("refund", parent=charge, amount_minor=201)
    assert over.json["decline_code"] == "refund_exceeds_charge"
    assert gateways.perform("refund", parent=charge, amount_minor=200).how == 200
    again = gateways.perform("charge", gateway="beta", reference=key.reference)
    assert again.headers["idempotent-replayed"] == "true" and again.json == key.json
    until(lambda: gateways.receiver.bodies(queued.reference), 5, "the queued charge's callback")
    until(lambda: gateways.receiver.bodies(turning.reference), 5, "the returned payout's callback")
    assert gateways.ask(turning.reference).json["status"] == "returned"
