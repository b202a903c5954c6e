# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and card numbers that stand nowhere else, sent to every place there is; then nothing that stays may hold one.

Cards: random numbers of one issuer's range, all with the same first ten digits. Secrets: words with one mark, and every key
of the instance. What is searched: the database's files and its dump, logs, answers, metrics, what payopsctl prints, command
lines and environments, and what a crash leaves.
"""
import base64
import contextlib
import http.server
import itertools
import json
import pathlib
import random
import resource
import signal
import string
import subprocess
import threading
import urllib.parse
import xml.sax.saxutils

import pytest

from second_apid import SecondApid, gateway_at
from support import callback_for, unique, until

SCOPES = ("payments:read payments:write refunds:write payouts:write customers:read customers:write keys:read "
          "keys:write")
METHODS = ("get", "post", "patch", "delete")
HEADERS = ("Idempotency-Key", "X-Request-Id", "X-Api-Call-Id", "traceparent", "tracestate", "User-Agent", "Referer",
           "Cookie", "Origin", "If-Match", "If-None-Match", "Accept", "Accept-Language", "Content-Type",
           "Request-Timeout", "X-Forwarded-For", "Sandbox-Signature", "X-Api-Key", "Authorization",
           "Proxy-Authorization")
PIECE = 1 << 20
KEPT = 1024  # of a gateway's answer
IGNORED = ("told.jsonl", "history.jsonl", "report.xml")  # what tests wrote, not payops


# --- what is planted ---

class Cards:
    """Numbers that pass Luhn and an issuer's range, each in a form of its own turn."""
    FORMS = ("{}{}{}{}", "{} {} {} {}", "{}-{}-{}-{}")

    def __init__(self):
        chosen = random.SystemRandom()
        self.first = "4" + "".join(chosen.choices(string.digits, k=9))
        self.serial = itertools.count(chosen.randrange(10_000))

    def plain(self):
        body = self.first + f"{next(self.serial) % 100_000:05d}"
        total = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(body))
        return body + str(-total % 10)

    def number(self):
        plain = self.plain()
        return self.FORMS[next(self.serial) % 3].format(*(plain[at:at + 4] for at in range(0, 16, 4)))

    def marks(self):
        """What each form of each number begins with."""
        first = self.first
        return [form.format(first[:4], first[4:8], first[8:], "").rstrip(" -").encode() for form in self.FORMS]


def key_texts(payops):
    """{name: the forms in which a key could be written}."""
    found = {}
    for path in (payops.dir / "etc" / "payops" / "keys").iterdir():
        raw = path.read_bytes().rstrip(b"\n")
        found[path.name] = {raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="),
                            base64.urlsafe_b64encode(raw).rstrip(b"=")}
    assert {"token.key", "seal.key", "hash.key", "database.password", "alpha.api-key",
            "alpha.callback-secret"} <= set(found)
    return found


class Planted:
    def __init__(self, payops):
        self.payops = payops
        self.cards = Cards()
        self.mark = unique("zq").replace("-", "_")
        self.serial = itertools.count()
        self.token = payops.token("canary", SCOPES)
        self.needles = {"a secret": {self.mark.encode()}, "a token's signature": {self.token.rsplit(".", 1)[1].encode()},
                        **key_texts(payops)}
        self.seen = []      # what anybody was answered

    def secret(self):
        return f"{self.mark}_{next(self.serial)}"

    def ask(self, method, path, body=None, headers=None, token="", keep=True):
        answer = self.payops.request(method, path, body, headers, self.token if token == "" else token)
        if keep:
            self.seen.append(answer.body + repr(answer.headers).encode())
        return answer

    def add_needle(self, name, text):
        self.needles.setdefault(name, set()).add(text.encode())

    def found_in(self, raw, secrets=True):
        """What of all that was planted is in these bytes."""
        names = [f"a card: {mark.decode()}" for mark in self.cards.marks() if mark in raw]
        if secrets:
            names += [name for name, forms in self.needles.items() if any(form in raw for form in forms)]
        return names


# --- what is asked ---

def schema_of(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def text_places(document, schema, path=()):
    """Paths of members that may be text, in nested objects too."""
    schema = schema_of(document, schema)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from text_places(document, part, path)
    for name, member in schema.get("properties", {}).items():
        yield from text_places(document, member, (*path, name))
    if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
        yield (*path, "memo")
    if path and not schema.get("properties"):
        yield path


def with_member(body, path, value):
    made = json.loads(json.dumps(body))
    inner = made
    for name in path[:-1]:
        if not isinstance(inner.get(name), dict):
            inner[name] = {}
        inner = inner[name]
    inner[path[-1]] = value
    return made


def as_xml(body):
    def element(name, value):
        inner = "".join(element(*member) for member in value.items()) if isinstance(value, dict) else \
            xml.sax.saxutils.escape(str(value))
        return f"<{name}>{inner}</{name}>"
    return element("request", body).encode()


def operations(document):
    return [(method, path, operation) for path, methods in document["paths"].items()
            for method, operation in methods.items() if method in METHODS]


def path_of(template, ids):
    return "/".join(ids.get(part[1:-1], "x") if part.startswith("{") else part for part in template.split("/"))


def send_bodies(planted, document, ids):
    """A card in every text of every body, as JSON and XML, in a name, and where no body can be read."""
    count = 0
    for method, template, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or not operation["security"]:
            continue
        path, example = path_of(template, ids), content["example"]
        for place in [*dict.fromkeys(text_places(document, content["schema"])), ("unknown",), (planted.cards.number(),)]:
            body = with_member(example, place, planted.cards.number() if place[-1] != "payment_token" else planted.cards.plain())
            answer = planted.ask(method.upper(), path, body, {"Idempotency-Key": unique("canary")})
            assert 400 <= answer.status < 500, (method, template, place, answer.status, answer.body)
            if place[-1].isidentifier():
                answer = planted.ask(method.upper(), path, as_xml(body), {
                    "Content-Type": "application/xml", "Accept": "application/xml", "Idempotency-Key": unique("canary")})
                assert 400 <= answer.status < 500, (method, template, place, answer.status, answer.body)
            count += 1
        for broken in (f'{{"{planted.cards.number()}": "{planted.secret()}', f'<{planted.secret()}>', planted.cards.number()):
            for kind in ("application/json", "application/xml", "text/plain"):
                planted.ask(method.upper(), path, broken.encode(), {"Content-Type": kind})
    return count


def send_places(planted, document, ids):
    """Cards and secrets in paths, queries and headers of everything that is served, and of what is not."""
    for method, template, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = content.get("example")
        verb, path = method.upper(), path_of(template, ids)
        known = [one["name"] for one in operation["parameters"] if one.get("in") == "query"]
        for value in (planted.cards.number(), planted.secret()):
            quoted = urllib.parse.quote(value)
            if "{" in template and not (verb, value.isidentifier()) == ("GET", True):
                # who asks for a path is told which
                planted.ask(verb, path_of(template, {name: quoted for name in ids}), body, keep=not value.isidentifier())
            for name in [*known, quoted]:
                planted.ask(verb, f"{path}?{name}={quoted}", body)
        planted.ask(verb, path, body, {"Authorization": f"Bearer {planted.secret()}"}, token=None)
        planted.ask(verb, path, body, {"Authorization": f"Basic {planted.cards.number()}"}, token=None)
    for name in HEADERS:
        for value in (planted.cards.number(), planted.secret()):
            if name in ("X-Request-Id", "X-Api-Call-Id", "Idempotency-Key") and value.isidentifier():
                continue  # these are the client's own words, and kept
            for verb, path in (("GET", "/transactions"), ("POST", "/transactions"), ("GET", "/nothing")):
                planted.ask(verb, path, b"{" if verb == "POST" else None, {name: value},
                            token=None if name == "Authorization" else "")
    for value in (planted.cards.number(), planted.cards.number()):  # an unknown path is logged, so that it can be found
        for verb in ("GET", "POST", "X" + planted.cards.plain()):
            planted.ask(verb, f"/{urllib.parse.quote(value)}/nothing?{planted.secret()}")


def keep_secrets(planted):
    """What is kept, and sealed: profiles, tokens of payment methods and of payments that wait; keys that are hashed."""
    profile = {"name": planted.secret(), "email": f"{planted.secret()}@shop.example",
               "address": {"line1": planted.secret(), "line2": planted.secret(), "city": planted.secret(),
                           "state": planted.secret(), "postal_code": planted.secret()[-20:]},
               "metadata": {"memo": planted.secret()}}
    customer = unique("canary")
    made = planted.ask("POST", "/customers", {"customer_id": customer, **profile}, keep=False)
    assert made.status == 201, made.body
    planted.ask("PATCH", f"/customers/{customer}", {"name": planted.secret(), "metadata": {"more": planted.secret()}}, keep=False)
    method = planted.ask("POST", f"/customers/{customer}/payment-methods",
                         {"gateway": "alpha", "payment_token": planted.secret(), "payment_method": "credit_card"})
    assert method.status == 201, method.body
    planted.ask("GET", f"/customers/{customer}/payment-methods")
    for email in (profile["email"], f"{planted.secret()}@shop.example"):
        planted.ask("GET", f"/customers?email={email}", keep=False)
    key = planted.ask("POST", "/api-keys", {"name": unique("k"), "scope": "payments:read"}, keep=False)
    planted.add_needle("an API key's secret", key.json["key"].split("_", 3)[3])
    assert planted.ask("GET", "/transactions", token=key.json["key"]).status == 200
    renewed = planted.ask("POST", f"/api-keys/{key.json['api_key_id']}/rotate", keep=False)
    planted.add_needle("an API key's secret", renewed.json["key"].split("_", 3)[3])
    planted.ask("GET", "/api-keys")
    return {"customer_id": customer, "payment_method_id": method.json["payment_method_id"],
            "api_key_id": key.json["api_key_id"]}


def pay(planted, token, **members):
    body = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "canary",
            "payment_token": token, **members}
    answer = planted.ask("POST", "/transactions", body, {"Idempotency-Key": unique("canary")})
    assert answer.status == 201, answer.body
    planted.payops.history.append({"transaction_id": answer.json["transaction_id"], "amount": 1000, "currency": "USD",
                                   "status": 201, "merchant": "canary", "payment_token": None})
    return answer.json["transaction_id"]


class Echo(http.server.BaseHTTPRequestHandler):
    """A gateway whose error page shows all that it was sent, and a card of its own; or has either where it is cut that is kept."""
    protocol_version = "HTTP/1.1"

    def page(self, body):
        token = json.loads(body).get("payment_token", "") if body else ""
        return [f"<pre>{token} {self.headers}\n{body.decode()}\ncard {self.server.card}</pre>".encode(),
                b"x" * (KEPT - 12) + token.encode(),
                b"x " * (KEPT // 2 - 8) + self.server.card.encode()][self.server.kind]

    def answer(self):
        page = self.page(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.count += 1
        self.send_response(500)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def echoing_gateway(payops, card):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.card, server.kind, server.count = card, 0, 0
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with gateway_at(payops, server.server_address[1]):
            yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kept_answer(payops, transaction_id):
    tried = payops.get(f"/transactions/{transaction_id}/attempts", merchant="canary").json
    return tried and tried[-1]["answer"]


def send_payments(planted):
    """Secrets that gateways are sent, or that wait to be; a gateway that repeats them; refunds with tokens of their own."""
    payops = planted.payops
    refused = [pay(planted, planted.secret()) for _ in range(2)]
    waiting = pay(planted, planted.secret(), process="manual")
    for transaction_id in refused:
        payops.await_status(transaction_id, "failed", merchant="canary")
    paid = pay(planted, "tok_ok")
    payops.await_status(paid, "completed", merchant="canary")
    planted.ask("POST", f"/transactions/{paid}/refunds", {"amount": 10, "payment_token": planted.secret()},
                {"Idempotency-Key": unique("canary")})
    echoed, shown = [], []
    with echoing_gateway(payops, planted.cards.number()) as gateway:
        for gateway.kind in range(3):
            gateway.count = 0
            while not gateway.count:  # where it is, every apid learns within half a second
                echoed.append(pay(planted, planted.secret()))
                shown.append(until(lambda one=echoed[-1]: kept_answer(payops, one), what="an answer that is kept"))
    call_back(planted, paid)
    return {"transaction_id": paid, "waiting": waiting, "echoed": echoed, "shown": shown, "refund_id": "ref_" + paid[6:]}


def call_back(planted, paid):
    """Callbacks that hold cards: signed, forged, and not to be read."""
    payops = planted.payops
    attempt = payops.get(f"/transactions/{paid}/attempts", merchant="canary").json[-1]
    for members in ({"callback_id": planted.cards.plain()}, {"status": planted.cards.plain()}, {"note": planted.cards.number()},
                    {planted.cards.number(): "x"}, {"status": "failed", "decline_code": planted.cards.number()},
                    {"nested": {"pan": planted.cards.number()}}, {"pad": "x" * 700, "pan": [planted.cards.number()] * 20}):
        body = json.dumps(callback_for(attempt, **members)).encode()
        for path in (f"/callback/{paid}", "/gateways/alpha/callbacks"):
            for raw, signature in ((body, None), (body + b" ", "t=1,v1=" + planted.secret()), (body[:-1] + b"\n", None)):
                answer = payops.call_back(paid, raw, signature, path)
                planted.seen.append(answer.body)


@pytest.fixture(scope="module")
def planted(shared):
    """All of it planted, once."""
    shared.start()
    shared.heal()
    shared.add_merchant("canary")
    made = Planted(shared)
    document = shared.request("GET", "/openapi.json").json
    ids = keep_secrets(made)
    made.paid = send_payments(made)
    ids = {**ids, "key": "none", "gateway": "alpha",
           **{name: made.paid[name] for name in ("transaction_id", "refund_id")}}
    made.count = send_bodies(made, document, ids)
    send_places(made, document, ids)
    for path in (*(f"/transactions/{one}{below}" for one in (made.paid["transaction_id"], *made.paid["echoed"])
                   for below in ("", "/events", "/attempts", "/why", "/refunds")),
                 "/transactions", "/refunds", "/api-keys", "/gateways", f"/customers/{ids['customer_id']}/transactions"):
        assert made.ask("GET", path).status == 200, path
    yield made
    shared.request("POST", f"/transactions/{made.paid['waiting']}/cancel", token=made.token)


# --- where they are searched ---

def pieces(path):
    """A file's content in pieces that overlap; what is nothing but zeros is left out."""
    zeros, last = bytes(PIECE), b""
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            if piece != zeros[:len(piece)]:
                yield last + piece
            last = piece[-256:]


def found_in_files(planted, *directories):
    found, count = set(), 0
    for path in (path for directory in directories for path in directory.rglob("*")):
        if path.is_file() and path.name not in IGNORED:
            count += 1
            with contextlib.suppress(FileNotFoundError):  # the database's own come and go
                found.update((str(path), name) for piece in pieces(path) for name in planted.found_in(piece))
    assert count > 0
    return sorted(found)


def test_nothing_is_in_the_database(planted):
    payops = planted.payops
    payops.sql("FLUSH TABLES")
    names = payops.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'payops'")
    dumped = b"".join(subprocess.run(["mariadb", "--no-defaults", f"--socket={payops.socket}", "--user=root", "--batch", "--raw",
                                      "payops", "-e", f"SELECT * FROM `{name}`"], capture_output=True, check=True).stdout
                      for name, in names)

    assert b"canary" in dumped
    assert planted.found_in(dumped) == []
    assert sum("***" in shown for shown in planted.paid["shown"]) >= 3  # the gateway did repeat what it was sent
    assert found_in_files(planted, payops.dir / "db") == []


def test_nothing_is_in_logs_or_beside_them(planted):
    payops = planted.payops
    payops.log_bytes()

    assert found_in_files(planted, payops.dir / "log", payops.dir / "run", payops.dir / "sandbox") == []


def test_nothing_is_answered_or_counted(planted, say):
    page = planted.payops.request("GET", "/metrics").body

    assert planted.found_in(page) == []
    assert [(raw, names) for raw in planted.seen if (names := planted.found_in(raw))] == []
    say(f"{len(planted.seen)} answers, {planted.count} texts of bodies")
    assert planted.count > 50


def test_nothing_is_printed_by_payopsctl(planted):
    payops = planted.payops
    access = ("--config", str(payops.config), "--database-user", "root")
    ids = [planted.paid["transaction_id"], *planted.paid["echoed"]]
    commands = [*(("why", one, "--evidence") for one in ids), ("exception", "list", "--json"), ("exception", "list", "--state", "resolved"),
                ("callback", "list", "--json"), ("callback", "list"),
                ("gateway", "list"), ("route", "list"), ("key", "list", "--merchant", "canary", "--json"),
                ("breaker", "list"), ("keys", "status"), ("migrate", "status"), ("fsck", "--all")]
    for command in commands:
        process = subprocess.Popen([payops.programs / "payopsctl", *command, *access], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate(timeout=60)
        assert (command, planted.found_in(output)) == (command, [])
        assert process.returncode in (0, 1), (command, output)
    printed = subprocess.run([payops.programs / "apid", "--print-config", *access[:2]], capture_output=True, check=True)
    assert planted.found_in(printed.stdout + printed.stderr) == []


def test_nothing_is_in_a_command_line_or_an_environment(planted):
    for name in ("apid", "sandbox", "database"):
        process = pathlib.Path(f"/proc/{planted.payops.pid(name)}")
        for part in ("cmdline", "environ"):
            raw = (process / part).read_bytes()
            assert raw
            assert planted.found_in(raw) == [], (name, part)


# --- what a crash leaves ---

def crash(planted, directory, settings=""):
    """An apid that holds a secret and is killed by a fault of memory, where cores may have any size; the core's bytes."""
    payops = planted.payops
    apid = SecondApid(payops, directory)
    apid.config.write_text(apid.config.read_text() + settings)
    cwd = directory / "cwd"
    cwd.mkdir()
    # A sanitizer would take the signal, and map more than a core file can hold.
    process = subprocess.Popen([payops.programs / "apid", "--config", str(apid.config)], cwd=cwd, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2),
                               env={"ASAN_OPTIONS": "handle_segv=0:disable_coredump=0:use_madv_dontdump=1", "PATH": "/usr/bin:/bin"})
    try:
        until(lambda: payops.is_ready(apid.port), what="the second apid")
        answer = payops.request("POST", "/transactions", {
            "amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "canary", "process": "manual",
            "payment_token": planted.secret()}, token=planted.token, port=apid.port)
        assert answer.status == 201, answer.body
        limit = resource.prlimit(process.pid, resource.RLIMIT_CORE)[0]
        process.send_signal(signal.SIGSEGV)
        assert process.wait(60) == -signal.SIGSEGV
    finally:
        process.kill()
        process.wait()
    payops.request("POST", f"/transactions/{answer.json['transaction_id']}/cancel", token=planted.token)
    return limit, [path for path in cwd.iterdir() if path.is_file()]


def test_a_crash_leaves_no_core_file(planted, tmp_path):
    limit, left = crash(planted, tmp_path)

    assert limit == 1
    assert left == []


def test_where_a_core_file_is_wanted_it_holds_secrets(planted, tmp_path):
    """Why there is none otherwise; and that the search would have found it."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    if hard != resource.RLIM_INFINITY or "/" in pattern or "|" in pattern:
        pytest.skip("core files do not come here")
    limit, left = crash(planted, tmp_path, "crash: { core_dumps = true; };\n")

    assert limit == resource.RLIM_INFINITY
    assert [name for path in left for piece in pieces(path) for name in planted.found_in(piece)]
    for path in left:
        path.unlink()


def test_the_search_finds_what_is_there(planted, tmp_path):
    """It can fail: each form of everything, also where two pieces of a file meet."""
    forms = [*planted.cards.marks(), *(form for forms in planted.needles.values() for form in forms)]
    assert len(forms) > 20
    for form in forms:
        assert planted.found_in(b"\0" + form + b"\xff")
    file = tmp_path / "one"
    for at in (0, PIECE - 5, PIECE, 3 * PIECE - len(forms[0])):
        file.write_bytes(bytes(at) + forms[0] + bytes(PIECE))
        assert found_in_files(planted, tmp_path) == [(str(file), f"a card: {forms[0].decode()}")], at
    assert planted.found_in(planted.cards.number().encode()) and planted.found_in(planted.secret().encode())
