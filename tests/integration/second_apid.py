# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second apid over the same database, and a gate between it and the gateway that notes what passes."""
import contextlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from support import until


class SecondApid:
    """Its own port and log, the first one's keys and public address."""

    def __init__(self, payops, directory):
        self.payops = payops
        self.directory = directory / "second"
        shutil.copytree(payops.dir / "etc" / "payops", self.directory)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.config = self.directory / "payops.conf"
        self.replace(f"listen: {{ port = {payops.port}; }};", f"listen: {{ port = {self.port}; }};")
        self.process = None

    def replace(self, old, new):
        text = self.config.read_text()
        assert text.count(old) == 1, old
        self.config.write_text(text.replace(old, new))

    def start(self):
        with open(self.payops.dir / "log" / "second.log", "ab") as log:
            self.process = subprocess.Popen([self.payops.programs / "apid", "--config", str(self.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        until(lambda: self.payops.is_ready(self.port), what="the second apid")
        return self

    def signal(self, number):
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(30)

    def close(self):
        """End it whatever state it is in; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def figure(self, name):
        return figure(self.payops, name, self.port)


@contextlib.contextmanager
def gateway_at(payops, port):
    """What any apid reads meanwhile: alpha is at this port, which may be a gate's."""
    etc = payops.dir / "etc" / "payops"
    moved = etc / "gateways-moved.conf"
    text, base_url = (etc / "gateways.conf").read_text(), 'base_url = "http://127.0.0.1:{}";'
    assert text.count(base_url.format(payops.port + 2)) == 1
    moved.write_text(text.replace(base_url.format(payops.port + 2), base_url.format(port)))
    apply = ["gateway", "apply", "--config", str(payops.config), "--database-user", "root"]
    payops.ctl(*apply, str(moved))
    try:
        yield
    finally:
        payops.ctl(*apply, str(etc / "gateways.conf"))


def figure(payops, name, port=None):
    """The sum of a metric's series at one apid."""
    page = payops.request("GET", "/metrics", port=port).body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines()
               if line.split("{")[0].split(" ")[0] == name)


class Gate:
    """Between an apid and its gateway. Shut, connecting hangs, since the queue of the listening socket is full."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.heads = []     # (moment, first line and headers) of every request that was begun on a connection
        self.plugs = []
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.accepting = None

    def shut(self):
        """Fill the queue; from here on a connection attempt gets no answer."""
        self.listener.listen(0)
        for _ in range(4):
            plug = socket.socket()
            plug.setblocking(False)
            plug.connect_ex(("127.0.0.1", self.port))
            self.plugs.append(plug)

    def open(self):
        self.listener.listen(socket.SOMAXCONN)  # on a busy machine, too, connecting does not wait for us
        for plug in self.plugs:
            plug.close()
        self.plugs = []
        if self.accepting is None:
            self.accepting = threading.Thread(target=self.accept, daemon=True)
            self.accepting.start()

    def accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        try:
            first = link.recv(65536)
            if not first:
                return
            self.heads.append((time.monotonic(), first.split(b"\r\n\r\n")[0].decode("latin-1")))
            with socket.create_connection(("127.0.0.1", self.target_port)) as gateway:
                gateway.sendall(first)
                back = threading.Thread(target=self.copy, args=(gateway, link), daemon=True)
                back.start()
                self.copy(link, gateway)
                back.join()
        except OSError:
            pass
        finally:
            link.close()

    def copy(self, source, sink):
        try:
            while piece := source.recv(65536):
                if piece.startswith((b"POST ", b"GET ")):
                    self.heads.append((time.monotonic(), piece.split(b"\r\n\r\n")[0].decode("latin-1")))
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def sent(self):
        """Idempotency keys of the charges that passed, in order."""
        return [line.split(":", 1)[1].strip() for _, head in self.heads if head.startswith("POST ")
                for line in head.split("\r\n") if line.lower().startswith("idempotency-key:")]

    def close(self):
        self.open()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
