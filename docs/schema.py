#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the database's schema from the migrations in sql/, in their order, as a mermaid ER diagram.

    docs/schema.py             print the diagram
    docs/schema.py --write     put it into docs/design.md, between its two marks
    docs/schema.py --check     exit status 1 where the document has another

A solid line is a foreign key, a dotted one a column that names a row by its id: what is written many rows at once has few
keys that the database would look up for each.
"""
import argparse
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
DOCUMENT = TOP / "docs/design.md"
BEGIN, END = "<!-- schema: made by docs/schema.py --write -->", "<!-- end of schema -->"

# {column: table}: columns that name a row without a foreign key, wherever they stand
NAMED = {"merchant": "merchant", "transaction_id": "transaction", "operation_id": "operation", "attempt_id": "attempt",
         "parent_attempt_id": "attempt", "gateway": "gateway"}

COLUMN = re.compile(r"(\w+) ([A-Z]+)(\([^)]*\))?(.*)\Z", re.S)
NAMES = re.compile(r"\(([\w, ]+)\)")


class Table:
    def __init__(self, name):
        self.name, self.columns, self.primary, self.unique, self.foreign = name, {}, (), {}, {}


class Unreadable(Exception):
    """A statement that changes the schema in a way this program does not know."""


def parts(text):
    """The members of a list, parted at its own commas."""
    found, depth, quoted, start = [], 0, False, 0
    for index, sign in enumerate(text):
        quoted ^= sign == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0 and not quoted:
            found.append(text[start:index])
            start = index + 1
    return [" ".join(part.split()) for part in found + [text[start:]]]


def names_in(text):
    return tuple(NAMES.search(text)[1].replace(" ", "").split(","))


def take(table, part):
    """One member of CREATE TABLE, or what ALTER TABLE adds."""
    words = part.split()
    if part.startswith("PRIMARY KEY"):
        table.primary = names_in(part)
    elif part.startswith("UNIQUE KEY"):
        table.unique[words[2]] = names_in(part)
    elif part.startswith("CONSTRAINT") and words[2] == "FOREIGN":
        table.foreign[words[1]] = (names_in(part), re.search(r"REFERENCES (\w+)", part)[1])
    elif words[0] in ("KEY", "CONSTRAINT"):
        return
    elif (match := COLUMN.match(part)) is not None:
        name, kind, size, rest = match.groups()
        table.columns[name] = (kind.lower() + (size or "" if kind != "ENUM" else ""), "GENERATED" in rest)
    else:
        raise Unreadable(part)


def drop(table, words):
    held = {"COLUMN": table.columns, "CONSTRAINT": table.foreign, "FOREIGN": table.foreign,
            "KEY": table.unique, "INDEX": table.unique}
    held[words[0]].pop(words[-1], None)


def alter(table, text):
    for part in parts(text):
        action, rest = part.split(" ", 1)
        if action == "DROP":
            drop(table, rest.split())
        elif action in ("ADD", "MODIFY"):
            take(table, rest.removeprefix("COLUMN "))
        else:
            raise Unreadable(part)


def apply(tables, statement):
    if (match := re.match(r"CREATE TABLE (\w+) \((.*)\)[^()]*\Z", statement, re.S)) is not None:
        table = tables.setdefault(match[1], Table(match[1]))
        for part in parts(match[2]):
            take(table, part)
    elif (match := re.match(r"ALTER TABLE (\w+)\s+(.*)\Z", statement, re.S)) is not None:
        alter(tables[match[1]], match[2])
    elif (match := re.match(r"DROP TABLE (\w+)\Z", statement)) is not None:
        del tables[match[1]]
    elif not re.match(r"(INSERT|UPDATE|DELETE|SET) ?", statement):
        raise Unreadable(statement)


def schema(directory):
    tables = {}
    for path in sorted(directory.glob("[0-9]*.sql")):
        text = re.sub(r"^\s*--.*\n", "", path.read_text(encoding="utf-8"), flags=re.M)
        for statement in filter(None, map(str.strip, re.split(r";$", text, flags=re.M))):
            try:
                apply(tables, statement)
            except (Unreadable, KeyError) as error:
                raise SystemExit(f"{path}: docs/schema.py cannot read: {error}") from error
    return tables


def relations(tables):
    """(table that is named, table that names it, columns, whether a foreign key holds it)"""
    for table in tables.values():
        held = set()
        for columns, target in table.foreign.values():
            held.update(columns)
            yield target, table.name, ", ".join(columns), True
        for column in table.columns:
            target = NAMED.get(column)
            if target in tables and target != table.name and column not in held:
                yield target, table.name, column, False


def keys(table, column, foreign):
    marks = ["PK"] if column in table.primary else []
    marks += ["FK"] if column in foreign else []
    marks += ["UK"] if any(column in columns for columns in table.unique.values()) else []
    return " " + ", ".join(marks) if marks else ""


def diagram(tables):
    lines = ["```mermaid", "erDiagram"]
    for target, name, columns, is_held in relations(tables):
        lines.append(f'    {target} ||--o{{ {name} : "{columns}"' if is_held else
                     f'    {target} ||..o{{ {name} : "{columns}"')
    for table in tables.values():
        foreign = {column for columns, _ in table.foreign.values() for column in columns}
        lines.append(f"    {table.name} {{")
        for column, (kind, is_generated) in table.columns.items():
            lines.append(f"        {kind.replace('(', '_').replace(')', '').replace(',', '_')} {column}"
                         f"{keys(table, column, foreign)}" + (' "generated"' if is_generated else ""))
        lines.append("    }")
    return "\n".join([*lines, "```"])


def put(text, drawn):
    """The document with the diagram between its marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{drawn}\n{END}{rest.split(END)[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    drawn = diagram(schema(TOP / "sql"))
    if not options.write and not options.check:
        print(drawn)
        return 0
    text = DOCUMENT.read_text(encoding="utf-8")
    if options.write:
        DOCUMENT.write_text(put(text, drawn), encoding="utf-8")
    elif put(text, drawn) != text:
        print("docs/design.md: the schema has changed: docs/schema.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
