#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plant known bugs, one at a time, and see that the tests catch them. A suite that lets one pass is not to be trusted.

Called by ./dev planted. Each tests/planted/NAME.bug is one bug: what it is and does, "caught by:" the unit tests of which
one must fail, and for each place "in:" the file, the text that stands there once, and what stands there instead. Nothing
is changed in the checkout: each worker has a copy of tree and build, where it applies, builds, tests and takes back.
"""
import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from runner import processes  # noqa: E402
from runner.jobs import UnitJob, environment  # noqa: E402
from runner.worker import Worker, free_base_ports  # noqa: E402

BUILD_DEADLINE_S = 300
WORKERS_MAX = 2
PLACE = re.compile(r"^in: (\S+)\n<<<<\n(.*?)^====\n(.*?)^>>>>\n", re.MULTILINE | re.DOTALL)


class Malformed(Exception):
    """The file of a bug says something that cannot be done."""


@dataclasses.dataclass
class Bug:
    name: str
    story: str          # its first line
    tests: list
    places: list        # (file, text that stands there once, text instead)


def read_bug(path):
    text = "\n".join(line for line in path.read_text().split("\n") if not line.startswith("# SPDX-"))
    head = text.split("\nin: ")[0].strip()
    caught = re.search(r"^caught by: (.+)$", head, re.MULTILINE)
    places = PLACE.findall(text)
    if not caught or not places or len(places) != text.count("\nin: "):
        raise Malformed(f"{path.name} lacks \"caught by:\", or a place that is complete")
    places = [(name, text.removesuffix("\n"), instead.removesuffix("\n")) for name, text, instead in places]
    return Bug(path.stem, head.split("\n")[0], caught[1].split(), places)


def read_bugs(directory):
    return [read_bug(path) for path in sorted(directory.glob("*.bug"))]


class Tree:
    """A copy of the checkout with a copy of its build, in which bugs are planted."""

    def __init__(self, top, build, directory):
        self.top, self.directory = top, directory
        self.build = directory / ".dev/test/build"
        shutil.copytree(top, directory, symlinks=True, ignore=self.ignored)
        self.copy_build(top, build)

    def ignored(self, directory, names):
        if pathlib.Path(directory) == self.top:
            return {name for name in names if name in (".dev", ".git") or name.startswith("build")} - {"build-aux"}
        return {name for name in names if name == "__pycache__"}

    def copy_build(self, top, build):
        """Objects keep their times, so that only what a bug touches is compiled; linked programs are left out."""
        programs = build / "tests/unit"
        shutil.copytree(build, self.build, ignore=lambda directory, names: {
            name for name in names if pathlib.Path(directory) == programs and "." not in name and name != ".deps"})
        old_paths = re.compile("|".join(re.escape(str(path)) for path in (build, top)))
        new_paths = {str(build): str(self.build), str(top): str(self.directory)}
        for path in [self.build / "Makefile", self.build / "config.status", *self.build.rglob("*.Po")]:
            times = path.stat()
            path.write_text(old_paths.sub(lambda found: new_paths[found[0]], path.read_text()))
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def apply(self, bug):
        """Write the bug; returns what stood there."""
        kept = {}
        for name, text, instead in bug.places:
            path = self.directory / name
            if not path.exists():
                raise Malformed(f"{name} is no more")
            now = path.read_text()
            if now.count(text) != 1:
                raise Malformed(f"the text to be changed stands {now.count(text)} times in {name}, not once:\n{text}")
            kept.setdefault(path, now)
            path.write_text(now.replace(text, instead))
            if name.startswith("sql/"):
                self.forget_schema_path()
        return kept

    def forget_schema_path(self):
        """Tests are compiled with the path of the schema; they shall read this tree's."""
        for path in (self.build / "tests/unit").glob("*.o"):
            path.unlink()

    @staticmethod
    def take_back(kept):
        for path, text in kept.items():
            path.write_text(text)

    def make(self, tests, env):
        return processes.run(["make", "-C", self.build, "--silent", "-j2", *[f"tests/unit/{test}" for test in tests]],
                             env, BUILD_DEADLINE_S)


class Run:
    def __init__(self, arguments):
        self.top, self.build = pathlib.Path(arguments.top), pathlib.Path(arguments.build)
        self.scratch = pathlib.Path(arguments.scratch)
        self.env = environment(arguments)
        self.lock = threading.Lock()
        self.caught = 0
        self.failed = []

    def tell(self, good, name, seconds, text, output=""):
        with self.lock:
            if good:
                self.caught += 1
            else:
                self.failed.append((name, text.split("\n")[0]))
            print(f"{'ok' if good else 'FAILED':6} {seconds:6.1f} s  {name}: {text}")
            if output:
                print(output.rstrip())
            sys.stdout.flush()

    def test(self, worker, tree, tests):
        """The results of these unit tests in a tree, up to the first that fails."""
        results = []
        for test in tests:
            results.append(worker.run(UnitJob(tree.build / "tests/unit" / test, tree.build)))
            if results[-1].failed:
                break
        return results

    def sound(self, worker, tree, tests):
        """Without a bug the tests pass, or else their failing proves nothing."""
        began = time.monotonic()
        made = tree.make(tests, self.env)
        if made.status != 0:
            self.tell(False, "no bug", made.seconds, "does not build", made.output[-4000:])
            return False
        for result in self.test(worker, tree, tests):
            if result.failed or result.skipped:
                self.tell(False, "no bug", time.monotonic() - began, f"{result.name} does not pass", result.output)
                return False
        return True

    def plant(self, worker, tree, bug):
        """One bug, from applying to taking back."""
        began = time.monotonic()

        def tell(good, text, output=""):
            self.tell(good, bug.name, time.monotonic() - began, text, output)

        try:
            kept = tree.apply(bug)
        except Malformed as error:
            return tell(False, f"cannot be planted: {error}")
        try:
            made = tree.make(bug.tests, self.env)
            if made.status != 0:
                return tell(False, "does not build", made.output[-4000:])
            last = self.test(worker, tree, bug.tests)[-1]
        finally:
            tree.take_back(kept)
        if not last.failed:
            return tell(False, f"NOT CAUGHT by {' '.join(bug.tests)}: {bug.story}")
        return tell(True, f"caught by {last.failures[0][0]}" if last.failures else f"caught by {last.name}")

    def work(self, worker, bugs, tests):
        """A worker's life: a tree of its own, its share of the tests without bugs, then bugs until there are none."""
        try:
            tree = Tree(self.top, self.build, self.scratch / f"tree-{worker.name}")
            if not self.sound(worker, tree, tests):
                return
            while True:
                with self.lock:
                    if not bugs:
                        break
                    bug = bugs.pop(0)
                self.plant(worker, tree, bug)
            worker.stop()
        except processes.Interrupted:
            return
        except Exception as error:  # noqa: BLE001
            self.tell(False, worker.name, 0, f"the runner failed: {error!r}")


def interrupted(*_):
    raise KeyboardInterrupt


def choose(bugs, names):
    unknown = set(names) - {bug.name for bug in bugs}
    if unknown:
        sys.exit(f"no bug is called {' '.join(sorted(unknown))}; --list tells what there is")
    return [bug for bug in bugs if not names or bug.name in names]


def run_all(run, bugs, count):
    tests = sorted({test for bug in bugs for test in bug.tests})
    workers = [Worker(number + 1, run.env, run.top, run.scratch, port)
               for number, port in enumerate(free_base_ports(count))]
    total = len(bugs)
    threads = [threading.Thread(target=run.work, args=(worker, bugs, tests[number::count]), daemon=True)
               for number, worker in enumerate(workers)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        processes.stop_all()
        sys.exit("interrupted")
    finally:
        for worker in workers:
            processes.sweep(worker.dir)
            shutil.rmtree(run.scratch / f"tree-{worker.name}", ignore_errors=True)
    return total


def main():
    parser = argparse.ArgumentParser(prog="./dev planted", description=__doc__)
    for option in ("top", "build", "prefix", "scratch"):
        parser.add_argument(f"--{option}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="print the table of bugs")
    parser.add_argument("--jobs", type=int, metavar="N", default=min(WORKERS_MAX, os.cpu_count() or 1),
                        help="how many workers (%(default)s)")
    parser.add_argument("names", nargs="*", help="which bugs; all when none is given")
    arguments = parser.parse_args()
    try:
        bugs = choose(read_bugs(pathlib.Path(__file__).parent), arguments.names)
    except Malformed as error:
        sys.exit(f"{error}")
    if arguments.list:
        for bug in bugs:
            print(f"{bug.name:34} {bug.story}  [{' '.join(bug.tests)}]")
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    scratch = pathlib.Path(arguments.scratch)
    lock = processes.only_run(scratch)  # noqa: F841 (held to the end)
    for directory in scratch.glob("instance-*"):
        processes.sweep(directory)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    run = Run(arguments)
    total = run_all(run, bugs, max(1, min(arguments.jobs, len(bugs))))
    for name, text in run.failed:
        print(f"  {name}: {text}")
    print(f"{run.caught} of {total} bugs caught" + (f", {len(run.failed)} failed" if run.failed else ""))
    sys.exit(0 if run.caught == total and not run.failed else 1)


if __name__ == "__main__":
    main()
