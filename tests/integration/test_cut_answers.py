# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway's answer that ends, or whose connection is reset, after each of its bytes, for every operation: nothing is
believed of it, all of it is asked about, and nothing is done twice.

Every 13th byte from a random one on; with PAYOPS_LONG=1 every byte. What the adapter makes of every byte is tried by
tests/unit/test_sandbox_wire.c.
"""
import json
import os
import random
import re
import socket
import time

from sandbox import OPERATIONS
from support import unique, until
from test_matrix import ABOUT_ANOTHER, Cell, Seen, all_together, prepared

STEP = 1 if os.environ.get("PAYOPS_LONG") else 13
PARENT = len('"parent":"alpha_000001",')
NAMES = ("tok_truncate_at_", "tok_reset_at_")
SETTLE_S = 60 if STEP > 1 else 600


def answer_size(payops):
    """Bytes of alpha's answer to a charge whose reference is as long as ours."""
    reference = "op_" + unique("cut").ljust(26, "X")[:26] + "-1"
    body = json.dumps({"operation": "charge", "reference": reference, "transaction": "trans_cut", "operation_id": "op_cut",
                       "attempt": "att_00000000000000000000000000", "amount_minor": 1000, "currency": "USD",
                       "payment_token": "tok_decline_stolen_card"})
    key = (payops.dir / "etc" / "payops" / "keys" / "alpha.api-key").read_text().strip()
    with socket.create_connection(("127.0.0.1", payops.port + 2), timeout=10) as link:
        link.sendall(f"POST /v1/operations HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                     f"Authorization: Bearer {key}\r\nIdempotency-Key: {reference}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        raw = b""
        while piece := link.recv(4096):
            raw += piece
    assert raw.endswith(b"}"), raw
    plain = re.sub(rb"Date: .*\r\n", b"", raw)  # what is cut has none
    return len(plain) - len('402 Payment Required"declined""decline_code":"stolen_card",') + len('200 OK"succeeded"')


def cells_of(payops, rng):
    charge = answer_size(payops)
    made = []
    for name in NAMES:
        for operation in OPERATIONS:
            size = charge + len(operation) - len("charge") + PARENT * (operation in ABOUT_ANOTHER)
            made += [Cell(name, f"{name}{cut}", operation, "alone") for cut in range(rng.randint(1, STEP), size, STEP)]
    return made


def test_answer_that_is_cut_or_reset_after_any_byte_is_asked_about_and_done_once(payops, seed, say):
    cells = cells_of(payops, random.Random(seed))
    about = [cell for cell in cells if cell.operation in ABOUT_ANOTHER]
    all_together(payops, about, Cell.prepare)
    for operation, status in (("capture", "authorised"), ("void", "authorised"), ("refund", "completed")):
        ready = [cell for cell in about if cell.operation == operation]
        until(lambda: prepared(payops, ready, status), 60, "what captures, voids and refunds are about")

    all_together(payops, cells, Cell.begin)
    until(lambda: time.sleep(0.3) or not Seen(payops, cells).open_cells(cells), SETTLE_S, "the end of all")

    seen = Seen(payops, cells)
    for cell in cells:
        cell.judge(seen)
    wrong = [f"{cell.word} {cell}: {fault}" for cell in cells for fault in cell.faults]
    assert not wrong, "\n".join(wrong)
    say(f"{len(cells)} answers cut or reset, each at a byte of its own")
