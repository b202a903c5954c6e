# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong outside of payops, by a seed: gateways that fall ill and recover, callbacks that come in any order."""
import contextlib
import heapq
import http.client
import http.server
import random
import threading
import time
import urllib.parse

GATEWAYS = ("alpha", "beta", "gamma")
MODES = {"down": 2, "slow": 3, "5xx": 2, "hang": 2}
SPELL_S = (0.3, 3)     # how long a gateway is ill
PAUSE_S = (0.3, 4)     # until it is again
DELAY_S = (0.0, 2.5)   # of a callback that is kept back
TIMES = {0: 3, 1: 60, 2: 25, 3: 12}   # how often a callback is delivered: weights
TURN = b'.turn"'       # in the id of a callback that tells of another end than the first
WAIT_S = 0.05


class Weather:
    """Each gateway falls ill again and again, until clear() is called."""

    def __init__(self, payops, seed):
        self.payops = payops
        self.spells = 0
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.blow, args=(gateway, random.Random(f"{seed}/{gateway}")))
                        for gateway in GATEWAYS]
        for thread in self.threads:
            thread.start()

    def blow(self, gateway, rng):
        while not self.ending.wait(rng.uniform(*PAUSE_S)):
            mode = rng.choices(list(MODES), list(MODES.values()))[0]
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.payops.mode(mode, rng.randint(100, 3000) if mode == "slow" else 0, gateway)
                self.spells += 1
                self.ending.wait(rng.uniform(*SPELL_S))
            self.payops.mode("ok", gateway=gateway)

    def clear(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        self.payops.heal()


class Postman(http.server.ThreadingHTTPServer):
    """Takes callbacks where apid is said to be, and brings them there late, shuffled, several times or never."""
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, rng, ports, threads=4):
        super().__init__(("127.0.0.1", 0), PostmanHandler)
        self.rng = rng
        self.ports = ports
        self.lock = threading.Lock()
        self.bag = []        # (when, count, path, headers, body)
        self.count = self.delivered = self.dropped = 0
        self.wrong = []
        self.ending = False
        self.threads = [threading.Thread(target=self.carry) for _ in range(threads)]
        self.threads.append(threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}))
        for thread in self.threads:
            thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, path, headers, body):
        with self.lock:
            times = self.rng.choices(list(TIMES), list(TIMES.values()))[0]
            if TURN in body:
                times = max(1, times)  # nobody asks again about what was declined: settlement would tell
            self.dropped += times == 0
            for _ in range(times):
                self.count += 1
                heapq.heappush(self.bag, (time.monotonic() + self.rng.uniform(*DELAY_S), self.count, path, headers, body))

    def next(self):
        """What is due; None where nothing is."""
        with self.lock:
            return heapq.heappop(self.bag) if self.bag and self.bag[0][0] <= time.monotonic() else None

    def carry(self):
        while not self.ending or self.bag:
            item = self.next()
            if item is None:
                time.sleep(WAIT_S)
            else:
                self.deliver(*item)

    def deliver(self, _, number, path, headers, body):
        port = self.ports[number % len(self.ports)]
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as link:
                link.request("POST", path, body, headers)
                status = link.getresponse().status
        except (OSError, http.client.HTTPException):
            status = 503
        if status == 200:
            self.delivered += 1
        elif status != 503:
            self.wrong.append((status, path, body))
        else:
            with self.lock:
                heapq.heappush(self.bag, (time.monotonic() + 1, number, path, headers, body))

    def close(self):
        """Bring what is in the bag, then end; a second time does nothing."""
        if self.ending:
            return
        self.ending = True
        self.shutdown()
        for thread in self.threads:
            thread.join()
        self.server_close()


class PostmanHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name] for name in ("Content-Type", "Sandbox-Signature")}
        self.server.take(urllib.parse.urlsplit(self.path).path, headers, body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
