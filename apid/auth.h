/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Authentication: the bearer token of a request, verified once and remembered until it expires; or the API key in its
 * place, which is looked up again each second since it can be revoked.
 *
 * Invariant  what is remembered is the SHA-256 of a token that was verified, with its claims; never the token. It
 *            is forgotten when other settings come into force
 * Ownership  the app is borrowed until auth_free()
 * Threads    safe
 * Source     RFC 6750 sections 2.1 and 3; API.md: Authentication
 */
#ifndef APID_AUTH_H
#define APID_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "apid/app.h"
#include "apid/http_message.h"
#include "base/key_token.h"
#include "base/token.h"
#include "core/err.h"

struct auth;
struct settings;

CHECKED enum err auth_new(const struct app *app, struct auth **auth);
void auth_free(struct auth *auth);

/* When a caller is judged, and until when he waits where a key must be looked up. */
struct auth_moment {
	int64_t now_s;
	int64_t deadline_boot_us;
};

/*
 * Who calls, by the keys of these settings: exactly one Authorization header, "Bearer", one blank, a token or an API
 * key.
 * Returns  ERR_OK with *claims; ERR_UNAUTHENTICATED with *why, a short constant reason, or NULL where the
 *          request brings no credentials at all; where a key could not be looked up: ERR_DEADLINE,
 *          ERR_OVERLOADED, what the database met
 */
CHECKED enum err auth_check(struct auth *auth, const struct settings *settings,
			    const struct http_call *call, struct auth_moment at,
			    struct token_claims *claims, const char **why);

/* Whether the credentials of the request were right lately, as far as is remembered: without verifying them. */
bool auth_knows(struct auth *auth, const struct http_call *call, int64_t now_s);

/* The id of the API key that the request bears, right or wrong. False: it bears none. */
bool auth_key_id(const struct http_call *call, char id[KEY_TOKEN_ID_SIZE]);

#endif
