/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/explain.h"

#include "core/payment.h"

static const char *const kinds[] = { "payment", "deposit", "withdrawal", "instalment", NULL };
static const char *const operations[] = { "charge", "authorise", "capture", "void",
					  "refund", "payout",    NULL };

static const struct field_spec fields[] = {
	{ .name = "currency",
	  .rule = FIELD_TEXT,
	  .required = true,
	  .class = TEXT_ANY,
	  .min = 3,
	  .max = 3,
	  .help = "Currency of the payment, ISO 4217." },
	{ .name = "amount",
	  .rule = FIELD_AMOUNT,
	  .help = "As in a payment; a thousand minor units when left out." },
	{ .name = "payment_method",
	  .rule = FIELD_TEXT,
	  .class = TEXT_WORD,
	  .min = 1,
	  .max = PAYMENT_METHOD_SIZE - 1,
	  .help = "credit_card when left out." },
	{ .name = "country",
	  .rule = FIELD_TEXT,
	  .class = TEXT_COUNTRY,
	  .min = 2,
	  .max = 2,
	  .help = "Country of the payment; not known when left out." },
	{ .name = "kind", .rule = FIELD_WORD, .words = kinds, .help = "payment when left out." },
	{ .name = "operation",
	  .rule = FIELD_WORD,
	  .words = operations,
	  .help = "charge when left out." },
};

const struct field_spec *explain_fields(size_t *count)
{
	*count = sizeof fields / sizeof fields[0];
	return fields;
}
