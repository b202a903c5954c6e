/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/http_watch.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define TICK_MS 200      /* how late a connection may be cut */
#define CROWD_US 1000000 /* how long a client is waited for where there is hardly room */
#define CROWD_SHARE(max) ((max) - (max) / 4)

struct http_watched {
	LIST_ENTRY(http_watched) link;
	int fd;
	enum http_watch_state state;
	int64_t since_us;
	bool shut;
};

struct http_watch {
	int64_t limit_us[HTTP_WATCH_ANSWERING + 1]; /* by state; 0: none */
	int stop_fd;                                /* readable from the moment of stopping on */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards: the list and its entries */
	LIST_HEAD(, http_watched) list;
	size_t count;
	size_t most;
	size_t crowd; /* so many are nearly all there may be */
};

/* shutdown() never blocks, and must not be parted from the list: the number could be another socket's by then. */
static void shut_locked(struct http_watched *watched)
{
	if (!watched->shut)
		(void)shutdown(watched->fd, SHUT_RDWR);
	watched->shut = true;
}

/* Who holds connections without using them may not keep others out. */
static int64_t limit_locked(const struct http_watch *watch, enum http_watch_state state)
{
	const int64_t limit_us = watch->limit_us[state];

	return watch->count >= watch->crowd && limit_us > CROWD_US ? CROWD_US : limit_us;
}

static size_t shut_late(struct http_watch *watch, int64_t now_us)
{
	struct http_watched *watched;
	size_t count = 0;

	pthread_mutex_lock(&watch->mutex);
	LIST_FOREACH(watched, &watch->list, link)
	{
		const int64_t limit_us = limit_locked(watch, watched->state);

		if (limit_us == 0 || watched->shut || now_us - watched->since_us < limit_us)
			continue;
		count += watched->state != HTTP_WATCH_IDLE;
		shut_locked(watched);
	}
	pthread_mutex_unlock(&watch->mutex);
	return count;
}

static void *run(void *context)
{
	struct http_watch *watch = context;
	struct pollfd stop = { .fd = watch->stop_fd, .events = POLLIN };

	while (poll(&stop, 1, TICK_MS) <= 0) {
		const size_t count = shut_late(watch, clock_boot_us());

		if (count > 0)
			log_info("slow connections cut", LOG_INT("count", (int64_t)count));
	}
	return NULL;
}

enum err http_watch_start(int read_ms, int answer_ms, unsigned connections_max,
			  struct http_watch **watch)
{
	struct http_watch *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->limit_us[HTTP_WATCH_IDLE] = (int64_t)read_ms * 1000;
	made->limit_us[HTTP_WATCH_READING] = (int64_t)read_ms * 1000;
	made->limit_us[HTTP_WATCH_ANSWERING] = (int64_t)answer_ms * 1000;
	made->most = connections_max;
	made->crowd = CROWD_SHARE((size_t)connections_max);
	LIST_INIT(&made->list);
	pthread_mutex_init(&made->mutex, NULL);
	made->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (made->stop_fd < 0 || pthread_create(&made->thread, NULL, run, made) != 0)
		goto fail;
	*watch = made;
	return ERR_OK;
fail:
	if (made->stop_fd >= 0)
		(void)close(made->stop_fd);
	pthread_mutex_destroy(&made->mutex);
	free(made);
	return ERR_MEMORY;
}

static bool list_locked(struct http_watch *watch, struct http_watched *watched)
{
	if (watch->count >= watch->most)
		return false;
	LIST_INSERT_HEAD(&watch->list, watched, link);
	watch->count++;
	return true;
}

struct http_watched *http_watch_add(struct http_watch *watch, int fd)
{
	struct http_watched *watched = calloc(1, sizeof *watched);
	bool listed = false;

	if (watched != NULL) {
		watched->fd = fd;
		watched->state = HTTP_WATCH_IDLE;
		watched->since_us = clock_boot_us();
		pthread_mutex_lock(&watch->mutex);
		listed = list_locked(watch, watched);
		pthread_mutex_unlock(&watch->mutex);
	}
	if (listed)
		return watched;
	(void)shutdown(fd, SHUT_RDWR);
	free(watched);
	return NULL;
}

void http_watch_enter(struct http_watch *watch, struct http_watched *watched,
		      enum http_watch_state state)
{
	const int64_t now_us = clock_boot_us();

	if (watched == NULL)
		return;
	pthread_mutex_lock(&watch->mutex);
	watched->state = state;
	watched->since_us = now_us;
	pthread_mutex_unlock(&watch->mutex);
}

int64_t http_watch_since_us(struct http_watch *watch, const struct http_watched *watched)
{
	int64_t since_us;

	pthread_mutex_lock(&watch->mutex);
	since_us = watched->since_us;
	pthread_mutex_unlock(&watch->mutex);
	return since_us;
}

void http_watch_remove(struct http_watch *watch, struct http_watched *watched)
{
	if (watched == NULL)
		return;
	pthread_mutex_lock(&watch->mutex);
	LIST_REMOVE(watched, link);
	watch->count--;
	pthread_mutex_unlock(&watch->mutex);
	free(watched);
}

size_t http_watch_shut_idle(struct http_watch *watch)
{
	struct http_watched *watched;
	size_t busy = 0;

	pthread_mutex_lock(&watch->mutex);
	LIST_FOREACH(watched, &watch->list, link)
	{
		if (watched->state == HTTP_WATCH_IDLE)
			shut_locked(watched);
		else
			busy++;
	}
	pthread_mutex_unlock(&watch->mutex);
	return busy;
}

void http_watch_shut_all(struct http_watch *watch)
{
	struct http_watched *watched;

	pthread_mutex_lock(&watch->mutex);
	LIST_FOREACH(watched, &watch->list, link)
	shut_locked(watched);
	pthread_mutex_unlock(&watch->mutex);
}

void http_watch_stop(struct http_watch *watch)
{
	const uint64_t one = 1;
	ssize_t written;

	if (watch == NULL)
		return;
	assert(LIST_EMPTY(&watch->list));
	written = write(watch->stop_fd, &one, sizeof one);
	assert(written == (ssize_t)sizeof one);
	(void)written;
	pthread_join(watch->thread, NULL);
	(void)close(watch->stop_fd);
	pthread_mutex_destroy(&watch->mutex);
	free(watch);
}
