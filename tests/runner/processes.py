# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs run with a deadline, of which nothing is left over whatever happens."""
import dataclasses
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 10  # from asking for stacks to the kill


@dataclasses.dataclass
class Ended:
    status: int         # exit status, negative: the signal
    output: str         # stdout and stderr together
    seconds: float
    timed_out: bool = False


class Interrupted(Exception):
    """The run is being ended: nothing new may be started."""


_running = set()
_lock = threading.Lock()
_stopping = False


def _start(command, env, cwd):
    with _lock:
        if _stopping:
            raise Interrupted
        process = subprocess.Popen(list(map(str, command)), env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        _running.add(process)
    return process


def kill_group(process, number=signal.SIGKILL):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def _await(process, seconds):
    """True where it ended by itself. Otherwise Python programs are made to print their stacks, and all of it is killed."""
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    return False


def run(command, env, seconds, cwd=None, on_line=None):
    """Run to its end or to its deadline; `on_line` gets each line as it is printed."""
    began = time.monotonic()
    process = _start(command, env, cwd)
    lines = []

    def read():
        for raw in process.stdout:
            lines.append(raw.decode(errors="replace"))
            if on_line is not None:
                on_line(lines[-1])

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        in_time = _await(process, seconds)
    finally:
        kill_group(process)
        process.wait()
        with _lock:
            _running.discard(process)
    reader.join(GRACE_S)  # a stray child may hold the pipe for longer
    if _stopping:
        raise Interrupted
    return Ended(process.returncode, "".join(lines), time.monotonic() - began, not in_time)


def stop_all():
    """Kill what runs; whoever waits for it, or wants to start something, gets Interrupted."""
    global _stopping
    with _lock:
        _stopping = True
        for process in _running:
            kill_group(process)


def _belongs(pid, mark):
    try:
        return mark in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def sweep(directory):
    """Kill every process of the instance in this directory: whatever a test started inherits its PAYOPS_DIR."""
    mark = f"PAYOPS_DIR={directory}".encode()
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        left = [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _belongs(entry, mark)]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def only_run(scratch):
    """Keep a second run out of this directory: it would sweep away the first. Returns what holds the lock."""
    scratch.parent.mkdir(parents=True, exist_ok=True)
    held = open(scratch.with_name(scratch.name + ".lock"), "w")  # noqa: SIM115
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"another run is at work in {scratch}: wait for its end, or set PAYOPS_DIR")
    return held
