# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and acceptance beside many payments of before: what a page of each filter costs, and what accepting loses."""
import sys
import time

from table import Figure

CHUNK = 100_000     # payments a statement
SPREAD_US = 3_000_000  # between two of them, so that all are of the past
CUSTOMERS = 5_000
PAGE = 50
DIRTY = ("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
         "WHERE VARIABLE_NAME = 'INNODB_BUFFER_POOL_PAGES_DIRTY'")
CLEAN = 500     # pages: what was filled is written, and does not disturb what is measured
FLUSHED_S = 120

# Every hundredth is in NOK, every two-hundredth went to beta, every twentieth failed.
NUMBERS = f"seq_0_to_{CHUNK - 1}"  # a table of MariaDB's own: its column is seq
ROW = "({first} + seq)"
AT = f"({{begin}} + {ROW} * {SPREAD_US})"
ID = "UNHEX(CONCAT(LPAD(HEX(" + AT + " DIV 1000), 12, '0'), '{kind}', LPAD(HEX(" + ROW + "), 18, '0')))"
FAILED = f"{ROW} % 20 = 7"
FILLS = (
    "INSERT INTO transaction (id, merchant, customer, kind, amount_minor, currency, exponent, amount_form, method, "
    "status, version, amount_captured, failure_code, created_at_us, updated_at_us) "
    f"SELECT {ID}, 'demo', CONCAT('grown_', {ROW} % {CUSTOMERS}), 'payment', 1000, "
    f"IF({ROW} % 100 = 3, 'NOK', 'USD'), 2, 'minor', 'credit_card', IF({FAILED}, 'failed', 'completed'), 2, "
    f"IF({FAILED}, 0, 1000), IF({FAILED}, 'card_declined', NULL), {AT}, {AT} FROM {NUMBERS}".replace("{kind}", "0A"),
    "INSERT INTO operation (id, transaction_id, merchant, kind, amount_minor, status, next_action, attempt_count, "
    "idempotency_key, request_hashes, created_at_us, updated_at_us) "
    f"SELECT {ID.replace('{kind}', '0B')}, {ID.replace('{kind}', '0A')}, 'demo', 'charge', 1000, "
    f"IF({FAILED}, 'failed', 'succeeded'), 'none', 1, CONCAT('grown-', {ROW}), REPEAT('h', 66), {AT}, {AT} "
    f"FROM {NUMBERS}",
    "INSERT INTO attempt (id, operation_id, transaction_id, merchant, number, gateway, our_reference, gateway_key, "
    "gateway_ref, status, class, decline_code, send_by_us, lease_until_us, prepared_at_us, sent_at_us, answered_at_us, "
    "updated_at_us) "
    f"SELECT {ID.replace('{kind}', '0C')}, {ID.replace('{kind}', '0B')}, {ID.replace('{kind}', '0A')}, 'demo', 1, "
    f"IF({ROW} % 200 = 3, 'beta', 'alpha'), CONCAT('our_', {ROW}), CONCAT('key_', {ROW}), CONCAT('ref_', {ROW}), "
    f"IF({FAILED}, 'declined', 'succeeded'), 'definite', IF({FAILED}, 'card_declined', NULL), {AT} + 5, {AT} + 9, "
    f"{AT}, {AT} + 1, {AT} + 2, {AT} + 2 FROM {NUMBERS}",
)
PAGES = {
    "a customer's": "/customers/grown_17/transactions?",
    "all": "/transactions?",
    "one status": "/transactions?status=failed&",
    "one customer": "/transactions?customer_id=grown_17&",
    "a currency, 1 %": "/transactions?currency=NOK&",
    "a gateway, 0.5 %": "/transactions?gateway=beta&",
}


def fill(bench, rows):
    """Settled payments of a long past, in whole chunks."""
    sql = bench.instance.sql
    sql("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0.1")
    begin = bench.count("SELECT FLOOR(UNIX_TIMESTAMP() * 1000000)") - (rows + CHUNK) * SPREAD_US
    for first in range(0, rows, CHUNK):
        for text in FILLS:
            sql("SET unique_checks = 0, foreign_key_checks = 0; " + text.format(first=first, begin=begin))
        print(f"    {first + CHUNK:,} of {rows:,} payments", end="\r" if first + CHUNK < rows else "\n",
              file=sys.stderr, flush=True)
    for table in ("transaction", "operation", "attempt"):
        sql(f"ANALYZE TABLE {table}")
    write_out(bench)


def write_out(bench):
    """Wait until what was filled is on the disk, so that it is not written beside what is measured."""
    deadline = time.monotonic() + FLUSHED_S
    while time.monotonic() < deadline and bench.count(DIRTY) > CLEAN:
        time.sleep(0.5)


def page_figure(bench, name, path):
    """One connection asks for the first page again and again."""
    load = {"connections": 1, "path": f"{path}limit={PAGE}"}
    bench.result(bench.load(**load, seconds=1))
    result = bench.result(bench.load(**load, seconds=3))
    bench.answered(result, 200)
    return Figure(name, result["p99_us"] / 1000, "ms", f"p99 of a page of {PAGE}; p50 {result['p50_us'] / 1000:.2f} ms")


def row_grown(bench):
    accept = {"connections": 256}
    bench.restart()
    bench.result(bench.payments(**accept, seconds=2))
    empty = bench.answered(bench.result(bench.payments(**accept)), 201)
    bench.restart()
    fill(bench, bench.rows)
    figures = [page_figure(bench, name, path) for name, path in PAGES.items()]
    bench.result(bench.payments(**accept, seconds=2))
    grown = bench.answered(bench.result(bench.payments(**accept)), 201)
    note = f"{grown:,.0f}/s beside {bench.rows:,} payments, {empty:,.0f}/s beside none"
    bench.restart()
    return [*figures, Figure("acceptance kept", 100 * grown / empty, "%", note)]
