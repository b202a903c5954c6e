/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Every file of every corpus through its harness: what a fuzzer once found stays found. */
#include <dirent.h>
#include <limits.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/unit.h"

#define SEEDS_MIN 3
#define SEED_MAX (1024 * 1024)

static void file_run(const struct fuzz_row *row, const char *path)
{
	uint8_t *bytes = malloc(SEED_MAX);
	FILE *file = fopen(path, "rb");
	uint8_t *exact;
	size_t size;

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(bytes);
	size = fread(bytes, 1, SEED_MAX, file);
	fclose(file);
	exact = realloc(bytes, size + (size == 0)); /* so that reading behind it is seen */
	ck_assert_ptr_nonnull(exact);
	printf("%s\n", path); /* the last one printed is the one that failed */
	fflush(stdout);
	row->run(exact, size);
	free(exact);
}

START_TEST(fuzz_corpus_is_taken_without_a_finding)
{
	const struct fuzz_row *row = &fuzz_rows[_i];
	char path[PATH_MAX];
	const struct dirent *entry;
	unsigned count = 0;
	DIR *directory;

	snprintf(path, sizeof path, "%s/%s", FUZZ_CORPUS, row->name);
	directory = opendir(path);
	unit_expect(directory != NULL, "%s is absent", path);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s/%s", FUZZ_CORPUS, row->name, entry->d_name);
		file_run(row, path);
		count++;
	}
	closedir(directory);
	unit_expect(count >= SEEDS_MIN, "%s has %u seeds", row->name, count);
}
END_TEST

START_TEST(fuzz_harness_takes_nothing_and_noise)
{
	uint8_t noise[4096];

	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 167 + (i >> 8) * 13);
	fuzz_rows[_i].run(noise, 0);
	for (size_t size = 1; size <= sizeof noise; size *= 2)
		fuzz_rows[_i].run(noise + sizeof noise - size, size);
}
END_TEST

UNIT_MAIN("fuzz", {
	tcase_add_loop_test(tests, fuzz_corpus_is_taken_without_a_finding, 0, (int)fuzz_row_count);
	tcase_add_loop_test(tests, fuzz_harness_takes_nothing_and_noise, 0, (int)fuzz_row_count);
})
