/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "man/mdoc.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define COLUMNS 72               /* escapes may need some more */
#define DATE "November 28, 2026" /* of the last change to what the pages say beside the tables */

static void line_end(struct mdoc *page)
{
	if (page->column > 0)
		fputc('\n', page->out);
	page->column = 0;
}

static void put_escaped(FILE *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '*' && i + 1 < size && text[i + 1] == '*')
			i++; /* **strong** */
		else if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '"')
			fputs("\\(dq", out);
		else
			fputc(text[i], out);
	}
}

static void word_put(struct mdoc *page, const char *word, size_t size)
{
	if (page->column > 0 && page->column + 1 + size > COLUMNS)
		line_end(page);
	if (page->column > 0) {
		fputc(' ', page->out);
		page->column++;
	} else if (*word == '.' || *word == '\'') {
		fputs("\\&", page->out);
	}
	put_escaped(page->out, word, size);
	page->column += size;
	if (size > 1 && strchr(".:", word[size - 1]) != NULL &&
	    (word[size - 1] == '.' || word[size] == '\n'))
		line_end(page);
}

/* `code` with the bracket before it and the punctuation behind it, a line of its own. Returns what follows. */
static const char *code_put(struct mdoc *page, const char *text)
{
	const bool is_bracketed = *text == '(';
	const char *end;

	text += is_bracketed ? 2 : 1;
	end = strchr(text, '`');
	line_end(page);
	fputs(is_bracketed ? ".Li ( \"" : ".Li \"", page->out);
	put_escaped(page->out, text, (size_t)(end - text));
	fputc('"', page->out);
	for (end++; *end != '\0' && strchr(".,:;)", *end) != NULL; end++)
		fprintf(page->out, " %c", *end);
	fputc('\n', page->out);
	return end;
}

void mdoc_text(struct mdoc *page, const char *text)
{
	while (*text != '\0') {
		const size_t size = strcspn(text, " \n");

		if (strncmp(text, "\n\n", 2) == 0) {
			line_end(page);
			fputs(".Pp\n", page->out);
			text += 2;
		} else if (size == 0) {
			text++;
		} else if (*text == '`' || strncmp(text, "(`", 2) == 0) {
			text = code_put(page, text);
		} else {
			word_put(page, text, size);
			text += size;
		}
	}
	line_end(page);
}

void mdoc_macro(struct mdoc *page, const char *format, ...)
{
	va_list arguments;

	line_end(page);
	va_start(arguments, format);
	(void)vfprintf(page->out, format, arguments);
	va_end(arguments);
	fputc('\n', page->out);
}

void mdoc_literal(struct mdoc *page, const char *line)
{
	line_end(page);
	if (*line == '.' || *line == '\'')
		fputs("\\&", page->out);
	for (; *line != '\0'; line++) {
		if (*line == '\\')
			fputs("\\e", page->out);
		else if (*line == '-' || *line == '\'')
			fputs(*line == '-' ? "\\-" : "\\(aq", page->out);
		else
			fputc(*line, page->out);
	}
	fputc('\n', page->out);
}

void mdoc_head(struct mdoc *page, const char *name, const char *title, const char *about)
{
	fputs(".\\\" SPDX-FileCopyrightText: payops contributors\n"
	      ".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n"
	      ".\\\" Made by man/generate from the tables that payops works by.\n",
	      page->out);
	mdoc_macro(page, ".Dd %s", DATE);
	mdoc_macro(page, ".Dt %s 7", title);
	mdoc_macro(page, ".Os\n.Sh NAME\n.Nm %s\n.Nd %s\n.Sh DESCRIPTION", name, about);
}
