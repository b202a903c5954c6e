# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker runs one job after the other, on an instance of its own that is started where a job needs it."""
import os
import socket
import sys
import traceback

from runner import processes
from runner.jobs import Result

INSTANCE_DEADLINE_S = 240
PORT_SPAN = 14       # an instance takes its base port and those above it, test_sandbox.py those from the tenth on
PORT_STEP = 20
LOG_LINES = 12       # the last of each log, shown beside a failure, and as many before them that are no routine
LOG_WIDTH = 400
ROUTINE = '"level":"info"'
LOGS = ("apid", "second", "sandbox", "database")
SANITIZER = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", ": runtime error: ")


def free_base_ports(count):
    """Base ports, each with free ports behind it, below the ephemeral range."""
    bases = list(range(18080, 30000, PORT_STEP))
    first = os.getpid() % len(bases)  # two runs at once seldom begin at the same one
    found = []
    for base in bases[first:] + bases[:first]:
        sockets = []
        try:
            for port in range(base, base + PORT_SPAN):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            found.append(base)
        except OSError:
            continue
        finally:
            for probe in sockets:
                probe.close()
        if len(found) == count:
            return found
    sys.exit("no free ports")


class Worker:
    def __init__(self, number, env, top, scratch, port):
        self.name = f"instance-{number}"
        self.top = top
        self.dir = scratch / self.name
        self.dir.mkdir(parents=True, exist_ok=True)
        self.env = {**env, "PAYOPS_DIR": str(self.dir), "PAYOPS_PORT": str(port),
                    "PAYOPS_TEST_SOCKET": str(self.dir / "run/db.sock")}
        self.started = False
        self.trouble = None     # why the instance does not start; it is not tried again
        self.integrated = False

    def dev(self, *words):
        return processes.run([self.top / "dev", *words], self.env, INSTANCE_DEADLINE_S)

    def log_sizes(self):
        return {name: path.stat().st_size for name in LOGS if (path := self.log(name)).exists()}

    def log(self, name):
        return self.dir / "log" / f"{name}.log"

    def log_ends(self, sizes):
        """What was logged since: the end of it, and what stands out before."""
        text = ""
        for name in LOGS:
            if self.log(name).exists():
                with open(self.log(name), "rb") as log:
                    log.seek(sizes.get(name, 0))
                    lines = [line[:LOG_WIDTH] for line in log.read().decode(errors="replace").splitlines()]
                loud = [line for line in lines[:-LOG_LINES] if ROUTINE not in line]
                chosen = loud[-LOG_LINES:] + lines[-LOG_LINES:]
                if chosen:
                    text += f"--- the end of {self.log(name)}\n" + "\n".join(chosen) + "\n"
        return text

    def start(self):
        """Start the instance where it does not run; None, or what went wrong."""
        if self.started or self.trouble:
            return self.trouble
        ended = self.dev("instance", "start")
        if ended.status != 0:
            self.trouble = ended.output + self.log_ends({})
        self.started = not self.trouble
        return self.trouble

    def run(self, job, on_line=None):
        """A job's result; a mistake of this runner fails the job, too."""
        try:
            return self.run_job(job, on_line)
        except processes.Interrupted:
            raise
        except Exception:  # noqa: BLE001
            result = Result(job.name, output=traceback.format_exc())
            result.fail(job.name, "the runner failed, see above")
            return result

    def run_job(self, job, on_line):
        """After a job that had to be killed the instance starts afresh over the same data."""
        if job.needs_instance and self.start():
            result = Result(job.name, output=self.trouble)
            result.fail(job.name, "the test instance did not start")
            return result
        self.integrated = self.integrated or job.is_integration
        sizes = self.log_sizes()
        result = job.run(self, on_line)
        if result.failed and job.needs_instance:
            result.output += self.log_ends(sizes)
        if any("was killed" in message for _, message in result.failures):
            processes.sweep(self.dir)
            self.started = False
        return result

    def stop(self):
        """Stop the instance; a result that fails where a sanitizer had something to say in all that time."""
        result = Result(f"logs of {self.name}")
        ended = self.dev("instance", "stop") if self.started else None
        processes.sweep(self.dir)
        if ended is not None and ended.status != 0:
            result.output = ended.output
            result.fail(result.name, "the instance did not stop")
        for path in sorted((self.dir / "log").glob("*.log")):
            text = path.read_text(errors="replace")
            at = min((text.find(mark) for mark in SANITIZER if mark in text), default=-1)
            if at >= 0:
                result.output += f"--- {path}\n" + text[text.rfind("\n", 0, at) + 1:][:6000]
                result.fail(f"{result.name}: {path.name}", "a sanitizer reported an error")
        return result
