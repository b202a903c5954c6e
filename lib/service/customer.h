/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Customers: take a profile in, show, change and erase it.
 *
 * Invariant  what tells who somebody is leaves this file sealed or as a keyed hash, by the newest key whenever it is
 *            written; erasing leaves none of it, nor a payment method, and touches no money row
 * Units      UTC microseconds of the database clock
 * Ownership  plain values
 * Threads    safe: all state lives in the pool's database
 * Source     API.md: Paths
 */
#ifndef SERVICE_CUSTOMER_H
#define SERVICE_CUSTOMER_H

#include "core/customer.h"
#include "core/version.h"
#include "service/creation.h"
#include "service/vault.h"
#include "store/customer.h"
#include "store/store.h"

/* Where customers are, and what opens them. */
struct customer_desk {
	struct store_pool *pool;
	const struct vault *vault;
	int wait_ms; /* for a connection */
};

/* One as its merchant may see it. */
struct customer {
	char customer[PAYMENT_CUSTOMER_SIZE];
	enum customer_status status;
	struct customer_profile profile;
	char metadata[PAYMENT_METADATA_SIZE]; /* canonical JSON; "" when absent */
	uint32_t version;
	int64_t created_at_us;
	int64_t updated_at_us;
	int64_t erased_at_us; /* 0: not */
};

struct customer_request {
	const char *merchant;
	const char *customer; /* "" of a new one: its id is made */
	const struct field_member
		*members; /* as customer_check() let them pass; not of an erasure */
	size_t count;
	const struct version_match *wanted; /* NULL: any version */
	struct creation *creation;          /* the key of a new one; NULL: none */
};

/* In order of precedence */
enum customer_outcome {
	CUSTOMER_TOO_LARGE, /* its metadata would be more than one may have: nothing was done */
	CUSTOMER_REPLAYED, /* same key, same content: as it was made, version 0 if it changed since */
	CUSTOMER_KEY_REUSED, /* same key, other content: see request->creation */
	CUSTOMER_EXISTS,     /* a new one: the merchant has one of this id, which was not erased */
	CUSTOMER_UNCHANGED,  /* it is so already: nothing was done */
	CUSTOMER_DONE,
};

/*
 * Take a new one in. The id of one who was erased may be given again: that is a new customer.
 * Returns  ERR_OK with *outcome, and *customer with _REPLAYED, _UNCHANGED and _DONE; ERR_MERCHANT (not known); what the
 *          database or pool says; ERR_UNCERTAIN: perhaps it was done
 */
CHECKED enum err customer_create(const struct customer_desk *desk,
				 const struct customer_request *request,
				 enum customer_outcome *outcome, struct customer *customer);

/*
 * Merge into a profile.
 * Returns  as customer_create(); ERR_NOT_FOUND (another merchant's or erased too); ERR_STALE (none of the wanted
 *          versions); ERR_CRYPTO (what is there does not open: logged)
 */
CHECKED enum err customer_amend(const struct customer_desk *desk,
				const struct customer_request *request,
				enum customer_outcome *outcome, struct customer *customer);

/* Erase personal fields and payment methods. Returns ERR_OK; ERR_NOT_FOUND and ERR_STALE as above. */
CHECKED enum err customer_erase(const struct customer_desk *desk,
				const struct customer_request *request);

/* Returns ERR_OK with *customer; ERR_NOT_FOUND; ERR_CRYPTO as above. */
CHECKED enum err customer_show(const struct customer_desk *desk, const char *merchant,
			       const char *customer, struct customer *shown);

/* Those of a page, which are valid during the call of `each`; the row tells the place of the next page. */
typedef void customer_each(void *context, const struct customer *customer, struct id row);
CHECKED enum err customer_list(struct store_tx *tx, const struct vault *vault,
			       const struct customer_page *page, customer_each *each,
			       void *context);

/* What rows are found by, for the text of an e-mail address or phone number that is of its class. */
void customer_search(const struct vault *vault, const char *merchant, enum customer_text text,
		     const char *value, uint8_t hash[CUSTOMER_HASH_SIZE]);

#endif
