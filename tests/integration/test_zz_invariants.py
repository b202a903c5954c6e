# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Last of all: everything that the other tests were told, against the database and the gateway's own ledger."""
from support import assert_invariants


def test_invariants_hold_over_everything_that_was_done(payops):
    assert_invariants(payops)


def test_invariants_are_what_the_figures_say(payops):
    page = payops.request("GET", "/metrics").body.decode()
    figures = dict(line.rsplit(" ", 1) for line in page.splitlines() if line and not line.startswith("#"))

    assert float(figures["payops_rows_without_next_action"]) == 0
    assert float(figures["payops_client_resend_total"]) == 0
