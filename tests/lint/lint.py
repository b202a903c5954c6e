#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the house rules that a compiler does not know: who may include whom, limits, forbidden words.

    lint.py [--summary] [ROOT]

Prints "file:line: what to do [rule]" for each finding. Exit status: 0 clean, 1 findings, 2 wrong usage.
The rules are the tables below and one short function each; c_source.py reads C well enough to ask them.
"""
import argparse
import fnmatch
import os
import re
import statistics
import sys
from collections import namedtuple
from pathlib import Path

from c_source import Nesting, Source

LIB = ("service", "store", "gateway", "events", "base", "core")

LAYERS = {  # directory: the directories whose headers it may include; "*": everything
    "lib/core": ("core",),
    "lib/base": ("base", "core"),
    "lib/store": ("store", "base", "core"),
    "lib/gateway": ("gateway", "base", "core"),
    "lib/events": ("events", "base", "core"),
    "lib/service": LIB,
    "apid": ("apid",) + LIB,
    "ctl": ("ctl",) + LIB,
    "reconcile": ("reconcile",) + LIB,
    "orderd": ("orderd",) + LIB,
    "notifyd": ("notifyd",) + LIB,
    "admin-tui": ("admin-tui", "base", "core"),
    "sandbox": ("sandbox", "base", "core"),
    "man": ("man", "apid", "core"),  # makes pages of their tables
    "tests": ("*",),
}
INCLUDABLE = {directory.removeprefix("lib/") for directory in LAYERS} - {"tests"}

# lib/core is pure: no I/O, clock, randomness, environment or threads. stdio.h is there for (v)snprintf only.
CORE_HEADERS = set("""assert.h ctype.h errno.h inttypes.h limits.h stdalign.h stdarg.h stdbool.h stddef.h
    stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h""".split())
CORE_STREAMS = {"FILE", "stdin", "stdout", "stderr"}
CORE_CALLS = set("""printf fprintf dprintf vprintf vfprintf vdprintf asprintf vasprintf
    puts fputs putc putchar fputc fopen fdopen freopen fmemopen open_memstream fclose fread fwrite fgets fgetc getc
    getchar getline getdelim ungetc scanf fscanf sscanf vscanf vfscanf vsscanf perror fflush fseek ftell rewind
    setbuf setvbuf remove rename tmpfile tmpnam getenv secure_getenv setenv unsetenv putenv setlocale""".split())

PROGRAMS = "apid ctl reconcile orderd notifyd admin-tui sandbox".split()
HTTP_FILES = tuple(f"{program}/{name}" for program in PROGRAMS for name in ("http.c", "http_*.c"))
FENCES = (
    # foreign headers                                        the only files that include them
    ("ulfius.h orcania.h yder.h microhttpd.h",               HTTP_FILES),
    ("mysql.h mysql/* mariadb/* errmsg.h mysqld_error.h",    ("lib/store/*",)),
    ("curl/*",                                               ("lib/base/http*.c", "lib/gateway/*")),
    ("gnutls/*",                                             ("lib/base/crypto.c", "lib/base/crypto_*.c",
                                                              "lib/base/tls.c")),
    ("jwt.h",                                                ("lib/base/token*.c",)),
    ("libconfig.h",                                          ("lib/base/conf*.c",)),
    ("libxml/*",                                             ("lib/base/xml.c",)),
    ("ncurses.h curses.h ncursesw/* panel.h menu.h form.h",  ("admin-tui/screen*.c",)),
    ("rdkafka.h librdkafka/*",                               ("lib/events/*",)),
    ("getopt.h",                                             ("lib/base/cli.c",)),
)
BANISHED = (("jansson.h", ("lib/core/*", "lib/store/*")),)  # everywhere but there

CALL_FENCES = (
    # rule      the functions                           the only files that call them   instead
    ("clock",   "clock_gettime gettimeofday time clock timespec_get ftime",
                ("lib/base/clock.c",),  "take the time as an argument, or ask base/clock.h"),
    ("random",  "getrandom getentropy rand srand rand_r random srandom drand48 lrand48 mrand48 arc4random gnutls_rnd",
                ("lib/base/crypto.c",), "take random bytes as an argument, or call crypto_random()"),
    ("options", "getopt getopt_long getopt_long_only",
                ("lib/base/cli.c",),    "give cli_parse() an option table"),
)

BANNED = {  # never, anywhere
    "strcpy": "use snprintf, or memcpy after checking the size",
    "strcat": "use snprintf into the rest of the buffer",
    "sprintf": "use snprintf",
    "vsprintf": "use vsnprintf",
    "gets": "use fgets or getline",
    "strtok": "use strtok_r or strcspn: strtok keeps hidden state",
    "system": "use posix_spawn: no shell",
    "popen": "use posix_spawn: no shell",
    "atoi": "use strtol and check its end and errno",
    "atol": "use strtol and check its end and errno",
    "alloca": "use a bounded array or the heap",
}

LIMIT = {"file": 700, "function": 70, "nesting": 4, "parameters": 6, "code": 100, "comment": 120}
GOAL = {"file": 250, "function": 15}  # medians, shown by --summary only

NO_FLOAT = ("lib/core/*", "lib/store/*", "lib/service/*", "reconcile/*")
FLOAT_WORDS = set("float double strtod strtof strtold atof _Float32 _Float64 _Float128".split())

EXPORTS = {  # file: (further prefixes that its functions may have, why)
    "lib/core/money.c": (("currency",), "an amount cannot be read without its currency's exponent"),
    "lib/core/transition.c": (("words",), "the words of the states that transition tables name"),
    "lib/store/cell.c": (("cells", "column"), "one cell belongs to the row being bound and to a column read"),
    "lib/store/migrate_file.c": (("script", "migrations"), "a migration's text, and the directory of them"),
}

EXEMPT = {  # rule: files it passes over; each names what it forbids
    "mark": ("tests/lint/lint.py", "tests/lint/test_lint.py"),
    # a condition variable's deadline is of its own clock
    "clock": ("lib/store/pool.c", "lib/service/batch.c", "lib/base/log_buffer.c", "lib/service/breakers.c",
              "lib/service/catalogue.c"),
}

SKIPPED = "__pycache__ node_modules autom4te.cache".split()  # directories, besides hidden ones
SKIPPED_AT_ROOT = "build* _build _inst payops-[0-9]* venv".split()
GENERATED = {"aclocal.m4", "config.h", "configure", "configure~", "Makefile", "Makefile.in"}  # by autotools, at the root
FOREIGN_TEXT = "tests/*/corpus/* tests/*/golden/* tests/*/vectors/* tests/*/data/* LICENSE".split()
SOURCE_SUFFIXES = set(".c .h .def .py .sh .sql .inc .ac .am .m4".split())
TEXT_SUFFIXES = SOURCE_SUFFIXES | set(".md .conf .js .json .yml .yaml .service .spec .html .css .txt".split())
MANUAL = re.compile(r"\.[1-8]$")
SPDX = ("SPDX-FileCopyrightText: payops contributors", "SPDX-License-Identifier: GPL-3.0-or-later")

# XXX is also the ISO 4217 code for "no currency", so it counts only where it can be nothing but a mark.
MARK = re.compile(r"\b(?:TODO|FIXME|HACK)\b|\bXXX\b(?=[ \t]*:)|(?:/\*|//|#|--)[ \t]*XXX\b")
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE FROM|REPLACE INTO|CREATE TABLE|ALTER TABLE|DROP TABLE)\b"
                 r"|\A.?\"\s*(?i:select\s.+\sfrom\b|insert\s+into\b|update\s+\w+\s+set\b|delete\s+from\b)")
REASON = {name: re.compile(rf"/\* lint: {name}: \w") for name in ("state", "parameters")}

Finding = namedtuple("Finding", "path line rule message")


def within(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def layer_of(path):
    return next((layer for layer in LAYERS if path.startswith(layer + "/")), None)


def in_tests(source):
    return source.path.startswith("tests/")


def calls(source):
    """Each word that a "(" follows and that is not a member of something."""
    tokens = source.tokens
    for index in range(len(tokens) - 1):
        if tokens[index + 1].text == "(" and tokens[index].kind == "word":
            if index == 0 or tokens[index - 1].text not in (".", "->"):
                yield tokens[index]


# ---- rules: each yields (line, message) ----

def rule_layer(source):
    layer = layer_of(source.path)
    if layer is None:
        yield 1, "this directory has no layer: add it to LAYERS in tests/lint/lint.py, or move the file"
        return
    if layer == "tests":
        return
    for _, spelled, line in source.includes:
        name, quoted = spelled[1:-1], spelled[0] == '"'
        target = name.split("/")[0] if "/" in name else None
        if not quoted:
            if target in INCLUDABLE:
                yield line, f'write "{name}" in quotes: it is a header of the project'
        elif name == "config.h":
            continue
        elif ".." in name.split("/") or name.startswith("lib/") or target not in INCLUDABLE:
            yield line, f'write "{name}" as "layer/file.h", named from lib/ or from the root'
        elif name.endswith(".c"):
            yield line, f'do not include "{name}": compile it on its own'
        elif target not in LAYERS[layer]:
            yield line, (f'{layer} must not include "{name}", only {", ".join(LAYERS[layer])}: '
                         "move what both need down, or let a layer above join them")


def rule_core_header(source):
    if layer_of(source.path) == "lib/core":
        for _, spelled, line in source.includes:
            if spelled[0] == "<" and spelled[1:-1] not in CORE_HEADERS:
                yield line, f"lib/core is pure: drop {spelled} and take what it gives as an argument"


def rule_core_call(source):
    if layer_of(source.path) == "lib/core":
        found = [token for token in calls(source) if token.text in CORE_CALLS]
        found += [token for token in source.tokens if token.text in CORE_STREAMS]
        for token in found:
            yield token.line, f"lib/core is pure: no {token.text} (of stdio only snprintf and vsnprintf)"


def rule_checker(source):
    if source.path.startswith("tests/integration/") and "check" in source.path[len("tests/integration/"):]:
        yield 1, "the checker must share no code with what it checks: write it in Python"


def rule_fence(source):
    if in_tests(source):
        return
    for _, spelled, line in source.includes:
        for headers, places in FENCES:
            if within(spelled[1:-1], headers.split()) and not within(source.path, places):
                shown = "a program's http.c or http_*.c" if places is HTTP_FILES else ", ".join(places)
                yield line, f"only {shown} may include {spelled}: put what you need behind a function there"
        for header, places in BANISHED:
            if spelled[1:-1] == header and within(source.path, places):
                yield line, f"{layer_of(source.path)} must not include {spelled}: take structs, let a layer above parse"


def rule_file_lines(source):
    if len(source.lines) > LIMIT["file"]:
        yield LIMIT["file"] + 1, f"{len(source.lines)} lines, at most {LIMIT['file']}: split the file by noun"


def rule_function_lines(source):
    for function in source.functions:
        lines = function.last - function.first + 1
        if lines > LIMIT["function"]:
            yield function.line, f"{function.name}: {lines} lines, at most {LIMIT['function']}: split it"


def rule_nesting(source):
    for function in source.functions:
        depth, line = Nesting(function.body).measure()
        if depth > LIMIT["nesting"]:
            yield line, (f"{function.name}: nested {depth} deep, at most {LIMIT['nesting']}: "
                         "use guard clauses, or a function for the inner part")


def reason_lines(source, rule):
    """Last lines of the comments that excuse something from a rule."""
    return {comment.line + comment.text.count("\n") for comment in source.comments
            if REASON[rule].match(comment.text)}


def rule_parameters(source):
    reasons = reason_lines(source, "parameters")
    for function in source.functions + source.prototypes:
        if function.parameters > LIMIT["parameters"] and not {function.line, function.line - 1} & reasons:
            yield function.line, (f"{function.name}: {function.parameters} parameters, "
                                  f"at most {LIMIT['parameters']}: pass a struct")


def rule_state(source):
    is_program = in_tests(source) and any(token.text in ("main", "UNIT_MAIN") for token in calls(source))
    if source.path.endswith("/main.c") or is_program:
        return
    reasons = reason_lines(source, "state")
    for variable in source.variables:
        lines = set(range(variable.first, variable.last + 1))
        if variable.first - 1 not in source.code_ends:
            lines.add(variable.first - 1)  # a comment of its own
        if not variable.const and not lines & reasons:
            yield variable.first, (f"{variable.name} is mutable at file scope: make it const (a pointer too), pass it "
                                   "in, or give the reason on this line or just above: /* lint: state: … */")


def rule_float(source):
    if not within(source.path, NO_FLOAT):
        return
    for token in source.tokens:
        hexadecimal = token.text[:2] in ("0x", "0X")
        number = token.kind == "number" and re.search("[.pP]" if hexadecimal else "[.eE]", token.text)
        if number or (token.kind == "word" and token.text in FLOAT_WORDS):
            yield token.line, f"no floating point here ({token.text}): count in integers (minor units, microseconds)"


def rule_columns(source):
    starts = [0]
    for line in source.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for number, line in enumerate(source.lines, 1):
        if len(line) + 7 * line.count("\t") <= LIMIT["code"] or len(line.expandtabs(8)) <= LIMIT["code"]:
            continue
        start = starts[number - 1]
        code = source.text[start:source.code_ends.get(number, start)]
        if len(code.expandtabs(8)) > LIMIT["code"]:
            yield number, f"{len(line.expandtabs(8))} columns, code at most {LIMIT['code']}: wrap the line"
        elif len(line.expandtabs(8)) > LIMIT["comment"]:
            yield number, f"{len(line.expandtabs(8))} columns, comments at most {LIMIT['comment']}: wrap the line"


def rule_banned_call(source):
    for token in calls(source):
        if token.text in BANNED:
            yield token.line, f"{token.text}() is banned: {BANNED[token.text]}"


def call_fence(functions, places, instead):
    names = set(functions.split())

    def rule(source):
        if not in_tests(source) and not within(source.path, places):
            for token in calls(source):
                if token.text in names:
                    yield token.line, f"only {', '.join(places)} may call {token.text}(): {instead}"
    return rule


def rule_sql(source):
    if not in_tests(source) and layer_of(source.path) != "lib/store":
        for token in source.tokens:
            if token.kind == "string" and SQL.search(token.text):
                yield token.line, "SQL text belongs to the statement registry in lib/store"


def rule_mark(source):
    for number, line in enumerate(source.lines, 1):
        match = MARK.search(line)
        if match:
            yield number, f"{match.group().strip('/*#- ')}: do it now, or write an issue; no marks in the tree"


def rule_spdx(source):
    first = 1 if source.lines[:1] and source.lines[0].startswith("#!") else 0
    head = source.lines[first:first + 2] + ["", ""]
    if not (SPDX[0] in head[0] and SPDX[1] in head[1]):
        yield first + 1, f'begin with the licence in two lines: "{SPDX[0]}" and "{SPDX[1]}"'


def rule_blanks(source):
    for number, line in enumerate(source.lines, 1):
        if line.rstrip("\r") != line.rstrip("\r").rstrip(" \t\f\v"):
            yield number, "take away the blanks at the end of the line"


def rule_newline(source):
    if source.text and not source.text.endswith("\n"):
        yield len(source.lines), "end the file with a newline"


def rule_crlf(source):
    line = next((number for number, line in enumerate(source.lines, 1) if line.endswith("\r")), None)
    if line is not None:
        yield line, "end lines with LF, not CR LF"


def rule_guard(source):
    parts = source.path.removeprefix("lib/").removesuffix(".h")
    expected = re.sub(r"\W", "_", parts).upper() + "_H"
    rows = [(name, words[:1]) for name, words, _ in source.directives]
    guard = rows[0][1][0] if rows and rows[0][0] == "ifndef" and rows[0][1] else None
    line = source.directives[0][2] if source.directives else 1
    if guard is None or rows[1:2] != [("define", [guard])] or rows[-1][0] != "endif":
        yield line, f"guard the header: #ifndef {expected}, #define {expected} … #endif around all of it"
    elif guard != expected and not in_tests(source):
        yield line, f"call the include guard {expected}, not {guard}"


def rule_first_comment(source):
    lines = [line for _, _, line in source.directives + source.includes] + [token.line for token in source.tokens]
    before = min(lines, default=len(source.lines) + 1)
    if not any(comment.line < before and SPDX[1] not in comment.text and re.search(r"\w+\W+\w+", comment.text)
               for comment in source.comments):
        yield before, "say above the guard what this is: one comment with invariant, units, ownership, threads"


def rule_prefix(source):
    parts = source.path.split("/")
    if len(parts) != 3 or parts[0] != "lib":
        return
    noun = parts[2].removesuffix(".c").split("_")[0]
    prefixes = [noun]
    if parts[1] in ("store", "gateway"):
        prefixes = [f"{parts[1]}_{noun}", noun]
    if source.path in EXPORTS:
        prefixes.extend(EXPORTS[source.path][0])
    for function in source.functions:
        known = any(function.name == prefix or function.name.startswith(prefix + "_") for prefix in prefixes)
        if not function.static and function.name != "main" and not known:
            yield function.line, (f"{function.name} is exported from {parts[2]}: call it {prefixes[0]}_…, make it "
                                  "static, or move it to its noun's file")


def is_c(source):
    return source.is_c


def is_module(source):
    return source.path.endswith(".c")


def is_header(source):
    return source.path.endswith(".h")


def is_source(source):
    return source.script or Path(source.path).suffix in SOURCE_SUFFIXES


def has_tokens(source):
    return source.is_c or source.path.endswith(".def")


def is_text(source):
    return True


RULES = (
    # rule            which files  finds
    ("layer",          is_c,       rule_layer),
    ("core-header",    is_c,       rule_core_header),
    ("core-call",      is_c,       rule_core_call),
    ("checker",        is_c,       rule_checker),
    ("fence",          is_c,       rule_fence),
    ("file-lines",     is_source,  rule_file_lines),
    ("function-lines", is_c,       rule_function_lines),
    ("nesting",        is_c,       rule_nesting),
    ("parameters",     is_c,       rule_parameters),
    ("state",          is_c,       rule_state),
    ("float",          has_tokens, rule_float),
    ("columns",        is_c,       rule_columns),
    ("banned-call",    is_c,       rule_banned_call),
    ("sql",            has_tokens, rule_sql),
    ("mark",           is_text,    rule_mark),
    ("spdx",           is_source,  rule_spdx),
    ("blanks",         is_text,    rule_blanks),
    ("newline",        is_text,    rule_newline),
    ("crlf",           is_text,    rule_crlf),
    ("guard",          is_header,  rule_guard),
    ("first-comment",  is_header,  rule_first_comment),
    ("prefix",         is_module,  rule_prefix),
) + tuple((rule, is_c, call_fence(functions, places, instead)) for rule, functions, places, instead in CALL_FENCES)


def files(root):
    """Paths below root, in order, of the files that are ours and text."""
    for directory, directories, names in os.walk(root):
        skipped = SKIPPED + SKIPPED_AT_ROOT if Path(directory) == Path(root) else SKIPPED
        directories[:] = sorted(name for name in directories if not within(name, skipped)
                                and (not name.startswith(".") or name == ".ci"))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(directory, name), root).replace(os.sep, "/")
            suffix = os.path.splitext(name)[1]
            known = suffix in TEXT_SUFFIXES or suffix == "" or MANUAL.search(name)
            if known and path not in GENERATED and not within(path, FOREIGN_TEXT):
                if not os.path.islink(os.path.join(directory, name)):
                    yield path


def read_tree(root):
    for path in files(root):
        content = (Path(root) / path).read_bytes()
        suffix = os.path.splitext(path)[1]
        if b"\0" not in content and (suffix or content.startswith(b"#!")):
            yield Source(path, content)


def check(source):
    for rule, applies, find in RULES:
        if applies(source) and source.path not in EXEMPT.get(rule, ()):
            for line, message in find(source):
                yield Finding(source.path, line, rule, message)


def summary(sources):
    c_files = [source for source in sources if source.is_c]
    groups = {"all": c_files}
    for source in c_files:
        groups.setdefault(layer_of(source.path) or "?", []).append(source)
    print(f"{'':12}{'files':>6}{'lines':>8}{'median':>8}{'largest':>9}{'functions':>11}{'median':>8}{'longest':>9}")
    for name, members in groups.items():
        sizes = [len(source.lines) for source in members] or [0]
        functions = [f.last - f.first + 1 for source in members for f in source.functions] or [0]
        print(f"{name:12}{len(members):6}{sum(sizes):8}{statistics.median(sizes):8g}{max(sizes):9}"
              f"{len(functions):11}{statistics.median(functions):8g}{max(functions):9}")
    print(f"goals: median file <= {GOAL['file']} lines, median function <= {GOAL['function']}; "
          f"limits {LIMIT['file']} and {LIMIT['function']}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("root", nargs="?", default=Path(__file__).resolve().parents[2], type=Path)
    parser.add_argument("--summary", action="store_true", help="print sizes and medians too")
    options = parser.parse_args(arguments)
    if not options.root.is_dir():
        parser.error(f"{options.root} is not a directory")
    sources = list(read_tree(options.root))
    findings = [finding for source in sources for finding in check(source)]
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.message} [{finding.rule}]")
    if options.summary:
        summary(sources)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
