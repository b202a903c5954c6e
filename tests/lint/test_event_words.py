# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every type of event that lib/service writes has a row of words in lib/core/why.c, and every row a type."""
import re
from pathlib import Path

from c_source import Source

TOP = Path(__file__).parents[2]
WORD = re.compile(r'"([a-z_]+)"\Z')
KNOWN = {"created", "attempt_prepared", "attempt_accepted", "attempt_requires_action", "attempt_succeeded", "parked"}


def closing(tokens, start):
    """The index past the bracket that closes the one at `start`."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        if depth == 0:
            return index + 1
    return len(tokens)


def argument(tokens, start, position):
    """The tokens of one argument of a call whose bracket opens at `start`."""
    found, depth, count = [], 0, 0
    for token in tokens[start + 1:closing(tokens, start) - 1]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            count += 1
        elif count == position:
            found.append(token)
    return found


def type_positions(source):
    """{function: position of its parameter "type"}"""
    found = {}
    for head in re.finditer(r"^(?:static )?[\w ]+?\**(\w+)\(([^;{]*)\)\n\{", source.text, re.M):
        names = [re.split(r"[\s*]+", parameter.strip())[-1] for parameter in head[2].split(",")]
        if "type" in names:
            found[head[1]] = names.index("type")
    return found


def words_in(tokens):
    return {match[1] for token in tokens if token.kind == "string" and (match := WORD.match(token.text))}


def types_written(source, positions):
    """What is assigned to a member `type`, or passed as a parameter of that name, at these positions."""
    tokens, found = source.code, set()
    for index, token in enumerate(tokens[:-2]):
        if token.text == "type" and tokens[index + 1].text == "=":
            end = next(i for i in range(index, len(tokens)) if tokens[i].text in (";", ",", "}"))
            found |= words_in(tokens[index:end])
        elif token.text in positions and tokens[index + 1].text == "(":
            found |= words_in(argument(tokens, index + 1, positions[token.text]))
    return found


def sources():
    return [Source(str(path.relative_to(TOP)), path.read_bytes()) for path in sorted(TOP.glob("lib/service/*.c"))]


def rows():
    text = (TOP / "lib/core/why.c").read_text(encoding="utf-8")
    return set(re.findall(r'^\t\{ "([a-z_]+)", (?:NULL|"[a-z_]+"), WHY_', text, re.M))


def test_what_is_written_is_found():
    example = Source("lib/service/x.c", b"""
static enum err step_write(struct scene *scene, const char *type, const char *reason)
{
	change.type = reason == NULL ? "one" : "two";
	return step_write(scene, f(a, b) ? "three" : "four", "not_this");
}
""")
    assert types_written(example, type_positions(example)) == {"one", "two", "three", "four"}


def test_every_type_of_event_has_words_and_no_words_are_left_over():
    everywhere = {}  # a file's own function of a name goes before another's
    for source in sources():
        everywhere |= type_positions(source)
    written = set().union(*(types_written(source, everywhere | type_positions(source)) for source in sources()))

    assert KNOWN <= written
    assert written - rows() == set(), "give these types of events a row in lib/core/why.c"
    assert rows() - written == set(), "no event is of these types: take their rows out of lib/core/why.c"
