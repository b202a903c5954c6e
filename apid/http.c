/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h> /* the C library's struct tcp_info does not say how much came */
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <ulfius.h>
#include <unistd.h>

#include "apid/http_watch.h"
#include "base/clock.h"
#include "base/tls.h"

#define BACKLOG 1024
#define DRAIN_STEP_US 10000
#define TIMEOUT_MARGIN_S 5 /* libmicrohttpd's own inactivity timeout comes after the watch's */
#define STRICT 1
#define LASTING_BLOCK ((size_t)32 << 10)

#ifndef __has_feature
#define __has_feature(feature) 0 /* gcc has __SANITIZE_ADDRESS__ instead */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define STACK_SIZE (2 * 1024 * 1024) /* frames are several times as large there */
#else
#define STACK_SIZE (512 * 1024)
#endif

const struct http_settings http_settings_default = {
	.address = "127.0.0.1",
	.port = 8080,
	.connections_max = 2048,
	.thread_stack_size = STACK_SIZE,
	.connection_memory = 16 * 1024,
	.body_max = 64 * 1024,
	.read_ms = 10000,
	.answer_ms = 30000,
};

enum { PLAIN, TLS, LISTENERS };

struct listener {
	struct _u_instance instance;
	struct http_server *server;
	uint16_t port; /* 0: it does not listen */
	http_hold_tls *hold_tls;
	void *tls_context;
	http_tls_failed *tls_failed;
	void *tls_failed_context;
};

struct http_server {
	struct listener listeners[LISTENERS];
	struct http_watch *watch; /* of the connections of both */
	pthread_key_t
		connection; /* of this thread: Ulfius does not tell its callback which one it serves */
	pthread_key_t handshake; /* of this thread's connection */
	http_serve *serve;
	void *context;
	bool drained;
};

/* What is ours of one connection. */
struct connection {
	struct http_watched *watched; /* NULL: it was shut at once */
	const struct tls *tls;        /* NULL: plain */
	struct tls_handshake handshake;
};

/* ---- what libmicrohttpd tells about connections ---- */

static struct address peer_of(const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;
	struct address peer = { { 0 } };

	if (address->sa_family == AF_INET)
		return address_of_four((const uint8_t *)&four->sin_addr.s_addr);
	if (address->sa_family == AF_INET6)
		memcpy(peer.bytes, six->sin6_addr.s6_addr, sizeof peer.bytes);
	return peer;
}

static int fd_of(struct MHD_Connection *handle)
{
	return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* Before its handshake a session is given what is in force now. False: there is none, it must not go on. */
static bool tls_begin(const struct listener *listener, struct MHD_Connection *handle,
		      struct connection *connection)
{
	if (listener->hold_tls == NULL)
		return true;
	connection->tls = listener->hold_tls(listener->tls_context);
	connection->handshake.here = listener->server->handshake;
	return tls_session_begin(
		connection->tls,
		MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session,
		&connection->handshake);
}

/*
 * libmicrohttpd says of a handshake that failed nothing but a line for its log, on the connection's thread: then the
 * session is still there, and when the connection is told to be closed it is not.
 */
static void said(void *context, const char *format, va_list values)
{
	struct tls_handshake *handshake =
		pthread_getspecific(((const struct http_server *)context)->handshake);

	(void)format, (void)values;
	if (handshake != NULL)
		tls_handshake_note(handshake);
}

/* More than the end of the connection, which counts as a byte. Who only looks whether the port is open sends none. */
static bool something_came(int fd)
{
	struct tcp_info said_of = { .tcpi_state = 0 };
	socklen_t size = sizeof said_of;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &said_of, &size) == 0 &&
	       said_of.tcpi_bytes_received > 1;
}

static void handshake_judge(const struct listener *listener, struct MHD_Connection *handle,
			    const struct connection *connection)
{
	char reason[TLS_REASON_SIZE];
	struct http_tls_failure failure = { .reason = reason };

	if (connection->tls == NULL || connection->watched == NULL ||
	    !tls_handshake_failed(&connection->handshake, &failure.what, reason) ||
	    !something_came(fd_of(handle)))
		return;
	failure.peer = peer_of(
		MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	listener->tls_failed(listener->tls_failed_context, &failure);
}

static struct connection *connection_new(const struct listener *listener,
					 struct MHD_Connection *handle)
{
	const int fd = fd_of(handle);
	struct connection *made = calloc(1, sizeof *made);

	if (made != NULL && tls_begin(listener, handle, made))
		made->watched = http_watch_add(listener->server->watch, fd);
	else
		(void)shutdown(fd, SHUT_RDWR);
	return made;
}

static void connection_free(struct http_server *server, struct connection *connection)
{
	if (connection == NULL)
		return;
	http_watch_remove(server->watch, connection->watched);
	tls_release(connection->tls);
	free(connection);
}

static void connection_changed(void *context, struct MHD_Connection *handle, void **slot,
			       enum MHD_ConnectionNotificationCode code)
{
	struct listener *listener = context;

	switch (code) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		*slot = connection_new(listener, handle);
		return;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		if (*slot != NULL)
			handshake_judge(listener, handle, *slot);
		connection_free(listener->server, *slot);
		*slot = NULL;
		return;
	}
}

static struct http_watched *watched_of(struct MHD_Connection *handle)
{
	const struct connection *connection =
		MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

	return connection == NULL ? NULL : connection->watched;
}

/* Called with the first line, on the thread that will run the handler. */
static void *request_begun(void *context, const char *target, struct MHD_Connection *connection)
{
	struct http_server *server = ((struct listener *)context)->server;

	(void)pthread_setspecific(server->connection, connection);
	http_watch_enter(server->watch, watched_of(connection), HTTP_WATCH_READING);
	return ulfius_uri_logger(NULL, target);
}

static void request_done(void *context, struct MHD_Connection *connection, void **slot,
			 enum MHD_RequestTerminationCode code)
{
	struct http_server *server = ((struct listener *)context)->server;

	http_watch_enter(server->watch, watched_of(connection), HTTP_WATCH_IDLE);
	mhd_request_completed(NULL, connection, slot, code);
}

/* ---- one request ---- */

/*
 * Header lines are taken from libmicrohttpd itself: Ulfius joins those of one name with commas, which cannot be told
 * from one line with a comma in it.
 */
static enum MHD_Result line_take(void *context, enum MHD_ValueKind kind, const char *name,
				 size_t name_size, const char *value, size_t value_size)
{
	struct http_call *call = context;

	(void)kind;
	if (value == NULL) {
		value = "";
		value_size = 0;
	}
	if (strlen(name) != name_size || strlen(value) != value_size ||
	    !http_line_add(call, name, value)) {
		call->garbled = true;
		return MHD_NO;
	}
	return MHD_YES;
}

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address->sa_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return six->sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static void call_read(const struct _u_request *request, struct MHD_Connection *connection,
		      struct http_call *call)
{
	const char *query = strchr(request->http_url, '?');
	const struct sockaddr *address =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;

	call->method = request->http_verb;
	call->path = request->url_path;
	call->query = query != NULL ? query + 1 : "";
	call->body = request->binary_body != NULL ? request->binary_body : "";
	call->body_size = request->binary_body_length;
	call->peer = peer_of(address);
	call->peer_is_loopback = is_loopback(address);
	(void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, line_take, call);
}

/* libmicrohttpd asks for no more than is left. */
static ssize_t lasting_read(void *text, uint64_t offset, char *out, size_t size)
{
	memcpy(out, (const char *)text + offset, size);
	return (ssize_t)size;
}

/* Whoever takes it slowly holds a block, not a copy. */
static int lasting_write(const struct http_reply *reply, struct _u_response *response)
{
	if (ulfius_set_stream_response(response, (unsigned)reply->status, lasting_read, NULL,
				       reply->body_size, LASTING_BLOCK,
				       (void *)(uintptr_t)reply->lasting) != U_OK)
		return U_CALLBACK_ERROR;
	return U_CALLBACK_COMPLETE;
}

static int reply_write(const struct http_reply *reply, struct _u_response *response)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (u_map_put(response->map_header, reply->headers[i].name,
			      reply->headers[i].value) != U_OK)
			return U_CALLBACK_ERROR;
	if (reply->close && u_map_put(response->map_header, "Connection", "close") != U_OK)
		return U_CALLBACK_ERROR;
	if (reply->lasting != NULL)
		return lasting_write(reply, response);
	if (reply->body == NULL) { /* Ulfius refuses an empty body as a mistake */
		response->status = reply->status;
		return U_CALLBACK_COMPLETE;
	}
	if (ulfius_set_binary_body_response(response, (unsigned)reply->status, reply->body,
					    reply->body_size) != U_OK)
		return U_CALLBACK_ERROR;
	return U_CALLBACK_COMPLETE;
}

static int request_serve(const struct _u_request *request, struct _u_response *response,
			 void *context)
{
	struct http_server *server = context;
	struct MHD_Connection *connection = pthread_getspecific(server->connection);
	struct http_watched *watched = watched_of(connection);
	struct http_call call = { .method = "" };
	struct http_reply reply;
	int result;

	if (watched == NULL) /* it was shut for want of room or memory */
		return U_CALLBACK_ERROR;
	call.began_boot_us = http_watch_since_us(server->watch, watched);
	http_watch_enter(server->watch, watched, HTTP_WATCH_SERVING);
	call_read(request, connection, &call);
	http_reply_init(&reply);
	server->serve(server->context, &call, &reply);
	result = reply_write(&reply, response);
	http_reply_done(&reply);
	http_call_done(&call);
	http_watch_enter(server->watch, watched, HTTP_WATCH_ANSWERING);
	return result;
}

/* ---- start and stop ---- */

static bool address_read(const char *text, uint16_t port, struct sockaddr_storage *address,
			 socklen_t *size)
{
	struct sockaddr_in *four = (void *)address;
	struct sockaddr_in6 *six = (void *)address;

	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		*size = sizeof *four;
		return true;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		*size = sizeof *six;
		return true;
	}
	return false;
}

/* Where one of the sockets is to listen. */
struct place {
	const char *address;
	uint16_t port;
};

static enum err listen_failed(const struct place *place, int error, char why[HTTP_WHY_SIZE])
{
	if (error == EADDRINUSE)
		(void)snprintf(
			why, HTTP_WHY_SIZE,
			"port %u of %s is in use by another program: stop it, or set another "
			"port",
			place->port, place->address);
	else
		(void)snprintf(why, HTTP_WHY_SIZE, "cannot listen on port %u of %s: %s",
			       place->port, place->address, strerror(error));
	return ERR_IO;
}

static enum err listen_open(const struct place *place, int *fd, char why[HTTP_WHY_SIZE])
{
	struct sockaddr_storage address;
	socklen_t size;
	const int on = 1;
	int opened, error;

	if (!address_read(place->address, place->port, &address, &size)) {
		(void)snprintf(why, HTTP_WHY_SIZE,
			       "the listening address is not a numeric IPv4 or "
			       "IPv6 address");
		return ERR_CONFIG;
	}
	opened = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (opened >= 0 && setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(opened, (const struct sockaddr *)&address, size) == 0 &&
	    listen(opened, BACKLOG) == 0) {
		*fd = opened;
		return ERR_OK;
	}
	error = errno;
	if (opened >= 0)
		(void)close(opened);
	return listen_failed(place, error, why);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof address;
	in_port_t port;

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return 0;
	port = address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
					     : ((struct sockaddr_in *)&address)->sin_port;
	return ntohs(port);
}

/* With the socket MHD_start_daemon() succeeded on goes its ownership. */
static int instance_start(struct listener *listener, const struct http_settings *settings, int fd)
{
	const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL_INTERNAL_THREAD |
			       MHD_USE_ITC |
			       (listener->hold_tls != NULL ? MHD_USE_TLS | MHD_USE_ERROR_LOG : 0);
	const int timeout_s =
		(settings->read_ms + settings->answer_ms + 999) / 1000 + TIMEOUT_MARGIN_S;
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, listener },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_done, listener },
		{ MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_begun, listener },
		{ MHD_OPTION_CONNECTION_LIMIT, (intptr_t)settings->connections_max, NULL },
		{ MHD_OPTION_PER_IP_CONNECTION_LIMIT, 0, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)settings->connection_memory, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, timeout_s, NULL },
		{ MHD_OPTION_THREAD_STACK_SIZE, (intptr_t)settings->thread_stack_size, NULL },
		{ MHD_OPTION_STRICT_FOR_CLIENT, STRICT, NULL },
		{ MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)said, listener->server },
		{ MHD_OPTION_END, 0, NULL }, /* of TLS: room for its own */
		{ MHD_OPTION_END, 0, NULL },
	};

	if (listener->hold_tls != NULL)
		options[sizeof options / sizeof options[0] - 2] =
			(struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK2, 0,
						 tls_retrieve_none() };
	return ulfius_start_framework_with_mhd_options(&listener->instance, flags, options);
}

static enum err instance_open(struct listener *listener, const struct http_settings *settings,
			      int fd)
{
	struct _u_instance *instance = &listener->instance;

	if (ulfius_init_instance(instance, port_of(fd), NULL, NULL) != U_OK)
		return ERR_MEMORY;
	instance->max_post_body_size = settings->body_max + 1;
	instance->check_utf8 = 0;
	instance->allowed_post_processor = U_POST_PROCESS_NONE;
	if (ulfius_set_default_endpoint(instance, request_serve, listener->server) == U_OK &&
	    instance_start(listener, settings, fd) == U_OK)
		return ERR_OK;
	ulfius_clean_instance(instance);
	return ERR_IO;
}

static enum err listener_open(struct listener *listener, const struct http_settings *settings,
			      const struct place *place, char why[HTTP_WHY_SIZE])
{
	uint16_t port;
	int fd = -1;
	enum err err = listen_open(place, &fd, why);

	if (err != ERR_OK)
		return err;
	port = port_of(fd);
	err = instance_open(listener, settings, fd);
	if (err == ERR_OK) {
		listener->port = port;
		return ERR_OK;
	}
	(void)close(fd);
	(void)snprintf(why, HTTP_WHY_SIZE, "the HTTP server on port %u of %s does not start", port,
		       place->address);
	return err;
}

static enum err listeners_open(struct http_server *server, const struct http_settings *settings,
			       char why[HTTP_WHY_SIZE])
{
	const struct place plain = { settings->address, settings->port };
	const struct place tls = { settings->tls_address, settings->tls_port };
	enum err err;

	server->listeners[PLAIN].server = server;
	server->listeners[TLS] = (struct listener){ .server = server,
						    .hold_tls = settings->hold_tls,
						    .tls_context = settings->tls_context,
						    .tls_failed = settings->tls_failed,
						    .tls_failed_context =
							    settings->tls_failed_context };
	err = listener_open(&server->listeners[PLAIN], settings, &plain, why);
	if (err != ERR_OK || settings->hold_tls == NULL)
		return err;
	return listener_open(&server->listeners[TLS], settings, &tls, why);
}

static void listeners_close(struct http_server *server)
{
	for (size_t i = 0; i < LISTENERS; i++) {
		if (server->listeners[i].port == 0)
			continue;
		(void)ulfius_stop_framework(&server->listeners[i].instance);
		ulfius_clean_instance(&server->listeners[i].instance);
	}
}

enum err http_server_start(const struct http_settings *settings, http_serve *serve, void *context,
			   struct http_server **server, char why[HTTP_WHY_SIZE])
{
	struct http_server *made = calloc(1, sizeof *made);
	enum err err = ERR_MEMORY;

	(void)snprintf(why, HTTP_WHY_SIZE, "out of memory");
	if (made == NULL)
		return ERR_MEMORY;
	made->serve = serve;
	made->context = context;
	if (pthread_key_create(&made->connection, NULL) != 0)
		goto out_server;
	if (pthread_key_create(&made->handshake, NULL) != 0)
		goto out_connection;
	err = http_watch_start(settings->read_ms, settings->answer_ms, settings->connections_max,
			       &made->watch);
	if (err != ERR_OK)
		goto out_key;
	err = listeners_open(made, settings, why);
	if (err != ERR_OK)
		goto out_listeners;
	*server = made;
	return ERR_OK;
out_listeners:
	http_watch_shut_all(made->watch);
	listeners_close(made);
	http_watch_stop(made->watch);
out_key:
	(void)pthread_key_delete(made->handshake);
out_connection:
	(void)pthread_key_delete(made->connection);
out_server:
	free(made);
	return err;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->listeners[PLAIN].port;
}

uint16_t http_server_tls_port(const struct http_server *server)
{
	return server->listeners[TLS].port;
}

static void stop_listening(struct http_server *server)
{
	for (size_t i = 0; i < LISTENERS; i++) {
		struct MHD_Daemon *daemon = server->listeners[i].instance.mhd_daemon;
		const MHD_socket fd =
			daemon == NULL ? MHD_INVALID_SOCKET : MHD_quiesce_daemon(daemon);

		if (fd != MHD_INVALID_SOCKET)
			(void)close(fd);
	}
	server->drained = true;
}

size_t http_server_drain(struct http_server *server, int patience_ms)
{
	const int64_t end_us = clock_boot_us() + (int64_t)patience_ms * 1000;
	size_t busy;

	if (!server->drained)
		stop_listening(server);
	busy = http_watch_shut_idle(server->watch);
	while (busy > 0 && clock_boot_us() < end_us) {
		clock_sleep_us(DRAIN_STEP_US);
		busy = http_watch_shut_idle(server->watch);
	}
	return busy;
}

void http_server_stop(struct http_server *server)
{
	if (server == NULL)
		return;
	http_watch_shut_all(server->watch);
	listeners_close(server);
	http_watch_stop(server->watch);
	(void)pthread_key_delete(server->handshake);
	(void)pthread_key_delete(server->connection);
	free(server);
}
