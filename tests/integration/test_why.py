# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told of a payment, and what they do about exceptions and callbacks: why, exception, callback."""
import json
import os
import pty
import re
import subprocess

import pytest

from support import (FINAL, attempts, await_attempt, await_charge, callback_for, events, exceptions, pay_id, sql_id,
                     unique, until)


def why(payops, transaction_id):
    answer = payops.get(f"/transactions/{transaction_id}/why")
    assert answer.status == 200, answer.body
    return answer.json


def ctl(payops, *words, check=True):
    return payops.ctl(*words, "--config", str(payops.config), check=check)


def listed(payops, *words):
    return json.loads(ctl(payops, *words, "--json").stdout)


def freeze(payops, transaction_id):
    payops.sql("UPDATE operation SET next_action_at_us = next_action_at_us + 3600000000 "
               f"WHERE next_action <> 'none' AND transaction_id = {sql_id(transaction_id)}")


def thaw(payops, transaction_id):
    payops.sql("UPDATE operation SET next_action_at_us = created_at_us "
               f"WHERE next_action IN ('send', 'ask') AND transaction_id = {sql_id(transaction_id)}")


# 1 to count, in fewer steps than a server lets a recursion take
NUMBERS = ("WITH RECURSIVE d (j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM d WHERE j < 39), "
           "n (i) AS (SELECT a.j * 40 + b.j + 1 FROM d a, d b WHERE a.j * 40 + b.j < {count}) SELECT ")
NUMBER_ID = "UNHEX(CONCAT('EEEE', LPAD(HEX(i), 28, '0')))"


# --- why ---

def test_why_a_completed_payment_was_charged(payops):
    transaction_id = pay_id(payops, "tok_sync", amount=1050)
    payops.await_status(transaction_id, "completed")

    said = why(payops, transaction_id)

    assert (said["charged"], said["safe_to_retry"], said["safe_to_retry_reason"]) == ("yes", False, "already_charged")
    assert said["charged_text"] == "Yes: the customer was charged 10.50 USD."
    assert [step["sequence"] for step in said["steps"]] == list(range(1, len(events(payops, transaction_id)) + 1))
    assert said["steps"][-1]["text"] == "alpha answered that it charged the customer 10.50 USD."
    assert "HTTP 200" in said["steps"][-1]["evidence"]
    assert said["next"] == [] and said["exceptions"] == []
    assert (said["transaction_id"], said["status"]) == (transaction_id, "completed")


def test_why_a_payment_was_completed_by_callback(payops):
    transaction_id = pay_id(payops, "tok_ok")
    payops.await_status(transaction_id, "completed")

    said = why(payops, transaction_id)

    callback = payops.sql(f"SELECT callback_key FROM callback WHERE transaction_id = {sql_id(transaction_id)}")[0][0]
    step = next(step for step in said["steps"] if "signed message that it charged" in step["text"])
    assert f"callback {callback}" in step["evidence"]
    assert "signed it" in step["rule"]


def test_why_a_declined_payment_may_be_paid_again(payops):
    transaction_id = pay_id(payops, "tok_decline_insufficient_funds")
    payops.await_status(transaction_id, "failed")

    said = why(payops, transaction_id)

    assert (said["charged"], said["safe_to_retry"], said["safe_to_retry_reason"]) == ("no", True, "nothing_charged")
    assert said["steps"][-1]["text"].startswith("alpha declined the charge: insufficient funds. Nothing was charged.")


def test_why_a_payment_in_doubt_may_not_be_paid_again(payops):
    transaction_id = pay_id(payops, "tok_reset_after_charge")
    await_attempt(payops, transaction_id, "unknown")
    freeze(payops, transaction_id)

    said = why(payops, transaction_id)

    assert (said["charged"], said["safe_to_retry"], said["safe_to_retry_reason"]) == ("maybe", False, "outcome_open")
    assert "the customer may have been charged" in said["steps"][-1]["text"]
    assert [step["action"] for step in said["next"]] == ["ask"] and "alpha is asked at" in said["next"][0]["text"]
    thaw(payops, transaction_id)
    payops.await_status(transaction_id, "completed")
    assert "Asked what became of it, alpha said that it charged" in why(payops, transaction_id)["steps"][-1]["text"]


def test_why_of_what_is_not_the_merchants_is_404(payops):
    payops.add_merchant("why-other")
    transaction_id = pay_id(payops, "tok_sync")

    assert payops.get(f"/transactions/{transaction_id}/why", merchant="why-other").status == 404
    assert payops.get("/transactions/nonsense/why").status == 404
    assert payops.request("GET", f"/transactions/{transaction_id}/why").status == 401
    payops.await_status(transaction_id, "completed")


def test_why_has_words_for_every_event_there_is(payops):
    """Whatever tests ran before on this instance."""
    types = [row[0] for row in payops.sql("SELECT DISTINCT type FROM event")]
    rows = [payops.sql("SELECT HEX(transaction_id), merchant, sequence FROM event "
                       f"WHERE type = '{kind}' ORDER BY at_us DESC LIMIT 1")[0] for kind in types]
    assert types
    for kind, (hexadecimal, _, sequence) in zip(types, rows):
        said = ctl(payops, "why", "--evidence", id_text(hexadecimal)).stdout
        assert re.search(rf"Shown by: event {sequence}(;|\s|$)", re.sub(r"\s+", " ", said)), kind
        assert "_" not in kind or kind not in said, said


CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def id_text(hexadecimal):
    number, digits = int(hexadecimal, 16), ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = CROCKFORD[digit] + digits
    return f"trans_{digits}"


def test_why_at_the_terminal_reads_as_an_explanation(payops):
    transaction_id = pay_id(payops, "tok_sync", amount=1050)
    payops.await_status(transaction_id, "completed")

    said = ctl(payops, "why", transaction_id).stdout

    assert "Charged?      Yes: the customer was charged 10.50 USD.\n" in said
    assert "Pay again?    No: it would charge the customer a second time.\n" in said
    assert "Next          Nothing: it is over.\n" in said
    assert said.count("Rule: ") == len(set(re.findall(r"Rule: (.*)", said))) > 0
    assert max(map(len, said.splitlines())) <= 80
    assert "\033" not in said and "Shown by:" not in said
    assert "Shown by: event 1" in ctl(payops, "why", "--evidence", transaction_id).stdout


def on_terminal(payops, *words, **environment):
    """What is printed where standard output is a terminal."""
    leader, follower = pty.openpty()
    subprocess.run([payops.programs / "payopsctl", *words, "--config", str(payops.config)], check=True, stdout=follower,
                   stdin=subprocess.DEVNULL, env={**os.environ, **environment})
    os.close(follower)
    said = b""
    while chunk := read_some(leader):
        said += chunk
    os.close(leader)
    return said.decode()


def read_some(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_why_is_coloured_on_a_terminal_only_and_not_with_no_color(payops):
    transaction_id = pay_id(payops, "tok_sync")
    payops.await_status(transaction_id, "completed")

    assert "\033[1;31mNo: it would charge" in on_terminal(payops, "why", transaction_id, NO_COLOR="")
    assert "\033" not in on_terminal(payops, "why", transaction_id, NO_COLOR="1")


def test_why_shows_no_control_that_came_from_outside(payops):
    transaction_id = pay_id(payops, "tok_decline_do_not_honor")
    payops.await_status(transaction_id, "failed")
    payops.sql("UPDATE event SET reason = CONCAT('a', CHAR(27), '[31mb') "
               f"WHERE transaction_id = {sql_id(transaction_id)} AND type = 'attempt_declined'")

    said = ctl(payops, "why", transaction_id).stdout

    assert "\033" not in said and "a?[31mb" in said
    payops.sql(f"UPDATE event SET reason = 'do_not_honor' WHERE transaction_id = {sql_id(transaction_id)} "
               "AND type = 'attempt_declined'")


@pytest.mark.parametrize("words, status, told", [
    (["why", "trans_00000000000000000000000000"], 66, "there is no transaction trans_0"),
    (["why", "nonsense"], 65, "'nonsense' is no transaction's id"),
    (["why"], 64, "why takes one TRANSACTION_ID"),
    (["exception", "show", "exc_00000000000000000000000000"], 66, "there is no exception"),
    (["exception", "show", "trans_00000000000000000000000000"], 65, "is no exception's id"),
    (["exception", "own", "exc_00000000000000000000000000"], 64, "--owner"),
    (["exception", "own", "exc_00000000000000000000000000", "--owner", "a b"], 65, "--owner must be"),
    (["exception", "own", "exc_00000000000000000000000000", "--owner", "x" * 65], 65, "--owner must be"),
    (["exception", "resolve", "exc_00000000000000000000000000"], 64, "--note"),
    (["exception", "resolve", "exc_00000000000000000000000000", "--note", ""], 65, "--note must be"),
    (["exception", "resolve", "exc_00000000000000000000000000", "--note", "x" * 513], 65, "--note must be"),
    (["exception", "resolve", "exc_00000000000000000000000000", "--note", "paid with 4111111111111111"], 65,
     "must not hold a card number"),
    (["exception", "resolve", "exc_00000000000000000000000000", "--note", "done"], 66, "there is no exception"),
    (["exception", "list", "--kind", "odd"], 65, "take late_success, integrity"),
    (["exception", "list", "--state", "odd"], 65, "--state must be open or resolved"),
    (["exception", "list", "--limit", "0"], 64, "limit"),
    (["callback", "list", "--result", "odd"], 65, "'odd' is no result"),
    (["callback", "list", "--since", "yesterday"], 65, "--since must be"),
    (["callback", "list", "--since", "2026-03-01x"], 65, "--since must be"),
    (["callback", "list", "--transaction", "odd"], 65, "is no transaction's id"),
    (["callback", "replay", "alpha"], 64, "callback replay takes GATEWAY KEY"),
    (["callback", "replay", "omega", "x"], 66, "there is no gateway omega"),
    (["callback", "replay", "alpha", "never"], 66, "alpha has sent no callback never"),
], ids=lambda value: "_".join(value)[:60] if isinstance(value, list) else None)
def test_why_and_its_kin_say_what_is_wrong_with_a_command(payops, words, status, told):
    done = ctl(payops, *words, check=False)

    assert done.returncode == status, done.stderr
    assert told in done.stderr and done.stderr.count("\n") == 1
    assert done.stdout == ""


# --- exceptions ---

def declined_and_contradicted(payops):
    """A payment that was declined and of which a success was told afterwards."""
    transaction_id = pay_id(payops, "tok_decline_stolen_card")
    payops.await_status(transaction_id, "failed")
    assert payops.call_back(transaction_id, callback_for(attempts(payops, transaction_id)[0])).status == 200
    return transaction_id


def exception_of(payops, transaction_id, state="open"):
    found = [row for row in listed(payops, "exception", "list", "--state", state, "--limit", "1000")
             if row["transaction_id"] == transaction_id]
    assert len(found) == 1, found
    return found[0]


def test_why_an_exception_is_owned_and_resolved_by_people(payops):
    transaction_id = declined_and_contradicted(payops)
    found = exception_of(payops, transaction_id)
    exception_id = found["exception_id"]
    assert (found["kind"], found["owner"], found["merchant"]) == ("late_success", None, "demo")
    assert why(payops, transaction_id)["safe_to_retry_reason"] == "contradicted"
    assert exception_id in ctl(payops, "exception", "list", "--kind", "late_success", "--limit", "1000").stdout

    ctl(payops, "exception", "own", exception_id, "--owner", "ann")
    shown = ctl(payops, "exception", "show", exception_id).stdout
    assert re.search(r"^owner +ann$", shown, re.M) and re.search(r"^owned by +\S+, \d{4}-", shown, re.M)
    assert re.search(r"^to do +Look the try up", shown, re.M)
    assert "owner: ann" in ctl(payops, "why", transaction_id).stdout

    ctl(payops, "exception", "resolve", exception_id, "--note", "refunded at alpha, ticket 7")
    assert exception_of(payops, transaction_id, "resolved")["note"] == "refunded at alpha, ticket 7"
    assert "refunded at alpha, ticket 7" in ctl(payops, "why", transaction_id).stdout
    again = ctl(payops, "exception", "resolve", exception_id, "--note", "other", check=False)
    assert (again.returncode, again.stdout) == (65, "") and "it was resolved before" in again.stderr
    assert why(payops, transaction_id)["safe_to_retry"] is True


def test_why_merchants_do_not_see_who_of_us_settles_an_exception(payops):
    transaction_id = declined_and_contradicted(payops)
    exception_id = exception_of(payops, transaction_id)["exception_id"]
    ctl(payops, "exception", "own", exception_id, "--owner", "ann-of-support")
    ctl(payops, "exception", "resolve", exception_id, "--note", "between us: refunded")

    answer = payops.get(f"/transactions/{transaction_id}/why")

    assert b"ann-of-support" not in answer.body and b"between us" not in answer.body
    assert answer.json["exceptions"][0]["state"] == "resolved"


def test_why_a_parked_payment_goes_on_when_its_exception_is_resolved_to_resume(payops):
    transaction_id = pay_id(payops, "tok_decline_issuer_unavailable")
    attempt = await_attempt(payops, transaction_id, "declined")
    freeze(payops, transaction_id)
    orphan = callback_for(attempt, reference="op_01JZZZZZZZZZZZZZZZZZZZZZZZ-1", gateway_txn_id="alpha_777777777")
    assert payops.call_back(transaction_id, orphan).status == 200
    assert exceptions(payops, transaction_id) == ["orphan_callback"]
    thaw(payops, transaction_id)
    payops.await_status(transaction_id, "parked")
    exception_id = exception_of(payops, transaction_id)["exception_id"]
    assert why(payops, transaction_id)["safe_to_retry_reason"] == "exception_open"

    done = ctl(payops, "exception", "resolve", exception_id, "--note", "not ours", "--resume")

    assert "its payment goes on" in done.stdout
    until(lambda: len(attempts(payops, transaction_id)) > 1, what="another try")
    assert "A human settled what stood against it" in "".join(
        step["text"] for step in why(payops, transaction_id)["steps"])
    payops.await_status(transaction_id, FINAL)


def test_why_no_second_try_is_made_while_the_first_may_have_charged(payops):
    transaction_id = pay_id(payops, "tok_decline_issuer_unavailable")
    attempt = await_attempt(payops, transaction_id, "declined")
    freeze(payops, transaction_id)
    assert payops.call_back(transaction_id, callback_for(attempt)).status == 200
    payops.await_status(transaction_id, "parked")
    exception_id = exception_of(payops, transaction_id)["exception_id"]

    refused = ctl(payops, "exception", "resolve", exception_id, "--note", "go on", "--resume", check=False)

    assert refused.returncode == 65 and "a try may have charged or paid the customer" in refused.stderr
    assert exception_of(payops, transaction_id)["state"] == "open"
    assert len(attempts(payops, transaction_id)) == 1


# --- callbacks ---

def test_why_callbacks_are_listed_by_what_became_of_them(payops):
    transaction_id = declined_and_contradicted(payops)
    payops.call_back(transaction_id, callback_for(attempts(payops, transaction_id)[0], status="failed"))

    of_payment = listed(payops, "callback", "list", "--transaction", transaction_id)
    assert [row["result"] for row in of_payment][-2:] == ["contradiction", "superseded"]
    assert {row["amount_minor"] for row in of_payment} == {1000}
    only = listed(payops, "callback", "list", "--transaction", transaction_id, "--result", "contradiction")
    assert [row["result"] for row in only] == ["contradiction"]
    newest = listed(payops, "callback", "list", "--gateway", "alpha", "--limit", "2")
    assert [row["callback_key"] for row in newest] == [row["callback_key"] for row in of_payment][-2:][::-1]
    assert listed(payops, "callback", "list", "--gateway", "omega") == []
    assert listed(payops, "callback", "list", "--since", "2099-01-01") == []
    assert len(listed(payops, "callback", "list", "--since", "2020-01-01T00:00:00Z", "--limit", "3")) == 3
    assert ctl(payops, "callback", "list", "--since", "2099-01-01").stdout == "no callbacks\n"
    table = ctl(payops, "callback", "list", "--transaction", transaction_id).stdout.splitlines()
    assert table[0].split() == ["RECEIVED", "GATEWAY", "RESULT", "WORD", "TRANSACTION", "KEY"]
    assert len(table) == 1 + len(of_payment)


def test_why_a_callback_is_replayed_once_it_fits(payops):
    """It came before its try had the gateway's reference, and named nothing else."""
    transaction_id = pay_id(payops, "tok_reset_after_charge")
    attempt = await_attempt(payops, transaction_id, "unknown")
    freeze(payops, transaction_id)
    key = unique("early")
    reference = payops.ledger(transaction_id)[0]["gateway_ref"]
    body = callback_for(attempt, callback_id=key, reference=None, gateway_txn_id=reference)
    assert payops.call_back(None, body, path="/gateways/alpha/callbacks").status == 200
    unfit = ctl(payops, "callback", "replay", "alpha", key).stdout
    assert unfit == f"alpha {key} (orphan before): nothing was changed: it still fits no try of ours\n"
    payops.sql(f"UPDATE attempt SET gateway_ref = '{reference}' WHERE transaction_id = {sql_id(transaction_id)}")

    done = ctl(payops, "callback", "replay", "alpha", key).stdout

    assert done == f"alpha {key} (orphan before): it was applied now\nits transaction is {transaction_id}\n"
    assert payops.get(f"/transactions/{transaction_id}").json["status"] == "completed"
    before = len(events(payops, transaction_id))
    again = ctl(payops, "callback", "replay", "alpha", key).stdout
    assert again.startswith(f"alpha {key} (applied before): nothing was changed: it tells nothing new\n")
    assert len(events(payops, transaction_id)) == before
    orphan = [row for row in listed(payops, "exception", "list", "--kind", "orphan_callback", "--limit", "1000")]
    assert orphan  # what it was is for a human to say
    assert await_charge(payops, transaction_id)[0]["outcome"] == "succeeded"


# --- what is left out ---

def test_callbacks_that_are_left_out_are_said_everywhere(payops):
    transaction_id = pay_id(payops, "tok_declined")
    payops.await_status(transaction_id, "failed")
    had = len(listed(payops, "callback", "list", "--transaction", transaction_id))

    def add(count):
        payops.sql("INSERT INTO callback (gateway, callback_key, id, transaction_id, word, body_sha256, body_masked, "
                   f"result, received_at_us) {NUMBERS.format(count=count)} 'alpha', CONCAT('left-out-', i), "
                   f"{NUMBER_ID}, {sql_id(transaction_id)}, 'failed', REPEAT('h', 32), '', 'superseded', i FROM n")

    def callbacks(*words):
        return ctl(payops, "callback", "list", "--transaction", transaction_id, *words)

    try:
        add(200 - had)
        assert why(payops, transaction_id)["truncated"] is False
        assert "more" not in ctl(payops, "why", transaction_id).stdout
        full = callbacks("--limit", "1000")
        assert len(full.stdout.splitlines()) == 1 + 200 and "There are more" not in full.stdout
        payops.sql("DELETE FROM callback WHERE callback_key LIKE 'left-out-%'")
        add(201 - had)
        said = why(payops, transaction_id)
        told = ctl(payops, "why", transaction_id).stdout
        cut, few, json_few = callbacks("--limit", "1000"), callbacks("--limit", "3"), callbacks("--limit", "3", "--json")
    finally:
        payops.sql("DELETE FROM callback WHERE callback_key LIKE 'left-out-%'")

    assert said["truncated"] is True
    assert told.splitlines()[-1].startswith("There is more on record than is shown here")
    assert len(cut.stdout.splitlines()) == 1 + 200 + 1
    assert cut.stdout.splitlines()[-1].startswith("There are more than these 200: ")
    assert few.stdout.splitlines()[-1] == "There are more than these 3: take other filters or another --limit."
    assert len(json.loads(json_few.stdout)) == 3 and "There are more than these 3" in json_few.stderr


def test_exceptions_beyond_the_limit_are_said(payops):
    transaction_id = pay_id(payops, "tok_declined")
    payops.await_status(transaction_id, "failed")
    try:
        payops.sql("INSERT INTO exception (id, kind, transaction_id, state, detail, opened_at_us, resolved_at_us, "
                   f"resolved_by, note) {NUMBERS.format(count=3)} {NUMBER_ID}, 'integrity', {sql_id(transaction_id)}, "
                   "'resolved', '', i, i, 'ann', 'left out' FROM n")
        few = ctl(payops, "exception", "list", "--state", "resolved", "--kind", "integrity", "--limit", "2")
        all_of_them = ctl(payops, "exception", "list", "--state", "resolved", "--kind", "integrity", "--limit", "1000")
    finally:
        payops.sql("DELETE FROM exception WHERE note = 'left out'")

    assert few.stdout.splitlines()[-1] == "There are more than these 2: take another --kind or --limit."
    assert len(few.stdout.splitlines()) == 1 + 2 + 1
    assert "There are more" not in all_of_them.stdout


@pytest.mark.parametrize("rows, path", [
    ("INSERT INTO operation (id, transaction_id, merchant, kind, amount_minor, status, next_action, created_at_us, "
     "updated_at_us, parent_attempt_id) {numbers} {id}, t.id, t.merchant, 'refund', 1, 'failed', 'none', i, i, a.id "
     "FROM n, transaction t JOIN attempt a ON a.transaction_id = t.id AND a.number = 1 "
     "WHERE t.id = {of}", "refunds"),
    ("INSERT INTO event (transaction_id, sequence, id, merchant, type, at_us) {numbers} t.id, 1000 + i, {id}, "
     "t.merchant, 'created', i FROM n, transaction t WHERE t.id = {of}", "events"),
    ("INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, gateway, our_reference, gateway_key, status, "
     "send_by_us, lease_until_us, prepared_at_us, updated_at_us) {numbers} {id}, o.id, t.id, t.merchant, 100 + i, 'alpha', "
     "CONCAT('left-out-', i), '', 'not_sent', 2, 3, 1, 1 FROM n, transaction t JOIN operation o ON o.transaction_id = t.id "
     "WHERE t.id = {of}", "attempts"),
])
def test_a_bare_array_that_was_cut_says_so_in_a_header(payops, rows, path):
    transaction_id = pay_id(payops, "tok_declined")
    payops.await_status(transaction_id, "failed")
    table = rows.split()[2]
    had = len(payops.get(f"/transactions/{transaction_id}/{path}").json)

    def seen(count):
        try:
            payops.sql(rows.format(numbers=NUMBERS.format(count=count - had), id=NUMBER_ID, of=sql_id(transaction_id)))
            return payops.get(f"/transactions/{transaction_id}/{path}")
        finally:
            payops.sql(f"DELETE FROM {table} WHERE id >= UNHEX(RPAD('EE', 32, '0'))")

    full, cut = seen(1000), seen(1001)

    assert (len(full.json), full.headers.get("truncated")) == (1000, None)
    assert (len(cut.json), cut.headers.get("truncated")) == (1000, "true")
    assert cut.json == full.json
