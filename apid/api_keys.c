/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apid/api_key_fields.h"
#include "apid/call.h"
#include "apid/list.h"
#include "apid/members.h"
#include "apid/render.h"
#include "base/clock.h"
#include "base/log.h"
#include "service/api_key.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_S)
#define DAYS_DEFAULT 365
#define AHEAD_MIN_US (60 * US_PER_S)

/* ---- how one is shown ---- */

static const char *state_of(const struct api_key_row *row)
{
	if (row->revoked_at_us != 0)
		return "revoked";
	return row->expires_at_us <= clock_now_us() ? "expired" : "live";
}

static json_t *text_or_null(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *render_key(const struct api_key_row *row)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "api_key_id", row->id,
			 "name", row->name, "scope", row->scopes, "state", state_of(row),
			 "created_at", render_time(row->created_at_us), "created_by",
			 row->created_by, "expires_at", render_time(row->expires_at_us),
			 "revoked_at", render_time(row->revoked_at_us), "revoked_by",
			 text_or_null(row->revoked_by));
}

/* Who asks, for the record: an API key by its id, who bears a token by its subject. */
static void asker_write(const struct token_claims *claims, char by[API_KEY_BY_SIZE])
{
	(void)snprintf(by, API_KEY_BY_SIZE, "%s%.*s", claims->api_key[0] != '\0' ? "key:" : "",
		       API_KEY_BY_SIZE - 5,
		       claims->api_key[0] != '\0' ? claims->api_key : claims->subject);
}

static void note(const char *what, const struct api_key_row *row, const char *by)
{
	const struct log_field said[] = {
		LOG_TEXT("api_key", row->id),
		LOG_TEXT("name", row->name),
		LOG_TEXT("by", by),
	};

	log_write(LOG_INFO, what, said, sizeof said / sizeof said[0]);
}

static void refuse_unknown(struct call *call, enum err err)
{
	if (err == ERR_UNCERTAIN) /* revoking may be repeated */
		err = ERR_UNAVAILABLE;
	call_refuse(call, err, err == ERR_NOT_FOUND ? "There is no such API key." : NULL);
}

/* ---- make one ---- */

typedef enum err make_work(struct store_tx *tx, const struct api_key_wish *wish,
			   enum api_key_outcome *outcome, struct api_key_row *row);

struct making {
	struct call *call;
	make_work *work;
	struct api_key_wish wish;
	const char *replaced; /* the id of the path; NULL: none is replaced */
	char by[API_KEY_BY_SIZE];
	struct api_key_row old; /* where one is replaced */
	enum api_key_outcome outcome;
	struct api_key_row row;
};

static enum err make(struct store_tx *tx, void *context)
{
	struct making *making = context;
	enum err err = ERR_OK;

	if (making->replaced != NULL)
		err = api_key_show(tx, making->wish.merchant, making->replaced, &making->old);
	if (err != ERR_OK)
		return err;
	if (making->replaced != NULL) {
		making->wish.name = making->old.name;
		making->wish.id = making->old.id;
	}
	return making->work(tx, &making->wish, &making->outcome, &making->row);
}

/* The one time that the secret is seen. */
static void answer_made(struct call *call, const struct making *making, const char *text)
{
	char location[sizeof "/api-keys/" + KEY_TOKEN_ID_SIZE];
	json_t *body = render_key(&making->row);

	if (body != NULL && json_object_set_new(body, "key", json_string(text)) != 0) {
		json_decref(body);
		body = NULL;
	}
	(void)snprintf(location, sizeof location, "/api-keys/%s", making->row.id);
	http_reply_header(call->reply, "Location", location);
	note("API key made", &making->row, making->by);
	call_answer(call, 201, body);
}

static void answer(struct making *making, const char *text)
{
	struct call *call = making->call;

	switch (making->outcome) {
	case API_KEY_NO_MERCHANT:
		call_refuse(call, ERR_MERCHANT, NULL);
		return;
	case API_KEY_NAME_TAKEN:
		call_refuse(call, ERR_CONFLICT,
			    "A live key has this name: take another, or rotate that key.");
		return;
	case API_KEY_NO_NAME:
		call_refuse(call, ERR_STATE, "The key is not live any more: make a new one.");
		return;
	case API_KEY_TWO_LIVE:
		call_refuse(call, ERR_STATE,
			    "Two live keys have this name already: revoke the old one first.");
		return;
	case API_KEY_BEYOND:
		call_refuse(call, ERR_SCOPE,
			    "A key cannot allow what the token of this request does not.");
		return;
	case API_KEY_MADE:
		answer_made(call, making, text);
		return;
	}
	call_refuse(call, ERR_INTERNAL, NULL);
}

static void run(struct making *making)
{
	struct call *call = making->call;
	char text[KEY_TOKEN_SIZE];
	enum err err;

	asker_write(&call->claims, making->by);
	making->wish.by = making->by;
	making->wish.merchant = call->claims.merchant;
	making->wish.scopes_max = call->claims.scopes;
	key_token_make(&making->wish.token, text);
	err = store_pool_run(call->app->pool, call_wait_ms(call), make, making);
	if (err == ERR_OK)
		answer(making, text);
	else if (err == ERR_UNCERTAIN)
		call_refuse(call, ERR_UNAVAILABLE,
			    "Whether the key was made is not known, and its secret is lost: look "
			    "for it in the list, and revoke it.");
	else
		refuse_unknown(call, err);
	explicit_bzero(text, sizeof text);
}

/* When it expires, where the body says so; *at_us is untouched where it does not. */
static void expiry_read(const char *text, int64_t *at_us, struct field_errors *errors)
{
	const int64_t now_us = clock_now_us();
	int64_t given;

	if (text[0] == '\0')
		return;
	if (!clock_parse(text, &given))
		field_error_add(errors, "expires_at", FIELD_SYNTAX,
				"must be a time like 2027-03-01T00:00:00Z");
	else if (given < now_us + AHEAD_MIN_US || given > now_us + API_KEY_DAYS_MAX * US_PER_DAY)
		field_error_add(errors, "expires_at", FIELD_NOT_A_WORD,
				"must be from a minute to %d days from now", API_KEY_DAYS_MAX);
	else
		*at_us = given;
}

static void scope_read(const char *text, unsigned *scopes, struct field_errors *errors)
{
	if (!token_scopes_parse(text, scopes) || *scopes == 0)
		field_error_add(errors, "scope", FIELD_NOT_A_WORD,
				"must be words like payments:read, separated by blanks");
}

/* The members that both ways to make a key share. False: refused. */
static bool judged(struct call *call, const struct field_errors *errors)
{
	if (errors->count > 0)
		call_refuse_errors(call, ERR_INVALID, NULL, problem_errors(errors));
	return errors->count == 0;
}

void api_keys_issue(struct call *call)
{
	struct making making = { .call = call, .work = api_key_issue };
	struct api_key_wish *wish = &making.wish;
	struct field_member members[FIELD_MEMBERS_MAX];
	struct field_errors errors = { .count = 0 };
	size_t count, field_count;
	const struct field_spec *fields = api_key_fields(&field_count);

	if (!members_read(call, fields, field_count, members, &count))
		return;
	wish->name = members_text(members, count, "name");
	wish->lifetime_us = DAYS_DEFAULT * US_PER_DAY;
	scope_read(members_text(members, count, "scope"), &wish->scopes, &errors);
	expiry_read(members_text(members, count, "expires_at"), &wish->expires_at_us, &errors);
	if (judged(call, &errors))
		run(&making);
}

void api_keys_rotate(struct call *call)
{
	struct making making = { .call = call,
				 .work = api_key_replace,
				 .replaced = call->match.parameter };
	struct field_member members[FIELD_MEMBERS_MAX];
	struct field_errors errors = { .count = 0 };
	size_t count, field_count;
	const struct field_spec *fields = api_key_rotation_fields(&field_count);

	if (!members_read(call, fields, field_count, members, &count))
		return;
	making.wish.lifetime_us = DAYS_DEFAULT * US_PER_DAY;
	expiry_read(members_text(members, count, "expires_at"), &making.wish.expires_at_us,
		    &errors);
	if (!judged(call, &errors))
		return;
	if (key_token_is_id(making.replaced))
		run(&making);
	else
		refuse_unknown(call, ERR_NOT_FOUND);
}

/* ---- one that is there ---- */

struct looking {
	const struct call *call;
	bool revoke;
	char by[API_KEY_BY_SIZE];
	struct api_key_row row;
};

static enum err look(struct store_tx *tx, void *context)
{
	struct looking *at = context;
	const char *merchant = at->call->claims.merchant, *id = at->call->match.parameter;

	if (at->revoke)
		return api_key_revoke(tx, merchant, id, at->by, &at->row);
	return api_key_show(tx, merchant, id, &at->row);
}

void api_keys_show(struct call *call)
{
	struct looking at = { .call = call };
	enum err err = ERR_NOT_FOUND; /* what is not an id names nothing */

	if (key_token_is_id(call->match.parameter))
		err = store_pool_look(call->app->pool, call_wait_ms(call), look, &at);
	if (err == ERR_OK)
		call_answer(call, 200, render_key(&at.row));
	else
		refuse_unknown(call, err);
}

/* Once more it changes nothing, so that it may be repeated where its answer was lost. */
void api_keys_revoke(struct call *call)
{
	struct looking at = { .call = call, .revoke = true };
	enum err err = ERR_NOT_FOUND;

	asker_write(&call->claims, at.by);
	if (key_token_is_id(call->match.parameter))
		err = store_pool_run(call->app->pool, call_wait_ms(call), look, &at);
	if (err != ERR_OK) {
		refuse_unknown(call, err);
		return;
	}
	note("API key revoked", &at.row, at.by);
	call_answer(call, 200, render_key(&at.row));
}

/* ---- all of a merchant's ---- */

static_assert(API_KEY_LIST_LIMIT_MAX == LIST_LIMIT_MAX, "one limit for all lists");
static_assert(KEY_TOKEN_ID_SIZE == ID_SIZE + 1, "a key's digits have the room of an id");

struct listing { /* one page of it */
	struct list list;
	const char *merchant;
	struct api_key_place after;
	json_t *keys; /* array, emptied at each try */
	bool more;
	struct cursor end;
};

/* The row behind the page only tells that there is one. */
static void key_add(void *context, const struct api_key_row *row)
{
	struct listing *listing = context;

	listing->more = json_array_size(listing->keys) == listing->list.limit;
	if (listing->more)
		return;
	(void)json_array_append_new(listing->keys, render_key(row));
	listing->end.at_us = row->created_at_us;
	memcpy(listing->end.id.bytes, row->id, ID_SIZE);
}

static enum err look_page(struct store_tx *tx, void *context)
{
	struct listing *listing = context;

	(void)json_array_clear(listing->keys);
	listing->more = false;
	return store_api_key_page(tx, listing->merchant, &listing->after, listing->list.limit + 1,
				  key_add, listing);
}

void api_keys_list(struct call *call)
{
	struct listing listing = { .merchant = call->claims.merchant };
	struct cursor place = { .at_us = INT64_MAX };
	enum err err;

	if (!list_read(call, NULL, 0, NULL, &listing.list))
		return;
	(void)snprintf(listing.list.identity, sizeof listing.list.identity, "%s\napi-keys",
		       listing.merchant);
	if (!list_go_on(call, &listing.list, &place))
		return;
	listing.after = (struct api_key_place){ place.at_us, place.id };
	listing.keys = json_array();
	err = store_pool_look(call->app->pool, call_wait_ms(call), look_page, &listing);
	if (err != ERR_OK) {
		json_decref(listing.keys);
		call_refuse(call, err, NULL);
		return;
	}
	if (listing.more)
		list_link(call, "/api-keys", &listing.list, listing.end);
	call_answer(call, 200, listing.keys);
}
