# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from instance import Instance  # noqa: E402
from support import assert_invariants  # noqa: E402


@pytest.fixture(scope="session")
def shared():
    """The instance that tests/run.py started for this worker; what its clients are told outlasts this file."""
    instance = Instance()
    yield instance
    instance.keep_history()


@pytest.fixture(scope="session", autouse=True)
def invariants(shared):
    """Whatever selection of tests runs, the checker has the last word."""
    yield
    if shared.checked < len(shared.history):
        assert_invariants(shared)


@pytest.fixture
def payops(shared):
    """The instance, running and with a well-behaved gateway, whatever the test before it did."""
    if not shared.is_up():
        shared.start()
    shared.heal()
    return shared


@pytest.fixture
def say(capsys):
    """Print at once, whatever pytest keeps of a test's output, as a line that tests/run.py finds."""
    def now(text):
        with capsys.disabled():
            print(f"\n  {text}", flush=True)
    return now


@pytest.fixture
def seed(request, say):
    """What random choices start from; PAYOPS_SEED gives the one of a run that shall be replayed."""
    number = int(os.environ.get("PAYOPS_SEED") or random.SystemRandom().randrange(1 << 32))
    say(f"{request.node.name}: PAYOPS_SEED={number}")
    return number
