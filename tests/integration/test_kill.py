# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""apid is killed -9 again and again at random moments while clients pay and repeat: nothing is lost or doubled."""
import os
import random
import signal
import time

from mixed import Commerce, judge
from support import until

ROUNDS = int(os.environ.get("PAYOPS_ROUNDS") or 50)
PAUSE_S = (0.05, 1.5)  # from ready to the kill
YOUNG_S = (0.0, 0.3)   # from the start to the kill, where it is not waited for
YOUNG_EVERY = 7
PROGRESS_EVERY = 10


def kill(process):
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL, "apid ended by itself"


def survive(payops, rng, number, process):
    """One round: let apid live for a random moment, kill it, start it again."""
    if number % YOUNG_EVERY:
        until(payops.is_ready, what="apid ready")
    time.sleep(rng.uniform(*(PAUSE_S if number % YOUNG_EVERY else YOUNG_S)))
    kill(process)
    return payops.start_apid()


def test_kill_of_apid_at_random_moments_loses_and_doubles_nothing(payops, seed, say):
    rng = random.Random(seed)
    payops.kill("apid")
    process = payops.start_apid()
    load = Commerce(payops, seed)
    begun = time.monotonic()
    try:
        for number in range(1, ROUNDS + 1):
            process = survive(payops, rng, number, process)
            if number % PROGRESS_EVERY == 0:
                say(f"{number} of {ROUNDS} rounds, {len(load.payments)} payments, {time.monotonic() - begun:.0f} s")
            assert not load.wrong, load.wrong[:5]
        until(payops.is_ready, what="apid ready")
    finally:
        load.finish()

    say(judge(payops, load, rng))
    assert len(load.payments) >= ROUNDS
