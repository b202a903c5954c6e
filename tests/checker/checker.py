#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what clients were told, what the database says and what the gateway's own ledger says.

    checker.py --history FILE --mysql "CLIENT ARGUMENTS" --sandbox URL [--settled]

FILE has one JSON object a line for each acknowledged payment: transaction_id, amount (integer: minor units, text: major
units), currency, merchant, status (of HTTP: 201 promises that it exists, 202 does not) and payment_token. A line with
only forged_callback_id names a callback that was refused, and so may not be in the database.

This program shares no code and no tables with payops: ids, states and sums are judged anew, from the design. It reads
the database in one snapshot through the mariadb client. With --settled nothing may be under way any more.

Prints "INVARIANT ID: what is wrong" for each violation and a closing line.
Exit status: 0 all invariants hold, 1 violations, 2 could not check.
"""
import argparse
import collections
import decimal
import json
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

# Every status with those it may be left for; one without any is never left.
TRANSACTION_STEPS = {
    "pending": "processing cancelled parked",
    "processing": "authorised completed failed parked",
    "authorised": "completed cancelled",
    "parked": "processing authorised completed failed",
    "completed": "",
    "failed": "",
    "cancelled": "",
}
OPERATION_STEPS = {
    "awaiting_approval": "pending cancelled",
    "pending": "processing cancelled parked",
    "processing": "succeeded failed parked",
    "parked": "processing succeeded failed",
    "succeeded": "reversed returned",
    "failed": "",
    "cancelled": "",
    "reversed": "",
    "returned": "",
}
ATTEMPT_STEPS = {
    "prepared": "sent accepted requires_action succeeded declined not_sent unknown",
    "sent": "accepted requires_action succeeded declined unknown",
    "accepted": "requires_action succeeded declined",
    "requires_action": "accepted succeeded declined",
    "unknown": "accepted requires_action succeeded declined not_found",
    "succeeded": "",
    "declined": "",
    "not_sent": "",
    "not_found": "",
}
# Where no gateway is left before anything was sent, a payment begins and fails in one step.
BEGUN_AND_FAILED = "route_exhausted"
TRANSACTION_FINAL = {"completed", "failed", "cancelled"}
OPERATION_FINAL = {"succeeded", "failed", "cancelled", "reversed", "returned"}
UNCHARGED = {"declined", "not_sent", "not_found"}
UNSETTLED = {"prepared", "sent", "accepted", "requires_action", "unknown"}
MONEY_KINDS = {"charge", "authorise", "payout"}
MOVES = {"charge", "capture", "refund", "payout"}  # operations with which a gateway moves money
OPEN = {"awaiting_approval", "pending", "processing", "parked"}
# What the one money operation of a transaction must be when the transaction is this.
OPERATION_OF = {"pending": "pending", "processing": "processing", "completed": "succeeded", "failed": "failed",
                "cancelled": "cancelled", "parked": "parked"}

TABLES = {
    "transaction": ("id merchant kind amount_minor currency exponent status version amount_captured amount_refunded"
                    " failure_code"),
    "operation": ("id transaction_id merchant kind amount_minor status next_action next_action_at_us attempt_count"
                  " payment_token_sealed cancel_wished_at_us surplus"),
    "attempt": ("id operation_id transaction_id merchant number gateway our_reference gateway_key status"
                " lease_until_us contradicted_at_us"),
    "callback": "gateway callback_key transaction_id attempt_id amount_minor currency body_sha256 result",
    "event": ("transaction_id sequence type operation_id attempt_id transaction_from transaction_to operation_from"
              " operation_to attempt_from attempt_to api_call_id at_us"),
    "exception": "kind transaction_id attempt_id",
    "ledger_entry": "entry_group transaction_id merchant gateway account currency debit_minor credit_minor",
}
BINARY = {"id", "transaction_id", "operation_id", "attempt_id", "body_sha256", "callback_key", "api_call_id",
          "payment_token_sealed", "our_reference", "gateway_key", "entry_group"}
NUMBERS = re.compile(r"_minor$|_us$|^(number|sequence|version|exponent|attempt_count|amount_captured|amount_refunded"
                     r"|surplus)$")


class CannotCheck(Exception):
    """Something that is needed to judge could not be read."""


# --- values ---

def id_decode(text, prefix):
    """The 16 bytes of a wire id, as upper-case hex."""
    digits = text.removeprefix(prefix)
    if not text.startswith(prefix) or len(digits) != 26 or any(digit not in CROCKFORD for digit in digits):
        raise ValueError(f"{text!r} is no {prefix} id")
    number = 0
    for digit in digits:
        number = number * 32 + CROCKFORD.index(digit)
    if number >= 1 << 128:
        raise ValueError(f"{text!r} has more than 128 bits")
    return f"{number:032X}"


def id_encode(prefix, hexadecimal):
    number = int(hexadecimal, 16)
    return prefix + "".join(CROCKFORD[number >> 5 * place & 31] for place in range(25, -1, -1))


def transaction_name(hexadecimal):
    return "no transaction" if hexadecimal is None else id_encode("trans_", hexadecimal)


def exponent_of(currency):
    for exponent, currencies in EXPONENTS.items():
        if currency in currencies.split():
            return exponent
    return 2


def minor_of(amount, currency):
    """Minor units of what a client sent."""
    if isinstance(amount, int):
        return amount
    scaled = decimal.Decimal(amount).scaleb(exponent_of(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount!r} {currency} has too many decimals")
    return int(scaled)


# --- reading ---

def read_history(path):
    try:
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise CannotCheck(f"history {path}: {error}") from error


def row_read(table, cells):
    names = TABLES[table].split()
    row = {}
    for name, cell in zip(names, cells, strict=True):
        if cell == "NULL":
            row[name] = None
        elif NUMBERS.search(name):
            row[name] = int(cell)
        elif name in ("our_reference", "gateway_key", "callback_key"):
            row[name] = bytes.fromhex(cell).decode("latin-1")
        else:
            row[name] = cell
    return row


def read_database(client_arguments):
    """Every table's rows, of one moment."""
    selects = ["START TRANSACTION WITH CONSISTENT SNAPSHOT"]
    for table, names in TABLES.items():
        columns = ", ".join(f"HEX({name})" if name in BINARY else name for name in names.split())
        selects.append(f"SELECT '{table}', {columns} FROM {table}")
    command = ["mariadb", *shlex.split(client_arguments), "--batch", "--skip-column-names", "-e", "; ".join(selects)]
    try:
        done = subprocess.run(command, check=True, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotCheck(f"database: {error} {getattr(error, 'stderr', '')}") from error
    rows = {table: [] for table in TABLES}
    for line in done.stdout.splitlines():
        table, *cells = line.split("\t")
        rows[table].append(row_read(table, cells))
    return rows


def read_ledger(url):
    """Every operation the gateways ever decided."""
    try:
        with urllib.request.urlopen(url.rstrip("/") + "/_sandbox/ledger", timeout=60) as answer:
            return json.load(answer)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise CannotCheck(f"sandbox {url}: {error}") from error


# --- judging ---

class Checker:
    def __init__(self, history, rows, ledger, settled):
        self.rows = rows
        self.ledger = ledger
        self.settled = settled
        self.acknowledged = [line for line in history if "transaction_id" in line]
        self.forged = [line["forged_callback_id"] for line in history if "forged_callback_id" in line]
        self.violations = []
        self.transactions = {row["id"]: row for row in rows["transaction"]}
        self.operations = {row["id"]: row for row in rows["operation"]}
        self.attempts = {row["id"]: row for row in rows["attempt"]}
        self.operations_of = self.grouped("operation", "transaction_id")
        self.attempts_of = self.grouped("attempt", "operation_id")
        self.attempts_by = self.grouped("attempt", "transaction_id")
        self.events_of = self.grouped("event", "transaction_id")
        self.late_successes = collections.Counter(
            row["transaction_id"] for row in rows["exception"] if row["kind"] == "late_success")
        self.unwanted_successes = {
            row["transaction_id"] for row in rows["exception"] if row["kind"] == "unwanted_success"}
        self.came_back = {row["attempt_id"] for row in rows["event"] if row["type"] == "late_success_reversed"}
        self.entries_of = self.grouped("ledger_entry", "transaction_id")
        self.moved = collections.defaultdict(list)  # by transaction and kind: what the gateways' ledger says succeeded
        self.done = collections.Counter()  # by operation: how often it succeeded at the gateways

    def grouped(self, table, column):
        groups = collections.defaultdict(list)
        for row in self.rows[table]:
            groups[row[column]].append(row)
        return groups

    def violation(self, invariant, subject, text):
        self.violations.append((invariant, subject, text))

    def run(self):
        self.check_acknowledged()
        self.check_unique_rows()
        self.check_groups()
        self.check_ledger_lines()
        for transaction in self.rows["transaction"]:
            self.check_charges(transaction)
            self.check_sums(transaction)
            self.check_ledger(transaction)
            self.check_replay(transaction)
            self.check_end(transaction)
        for operation in self.rows["operation"]:
            self.check_done(operation)
            self.check_keys(operation)
            self.check_live(operation)
            self.check_next_action(operation)
        self.check_strays()
        self.check_callbacks()
        if self.settled:
            self.check_settled()
        return sorted(set(self.violations))

    # I1: every acknowledged transaction exists exactly once, as it was ordered.

    def check_acknowledged(self):
        for line in self.acknowledged:
            name = line["transaction_id"]
            try:
                row = self.transactions.get(id_decode(name, "trans_"))
                amount = minor_of(line["amount"], line["currency"])
            except (ValueError, ArithmeticError) as error:
                self.violation("I1", name, f"was acknowledged, but {error}")
                continue
            if row is None:
                if line["status"] != 202:
                    self.violation("I1", name, "was acknowledged and is not in the database")
                continue
            for member, said, stored in (("amount", amount, row["amount_minor"]),
                                         ("currency", line["currency"], row["currency"]),
                                         ("merchant", line["merchant"], row["merchant"])):
                if said != stored:
                    self.violation("I1", name, f"{member} was {said}, the database says {stored}")

    def check_unique_rows(self):
        for table, invariant in (("transaction", "I1"), ("operation", "I2"), ("attempt", "I2")):
            counts = collections.Counter(row["id"] for row in self.rows[table])
            for identity, count in counts.items():
                if count > 1:
                    self.violation(invariant, transaction_name(identity), f"{table} row is there {count} times")

    # I2: the gateway charged at most once.

    def attempt_of_line(self, line):
        try:
            return self.attempts.get(id_decode(line["attempt"], "att_"))
        except ValueError:
            return None

    def check_ledger_lines(self):
        for line in self.ledger:
            if line["outcome"] != "succeeded":
                continue
            attempt = self.attempt_of_line(line)
            if attempt is not None:
                self.done[attempt["operation_id"]] += 1
            if line["operation"] not in MOVES:
                continue
            if attempt is None:
                self.violation("I2", line["attempt"], f"the gateway did a {line['operation']} for an attempt that is "
                                                      "not in the database")
                continue
            self.moved[attempt["transaction_id"], line["operation"]].append(line)
            if line["reference"] != attempt["our_reference"]:
                self.violation("I2", transaction_name(attempt["transaction_id"]),
                               f"the gateway knows {line['reference']}, the attempt says {attempt['our_reference']}")

    def check_charges(self, transaction):
        """One charge or payout, and captures and refunds that fit."""
        name = transaction_name(transaction["id"])
        status = transaction["status"]
        surplus = self.late_successes[transaction["id"]]
        wanted = 0 if status in ("failed", "cancelled") else 1
        kinds = {row["kind"] for row in self.operations_of[transaction["id"]]}
        for kind in ("charge", "payout"):
            lines = self.moved[transaction["id"], kind]
            word = "charged" if kind == "charge" else "paid out"
            if len(lines) > wanted + surplus:
                self.violation("I2", name, f"is {status} and was {word} {len(lines)} times, "
                                           f"{surplus} of them named by an exception")
            if status == "completed" and kind in kinds and not lines:
                self.violation("I2", name, f"is completed and was never {word}")
            for line in lines:
                if (line["amount_minor"], line["currency"]) != (transaction["amount_minor"], transaction["currency"]):
                    self.violation("I2", name, f"was {word} {line['amount_minor']} {line['currency']} instead of "
                                               f"{transaction['amount_minor']} {transaction['currency']}")
        self.check_parts(transaction, name)

    def check_done(self, operation):
        """Whatever it is, the gateways do it once; what they did late is named by the attempt."""
        name, status = transaction_name(operation["transaction_id"]), operation["status"]
        done = self.done[operation["id"]]
        late = sum(row["contradicted_at_us"] is not None for row in self.attempts_of[operation["id"]])
        if done > (status not in ("failed", "cancelled")) + late:
            self.violation("I2", name, f"has a {operation['kind']} that is {status} and was done {done} times, "
                                       f"{late} of them known to be late")
        if status in ("succeeded", "reversed", "returned") and not done:
            self.violation("I2", name, f"has a {operation['kind']} that is {status} and was never done")

    def check_parts(self, transaction, name):
        """What the gateways captured and gave back."""
        def sum_of(kind):
            return sum(line["amount_minor"] for line in self.moved[transaction["id"], kind])

        taken = sum_of("charge") + sum_of("capture")
        reversed_since = sum(line["amount_minor"] for line in self.moved[transaction["id"], "refund"]
                             if line.get("turned") is not None)
        if sum_of("refund") - reversed_since > taken and not self.late_successes[transaction["id"]]:
            self.violation("I3", name, f"the gateways took {taken} and gave back {sum_of('refund')}")
        if sum_of("capture") > transaction["amount_minor"] and not self.late_successes[transaction["id"]]:
            self.violation("I3", name, f"the gateways captured {sum_of('capture')} of {transaction['amount_minor']}")
        given = sum(row["amount_minor"] for row in self.operations_of[transaction["id"]]
                    if row["kind"] == "refund" and row["status"] in ("succeeded", "reversed"))
        if sum_of("refund") < given:
            self.violation("I2", name, f"has refunds of {given}, the gateways gave back {sum_of('refund')}")

    def check_keys(self, operation):
        """One family of gateway keys at each gateway; its number rises only after a definite decline there."""
        name = transaction_name(operation["transaction_id"])
        attempts = sorted(self.attempts_of[operation["id"]], key=lambda row: row["number"])
        if [row["number"] for row in attempts] != list(range(1, operation["attempt_count"] + 1)):
            self.violation("I2", name, f"has attempts {[row['number'] for row in attempts]}, "
                                       f"its operation counts {operation['attempt_count']}")
        declines = collections.Counter()
        for attempt in attempts:
            key = f"{id_encode('op_', operation['id'])}-{declines[attempt['gateway']] + 1}"
            if attempt["gateway_key"] != key:
                self.violation("I2", name, f"attempt {attempt['number']} used the gateway key "
                                           f"{attempt['gateway_key']} where only {key} is safe")
            declines[attempt["gateway"]] += attempt["status"] == "declined"

    def check_live(self, operation):
        live = [row for row in self.attempts_of[operation["id"]] if row["status"] not in UNCHARGED]
        if len(live) > 1:
            self.violation("I2", transaction_name(operation["transaction_id"]),
                           f"has {len(live)} attempts that are not definitely uncharged")

    # I3: what we say was captured is what succeeded.

    def check_sums(self, transaction):
        name = transaction_name(transaction["id"])
        operations = self.operations_of[transaction["id"]]

        def total(kinds, statuses):
            return sum(row["amount_minor"] for row in operations
                       if row["kind"] in kinds and row["status"] in statuses and not row["surplus"])

        captured = total({"charge", "capture"}, {"succeeded"})
        if transaction["amount_captured"] != captured:
            self.violation("I3", name, f"says captured {transaction['amount_captured']}, "
                                       f"its succeeded operations make {captured}")
        refunded = total({"refund"}, {"succeeded"})
        if transaction["amount_refunded"] != refunded:
            self.violation("I3", name, f"says refunded {transaction['amount_refunded']}, "
                                       f"its succeeded refunds make {refunded}")
        reserved = total({"refund"}, {"succeeded", "pending", "processing", "parked", "awaiting_approval"})
        if reserved > captured:
            self.violation("I3", name, f"reserves refunds of {reserved} of {captured} captured")
        if captured > transaction["amount_minor"]:
            self.violation("I3", name, f"captured {captured} of {transaction['amount_minor']}")
        if transaction["status"] == "completed" and transaction["kind"] != "withdrawal":
            charged = sum(line["amount_minor"] for line in self.moved[transaction["id"], "charge"][:1])
            charged += sum(line["amount_minor"] for line in self.moved[transaction["id"], "capture"])
            if charged != captured:
                self.violation("I3", name, f"captured {captured}, the gateway's ledger says {charged}")
        authorised = total({"authorise"}, {"succeeded"})
        captures = total({"capture"}, OPEN | {"succeeded"})
        if captures > authorised:
            self.violation("I3", name, f"reserves captures of {captures} of {authorised} authorised")

    # I6: the ledger's postings sum to zero and say what the rows say.

    def check_groups(self):
        sums = collections.defaultdict(int)
        for entry in self.rows["ledger_entry"]:
            sums[entry["entry_group"], entry["currency"], entry["transaction_id"]] += (
                entry["debit_minor"] - entry["credit_minor"])
        for (group, currency, transaction), total in sums.items():
            if total != 0:
                self.violation("I6", transaction_name(transaction), f"entry group {group} is off by {total} {currency}")

    def check_ledger(self, transaction):
        operations = self.operations_of[transaction["id"]]
        kind_of = {row["id"]: (row["kind"], row["amount_minor"]) for row in operations}

        def total(kind, statuses, surplus=0):
            return sum(row["amount_minor"] for row in operations
                       if row["kind"] == kind and row["status"] in statuses and row["surplus"] == surplus)

        captured = total("charge", {"succeeded"}) + total("capture", {"succeeded"})
        refunded, refunding = total("refund", {"succeeded"}), total("refund", OPEN)
        paid, paying = total("payout", {"succeeded"}), total("payout", OPEN)
        found = given = paid_late = unknown = 0
        for attempt in self.attempts_by[transaction["id"]]:
            kind, amount = kind_of.get(attempt["operation_id"], (None, 0))
            late = attempt["contradicted_at_us"] is not None and attempt["id"] not in self.came_back
            if kind in ("charge", "capture"):
                found += amount if late else 0
                unknown += amount if attempt["status"] == "unknown" else 0
            elif late:
                given += amount if kind == "refund" else 0
                paid_late += amount if kind == "payout" else 0
        surplus = found - given - total("refund", {"succeeded"}, surplus=1)
        wanted = {"gateway_receivable": captured - refunded + surplus, "surplus_owed": paid_late - surplus,
                  "merchant_payable": refunded + refunding + paid + paying - captured,
                  "refunds_in_flight": -refunding, "payouts_in_flight": -paying, "gateway_float": -paid - paid_late,
                  "suspense_receivable": unknown, "suspense_payable": -unknown}
        booked = collections.Counter()
        for entry in self.entries_of[transaction["id"]]:
            booked[entry["account"]] += entry["debit_minor"] - entry["credit_minor"]
        for account in sorted(wanted.keys() | booked.keys()):
            if booked[account] != wanted.get(account, 0):
                self.violation("I6", transaction_name(transaction["id"]),
                               f"the ledger has {booked[account]} in {account}, the rows make {wanted.get(account, 0)}")

    # I4: every transition is allowed and has an event.

    def check_step(self, name, what, steps, before, after, event_type):
        if before == after or after in steps.get(before, "").split():
            return
        if event_type == BEGUN_AND_FAILED and (before, after) == ("pending", "failed"):
            return
        if before in steps and not steps[before]:
            self.violation("I4", name, f"{what} left its final state {before} for {after}")
        else:
            self.violation("I4", name, f"{what} went from {before} to {after}, which is not in the table")

    def replay_object(self, name, what, steps, known, identity, before, after, event_type):
        """One object's part of an event: it starts where the last event left it, and moves as allowed."""
        if identity not in known:
            if before is not None:
                self.violation("I4", name, f"{what} starts from {before}")
        elif before != known[identity]:
            self.violation("I4", name, f"{what} was {known[identity]}, the next event starts from {before}")
        else:
            self.check_step(name, what, steps, before, after, event_type)
        known[identity] = after

    def check_replay(self, transaction):
        name = transaction_name(transaction["id"])
        events = sorted(self.events_of[transaction["id"]], key=lambda row: row["sequence"])
        sequences = [row["sequence"] for row in events]
        if sequences != list(range(1, transaction["version"] + 1)):
            self.violation("I4", name, f"is at version {transaction['version']} and has the events {sequences}")
        statuses, operations, attempts = {}, {}, {}
        for event in events:
            if event["attempt_id"] is not None and event["attempt_from"] is None:
                self.check_retry(name, event, attempts)
            self.replay_object(name, "transaction", TRANSACTION_STEPS, statuses, transaction["id"],
                               event["transaction_from"], event["transaction_to"], event["type"])
            if event["operation_id"] is not None:
                self.replay_object(name, "operation", OPERATION_STEPS, operations, event["operation_id"],
                                   event["operation_from"], event["operation_to"], event["type"])
            if event["attempt_id"] is not None:
                self.replay_object(name, "attempt", ATTEMPT_STEPS, attempts, event["attempt_id"],
                                   event["attempt_from"], event["attempt_to"], event["type"])
                self.check_not_found(name, event)
        self.check_last(name, "transaction", statuses, {transaction["id"]: transaction})
        self.check_last(name, "operation", operations,
                        {row["id"]: row for row in self.operations_of[transaction["id"]]})
        self.check_last(name, "attempt", attempts, {row["id"]: row for row in self.attempts_by[transaction["id"]]})

    def check_retry(self, name, event, attempts):
        """Another attempt only when every earlier one of its operation is definitely uncharged."""
        operation = event["operation_id"]
        for identity, status in attempts.items():
            same = self.attempts.get(identity, {}).get("operation_id") == operation
            if same and status not in UNCHARGED:
                self.violation("I2", name, f"event {event['sequence']} began another attempt while one was {status}")

    def check_not_found(self, name, event):
        attempt = self.attempts.get(event["attempt_id"])
        if event["attempt_to"] == "not_found" and attempt and event["at_us"] < attempt["lease_until_us"]:
            self.violation("I2", name, "an attempt was called not found while its sender could still have sent it")

    def check_last(self, name, what, replayed, rows):
        for identity in replayed.keys() | rows.keys():
            shown = rows[identity]["status"] if identity in rows else "absent"
            told = replayed.get(identity, "not told of")
            if shown != told:
                self.violation("I4", name, f"{what} is {shown}, its last event says {told}")

    def check_end(self, transaction):
        """Transaction and money operation agree; a failure says why."""
        name = transaction_name(transaction["id"])
        money = [row for row in self.operations_of[transaction["id"]] if row["kind"] in MONEY_KINDS]
        if len(money) != 1:
            self.violation("I4", name, f"has {len(money)} operations that charge, authorise or pay out")
        for operation in money:
            wanted = OPERATION_OF.get(transaction["status"], operation["status"])
            if operation["kind"] == "charge" and operation["status"] != wanted:
                self.violation("I4", name, f"is {transaction['status']}, its operation is {operation['status']}")
            wished = operation["cancel_wished_at_us"] is not None and operation["status"] == "succeeded"
            # An authorisation that nobody wants any more is released instead.
            if operation["kind"] != "authorise" and wished != (transaction["id"] in self.unwanted_successes):
                self.violation("I4", name, f"succeeded {'without' if wished else 'with'} an exception unwanted_success, "
                                           f"its cancellation was {'' if wished else 'not '}wished before")
        if (transaction["status"] == "failed") != (transaction["failure_code"] is not None):
            self.violation("I4", name, f"is {transaction['status']} with failure code {transaction['failure_code']}")
        if transaction["status"] not in TRANSACTION_FINAL and all(
                row["status"] in OPERATION_FINAL for row in self.operations_of[transaction["id"]]):
            self.violation("I7", name, f"is {transaction['status']} and nothing will move it")

    def check_strays(self):
        """Rows that belong to no transaction: something was half written."""
        for table in ("operation", "attempt", "event"):
            for row in self.rows[table]:
                if row["transaction_id"] not in self.transactions:
                    self.violation("I1", transaction_name(row["transaction_id"]),
                                   f"is not in the database, yet has rows in {table}")

    # I7: what is not final will be moved; nothing is forgotten.

    def check_next_action(self, operation):
        name = transaction_name(operation["transaction_id"])
        final = operation["status"] in OPERATION_FINAL
        idle = operation["next_action"] == "none" or operation["next_action_at_us"] is None
        # Asked whether it was taken back.
        doubted = (operation["status"] == "succeeded" and operation["kind"] in ("refund", "payout")
                   and operation["next_action"] == "ask" and not idle)
        if final != idle and not doubted:
            self.violation("I7", name, f"operation is {operation['status']} with next action "
                                       f"{operation['next_action']} at {operation['next_action_at_us']}")
        if final and operation["payment_token_sealed"] is not None:
            self.violation("I10", name, "is final and its payment token is still kept")

    def check_settled(self):
        for attempt in self.rows["attempt"]:
            operation = self.operations.get(attempt["operation_id"])
            parked = operation is not None and operation["status"] == "parked"
            if attempt["status"] in UNSETTLED and not parked:
                self.violation("I7", transaction_name(attempt["transaction_id"]),
                               f"attempt {attempt['number']} is still {attempt['status']}")
        for transaction in self.rows["transaction"]:
            if transaction["status"] not in TRANSACTION_FINAL | {"parked", "authorised"}:
                self.violation("I7", transaction_name(transaction["id"]), f"is still {transaction['status']}")

    # I8: each valid callback has one effect, no forged one has any.

    def check_callbacks(self):
        keys = collections.Counter((row["gateway"], row["callback_key"]) for row in self.rows["callback"])
        bodies = collections.Counter((row["gateway"], row["body_sha256"]) for row in self.rows["callback"])
        for row in self.rows["callback"]:
            name = transaction_name(row["transaction_id"])
            key = row["callback_key"]
            if keys[row["gateway"], key] > 1 or bodies[row["gateway"], row["body_sha256"]] > 1:
                self.violation("I8", name, f"callback {key} is there more than once")
            if key in self.forged:
                self.violation("I8", name, f"forged callback {key} was taken")
            if row["result"] == "applied":
                self.check_applied(name, row)
        self.check_effects()

    def check_applied(self, name, row):
        transaction = self.transactions.get(row["transaction_id"])
        attempt = self.attempts.get(row["attempt_id"])
        if transaction is None or attempt is None or attempt["transaction_id"] != row["transaction_id"]:
            self.violation("I8", name, f"callback {row['callback_key']} was applied to an attempt that is not its own")
        elif (row["amount_minor"], row["currency"]) != (self.operations[attempt["operation_id"]]["amount_minor"],
                                                        transaction["currency"]):
            self.violation("I8", name, f"callback {row['callback_key']} was applied with "
                                       f"{row['amount_minor']} {row['currency']}")

    def check_effects(self):
        """Steps of an attempt that an HTTP call caused came by callback: no more of them than callbacks applied."""
        effects = collections.Counter()
        moved = {(event["api_call_id"], event["attempt_id"]) for event in self.rows["event"]
                 if event["attempt_from"] != event["attempt_to"]}
        told_late = {(event["api_call_id"], event["attempt_id"]) for event in self.rows["event"]
                     if event["type"] == "attempt_contradicted"}
        for event in self.rows["event"]:
            if event["attempt_id"] is not None and event["api_call_id"] is not None:
                stays = event["attempt_from"] == event["attempt_to"]
                taken_back = event["operation_to"] in ("reversed", "returned")
                told = (event["api_call_id"], event["attempt_id"])
                if (taken_back and told in moved) or (event["type"] == "late_success_reversed" and told in told_late):
                    continue  # the same message told of the success and of its end
                applied = "contradiction" if stays and not taken_back else "applied"
                effects[event["transaction_id"], event["attempt_id"], applied] += 1
        callbacks = collections.Counter((row["transaction_id"], row["attempt_id"], row["result"])
                                        for row in self.rows["callback"])
        for place in effects.keys() | callbacks.keys():
            transaction, _, result = place
            if effects[place] > callbacks[place]:
                self.violation("I8", transaction_name(transaction), f"has {effects[place]} effects of callbacks, "
                                                                    f"of which {callbacks[place]} are {result}")
            elif result == "applied" and effects[place] < callbacks[place]:
                self.violation("I8", transaction_name(transaction), f"has {callbacks[place]} callbacks applied, "
                                                                    f"but {effects[place]} effects of them")


def main():
    parser = argparse.ArgumentParser(description="Check the invariants of a payops instance.")
    parser.add_argument("--history", required=True, help="what clients were told, JSON lines")
    parser.add_argument("--mysql", required=True, help="arguments of the mariadb client, database included")
    parser.add_argument("--sandbox", required=True, help="URL of the sandbox's control port")
    parser.add_argument("--settled", action="store_true", help="nothing may be under way any more")
    arguments = parser.parse_args()
    try:
        history = read_history(arguments.history)
        rows = read_database(arguments.mysql)
        ledger = read_ledger(arguments.sandbox)  # after the database: what is completed there was charged before
        violations = Checker(history, rows, ledger, arguments.settled).run()
    except (CannotCheck, KeyError, TypeError) as error:
        print(f"could not check: {error!r}")
        sys.exit(2)
    for invariant, subject, text in violations:
        print(f"{invariant} {subject}: {text}")
    counts = ", ".join(f"{len(rows[table])} {table}s" for table in TABLES)
    print(f"{len(history)} lines of history, {counts}, {len(ledger)} ledger lines: {len(violations)} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
