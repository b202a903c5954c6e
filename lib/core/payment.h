/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Payment request: the fields of POST /transactions, /deposit and /withdrawal, judged into a plain
 * value.
 *
 * Invariant  a struct payment_request that was accepted holds a positive exact amount of an active
 *            currency, valid text, and no card number
 * Units      amount in minor units of its currency
 * Ownership  plain value
 * Threads    safe
 * Source     API.md: Money, Paths
 */
#ifndef CORE_PAYMENT_H
#define CORE_PAYMENT_H

#include <stdint.h>

#include "core/field.h"
#include "core/id.h"
#include "core/money.h"
#include "core/transaction.h"

#define PAYMENT_CUSTOMER_SIZE 65 /* with NUL: 64 visible ASCII characters */
#define PAYMENT_METHOD_SIZE 33
#define PAYMENT_DESCRIPTION_SIZE 1021 /* 255 code points of UTF-8 */
#define PAYMENT_TOKEN_SIZE 129
#define PAYMENT_METADATA_SIZE 4097 /* canonical JSON text: members sorted by name, no blanks */
#define PAYMENT_METADATA_MEMBERS 20
#define PAYMENT_URL_SIZE 513

/* The row of payment_method_id in a field table, the same wherever a payment method may be named. */
#define PAYMENT_METHOD_ID_FIELD(help_)                                                             \
	{                                                                                          \
		.name = "payment_method_id", .rule = FIELD_TEXT,                                   \
		.may_hold_card = true, /* an id of ours, of digits and letters */                  \
			.class = TEXT_VISIBLE, .min = 1, .max = ID_TEXT_SIZE - 1, .help = (help_), \
	}

/* How the client wrote it; answers use the same */
enum amount_form {
	AMOUNT_MINOR,
	AMOUNT_MAJOR,
};

enum capture_mode { CAPTURE_AUTOMATIC, CAPTURE_MANUAL };
enum process_mode { PROCESS_AUTO, PROCESS_MANUAL };

struct payment_request {
	struct money amount;
	uint8_t exponent;
	enum amount_form form;
	enum capture_mode capture;
	enum process_mode process;
	char method[PAYMENT_METHOD_SIZE];
	char customer[PAYMENT_CUSTOMER_SIZE];
	char description[PAYMENT_DESCRIPTION_SIZE]; /* "" when absent */
	char country[3];                            /* "" when absent */
	char token[PAYMENT_TOKEN_SIZE]; /* the gateway's payment token; "" when absent */
	char callback_url[PAYMENT_URL_SIZE];
	char metadata[PAYMENT_METADATA_SIZE]; /* "" when absent */
	char method_id[ID_TEXT_SIZE];         /* of a payment method, in place of a token; "" when absent */
};

/*
 * The field table: amount, currency, payment_method, description, customer_id, payment_token,
 * country, capture, process, metadata, callback_url, payment_method_id; of deposits and withdrawals:
 * user_id, amount, currency, country, payment_token, payment_method_id. payment_method_id is the last,
 * see fingerprint.h.
 */
const struct field_spec *payment_fields(enum transaction_kind kind, size_t *count);

/* The same of captures and refunds: amount, currency, reason, payment_token. */
const struct field_spec *payment_part_fields(size_t *count);

/* The catalogue of payment methods, NULL-terminated: "credit_card", "debit_card", … */
extern const char *const payment_methods[];
extern const char *const payment_capture_modes[]; /* of enum capture_mode */
extern const char *const payment_process_modes[]; /* of enum process_mode */

/*
 * Write metadata, whose values are all strings, as canonical JSON: equal metadata are equal texts.
 * Returns  true; false where there are too many members or bytes (`out` is undefined)
 */
CHECKED bool payment_metadata_write(const struct field_pair *pairs, size_t count,
				    char out[PAYMENT_METADATA_SIZE]);

/*
 * Judge the members of a request.
 * Returns  true with *request written; false with at least one entry in *errors and *request
 *          untouched
 */
bool payment_request_read(enum transaction_kind kind, const struct field_member *members,
			  size_t count, struct payment_request *request,
			  struct field_errors *errors);

/*
 * Judge an amount member that field_check() let pass, in this currency.
 * Returns  true with *minor; false with an entry in *errors
 */
bool payment_amount_read(const struct field_value *value, const struct currency *currency,
			 int64_t *minor, struct field_errors *errors);

#endif
