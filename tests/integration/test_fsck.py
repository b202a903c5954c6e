# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""payopsctl fsck: clean on a busy instance; a wrong row in a copy of the database is named, with which exit status."""
import re
import subprocess
import threading

import pytest

from support import pay_id, sql_id

EX_DATAERR, EX_UNAVAILABLE, EX_CONFIG = 65, 69, 78
SCRATCH = "payops_fsck_scratch"
TABLES = ("schema_migration", "merchant", "transaction", "operation", "attempt", "callback", "event", "exception",
          "ledger_entry")
CHECKED = re.compile(r"ok +I\d+ +[a-z-]+ +\d+ rows|- +I\d+ +[a-z-]+ +not applicable yet: .+")


def fsck(payops, *words, config=None):
    return subprocess.run([payops.programs / "payopsctl", "fsck", "--config", str(config or payops.config), *words],
                          text=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)


def wrong_lines(done):
    return [line for line in done.stdout.splitlines() if line.startswith("WRONG")]


@pytest.fixture(scope="module")
def copy(shared, tmp_path_factory):
    """Two payments in a database without constraints, and the configuration that leads to it."""
    shared.start()
    shared.mode("ok")
    ids = [pay_id(shared, "tok_ok") for _ in range(2)]
    for transaction_id in ids:
        shared.await_status(transaction_id, ("completed",))
    wanted = ", ".join(sql_id(transaction_id) for transaction_id in ids)
    rows = {"schema_migration": "TRUE", "merchant": "TRUE", "transaction": f"id IN ({wanted})"}
    shared.sql(f"DROP DATABASE IF EXISTS {SCRATCH}; CREATE DATABASE {SCRATCH}; " + "; ".join(
        f"CREATE TABLE {SCRATCH}.{table} AS SELECT * FROM payops.{table} "
        f"WHERE {rows.get(table, f'transaction_id IN ({wanted})')}" for table in TABLES))
    # The other tables empty, and the names of the keys: so that every statement can be prepared.
    others = [row[0] for row in shared.sql("SHOW TABLES") if row[0] not in TABLES]
    keys = shared.sql("SELECT DISTINCT table_name, index_name, column_name FROM information_schema.statistics WHERE "
                      f"table_schema = 'payops' AND seq_in_index = 1 AND table_name IN {TABLES}")
    shared.sql(f"USE {SCRATCH}; " + "; ".join(
        [f"CREATE TABLE {table} LIKE payops.{table}" for table in others]
        + [f"ALTER TABLE {table} ADD KEY {name} ({column})" for table, name, column in keys if name != "PRIMARY"]
        + [f"ALTER TABLE {table} ADD PRIMARY KEY (id)" for table in ("transaction", "operation", "attempt")]))
    # What is beside the configuration file is found from it.
    text = shared.config.read_text()
    assert text.count('name = "payops";') == 1
    path = shared.config.with_name("fsck-scratch.conf")
    path.write_text(text.replace('name = "payops";', f'name = "{SCRATCH}";'))
    path.chmod(0o600)
    yield shared, path, ids
    path.unlink()
    shared.sql(f"DROP DATABASE {SCRATCH}")


def planted(copy, statement, *words):
    """fsck over the copy with a change that is taken back afterwards."""
    payops, path, ids = copy
    table = statement.split()[1]
    payops.sql(f"USE {SCRATCH}; CREATE OR REPLACE TABLE kept AS SELECT * FROM {table}; "
               + statement.format(*map(sql_id, ids)))
    try:
        return fsck(payops, "--database-user", "root", *words, config=path)
    finally:
        payops.sql(f"USE {SCRATCH}; DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept")


def test_fsck_is_clean_while_payments_are_made(payops):
    ended = threading.Event()

    def pay():
        while not ended.is_set():
            pay_id(payops, "tok_ok")

    payers = [threading.Thread(target=pay) for _ in range(4)]
    for payer in payers:
        payer.start()
    try:
        runs = [fsck(payops, "--all") for _ in range(3)]
    finally:
        ended.set()
        for payer in payers:
            payer.join()

    for done in runs:
        assert done.returncode == 0, done.stdout
        assert done.stderr == ""
        assert all(CHECKED.fullmatch(line) for line in done.stdout.splitlines())
        for invariant in ("I3", "I4", "I5", "I6", "I12"):
            assert f" {invariant} " in done.stdout
        assert "I9   audit-chain                 not applicable yet" in done.stdout


def test_fsck_finds_a_copy_clean(copy):
    payops, path, _ = copy
    done = fsck(payops, "--database-user", "root", config=path)

    assert done.returncode == 0 and done.stderr == "", done.stdout
    assert "last-event-agrees           2 rows" in done.stdout


@pytest.mark.parametrize("statement, name, detail", [
    ("UPDATE transaction SET amount_captured = amount_captured - 1 WHERE id = {1}", "I3   captured-is-succeeded",
     "captured 999, succeeded charges and captures make 1000"),
    ("UPDATE transaction SET status = 'pending' WHERE id = {1}", "I3   captured-fits-status",
     "is pending with 1000 captured"),
    ("UPDATE event SET transaction_from = 'failed' WHERE transaction_to = 'completed' AND transaction_id = {1}",
     "I4   transaction-steps", "goes from failed to completed, which is not allowed"),
    ("UPDATE attempt SET status = 'declined' WHERE transaction_id = {1}", "I4   attempt-event-agrees",
     "is declined, but its last event says succeeded"),
    ("UPDATE operation SET attempt_count = 7 WHERE transaction_id = {1}", "I5   attempts-counted", "counts 7 attempts"),
    ("UPDATE ledger_entry SET credit_minor = credit_minor - 1 WHERE line = 2 AND transaction_id = {1}",
     "I6   ledger-groups", "its debits make 1000 USD, its credits 999"),
    ("UPDATE operation SET next_action = 'ask', next_action_at_us = 1 WHERE transaction_id = {1}", "I7   next-action",
     "is succeeded with next action ask at 1"),
    ("UPDATE transaction SET version = version + 1 WHERE id = {1}", "I12  events-without-gaps", "is at version "),
])
def test_fsck_names_the_first_wrong_row(copy, statement, name, detail):
    done = planted(copy, statement)
    wrong = wrong_lines(done)

    assert done.returncode == EX_DATAERR, done.stdout
    assert done.stderr == "payopsctl: a row is wrong: the one named above; --all goes on after it\n"
    assert len(wrong) == 1 and done.stdout.endswith(f"{wrong[0]}\n")
    assert name in wrong[0] and detail in wrong[0]
    assert copy[2][1] in wrong[0] and copy[2][0] not in wrong[0]


def test_fsck_all_goes_on_and_names_several_of_each(copy):
    done = planted(copy, "UPDATE transaction SET status = 'processing', version = 9", "--all")
    wrong = wrong_lines(done)

    assert done.returncode == EX_DATAERR
    for name in ("last-event-agrees", "charge-fits-transaction", "events-without-gaps"):
        lines = [line for line in wrong if f" {name} " in line]
        assert len(lines) == 2
        assert [transaction_id in line for transaction_id, line in zip(sorted(copy[2]), lines)] == [True, True]
    assert re.search(r"^ok .* published-in-order ", done.stdout, re.MULTILINE)


def test_fsck_tells_a_database_it_cannot_read_from_wrong_rows(copy, tmp_path):
    payops, path, _ = copy
    away = fsck(payops, "--database-socket", str(tmp_path / "none.sock"))
    denied = fsck(payops, config=path)
    old = planted(copy, "UPDATE schema_migration SET version = 0", "--all")

    assert away.returncode == denied.returncode == EX_UNAVAILABLE
    assert old.returncode == EX_CONFIG and "payopsctl migrate up" in old.stderr
    for done in (away, denied, old):
        assert done.stdout == ""
