/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_TOO_OPEN (S_IWGRP | S_IROTH | S_IWOTH)

static void why_set(char *why, size_t why_size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void why_set(char *why, size_t why_size, const char *format, ...)
{
	va_list arguments;

	if (why == NULL || why_size == 0)
		return;
	va_start(arguments, format);
	(void)vsnprintf(why, why_size, format, arguments);
	va_end(arguments);
}

/* Read to the end, or one byte past `size`. Returns how many; SIZE_MAX on failure. */
static size_t read_all(int fd, unsigned char *out, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, out + used, size - used);

		if (got == 0)
			break;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return SIZE_MAX;
		used += (size_t)got;
	}
	return used;
}

static enum err check_mode(int fd, const char *path, char *why, size_t why_size)
{
	struct stat status;

	if (fstat(fd, &status) != 0) {
		why_set(why, why_size, "cannot look at %s: %s", path, strerror(errno));
		return ERR_IO;
	}
	if (!S_ISREG(status.st_mode)) {
		why_set(why, why_size, "%s is not a regular file: name one that holds the secret",
			path);
		return ERR_CONFIG;
	}
	if ((status.st_mode & MODE_TOO_OPEN) != 0) {
		why_set(why, why_size, "%s is open to others (mode %04o): run chmod 0640 on it",
			path, (unsigned)(status.st_mode & 07777));
		return ERR_CONFIG;
	}
	return ERR_OK;
}

static enum err read_secret(int fd, const char *path, struct secret *secret, char *why,
			    size_t why_size)
{
	unsigned char bytes[SECRET_MAX + 2]; /* a newline, and one byte that shows a longer file */
	enum err err = ERR_CONFIG;
	size_t size = read_all(fd, bytes, sizeof bytes);

	if (size == SIZE_MAX) {
		why_set(why, why_size, "cannot read %s: %s", path, strerror(errno));
		err = ERR_IO;
		goto out;
	}
	if (size > 0 && bytes[size - 1] == '\n')
		size--;
	if (size == 0) {
		why_set(why, why_size, "%s is empty: write the secret into it", path);
		goto out;
	}
	if (size > SECRET_MAX) {
		why_set(why, why_size, "%s is longer than %d bytes: a secret is shorter", path,
			SECRET_MAX);
		goto out;
	}
	secret_done(secret);
	memcpy(secret->bytes, bytes, size);
	secret->size = size;
	err = ERR_OK;
out:
	explicit_bzero(bytes, sizeof bytes);
	return err;
}

enum err secret_read_file(const char *path, struct secret *secret, char *why, size_t why_size)
{
	/* Not blocking: a FIFO in place of the file must not hold start-up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum err err;

	if (fd < 0) {
		why_set(why, why_size, "cannot open %s: %s", path, strerror(errno));
		return ERR_IO;
	}
	err = check_mode(fd, path, why, why_size);
	if (err == ERR_OK)
		err = read_secret(fd, path, secret, why, why_size);
	close(fd);
	return err;
}

bool secret_equal(const void *a, size_t a_size, const void *b, size_t b_size)
{
	const volatile unsigned char *left = a;
	const volatile unsigned char *right = b;
	unsigned difference = 0;

	if (a_size != b_size)
		return false;
	for (size_t i = 0; i < a_size; i++)
		difference |= (unsigned)(left[i] ^ right[i]);
	return difference == 0;
}

void secret_done(struct secret *secret)
{
	explicit_bzero(secret, sizeof *secret);
}
