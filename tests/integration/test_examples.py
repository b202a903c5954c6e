# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/: each runs to its end against an instance, and what it paid is there."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support import until

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
SCOPES = "payments:read payments:write refunds:write payouts:write customers:read customers:write"
RUNNERS = {".sh": ["bash"], ".py": ["python3"], ".mjs": ["node"]}
FIRST_HOURS = sorted(path.name for path in EXAMPLES.glob("first*"))


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.heal()
    return shared


def run(payops, name, token, *arguments, **environment):
    runner = RUNNERS[pathlib.Path(name).suffix]
    if shutil.which(runner[0]) is None:
        pytest.skip(f"{runner[0]} is not installed")
    environment = {**os.environ, "PAYOPS_URL": f"http://127.0.0.1:{payops.port}", "PAYOPS_TOKEN": token, **environment}
    return subprocess.run([*runner, str(EXAMPLES / name), *arguments], env=environment, capture_output=True, text=True,
                          timeout=120)


@pytest.mark.parametrize("name", FIRST_HOURS)
def test_it_runs_to_its_end(payops, name):
    done = run(payops, name, payops.token(scope=SCOPES))

    assert done.returncode == 0, done.stdout + done.stderr
    (transaction_id,) = set(re.findall(r"^(?:paid|the payment:) (trans_\w+)$", done.stdout, re.M))
    assert payops.get(f"/transactions/{transaction_id}").json["status"] in ("completed", "partially_refunded")
    (refund,) = payops.get(f"/transactions/{transaction_id}/refunds").json
    assert refund["amount"] == 250


@pytest.mark.parametrize("name", FIRST_HOURS)
def test_it_fails_where_nothing_may_be_paid(payops, name):
    assert run(payops, name, payops.token(scope="payments:read")).returncode != 0


def test_a_callback_is_signed_by_hand(payops):
    keys = payops.dir / "etc" / "payops" / "keys"
    body = {"user_id": 123, "amount": "100.50", "currency": "USD", "payment_token": "tok_callback_never"}
    transaction_id = payops.request("POST", "/deposit", body, token=payops.token()).json["transaction_id"]
    path = f"/transactions/{transaction_id}"
    until(lambda: [attempt for attempt in payops.get(f"{path}/attempts").json if attempt["gateway_txn_id"]])

    forged = run(payops, "callback.sh", payops.token(), transaction_id,
                 PAYOPS_CALLBACK_SECRET=str(keys / "beta.callback-secret"))
    assert forged.returncode != 0 and '"invalid_signature"' in forged.stdout
    done = run(payops, "callback.sh", payops.token(), transaction_id, "completed",
               PAYOPS_CALLBACK_SECRET=str(keys / "alpha.callback-secret"))
    assert (done.returncode, done.stdout) == (0, '{"received":true}\n'), done.stderr
    until(lambda: payops.get(path).json["status"] == "completed")


def test_the_readme_names_each():
    text = (EXAMPLES / "README.md").read_text()

    for path in EXAMPLES.iterdir():
        assert path.name == "README.md" or text.count(f"]({path.name})") == 1
