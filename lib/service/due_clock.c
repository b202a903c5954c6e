/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/due_clock.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/operation.h"

#define ACQUIRE_WAIT_MS 1000
#define SET_US INT64_C(5000000) /* what a clock that nobody sets never moves between two looks */
#define LOOK_MAX_US INT64_C(1000000) /* an answer that took longer tells nothing of a clock */

struct look {
	const struct due_clock *clock;
	struct due_reading reading;
	int64_t set_by_us;
	uint64_t brought;
};

int64_t due_clock_set_by(const struct due_clock *clock, const struct due_reading *reading)
{
	const int64_t took_us = reading->after_boot_us - reading->before_boot_us;
	const int64_t by_us = reading->now_us - reading->after_boot_us - clock->ahead_us;

	if (!clock->begun || took_us > LOOK_MAX_US)
		return 0;
	return by_us >= SET_US || by_us <= -SET_US ? by_us : 0;
}

static enum err look_work(struct store_tx *tx, void *context)
{
	struct look *look = context;
	enum err err;

	look->brought = 0;
	look->reading.before_boot_us = clock_boot_us();
	err = store_now(tx, &look->reading.now_us);
	look->reading.after_boot_us = clock_boot_us();
	if (err != ERR_OK)
		return err;
	look->set_by_us = due_clock_set_by(look->clock, &look->reading);
	if (look->clock->begun && look->set_by_us >= 0)
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
	struct look look = { .clock = clock };
	const struct due_reading *reading = &look.reading;
	enum err err = store_pool_run(pool, ACQUIRE_WAIT_MS, look_work, &look);

	if (err != ERR_OK)
		return err;
	if (look.set_by_us > 0)
		set_forth(clock, look.set_by_us);
	else if (look.set_by_us < 0)
		set_back(clock, -look.set_by_us, look.brought);
	else if (look.brought > 0)
		log_warning("operations were written later than it is now",
			    LOG_INT("operations", (int64_t)look.brought));
	if (reading->after_boot_us - reading->before_boot_us > LOOK_MAX_US)
		return ERR_OK;
	clock->begun = true;
	clock->ahead_us = reading->now_us - reading->after_boot_us;
	return ERR_OK;
}

bool due_clock_lets_expire(const struct due_clock *clock, int64_t boot_us)
{
	return clock == NULL || boot_us >= clock->expire_from_boot_us;
}
