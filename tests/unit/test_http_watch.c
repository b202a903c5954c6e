/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/http_watch.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define READ_MS 100
#define ANSWER_MS 100
#define LONG_MS 600 /* past every limit and the watch's own tick */
#define FOR_EVER_MS 60000
#define MAX 1000      /* connections */
#define CROWD_MS 1600 /* past what a crowded server waits, and the tick */

struct pair { /* ours[0] is watched, a client holds ours[1] */
	int ours[2];
	struct http_watched *watched;
};

static struct pair pair_add(struct http_watch *watch)
{
	struct pair pair;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.ours), 0);
	pair.watched = http_watch_add(watch, pair.ours[0]);
	ck_assert_ptr_nonnull(pair.watched);
	return pair;
}

static void pair_remove(struct http_watch *watch, struct pair *pair)
{
	http_watch_remove(watch, pair->watched);
	(void)close(pair->ours[0]);
	(void)close(pair->ours[1]);
}

/* True where the client sees the end of the connection within `ms`. */
static bool is_shut(const struct pair *pair, int ms)
{
	struct pollfd client = { .fd = pair->ours[1], .events = POLLIN };
	char byte;

	return poll(&client, 1, ms) == 1 && recv(pair->ours[1], &byte, 1, MSG_DONTWAIT) == 0;
}

static const struct {
	enum http_watch_state state;
	bool cut;
} states[] = {
	{ HTTP_WATCH_IDLE, true },
	{ HTTP_WATCH_READING, true },
	{ HTTP_WATCH_SERVING, false },
	{ HTTP_WATCH_ANSWERING, true },
};

START_TEST(http_watch_cuts_what_takes_too_long_but_never_a_handler)
{
	struct http_watch *watch;
	struct pair pair;

	ck_assert_int_eq(http_watch_start(READ_MS, ANSWER_MS, MAX, &watch), ERR_OK);
	pair = pair_add(watch);
	http_watch_enter(watch, pair.watched, states[_i].state);

	ck_assert_int_eq(is_shut(&pair, LONG_MS), states[_i].cut);

	pair_remove(watch, &pair);
	http_watch_stop(watch);
}
END_TEST

START_TEST(http_watch_lets_the_slow_make_room_where_it_is_crowded)
{
	const unsigned max = 16; /* crowded from 12 on */
	struct http_watch *watch;
	struct pair pairs[12];

	ck_assert_int_eq(http_watch_start(FOR_EVER_MS, FOR_EVER_MS, max, &watch), ERR_OK);
	for (int i = 0; i < 11; i++)
		pairs[i] = pair_add(watch);
	http_watch_enter(watch, pairs[0].watched, HTTP_WATCH_SERVING);
	ck_assert(!is_shut(&pairs[1], CROWD_MS));
	pairs[11] = pair_add(watch);

	for (int i = 1; i < 11; i++)
		ck_assert(is_shut(&pairs[i], CROWD_MS));
	ck_assert(!is_shut(&pairs[0], 0));

	for (int i = 0; i < 12; i++)
		pair_remove(watch, &pairs[i]);
	http_watch_stop(watch);
}
END_TEST

START_TEST(http_watch_takes_no_more_than_there_may_be)
{
	struct http_watch *watch;
	struct pair first, second, third;

	ck_assert_int_eq(http_watch_start(FOR_EVER_MS, FOR_EVER_MS, 2, &watch), ERR_OK);
	first = pair_add(watch);
	second = pair_add(watch);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, third.ours), 0);

	third.watched = http_watch_add(watch, third.ours[0]);

	ck_assert_ptr_null(third.watched);
	ck_assert(is_shut(&third, 0));
	ck_assert(!is_shut(&first, 0));
	pair_remove(watch, &third);
	pair_remove(watch, &second);
	second = pair_add(watch);
	pair_remove(watch, &second);
	pair_remove(watch, &first);
	http_watch_stop(watch);
}
END_TEST

START_TEST(http_watch_leaves_a_socket_alone_once_it_is_forgotten)
{
	struct http_watch *watch;
	struct pair pair;

	ck_assert_int_eq(http_watch_start(READ_MS, ANSWER_MS, MAX, &watch), ERR_OK);
	pair = pair_add(watch);
	http_watch_remove(watch, pair.watched);

	ck_assert(!is_shut(&pair, LONG_MS));

	pair.watched = NULL;
	pair_remove(watch, &pair);
	http_watch_stop(watch);
}
END_TEST

START_TEST(http_watch_shut_idle_counts_the_busy_ones)
{
	struct http_watch *watch;
	struct pair idle, busy;

	ck_assert_int_eq(http_watch_start(FOR_EVER_MS, FOR_EVER_MS, MAX, &watch), ERR_OK);
	idle = pair_add(watch);
	busy = pair_add(watch);
	http_watch_enter(watch, busy.watched, HTTP_WATCH_SERVING);

	ck_assert_uint_eq(http_watch_shut_idle(watch), 1);
	ck_assert(is_shut(&idle, 0));
	ck_assert(!is_shut(&busy, 0));

	http_watch_enter(watch, busy.watched, HTTP_WATCH_IDLE);
	ck_assert_uint_eq(http_watch_shut_idle(watch), 0);
	ck_assert(is_shut(&busy, 0));

	pair_remove(watch, &idle);
	pair_remove(watch, &busy);
	http_watch_stop(watch);
}
END_TEST

START_TEST(http_watch_shut_all_spares_none)
{
	struct http_watch *watch;
	struct pair pair;

	ck_assert_int_eq(http_watch_start(FOR_EVER_MS, FOR_EVER_MS, MAX, &watch), ERR_OK);
	pair = pair_add(watch);
	http_watch_enter(watch, pair.watched, HTTP_WATCH_SERVING);

	http_watch_shut_all(watch);
	ck_assert(is_shut(&pair, 0));

	pair_remove(watch, &pair);
	http_watch_stop(watch);
	http_watch_stop(NULL);
}
END_TEST

UNIT_MAIN("http_watch", {
	tcase_add_loop_test(tests, http_watch_cuts_what_takes_too_long_but_never_a_handler, 0,
			    (int)(sizeof states / sizeof states[0]));
	tcase_add_test(tests, http_watch_lets_the_slow_make_room_where_it_is_crowded);
	tcase_add_test(tests, http_watch_takes_no_more_than_there_may_be);
	tcase_add_test(tests, http_watch_leaves_a_socket_alone_once_it_is_forgotten);
	tcase_add_test(tests, http_watch_shut_idle_counts_the_busy_ones);
	tcase_add_test(tests, http_watch_shut_all_spares_none);
})
