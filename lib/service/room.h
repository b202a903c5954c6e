/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Room: how many calls each gateway may have in flight, so that one that hangs leaves room for the others.
 *
 * Invariant  a gateway has at most as many calls in flight as are left free beside all; so of N that
 *            hang each takes an N+1st of all, and as much is left for those that are well
 * Units      microseconds of the boot clock
 * Ownership  plain values, copied by assignment; with all bytes 0 there is no limit
 * Threads    belongs to the one thread that claims and calls
 * Source     dynamic thresholds for shared buffers, Choudhury and Hahne 1998, with a factor of 1
 */
#ifndef SERVICE_ROOM_H
#define SERVICE_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/gateway.h"

struct room {
	size_t limit; /* of all calls in flight; 0: none */
	bool shared;  /* by several gateways; where there is one only, it may have all */
	size_t total;
	size_t count;
	struct room_share {
		char gateway[GATEWAY_NAME_SIZE];
		size_t in_flight;
		int64_t moved_us; /* when a call ended last, or the first of those in flight began */
		int64_t slot_us;  /* when the next one that found no room looks again */
	} list[GATEWAYS_MAX];
};

/* A call to the gateway is about to begin; has ended. */
void room_enter(struct room *room, const char *gateway, int64_t now_us);
void room_leave(struct room *room, const char *gateway, int64_t now_us);

/*
 * 0 where the gateway may be called now, else how long to wait before looking again: a moment where its calls come and
 * go, longer and longer for each who asks where none has ended for a while.
 */
int64_t room_wait_us(struct room *room, const char *gateway, int64_t now_us);

/* How many due operations to look at, whichever gateway they are for, so that few find no room. At least 1. */
size_t room_claimable(const struct room *room);

#endif
