/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/conf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

#define NUMBER_SHOWN 24

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BLANKS " \t\r\n\f"
#define NAME_REST LETTERS DIGITS "-_*"
#define NUMBER_REST LETTERS DIGITS "+-._"

/* A walk over a file: `in` is read, `out` is what libconfig will see. */
struct scan {
	struct conf_problems *problems;
	const char *path;
	unsigned int line;
	const char *line_start;
	bool broken;
	const char *in;
	char *out;
	char previous;               /* the last byte that is no blank, of a name any letter */
	struct conf_place name;      /* of the last name: a setting's where = or : follows */
	struct conf_place *places;   /* found so far; one byte of a file gives one at most */
	size_t place_count;
};

static struct conf_place here(const struct scan *scan)
{
	return (struct conf_place){ scan->line, (unsigned int)(scan->in - scan->line_start) + 1 };
}

static void line_end(struct scan *scan, const char *newline)
{
	scan->line++;
	scan->line_start = newline + 1;
}

static void copy(struct scan *scan, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (scan->in[i] == '\n')
			line_end(scan, scan->in + i);
	memcpy(scan->out, scan->in, count);
	scan->out += count;
	scan->in += count;
}

/* Skip, but keep the line breaks. */
static void drop(struct scan *scan, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (scan->in[i] == '\n') {
			line_end(scan, scan->in + i);
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
	conf_problem(scan->problems, scan->path, here(scan),
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
		conf_problem(scan->problems, scan->path, here(scan),
			     "this text is never closed with a double quote");
		scan->broken = true;
		scan->in += strlen(scan->in);
		return;
	}
	if (has_escaped_nul(scan->in, size))
		conf_problem(scan->problems, scan->path, here(scan),
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
		conf_problem(scan->problems, scan->path, here(scan), "the number %.*s%s %s",
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

static void place_add(struct scan *scan, struct conf_place place)
{
	scan->places[scan->place_count++] = place;
}

/* A name, or one byte of what stands between. */
static void scan_plain(struct scan *scan)
{
	size_t name = strspn(scan->in, NAME_REST);
	char byte = *scan->in;

	if (name > 0)
		scan->name = here(scan);
	else if ((byte == '=' || byte == ':') && scan->name.line > 0)
		place_add(scan, scan->name);
	else if (byte == '{' && (scan->previous == '(' || scan->previous == ','))
		place_add(scan, here(scan));
	if (name > 0 || strchr(BLANKS, byte) == NULL)
		scan->previous = byte;
	if (name == 0 && strchr(BLANKS, byte) == NULL)
		scan->name = (struct conf_place){ 0, 0 };
	copy(scan, name > 0 ? name : 1);
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
		conf_problem(scan->problems, scan->path, here(scan),
			     "@include is not supported; files in conf.d are read by themselves");
		drop(scan, strcspn(scan->in, "\n"));
	} else if (starts_number(scan->in)) {
		scan_number(scan);
	} else {
		scan_plain(scan);
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
	conf_problem(problems, path, (struct conf_place){ line, 1 }, "this line is not UTF-8 text");
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
	conf_problem(problems, path, (struct conf_place){ 0, 0 }, "cannot be read: %s", what);
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
		conf_problem(problems, path, (struct conf_place){ 0, 0 }, "is larger than %d bytes",
			     CONF_FILE_MAX);
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
	scan.places = calloc(size + 1, sizeof *scan.places);
	if (out == NULL || scan.places == NULL) {
		conf_problems_raise(problems, ERR_MEMORY);
		goto failed;
	}
	scan.in = text;
	scan.line_start = text;
	scan.out = out;
	while (*scan.in != '\0')
		scan_token(&scan);
	*scan.out = '\0';
	free(text);
	*source = (struct conf_source){ out, scan.broken, scan.places, scan.place_count };
	return true;
failed:
	free(scan.places);
	free(out);
	free(text);
	return false;
}

/* libconfig's tree in the order of the file: what has a name, and groups without one. */
static size_t tie(const struct conf_source *source, size_t at, config_setting_t *parent)
{
	int length = config_setting_is_aggregate(parent) ? config_setting_length(parent) : 0;

	for (int i = 0; i < length; i++) {
		config_setting_t *member = config_setting_get_elem(parent, (unsigned int)i);

		if ((config_setting_name(member) != NULL || config_setting_is_group(member)) &&
		    at < source->place_count)
			config_setting_set_hook(member, &source->places[at++]);
		at = tie(source, at, member);
	}
	return at;
}

void conf_source_tie(const struct conf_source *source, config_setting_t *root)
{
	tie(source, 0, root);
}

struct conf_place conf_source_place(const struct conf_source *source, unsigned int line)
{
	for (size_t i = 0; i < source->place_count; i++)
		if (source->places[i].line == line)
			return source->places[i];
	return (struct conf_place){ line, 1 };
}

void conf_source_done(struct conf_source *source)
{
	free(source->text);
	free(source->places);
	*source = (struct conf_source){ .text = NULL };
}
