/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/quiet.h"

#include <string.h>

/* Longer than any pause between two inquiries of which the second may settle it. */
#define KEPT_US (INT64_C(7200) * 1000000)

/* An attempt being asked about is not forgotten for others: it would never settle under load. */
static bool is_kept(const struct quiet_slot *slot, int64_t boot_us)
{
	return slot->asked_us != 0 && boot_us - slot->asked_us < KEPT_US;
}

static int64_t since_us(const struct quiet_slot *slot)
{
	return id_is_empty(slot->attempt_id) ? INT64_MIN : slot->first_seen_us;
}

/* The attempt's slot, a new one where it has none; NULL where all it could have are kept. */
static struct quiet_slot *slot_of(struct quiet *quiet, struct id attempt_id, int64_t boot_us)
{
	struct quiet_slot *victim = NULL;
	struct quiet_slot *set;
	uint32_t hash;

	memcpy(&hash, attempt_id.bytes + ID_SIZE - sizeof hash, sizeof hash);
	set = &quiet->slots[hash % QUIET_SETS * QUIET_WAYS];
	for (struct quiet_slot *slot = set; slot < set + QUIET_WAYS; slot++) {
		if (id_equal(slot->attempt_id, attempt_id))
			return slot;
		if (!is_kept(slot, boot_us) &&
		    (victim == NULL || since_us(slot) < since_us(victim)))
			victim = slot;
	}
	if (victim != NULL)
		*victim = (struct quiet_slot){ .attempt_id = attempt_id, .first_seen_us = boot_us };
	return victim;
}

void quiet_see(struct quiet *quiet, struct id attempt_id, int64_t boot_us)
{
	(void)slot_of(quiet, attempt_id, boot_us);
}

bool quiet_not_found(struct quiet *quiet, struct id attempt_id, const struct quiet_answer *answer)
{
	struct quiet_slot *slot = slot_of(quiet, attempt_id, answer->asked_boot_us);

	if (slot == NULL)
		return false;
	slot->asked_us = answer->asked_boot_us;
	if (answer->asked_boot_us - slot->first_seen_us < answer->lease_span_us + answer->quiet_us)
		return false;
	if (slot->not_found_us == 0) {
		slot->not_found_us = answer->heard_boot_us;
		return false;
	}
	if (answer->asked_boot_us - slot->not_found_us < answer->quiet_us)
		return false;
	slot->asked_us = 0; /* settled: its slot is free for another */
	return true;
}
