/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/payment_method.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

struct adding {
	const struct customer_desk *desk;
	const struct payment_method_target *target;
	const struct payment_method_request *request;
	struct id id; /* fixed before the first try */
	struct creation_key key;
	struct payment_method_row row;
	enum payment_method_outcome outcome;
};

/* The row of a customer who was not erased. */
static enum err customer_row(struct store_tx *tx, const struct payment_method_target *target,
			     bool lock, struct customer_row *row)
{
	enum err err = lock ? store_customer_lock(tx, target->merchant, target->customer, row)
			    : store_customer_find(tx, target->merchant, target->customer, row);

	return err == ERR_OK && row->status == CUSTOMER_ERASED ? ERR_NOT_FOUND : err;
}

static enum err row_fill(struct adding *adding, const struct customer_row *customer)
{
	const struct payment_method_request *request = adding->request;
	const struct vault *vault = adding->desk->vault;
	struct payment_method_row *row = &adding->row;
	const struct vault_place place = { VAULT_METHOD_TOKEN, adding->id };
	struct vault_column token = { row->token_sealed, sizeof row->token_sealed, 0, row->key_id };
	enum err err;

	*row = (struct payment_method_row){ .id = adding->id,
					    .customer_row = customer->id,
					    .expiry_month = request->expiry_month,
					    .expiry_year = request->expiry_year,
					    .version = 1,
					    .key = adding->key };
	memcpy(row->merchant, customer->merchant, sizeof row->merchant);
	memcpy(row->gateway, request->gateway, sizeof row->gateway);
	memcpy(row->method, request->method, sizeof row->method);
	memcpy(row->brand, request->brand, sizeof row->brand);
	memcpy(row->last4, request->last4, sizeof row->last4);
	vault_search_hash(vault, VAULT_METHOD_TOKEN, row->merchant, request->token,
			  row->token_hash);
	err = vault_seal_column(vault, &place, request->token, &token);
	row->token_sealed_size = token.size;
	return err;
}

static enum err row_put(struct store_tx *tx, struct adding *adding)
{
	struct payment_method_row *row = &adding->row;
	int64_t count = 0;
	enum err err = store_payment_method_count(tx, row->customer_row, &count);

	if (err != ERR_OK)
		return err;
	adding->outcome = METHOD_FULL;
	if (count >= PAYMENT_METHODS_MAX)
		return ERR_OK;
	adding->outcome = METHOD_DONE;
	row->is_default = adding->request->wish == METHOD_DEFAULT ||
			  (adding->request->wish == METHOD_AS_NEEDED && count == 0);
	err = store_now(tx, &row->created_at_us);
	row->updated_at_us = row->created_at_us;
	if (err == ERR_OK && row->is_default)
		err = store_payment_method_clear_default(tx, row->customer_row, row->created_at_us);
	if (err != ERR_OK)
		return err;
	err = store_payment_method_insert(tx, row);
	/* Another has just used the key, for another customer perhaps: look again. */
	return err == ERR_CONFLICT && adding->target->creation != NULL ? ERR_BUSY : err;
}

/* The canonical texts of the request, in the order of payment_method_fields(). */
static void fingerprint_fill(struct adding *adding)
{
	const struct payment_method_request *request = adding->request;
	char scope[sizeof "POST /customers//payment-methods" + PAYMENT_CUSTOMER_SIZE];
	char month[12], year[12], wish[12];
	const struct fingerprint_member members[] = {
		{ "gateway", request->gateway },
		{ "payment_token", request->token },
		{ "payment_method", request->method },
		{ "brand", request->brand },
		{ "last4", request->last4 },
		{ "expiry_month", month },
		{ "expiry_year", year },
		{ "default", wish },
	};

	(void)snprintf(scope, sizeof scope, "POST /customers/%s/payment-methods",
		       adding->target->customer);
	(void)snprintf(month, sizeof month, "%d", request->expiry_month);
	(void)snprintf(year, sizeof year, "%d", request->expiry_year);
	(void)snprintf(wish, sizeof wish, "%d", (int)request->wish);
	fingerprint_members(adding->desk->vault, scope, members, sizeof members / sizeof members[0],
			    creation_place(&adding->key));
}

/* As it was made: all that changes later is that another takes the default from it. */
static void replay(struct payment_method_row *row)
{
	const bool changed = row->version > 1;

	row->is_default = row->is_default || changed;
	row->updated_at_us = row->created_at_us;
	row->version = changed ? 0 : row->version;
}

/* What its key has made before; *found: see the outcome. */
static enum err key_look(struct store_tx *tx, struct adding *adding, bool *found)
{
	struct creation *creation = adding->target->creation;
	struct payment_method_row row;
	enum err err = ERR_NOT_FOUND;

	if (creation != NULL)
		err = store_payment_method_find_key(tx, adding->target->merchant, &adding->key,
						    &row);
	*found = err == ERR_OK;
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	adding->row = row;
	if (id_equal(row.id, adding->id)) {
		adding->outcome = METHOD_DONE; /* its commit's answer was lost before */
	} else if (creation_is_same(creation, &row.key, &adding->key)) {
		adding->outcome = METHOD_REPLAYED;
		replay(&adding->row);
	} else {
		adding->outcome = METHOD_KEY_REUSED;
	}
	return ERR_OK;
}

static enum err add_work(struct store_tx *tx, void *context)
{
	struct adding *adding = context;
	struct customer_row customer;
	struct payment_method_row found;
	bool replayed = false;
	enum err err = customer_row(tx, adding->target, true, &customer);

	if (err == ERR_OK)
		err = key_look(tx, adding, &replayed);
	if (err == ERR_OK && !replayed)
		err = row_fill(adding, &customer);
	if (err != ERR_OK || replayed)
		return err;
	err = store_payment_method_find_token(tx, &adding->row, &found);
	if (err == ERR_NOT_FOUND)
		return row_put(tx, adding);
	if (err != ERR_OK)
		return err;
	/* The commit's answer was lost before: it is ours. */
	adding->outcome = id_equal(found.id, adding->id) ? METHOD_DONE : METHOD_EXISTS;
	adding->row = found;
	return ERR_OK;
}

enum err payment_method_add(const struct customer_desk *desk,
			    const struct payment_method_target *target,
			    const struct payment_method_request *request,
			    enum payment_method_outcome *outcome, struct payment_method_row *row)
{
	struct adding adding = { .desk = desk, .target = target, .request = request };
	uint8_t random[10];
	enum err err;

	creation_key_begin(desk->vault, target->merchant, target->creation, &adding.key);
	if (target->creation != NULL)
		fingerprint_fill(&adding);
	crypto_random(random, sizeof random);
	adding.id = id_make(clock_now_us(), random);
	err = store_pool_run(desk->pool, desk->wait_ms, add_work, &adding);
	if (err == ERR_UNCERTAIN &&
	    store_pool_run(desk->pool, desk->wait_ms, add_work, &adding) == ERR_OK)
		err = ERR_OK;
	if (err != ERR_OK)
		return err;
	*outcome = adding.outcome;
	*row = adding.row;
	return ERR_OK;
}

/* ---- show, remove, list ---- */

struct question {
	char customer[PAYMENT_CUSTOMER_SIZE];
	struct id id;
};

static enum err find(struct store_tx *tx, const char *merchant, const void *question, void *answer)
{
	const struct question *which = question;

	return store_payment_method_find_of(tx, merchant, which->customer, which->id, answer);
}

enum err payment_method_start(const struct store_settings *database, struct reader **methods)
{
	static const struct reader_kind kind = { .threads = 2,
						 .question_size = sizeof(struct question),
						 .answer_size = sizeof(struct payment_method_row),
						 .find = find };

	return reader_start(&kind, database, methods);
}

enum err payment_method_show(struct reader *methods, const struct payment_method_target *target,
			     int64_t deadline_boot_us, struct payment_method_row *row)
{
	struct question question = { .id = target->id };

	(void)snprintf(question.customer, sizeof question.customer, "%s", target->customer);
	return reader_ask(methods, target->merchant, &question, deadline_boot_us, row);
}

static enum err token_open(const struct vault *vault, struct payment_method_row *row,
			   struct payment_method_use *use)
{
	const struct vault_place place = { VAULT_METHOD_TOKEN, row->id };
	const struct vault_column token = { row->token_sealed, sizeof row->token_sealed,
					    row->token_sealed_size, row->key_id };
	char id[ID_TEXT_SIZE];

	if (vault_open_column(vault, &place, &token, use->token, sizeof use->token) == ERR_OK)
		return ERR_OK;
	log_error("a payment method's sealed token does not open",
		  LOG_TEXT("row", id_format(ID_PAYMENT_METHOD, row->id, id)),
		  LOG_TEXT("key_id", row->key_id),
		  LOG_TEXT("why", vault_has(vault, row->key_id)
					  ? "it was changed, or sealed with another key"
					  : "its key is not in seal_keys"));
	return ERR_CRYPTO;
}

enum err payment_method_take(struct reader *methods, const struct vault *vault,
			     const struct payment_method_target *target, int64_t deadline_boot_us,
			     struct payment_method_use *use)
{
	struct payment_method_use taken = { .id = target->id };
	struct payment_method_row row;
	enum err err = payment_method_show(methods, target, deadline_boot_us, &row);

	if (err == ERR_OK)
		err = token_open(vault, &row, &taken);
	if (err != ERR_OK)
		return err;
	memcpy(taken.gateway, row.gateway, sizeof taken.gateway);
	memcpy(taken.method, row.method, sizeof taken.method);
	taken.expiry_month = row.expiry_month;
	taken.expiry_year = row.expiry_year;
	*use = taken;
	explicit_bzero(taken.token, sizeof taken.token);
	return ERR_OK;
}

static enum err remove_work(struct store_tx *tx, void *context)
{
	const struct payment_method_target *target = context;
	struct customer_row customer;
	struct payment_method_row row;
	enum err err = customer_row(tx, target, true, &customer);

	if (err == ERR_OK)
		err = store_payment_method_find(tx, customer.id, target->id, &row);
	if (err == ERR_OK && !version_matches(target->wanted, row.version))
		err = ERR_STALE;
	return err == ERR_OK ? store_payment_method_delete(tx, customer.id, target->id) : err;
}

enum err payment_method_remove(const struct customer_desk *desk,
			       const struct payment_method_target *target)
{
	struct payment_method_target which = *target;
	enum err err = store_pool_run(desk->pool, desk->wait_ms, remove_work, &which);

	if (err != ERR_UNCERTAIN)
		return err;
	/* The commit's answer was lost: where it is not there any more, it was done. */
	err = store_pool_run(desk->pool, desk->wait_ms, remove_work, &which);
	return err == ERR_NOT_FOUND || err == ERR_OK ? ERR_OK : ERR_UNCERTAIN;
}

enum err payment_method_list(struct store_tx *tx, const struct payment_method_target *target,
			     store_payment_method_each *each, void *context)
{
	struct customer_row customer;
	enum err err = customer_row(tx, target, false, &customer);

	return err == ERR_OK ? store_payment_method_list(tx, customer.id, each, context) : err;
}
