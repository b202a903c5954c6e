# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs on their command lines: what they refuse, in how many words, with which exit status."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_IOERR, EX_CONFIG = 64, 65, 66, 69, 74, 78
PROGRAMS = ("apid", "payopsctl", "payops-sandbox")
COMMANDS = ("migrate status", "migrate plan", "migrate up", "migrate verify", "migrate grant", "token issue",
            "merchant add", "key issue", "key list", "key rotate", "key revoke", "breaker list",
            "breaker open", "breaker close", "breaker auto", "keys new", "fsck")


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    return shared


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Config:
    """A copy of the instance's configuration with its keys, on a port of its own."""

    def __init__(self, payops, directory):
        self.directory = directory / "etc"
        shutil.copytree(payops.dir / "etc" / "payops", self.directory)
        self.path = self.directory / "payops.conf"
        self.keys = self.directory / "keys"
        self.port = free_port()
        self.replace(f"listen: {{ port = {payops.port}; }};", f"listen: {{ port = {self.port}; }};")

    def replace(self, old, new):
        text = self.path.read_text()
        assert text.count(old) == 1, old
        self.path.write_text(text.replace(old, new))

    def append(self, text):
        self.path.write_text(self.path.read_text() + text)

    def last_line(self):
        return len(self.path.read_text().splitlines())


@pytest.fixture
def config(payops, tmp_path):
    return Config(payops, tmp_path)


def run(payops, program, *words):
    return subprocess.run([payops.programs / program, *map(str, words)], text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL)


def apid(payops, config, *words):
    return run(payops, "apid", "--config", config.path, *words)


def assert_one_line(done, status, *fragments):
    """Nothing on standard output, one line on standard error that names the program and says all this."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
    for fragment in fragments:
        assert str(fragment) in done.stderr


def assert_cannot_start(done, status, *fragments):
    """apid's log is JSON: one error line says why, the last one that it stopped."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    errors = [line for line in lines if line["level"] == "error"]
    assert len(errors) == 1, done.stderr
    assert errors[0]["msg"] == "cannot start"
    for fragment in fragments:
        assert str(fragment) in errors[0]["why"], errors[0]
    assert "ready" not in [line["msg"] for line in lines]


@contextlib.contextmanager
def serving(payops, config, *words):
    """A second apid on its own port, over the same database; ended by SIGTERM with status 0."""
    payops.sql("DELETE FROM breaker")  # that tests before left open: it would tell of them at its start
    process = subprocess.Popen([payops.programs / "apid", "--config", config.path, *words], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                if payops.request("GET", "/readyz", port=config.port).status == 200:
                    break
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        log = []
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            _, errors = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    log += [json.loads(line) for line in errors.splitlines()]
    assert process.returncode == 0, errors


# --- apid's configuration ---

@pytest.mark.parametrize("text, fragments", [
    ("listne: { port = 1; };", ("unknown setting listne", "listen")),
    ('token: { isuer = "x"; };', ("unknown setting token.isuer", "issuer")),
    ('colour = "red";', ("unknown setting colour",)),
    ("request: { timeout_ms = 0; };", ("request.timeout_ms",)),
    ("request: { timeout_ms = 30001; };", ("request.timeout_ms",)),
    ('request: { timeout_ms = "soon"; };', ("request.timeout_ms",)),
    ("request: { timeout_ms = 1.5; };", ("1.5 is not a whole number",)),
    ('log: { level = "loud"; };', ("log.level",)),
    ("request = 1;", ("request",)),
    ("request: { timeout_ms = ; };", ("syntax error",)),
])
def test_apid_names_file_and_line_of_a_bad_setting(payops, config, text, fragments):
    config.append(text + "\n")
    done = apid(payops, config)

    assert_one_line(done, EX_CONFIG, f"{config.path}:{config.last_line()}:", *fragments)


def test_apid_names_every_bad_setting_and_the_file_of_conf_d(payops, config):
    override = config.directory / "conf.d" / "10-mine.conf"
    config.append("one = 1;\ntwo = 2;\n")
    override.write_text("\nthree = 3;\n")
    done = apid(payops, config)

    assert done.returncode == EX_CONFIG
    for place in (f"{config.path}:{config.last_line() - 1}:1: unknown setting one",
                  f"{config.path}:{config.last_line()}:1: unknown setting two",
                  f"{override}:2:1: unknown setting three"):
        assert place in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_apid_refuses_a_configuration_that_is_not_there(payops, tmp_path):
    done = run(payops, "apid", "--config", tmp_path / "none.conf")

    assert_one_line(done, EX_IOERR, tmp_path / "none.conf")


@pytest.mark.parametrize("name", ["token.key", "seal.key", "hash.key", "database.password"])
def test_apid_names_a_key_file_that_is_missing(payops, config, name):
    (config.keys / name).unlink()

    assert_one_line(apid(payops, config), EX_IOERR, config.keys / name)


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o666])
@pytest.mark.parametrize("name", ["token.key", "seal.key"])
def test_apid_refuses_a_key_file_that_is_open_to_others(payops, config, name, mode):
    (config.keys / name).chmod(mode)

    assert_one_line(apid(payops, config), EX_CONFIG, config.keys / name, f"{mode:04o}", "chmod")


@pytest.mark.parametrize("name, key, fragments", [
    ("token.key", b"short", ("dev-1", "32")),
    ("token.key", b"k" * 32, ("dev-1", "random")),
    ("token.key", b"x" * 31, ("dev-1",)),
    ("token.key", b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 64 + b"\n-----END PUBLIC KEY-----\n", ("dev-1", "PEM")),
    ("token.key", b"", ("token.key", "empty")),
    ("seal.key", bytes(range(31)), ("seal_keys", "32")),
    ("seal.key", bytes(range(33)), ("seal_keys", "32")),
    ("hash.key", bytes(range(31)), ("vault.hash_key_file", "32")),
])
def test_apid_refuses_a_weak_key(payops, config, name, key, fragments):
    (config.keys / name).write_bytes(key)

    assert_one_line(apid(payops, config), EX_CONFIG, *fragments)


def test_check_config_judges_without_starting(payops, config):
    good = apid(payops, config, "--check-config")
    config.append("nonsense = 1;\n")
    bad = apid(payops, config, "--check-config")

    assert (good.returncode, good.stdout, good.stderr) == (0, "configuration is valid\n", "")
    assert_one_line(bad, EX_CONFIG, f"{config.path}:{config.last_line()}:", "nonsense")


def test_check_config_judges_key_files_too(payops, config):
    (config.keys / "token.key").write_bytes(b"short")

    assert_one_line(apid(payops, config, "--check-config"), EX_CONFIG, "dev-1")


def test_printed_configuration_can_be_read_back(payops, config, tmp_path):
    printed = apid(payops, config, "--print-config")
    copy = tmp_path / "copy" / "payops.conf"
    copy.parent.mkdir()
    copy.write_text(printed.stdout)
    checked = run(payops, "apid", "--config", copy, "--check-config")
    again = run(payops, "apid", "--config", copy, "--print-config")

    assert (printed.returncode, printed.stderr) == (0, "")
    assert (checked.returncode, checked.stdout) == (0, "configuration is valid\n"), checked.stderr
    # only where a value came from may differ
    assert re.sub(r"#.*", "", again.stdout) == re.sub(r"#.*", "", printed.stdout)


def test_print_config_shows_what_conf_d_changed_and_no_secret(payops, config):
    (config.directory / "conf.d" / "10-mine.conf").write_text("request: { timeout_ms = 4321; };\n")
    printed = apid(payops, config, "--print-config").stdout

    assert "4321" in printed
    for name in ("database.password", "alpha.api-key", "alpha.callback-secret"):
        assert (config.keys / name).read_text().strip() not in printed


# --- apid's surroundings ---

def test_apid_refuses_a_port_in_use(payops, config):
    config.replace(f"port = {config.port};", f"port = {payops.port};")

    assert_cannot_start(apid(payops, config), EX_IOERR, f"port {payops.port}", "in use")
    assert payops.request("GET", "/readyz").status == 200


def test_apid_refuses_to_start_without_its_database(payops, config):
    config.replace(f'socket = "{payops.socket}";', f'socket = "{config.directory}/none.sock";')
    begun = time.monotonic()

    assert_cannot_start(apid(payops, config), EX_UNAVAILABLE, "none.sock")
    assert time.monotonic() - begun < 15


def test_apid_refuses_a_wrong_password_of_the_database(payops, config):
    (config.keys / "database.password").write_text("wrong")
    done = apid(payops, config)

    assert done.returncode in (EX_UNAVAILABLE, EX_CONFIG, 70)
    assert_cannot_start(done, done.returncode, "payops_apid")
    assert "wrong" not in [json.loads(line).get("why") for line in done.stderr.splitlines()]


def test_apid_refuses_a_database_that_is_not_there(payops, config):
    config.replace('name = "payops";', 'name = "payops_none";')
    done = apid(payops, config)

    assert_cannot_start(done, done.returncode)
    assert done.returncode != 0


@pytest.fixture
def schema(payops):
    """Lets a test change the recorded schema version; it is put back."""
    rows = payops.sql("SELECT MAX(version) FROM schema_migration")
    version = int(rows[0][0])
    columns = [row[0] for row in payops.sql(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = 'payops' AND table_name = 'schema_migration'")]
    others = ", ".join(f"`{column}`" for column in columns if column != "version")
    yield version, others
    payops.sql(f"DELETE FROM schema_migration WHERE version > {version}")
    payops.sql(f"UPDATE schema_migration SET version = {version} WHERE version = 0")


def test_apid_refuses_a_newer_schema(payops, config, schema):
    version, others = schema
    payops.sql(f"INSERT INTO schema_migration (version, {others}) SELECT version + 1, {others} FROM schema_migration "
               f"WHERE version = {version}")

    assert_cannot_start(apid(payops, config), EX_CONFIG, f"version {version + 1}", f"wanted {version}")


def test_apid_refuses_an_older_schema_and_says_what_to_run(payops, config, schema):
    version, _ = schema
    payops.sql(f"UPDATE schema_migration SET version = 0 WHERE version = {version}")

    assert_cannot_start(apid(payops, config), EX_CONFIG, f"wanted {version}", "payopsctl migrate up")


@pytest.fixture
def unsafe(payops):
    before = payops.sql("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit")[0][0]
    payops.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    yield
    payops.sql(f"SET GLOBAL innodb_flush_log_at_trx_commit = {before}")


def test_apid_refuses_a_database_that_would_forget_payments(payops, config, unsafe):
    assert_cannot_start(apid(payops, config), EX_CONFIG, "innodb_flush_log_at_trx_commit is 2, wanted 1")


def test_unsafe_durability_insists_and_says_so(payops, config, unsafe):
    with serving(payops, config, "--unsafe-durability") as log:
        assert payops.request("GET", "/healthz", port=config.port).status == 200
    warnings = [line for line in log if line["level"] == "warning"]

    assert len(warnings) == 1
    assert "innodb_flush_log_at_trx_commit" in warnings[0]["why"]


def test_apid_logs_its_start_and_each_step_of_its_stop(payops, config):
    with serving(payops, config) as log:
        payops.request("GET", "/healthz", port=config.port)
    messages = [line["msg"] for line in log]

    assert messages[0] == "starting" and "ready" in messages
    assert [message for message in messages if message.startswith("stop")] == [
        "stopping: no new connections", "stopping: requests finished", "stopping: gateway calls finished", "stopped"]
    assert not [line for line in log if line["level"] in ("warning", "error")]


# --- help, version and usage ---

@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_version(payops, program):
    shown, version = run(payops, program, "--help"), run(payops, program, "--version")

    assert shown.returncode == version.returncode == 0
    assert shown.stderr == version.stderr == ""
    assert shown.stdout.startswith(f"Usage: {program} ")
    assert "--help" in shown.stdout and "--version" in shown.stdout
    assert f"{program}(8)" in shown.stdout
    assert all(len(line) <= 100 for line in shown.stdout.splitlines())
    assert re.fullmatch(rf"{program} .*\d+\.\d+\.\d+.*\n", version.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(payops, command):
    shown = run(payops, "payopsctl", *command.split(), "--help")

    assert shown.returncode == 0 and shown.stderr == ""
    assert shown.stdout.startswith(f"Usage: payopsctl {command}")
    assert command in run(payops, "payopsctl", "--help").stdout
    assert command in run(payops, "payopsctl", command.split()[0], "--help").stdout


@pytest.mark.parametrize("program, words, fragments", [
    ("apid", ["--conifg", "x"], ("unknown option --conifg", "--config")),
    ("apid", ["--config"], ("--config needs an argument",)),
    ("apid", ["--check-config=yes"], ("--check-config takes no argument",)),
    ("apid", ["-x"], ("unknown option -x",)),
    ("apid", ["extra"], ("extra",)),
    ("payops-sandbox", ["--port", "x"], ("--port",)),
    ("payops-sandbox", ["--port", "0"], ("--port",)),
    ("payops-sandbox", ["--port", "70000"], ("--port",)),
    ("payops-sandbox", [], ("required",)),
    ("payops-sandbox", ["--listen", "0.0.0.0", "--ledger", "x", "--api-key-file", "x", "--callback-secret-file", "x"],
     ("loopback",)),
    ("payopsctl", [], ("name a command",)),
    ("payopsctl", ["tokne", "issue"], ("unknown command 'tokne issue'", "token issue")),
    ("payopsctl", ["token", "isue"], ("unknown command 'token isue'", "token issue")),
    ("payopsctl", ["token"], ("token needs one of",)),
    ("payopsctl", ["xyzzy"], ("unknown command 'xyzzy'",)),
    ("payopsctl", ["--config", "x", "token", "issue"], ("begin with a command",)),
    ("payopsctl", ["token", "issue", "--merchnat", "x"], ("unknown option --merchnat", "--merchant")),
    ("payopsctl", ["token", "issue"], ("--merchant",)),
    ("payopsctl", ["token", "issue", "--merchant", "demo", "--hours", "0"], ("--hours", "1 to 8760")),
    ("payopsctl", ["token", "issue", "--merchant", "demo", "--hours", "8761"], ("--hours",)),
    ("payopsctl", ["token", "issue", "--merchant", "demo", "--hours", "1h"], ("--hours",)),
    ("payopsctl", ["token", "issue", "--merchant", "demo", "extra"], ("extra",)),
    ("payopsctl", ["merchant", "add"], ("NAME",)),
    ("payopsctl", ["merchant", "add", "a", "b"], ("NAME",)),
    ("payopsctl", ["keys", "new"], ("FILE",)),
    ("payopsctl", ["migrate", "down"], ("unknown command 'migrate down'",)),
])
def test_wrong_usage_is_told_in_one_line_with_status_64(payops, program, words, fragments):
    assert_one_line(run(payops, program, *words), EX_USAGE, program, *fragments)


def test_control_characters_of_the_command_line_are_not_printed_raw(payops):
    done = run(payops, "payopsctl", "to\x1b[31mken\x07", "is\rsue")

    assert done.returncode == EX_USAGE
    assert not re.search(r"[^\n\x20-\x7e]", done.stderr)


# --- payopsctl ---

@pytest.mark.parametrize("words, status, fragments", [
    (["--merchant", "Demo"], EX_DATAERR, ("Demo",)),
    (["--merchant", ""], EX_DATAERR, ("merchant",)),
    (["--merchant", "m" * 33], EX_DATAERR, ("1 to 32",)),
    (["--merchant", "demo", "--scope", "payments:raed"], EX_DATAERR, ("payments:raed", "payments:read")),
    (["--merchant", "demo", "--scope", "payments:read xyzzy"], EX_DATAERR, ("xyzzy",)),
    (["--merchant", "demo", "--scope", " "], EX_DATAERR, ("--scope",)),
    (["--merchant", "demo", "--subject", "a b"], EX_DATAERR, ("--subject",)),
    (["--merchant", "demo", "--subject", ""], EX_DATAERR, ("--subject",)),
    (["--merchant", "demo", "--kid", "dev-9"], EX_NOINPUT, ("dev-9", "dev-1")),
])
def test_token_issue_refuses(payops, words, status, fragments):
    done = run(payops, "payopsctl", "token", "issue", "--config", payops.config, *words)

    assert_one_line(done, status, "payopsctl", *fragments)


def test_token_issue_without_configuration_or_key(payops, config):
    (config.keys / "token.key").unlink()
    without_key = run(payops, "payopsctl", "token", "issue", "--config", config.path, "--merchant", "demo")
    without_file = run(payops, "payopsctl", "token", "issue", "--config", config.directory / "none", "--merchant",
                       "demo")

    assert_one_line(without_key, EX_IOERR, config.keys / "token.key")
    assert_one_line(without_file, EX_IOERR, config.directory / "none")


def test_token_issue_needs_no_database_and_prints_one_line(payops, config):
    config.replace(f'socket = "{payops.socket}";', 'socket = "/nowhere/none.sock";')
    done = run(payops, "payopsctl", "token", "issue", "--config", config.path, "--merchant", "demo")

    assert done.returncode == 0 and done.stderr == ""
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", done.stdout)
    assert payops.request("GET", "/customers/c/transactions", token=done.stdout.strip()).status == 200


def test_full_disk_is_no_issued_token(payops):
    with open("/dev/full", "w") as full:
        done = subprocess.run([payops.programs / "payopsctl", "token", "issue", "--config", payops.config,
                               "--merchant", "demo"],
                              stdout=full, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)

    assert done.returncode == EX_IOERR
    assert "cannot write the output" in done.stderr


@pytest.mark.parametrize("words, fragments", [
    (["Big"], ("Big",)), ([""], ("merchant",)), (["m" * 33], ("1 to 32",)), (["a.b"], ("a.b",)),
    (["fine", "--name", ""], ("--name",)), (["fine", "--name", "x" * 121], ("120",)),
    (["fine", "--name", "a\x1bb"], ("--name",)),
])
def test_merchant_add_refuses(payops, words, fragments):
    done = run(payops, "payopsctl", "merchant", "add", *words, "--config", payops.config, "--database-user", "root")

    assert_one_line(done, EX_DATAERR, "payopsctl", *fragments)


def test_merchant_add_adds_once(payops):
    name = f"prog{time.time_ns()}"
    words = ("merchant", "add", name, "--name", "Größe & Söhne", "--config", payops.config, "--database-user", "root")
    first, second, third = run(payops, "payopsctl", *words), run(payops, "payopsctl", *words), \
        run(payops, "payopsctl", *words, "--if-absent")

    assert first.returncode == 0 and name in first.stdout
    assert_one_line(second, EX_DATAERR, name, "--if-absent")
    assert third.returncode == 0 and third.stderr == ""
    assert payops.sql(f"SELECT name FROM merchant WHERE merchant = '{name}'") == [["Größe & Söhne"]]


def test_merchant_add_needs_a_user_with_the_right(payops):
    done = run(payops, "payopsctl", "merchant", "add", "nobody-may", "--config", payops.config)

    assert done.returncode not in (0, EX_USAGE)
    assert "--database-user" in done.stderr.splitlines()[-1]  # the log's own line on the statement stands before it
    assert payops.sql("SELECT COUNT(*) FROM merchant WHERE merchant = 'nobody-may'") == [["0"]]


def test_commands_without_database_are_unavailable(payops, config):
    config.replace(f'socket = "{payops.socket}";', f'socket = "{config.directory}/none.sock";')
    for words in (["migrate", "status"], ["migrate", "up"], ["merchant", "add", "x"], ["fsck"]):
        done = run(payops, "payopsctl", *words, "--config", config.path)
        assert_one_line(done, EX_UNAVAILABLE, "none.sock")


def test_migrate_commands_find_the_schema_complete(payops):
    access = ("--config", payops.config, "--database-user", "root")
    status, plan, up, verify = (run(payops, "payopsctl", "migrate", word, *access)
                                for word in ("status", "plan", "up", "verify"))

    for done in (status, plan, up, verify):
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert "0001" in status.stdout
    assert "CREATE TABLE" not in plan.stdout


def test_keys_new_makes_a_closed_file_once(payops, tmp_path):
    path = tmp_path / "new.key"
    first = subprocess.run([payops.programs / "payopsctl", "keys", "new", path], umask=0, capture_output=True)
    second = run(payops, "payopsctl", "keys", "new", path)

    assert first.returncode == 0
    assert path.stat().st_size == 32 and path.stat().st_mode & 0o777 == 0o600
    key = path.read_bytes()
    assert_one_line(second, EX_DATAERR, path)
    assert path.read_bytes() == key
    assert_one_line(run(payops, "payopsctl", "keys", "new", tmp_path / "no" / "new.key"), EX_IOERR, tmp_path / "no")


# --- payops-sandbox ---

def test_sandbox_refuses_what_it_cannot_use(payops, tmp_path):
    keys = payops.dir / "etc" / "payops" / "keys"
    good = {"--port": free_port(), "--ledger": tmp_path / "ledger", "--api-key-file": keys / "alpha.api-key",
            "--callback-secret-file": keys / "alpha.callback-secret"}

    def started(**changes):
        options = {**good, **{f"--{name.replace('_', '-')}": value for name, value in changes.items()}}
        return run(payops, "payops-sandbox", *[word for option in options.items() for word in option])

    for done in (started(api_key_file=tmp_path / "none"), started(ledger=tmp_path / "no" / "ledger"),
                 started(port=payops.port)):
        assert done.returncode == EX_IOERR, done.stderr
        assert "none" in done.stderr or "ledger" in done.stderr or f"port {payops.port + 1}" in done.stderr
    assert started(log_level="loud").returncode == EX_USAGE
    assert started(keys=keys).returncode == EX_USAGE


def test_sandbox_takes_keys_from_a_directory_or_one_pair_for_all(payops, tmp_path):
    words = ["--port", free_port(), "--ledger", tmp_path / "ledger"]

    assert run(payops, "payops-sandbox", *words).returncode == EX_USAGE
    half = run(payops, "payops-sandbox", *words, "--callback-secret-file", "secret")
    missing = run(payops, "payops-sandbox", *words, "--keys", tmp_path)

    assert half.returncode == EX_USAGE and "--api-key-file is required" in half.stderr
    assert_one_line(missing, EX_IOERR, tmp_path / "alpha.api-key")


# --- ./dev ---

def dev(payops, *words, **env):
    return subprocess.run([payops.top / "dev", *words], text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL,
                          env={**os.environ, **env})


def test_dev_helps(payops):
    for words in (["help"], ["--help"], ["-h"], []):
        done = dev(payops, *words)
        assert done.returncode == 0 and done.stderr == ""
        for command in ("up", "down", "status", "env", "logs", "test", "lint", "PAYOPS_DIR", "PAYOPS_PORT"):
            assert command in done.stdout


def test_dev_refuses_an_unknown_command(payops):
    done = dev(payops, "upp")

    assert done.returncode == 1
    assert "there is no command 'upp'" in done.stderr
    assert "usage:" in done.stderr and done.stdout == ""


def test_dev_status_tells_what_runs(payops, tmp_path):
    running, stopped = dev(payops, "status"), dev(payops, "status", PAYOPS_DIR=str(tmp_path / "none"))

    assert running.returncode == 0
    assert running.stdout.count("running") == 3
    assert stopped.returncode == 1
    assert stopped.stdout.count("stopped") == 3


def test_dev_env_is_for_the_shell(payops, tmp_path):
    done = dev(payops, "env")
    missing = dev(payops, "env", PAYOPS_DIR=str(tmp_path / "none"))
    shell = subprocess.run(["bash", "-c",
                            'eval "$1"; echo "$PAYOPS_URL"; echo "$PAYOPS_SANDBOX_URL"; echo "$PAYOPS_PREFIX"; '
                            'mariadb $PAYOPS_MYSQL --batch --skip-column-names -e "SELECT 1"; echo "$PAYOPS_TOKEN"',
                            "-", done.stdout],
                           text=True, capture_output=True, check=True).stdout.splitlines()

    assert done.returncode == 0
    assert shell[0] == f"http://127.0.0.1:{payops.port}" and shell[1] == f"http://127.0.0.1:{payops.port + 1}"
    assert pathlib.Path(shell[2], "apid").exists() and shell[3] == "1"
    assert payops.request("GET", "/customers/c/transactions", token=shell[4]).status == 200
    assert missing.returncode == 1 and "./dev up" in missing.stderr


def test_dev_says_which_port_is_taken_and_leaves_nothing_behind(payops, tmp_path):
    directory = tmp_path / "taken"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = dev(payops, "instance", "start", PAYOPS_DIR=str(directory), PAYOPS_PORT=str(port))

    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert f"PAYOPS_PORT={port + 100}" in done.stderr
    assert dev(payops, "status", PAYOPS_DIR=str(directory)).stdout.count("stopped") == 3
    assert payops.request("GET", "/readyz").status == 200


@pytest.mark.parametrize("port", ["80", "1023", "65532", "08080", "9080x", "-1"])
def test_dev_refuses_a_base_port_it_cannot_use(payops, port):
    done = dev(payops, "status", PAYOPS_PORT=port)

    assert done.returncode == 1 and done.stdout == ""
    assert "PAYOPS_PORT is a number from 1024 to 65531" in done.stderr


def test_dev_help_and_status_write_nothing(payops, tmp_path):
    directory = tmp_path / "none"
    dev(payops, "help", PAYOPS_DIR=str(directory))
    dev(payops, "status", PAYOPS_DIR=str(directory))

    assert not directory.exists()


def test_dev_takes_the_port_from_what_was_configured(payops):
    done = dev(payops, "env", PAYOPS_PORT="")

    assert f"export PAYOPS_URL=http://127.0.0.1:{payops.port}\n" in done.stdout


def test_dev_does_not_move_what_runs_to_another_port(payops):
    before = payops.config.read_bytes()
    done = dev(payops, "instance", "start", PAYOPS_PORT=str(payops.port + 3))

    assert done.returncode == 1
    assert f"runs on port {payops.port}, not {payops.port + 3}" in done.stderr and "./dev down" in done.stderr
    assert payops.config.read_bytes() == before


def test_dev_start_leaves_what_runs_alone(payops):
    before = [payops.pid(name) for name in ("database", "sandbox", "apid")]
    done = dev(payops, "instance", "start")

    assert done.returncode == 0
    assert [payops.pid(name) for name in ("database", "sandbox", "apid")] == before
