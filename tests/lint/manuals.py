#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare manual pages with what they describe; a page must hold all of it and nothing else.

    manuals.py --program PATH                 --page man/apid.8         options (and commands) of --help
    manuals.py --settings 'COMMAND ARGUMENT…' --page man/payops.conf.5  settings of the printed configuration
    manuals.py --errors lib/core/err.def      --page man/apid.8         public error codes
    manuals.py --routes apid/route.def        --page man/apid.8         requests, scopes and query parameters
    manuals.py --declines lib/core/decline.def --page payops-errors.7   codes of declines and failures
    manuals.py --states lib/core              --page payops-states.7    states of transactions, operations, attempts
    manuals.py --operations apid/route.def    --page payops-api.7       each request, with scope and curl line

How a page says it (mdoc):
  option   an .It with Fl: ".It Fl c , Fl -config Ar file"; "Fl Fl config" and "Fl \\-config" are the same
  command  ".It Ic token issue" or ".Ss token issue" (the program's name may stand before it); the options that
           follow, up to the next command or section, are that command's; those before are everyone's
  setting  ".It Va database.pool_size"; Ic, Cm, Li and Sy do as well; members of a list: ".It Va gateways.name";
           "Pq live" or "Pq restart" behind it where the printed configuration says "(live)" or "(restart)"
  error    ".It Li busy …" in a section or subsection whose title names errors
  route    ".It Li GET /path Pq Cm scope" in section REQUESTS, "gateway" or "open" where no token is asked for;
           its query parameters as ".It Cm name" there
  decline  ".It Li code" in section DECLINES or FAILURES
  state    ".It Cm state" in section TRANSACTIONS, OPERATIONS or ATTEMPTS
  operation ".Ss GET /path", followed by ".Cm scope" where a token is asked for, and a line that begins with curl

Prints "page:line: what to do". Exit status: 0 the same, 1 differences, 2 wrong usage or a program that does not run.
"""
import argparse
import re
import shlex
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

TIMEOUT_S = 20
EVERYONES = ()  # the command under which options stand that belong to no single command

HELP_OPTION = re.compile(r"^ {1,8}(?:-\w,? +)?--([a-z][a-z0-9-]*)", re.M)
HELP_COMMAND = re.compile(r"^  ([a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)*)(?: [A-Z\[<.]\S*)* {2,}\S", re.M)
MACRO = re.compile(r"[A-Z][a-z]\Z")
WORD = re.compile(r"[a-z][a-z0-9_-]*\Z")
SETTING = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\Z")
ERROR_ROW = re.compile(r'^X\(\s*\w+\s*,\s*\w+\s*,\s*\d+\s*,\s*"([a-z0-9_]+)"', re.M)
ROUTE_ROW = re.compile(r'^ROUTE\(\s*"([A-Z]+)"\s*,\s*"([^"]+)"\s*,\s*ROUTE_(\w+)\s*,\s*(\w+)\s*,\s*\w+\s*,'
                       r'((?:\s*(?:"[^"]*"|[A-Z_]+))+)', re.M)
ROUTE_MACRO = re.compile(r'^#define ([A-Z_]+) ("[^"]*")$', re.M)
SETTING_MACROS = ("Va", "Ic", "Cm", "Li", "Sy")

PageLine = namedtuple("PageLine", "number macro words section subsection")


class Failure(Exception):
    """The comparison could not be made."""


# ---- what the program says ----

def output_of(arguments):
    shown = " ".join(arguments)
    try:
        run = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{shown}: {error}") from error
    if run.returncode != 0:
        raise Failure(f"{shown}: exit status {run.returncode}: {run.stderr.strip() or run.stdout.strip()}")
    return run.stdout


def options_of(program):
    """{command words: its long options}, the program itself under EVERYONES."""
    text = output_of([program, "--help"])
    options = {EVERYONES: set(HELP_OPTION.findall(text))}
    for command in HELP_COMMAND.findall(text):
        words = tuple(command.split())
        options[words] = set(HELP_OPTION.findall(output_of([program, *words, "--help"])))
    if not any(options.values()):
        raise Failure(f"{program} --help: prints no option")
    return options


CHANGE = re.compile(r"#(?:   ([a-z_]+):)? .* \((live|restart)\)")
CONF_TOKEN = re.compile(r"""
    (?P<comment>\#[^\n]*) | //[^\n]* | /\*.*?\*/ | \s+ | ,
  | (?P<string>"(?:\\.|[^"\\])*")
  | (?P<name>[A-Za-z*][\w*.-]*)(?=\s*[=:])
  | (?P<value>[\w.+-]+)
  | (?P<punct>[=:;{}()\[\]])
""", re.S | re.X)


def settings_of(command):
    """(dotted names of all settings, names of lists that hold no group, {name: "live" or "restart"}) of a configuration
    in libconfig's format; a comment above a setting, or a list's comment on a member, says the last."""
    text = output_of(shlex.split(command))
    names, lists, filled = set(), set(), set()
    changes, said = {}, {}  # said: by the comments since the last name, of a member or ("") of what follows
    stack, name, position = [], None, 0  # stack: (bracket, name prefix)
    while position < len(text):
        match = CONF_TOKEN.match(text, position)
        if match is None:
            raise Failure(f"{command}: line {text.count(chr(10), 0, position) + 1} is not configuration")
        position = match.end()
        prefix = stack[-1][1] if stack else ""
        token = match.group()
        if match.lastgroup == "comment":
            said.update(CHANGE.findall(token))
        elif match.lastgroup == "name":
            name = f"{prefix}.{token}" if prefix else token
            changes.update({f"{name}.{member}" if member else name: change for member, change in said.items()})
            said = {}
        elif match.lastgroup in ("string", "value"):
            names.add(name)
            filled.add(name)
        elif token in ("(", "["):
            (lists if token == "(" else names).add(name)
            stack.append((token, name))
        elif token == "{":
            filled.add(prefix)
            stack.append((token, prefix if stack and stack[-1][0] == "(" else name))
        elif token in (")", "]", "}") and stack:
            name = stack.pop()[1]
    if not names:
        raise Failure(f"{command}: prints no setting")
    return names, lists - filled, changes


def errors_of(path):
    codes = set(ERROR_ROW.findall(Path(path).read_text(encoding="utf-8")))
    if not codes:
        raise Failure(f"{path}: no error rows")
    return codes


def routes_of(path):
    """({(method, path): scope, "gateway" or "open"}, query parameters)"""
    routes, parameters = {}, set()
    text = Path(path).read_text(encoding="utf-8")
    macros = dict(ROUTE_MACRO.findall(text))
    for method, route, caller, scope, query in ROUTE_ROW.findall(text):
        needed = scope.removeprefix("SCOPE_").lower().replace("_", ":") if caller == "TOKEN" else caller.lower()
        routes[method, route] = needed
        for word in re.findall(r'"[^"]*"|[A-Z_]+', query):
            parameters.update(macros.get(word, word).strip('"').split())
    if not routes:
        raise Failure(f"{path}: no routes")
    return routes, parameters


# ---- what the page says ----

def words_of(line):
    line = line.replace("\\-", "-").replace("\\&", "").replace("\\(hy", "-")
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


def page_lines(path):
    section = subsection = ""
    for number, text in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not text.startswith(".") or text.startswith('.\\"'):
            continue
        words = words_of(text[1:])
        if not words:
            continue
        if words[0] == "Sh":
            section, subsection = " ".join(words[1:]), ""
        elif words[0] == "Ss":
            subsection = " ".join(words[1:])
        yield PageLine(number, words[0], words[1:], section, subsection)


def long_options(words):
    """Names after Fl: "-name" and "Fl name" are long, a bare name is short; a macro or punctuation ends the list."""
    flags = 0
    for word in words:
        if word == "Fl":
            flags += 1
        elif MACRO.match(word) or not re.match(r"[\w-]", word):
            flags = 0
        elif flags:
            name = "-" * (flags - 1) + word.split("=")[0]
            if re.match(r"-[a-z]", name):
                yield name[1:]
            flags = 1


def command_words(words, program):
    """Words of a command's heading: macros and the program's name dropped, up to its options or arguments."""
    found = []
    for word in words:
        if word in ("Nm", "Ic", "Cm", "Xo") or (not found and word == program):
            continue
        if not WORD.match(word):
            break
        found.append(word)
    return tuple(found)


def find_command(line, program, commands):
    """(is a command's heading, its words): headings of commands that do not exist are found too, where it is plain."""
    words = command_words(line.words, program)
    if line.macro == "It":
        first = [word for word in line.words if word not in ("Xo", "Nm", program)][:1]
        return words in commands or (first == ["Ic"] and bool(words)), words
    if line.macro == "Ss":
        is_group = any(command[:len(words)] == words for command in commands)
        in_commands = "COMMAND" in line.section.upper()
        return words in commands or (in_commands and bool(words) and not is_group), words
    return False, words


def compare_program(program, page):
    printed = options_of(program)
    name = Path(program).name
    commands = set(printed) - {EVERYONES}
    documented = {EVERYONES: {}}  # command: {option: line}
    lines, synopsis, current = {EVERYONES: 1}, [], EVERYONES
    for line in page_lines(page):
        if line.macro in ("Sh", "Ss"):
            current = EVERYONES
        is_command, words = find_command(line, name, commands) if commands else (False, ())
        if is_command:
            current = words
            lines.setdefault(words, line.number)
            documented.setdefault(words, {})
        if line.macro == "It":
            for option in long_options(line.words):
                documented[current].setdefault(option, line.number)
        elif line.section == "SYNOPSIS":
            synopsis += [(option, line.number) for option in long_options([line.macro, *line.words])]
    yield from differences(name, printed, documented, lines)
    every = set().union(*printed.values())
    for option, number in synopsis:
        if option not in every:
            yield number, f"take --{option} out of the synopsis: {name} --help does not print it"


def differences(name, printed, documented, lines):
    every = set().union(*printed.values())
    for command, options in printed.items():
        shown = " ".join((name,) + command)
        if command not in documented:
            yield 1, f'document the command: .It Ic {" ".join(command)}'
            continue
        for option in sorted(options - set(documented[command]) - set(documented[EVERYONES])):
            yield lines[command], f"document --{option}, which {shown} --help prints: .It Fl -{option}"
    for command, options in documented.items():
        shown = " ".join((name,) + command)
        if command not in printed:
            yield lines[command], f"take the command out: {name} --help does not print {' '.join(command)}"
            continue
        known = every if command == EVERYONES else printed[command]
        for option, number in options.items():
            if option not in known:
                yield number, f"take --{option} out: {shown} --help does not print it"


def documented_settings(page):
    """{name: (line, whether it can be nothing but a setting, "live", "restart" or "")}"""
    found = {}
    for line in page_lines(page):
        if line.macro != "It":
            continue
        change = line.words[-1] if line.words[-2:-1] == ["Pq"] else ""
        for macro, word in zip(line.words, line.words[1:]):
            name = word.replace("[]", "")
            if macro in SETTING_MACROS and SETTING.match(name):
                sure = macro == "Va" or "." in name
                found.setdefault(name, (line.number, sure, change))
    return found


def compare_settings(command, page):
    printed, empty, changes = settings_of(command)
    documented = documented_settings(page)
    for name in sorted(empty):
        yield 1, f"cannot compare the members of {name}: give the command a configuration with one entry in it"
    for name in sorted(printed - set(documented)):
        yield 1, f"document the setting: .It Va {name}"
    groups = {name[:dot.start()] for name in printed for dot in re.finditer(r"\.", name)} | empty
    for name, (number, sure, change) in documented.items():
        if changes.get(name, change) != change:
            yield number, f"say what it takes to change {name}: Pq {changes[name]}"
        below_empty = any(name.startswith(f"{group}.") for group in empty)
        if sure and name not in printed and name not in groups and not below_empty:
            yield number, f"take {name} out: the configuration has no such setting"


def compare_errors(table, page):
    codes = errors_of(table)
    documented = {}
    for line in page_lines(page):
        if line.macro == "It" and re.search(r"\bERRORS?\b", f"{line.section} {line.subsection}".upper()):
            code = next((word for word in line.words if not MACRO.match(word)), "")
            if re.fullmatch(r"[a-z][a-z0-9_]*", code):
                documented.setdefault(code, line.number)
    for code in sorted(codes - set(documented)):
        yield 1, f"document the error code under a title that names errors: .It Li {code}"
    for code, number in documented.items():
        if code not in codes | {"ok"}:
            yield number, f"take the error code {code} out: {table} has no such row"


def documented_routes(page):
    """({(method, path): (line, scope)}, {query parameter: line}) of section REQUESTS"""
    routes, parameters = {}, {}
    for line in page_lines(page):
        if line.macro != "It" or line.section != "REQUESTS":
            continue
        words = [word for word in line.words if not MACRO.match(word)]
        if len(words) > 1 and words[1].startswith("/"):
            routes.setdefault((words[0], words[1]), (line.number, words[2] if len(words) > 2 else "no scope"))
        elif line.words[0] == "Cm":
            for word in line.words[1:]:
                if word != ",":
                    parameters.setdefault(word, line.number)
    return routes, parameters


def compare_routes(table, page):
    routes, parameters = routes_of(table)
    documented, documented_parameters = documented_routes(page)
    for (method, path), scope in sorted(routes.items()):
        number, shown = documented.get((method, path), (1, None))
        if shown != scope:
            yield number, f"document the request in section REQUESTS: .It Li {method} {path} Pq Cm {scope}"
    for (method, path), (number, _) in documented.items():
        if (method, path) not in routes:
            yield number, f"take {method} {path} out: {table} has no such row"
    for name in sorted(parameters - set(documented_parameters)):
        yield 1, f"document the query parameter in section REQUESTS: .It Cm {name}"
    for name, number in documented_parameters.items():
        if name not in parameters:
            yield number, f"take the query parameter {name} out: no row of {table} has it"


def compare_items(wanted, page, macro):
    """wanted: {section: words}; each an .It with the macro there."""
    found = {(line.section, line.words[1]): line.number for line in page_lines(page)
             if line.macro == "It" and line.section in wanted and line.words[:1] == [macro]}
    for section, words in wanted.items():
        for word in sorted(words - {word for place, word in found if place == section}):
            yield 1, f"document {word} in section {section}: .It {macro} {word}"
    for (section, word), number in found.items():
        if word not in wanted[section]:
            yield number, f"take {word} out of section {section}: its table has no such row"


def compare_declines(table, page):
    text = Path(table).read_text(encoding="utf-8")
    wanted = {section: set(re.findall(rf'^{macro}\("([a-z_]+)"', text, re.M))
              for section, macro in (("DECLINES", "DECLINE"), ("FAILURES", "FAILURE"))}
    if not all(wanted.values()):
        raise Failure(f"{table}: no rows")
    wanted["FAILURES"].add("declined")  # of all that DECLINES has
    yield from compare_items(wanted, page, "Li")


def compare_states(directory, page):
    wanted = {}
    for name in ("transaction", "operation", "attempt"):
        text = (Path(directory) / f"{name}.c").read_text(encoding="utf-8")
        match = re.search(r"\bstatuses\[\] = \{(.*?)\}", text, re.S)
        if match is None:
            raise Failure(f"{directory}/{name}.c: no words of statuses")
        wanted[f"{name.upper()}S"] = set(re.findall(r'"([a-z_]+)"', match[1]))
    yield from compare_items(wanted, page, "Cm")


def compare_operations(table, page):
    routes, _ = routes_of(table)
    found, title = {}, ()
    for number, text in enumerate(Path(page).read_text(encoding="utf-8").splitlines(), 1):
        words = text.split()
        if words[:1] == [".Ss"] and len(words) == 3 and words[2].startswith("/"):
            title = (words[1], words[2])
            found[title] = {"line": number, "scope": None, "curl": False}
        elif text.startswith(".S"):
            title = ()
        elif title and words[:1] == [".Cm"] and found[title]["scope"] is None:
            found[title]["scope"] = words[1]
        elif title and text.startswith("curl "):
            found[title]["curl"] = True
    for (method, path), scope in sorted(routes.items()):
        row = found.get((method, path))
        wanted = scope if ":" in scope else None
        if row is None:
            yield 1, f"document the request: .Ss {method} {path}"
        elif row["scope"] != wanted or not row["curl"]:
            yield row["line"], f"give {method} {path} its scope ({scope}) and a curl line"
    for (method, path), row in found.items():
        if (method, path) not in routes:
            yield row["line"], f"take {method} {path} out: {table} has no such row"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--program", action="append", default=[], metavar="PATH")
    parser.add_argument("--settings", action="append", default=[], metavar="COMMAND")
    parser.add_argument("--errors", action="append", default=[], metavar="TABLE")
    parser.add_argument("--routes", action="append", default=[], metavar="TABLE")
    parser.add_argument("--declines", action="append", default=[], metavar="TABLE")
    parser.add_argument("--states", action="append", default=[], metavar="DIRECTORY")
    parser.add_argument("--operations", action="append", default=[], metavar="TABLE")
    parser.add_argument("--page", required=True)
    options = parser.parse_args(arguments)
    comparisons = [(compare_program, program) for program in options.program]
    comparisons += [(compare_settings, command) for command in options.settings]
    comparisons += [(compare_errors, table) for table in options.errors]
    comparisons += [(compare_routes, table) for table in options.routes]
    comparisons += [(compare_declines, table) for table in options.declines]
    comparisons += [(compare_states, directory) for directory in options.states]
    comparisons += [(compare_operations, table) for table in options.operations]
    if not comparisons:
        parser.error("nothing to compare with: give --program, --settings, --errors, --routes, --declines, --states or --operations")
    try:
        found = [row for compare, argument in comparisons for row in compare(argument, options.page)]
    except (Failure, OSError) as failure:
        print(f"manuals.py: {failure}", file=sys.stderr)
        return 2
    for number, message in sorted(found):
        print(f"{options.page}:{number}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
