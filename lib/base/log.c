/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_buffer.h"
#include "core/card.h"
#include "core/text.h"

#define CUT_MARK "\xe2\x80\xa6" /* U+2026, the ellipsis */
#define CUT_FLAG ",\"cut\":true"
#define LINE_END "}\n"
/* Fields end here, so that a line can always be closed. */
#define FIELDS_MAX (LOG_LINE_MAX - sizeof CUT_FLAG - sizeof LINE_END)

#define UNIT_SIZE 13 /* a surrogate pair as \uXXXX\uXXXX, and a NUL */
#define CONTEXT_SIZE 65
#define FOREIGN_SHOWN 128
#define FOREIGN_AHEAD                                                                              \
	64 /* more than a card number with its separators: one that the cut splits is masked too */
#define NUMBER_SIZE 24
#define CONTEXT_ROOM (3 * (CONTEXT_SIZE + 32)) /* kept free when the message is long */

struct context {
	char api_call_id[CONTEXT_SIZE];
	char merchant[CONTEXT_SIZE];
	char trace_id[CONTEXT_SIZE];
};

struct settings {
	const char *component;
	atomic_int level;
	int fd;
	struct log_buffer *buffer; /* NULL: each line is written by itself */
};

struct line {
	size_t used;
	bool cut;
	char text[LOG_LINE_MAX];
};

struct range {
	uint32_t first, last;
};

/* lint: state: every layer logs; passing a log to each function would put it into all contracts */
static struct settings settings = { "payops", LOG_INFO, STDERR_FILENO, NULL };
/* lint: state: the call a thread serves, for lines written below the layers that know it */
static _Thread_local struct context context;

static const char *const levels[] = { "debug", "info", "warning", "error" };

/*
 * Code points above ASCII that a terminal obeys or does not show: C1 controls, bidi, zero width,
 * separators, tags.
 */
static const struct range hidden[] = {
	{ 0x80, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },     { 0x180e, 0x180e },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe0fff },
};

void log_open(const char *component, enum log_level level, int fd)
{
	settings.component = component;
	settings.fd = fd;
	log_level_set(level);
}

bool log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (strcmp(word, levels[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_level_set(enum log_level level)
{
	atomic_store_explicit(&settings.level, (int)level, memory_order_relaxed);
}

/*
 * Where to cut a text of `size` bytes so that at most `most` stay and no UTF-8 sequence is split.
 */
static size_t cut_size(const char *text, size_t size, size_t most)
{
	size_t cut = most;

	if (size <= most)
		return size;
	while (cut > 0 && most - cut < 3 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

static void context_copy(char out[CONTEXT_SIZE], const char *text)
{
	size_t size = text == NULL ? 0 : strnlen(text, CONTEXT_SIZE);

	size = size == 0 ? 0 : cut_size(text, size, CONTEXT_SIZE - 1);
	if (size > 0)
		memcpy(out, text, size);
	out[size] = '\0';
}

void log_context_set(const char *api_call_id, const char *merchant)
{
	context_copy(context.api_call_id, api_call_id);
	context_copy(context.merchant, merchant);
}

void log_context_trace(const char *trace_id)
{
	context_copy(context.trace_id, trace_id);
}

void log_context_clear(void)
{
	context = (struct context){ 0 };
}

static size_t sequence_size(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xf0)
		return 4;
	return lead >= 0xe0 ? 3 : 2;
}

static uint32_t code_point(const char *text, size_t size)
{
	static const unsigned char lead_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)text[0] & lead_bits[size];

	for (size_t i = 1; i < size; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

static bool is_shown(uint32_t code)
{
	if (code < 0x80)
		return code >= ' ' && code != 0x7f;
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

static void unit_escape(char unit[UNIT_SIZE], uint32_t code)
{
	uint32_t above = code - 0x10000;

	if (code < 0x10000)
		snprintf(unit, UNIT_SIZE, "\\u%04x", (unsigned int)(code & 0xffff));
	else
		snprintf(unit, UNIT_SIZE, "\\u%04x\\u%04x",
			 (unsigned int)(0xd800 + (above >> 10 & 0x3ff)),
			 (unsigned int)(0xdc00 + (above & 0x3ff)));
}

/*
 * The text's first character as it stands in a JSON string (RFC 8259, 7). A byte that is not UTF-8
 * becomes U+FFFD.
 * Returns how many bytes of `text` it took, at least 1.
 */
static size_t unit_next(const char *text, size_t size, char unit[UNIT_SIZE])
{
	size_t taken = sequence_size((unsigned char)text[0]);
	uint32_t code;

	if (taken > size || !text_is_utf8(text, taken)) {
		unit_escape(unit, 0xfffd);
		return 1;
	}
	code = code_point(text, taken);
	if (!is_shown(code)) {
		unit_escape(unit, code);
	} else if (code == '"' || code == '\\') {
		memcpy(unit, (char[]){ '\\', text[0], '\0' }, 3);
	} else {
		memcpy(unit, text, taken);
		unit[taken] = '\0';
	}
	return taken;
}

/* All of `text`, or nothing and false where it would pass `limit`. */
static bool line_raw(struct line *line, const char *text, size_t limit)
{
	size_t size = strlen(text);

	if (line->used + size > limit)
		return false;
	memcpy(line->text + line->used, text, size);
	line->used += size;
	return true;
}

/* How many bytes from the start of `text` stand in a JSON string as they are: nearly always all of them. */
static size_t plain_size(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size && text[at] >= ' ' && text[at] < 0x7f && text[at] != '"' &&
	       text[at] != '\\')
		at++;
	return at;
}

/* As much of `text` as `limit` has room for. False where some was left out. */
static bool line_escaped(struct line *line, const char *text, size_t size, size_t limit)
{
	const size_t room = line->used < limit ? limit - line->used : 0;
	size_t at = plain_size(text, size < room ? size : room);
	char unit[UNIT_SIZE];

	memcpy(line->text + line->used, text, at);
	line->used += at;
	while (at < size) {
		size_t taken = unit_next(text + at, size - at, unit);

		if (!line_raw(line, unit, limit))
			return false;
		at += taken;
	}
	return true;
}

/* `,"name":`, the comma only after the first member. */
static bool line_name(struct line *line, const char *name, size_t limit)
{
	return line_raw(line, line->used == 1 ? "\"" : ",\"", limit) &&
	       line_escaped(line, name, strlen(name), limit) && line_raw(line, "\":", limit);
}

/* Take a member back that had no room. */
static void line_drop(struct line *line, size_t before)
{
	line->used = before;
	line->cut = true;
}

/* A member whose value is never cut: it stands whole or not at all. */
static void line_whole(struct line *line, const char *name, const char *value)
{
	size_t before = line->used;

	if (!line_name(line, name, FIELDS_MAX) || !line_raw(line, value, FIELDS_MAX))
		line_drop(line, before);
}

static void line_int(struct line *line, const char *name, int64_t integer)
{
	char number[NUMBER_SIZE];

	snprintf(number, sizeof number, "%" PRId64, integer);
	line_whole(line, name, number);
}

/*
 * A text of `size` bytes, cut with a mark where it would pass `limit`, or where `more` of it exists
 * than is passed.
 */
static void line_text(struct line *line, const char *name, const char *text, size_t size,
		      size_t limit, bool more)
{
	const size_t closing = sizeof CUT_MARK "\"" - 1;
	size_t before = line->used;

	if (!line_name(line, name, limit) || !line_raw(line, "\"", limit) ||
	    line->used + closing > limit) {
		line_drop(line, before);
		return;
	}
	if (!line_escaped(line, text, size, limit - closing)) {
		line->cut = true;
		more = true;
	}
	if (more)
		line_raw(line, CUT_MARK, limit);
	line_raw(line, "\"", limit);
}

/* A copy is masked before it is cut, so that no half of a card number is left. */
static void line_foreign(struct line *line, const char *name, const char *text, size_t limit)
{
	char copy[FOREIGN_SHOWN + FOREIGN_AHEAD];
	size_t size = strnlen(text, sizeof copy);
	size_t shown;

	memcpy(copy, text, size);
	card_mask(copy, size);
	shown = cut_size(copy, size, FOREIGN_SHOWN);
	line_text(line, name, copy, shown, limit, shown < size);
}

/*
 * Bytes that numbers and other short fields may take: they are kept free when a text before them is
 * long.
 */
static size_t room_for(const struct log_field *fields, size_t count)
{
	size_t room = 0;

	for (size_t i = 0; i < count; i++)
		if (fields[i].kind != LOG_KIND_TEXT && fields[i].kind != LOG_KIND_FOREIGN)
			room += strlen(fields[i].name) + sizeof ",\"\":" + NUMBER_SIZE;
	return room < FIELDS_MAX / 2 ? room : FIELDS_MAX / 2;
}

static void line_err(struct line *line, const char *name, enum err err)
{
	const char *code = err_row(err)->code;

	line_text(line, name, code, strlen(code), FIELDS_MAX, false);
}

static void line_field(struct line *line, const struct log_field *field, size_t limit)
{
	const char *text;

	switch (field->kind) {
	case LOG_KIND_TEXT:
		text = field->value.text;
		if (text != NULL)
			line_text(line, field->name, text, strnlen(text, LOG_LINE_MAX), limit,
				  false);
		break;
	case LOG_KIND_FOREIGN:
		if (field->value.text != NULL)
			line_foreign(line, field->name, field->value.text, limit);
		break;
	case LOG_KIND_INT:
		line_int(line, field->name, field->value.integer);
		break;
	case LOG_KIND_BOOL:
		line_whole(line, field->name, field->value.integer != 0 ? "true" : "false");
		break;
	case LOG_KIND_ERR:
		line_err(line, field->name, field->value.err);
		break;
	}
}

static const char *text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static void line_start(struct line *line, enum log_level level, const char *message, size_t limit)
{
	const struct log_field head[] = {
		LOG_TEXT("level", levels[level]),
		LOG_TEXT("component", settings.component),
		LOG_TEXT("msg", message),
	};
	const struct log_field served[] = {
		LOG_TEXT("api_call_id", text_or_null(context.api_call_id)),
		LOG_TEXT("merchant", text_or_null(context.merchant)),
		LOG_TEXT("trace_id", text_or_null(context.trace_id)),
	};
	char time[CLOCK_TEXT_SIZE];

	line->used = 0;
	line->cut = false;
	line_raw(line, "{", LOG_LINE_MAX);
	clock_format(clock_now_us(), time);
	line_text(line, "time", time, strlen(time), FIELDS_MAX, false);
	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		line_field(line, &head[i], limit - CONTEXT_ROOM);
	for (size_t i = 0; i < sizeof served / sizeof served[0]; i++)
		line_field(line, &served[i], limit);
}

/* What ends a process unasked, where nobody else (a sanitizer) looks after it. */
static const int deaths[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

/*
 * The process dies of the signal when this returns: its action was reset when it was taken. A fault would come again by
 * itself, one that somebody sent (a watchdog's SIGABRT) would not.
 */
static void death(int signal)
{
	log_buffer_spill(settings.buffer);
	(void)raise(signal);
}

static void deaths_watch(bool on)
{
	struct sigaction watched = { .sa_flags = (int)SA_RESETHAND };
	struct sigaction found;

	watched.sa_handler = on ? death : SIG_DFL;
	for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
		if (sigaction(deaths[i], NULL, &found) == 0 &&
		    found.sa_handler == (on ? SIG_DFL : death))
			(void)sigaction(deaths[i], &watched, NULL);
}

void log_collect_start(void)
{
	assert(settings.buffer == NULL);
	if (log_buffer_start(settings.fd, &settings.buffer) == ERR_OK)
		deaths_watch(true);
}

void log_collect_stop(void)
{
	struct log_buffer *buffer = settings.buffer;

	if (buffer == NULL)
		return;
	deaths_watch(false);
	settings.buffer = NULL;
	log_buffer_stop(buffer);
}

/*
 * One write(2), never a second for the rest: a line torn by another thread's is worse than a line
 * lost.
 */
static void line_write(const struct line *line)
{
	ssize_t written;

	do {
		written = write(settings.fd, line->text, line->used);
	} while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
	       size_t count)
{
	int saved_errno = errno;
	struct line line;

	assert(message != NULL && (fields != NULL || count == 0));
	if ((int)level < atomic_load_explicit(&settings.level, memory_order_relaxed))
		return;
	line_start(&line, level, message, FIELDS_MAX - room_for(fields, count));
	for (size_t i = 0; i < count; i++)
		line_field(&line, &fields[i], FIELDS_MAX - room_for(fields + i + 1, count - i - 1));
	if (line.cut)
		line_raw(&line, CUT_FLAG, LOG_LINE_MAX);
	line_raw(&line, LINE_END, LOG_LINE_MAX);
	if (settings.buffer != NULL)
		log_buffer_put(settings.buffer, line.text, line.used, level >= LOG_WARNING);
	else
		line_write(&line);
	errno = saved_errno;
}
