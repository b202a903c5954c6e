/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/quiet.h"

#include <string.h>

static struct quiet_slot *slot_of(struct quiet *quiet, struct id attempt_id)
{
	uint32_t hash;

	memcpy(&hash, attempt_id.bytes + ID_SIZE - sizeof hash, sizeof hash);
	return &quiet->slots[hash % QUIET_SLOTS];
}

void quiet_see(struct quiet *quiet, struct id attempt_id, int64_t boot_us)
{
	struct quiet_slot *slot = slot_of(quiet, attempt_id);

	if (!id_equal(slot->attempt_id, attempt_id))
		*slot = (struct quiet_slot){ .attempt_id = attempt_id, .first_seen_us = boot_us };
}

bool quiet_not_found(struct quiet *quiet, struct id attempt_id, int64_t lease_span_us,
		     int64_t quiet_us, int64_t boot_us)
{
	struct quiet_slot *slot = slot_of(quiet, attempt_id);

	quiet_see(quiet, attempt_id, boot_us);
	if (boot_us - slot->first_seen_us < lease_span_us + quiet_us)
		return false;
	if (slot->not_found_us == 0) {
		slot->not_found_us = boot_us;
		return false;
	}
	return boot_us - slot->not_found_us >= quiet_us;
}
