# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What processes use of the machine: CPU, memory, and which of them held a measurement up."""
import os
import pathlib
import platform
import resource
import time

CORES = len(os.sched_getaffinity(0))
TICKS = os.sysconf("SC_CLK_TCK")
BUSY = 0.7  # of all cores: below, something else than CPU is waited for


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_seconds():
    """CPU seconds of everything on the machine."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / TICKS


def memory_mb(pid, member="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(member + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has no {member}")


def describe():
    models = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    return {"cores": CORES, "cpu": models[0] if models else platform.machine(), "kernel": platform.release()}


class Meter:
    """CPU that the processes named in `pids`, and children of ours, use between its making and stop()."""

    def __init__(self, pids):
        self.pids = pids
        self.before = self._read()
        self.began = time.monotonic()

    def _read(self):
        used = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        used["load"] = children.ru_utime + children.ru_stime
        used["others"] = machine_seconds() - sum(used.values())
        return used

    def stop(self):
        """Cores used by each, as in {"apid": 0.8, …, "others": 0.1}."""
        seconds = time.monotonic() - self.began
        return {name: max(0.0, round((used - self.before[name]) / seconds, 3)) for name, used in self._read().items()}


def bottleneck(used, waiting):
    """Who held it up; `waiting` says what for where the CPUs were not busy."""
    total = sum(used.values())
    if total < BUSY * CORES:
        return f"{waiting} ({total:.1f} of {CORES} cores busy)"
    name = max(used, key=used.get)
    return f"{name} ({used[name]:.1f} of {CORES} cores)"
