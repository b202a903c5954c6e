/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/conf.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])

static const char *const levels[] = { "debug", "info", "warning", NULL };

/* clang-format off */
static const struct conf_setting settings[] = {
	/* name, type, default, min, max, words, help, change */
	{ "name", CONF_TEXT, NULL, 1, 16, NULL, "Its name.", CONF_UNSAID },
	{ "database.host", CONF_TEXT, "local", 0, 0, NULL, "Its host.", CONF_UNSAID },
	{ "log.level", CONF_WORD, "info", 0, 0, levels, "How much.", CONF_UNSAID },
	{ "database.pool_size", CONF_INT, "16", 1, 64, NULL, "How many.", CONF_UNSAID },
	{ "database.tls.ca", CONF_PATH, "", 0, 0, NULL, "Its CA.", CONF_UNSAID },
	{ "limits.any", CONF_INT, "0", INT64_MIN, INT64_MAX, NULL, "Any.", CONF_LIVE },
	{ "safe", CONF_BOOL, "true", 0, 0, NULL, "Safe?", CONF_RESTART },
};
static const struct conf_setting gateway_settings[] = {
	{ "name", CONF_TEXT, NULL, 1, 16, NULL, "Its name.", CONF_UNSAID },
	{ "key_file", CONF_PATH, "none", 0, 0, NULL, "Its key.", CONF_UNSAID },
	{ "limit", CONF_INT, "5", 0, 10, NULL, "Its limit.", CONF_UNSAID },
	{ "idempotent", CONF_BOOL, "false", 0, 0, NULL, "Is it?", CONF_UNSAID },
};
/* clang-format on */
static const struct conf_list lists[] = {
	{ "gateways", gateway_settings, COUNT(gateway_settings), "The gateways." },
};
static const struct conf_table table = { settings, COUNT(settings), lists, COUNT(lists), false };

/* A directory of its own with payops.conf and conf.d. */
struct fixture {
	char directory[64];
	char path[128];
	struct conf *conf;
	char why[8192];
};

static void file_put(const struct fixture *fixture, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void setup(struct fixture *fixture)
{
	char path[256];

	*fixture = (struct fixture){ .directory = "/tmp/payops-test-conf-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof fixture->path, "%s/payops.conf", fixture->directory);
	snprintf(path, sizeof path, "%s/conf.d", fixture->directory);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static enum err load(struct fixture *fixture)
{
	return conf_load(&table, fixture->path, &fixture->conf, fixture->why, sizeof fixture->why);
}

/* Load or fail with the reason. */
static void load_ok(struct fixture *fixture)
{
	if (load(fixture) != ERR_OK)
		ck_abort_msg("%s", fixture->why);
}

static void done(struct fixture *fixture)
{
	static const char *const names[] = { "payops.conf",       "printed.conf",
					     "conf.d/10.conf",    "conf.d/9.conf",
					     "conf.d/a.conf",     "conf.d/.hidden.conf",
					     "conf.d/a.conf.bak", "conf.d" };
	char path[256];

	conf_free(fixture->conf);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", fixture->directory, names[i]);
		remove(path);
	}
	ck_assert_int_eq(rmdir(fixture->directory), 0);
}

START_TEST(conf_load_fills_in_defaults)
{
	struct fixture fixture;

	setup(&fixture);
	file_put(&fixture, "payops.conf", "name = \"x\";");
	load_ok(&fixture);

	ck_assert_str_eq(conf_text(fixture.conf, "name"), "x");
	ck_assert_str_eq(conf_text(fixture.conf, "database.host"), "local");
	ck_assert_str_eq(conf_text(fixture.conf, "log.level"), "info");
	ck_assert_str_eq(conf_text(fixture.conf, "database.tls.ca"), "");
	ck_assert_int_eq(conf_int(fixture.conf, "database.pool_size"), 16);
	ck_assert(conf_bool(fixture.conf, "safe"));
	ck_assert_uint_eq(conf_list_count(fixture.conf, "gateways"), 0);
	ck_assert_str_eq(fixture.why, "");
	done(&fixture);
}
END_TEST

START_TEST(conf_load_reads_every_type_groups_and_lists)
{
	struct fixture fixture;

	setup(&fixture);
	file_put(&fixture, "payops.conf",
		 "# comment with \"quote and 0x10 and @include\n"
		 "name = \"a\" // 5\n /* \" 07 \n */ \"b\";\r\n"
		 "database: { host = \"# 0x1 @include \\\"q\\\\\"; pool_size = 64 }\n"
		 "log = { level = \"debug\" }\n"
		 "limits: { any = -9223372036854775808L }\n"
		 "safe = FALSE\n"
		 "gateways = ( { name = \"alpha\"; limit = +7 },\n"
		 "             { name = \"beta\"; idempotent = true; key_file = \"/k\" } );\n");
	load_ok(&fixture);

	ck_assert_str_eq(conf_text(fixture.conf, "name"), "ab");
	ck_assert_str_eq(conf_text(fixture.conf, "database.host"), "# 0x1 @include \"q\\");
	ck_assert_int_eq(conf_int(fixture.conf, "database.pool_size"), 64);
	ck_assert_str_eq(conf_text(fixture.conf, "log.level"), "debug");
	ck_assert(conf_int(fixture.conf, "limits.any") == INT64_MIN);
	ck_assert(!conf_bool(fixture.conf, "safe"));
	ck_assert_uint_eq(conf_list_count(fixture.conf, "gateways"), 2);
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 0, "name"), "alpha");
	ck_assert_int_eq(conf_list_int(fixture.conf, "gateways", 0, "limit"), 7);
	ck_assert(!conf_list_bool(fixture.conf, "gateways", 0, "idempotent"));
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 1, "key_file"), "/k");
	ck_assert_int_eq(conf_list_int(fixture.conf, "gateways", 1, "limit"), 5);
	ck_assert(conf_list_bool(fixture.conf, "gateways", 1, "idempotent"));
	done(&fixture);
}
END_TEST

static const struct {
	const char *literal;
	int64_t value;
} integers[] = {
	{ "0", 0 },
	{ "-1", -1 },
	{ "2147483647", INT32_MAX },
	{ "2147483648", INT64_C(2147483648) },
	{ "-3000000000", INT64_C(-3000000000) },
	{ "9223372036854775807", INT64_MAX },
	{ "-9223372036854775808", INT64_MIN },
	{ "9223372036854775807L", INT64_MAX },
};

START_TEST(conf_load_reads_integers_of_64_bits)
{
	struct fixture fixture;
	char text[128];

	setup(&fixture);
	snprintf(text, sizeof text, "name=\"x\";limits:{any=%s}", integers[_i].literal);
	file_put(&fixture, "payops.conf", text);
	load_ok(&fixture);

	ck_assert(conf_int(fixture.conf, "limits.any") == integers[_i].value);
	done(&fixture);
}
END_TEST

START_TEST(conf_load_lets_later_files_win_and_lists_grow)
{
	struct fixture fixture;

	setup(&fixture);
	file_put(&fixture, "payops.conf",
		 "name = \"main\"; database: { host = \"main\"; pool_size = 2 };"
		 "gateways = ( { name = \"main\" } );");
	/* In byte order: 10 before 9 before a. */
	file_put(&fixture, "conf.d/9.conf", "name = \"9\"; gateways = ( { name = \"9\" } );");
	file_put(&fixture, "conf.d/10.conf",
		 "name = \"10\"; database: { host = \"10\" }; gateways = ( { name = \"10\" } );");
	file_put(&fixture, "conf.d/a.conf", "name = \"a\";");
	file_put(&fixture, "conf.d/.hidden.conf", "name = \"hidden\";");
	file_put(&fixture, "conf.d/a.conf.bak", "name = \"bak\";");
	load_ok(&fixture);

	ck_assert_str_eq(conf_text(fixture.conf, "name"), "a");
	ck_assert_str_eq(conf_text(fixture.conf, "database.host"), "10");
	ck_assert_int_eq(conf_int(fixture.conf, "database.pool_size"), 2);
	ck_assert_uint_eq(conf_list_count(fixture.conf, "gateways"), 3);
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 0, "name"), "main");
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 1, "name"), "10");
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 2, "name"), "9");
	done(&fixture);
}
END_TEST

START_TEST(conf_load_takes_paths_from_the_directory_of_their_file)
{
	struct fixture fixture;
	char expected[256];

	setup(&fixture);
	file_put(&fixture, "payops.conf",
		 "name = \"x\";"
		 "gateways = ( { name = \"m\"; key_file = \"keys/m\" }, { name = \"n\" } );");
	file_put(&fixture, "conf.d/9.conf",
		 "gateways = ( { name = \"9\"; key_file = \"9.key\" } );");
	load_ok(&fixture);

	snprintf(expected, sizeof expected, "%s/keys/m", fixture.directory);
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 0, "key_file"), expected);
	snprintf(expected, sizeof expected, "%s/none", fixture.directory);
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 1, "key_file"), expected);
	snprintf(expected, sizeof expected, "%s/conf.d/9.key", fixture.directory);
	ck_assert_str_eq(conf_list_text(fixture.conf, "gateways", 2, "key_file"), expected);
	done(&fixture);
}
END_TEST

START_TEST(conf_load_makes_paths_absolute_where_the_file_is_named_relatively)
{
	static const char *const names[] = { "payops.conf", "./payops.conf",
					     "conf.d/../payops.conf" };
	static const char *const ends[] = { "/ca", "/./ca", "/conf.d/../ca" };
	char expected[PATH_MAX];
	struct fixture fixture;

	setup(&fixture);
	file_put(&fixture, "payops.conf", "name = \"x\"; database: { tls: { ca = \"ca\" } }");
	ck_assert_int_eq(chdir(fixture.directory), 0);
	snprintf(fixture.path, sizeof fixture.path, "%s", names[_i]);
	load_ok(&fixture);

	snprintf(expected, sizeof expected, "%s%s", fixture.directory, ends[_i]);
	ck_assert_str_eq(conf_text(fixture.conf, "database.tls.ca"), expected);
	done(&fixture);
}
END_TEST

/* What is refused, and how: each expected line stands in `why` after "<file>:". */
static const struct {
	const char *text;
	const char *problems[4];
} refused[] = {
	{ "", { " name is required" } },
	{ "name = 5;", { "1:1: name must be a text in double quotes, not a number" } },
	{ "name = true;", { "1:1: name must be a text in double quotes, not true or false" } },
	{ "name = \"\";", { "1:1: name must not be empty" } },
	{ "name = \"12345678901234567\";", { "1:1: name must have 1 to 16 bytes, but has 17" } },
	{ "name = \"a\\nb\";", { "1:1: name must not hold control characters" } },
	{ "name = \"a\\x00b\";", { "1:8: a text must not hold the byte \\x00" } },
	{ "name = \"\\xff\";", { "1:1: name must be UTF-8 text" } },
	{ "name = {};", { "1:1: name must be a text in double quotes, not a group" } },
	{ "name = \"x\";\n\nsafe = \"yes\";",
	  { "3:1: safe must be true or false without quotes, not a text" } },
	{ "name = \"x\";\nsafe = 1;",
	  { "2:1: safe must be true or false without quotes, not a number" } },
	{ "name = \"x\";\nsafe = yes;", { "2:1: syntax error" } },
	{ "name = \"x\"; database: {\n pool_size = 0 }",
	  { "2:2: database.pool_size must be from 1 to 64, but is 0" } },
	{ "name = \"x\"; database: { pool_size = 65 }",
	  { "1:25: database.pool_size must be from 1 to 64, but is 65" } },
	{ "name = \"x\"; database: { pool_size = \"16\" }",
	  { "1:25: database.pool_size must be a whole number without quotes, not a text" } },
	{ "name = \"x\"; database: { pool_size = 1.5 }",
	  { "1:37: the number 1.5 is not a whole number" } },
	{ "name = \"x\"; database: { pool_size = 1e1 }",
	  { "1:37: the number 1e1 is not a whole number" } },
	{ "name = \"x\"; database: { pool_size = .5 }",
	  { "1:37: the number .5 is not a whole number" } },
	{ "name = \"x\"; database: { pool_size = 16ms }",
	  { "1:37: the number 16ms is not a whole number" } },
	{ "name = \"x\"; database: { pool_size = 0x10 }",
	  { "1:37: the number 0x10 must be written in decimal" } },
	{ "name = \"x\"; database: { pool_size = 010 }",
	  { "1:37: the number 010 must not start with 0" } },
	{ "name = \"x\"; limits: { any = 9223372036854775808 }",
	  { "1:29: the number 9223372036854775808 does not fit in 64 bits" } },
	{ "name = \"x\"; limits: { any = -9223372036854775809L }",
	  { "1:29: the number -9223372036854775809L does not fit in 64 bits" } },
	{ "name = \"x\"; limits: { any = 11111111112222222222333333333344444 }",
	  { "1:29: the number 111111111122222222223333... does not fit in 64 bits" } },
	{ "name = \"x\";\nlog: { level = \"inof\" }",
	  { "2:8: log.level must be one of \"debug\", \"info\", \"warning\"; "
	    "did you mean \"info\"?" } },
	{ "name = \"x\";\nlog: { level = \"fatal\" }",
	  { "2:8: log.level must be one of \"debug\", \"info\", \"warning\"" } },
	{ "name = \"x\";\ndatabase: { pool_sze = 3 }",
	  { "2:13: unknown setting database.pool_sze; did you mean database.pool_size?" } },
	{ "name = \"x\";\npool_size = 3;",
	  { "2:1: unknown setting pool_size; did you mean database.pool_size?" } },
	{ "name = \"x\";\ndatabse: { host = \"h\" }",
	  { "2:1: unknown setting databse; did you mean database?" } },
	{ "name = \"x\";\nfrobnicate = 3;", { "2:1: unknown setting frobnicate" } },
	{ "name = \"x\";\ngateway = ();",
	  { "2:1: unknown setting gateway; did you mean gateways?" } },
	{ "name = \"x\";\ndatabase = 3;",
	  { "2:1: database is a group of settings, database: { ... }, not a number" } },
	{ "name = \"x\";\ngateways = { name = \"y\" };",
	  { "2:1: gateways must be a list of groups, gateways = ( { ... }, { ... } ), "
	    "not a group" } },
	{ "name = \"x\";\ngateways = [ 1 ];",
	  { "2:1: gateways must be a list of groups, gateways = ( { ... }, { ... } ), "
	    "not an array" } },
	{ "name = \"x\";\ngateways = ( { name = \"y\" },\n 5 );",
	  { "3: gateways holds groups, { ... }, not a number" } },
	{ "name = \"x\";\ngateways = (\n { limit = 1 } );", { "3:2: gateways: name is required" } },
	{ "name = \"x\";\ngateways = ( { name = \"y\"; nam = 1 } );",
	  { "2:28: unknown setting nam; did you mean name?" } },
	{ "name = \"x\";\ngateways = ( { name = \"y\"; gateways = () } );",
	  { "2:28: unknown setting gateways" } },
	{ "name = \"x\";\nname = \"y\";",
	  { "2:1: this setting stands in its group already; give it once in a file" } },
	{ "name = \"x\";\ndatabase: {}\n\ndatabase: {}",
	  { "4:1: this setting stands in its group already; give it once in a file" } },
	{ "name = \"x\";\n  @include \"/etc/passwd\"\nsafe = 1",
	  { "2:3: @include is not supported; files in conf.d are read by themselves",
	    "3:1: safe must be true or false without quotes, not a number" } },
	{ "name = \"x\"; /* never\nclosed", { "1:13: this comment is never closed with */" } },
	{ "name = \"x\";\ndatabase: { host = \"never\nclosed }",
	  { "2:20: this text is never closed with a double quote" } },
	{ "name = \"x\";\nb = \"\xff\";", { "2:1: this line is not UTF-8 text" } },
	{ "safe = 5;\nlog: { level = \"x\" }\ndatabase: { pool_size = 1.5; hots = \"h\" }",
	  { "1:1: safe must be", "2:8: log.level must be one of", "3:25: the number 1.5",
	    "3:30: unknown setting database.hots; did you mean database.host?" } },
	/* What stands before a syntax error is checked; what may stand behind it is not missed. */
	{ "safe = 5;\n= 3", { "1:1: safe must be", "2:1: syntax error" } },
};

START_TEST(conf_load_refuses_with_file_line_and_column)
{
	struct conf *untouched = (struct conf *)&table;
	char expected[1024];
	struct fixture fixture;
	size_t lines = 1, count = 0;
	enum err err;

	setup(&fixture);
	file_put(&fixture, "payops.conf", refused[_i].text);
	err = conf_load(&table, fixture.path, &untouched, fixture.why, sizeof fixture.why);
	ck_assert_int_eq(err, ERR_CONFIG);

	ck_assert_ptr_eq(untouched, &table);
	for (size_t i = 0; i < 4 && refused[_i].problems[i] != NULL; i++, count++) {
		snprintf(expected, sizeof expected, "%s:%s", fixture.path, refused[_i].problems[i]);
		if (strstr(fixture.why, expected) == NULL)
			ck_abort_msg("case %d: '%s' is not in '%s'", _i, expected, fixture.why);
	}
	for (const char *at = strchr(fixture.why, '\n'); at != NULL; at = strchr(at + 1, '\n'))
		lines++;
	if (refused[_i].problems[3] == NULL && lines != count)
		ck_abort_msg("case %d: more than %zu problems in '%s'", _i, count, fixture.why);
	done(&fixture);
}
END_TEST

START_TEST(conf_load_reports_problems_of_all_files)
{
	struct fixture fixture;
	char expected[512];

	setup(&fixture);
	file_put(&fixture, "payops.conf", "nam = \"x\";");
	file_put(&fixture, "conf.d/9.conf", "\nsafe = 1;");
	ck_assert_int_eq(load(&fixture), ERR_CONFIG);

	snprintf(expected, sizeof expected,
		 "%s:1:1: unknown setting nam; did you mean name?\n"
		 "%s/conf.d/9.conf:2:1: safe must be true or false without quotes, not a number\n"
		 "%s: name is required",
		 fixture.path, fixture.directory, fixture.path);
	ck_assert_str_eq(fixture.why, expected);
	done(&fixture);
}
END_TEST

START_TEST(conf_load_says_how_many_problems_did_not_fit)
{
	struct fixture fixture;
	char why[256];
	enum err err;

	setup(&fixture);
	file_put(&fixture, "payops.conf", "a1=1;a2=1;a3=1;a4=1;a5=1;a6=1;a7=1;a8=1;a9=1;");
	for (size_t size = 1; size <= sizeof why; size++) {
		memset(why, '#', sizeof why);
		err = conf_load(&table, fixture.path, &fixture.conf, why, size);
		ck_assert_int_eq(err, ERR_CONFIG);
		ck_assert_uint_lt(strnlen(why, sizeof why), size);
	}

	ck_assert_str_eq(strrchr(why, '\n'), "\nand 7 more");
	done(&fixture);
}
END_TEST

static void append(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s", more);
}

START_TEST(conf_load_refuses_more_groups_than_a_list_holds)
{
	char text[CONF_LIST_MAX * 20] = "name = \"x\"; gateways = ( { name = \"y\" }";
	struct fixture fixture;

	setup(&fixture);
	for (int i = 1; i < CONF_LIST_MAX; i++)
		append(text, sizeof text, ", { name = \"y\" }");
	append(text, sizeof text, ");");
	file_put(&fixture, "payops.conf", text);
	load_ok(&fixture);
	ck_assert_uint_eq(conf_list_count(fixture.conf, "gateways"), CONF_LIST_MAX);
	conf_free(fixture.conf);
	fixture.conf = NULL;

	file_put(&fixture, "conf.d/9.conf",
		 "gateways = ( { name = \"one\" }, { name = \"two\" } );");
	ck_assert_int_eq(load(&fixture), ERR_CONFIG);
	ck_assert_ptr_nonnull(
		strstr(fixture.why, "/conf.d/9.conf:1:14: gateways has more than 256 groups"));
	done(&fixture);
}
END_TEST

START_TEST(conf_load_reports_files_that_cannot_be_read)
{
	struct fixture fixture;
	char expected[256];

	setup(&fixture);
	ck_assert_int_eq(load(&fixture), ERR_IO);
	snprintf(expected, sizeof expected, "%s: cannot be read: No such file or directory",
		 fixture.path);
	ck_assert_str_eq(fixture.why, expected);

	ck_assert_int_eq(mkfifo(fixture.path, 0600), 0);
	ck_assert_int_eq(load(&fixture), ERR_IO);
	snprintf(expected, sizeof expected, "%s: cannot be read: it is not a regular file",
		 fixture.path);
	ck_assert_str_eq(fixture.why, expected);
	done(&fixture);
}
END_TEST

START_TEST(conf_load_refuses_files_that_are_too_large)
{
	struct fixture fixture;

	setup(&fixture);
	file_put(&fixture, "payops.conf", "name = \"x\";");
	ck_assert_int_eq(truncate(fixture.path, 256 * 1024 + 1), 0);

	ck_assert_int_eq(load(&fixture), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(fixture.why, ": is larger than 262144 bytes"));
	done(&fixture);
}
END_TEST

START_TEST(conf_load_refuses_nul_bytes)
{
	struct fixture fixture;

	setup(&fixture);
	file_put(&fixture, "payops.conf", "name = \"x\";\n");
	ck_assert_int_eq(truncate(fixture.path, 20), 0);

	ck_assert_int_eq(load(&fixture), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(fixture.why, ":2:1: this line is not UTF-8 text"));
	done(&fixture);
}
END_TEST

START_TEST(conf_load_needs_no_conf_d)
{
	struct fixture fixture;
	char path[256];

	setup(&fixture);
	snprintf(path, sizeof path, "%s/conf.d", fixture.directory);
	ck_assert_int_eq(rmdir(path), 0);
	file_put(&fixture, "payops.conf", "name = \"x\";");

	load_ok(&fixture);
	done(&fixture);
}
END_TEST

static void print_to(const struct conf *conf, const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t got;

	ck_assert_int_ge(fd, 0);
	conf_print(conf, fd);
	got = pread(fd, text, size - 1, 0);
	ck_assert_int_gt(got, 0);
	text[got] = '\0';
	close(fd);
}

START_TEST(conf_print_groups_settings_and_says_what_they_are_for)
{
	struct fixture fixture;
	char text[4096];
	char path[256];

	setup(&fixture);
	file_put(&fixture, "payops.conf",
		 "name = \"a\\\"\\\\\";"
		 "gateways = ( { name = \"b\"; key_file = \"/k\" } );");
	load_ok(&fixture);
	snprintf(path, sizeof path, "%s/printed.conf", fixture.directory);
	print_to(fixture.conf, path, text, sizeof text);

	ck_assert_str_eq(text, "# Its name.\n"
			       "name = \"a\\\"\\\\\";\n"
			       "database:\n"
			       "{\n"
			       "        # Its host.\n"
			       "        host = \"local\";\n"
			       "        # How many.\n"
			       "        pool_size = 16;\n"
			       "        tls:\n"
			       "        {\n"
			       "                # Its CA.\n"
			       "                ca = \"\";\n"
			       "        };\n"
			       "};\n"
			       "log:\n"
			       "{\n"
			       "        # How much.\n"
			       "        level = \"info\";\n"
			       "};\n"
			       "limits:\n"
			       "{\n"
			       "        # Any. (live)\n"
			       "        any = 0;\n"
			       "};\n"
			       "# Safe? (restart)\n"
			       "safe = true;\n"
			       "\n"
			       "# The gateways.\n"
			       "#   name: Its name.\n"
			       "#   key_file: Its key.\n"
			       "#   limit: Its limit.\n"
			       "#   idempotent: Is it?\n"
			       "gateways = (\n"
			       "{\n"
			       "        name = \"b\";\n"
			       "        key_file = \"/k\";\n"
			       "        limit = 5;\n"
			       "        idempotent = false;\n"
			       "}\n"
			       ");\n");
	done(&fixture);
}
END_TEST

static void difference_add(void *context, const char *name, enum conf_change change)
{
	char *text = context;

	snprintf(text + strlen(text), 128 - strlen(text), "%s %d|", name, (int)change);
}

START_TEST(conf_compare_names_what_differs)
{
	struct fixture fixture;
	struct conf *before;
	char text[128] = "";

	setup(&fixture);
	file_put(&fixture, "payops.conf", "name = \"x\"; gateways = ( { name = \"a\" } );");
	load_ok(&fixture);
	before = fixture.conf;
	file_put(&fixture, "payops.conf",
		 "name = \"x\"; limits: { any = 3 }; gateways = ( { name = \"b\" } );"
		 "safe = true;");
	load_ok(&fixture);

	conf_compare(before, fixture.conf, difference_add, text);
	ck_assert_str_eq(text, "limits.any 2|gateways 0|");
	text[0] = '\0';
	conf_compare(before, before, difference_add, text);
	ck_assert_str_eq(text, "");
	conf_free(before);
	done(&fixture);
}
END_TEST

START_TEST(conf_print_can_be_read_back)
{
	struct fixture fixture;
	char first[4096], second[4096], path[256];

	setup(&fixture);
	file_put(&fixture, "payops.conf",
		 "name = \"\xc3\xa9\\\\x41\"; safe = false; limits: { any = -9223372036854775808 };"
		 "database: { host = \"\"; tls: { ca = \"ca\" } };"
		 "gateways = ( { name = \"b\" }, { name = \"c\"; limit = 0 } );");
	load_ok(&fixture);
	snprintf(path, sizeof path, "%s/printed.conf", fixture.directory);
	print_to(fixture.conf, path, first, sizeof first);
	conf_free(fixture.conf);
	snprintf(fixture.path, sizeof fixture.path, "%.127s", path);
	load_ok(&fixture);
	print_to(fixture.conf, path, second, sizeof second);

	ck_assert_str_eq(first, second);
	ck_assert_str_eq(conf_text(fixture.conf, "name"), "\xc3\xa9\\x41");
	done(&fixture);
}
END_TEST

static void ask_wrongly(const struct conf *conf, int way)
{
	switch (way) {
	case 0:
		conf_text(conf, "absent");
		break;
	case 1:
		conf_int(conf, "name");
		break;
	case 2:
		conf_bool(conf, "database.pool_size");
		break;
	case 3:
		conf_list_count(conf, "absent");
		break;
	case 4:
		conf_list_text(conf, "gateways", 0, "name");
		break;
	}
}

START_TEST(conf_asking_for_the_wrong_thing_is_a_bug)
{
	struct fixture fixture;
	struct conf *conf;

	setup(&fixture);
	file_put(&fixture, "payops.conf", "name = \"x\";");
	load_ok(&fixture);
	conf = fixture.conf;
	fixture.conf = NULL;
	/* The files are no longer needed, and the signal leaves no time to remove them. */
	done(&fixture);

	ask_wrongly(conf, _i);
}
END_TEST

START_TEST(conf_free_accepts_null)
{
	conf_free(NULL);
}
END_TEST

UNIT_MAIN("conf", {
	tcase_add_test(tests, conf_load_fills_in_defaults);
	tcase_add_test(tests, conf_load_reads_every_type_groups_and_lists);
	tcase_add_loop_test(tests, conf_load_reads_integers_of_64_bits, 0, (int)COUNT(integers));
	tcase_add_test(tests, conf_load_lets_later_files_win_and_lists_grow);
	tcase_add_test(tests, conf_load_takes_paths_from_the_directory_of_their_file);
	tcase_add_loop_test(
		tests, conf_load_makes_paths_absolute_where_the_file_is_named_relatively, 0, 3);
	tcase_add_loop_test(tests, conf_load_refuses_with_file_line_and_column, 0,
			    (int)COUNT(refused));
	tcase_add_test(tests, conf_load_reports_problems_of_all_files);
	tcase_add_test(tests, conf_load_says_how_many_problems_did_not_fit);
	tcase_add_test(tests, conf_load_refuses_more_groups_than_a_list_holds);
	tcase_add_test(tests, conf_load_reports_files_that_cannot_be_read);
	tcase_add_test(tests, conf_load_refuses_files_that_are_too_large);
	tcase_add_test(tests, conf_load_refuses_nul_bytes);
	tcase_add_test(tests, conf_load_needs_no_conf_d);
	tcase_add_test(tests, conf_print_groups_settings_and_says_what_they_are_for);
	tcase_add_test(tests, conf_print_can_be_read_back);
	tcase_add_test(tests, conf_compare_names_what_differs);
	tcase_add_loop_test_raise_signal(tests, conf_asking_for_the_wrong_thing_is_a_bug, SIGABRT,
					 0, 5);
	tcase_add_test(tests, conf_free_accepts_null);
})
