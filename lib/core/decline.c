/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/decline.h"

#include <string.h>

static const char *const advices[] = { "retry", "retry_later", "other_method", "never" };
const struct words advice_words = { advices, sizeof advices / sizeof advices[0] };

static const struct decline declines[] = {
#define DECLINE(code, advice, elsewhere, again, message)                                           \
	{ code, ADVICE_##advice, elsewhere, again, message },
#define FAILURE(code, advice, message)
#include "core/decline.def"
#undef DECLINE
#undef FAILURE
};
#define DECLINE_COUNT (sizeof declines / sizeof declines[0])

static const struct decline failures[] = {
#define DECLINE(code, advice, elsewhere, again, message)
#define FAILURE(code, advice, message) { code, ADVICE_##advice, false, false, message },
#include "core/decline.def"
#undef DECLINE
#undef FAILURE
};

static const struct decline *find(const struct decline *list, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].code, code) == 0)
			return &list[i];
	return NULL;
}

const struct decline *decline_find(const char *code)
{
	const struct decline *found = find(declines, DECLINE_COUNT, code);

	return found != NULL ? found : find(declines, DECLINE_COUNT, DECLINE_OTHER);
}

bool decline_is_known(const char *code)
{
	return find(declines, DECLINE_COUNT, code) != NULL;
}

const struct decline *decline_of_failure(const char *failure_code, const char *decline_code)
{
	const struct decline *found =
		find(failures, sizeof failures / sizeof failures[0], failure_code);

	return found != NULL ? found : decline_find(decline_code);
}

const struct decline *decline_list(size_t *count)
{
	*count = DECLINE_COUNT;
	return declines;
}
