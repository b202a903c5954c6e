/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Payment methods of customers: gateways' tokens, kept sealed, with what people know them by.
 *
 * Invariant  a method is its customer's: the customer's row is locked before its methods change
 * Units      UTC microseconds of the database clock
 * Ownership  plain values; a token leaves it for a payment only
 * Threads    safe: all state lives in the pool's database
 * Source     API.md: Paths
 */
#ifndef SERVICE_PAYMENT_METHOD_H
#define SERVICE_PAYMENT_METHOD_H

#include "core/version.h"
#include "service/customer.h"
#include "service/reader.h"
#include "store/payment_method.h"

#define PAYMENT_METHODS_MAX 50 /* of a customer */

/* Whose, and which (empty: a new one). */
struct payment_method_target {
	const char *merchant;
	const char *customer;
	struct id id;
	const struct version_match *wanted; /* of a removal; NULL: any version */
	struct creation *creation;          /* the key of an addition; NULL: none */
};

/* In order of precedence */
enum payment_method_outcome {
	METHOD_REPLAYED, /* same key, same content: *row as it was made, version 0 if it changed since */
	METHOD_KEY_REUSED, /* same key, other content: see target->creation */
	METHOD_EXISTS,     /* the customer has this token of this gateway: see *row */
	METHOD_FULL,       /* the customer has as many as one may have */
	METHOD_DONE,
};

/* What a payment with one needs. */
struct payment_method_use {
	struct id id;
	char gateway[METHOD_GATEWAY_SIZE]; /* the only one that knows the token */
	char method[PAYMENT_METHOD_SIZE];
	char token[PAYMENT_TOKEN_SIZE];
	int expiry_month; /* 0: not known */
	int expiry_year;
};

/*
 * Add one.
 * Returns  ERR_OK with *outcome, and *row with _REPLAYED, _EXISTS and _DONE; ERR_NOT_FOUND (no such customer); what the
 *          database or pool says; ERR_UNCERTAIN: perhaps it was done
 */
CHECKED enum err payment_method_add(const struct customer_desk *desk,
				    const struct payment_method_target *target,
				    const struct payment_method_request *request,
				    enum payment_method_outcome *outcome,
				    struct payment_method_row *row);

/* Start the reader of those that are shown or paid with, as reader_start(). */
CHECKED enum err payment_method_start(const struct store_settings *database,
				      struct reader **methods);

/* Returns as reader_ask(), with *row; ERR_NOT_FOUND (no such customer or method). */
CHECKED enum err payment_method_show(struct reader *methods,
				     const struct payment_method_target *target,
				     int64_t deadline_boot_us, struct payment_method_row *row);

/*
 * Take one for a payment; the token is the caller's to wipe.
 * Returns  as payment_method_show(), with *use; ERR_CRYPTO (it does not open: logged)
 */
CHECKED enum err payment_method_take(struct reader *methods, const struct vault *vault,
				     const struct payment_method_target *target,
				     int64_t deadline_boot_us, struct payment_method_use *use);

/*
 * Remove one for good.
 * Returns  ERR_OK; ERR_NOT_FOUND (no such customer or method); ERR_STALE (none of the wanted versions)
 */
CHECKED enum err payment_method_remove(const struct customer_desk *desk,
				       const struct payment_method_target *target);

/* All of a customer's, newest first. Returns ERR_OK; ERR_NOT_FOUND (no such customer). */
CHECKED enum err payment_method_list(struct store_tx *tx,
				     const struct payment_method_target *target,
				     store_payment_method_each *each, void *context);

#endif
