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
	  .help = "Left out: that of the payment_method_id, else credit_card." },
	{ .name = "country",
	  .rule = FIELD_TEXT,
	  .class = TEXT_COUNTRY,
	  .min = 2,
	  .max = 2,
	  .help = "Country of the payment; left out: that of the customer's profile, where one is "
		  "named and has it, else not known." },
	{ .name = "kind", .rule = FIELD_WORD, .words = kinds, .help = "payment when left out." },
	{ .name = "operation",
	  .rule = FIELD_WORD,
	  .words = operations,
	  .help = "charge when left out." },
	{ .name = "customer_id",
	  .rule = FIELD_TEXT,
	  .class = TEXT_VISIBLE,
	  .min = 1,
	  .max = PAYMENT_CUSTOMER_SIZE - 1,
	  .help = "Your own id of the customer; needed with payment_method_id." },
	PAYMENT_METHOD_ID_FIELD("A payment method of the customer's: its gateway alone knows its "
				"token, and can be tried."),
};

const struct field_spec *explain_fields(size_t *count)
{
	*count = sizeof fields / sizeof fields[0];
	return fields;
}
