/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/fuzz.h"

const struct fuzz_row fuzz_rows[] = {
#define HARNESS(name, what) { #name, what, fuzz_##name },
#include "tests/fuzz/harness.def"
#undef HARNESS
};
const size_t fuzz_row_count = sizeof fuzz_rows / sizeof fuzz_rows[0];

const struct fuzz_row *fuzz_find(const char *name)
{
	for (size_t i = 0; i < fuzz_row_count; i++)
		if (strcmp(fuzz_rows[i].name, name) == 0)
			return &fuzz_rows[i];
	return NULL;
}

char *fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	size_t used = 0;
	char *cut;

	fuzz_expect(text != NULL);
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != '\0')
			text[used++] = (char)bytes[i];
	text[used] = '\0';
	cut = realloc(text, used + 1);
	return cut != NULL ? cut : text;
}

char *fuzz_line(const uint8_t **bytes, size_t *size)
{
	const uint8_t *end = *size > 0 ? memchr(*bytes, '\n', *size) : NULL;
	const size_t length = end != NULL ? (size_t)(end - *bytes) : *size;
	char *line = fuzz_text(*bytes, length);
	const size_t eaten = length + (end != NULL ? 1 : 0);

	*bytes += eaten;
	*size -= eaten;
	return line;
}
