# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""More writes than there is room for: these are refused at once, while reads and callbacks go on (DESIGN.md §6)."""
import contextlib
import json
import subprocess
import time
import uuid

from second_apid import figure
from support import callback_for, until
from test_callback import accepted

TOO_MANY = 64  # beside those that there is room for
QUICK_S = 2  # on a machine with other work; refused, read or taken without waiting for what is held


@contextlib.contextmanager
def commits_held(payops):
    """Nothing of this merchant can be committed for a while: its row, which each new payment refers to, is locked."""
    with subprocess.Popen(["mariadb", "--no-defaults", f"--socket={payops.socket}", "--user=root", "--batch",
                           "--unbuffered", "--skip-column-names", "payops"], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as client:
        client.stdin.write("START TRANSACTION;\nSELECT merchant FROM merchant WHERE merchant = 'demo' FOR UPDATE;\n")
        client.stdin.flush()
        assert client.stdout.readline() == "demo\n"
        try:
            yield
        finally:
            client.stdin.close()


def write_head(payops, key, body):
    lines = [b"POST /transactions HTTP/1.1", b"Host: 127.0.0.1", b"Content-Type: application/json",
             b"Authorization: Bearer " + payops.token().encode(), b"Idempotency-Key: " + key.encode(),
             b"Request-Timeout: 20", b"Connection: close", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", b""]) + body


def answer_of(link):
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := link.recv(65536):
            said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def timed(call):
    begun = time.monotonic()
    answer = call()
    return answer, time.monotonic() - begun


def shed(payops):
    return figure(payops, "payops_requests_shed_total")


def payments_of_the_flood(payops):
    return int(payops.sql("SELECT COUNT(*) FROM transaction WHERE customer = 'cust_flood'")[0][0])


def test_writes_beyond_the_room_are_refused_while_reads_and_callbacks_go_on(payops):
    transaction_id, attempt = accepted(payops)
    before = shed(payops)
    flood = int(figure(payops, "payops_requests_room")) + TOO_MANY
    body = json.dumps({"amount": 1000, "currency": "USD", "payment_method": "credit_card",
                       "customer_id": "cust_flood"}).encode()
    keys = [f"flood-{uuid.uuid4()}" for _ in range(flood)]
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(payops.connect(60)) for _ in keys]
        with commits_held(payops):
            for link, key in zip(links, keys):
                link.sendall(write_head(payops, key, body))
            until(lambda: shed(payops) == before + TOO_MANY, what="the refusal of what is too much")

            refused, refused_s = timed(lambda: payops.pay("tok_sync"))
            read, read_s = timed(lambda: payops.get(f"/transactions/{transaction_id}"))
            listed, listed_s = timed(lambda: payops.get("/transactions?limit=5"))
            told, told_s = timed(lambda: payops.call_back(transaction_id, callback_for(attempt)))
        answers = [answer_of(link) for link in links]

    assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (503, "overloaded", "1")
    assert (read.status, listed.status, told.status) == (200, 200, 200)
    assert max(refused_s, read_s, listed_s, told_s) < QUICK_S
    payops.await_status(transaction_id, "completed")
    codes = [answer["code"] if status != 201 else "" for status, answer in answers]
    assert codes.count("overloaded") == TOO_MANY
    assert payments_of_the_flood(payops) == codes.count("")

    # Whoever was refused tries again, by its key, and whoever was not is answered as before.
    for key, (status, answer) in zip(keys, answers):
        again = payops.request("POST", "/transactions", body, token=payops.token(), headers={"Idempotency-Key": key})
        assert again.status == 201
        if status == 201:
            assert again.json["transaction_id"] == answer["transaction_id"]
    assert payments_of_the_flood(payops) == flood
