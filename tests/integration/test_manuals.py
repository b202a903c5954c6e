# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual pages against the built programs: every option, command, setting and error code, and nothing else."""
import re
import shlex
import shutil
import subprocess
import sys

import pytest


def compare(payops, page, *arguments):
    path = payops.top / "man" / page
    assert path.exists(), f"man/{page} is missing"
    done = subprocess.run([sys.executable, "-B", payops.top / "tests/lint/manuals.py", *map(str, arguments), "--page",
                           path],
                          text=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("program", ["apid", "payopsctl", "payops-sandbox"])
def test_page_of_a_program_has_its_options_and_commands(shared, program):
    compare(shared, f"{program}.8", "--program", shared.programs / program)


def test_page_of_the_configuration_has_every_setting(shared):
    command = shlex.join([str(shared.programs / "apid"), "--print-config", "--config", str(shared.config)])

    compare(shared, "payops.conf.5", "--settings", command)


def test_page_of_apid_has_every_error_code(shared):
    compare(shared, "apid.8", "--errors", shared.top / "lib/core/err.def")


def test_page_of_apid_has_every_route_and_its_parameters(shared):
    compare(shared, "apid.8", "--routes", shared.top / "apid/route.def")


def examples(page):
    """{path: text} of the files that section EXAMPLES shows; the first line of each says which it is."""
    section = page.read_text(encoding="utf-8").split("\n.Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", section, re.M | re.S)
    return {re.match(r"# /etc/payops/(\S+)\n", block)[1]: block.replace("\\e", "\\") for block in blocks}


def test_examples_of_the_configuration_are_taken(shared, tmp_path):
    files = examples(shared.top / "man/payops.conf.5")
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in re.findall(r'file = "([\w.]+\.key)"', files["payops.conf"]):
        shared.ctl("keys", "new", str(tmp_path / name))
    (tmp_path / "database.password").write_text("secret\n")
    (tmp_path / "database.password").chmod(0o600)
    apid = [str(shared.programs / "apid"), "--config", str(tmp_path / "payops.conf")]

    done = subprocess.run([*apid, "--check-config"], text=True, capture_output=True, stdin=subprocess.DEVNULL)
    printed = subprocess.run([*apid, "--print-config"], text=True, capture_output=True, stdin=subprocess.DEVNULL)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\bpool_size = 32;", printed.stdout), "the file in conf.d is read"


@pytest.fixture(scope="module", name="pages")
def pages_of(shared, tmp_path_factory):
    """All pages in one directory: those of the source, and those that make made and installed."""
    directory = tmp_path_factory.mktemp("man")
    made = sorted((shared.programs.parent / "share/man/man7").glob("payops-*.7"))
    assert [page.name for page in made] == ["payops-api.7", "payops-errors.7", "payops-states.7"]
    for page in [*made, *(shared.top / "man").glob("*.[1-9]")]:
        shutil.copy(page, directory)
    return directory


@pytest.mark.parametrize("page, arguments", [
    ("payops-api.7", ["--operations", "apid/route.def"]),
    ("payops-errors.7", ["--errors", "lib/core/err.def", "--declines", "lib/core/decline.def"]),
    ("payops-states.7", ["--states", "lib/core"]),
])
def test_made_page_has_all_of_its_tables(shared, pages, page, arguments):
    words = [word if word.startswith("--") else shared.top / word for word in arguments]

    compare(shared, pages / page, *words)


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("page", ["apid.8", "payopsctl.8", "payops-sandbox.8", "payops.conf.5", "payops-routes.5",
                                  "payops-api.7", "payops-errors.7", "payops-states.7"])
def test_page_is_clean_to_mandoc(pages, page):
    done = subprocess.run(["mandoc", "-Tlint", "-W", "style", page], cwd=pages, text=True,
                          capture_output=True)  # it looks for the pages that this one refers to where it runs

    assert done.returncode == 0, done.stdout + done.stderr
