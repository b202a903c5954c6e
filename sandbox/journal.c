/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

struct journal_batch {
	char *text;
	size_t size;
	size_t room;
	size_t holders; /* waiters, and the journal until it is concluded */
	bool concluded;
	enum err err;
};

struct journal {
	int fd;
	pthread_mutex_t mutex; /* guards: everything below, and the batches */
	pthread_cond_t concluded;
	struct journal_batch *open; /* takes lines; never NULL */
	bool writing;               /* one thread writes a batch that was `open` before */
	off_t durable_size;
	bool broken; /* lines that failed could not be cut off: nothing may follow them */
};

static struct journal_batch *batch_new(void)
{
	struct journal_batch *batch = calloc(1, sizeof *batch);

	if (batch != NULL)
		batch->holders = 1;
	return batch;
}

/* Under the mutex. */
static void batch_release(struct journal_batch *batch)
{
	assert(batch->holders > 0);
	if (--batch->holders > 0)
		return;
	free(batch->text);
	free(batch);
}

static enum err batch_append(struct journal_batch *batch, const char *line, size_t size)
{
	size_t room = batch->room == 0 ? JOURNAL_LINE_MAX : batch->room;
	char *text;

	while (room - batch->size < size)
		room *= 2;
	if (room != batch->room) {
		text = realloc(batch->text, room);
		if (text == NULL)
			return ERR_MEMORY;
		batch->text = text;
		batch->room = room;
	}
	memcpy(batch->text + batch->size, line, size);
	batch->size += size;
	return ERR_OK;
}

static bool write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, text, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		text += written;
		size -= (size_t)written;
	}
	return true;
}

/* Only the thread that set `writing` comes here; durable_size is its own for that time. */
static enum err batch_write(struct journal *journal, const struct journal_batch *batch)
{
	int cause;

	if (journal->broken)
		return ERR_IO;
	if (write_all(journal->fd, batch->text, batch->size) && fdatasync(journal->fd) == 0) {
		journal->durable_size += (off_t)batch->size;
		return ERR_OK;
	}
	cause = errno;
	journal->broken = ftruncate(journal->fd, journal->durable_size) != 0;
	log_error("the ledger file cannot be written", LOG_TEXT("cause", strerror(cause)),
		  LOG_BOOL("broken", journal->broken));
	return ERR_IO;
}

/* Under the mutex, which is let go while the disk works. Concludes the open batch. */
static void write_open_batch(struct journal *journal)
{
	struct journal_batch *batch = journal->open;
	struct journal_batch *next = batch_new();
	enum err err = ERR_MEMORY;

	if (next == NULL) { /* nobody may join a batch that is being written: fail it where it stands */
		next = batch;
		next->size = 0;
		log_note(LOG_ERROR, "out of memory: ledger lines were dropped");
		abort();
	}
	journal->open = next;
	journal->writing = true;
	pthread_mutex_unlock(&journal->mutex);
	err = batch_write(journal, batch);
	pthread_mutex_lock(&journal->mutex);
	journal->writing = false;
	batch->err = err;
	batch->concluded = true;
	batch_release(batch);
	pthread_cond_broadcast(&journal->concluded);
}
