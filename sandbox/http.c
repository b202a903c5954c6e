/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h" /* POLLRDHUP is a GNU extension */
#endif
#include "sandbox/http.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define THREAD_STACK (512 * 1024) /* address space; a handler touches some 40 kB of it */
#define CONNECTION_MEMORY (32 * 1024)
#define BACKLOG 1024
#define BODY_ROOM_FIRST 1024
#define HEAD_MAX 512
#define DRIP_MS 4 /* between two bytes: an answer takes a second or two */

struct http_server {
	struct MHD_Daemon *daemon;
	http_serve *serve;
	void *context;
	int stop_fd; /* readable from the moment of closing on, for ever: every poll sees it */
};

struct http_stream {
	struct http_server *server;
	struct MHD_Connection *connection;
	char *body;
	size_t size;
	size_t room;
	bool too_large;
	size_t dropped;
};

static void daemon_log(void *context, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static void daemon_log(void *context, const char *format, va_list arguments)
{
	char text[256];

	(void)context;
	(void)vsnprintf(text, sizeof text, format, arguments);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http server", LOG_FOREIGN("detail", text));
}

/* What arrives past the limit is read and dropped, so that the refusal can be read by the client.
 */
static enum MHD_Result body_take(struct http_stream *stream, const char *bytes, size_t size)
{
	size_t room = stream->room == 0 ? BODY_ROOM_FIRST : stream->room;
	char *body;

	if (stream->too_large || size > HTTP_BODY_MAX - stream->size) {
		stream->too_large = true;
		stream->dropped += size;
		return stream->dropped <= HTTP_DRAIN_MAX ? MHD_YES : MHD_NO;
	}
	while (room - stream->size <= size)
		room *= 2;
	if (room != stream->room) {
		body = realloc(stream->body, room);
		if (body == NULL)
			return MHD_NO;
		stream->body = body;
		stream->room = room;
	}
	memcpy(stream->body + stream->size, bytes, size);
	stream->size += size;
	stream->body[stream->size] = '\0';
	return MHD_YES;
}

static int connection_fd(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/*
 * Send RST at once: the last descriptor of a socket with linger time 0 is closed by putting another
 * one in its place, which the daemon may shut down and close as it likes.
 */
static void connection_reset(struct MHD_Connection *connection)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};
	int fd = connection_fd(connection);
	int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (other < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) != 0 ||
	    dup2(other, fd) < 0)
		log_note(LOG_ERROR, "a connection was closed where it should have been reset");
	if (other >= 0)
		(void)close(other);
}

/* Wait for the server's end, for the client's end where `fd` is not -1, or for `ms` (-1: for ever).
 * True: time is up. */
static bool wait_for_end(const struct http_server *server, int fd, int ms)
{
	struct pollfd ends[] = {{.fd = server->stop_fd, .events = POLLIN},
				{.fd = fd, .events = POLLRDHUP}};
	int64_t until_us = clock_boot_us() + (int64_t)ms * 1000;
	int left_ms = ms;

	for (;;) {
		int ready = poll(ends, sizeof ends / sizeof ends[0], left_ms);

		if (ready > 0)
			return false;
		if (ms >= 0) {
			int64_t left_us = until_us - clock_boot_us();

			if (left_us <= 0)
				return true;
			left_ms = (int)((left_us + 999) / 1000);
		}
	}
}

/* The daemon's idle clock stands still while a handler waits, and starts afresh behind it. */
static bool stream_wait(struct http_stream *stream, int fd, int ms)
{
	bool time_is_up;

	(void)MHD_set_connection_option(stream->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	time_is_up = wait_for_end(stream->server, fd, ms);
	(void)MHD_set_connection_option(stream->connection, MHD_CONNECTION_OPTION_TIMEOUT,
					(unsigned)HTTP_IDLE_S);
	return time_is_up;
}

static const char *type_of(const struct answer *answer)
{
	return answer->type == NULL ? "application/json" : answer->type;
}

static void headers_add(struct MHD_Response *response, const struct answer *answer)
{
	(void)MHD_add_response_header(response, "Content-Type", type_of(answer));
	(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	if (answer->replayed)
		(void)MHD_add_response_header(response, "Idempotent-Replayed", "true");
	if (answer->allow[0] != '\0')
		(void)MHD_add_response_header(response, "Allow", answer->allow);
	if (answer->status == MHD_HTTP_UNAUTHORIZED)
		(void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	if (answer->status == MHD_HTTP_TOO_MANY_REQUESTS)
		(void)MHD_add_response_header(response, "Retry-After", "1");
}

static enum MHD_Result answer_queue(struct MHD_Connection *connection, struct answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body_size, answer->body, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result queued;

	if (response == NULL)
		return MHD_NO;
	answer->body = NULL;
	headers_add(response, answer);
	queued = MHD_queue_response(connection, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return queued;
}

/* The whole answer as it goes over the wire, on the heap; NULL where memory is short. */
static char *answer_text(const struct answer *answer, size_t *size)
{
	size_t room = HEAD_MAX + answer->body_size;
	char *text = malloc(room);
	int head;

	if (text == NULL)
		return NULL;
	head = snprintf(text, room,
			"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n",
			answer->status, MHD_get_reason_phrase_for((unsigned)answer->status),
			type_of(answer), answer->body_size);
	if (head < 0 || (size_t)head > HEAD_MAX) {
		free(text);
		return NULL;
	}
	memcpy(text + head, answer->body, answer->body_size);
	*size = (size_t)head + answer->body_size;
	return text;
}

/* How many bytes of the whole answer leave. */
static size_t answer_limit(const struct answer *answer, size_t size)
{
	size_t limit = size;

	if (answer->pace == ANSWER_HALVED)
		limit = size - answer->body_size / 2;
	if (answer->pace == ANSWER_CUT || answer->pace == ANSWER_BROKEN)
		limit = answer->cut_bytes;
	return limit < size ? limit : size;
}

/* Send `size` bytes, `step` at a time. The socket's buffer is empty, and larger than any answer. */
static bool bytes_send(struct http_stream *stream, const char *bytes, size_t size, size_t step)
{
	for (size_t at = 0; at < size; at += step) {
		size_t now = size - at < step ? size - at : step;
		ssize_t sent = send(connection_fd(stream->connection), bytes + at, now,
				    MSG_NOSIGNAL);

		if (sent != (ssize_t)now)
			return false;
		if (at + now < size && !stream_wait(stream, -1, DRIP_MS))
			return false;
	}
	return true;
}

/* Past the daemon, which then only closes the connection. */
static void answer_pace(struct http_stream *stream, const struct answer *answer)
{
	size_t size = 0;
	char *text = answer_text(answer, &size);
	size_t limit = text == NULL ? 0 : answer_limit(answer, size);

	if (!bytes_send(stream, text, limit, answer->pace == ANSWER_DRIPS ? 1 : HTTP_BODY_MAX))
		log_note(LOG_DEBUG, "an answer was given up in its middle");
	if (answer->pace == ANSWER_BROKEN)
		connection_reset(stream->connection);
	free(text);
}

static enum MHD_Result answer_deliver(struct http_stream *stream, struct answer *answer)
{
	struct MHD_Connection *connection = stream->connection;
	enum MHD_Result result = MHD_NO;

	switch (answer->kind) {
	case ANSWER_SEND:
		if (answer->pace == ANSWER_WHOLE)
			result = answer_queue(connection, answer);
		else
			answer_pace(stream, answer);
		break;
	case ANSWER_CLOSE:
		break;
	case ANSWER_RESET:
		connection_reset(connection);
		break;
	}
	answer_done(answer);
	return result;
}

static enum MHD_Result stream_begin(struct http_server *server, struct MHD_Connection *connection,
				    void **slot)
{
	struct http_stream *stream = calloc(1, sizeof *stream);

	if (stream == NULL)
		return MHD_NO;
	stream->server = server;
	stream->connection = connection;
	*slot = stream;
	return MHD_YES;
}

/* lint: parameters: the signature is libmicrohttpd's */
static enum MHD_Result request_take(void *context, struct MHD_Connection *connection,
				    const char *url, const char *method, const char *version,
				    const char *bytes, size_t *size, void **slot)
{
	struct http_server *server = context;
	struct http_stream *stream = *slot;
	struct answer answer = {.kind = ANSWER_CLOSE};
	struct http_exchange exchange = {.method = method, .path = url, .stream = stream};
	enum MHD_Result taken;

	(void)version;
	if (stream == NULL)
		return stream_begin(server, connection, slot);
	if (*size > 0) {
		taken = body_take(stream, bytes, *size);
		*size = 0;
		return taken;
	}
	exchange.body_too_large = stream->too_large;
	exchange.body = stream->too_large || stream->body == NULL ? "" : stream->body;
	exchange.body_size = stream->too_large ? 0 : stream->size;
	server->serve(server->context, &exchange, &answer);
	return answer_deliver(stream, &answer);
}

static void request_done(void *context, struct MHD_Connection *connection, void **slot,
			 enum MHD_RequestTerminationCode code)
{
	struct http_stream *stream = *slot;

	(void)context;
	(void)connection;
	(void)code;
	if (stream == NULL)
		return;
	free(stream->body);
	free(stream);
	*slot = NULL;
}

static struct MHD_Daemon *daemon_start(struct http_server *server,
				       const struct sockaddr_storage *address)
{
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_USE_POLL | MHD_USE_ERROR_LOG;

	if (address->ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, request_take, server, /* the logger comes first */
		MHD_OPTION_EXTERNAL_LOGGER, daemon_log, NULL, MHD_OPTION_SOCK_ADDR,
		(const struct sockaddr *)address, MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK, MHD_OPTION_LISTEN_BACKLOG_SIZE,
		(unsigned)BACKLOG, MHD_OPTION_END);
}

enum err http_server_open(const struct sockaddr_storage *address, http_serve *serve, void *context,
			  struct http_server **server)
{
	struct http_server *opened = calloc(1, sizeof *opened);
	enum err err = ERR_IO;

	if (opened == NULL)
		return ERR_MEMORY;
	opened->serve = serve;
	opened->context = context;
	opened->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (opened->stop_fd < 0)
		goto out;
	opened->daemon = daemon_start(opened, address);
	if (opened->daemon == NULL)
		goto out;
	*server = opened;
	return ERR_OK;
out:
	http_server_close(opened);
	return err;
}

void http_server_close(struct http_server *server)
{
	const uint64_t one = 1;

	if (server == NULL)
		return;
	if (server->stop_fd >= 0 && write(server->stop_fd, &one, sizeof one) != (ssize_t)sizeof one)
		log_note(LOG_ERROR, "the waits of a server could not be ended");
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon);
	if (server->stop_fd >= 0)
		(void)close(server->stop_fd);
	free(server);
}

struct lookup {
	const char *name;
	int (*compare)(const char *, const char *);
	const char *value;
	size_t count;
};

static enum MHD_Result lookup_value(void *context, enum MHD_ValueKind kind, const char *name,
				    size_t size, const char *value, size_t value_size)
{
	struct lookup *lookup = context;

	(void)kind;
	if (strlen(name) != size || lookup->compare(name, lookup->name) != 0)
		return MHD_YES;
	lookup->count++;
	if (value != NULL && strlen(value) == value_size)
		lookup->value = value;
	return MHD_YES;
}

static const char *value_find(const struct http_exchange *exchange, enum MHD_ValueKind kind,
			      struct lookup *lookup, size_t *count)
{
	(void)MHD_get_connection_values_n(exchange->stream->connection, kind, lookup_value, lookup);
	*count = lookup->count;
	return lookup->value;
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name,
				 size_t *count)
{
	struct lookup lookup = {.name = name, .compare = strcasecmp};

	return value_find(exchange, MHD_HEADER_KIND, &lookup, count);
}

const char *http_exchange_query(const struct http_exchange *exchange, const char *name,
				size_t *count)
{
	struct lookup lookup = {.name = name, .compare = strcmp};

	return value_find(exchange, MHD_GET_ARGUMENT_KIND, &lookup, count);
}

bool http_exchange_pause(struct http_exchange *exchange, int ms)
{
	return stream_wait(exchange->stream, -1, ms);
}

void http_exchange_hold(struct http_exchange *exchange)
{
	(void)stream_wait(exchange->stream, connection_fd(exchange->stream->connection), -1);
}
