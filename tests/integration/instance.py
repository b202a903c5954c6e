# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running instance of payops (apid, sandbox, private database), and what tests do with it.

The instance is the one that ./dev starts from PAYOPS_DIR and PAYOPS_PORT; programs are found in PAYOPS_PROGRAMS.
"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.parse

GATEWAYS = ("alpha", "beta", "gamma")


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Answer:
    """Status, headers (lower-case names) and body of one HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Instance:
    def __init__(self):
        self.top = pathlib.Path(os.environ["PAYOPS_TOP"])
        self.dir = pathlib.Path(os.environ["PAYOPS_DIR"])
        self.port = int(os.environ["PAYOPS_PORT"])
        self.programs = pathlib.Path(os.environ["PAYOPS_PROGRAMS"])
        self.socket = self.dir / "run" / "db.sock"
        self.config = self.dir / "etc" / "payops" / "payops.conf"
        self.told = self.dir / "told.jsonl"
        self.history = [json.loads(line) for line in self.told.read_text().splitlines()] if self.told.exists() else []
        self.kept = self.checked = len(self.history)  # how much of it is in the file, and how much the checker saw
        self._tokens = {}

    def keep_history(self):
        """For the tests that come after this process."""
        with open(self.told, "a") as file:
            file.writelines(json.dumps(line) + "\n" for line in self.history[self.kept:])
        self.kept = len(self.history)

    # --- processes ---

    def start(self, **extra):
        """Start what does not run."""
        subprocess.run([self.top / "dev", "instance", "start"], check=True, stdin=subprocess.DEVNULL,
                       env={**os.environ, **extra})

    def is_up(self):
        """All three programs run, and apid is ready."""
        try:
            return self.request("GET", "/readyz").status == 200 and self.sandbox("GET", "/healthz").status == 200
        except OSError:
            return False

    def is_ready(self, port=None):
        """An apid is ready to serve."""
        try:
            return self.request("GET", "/readyz", port=port, timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def start_apid(self, **extra):
        """Start apid alone, without waiting, as our own child whose end can be watched; it must not run."""
        with open(self.dir / "log" / "apid.log", "ab") as log:
            process = subprocess.Popen([self.programs / "apid", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True, env={**os.environ, **extra})
        (self.dir / "run" / "apid.pid").write_text(f"{process.pid}\n")
        return process

    def restart(self):
        """apid anew, as its configuration says by now; every gateway is well again."""
        self.kill("apid", signal.SIGTERM)
        self.start()
        self.heal()

    def pid(self, name):
        return int((self.dir / "run" / f"{name}.pid").read_text())

    def kill(self, name, number=signal.SIGKILL):
        """Signal a process and wait until it is gone."""
        pid = self.pid(name)
        os.kill(pid, number)
        self.wait_gone(pid)

    def stop(self, name):
        """SIGSTOP a process and wait until it stands still: it goes on until its threads have had a turn."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        deadline = time.monotonic() + 30
        while not self.stands_still(pid):
            assert time.monotonic() < deadline, f"{name} does not stop"
            time.sleep(0.005)

    @contextlib.contextmanager
    def stalled(self, name):
        """A process stands still meanwhile."""
        self.stop(name)
        try:
            yield
        finally:
            os.kill(self.pid(name), signal.SIGCONT)

    @staticmethod
    def stands_still(pid):
        tasks = pathlib.Path(f"/proc/{pid}/task")
        with contextlib.suppress(FileNotFoundError):   # a thread ended meanwhile
            return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir())
        return False

    @staticmethod
    def wait_gone(pid, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except FileNotFoundError:
                return
            if state == "Z" and len(list(pathlib.Path(f"/proc/{pid}/task").iterdir())) <= 1:
                return  # its other threads are gone, and with them its sockets
            time.sleep(0.02)
        raise AssertionError(f"process {pid} is still there after {seconds} s")

    def log_bytes(self, name="apid"):
        """A program's log, with all that was logged before this call: apid collects lines for some milliseconds."""
        time.sleep(0.1)
        return (self.dir / "log" / f"{name}.log").read_bytes()

    def log_lines(self, name="apid"):
        """Every line of a program's log as JSON; a line that is none fails the test."""
        return [json.loads(line) for line in self.log_bytes(name).decode().splitlines()]

    def ctl(self, *words, check=True):
        return subprocess.run([self.programs / "payopsctl", *words], check=check, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)

    # --- database ---

    def sql(self, text, binary=False):
        """Rows as lists of strings (NULL is "NULL"); with `binary` all binary columns come as 0x…."""
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch",
                   "--skip-column-names", *["--binary-as-hex"] * binary, "payops", "-e", text]
        done = subprocess.run(command, check=True, text=True, capture_output=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    # --- tokens ---

    def token(self, merchant="demo", scope="payments:read payments:write"):
        key = (merchant, scope)
        if key not in self._tokens:
            self._tokens[key] = self.ctl("token", "issue", "--config", str(self.config), "--merchant", merchant,
                                         "--scope", scope).stdout.strip()
        return self._tokens[key]

    def token_key(self):
        """The raw key that tokens of this instance are signed with."""
        return (self.dir / "etc" / "payops" / "keys" / "token.key").read_bytes()

    def forge(self, header, claims, key=None):
        """A token of exactly these JSON texts or objects, signed with HMAC-SHA256."""
        parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
        head = ".".join(base64url(part) for part in parts)
        mac = hmac.new(key if key is not None else self.token_key(), head.encode(), hashlib.sha256).digest()
        return f"{head}.{base64url(mac)}"

    def add_merchant(self, name):
        self.ctl("merchant", "add", name, "--name", name, "--if-absent", "--config", str(self.config),
                 "--database-user", "root")

    # --- HTTP ---

    def request(self, method, path, body=None, headers=None, token=None, port=None, timeout=35):
        """One request on a connection of its own. `body`: bytes as they are, anything else as JSON."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)) as link:
            link.request(method, path, body=body, headers=sent)
            got = link.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())

    def pay(self, token_word="tok_ok", headers=None, merchant="demo", **members):
        """POST /transactions; acknowledged ones are recorded in the history for the checker."""
        body = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_001",
                "payment_token": token_word, **members}
        body = {name: value for name, value in body.items() if value is not None}
        answer = self.request("POST", "/transactions", body, headers=headers, token=self.token(merchant))
        if answer.status in (201, 202):
            self.history.append({"transaction_id": answer.json["transaction_id"], "amount": body["amount"],
                                 "currency": body["currency"], "status": answer.status,
                                 "merchant": merchant, "payment_token": token_word})
        return answer

    def get(self, path, merchant="demo", **options):
        return self.request("GET", path, token=self.token(merchant), **options)

    def await_status(self, transaction_id, wanted, seconds=40, merchant="demo"):
        """Poll until the transaction has one of the wanted statuses; returns its last representation."""
        wanted = (wanted,) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + seconds
        while True:
            shown = self.get(f"/transactions/{transaction_id}", merchant=merchant).json
            if shown["status"] in wanted:
                return shown
            assert time.monotonic() < deadline, f"{transaction_id} is {shown['status']}, not {wanted}"
            time.sleep(0.05)

    # --- sandbox ---

    def sandbox(self, method, path, body=None):
        return self.request(method, path, body, port=self.port + 1)

    def ledger(self, reference):
        return self.sandbox("GET", "/_sandbox/ledger?reference=" + urllib.parse.quote(reference)).json

    def mode(self, mode, ms=0, gateway="alpha"):
        answer = self.sandbox("PUT", f"/_sandbox/gateways/{gateway}/mode", {"mode": mode, "ms": ms})
        assert answer.status == 200, answer.body

    def heal(self):
        """Every gateway is well again."""
        for gateway in GATEWAYS:
            self.mode("ok", gateway=gateway)

    def complete(self, gateway_ref):
        """Let what waits at a gateway, for its customer or in a queue, reach its verdict."""
        answer = self.sandbox("POST", f"/_sandbox/operations/{gateway_ref}/complete")
        assert answer.status == 202, answer.body

    def callback_secret(self):
        return (self.dir / "etc" / "payops" / "keys" / "alpha.callback-secret").read_bytes().rstrip(b"\n")

    def sign(self, body, at_s=None, secret=None):
        """The Sandbox-Signature header over raw bytes."""
        at_s = int(time.time()) if at_s is None else at_s
        mac = hmac.new(secret or self.callback_secret(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at_s},v1={mac}"

    def call_back(self, transaction_id, body, signature=None, path=None):
        """Deliver a callback as the gateway would; `body` is an object or raw bytes."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if signature != "":
            headers["Sandbox-Signature"] = signature or self.sign(raw)
        return self.request("POST", path or f"/callback/{transaction_id}", raw, headers=headers)

    # --- HTTP as http.client would not send it ---

    def connect(self, timeout=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    @staticmethod
    def read_answer(stream):
        """The next final answer on a connection's file; None where the connection ended before one."""
        while True:
            line = stream.readline()
            if not line:
                return None
            status, headers = int(line.split(b" ")[1]), {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, value = line.decode("latin-1").rstrip("\r\n").split(":", 1)
                headers[name.lower()] = value.strip()
            if status < 200:
                continue
            size = 0 if status in (204, 304) else int(headers.get("content-length", "0"))
            return Answer(status, headers, stream.read(size))

    def exchange(self, raw, timeout=20):
        """Send raw bytes on a connection of their own; its first answer, None where it was closed without one."""
        with self.connect(timeout) as link, link.makefile("rb") as stream:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                link.sendall(raw)  # the server may have answered and gone before all was sent
            try:
                return self.read_answer(stream)
            except ConnectionResetError:
                return None
