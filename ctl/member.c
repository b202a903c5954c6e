/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/member.h"

#include <stdio.h>

#include "base/clock.h"

#define INDENT 2

/* What is not UTF-8, which a gateway's words may be, is null too. */
void member_text(json_t *object, const char *name, const char *text)
{
	json_t *value = text[0] == '\0' ? NULL : json_string(text);

	(void)json_object_set_new(object, name, value == NULL ? json_null() : value);
}

void member_id(json_t *object, const char *name, enum id_kind kind, struct id id)
{
	char text[ID_TEXT_SIZE];

	member_text(object, name, id_is_empty(id) ? "" : id_format(kind, id, text));
}

void member_time(json_t *object, const char *name, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];

	member_text(object, name, at_us == 0 ? "" : clock_format(at_us, text));
}

void member_list_end(const json_t *list, unsigned count, const char *none)
{
	if (list != NULL)
		(void)json_dumpf(list, stdout, JSON_INDENT(INDENT));
	if (list != NULL || count == 0)
		puts(list != NULL ? "" : none);
}

void member_list_more(const json_t *list, unsigned shown, const char *advice)
{
	fprintf(list != NULL ? stderr : stdout, "There are more than these %u%s\n", shown, advice);
}
