# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A week passes for a running apid, whose clocks a test moves (lib/base/clock_test.h): what is lost for ever is asked
about at every time of its schedule and parked at its end, what is held is let go, and keys and tokens expire.

All of it is its own: database, sandbox and apid. Nothing else here must live through that week.
"""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import time

import pytest

from support import until

DAY = 86400
NAME = "payops_week"
HOURS = 24 * 30


class Clock:
    """The three clocks of every process that is started with it: wall, boot and the database's, as it sees it."""

    def __init__(self, path):
        self.path = path
        self.shifts_us = [0, 0, 0]
        path.write_bytes(struct.pack("=3q", *self.shifts_us))

    def move(self, seconds):
        self.shifts_us = [shift + int(seconds * 1_000_000) for shift in self.shifts_us]
        with open(self.path, "r+b") as file:
            os.pwrite(file.fileno(), struct.pack("=3q", *self.shifts_us), 0)

    @property
    def passed(self):
        """Seconds beyond those that really passed."""
        return self.shifts_us[0] / 1_000_000

    @property
    def env(self):
        return {**os.environ, "PAYOPS_CLOCK": str(self.path)}


def free_ports(count):
    """So many in a row that nobody listens on."""
    for base in range(23000, 24000, 8):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(base, base + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return base
    raise AssertionError("no ports are free")


class Week:
    """An apid with database and sandbox of its own, in the time that its clock says."""

    def __init__(self, payops, directory):
        self.payops = payops
        self.port = free_ports(5)
        self.dir = directory / "week"
        self.etc = self.dir / "payops"
        self.config = self.etc / "payops.conf"
        self.clock = Clock(directory / "clock")
        self.sandbox = self.apid = None
        shutil.copytree(payops.dir / "etc" / "payops", self.etc)
        text = self.config.read_text().replace(str(payops.port), str(self.port))
        self.config.write_text(text.replace('name = "payops"', f'name = "{NAME}"')
                               .replace('user = "payops_apid"', f'user = "{NAME}"'))
        self.gateways_write()

    def gateways_write(self):
        """As patient as they are where machines are slow; at the ports of this sandbox."""
        path = self.etc / "gateways.conf"
        numbers = iter(range(self.port + 2, self.port + 5))
        text = re.sub(r"127\.0\.0\.1:\d+", lambda _: f"127.0.0.1:{next(numbers)}", path.read_text())
        path.write_text(text.replace("total_timeout_ms = 4000", "total_timeout_ms = 30000")
                        .replace("callback_wait_ms = 3000", "callback_wait_ms = 60000"))

    def ctl(self, *words):
        return subprocess.run([self.payops.programs / "payopsctl", *words, "--config", str(self.config)], check=True,
                              text=True, stdin=subprocess.DEVNULL, capture_output=True, env=self.clock.env).stdout

    def apply_gateways(self):
        self.ctl("gateway", "apply", str(self.etc / "gateways.conf"), "--database-user", "root")

    def sql(self, text):
        return self.payops.sql(f"USE {NAME}; {text}")

    def spawn(self, log, *command):
        with open(self.payops.dir / "log" / f"{log}.log", "ab") as file:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                    start_new_session=True, env=self.clock.env)

    def __enter__(self):
        self.payops.sql(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        root = ("--database-user", "root")
        self.ctl("migrate", "up", *root)
        self.ctl("migrate", "grant", *root, "--role", "apid", "--user", NAME, "--host", "localhost",
                 "--password-file", str(self.etc / "keys" / "database.password"))
        self.ctl("merchant", "add", "demo", "--name", "Demo", *root)
        self.apply_gateways()
        self.ctl("route", "apply", str(self.etc / "routes.conf"), *root)
        self.sandbox = self.spawn("week-sandbox", self.payops.programs / "payops-sandbox", "--port",
                                  str(self.port + 1), "--ledger", str(self.dir / "ledger.jsonl"), "--keys",
                                  str(self.etc / "keys"))
        self.apid = self.spawn("week-apid", self.payops.programs / "apid", "--config", str(self.config))
        until(lambda: self.payops.is_ready(self.port), what="the week's apid")
        return self

    def __exit__(self, *_):
        self.sandbox.kill()
        self.sandbox.wait(30)
        self.apid.terminate()
        assert self.apid.wait(40) == 0
        self.payops.sql(f"DROP DATABASE {NAME}; DROP USER {NAME}@localhost")

    def token(self, hours=HOURS):
        return self.ctl("token", "issue", "--merchant", "demo", "--scope", "payments:read payments:write",
                        "--hours", str(hours)).strip()

    def request(self, token, method, path, body=None):
        return self.payops.request(method, path, body, token=token, port=self.port)

    def pay(self, token, word, **members):
        body = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_001",
                "payment_token": word, **members}
        answer = self.request(token, "POST", "/transactions", body)
        assert answer.status in (201, 202), answer.body
        return answer.json["transaction_id"]

    def shown(self, token, transaction_id):
        answer = self.request(token, "GET", f"/transactions/{transaction_id}")
        assert answer.status == 200, answer.body
        return answer.json

    def await_status(self, token, transaction_id, status):
        return until(lambda: (shown := self.shown(token, transaction_id))["status"] == status and shown,
                     what=f"{transaction_id} {status}")

    def next_question(self):
        """In how many seconds the next inquiry is due; None: there is none."""
        due = self.sql("SELECT MIN(next_action_at_us) / 1000000 FROM operation WHERE next_action = 'ask'")[0][0]
        return None if due == "NULL" else float(due) - time.time() - self.clock.passed


@pytest.fixture(scope="module")
def week(shared, tmp_path_factory):
    shared.start()
    if b"PAYOPS_CLOCK" not in (shared.programs / "apid").read_bytes():
        pytest.skip("apid is built without --enable-faults")
    with Week(shared, tmp_path_factory.mktemp("week")) as made:
        yield made


def test_a_week_of_inquiries_holds_and_keys_passes_in_seconds(week):
    began = time.monotonic()
    token, short = week.token(), week.token(hours=35)
    lost = [week.pay(token, word) for word in ("tok_timeout_uncharged", "tok_answer_lost", "tok_callback_never")]
    held = week.pay(token, "tok_sync", capture="manual")
    manual = week.pay(token, "tok_sync", process="manual")
    week.await_status(token, held, "authorised")
    # Two are on their way and one was taken; then the gateway is gone, and what it knows.
    until(lambda: week.sql("SELECT COUNT(*) FROM attempt WHERE status IN ('sent', 'accepted')") == [["3"]])
    week.sandbox.kill()

    while (ahead := week.next_question()) is not None:
        expired = week.clock.passed > 1.5 * DAY
        if expired or week.clock.passed < 1.4 * DAY:
            assert week.request(short, "GET", f"/transactions/{held}").status == (401 if expired else 200)
        if week.clock.passed < 6.5 * DAY:
            assert all(week.shown(token, transaction_id)["status"] == "processing" for transaction_id in lost)
            assert week.shown(token, held)["status"] == "authorised"
        if week.clock.passed > DAY:
            assert week.shown(token, manual)["status_reason"] == "expired"
        week.clock.move(max(ahead, 0) + 0.05)
        until(lambda: (again := week.next_question()) is None or again > 0, what="the answers")

    for transaction_id in lost:
        shown = week.await_status(token, transaction_id, "parked")
        assert shown["status_reason"] == "inquiries_exhausted" and shown["next_action"] == "human"
    assert week.sql("SELECT MAX(asked_count) FROM attempt") == [["16"]]
    # The void is sent, to a gateway that is not there, and never reported as done.
    until(lambda: week.sql("SELECT COUNT(*) FROM attempt a JOIN operation o ON o.id = a.operation_id "
                           "WHERE o.kind = 'void'") != [["0"]], what="the void")
    assert week.shown(token, held)["status"] == "authorised"
    assert week.sql("SELECT COUNT(*) FROM attempt WHERE status = 'not_found'") == [["0"]]
    assert time.monotonic() - began < 300
    print(f"a week in {time.monotonic() - began:.1f} s")


SOURCES = ["lib/base/clock.c", "lib/base/clock_test.c", "lib/base/repeat.c", "lib/base/fault.c", "lib/base/crypto.c",
           "lib/store/store.c"]
TEST_ONLY = re.compile(r"PAYOPS_(CLOCK|FAULT)|clock_(test|database)_|repeat_(start|random)|fault_point|SET timestamp")


def objects(top, directory, *options):
    flags = subprocess.run(["pkg-config", "--cflags", "gnutls", "libmariadb"], check=True, text=True,
                           capture_output=True).stdout.split()
    for source in SOURCES:
        made = directory / (source.replace("/", "-") + ".o")
        subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", f"-I{top}/lib", f"-I{top}", *options, *flags, "-O1",
                        "-c", str(top / source), "-o", str(made)], check=True)
        names = subprocess.run(["nm", str(made)], check=True, text=True, capture_output=True).stdout
        yield source, names + made.read_bytes().decode("latin-1").replace(pathlib.Path(source).name, "")


def test_a_release_build_has_nothing_of_the_test_clock(shared, tmp_path):
    assert {source for source, made in objects(shared.top, tmp_path, "-DPAYOPS_FAULTS=1") if TEST_ONLY.search(made)} \
        == set(SOURCES)
    for source, made in objects(shared.top, tmp_path):
        assert not TEST_ONLY.search(made), source
