# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One test program or one pytest file: how it is run, and what came of it."""
import dataclasses
import os
import re
import sys
import xml.etree.ElementTree

from runner import processes

UNIT_DEADLINE_S = 300
FILE_DEADLINE_S = 600
LONG = 50  # times as long where a long form was asked for
CHECK_LINE = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
CHECK_FAILURE = re.compile(r"^[^\s:]+:\d+:[FE]:\S*?:(\w+):\d+: (.*)$", re.MULTILINE)
PYTEST = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short"]
SKIPPED = 77


@dataclasses.dataclass
class Result:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    output: str = ""
    failures: list = dataclasses.field(default_factory=list)  # (test, message)

    def fail(self, test, message):
        self.failed += 1
        self.failures.append((test, message))


def said(output):
    """What tests told on the way (fixture `say`): lines of their own, indented."""
    return [line for line in output.splitlines() if re.match(r"  \S", line)]


def ended_badly(result, ended, deadline):
    if ended.timed_out:
        result.fail(result.name, f"did not end within {deadline} s and was killed")
        return True
    return False


class UnitJob:
    """A Check program; it needs a database server."""
    needs_instance = True
    is_integration = False

    def __init__(self, program, build):
        self.name = program.name
        self.program = program
        self.build = build

    def run(self, worker, on_line):
        ended = processes.run([self.program], worker.env, UNIT_DEADLINE_S, cwd=self.build, on_line=on_line)
        result = Result(self.name, seconds=ended.seconds, output=ended.output)
        counts = [tuple(map(int, found)) for found in CHECK_LINE.findall(ended.output)]
        failed = sum(count[1] + count[2] for count in counts)
        result.passed = sum(count[0] for count in counts) - failed
        for test, message in CHECK_FAILURE.findall(ended.output):
            result.failures.append((f"{self.name}: {test}", message))
        result.failed = failed
        if ended_badly(result, ended, UNIT_DEADLINE_S):
            return result
        if ended.status == SKIPPED:
            result.skipped = 1
        elif (ended.status != 0 or not counts) and not failed:
            result.fail(self.name, f"ended with status {ended.status}")
        return result


class PytestJob:
    """A pytest file, or tests of it; `words` chooses among them as pytest's -k does."""

    def __init__(self, path, words=(), needs_instance=True):
        self.name = path.name
        self.path = path
        self.words = words
        self.needs_instance = needs_instance
        self.is_integration = needs_instance

    def run(self, worker, on_line):
        is_long = "PAYOPS_ROUNDS" in worker.env or "PAYOPS_LONG" in worker.env
        deadline = FILE_DEADLINE_S * (LONG if is_long else 1)
        report = worker.dir / "report.xml"
        report.unlink(missing_ok=True)
        chosen = ["-k", " or ".join(self.words)] if self.words else []
        ended = processes.run([*PYTEST, f"--junitxml={report}", str(self.path), *chosen], worker.env, deadline,
                              on_line=on_line)
        result = Result(self.name, seconds=ended.seconds, output=ended.output)
        if report.exists():
            self.read(report, result)
        if ended_badly(result, ended, deadline):
            return result
        if not report.exists() or ended.status not in (0, 1, 5):
            result.fail(self.name, f"pytest ended with status {ended.status}")
        return result

    @staticmethod
    def read(report, result):
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            bad = [node for kind in ("failure", "error") for node in case.findall(kind)]
            if bad:
                message = (bad[0].get("message") or "").strip().splitlines() or [""]
                result.fail(f"{result.name}::{case.get('name')}", message[0])
            elif case.find("skipped") is not None:
                result.skipped += 1
            else:
                result.passed += 1


def unit_programs(build):
    return sorted(path for path in (build / "tests/unit").glob("test_*")
                  if path.is_file() and os.access(path, os.X_OK))


def files_with(top, words, env):
    """Integration files that hold a test which pytest's -k finds by one of these words."""
    ended = processes.run([*PYTEST, "--collect-only", str(top / "tests/integration"), "-k", " or ".join(words)], env,
                          UNIT_DEADLINE_S, cwd=top)
    if ended.status not in (0, 5):
        sys.exit(ended.output + "the integration tests cannot be collected")
    names = {line.split("::")[0].rsplit("/", 1)[-1] for line in ended.output.splitlines() if "::" in line}
    return sorted(top / "tests/integration" / name for name in names)


def environment(arguments):
    """What tests are run with; a worker adds what is its own."""
    env = dict(os.environ)
    env.update(
        PAYOPS_TOP=arguments.top,
        PAYOPS_SCRATCH=arguments.scratch,
        PAYOPS_BUILD=arguments.build,
        PAYOPS_PROGRAMS=f"{arguments.prefix}/sbin",
        ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99",
        UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
        PYTHONDONTWRITEBYTECODE="1",
    )
    return env
