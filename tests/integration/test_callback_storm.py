# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks in every order and number at once (F8): one effect each, forged ones none.

test_callback.py tries each rule by itself; here they meet.
"""
import concurrent.futures
import itertools
import json
import random
import time

import pytest

from support import (FINAL, attempts, await_attempt, await_charge, callback_for, callback_results, events, outcomes,
                     pay_id, sql_id, until)
from test_callback import accepted, effects, freeze, money_rows, post_raw, rows_of, thaw

WEEK_US = 7 * 24 * 3600 * 1000000


def secret(payops, gateway):
    return (payops.dir / "etc" / "payops" / "keys" / f"{gateway}.callback-secret").read_bytes().rstrip(b"\n")


def deliver_all(payops, messages, threads=32):
    """(transaction id, body, signature or None) each on a connection of its own; their statuses, in order."""
    def deliver(message):
        return payops.call_back(message[0], message[1], signature=message[2]).status
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(deliver, messages))


def successes(payops, transaction_id):
    return [event for event in effects(payops, transaction_id) if event["type"] == "attempt_succeeded"]


# --- many at once ---

def test_storm_of_duplicates_forgeries_and_hints_over_many_payments_has_one_effect_each(payops, seed):
    chance = random.Random(seed)
    payments = [accepted(payops) for _ in range(8)]
    messages, wanted = [], []
    for transaction_id, attempt in payments:
        body = json.dumps(callback_for(attempt)).encode()
        hint = json.dumps(callback_for(attempt, amount_minor=None, currency=None)).encode()
        early = json.dumps(callback_for(attempt, status="accepted")).encode()
        messages += [(transaction_id, body, None)] * 100 + [(transaction_id, hint, None)] * 10
        messages += [(transaction_id, early, None)] * 10
        wanted += [200] * 120
        messages += [(transaction_id, body, payops.sign(body, secret=b"forged" * 6))] * 10
        wanted += [401] * 10
    order = list(range(len(messages)))
    chance.shuffle(order)

    got = deliver_all(payops, [messages[index] for index in order])

    assert got == [wanted[index] for index in order]
    for transaction_id, _ in payments:
        payops.await_status(transaction_id, "completed")
        results = callback_results(payops, transaction_id)
        assert len(results) == 3 and results.count("applied") <= 1, results
        assert len([event for event in events(payops, transaction_id) if event["type"] == "attempt_succeeded"]) == 1
        assert outcomes(payops, transaction_id) == ["succeeded"]


WORDS = {
    "accepted": {"status": "accepted"},
    "completed": {},
    "without amount": {"amount_minor": None, "currency": None},
    "failed without amount": {"status": "failed", "amount_minor": None, "currency": None},
}


def test_storm_of_every_order_of_messages_ends_the_same(payops):
    """Each payment gets all four messages, in an order of its own."""
    orders = list(itertools.permutations(WORDS))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        payments = list(pool.map(lambda _: accepted(payops), orders))

    def play(index):
        transaction_id, attempt = payments[index]
        return [payops.call_back(transaction_id, callback_for(attempt, **WORDS[word])).status for word in orders[index]]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(play, range(len(orders))))

    assert {status for played in statuses for status in played} == {200}
    for (transaction_id, _), order in zip(payments, orders):
        shown = payops.get(f"/transactions/{transaction_id}").json
        assert (shown["status"], shown["amount_captured"]) == ("completed", 1000), order
        assert len(callback_results(payops, transaction_id)) == 4, order
        assert [event["type"] for event in events(payops, transaction_id)].count("attempt_succeeded") == 1, order
        assert payops.sql(f"SELECT COUNT(*) FROM exception WHERE transaction_id = {sql_id(transaction_id)}") == [["0"]]


def test_storm_around_the_synchronous_answer_completes_each_payment_once(payops):
    """The gateway answers after 300 ms; callbacks come before, at and after that moment."""
    ids = [pay_id(payops, "tok_slow_300") for _ in range(12)]

    def play(index):
        attempt = await_charge(payops, ids[index]) and until(lambda: attempts(payops, ids[index]))[0]
        reference = payops.ledger(ids[index])[0]["gateway_ref"]
        time.sleep(index * 0.04)
        body = json.dumps(callback_for(attempt, gateway_txn_id=reference)).encode()
        return [payops.call_back(ids[index], body).status for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(play, range(len(ids))))

    assert {status for played in statuses for status in played} == {200}
    for transaction_id in ids:
        payops.await_status(transaction_id, "completed")
        assert outcomes(payops, transaction_id) == ["succeeded"]
        assert callback_results(payops, transaction_id) in (["applied"], ["superseded"])
        assert [event["type"] for event in events(payops, transaction_id)].count("attempt_succeeded") == 1


# --- late ---

def age(payops, transaction_id):
    """As if all of it had happened a week earlier."""
    for table, columns in {
            "transaction": ("created_at_us", "updated_at_us"), "event": ("at_us",),
            "operation": ("created_at_us", "updated_at_us"),
            "attempt": ("prepared_at_us", "send_by_us", "lease_until_us", "sent_at_us", "answered_at_us",
                        "open_since_us", "asked_at_us", "updated_at_us")}.items():
        payops.sql(f"UPDATE {table} SET {', '.join(f'{column} = {column} - {WEEK_US}' for column in columns)} "
                   f"WHERE {'id' if table == 'transaction' else 'transaction_id'} = {sql_id(transaction_id)}")


@pytest.mark.parametrize("token, status, result", [
    ("tok_sync", "completed", "superseded"),
    ("tok_decline_stolen_card", "failed", "contradiction"),
])
def test_storm_seven_days_late_leaves_what_was_decided(payops, token, status, result):
    transaction_id = pay_id(payops, token)
    payops.await_status(transaction_id, FINAL)
    age(payops, transaction_id)
    attempt = attempts(payops, transaction_id)[0]
    body = json.dumps(callback_for(attempt)).encode()

    assert set(deliver_all(payops, [(transaction_id, body, None)] * 20)) == {200}

    assert payops.get(f"/transactions/{transaction_id}").json["status"] == status
    assert callback_results(payops, transaction_id) == [result]


def test_storm_seven_days_late_still_completes_what_is_open(payops):
    transaction_id = pay_id(payops, "tok_reset_after_charge")
    await_attempt(payops, transaction_id, "unknown")
    freeze(payops, transaction_id)
    age(payops, transaction_id)
    body = json.dumps(callback_for(attempts(payops, transaction_id)[0])).encode()

    assert set(deliver_all(payops, [(transaction_id, body, None)] * 20)) == {200}

    assert payops.get(f"/transactions/{transaction_id}").json["status"] == "completed"
    assert len(successes(payops, transaction_id)) == 1


# --- forged, beyond the header's own forms ---

def signed(payops, body, key=None, at_s=None):
    return [("Sandbox-Signature", payops.sign(body, at_s, key))]


# What is wrong: the path, the body that is sent, its headers; the answer.
FORGERIES = [
    ("no header", "/callback/{}", lambda body: body, lambda payops, body: [], 401),
    ("wrong secret", "/callback/{}", lambda body: body, lambda payops, body: signed(payops, body, b"wrong"), 401),
    ("another body", "/callback/{}", lambda body: body + b" ", lambda payops, body: signed(payops, body), 401),
    ("another amount", "/callback/{}", lambda body: body.replace(b"1000", b"1"),
     lambda payops, body: signed(payops, body), 401),
    ("another currency", "/callback/{}", lambda body: body.replace(b"USD", b"IDR"),
     lambda payops, body: signed(payops, body), 401),
    ("another word", "/callback/{}", lambda body: body.replace(b"completed", b"declined_"),
     lambda payops, body: signed(payops, body), 401),
    ("a mac cut short", "/callback/{}", lambda body: body,
     lambda payops, body: [("Sandbox-Signature", payops.sign(body)[:-2])], 401),
    ("a mac in base64 letters", "/callback/{}", lambda body: body,
     lambda payops, body: [("Sandbox-Signature", payops.sign(body).replace("v1=", "v1=+/"))], 401),
    ("an old time", "/callback/{}", lambda body: body,
     lambda payops, body: signed(payops, body, at_s=int(time.time()) - 301), 401),
    ("a future time", "/callback/{}", lambda body: body,
     lambda payops, body: signed(payops, body, at_s=int(time.time()) + 310), 401),
    ("two headers", "/callback/{}", lambda body: body, lambda payops, body: signed(payops, body) * 2, 401),
    ("beta's secret", "/callback/{}", lambda body: body,
     lambda payops, body: signed(payops, body, secret(payops, "beta")), 401),
    ("gamma's secret", "/callback/{}", lambda body: body,
     lambda payops, body: signed(payops, body, secret(payops, "gamma")), 401),
    ("beta's secret at alpha's address", "/gateways/alpha/callbacks", lambda body: body,
     lambda payops, body: signed(payops, body, secret(payops, "beta")), 401),
    ("alpha's secret at beta's address", "/gateways/beta/callbacks", lambda body: body,
     lambda payops, body: signed(payops, body), 401),
    ("both secrets in two headers", "/callback/{}", lambda body: body,
     lambda payops, body: signed(payops, body) + signed(payops, body, secret(payops, "beta")), 401),
    ("our token beside it", "/callback/{}", lambda body: body,
     lambda payops, body: [("Authorization", f"Bearer {payops.token()}")], 401),
    ("an empty body", "/callback/{}", lambda body: b"", lambda payops, body: signed(payops, body), 401),
    ("a body twice", "/callback/{}", lambda body: body * 2, lambda payops, body: signed(payops, body), 401),
    ("a body in UTF-16", "/callback/{}", lambda body: body.decode().encode("utf-16"),
     lambda payops, body: signed(payops, body), 401),
    # Signed by the gateway, but not what a message is: nothing is kept of it either.
    ("signed, with a member twice", "/callback/{}", lambda body: body[:-1] + b', "amount_minor": 1}',
     lambda payops, body: signed(payops, body[:-1] + b', "amount_minor": 1}'), 400),
    ("signed, no JSON", "/callback/{}", lambda body: body[1:], lambda payops, body: signed(payops, body[1:]), 400),
    ("signed, an array", "/callback/{}", lambda body: b"[" + body + b"]",
     lambda payops, body: signed(payops, b"[" + body + b"]"), 400),
]


@pytest.fixture(scope="module")
def target(shared):
    """A payment that any believed message would complete."""
    shared.start()
    shared.mode("ok")
    transaction_id, attempt = accepted(shared)
    yield transaction_id, attempt
    thaw(shared, transaction_id)
    shared.await_status(transaction_id, "completed")


@pytest.mark.parametrize("what, path, change, headers, status", FORGERIES, ids=[row[0].replace(" ", "_")
                                                                                for row in FORGERIES])
def test_storm_of_a_forgery_is_refused_every_time_and_leaves_nothing(payops, target, what, path, change, headers,
                                                                    status):
    transaction_id, attempt = target
    callback_id = f"forged_{time.monotonic_ns()}"
    payops.history.append({"forged_callback_id": callback_id})
    body = json.dumps(callback_for(attempt, callback_id=callback_id)).encode()
    before = rows_of(payops, transaction_id)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: post_raw(payops, path.format(transaction_id), change(body),
                                              headers(payops, body))[0], range(8)))

    assert got == {status}, what
    assert rows_of(payops, transaction_id) == before


def test_storm_of_a_forgery_in_chunks_or_of_another_type_leaves_nothing(payops, target):
    transaction_id, attempt = target
    body = json.dumps(callback_for(attempt)).encode()
    forged = payops.sign(body, secret=b"wrong")
    before = rows_of(payops, transaction_id)

    chunked = (f"POST /callback/{transaction_id} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
               f"Content-Type: application/json\r\nSandbox-Signature: {forged}\r\n\r\n{len(body):x}\r\n").encode()
    assert payops.exchange(chunked + body + b"\r\n0\r\n\r\n").status in (400, 401, 411)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = payops.request("POST", f"/callback/{transaction_id}", body,
                                headers={"Content-Type": kind, "Sandbox-Signature": forged})
        assert answer.status in (401, 415), kind

    assert rows_of(payops, transaction_id) == before


def test_storm_of_one_payments_message_on_another_ones_path_moves_neither(payops, target):
    transaction_id, _ = target
    other_id, other = accepted(payops)
    body = json.dumps(callback_for(other)).encode()
    before = money_rows(payops, transaction_id), money_rows(payops, other_id)

    assert set(deliver_all(payops, [(transaction_id, body, None)] * 20)) == {200}

    assert (money_rows(payops, transaction_id), money_rows(payops, other_id)) == before
    assert callback_results(payops, transaction_id) == ["orphan"]
    thaw(payops, other_id)
    payops.await_status(other_id, FINAL)


def test_storm_of_one_signature_in_two_spellings_is_one_message(payops):
    """Hexadecimal digits in capitals are the same signature: no forgery, and no second message."""
    transaction_id, attempt = accepted(payops)
    body = json.dumps(callback_for(attempt)).encode()
    head, mac = payops.sign(body).split("v1=")
    messages = [(transaction_id, body, f"{head}v1={spelled}") for spelled in (mac, mac.upper())] * 10

    assert set(deliver_all(payops, messages)) == {200}

    assert callback_results(payops, transaction_id) == ["applied"]
    assert len(successes(payops, transaction_id)) == 1


# --- rotation ---

def apply_gateways(payops, path):
    """And wait until apid has seen it: it looks once a second."""
    payops.ctl("gateway", "apply", str(path), "--config", str(payops.config), "--database-user", "root")
    time.sleep(1.5)


def test_storm_goes_on_while_the_secret_is_changed(payops):
    """A gateway with a new secret and the previous one: both are believed, and no third."""
    etc = payops.dir / "etc" / "payops"
    old, new = secret(payops, "alpha"), b"n" * 48
    (etc / "keys" / "alpha.callback-secret.new").write_bytes(new)
    (etc / "keys" / "alpha.callback-secret.new").chmod(0o600)
    changed = etc / "gateways-under-test.conf"
    changed.write_text((etc / "gateways.conf").read_text().replace(
        'callback_secret_file = "keys/alpha.callback-secret";',
        'callback_secret_file = "keys/alpha.callback-secret.new";\n'
        '\tcallback_secret_file_previous = "keys/alpha.callback-secret";'))
    apply_gateways(payops, changed)
    try:
        for key, status, result in ((old, 200, "completed"), (new, 200, "completed"), (b"x" * 32, 401, "processing")):
            transaction_id, attempt = accepted(payops)
            body = json.dumps(callback_for(attempt)).encode()
            answer = payops.request("POST", f"/callback/{transaction_id}", body, headers={
                "Content-Type": "application/json", "Sandbox-Signature": payops.sign(body, secret=key)})
            assert answer.status == status
            assert payops.get(f"/transactions/{transaction_id}").json["status"] == result
            thaw(payops, transaction_id)
            payops.await_status(transaction_id, FINAL)
    finally:
        apply_gateways(payops, etc / "gateways.conf")


@pytest.mark.parametrize("path", [None, "/gateways/alpha/callbacks"])
def test_callback_is_signed_by_the_account_it_speaks_of(payops, path):
    """A merchant's account with secrets of its own, one of them on its way out, beside another merchant's."""
    etc = payops.dir / "etc" / "payops"
    payops.add_merchant("elsewhere")
    secrets = {"demo": b"d" * 48, "demo-previous": b"p" * 48, "elsewhere": b"e" * 48}
    for name, key in secrets.items():
        (etc / "keys" / f"account-{name}").write_bytes(key)
        (etc / "keys" / f"account-{name}").chmod(0o600)
    changed = etc / "gateways-under-test.conf"
    changed.write_text((etc / "gateways.conf").read_text() + """
accounts = (
	{ gateway = "alpha"; merchant = "demo"; account = "acct_demo"; callback_secret_file = "keys/account-demo";
	  callback_secret_file_previous = "keys/account-demo-previous"; },
	{ gateway = "alpha"; merchant = "elsewhere"; account = "acct_else"; callback_secret_file = "keys/account-elsewhere"; }
);
""")
    apply_gateways(payops, changed)
    try:
        for key, status, result in ((secrets["demo"], 200, "completed"), (secrets["demo-previous"], 200, "completed"),
                                    (secret(payops, "alpha"), 200, "completed"),
                                    (secrets["elsewhere"], 401, "processing"), (b"x" * 48, 401, "processing")):
            transaction_id, attempt = accepted(payops)
            body = json.dumps(callback_for(attempt)).encode()
            answer = payops.call_back(transaction_id, body, signature=payops.sign(body, secret=key), path=path)
            assert answer.status == status, answer.body
            assert payops.get(f"/transactions/{transaction_id}").json["status"] == result
            thaw(payops, transaction_id)
            payops.await_status(transaction_id, FINAL)
    finally:
        apply_gateways(payops, etc / "gateways.conf")
