/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log_buffer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/unit.h"

#define THREADS 4
#define LINES 3000 /* of each thread: together several times what the buffer holds */
#define WAIT_MS 30000

/* A pipe that is never full in these tests, or a file, and what was read of it. */
struct fixture {
	int in, out;
	struct log_buffer *buffer;
	char text[4096];
};

static void setup(struct fixture *fixture)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	fixture->in = ends[0];
	fixture->out = ends[1];
	ck_assert_int_eq(log_buffer_start(fixture->out, &fixture->buffer), ERR_OK);
}

/* What can be read now, "" for nothing. */
static const char *written(struct fixture *fixture)
{
	const ssize_t size = read(fixture->in, fixture->text, sizeof fixture->text - 1);

	fixture->text[size > 0 ? size : 0] = '\0';
	return fixture->text;
}

static void put(struct fixture *fixture, const char *line, bool now)
{
	log_buffer_put(fixture->buffer, line, strlen(line), now);
}

START_TEST(buffer_writes_by_itself)
{
	struct fixture fixture;
	struct pollfd readable;

	setup(&fixture);
	for (int round = 0; round < 3; round++) {
		put(&fixture, "one\n", false);

		readable = (struct pollfd){ .fd = fixture.in, .events = POLLIN };
		ck_assert_int_eq(poll(&readable, 1, WAIT_MS), 1);
		ck_assert_str_eq(written(&fixture), "one\n");
	}
	log_buffer_stop(fixture.buffer);
}
END_TEST

START_TEST(buffer_takes_what_waits_along_when_a_line_must_go_now)
{
	struct fixture fixture;
	char all[64];
	size_t size = 0;

	setup(&fixture);
	put(&fixture, "one\n", false);
	put(&fixture, "two\n", false);
	put(&fixture, "three\n", true);

	while (*written(&fixture) != '\0')
		size += (size_t)snprintf(all + size, sizeof all - size, "%s", fixture.text);
	ck_assert_str_eq(all, "one\ntwo\nthree\n");
	log_buffer_stop(fixture.buffer);
}
END_TEST

START_TEST(buffer_writes_the_rest_when_it_stops)
{
	struct fixture fixture;

	setup(&fixture);
	put(&fixture, "last\n", false);
	log_buffer_stop(fixture.buffer);

	ck_assert_str_eq(written(&fixture), "last\n");
	log_buffer_stop(NULL);
}
END_TEST

struct writer {
	struct log_buffer *buffer;
	int number;
};

static void *writer_main(void *context)
{
	const struct writer *writer = context;
	char line[128];

	for (int i = 0; i < LINES; i++) {
		const int size = snprintf(line, sizeof line, "%d %d %060d\n", writer->number, i, 0);

		log_buffer_put(writer->buffer, line, (size_t)size, i % 100 == 0);
	}
	return NULL;
}

/* Every thread's lines are whole, all there, and in the thread's own order. */
static void check_lines(FILE *file)
{
	int next[THREADS] = { 0 };
	char line[256];
	int number, at;

	while (fgets(line, sizeof line, file) != NULL) {
		unit_expect(strlen(line) > 62 && sscanf(line, "%d %d 0", &number, &at) == 2,
			    "torn: %s", line);
		unit_expect(number >= 0 && number < THREADS && at == next[number],
			    "thread %d: %d after %d", number, at, next[number] - 1);
		next[number]++;
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(next[i], LINES);
}

START_TEST(buffer_keeps_lines_whole_and_in_order_among_threads)
{
	FILE *file = tmpfile();
	struct log_buffer *buffer;
	pthread_t threads[THREADS];
	struct writer writers[THREADS];

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(log_buffer_start(fileno(file), &buffer), ERR_OK);
	for (int i = 0; i < THREADS; i++) {
		writers[i] = (struct writer){ buffer, i };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, writer_main, &writers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	log_buffer_stop(buffer);

	rewind(file);
	check_lines(file);
	fclose(file);
}
END_TEST

START_TEST(buffer_goes_on_when_the_file_takes_no_more)
{
	struct fixture fixture;
	char line[1024];
	char last = '\n';

	setup(&fixture);
	ck_assert_int_eq(fcntl(fixture.out, F_SETFL, O_NONBLOCK), 0);
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 1000; i++) /* a pipe holds less */
		log_buffer_put(fixture.buffer, line, sizeof line, true);
	while (*written(&fixture) != '\0')
		last = fixture.text[strlen(fixture.text) - 1];
	put(&fixture, "after\n", true);

	ck_assert_str_eq(written(&fixture), last == '\n' ? "after\n" : "\nafter\n");
	log_buffer_stop(fixture.buffer);
}
END_TEST

/* Logs one line and dies. */
static void die(int out)
{
	log_open("unit", LOG_INFO, out);
	log_collect_start();
	log_note(LOG_INFO, "before death");
	abort();
}

START_TEST(log_loses_nothing_when_the_process_aborts)
{
	struct fixture fixture = { .in = -1 };
	int ends[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	fixture.in = ends[0];
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		die(ends[1]);
	close(ends[1]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_ptr_nonnull(strstr(written(&fixture), "\"msg\":\"before death\"}\n"));
	close(fixture.in);
}
END_TEST

START_TEST(log_collects_until_it_is_told_to_stop)
{
	struct fixture fixture;

	setup(&fixture);
	log_buffer_stop(fixture.buffer);
	log_open("unit", LOG_INFO, fixture.out);
	log_collect_start();
	log_note(LOG_INFO, "first");
	log_note(LOG_WARNING, "second");
	log_note(LOG_INFO, "third");
	log_collect_stop();
	log_note(LOG_INFO, "fourth");
	log_collect_stop();

	ck_assert_ptr_nonnull(strstr(written(&fixture), "\"first\"}\n{"));
	ck_assert_ptr_nonnull(strstr(fixture.text, "\"second\"}\n{"));
	ck_assert_ptr_nonnull(strstr(fixture.text, "\"third\"}\n{"));
	ck_assert_ptr_nonnull(strstr(fixture.text, "\"fourth\"}\n"));
}
END_TEST

UNIT_MAIN("log_buffer", tcase_add_test(tests, buffer_writes_by_itself);
	  tcase_add_test(tests, buffer_takes_what_waits_along_when_a_line_must_go_now);
	  tcase_add_test(tests, buffer_writes_the_rest_when_it_stops);
	  tcase_add_test(tests, buffer_keeps_lines_whole_and_in_order_among_threads);
	  tcase_add_test(tests, buffer_goes_on_when_the_file_takes_no_more);
	  tcase_add_test(tests, log_loses_nothing_when_the_process_aborts);
	  tcase_add_test(tests, log_collects_until_it_is_told_to_stop))
