/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/keys.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "tests/unit/capture.h"

#define PATH_SIZE 64
#define DRAWS 2000 /* a key that ends in a newline would come once in 256 */

struct place {
	char directory[PATH_SIZE];
	char path[PATH_SIZE + 8];
};

static void place_make(struct place *place)
{
	snprintf(place->directory, sizeof place->directory, "/tmp/payops-test-keys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(place->directory));
	snprintf(place->path, sizeof place->path, "%s/key", place->directory);
}

static void place_remove(struct place *place)
{
	unlink(place->path);
	ck_assert_int_eq(rmdir(place->directory), 0);
}

static int keys_new(const char *path, struct capture *capture)
{
	const struct command_call call = { .argument = path };
	int status;

	capture_start(capture);
	status = ctl_keys_new(&call);
	capture_end(capture);
	return status;
}

START_TEST(keys_new_makes_a_file_that_only_its_owner_reads)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	struct capture capture;
	struct stat status;
	struct place place;

	place_make(&place);
	umask(masks[_i]);

	ck_assert_int_eq(keys_new(place.path, &capture), 0);
	ck_assert_str_eq(capture.err, "");
	ck_assert_int_eq(stat(place.path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(status.st_size, CRYPTO_KEY_SIZE);
	place_remove(&place);
}
END_TEST

START_TEST(keys_new_makes_keys_that_are_read_back_whole_and_never_twice_the_same)
{
	struct secret key = { .size = 0 }, before = { .size = 0 };
	struct capture capture;
	struct place place;

	place_make(&place);
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(keys_new(place.path, &capture), 0);
		ck_assert_int_eq(secret_read_file(place.path, &key, NULL, 0), ERR_OK);
		ck_assert_uint_eq(key.size, CRYPTO_KEY_SIZE);
		ck_assert(!secret_equal(key.bytes, key.size, before.bytes, before.size));
		before = key;
		ck_assert_int_eq(unlink(place.path), 0);
	}
	place_remove(&place);
}
END_TEST

START_TEST(keys_new_never_overwrites)
{
	char content[CRYPTO_KEY_SIZE + 1] = "";
	struct capture capture;
	struct place place;
	int fd;

	place_make(&place);
	fd = open(place.path, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_eq(write(fd, "kept", 4), 4);

	ck_assert_int_eq(keys_new(place.path, &capture), 65);
	ck_assert_ptr_nonnull(strstr(capture.err, "exists already"));
	ck_assert_int_eq(pread(fd, content, sizeof content, 0), 4);
	ck_assert_str_eq(content, "kept");
	close(fd);
	place_remove(&place);
}
END_TEST

START_TEST(keys_new_follows_no_link)
{
	struct capture capture;
	struct place place;

	place_make(&place);
	ck_assert_int_eq(symlink("elsewhere", place.path), 0);

	ck_assert_int_eq(keys_new(place.path, &capture), 65);
	ck_assert_ptr_nonnull(strstr(capture.err, "exists already"));
	place_remove(&place);
}
END_TEST

START_TEST(keys_new_says_why_a_file_cannot_be_made)
{
	struct capture capture;

	ck_assert_int_eq(keys_new("/nonexistent/key", &capture), 74);
	ck_assert_str_eq(capture.err, "payopsctl: cannot make /nonexistent/key: "
				      "No such file or directory\n");
	ck_assert_str_eq(capture.out, "");
}
END_TEST

UNIT_MAIN("ctl_keys",
	  tcase_add_loop_test(tests, keys_new_makes_a_file_that_only_its_owner_reads, 0, 4);
	  tcase_add_test(tests,
			 keys_new_makes_keys_that_are_read_back_whole_and_never_twice_the_same);
	  tcase_add_test(tests, keys_new_never_overwrites);
	  tcase_add_test(tests, keys_new_follows_no_link);
	  tcase_add_test(tests, keys_new_says_why_a_file_cannot_be_made))
