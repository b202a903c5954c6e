/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints a manual page of section 7: built, run by make, not installed. */
#include <stdio.h>
#include <string.h>

#include "man/pages.h"

static const struct {
	const char *word;
	void (*write)(struct mdoc *page);
} pages[] = {
	{ "states", page_states },
	{ "errors", page_errors },
	{ "api", page_api },
};

int main(int count, char **words)
{
	struct mdoc page = { .out = stdout };

	for (size_t i = 0; count == 2 && i < sizeof pages / sizeof pages[0]; i++) {
		if (strcmp(pages[i].word, words[1]) != 0)
			continue;
		pages[i].write(&page);
		if (fflush(stdout) == 0 && !ferror(stdout))
			return 0;
		perror("generate");
		return 74;
	}
	fputs("usage: generate states|errors|api\n", stderr);
	return 64;
}
