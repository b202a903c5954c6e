/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Which settings are in force: what follows, what stays, and that nobody sees some of both. */
#include "service/settings_live.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define TURNS 2000
#define READERS 3

static const char beginning[] = "listen = { port = 8181; };\n"
				"rate = { burst = 5; };\n"
				"database = { password_file = \"password\"; };\n"
				"vault = { hash_key_file = \"hash.key\"; };\n"
				"token_keys = ( { kid = \"k1\"; file = \"token.key\"; } );\n"
				"seal_keys = ( { id = \"s1\"; file = \"seal.key\"; } );\n";

static const struct {
	const char *name;
	const char *content;
} files[] = {
	{ "payops.conf", beginning },
	{ "password", "hunter2" },
	{ "hash.key", "0123456789abcdef0123456789abcdef" },
	{ "token.key", "abcdefghijklmnopqrstuvwxyz012345" },
	{ "seal.key", "11111111111111112222222222222222" },
};

static char directory[64];
static struct settings *first;
static struct settings *fresh;
static struct settings_changes changes;

static void put(const char *name, const char *content)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static struct settings *load(void)
{
	char path[128], why[SETTINGS_WHY_SIZE];
	struct settings *settings = NULL;

	snprintf(path, sizeof path, "%s/payops.conf", directory);
	ck_assert_msg(settings_load(path, SETTINGS_ALL, &settings, why, sizeof why) == ERR_OK, "%s",
		      why);
	return settings;
}

static void set_up(void)
{
	snprintf(directory, sizeof directory, "/tmp/payops-test-live-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		put(files[i].name, files[i].content);
	first = load();
	fresh = NULL;
}

static void tear_down(void)
{
	char path[128];

	settings_release(first);
	settings_release(fresh);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, files[i].name);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(directory), 0);
}

/* One text of the beginning exchanged, or one file; what is said to change. */
static const struct {
	const char *file;
	const char *from, *to;
	const char *taken, *restart;
} cases[] = {
	{ "payops.conf", "", "", "", "" },
	{ "payops.conf", "burst = 5", "burst = 6", "rate.burst", "" },
	{ "payops.conf", "port = 8181", "port = 8182", "", "listen.port" },
	{ "payops.conf", "k1", "k2", "token_keys", "" },
	{ "payops.conf", "port = 8181; };", "port = 8182; }; log = { level = \"debug\"; };",
	  "log.level", "listen.port" },
	{ "password", "hunter2", "hunter3", "", "database.password_file" },
	{ "hash.key", "0123", "3210", "", "vault.hash_key_file" },
	{ "token.key", "abcd", "dcba", "token_keys", "" },
	{ "seal.key", "1112", "2111", "seal_keys", "" },
};

START_TEST(what_changes_is_told_by_name)
{
	char text[1024];
	size_t i = 0;
	const char *place;

	while (strcmp(files[i].name, cases[_i].file) != 0)
		i++;
	place = strstr(files[i].content, cases[_i].from);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(place - files[i].content), files[i].content,
		 cases[_i].to, place + strlen(cases[_i].from));
	put(cases[_i].file, text);
	fresh = load();

	settings_succeed(fresh, first, first, &changes);

	ck_assert_str_eq(changes.taken, cases[_i].taken);
	ck_assert_str_eq(changes.restart, cases[_i].restart);
	ck_assert_uint_eq(fresh->generation, first->generation + 1);
}
END_TEST

/* Hashes of stored requests would not be known again, and cursors not be believed. */
START_TEST(the_key_of_hashes_stays)
{
	put("hash.key", "fedcba9876543210fedcba9876543210");
	fresh = load();

	settings_succeed(fresh, first, first, &changes);

	ck_assert_mem_eq(fresh->vault.hash_key.bytes, "0123456789abcdef", 16);
}
END_TEST

START_TEST(what_the_program_put_in_stays)
{
	struct choice_budgets *budgets = (void *)&changes;

	first->due.budgets = budgets;
	fresh = load();

	settings_succeed(fresh, first, first, &changes);

	ck_assert_ptr_eq(fresh->due.budgets, budgets);
	ck_assert_ptr_eq(fresh->due.vault, &fresh->vault);
	first->due.budgets = NULL;
	fresh->due.budgets = NULL;
}
END_TEST

START_TEST(what_is_held_outlives_its_time_in_force)
{
	const struct settings *held;
	struct settings_live *live;

	ck_assert_int_eq(settings_live_new(first, &live), ERR_OK);
	settings_release(first);
	held = settings_live_hold(live);

	settings_live_replace(live, load());

	ck_assert_int_eq(held->rate_burst, 5);
	settings_release(held);
	first = (struct settings *)settings_live_hold(live);
	settings_live_free(live);
	ck_assert_int_eq(first->rate_burst, 5);
}
END_TEST

struct reader {
	struct settings_live *live;
	bool mixed;
};

/* Both numbers are changed together, so that nobody may see them differ. */
static void *read_often(void *context)
{
	struct reader *reader = context;

	for (int i = 0; i < TURNS; i++) {
		const struct settings *held = settings_live_hold(reader->live);

		reader->mixed = reader->mixed || held->rate_burst != held->rate_per_second;
		settings_release(held);
	}
	return NULL;
}

START_TEST(no_reader_sees_some_of_both)
{
	struct reader readers[READERS];
	pthread_t threads[READERS];
	struct settings_live *live;

	first->rate_per_second = first->rate_burst;
	ck_assert_int_eq(settings_live_new(first, &live), ERR_OK);
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .live = live };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_often, &readers[i]), 0);
	}
	for (int i = 0; i < TURNS / 20; i++) {
		struct settings *next = load();

		next->rate_per_second = next->rate_burst = i;
		settings_live_replace(live, next);
	}
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert(!readers[i].mixed);
	}
	settings_live_free(live);
}
END_TEST

START_TEST(nothing_is_let_go_of_without_complaint)
{
	settings_release(NULL);
	settings_live_free(NULL);
}
END_TEST

UNIT_MAIN("settings_live", {
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, what_changes_is_told_by_name, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, the_key_of_hashes_stays);
	tcase_add_test(tests, what_the_program_put_in_stays);
	tcase_add_test(tests, what_is_held_outlives_its_time_in_force);
	tcase_add_test(tests, no_reader_sees_some_of_both);
	tcase_add_test(tests, nothing_is_let_go_of_without_complaint);
})
