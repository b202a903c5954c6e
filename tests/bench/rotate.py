# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing everything anew with another key while requests are served: how fast, and whether any of them notices."""
import json
import os
import re
import signal
import subprocess
import time

import machine
from grown import write_out
from table import Figure

OLD, NEW = "dev-1", "dev-2"   # of one length, as ids of keys are: no row grows
RATE = 100             # payments a second, and reads of profiles a second
CONNECTIONS = 16
SLOWEST = 15_000       # rows a second that the load is long enough for
PATHS = 1000
READ_AGAIN = "configuration read again"
SCOPE = "customers:read payments:read payments:write"

# Sealed values come in the columns that tests/bench/seal.c names; operations are due tomorrow: nobody touches them.
FIELDS = "(@n, @customer, @profile, @metadata, @method, @token, @operation, @payment)"
NOW = "FLOOR(UNIX_TIMESTAMP() * 1000000)"
FILLS = (
    "customer %s SET id = UNHEX(@customer), merchant = 'demo', customer = CONCAT('sealed_', @n), status = 'active', "
    f"profile_sealed = UNHEX(@profile), metadata_sealed = UNHEX(@metadata), key_id = '{OLD}', version = 1, "
    f"created_at_us = {NOW}, updated_at_us = {NOW}",
    "payment_method %s SET id = UNHEX(@method), customer_row = UNHEX(@customer), merchant = 'demo', gateway = 'alpha', "
    f"method = 'credit_card', token_sealed = UNHEX(@token), token_hash = UNHEX(MD5(@n)), key_id = '{OLD}', is_default = 1, "
    f"version = 1, created_at_us = {NOW}, updated_at_us = {NOW}",
    "operation %s SET id = UNHEX(@operation), transaction_id = UNHEX(@operation), merchant = 'demo', kind = 'charge', "
    "amount_minor = 1000, status = 'pending', next_action = 'send', next_action_at_us = {0} + 86400000000, "
    "idempotency_key = CONCAT('sealed-', @n), request_hashes = REPEAT('h', 66), "
    f"payment_token_sealed = UNHEX(@payment), payment_token_key_id = '{OLD}', created_at_us = {{0}}, updated_at_us = {{0}}"
    .format(NOW),
    "transaction %s SET id = UNHEX(@operation), merchant = 'demo', customer = CONCAT('sealed_', @n), kind = 'payment', "
    "amount_minor = 1000, currency = 'USD', exponent = 2, amount_form = 'minor', method = 'credit_card', "
    f"status = 'pending', version = 1, created_at_us = {NOW}, updated_at_us = {NOW}",
)
# What the rotation does to the same rows, as the database does it alone.
UPDATES = (
    f"UPDATE customer SET profile_sealed = REVERSE(profile_sealed), metadata_sealed = REVERSE(metadata_sealed), "
    f"key_id = '{OLD}' WHERE key_id = '{NEW}'",
    f"UPDATE payment_method SET token_sealed = REVERSE(token_sealed), key_id = '{OLD}' WHERE key_id = '{NEW}'",
    f"UPDATE operation SET payment_token_sealed = REVERSE(payment_token_sealed), payment_token_key_id = '{OLD}' "
    f"WHERE payment_token_key_id = '{NEW}'",
)
SEALED_ANEW = ("SELECT (SELECT COUNT(*) FROM customer WHERE key_id = '{0}') + (SELECT COUNT(*) FROM payment_method WHERE "
               "key_id = '{0}') + (SELECT COUNT(*) FROM operation WHERE payment_token_key_id = '{0}')".format(NEW))


HISTORY = ("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
           "WHERE VARIABLE_NAME = 'INNODB_HISTORY_LIST_LENGTH'")
PURGED = 1      # transactions
PURGED_S = 60


class Rotation:
    def __init__(self, bench):
        self.bench = bench
        self.instance = bench.instance
        self.first = self.instance.config.read_text()
        self.rows = bench.sealed // 3   # of each table

    def fill(self):
        values = self.instance.dir / "sealed"
        with open(values, "wb") as file:
            subprocess.run([self.bench.programs / "seal", "--rows", str(self.rows), "--key-id", OLD, "--key-file",
                            self.instance.config.parent / "keys" / "seal.key"], stdout=file, check=True)
        for text in FILLS:
            self.client("SET unique_checks = 0, foreign_key_checks = 0; "
                        f"LOAD DATA LOCAL INFILE '{values}' INTO TABLE " + text % FIELDS)
        values.unlink()
        for table in ("customer", "payment_method", "operation", "transaction"):
            self.client(f"ANALYZE TABLE {table}")
        self.client("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0.1")
        write_out(self.bench)
        self.client("SET GLOBAL innodb_max_dirty_pages_pct_lwm = DEFAULT")

    def client(self, text):
        subprocess.run(["mariadb", "--no-defaults", "--local-infile=1", f"--socket={self.instance.socket}", "--user=root",
                        "payops", "-e", text], check=True, stdout=subprocess.DEVNULL)

    def take_newer(self):
        """A new key in front of the old one, taken over by the serving apid."""
        key = self.instance.config.parent / "keys" / f"{NEW}.key"
        key.unlink(missing_ok=True)
        self.instance.ctl("keys", "new", str(key))
        told, count = re.subn(r"^seal_keys = \( ", f'seal_keys = ( {{ id = "{NEW}"; file = "keys/{NEW}.key"; }}, ',
                              self.first, flags=re.M)
        assert count == 1, "seal_keys is not where it was"
        before = len(self.read_again())
        self.instance.config.write_text(told)
        os.kill(self.instance.pid("apid"), signal.SIGHUP)
        deadline = time.monotonic() + 10
        while len(self.read_again()) == before:
            assert time.monotonic() < deadline, "apid did not take the new key over"
            time.sleep(0.05)

    def read_again(self):
        return [line for line in self.instance.log_lines() if line["msg"] == READ_AGAIN]

    def loads(self):
        """Payments whose token is sealed and opened, and reads that open a profile."""
        paths = self.instance.dir / "profiles"
        step = max(1, self.rows // PATHS)
        paths.write_text("".join(f"/customers/sealed_{n}\n" for n in range(0, self.rows, step)))
        body = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_001",
                "payment_token": "tok_sync"}
        token = self.instance.token(scope=SCOPE)
        same = {"port": self.instance.port, "token": token, "connections": CONNECTIONS, "rate": RATE,
                "seconds": 3 + 3 * self.rows // SLOWEST}
        return {201: self.bench.program("load", method="POST", path="/transactions", body=json.dumps(body),
                                        unique_keys=f"rotate-{time.monotonic_ns():x}", **same),
                200: self.bench.program("load", paths=paths, **same)}

    def rotate(self):
        """Rows a second, as payopsctl tells them; what was in use just then is left for another run of it."""
        done = self.instance.ctl("keys", "rotate", "--config", str(self.instance.config), check=False)
        assert done.returncode in (0, 75), done.stderr
        rows, seconds = re.match(r"(\d+) rows were sealed with '\S+' in (\S+) s", done.stdout).groups()
        return int(rows), float(seconds)

    def update(self):
        """Seconds of the statements; it ends when the database has thrown away what they replaced, too."""
        began = time.monotonic()
        for text in UPDATES:
            self.client(text)
        took = time.monotonic() - began
        deadline = began + PURGED_S
        while time.monotonic() < deadline and self.bench.count(HISTORY) > PURGED:
            time.sleep(0.1)
        return took


class Timed:
    """What a work gave, the seconds it took, and the cores used meanwhile."""

    def __init__(self, bench, work):
        meter, began = bench.meter(), time.monotonic()
        self.result = work()
        self.seconds = time.monotonic() - began
        self.used = meter.stop()

    def cpu_us(self, rows, program, beside=0.0):
        """CPU a row; `beside` are the cores that the program uses without this work."""
        return (self.used[program] - beside) * self.seconds * 1e6 / rows


def failed(result, status):
    return sum(count for word, count in result["status"].items() if word != str(status)) + result["errors"]


def row_rotate(bench):
    bench.restart()
    rotation = Rotation(bench)
    try:
        rotation.fill()
        rotation.take_newer()
        loads = rotation.loads()
        requesting = Timed(bench, lambda: time.sleep(1))
        rotating = Timed(bench, rotation.rotate)
        requests = {status: bench.result(load) for status, load in loads.items()}
        anew = bench.count(SEALED_ANEW)
        updating = Timed(bench, rotation.update)
    finally:
        rotation.instance.config.write_text(rotation.first)
        bench.restart()
    assert anew >= 3 * rotation.rows, f"only {anew:,} rows are sealed with the newer key"
    return [*rate_figures(bench, rotating, anew / updating.result),
            Figure("database's CPU a row", rotating.cpu_us(rotating.result[0], "mariadbd", requesting.used["mariadbd"]), "us",
                   f"one UPDATE {updating.cpu_us(anew, 'mariadbd'):.1f} us"),
            Figure("payopsctl's CPU a row", rotating.cpu_us(rotating.result[0], "load"), "us"),
            *request_figures(requests)]


def rate_figures(bench, rotating, alone):
    rows, seconds = rotating.result
    rate = rows / seconds
    return [Figure("rows sealed anew", rate, "/s", f"{rows:,} rows beside {RATE}/s payments and {RATE}/s reads of profiles",
                   rotating.used, machine.bottleneck(rotating.used, "waiting for the disk")),
            Figure("against D", bench.d_of(rate), "D"),
            Figure("against one UPDATE", rate / alone, "x", f"of the same rows on one connection: {alone:,.0f}/s")]


def request_figures(requests):
    bad = sum(failed(result, status) for status, result in requests.items())
    total = sum(sum(result["status"].values()) for result in requests.values())
    return [Figure("failed requests", bad, "", f"of {total:,}"),
            Figure("payments' p99", requests[201]["p99_us"] / 1000, "ms"),
            Figure("reads' p99", requests[200]["p99_us"] / 1000, "ms")]
