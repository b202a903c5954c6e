#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests of a built tree side by side and close with one line: N passed, N failed.

Called by ./dev test. Names choose: "lint", "unit", "integration", one unit test ("test_money"), or any word that pytest
finds in the names of integration tests ("scenario", "crash"). Each worker has an instance of its own, whose logs are
kept; test_zz_invariants.py ends each of them. New files are found by themselves.
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from runner import processes  # noqa: E402
from runner.jobs import PytestJob, UnitJob, environment, files_with, said, unit_programs  # noqa: E402
from runner.schedule import ALONE, LAST, Schedule  # noqa: E402
from runner.worker import Worker, free_base_ports  # noqa: E402

WORKERS_MAX = 4
SHOWN_FAILURES = 30  # in the list at the end


class Run:
    """What came of all jobs so far; workers tell it from their threads."""

    def __init__(self, arguments):
        self.top = pathlib.Path(arguments.top)
        self.scratch = pathlib.Path(arguments.scratch)
        self.verbose = "CI" not in os.environ
        self.schedule = Schedule(self.scratch.with_name(self.scratch.name + "-seconds.json"))
        self.results = []
        self.live = False  # lines as they come, where there is one job only
        self.lock = threading.Lock()

    def end(self, result, quiet=False):
        """Note and print a result: a line, and all that was printed where something failed."""
        with self.lock:
            self.results.append(result)
            log = self.scratch / "output" / f"{result.name.replace(' ', '-')}.log"
            log.parent.mkdir(exist_ok=True)
            log.write_text(result.output)
            if quiet and not result.failed:
                return
            counts = [f"{result.passed} passed"] * bool(result.passed or not result.skipped)
            counts += [f"{result.failed} failed"] * bool(result.failed)
            counts += [f"{result.skipped} skipped"] * bool(result.skipped)
            print(f"{'FAILED' if result.failed else 'ok':6} {result.seconds:6.1f} s  {result.name}: {', '.join(counts)}")
            if result.failed and not self.live:
                print(result.output.rstrip())
            elif self.verbose and not self.live:
                for line in said(result.output):
                    print(f"         {line}")
            sys.stdout.flush()

    def on_line(self):
        return (lambda line: print(line, end="", flush=True)) if self.live else None

    def work(self, worker, jobs):
        """Take jobs until there are none."""
        try:
            while True:
                with self.lock:
                    if not jobs:
                        return
                    job = jobs.pop(0)
                result = worker.run(job, self.on_line())
                if not result.failed and not getattr(job, "words", ()):
                    self.schedule.record(job.name, result.seconds)
                self.end(result, quiet=isinstance(job, UnitJob) and not self.verbose)
        except processes.Interrupted:
            return

    def leave(self, worker, last):
        """The last word over what a worker did, and the end of its instance."""
        try:
            if last is not None and worker.integrated:
                result = worker.run(last)
                result.name += f" of {worker.name}"
                self.end(result)
            self.end(worker.stop(), quiet=True)
        except processes.Interrupted:
            return

    def side_by_side(self, workers, function, *arguments):
        threads = [threading.Thread(target=function, args=(worker, *arguments), daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)  # in steps, so that signals are seen

    def closing(self):
        """The failures once more in short, and the line that counts; returns the exit status."""
        passed, failed, skipped = (sum(getattr(result, name) for result in self.results)
                                   for name in ("passed", "failed", "skipped"))
        failures = [failure for result in self.results for failure in result.failures]
        if failures:
            print(f"\nfailed (logs are in {self.scratch}):")
        for test, message in failures[:SHOWN_FAILURES]:
            print(f"  {test}\n      {message[:300]}")
        if len(failures) > SHOWN_FAILURES:
            print(f"  and {len(failures) - SHOWN_FAILURES} more")
        print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
        return 1 if failed else 0


def build_units(build):
    command = ["make", "-C", str(build), f"-j{os.cpu_count()}", "--silent", "check", "TESTS="]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        print(done.stdout[-8000:])
        sys.exit("the unit tests do not build")


def plan(names, top, build, env):
    """The jobs that the given names choose."""
    groups = {"lint", "unit", "integration"}
    programs = unit_programs(build)
    known = {program.name for program in programs}
    words = [name for name in names if name not in groups and name not in known]
    jobs = []
    if not names or "lint" in names:
        jobs.append(PytestJob(top / "tests/lint", needs_instance=False))
    jobs += [UnitJob(program, build) for program in programs
             if not names or "unit" in names or program.name in names]
    if not names or "integration" in names:
        jobs += [PytestJob(path) for path in sorted((top / "tests/integration").glob("test_*.py"))
                 if path.name != LAST]
    elif words:
        jobs += [PytestJob(path, words) for path in files_with(top, words, env)]
    return jobs


def interrupted(*_):
    raise KeyboardInterrupt


def remove(scratch):
    """What an earlier run left, should it have been killed: processes first, then files."""
    for directory in scratch.glob("instance-*"):
        processes.sweep(directory)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)


def run_all(run, arguments, jobs, env):
    together, alone = run.schedule.phases(jobs)
    count = max(1, min(arguments.jobs, len(together)))
    run.live = len(jobs) == 1
    workers = [Worker(number + 1, env, run.top, run.scratch, port)
               for number, port in enumerate(free_base_ports(count))]
    print(f"==> {len(jobs)} test programs and files, {count} at a time", flush=True)
    last = PytestJob(run.top / "tests/integration" / LAST)
    try:
        run.side_by_side(workers, run.work, together)
        for job in alone:
            print(f"==> alone: {job.name}: {ALONE[job.name]}", flush=True)
            run.work(workers[0], [job])
        run.side_by_side(workers, run.leave, None if any(getattr(job, "words", ()) for job in jobs) else last)
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        processes.stop_all()
        for worker in workers:
            processes.sweep(worker.dir)
        sys.exit("interrupted")
    run.schedule.save()


def main():
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__)
    for option in ("top", "build", "prefix", "scratch"):
        parser.add_argument(f"--{option}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, metavar="N", help="kill -9 rounds of test_kill")
    parser.add_argument("--jobs", type=int, metavar="N", default=min(WORKERS_MAX, (os.cpu_count() or 1) + 1),
                        help="how many workers (%(default)s)")
    parser.add_argument("names", nargs="*", help="what to run; everything when none is given")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    build = pathlib.Path(arguments.build)
    lock = processes.only_run(pathlib.Path(arguments.scratch))  # noqa: F841 (held to the end)
    remove(pathlib.Path(arguments.scratch))
    run = Run(arguments)
    env = environment(arguments)
    if arguments.rounds is not None:
        env["PAYOPS_ROUNDS"] = str(arguments.rounds)
    build_units(build)
    jobs = plan(arguments.names, run.top, build, env)
    if not jobs:
        print(f"nothing is called {' '.join(arguments.names)}")
        sys.exit(2)
    run_all(run, arguments, jobs, env)
    sys.exit(run.closing())


if __name__ == "__main__":
    main()
