/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http_call.h"
#include "base/http_witness.h"

#define EVENTS_PER_RUN 256
#define ASK_AGAIN_US INT64_C(100000)

struct http_client {
	CURLM *multi;
	CURLSH *share; /* TLS sessions only: fresh connections then need no full handshake */
	int epoll_fd;  /* libcurl's sockets and the one below: idle calls in flight cost nothing */
	int wake_fd;
	int64_t timeout_boot_us; /* libcurl's next timeout; 0: none */
	bool closing;
	size_t in_flight;
	LIST_HEAD(, http_call) calls;
	_Atomic uint64_t resend_total;
};

/*
 * A socket that cannot be watched is not reported: a failed callback would end every call of the
 * multi handle, while its own call ends by the total timeout.
 */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
	struct http_client *client = context;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(client->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT)
		(void)epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

/* -1: none, 0: at once. It is told several times a call: to keep it costs no system call. */
static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;

	(void)multi;
	client->timeout_boot_us = timeout_ms < 0 ? 0 : clock_boot_us() + timeout_ms * INT64_C(1000);
	return 0;
}

static bool watch(const struct http_client *client, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_curl(struct http_client *client)
{
	client->multi = curl_multi_init();
	client->share = curl_share_init();
	return client->multi != NULL && client->share != NULL &&
	       curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
		       CURLSHE_OK &&
	       curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
	       curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
	       curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) == CURLM_OK;
}

static bool open_fds(struct http_client *client)
{
	client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	client->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return client->epoll_fd >= 0 && client->wake_fd >= 0 && watch(client, client->wake_fd);
}

enum err http_client_new(struct http_client **client)
{
	struct http_client *made;
	enum err err = ERR_OK;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ERR_INTERNAL;
	made = calloc(1, sizeof *made);
	if (made == NULL) {
		curl_global_cleanup();
		return ERR_MEMORY;
	}
	LIST_INIT(&made->calls);
	if (!open_fds(made))
		err = ERR_IO;
	else if (!open_curl(made))
		err = ERR_MEMORY;
	if (err != ERR_OK) {
		http_client_free(made);
		return err;
	}
	*client = made;
	return ERR_OK;
}

/* Take a call that ended with `code` off the books, then tell: the callback may start another. */
static void finish(struct http_client *client, struct http_call *call, CURLcode code)
{
	struct http_answer answer;

	http_witness_judge(call, (int)code, &answer);
	if (answer.resent)
		atomic_fetch_add(&client->resend_total, 1);
	(void)curl_multi_remove_handle(client->multi, call->easy);
	LIST_REMOVE(call, link);
	client->in_flight--;
	call->done(call->context, &answer);
	http_call_free(call);
}

static void finish_all(struct http_client *client)
{
	struct http_call *call;

	while ((call = LIST_FIRST(&client->calls)) != NULL) {
		call->stop = HTTP_STOP_CLOSED;
		finish(client, call, CURLE_ABORTED_BY_CALLBACK);
	}
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	client->closing = true;
	finish_all(client);
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi);
	if (client->share != NULL)
		(void)curl_share_cleanup(client->share);
	close_fd(client->epoll_fd);
	close_fd(client->wake_fd);
	free(client);
	curl_global_cleanup();
}

enum err http_client_start(struct http_client *client, const struct http_request *request,
			   http_done *done, void *context)
{
	struct http_call *call;
	enum err err;

	assert(done != NULL);
	if (client->closing)
		return ERR_DRAINING;
	err = http_call_new(request, client->share, &call);
	if (err != ERR_OK)
		return err;
	call->done = done;
	call->context = context;
	if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
		http_call_free(call);
		return ERR_MEMORY;
	}
	LIST_INSERT_HEAD(&client->calls, call, link);
	client->in_flight++;
	return ERR_OK;
}

static void drain(int fd)
{
	uint64_t count;

	/* Nothing to read is fine: then somebody did before. */
	if (read(fd, &count, sizeof count) < 0)
		return;
}

static CURLMcode act_on(struct http_client *client, const struct epoll_event *event)
{
	int running;
	int what = 0;

	if (event->data.fd == client->wake_fd) {
		drain(client->wake_fd);
		return CURLM_OK;
	}
	/*
	 * Not CURL_CSELECT_ERR: alone it ends a transfer unread, also a newer one whose socket got
	 * the number of one that an earlier event closed.
	 */
	if ((event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
		what |= CURL_CSELECT_IN;
	if ((event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
		what |= CURL_CSELECT_OUT;
	return curl_multi_socket_action(client->multi, event->data.fd, what, &running);
}

/* How long there is nothing to do for libcurl: at most wait_ms. */
static int idle_ms(const struct http_client *client, int wait_ms)
{
	int64_t left_us;

	if (client->timeout_boot_us == 0)
		return wait_ms;
	left_us = client->timeout_boot_us - clock_boot_us();
	if (left_us <= 0)
		return 0;
	return left_us / 1000 + 1 < wait_ms ? (int)(left_us / 1000) + 1 : wait_ms;
}

/*
 * libcurl sets the next one from within, also where it finds by its own clock, which does not count sleep, that this
 * came too early. Should one not do so, it is asked again.
 */
static CURLMcode act_on_timeout(struct http_client *client)
{
	int running;

	if (client->timeout_boot_us == 0 || clock_boot_us() < client->timeout_boot_us)
		return CURLM_OK;
	client->timeout_boot_us = clock_boot_us() + ASK_AGAIN_US;
	return curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static void finish_ended(struct http_client *client)
{
	struct CURLMsg *message;
	char *call;
	CURLcode code;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result; /* gone once the handle is removed */
		if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
			finish(client, (struct http_call *)(void *)call, code);
	}
}

size_t http_client_run(struct http_client *client, int wait_ms)
{
	struct epoll_event events[EVENTS_PER_RUN];
	int count = epoll_wait(client->epoll_fd, events, EVENTS_PER_RUN, idle_ms(client, wait_ms));
	bool broken = false;
	CURLMcode code;
	int i;

	for (i = 0; i < count; i++) {
		code = act_on(client, &events[i]);
		/* A socket that an earlier event closed is no failure. */
		if (code > CURLM_OK && code != CURLM_BAD_SOCKET)
			broken = true;
	}
	broken = act_on_timeout(client) > CURLM_OK || broken;
	finish_ended(client);
	if (broken)
		finish_all(client);
	return client->in_flight;
}

void http_client_wake(struct http_client *client)
{
	static const uint64_t one = 1;
	int saved = errno;

	/* It fails only when the counter is full, and then the reader wakes up as well. */
	if (write(client->wake_fd, &one, sizeof one) < 0)
		errno = saved;
}

uint64_t http_client_resend_total(const struct http_client *client)
{
	return atomic_load(&client->resend_total);
}
