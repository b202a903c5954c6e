# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settlement files of payops-sandbox agree with its ledger, and its manifests tell every difference that was planted."""
import collections
import csv
import hashlib
import io
import json
import pathlib

import pytest

from sandbox import GATEWAYS, Sandbox
from support import until

SPELLING = {"alpha": (",", ""), "beta": (";", ","), "gamma": ("\t", ".")}  # separator, decimal mark
FEES = {"alpha": lambda minor: minor * 290 // 10000 + 30, "beta": lambda minor: minor * 150 // 10000,
        "gamma": lambda minor: 25}
DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
WHOLE = ("missing_in_file", "missing_in_db", "duplicate_in_file")
FIELDS = {"amount": "gross", "fee": "fee", "currency": "currency", "unknown_kind": "type", "quarantined_row": "gross"}


class Settled(Sandbox):
    """A sandbox whose gateways did a bit of everything."""

    def do_everything(self):
        for gateway in GATEWAYS:
            for number, currency in enumerate(DECIMALS):
                charge = self.perform("charge", gateway=gateway, amount_minor=12345 + number, currency=currency).json["id"]
                for token in ("tok_sync", "tok_reversed_1", "tok_late_reversed_1", "tok_decline_do_not_honor"):
                    self.perform("refund", token, gateway, parent=charge, amount_minor=100, currency=currency)
            hold = self.perform("authorise", gateway=gateway).json["id"]
            for amount in (700, 300):
                self.perform("capture", gateway=gateway, parent=hold, amount_minor=amount)
            self.perform("void", gateway=gateway, parent=self.parent("void", gateway))
            for token in ("tok_sync", "tok_returned_1", "tok_late_reversed_1", "tok_decline_limit_exceeded",
                          "tok_queued_60000"):
                self.perform("payout", token, gateway, amount_minor=5000, reference=f'"{token}",;-{gateway}',
                             transaction=token, operation_id=token, attempt=token)
        until(lambda: sum("turned" in line for line in self.ledger()) == len(GATEWAYS) * 2 * (len(DECIMALS) + 1), 10,
              "all that turns")

    def settle(self, gateway, date, *damage):
        """Returns the manifest, the file's rows by name, and its bytes."""
        body = {"gateway": gateway, "date": date, **({"damage": list(damage)} if damage else {})}
        reply = self.control("POST", "/_sandbox/settlement", body)
        assert reply.how == 200, reply.raw
        raw = pathlib.Path(reply.json["file"]).read_bytes()
        rows = list(csv.DictReader(io.StringIO(raw.decode(), newline=""), delimiter=SPELLING[gateway][0]))
        return reply.json, rows, raw


@pytest.fixture(scope="module")
def settled(shared, tmp_path_factory):
    box = Settled(shared.programs, tmp_path_factory.mktemp("sandbox"), shared.port + 10).start()
    box.do_everything()
    yield box
    assert box.close() == 0


def minor(gateway, text, currency):
    mark = SPELLING[gateway][1]
    if not mark:
        return int(text)
    whole, _, rest = text.partition(mark)
    assert len(rest) == DECIMALS[currency]
    return int(whole + rest)


def parted(rows):
    return [row for row in rows if row["type"] != "total"], [row for row in rows if row["type"] == "total"]


def movements(line):
    """What a line of the ledger is in a settlement: (type, sign, time)."""
    signs = {"charge": 1, "capture": 1, "refund": -1, "payout": -1}
    if line["outcome"] != "succeeded" or line["operation"] not in signs:
        return
    yield line["operation"], signs[line["operation"]], line["at"]
    if "turned" in line:
        yield {"refund": "refund_reversal", "payout": "payout_return"}[line["operation"]], 1, line["turned_at"]


def expected(box, gateway, date):
    for line in box.ledger():
        for kind, sign, at in movements(line):
            if line["gateway"] == gateway and at.startswith(date):
                fee = FEES[gateway](line["amount_minor"]) if kind in ("charge", "capture") else 0
                gross = sign * line["amount_minor"]
                yield (kind, line["gateway_ref"], line["reference"], line.get("parent", ""), line["transaction"],
                       line["currency"], gross, fee, gross - fee, at)


def today(box):
    return box.ledger()[0]["at"][:10]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_settlement_holds_each_movement_of_the_day_once(settled, gateway):
    date = today(settled)
    manifest, rows, raw = settled.settle(gateway, date)
    lines, _ = parted(rows)

    told = [(row["type"], row["id"], row["reference"], row["parent"], row["transaction"], row["currency"],
             *(minor(gateway, row[name], row["currency"]) for name in ("gross", "fee", "net")), row["booked_at"])
            for row in lines]

    assert sorted(told) == sorted(expected(settled, gateway, date))
    assert {kind for kind, *_ in told} >= {"charge", "capture", "refund", "refund_reversal", "payout", "payout_return"}
    assert {row["batch"] for row in rows} == {f"{gateway}-{date}"}
    assert manifest == {"gateway": gateway, "date": date, "file": manifest["file"], "lines": len(lines),
                        "sha256": hashlib.sha256(raw).hexdigest(), "differences": []}
    beside = pathlib.Path(manifest["file"].replace(".csv", ".manifest.json"))
    assert json.loads(beside.read_bytes()) == manifest


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_settlement_totals_are_the_sums_of_its_lines(settled, gateway):
    lines, totals = parted(settled.settle(gateway, today(settled))[1])

    sums = collections.defaultdict(lambda: [0, 0, 0, 0])
    for row in lines:
        amounts = [minor(gateway, row[name], row["currency"]) for name in ("gross", "fee", "net")]
        sums[row["currency"]] = [sum(pair) for pair in zip(sums[row["currency"]], [1, *amounts])]

    assert {row["currency"]: [int(row["id"]), *(minor(gateway, row[name], row["currency"]) for name in
                                                ("gross", "fee", "net"))] for row in totals} == dict(sums)


def test_settlement_of_another_day_is_empty(settled):
    manifest, rows, _ = settled.settle("alpha", "2020-02-29")

    assert rows == [] and manifest["lines"] == 0


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("kind", list(FIELDS))
def test_settlement_damage_of_a_field_is_in_the_manifest(settled, gateway, kind):
    date = today(settled)
    whole = {(row["id"], row["type"]): row for row in parted(settled.settle(gateway, date)[1])[0]}
    manifest, rows, _ = settled.settle(gateway, date, kind)
    lines, _ = parted(rows)
    (difference,) = manifest["differences"]
    field = FIELDS[kind]

    changed = [row for row in lines if row not in whole.values()]

    assert (difference["kind"], difference["field"]) == (kind, field)
    assert [row["id"] for row in changed] == [difference["id"]] and len(lines) == len(whole)
    (before,) = [row for row in whole.values() if row not in lines]
    assert changed[0][field] != before[field]
    if field in ("gross", "fee"):
        assert int(difference["truth"]) == minor(gateway, before[field], before["currency"])
    else:
        assert (difference["truth"], difference["told"]) == (before[field], changed[0][field])


def test_settlement_damage_of_lines_is_in_the_manifest(settled):
    date = today(settled)
    whole = parted(settled.settle("alpha", date)[1])[0]
    manifest, rows, _ = settled.settle("alpha", date, *WHOLE)
    lines, _ = parted(rows)
    ids = {difference["kind"]: difference["id"] for difference in manifest["differences"]}

    left = collections.Counter(row["id"] for row in whole)
    left.subtract(row["id"] for row in lines)

    assert {name: count for name, count in left.items() if count} == {
        ids["missing_in_file"]: 1, ids["missing_in_db"]: -1, ids["duplicate_in_file"]: -1}
    assert settled.ledger(ids["missing_in_db"]) == [] and manifest["lines"] == len(lines) == len(whole) + 1


def test_settlement_damage_of_the_file_is_in_the_manifest(settled):
    date = today(settled)
    raw, rows = (settled.settle("beta", date)[index] for index in (2, 1))
    off, off_rows, _ = settled.settle("beta", date, "control_total")
    cut, _, cut_raw = settled.settle("beta", date, "truncated")

    assert [difference["kind"] for difference in off["differences"]] == ["control_total"]
    assert [(row["type"], row["currency"]) for row in off_rows if row not in rows] == [("total", "USD")]
    assert [difference["kind"] for difference in cut["differences"]] == ["truncated"]
    assert raw.startswith(cut_raw) and len(cut_raw) < len(raw)


def test_settlement_damage_is_the_same_each_time_and_never_falls_on_one_line_twice(settled):
    date = today(settled)
    kinds = ["amount", "fee", "missing_in_file", "duplicate_in_file", "amount", "missing_in_db", "currency"]
    first, _, raw = settled.settle("alpha", date, *kinds)
    again, _, same = settled.settle("alpha", date, *kinds)

    assert first == again and raw == same
    ids = [(difference["id"], difference["kind"]) for difference in first["differences"]]
    assert [kind for _, kind in ids] == kinds and len(set(ids)) == len(kinds)


@pytest.mark.parametrize("body", [
    {}, {"gateway": "alpha"}, {"gateway": "delta", "date": "2026-01-01"}, {"gateway": "alpha", "date": "2026-13-01"},
    {"gateway": "alpha", "date": "2026-1-1"}, {"gateway": "alpha", "date": "../../etc/x"},
    {"gateway": "alpha", "date": "2020-01-01", "damage": "amount"},
    {"gateway": "alpha", "date": "2020-01-01", "damage": ["unheard"]},
    {"gateway": "alpha", "date": "2020-01-01", "damage": [1]},
    {"gateway": "alpha", "date": "2020-01-01", "damage": ["amount"]},  # on that day there is nothing to damage
    {"gateway": "alpha", "date": "2020-01-01", "damage": 65 * ["control_total"]},
    {"gateway": "alpha", "date": "2020-01-01", "more": 1},
])
def test_settlement_that_cannot_be_made_is_refused(settled, body):
    reply = settled.control("POST", "/_sandbox/settlement", body)

    assert (reply.how, reply.json["error"]) == (422, "invalid_settlement")
