# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a run, held against their targets, as a table."""

TARGETS = {  # (row, figure): (at least or at most, limit in the figure's own unit)
    ("accept-1", "latency, in commits"): ("<=", 1.3),
    ("accept-64", "payments"): (">=", 0.9),
    ("accept-256", "payments"): (">=", 1.2),
    ("accept-256", "p99"): ("<=", 30),
    ("open-1000", "p50"): ("<=", 0.9),
    ("open-1000", "p99"): ("<=", 4),
    ("open-1000", "p99.9"): ("<=", 9),
    ("open-1000", "apid's CPU"): ("<=", 15),
    ("open-1000", "apid's memory"): ("<=", 20),
    ("get", "answers"): (">=", 2),
    ("history", "p99"): ("<=", 5),
    ("xml", "XML, 1 connections"): (">=", 0.7),
    ("xml", "XML, 64 connections"): (">=", 0.7),
    ("grown", "a customer's"): ("<=", 5),
    ("grown", "all"): ("<=", 5),
    ("grown", "one status"): ("<=", 5),
    ("grown", "one customer"): ("<=", 5),
    ("grown", "a currency, 1 %"): ("<=", 5),
    ("grown", "a gateway, 0.5 %"): ("<=", 5),
    ("grown", "acceptance kept"): (">=", 70),
    ("shop", "backlog's growth"): ("<=", 5),
    ("end-to-end", "completed"): (">=", 0.25),
    ("end-to-end", "backlog's growth"): ("<=", 5),
    ("brown-out", "the breaker opens after"): ("<=", 5),
    ("brown-out", "the other's p99"): ("<=", 10),
    ("brown-out", "calls that retries add"): ("<=", 10),
    ("rotate", "rows sealed anew"): (">=", 50_000),
    ("rotate", "failed requests"): ("<=", 0),
    ("memory", "1,000 connections"): ("<=", 60),
    ("start", "ready after"): ("<=", 50),
    ("size", "apid, stripped"): ("<=", 2),
}

FORMATS = {  # unit: how a value is shown
    "D": "{:.2f} D",
    "ms": "{:.2f} ms",
    "us": "{:.1f} us",
    "s": "{:.1f} s",
    "x": "{:.2f} x",
    "%": "{:.1f} %",
    "MB": "{:.1f} MB",
    "": "{:,.0f}",
    "each": "{:,.2f}",
    "/s": "{:,.0f}/s",
}

COLUMNS = ("row", "figure", "measured", "target", "", "what held it up")


class Figure:
    """`value` is in `unit`; `note` stands beside it. `used` and `held_by` are the row's: its first figure has them."""

    def __init__(self, name, value, unit, note="", used=None, held_by=""):
        self.name = name
        self.value = value
        self.unit = unit
        self.note = note
        self.used = used
        self.held_by = held_by

    def as_json(self, row):
        relation, limit = TARGETS.get((row, self.name), ("", None))
        told = {"row": row, "figure": self.name, "value": round(self.value, 4), "unit": self.unit, "note": self.note,
                "target": f"{relation} {limit}" if relation else None, "met": self.is_met(row)}
        if self.used is not None:
            told.update(cores_used=self.used, held_by=self.held_by)
        return told

    def is_met(self, row):
        """None where there is no target."""
        relation, limit = TARGETS.get((row, self.name), ("", None))
        if not relation:
            return None
        return self.value >= limit if relation == ">=" else self.value <= limit

    def cells(self, row):
        relation, limit = TARGETS.get((row, self.name), ("", None))
        measured = FORMATS[self.unit].format(self.value) + (f" ({self.note})" if self.note else "")
        target = f"{relation} {limit:g} {self.unit}".rstrip() if relation else ""
        verdict = {True: "met", False: "missed", None: ""}[self.is_met(row)]
        return (row, self.name, measured, target, verdict, self.held_by)


def render(results):
    """Rows of (row, [Figure, …]) as aligned text; a row's name stands at its first figure only."""
    lines = [COLUMNS]
    for row, figures in results:
        cells = [list(figure.cells(row)) for figure in figures]
        for line in cells[1:]:
            line[0] = ""
        lines.extend(cells)
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])
