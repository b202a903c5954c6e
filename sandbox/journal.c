/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
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
	struct journal_batch *open;    /* takes lines; NULL until there is one */
	struct journal_batch *writing; /* was open before; one thread writes it */
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

/* Under the mutex, which is let go while the disk works. There is an open batch and none being
 * written. */
static void write_open_batch(struct journal *journal)
{
	struct journal_batch *batch = journal->open;
	enum err err;

	assert(batch != NULL && journal->writing == NULL);
	journal->open = NULL;
	journal->writing = batch;
	pthread_mutex_unlock(&journal->mutex);
	err = batch_write(journal, batch);
	pthread_mutex_lock(&journal->mutex);
	journal->writing = NULL;
	batch->err = err;
	batch->concluded = true;
	batch_release(batch);
	pthread_cond_broadcast(&journal->concluded);
}

/* Under the mutex. Whoever finds no writer writes: its own batch is then the open one. */
static enum err batch_wait(struct journal *journal, struct journal_batch *batch)
{
	enum err err;

	while (!batch->concluded) {
		if (journal->writing == NULL)
			write_open_batch(journal);
		else
			pthread_cond_wait(&journal->concluded, &journal->mutex);
	}
	err = batch->err;
	batch_release(batch);
	return err;
}

static enum err line_bad(const char *path, size_t number, const char *what, char *why)
{
	(void)snprintf(why, JOURNAL_WHY_SIZE, "%s: line %zu: %s", path, number, what);
	return ERR_IO;
}

/* Read all lines; *size becomes the bytes of complete lines. */
static enum err lines_read(FILE *file, const char *path, journal_reader *read, void *context,
			   off_t *size, char *why)
{
	char line[JOURNAL_LINE_MAX + 1];
	size_t number = 0;

	while (fgets(line, sizeof line, file) != NULL) {
		size_t length = strlen(line);
		enum err err;

		number++;
		if (length == 0 || line[length - 1] != '\n') {
			if (length == sizeof line - 1 || fgetc(file) != EOF)
				return line_bad(path, number, "too long, or holds a NUL byte", why);
			break;
		}
		line[length - 1] = '\0';
		err = read(context, line, length - 1);
		if (err != ERR_OK) {
			(void)line_bad(path, number, "not a record of this program", why);
			return err;
		}
		*size += (off_t)length;
	}
	return ferror(file) ? line_bad(path, number, "cannot be read", why) : ERR_OK;
}

static enum err file_failed(const char *path, char *why)
{
	(void)snprintf(why, JOURNAL_WHY_SIZE, "%s: %s", path, strerror(errno));
	return ERR_IO;
}

static enum err file_read(struct journal *journal, const char *path, journal_reader *read,
			  void *context, char *why)
{
	int fd = dup(journal->fd);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	enum err err;

	if (file == NULL) {
		err = file_failed(path, why);
		if (fd >= 0)
			(void)close(fd);
		return err;
	}
	err = lines_read(file, path, read, context, &journal->durable_size, why);
	(void)fclose(file);
	if (err == ERR_OK && ftruncate(journal->fd, journal->durable_size) != 0)
		err = file_failed(path, why);
	return err;
}

/* The file's name must last as well as its lines do. */
static enum err directory_sync(const char *path, char *why)
{
	char directory[1024];
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	enum err err = ERR_OK;
	int fd;

	if (size >= sizeof directory) {
		errno = ENAMETOOLONG;
		return file_failed(path, why);
	}
	memcpy(directory, size == 0 ? "." : path, size == 0 ? 1 : size);
	directory[size == 0 ? 1 : size] = '\0';
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		err = file_failed(path, why);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

static enum err file_open(struct journal *journal, const char *path, char *why)
{
	journal->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (journal->fd < 0)
		return file_failed(path, why);
	if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
		(void)snprintf(why, JOURNAL_WHY_SIZE, "%s: in use by another process", path);
		return ERR_IO;
	}
	return directory_sync(path, why);
}

enum err journal_open(const char *path, journal_reader *read, void *context,
		      struct journal **journal, char why[JOURNAL_WHY_SIZE])
{
	struct journal *opened = calloc(1, sizeof *opened);
	enum err err;

	if (opened == NULL) {
		(void)snprintf(why, JOURNAL_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	(void)pthread_mutex_init(&opened->mutex, NULL);
	(void)pthread_cond_init(&opened->concluded, NULL);
	err = file_open(opened, path, why);
	if (err == ERR_OK)
		err = file_read(opened, path, read, context, why);
	if (err != ERR_OK) {
		journal_close(opened);
		return err;
	}
	*journal = opened;
	return ERR_OK;
}

enum err journal_append(struct journal *journal, const char *line, size_t size,
			struct journal_batch **batch)
{
	enum err err = ERR_MEMORY;

	assert(size > 0 && line[size - 1] == '\n');
	if (size > JOURNAL_LINE_MAX)
		return ERR_TOO_LONG;
	pthread_mutex_lock(&journal->mutex);
	if (journal->open == NULL)
		journal->open = batch_new();
	if (journal->open != NULL)
		err = batch_append(journal->open, line, size);
	if (err == ERR_OK && batch != NULL) {
		journal->open->holders++;
		*batch = journal->open;
	}
	pthread_mutex_unlock(&journal->mutex);
	return err;
}

enum err journal_wait(struct journal *journal, struct journal_batch *batch)
{
	enum err err;

	pthread_mutex_lock(&journal->mutex);
	err = batch_wait(journal, batch);
	pthread_mutex_unlock(&journal->mutex);
	return err;
}

enum err journal_sync(struct journal *journal)
{
	struct journal_batch *last;
	enum err err = ERR_OK;

	pthread_mutex_lock(&journal->mutex);
	last = journal->open != NULL ? journal->open : journal->writing;
	if (last != NULL) {
		last->holders++;
		err = batch_wait(journal, last);
	}
	pthread_mutex_unlock(&journal->mutex);
	return err;
}

void journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->open != NULL && journal_sync(journal) != ERR_OK)
		log_note(LOG_ERROR, "the last lines of the ledger file were lost");
	if (journal->fd >= 0)
		(void)close(journal->fd);
	(void)pthread_cond_destroy(&journal->concluded);
	(void)pthread_mutex_destroy(&journal->mutex);
	free(journal);
}
