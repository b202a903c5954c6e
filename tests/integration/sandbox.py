# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A payops-sandbox of its own, with keys of its own, and a receiver for its callbacks."""
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import os
import socket
import subprocess
import threading
import urllib.parse

from support import until

GATEWAYS = ("alpha", "beta", "gamma")
OPERATIONS = ("charge", "authorise", "capture", "void", "refund", "payout")


class Receiver(http.server.ThreadingHTTPServer):
    """Answers every callback with `status` and keeps it: (client's port, signature, raw body)."""
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.received = []
        self.status = 200
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/callback"

    def bodies(self, reference):
        return [body for body in (json.loads(raw) for _, _, raw in list(self.received)) if body["reference"] == reference]

    def close(self):
        self.shutdown()
        self.server_close()


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.client_address[1], self.headers["Sandbox-Signature"], raw))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Reply:
    """How a request ended: `how` is a status, or "held", "reset", "cut", "refused"; `raw` what was read."""

    def __init__(self, how, raw=b"", headers=None):
        self.how = how
        self.raw = raw
        self.headers = headers or {}

    @property
    def json(self):
        return json.loads(self.raw)


class Sandbox:
    def __init__(self, programs, directory, port):
        self.programs = programs
        self.directory = directory
        self.port = port
        self.receiver = Receiver()
        self.process = None
        self.count = 0
        self.lock = threading.Lock()
        for name in GATEWAYS:
            for kind in ("api-key", "callback-secret"):
                path = directory / f"{name}.{kind}"
                path.write_text(f"{kind}-of-{name}")
                path.chmod(0o600)

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "payops-sandbox", "--port", str(self.port), "--ledger", self.directory / "ledger",
                 "--keys", self.directory, "--callback-retry-ms", "300"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ)
        until(self.is_up, what="the sandbox")
        return self

    def is_up(self):
        try:
            return self.control("GET", "/healthz").how == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)

    def close(self):
        status = self.stop()
        self.receiver.close()
        return status

    def exchange(self, port, method, path, body=None, headers=None, timeout=10):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)) as link:
            try:
                link.request(method, path, body if body is None else json.dumps(body), headers or {})
                got = link.getresponse()
                return Reply(got.status, got.read(), {name.lower(): value for name, value in got.getheaders()})
            except TimeoutError:
                return Reply("held")
            except ConnectionRefusedError:
                return Reply("refused")
            except ConnectionResetError:
                return Reply("reset")
            except (http.client.HTTPException, OSError):
                return Reply("cut")

    def control(self, method, path, body=None):
        return self.exchange(self.port, method, path, body)

    def new_reference(self):
        with self.lock:
            self.count += 1
            return f"op_{self.count}-1"

    def document(self, operation, token, **members):
        reference = members.pop("reference", None) or self.new_reference()
        body = {"operation": operation, "reference": reference, "transaction": f"trans_of_{reference}",
                "operation_id": f"op_of_{reference}", "attempt": f"att_of_{reference}", "amount_minor": 1000,
                "currency": "USD", "payment_token": token, "callback_url": self.receiver.url, **members}
        return {name: value for name, value in body.items() if value is not None}

    def headers(self, gateway, reference):
        return {"Authorization": f"Bearer api-key-of-{gateway}", "Idempotency-Key": reference,
                "Content-Type": "application/json"}

    def perform(self, operation, token="tok_sync", gateway="alpha", timeout=10, **members):
        """POST an operation; the reply has the reference it was sent with."""
        body = self.document(operation, token, **members)
        reply = self.exchange(self.gateway_port(gateway), "POST", "/v1/operations", body,
                              self.headers(gateway, body["reference"]), timeout)
        reply.reference = body["reference"]
        return reply

    def perform_raw(self, token):
        """Send a charge; returns its reference, the bytes that came back, and whether a reset ended them."""
        body = self.document("charge", token)
        text = json.dumps(body).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers("alpha", body["reference"]).items())
        raw, was_reset = b"", False
        with socket.create_connection(("127.0.0.1", self.gateway_port("alpha")), timeout=10) as link:
            link.sendall(f"POST /v1/operations HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(text)}\r\n\r\n".encode()
                         + text)
            try:
                while piece := link.recv(4096):
                    raw += piece
            except ConnectionResetError:
                was_reset = True
        return body["reference"], raw, was_reset

    def gateway_port(self, gateway):
        return self.port + 1 + GATEWAYS.index(gateway)

    def ask(self, reference, gateway="alpha"):
        query = urllib.parse.quote(reference)
        return self.exchange(self.gateway_port(gateway), "GET", f"/v1/operations?reference={query}", None,
                             {"Authorization": f"Bearer api-key-of-{gateway}"})

    def ledger(self, reference=None):
        query = "" if reference is None else "?reference=" + urllib.parse.quote(reference)
        return self.control("GET", "/_sandbox/ledger" + query).json

    def parent(self, operation, gateway="alpha", amount=1000):
        """The id of something that a capture, void or refund can be about; None for the others."""
        kind = {"capture": "authorise", "void": "authorise", "refund": "charge"}.get(operation)
        return kind and self.perform(kind, gateway=gateway, amount_minor=amount).json["id"]


def signature_of(gateway, header, raw):
    """What the header should be at its own time."""
    at_s = header.split(",")[0].removeprefix("t=")
    mac = hmac.new(f"callback-secret-of-{gateway}".encode(), f"{at_s}.".encode() + raw, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={mac}"
