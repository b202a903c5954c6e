/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the database can do by itself: durable commits of one row each, from N connections. It speaks to the database
 * directly, past lib/store, because it is the measure that lib/store is held against.
 *
 * Makes a table of 100-byte rows in a scratch database, drops both at the end, and prints one line of JSON.
 */
#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/clock.h"
#include "tests/bench/latency.h"

#define PROGRAM "commits"
#define ROW_SIZE 100

enum option { OPTION_SOCKET, OPTION_CONNECTIONS, OPTION_SECONDS, OPTION_WARM_UP };

/* clang-format off */
static const struct cli_option options[] = {
	[OPTION_SOCKET] = { "socket", 's', CLI_TEXT, "FILE", NULL, 0, 0,
		"socket of the database (required)" },
	[OPTION_CONNECTIONS] = { "connections", 'c', CLI_INT, "N", "64", 1, 1000,
		"connections, each with a thread of its own" },
	[OPTION_SECONDS] = { "seconds", 't', CLI_INT, "N", "5", 1, 3600, "how long to measure" },
	[OPTION_WARM_UP] = { "warm-up", 'w', CLI_INT, "N", "1", 0, 3600, "how long to run before" },
};
/* clang-format on */

static const struct cli_program program = {
	.name = PROGRAM,
	.summary = "measure durable one-row commits of a database",
	.options = options,
	.count = sizeof options / sizeof options[0],
};

static const char *const set_up[] = {
	"DROP DATABASE IF EXISTS payops_bench",
	"CREATE DATABASE payops_bench",
	"USE payops_bench",
	"CREATE TABLE one_row (id BIGINT AUTO_INCREMENT PRIMARY KEY, bytes BINARY(100))",
};
static const char insert[] = "INSERT INTO payops_bench.one_row (bytes) VALUES (?)";
static const char tear_down[] = "DROP DATABASE payops_bench";

struct run {
	const char *socket;
	atomic_uint_fast64_t from_ns; /* commits that began before are warm-up */
	atomic_bool stop;
};

struct writer {
	struct run *run;
	pthread_t thread;
	MYSQL *link;
	MYSQL_STMT *statement;
	struct latency latency;
};

__attribute__((noreturn)) static void give_up(const char *message)
{
	cli_fail(PROGRAM, "%s", message);
	exit(1);
}

static MYSQL *link_open(const char *socket)
{
	MYSQL *link = mysql_init(NULL);

	if (link == NULL || !mysql_real_connect(link, NULL, "root", NULL, NULL, 0, socket, 0))
		give_up(link == NULL ? "no memory" : mysql_error(link));
	return link;
}

static void query(MYSQL *link, const char *text)
{
	if (mysql_query(link, text) != 0)
		give_up(mysql_error(link));
}

static void writer_open(struct writer *writer)
{
	writer->link = link_open(writer->run->socket);
	writer->statement = mysql_stmt_init(writer->link);
	if (writer->statement == NULL ||
	    mysql_stmt_prepare(writer->statement, insert, sizeof insert - 1) != 0)
		give_up(mysql_error(writer->link));
}

static void *writer_work(void *argument)
{
	struct writer *writer = argument;
	char payload[ROW_SIZE];
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_STRING,
			    .buffer = payload,
			    .buffer_length = sizeof payload };

	memset(payload, 'x', sizeof payload);
	bind.length = &bind.buffer_length;
	if (mysql_stmt_bind_param(writer->statement, &bind))
		give_up(mysql_stmt_error(writer->statement));
	while (!atomic_load(&writer->run->stop)) {
		uint64_t began_ns = latency_now_ns();

		if (mysql_stmt_execute(writer->statement) != 0)
			give_up(mysql_stmt_error(writer->statement));
		if (began_ns >= atomic_load(&writer->run->from_ns))
			latency_add(&writer->latency, latency_now_ns() - began_ns);
	}
	mysql_thread_end();
	return NULL;
}

static void writer_close(struct writer *writer)
{
	mysql_stmt_close(writer->statement);
	mysql_close(writer->link);
}

static void result_print(const struct latency *latency, int64_t connections, double seconds)
{
	char text[256];

	printf("{\"connections\": %lld, \"commits\": %llu, \"seconds\": %.3f, "
	       "\"per_second\": %.1f, %s}\n",
	       (long long)connections, (unsigned long long)latency->count, seconds,
	       (double)latency->count / seconds, latency_format(latency, text, sizeof text));
}

static void measure(const struct cli_values *values, struct writer *writers, struct run *run)
{
	size_t count = (size_t)values->integer[OPTION_CONNECTIONS];
	uint64_t from_ns, until_ns;

	for (size_t i = 0; i < count; i++) {
		writers[i].run = run;
		writer_open(&writers[i]);
	}
	from_ns = latency_now_ns() + (uint64_t)values->integer[OPTION_WARM_UP] * 1000000000U;
	atomic_store(&run->from_ns, from_ns);
	for (size_t i = 0; i < count; i++)
		if (pthread_create(&writers[i].thread, NULL, writer_work, &writers[i]) != 0)
			give_up("no thread");
	clock_sleep_us((values->integer[OPTION_WARM_UP] + values->integer[OPTION_SECONDS]) *
		       1000000);
	atomic_store(&run->stop, true);
	until_ns = latency_now_ns();
	for (size_t i = 0; i < count; i++) {
		pthread_join(writers[i].thread, NULL);
		writer_close(&writers[i]);
		if (i > 0)
			latency_merge(&writers[0].latency, &writers[i].latency);
	}
	result_print(&writers[0].latency, (int64_t)count, (double)(until_ns - from_ns) / 1e9);
}

int main(int argc, char **argv)
{
	struct cli_values values;
	struct run run = { 0 };
	struct writer *writers;
	MYSQL *link;

	switch (cli_parse(&program, argc, argv, &values)) {
	case CLI_HELP_SHOWN:
		return 0;
	case CLI_WRONG:
		return 64;
	case CLI_RUN:
		break;
	}
	run.socket = values.text[OPTION_SOCKET];
	if (run.socket[0] == '\0')
		give_up("--socket is required");
	writers = calloc((size_t)values.integer[OPTION_CONNECTIONS], sizeof *writers);
	if (writers == NULL || mysql_library_init(0, NULL, NULL) != 0)
		give_up("no memory");
	link = link_open(run.socket);
	for (size_t i = 0; i < sizeof set_up / sizeof set_up[0]; i++)
		query(link, set_up[i]);
	measure(&values, writers, &run);
	query(link, tear_down);
	mysql_close(link);
	mysql_library_end();
	free(writers);
	return 0;
}
