# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gateway browns out while payments for it and for another are offered at a fixed rate: how soon its breaker opens,
what the other's payments notice, and how many calls retries add."""
import json
import re
import time

from table import Figure

MODES = {"hang": 0, "slow": 6000, "5xx": 0, "down": 0}   # each with its milliseconds
BROWN_S = 10           # as long, and before it as long without
RATE = 200             # payments a second, of each gateway
SETTLE_S = 90
ILL, WELL = "USD", "EUR"   # currencies, which decide about the gateway
ROUTES = """
routes = (
    { name = "bench_well"; currencies = "EUR"; gateways = "beta"; },
    { name = "default"; gateways = "alpha"; }
);
"""
OPEN = re.compile(r'^payops_breaker_state\{gateway="alpha",operation="charge"\} 2$', re.MULTILINE)
PENDING = "SELECT COUNT(*) FROM operation WHERE status IN ('pending', 'processing')"


class BrownOut:
    """What was seen of one mode; times are the database's, in microseconds."""

    def __init__(self, bench, mode):
        self.bench = bench
        self.mode = mode
        self.before_us = self.began_us = self.ended_us = 0
        self.opened_after_s = None

    def now_us(self):
        return self.bench.count("SELECT FLOOR(UNIX_TIMESTAMP(NOW(6)) * 1000000)")

    def offer(self, currency):
        body = {"amount": 1000, "currency": currency, "payment_method": "credit_card", "customer_id": "cust_001",
                "payment_token": "tok_sync"}
        return self.bench.load(method="POST", path="/transactions", body=json.dumps(body), rate=RATE, connections=32,
                               seconds=2 * BROWN_S, unique_keys=f"brown-{self.mode}-{currency}-{time.monotonic_ns():x}")

    def is_open(self):
        return OPEN.search(self.bench.instance.request("GET", "/metrics").body.decode()) is not None

    def watch(self):
        """Until the brown-out is over."""
        began = time.monotonic()
        while time.monotonic() < began + BROWN_S:
            if self.opened_after_s is None and self.is_open():
                self.opened_after_s = time.monotonic() - began
            time.sleep(0.05)

    def run(self):
        """Well for as long as ill; then until all is over that was begun."""
        self.before_us = self.now_us()
        loads = [self.offer(ILL), self.offer(WELL)]
        time.sleep(BROWN_S)
        self.bench.instance.mode(self.mode, MODES[self.mode])
        self.began_us = self.now_us()
        self.watch()
        self.ended_us = self.now_us()
        self.bench.instance.mode("ok")
        for load in loads:
            result = self.bench.result(load)
            assert set(result["status"]) == {"201"} and not result["errors"], f"{self.mode}: {result}"
        deadline = time.monotonic() + SETTLE_S
        while self.bench.count(PENDING):
            assert time.monotonic() < deadline, f"payments are open {SETTLE_S} s after mode {self.mode}"
            time.sleep(0.5)
        return self

    # --- figures ---

    def took_us(self, from_us, until_us):
        """From accepted to completed, of the payments at the gateway that was well."""
        rows = self.bench.instance.sql(
            f"SELECT updated_at_us - created_at_us FROM transaction WHERE currency = '{WELL}' AND status = 'completed' AND "
            f"created_at_us BETWEEN {from_us} AND {until_us}")
        return [int(row[0]) for row in rows]

    def calls(self):
        """Charges that were tried at the ill gateway meanwhile: first ones, further ones; and what was offered."""
        first, further = self.bench.instance.sql(
            "SELECT COALESCE(SUM(number = 1), 0), COALESCE(SUM(number > 1), 0) FROM attempt WHERE gateway = 'alpha' AND "
            f"prepared_at_us BETWEEN {self.began_us} AND {self.ended_us}")[0]
        return int(first), int(further), RATE * BROWN_S


def quantile_99(values):
    return sorted(values)[int(len(values) * 0.99)]


def row_brown_out(bench):
    bench.restart()
    routes = bench.instance.dir / "etc" / "payops" / "routes.conf"
    browned = routes.with_name("routes-of-bench.conf")
    browned.write_text(ROUTES)
    apply = ["route", "apply", "--config", str(bench.instance.config), "--database-user", "root"]
    bench.instance.ctl(*apply, str(browned))
    time.sleep(1)   # it is looked at twice a second
    try:
        seen = [BrownOut(bench, mode).run() for mode in MODES]
    finally:
        bench.instance.heal()
        bench.instance.ctl(*apply, str(routes))
    return figures(seen)


def figures(seen):
    opened = {one.mode: one.opened_after_s for one in seen}
    assert all(opened.values()), f"a breaker did not open: {opened}"
    before = [took for one in seen for took in one.took_us(one.before_us, one.began_us)]
    meanwhile = [took for one in seen for took in one.took_us(one.began_us, one.ended_us)]
    calls = {one.mode: one.calls() for one in seen}
    added = {mode: 100 * further / offered for mode, (_, further, offered) in calls.items()}
    worst = max(added, key=added.get)
    return [Figure("the breaker opens after", max(opened.values()), "s",
                   ", ".join(f"{mode} {after:.1f} s" for mode, after in opened.items())),
            Figure("the other's p99", 100 * (quantile_99(meanwhile) / quantile_99(before) - 1), "%",
                   f"against without; accepted to completed {quantile_99(meanwhile) / 1000:.1f} ms and "
                   f"{quantile_99(before) / 1000:.1f} ms, of {len(meanwhile):,} and {len(before):,}"),
            Figure("calls that retries add", added[worst], "%",
                   f"of what was offered, worst in mode {worst}; first and further calls: " + ", ".join(
                       f"{mode} {first} and {further}" for mode, (first, further, _) in calls.items()))]
