/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/api_key_lookup.h"

#include <stdio.h>
#include <string.h>

#define US_PER_S 1000000

static enum err find(struct store_tx *tx, const char *merchant, const void *question, void *answer)
{
	(void)merchant; /* nobody knows yet */
	return store_api_key_find(tx, question, answer);
}

enum err api_key_lookup_start(const struct store_settings *database, struct reader **keys)
{
	static const struct reader_kind kind = { .threads = 1,
						 .question_size = KEY_TOKEN_ID_SIZE,
						 .answer_size = sizeof(struct api_key_row),
						 .find = find };

	return reader_start(&kind, database, keys);
}

static enum err grant_take(const struct api_key_row *row, struct api_key_grant *grant)
{
	struct api_key_grant found = { .claims = { .scopes = 0 } };

	if (row->revoked_at_us != 0)
		return ERR_NOT_FOUND;
	if (!token_scopes_parse(row->scopes, &found.claims.scopes))
		return ERR_STORE;
	memcpy(found.digest, row->digest, sizeof found.digest);
	(void)snprintf(found.claims.merchant, sizeof found.claims.merchant, "%s", row->merchant);
	(void)snprintf(found.claims.subject, sizeof found.claims.subject, "%s", row->name);
	memcpy(found.claims.api_key, row->id, sizeof found.claims.api_key);
	found.claims.expires_at_s = row->expires_at_us / US_PER_S;
	*grant = found;
	return ERR_OK;
}

enum err api_key_lookup_find(struct reader *keys, const char *id, int64_t deadline_boot_us,
			     struct api_key_grant *grant)
{
	char question[KEY_TOKEN_ID_SIZE];
	struct api_key_row row;
	enum err err;

	(void)snprintf(question, sizeof question, "%s", id);
	err = reader_ask(keys, "", question, deadline_boot_us, &row);
	return err == ERR_OK ? grant_take(&row, grant) : err;
}
