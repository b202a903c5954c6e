/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log_buffer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct log_buffer {
	int fd;
	pthread_t thread;

	pthread_mutex_t mutex; /* guards: all below; the half being written is its writer's alone */
	pthread_cond_t filled; /* the first line came in, or the end */
	pthread_cond_t ending;
	pthread_cond_t written;
	bool stopping;
	bool writing;
	bool torn; /* the last write ended within a line */
	size_t used;
	unsigned half; /* the one being filled */
	char texts[2][LOG_BUFFER_SIZE];
};

/* Returns how many bytes the file took: fewer than `size` only where it takes no more. */
static size_t write_all(int fd, const char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const ssize_t written = write(fd, text + done, size - done);

		if (written > 0)
			done += (size_t)written;
		else if (written == 0 || errno != EINTR)
			break;
	}
	return done;
}

/* Returns whether the file now ends within a line. */
static bool write_lines(int fd, const char *lines, size_t size, bool torn)
{
	size_t done;

	if (torn && write_all(fd, "\n", 1) == 0)
		return true;
	done = write_all(fd, lines, size);
	return done > 0 && lines[done - 1] != '\n';
}

/* Write what was put in before this call. The mutex is let go meanwhile. */
static void drain_locked(struct log_buffer *buffer)
{
	const char *lines;
	size_t size;
	bool torn;

	while (buffer->writing)
		pthread_cond_wait(&buffer->written, &buffer->mutex);
	if (buffer->used == 0)
		return;
	lines = buffer->texts[buffer->half];
	size = buffer->used;
	torn = buffer->torn;
	buffer->half ^= 1;
	buffer->used = 0;
	buffer->writing = true;
	pthread_mutex_unlock(&buffer->mutex);
	torn = write_lines(buffer->fd, lines, size, torn);
	pthread_mutex_lock(&buffer->mutex);
	buffer->torn = torn;
	buffer->writing = false;
	pthread_cond_broadcast(&buffer->written);
}

/* Let lines gather; less long where the end comes. */
static void gather_locked(struct log_buffer *buffer)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOG_BUFFER_MS * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!buffer->stopping && pthread_cond_clockwait(&buffer->ending, &buffer->mutex,
							   CLOCK_MONOTONIC, &until) != ETIMEDOUT)
		continue;
}

static void *writer_main(void *context)
{
	struct log_buffer *buffer = context;

	pthread_mutex_lock(&buffer->mutex);
	while (!buffer->stopping) {
		if (buffer->used == 0) {
			pthread_cond_wait(&buffer->filled, &buffer->mutex);
			continue;
		}
		gather_locked(buffer);
		drain_locked(buffer);
	}
	pthread_mutex_unlock(&buffer->mutex);
	return NULL;
}

static void buffer_free(struct log_buffer *buffer)
{
	pthread_cond_destroy(&buffer->written);
	pthread_cond_destroy(&buffer->ending);
	pthread_cond_destroy(&buffer->filled);
	pthread_mutex_destroy(&buffer->mutex);
	free(buffer);
}

enum err log_buffer_start(int fd, struct log_buffer **buffer)
{
	struct log_buffer *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->fd = fd;
	pthread_mutex_init(&made->mutex, NULL);
	pthread_cond_init(&made->filled, NULL);
	pthread_cond_init(&made->ending, NULL);
	pthread_cond_init(&made->written, NULL);
	if (pthread_create(&made->thread, NULL, writer_main, made) != 0) {
		buffer_free(made);
		return ERR_MEMORY;
	}
	*buffer = made;
	return ERR_OK;
}

void log_buffer_put(struct log_buffer *buffer, const char *lines, size_t size, bool now)
{
	assert(size <= LOG_BUFFER_SIZE);
	pthread_mutex_lock(&buffer->mutex);
	while (buffer->used + size > LOG_BUFFER_SIZE)
		drain_locked(buffer);
	if (buffer->used == 0)
		pthread_cond_signal(&buffer->filled);
	memcpy(buffer->texts[buffer->half] + buffer->used, lines, size);
	buffer->used += size;
	if (now)
		drain_locked(buffer);
	pthread_mutex_unlock(&buffer->mutex);
}

void log_buffer_spill(struct log_buffer *buffer)
{
	const size_t size = buffer->used;

	buffer->used = 0;
	(void)write_lines(buffer->fd, buffer->texts[buffer->half], size, buffer->torn);
}

void log_buffer_stop(struct log_buffer *buffer)
{
	if (buffer == NULL)
		return;
	pthread_mutex_lock(&buffer->mutex);
	buffer->stopping = true;
	pthread_cond_signal(&buffer->filled);
	pthread_cond_signal(&buffer->ending);
	pthread_mutex_unlock(&buffer->mutex);
	pthread_join(buffer->thread, NULL);
	pthread_mutex_lock(&buffer->mutex);
	drain_locked(buffer);
	pthread_mutex_unlock(&buffer->mutex);
	buffer_free(buffer);
}
