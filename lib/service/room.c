/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/room.h"

#include <stdio.h>
#include <string.h>

#define MOVING_WAIT_US INT64_C(5000)
#define STUCK_US INT64_C(100000)     /* without a call that ended */
#define SLOT_FIRST_US INT64_C(50000) /* until the first of those who wait looks again */
#define SLOT_APART_US INT64_C(2000)  /* between two of them: each look is a row written */
#define CLAIM_LEAST 16               /* others may be behind those that find no room */

/* The gateway's share, made where it is new; NULL where there are too many. */
static struct room_share *share_of(struct room *room, const char *gateway)
{
	size_t at = 0;

	while (at < room->count && strcmp(room->list[at].gateway, gateway) != 0)
		at++;
	if (at == GATEWAYS_MAX)
		return NULL;
	if (at == room->count)
		snprintf(room->list[room->count++].gateway, sizeof room->list[at].gateway, "%s",
			 gateway);
	return &room->list[at];
}

void room_enter(struct room *room, const char *gateway, int64_t now_us)
{
	struct room_share *share = share_of(room, gateway);

	room->total++;
	if (share != NULL && share->in_flight++ == 0)
		share->moved_us = now_us;
}

void room_leave(struct room *room, const char *gateway, int64_t now_us)
{
	struct room_share *share = share_of(room, gateway);

	room->total -= room->total > 0 ? 1 : 0;
	if (share == NULL || share->in_flight == 0)
		return;
	share->in_flight--;
	share->moved_us = now_us;
}

int64_t room_wait_us(struct room *room, const char *gateway, int64_t now_us)
{
	struct room_share *share = share_of(room, gateway);

	/* One that has none is never refused for its share. */
	if (room->limit == 0 || !room->shared || share == NULL || share->in_flight == 0 ||
	    share->in_flight + room->total < room->limit)
		return 0;
	if (now_us - share->moved_us < STUCK_US)
		return MOVING_WAIT_US;
	share->slot_us += SLOT_APART_US;
	if (share->slot_us < now_us + SLOT_FIRST_US)
		share->slot_us = now_us + SLOT_FIRST_US;
	return share->slot_us - now_us;
}

size_t room_claimable(const struct room *room)
{
	size_t largest = 0;
	size_t left = 0;

	if (room->limit == 0 || !room->shared)
		return SIZE_MAX;
	for (size_t i = 0; i < room->count; i++)
		if (room->list[i].in_flight > largest)
			largest = room->list[i].in_flight;
	if (room->total + largest < room->limit)
		left = room->limit - room->total - largest;
	return left > CLAIM_LEAST ? left : CLAIM_LEAST;
}
