/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/api_key.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"

bool api_key_is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size < API_KEY_NAME_SIZE && text_is(TEXT_VISIBLE, name, size);
}

static enum err merchant_outcome(struct store_tx *tx, const char *merchant,
				 enum api_key_outcome *outcome)
{
	struct merchant_row row;
	enum err err = store_merchant_find(tx, merchant, &row);

	*outcome = err == ERR_NOT_FOUND ? API_KEY_NO_MERCHANT : API_KEY_MADE;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The live keys of the wished name, locked. */
static enum err holders_lock(struct store_tx *tx, const struct api_key_wish *wish, int64_t *now_us,
			     struct api_key_row holders[API_KEY_SLOTS], size_t *count)
{
	enum err err = store_now(tx, now_us);

	if (err == ERR_OK)
		err = store_api_key_vacate(tx, wish->merchant, wish->name, *now_us);
	if (err == ERR_OK)
		err = store_api_key_lock(tx, wish->merchant, wish->name, holders, count);
	return err;
}

static struct api_key_row row_of(const struct api_key_wish *wish, int64_t now_us)
{
	struct api_key_row row = { .slot = 1,
				   .created_at_us = now_us,
				   .expires_at_us = wish->expires_at_us != 0
							    ? wish->expires_at_us
							    : now_us + wish->lifetime_us };

	(void)snprintf(row.id, sizeof row.id, "%s", wish->token.id);
	(void)snprintf(row.merchant, sizeof row.merchant, "%s", wish->merchant);
	(void)snprintf(row.name, sizeof row.name, "%s", wish->name);
	(void)snprintf(row.created_by, sizeof row.created_by, "%s", wish->by);
	memcpy(row.digest, wish->token.digest, sizeof row.digest);
	return row;
}

/* Of two who want the same slot at once, one meets the other's row. */
static enum err insert(struct store_tx *tx, const struct api_key_row *made,
		       enum api_key_outcome taken, enum api_key_outcome *outcome,
		       struct api_key_row *row)
{
	enum err err = store_api_key_insert(tx, made);

	*outcome = err == ERR_OK ? API_KEY_MADE : taken;
	if (err == ERR_OK)
		*row = *made;
	return err == ERR_CONFLICT ? ERR_OK : err;
}

static bool is_beyond(const struct api_key_wish *wish, unsigned scopes)
{
	return (scopes & ~wish->scopes_max) != 0;
}

enum err api_key_issue(struct store_tx *tx, const struct api_key_wish *wish,
		       enum api_key_outcome *outcome, struct api_key_row *row)
{
	struct api_key_row holders[API_KEY_SLOTS], made;
	int64_t now_us = 0;
	size_t count = 0;
	enum err err = merchant_outcome(tx, wish->merchant, outcome);

	if (err != ERR_OK || *outcome != API_KEY_MADE)
		return err;
	err = holders_lock(tx, wish, &now_us, holders, &count);
	if (err != ERR_OK)
		return err;
	if (count > 0) {
		*outcome = API_KEY_NAME_TAKEN;
		return ERR_OK;
	}
	if (is_beyond(wish, wish->scopes)) {
		*outcome = API_KEY_BEYOND;
		return ERR_OK;
	}
	made = row_of(wish, now_us);
	token_scopes_write(wish->scopes, made.scopes);
	return insert(tx, &made, API_KEY_NAME_TAKEN, outcome, row);
}

static bool is_among(const char *id, const struct api_key_row *holders, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(holders[i].id, id) == 0)
			return true;
	return false;
}

/* Whether there is one key to replace, of which who wants it may do all. */
static enum err judge_replace(const struct api_key_wish *wish, const struct api_key_row *holders,
			      size_t count, enum api_key_outcome *outcome)
{
	unsigned scopes = 0;

	*outcome = API_KEY_MADE;
	if (count == 0 || (wish->id != NULL && !is_among(wish->id, holders, count)))
		*outcome = API_KEY_NO_NAME;
	else if (count != 1)
		*outcome = API_KEY_TWO_LIVE;
	else if (!token_scopes_parse(holders[0].scopes, &scopes))
		return ERR_STORE;
	else if (is_beyond(wish, scopes))
		*outcome = API_KEY_BEYOND;
	return ERR_OK;
}

enum err api_key_replace(struct store_tx *tx, const struct api_key_wish *wish,
			 enum api_key_outcome *outcome, struct api_key_row *row)
{
	struct api_key_row holders[API_KEY_SLOTS], made;
	int64_t now_us = 0;
	size_t count = 0;
	enum err err = merchant_outcome(tx, wish->merchant, outcome);

	if (err != ERR_OK || *outcome != API_KEY_MADE)
		return err;
	err = holders_lock(tx, wish, &now_us, holders, &count);
	if (err == ERR_OK)
		err = judge_replace(wish, holders, count, outcome);
	if (err != ERR_OK || *outcome != API_KEY_MADE)
		return err;
	made = row_of(wish, now_us);
	made.slot = API_KEY_SLOTS + 1 - holders[0].slot;
	memcpy(made.scopes, holders[0].scopes, sizeof made.scopes);
	return insert(tx, &made, API_KEY_TWO_LIVE, outcome, row);
}

enum err api_key_show(struct store_tx *tx, const char *merchant, const char *id,
		      struct api_key_row *row)
{
	struct api_key_row found;
	enum err err = store_api_key_find(tx, id, &found);

	if (err == ERR_OK && merchant != NULL && strcmp(found.merchant, merchant) != 0)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		*row = found;
	return err;
}

enum err api_key_revoke(struct store_tx *tx, const char *merchant, const char *id, const char *by,
			struct api_key_row *row)
{
	int64_t now_us;
	enum err err = api_key_show(tx, merchant, id, row);

	if (err == ERR_OK)
		err = store_now(tx, &now_us);
	if (err == ERR_OK)
		err = store_api_key_revoke(tx, id, now_us, by);
	return err == ERR_OK ? store_api_key_find(tx, id, row) : err;
}
