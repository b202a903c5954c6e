# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every token of the sandbox x every operation x with and without another gateway to fall back to.

All cells are begun together and settled together. What a cell may come to stands in one table, RULES, by the token;
what really happened is read from the gateways' own ledger, and the two must agree in every cell.
"""
import collections
import concurrent.futures
import re
import time

import pytest

from sandbox import OPERATIONS
from support import callback_for, id_decode, unique, until
from test_routing import Routing

SCOPES = "payments:read payments:write refunds:write payouts:write"
ROUTES = """
routes = (
    { name = "matrix_falls_back"; currencies = "EUR"; gateways = "alpha, beta, gamma"; },
    { name = "matrix_gamma"; currencies = "CHF"; gateways = "gamma"; },
    { name = "default"; gateways = "alpha"; }
);
"""
CURRENCIES = {"alone": "USD", "falls back": "EUR", "gamma": "CHF"}
ROUTES_OF_ALL = ("alone", "falls back")   # gamma, whose inquiry is not to be trusted, is for what is lost in silence
QUIET_US = 2_000_000
WEEK_US = 8 * 86_400_000_000
NUMBERS = {"TOKEN_NUMBER_DUE_MS": 300, "TOKEN_NUMBER_ANSWER_MS": 300, "TOKEN_NUMBER_TURN_MS": 300,
           "TOKEN_NUMBER_CUT_BYTES": 40}
ABOUT_ANOTHER = ("capture", "void", "refund")   # stays with the gateway of what it is about
# All cells are claimed together, and a busy machine needs seconds to send them all. What misses its window is sent again
# in its turn, one a second: so the window is long, and the ends are waited for as long as all those turns may take.
SETTINGS = "dispatch: { send_window_ms = 8000; };\n"
STARTERS, PREPARE_S, SETTLE_S, RETRIES_S = 24, 120, 180, 12

# --- what a token may come to ---

# How money may move: "takes" must; "refuses" must not; "refuses for now" may at another gateway; "lost in silence"
# must not, and takes long to be told; "turns" refuses, and yet moves money later; "lies" takes, and tells so wrongly that
# its gateway must say it again, signed; "comes back" refuses, and where that was a refund or payout, tells later that it
# was undone; where that is told before the answer was recorded, it had succeeded and is undone.
RULES = {
    "tok_decline_insufficient_funds": "refuses", "tok_decline_do_not_honor": "refuses",
    "tok_decline_expired_card": "refuses", "tok_decline_stolen_card": "refuses",
    "tok_decline_fraud_suspected": "refuses", "tok_decline_limit_exceeded": "refuses",
    "tok_decline_invalid_card": "refuses", "tok_decline_callback": "refuses",
    "tok_decline_issuer_unavailable": "refuses for now", "tok_decline_try_again_later": "refuses for now",
    "tok_decline_processing_error": "refuses for now", "tok_decline_card_not_supported": "refuses for now",
    "tok_429": "refuses for now",
    "tok_5xx_uncharged": "lost in silence", "tok_timeout_uncharged": "lost in silence",
    "tok_wrong_amount": "lies", "tok_wrong_currency": "lies", "tok_wrong_id": "lies",
    "tok_late_success": "turns", "tok_late_success_retryable": "turns", "tok_late_reversed_": "comes back",
    **{name: "takes" for name in (
        "tok_ok", "tok_sync", "tok_requires_action", "tok_requires_action_virtual_account", "tok_requires_action_qr",
        "tok_requires_action_", "tok_answer_lost", "tok_answer_lost_callback", "tok_reset_after_charge",
        "tok_5xx_charged", "tok_409", "tok_html", "tok_huge", "tok_duplicate_member", "tok_utf16", "tok_truncated",
        "tok_truncate_at_", "tok_reset_at_", "tok_drip", "tok_callback_twice",
        "tok_callback_early", "tok_callback_never", "tok_out_of_order", "tok_reversed_",
        "tok_returned_", "tok_queued_", "tok_slow_")},
}
# Answers that tell nothing to be believed: no cell succeeds by one of these.
UNBELIEVABLE = ("tok_html", "tok_huge", "tok_duplicate_member", "tok_utf16", "tok_truncated", "tok_truncate_at_",
                "tok_reset_at_", "tok_wrong_amount", "tok_wrong_currency", "tok_wrong_id", "tok_5xx_charged", "tok_409")
UNDONE = ("reversed", "returned")
SUCCESS = ("succeeded", *UNDONE)


def tokens(top):
    """Every row of the sandbox's table, so that a new token is not forgotten: its name, and a word made of it."""
    text = (top / "sandbox" / "token.c").read_text()
    table = text[text.index("static const struct token tokens[]"):text.index("#define TOKEN_COUNT")]
    found = {}
    for row in re.split(r"(?m)^\t(?=\{|DECLINE)", table)[1:]:
        declined = re.match(r'DECLINE\("(\w+)"\)', row)
        name = "tok_decline_" + declined[1] if declined else re.search(r'\.name = "(\w+)"', row)[1]
        number = re.search(r"\.number = (\w+)", row)
        found[name] = name + (str(NUMBERS[number[1]]) if number else "")
    return found


class Cell:
    def __init__(self, name, word, operation, route):
        self.name = name
        self.operation = operation
        self.route = route
        self.falls_back = route == "falls back"
        self.word = f"{word}@alpha+tok_sync" if self.falls_back and operation not in ABOUT_ANOTHER else word
        self.transaction_id = None
        self.faults = []

    @property
    def rule(self):
        return RULES[self.name]

    def __str__(self):
        return f"{self.name} {self.operation} {self.route} ({self.transaction_id})"

    # --- beginning ---

    def post(self, payops, path, body, status):
        answer = payops.request("POST", path, body, headers={"Idempotency-Key": unique("matrix")},
                                token=payops.token("demo", SCOPES))
        assert answer.status == status, f"{self}: {answer.status} {answer.body}"
        return answer.json

    def prepare(self, payops):
        """What it is about: something authorised or charged."""
        if self.operation not in ABOUT_ANOTHER:
            return
        word = f"{self.word}/void+tok_sync" if self.operation == "void" else "tok_sync"
        self.pay(payops, word, "automatic" if self.operation == "refund" else "manual")

    def pay(self, payops, word, capture):
        answer = payops.pay(word, currency=CURRENCIES[self.route], capture=capture)
        assert answer.status == 201, f"{self}: {answer.body}"
        self.transaction_id = answer.json["transaction_id"]

    def begin(self, payops):
        if self.operation in ("charge", "authorise"):
            self.pay(payops, self.word, "automatic" if self.operation == "charge" else "manual")
        elif self.operation == "payout":
            self.transaction_id = self.post(payops, "/withdrawal", {
                "user_id": 7, "amount": "10.00", "currency": CURRENCIES[self.route], "payment_token": self.word},
                202)["transaction_id"]
        elif self.operation == "void":
            self.post(payops, f"/transactions/{self.transaction_id}/void", {}, 202)
        else:
            verb = "refunds" if self.operation == "refund" else "capture"
            self.post(payops, f"/transactions/{self.transaction_id}/{verb}", {"payment_token": self.word}, 201)

    # --- judging ---

    def is_late(self):
        return self.rule == "turns" or (self.rule == "comes back" and self.operation in ("refund", "payout"))

    def stays_open(self):
        return self.rule == "lies" or (self.rule == "lost in silence" and self.route == "gamma")

    def expects(self, tried):
        """The statuses that the operation may end in; `tried` are its attempts' gateways and statuses."""
        elsewhere = self.falls_back and self.operation not in ABOUT_ANOTHER
        if self.rule == "takes" or (elsewhere and all(pair[1] == "not_sent" for pair in tried if pair[0] == "alpha")):
            return SUCCESS   # a busy machine may not reach alpha in time, and then the next one takes it
        if self.rule == "lies":
            return ("processing", "parked")
        if self.rule == "lost in silence" and self.route == "gamma":
            return ("processing",)   # its "not found" proves nothing
        if self.rule == "lost in silence" and self.operation not in ("void", "payout"):
            return ("succeeded",) if elsewhere else ("failed",)
        if self.rule == "comes back" and self.is_late():
            return ("failed", *UNDONE)
        if self.operation == "void":
            return ("parked",)   # a release that was declined is for a human
        if self.operation == "payout":
            return ("failed",)   # once sent, never again by machine
        if self.name == "tok_late_success_retryable" or self.rule == "refuses for now":
            return ("succeeded",) if elsewhere else ("failed", "parked")
        return ("failed",)

    def expect(self, fact, text):
        if not fact:
            self.faults.append(text)

    def judge(self, seen):
        operation = seen.operations[self.transaction_id, self.operation]
        lines = seen.moved[self.transaction_id, self.operation]
        late = seen.exceptions[self.transaction_id, "late_success"]
        status = operation["status"]
        expected = self.expects(seen.tried[self.transaction_id, self.operation])
        self.expect(status in expected, f"is {status}, not {expected}")
        self.expect(self.rule != "lies" or status in SUCCESS or seen.exceptions[self.transaction_id, "integrity"],
                    "was told wrongly, and stands in no exception")
        self.expect(len(lines) <= (status not in ("failed", "cancelled")) + late,
                    f"moved money {len(lines)} times while {status}, {late} named by exceptions")
        self.expect(status not in SUCCESS or lines, "succeeded, and the gateways did nothing")
        self.expect(status != "failed" or len(lines) <= late, "failed, and yet money moved")
        undone = self.rule == "comes back" and status in UNDONE
        self.expect(not self.is_late() or late or status == "processing" or undone,
                    "a success that came late stands in no exception")
        self.expect(not late or self.is_late(), "has a late success")
        final = operation["next_action"] == "none"
        self.expect(final == (status in (*SUCCESS, "failed", "cancelled")), f"{status} with {operation['next_action']}")
        self.expect(final or operation["next_action_at_us"] != "NULL", "is open and nothing will happen")
        for line in lines:
            self.expect((line["amount_minor"], line["currency"]) == (1000, CURRENCIES[self.route]), f"moved {line}")
        if self.name in UNBELIEVABLE:
            told = seen.told[self.transaction_id, operation["id"]]
            self.expect("answer" not in told, f"was believed by its answer: {told}")


class Seen:
    """All that the database and the gateways' ledger say of these cells."""

    def __init__(self, payops, cells):
        self.ids = {id_decode(cell.transaction_id, "trans_"): cell.transaction_id for cell in cells}
        listed = ", ".join(f"x'{identity}'" for identity in self.ids)
        self.operations = {}
        self.moved = collections.defaultdict(list)
        for transaction, identity, kind, status, action, at_us in payops.sql(
                "SELECT HEX(transaction_id), HEX(id), kind, status, next_action, next_action_at_us FROM operation "
                f"WHERE transaction_id IN ({listed})"):
            self.operations[self.ids[transaction], kind] = {"id": identity, "status": status, "next_action": action,
                                                            "next_action_at_us": at_us}
        self.exceptions = collections.Counter((self.ids[transaction], kind) for transaction, kind in payops.sql(
            f"SELECT HEX(transaction_id), kind FROM exception WHERE transaction_id IN ({listed})"))
        for line in payops.sandbox("GET", "/_sandbox/ledger").json:
            if line["outcome"] == "succeeded":
                self.moved[line["transaction"], line["operation"]].append(line)
        self.tried = collections.defaultdict(list)
        for transaction, kind, gateway, status in payops.sql(
                "SELECT HEX(a.transaction_id), o.kind, a.gateway, a.status FROM attempt a JOIN operation o "
                f"ON o.id = a.operation_id WHERE a.transaction_id IN ({listed})"):
            self.tried[self.ids[transaction], kind].append((gateway, status))
        # An answer that succeeded decided its attempt while nobody had asked and nobody had called.
        self.told = collections.defaultdict(set)
        for transaction, operation, asked, opened in payops.sql(
                "SELECT HEX(a.transaction_id), HEX(a.operation_id), a.asked_count + (SELECT COUNT(*) FROM callback c "
                "WHERE c.attempt_id = a.id), (SELECT COUNT(*) FROM event e WHERE e.attempt_id = a.id AND e.type = "
                "'attempt_unknown') FROM attempt a WHERE a.status = 'succeeded' AND a.gateway = 'alpha' AND "
                f"a.transaction_id IN ({listed})"):
            self.told[self.ids[transaction], operation].add("later" if int(asked) or int(opened) else "answer")

    def open_cells(self, cells):
        return [cell for cell in cells if self.operations.get((cell.transaction_id, cell.operation), {}).get("status")
                in (None, "pending", "processing")]


def all_together(payops, cells, step):
    with concurrent.futures.ThreadPoolExecutor(STARTERS) as pool:
        list(pool.map(lambda cell: step(cell, payops), cells))


@pytest.fixture(scope="module")
def cells(shared):
    """Every cell, begun and settled."""
    override = shared.dir / "etc" / "payops" / "conf.d" / "90-test-matrix.conf"
    shared.start()
    override.write_text(SETTINGS)
    routing = Routing(shared)
    made = [Cell(name, word, operation, route) for name, word in tokens(shared.top).items()
            for operation in OPERATIONS for route in CURRENCIES
            if route in ROUTES_OF_ALL or RULES.get(name) == "lost in silence"]
    shared.token(), shared.token("demo", SCOPES)
    try:
        shared.restart()
        routing.apply(ROUTES, ["matrix_falls_back", "matrix_gamma", "default"])
        about = [cell for cell in made if cell.operation in ABOUT_ANOTHER]
        all_together(shared, about, Cell.prepare)
        ready = ([cell for cell in about if cell.operation != "refund"],
                 [cell for cell in about if cell.operation == "refund"])
        until(lambda: all(prepared(shared, cells, status) for cells, status in zip(ready, ("authorised", "completed"))),
              PREPARE_S, "what captures, voids and refunds are about")
        all_together(shared, made, Cell.begin)
        settle_cells(shared, made)
        yield made
    finally:
        routing.ctl("route", "apply", str(routing.etc / "routes.conf"))
        until(lambda: routing.rules_in_force() == ["default"], 20, "the first rules again")
        override.unlink()
        shared.restart()


def settle_cells(payops, cells):
    """Wait for the end of all that ends by itself."""
    began = time.monotonic()
    while time.monotonic() < began + SETTLE_S:
        if time.monotonic() > began + RETRIES_S:
            # A gateway gets one retry a second beside its traffic: many at once would take minutes for all of theirs.
            # What a busy machine did not send in time was not tried yet.
            payops.sql("UPDATE operation SET retry_count = 3, next_action_at_us = 1 WHERE status = 'processing' AND "
                       "next_action = 'send' AND retry_count < 3 AND EXISTS (SELECT 1 FROM attempt a WHERE "
                       "a.operation_id = operation.id AND a.status <> 'not_sent')")
        seen = Seen(payops, cells)
        if all(cell.stays_open() for cell in seen.open_cells(cells)) and all(
                seen.exceptions[cell.transaction_id, "late_success"] for cell in cells if cell.is_late()):
            return
        time.sleep(0.5)


def prepared(payops, cells, status):
    listed = ", ".join(f"x'{id_decode(cell.transaction_id, 'trans_')}'" for cell in cells)
    return payops.sql(f"SELECT COUNT(*) FROM transaction WHERE id IN ({listed}) AND status <> '{status}'") == [["0"]]


def test_every_token_of_the_sandbox_has_a_rule(shared):
    names = set(tokens(shared.top))

    assert names == set(RULES)
    assert set(UNBELIEVABLE) <= names


def test_every_token_with_every_operation_with_and_without_fallback(shared, cells, say):
    seen = Seen(shared, cells)

    for cell in cells:
        cell.judge(seen)

    say(drawn(cells))
    wrong = [f"{cell}: {fault}" for cell in cells for fault in cell.faults]
    assert not wrong, "\n".join(wrong)


def test_what_was_told_wrongly_is_settled_by_its_gateways_signed_word(shared, cells):
    for cell in cells:
        tried = shared.get(f"/transactions/{cell.transaction_id}/attempts").json if cell.rule == "lies" else []
        for attempt in tried:
            if attempt["status"] == "unknown" and attempt["gateway"] == "alpha":
                told = callback_for(attempt, currency=CURRENCIES[cell.route])
                assert shared.call_back(cell.transaction_id, told).status == 200

    lying = [cell for cell in cells if cell.rule == "lies"]
    until(lambda: not Seen(shared, lying).open_cells(lying), 60, "the end of all")
    seen = Seen(shared, lying)
    for cell in lying:
        assert seen.operations[cell.transaction_id, cell.operation]["status"] == "succeeded", str(cell)
        assert len(seen.moved[cell.transaction_id, cell.operation]) == 1, str(cell)


def test_what_was_lost_in_silence_is_given_up_only_when_its_gateway_said_twice_that_it_does_not_know_it(shared, cells):
    silent = [cell for cell in cells if cell.rule == "lost in silence" and cell.route != "gamma"]
    listed = ", ".join(f"x'{id_decode(cell.transaction_id, 'trans_')}'" for cell in silent)

    told = shared.sql(
        "SELECT HEX(a.transaction_id), o.kind, a.gateway, a.status, a.asked_count, (SELECT MIN(e.at_us) FROM event e WHERE "
        "e.attempt_id = a.id AND e.type = 'attempt_not_found') - a.lease_until_us FROM attempt a JOIN operation o ON "
        f"o.id = a.operation_id WHERE a.transaction_id IN ({listed}) AND a.gateway = 'alpha' AND a.status = 'not_found'")

    names = {(id_decode(cell.transaction_id, "trans_"), cell.operation): cell for cell in silent}
    found = collections.Counter()
    for transaction, kind, _, _, asked, waited_us in told:
        found[transaction, kind] += 1
        assert int(asked) >= 1 and int(waited_us) >= 2 * QUIET_US, f"{names[transaction, kind]}: {asked}, {waited_us}"
    assert set(found) == set(names)
    for key, cell in names.items():
        assert cell.operation != "payout" or found[key] == 1, f"{cell} was sent again"


def test_what_was_lost_in_silence_at_a_gateway_that_cannot_tell_is_put_before_a_human_in_the_end(shared, cells):
    silent = [cell for cell in cells if cell.rule == "lost in silence" and cell.route == "gamma"]
    listed = ", ".join(f"x'{id_decode(cell.transaction_id, 'trans_')}'" for cell in silent)
    seen = Seen(shared, silent)
    for cell in silent:
        assert seen.tried[cell.transaction_id, cell.operation] == [("gamma", "unknown")], str(cell)
        assert seen.operations[cell.transaction_id, cell.operation]["next_action"] == "ask", str(cell)

    shared.sql(f"UPDATE attempt SET open_since_us = open_since_us - {WEEK_US}, asked_count = 99 WHERE status = 'unknown' "
               f"AND transaction_id IN ({listed})")
    shared.sql(f"UPDATE operation SET next_action_at_us = 1 WHERE next_action = 'ask' AND transaction_id IN ({listed})")
    until(lambda: not Seen(shared, silent).open_cells(silent), 60, "the end of all questions")

    seen = Seen(shared, silent)
    for cell in silent:
        operation = seen.operations[cell.transaction_id, cell.operation]
        assert (operation["status"], operation["next_action"]) == ("parked", "human"), str(cell)
        assert seen.tried[cell.transaction_id, cell.operation] == [("gamma", "unknown")], str(cell)
        assert not seen.moved[cell.transaction_id, cell.operation], str(cell)


def drawn(cells):
    """Tokens down, operations across; each cell alone / with fallback."""
    marks = {(cell.name, cell.operation, cell.route): "FAIL" if cell.faults else "ok" for cell in cells}
    lines = [f"{'token':38}" + "".join(f"{operation:12}" for operation in OPERATIONS) + "(alone/falls back/at gamma)"]
    for name in dict.fromkeys(cell.name for cell in cells):
        row = ["/".join(marks[name, operation, route] for route in CURRENCIES if (name, operation, route) in marks)
               for operation in OPERATIONS]
        lines.append(f"{name:38}" + "".join(f"{mark:12}" for mark in row).rstrip())
    return "\n  ".join(lines)
