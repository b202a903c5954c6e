/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"

#define KEY_MODE 0600

const struct command_options ctl_keys_new_options = { NULL, 0 };

/* secret_read_file() drops one newline at the end, so a key must not end in one. */
static void make_key(unsigned char key[CRYPTO_KEY_SIZE])
{
	do {
		crypto_random(key, CRYPTO_KEY_SIZE);
	} while (key[CRYPTO_KEY_SIZE - 1] == '\n');
}

/* True when the whole key is on the disk under its final mode. The file is too small for a write to
 * be split. */
static bool write_key(int fd)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	ssize_t written;

	make_key(key);
	written = write(fd, key, sizeof key);
	explicit_bzero(key, sizeof key);
	if (written >= 0 && written < CRYPTO_KEY_SIZE)
		errno = ENOSPC;
	/* The mode at open() was only a wish: the umask may have taken bits of it. */
	return written == CRYPTO_KEY_SIZE && fchmod(fd, KEY_MODE) == 0 && fsync(fd) == 0;
}

int ctl_keys_new(const struct command_call *call)
{
	const char *path = call->argument;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, KEY_MODE);
	bool written;
	int reason;

	if (fd < 0 && errno == EEXIST)
		return command_fail(
			ERR_CONFLICT,
			"%s exists already: a key is never overwritten; name a new file", path);
	if (fd < 0)
		return command_fail(ERR_IO, "cannot make %s: %s", path, strerror(errno));
	written = write_key(fd);
	reason = errno;
	if (close(fd) != 0 && written) {
		written = false;
		reason = errno;
	}
	if (written) {
		printf("made %s: %d random bytes, mode %04o\n", path, CRYPTO_KEY_SIZE, KEY_MODE);
		return 0;
	}
	unlink(path);
	return command_fail(ERR_IO, "cannot write %s: %s", path, strerror(reason));
}
