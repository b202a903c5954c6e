# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS beside plain HTTP: what is agreed on and what is refused, certificates that change under load, clients' own."""
import collections
import contextlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from second_apid import SecondApid
from support import pay_id, unique, until

REFUSED = "the configuration was read again and changes nothing: the old one stays in force"
TAKEN = "configuration read again"
BODY = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_tls",
        "payment_token": "tok_ok"}
DEADLINE_S = 1.5


def openssl(*words, stdin=""):
    return subprocess.run(["openssl", *map(str, words)], input=stdin, check=True, text=True, capture_output=True).stdout


class Authority:
    """Makes certificates, of elliptic curves since those are quick to make."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.certificate, self.key = directory / f"{name}.pem", directory / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 100,
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
                "-addext", "keyUsage=critical,keyCertSign")

    def certify(self, name, days=90, purpose="serverAuth", key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """Files of a certificate and its key. `days` below 0: it ended that long ago."""
        certificate, secret = (self.directory / f"{name}.{what}" for what in ("pem", "key"))
        request, extensions = (self.directory / f"{name}.{what}" for what in ("csr", "ext"))
        openssl("req", "-newkey", *key, "-nodes", "-subj", f"/CN={name}", "-keyout", secret, "-out", request)
        extensions.write_text(f"subjectAltName=IP:127.0.0.1\nextendedKeyUsage={purpose}\nbasicConstraints=CA:FALSE\n")
        (self.directory / "index").write_text("")
        openssl("ca", "-batch", "-notext", "-rand_serial", "-config", self.settings(), "-in", request,
                "-extfile", extensions, "-out", certificate, "-startdate", stamp(min(days, 0) - 1),
                "-enddate", stamp(days))
        return certificate, secret

    def settings(self):
        path = self.directory / f"{self.name}.cnf"
        path.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.directory}/index\n"
                        f"serial={self.directory}/serial\nnew_certs_dir={self.directory}\n"
                        f"certificate={self.certificate}\nprivate_key={self.key}\ndefault_md=sha256\npolicy=p\n"
                        "unique_subject=no\n[p]\ncommonName=supplied\n")
        return path


def stamp(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class TlsApid(SecondApid):
    """The second apid with a port for TLS, whose certificate the test may change."""

    def __init__(self, payops, directory):
        super().__init__(payops, directory)
        self.log = payops.dir / "log" / "second.log"
        self.begun = self.log.stat().st_size if self.log.exists() else 0
        self.tls_port = free_port()
        self.authority = Authority(directory, "authority")
        self.trust = ssl.create_default_context(cafile=self.authority.certificate)
        self.extra = self.directory / "conf.d" / "90-test-tls.conf"
        self.certificate, self.key = self.directory / "tls.pem", self.directory / "tls.key"
        self.install(*self.authority.certify("first"))
        self.configure()

    def configure(self, more="", rest=""):
        self.extra.write_text(f'tls: {{ port = {self.tls_port}; certificate_file = "{self.certificate}"; '
                              f'key_file = "{self.key}"; {more} }};\n{rest}')

    def install(self, certificate, key):
        self.certificate.write_bytes(certificate.read_bytes())
        self.key.write_bytes(key.read_bytes())
        self.key.chmod(0o600)

    def lines(self):
        """What this apid logged, the one of an earlier test not."""
        return [json.loads(line) for line in self.log.read_bytes()[self.begun:].decode().splitlines()]

    def warnings(self):
        return [line["msg"] for line in self.lines() if line["level"] == "warning" and
                line["msg"].startswith("the certificate") and line["file"] == str(self.certificate)]

    def reload(self, wanted=TAKEN):
        before = len(self.lines())
        self.signal(signal.SIGHUP)
        found = until(lambda: [line for line in self.lines()[before:] if line["msg"] in (TAKEN, REFUSED)],
                      what="a line about the configuration")
        assert [line["msg"] for line in found] == [wanted], found
        return found[0]

    def link(self, trust=None):
        return http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=20, context=trust or self.trust)

    def ask(self, method, path, body=None, headers=None, trust=None, token=None):
        with contextlib.closing(self.link(trust)) as link:
            return exchange(link, method, path, body, {"Authorization": f"Bearer {token or self.payops.token()}",
                                                       **(headers or {})})

    def serial(self):
        """Which certificate a new connection is shown."""
        with socket.create_connection(("127.0.0.1", self.tls_port), timeout=20) as raw, \
                self.trust.wrap_socket(raw, server_hostname="127.0.0.1") as link:
            return link.getpeercert()["serialNumber"]

    def client(self, *words):
        """What s_client says, and whether a handshake was brought to its end."""
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.tls_port}", *words],
                              input="", text=True, capture_output=True, timeout=30)
        return done.returncode == 0, done.stdout + done.stderr


def exchange(link, method, path, body=None, headers=None):
    text = None if body is None else json.dumps(body)
    link.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
    answer = link.getresponse()
    return answer.status, json.loads(answer.read() or "null")


@pytest.fixture
def made(payops, tmp_path):
    """An apid that was not started yet."""
    apid = TlsApid(payops, tmp_path)
    yield apid
    if apid.process is not None:
        assert apid.close() == 0


@pytest.fixture
def apid(made):
    return made.start()


STRONG = [("-tls1_3", "-ciphersuites", suite) for suite in
          ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")]
STRONG += [("-tls1_2", "-cipher", suite) for suite in
           ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305")]
# With s_client's own level of security lowered: it is apid that refuses.
WEAK = [(version, "-cipher", "ALL:@SECLEVEL=0") for version in ("-tls1", "-tls1_1")]
WEAK += [("-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0") for suite in
         ("kRSA", "kDHE", "ECDHE+SHA1", "ECDHE+SHA256", "ECDHE+SHA384", "ECDHE+AESCCM", "aNULL", "eNULL")]
WEAK += [("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"), ("-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-sigalgs", "ECDSA+SHA1:RSA+SHA1"),
         ("-tls1_3", "-groups", "P-521")]


def refuses_weak(apid):
    for words in WEAK:
        done, said = apid.client(*words)
        assert not done and "CONNECTED" in said and "Cipher is (NONE)" in said, (words, said)
        assert "available" not in said.replace("no peer certificate available", ""), (words, said)   # it was offered


def test_only_what_is_strong_is_agreed_on(apid):
    for words in STRONG:
        done, said = apid.client(*words)
        assert done, (words, said)
        assert words[2] in said
    refuses_weak(apid)
    with socket.create_connection(("127.0.0.1", apid.tls_port), timeout=20) as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")   # plain HTTP where TLS is spoken
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP" not in link.recv(4096)
    assert apid.ask("GET", "/healthz")[0] == 200


def test_a_handshake_is_never_repeated(apid):
    command = ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{apid.tls_port}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        said = b""
        while b"Extended master secret" not in said:   # the last it says of the first one
            said += client.stdout.readline()
        client.stdin.write(b"R\n")                     # s_client: renegotiate
        client.stdin.flush()
        rest = client.stdout.read()                    # until it ends: the connection was closed
    assert b"RENEGOTIATING" in rest and b"verify" not in rest.split(b"RENEGOTIATING")[1]


def test_rsa_certificates_serve_too(made):
    made.install(*made.authority.certify("rsa", key=("rsa:2048",)))
    apid = made.start()
    for suite in ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
        assert apid.client("-tls1_2", "-cipher", suite)[0]
    assert apid.client("-tls1_3")[0]
    refuses_weak(apid)
    assert apid.ask("GET", "/healthz")[0] == 200


def test_a_payment_over_tls(apid):
    status, paid = apid.ask("POST", "/transactions", BODY, {"Idempotency-Key": unique("tls")})
    assert status == 201
    until(lambda: apid.ask("GET", f"/transactions/{paid['transaction_id']}")[1]["status"] == "completed",
          what="its completion")
    # Plain stays, and sees the same.
    assert apid.payops.request("GET", f"/transactions/{paid['transaction_id']}", port=apid.port,
                               token=apid.payops.token()).status == 200
    with contextlib.closing(apid.link()) as link:   # one connection, many requests
        found = {exchange(link, "GET", "/transactions", headers={"Authorization": f"Bearer {apid.payops.token()}"})[0]
                 for _ in range(20)}
    assert found == {200}
    assert apid.ask("POST", "/transactions", {**BODY, "description": "x" * 70000})[0] == 413
    assert 80 * 86400 < apid.figure("payops_tls_certificate_expiry_seconds") <= 90 * 86400
    assert apid.warnings() == []


class Load(threading.Thread):
    """Pays and reads without a pause, on a connection each or on one that is kept; what was not well."""

    def __init__(self, apid, keeps):
        super().__init__()
        self.apid, self.keeps = apid, keeps
        self.done, self.count, self.bad = threading.Event(), 0, []
        self.headers = {"Authorization": f"Bearer {apid.payops.token()}"}

    def run(self):
        link = self.apid.link()
        while not self.done.is_set():
            try:
                paid = exchange(link, "POST", "/transactions", BODY,
                                {**self.headers, "Idempotency-Key": unique("tls")})[0]
                shown = exchange(link, "GET", "/transactions", headers=self.headers)[0]
            except (OSError, http.client.HTTPException) as error:
                shown = paid = repr(error)
            if (paid, shown) != (201, 200):
                self.bad.append((paid, shown))
            self.count += 1
            if not self.keeps:
                link.close()
        link.close()


def test_certificates_change_under_load_without_a_failed_request(apid):
    loads = [Load(apid, keeps) for keeps in (True, True, False, False)]
    serials = [apid.serial()]
    for load in loads:
        load.start()
    try:
        for number in range(4):
            apid.install(*apid.authority.certify(f"next-{number}"))
            assert apid.reload()["changed"] == "tls.certificate_file"
            serials.append(apid.serial())
            marks = [load.count for load in loads]
            until(lambda: all(load.count > mark + 3 for load, mark in zip(loads, marks)), what="load after the change")
    finally:
        for load in loads:
            load.done.set()
        for load in loads:
            load.join()
    assert [load.bad for load in loads] == [[]] * len(loads)
    assert len(set(serials)) == len(serials)


def test_what_does_not_fit_changes_nothing_and_is_named(apid):
    first, other = apid.serial(), apid.authority.certify("other")
    good = apid.certificate.read_bytes(), apid.key.read_bytes()
    locked = openssl("pkey", "-in", apid.key, "-aes256", "-passout", "pass:x").encode()
    weak = apid.authority.certify("weak", key=("rsa:1024",))
    wrong = ((good[0], other[1].read_bytes(), f"{apid.key} is not the key of the certificate in {apid.certificate}"),
             (b"nothing\n", good[1], f"{apid.certificate} holds no certificate"),
             (good[0] + other[0].read_bytes(), good[1], f"{apid.certificate} has its certificates out of order"),
             (good[0], b"nothing\n", f"{apid.key} holds no private key"),
             (good[0], locked, f"{apid.key} is locked by a password"),
             (weak[0].read_bytes(), weak[1].read_bytes(), f"{apid.key} is too weak"))
    for certificate, key, why in wrong:
        apid.certificate.write_bytes(certificate)
        apid.key.write_bytes(key)
        assert apid.reload(REFUSED)["why"].startswith(why)
        assert apid.serial() == first
    apid.certificate.write_bytes(good[0])
    apid.key.write_bytes(good[1])
    apid.key.chmod(0o644)
    assert "chmod" in apid.reload(REFUSED)["why"]
    apid.key.chmod(0o600)
    assert "changed" not in apid.reload()


def test_a_wrong_certificate_keeps_it_from_starting(made):
    command = [made.payops.programs / "apid", "--config", str(made.config)]
    made.certificate.write_text("nothing\n")
    for words in ([], ["--check-config"]):
        done = subprocess.run([*command, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        assert done.returncode == 78
        assert done.stderr.count("\n") == 1 and f"{made.certificate} holds no certificate" in done.stderr
    made.extra.write_text('tls: { certificate_file = "x"; };\n')
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 78 and "tls.port: name a port" in done.stderr
    made.install(*made.authority.certify("good"))
    made.configure(more='client_ca_file = "nowhere.pem";')
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert "nowhere.pem" in done.stderr
    # What does not listen does not need it.
    made.payops.ctl("keys", "status", "--config", str(made.config), "--database-user", "root")


def test_an_end_that_is_near_is_told(made):
    made.install(*made.authority.certify("old", days=-1))
    apid = made.start()
    assert [why.split(" and")[0] for why in apid.warnings()] == ["the certificate has expired"]
    assert -2 * 86400 < apid.figure("payops_tls_certificate_expiry_seconds") < 0
    apid.install(*apid.authority.certify("soon", days=13))
    apid.reload()
    until(lambda: apid.warnings()[1:], what="the second warning")
    assert apid.warnings()[1].startswith("the certificate expires soon")
    apid.install(*apid.authority.certify("later", days=15))
    apid.reload()
    assert apid.ask("GET", "/healthz")[0] == 200
    assert len(apid.warnings()) == 2


def with_certificate(apid, certificate, key):
    context = ssl.create_default_context(cafile=apid.authority.certificate)
    context.load_cert_chain(certificate, key)
    return context


def test_clients_without_a_certificate_of_the_authority_are_refused(apid, tmp_path):
    (tmp_path / "clients").mkdir()
    (tmp_path / "strangers").mkdir()
    clients, strangers = Authority(tmp_path / "clients", "clients"), Authority(tmp_path / "strangers", "strangers")
    good = with_certificate(apid, *clients.certify("shop", purpose="clientAuth"))
    bad = [None, *(with_certificate(apid, *files) for files in (
        strangers.certify("shop", purpose="clientAuth"), clients.certify("ended", days=-1, purpose="clientAuth"),
        clients.certify("server", purpose="serverAuth")))]
    assert apid.ask("GET", "/transactions")[0] == 200
    kept = apid.link()
    head = {"Authorization": f"Bearer {apid.payops.token()}"}
    with contextlib.closing(kept):
        assert exchange(kept, "GET", "/transactions", headers=head)[0] == 200
        apid.configure(more=f'client_ca_file = "{clients.certificate}";')
        assert apid.reload()["changed"] == "tls.client_ca_file"
        assert exchange(kept, "GET", "/transactions", headers=head)[0] == 200   # it had begun before

    assert apid.ask("GET", "/transactions", trust=good)[0] == 200
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for trust in (good, *bad):
            trust = trust or ssl.create_default_context(cafile=apid.authority.certificate)
            trust.minimum_version = trust.maximum_version = version
            if trust is good:
                assert apid.ask("GET", "/transactions", trust=trust)[0] == 200
                continue
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                apid.ask("GET", "/transactions", trust=trust)


def plain_talk(apid, text):
    """What comes back where no TLS is spoken to the port: nothing."""
    with socket.create_connection(("127.0.0.1", apid.tls_port), timeout=20) as link:
        link.sendall(text)
        with contextlib.suppress(ConnectionError):
            assert link.recv(1) == b""


def failures(apid):
    """How many handshakes failed so far, by what is wrong; and the lines about them."""
    page = apid.payops.request("GET", "/metrics", port=apid.port).body.decode()
    found = re.findall(r'^payops_tls_handshake_failures_total\{failure="(\w+)"\} (\d+)$', page, re.MULTILINE)
    return ({word: int(count) for word, count in found},
            [line for line in apid.lines() if line["msg"] == "TLS handshake failed"])


def test_a_handshake_that_fails_is_counted_and_told_with_its_reason(apid, tmp_path):
    (tmp_path / "clients").mkdir()
    (tmp_path / "strangers").mkdir()
    clients, strangers = Authority(tmp_path / "clients", "clients"), Authority(tmp_path / "strangers", "strangers")
    ended = clients.certify("ended", days=-1, purpose="clientAuth")
    distrusting = "-tls1_2", "-verify_return_error", "-CAfile", strangers.certificate
    wrong = [   # what the client does, what is counted, what the log says
        (lambda: plain_talk(apid, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "not_tls", "what came is no TLS handshake"),
        (lambda: apid.client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "version", "the client offers TLS 1.1 at most"),
        (lambda: apid.client("-tls1_3", "-groups", "P-521"), "nothing_common", "no cipher suite, group or signature"),
        (lambda: apid.client(*map(str, distrusting)), "alert", "the client answered with the alert: CA is unknown"),
        (lambda: apid.client(*map(str, ("-tls1_3", *distrusting[1:]))), "broken_off",
         "the client broke it off when it had the server's certificate"),
        # and from here on with clients' certificates
        (lambda: apid.client("-tls1_2"), "client_certificate", "the client has sent no certificate"),
        (lambda: apid.client("-tls1_3", "-cert", str(ended[0]), "-key", str(ended[1])), "client_certificate", "expired"),
        (lambda: apid.client("-tls1_2", *map(str, sum(zip(("-cert", "-key"), strangers.certify("me", purpose="clientAuth")), ()))),
         "client_certificate", "issuer is unknown"),
    ]
    assert set(failures(apid)[0].values()) == {0} and failures(apid)[1] == []
    assert apid.ask("GET", "/healthz")[0] == 200
    with socket.create_connection(("127.0.0.1", apid.tls_port), timeout=20):
        pass   # who only looks whether the port is open has not failed
    assert apid.client("-tls1_3")[0] and apid.client("-tls1_2")[0]

    expected = collections.Counter()
    for number, (act, word, text) in enumerate(wrong):
        if text == "the client has sent no certificate":
            apid.configure(more=f'client_ca_file = "{clients.certificate}";')
            apid.reload()
        act()
        expected[word] += 1
        counted = until(lambda: (lambda all_of: all_of if sum(all_of.values()) > number else None)(failures(apid)[0]),
                        what=f"{word} being counted")
        assert {one: count for one, count in counted.items() if count} == expected, text
        if expected[word] == 1:   # of one kind and address one line a minute
            line = until(lambda: failures(apid)[1][len(expected) - 1:], what=f"a line about {word}")[0]
            assert (line["peer"], line["failure"], line["left_out"]) == ("127.0.0.1", word, 0), line
            assert text in line["reason"], line
    assert len(failures(apid)[1]) == len(expected) == 6


@pytest.mark.parametrize("days, purpose, text", [(-1, "clientAuth", "expired"), (90, "serverAuth", "intended purpose")])
def test_a_clients_certificate_that_is_refused_is_told_with_what_is_wrong(made, tmp_path, days, purpose, text):
    (tmp_path / "clients").mkdir()
    clients = Authority(tmp_path / "clients", "clients")
    certificate, key = clients.certify("shop", days=days, purpose=purpose)
    made.configure(more=f'client_ca_file = "{clients.certificate}";')
    apid = made.start()

    apid.client("-tls1_3", "-cert", str(certificate), "-key", str(key))

    line = until(lambda: failures(apid)[1], what="the line")[0]
    assert line["failure"] == "client_certificate" and text in line["reason"], line


def test_slow_crowding_and_guessing_clients(made):
    made.configure(rest=f"listen: {{ read_deadline_ms = {int(DEADLINE_S * 1000)}; connections_max = 12; }};\n"
                        "lockout: { failures = 5; };\n")
    apid = made.start()
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", apid.tls_port), timeout=20) as link:   # no handshake at all
        with contextlib.suppress(ConnectionResetError):
            assert link.recv(1) == b""
        assert DEADLINE_S * 0.8 < time.monotonic() - begun < DEADLINE_S + 4
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", apid.tls_port), timeout=20) as raw, \
            apid.trust.wrap_socket(raw, server_hostname="127.0.0.1") as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\n")   # and never the rest
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            assert link.recv(1) == b""
        assert DEADLINE_S * 0.8 < time.monotonic() - begun < DEADLINE_S + 4

    # Twelve together, whichever way they come: the thirteenth is not served, and later again. Who is idle loses its place
    # after a second: where this machine needed as long, it is tried once more.
    for _ in range(10):
        with contextlib.ExitStack() as held:
            begun = time.monotonic()
            for port in (apid.port, apid.tls_port) * 6:
                held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            time.sleep(0.1)
            served = answers(apid)
            slow = time.monotonic() - begun > 0.9
            until(lambda: answers(apid), what="room made by the idle")
        until(lambda: answers(apid), what="room again")
        if not (served and slow):
            break
    assert not served

    refused = [apid.ask("GET", "/transactions", token=unique("guess"))[0] for _ in range(7)]
    assert refused == [401] * 5 + [429] * 2


def answers(apid):
    try:
        return apid.ask("GET", "/healthz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def test_plain_where_others_reach_it_is_warned_about(made):
    def warned():
        return [line for line in made.lines() if line["msg"].startswith("plain HTTP can be reached")]
    made.configure(rest='listen: { address = "0.0.0.0"; };\n')
    made.start()
    assert len(warned()) == 1
    assert made.close() == 0
    made.configure(rest='listen: { address = "0.0.0.0"; plain_is_meant = true; };\n')
    made.start()
    assert len(warned()) == 1


def test_a_listener_comes_and_goes_with_a_restart_only(apid):
    port = apid.tls_port
    apid.extra.write_text("")
    line = apid.reload()
    assert "tls.port" in line["restart"]
    assert apid.ask("GET", "/healthz")[0] == 200
    apid.tls_port = free_port()
    apid.configure()
    assert apid.reload()["restart"] == "tls.port"
    apid.tls_port = port
    assert apid.ask("GET", "/healthz")[0] == 200
    assert pay_id(apid.payops, "tok_ok")
