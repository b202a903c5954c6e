# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guessers are locked out, each for himself and for longer each time; who is right is not, whoever stands beside."""
import itertools
import json
import time

import pytest

from support import await_attempt, callback_for, unique, until

FAILURES, LONGEST_S = 5, 4
SETTINGS = f"""
lockout: {{ failures = {FAILURES}; window_s = 60; first_s = 1; longest_s = {LONGEST_S}; }};
listen: {{ trusted_proxies = "127.0.0.0/8"; }};
"""
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def payops(shared):
    """The instance with a lock-out that begins soon, behind a proxy: each client is what X-Forwarded-For says."""
    override = shared.dir / "etc" / "payops" / "conf.d" / "90-test-lockout.conf"
    shared.start()
    shared.mode("ok")
    override.write_text(SETTINGS)
    try:
        shared.restart()
        yield shared
    finally:
        override.unlink()
        shared.restart()


@pytest.fixture
def address():
    """One that no other test has."""
    return f"198.51.{next(numbers)}.7"


def ask(payops, address, token, method="GET", path="/transactions", body=None, headers=None):
    sent = {**(headers or {}), **({"X-Forwarded-For": address} if address else {})}
    return payops.request(method, path, body, sent, token)


def fresh(payops):
    """A right token that apid has not seen."""
    return payops.ctl("token", "issue", "--config", str(payops.config), "--merchant", "demo", "--subject", unique("s"),
                      "--scope", "payments:read").stdout.strip()


def forged(payops):
    head, claims, mac = fresh(payops).split(".")
    return f"{head}.{claims}.{mac[:-5]}{'AAAAA' if mac[-5:] != 'AAAAA' else 'BBBBB'}"


def guess(payops, address, times=FAILURES):
    token = forged(payops)
    return [ask(payops, address, token).status for _ in range(times)]


def assert_locked_out(answer, at_most=LONGEST_S):
    assert (answer.status, answer.json["code"]) == (429, "locked_out"), answer.body
    assert 1 <= int(answer.headers["retry-after"]) <= at_most
    assert answer.json["retry_after"] == int(answer.headers["retry-after"]) and answer.json["retryable"] is True


def metric(payops, name):
    page = payops.request("GET", "/metrics").body.decode()
    return int([line.split()[1] for line in page.splitlines() if line.startswith(name + " ")][0])


def lock_lines(payops, subject):
    return [line for line in payops.log_lines()
            if line["msg"] == "guesser locked out" and line["subject"] == subject]


def test_a_guesser_is_refused_for_a_while_and_longer_each_time(payops, address):
    locked, refused = metric(payops, "payops_lockouts_total"), metric(payops, "payops_lockout_refused_total")
    assert guess(payops, address) == [401] * FAILURES
    assert_locked_out(ask(payops, address, forged(payops)), 1)
    assert_locked_out(ask(payops, address, fresh(payops)), 1)
    for seconds in (2, LONGEST_S, LONGEST_S):
        until(lambda: ask(payops, address, forged(payops)).status == 401, what="the end of the lock")
        answer = ask(payops, address, forged(payops))
        assert_locked_out(answer)
        assert int(answer.headers["retry-after"]) >= seconds - 1
    assert metric(payops, "payops_lockouts_total") == locked + 4
    assert metric(payops, "payops_lockout_refused_total") >= refused + 5
    assert [line["seconds"] for line in lock_lines(payops, address)] == [1, 2, LONGEST_S, LONGEST_S]


def test_after_the_lock_a_right_token_is_taken(payops, address):
    guess(payops, address)
    token = fresh(payops)
    answer = ask(payops, address, token)
    assert_locked_out(answer)
    time.sleep(int(answer.headers["retry-after"]))
    assert ask(payops, address, token).status == 200


def test_nobody_else_is_locked_out(payops, address):
    known = fresh(payops)
    assert ask(payops, address, known).status == 200
    guess(payops, address)

    assert ask(payops, f"203.0.{address.split('.')[2]}.1", fresh(payops)).status == 200  # from elsewhere
    assert ask(payops, address, known).status == 200  # from there, but it was right before
    assert_locked_out(ask(payops, address, fresh(payops)))


def test_neighbours_in_a_network_are_one_and_others_are_not(payops):
    network = f"2001:db8:{next(numbers)}"
    for host in range(FAILURES):
        assert guess(payops, f"{network}:1::{host + 1:x}", 1) == [401]

    assert_locked_out(ask(payops, f"{network}:1:ffff::1", fresh(payops)))
    assert ask(payops, f"{network}:2::1", fresh(payops)).status == 200
    assert lock_lines(payops, f"{network}:1::/64")


def test_only_trusted_proxies_say_whom_they_speak_for(payops, address):
    """What a client writes itself stands on the left, and the nearest proxy's on the right."""
    third = address.split(".")[2]
    for last in range(1, FAILURES + 1):
        assert guess(payops, f"203.0.113.{last}, {address}", 1) == [401]
    assert_locked_out(ask(payops, f"203.0.113.9,{address}", fresh(payops)))
    assert_locked_out(ask(payops, f"203.0.113.9, {address}, 127.0.0.5", fresh(payops)))
    assert ask(payops, f"{address}, 192.0.{third}.8", fresh(payops)).status == 200


def test_expired_and_missing_tokens_are_no_guesses(payops, address):
    now = int(time.time())
    old = payops.forge({"alg": "HS256", "kid": "dev-1"},
                       {"iss": "payops", "aud": "payops", "merchant": "demo", "sub": "s", "iat": now - 9, "exp": now - 5})
    assert [ask(payops, address, old).status for _ in range(3 * FAILURES)] == [401] * 3 * FAILURES
    assert [ask(payops, address, None).status for _ in range(3 * FAILURES)] == [401] * 3 * FAILURES
    assert ask(payops, address, fresh(payops)).status == 200


def issue(payops):
    answer = payops.request("POST", "/api-keys", {"name": unique("lockout-"), "scope": "payments:read"},
                            token=payops.token(scope="keys:write payments:read"))
    assert answer.status == 201, answer.body
    return answer.json["key"]


def test_a_key_that_is_guessed_from_everywhere_is_locked_but_for_its_secret(payops):
    key = issue(payops)
    wrong = key[:25] + "A" * 43
    for host in range(FAILURES):
        assert ask(payops, f"192.0.2.{host + 1}", wrong).status == 401

    assert_locked_out(ask(payops, "192.0.2.200", wrong))
    assert ask(payops, "192.0.2.201", key).status == 200
    assert ask(payops, "192.0.2.202", issue(payops)).status == 200
    assert [line["of"] for line in lock_lines(payops, key[8:24])] == ["API key"]


def test_a_forger_does_not_lock_out_the_gateway_beside_him(payops, address):
    transaction = payops.pay("tok_ok").json["transaction_id"]
    payops.await_status(transaction, "completed")
    body = json.dumps(callback_for(await_attempt(payops, transaction, "succeeded"))).encode()
    path, wrong = f"/callback/{transaction}", payops.sign(body, secret=b"0" * 64)

    def deliver(signature):
        return ask(payops, address, None, "POST", path, body, {"Sandbox-Signature": signature})

    assert [deliver(wrong).status for _ in range(FAILURES)] == [401] * FAILURES
    assert_locked_out(deliver(wrong))
    assert deliver(payops.sign(body)).status == 200
    assert ask(payops, address, fresh(payops)).status == 200  # nor his other business
