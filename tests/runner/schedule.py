# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order and company tests run. A file that stands nowhere here runs too."""
import json

# Seconds that the long ones take, for a first run; later runs go by what was recorded.
SECONDS = {
    "test_fault_points.py": 230,
    "test_two_apids.py": 120,
    "test_database_faults.py": 95,
    "test_checker.py": 80,
    "test_crash.py": 70,
    "test_kill.py": 60,
    "test_matrix.py": 60,
    "test_intake": 45,
    "test_breaker.py": 40,
    "test_gateway_modes.py": 33,
}
FILE_SECONDS = 20   # a pytest file of which nothing is known
UNIT_SECONDS = 2

# What must run with nothing beside it, and why.
ALONE = {}

LAST = "test_zz_invariants.py"  # on each instance, after all that was done there


class Schedule:
    """Longest first, by the seconds that were recorded in `path`."""

    def __init__(self, path):
        self.path = path
        self.recorded = {}
        try:
            self.recorded = {str(name): float(taken) for name, taken in json.loads(path.read_text()).items()}
        except (OSError, ValueError, AttributeError, TypeError):
            pass  # it only makes a run faster

    def seconds(self, name):
        usual = FILE_SECONDS if name.endswith(".py") else UNIT_SECONDS
        return self.recorded.get(name, SECONDS.get(name, usual))

    def phases(self, jobs):
        """What may run side by side, then what must run alone; the longest first."""
        ordered = sorted(jobs, key=lambda job: -self.seconds(job.name))
        return ([job for job in ordered if job.name not in ALONE], [job for job in ordered if job.name in ALONE])

    def record(self, name, seconds):
        self.recorded[name] = round(seconds, 1)

    def save(self):
        self.path.write_text(json.dumps(self.recorded, indent=0, sort_keys=True) + "\n")
