# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the database alone could do of whole payments: the rows that one leaves behind, each inserted and changed as often as
apid does it, but by statements that make them within the database, a set at a time.

No program that keeps these rows can be faster on the machine: nothing is sent, parsed, looked up or asked of a gateway.
"""
import contextlib
import subprocess
import threading
import time

SET = 256  # payments in a commit, as in a full batch of apid's
AT = 1_795_900_000_000_000
FIRST = 1 << 40  # of the numbers that ids are made of; each connection has a range of its own


def ident(kind):
    """The 16 bytes of the id of this kind: ids of a kind follow each other, as those of apid's do."""
    return f"UNHEX(CONCAT('{kind}', LPAD(HEX(@base + seq), 30, '0')))"


TRANSACTION, OPERATION, ATTEMPT, EVENT, CALLBACK, GROUP = map(ident, ("0A", "0B", "0C", "0D", "0E", "0F"))
REFERENCE = "CONCAT('ope_0123456789abcdefghij-', @base + seq)"
GATEWAY_REF = "CONCAT('alpha_0123456789abcdef-', @base + seq)"
SEQUENCE = f"FROM seq_1_to_{SET}"  # a table of MariaDB's own


def insert(table, **values):
    return f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(map(str, values.values()))} {SEQUENCE}"


def update(table, kind, assignments):
    low, high = (f"UNHEX(CONCAT('{kind}', LPAD(HEX(@base + {end}), 30, '0')))" for end in (1, SET))
    return f"UPDATE {table} SET {assignments} WHERE id BETWEEN {low} AND {high}"


def event(sequence, name, attempt="NULL"):
    return insert("event", transaction_id=TRANSACTION, sequence=sequence, id=EVENT, merchant="'demo'", type=f"'{name}'",
                  operation_id=OPERATION, attempt_id=attempt, transaction_to="'processing'", operation_to="'processing'",
                  api_call_id="'0123456789abcdef'", at_us=AT + sequence)


def entry(line, account, debit, credit):
    return insert("ledger_entry", entry_group=GROUP, line=line, transaction_id=TRANSACTION, operation_id=OPERATION,
                  attempt_id=ATTEMPT, merchant="'demo'", gateway="'alpha'", gateway_account="''", account=f"'{account}'",
                  currency="'USD'", debit_minor=debit, credit_minor=credit, at_us=AT)


COMMITS = (
    (  # taken in
        insert("operation", id=OPERATION, transaction_id=TRANSACTION, merchant="'demo'", kind="'charge'", amount_minor=1000,
               status="'pending'", next_action="'send'", next_action_at_us=f"{AT} + seq",
               idempotency_key="CONCAT('alone-', @base + seq)", request_hashes="REPEAT('h', 130)", created_at_us=AT,
               updated_at_us=AT),
        insert("transaction", id=TRANSACTION, merchant="'demo'", customer="'cust_001'", kind="'payment'", amount_minor=1000,
               currency="'USD'", exponent=2, amount_form="'minor'", method="'credit_card'",
               description="'Payment for order #1234'", status="'pending'", version=1, created_at_us=f"{AT} + seq",
               updated_at_us=AT),
        event(1, "created"),
    ),
    (  # claimed
        insert("attempt", id=ATTEMPT, operation_id=OPERATION, transaction_id=TRANSACTION, merchant="'demo'", number=1,
               gateway="'alpha'", our_reference=REFERENCE, gateway_key=REFERENCE, status="'prepared'", send_by_us=AT + 5,
               lease_until_us=AT + 9, prepared_at_us=AT, updated_at_us=AT),
        update("operation", "0B", "status = 'processing', next_action = 'ask', attempt_count = 1, "
               "next_action_at_us = next_action_at_us + 60000000, route_rule = 'default', "
               f"route_candidates = 'alpha:ok,beta:ok,gamma:no_method', updated_at_us = {AT + 1}"),
        update("transaction", "0A", f"status = 'processing', version = 2, updated_at_us = {AT + 1}"),
        event(2, "attempt_prepared", ATTEMPT),
    ),
    (  # answered
        update("attempt", "0C", "status = 'accepted', class = 'definite', http_status = 202, answer_masked = REPEAT('m', 180), "
               "gateway_ref = CONCAT('alpha_', our_reference), answered_at_us = updated_at_us, "
               f"open_since_us = updated_at_us, updated_at_us = {AT + 2}"),
        update("operation", "0B", f"next_action_at_us = next_action_at_us + 600000000, updated_at_us = {AT + 2}"),
        update("transaction", "0A", f"status_reason = 'awaiting_gateway', version = 3, updated_at_us = {AT + 2}"),
        event(3, "attempt_accepted", ATTEMPT),
    ),
    (  # called back
        insert("callback", gateway="'alpha'", callback_key=f"MD5({CALLBACK})", id=CALLBACK, transaction_id=TRANSACTION,
               attempt_id=ATTEMPT, gateway_ref=GATEWAY_REF, our_reference=REFERENCE, word="'succeeded'", amount_minor=1000,
               currency="'USD'", body_sha256="REPEAT('x', 32)", body_masked="REPEAT('b', 250)", result="'applied'",
               received_at_us=AT),
        update("attempt", "0C", f"status = 'succeeded', updated_at_us = {AT + 3}"),
        update("operation", "0B", "status = 'succeeded', next_action = 'none', next_action_at_us = NULL, "
               f"updated_at_us = {AT + 3}"),
        update("transaction", "0A", "status = 'completed', status_reason = NULL, amount_captured = 1000, version = 4, "
               f"updated_at_us = {AT + 3}"),
        event(4, "attempt_succeeded", ATTEMPT),
        entry(1, "gateway_receivable", 1000, 0),
        entry(2, "merchant_payable", 0, 1000),
    ),
)
ROUND = ";\n".join(text for commit in COMMITS for text in ("START TRANSACTION", *commit, "COMMIT")) + ";\nSELECT 'done';\n"


def connection(bench, number, until, counted):
    """Whole payments, one set after the other."""
    client = subprocess.Popen(["mariadb", "--no-defaults", f"--socket={bench.instance.socket}", "--user=root", "--batch",
                               "--unbuffered", "--skip-column-names", "payops"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    base = FIRST * (number + 1)
    with contextlib.suppress(BrokenPipeError):
        while time.monotonic() < until:
            client.stdin.write(f"SET @base = {base};\n{ROUND}")
            client.stdin.flush()
            if client.stdout.readline() != "done\n":
                break
            counted[number] += SET
            base += SET
        client.stdin.close()
    if client.wait() != 0:
        counted[number] = 0


def payments_alone(bench, connections=2):
    """Payments a second of so many connections at once; 0: the database refused a statement."""
    counted = [0] * connections
    began = time.monotonic()
    threads = [threading.Thread(target=connection, args=(bench, number, began + bench.seconds, counted))
               for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted) / (time.monotonic() - began) if all(counted) else 0
