# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""manuals.py accepts pages that agree with fake programs and names each difference."""
import subprocess
import sys

import pytest

import manuals

APID_HELP = """\
Usage: apid [--config FILE]
Take payments (see --nothing).

  -c, --config FILE     the configuration file [/etc/payops/payops.conf]
      --check-config    read the configuration and exit
      --help            print this text
      --version         print the version

Manual: apid(8)
"""
APID_PAGE = r"""
.\" .It Fl -comment
.Sh SYNOPSIS
.Nm apid
.Op Fl -config Ar file
.Sh DESCRIPTION
Ask
.Nm payopsctl
.Fl -elsewhere .
.Sh OPTIONS
.Bl -tag -width Ds
.It Fl c , Fl -config Ar file
.It Fl Fl check-config
.It Fl \-help , Fl \-version
.El
"""

CTL_HELP = {
    "": """\
Usage: payopsctl COMMAND

  migrate status       compare the schema with the files
  migrate up           bring the schema up to date
  token issue NAME     mint a token

      --help           print this text
      --version        print the version
""",
    "migrate status": "      --config FILE  the configuration file\n      --help     print\n      --version  print\n",
    "migrate up": "      --config FILE  the configuration file\n      --yes      do not ask\n      --help     print\n",
    "token issue": "      --config FILE  the configuration file\n      --scope LIST   scopes\n      --help     print\n",
}
CTL_PAGE = """
.Sh SYNOPSIS
.Nm payopsctl
.Ar command
.Op Fl -config Ar file
.Sh OPTIONS
.Bl -tag -width Ds
.It Fl -config Ar file
.It Fl -help , Fl -version
.El
.Sh COMMANDS
.Bl -tag -width Ds
.It Ic migrate status
.It Ic migrate up
.Bl -tag -width Ds
.It Fl -yes
.El
.It Nm payopsctl Ic token issue Fl -scope Ar list Ar name
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
.It Cm up
.El
"""

CONF = """\
# how long the pool is; not = this
listen = "127.0.0.1:8080";  // and "url" = 1
database:
{
  /* how = many */
  pool_size = 16;
  tls: { verify = true; };
};
gateways = (
  { name = "alpha"; timeout_ms = 3000; },
  { name = "be{ta"; timeout_ms = 3000; }
);
"""
CONF_PAGE = r"""
.Sh SETTINGS
.Bl -tag -width Ds
.It Va listen
One of:
.Bl -tag -width Ds
.It Cm debug
.El
.It Ic database.pool_size
.It Va database.tls.verify Pq boolean
.It Va gateways
.It Va gateways.name , Va gateways[].timeout_ms
.El
"""

TABLE = 'X(BUSY, RETRY, 503, "busy", 75, "Try again")\nX(QUERY,   CALLER,  400, "invalid_query", 65, "Query")\n'
ERROR_PAGE = """
.Sh OPTIONS
.Bl -tag -width Ds
.It Li nothing
.El
.Sh ERRORS
.Bl -column busy 503
.It Sy Code Ta Sy Status
.It ok Ta 200
.It busy Ta 503
.It Li invalid_query Ta 400
.El
"""

ROUTES = """\
ROUTE("POST", "/things", ROUTE_TOKEN, SCOPE_THINGS_WRITE, 65536, "",
      ROUTE_DATABASE | ROUTE_SHED, things_create)
ROUTE("GET", "/things/{thing}", ROUTE_TOKEN, SCOPE_THINGS_READ, 0, "limit after", ROUTE_DATABASE, things_show)
ROUTE("POST", "/callback", ROUTE_GATEWAY, 0, 65536, "", ROUTE_DATABASE, callbacks)
ROUTE("GET", "/healthz", ROUTE_OPEN, 0, 0, "", 0, health_live)
"""
ROUTES_PAGE = """
.Sh REQUESTS
.Bl -tag -width Ds
.It Li POST /things Pq Cm things:write
.It Li GET /things/{thing} Pq Cm things:read
.It Li POST /callback Pq Cm gateway
.It Li GET /healthz Pq Cm open
.It Cm limit
.It Cm after
.It Li Some-Header
.El
.Sh METRICS
.Bl -tag -width Ds
.It Li GET /elsewhere
.It Cm elsewhere
.El
"""


def script(path, body):
    path.write_text(f"#!/bin/sh\n{body}", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def prints(text):
    return f"cat <<'END'\n{text}END\n"


def payopsctl(path):
    cases = "".join(f'"{command} --help")\n{prints(text)};;\n' for command, text in CTL_HELP.items() if command)
    return script(path, f'case "$*" in\n--help)\n{prints(CTL_HELP[""])};;\n{cases}*) exit 64;;\nesac\n')


@pytest.fixture(name="compare")
def fixture_compare(tmp_path, capsys):
    """compare(page text, arguments…) → (exit status, [(line, message)])"""
    def compare(page, *arguments):
        (tmp_path / "page.8").write_text(page, encoding="utf-8")
        status = manuals.main([*arguments, "--page", str(tmp_path / "page.8")])
        rows = [line.removeprefix(f"{tmp_path}/page.8:").split(": ", 1) for line in capsys.readouterr().out.splitlines()]
        return status, [(int(number), message) for number, message in rows]
    return compare


def number_of(page, text):
    return page.splitlines().index(text) + 1


def only(result, number, *fragments):
    status, rows = result

    assert status == 1
    assert [row[0] for row in rows] == [number], rows
    for fragment in fragments:
        assert fragment in rows[0][1]


def test_a_page_with_exactly_the_options_passes(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(APID_HELP))

    assert compare(APID_PAGE, "--program", apid) == (0, [])


def test_an_option_the_page_lacks_is_found(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(APID_HELP.replace("  --help", "  --new-one         new\n      --help")))

    only(compare(APID_PAGE, "--program", apid), 1, "--new-one", "document")


def test_an_option_mentioned_only_in_the_text_is_not_documented(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(APID_HELP + "      --elsewhere   here\n"))

    only(compare(APID_PAGE, "--program", apid), 1, "--elsewhere", "document")


def test_an_option_the_program_lacks_is_found(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(APID_HELP.replace("--check-config", "--test-config ")))

    status, rows = compare(APID_PAGE, "--program", apid)

    assert status == 1
    assert [number for number, _ in rows] == [1, number_of(APID_PAGE, ".It Fl Fl check-config")]
    assert "document --test-config" in rows[0][1] and "take --check-config out" in rows[1][1]


def test_an_old_option_in_the_synopsis_is_found(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(APID_HELP))
    page = APID_PAGE.replace(".Op Fl -config Ar file", ".Op Fl -configuration Ar file")

    only(compare(page, "--program", apid), number_of(page, ".Op Fl -configuration Ar file"), "--configuration", "synopsis")


def test_a_page_with_exactly_the_commands_passes(tmp_path, compare):
    assert compare(CTL_PAGE, "--program", payopsctl(tmp_path / "payopsctl")) == (0, [])


def test_commands_as_subsections_pass_too(tmp_path, compare):
    page = CTL_PAGE.split(".Sh COMMANDS")[0] + (".Sh COMMANDS\n.Ss payopsctl migrate status\n.Ss migrate\n"
                                                ".Ss migrate up\n.It Fl -yes\n.Ss token issue\n.It Fl -scope Ar list\n")

    assert compare(page, "--program", payopsctl(tmp_path / "payopsctl")) == (0, [])
    only(compare(page + ".Ss token revoke\n", "--program", payopsctl(tmp_path / "payopsctl")),
         number_of(page + ".Ss token revoke", ".Ss token revoke"), "take the command out", "token revoke")


def test_a_command_the_page_lacks_is_found(tmp_path, compare):
    page = CTL_PAGE.replace(".It Ic migrate status\n", "")

    only(compare(page, "--program", payopsctl(tmp_path / "payopsctl")), 1, "document the command", "migrate status")


def test_a_command_the_program_lacks_is_found(tmp_path, compare):
    page = CTL_PAGE.replace(".It Ic migrate up", ".It Ic migrate down\n.It Ic migrate up")

    only(compare(page, "--program", payopsctl(tmp_path / "payopsctl")), number_of(page, ".It Ic migrate down"),
         "take the command out", "migrate down")


def test_an_option_under_the_wrong_command_is_found_twice(tmp_path, compare):
    page = CTL_PAGE.replace(".It Ic migrate up\n", "").replace(".It Fl -yes\n.El\n", ".It Fl -yes\n.El\n.It Ic migrate up\n")

    status, rows = compare(page, "--program", payopsctl(tmp_path / "payopsctl"))

    assert status == 1
    assert [(number, message.split(",")[0].split(":")[0]) for number, message in rows] == [
        (number_of(page, ".It Fl -yes"), "take --yes out"),
        (number_of(page, ".It Ic migrate up"), "document --yes")]


def test_exactly_the_settings_pass(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(CONF))

    assert compare(CONF_PAGE, "--settings", f"{apid} --print-config '{tmp_path}/a b.conf'") == (0, [])


@pytest.mark.parametrize("old, new, number, fragment", [
    (".It Va listen", ".It Va listens", 4, "take listens out"),
    (".It Ic database.pool_size", ".It Ic database.size", 9, "take database.size out"),
    (".It Va gateways.name ,", ".It Va gateways.names ,", 12, "take gateways.names out"),
])
def test_a_setting_renamed_in_the_page_is_found_twice(tmp_path, compare, old, new, number, fragment):
    apid = script(tmp_path / "apid", prints(CONF))

    status, rows = compare(CONF_PAGE.replace(old, new), "--settings", apid)

    assert status == 1
    assert [row[0] for row in rows] == [1, number]
    assert "document the setting" in rows[0][1] and fragment in rows[1][1]


def test_a_setting_the_page_lacks_is_found(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(CONF.replace("pool_size", "wait_ms = 1;\n  pool_size")))

    only(compare(CONF_PAGE, "--settings", apid), 1, ".It Va database.wait_ms")


def test_what_it_takes_to_change_a_setting_is_compared(tmp_path, compare):
    apid = script(tmp_path / "apid", prints("# A port. (restart)\nport = 1;\nrate:\n{\n  # A rate. (live)\n"
                                            "  burst = 1;\n};\n# Keys.\n#   kid: An id. (live)\nkeys = (\n"
                                            '{\n  kid = "a";\n}\n);\n'))
    page = ".It Va port Pq restart\n.It Va rate.burst Pq live\n.It Va keys Pq live\n.It Va keys.kid Pq live\n"

    assert compare(page, "--settings", apid) == (0, [])
    only(compare(page.replace("burst Pq live", "burst"), "--settings", apid), 2, "rate.burst", "Pq live")
    only(compare(page.replace("kid Pq live", "kid Pq restart"), "--settings", apid), 4, "keys.kid", "Pq live")
    only(compare(page.replace("port Pq restart", "port Pq live"), "--settings", apid), 1, "port", "Pq restart")


def test_dotted_output_is_read_too(tmp_path, compare):
    apid = script(tmp_path / "apid", prints("database.pool_size = 16\nlisten = 0x10;\n"))

    assert compare(".It Va database.pool_size , Va listen\n", "--settings", apid) == (0, [])


def test_an_empty_list_is_not_taken_for_agreement(tmp_path, compare):
    apid = script(tmp_path / "apid", prints(CONF.split("gateways")[0] + "gateways = ( );\n"))

    only(compare(CONF_PAGE, "--settings", apid), 1, "members of gateways", "one entry")


def test_exactly_the_error_codes_pass(tmp_path, compare):
    (tmp_path / "err.def").write_text(TABLE, encoding="utf-8")

    assert compare(ERROR_PAGE, "--errors", str(tmp_path / "err.def")) == (0, [])


def test_error_codes_that_differ_are_found(tmp_path, compare):
    (tmp_path / "err.def").write_text(TABLE.replace('"busy"', '"nothing"'), encoding="utf-8")

    status, rows = compare(ERROR_PAGE, "--errors", str(tmp_path / "err.def"))

    assert status == 1
    assert [number for number, _ in rows] == [1, number_of(ERROR_PAGE, ".It busy Ta 503")]
    assert "nothing" in rows[0][1] and "busy out" in rows[1][1]


def test_exactly_the_routes_pass(tmp_path, compare):
    (tmp_path / "route.def").write_text(ROUTES, encoding="utf-8")

    assert compare(ROUTES_PAGE, "--routes", str(tmp_path / "route.def")) == (0, [])


@pytest.mark.parametrize("old, new, line, fragments", [
    (".It Li GET /healthz Pq Cm open\n", "", None, ("document the request", "GET /healthz Pq Cm open")),
    ("things:write", "things:read", ".It Li POST /things Pq Cm things:read", ("POST /things Pq Cm things:write",)),
    ("Pq Cm gateway", "", ".It Li POST /callback ", ("POST /callback Pq Cm gateway",)),
    (".It Cm limit", ".It Li DELETE /things\n.It Cm limit", ".It Li DELETE /things", ("take DELETE /things out",)),
    (".It Cm limit\n", "", None, ("document the query parameter", ".It Cm limit")),
    (".It Cm limit", ".It Cm limit\n.It Cm before", ".It Cm before", ("take the query parameter before out",)),
])
def test_a_route_that_differs_is_found(tmp_path, compare, old, new, line, fragments):
    (tmp_path / "route.def").write_text(ROUTES, encoding="utf-8")
    page = ROUTES_PAGE.replace(old, new)

    only(compare(page, "--routes", str(tmp_path / "route.def")), number_of(page, line) if line else 1, *fragments)


@pytest.mark.parametrize("body", ["exit 3\n", "echo no options\n", None])
def test_a_program_that_does_not_say_its_options_is_no_agreement(tmp_path, compare, body):
    program = str(tmp_path / "absent") if body is None else script(tmp_path / "program", body)

    assert compare(APID_PAGE, "--program", program)[0] == 2


@pytest.mark.parametrize("body", ["exit 3\n", "true\n", "echo '= ;'\n", "echo '%%'\n"])
def test_a_configuration_that_cannot_be_read_is_no_agreement(tmp_path, compare, body):
    assert compare(CONF_PAGE, "--settings", script(tmp_path / "program", body))[0] == 2


def test_a_table_without_rows_is_no_agreement(tmp_path, compare):
    (tmp_path / "err.def").write_text("", encoding="utf-8")

    assert compare(ERROR_PAGE, "--errors", str(tmp_path / "err.def"))[0] == 2
    assert compare(ROUTES_PAGE, "--routes", str(tmp_path / "err.def"))[0] == 2


def test_runs_as_a_program(tmp_path):
    apid = script(tmp_path / "apid", prints(APID_HELP))
    page = tmp_path / "apid.8"
    page.write_text(APID_PAGE.replace(".It Fl Fl check-config\n", ""), encoding="utf-8")

    run = subprocess.run([sys.executable, manuals.__file__, "--program", apid, "--page", page],
                         capture_output=True, text=True, check=False)
    nothing = subprocess.run([sys.executable, manuals.__file__, "--page", page],
                             capture_output=True, text=True, check=False)

    assert run.stdout == f"{page}:1: document --check-config, which apid --help prints: .It Fl -check-config\n"
    assert (run.returncode, run.stderr) == (1, "")
    assert nothing.returncode == 2 and "nothing to compare" in nothing.stderr


DECLINES = 'DECLINE("no_funds", NEVER, 0, 0, "None.")\nFAILURE("expired", RETRY, "Late.")\n'
DECLINES_PAGE = ".Sh DECLINES\n.It Li no_funds Pq Cm never\n.Sh FAILURES\n.It Li declined\n.It Li expired Pq Cm retry\n"


@pytest.mark.parametrize("old, new, count", [("", "", 0), (".It Li no_funds", ".It Li no_fund", 2),
                                             (".It Li expired Pq Cm retry\n", "", 1),
                                             (".Sh FAILURES\n", ".Sh OTHERS\n", 2)])
def test_declines_that_differ_are_found(tmp_path, compare, old, new, count):
    (tmp_path / "decline.def").write_text(DECLINES, encoding="utf-8")

    status, rows = compare(DECLINES_PAGE.replace(old, new), "--declines", str(tmp_path / "decline.def"))

    assert (status, len(rows)) == (int(count > 0), count)


@pytest.mark.parametrize("old, new, count", [("", "", 0), (".It Cm open Pq final\n", "", 1), ("Cm open", "Cm shut", 2)])
def test_states_that_differ_are_found(tmp_path, compare, old, new, count):
    page = ""
    for name in ("transaction", "operation", "attempt"):
        (tmp_path / f"{name}.c").write_text('static const char *const statuses[] = { "open",\n"over" };\n')
        page += f".Sh {name.upper()}S\n.It Cm open Pq final\n.It Cm over\n"

    status, rows = compare(page.replace(old, new, 1), "--states", str(tmp_path))

    assert (status, len(rows)) == (int(count > 0), count)


@pytest.mark.parametrize("old, new, count", [("", "", 0), ("curl -X", "wget -X", 1), ("payments:read", "payments:write", 1),
                                             (".Ss GET /a", ".Ss GET /b", 2)])
def test_operations_that_differ_are_found(tmp_path, compare, old, new, count):
    (tmp_path / "route.def").write_text('ROUTE("GET", "/a", ROUTE_TOKEN, SCOPE_PAYMENTS_READ, 0, "", 0, a)\n')
    page = ".Sh PAYMENTS\n.Ss GET /a\nScope\n.Cm payments:read .\n.Bd -literal\ncurl -X GET\n.Ed\n"

    status, rows = compare(page.replace(old, new), "--operations", str(tmp_path / "route.def"))

    assert (status, len(rows)) == (int(count > 0), count)
