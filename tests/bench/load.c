/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A light HTTP load generator: one thread, keep-alive connections, one line of JSON at the end.
 *
 * Why one of our own: wrk knows no fixed rate (a closed loop only, where a slow server is asked less often), oha cannot
 * give each request a header of its own (an Idempotency-Key), and k6 costs more CPU than what is measured here, on
 * cores that both share.
 *
 * With --rate the loop is open: requests are due at fixed intervals whatever the server does, one that is due while all
 * connections are busy waits for a connection, and its latency counts from when it was due. Without, each connection
 * sends its next request when it has its answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/cli.h"
#include "tests/bench/connection.h"
#include "tests/bench/latency.h"

#define PROGRAM "load"
#define SECOND_NS 1000000000U
#define DRAIN_NS (10ULL * SECOND_NS) /* how long the last answers may take */
#define EVENTS_MAX 256
#define PATH_MAX_SIZE 512

enum option {
	OPTION_PORT,
	OPTION_CONNECTIONS,
	OPTION_SECONDS,
	OPTION_WARM_UP,
	OPTION_RATE,
	OPTION_METHOD,
	OPTION_PATH,
	OPTION_PATHS,
	OPTION_BODY,
	OPTION_TOKEN,
	OPTION_UNIQUE_KEYS,
	OPTION_DUMP,
};

/* clang-format off */
static const struct cli_option options[] = {
	[OPTION_PORT] = { "port", 'p', CLI_INT, "N", "8080", 1, 65535, "port on 127.0.0.1" },
	[OPTION_CONNECTIONS] = { "connections", 'c', CLI_INT, "N", "64", 1, 20000, "connections" },
	[OPTION_SECONDS] = { "seconds", 't', CLI_INT, "N", "5", 1, 86400, "how long to measure" },
	[OPTION_WARM_UP] = { "warm-up", 'w', CLI_INT, "N", "0", 0, 3600, "how long to run before" },
	[OPTION_RATE] = { "rate", 'r', CLI_INT, "N", "0", 0, 1000000,
		"requests due a second; 0: as fast as they are answered" },
	[OPTION_METHOD] = { "method", 'm', CLI_TEXT, "WORD", "GET", 0, 0, "method" },
	[OPTION_PATH] = { "path", 0, CLI_TEXT, "PATH", "/", 0, 0, "path and query" },
	[OPTION_PATHS] = { "paths", 0, CLI_TEXT, "FILE", NULL, 0, 0,
		"take the paths from FILE, one a line, in turn" },
	[OPTION_BODY] = { "body", 'b', CLI_TEXT, "TEXT", "", 0, 0,
		"body of each request: XML where it begins with <, else JSON" },
	[OPTION_TOKEN] = { "token", 0, CLI_TEXT, "TOKEN", "", 0, 0, "access token" },
	[OPTION_UNIQUE_KEYS] = { "unique-keys", 'k', CLI_TEXT, "PREFIX", "", 0, 0,
		"send Idempotency-Key: PREFIX-1, PREFIX-2 …" },
	[OPTION_DUMP] = { "dump", 'd', CLI_TEXT, "FILE", NULL, 0, 0,
		"write the transaction ids of 201 answers to FILE" },
};
/* clang-format on */

static const struct cli_program program = {
	.name = PROGRAM,
	.summary = "load an HTTP server on this machine and measure its latency",
	.options = options,
	.count = sizeof options / sizeof options[0],
};

struct path {
	char text[PATH_MAX_SIZE];
};

struct load {
	struct cli_values values;
	int epoll;
	struct connection *connections;
	size_t connection_count;
	uint32_t *idle; /* a stack of connections without a request */
	size_t idle_count;
	size_t under_way;
	struct path *paths;
	size_t path_count;
	FILE *dump;
	uint64_t begin_ns, from_ns, until_ns; /* warm-up, then what is measured */
	uint64_t issued;
	uint64_t answered;   /* within what is measured */
	uint64_t errors;     /* requests that were due in it and got no answer */
	uint64_t all_errors; /* in warm-up too */
	uint64_t statuses[600];
	struct latency latency; /* of requests that were due in it, answered later too */
};

__attribute__((noreturn)) static void give_up(const char *message, const char *about)
{
	cli_fail(PROGRAM, "%s%s%s", message, about == NULL ? "" : ": ", about == NULL ? "" : about);
	exit(1);
}

/* ---- what is sent ---- */

static void paths_read(struct load *load)
{
	const char *name = load->values.text[OPTION_PATHS];
	FILE *file = fopen(name, "r");
	size_t room = 0;
	char line[PATH_MAX_SIZE];

	if (file == NULL)
		give_up(name, strerror(errno));
	while (fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (load->path_count == room) {
			room = room == 0 ? 1024 : room * 2;
			load->paths = reallocarray(load->paths, room, sizeof *load->paths);
			if (load->paths == NULL)
				give_up("no memory", NULL);
		}
		memcpy(load->paths[load->path_count++].text, line, sizeof line);
	}
	fclose(file);
	if (load->path_count == 0)
		give_up(name, "no path in it");
}

/* The request with this number into `out`. Returns its size. */
static size_t request_format(const struct load *load, uint64_t number,
			     char out[CONNECTION_REQUEST_MAX])
{
	const char *const *text = load->values.text;
	const char *body = text[OPTION_BODY], *path = text[OPTION_PATH];
	char key[300] = "";
	int size;

	if (load->path_count > 0)
		path = load->paths[number % load->path_count].text;
	if (text[OPTION_UNIQUE_KEYS][0] != '\0')
		snprintf(key, sizeof key, "Idempotency-Key: %s-%" PRIu64 "\r\n",
			 text[OPTION_UNIQUE_KEYS], number + 1);
	size = snprintf(out, CONNECTION_REQUEST_MAX,
			"%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s%s%s", text[OPTION_METHOD],
			path, (int)load->values.integer[OPTION_PORT],
			text[OPTION_TOKEN][0] == '\0' ? "" : "Authorization: Bearer ",
			text[OPTION_TOKEN], text[OPTION_TOKEN][0] == '\0' ? "" : "\r\n", key);
	if (size < CONNECTION_REQUEST_MAX && body[0] != '\0')
		size += snprintf(out + size, (size_t)(CONNECTION_REQUEST_MAX - size),
				 "Content-Type: application/%s\r\nContent-Length: %zu\r\n\r\n%s",
				 body[0] == '<' ? "xml" : "json", strlen(body), body);
	else if (size < CONNECTION_REQUEST_MAX)
		size += snprintf(out + size, (size_t)(CONNECTION_REQUEST_MAX - size), "\r\n");
	if (size >= CONNECTION_REQUEST_MAX)
		give_up("the request is too long", NULL);
	return (size_t)size;
}

/* ---- what comes back ---- */

static void id_dump(const struct load *load, const struct connection *connection)
{
	static const char name[] = "\"transaction_id\":\"";
	const char *found = strstr(connection->answer, name);

	if (load->dump != NULL && connection->status == 201 && found != NULL) {
		found += sizeof name - 1;
		fprintf(load->dump, "%.*s\n", (int)strcspn(found, "\""), found);
	}
}

static void answer_count(struct load *load, const struct connection *connection)
{
	uint64_t now_ns = latency_now_ns();

	id_dump(load, connection);
	if (now_ns >= load->from_ns && now_ns < load->until_ns)
		load->answered++;
	if (connection->due_ns < load->from_ns)
		return;
	load->statuses[connection->status]++;
	latency_add(&load->latency, now_ns - connection->due_ns);
}

static void error_count(struct load *load, const struct connection *connection)
{
	load->all_errors++;
	if (connection->due_ns >= load->from_ns)
		load->errors++;
	if (load->all_errors > 100 * load->connection_count)
		give_up("the server breaks off connections", NULL);
}

/* A request is over, one way or the other. */
static void connection_settle(struct load *load, uint32_t index, enum connection_outcome outcome)
{
	struct connection *connection = &load->connections[index];

	if (outcome == CONNECTION_WAITS)
		return;
	if (outcome == CONNECTION_ANSWERED)
		answer_count(load, connection);
	else
		error_count(load, connection);
	load->under_way--;
	load->idle[load->idle_count++] = index;
}

/* ---- the loop ---- */

/* When the next request is due: now in a closed loop; UINT64_MAX where none is any more. */
static uint64_t next_due_ns(const struct load *load, uint64_t now_ns)
{
	uint64_t rate = (uint64_t)load->values.integer[OPTION_RATE];
	uint64_t due_ns = rate == 0 ? now_ns : load->begin_ns + load->issued * SECOND_NS / rate;

	return due_ns < load->until_ns ? due_ns : UINT64_MAX;
}

static void request_issue(struct load *load, uint64_t due_ns)
{
	uint32_t index = load->idle[--load->idle_count];
	struct connection *connection = &load->connections[index];
	int port = (int)load->values.integer[OPTION_PORT];
	size_t size;

	if (connection->socket == -1 && !connection_open(connection, port, load->epoll, index))
		give_up("cannot connect", strerror(errno));
	size = request_format(load, load->issued++, connection->request);
	connection->due_ns = due_ns;
	load->under_way++;
	connection_settle(load, index, connection_begin(connection, size));
}

static void events_take(struct load *load, uint64_t wait_ns)
{
	struct timespec wait = { .tv_sec = (time_t)(wait_ns / SECOND_NS),
				 .tv_nsec = (long)(wait_ns % SECOND_NS) };
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_pwait2(load->epoll, events, EVENTS_MAX, &wait, NULL);

	for (int i = 0; i < count; i++) {
		uint32_t index = events[i].data.u32;
		struct connection *connection = &load->connections[index];
		bool busy = connection->busy;

		if (connection->socket == -1)
			continue;
		if (busy)
			connection_settle(load, index, connection_continue(connection));
		else
			(void)connection_continue(connection);
	}
}

/* Send what is due as far as there are connections. Returns when the next one is due, or UINT64_MAX. */
static uint64_t requests_issue(struct load *load)
{
	for (;;) {
		uint64_t now_ns = latency_now_ns(), due_ns = next_due_ns(load, now_ns);

		if (due_ns > now_ns || load->idle_count == 0)
			return due_ns;
		request_issue(load, due_ns);
	}
}

static void load_run(struct load *load)
{
	for (;;) {
		uint64_t due_ns = requests_issue(load), now_ns = latency_now_ns();
		uint64_t wait_ns = SECOND_NS / 10;

		if (due_ns == UINT64_MAX && load->under_way == 0)
			return;
		if (now_ns > load->until_ns + DRAIN_NS)
			return;
		if (load->idle_count > 0 && due_ns != UINT64_MAX) {
			uint64_t ahead_ns = due_ns > now_ns ? due_ns - now_ns : 0;

			wait_ns = ahead_ns < wait_ns ? ahead_ns : wait_ns;
		}
		events_take(load, wait_ns);
	}
}

/* Requests that were due, but not answered in the end. */
static uint64_t unanswered(const struct load *load)
{
	uint64_t rate = (uint64_t)load->values.integer[OPTION_RATE], due = 0, known;

	known = load->latency.count + load->errors;
	if (rate != 0)
		due = rate * (uint64_t)load->values.integer[OPTION_SECONDS];
	else
		due = known + load->under_way;
	return due > known ? due - known : 0;
}

static void result_print(const struct load *load)
{
	double seconds = (double)(load->until_ns - load->from_ns) / 1e9;
	const char *comma = "";
	char text[256];

	printf("{\"requests\": %" PRIu64 ", \"seconds\": %.3f, \"per_second\": %.1f, %s, "
	       "\"status\": {",
	       load->latency.count, seconds, (double)load->answered / seconds,
	       latency_format(&load->latency, text, sizeof text));
	for (int status = 0; status < 600; status++) {
		if (load->statuses[status] == 0)
			continue;
		printf("%s\"%d\": %" PRIu64, comma, status, load->statuses[status]);
		comma = ", ";
	}
	printf("}, \"errors\": %" PRIu64 "}\n", load->errors + unanswered(load));
}

static void load_open(struct load *load)
{
	int port = (int)load->values.integer[OPTION_PORT];
	struct rlimit files = { 0 };

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* requests are sent when they are due */
	if (load->values.text[OPTION_PATHS][0] != '\0')
		paths_read(load);
	if (load->values.text[OPTION_DUMP][0] != '\0') {
		load->dump = fopen(load->values.text[OPTION_DUMP], "w");
		if (load->dump == NULL)
			give_up(load->values.text[OPTION_DUMP], strerror(errno));
	}
	load->connection_count = (size_t)load->values.integer[OPTION_CONNECTIONS];
	load->connections = calloc(load->connection_count, sizeof *load->connections);
	load->idle = calloc(load->connection_count, sizeof *load->idle);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->connections == NULL || load->idle == NULL || load->epoll == -1)
		give_up("no memory", NULL);
	for (uint32_t i = 0; i < load->connection_count; i++) {
		if (!connection_open(&load->connections[i], port, load->epoll, i))
			give_up("cannot connect", strerror(errno));
		load->idle[load->idle_count++] = i;
	}
}

static void load_close(struct load *load)
{
	for (size_t i = 0; i < load->connection_count; i++)
		connection_close(&load->connections[i]);
	if (load->dump != NULL && fclose(load->dump) != 0)
		give_up("the dump could not be written", NULL);
	free(load->connections);
	free(load->idle);
	free(load->paths);
	free(load);
}

int main(int argc, char **argv)
{
	struct load *load = calloc(1, sizeof *load);

	if (load == NULL)
		give_up("no memory", NULL);
	switch (cli_parse(&program, argc, argv, &load->values)) {
	case CLI_HELP_SHOWN:
		free(load);
		return 0;
	case CLI_WRONG:
		free(load);
		return 64;
	case CLI_RUN:
		break;
	}
	load_open(load);
	load->begin_ns = latency_now_ns();
	load->from_ns = load->begin_ns + (uint64_t)load->values.integer[OPTION_WARM_UP] * SECOND_NS;
	load->until_ns = load->from_ns + (uint64_t)load->values.integer[OPTION_SECONDS] * SECOND_NS;
	load_run(load);
	result_print(load);
	load_close(load);
	return 0;
}
