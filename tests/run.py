#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests of a built tree and close with one line: N passed, N failed.

Called by ./dev test. Names choose: "lint", "unit", "integration", one unit test ("test_money"), or any word that pytest
finds in the names of integration tests ("scenario", "crash").
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree

CHECK_LINE = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
PYTEST = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short"]


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def free_base_port(span=3):
    """A base port with `span` free ports in a row, below the ephemeral range."""
    bases = list(range(18080, 30000, 10))
    first = os.getpid() % len(bases)  # two runs at once seldom begin at the same one
    for base in bases[first:] + bases[:first]:
        sockets = []
        try:
            for port in range(base, base + span):
                probe = socket.socket()
                sockets.append(probe)
                probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for probe in sockets:
                probe.close()
    sys.exit("no free ports")


def run_pytest(tally, name, arguments, env):
    report = pathlib.Path(env["PAYOPS_SCRATCH"]) / f"{name}.xml"
    status = subprocess.call(PYTEST + [f"--junitxml={report}"] + arguments, env=env)
    if not report.exists() or status not in (0, 1, 5):
        print(f"{name}: pytest ended with status {status}")
        tally.add(0, 1)
        return
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        total, failures, errors, skipped = (
            int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
        tally.add(total - failures - errors - skipped, failures + errors, skipped)


def run_unit_test(program, build, env):
    """Returns (passed, failed, skipped) of one Check program."""
    done = subprocess.run([str(program)], cwd=build, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    counts = [tuple(map(int, found)) for found in CHECK_LINE.findall(done.stdout)]
    checks = sum(count[0] for count in counts)
    failed = sum(count[1] + count[2] for count in counts)
    if done.returncode == 77:
        print(f"  {program.name}: skipped")
        return 0, 0, 1
    if done.returncode != 0 or not counts or failed:
        print(done.stdout)
        print(f"  {program.name}: FAILED (status {done.returncode})")
        return max(checks - max(failed, 1), 0), max(failed, 1), 0
    print(f"  {program.name}: {checks} passed")
    return checks, 0, 0


def run_units(tally, build, names, env):
    programs = sorted(path for path in (build / "tests/unit").glob("test_*")
                      if path.is_file() and os.access(path, os.X_OK))
    if names:
        programs = [program for program in programs if program.name in names]
    for program in programs:
        tally.add(*run_unit_test(program, build, env))


def build_units(build):
    command = ["make", "-C", str(build), f"-j{os.cpu_count()}", "--silent", "check", "TESTS="]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        print(done.stdout[-8000:])
        sys.exit("the unit tests do not build")


def environment(arguments):
    env = dict(os.environ)
    env.update(
        PAYOPS_TOP=arguments.top,
        PAYOPS_SCRATCH=arguments.scratch,
        PAYOPS_BUILD=arguments.build,
        PAYOPS_PROGRAMS=f"{arguments.prefix}/sbin",
        PAYOPS_DIR=f"{arguments.scratch}/instance",
        PAYOPS_PORT=str(free_base_port()),
        PAYOPS_TEST_SOCKET=f"{arguments.scratch}/instance/run/db.sock",
        ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99",
        UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
        PYTHONDONTWRITEBYTECODE="1",
    )
    return env


def dev(arguments, env, *words):
    return subprocess.call([f"{arguments.top}/dev", *words], env=env, stdin=subprocess.DEVNULL)


def interrupted(*_):
    raise KeyboardInterrupt


def plan(names, build):
    """What the given names choose: (lint, unit names or None, pytest words or None)."""
    groups = {"lint", "unit", "integration"}
    units = [name for name in names if (build / "tests/unit" / name).exists()]
    words = [name for name in names if name not in groups and name not in units]
    everything = not names
    return (everything or "lint" in names,
            [] if everything or "unit" in names else (units or None),
            [] if everything or "integration" in names else (words or None))


def main():
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__)
    for option in ("top", "build", "prefix", "scratch"):
        parser.add_argument(f"--{option}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, metavar="N", help="kill -9 rounds of test_kill")
    parser.add_argument("names", nargs="*", help="what to run; everything when none is given")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    top, build = pathlib.Path(arguments.top), pathlib.Path(arguments.build)
    shutil.rmtree(arguments.scratch, ignore_errors=True)
    os.makedirs(arguments.scratch)
    env = environment(arguments)
    if arguments.rounds is not None:
        env["PAYOPS_ROUNDS"] = str(arguments.rounds)
    tally = Tally()
    build_units(build)
    lint, units, words = plan(arguments.names, build)
    try:
        if lint:
            print("==> lint")
            run_pytest(tally, "lint", [str(top / "tests/lint")], env)
        if units is not None or words is not None:
            if dev(arguments, env, "instance", "start") != 0:
                sys.exit("the test instance did not start")
        if units is not None:
            print("==> unit tests")
            run_units(tally, build, units, env)
        if words is not None:
            print("==> integration tests")
            chosen = ["-k", " or ".join(words)] if words else []
            run_pytest(tally, "integration", [str(top / "tests/integration"), *chosen], env)
    except KeyboardInterrupt:
        sys.exit("interrupted")
    finally:
        dev(arguments, env, "instance", "stop")
    if tally.passed + tally.failed == 0:
        print(f"nothing is called {' '.join(arguments.names)}")
        sys.exit(2)
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    print(f"{tally.passed} passed, {tally.failed} failed{skipped}")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
