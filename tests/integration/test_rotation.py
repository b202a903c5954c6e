# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that seal: counting what each is needed for, and sealing everything anew while payments and profiles go on."""
import json
import re
import subprocess
import threading
import time

import pytest

from support import Clients, assert_charged_once, unique, until

SCOPE = "customers:read customers:write payments:read payments:write"
EX_SOFTWARE, EX_CONFIG = 70, 78
CUSTOMERS = 60


class Keys:
    """The instance's keys; its configuration is put back at the end."""

    def __init__(self, payops):
        self.payops = payops
        self.first = payops.config.read_text()
        self.directory = payops.config.parent / "keys"
        self.path = payops.config.parent / "rotation-under-test.conf"
        assert re.search(r"^seal_keys = .*$", self.first, re.M)

    def text(self, *ids):
        rows = ", ".join(f'{{ id = "{one}"; file = "keys/{"seal" if one == "dev-1" else one}.key"; }}' for one in ids)
        return re.sub(r"^seal_keys = .*$", f"seal_keys = ( {rows} );", self.first, flags=re.M)

    def make(self, name):
        path = self.directory / f"{name}.key"
        path.unlink(missing_ok=True)
        self.payops.ctl("keys", "new", str(path))

    def ctl(self, *words, keys, check=True):
        self.path.write_text(self.text(*keys))
        return self.payops.ctl("keys", *words, "--config", str(self.path), check=check)

    def serve(self, *keys):
        """Restart apid with these keys, the first of which seals."""
        self.payops.kill("apid", 15)
        self.payops.config.write_text(self.text(*keys))
        self.payops.start_apid()
        until(self.payops.is_ready, what="apid")

    def counts(self, *keys):
        told = json.loads(self.ctl("status", "--json", keys=keys).stdout)
        return {one["key_id"]: (one["state"], one["values"]) for one in told}


@pytest.fixture
def keys(payops):
    made = Keys(payops)
    made.make("newer")
    yield made
    if made.counts("dev-1", "newer")["newer"][0] != "unused":
        made.ctl("rotate", keys=("dev-1", "newer"))
    made.serve("dev-1")


def ask(payops, method, path, body=None, merchant="demo"):
    return payops.request(method, path, body, token=payops.token(merchant, SCOPE))


def add_customers(payops, shop, count=CUSTOMERS):
    for n in range(count):
        assert ask(payops, "POST", "/customers", {"customer_id": f"c{n}", "name": f"name {n}", "metadata": {"n": str(n)}},
                   shop).status == 201
        if n % 3 == 0:
            answer = ask(payops, "POST", f"/customers/c{n}/payment-methods",
                         {"gateway": "alpha", "payment_token": f"tok_{n}", "payment_method": "credit_card"}, shop)
            assert answer.status == 201


class Readers:
    """Threads that show, list and change profiles until they are stopped; every answer must be right."""

    def __init__(self, payops, shop):
        self.payops, self.shop = payops, shop
        self.over, self.wrong, self.done = False, [], 0
        payops.token(shop, SCOPE)
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(3)]
        for thread in self.threads:
            thread.start()

    def work(self, n):
        while not self.over:
            n = (n + 7) % CUSTOMERS
            answers = [ask(self.payops, "GET", f"/customers/c{n}", merchant=self.shop),
                       ask(self.payops, "PATCH", f"/customers/c{n}", {"metadata": {"seen": unique("x")}}, self.shop),
                       ask(self.payops, "GET", "/customers?limit=50", merchant=self.shop)]
            self.done += len(answers)
            self.wrong += [answer.body for answer in answers if answer.status != 200]
            self.wrong += [answer.body for answer in answers[:2]
                           if answer.status == 200 and answer.json["name"] != f"name {n}"]

    def stop(self):
        self.over = True
        for thread in self.threads:
            thread.join()


def test_everything_is_sealed_anew_under_load_without_a_failed_request(payops, keys, say):
    shop = unique("rotating")
    payops.add_merchant(shop)
    add_customers(payops, shop)
    waiting = [payops.pay(process="manual", headers={"Idempotency-Key": unique("rotated")}).json["transaction_id"]
               for _ in range(8)]
    keys.serve("dev-1", "newer")
    keys.serve("newer", "dev-1")
    before = keys.counts("newer", "dev-1")
    assert before["dev-1"][0] == "opens" and before["dev-1"][1]["operation.payment_token"] >= 8
    assert before["dev-1"][1]["customer.profile"] >= CUSTOMERS

    readers, clients = Readers(payops, shop), Clients(payops, "tok_ok", 60)
    done = keys.ctl("rotate", keys=("newer", "dev-1"), check=False)
    while done.returncode == 75:   # what was in use just then
        done = keys.ctl("rotate", keys=("newer", "dev-1"), check=False)
    clients_ids = clients.join()
    readers.stop()

    assert done.returncode == 0, done.stderr
    assert "nothing is sealed with 'dev-1' any more: take it out of seal_keys" in done.stdout
    assert readers.wrong == [] and readers.done > 0
    assert clients.refusals == []
    say(f"{readers.done} requests about profiles and {len(clients_ids)} payments beside it; {done.stdout.splitlines()[0]}")
    keys.serve("newer")
    after = keys.counts("newer")
    assert after["newer"][0] == "seals" and list(after) == ["newer"]
    for n in range(0, CUSTOMERS, 10):
        assert ask(payops, "GET", f"/customers/c{n}", merchant=shop).json["name"] == f"name {n}"
    token = payops.token(scope=SCOPE)
    for transaction_id in waiting:
        assert payops.request("POST", f"/transactions/{transaction_id}/process", token=token).status == 202
    assert_charged_once(payops, [*waiting, *clients_ids])


def test_a_rotation_that_is_killed_goes_on_where_it_was(payops, keys):
    shop = unique("killed")
    payops.add_merchant(shop)
    add_customers(payops, shop)
    keys.path.write_text(keys.text("newer", "dev-1"))
    for _ in range(6):
        process = subprocess.Popen([payops.programs / "payopsctl", "keys", "rotate", "--config", str(keys.path)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.03)
        process.kill()
        process.wait()
    total = sum(sum(one[1].values()) for one in keys.counts("newer", "dev-1").values())
    keys.ctl("rotate", keys=("newer", "dev-1"))
    after = keys.counts("newer", "dev-1")
    assert sum(after["newer"][1].values()) == total
    assert after["dev-1"][0] == "unused"
    keys.serve("newer")
    for n in range(0, CUSTOMERS, 10):
        shown = ask(payops, "GET", f"/customers/c{n}", merchant=shop).json
        assert (shown["name"], shown["metadata"]) == (f"name {n}", {"n": str(n)})


def test_a_key_that_is_needed_is_asked_for_by_name(payops, keys):
    shop = unique("missing")
    payops.add_merchant(shop)
    add_customers(payops, shop, 3)

    told = keys.ctl("status", keys=("newer",), check=False)
    assert told.returncode == EX_CONFIG
    assert re.search(r"^dev-1 +missing ", told.stdout, re.M)
    for words in (("rotate",), ("rotate", "--dry-run")):
        refused = keys.ctl(*words, keys=("newer",), check=False)
        assert (refused.returncode, refused.stdout) == (EX_CONFIG, "")
        assert "are sealed with the key 'dev-1', which is not in seal_keys" in refused.stderr
    payops.kill("apid", 15)
    payops.config.write_text(keys.text("newer"))
    assert payops.start_apid().wait(30) == EX_CONFIG
    line = [one for one in payops.log_lines() if one["msg"] == "cannot start"][-1]
    assert "sealed with the key 'dev-1', which is not in seal_keys" in line["why"]
    payops.config.write_text(keys.first)
    payops.start_apid()
    until(payops.is_ready, what="apid")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(payops, keys):
    shop = unique("dry")
    payops.add_merchant(shop)
    add_customers(payops, shop, 3)
    before = keys.counts("newer", "dev-1")
    told = keys.ctl("rotate", "--dry-run", keys=("newer", "dev-1"))

    assert re.search(r"^\d+ rows would be sealed with 'newer'; nothing was done$", told.stdout, re.M)
    assert keys.counts("newer", "dev-1") == before


def test_a_wrong_key_and_a_changed_value_are_named_and_changed_no_further(payops, keys):
    shop = unique("wrong")
    payops.add_merchant(shop)
    add_customers(payops, shop, 4)
    right = (keys.directory / "seal.key").read_bytes()
    keys.make("dev-1-wrong")
    keys.path.write_text(keys.text("newer", "dev-1").replace("keys/seal.key", "keys/dev-1-wrong.key"))
    told = payops.ctl("keys", "rotate", "--config", str(keys.path), check=False)
    assert told.returncode == EX_SOFTWARE
    assert "rows were left as they are" in told.stderr and re.search(r"^\S+ of row \S+ does not open$", told.stderr, re.M)
    assert ask(payops, "GET", "/customers/c0", merchant=shop).json["name"] == "name 0"
    assert (keys.directory / "seal.key").read_bytes() == right

    row = payops.sql(f"SELECT id, profile_sealed FROM customer WHERE merchant = '{shop}' AND customer = 'c0'",
                     binary=True)[0]
    payops.sql(f"UPDATE customer SET profile_sealed = x'{'00' * 40}' WHERE id = {row[0]}")
    told = keys.ctl("rotate", keys=("newer", "dev-1"), check=False)
    assert told.returncode == EX_SOFTWARE and told.stderr.count("does not open") == 1
    assert payops.sql(f"SELECT key_id FROM customer WHERE id = {row[0]}") == [["dev-1"]]
    payops.sql(f"UPDATE customer SET profile_sealed = {row[1]} WHERE id = {row[0]}")
    keys.ctl("rotate", keys=("newer", "dev-1"))
    keys.serve("newer", "dev-1")
    until(payops.is_ready, what="apid")
    assert ask(payops, "GET", "/customers/c0", merchant=shop).json["name"] == "name 0"
