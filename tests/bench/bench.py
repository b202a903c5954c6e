#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure payops on an instance of its own with full durability, and hold the figures against their targets.

Rates are ratios to D, the database's own durable one-row commits a second from 64 connections, measured first: figures
of two machines, or of two days, compare only as such ratios. A missed target is a result, not an error: exit status 0
when every row was measured, else 1.
"""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "integration"), str(TOP / "tests")]

import machine  # noqa: E402
from alone import payments_alone  # noqa: E402
from brownout import row_brown_out  # noqa: E402
from grown import row_grown  # noqa: E402
from instance import Instance  # noqa: E402
from rotate import row_rotate  # noqa: E402
from runner.worker import free_base_ports  # noqa: E402
from table import Figure, render  # noqa: E402

PAYMENT = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "description": "Payment for order #1234",
           "customer_id": "cust_001"}
LONG = 20  # seconds, of the rows that show whether something holds
SHOP = 1000  # payments a second
WORKED_OFF_S = 120
PATHS = 5000
IDLE_CONNECTIONS = 1000
STARTS = 5
OTHERS_MAX = 0.3  # cores that other programs may use before the figures are doubted; the kernel's own work counts too
BACKLOG = "SELECT COUNT(*) FROM operation WHERE status IN ('pending', 'processing')"
COMPLETED = "SELECT COUNT(*) FROM transaction WHERE status = 'completed'"
COUNTERS = ("Questions", "Com_stmt_execute", "Bytes_received", "Bytes_sent", "Innodb_os_log_fsyncs",
            "Innodb_data_fsyncs")


class NotMeasured(Exception):
    pass


def progress(text):
    print(f"    {text}", file=sys.stderr, flush=True)


def answered(result, status):
    """How many answers a second had this status; none at all is a failure of the row."""
    good = result["status"].get(str(status), 0)
    if good == 0:
        raise NotMeasured(f"no answer was {status}: {result['status']}, {result['errors']} errors")
    return result["per_second"] * good / sum(result["status"].values())


def complaint(result, status):
    """What did not go as it should, for a figure's note."""
    bad = {word: count for word, count in result["status"].items() if word != str(status)}
    words = [f"{count} answers {word}" for word, count in bad.items()]
    if result["errors"]:
        words.append(f"{result['errors']} unanswered")
    return "; ".join(words)


def with_complaint(note, result, status):
    return "; ".join(filter(None, (note, complaint(result, status))))


class Bench:
    def __init__(self, arguments):
        self.programs = pathlib.Path(arguments.build) / "tests" / "bench"
        self.seconds = arguments.seconds
        self.rows = arguments.rows
        self.sealed = arguments.sealed
        self.answered = answered
        self.instance = Instance()
        self.database = None  # what D was measured as
        self.kept_tables = None
        self.manual = False
        self.keys = 0
        self.loads = []

    # --- the instance ---

    def dev(self, *words):
        done = subprocess.run([str(TOP / "dev"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise NotMeasured(f"./dev {' '.join(words)}: {done.stdout[-2000:]}")

    def start(self):
        self.dev("instance", "start")
        self.kept_tables = {table for table in self.tables() if self.count(f"SELECT COUNT(*) FROM `{table}`")}
        self.manual = self.instance.request("POST", "/transactions", {**PAYMENT, "process": "manual"},
                                            token=self.instance.token()).status == 201

    def stop(self):
        for process in self.loads:
            if process.poll() is None:
                process.kill()
        self.dev("instance", "stop")

    def restart(self):
        """The instance as new: no payment anywhere, and nothing under way."""
        for name in ("apid", "sandbox"):
            with contextlib.suppress(OSError):
                self.instance.kill(name)
        emptied = [f"TRUNCATE TABLE `{table}`" for table in self.tables() if table not in self.kept_tables]
        self.instance.sql("; ".join(["SET foreign_key_checks = 0", *emptied]))
        (self.instance.dir / "sandbox" / "ledger.jsonl").unlink(missing_ok=True)
        self.dev("instance", "start")

    def tables(self):
        return [row[0] for row in self.instance.sql("SHOW TABLES")]

    def count(self, query):
        return int(self.instance.sql(query)[0][0])

    def counters(self):
        names = ", ".join(f"'{name}'" for name in COUNTERS)
        rows = self.instance.sql(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({names})")
        return {name: int(value) for name, value in rows}

    def meter(self):
        pids = {"apid": "apid", "mariadbd": "database", "sandbox": "sandbox"}
        return machine.Meter({name: self.instance.pid(file) for name, file in pids.items()})

    # --- loads ---

    def program(self, name, **options):
        words = [str(self.programs / name)]
        for option, value in options.items():
            words += [f"--{option.replace('_', '-')}", str(value)]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        self.loads.append(process)
        return process

    @staticmethod
    def result(process):
        out, err = process.communicate()
        if process.returncode != 0:
            raise NotMeasured(err.strip() or f"the load ended with status {process.returncode}")
        return json.loads(out)

    def load(self, **options):
        options.setdefault("seconds", self.seconds)
        return self.program("load", port=self.instance.port, token=self.instance.token(), **options)

    def payments(self, dispatched=False, **options):
        """A load of payments, each with a key of its own; not dispatched where the server can be asked for that."""
        self.keys += 1
        body = dict(PAYMENT) if dispatched or not self.manual else {**PAYMENT, "process": "manual"}
        return self.load(method="POST", path="/transactions", body=json.dumps(body),
                         unique_keys=f"bench-{os.getpid()}-{self.keys}", **options)

    def commits(self, connections):
        return self.result(self.program("commits", socket=self.instance.socket, connections=connections,
                                        seconds=self.seconds))

    def d_of(self, per_second):
        return per_second / self.database["per_second"]

    def acceptance(self):
        return "acceptance alone" if self.manual else "dispatching too: the server knows no manual processing"


# --- rows: each returns its figures ---

def row_database(bench):
    meter = bench.meter()
    many = bench.commits(64)
    used = meter.stop()
    one = bench.commits(1)
    bench.database = {**many, "one_commit_us": one["p50_us"]}
    return [Figure("D: commits from 64 connections", many["per_second"], "/s", f"p99 {many['p99_us'] / 1000:.1f} ms",
                   used, machine.bottleneck(used, "waiting for the disk")),
            Figure("one commit, 1 connection", one["p50_us"] / 1000, "ms", f"{one['per_second']:,.0f}/s")]


def accept(bench, connections, dispatched=False):
    """Accept as fast as it goes: the load's result, cores used, and the database's counters over it."""
    bench.restart()
    bench.result(bench.payments(dispatched, connections=connections, seconds=2))
    before, meter = bench.counters(), bench.meter()
    result = bench.result(bench.payments(dispatched, connections=connections))
    used, after = meter.stop(), bench.counters()
    return result, used, {name: after[name] - before[name] for name in after}


def accept_figures(bench, result, used, label, waiting="waiting for the disk"):
    rate = answered(result, 201)
    return [Figure("payments", bench.d_of(rate), "D", with_complaint(f"{rate:,.0f}/s, {label}", result, 201), used,
                   machine.bottleneck(used, waiting)),
            Figure("p50", result["p50_us"] / 1000, "ms"),
            Figure("p99", result["p99_us"] / 1000, "ms")]


def row_accept_1(bench):
    result, used, _ = accept(bench, 1)
    figures = accept_figures(bench, result, used, bench.acceptance(), "waiting for one commit after the other")
    return figures + [Figure("latency, in commits", result["p50_us"] / bench.database["one_commit_us"], "x",
                             f"p50 {result['p50_us'] / 1000:.2f} ms")]


def row_accept_64(bench):
    result, used, _ = accept(bench, 64)
    return accept_figures(bench, result, used, bench.acceptance())


def row_accept_256(bench):
    result, used, spent = accept(bench, 256)
    figures = accept_figures(bench, result, used, bench.acceptance())
    accepted = result["status"]["201"]
    figures.append(Figure("statements a payment", spent["Questions"] / accepted, "each",
                          f"{spent['Com_stmt_execute'] / accepted:.2f} of them prepared"))
    figures.append(Figure("bytes a payment", (spent["Bytes_received"] + spent["Bytes_sent"]) / accepted, "",
                          f"{spent['Bytes_received'] / accepted:,.0f} to the database"))
    fsyncs = spent.get("Innodb_data_fsyncs", 0) + spent.get("Innodb_os_log_fsyncs", 0)
    figures.append(Figure("fsyncs a payment", fsyncs / accepted, "each"))
    return figures


def row_accept_dispatched(bench):
    result, used, _ = accept(bench, 256, dispatched=True)
    return accept_figures(bench, result, used, "dispatching too")


def row_open(bench):
    bench.restart()
    bench.result(bench.payments(connections=64, rate=1000, seconds=3))
    meter = bench.meter()
    result = bench.result(bench.payments(connections=64, rate=1000, seconds=LONG))
    used = meter.stop()
    rate, memory = answered(result, 201), machine.memory_mb(bench.instance.pid("apid"))
    note = with_complaint(f"of 1,000/s offered, {bench.acceptance()}", result, 201)
    return [Figure("payments", rate, "/s", note, used, machine.bottleneck(used, "nothing: what was offered")),
            Figure("p50", result["p50_us"] / 1000, "ms"),
            Figure("p99", result["p99_us"] / 1000, "ms"),
            Figure("p99.9", result["p999_us"] / 1000, "ms"),
            Figure("apid's CPU", used["apid"] * 100, "%", "of one core"),
            Figure("apid's memory", memory, "MB")]


def ids_fill(bench):
    """At least some thousand payments. Returns the ids of those made now."""
    dump = bench.instance.dir / "ids"
    result = bench.result(bench.payments(connections=64, seconds=4, dump=dump))
    answered(result, 201)
    return dump.read_text().split()


def row_get(bench):
    bench.restart()
    ids = ids_fill(bench)[:PATHS]
    paths = bench.instance.dir / "paths"
    paths.write_text("".join(f"/transactions/{name}\n" for name in ids))
    settle(bench)
    bench.result(bench.load(connections=64, paths=paths, seconds=1))
    meter = bench.meter()
    result = bench.result(bench.load(connections=64, paths=paths))
    used, rate = meter.stop(), answered(result, 200)
    note = with_complaint(f"{rate:,.0f}/s over {len(ids):,} ids", result, 200)
    return [Figure("answers", bench.d_of(rate), "D", note, used, machine.bottleneck(used, "waiting, not for CPU")),
            Figure("p50", result["p50_us"] / 1000, "ms"),
            Figure("p99", result["p99_us"] / 1000, "ms")]


XML_PAYMENT = "".join(["<payment>", *(f"<{name}>{value}</{name}>" for name, value in PAYMENT.items()),
                       "<process>manual</process></payment>"])


def row_xml(bench):
    """The same payment in XML, beside JSON in the same run."""
    figures = []
    for connections in (1, 64):
        bench.restart()
        json_rate = answered(bench.result(bench.payments(connections=connections)), 201)
        bench.keys += 1
        xml_rate = answered(bench.result(bench.load(
            method="POST", path="/transactions", body=XML_PAYMENT,
            unique_keys=f"bench-{os.getpid()}-{bench.keys}", connections=connections)), 201)
        figures.append(Figure(f"XML, {connections} connections", xml_rate / json_rate, "x",
                              f"{xml_rate:,.0f}/s, JSON {json_rate:,.0f}/s"))
    return figures


def settle(bench, seconds=30):
    """Wait until what is dispatched was completed, so that it does not run beside what is measured."""
    deadline = time.monotonic() + seconds
    while not bench.manual and time.monotonic() < deadline and bench.count(BACKLOG) > 0:
        time.sleep(0.5)


def row_history(bench):
    if bench.count("SELECT COUNT(*) FROM transaction") < PATHS // 2:
        ids_fill(bench)
    settle(bench)
    rows = bench.count("SELECT COUNT(*) FROM transaction")
    path = f"/customers/{PAYMENT['customer_id']}/transactions?limit=50"
    bench.result(bench.load(connections=1, path=path, seconds=1))
    meter = bench.meter()
    result = bench.result(bench.load(connections=1, path=path))
    used = meter.stop()
    answered(result, 200)
    note = with_complaint(f"page of 50 of {rows:,} rows, not 10 M", result, 200)
    return [Figure("p50", result["p50_us"] / 1000, "ms", "", used,
                   machine.bottleneck(used, "waiting for one page after the other")),
            Figure("p99", result["p99_us"] / 1000, "ms", note)]


def offered(bench, rate):
    """So many payments a second: the load's result, completed a second, three times the backlog, and the cores used."""
    bench.restart()
    bench.result(bench.payments(True, connections=64, rate=min(rate, 200), seconds=1))
    settle(bench, 5)
    backlogs, completed, meter = [bench.count(BACKLOG)], bench.count(COMPLETED), bench.meter()
    process, began = bench.payments(True, connections=256, rate=rate, seconds=LONG), time.monotonic()
    for share in (0.25, 1):
        time.sleep(max(0, began + LONG * share - time.monotonic()))
        backlogs.append(bench.count(BACKLOG))
    per_second = (bench.count(COMPLETED) - completed) / (time.monotonic() - began)
    return bench.result(process), per_second, backlogs, meter.stop()


def growth(backlogs, rate):
    return Figure("backlog's growth", 100 * (backlogs[2] - backlogs[1]) / (rate * LONG * 0.75), "%",
                  "of what was offered; backlog {:,} at the begin, {:,} after a quarter, {:,} at the end".format(*backlogs))


def row_shop(bench):
    """A shop's load: what it pays is completed as fast as it comes."""
    result, per_second, backlogs, used = offered(bench, SHOP)
    note = with_complaint(f"of {SHOP:,}/s offered for {LONG} s", result, 201)
    return [Figure("completed", per_second, "/s", note, used, machine.bottleneck(used, "nothing: what was offered")),
            Figure("accepted, p99", result["p99_us"] / 1000, "ms"),
            growth(backlogs, SHOP)]


def worked_off(bench):
    """Payments a second from none to none: accepted as fast as it goes, until the last one is completed."""
    bench.restart()
    began = time.monotonic()
    accepted = bench.result(bench.payments(True, connections=256, seconds=bench.seconds))["status"].get("201", 0)
    while bench.count(COMPLETED) < accepted and time.monotonic() - began < WORKED_OFF_S:
        time.sleep(0.2)
    return bench.count(COMPLETED) / (time.monotonic() - began)


def row_end_to_end(bench):
    """Whether completing keeps up with accepting: the backlog after a quarter of the time against that at the end."""
    rate = max(1, int(0.25 * bench.database["per_second"]))
    result, per_second, backlogs, used = offered(bench, rate)
    note = with_complaint(f"{per_second:,.0f}/s of {rate:,}/s offered for {LONG} s", result, 201)
    through = worked_off(bench)
    alone = payments_alone(bench)
    bench.restart()
    if alone == 0:
        raise NotMeasured("the database refused what it was to write alone; see alone.py")
    return [Figure("completed", bench.d_of(per_second), "D", note, used,
                   machine.bottleneck(used, "nothing: what was offered")),
            Figure("accepted", bench.d_of(answered(result, 201)), "D", f"p99 {result['p99_us'] / 1000:.1f} ms"),
            growth(backlogs, rate),
            Figure("from none to none", bench.d_of(through), "D", f"{through:,.0f}/s: accepted as fast as it goes, until "
                   "the last one is completed"),
            Figure("the database alone", bench.d_of(alone), "D", f"{alone:,.0f}/s: the same rows, made within it, and "
                   "nothing else runs")]


def row_memory(bench):
    bench.restart()
    pid = bench.instance.pid("apid")
    figures = [Figure("idle", machine.memory_mb(pid), "MB")]
    bench.result(bench.payments(connections=256, seconds=3))
    figures.append(Figure("loaded", machine.memory_mb(pid), "MB", "after 256 connections, peak "
                          f"{machine.memory_mb(pid, 'VmHWM'):.1f} MB"))
    # Where connections are three quarters used up, idle ones are closed: there is room for more of them here.
    more = bench.instance.dir / "etc/payops/conf.d/90-connections.conf"
    more.write_text(f"listen: {{ connections_max = {2 * IDLE_CONNECTIONS}; }};\n")
    bench.restart()
    more.unlink()
    time.sleep(0.5)
    with contextlib.ExitStack() as stack:
        for _ in range(IDLE_CONNECTIONS):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", bench.instance.port), timeout=10))
            link.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            if not link.recv(4096).startswith(b"HTTP/1.1 200"):
                raise NotMeasured("a connection was not served")
        figures.append(Figure("1,000 connections", machine.memory_mb(bench.instance.pid("apid")), "MB"))
    return figures


def is_ready(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return link.recv(4096).startswith(b"HTTP/1.1 200")
    return False


def start_once(bench):
    bench.instance.kill("apid", signal.SIGTERM)
    began = time.monotonic()
    process = bench.instance.start_apid()
    while not is_ready(bench.instance.port):
        if process.poll() is not None or time.monotonic() > began + 10:
            raise NotMeasured("apid did not start; see its log")
        time.sleep(0.0005)
    return (time.monotonic() - began) * 1000


def row_start(bench):
    bench.restart()
    times = sorted(start_once(bench) for _ in range(STARTS))
    return [Figure("ready after", times[0], "ms", f"smallest of {STARTS}, largest {times[-1]:.0f} ms")]


def row_size(bench):
    stripped = bench.instance.dir / "apid.stripped"
    subprocess.run(["strip", "-o", str(stripped), str(bench.instance.programs / "apid")], check=True)
    return [Figure("apid, stripped", stripped.stat().st_size / 1e6, "MB")]


ROWS = {
    "database": row_database,  # first, and always: the others are ratios to it
    "accept-1": row_accept_1,
    "accept-64": row_accept_64,
    "accept-256": row_accept_256,
    "accept-256-dispatched": row_accept_dispatched,
    "open-1000": row_open,
    "get": row_get,
    "history": row_history,
    "xml": row_xml,
    "grown": row_grown,
    "shop": row_shop,
    "end-to-end": row_end_to_end,
    "brown-out": row_brown_out,
    "rotate": row_rotate,
    "memory": row_memory,
    "start": row_start,
    "size": row_size,
}


def measure(bench, names):
    """Returns ([(row, figures), …], [(row, why it could not be measured), …])."""
    results, failures = [], []
    for name, row in ROWS.items():
        if names and name not in names and name != "database":
            continue
        print(f"==> {name}", file=sys.stderr, flush=True)
        try:
            figures = row(bench)
        except (NotMeasured, OSError, AssertionError, subprocess.SubprocessError) as error:
            failures.append((name, str(error)))
            progress(f"could not be measured: {error}")
            if name == "database":
                break
            continue
        for figure in figures:
            progress("  ".join(filter(None, figure.cells(name)[1:])))
        results.append((name, figures))
    return results, failures


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=6, help="how long most rows are measured (default: 6)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="payments beside which the row 'grown' measures "
                        "(default: 1000000; its targets are for 10000000, which takes half an hour to fill)")
    parser.add_argument("--sealed", type=int, default=300_000, help="sealed rows of which the row 'rotate' has a third in "
                        "each of its tables (default: 300000)")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), metavar="ROW", help="of: " + ", ".join(ROWS))
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures to FILE too")
    return parser.parse_args()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, interrupted)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    os.environ["PAYOPS_PORT"] = str(free_base_ports(1)[0])
    bench = Bench(arguments)
    try:
        bench.stop()  # what a run that was killed left behind
        shutil.rmtree(bench.instance.dir, ignore_errors=True)
        bench.start()
        results, failures = measure(bench, arguments.only)
        version = bench.instance.sql("SELECT VERSION()")[0][0]
    except KeyboardInterrupt:
        sys.exit("interrupted")
    except NotMeasured as error:
        sys.exit(str(error))
    finally:
        bench.stop()
    told = {"machine": {**machine.describe(), "database": version},
            "figures": [figure.as_json(row) for row, figures in results for figure in figures],
            "not_measured": dict(failures)}
    print(render(results))
    others = max((figure.used["others"] for _, figures in results for figure in figures if figure.used), default=0)
    if others > OTHERS_MAX:
        print(f"\nOther programs used up to {others:.1f} cores meanwhile: measure again on a quiet machine.")
    print(json.dumps(told))
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1) + "\n")
    for name, why in failures:
        print(f"{name} could not be measured: {why}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
