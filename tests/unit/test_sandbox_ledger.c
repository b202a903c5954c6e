/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/ledger.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/sandbox_bench.h"
#include "tests/unit/unit.h"

#define THREADS 8

static void append_to_file(const struct bench *bench, const char *text)
{
	FILE *file = fopen(bench->path, "a");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_new_operation_is_found_with_its_status)
{
	struct bench bench;
	const struct entry *found = NULL;
	enum entry_status status;
	char id[ENTRY_ID_SIZE];

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &succeeded);

	ck_assert(ledger_find(bench.ledger, ALPHA, "op_1.1", &found, &status));
	ck_assert_int_eq(status, ENTRY_SUCCEEDED);
	ck_assert_str_eq(entry_id(found, id), "alpha_000001");
	ck_assert(!ledger_find(bench.ledger, ALPHA, "op_1.2", &found, &status));
	ck_assert(!ledger_find(bench.ledger, ALPHA, "trans_1", &found, &status));
	bench_end(&bench);
}
END_TEST

START_TEST(the_same_content_is_replayed_and_entered_once)
{
	struct bench bench;
	struct entry_terms terms = terms_of("op_1.1");
	struct entry *first, *again = NULL;

	bench_begin(&bench);
	first = enter_new(&bench, "op_1.1", &succeeded);
	terms.name[ENTRY_ATTEMPT] = "att_2"; /* not part of the content */

	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &again), LEDGER_REPLAYED);
	ck_assert_ptr_eq(again, first);
	ck_assert_uint_eq(ledger_charges(bench.ledger, ALPHA), 1);
	ck_assert_uint_eq(count_rows(&bench, NULL), 1);
	bench_end(&bench);
}
END_TEST

enum change {
	CHANGE_AMOUNT,
	CHANGE_CURRENCY,
	CHANGE_TRANSACTION,
	CHANGE_TOKEN,
	CHANGE_KIND,
	CHANGES
};

static void change_apply(enum change change, struct entry_terms *terms)
{
	switch (change) {
	case CHANGE_AMOUNT:
		terms->amount.minor++;
		break;
	case CHANGE_CURRENCY:
		terms->amount = (struct money){1050, "EUR"};
		break;
	case CHANGE_TRANSACTION:
		terms->name[ENTRY_TRANSACTION] = "trans_2";
		break;
	case CHANGE_TOKEN:
		terms->payment_token = "tok_ok";
		break;
	case CHANGE_KIND:
		terms->kind = OPERATION_REFUND;
		break;
	case CHANGES:
		break;
	}
}

START_TEST(other_content_under_the_same_reference_is_refused)
{
	struct bench bench;
	struct entry_terms terms = terms_of("op_1.1");
	struct entry *untouched = NULL;

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &succeeded);
	change_apply((enum change)_i, &terms);

	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &untouched), LEDGER_KEY_REUSED);
	ck_assert_ptr_null(untouched);
	ck_assert_uint_eq(count_rows(&bench, NULL), 1);
	bench_end(&bench);
}
END_TEST

START_TEST(a_key_is_in_progress_until_its_first_request_is_released)
{
	struct bench bench;
	struct entry_terms terms = terms_of("op_1.1");
	struct entry_terms other = terms_of("op_1.1");
	struct entry *entry = NULL, *again = NULL;

	bench_begin(&bench);
	other.amount.minor = 1;
	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &entry), LEDGER_ENTERED);

	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &again), LEDGER_IN_PROGRESS);
	ck_assert_int_eq(enter(&bench, &other, &succeeded, &again), LEDGER_KEY_REUSED);
	ck_assert_ptr_null(again);
	ledger_release(bench.ledger, entry);
	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &again), LEDGER_REPLAYED);
	bench_end(&bench);
}
END_TEST

START_TEST(an_accepted_operation_reaches_its_verdict_once)
{
	struct bench bench;
	struct entry *entry;
	const struct entry *found;
	enum entry_status status;

	bench_begin(&bench);
	entry = enter_new(&bench, "op_1.1", &accepted);
	ck_assert(ledger_find(bench.ledger, ALPHA, "op_1.1", &found, &status));
	ck_assert_int_eq(status, ENTRY_ACCEPTED);
	ck_assert_uint_eq(count_rows(&bench, NULL), 0);

	for (int64_t i = 1; i <= 2; i++)
		ck_assert_int_eq(ledger_decide(bench.ledger, &entry, 1, AT_US + i), ERR_OK);

	ck_assert(ledger_find(bench.ledger, ALPHA, "op_1.1", &found, &status));
	ck_assert_int_eq(status, ENTRY_SUCCEEDED);
	ck_assert_int_eq(entry->decided_at_us, AT_US + 1);
	ck_assert_uint_eq(ledger_charges(bench.ledger, ALPHA), 1);
	bench_end(&bench);
}
END_TEST

START_TEST(rows_say_what_the_control_api_promises)
{
	static const struct {
		const char *name, *text;
	} members[] = {
		{"gateway", "alpha"},
		{"operation", "charge"},
		{"reference", "op_1.1"},
		{"attempt", "att_1"},
		{"transaction", "trans_1"},
		{"operation_id", "op_1"},
		{"gateway_ref", "alpha_000001"},
		{"currency", "USD"},
		{"outcome", "declined"},
		{"at", "2026-01-01T00:00:00.000000Z"},
	};
	struct bench bench;
	json_t *rows, *row;

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &declined);

	rows = rows_of(&bench, NULL);
	row = json_array_get(rows, 0);
	ck_assert_uint_eq(json_object_size(row), sizeof members / sizeof members[0] + 1);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "amount_minor")), 1050);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		ck_assert_str_eq(json_string_value(json_object_get(row, members[i].name)),
				 members[i].text);
	json_decref(rows);
	bench_end(&bench);
}
END_TEST

START_TEST(rows_are_found_by_every_name_and_each_once)
{
	static const struct {
		const char *name;
		size_t count;
	} cases[] = {{"trans_1", 2}, {"op_1", 2}, {"att_1", 2},	 {"op_1.1", 1},
		     {"op_1.2", 1},  {"same", 1}, {"absent", 0}, {"", 0}};
	struct bench bench;
	struct entry_terms same = terms_of("same");
	struct entry *entry = NULL;

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &declined);
	(void)enter_new(&bench, "op_1.2", &succeeded);
	for (int i = 0; i < ENTRY_NAME_COUNT; i++)
		same.name[i] = "same";
	ck_assert_int_eq(enter(&bench, &same, &succeeded, &entry), LEDGER_ENTERED);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_uint_eq(count_rows(&bench, cases[i].name), cases[i].count);
	ck_assert_uint_eq(count_rows(&bench, NULL), 3);
	bench_end(&bench);
}
END_TEST

START_TEST(many_operations_are_all_found)
{
	struct bench bench;
	char reference[32];

	bench_begin(&bench);
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(reference, sizeof reference, "op_%d", i);
		(void)enter_new(&bench, reference, &succeeded);
	}

	for (int i = 0; i < 3000; i++) {
		const struct entry *found;
		enum entry_status status;

		(void)snprintf(reference, sizeof reference, "op_%d", i);
		ck_assert(ledger_find(bench.ledger, ALPHA, reference, &found, &status));
		ck_assert_int_eq(found->number, i + 1);
	}
	ck_assert_uint_eq(count_rows(&bench, NULL), 3000);
	bench_end(&bench);
}
END_TEST

START_TEST(a_restart_knows_everything_that_was_entered)
{
	struct bench bench;
	struct entry_terms terms = terms_of("we\"ird\\ref");
	struct entry *entry = NULL, *again = NULL;
	char callback_id[ENTRY_NAME_MAX];
	json_t *before, *after;

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &declined);
	entry = enter_new(&bench, "op_1.2", &accepted);
	ck_assert_int_eq(ledger_decide(bench.ledger, &entry, 1, AT_US + 5), ERR_OK);
	(void)enter_new(&bench, "op_1.3", &accepted);
	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &entry),
			 LEDGER_ENTERED); /* unreleased */
	(void)snprintf(callback_id, sizeof callback_id, "%s", entry->callback_id);
	before = rows_of(&bench, NULL);
	bench_reopen(&bench);

	after = rows_of(&bench, NULL);
	ck_assert(json_equal(before, after));
	ck_assert_uint_eq(json_array_size(after), 3);
	ck_assert_uint_eq(ledger_charges(bench.ledger, ALPHA), 2);
	ck_assert_int_eq(enter(&bench, &terms, &succeeded, &again), LEDGER_REPLAYED);
	ck_assert_str_eq(again->callback_id, callback_id);
	ck_assert_str_eq(again->terms.callback_url, terms.callback_url);
	ck_assert_int_eq(enter_new(&bench, "op_1.4", &succeeded)->number, 5);
	json_decref(before);
	json_decref(after);
	bench_end(&bench);
}
END_TEST

START_TEST(a_restart_finds_what_is_unfinished)
{
	struct bench bench;
	struct entry *told, *decided;

	bench_begin(&bench);
	told = enter_new(&bench, "op_1.1", &accepted);
	decided = enter_new(&bench, "op_1.2", &accepted);
	(void)enter_new(&bench, "op_1.3", &accepted);
	ck_assert_uint_eq(unfinished(&bench), 3);
	ck_assert_int_eq(ledger_decide(bench.ledger, &told, 1, AT_US), ERR_OK);
	ck_assert_int_eq(ledger_decide(bench.ledger, &decided, 1, AT_US), ERR_OK);
	ledger_called_back(bench.ledger, told, "delivered", AT_US);
	ck_assert_int_eq(ledger_sync(bench.ledger), ERR_OK);
	bench_reopen(&bench);

	ck_assert_uint_eq(unfinished(&bench), 2);
	bench_end(&bench);
}
END_TEST

START_TEST(an_operation_without_callback_keeps_no_url)
{
	struct bench bench;
	struct entry_terms terms = terms_of("op_1.1");
	enum ledger_outcome outcome;
	struct entry *entry = NULL;

	bench_begin(&bench);
	ck_assert_int_eq(ledger_enter(bench.ledger, &terms, &succeeded, false, &outcome, &entry),
			 ERR_OK);

	ck_assert_int_eq(outcome, LEDGER_ENTERED);
	ck_assert_ptr_null(entry->callback_id);
	ck_assert_ptr_null(entry->terms.callback_url);
	ck_assert_uint_eq(unfinished(&bench), 0);
	bench_end(&bench);
}
END_TEST

START_TEST(a_torn_last_line_is_cut_off)
{
	struct bench bench;
	struct stat before, after;

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &succeeded);
	ck_assert_int_eq(stat(bench.path, &before), 0);
	append_to_file(&bench, "{\"record\":\"operation\",\"gateway\":\"al");
	bench_reopen(&bench);

	ck_assert_int_eq(stat(bench.path, &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_uint_eq(count_rows(&bench, NULL), 1);
	(void)enter_new(&bench, "op_1.2", &succeeded);
	bench_reopen(&bench);
	ck_assert_uint_eq(count_rows(&bench, NULL), 2);
	bench_end(&bench);
}
END_TEST

static const char *const bad_lines[] = {
	"\n",
	"junk\n",
	"{}\n",
	"[]\n",
	"{\"record\":\"unheard\",\"gateway\":\"alpha\",\"reference\":\"op_1.1\",\"at_us\":1}\n",
	"{\"record\":\"decided\",\"gateway\":\"alpha\",\"reference\":\"absent\",\"at_us\":1}\n",
	"{\"record\":\"decided\",\"gateway\":\"other\",\"reference\":\"op_1.1\",\"at_us\":1}\n",
	"{\"record\":\"decided\",\"gateway\":\"alpha\",\"reference\":\"op_1.1\"}\n",
	"{\"record\":\"operation\",\"gateway\":\"alpha\",\"reference\":\"op_9\",\"at_us\":1}\n",
	/* a reference that is there already */
	"{\"record\":\"operation\",\"gateway\":\"alpha\",\"reference\":\"op_1.1\",\"number\":9,"
	"\"operation\":\"charge\",\"transaction\":\"t\",\"operation_id\":\"o\",\"attempt\":\"a\","
	"\"amount_minor\":1,\"currency\":\"USD\",\"payment_token\":\"tok_sync\","
	"\"opened\":\"succeeded\",\"final\":\"succeeded\",\"at_us\":1}\n",
	/* about something that is not there */
	"{\"record\":\"operation\",\"gateway\":\"alpha\",\"reference\":\"op_9\",\"number\":9,"
	"\"operation\":\"refund\",\"transaction\":\"t\",\"operation_id\":\"o\",\"attempt\":\"a\","
	"\"amount_minor\":1,\"currency\":\"USD\",\"payment_token\":\"tok_sync\","
	"\"parent\":\"alpha_000007\","
	"\"opened\":\"succeeded\",\"final\":\"succeeded\",\"at_us\":1}\n",
	/* a turn of what does not turn */
	"{\"record\":\"turned\",\"gateway\":\"alpha\",\"reference\":\"op_1.1\",\"number\":1,"
	"\"at_us\":1}\n",
	/* a number and a reference that do not belong together */
	"{\"record\":\"decided\",\"gateway\":\"alpha\",\"reference\":\"op_1.2\",\"number\":1,"
	"\"at_us\":1}\n",
	/* a decline without its code */
	"{\"record\":\"operation\",\"gateway\":\"alpha\",\"reference\":\"op_9\",\"number\":9,"
	"\"operation\":\"charge\",\"transaction\":\"t\",\"operation_id\":\"o\",\"attempt\":\"a\","
	"\"amount_minor\":1,\"currency\":\"USD\",\"payment_token\":\"tok_sync\","
	"\"opened\":\"declined\",\"final\":\"declined\",\"at_us\":1}\n",
};

START_TEST(a_file_with_a_bad_line_is_refused_by_its_number)
{
	struct bench bench;
	struct ledger *ledger = NULL;
	char why[JOURNAL_WHY_SIZE] = "";

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &succeeded);
	ledger_close(bench.ledger);
	bench.ledger = NULL;
	append_to_file(&bench, bad_lines[_i]);

	ck_assert_int_ne(ledger_open(bench.path, &ledger, why), ERR_OK);
	ck_assert_ptr_null(ledger);
	ck_assert_ptr_nonnull(strstr(why, "line 2"));
	bench_end(&bench);
}
END_TEST

START_TEST(a_second_process_is_kept_out)
{
	struct bench bench;
	struct ledger *ledger = NULL;
	char why[JOURNAL_WHY_SIZE] = "";

	bench_begin(&bench);

	ck_assert_int_eq(ledger_open(bench.path, &ledger, why), ERR_IO);
	ck_assert_ptr_nonnull(strstr(why, "in use"));
	bench_end(&bench);
}
END_TEST

START_TEST(the_file_is_for_its_owner_only)
{
	struct bench bench;
	struct stat status;

	bench_begin(&bench);

	ck_assert_int_eq(stat(bench.path, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	bench_end(&bench);
}
END_TEST

/* Check itself writes files: nothing may be asserted while the limit is in force. */
static bool file_size_limit(rlim_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		return false;
	limit.rlim_cur = size;
	return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

START_TEST(what_cannot_be_written_was_never_taken)
{
	struct bench bench;
	struct entry_terms terms = terms_of("op_1.2");
	enum ledger_outcome outcome = LEDGER_FULL;
	struct entry *untouched = NULL;
	struct stat status;
	bool limited;
	enum err err;

	bench_begin(&bench);
	(void)enter_new(&bench, "op_1.1", &succeeded);
	ck_assert_int_eq(stat(bench.path, &status), 0);
	(void)signal(SIGXFSZ, SIG_IGN);

	limited = file_size_limit((rlim_t)status.st_size + 20); /* a part of the line fits */
	err = ledger_enter(bench.ledger, &terms, &succeeded, false, &outcome, &untouched);
	ck_assert(file_size_limit(RLIM_INFINITY) && limited);

	ck_assert_int_eq(err, ERR_IO);
	ck_assert_ptr_null(untouched);
	ck_assert_int_eq(outcome, LEDGER_FULL);
	ck_assert_uint_eq(count_rows(&bench, "op_1.2"), 0);
	(void)enter_new(&bench, "op_1.2", &succeeded);
	bench_reopen(&bench);
	ck_assert_uint_eq(count_rows(&bench, NULL), 2);
	bench_end(&bench);
}
END_TEST

/* Many threads want one key, then each one of its own. */
struct race {
	struct bench bench;
	atomic_int entered;
	atomic_int turn;
};

static void *race_run(void *context)
{
	struct race *race = context;
	struct entry_terms terms = terms_of("op_1.1");
	enum ledger_outcome outcome;
	struct entry *entry;
	char own[32];

	if (ledger_enter(race->bench.ledger, &terms, &succeeded, false, &outcome, &entry) ==
		    ERR_OK &&
	    outcome == LEDGER_ENTERED)
		atomic_fetch_add(&race->entered, 1);
	for (int i = 0; i < 50; i++) {
		(void)snprintf(own, sizeof own, "own_%d", atomic_fetch_add(&race->turn, 1));
		terms.name[ENTRY_REFERENCE] = own;
		if (ledger_enter(race->bench.ledger, &terms, &succeeded, false, &outcome, &entry) ==
			    ERR_OK &&
		    outcome == LEDGER_ENTERED)
			atomic_fetch_add(&race->entered, 1);
	}
	return NULL;
}

START_TEST(threads_together_enter_each_key_once)
{
	struct race race = {.entered = 0};
	pthread_t threads[THREADS];

	bench_begin(&race.bench);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race_run, &race), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);

	ck_assert_int_eq(race.entered, 1 + THREADS * 50);
	ck_assert_uint_eq(count_rows(&race.bench, NULL), 1 + THREADS * 50);
	bench_reopen(&race.bench);
	ck_assert_uint_eq(count_rows(&race.bench, NULL), 1 + THREADS * 50);
	bench_end(&race.bench);
}
END_TEST

static void tests_add(TCase *tests)
{
	tcase_add_test(tests, a_new_operation_is_found_with_its_status);
	tcase_add_test(tests, the_same_content_is_replayed_and_entered_once);
	tcase_add_loop_test(tests, other_content_under_the_same_reference_is_refused, 0, CHANGES);
	tcase_add_test(tests, a_key_is_in_progress_until_its_first_request_is_released);
	tcase_add_test(tests, an_accepted_operation_reaches_its_verdict_once);
	tcase_add_test(tests, rows_say_what_the_control_api_promises);
	tcase_add_test(tests, rows_are_found_by_every_name_and_each_once);
	tcase_add_test(tests, many_operations_are_all_found);
	tcase_add_test(tests, a_restart_knows_everything_that_was_entered);
	tcase_add_test(tests, a_restart_finds_what_is_unfinished);
	tcase_add_test(tests, an_operation_without_callback_keeps_no_url);
	tcase_add_test(tests, a_torn_last_line_is_cut_off);
	tcase_add_loop_test(tests, a_file_with_a_bad_line_is_refused_by_its_number, 0,
			    (int)(sizeof bad_lines / sizeof bad_lines[0]));
	tcase_add_test(tests, a_second_process_is_kept_out);
	tcase_add_test(tests, the_file_is_for_its_owner_only);
	tcase_add_test(tests, what_cannot_be_written_was_never_taken);
	tcase_add_test(tests, threads_together_enter_each_key_once);
}

UNIT_MAIN("sandbox_ledger", tests_add(tests))
