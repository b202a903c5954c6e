/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members of the JSON objects that --json prints; empty texts, ids and times are null.
 *
 * Threads    main thread only
 */
#ifndef CTL_MEMBER_H
#define CTL_MEMBER_H

#include <jansson.h>
#include <stdint.h>

#include "core/id.h"

void member_text(json_t *object, const char *name, const char *text);
void member_id(json_t *object, const char *name, enum id_kind kind, struct id id);
void member_time(json_t *object, const char *name, int64_t at_us);

/* The end of a listing: the array, where there is one, else `none` where there was no row. */
void member_list_end(const json_t *list, unsigned count, const char *none);

/* That there are more than the `shown`, and what lists them: beneath the rows; of an array on standard error. */
void member_list_more(const json_t *list, unsigned shown, const char *advice);

#endif
