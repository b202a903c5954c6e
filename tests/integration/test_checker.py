# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checker can fail: every violation that is planted into a copy of the database, of the gateway's ledger or of the
history is named with its invariant."""
import copy
import http.server
import json
import threading
from typing import NamedTuple

import pytest

from checker import CROCKFORD, TABLES, id_decode, id_encode
from support import (attempts, callback_for, mysql_arguments, outcomes, pay_id, run_checker, sql_id, unique,
                     until)

SCRATCH = "payops_checker_scratch"
PRISTINE = "payops_checker_pristine"


class FakeSandbox(http.server.BaseHTTPRequestHandler):
    """Serves whatever ledger its server has."""

    def do_GET(self):
        body = json.dumps(self.server.ledger).encode()
        self.send_response(200 if self.path == "/_sandbox/ledger" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Scene:
    """A copy of five payments and of an authorisation captured in part, without keys and constraints, to tamper with."""

    def __init__(self, payops):
        self.payops = payops
        payops.start()
        payops.mode("ok")
        began = len(payops.history)
        self.ids = {word: pay_id(payops, f"tok_{word}") for word in
                    ("ok", "sync", "reset_after_charge", "decline_stolen_card", "decline_expired_card")}
        for transaction_id in self.ids.values():
            payops.await_status(transaction_id, ("completed", "failed"))
        self.ids["captured"] = self.capture(pay_id(payops, "tok_sync", capture="manual"))
        self.history = payops.history[began:]
        late = self.ids["decline_expired_card"]
        assert payops.call_back(late, callback_for(attempts(payops, late)[0])).status == 200
        self.ledger = [line for transaction_id in self.ids.values() for line in payops.ledger(transaction_id)]
        assert outcomes(payops, late) == ["declined"]
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeSandbox)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        wanted = ", ".join(sql_id(transaction_id) for transaction_id in self.ids.values())
        payops.sql(f"DROP DATABASE IF EXISTS {PRISTINE}; CREATE DATABASE {PRISTINE}; " + "; ".join(
            f"CREATE TABLE {PRISTINE}.{table} AS SELECT * FROM payops.{table} "
            f"WHERE {'id' if table == 'transaction' else 'transaction_id'} IN ({wanted})" for table in TABLES))

    def capture(self, transaction_id):
        """300 of its 1000, once they are set aside."""
        payops = self.payops
        payops.await_status(transaction_id, "authorised")
        answer = payops.request("POST", f"/transactions/{transaction_id}/capture", {"amount": 300},
                                headers={"Idempotency-Key": unique("checker")}, token=payops.token())
        assert answer.status == 201, answer.body
        until(lambda: payops.get(f"/transactions/{transaction_id}").json["amount_captured"] == 300, what="a capture")
        return transaction_id

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.payops.sql(f"DROP DATABASE IF EXISTS {SCRATCH}; DROP DATABASE IF EXISTS {PRISTINE}")

    def fill(self, text):
        """Write {ok}, {sync} … as SQL ids."""
        return text.format(**{word: sql_id(transaction_id) for word, transaction_id in self.ids.items()})

    def check(self, statements="", ledger=None, history=None, settled=True):
        fresh = "; ".join(f"CREATE TABLE {SCRATCH}.{table} AS SELECT * FROM {PRISTINE}.{table}" for table in TABLES)
        self.payops.sql(f"DROP DATABASE IF EXISTS {SCRATCH}; CREATE DATABASE {SCRATCH}; {fresh}; USE {SCRATCH}; "
                        f"{self.fill(statements)}")
        self.server.ledger = self.ledger if ledger is None else ledger
        return run_checker(self.payops, self.history if history is None else history,
                           mysql=mysql_arguments(self.payops, SCRATCH), sandbox=self.url, settled=settled)


@pytest.fixture(scope="module")
def scene(shared):
    made = Scene(shared)
    yield made
    made.close()


class Planted(NamedTuple):
    what: str
    invariant: str
    payment: str
    sql: str


SECOND_EFFECT = ("INSERT INTO event SELECT transaction_id, sequence + 1, x'01', merchant, type, operation_id, "
                 "attempt_id, transaction_to, transaction_to, operation_to, operation_to, {before}, attempt_to, "
                 "reason, 'another-call', at_us, NULL FROM event WHERE transaction_id = {{ok}} "
                 "ORDER BY sequence DESC LIMIT 1; "
                 "UPDATE transaction SET version = version + 1 WHERE id = {{ok}}")
LEFT = ("INSERT INTO event SELECT transaction_id, sequence + 1, x'01', merchant, 'resumed', operation_id, NULL, "
        "transaction_to, '{transaction}', operation_to, '{operation}', NULL, NULL, '', NULL, at_us, NULL FROM event "
        "WHERE transaction_id = {{{payment}}} ORDER BY sequence DESC LIMIT 1; "
        "UPDATE transaction SET version = version + 1, status = '{transaction}' WHERE id = {{{payment}}}; "
        "UPDATE operation SET status = '{operation}' WHERE transaction_id = {{{payment}}}")
ANOTHER_ATTEMPT = (
    "CREATE TEMPORARY TABLE one AS SELECT * FROM attempt WHERE transaction_id = {{sync}}; "
    "UPDATE one SET id = x'0123456789ABCDEF0123456789ABCDEF', number = 2, status = '{status}'; "
    "INSERT INTO attempt SELECT * FROM one; UPDATE operation SET attempt_count = 2 WHERE transaction_id = {{sync}}")

PLANTED = [
    Planted("transaction lost", "I1", "ok", "DELETE FROM transaction WHERE id = {ok}"),
    Planted("transaction twice", "I1", "ok", "INSERT INTO transaction SELECT * FROM transaction WHERE id = {ok}"),
    Planted("amount changed", "I1", "ok", "UPDATE transaction SET amount_minor = 1001 WHERE id = {ok}"),
    Planted("currency changed", "I1", "ok", "UPDATE transaction SET currency = 'EUR' WHERE id = {ok}"),
    Planted("merchant changed", "I1", "ok", "UPDATE transaction SET merchant = 'other' WHERE id = {ok}"),
    Planted("charged amount differs", "I2", "ok", "UPDATE transaction SET amount_minor = 1001 WHERE id = {ok}"),
    Planted("completed without a charge", "I2", "decline_stolen_card",
            LEFT.format(payment="decline_stolen_card", transaction="completed", operation="succeeded")),
    Planted("charged and failed", "I2", "sync", "UPDATE transaction SET status = 'failed' WHERE id = {sync}"),
    Planted("two live attempts", "I2", "sync", ANOTHER_ATTEMPT.format(status="unknown")),
    Planted("retry after an unknown one", "I2", "reset_after_charge",
            "UPDATE event SET attempt_id = x'0123456789ABCDEF0123456789ABCDEF', attempt_from = NULL "
            "WHERE transaction_id = {reset_after_charge} AND type = 'attempt_succeeded'"),
    Planted("new key without a decline", "I2", "sync",
            ANOTHER_ATTEMPT.format(status="not_sent") + "; UPDATE attempt SET gateway_key = "
            "REPLACE(gateway_key, '-1', '-2') WHERE number = 2 AND transaction_id = {sync}"),
    Planted("key of another family", "I2", "sync",
            "UPDATE attempt SET gateway_key = 'op_00000000000000000000000000-1' WHERE transaction_id = {sync}"),
    Planted("attempt not counted", "I2", "sync",
            "UPDATE operation SET attempt_count = 2 WHERE transaction_id = {sync}"),
    Planted("not found too early", "I2", "decline_stolen_card",
            "UPDATE event SET attempt_to = 'not_found' "
            "WHERE transaction_id = {decline_stolen_card} AND type = 'attempt_declined'"),
    Planted("attempt lost", "I2", "ok", "DELETE FROM attempt WHERE transaction_id = {ok}"),
    Planted("captured too little", "I3", "ok", "UPDATE transaction SET amount_captured = 999 WHERE id = {ok}"),
    Planted("captured though failed", "I3", "decline_stolen_card",
            "UPDATE transaction SET amount_captured = 1000 WHERE id = {decline_stolen_card}"),
    Planted("refunded without a refund", "I3", "ok", "UPDATE transaction SET amount_refunded = 1 WHERE id = {ok}"),
    Planted("operation of another amount", "I3", "ok",
            "UPDATE operation SET amount_minor = 900 WHERE transaction_id = {ok}; "
            "UPDATE transaction SET amount_captured = 900 WHERE id = {ok}"),
    Planted("first event lost", "I4", "ok", "DELETE FROM event WHERE transaction_id = {ok} AND sequence = 1"),
    Planted("event lost", "I4", "sync", "DELETE FROM event WHERE transaction_id = {sync} AND sequence = 2"),
    Planted("last event lost", "I4", "sync", "DELETE FROM event WHERE transaction_id = {sync} AND sequence = 3"),
    Planted("event twice", "I4", "sync",
            "INSERT INTO event SELECT * FROM event WHERE transaction_id = {sync} AND sequence = 3"),
    Planted("version ahead", "I4", "sync", "UPDATE transaction SET version = version + 1 WHERE id = {sync}"),
    Planted("completed left", "I4", "sync", LEFT.format(payment="sync", transaction="processing",
                                                        operation="processing")),
    Planted("failed left", "I4", "decline_stolen_card",
            LEFT.format(payment="decline_stolen_card", transaction="processing", operation="processing")),
    Planted("transaction skips processing", "I4", "sync",
            "UPDATE event SET transaction_to = 'pending' WHERE transaction_id = {sync} AND sequence = 2; "
            "UPDATE event SET transaction_from = 'pending' WHERE transaction_id = {sync} AND sequence = 3"),
    Planted("operation skips processing", "I4", "sync",
            "UPDATE event SET operation_to = 'pending' WHERE transaction_id = {sync} AND sequence = 2; "
            "UPDATE event SET operation_from = 'pending' WHERE transaction_id = {sync} AND sequence = 3"),
    Planted("attempt goes a forbidden way", "I4", "reset_after_charge",
            "UPDATE event SET attempt_to = 'not_sent' WHERE transaction_id = {reset_after_charge} AND sequence = 3; "
            "UPDATE event SET attempt_from = 'not_sent' WHERE transaction_id = {reset_after_charge} AND sequence = 4"),
    Planted("events do not follow each other", "I4", "sync",
            "UPDATE event SET transaction_from = 'pending' WHERE transaction_id = {sync} AND sequence = 3"),
    Planted("status without an event", "I4", "ok", "UPDATE transaction SET status = 'processing' WHERE id = {ok}"),
    Planted("operation's status without an event", "I4", "ok",
            "UPDATE operation SET status = 'processing' WHERE transaction_id = {ok}"),
    Planted("attempt's status without an event", "I4", "ok",
            "UPDATE attempt SET status = 'accepted' WHERE transaction_id = {ok}"),
    Planted("attempt without events", "I4", "sync", ANOTHER_ATTEMPT.format(status="not_sent")),
    Planted("operation lost", "I4", "sync", "DELETE FROM operation WHERE transaction_id = {sync}"),
    Planted("failure without a code", "I4", "decline_stolen_card",
            "UPDATE transaction SET failure_code = NULL WHERE id = {decline_stolen_card}"),
    Planted("success after a wish to cancel, nobody told", "I4", "ok",
            "UPDATE operation SET cancel_wished_at_us = 1 WHERE transaction_id = {ok}"),
    Planted("ledger entry changed", "I6", "ok",
            "UPDATE ledger_entry SET debit_minor = 999 WHERE line = 1 AND transaction_id = {ok}"),
    Planted("posting lost", "I6", "sync", "DELETE FROM ledger_entry WHERE transaction_id = {sync}"),
    Planted("posting twice", "I6", "ok",
            "INSERT INTO ledger_entry SELECT * FROM ledger_entry WHERE transaction_id = {ok}"),
    Planted("posting to another account", "I6", "sync",
            "UPDATE ledger_entry SET account = 'bank' WHERE line = 1 AND transaction_id = {sync}"),
    Planted("suspense never undone", "I6", "reset_after_charge",
            "DELETE FROM ledger_entry WHERE account LIKE 'suspense%' AND debit_minor > 0 "
            "AND transaction_id = {reset_after_charge}"),
    Planted("nothing will happen", "I7", "ok",
            "UPDATE operation SET status = 'processing' WHERE transaction_id = {ok}"),
    Planted("something will happen to a final one", "I7", "ok",
            "UPDATE operation SET next_action = 'ask', next_action_at_us = 1 WHERE transaction_id = {ok}"),
    Planted("unknown for ever", "I7", "ok", "UPDATE attempt SET status = 'unknown' WHERE transaction_id = {ok}"),
    Planted("processing for ever", "I7", "ok", "UPDATE transaction SET status = 'processing' WHERE id = {ok}"),
    Planted("callback twice", "I8", "ok", "INSERT INTO callback SELECT * FROM callback WHERE transaction_id = {ok}"),
    Planted("callback under two keys", "I8", "ok",
            "CREATE TEMPORARY TABLE one AS SELECT * FROM callback WHERE transaction_id = {ok}; "
            "UPDATE one SET callback_key = 'another'; INSERT INTO callback SELECT * FROM one"),
    Planted("callback with two effects", "I8", "ok", SECOND_EFFECT.format(before="'unknown'")),
    Planted("effect without a callback", "I8", "ok", "DELETE FROM callback WHERE transaction_id = {ok}"),
    Planted("callback without its effect", "I8", "decline_expired_card",
            "UPDATE callback SET result = 'applied' WHERE transaction_id = {decline_expired_card}"),
    Planted("callback of another amount applied", "I8", "ok",
            "UPDATE callback SET amount_minor = 10 WHERE transaction_id = {ok}"),
    Planted("callback of another currency applied", "I8", "ok",
            "UPDATE callback SET currency = 'JPY' WHERE transaction_id = {ok}"),
    Planted("hint believed", "I8", "ok",
            "UPDATE callback SET amount_minor = NULL, currency = NULL WHERE transaction_id = {ok}"),
    Planted("callback applied to another payment", "I8", "ok",
            "UPDATE callback SET attempt_id = (SELECT id FROM attempt WHERE transaction_id = {sync}) "
            "WHERE transaction_id = {ok}"),
    Planted("payment token kept", "I10", "ok",
            "UPDATE operation SET payment_token_sealed = 'x' WHERE transaction_id = {ok}"),
]


def lines_of(output, invariant, transaction_id):
    return [line for line in output.splitlines() if line.startswith(f"{invariant} {transaction_id}: ")]


def test_checker_passes_what_is_right(scene):
    status, output = scene.check()

    assert status == 0, output
    assert output.rstrip().endswith("0 violations")
    assert output.startswith("6 lines of history, 6 transactions, 8 operations, 7 attempts, 3 callbacks, ")


@pytest.mark.parametrize("planted", PLANTED, ids=[row.what.replace(" ", "_") for row in PLANTED])
def test_checker_names_the_planted_violation(scene, planted):
    status, output = scene.check(planted.sql)

    assert status == 1, output
    assert lines_of(output, planted.invariant, scene.ids[planted.payment]), output


# --- the gateway's ledger ---

def charge_of(scene, word):
    return next(line for line in scene.ledger if line["transaction"] == scene.ids[word])


def line_of(scene, operation):
    return next(line for line in scene.ledger if line["operation"] == operation)


def changed(scene, word, **members):
    """The ledger with one line of this payment changed."""
    line = charge_of(scene, word)
    return [{**one, **members} if one is line else one for one in scene.ledger]


LEDGERS = {
    "charged twice": ("I2", "sync", lambda scene: scene.ledger + [charge_of(scene, "sync")]),
    "charged twice under another reference": ("I2", "sync", lambda scene: scene.ledger + [
        {**charge_of(scene, "sync"), "reference": "op_00000000000000000000000000-2"}]),
    "never charged": ("I2", "sync", lambda scene: [
        line for line in scene.ledger if line["transaction"] != scene.ids["sync"]]),
    "charge declined": ("I2", "sync", lambda scene: changed(scene, "sync", outcome="declined")),
    "failed and charged": ("I2", "decline_stolen_card",
                           lambda scene: changed(scene, "decline_stolen_card", outcome="succeeded")),
    "charged another amount": ("I2", "sync", lambda scene: changed(scene, "sync", amount_minor=1001)),
    "charged another currency": ("I2", "sync", lambda scene: changed(scene, "sync", currency="EUR")),
    "captured is not charged": ("I3", "sync", lambda scene: changed(scene, "sync", amount_minor=1001)),
    "authorised twice": ("I2", "captured", lambda scene: scene.ledger + [line_of(scene, "authorise")]),
    "captured twice": ("I2", "captured", lambda scene: scene.ledger + [line_of(scene, "capture")]),
    "never captured": ("I2", "captured", lambda scene: [
        line for line in scene.ledger if line["operation"] != "capture"]),
    "surplus that its exception does not cover": ("I2", "decline_expired_card", lambda scene: scene.ledger + 2 * [
        {**charge_of(scene, "decline_expired_card"), "outcome": "succeeded"}]),
}


@pytest.mark.parametrize("row", LEDGERS.values(), ids=[words.replace(" ", "_") for words in LEDGERS])
def test_checker_names_what_the_gateway_did_too_much(scene, row):
    invariant, word, tampered = row

    status, output = scene.check(ledger=tampered(scene))

    assert status == 1, output
    assert lines_of(output, invariant, scene.ids[word]), output


def test_checker_names_a_charge_for_an_attempt_nobody_made(scene):
    stranger = "att_" + "0" * 25 + "1"

    status, output = scene.check(ledger=scene.ledger + [{**charge_of(scene, "sync"), "attempt": stranger}])

    assert status == 1
    assert lines_of(output, "I2", stranger), output


def test_checker_accepts_a_surplus_that_an_exception_names(scene):
    late = changed(scene, "decline_expired_card", outcome="succeeded")

    assert scene.check(ledger=late)[0] == 0
    assert scene.check("DELETE FROM exception", ledger=late)[0] == 1


# --- the history ---

@pytest.mark.parametrize("members", [{"amount": 999}, {"amount": "10.01"}, {"amount": "10.001"}, {"currency": "EUR"},
                                     {"merchant": "other"}, {"transaction_id": "trans_" + "0" * 26},
                                     {"transaction_id": "nothing"}],
                         ids=lambda members: "_".join(map(str, next(iter(members.items())))))
def test_checker_names_what_a_client_was_told_otherwise(scene, members):
    history = copy.deepcopy(scene.history)
    history[0].update(members)

    status, output = scene.check(history=history)

    assert status == 1
    assert lines_of(output, "I1", history[0]["transaction_id"]), output


def test_checker_reads_major_units(scene):
    history = [{**line, "amount": "10.00"} for line in scene.history]

    assert scene.check(history=history)[0] == 0


def test_checker_allows_a_202_that_came_to_nothing(scene):
    history = scene.history + [{**scene.history[0], "transaction_id": "trans_" + "0" * 26, "status": 202}]

    assert scene.check(history=history)[0] == 0


def test_checker_names_a_forged_callback_that_was_taken(scene):
    history = scene.history + [{"forged_callback_id": "forged_1"}]

    assert scene.check(history=history)[0] == 0
    status, output = scene.check("UPDATE callback SET callback_key = 'forged_1' WHERE transaction_id = {ok}",
                                 history=history)
    assert status == 1
    assert lines_of(output, "I8", scene.ids["ok"]), output


# --- what is under way, and what cannot be checked ---

def test_checker_minds_what_is_open_only_when_settled(scene):
    back = ("DELETE FROM event WHERE transaction_id = {sync} AND sequence = 3; "
            "UPDATE transaction SET status = 'processing', version = 2, amount_captured = 0 WHERE id = {sync}; "
            "UPDATE operation SET status = 'processing', next_action = 'ask', next_action_at_us = 1 "
            "WHERE transaction_id = {sync}; UPDATE attempt SET status = 'prepared' WHERE transaction_id = {sync}; "
            "DELETE FROM ledger_entry WHERE transaction_id = {sync}")

    assert scene.check(back, settled=False)[0] == 0
    status, output = scene.check(back, settled=True)
    assert status == 1
    assert {line.split()[0] for line in lines_of(output, "I7", scene.ids["sync"])} == {"I7"}


def test_checker_that_cannot_check_says_so(scene):
    payops = scene.payops
    nowhere = "http://127.0.0.1:1"

    assert run_checker(payops, scene.history, sandbox=nowhere)[0] == 2
    assert run_checker(payops, scene.history, mysql="--no-defaults --socket=/nonexistent --user=root payops")[0] == 2
    assert run_checker(payops, scene.history, mysql=mysql_arguments(payops, "no_such_database"))[0] == 2
    assert run_checker(payops, [{"transaction_id": "trans_" + "0" * 26}])[0] == 2


def test_checker_spells_ids_as_payops_does(scene):
    for transaction_id in scene.ids.values():
        assert id_encode("trans_", id_decode(transaction_id, "trans_")) == transaction_id
    for wrong in ("trans_", "trans_8" + "0" * 25, "trans_" + "0" * 25, "trans_" + "0" * 27, "op_" + "0" * 26,
                  "trans_" + "0" * 25 + "I", "trans_" + "0" * 25 + "a"):
        with pytest.raises(ValueError):
            id_decode(wrong, "trans_")
    assert len(CROCKFORD) == 32
