/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define PATH_SIZE 64

/* A file of `size` bytes and this mode. */
static void write_file(char path[PATH_SIZE], const void *bytes, size_t size, mode_t mode)
{
	int fd;

	snprintf(path, PATH_SIZE, "/tmp/payops-test-secret-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

struct content_case {
	const char *content;
	size_t size;
	const char *secret;
	size_t secret_size;
};

static const struct content_case contents[] = {
	{ "hunter2", 7, "hunter2", 7 },
	{ "hunter2\n", 8, "hunter2", 7 },
	{ "hunter2\n\n", 9, "hunter2\n", 8 },
	{ "hunter2\r\n", 9, "hunter2\r", 8 },
	{ " hunter2 ", 9, " hunter2 ", 9 },
	{ "a\0b\n", 4, "a\0b", 3 },
	{ "\n\n", 2, "\n", 1 },
};

START_TEST(secret_read_file_gives_the_content_without_one_newline)
{
	const struct content_case *row = &contents[_i];
	struct secret secret = { .size = 1 };
	char path[PATH_SIZE], why[256];

	write_file(path, row->content, row->size, 0600);

	ck_assert_int_eq(secret_read_file(path, &secret, why, sizeof why), ERR_OK);
	ck_assert_uint_eq(secret.size, row->secret_size);
	ck_assert_mem_eq(secret.bytes, row->secret, row->secret_size + 1);
	unlink(path);
}
END_TEST

struct mode_case {
	mode_t mode;
	enum err err;
};

static const struct mode_case modes[] = {
	{ 0400, ERR_OK },     { 0440, ERR_OK },     { 0600, ERR_OK },     { 0640, ERR_OK },
	{ 0644, ERR_CONFIG }, { 0604, ERR_CONFIG }, { 0602, ERR_CONFIG }, { 0660, ERR_CONFIG },
	{ 0620, ERR_CONFIG }, { 0666, ERR_CONFIG }, { 0777, ERR_CONFIG },
};

START_TEST(secret_read_file_refuses_a_mode_beyond_0640)
{
	struct secret secret = { .size = 0 };
	char path[PATH_SIZE], why[256] = "";

	write_file(path, "hunter2", 7, modes[_i].mode);

	ck_assert_int_eq(secret_read_file(path, &secret, why, sizeof why), modes[_i].err);
	ck_assert_uint_eq(secret.size, modes[_i].err == ERR_OK ? 7 : 0);
	if (modes[_i].err != ERR_OK) {
		ck_assert_ptr_nonnull(strstr(why, path));
		ck_assert_ptr_nonnull(strstr(why, "chmod"));
		ck_assert_ptr_null(strstr(why, "hunter2"));
	}
	unlink(path);
}
END_TEST

struct size_case {
	size_t size;
	bool newline;
	enum err err;
};

static const struct size_case sizes[] = {
	{ 0, false, ERR_CONFIG },
	{ 0, true, ERR_CONFIG },
	{ 1, false, ERR_OK },
	{ SECRET_MAX, false, ERR_OK },
	{ SECRET_MAX, true, ERR_OK },
	{ SECRET_MAX + 1, false, ERR_CONFIG },
	{ SECRET_MAX + 1, true, ERR_CONFIG },
	{ SECRET_MAX + 2, false, ERR_CONFIG },
	{ 3 * SECRET_MAX, true, ERR_CONFIG },
};

START_TEST(secret_read_file_refuses_an_empty_and_a_too_long_file)
{
	const struct size_case *row = &sizes[_i];
	char content[3 * SECRET_MAX + 1], path[PATH_SIZE], why[256] = "";
	struct secret secret = { .size = 42 };

	memset(content, 'x', sizeof content);
	if (row->newline)
		content[row->size] = '\n';
	write_file(path, content, row->size + (row->newline ? 1 : 0), 0600);

	ck_assert_int_eq(secret_read_file(path, &secret, why, sizeof why), row->err);
	ck_assert_uint_eq(secret.size, row->err == ERR_OK ? row->size : 42);
	if (row->err != ERR_OK)
		ck_assert_ptr_nonnull(strstr(why, path));
	unlink(path);
}
END_TEST

START_TEST(secret_read_file_names_the_path_that_is_absent)
{
	struct secret secret = { .size = 42 };
	char why[256] = "";

	ck_assert_int_eq(secret_read_file("/nonexistent/key", &secret, why, sizeof why), ERR_IO);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/key"));
	ck_assert_uint_eq(secret.size, 42);
	ck_assert_int_eq(secret_read_file("/nonexistent/key", &secret, NULL, 0), ERR_IO);
}
END_TEST

START_TEST(secret_read_file_refuses_what_is_no_regular_file)
{
	struct secret secret = { .size = 42 };
	char path[] = "/tmp/payops-test-secret-XXXXXX", fifo[PATH_SIZE], why[256] = "";

	ck_assert_ptr_nonnull(mkdtemp(path));
	snprintf(fifo, sizeof fifo, "%s/fifo", path);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);

	ck_assert_int_eq(secret_read_file(path, &secret, why, sizeof why), ERR_CONFIG);
	ck_assert_int_eq(secret_read_file(fifo, &secret, why, sizeof why), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(why, fifo));
	ck_assert_int_eq(secret_read_file("/dev/zero", &secret, why, sizeof why), ERR_CONFIG);
	ck_assert_uint_eq(secret.size, 42);
	unlink(fifo);
	rmdir(path);
}
END_TEST

START_TEST(secret_read_file_leaves_nothing_of_a_longer_secret_before)
{
	struct secret secret;
	char path[PATH_SIZE];

	memset(&secret, 'x', sizeof secret);
	write_file(path, "ab", 2, 0600);

	ck_assert_int_eq(secret_read_file(path, &secret, NULL, 0), ERR_OK);
	for (size_t i = 2; i < sizeof secret.bytes; i++)
		ck_assert_uint_eq(secret.bytes[i], 0);
	unlink(path);
}
END_TEST

START_TEST(secret_equal_compares_every_byte_and_the_size)
{
	unsigned char a[64], b[64];

	memset(a, 7, sizeof a);
	memset(b, 7, sizeof b);

	ck_assert(secret_equal(a, 64, b, 64));
	ck_assert(secret_equal(a, 0, b, 0));
	ck_assert(!secret_equal(a, 64, b, 63));
	ck_assert(!secret_equal(a, 0, b, 1));
	for (size_t i = 0; i < 64; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b[i] ^= (unsigned char)(1U << bit);
			ck_assert(!secret_equal(a, 64, b, 64));
			b[i] ^= (unsigned char)(1U << bit);
		}
	}
}
END_TEST

START_TEST(secret_done_wipes_every_byte)
{
	struct secret secret;
	unsigned char *bytes = (unsigned char *)&secret;

	memset(&secret, 0xa5, sizeof secret);

	secret_done(&secret);
	secret_done(&secret);

	for (size_t i = 0; i < sizeof secret; i++)
		ck_assert_uint_eq(bytes[i], 0);
}
END_TEST

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))

UNIT_MAIN("secret", {
	tcase_add_loop_test(tests, secret_read_file_gives_the_content_without_one_newline, 0,
			    COUNT(contents));
	tcase_add_loop_test(tests, secret_read_file_refuses_a_mode_beyond_0640, 0, COUNT(modes));
	tcase_add_loop_test(tests, secret_read_file_refuses_an_empty_and_a_too_long_file, 0,
			    COUNT(sizes));
	tcase_add_test(tests, secret_read_file_names_the_path_that_is_absent);
	tcase_add_test(tests, secret_read_file_refuses_what_is_no_regular_file);
	tcase_add_test(tests, secret_read_file_leaves_nothing_of_a_longer_secret_before);
	tcase_add_test(tests, secret_equal_compares_every_byte_and_the_size);
	tcase_add_test(tests, secret_done_wipes_every_byte);
})
