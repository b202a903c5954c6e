/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Failures: one closed list for the whole project, made from err.def.
 *
 * Invariant  a failure is one of these; decisions are outcome enums of their own
 * Threads    safe: constants only
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdbool.h>

#define CHECKED __attribute__((warn_unused_result))

enum err {
	ERR_OK = 0,
#define X(name, class, http, code, exit_status, title) ERR_##name,
#include "core/err.def"
#undef X
	ERR_COUNT
};

enum err_class {
	ERR_CLASS_NONE,
	ERR_CLASS_CALLER,
	ERR_CLASS_RETRY,
	ERR_CLASS_UNCERTAIN,
	ERR_CLASS_FATAL
};

struct err_row {
	const char *name;  /* "BUSY" */
	const char *code;  /* public, stable: "busy" */
	const char *title; /* one line for people */
	enum err_class class;
	int http_status;
	int exit_status; /* sysexits.h */
};

/* The row of `err`; never NULL. ERR_OK has name "OK", code "ok", HTTP 200, exit 0. */
const struct err_row *err_row(enum err err);

/* True where running the same work again is safe (class RETRY). */
bool err_retryable(enum err err);

#endif
