/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a command wrote: stdout and stderr of a test, which is a process of its own, go to files.
 *
 *	capture_start(&capture); …; capture_end(&capture); then capture.out and capture.err
 *
 * Threads    one thread
 */
#ifndef TESTS_UNIT_CAPTURE_H
#define TESTS_UNIT_CAPTURE_H

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct capture {
	FILE *files[2];
	char out[8192];
	char err[8192];
};

static inline FILE *capture_fd(int fd)
{
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(dup2(fileno(file), fd), 0);
	return file;
}

static inline void capture_start(struct capture *capture)
{
	fflush(stdout);
	capture->files[0] = capture_fd(STDOUT_FILENO);
	capture->files[1] = capture_fd(STDERR_FILENO);
}

static inline void capture_read(FILE *file, char *text, size_t size)
{
	ssize_t got = pread(fileno(file), text, size - 1, 0);

	ck_assert_int_ge(got, 0);
	text[got] = '\0';
	fclose(file);
}

static inline void capture_end(struct capture *capture)
{
	fflush(stdout);
	capture_read(capture->files[0], capture->out, sizeof capture->out);
	capture_read(capture->files[1], capture->err, sizeof capture->err);
}

#endif
