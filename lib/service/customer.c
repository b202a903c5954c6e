/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/customer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "service/metadata.h"
#include "store/payment_method.h"

_Static_assert(CUSTOMER_PACKED_SIZE - 1 + CRYPTO_SEAL_OVERHEAD <= CUSTOMER_PROFILE_SEALED_SIZE &&
		       PAYMENT_METADATA_SIZE - 1 + CRYPTO_SEAL_OVERHEAD <=
			       CUSTOMER_METADATA_SEALED_SIZE &&
		       VAULT_SEARCH_SIZE == CUSTOMER_HASH_SIZE,
	       "the columns hold what is sealed and hashed for them");

/* ---- a row and what it says ---- */

void customer_search(const struct vault *vault, const char *merchant, enum customer_text text,
		     const char *value, uint8_t hash[CUSTOMER_HASH_SIZE])
{
	char normal[CUSTOMER_EMAIL_SIZE];

	vault_search_hash(vault, text == CUSTOMER_EMAIL ? "customer.email" : "customer.phone",
			  merchant, customer_normalise(text, value, normal), hash);
	explicit_bzero(normal, sizeof normal);
}

/* None for an absent text: an empty hash is NULL in the table. */
static void hash_fill(const struct vault *vault, const struct customer_row *row,
		      const struct customer_profile *profile, enum customer_text text,
		      uint8_t hash[CUSTOMER_HASH_SIZE])
{
	memset(hash, 0, CUSTOMER_HASH_SIZE);
	if (profile->text[text][0] != '\0')
		customer_search(vault, row->merchant, text, profile->text[text], hash);
}

static struct vault_column profile_column(struct customer_row *row)
{
	return (struct vault_column){ row->profile_sealed, sizeof row->profile_sealed,
				      row->profile_sealed_size, row->key_id };
}

static struct vault_column metadata_column(struct customer_row *row)
{
	return (struct vault_column){ row->metadata_sealed, sizeof row->metadata_sealed,
				      row->metadata_sealed_size, row->key_id };
}

/* Write all that the row keeps of the customer, sealed with one key. */
static enum err row_fill(const struct vault *vault, const struct customer *customer,
			 struct customer_row *row)
{
	const struct vault_place profile_place = { VAULT_PROFILE, row->id };
	const struct vault_place metadata_place = { VAULT_METADATA, row->id };
	struct vault_column profile = profile_column(row), metadata = metadata_column(row);
	char packed[CUSTOMER_PACKED_SIZE];
	enum err err;

	row->key_id[0] = '\0';
	err = vault_seal_column(vault, &profile_place, customer_pack(&customer->profile, packed),
				&profile);
	explicit_bzero(packed, sizeof packed);
	if (err == ERR_OK)
		err = vault_seal_column(vault, &metadata_place, customer->metadata, &metadata);
	row->profile_sealed_size = profile.size;
	row->metadata_sealed_size = metadata.size;
	memcpy(row->country, customer->profile.country, sizeof row->country);
	hash_fill(vault, row, &customer->profile, CUSTOMER_EMAIL, row->email_hash);
	hash_fill(vault, row, &customer->profile, CUSTOMER_PHONE, row->phone_hash);
	return err;
}

static enum err unsealed(const struct vault *vault, struct customer_row *row,
			 struct customer *customer)
{
	const struct vault_place profile_place = { VAULT_PROFILE, row->id };
	const struct vault_place metadata_place = { VAULT_METADATA, row->id };
	const struct vault_column profile = profile_column(row), metadata = metadata_column(row);
	char packed[CUSTOMER_PACKED_SIZE];
	enum err err = vault_open_column(vault, &profile_place, &profile, packed, sizeof packed);

	if (err == ERR_OK && !customer_unpack(packed, &customer->profile))
		err = ERR_CRYPTO;
	explicit_bzero(packed, sizeof packed);
	if (err == ERR_OK)
		err = vault_open_column(vault, &metadata_place, &metadata, customer->metadata,
					sizeof customer->metadata);
	return err;
}

static enum err row_open(const struct vault *vault, const struct customer_row *row,
			 struct customer *customer)
{
	struct customer_row copy = *row; /* a column lends its bytes to be written, too */
	struct customer opened = { .status = row->status,
				   .version = row->version,
				   .created_at_us = row->created_at_us,
				   .updated_at_us = row->updated_at_us,
				   .erased_at_us = row->erased_at_us };
	enum err err = unsealed(vault, &copy, &opened);
	char id[ID_TEXT_SIZE];

	if (err != ERR_OK) {
		log_error("a customer's sealed profile does not open",
			  LOG_TEXT("row", id_format(ID_CUSTOMER, row->id, id)),
			  LOG_TEXT("key_id", row->key_id),
			  LOG_TEXT("why", vault_has(vault, row->key_id)
						  ? "it was changed, or sealed with another key"
						  : "its key is not in seal_keys"));
		return ERR_CRYPTO;
	}
	memcpy(opened.customer, row->customer, sizeof opened.customer);
	memcpy(opened.profile.country, row->country, sizeof row->country);
	*customer = opened;
	return ERR_OK;
}

/* ---- what both create and amend do ---- */

struct working {
	const struct customer_desk *desk;
	const struct customer_request *request;
	struct id row_id; /* of a new one: fixed before the first try */
	char made_id[ID_TEXT_SIZE];
	struct creation_key key; /* of a new one */
	struct customer_row row;
	struct customer customer;
	enum customer_outcome outcome;
};

static const struct field_value *metadata_of(const struct customer_request *request)
{
	return field_find(request->members, request->count, "metadata");
}

/* Merge the request into the customer. *fits: false where its metadata would be too much. */
static enum err merge(struct working *working, bool *fits)
{
	const struct customer_request *request = working->request;
	const struct field_value *metadata = metadata_of(request);
	struct customer *customer = &working->customer;
	enum err err = ERR_OK;

	customer_merge(request->members, request->count, &customer->profile);
	if (metadata != NULL)
		err = metadata_merge(customer->metadata, metadata, customer->metadata);
	*fits = err == ERR_OK;
	return err == ERR_TOO_LONG ? ERR_OK : err;
}

/* ---- create ---- */

/* The canonical texts of what a new one is to be, in the order of customer_fields(). */
static void fingerprint_fill(const struct vault *vault, const struct customer_request *request,
			     const struct customer *customer, struct creation_key *key)
{
	const struct customer_profile *profile = &customer->profile;
	struct customer_profile address = { .country = "" };
	char packed[CUSTOMER_PACKED_SIZE];
	const struct fingerprint_member members[] = {
		{ "customer_id", request->customer },
		{ "name", profile->text[CUSTOMER_NAME] },
		{ "email", profile->text[CUSTOMER_EMAIL] },
		{ "phone", profile->text[CUSTOMER_PHONE] },
		{ "country", profile->country },
		{ "address", packed },
		{ "date_of_birth", profile->text[CUSTOMER_BIRTH] },
		{ "metadata", customer->metadata },
	};

	for (int text = CUSTOMER_ADDRESS_BEGIN; text < CUSTOMER_TEXT_COUNT; text++)
		memcpy(address.text[text], profile->text[text], sizeof address.text[text]);
	(void)customer_pack(&address, packed);
	fingerprint_members(vault, "POST /customers", members, sizeof members / sizeof members[0],
			    creation_place(key));
	explicit_bzero(&address, sizeof address);
	explicit_bzero(packed, sizeof packed);
}

/* What its key has made before. Returns ERR_CONFLICT where it has, with the outcome; ERR_OK where not. */
static enum err key_look(struct store_tx *tx, struct working *working)
{
	struct creation *creation = working->request->creation;
	enum err err = ERR_NOT_FOUND;

	if (creation != NULL)
		err = store_customer_find_key(tx, working->request->merchant, &working->key,
					      &working->row);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (id_equal(working->row.id, working->row_id))
		working->outcome = CUSTOMER_DONE; /* its commit's answer was lost before */
	else if (creation_is_same(creation, &working->row.key, &working->key))
		working->outcome = CUSTOMER_REPLAYED;
	else
		working->outcome = CUSTOMER_KEY_REUSED;
	return ERR_CONFLICT;
}

/* As it was made, from the same request again: its members may have changed since. */
static void replay(const struct working *working, struct customer *customer)
{
	const struct customer_row *row = &working->row;

	*customer = working->customer;
	memcpy(customer->customer, row->customer, sizeof customer->customer);
	customer->created_at_us = customer->updated_at_us = row->created_at_us;
	customer->version = row->updated_at_us == row->created_at_us ? row->version : 0;
}

/* What a new customer's row begins with: one of its id who was erased gives way to it. */
static enum err row_begin(struct store_tx *tx, struct working *working, const char *customer)
{
	const char *merchant = working->request->merchant;
	struct customer_row *row = &working->row;
	enum err err = store_customer_lock(tx, merchant, customer, row);

	if (err == ERR_OK && row->status == CUSTOMER_ACTIVE) {
		/* The commit's answer was lost before: it is ours. */
		working->outcome =
			id_equal(row->id, working->row_id) ? CUSTOMER_DONE : CUSTOMER_EXISTS;
		return ERR_CONFLICT;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	*row = (struct customer_row){ .id = working->row_id };
	(void)snprintf(row->merchant, sizeof row->merchant, "%s", merchant);
	(void)snprintf(row->customer, sizeof row->customer, "%s", customer);
	return ERR_OK;
}

static enum err row_put(struct store_tx *tx, struct working *working)
{
	struct customer_row *row = &working->row;
	enum err err;

	err = row->version > 1 ? store_customer_update(tx, row) : store_customer_insert(tx, row);
	if (err == ERR_CONFLICT && working->request->creation != NULL)
		return ERR_BUSY; /* another has just used the key, perhaps: look again */
	if (err == ERR_CONFLICT)
		working->outcome = CUSTOMER_EXISTS;
	return err == ERR_NOT_FOUND && row->version == 1 ? ERR_MERCHANT : err;
}

static enum err create_row(struct store_tx *tx, struct working *working)
{
	const struct vault *vault = working->desk->vault;
	struct customer_row *row = &working->row;
	enum err err = store_now(tx, &row->created_at_us);

	row->updated_at_us = row->created_at_us;
	row->erased_at_us = 0;
	row->status = CUSTOMER_ACTIVE;
	row->version++;
	row->key = working->key;
	if (err != ERR_OK)
		return err;
	working->outcome = CUSTOMER_DONE;
	err = row_fill(vault, &working->customer, row);
	return err == ERR_OK ? row_put(tx, working) : err;
}

static enum err create_work(struct store_tx *tx, void *context)
{
	struct working *working = context;
	const char *given = working->request->customer;
	enum err err = key_look(tx, working);

	if (err == ERR_OK)
		err = row_begin(tx, working, *given != '\0' ? given : working->made_id);
	return err == ERR_OK ? create_row(tx, working) : err;
}

/* A decision against it is told by ERR_CONFLICT inside, so that nothing is committed. */
static enum err decided(enum err err)
{
	return err == ERR_CONFLICT ? ERR_OK : err;
}

enum err customer_create(const struct customer_desk *desk, const struct customer_request *request,
			 enum customer_outcome *outcome, struct customer *customer)
{
	struct working working = { .desk = desk, .request = request };
	uint8_t random[10];
	bool fits;
	enum err err = merge(&working, &fits);

	if (err != ERR_OK || !fits) {
		*outcome = CUSTOMER_TOO_LARGE;
		return err;
	}
	creation_key_begin(desk->vault, request->merchant, request->creation, &working.key);
	if (request->creation != NULL)
		fingerprint_fill(desk->vault, request, &working.customer, &working.key);
	crypto_random(random, sizeof random);
	working.row_id = id_make(clock_now_us(), random);
	id_format(ID_CUSTOMER, working.row_id, working.made_id);
	err = decided(store_pool_run(desk->pool, desk->wait_ms, create_work, &working));
	if (err == ERR_UNCERTAIN &&
	    decided(store_pool_run(desk->pool, desk->wait_ms, create_work, &working)) == ERR_OK)
		err = ERR_OK;
	if (err == ERR_OK && working.outcome == CUSTOMER_DONE)
		err = row_open(desk->vault, &working.row, customer);
	else if (err == ERR_OK && working.outcome == CUSTOMER_REPLAYED)
		replay(&working, customer);
	if (err == ERR_OK)
		*outcome = working.outcome;
	return err;
}

/* ---- amend ---- */

/* Lock one that was not erased. */
static enum err row_lock(struct store_tx *tx, const struct customer_request *request,
			 struct customer_row *row)
{
	enum err err = store_customer_lock(tx, request->merchant, request->customer, row);

	if (err == ERR_OK && row->status == CUSTOMER_ERASED)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK && !version_matches(request->wanted, row->version))
		err = ERR_STALE;
	return err;
}

static bool is_same(const struct customer *a, const struct customer *b)
{
	for (int text = 0; text < CUSTOMER_TEXT_COUNT; text++)
		if (strcmp(a->profile.text[text], b->profile.text[text]) != 0)
			return false;
	return strcmp(a->profile.country, b->profile.country) == 0 &&
	       strcmp(a->metadata, b->metadata) == 0;
}

static enum err amend_row(struct store_tx *tx, struct working *working)
{
	const struct vault *vault = working->desk->vault;
	struct customer_row *row = &working->row;
	struct customer before;
	bool fits;
	enum err err = row_open(vault, row, &before);

	if (err != ERR_OK)
		return err;
	working->customer = before;
	err = merge(working, &fits);
	working->outcome = !fits ? CUSTOMER_TOO_LARGE : CUSTOMER_UNCHANGED;
	if (err != ERR_OK || !fits || is_same(&before, &working->customer))
		return err;
	working->outcome = CUSTOMER_DONE;
	err = store_now(tx, &row->updated_at_us);
	if (err == ERR_OK)
		err = row_fill(vault, &working->customer, row);
	row->version++;
	return err == ERR_OK ? store_customer_update(tx, row) : err;
}

static enum err amend_work(struct store_tx *tx, void *context)
{
	struct working *working = context;
	enum err err = row_lock(tx, working->request, &working->row);

	return err == ERR_OK ? amend_row(tx, working) : err;
}

enum err customer_amend(const struct customer_desk *desk, const struct customer_request *request,
			enum customer_outcome *outcome, struct customer *customer)
{
	struct working working = { .desk = desk, .request = request };
	enum err err = store_pool_run(desk->pool, desk->wait_ms, amend_work, &working);

	if (err == ERR_OK && working.outcome != CUSTOMER_TOO_LARGE)
		err = row_open(desk->vault, &working.row, customer);
	if (err == ERR_OK)
		*outcome = working.outcome;
	return err;
}

/* ---- erase ---- */

static enum err erase_work(struct store_tx *tx, void *context)
{
	struct working *working = context;
	const struct customer empty = { .status = CUSTOMER_ERASED };
	struct customer_row *row = &working->row;
	enum err err = row_lock(tx, working->request, row);

	if (err == ERR_OK)
		err = store_payment_method_delete_all(tx, row->id);
	if (err == ERR_OK)
		err = store_now(tx, &row->erased_at_us);
	if (err == ERR_OK)
		err = row_fill(working->desk->vault, &empty, row);
	if (err != ERR_OK)
		return err;
	row->status = CUSTOMER_ERASED;
	row->updated_at_us = row->erased_at_us;
	memset(&row->key, 0, sizeof row->key);
	row->version++;
	return store_customer_update(tx, row);
}

enum err customer_erase(const struct customer_desk *desk, const struct customer_request *request)
{
	struct working working = { .desk = desk, .request = request };
	enum err err = store_pool_run(desk->pool, desk->wait_ms, erase_work, &working);

	if (err != ERR_UNCERTAIN)
		return err;
	/* The commit's answer was lost: where nothing is left to be erased, it was done. */
	err = store_pool_run(desk->pool, desk->wait_ms, erase_work, &working);
	return err == ERR_NOT_FOUND || err == ERR_OK ? ERR_OK : ERR_UNCERTAIN;
}

/* ---- show, list ---- */

struct showing {
	const char *merchant;
	const char *customer;
	struct customer_row row;
};

static enum err show_work(struct store_tx *tx, void *context)
{
	struct showing *showing = context;

	return store_customer_find(tx, showing->merchant, showing->customer, &showing->row);
}

enum err customer_show(const struct customer_desk *desk, const char *merchant, const char *customer,
		       struct customer *shown)
{
	struct showing showing = { .merchant = merchant, .customer = customer };
	enum err err = store_pool_look(desk->pool, desk->wait_ms, show_work, &showing);

	if (err == ERR_OK && showing.row.status == CUSTOMER_ERASED)
		err = ERR_NOT_FOUND;
	return err == ERR_OK ? row_open(desk->vault, &showing.row, shown) : err;
}

struct listing {
	const struct vault *vault;
	customer_each *each;
	void *context;
	enum err err; /* the first that did not open */
};

static void list_each(void *context, const struct customer_row *row)
{
	struct listing *listing = context;
	struct customer customer;

	if (listing->err == ERR_OK)
		listing->err = row_open(listing->vault, row, &customer);
	if (listing->err == ERR_OK)
		listing->each(listing->context, &customer, row->id);
}

enum err customer_list(struct store_tx *tx, const struct vault *vault,
		       const struct customer_page *page, customer_each *each, void *context)
{
	struct listing listing = { .vault = vault, .each = each, .context = context };
	enum err err = store_customer_list(tx, page, list_each, &listing);

	return err == ERR_OK ? listing.err : err;
}
