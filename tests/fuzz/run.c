/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* What ./dev fuzz links with libFuzzer: PAYOPS_FUZZ names the harness. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets texts and names when a mistake ends its reading; it reads the configuration once. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static const struct fuzz_row *row; /* lint: state: libFuzzer hands no context to its callback */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("PAYOPS_FUZZ");

	(void)argc;
	(void)argv;
	row = name != NULL ? fuzz_find(name) : NULL;
	if (row != NULL)
		return 0;
	for (size_t i = 0; i < fuzz_row_count; i++)
		printf("%-16s %s\n", fuzz_rows[i].name, fuzz_rows[i].what);
	exit(EXIT_FAILURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	row->run(bytes, size);
	return 0;
}
