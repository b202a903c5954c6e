/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock_test.h"

#ifdef PAYOPS_FAULTS

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef _Atomic int64_t times[CLOCK_TEST_COUNT];

/* lint: state: tests move the time of the whole process */
static struct {
	atomic_bool standing;
	times at_us;
	pthread_once_t once;
	times *shifts; /* the file in PAYOPS_CLOCK; NULL: there is none */
} test = { .once = PTHREAD_ONCE_INIT };

/* A file that is named and not there is a test that would prove nothing. */
static void shifts_map(void)
{
	const char *path = getenv("PAYOPS_CLOCK");
	struct stat file = { .st_size = 0 };
	void *mapped = MAP_FAILED;
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &file) == 0 && file.st_size >= (off_t)sizeof(times))
		mapped = mmap(NULL, sizeof(times), PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		abort();
	close(fd);
	test.shifts = mapped;
}

static times *shifts(void)
{
	int failed = pthread_once(&test.once, shifts_map);

	assert(failed == 0);
	(void)failed;
	return test.shifts;
}

int64_t clock_test_moved(enum clock_test_which which, int64_t real_us)
{
	times *moved = shifts();

	if (atomic_load(&test.standing))
		return atomic_load(&test.at_us[which]);
	return moved == NULL ? real_us : real_us + atomic_load(&(*moved)[which]);
}

bool clock_test_is_moved(void)
{
	return atomic_load(&test.standing) || shifts() != NULL;
}

bool clock_test_sleep(int64_t us)
{
	if (!atomic_load(&test.standing))
		return false;
	clock_test_advance(us);
	return true;
}

void clock_test_start(int64_t now_us, int64_t boot_us)
{
	atomic_store(&test.at_us[CLOCK_TEST_WALL], now_us);
	atomic_store(&test.at_us[CLOCK_TEST_BOOT], boot_us);
	atomic_store(&test.at_us[CLOCK_TEST_DATABASE], now_us);
	atomic_store(&test.standing, true);
}

void clock_test_stop(void)
{
	atomic_store(&test.standing, false);
}

void clock_test_advance(int64_t us)
{
	assert(us >= 0);
	for (int which = 0; which < CLOCK_TEST_COUNT; which++)
		clock_test_jump((enum clock_test_which)which, us);
}

void clock_test_jump(enum clock_test_which which, int64_t us)
{
	assert(atomic_load(&test.standing));
	atomic_fetch_add(&test.at_us[which], us);
}

#else

/* ISO C forbids an empty translation unit. */
typedef int the_test_clock_is_not_compiled_in;

#endif
