/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/due_clock.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/operation.h"

#define ACQUIRE_WAIT_MS 1000
#define SET_US INT64_C(5000000) /* what a clock that nobody sets never moves between two looks */

struct look {
	bool mends;
	int64_t known_ahead_us;
	int64_t ahead_us;
	uint64_t brought;
};

static enum err look_work(struct store_tx *tx, void *context)
{
	struct look *look = context;
	int64_t now_us;
	enum err err = store_now(tx, &now_us);

	if (err != ERR_OK)
		return err;
	look->ahead_us = now_us - clock_boot_us();
	look->brought = 0;
	if (!look->mends && look->ahead_us > look->known_ahead_us - SET_US)
		return ERR_OK;
	return store_operation_bring_back(tx, SET_US, &look->brought);
}

static void set_forth(struct due_clock *clock, int64_t by_us)
{
	const int64_t boot_us = clock_boot_us();

	if (clock->expire_from_boot_us < boot_us)
		clock->expire_from_boot_us = boot_us;
	clock->expire_from_boot_us += by_us;
	log_warning("the database's clock was set forth", LOG_INT("by_us", by_us));
}

/* What was set forth and back again keeps nobody waiting. */
static void set_back(struct due_clock *clock, int64_t by_us, uint64_t brought)
{
	clock->expire_from_boot_us -= by_us;
	log_warning("the database's clock was set back", LOG_INT("by_us", by_us),
		    LOG_INT("operations", (int64_t)brought));
}

enum err due_clock_look(struct store_pool *pool, struct due_clock *clock)
{
	struct look look = { .mends = !clock->begun, .known_ahead_us = clock->ahead_us };
	enum err err = store_pool_run(pool, ACQUIRE_WAIT_MS, look_work, &look);
	int64_t by_us;

	if (err != ERR_OK)
		return err;
	by_us = look.ahead_us - clock->ahead_us;
	if (clock->begun && by_us >= SET_US)
		set_forth(clock, by_us);
	else if (clock->begun && by_us <= -SET_US)
		set_back(clock, -by_us, look.brought);
	else if (look.brought > 0)
		log_warning("operations were written later than it is now",
			    LOG_INT("operations", (int64_t)look.brought));
	clock->begun = true;
	clock->ahead_us = look.ahead_us;
	return ERR_OK;
}

bool due_clock_lets_expire(const struct due_clock *clock, int64_t boot_us)
{
	return clock == NULL || boot_us >= clock->expire_from_boot_us;
}
