/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz harnesses: one function for each parser of foreign bytes. It takes any bytes at all and may not crash, leak or
 * hang; what must hold besides is said with fuzz_expect().
 *
 * The same functions are run in two ways: `./dev fuzz` lets libFuzzer search, tests/unit/test_fuzz runs every file of
 * tests/fuzz/corpus/NAME in each `make check`.
 *
 * Ownership  a harness frees what it made
 * Threads    one
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void fuzz_harness(const uint8_t *bytes, size_t size);

/* One for each row of harness.def. */
#define HARNESS(name, what) fuzz_harness fuzz_##name;
#include "tests/fuzz/harness.def"
#undef HARNESS

struct fuzz_row {
	const char *name;
	const char *what;
	fuzz_harness *run;
};

extern const struct fuzz_row fuzz_rows[];
extern const size_t fuzz_row_count;

/* The row of this name, or NULL. */
const struct fuzz_row *fuzz_find(const char *name);

/* Kept in every build: a property that does not hold is a finding. */
#define fuzz_expect(CONDITION)                                                                     \
	do {                                                                                       \
		if (!(CONDITION)) {                                                                \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,           \
				#CONDITION);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The bytes as a text (malloc, as long as it must be, so that reading behind it is seen), without the NULs in it. */
char *fuzz_text(const uint8_t *bytes, size_t size);

/* Cut the first line off: a text as above, "" where nothing is left. */
char *fuzz_line(const uint8_t **bytes, size_t *size);

#endif
