/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/err.h"

#include <assert.h>
#include <stddef.h>

static const struct err_row rows[ERR_COUNT] = {
	[ERR_OK] = { "OK", "ok", "Success", ERR_CLASS_NONE, 200, 0 },
#define X(name, class, http, code, exit_status, title)                                             \
	[ERR_##name] = { #name, code, title, ERR_CLASS_##class, http, exit_status },
#include "core/err.def"
#undef X
};

const struct err_row *err_row(enum err err)
{
	assert(err >= 0 && err < ERR_COUNT);
	return &rows[err];
}

bool err_retryable(enum err err)
{
	return err_row(err)->class == ERR_CLASS_RETRY;
}
