/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* payops.conf with its key files: a good one, and one thing wrong at a time. */
#include "service/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define TEXT_SIZE 4096

static const char good[] =
	"listen = { address = \"127.0.0.9\"; port = 8181; connections_max = 77;\n"
	"  read_deadline_ms = 1234; };\n"
	"public_url = \"https://pay.example\";\n"
	"cors = { origins = \"https://shop.example http://127.0.0.1:3000\"; };\n"
	"log = { level = \"warning\"; };\n"
	"database = { socket = \"db.sock\"; user = \"apid\"; name = \"pay\"; pool_size = 5;\n"
	"  password_file = \"password\"; };\n"
	"vault = { hash_key_file = \"hash.key\"; };\n"
	"dispatch = { send_window_ms = 1500; lease_margin_ms = 2500; in_flight_max = 9;\n"
	"  manual_expiry_s = 61; };\n"
	"token = { issuer = \"us\"; audience = \"them\"; };\n"
	"token_keys = ( { kid = \"k1\"; file = \"token.key\"; } );\n"
	"seal_keys = ( { id = \"s2\"; file = \"seal2.key\"; },\n"
	"  { id = \"s1\"; file = \"seal1.key\"; } );\n";

static const struct {
	const char *name;
	const char *content;
} files[] = {
	{ "password", "hunter2\n" },
	{ "hash.key", "0123456789abcdef0123456789abcdef" },
	{ "token.key", "abcdefghijklmnopqrstuvwxyz012345" },
	{ "seal1.key", "11111111111111112222222222222222" },
	{ "seal2.key", "33333333333333334444444444444444" },
	{ "short.key", "too-short" }, /* not of the good configuration */
};

/* A directory of its own with the configuration and its files. */
static struct {
	char directory[64];
	char path[128];
	struct settings *settings;
	char why[SETTINGS_WHY_SIZE];
} fixture;

static void path_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", fixture.directory, name);
}

static void put(const char *name, const char *content)
{
	char path[128];
	int fd;

	path_of(name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void set_up(void)
{
	memset(&fixture, 0, sizeof fixture);
	snprintf(fixture.directory, sizeof fixture.directory, "/tmp/payops-test-settings-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fixture.directory));
	path_of("payops.conf", fixture.path);
	put("payops.conf", good);
	for (size_t i = 0; i < COUNT(files); i++)
		put(files[i].name, files[i].content);
}

static void tear_down(void)
{
	char path[128];

	settings_release(fixture.settings);
	for (size_t i = 0; i < COUNT(files); i++) {
		path_of(files[i].name, path);
		unlink(path);
	}
	unlink(fixture.path);
	ck_assert_int_eq(rmdir(fixture.directory), 0);
}

static enum err load(enum settings_part part)
{
	return settings_load(fixture.path, part, &fixture.settings, fixture.why,
			     sizeof fixture.why);
}

static const struct settings *load_ok(enum settings_part part)
{
	enum err err = load(part);

	ck_assert_msg(err == ERR_OK, "%s", fixture.why);
	return fixture.settings;
}

/* The good configuration with one piece of text exchanged. */
static void exchange(const char *from, const char *to)
{
	const char *place = strstr(good, from);
	char text[TEXT_SIZE];

	ck_assert_msg(place != NULL, "not there: %s", from);
	ck_assert_ptr_null(strstr(place + 1, from));
	snprintf(text, sizeof text, "%.*s%s%s", (int)(place - good), good, to,
		 place + strlen(from));
	put("payops.conf", text);
}

static void check_secret(const struct secret *secret, const char *content)
{
	ck_assert_uint_eq(secret->size, strlen(content));
	ck_assert_mem_eq(secret->bytes, content, strlen(content));
}

START_TEST(a_good_configuration_gives_server_and_database)
{
	const struct settings *settings = load_ok(SETTINGS_ALL);
	char socket[128];

	path_of("db.sock", socket);
	ck_assert_str_eq(settings->listen_address, "127.0.0.9");
	ck_assert_int_eq(settings->rate_per_second, 2000);
	ck_assert_int_eq(settings->rate_burst, 4000);
	ck_assert_str_eq(settings->cors_origins, "https://shop.example http://127.0.0.1:3000");
	ck_assert_int_eq(settings->listen_port, 8181);
	ck_assert_int_eq(settings->connections_max, 77);
	ck_assert_int_eq(settings->read_deadline_ms, 1234);
	ck_assert_int_eq(settings->request_timeout_ms, 10000);
	ck_assert_int_eq(settings->stop_patience_ms, 20000);
	ck_assert(!settings->core_dumps);
	ck_assert_int_eq(settings->log_level, LOG_WARNING);
	ck_assert_uint_eq(settings->pool_size, 5);
	ck_assert_uint_eq(settings->in_flight_max, 9);
	ck_assert_int_eq(settings->request_wait_us, 100000);
	ck_assert_str_eq(settings->database.socket, socket);
	ck_assert_str_eq(settings->database.user, "apid");
	ck_assert_str_eq(settings->database.database, "pay");
	ck_assert_int_eq(settings->database.port, 3306);
	ck_assert_int_eq(settings->database.connect_timeout_ms, 3000);
	ck_assert_int_eq(settings->database.statement_timeout_ms, 10000);
	ck_assert_ptr_eq(settings->database.password, &settings->database_password);
	check_secret(&settings->database_password, "hunter2");
}
END_TEST

START_TEST(a_good_configuration_gives_tokens_and_vault)
{
	const struct settings *settings = load_ok(SETTINGS_ALL);

	ck_assert_str_eq(settings->token_keys.issuer, "us");
	ck_assert_str_eq(settings->token_keys.audience, "them");
	ck_assert_uint_eq(settings->token_keys.count, 1);
	ck_assert_str_eq(settings->token_keys.keys[0].kid, "k1");
	ck_assert_int_eq(settings->token_keys.keys[0].algorithm, TOKEN_HS256);
	check_secret(&settings->token_keys.keys[0].material, "abcdefghijklmnopqrstuvwxyz012345");
	check_secret(&settings->vault.hash_key, "0123456789abcdef0123456789abcdef");
	/* In the order of the file: the first seals. */
	ck_assert_uint_eq(settings->vault.count, 2);
	ck_assert_str_eq(settings->vault.keys[0].key_id, "s2");
	ck_assert_mem_eq(settings->vault.keys[0].key, "33333333333333334444444444444444", 32);
	ck_assert_str_eq(settings->vault.keys[1].key_id, "s1");
	ck_assert_mem_eq(settings->vault.keys[1].key, "11111111111111112222222222222222", 32);
}
END_TEST

START_TEST(a_good_configuration_gives_the_dispatchers_times)
{
	const struct settings *settings = load_ok(SETTINGS_ALL);

	ck_assert_ptr_eq(settings->due.vault, &settings->vault);
	ck_assert_str_eq(settings->due.callback_base, "https://pay.example");
	ck_assert_int_eq(settings->due.send_window_us, 1500000);
	ck_assert_int_eq(settings->due.lease_margin_us, 2500000);
	ck_assert_int_eq(settings->manual_expiry_us, 61000000);
}
END_TEST

START_TEST(without_a_password_file_there_is_no_password)
{
	exchange("password_file = \"password\";", "");

	ck_assert_ptr_null(load_ok(SETTINGS_DATABASE)->database.password);
}
END_TEST

START_TEST(the_database_is_reached_before_any_key_exists)
{
	put("payops.conf", "database = { socket = \"/run/db.sock\"; };\n");

	ck_assert_str_eq(load_ok(SETTINGS_DATABASE)->database.socket, "/run/db.sock");
}
END_TEST

START_TEST(tokens_are_issued_without_vault)
{
	put("payops.conf", "token_keys = ( { kid = \"k1\"; file = \"token.key\"; } );\n");

	ck_assert_uint_eq(load_ok(SETTINGS_TOKENS)->token_keys.count, 1);
	ck_assert_uint_eq(fixture.settings->vault.count, 0);
}
END_TEST

#define SEAL_TEXT(ID) "{ id = \"" ID "\"; file = \"seal1.key\"; }, "

/* One thing is wrong; what is said names it. */
static const struct wrong {
	const char *from;
	const char *to;
	enum err err;
	const char *why;
} wrongs[] = {
	{ "port = 8181;", "port = 0;", ERR_CONFIG, "listen.port" },
	{ "port = 8181;", "port = \"x\";", ERR_CONFIG, "listen.port" },
	{ "port = 8181;", "prot = 8181;", ERR_CONFIG, "prot" },
	{ "log = {", "log = ", ERR_CONFIG, "payops.conf:" },
	{ "level = \"warning\"", "level = \"loud\"", ERR_CONFIG, "log.level" },
	{ "https://pay.example", "pay.example", ERR_CONFIG, "payops.conf:3:1: public_url: " },
	{ "https://pay.example", "https://pay.example/", ERR_CONFIG, "public_url" },
	{ "https://shop.example", "https://shop.example/", ERR_CONFIG, "cors.origins" },
	{ "https://shop.example", "https://shop.example/x", ERR_CONFIG, "cors.origins" },
	{ "https://shop.example", "https://shop.example?x", ERR_CONFIG, "cors.origins" },
	{ "https://shop.example", "https://Shop.example", ERR_CONFIG, "cors.origins" },
	{ "https://shop.example", "shop.example", ERR_CONFIG, "cors.origins" },
	{ "https://shop.example", "*", ERR_CONFIG, "cors.origins" },
	{ "https://shop.example", "null", ERR_CONFIG, "cors.origins" },
	{ "https://shop.example", "https://", ERR_CONFIG, "cors.origins" },
	{ "log = {", "tls = { port = 8443; }; log = {", ERR_CONFIG, "tls.certificate_file" },
	{ "log = {", "tls = { port = 8443; certificate_file = \"password\"; }; log = {", ERR_CONFIG,
	  "tls.key_file" },
	{ "log = {", "tls = { key_file = \"password\"; }; log = {", ERR_CONFIG, "tls.port" },
	{ "log = {", "tls = { client_ca_file = \"password\"; }; log = {", ERR_CONFIG, "tls.port" },
	{ "log = {",
	  "tls = { port = 1; certificate_file = \"nowhere\"; key_file = \"password\"; }; log = {",
	  ERR_IO, "nowhere" },
	{ "log = {",
	  "tls = { port = 1; certificate_file = \"password\"; key_file = \"password\"; }; log = {",
	  ERR_CONFIG, "password holds no certificate" },
	{ "password_file = \"password\"", "password_file = \"nowhere\"", ERR_IO, "nowhere" },
	{ "file = \"token.key\"", "file = \"nowhere\"", ERR_IO, "nowhere" },
	{ "file = \"token.key\"", "file = \"short.key\"", ERR_CONFIG,
	  "payops.conf:12:16: token_keys: key k1: " },
	{ "kid = \"k1\";", "", ERR_CONFIG, "kid" },
	{ "kid = \"k1\"", "kid = \"k1\"; algorithm = \"none\"", ERR_CONFIG, "algorithm" },
	{ "kid = \"k1\"", "kid = \"k1\"; algorithm = \"RS256\"", ERR_CONFIG, "k1" },
	{ "token_keys = (", "token_keys = ( { kid = \"k1\"; file = \"token.key\"; },", ERR_CONFIG,
	  "token_keys" },
	{ "hash_key_file = \"hash.key\";", "", ERR_CONFIG, "vault.hash_key_file" },
	{ "\"hash.key\"", "\"nowhere\"", ERR_IO, "nowhere" },
	{ "\"hash.key\"", "\"short.key\"", ERR_CONFIG, "vault.hash_key_file" },
	{ "\"seal1.key\"", "\"nowhere\"", ERR_IO, "nowhere" },
	{ "\"seal1.key\"", "\"short.key\"", ERR_CONFIG, "seal_keys" },
	{ "id = \"s1\"", "id = \"s2\"", ERR_CONFIG, "seal_keys" },
	{ "seal_keys = (", "seal_keys = ( " SEAL_TEXT("a") SEAL_TEXT("b") SEAL_TEXT("c"),
	  ERR_CONFIG, "seal_keys" },
	{ "log = {", "breaker = { open_max_ms = 29999; }; log = {", ERR_CONFIG,
	  "breaker.open_max_ms" },
};

START_TEST(what_is_wrong_is_refused_and_named)
{
	const struct wrong *wrong = &wrongs[_i];

	exchange(wrong->from, wrong->to);

	ck_assert_msg(load(SETTINGS_ALL) == wrong->err, "%s -> %s: %s", wrong->from, wrong->to,
		      fixture.why);
	ck_assert_ptr_null(fixture.settings);
	ck_assert_msg(strstr(fixture.why, wrong->why) != NULL, "%s -> %s: %s", wrong->from,
		      wrong->to, fixture.why);
}
END_TEST

START_TEST(a_list_that_must_not_be_empty_is_asked_for)
{
	static const char *const names[] = { "token_keys", "seal_keys" };
	const char *start = strstr(good, names[_i]);
	const char *end = strstr(start, ");\n");
	char text[TEXT_SIZE];

	snprintf(text, sizeof text, "%.*s%s", (int)(start - good), good, end + 3);
	put("payops.conf", text);

	ck_assert_int_eq(load(SETTINGS_ALL), ERR_CONFIG);
	ck_assert_ptr_eq(strstr(fixture.why, names[_i]), fixture.why);
	ck_assert_ptr_nonnull(strstr(fixture.why, ": name 1 to "));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
	ck_assert_int_eq(unlink(fixture.path), 0);

	ck_assert_int_eq(load(SETTINGS_DATABASE), ERR_IO);
	ck_assert_ptr_nonnull(strstr(fixture.why, fixture.path));
}
END_TEST

START_TEST(a_secret_that_others_may_read_is_refused_with_what_to_do)
{
	char path[128];

	path_of(files[_i].name, path);
	ck_assert_int_eq(chmod(path, 0644), 0);

	ck_assert_int_eq(load(SETTINGS_ALL), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(fixture.why, path));
	ck_assert_ptr_nonnull(strstr(fixture.why, "chmod"));
}
END_TEST

START_TEST(a_secret_is_never_told)
{
	put("token.key", "short-secret");

	ck_assert_int_eq(load(SETTINGS_ALL), ERR_CONFIG);
	ck_assert_ptr_null(strstr(fixture.why, "short-secret"));
}
END_TEST

/* ---- the table ---- */

static void check_setting(const struct conf_setting *setting, const char *list)
{
	size_t size = strlen(setting->help);

	ck_assert_msg(setting->change != CONF_UNSAID, "%s %s: whether it is taken over live", list,
		      setting->name);
	ck_assert_msg(size > 1 && setting->help[size - 1] == '.', "%s %s: help is a sentence", list,
		      setting->name);
	ck_assert_msg(setting->type != CONF_INT || setting->min < setting->max, "%s %s: bounds",
		      list, setting->name);
	ck_assert_msg((setting->type == CONF_WORD) == (setting->words != NULL), "%s %s: words",
		      list, setting->name);
}

static size_t times_there(const struct conf_setting *settings, size_t count, const char *name)
{
	size_t times = 0;

	for (size_t i = 0; i < count; i++)
		times += strcmp(settings[i].name, name) == 0;
	return times;
}

START_TEST(every_row_of_the_table_has_help_bounds_and_its_own_name)
{
	const struct conf_table *table = &settings_table;

	ck_assert_uint_gt(table->count, 0);
	for (size_t i = 0; i < table->count; i++) {
		check_setting(&table->settings[i], "");
		ck_assert_uint_eq(
			times_there(table->settings, table->count, table->settings[i].name), 1);
	}
	for (size_t i = 0; i < table->list_count; i++) {
		const struct conf_list *list = &table->lists[i];

		ck_assert_uint_gt(strlen(list->help), 1);
		for (size_t j = 0; j < list->count; j++) {
			check_setting(&list->settings[j], list->name);
			ck_assert_uint_eq(
				times_there(list->settings, list->count, list->settings[j].name),
				1);
		}
	}
}
END_TEST

START_TEST(no_setting_of_the_table_takes_a_secret_itself)
{
	static const char *const words[] = { "password", "secret", "key" };

	for (size_t i = 0; i < settings_table.count; i++) {
		const struct conf_setting *setting = &settings_table.settings[i];

		for (size_t j = 0; j < COUNT(words); j++)
			if (strstr(setting->name, words[j]) != NULL)
				ck_assert_msg(setting->type == CONF_PATH, "%s", setting->name);
	}
}
END_TEST

START_TEST(free_accepts_nothing)
{
	settings_release(NULL);
}
END_TEST

UNIT_MAIN("settings", {
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_good_configuration_gives_server_and_database);
	tcase_add_test(tests, a_good_configuration_gives_tokens_and_vault);
	tcase_add_test(tests, a_good_configuration_gives_the_dispatchers_times);
	tcase_add_test(tests, without_a_password_file_there_is_no_password);
	tcase_add_test(tests, the_database_is_reached_before_any_key_exists);
	tcase_add_test(tests, tokens_are_issued_without_vault);
	tcase_add_loop_test(tests, what_is_wrong_is_refused_and_named, 0, (int)COUNT(wrongs));
	tcase_add_loop_test(tests, a_list_that_must_not_be_empty_is_asked_for, 0, 2);
	tcase_add_test(tests, a_file_that_is_not_there_is_named);
	tcase_add_loop_test(tests, a_secret_that_others_may_read_is_refused_with_what_to_do, 0,
			    (int)COUNT(files) - 1);
	tcase_add_test(tests, a_secret_is_never_told);
	tcase_add_test(tests, every_row_of_the_table_has_help_bounds_and_its_own_name);
	tcase_add_test(tests, no_setting_of_the_table_takes_a_secret_itself);
	tcase_add_test(tests, free_accepts_nothing);
})
