/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/customer_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apid/list.h"
#include "apid/render_customer.h"
#include "base/clock.h"

#define HASH_TEXT_SIZE (2 * CUSTOMER_HASH_SIZE + 1)

struct listing { /* one page of it */
	struct list list;
	const struct vault *vault;
	struct customer_page page;
	uint8_t email_hash[CUSTOMER_HASH_SIZE];
	uint8_t phone_hash[CUSTOMER_HASH_SIZE];
	struct json_writer writer; /* emptied at each try, as what follows */
	unsigned count;
	bool more;
	struct cursor end;
};

/* ---- filters ---- */

static bool read_erased(const char *value, void *context)
{
	struct listing *listing = context;
	const bool erased = strcmp(value, "true") == 0;

	listing->page.status = erased ? CUSTOMER_ERASED : CUSTOMER_ACTIVE;
	return erased || strcmp(value, "false") == 0;
}

static bool read_from(const char *value, void *context)
{
	struct listing *listing = context;
	return clock_parse(value, &listing->page.from_us);
}

/* Who was made at that time is not in the list: an empty id is before all others of it. */
static bool read_to(const char *value, void *context)
{
	struct listing *listing = context;
	return clock_parse(value, &listing->page.after_us);
}

static bool read_country(const char *value, void *context)
{
	struct listing *listing = context;
	listing->page.country = value;
	return text_is(TEXT_NATION, value, strlen(value));
}

static bool read_email(const char *value, void *context)
{
	struct listing *listing = context;
	const size_t size = strlen(value);

	if (size >= CUSTOMER_EMAIL_SIZE || !text_is(TEXT_EMAIL, value, size))
		return false;
	customer_search(listing->vault, listing->page.merchant, CUSTOMER_EMAIL, value,
			listing->email_hash);
	listing->page.email_hash = listing->email_hash;
	return true;
}

/* A plus in a query is a blank: many forget to write it as %2B. */
static bool read_phone(const char *value, void *context)
{
	struct listing *listing = context;
	char phone[CUSTOMER_PHONE_SIZE];
	const int size = snprintf(phone, sizeof phone, "%s%s", *value == ' ' ? "+" : "",
				  value + (*value == ' '));

	if (size >= (int)sizeof phone || !text_is(TEXT_PHONE, phone, (size_t)size))
		return false;
	customer_search(listing->vault, listing->page.merchant, CUSTOMER_PHONE, phone,
			listing->phone_hash);
	listing->page.phone_hash = listing->phone_hash;
	return true;
}

static const struct list_filter filters[] = {
	{ "erased", read_erased, "The parameter erased must be true or false." },
	{ "from", read_from, "The parameter from " LIST_TIME_FORM },
	{ "to", read_to, "The parameter to " LIST_TIME_FORM },
	{ "country", read_country,
	  "The parameter country must be an assigned ISO 3166-1 code in capitals, like ID." },
	{ "email", read_email, "The parameter email must be a whole e-mail address." },
	{ "phone", read_phone,
	  "The parameter phone must be a whole phone number with country code; its + is written "
	  "%2B." },
};

/* No value holds an LF, so that no two lists have the same text; nor has one of another kind. */
static void identity_write(const struct listing *listing, char out[LIST_IDENTITY_SIZE])
{
	const struct customer_page *page = &listing->page;
	char email[HASH_TEXT_SIZE], phone[HASH_TEXT_SIZE];

	(void)snprintf(out, LIST_IDENTITY_SIZE,
		       "%s\ncustomers\n%d\n%" PRId64 "\n%" PRId64 "\n%s\n%s\n%s", page->merchant,
		       (int)page->status, page->from_us, page->after_us,
		       page->country != NULL ? page->country : "",
		       crypto_hex(listing->email_hash, CUSTOMER_HASH_SIZE, email),
		       crypto_hex(listing->phone_hash, CUSTOMER_HASH_SIZE, phone));
}

/* False: refused. */
static bool page_read(struct call *call, struct listing *listing)
{
	struct customer_page *page = &listing->page;
	struct cursor place;

	listing->vault = &call->settings->vault;
	*page = (struct customer_page){ .merchant = call->claims.merchant,
					.status = CUSTOMER_ACTIVE,
					.after_us = INT64_MAX };
	if (!list_read(call, filters, sizeof filters / sizeof filters[0], listing, &listing->list))
		return false;
	page->limit = listing->list.limit + 1; /* whether there is one more */
	identity_write(listing, listing->list.identity);
	place = (struct cursor){ page->after_us, page->after_id };
	if (!list_go_on(call, &listing->list, &place))
		return false;
	page->after_us = place.at_us;
	page->after_id = place.id;
	return true;
}

/* ---- the page ---- */

static void customer_add(void *context, const struct customer *customer, struct id row)
{
	struct listing *listing = context;

	listing->more = listing->count == listing->list.limit;
	if (listing->more)
		return;
	listing->count++;
	listing->end = (struct cursor){ customer->created_at_us, row };
	render_customer(&listing->writer, customer);
}

static enum err look_page(struct store_tx *tx, void *context)
{
	struct listing *listing = context;

	json_writer_done(&listing->writer); /* it may run again */
	json_open(&listing->writer, '[');
	listing->count = 0;
	listing->more = false;
	return customer_list(tx, listing->vault, &listing->page, customer_add, listing);
}

void customer_list_serve(struct call *call)
{
	struct listing listing = { .count = 0 };
	enum err err;

	if (!page_read(call, &listing))
		return;
	err = store_pool_look(call->app->pool, call_wait_ms(call), look_page, &listing);
	if (err != ERR_OK) {
		json_writer_done(&listing.writer);
		call_refuse(call, err, NULL);
		return;
	}
	if (listing.more)
		list_link(call, "/customers", &listing.list, listing.end);
	json_close(&listing.writer, ']');
	call_answer_written(call, 200, &listing.writer);
}
