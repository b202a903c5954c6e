# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of lint.py finds what is planted for it, and nothing in a clean tree."""
import subprocess
import sys

import pytest

import lint

C_HEAD = "/* SPDX-FileCopyrightText: payops contributors\n * SPDX-License-Identifier: GPL-3.0-or-later */\n"
HASH_HEAD = "# SPDX-FileCopyrightText: payops contributors\n# SPDX-License-Identifier: GPL-3.0-or-later\n"


def c(*lines):
    """A C source; its first line of code is line 3."""
    return C_HEAD + "\n".join(lines) + "\n"


def header(guard, *lines):
    """A header; its first line inside the guard is line 6."""
    return c("/* Things: a comment that says what this is. */", f"#ifndef {guard}", f"#define {guard}", *lines, "#endif")


CLEAN = {
    "dev": "#!/bin/sh\n" + HASH_HEAD + "exec true\n",
    "LICENSE": "not our text \r\n",
    "README.md": "# payops\n",
    "Makefile.am": HASH_HEAD,
    "config.h": "/* made by configure */ int x; ",
    "build-gcc/lib/core/bad.c": "float f; ",
    ".dev/data.c": "float f; ",
    "sql/0001_create_merchant.sql": "-- " + HASH_HEAD[2:].replace("# ", "-- ") + "CREATE TABLE merchant (id INT);\n",
    "tests/fuzz/corpus/crlf.conf": "a = 1 \r\n",
    "lib/core/money.h": header("CORE_MONEY_H", "#include <stdint.h>", '#include "core/err.h"', "struct money {",
                               "\tint64_t minor;", "};", "extern const char *const money_words[];",
                               "bool money_add(struct money a, struct money b, struct money *sum);"),
    "lib/core/money.c": c(
        '#include "core/money.h"',
        "#include <stdio.h>",
        '#include "core/err.def"',
        "/* A double or a float 1.5 in a comment, and XXX, which is no currency. */",
        'static const char *const words[] = { "float", "double 1.5", "XXX" };',
        "static const struct currency currencies[] = {",
        "#define X(code) { code },",
        '#include "core/currency.def"',
        "#undef X",
        "};",
        "static int (*const hooks[])(int) = { 0 };",
        "const struct words money_words = { words, 3 };",
        "struct pair { int a; int b; };",
        "struct pair;",
        "enum { MONEY_A, MONEY_B };",
        "typedef int money_done(void *context);",
        "_Static_assert(sizeof(int) == 4, \"int\");",
        "static bool add(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f);",
        "__attribute__((noreturn)) static void die(void)",
        "{",
        "\tfor (;;) {",
        "\t}",
        "}",
        "bool money_add(struct money a, struct money b, struct money *sum)",
        "{",
        "\tchar text[10];",
        "",
        "\tsnprintf(text, sizeof text, \"%d\", 0x1e);",
        "\tif (a) {",
        "\t\twhile (b)",
        "\t\t\tfor (;;)",
        "\t\t\t\tif (sum)",
        "\t\t\t\t\treturn false;",
        "\t\t\t\telse if (b)",
        "\t\t\t\t\treturn true;",
        "\t} else if (b) {",
        "\t\tdo",
        "\t\t\tsum++;",
        "\t\twhile (0);",
        "\t}",
        "\treturn a.system(1) + sum->time(0) + b->popen(2);",
        "}",
        "const struct currency *currency_find(const char *code)",
        "{",
        "\treturn 0;",
        "}"),
    "lib/base/log.c": c(
        '#ifdef HAVE_CONFIG_H',
        '#include "config.h"',
        '#endif',
        "#include <jansson.h>",
        "#include <unistd.h>",
        "/* lint: state: every layer logs, and a log in each contract would say",
        " * nothing; a reason may take more lines */",
        "static struct settings settings = { 1 };",
        "static _Thread_local int depth; /* lint: state: the call a thread serves */",
        "#ifdef LOG_LONG",
        "void log_write(int a, int b)",
        "{",
        "#else",
        "void log_write(int a)",
        "{",
        "#endif",
        "\tjson_array_foreach(a, b, c) {",
        "\t\tdouble ratio = 1.5;",
        "\t}",
        "}"),
    "lib/base/clock.c": c("int64_t clock_now_us(void)", "{", "\treturn clock_gettime(CLOCK_REALTIME, &at);", "}"),
    "lib/base/crypto.c": c("#include <gnutls/crypto.h>", "void crypto_random(void *out)", "{",
                           "\tgnutls_rnd(0, out, 1);", "}"),
    "lib/base/http_client.c": c("#include <curl/curl.h>"),
    "lib/base/token_verify.c": c("#include <jwt.h>"),
    "lib/base/conf_source.c": c("#include <libconfig.h>"),
    "lib/base/cli.c": c("#include <getopt.h>", "int cli_parse(void)", "{", "\treturn getopt_long(0, 0, 0, 0, 0);", "}"),
    "lib/store/payment.c": c("#include <mysql.h>", "#include <mysqld_error.h>", '#include "base/log.h"',
                             "int store_payment_lock(void)", "{", '\treturn q("SELECT id FROM payment");', "}"),
    "lib/store/run.c": c("int store_run(void)", "{", "\treturn 0;", "}"),
    "lib/gateway/sandbox.c": c("#include <curl/curl.h>", '#include "gateway/sandbox.h"',
                               "int gateway_sandbox_send(void)", "{", "\treturn 0;", "}"),
    "lib/events/kafka.c": c("#include <librdkafka/rdkafka.h>", '#include "events/kafka.h"'),
    "lib/service/refund.c": c('#include "store/payment.h"', '#include "gateway/sandbox.h"', '#include "events/kafka.h"'),
    "apid/main.c": c('#include "apid/http.h"', '#include "service/refund.h"', "static int stopping;",
                     "int main(void)", "{", "\treturn 0;", "}"),
    "apid/http.c": c("#include <ulfius.h>", "#include <microhttpd.h>",
                     "/* lint: parameters: the library calls it */",
                     "static int take(int a, int b, int c, int d, int e, int f, int g)", "{", "\treturn a;", "}"),
    "sandbox/http_answer.c": c("#include <ulfius.h>", '#include "base/json.h"', '#include "sandbox/http.h"'),
    "admin-tui/screen_list.c": c("#include <ncurses.h>", '#include "admin-tui/screen.h"', '#include "core/id.h"'),
    "admin-tui/screen.h": header("ADMIN_TUI_SCREEN_H"),
    "reconcile/feed_csv.c": c('#include "store/payment.h"', "int feed_csv_next(void)", "{", "\treturn 'a' . e;", "}"),
    "tests/unit/unit.h": header("TESTS_UNIT_H", "#include <check.h>", "#define M(a) \\", "\tfoo(a) \\", "\tbar(a)"),
    "tests/unit/test_money.c": c('#include "unit.h"', "#include <mysql.h>", "static int calls;",
                                 "START_TEST(money_adds)", "{", '\tq("SELECT 1", time(NULL));', "}", "END_TEST",
                                 "START_TEST(money_subtracts)", "{", "\trand();", "}", "END_TEST",
                                 'UNIT_MAIN("money", tcase_add_test(tests, money_adds))'),
    "tests/integration/checker.py": HASH_HEAD,
}

BODY = "int text_f(void)\n{\n"
SEVENTY = BODY + "\tx();\n" * 67 + "}"       # 70 lines: the limit
FOUR = BODY + "\tif (a)\n\t\tfor (;;)\n\t\t\twhile (b)\n\t\t\t\tif (c)\n\t\t\t\t\tx();\n}"
CODE_100 = "static const int a = " + "1" * 78 + ";"
COMMENT_120 = "/* " + "x" * 114 + " */"

PLANTS = [
    # rule, file, content, line
    ("layer", "lib/core/a.c", c('#include "base/log.h"'), 3),
    ("layer", "lib/base/log2.c", c('#include "store/store.h"'), 3),
    ("layer", "lib/store/a.c", c('#include "core/id.h"', '#include "gateway/gateway.h"'), 4),
    ("layer", "lib/gateway/a.c", c('#include "store/store.h"'), 3),
    ("layer", "lib/events/a.c", c('#include "service/refund.h"'), 3),
    ("layer", "lib/service/a.c", c('#include "apid/http.h"'), 3),
    ("layer", "apid/a.c", c('#include "ctl/main.h"'), 3),
    ("layer", "ctl/a.c", c('#include "apid/http.h"'), 3),
    ("layer", "reconcile/a.c", c('#include "apid/http.h"'), 3),
    ("layer", "orderd/a.c", c('#include "notifyd/a.h"'), 3),
    ("layer", "notifyd/a.c", c('#include "orderd/a.h"'), 3),
    ("layer", "admin-tui/a.c", c('#include "store/store.h"'), 3),
    ("layer", "sandbox/a.c", c('#include "gateway/gateway.h"'), 3),
    ("layer", "apid/a.c", c('#include "../lib/core/id.h"'), 3),
    ("layer", "apid/a.c", c('#include "apid/../core/id.h"'), 3),
    ("layer", "apid/a.c", c('#include "lib/core/id.h"'), 3),
    ("layer", "apid/a.c", c('#include "http.h"'), 3),
    ("layer", "apid/a.c", c('#include "tests/unit/unit.h"'), 3),
    ("layer", "apid/a.c", c('#include <core/id.h>'), 3),
    ("layer", "apid/a.c", c('#include "core/id.c"'), 3),
    ("layer", "apid/a.c", c('#\tinclude  "ctl/x.h" /* why */'), 3),
    ("layer", "newdaemon/a.c", c("int x(void);"), 1),
    ("layer", "lib/newlayer/a.c", c("int x(void);"), 1),
    ("core-header", "lib/core/a.c", c("#include <stdint.h>", "#include <time.h>"), 4),
    ("core-header", "lib/core/a.c", c("#include <unistd.h>"), 3),
    ("core-header", "lib/core/a.c", c("#include <fcntl.h>"), 3),
    ("core-header", "lib/core/a.c", c("#include <sys/types.h>"), 3),
    ("core-header", "lib/core/a.c", c("#include <pthread.h>"), 3),
    ("core-header", "lib/core/a.c", c("#include <math.h>"), 3),
    ("core-call", "lib/core/a.c", c("static void a_b(void)", "{", '\tprintf("x");', "}"), 5),
    ("core-call", "lib/core/a.c", c("static void a_b(FILE *out);"), 3),
    ("core-call", "lib/core/a.c", c("static void a_b(void)", "{", '\tgetenv("x");', "}"), 5),
    ("checker", "tests/integration/checker.c", c(), 1),
    ("checker", "tests/integration/check/history.c", c(), 1),
    ("fence", "apid/dispatch.c", c("#include <ulfius.h>"), 3),
    ("fence", "lib/base/http_server.c", c("#include <microhttpd.h>"), 3),
    ("fence", "apid/http.h", header("APID_HTTP_H", "#include <ulfius.h>"), 6),
    ("fence", "apid/main2.c", c("#include <orcania.h>"), 3),
    ("fence", "apid/main2.c", c("#include <yder.h>"), 3),
    ("fence", "ctl/a.c", c("#include <mysql.h>"), 3),
    ("fence", "ctl/a.c", c("#include <mysql/mysql.h>"), 3),
    ("fence", "lib/service/a.c", c("#include <errmsg.h>"), 3),
    ("fence", "lib/service/a.c", c("#include <mysqld_error.h>"), 3),
    ("fence", "lib/base/json2.c", c("#include <curl/curl.h>"), 3),
    ("fence", "lib/base/http_client.h", header("BASE_HTTP_CLIENT_H", "#include <curl/curl.h>"), 6),
    ("fence", "lib/base/token.c", c("#include <gnutls/gnutls.h>"), 3),
    ("fence", "apid/media.c", c("#include <libxml/tree.h>"), 3),
    ("fence", "apid/auth.c", c("#include <jwt.h>"), 3),
    ("fence", "lib/base/cli2.c", c("#include <libconfig.h>"), 3),
    ("fence", "lib/store/json.c", c("#include <jansson.h>"), 3),
    ("fence", "admin-tui/view.c", c("#include <ncurses.h>"), 3),
    ("fence", "lib/service/a.c", c("#include <librdkafka/rdkafka.h>"), 3),
    ("fence", "apid/main2.c", c("#include <getopt.h>"), 3),
    ("file-lines", "lib/core/a.c", C_HEAD + "\n" * 699, 701),
    ("file-lines", "tests/lint/a.py", HASH_HEAD + "\n" * 699, 701),
    ("function-lines", "lib/core/text.c", c(SEVENTY.replace("{\n", "{\n\ty();\n")), 3),
    ("function-lines", "tests/unit/test_a.c", c("START_TEST(it_is_long)", "{", *["\tx();"] * 68, "}"), 3),
    ("nesting", "lib/core/text.c", c(FOUR.replace("\tx();", "\twhile (d)\n\t\t\t\t\t\tx();")), 9),
    ("nesting", "lib/core/text.c", c(FOUR.replace("\tx();", "\tdo { x(); } while (0);")), 9),
    ("nesting", "lib/core/text.c", c(FOUR.replace("\tx();", "\tjson_object_foreach(a, b, c) { x(); }")), 9),
    ("nesting", "lib/core/text.c", c(FOUR.replace("\tx();", "\tswitch (d) { case 1: x(); }")), 9),
    ("nesting", "lib/core/text.c", c(FOUR.replace("\tx();", "\tx();\n\t\t\t\telse {\n\t\t\t\t\tif (d) {}\n\t\t\t\t}")), 11),
    ("nesting", "lib/core/text.c", c(FOUR.replace("\tif (a)", "out:\n\tif (a)").replace("\tx();", "\tif (d) x();")), 10),
    ("parameters", "lib/core/text.c", c("static int f(int a, int b, int c, int d, int e, int f, int g)", "{", "}"), 3),
    ("parameters", "lib/core/a.h", header("CORE_A_H", "int a_f(int a, int b[2], int (*c)(int, int), int d, int e,",
                                          "\tint f, int g);"), 6),
    ("state", "lib/base/log2.c", c("static int count;"), 3),
    ("state", "lib/base/log2.c", c("static const char *names[] = { 0 };"), 3),
    ("state", "lib/base/log2.c", c("static int (*hook)(int);"), 3),
    ("state", "lib/base/log2.c", c("struct { int a; } both = { 1 };"), 3),
    ("state", "lib/base/log2.c", c("static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;"), 3),
    ("state", "lib/base/log2.c", c("static int a; /* lint: state: why */", "static int b;"), 4),
    ("state", "lib/base/log2.c", c("static int a; /* lint: state: */"), 3),
    ("state", "apid/a.h", header("APID_A_H", "extern int debug;"), 6),
    ("state", "tests/unit/fake.c", c("static int calls;"), 3),
    ("float", "lib/core/a.c", c("static double f(void);"), 3),
    ("float", "lib/store/a.c", c("static long f(float x);"), 3),
    ("float", "lib/service/a.c", c("static const int x = (int)(3 * 1.5);"), 3),
    ("float", "reconcile/a.c", c("#define SHARE 1e3"), 3),
    ("float", "reconcile/a.c", c("static const int x = 0x1p3;"), 3),
    ("float", "reconcile/a.c", c("static int f(void)", "{", "\treturn (int)strtod(x, 0);", "}"), 5),
    ("columns", "lib/base/log2.c", c(CODE_100.replace(";", "1;")), 3),
    ("columns", "lib/base/log2.c", c(COMMENT_120.replace(" */", "x */")), 3),
    ("columns", "lib/base/log2.c", c("static const int a = 1; " + COMMENT_120), 3),
    ("columns", "lib/base/log2.c", c("static void log2_f(void)", "{", "\t" * 11 + "x('" + "y" * 9 + "');", "}"), 5),
    ("columns", "lib/base/log2.c", c("#define LOG2 " + "1" * 87 + " \\", "\t2"), 3),
    ("banned-call", "tests/unit/a.c", c("int f(void)", "{", "\tstrcpy(a, b);", "}"), 5),
    ("banned-call", "apid/a.c", c("#define COPY(a, b) strcat(a, b)"), 3),
    *[("banned-call", "apid/a.c", c("int f(void)", "{", f"\treturn {name}(a);", "}"), 5)
      for name in sorted(lint.BANNED)],
    ("clock", "lib/service/a.c", c("int a_f(void)", "{", "\treturn time(NULL);", "}"), 5),
    ("clock", "lib/base/log2.c", c("int log2_f(void)", "{", "\tclock_gettime(0, 0);", "}"), 5),
    ("clock", "sandbox/a.c", c("int a_f(void)", "{", "\tgettimeofday(0, 0);", "}"), 5),
    ("random", "lib/base/log2.c", c("int log2_f(void)", "{", "\tgetrandom(0, 0, 0);", "}"), 5),
    ("random", "sandbox/a.c", c("int a_f(void)", "{", "\treturn rand();", "}"), 5),
    ("options", "ctl/a.c", c("int a_f(void)", "{", "\treturn getopt(0, 0, 0);", "}"), 5),
    ("sql", "lib/service/a.c", c('static const char *const q = "SELECT id FROM t";'), 3),
    ("sql", "apid/a.c", c("static const char *const q =", '\t"a" "INSERT INTO t";'), 4),
    ("sql", "ctl/a.c", c('static const char *const q = "UPDATE t";'), 3),
    ("sql", "ctl/a.c", c('static const char *const q = "DELETE FROM t";'), 3),
    ("sql", "ctl/a.c", c('static const char *const q = "select id from t";'), 3),
    ("sql", "ctl/a.c", c('#define Q "insert into t"'), 3),
    *[("mark", "apid/a.c", c(f"/* {mark} later */"), 3) for mark in ("TODO", "FIXME", "XXX", "HACK")],
    ("mark", "apid/a.c", c("int x(void); // see XXX: there"), 3),
    ("mark", "README.md", "# payops\n\nTODO\n", 3),
    ("mark", "sql/a.sql", CLEAN["sql/0001_create_merchant.sql"] + "-- XXX index\n", 4),
    ("spdx", "apid/a.c", "int x(void);\n", 1),
    ("spdx", "apid/a.c", C_HEAD.replace("3.0-or-later", "2.0-only"), 1),
    ("spdx", "apid/a.h", header("APID_A_H").replace(C_HEAD, ""), 1),
    *[("spdx", f"tests/a{suffix}", "", 1) for suffix in (".py", ".sh", ".sql", ".inc", ".ac", ".am", ".m4", ".def")],
    ("spdx", "dev", "#!/bin/sh\nexec true\n", 2),
    ("spdx", ".ci/run", "#!/bin/sh\nexec true\n", 2),
    ("blanks", "apid/a.c", c("int x(void); "), 3),
    ("blanks", "man/apid.8", ".Sh NAME\t\n", 1),
    ("blanks", "README.md", "# payops  \n", 1),
    ("newline", "apid/a.c", C_HEAD + "int x(void);", 3),
    ("newline", "examples/payops.conf", "a = 1;", 1),
    ("crlf", "apid/a.c", c("int x(void);\r"), 3),
    ("guard", "lib/core/a.h", c("/* Things of a kind. */", "#pragma once"), 4),
    ("guard", "lib/core/a.h", c("/* Things of a kind. */", "struct a;"), 1),
    ("guard", "lib/core/a.h", c("/* Things of a kind. */", "#ifndef CORE_A_H", "#define CORE_B_H", "#endif"), 4),
    ("guard", "lib/core/a.h", header("A_H"), 4),
    ("guard", "admin-tui/a.h", header("ADMINTUI_A_H"), 4),
    ("first-comment", "lib/core/a.h", c("#ifndef CORE_A_H", "#define CORE_A_H", "/* Too late. */", "#endif"), 3),
    ("prefix", "lib/core/text.c", c("bool card_in(void)", "{", "}"), 3),
    ("prefix", "lib/core/text.c", c("bool textual(void)", "{", "}"), 3),
    ("prefix", "lib/store/payment.c", c("int store_refund_lock(void)", "{", "}"), 3),
    ("prefix", "lib/gateway/sandbox.c", c("int gateway_send(void)", "{", "}"), 3),
]


def plant(root, tree):
    for path, content in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode())


def found(root):
    return [finding for source in lint.read_tree(root) for finding in lint.check(source)]


def test_a_clean_tree_passes(tmp_path):
    plant(tmp_path, CLEAN)

    assert found(tmp_path) == []


@pytest.mark.parametrize("rule, path, content, line", PLANTS)
def test_a_planted_violation_is_found_and_nothing_else(tmp_path, rule, path, content, line):
    plant(tmp_path, CLEAN)
    plant(tmp_path, {path: content})

    findings = found(tmp_path)

    assert [(finding.rule, finding.path, finding.line) for finding in findings] == [(rule, path, line)]
    assert len(findings[0].message) > 20


def test_every_rule_is_planted():
    assert {rule for rule, *_ in PLANTS} == {rule for rule, *_ in lint.RULES}


def test_every_fence_is_planted():
    planted = "".join(content for rule, _, content, _ in PLANTS if rule == "fence")

    for headers, _ in lint.FENCES:
        assert any(name.split("/")[0] in planted for name in headers.split()), headers


@pytest.mark.parametrize("content", [c(SEVENTY), c(FOUR), c(CODE_100), c(COMMENT_120),
                                     c(CODE_100 + " " + COMMENT_120[-18:].replace("x", "/*", 1)),
                                     c("static int f(int a, int b, int c, int d, int e, int f, ...)", "{", "}"),
                                     C_HEAD + "\n" * 698])
def test_what_is_exactly_at_a_limit_passes(tmp_path, content):
    plant(tmp_path, {"lib/core/text.c": content})

    assert found(tmp_path) == []


def test_prints_file_line_message_and_fails(tmp_path):
    plant(tmp_path, CLEAN | {"apid/a.c": c("int f(void)", "{", "\treturn system(x);", "}")})

    run = subprocess.run([sys.executable, lint.__file__, tmp_path], capture_output=True, text=True, check=False)

    assert run.stdout == "apid/a.c:5: system() is banned: use posix_spawn: no shell [banned-call]\n"
    assert (run.returncode, run.stderr) == (1, "")


def test_summary_prints_medians_and_a_clean_tree_succeeds(tmp_path):
    plant(tmp_path, CLEAN)

    run = subprocess.run([sys.executable, lint.__file__, "--summary", tmp_path],
                         capture_output=True, text=True, check=False)

    assert "median" in run.stdout and "lib/core" in run.stdout
    assert (run.returncode, run.stderr) == (0, "")


def test_wrong_usage_is_told_from_findings(tmp_path):
    run = subprocess.run([sys.executable, lint.__file__, tmp_path / "absent"],
                         capture_output=True, text=True, check=False)

    assert run.returncode == 2 and "not a directory" in run.stderr


def test_the_tables_name_each_layer_of_the_drawing():
    assert set(lint.LAYERS) == {f"lib/{layer}" for layer in lint.LIB} | set(lint.PROGRAMS) | {"man", "tests"}
