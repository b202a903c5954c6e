/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/conf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

#define NUMBER_SHOWN 24

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_REST LETTERS DIGITS "-_*"
#define NUMBER_REST LETTERS DIGITS "+-._"

/* A walk over a file: `in` is read, `out` is what libconfig will see. */
struct scan {
	struct conf_problems *problems;
	const char *path;
	unsigned int line;
	bool broken;
	const char *in;
	char *out;
};

static void copy(struct scan *scan, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (scan->in[i] == '\n')
			scan->line++;
	memcpy(scan->out, scan->in, count);
	scan->out += count;
	scan->in += count;
}

/* Skip, but keep the line breaks. */
static void drop(struct scan *scan, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (scan->in[i] == '\n') {
			scan->line++;
			*scan->out++ = '\n';
		}
	}
	scan->in += count;
}

static void scan_block_comment(struct scan *scan)
{
	const char *end = strstr(scan->in + 2, "*/");

	if (end != NULL) {
		*scan->out++ = ' ';
		drop(scan, (size_t)(end - scan->in) + 2);
		return;
	}
	conf_problem(scan->problems, scan->path, scan->line,
		     "this comment is never closed with */");
	scan->broken = true;
	scan->in += strlen(scan->in);
}

/* Size of the text at `in` with both quotes; 0 where it is never closed. */
static size_t quoted_size(const char *in)
{
	for (size_t i = 1; in[i] != '\0'; i++) {
		if (in[i] == '"')
			return i + 1;
		if (in[i] == '\\' && in[i + 1] != '\0')
			i++;
	}
	return 0;
}

/* libconfig would end the text at an escaped NUL, silently. */
static bool has_escaped_nul(const char *in, size_t size)
{
	for (size_t i = 0; i + 3 < size; i++) {
		if (in[i] != '\\')
			continue;
		if (in[i + 1] == 'x' && in[i + 2] == '0' && in[i + 3] == '0')
			return true;
		i++;
	}
	return false;
}

static void scan_quoted(struct scan *scan)
{
	size_t size = quoted_size(scan->in);

	if (size == 0) {
		conf_problem(scan->problems, scan->path, scan->line,
			     "this text is never closed with a double quote");
		scan->broken = true;
		scan->in += strlen(scan->in);
		return;
	}
	if (has_escaped_nul(scan->in, size))
		conf_problem(scan->problems, scan->path, scan->line,
			     "a text must not hold the byte \\x00");
	copy(scan, size);
}

/* What is wrong with a number, or NULL. *digits: its size without a suffix. */
static const char *number_fault(const char *in, size_t size, size_t *digits)
{
	size_t sign = strspn(in, "+-") > 0 ? 1 : 0;
	bool hex = in[sign] == '0' && (in[sign + 1] == 'x' || in[sign + 1] == 'X');
	size_t end = sign + (hex ? 2 : 0);

	end += strspn(in + end, hex ? HEX_DIGITS : DIGITS);
	*digits = end;
	if (end == sign || end + strspn(in + end, "L") != size)
		return "is not a whole number";
	if (hex)
		return "must be written in decimal";
	if (in[sign] == '0' && end > sign + 1)
		return "must not start with 0";
	errno = 0;
	strtoll(in, NULL, 10);
	return errno == ERANGE ? "does not fit in 64 bits" : NULL;
}

static void scan_number(struct scan *scan)
{
	size_t size = strspn(scan->in, NUMBER_REST);
	size_t digits;
	const char *fault = number_fault(scan->in, size, &digits);

	if (fault != NULL) {
		conf_problem(scan->problems, scan->path, scan->line, "the number %.*s%s %s",
			     size < NUMBER_SHOWN ? (int)size : NUMBER_SHOWN, scan->in,
			     size < NUMBER_SHOWN ? "" : "...", fault);
		/* A wrong number has two bytes at least, so "0x0" is within twice its size. */
		memcpy(scan->out, "0x0", 3);
		scan->out += 3;
	} else {
		memcpy(scan->out, scan->in, digits);
		scan->out += digits;
		*scan->out++ = 'L';
	}
	scan->in += size;
}

static bool starts_number(const char *in)
{
	size_t sign = strspn(in, "+-.");

	return in[sign] >= '0' && in[sign] <= '9';
}

static void scan_token(struct scan *scan)
{
	if (scan->in[0] == '#' || strncmp(scan->in, "//", 2) == 0) {
		drop(scan, strcspn(scan->in, "\n"));
	} else if (strncmp(scan->in, "/*", 2) == 0) {
		scan_block_comment(scan);
	} else if (scan->in[0] == '"') {
		scan_quoted(scan);
	} else if (scan->in[0] == '@') {
		conf_problem(scan->problems, scan->path, scan->line,
			     "@include is not supported; files in conf.d are read by themselves");
		drop(scan, strcspn(scan->in, "\n"));
	} else if (starts_number(scan->in)) {
		scan_number(scan);
	} else {
		size_t name = strspn(scan->in, NAME_REST);

		copy(scan, name > 0 ? name : 1);
	}
}

static void report_encoding(struct conf_problems *problems, const char *path, const char *text,
			    size_t size)
{
	unsigned int line = 1;

	for (size_t at = 0; at < size; line++) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t length = end == NULL ? size - at : (size_t)(end - text) - at;

		if (!text_is_utf8(text + at, length))
			break;
		at += length + 1;
	}
	conf_problem(problems, path, line, "this line is not UTF-8 text");
}

static bool read_all(int fd, char *text, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, text + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		used += (size_t)got;
	}
	return true;
}

static void report_io(struct conf_problems *problems, const char *path, const char *what)
{
	conf_problem(problems, path, 0, "cannot be read: %s", what);
	conf_problems_raise(problems, ERR_IO);
}

/* The file's bytes and a NUL, on the heap; NULL after a problem. */
static char *file_text(struct conf_problems *problems, const char *path, size_t *size)
{
	/* Not blocking: a FIFO without a writer must not stop the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	char *text = NULL;

	if (fd < 0 || fstat(fd, &status) != 0) {
		report_io(problems, path, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		report_io(problems, path, "it is not a regular file");
	} else if (status.st_size > CONF_FILE_MAX) {
		conf_problem(problems, path, 0, "is larger than %d bytes", CONF_FILE_MAX);
	} else if ((text = calloc(1, (size_t)status.st_size + 1)) == NULL) {
		conf_problems_raise(problems, ERR_MEMORY);
	} else if (!read_all(fd, text, (size_t)status.st_size)) {
		report_io(problems, path, "it ended early");
		free(text);
		text = NULL;
	} else {
		*size = (size_t)status.st_size;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

bool conf_source_read(struct conf_problems *problems, const char *path, struct conf_source *source)
{
	struct scan scan = { .problems = problems, .path = path, .line = 1 };
	size_t size = 0;
	char *text = file_text(problems, path, &size);
	char *out = NULL;

	if (text == NULL)
		return false;
	if (!text_is_utf8(text, size)) {
		report_encoding(problems, path, text, size);
		goto failed;
	}
	/* A token of one byte gains at most one. */
	out = malloc(2 * size + 4);
	if (out == NULL) {
		conf_problems_raise(problems, ERR_MEMORY);
		goto failed;
	}
	scan.in = text;
	scan.out = out;
	while (*scan.in != '\0')
		scan_token(&scan);
	*scan.out = '\0';
	free(text);
	*source = (struct conf_source){ out, scan.broken };
	return true;
failed:
	free(text);
	return false;
}

void conf_source_done(struct conf_source *source)
{
	free(source->text);
	*source = (struct conf_source){ 0 };
}
