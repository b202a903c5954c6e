/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/page.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define WIDTH_WITHOUT_TERMINAL 80
#define WIDTH_MIN 40

/* ECMA-48 */
static const char *const styles[] = {
	[PAGE_PLAIN] = "",          [PAGE_STRONG] = "\033[1m", [PAGE_DIM] = "\033[2m",
	[PAGE_GOOD] = "\033[1;32m", [PAGE_DOUBT] = "\033[1;33m", [PAGE_BAD] = "\033[1;31m",
};

bool page_has_colours(void)
{
	const char *refused = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) == 1 && (refused == NULL || refused[0] == '\0');
}

static int width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
	    size.ws_col < WIDTH_MIN)
		return WIDTH_WITHOUT_TERMINAL;
	return size.ws_col < PAGE_WIDTH_MAX ? size.ws_col : PAGE_WIDTH_MAX;
}

/* Columns of `size` bytes of UTF-8: one for each character. */
static int columns(const char *text, size_t size)
{
	int count = 0;

	for (size_t i = 0; i < size; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

/* A C1 control is two bytes of UTF-8: 0xc2 and 0x80 to 0x9f. */
static bool is_control(const char *text)
{
	unsigned char first = (unsigned char)text[0];

	return first < ' ' || first == 0x7f || (first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

static void put_word(const char *word, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!is_control(word + i)) {
			putchar(word[i]);
			continue;
		}
		putchar('?');
		i += (unsigned char)word[i] == 0xc2;
	}
}

void page_text(enum page_style style, int column, int indent, const char *text)
{
	bool colours = page_has_colours() && style != PAGE_PLAIN;
	int limit = width();
	bool first = true; /* of its line */

	fputs(colours ? styles[style] : "", stdout);
	for (text += strspn(text, " \n"); *text != '\0'; text += strspn(text, " \n")) {
		size_t size = strcspn(text, " \n");
		int wide = columns(text, size);

		if (!first && column + 1 + wide > limit) {
			printf("\n%*s", indent, "");
			column = indent;
			first = true;
		}
		if (!first)
			putchar(' ');
		put_word(text, size);
		column += wide + !first;
		first = false;
		text += size;
	}
	puts(colours ? "\033[0m" : "");
}

const char *page_time(int64_t at_us, char out[PAGE_TIME_SIZE])
{
	char text[CLOCK_TEXT_SIZE];

	snprintf(out, PAGE_TIME_SIZE, "%.19s", clock_format(at_us, text));
	out[strcspn(out, "T")] = ' ';
	return out;
}
