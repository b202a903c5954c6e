/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * API call ids: the client's own when it is usable, else one of ours.
 *
 * Invariant  [A-Za-z0-9._-]{1,64}, and no card number as a word of its own, for it goes into every log line
 * Threads    safe
 * Source     API.md: X-Api-Call-Id
 */
#ifndef APID_CALL_ID_H
#define APID_CALL_ID_H

#include "apid/http_message.h"

#define CALL_ID_SIZE 65

/* From X-Request-Id, else X-Api-Call-Id, else random. Returns `out`. */
const char *call_id_choose(const struct http_call *call, char out[CALL_ID_SIZE]);

#endif
