# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGHUP: an apid of its own takes over keys, limits and secrets without a failed request, or changes nothing."""
import json
import os
import re
import signal
import threading
import time

import pytest

from second_apid import SecondApid
from support import pay_id, unique, until

REFUSED = "the configuration was read again and changes nothing: the old one stays in force"
TAKEN = "configuration read again"
BODY = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_reload"}
EXTRA = "90-test-reload.conf"


class Reloaded(SecondApid):
    """The second apid, with its configuration for the test to change."""

    def __init__(self, payops, directory):
        super().__init__(payops, directory)
        self.log = payops.dir / "log" / "second.log"
        self.extra = self.directory / "conf.d" / EXTRA

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def reload(self, wanted=TAKEN):
        """SIGHUP; the line that says what came of it."""
        before = len(self.lines())
        self.signal(signal.SIGHUP)
        found = until(lambda: [line for line in self.lines()[before:] if line["msg"] in (TAKEN, REFUSED)],
                      what="a line about the configuration")
        assert [line["msg"] for line in found] == [wanted], found
        return found[0]

    def token_keys(self, *names):
        """Make these files, in this order, the keys of tokens; those that are missing are made."""
        for name in names:
            path = self.directory / "keys" / f"{name}.key"
            if not path.exists():
                self.payops.ctl("keys", "new", str(path))
        rows = ", ".join(f'{{ kid = "{name}"; file = "keys/{name}.key"; }}' for name in names)
        text = re.sub(r"token_keys = \(.*?\);", f"token_keys = ( {rows} );", self.config.read_text(), flags=re.S)
        self.config.write_text(text)

    def token(self):
        """One of the first key."""
        return self.payops.ctl("token", "issue", "--config", str(self.config), "--merchant", "demo", "--scope",
                               "payments:read payments:write").stdout.strip()

    def ask(self, method, path, token, body=None, headers=None):
        return self.payops.request(method, path, body, headers=headers, token=token, port=self.port)


@pytest.fixture
def apid(payops, tmp_path):
    made = Reloaded(payops, tmp_path)
    try:
        yield made.start()
    finally:
        assert made.close() == 0


class Load(threading.Thread):
    """Reads and pays without a pause, with the token that is handed to it; what was not well."""

    def __init__(self, apid, transaction, token):
        super().__init__()
        self.apid, self.transaction, self.token = apid, transaction, token
        self.done, self.count, self.bad = threading.Event(), 0, []

    def run(self):
        while not self.done.is_set():
            token = self.token
            try:
                shown = self.apid.ask("GET", f"/transactions/{self.transaction}", token).status
                paid = self.apid.ask("POST", "/transactions", token, BODY,
                                     {"Idempotency-Key": unique("reload")}).status
            except OSError as error:
                shown = paid = error
            if (shown, paid) != (200, 201):
                self.bad.append((shown, paid))
            self.count += 2


def test_keys_rotate_under_load_without_a_failed_request(apid):
    apid.token_keys("old")
    apid.reload()
    old = apid.token()
    loads = [Load(apid, pay_id(apid.payops, "tok_ok"), old) for _ in range(4)]
    for load in loads:
        load.start()
    try:
        apid.token_keys("new", "old")
        assert "token_keys" in apid.reload()["changed"]
        new = apid.token()
        for load in loads[:2]:
            load.token = new
        for _ in range(5):
            apid.reload()
        for load in loads:
            load.token = new
        until(lambda: all(load.count > 40 for load in loads), what="enough load")
        marks = [load.count for load in loads]
        until(lambda: all(load.count > mark + 4 for load, mark in zip(loads, marks)), what="the last of the old token")
        assert apid.ask("GET", "/transactions", old).status == 200

        apid.token_keys("new")
        apid.reload()
        refused = apid.ask("GET", "/transactions", old).status
        marks = [load.count for load in loads]
        until(lambda: all(load.count > mark + 10 for load, mark in zip(loads, marks)), what="load after the change")
    finally:
        for load in loads:
            load.done.set()
        for load in loads:
            load.join()

    assert refused == 401
    assert [load.bad for load in loads] == [[]] * len(loads)


WRONG = (
    ("rate: { burst = 0; };\n", r"90-test-reload\.conf:1:9: "),
    ("\n  rats: { burst = 9; };\n", r"90-test-reload\.conf:2:3: unknown setting"),
    ("rate: { burst = 9;\n", r"90-test-reload\.conf:2:1: syntax error"),
    ('public_url = "ftp://x";\n', r"90-test-reload\.conf:1:1: public_url: "),
    ('token_keys = ( { kid = "x"; file = "../nowhere.key"; } );\n', r"nowhere\.key"),
)


def test_what_is_wrong_changes_nothing_and_is_named(apid):
    token = apid.token()
    apid.replace("rate: { per_second = 100000; burst = 100000; };", "rate: { per_second = 3; burst = 3; };")

    for text, where in WRONG:
        apid.extra.write_text(text)
        line = apid.reload(REFUSED)
        assert line["level"] == "error"
        assert re.search(where, line["why"]), line
        assert {apid.ask("GET", "/transactions", token).status for _ in range(10)} == {200}
    apid.extra.unlink()
    assert "rate.burst" in apid.reload()["changed"]
    assert (apid.figure("payops_reloads_total")) == len(WRONG) + 1


def test_limits_origins_and_log_level_change_live(apid):
    token, origin = apid.token(), {"Origin": "https://shop.example"}
    assert "access-control-allow-origin" not in apid.ask("GET", "/transactions", token, headers=origin).headers
    apid.extra.write_text('rate: { per_second = 1; burst = 3; };\ncors: { origins = "https://shop.example"; };\n')

    changed = apid.reload()["changed"].split(", ")

    assert changed == ["rate.per_second", "rate.burst", "cors.origins"]
    answers = [apid.ask("GET", "/transactions", token, headers=origin) for _ in range(8)]
    assert answers[0].headers["access-control-allow-origin"] == "https://shop.example"
    assert 429 in {answer.status for answer in answers}
    apid.extra.write_text('log: { level = "warning"; };\n')
    apid.signal(signal.SIGHUP)   # says nothing at this level
    until(lambda: apid.ask("GET", "/transactions", token).status == 200, what="the old limit")
    before = len(apid.lines())
    assert apid.ask("GET", "/transactions", token).status == 200
    time.sleep(0.2)              # collected lines are written by then
    assert len(apid.lines()) == before


def test_what_needs_a_restart_is_named_and_stays(apid):
    apid.replace(f"port = {apid.port};", "port = 1;")
    apid.extra.write_text("database: { pool_size = 9; };\n")
    # A newline at the end would be no part of the key.
    (apid.directory / "keys" / "hash.key").write_bytes(os.urandom(31) + b".")
    token = apid.token()
    transaction = pay_id(apid.payops, "tok_ok")

    assert apid.reload()["restart"] == "listen.port, database.pool_size, vault.hash_key_file"
    assert apid.ask("GET", f"/transactions/{transaction}", token).status == 200
    assert apid.reload()["restart"] == "listen.port, database.pool_size, vault.hash_key_file"


def test_secrets_of_gateways_are_read_again(apid):
    payops, secret = apid.payops, apid.payops.dir / "etc" / "payops" / "keys" / "alpha.callback-secret"
    before = secret.read_bytes()
    raw = json.dumps({"gateway_txn_id": unique("gw"), "status": "completed"}).encode()
    other = unique("another-secret").encode()

    def call(key):
        signed = {"Sandbox-Signature": payops.sign(raw, secret=key), "Content-Type": "application/json"}
        return apid.ask("POST", "/gateways/alpha/callbacks", None, raw, signed).status

    assert call(other) == 401 != call(before.rstrip(b"\n"))
    try:
        secret.write_bytes(other)
        secret.chmod(0o644)
        assert str(secret) in apid.reload(REFUSED)["why"]
        assert call(other) == 401 != call(before.rstrip(b"\n"))
        secret.chmod(0o600)
        apid.reload()
        assert call(before.rstrip(b"\n")) == 401 != call(other)
    finally:
        secret.write_bytes(before)
        secret.chmod(0o600)
