# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from instance import Instance  # noqa: E402
from support import assert_invariants  # noqa: E402


@pytest.fixture(scope="session")
def shared():
    """The one instance of this run, started by tests/run.py."""
    return Instance()


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
    shared.mode("ok")
    return shared
