/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * API keys: issue, replace and revoke them, and say what one allows.
 *
 * Invariant  a key's name belongs to one live key of its merchant, or to two while the one replaces the other; what was
 *            revoked or has expired never lives again; no key allows more than who made it might do
 * Units      microseconds of the database clock
 * Ownership  plain values; a secret is not seen here, only its hash
 * Threads    safe: all state lives in the store transaction passed in
 * Source     API.md: Authentication
 */
#ifndef SERVICE_API_KEY_H
#define SERVICE_API_KEY_H

#include <stdbool.h>

#include "store/api_key.h"

struct api_key_wish {
	struct key_token token; /* made by the caller, who has the secret */
	const char *merchant;
	const char *name; /* api_key_is_name() */
	const char *by;   /* who wants it */
	unsigned
		scopes; /* not 0; of no meaning where a key is replaced: it allows what the old one did */
	int64_t lifetime_us;
	int64_t expires_at_us; /* where it is not 0, in place of the lifetime */
	unsigned scopes_max;   /* what who wants it may do: no key allows more */
	const char *
		id; /* replace: only where this key is the live one of the name; NULL: whichever is */
};

enum api_key_outcome { /* in order of precedence: the first that applies is reported */
		       API_KEY_NO_MERCHANT,
		       API_KEY_NAME_TAKEN, /* issue: a live key has the name */
		       API_KEY_NO_NAME,    /* replace: no live key has it */
		       API_KEY_TWO_LIVE,   /* replace: the last replacement is not over */
		       API_KEY_BEYOND,     /* it would allow more than who wants it may do */
		       API_KEY_MADE,
};

/* 1 to 64 visible ASCII characters without blanks. */
bool api_key_is_name(const char *name);

/*
 * Make a key under a name that no live key has; or a second one beside the live key of the name.
 * Returns  ERR_OK with *outcome, and *row with _MADE; what the database says
 */
CHECKED enum err api_key_issue(struct store_tx *tx, const struct api_key_wish *wish,
			       enum api_key_outcome *outcome, struct api_key_row *row);
CHECKED enum err api_key_replace(struct store_tx *tx, const struct api_key_wish *wish,
				 enum api_key_outcome *outcome, struct api_key_row *row);

/*
 * One of the merchant's; of any, where `merchant` is NULL.
 * Returns  ERR_OK; ERR_NOT_FOUND, also when it is another merchant's
 */
CHECKED enum err api_key_show(struct store_tx *tx, const char *merchant, const char *id,
			      struct api_key_row *row);

/*
 * Revoke a key for good: one of the merchant's, or any, where `merchant` is NULL.
 * Returns  ERR_OK with *row as it is afterwards (revoked by another, where that was before); ERR_NOT_FOUND
 */
CHECKED enum err api_key_revoke(struct store_tx *tx, const char *merchant, const char *id,
				const char *by, struct api_key_row *row);

#endif
