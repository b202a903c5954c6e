/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/describe.h"

#include <string.h>

#include "core/payment.h"
#include "core/transaction.h"

#define GATEWAY_PATTERN "^[a-z0-9_]+$"
#define TIME_TEXT "in UTC by RFC 3339, with at most six decimals."

/* clang-format off */
static const struct describe_member parameters[] = {
	MEMBER(ID, "transaction_id", 0, "The payment.", .of = "trans_"),
	MEMBER(ID, "refund_id", 0, "The refund.", .of = "ref_"),
	MEMBER(TEXT, "api_key_id", 0, "The API key's id.", .of = "^[0-9a-f]{16}$", .min = 16,
	       .max = 16),
	MEMBER(TEXT, "customer_id", 0,
	       "Your own id of the customer.",
	       .of = "^[!-~]+$", .min = 1, .max = PAYMENT_CUSTOMER_SIZE - 1, .example = "cust_001"),
	MEMBER(ID, "payment_method_id", 0, "The payment method.", .of = "pm_"),
	MEMBER(BOOLEAN, "erased", 0,
	       "Whether to list those who were erased, of whom id and times are left."),
	MEMBER(TEXT, "email", 0,
	       "A whole e-mail address, in any case of its letters.",
	       .of = "^[!-~]+@[!-~]+$", .min = 3, .max = 254, .example = "ana@shop.example"),
	MEMBER(TEXT, "phone", 0,
	       "A whole phone number with country code; its + is written %2B.",
	       .of = "^\\+[1-9][0-9 ().-]*$", .min = 8, .max = 44, .example = "+628123456789"),
	MEMBER(TEXT, "key", 0,
	       "The idempotency key.",
	       .of = "^[!-+\\--~]+$", .min = 1, .max = 255, .example = "order-1234"),
	MEMBER(TEXT, "gateway", 0,
	       "A gateway's name; of a payment: that of its latest attempt.",
	       .of = GATEWAY_PATTERN, .min = 1, .max = 32, .example = "alpha"),
	MEMBER(TEXT, "file", 0,
	       "The plain page or a file's name.",
	       .of = "^[a-z0-9.-]+$", .min = 1, .max = 64, .example = "plain"),
	MEMBER(INTEGER, "wait", 0,
	       "Seconds to wait for the payment's outcome; the request's own time bounds them.",
	       .min = 0, .max = 30),
	MEMBER(BOOLEAN, "refresh", 0,
	       "Whether to ask the gateway about an open outcome first, at most every five "
	       "seconds."),
	MEMBER(INTEGER, "limit", 0,
	       "How many the page holds at most; 50 by default.", .min = 1, .max = 200),
	MEMBER(TEXT, "after", 0,
	       "Where the page begins: a cursor from the Link header of the page before it, "
	       "which only that page gives out.", .min = 1, .max = 256),
	MEMBER(WORDS, "status", 0,
	       "Statuses, separated by commas.", .words = &transaction_status_words),
	MEMBER(TIME, "from", 0, "Made at this time or later, " TIME_TEXT),
	MEMBER(TIME, "to", 0, "Made before this time, " TIME_TEXT),
	MEMBER(TEXT, "country", 0, "ISO 3166-1 code of a country.", .of = "^[A-Z]{2}$",
	       .example = "ID"),
	MEMBER(OBJECT, "currency", 0, "The currency.", .of = "Currency"),
	MEMBER(WORD, "method", 0, "The payment method.", .list = payment_methods),
	MEMBER(WORD, "kind", 0,
	       "What kind of movement of money it is.", .words = &transaction_kind_words),
};

/* Requests' first, then those of answers alone. */
static const struct describe_member headers[] = {
	MEMBER(TEXT, "Idempotency-Key", DESCRIBE_ABSENT,
	       "1 to 255 visible ASCII characters without a comma, bare or as a quoted string, "
	       "no card number. The same request with the same key again is answered like the "
	       "first; other content with it is refused. Keys live as long as what they began.",
	       .of = "^[!#-+\\--~]+$", .min = 1, .max = 255, .example = "order-1234"),
	MEMBER(TEXT, "If-Match", DESCRIBE_ABSENT,
	       "ETags, one of which the payment must still have; else 412 and no effect."),
	MEMBER(TEXT, "If-None-Match", DESCRIBE_ABSENT,
	       "An ETag that was answered before: 304 without a body while it is the same."),
	MEMBER(INTEGER, "Request-Timeout", DESCRIBE_ABSENT,
	       "Seconds that all work for the request may take; 10 by default.",
	       .min = 1, .max = 30),
	MEMBER(TEXT, "X-Request-Id", DESCRIBE_ABSENT,
	       "An id for the request, in each log line about it; the answer's X-Api-Call-Id "
	       "is this one where it is letters, digits, dots, underscores and hyphens and no "
	       "card number, at most 64 of them."),
	MEMBER(TEXT, "traceparent", DESCRIBE_ABSENT,
	       "The caller's place in a trace (W3C Trace Context): its trace id stands in log "
	       "lines, and gateways are told it; one that is not valid is ignored."),
	MEMBER(TEXT, "X-Api-Call-Id", 0,
	       "The id of this request, in each log line about it.",
	       .of = "^[A-Za-z0-9._-]+$", .max = 64),
	MEMBER(TEXT, "ETag", DESCRIBE_ABSENT, "The version of what is answered."),
	MEMBER(TEXT, "Location", DESCRIBE_ABSENT, "Where it is from now on."),
	MEMBER(TEXT, "Link", DESCRIBE_ABSENT, "The next page's address, with rel=\"next\"."),
	MEMBER(TEXT, "Truncated", DESCRIBE_ABSENT,
	       "true where there are more than are listed; the latest are missing."),
	MEMBER(TEXT, "Idempotency-Replayed", DESCRIBE_ABSENT,
	       "true where this is the answer to an earlier request with the same key."),
	MEMBER(INTEGER, "Retry-After", DESCRIBE_ABSENT,
	       "Seconds after which the same request is worth repeating."),
	MEMBER(TEXT, "RateLimit", DESCRIBE_ABSENT,
	       "What is left of the merchant's requests, where they are limited."),
	MEMBER(TEXT, "RateLimit-Policy", DESCRIBE_ABSENT,
	       "How many requests the merchant may make, where they are limited."),
	MEMBER(TEXT, "WWW-Authenticate", DESCRIBE_ABSENT,
	       "What is wrong with the token (RFC 6750), or that a gateway must sign."),
};
/* clang-format on */

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

const struct describe_member *describe_parameters(size_t *count)
{
	*count = COUNT_OF(parameters);
	return parameters;
}

const struct describe_member *describe_parameter(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(parameters); i++)
		if (strcmp(parameters[i].name, name) == 0)
			return &parameters[i];
	return NULL;
}

const struct describe_member *describe_headers(size_t *count)
{
	*count = COUNT_OF(headers);
	return headers;
}
