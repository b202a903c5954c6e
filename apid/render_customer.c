/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/render_customer.h"

#include <stdbool.h>

#include "base/clock.h"

static void write_text(struct json_writer *writer, const char *name, const char *text)
{
	json_name(writer, name);
	json_put_text(writer, text);
}

static void write_time(struct json_writer *writer, const char *name, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE] = "";

	if (at_us != 0)
		clock_format(at_us, text);
	write_text(writer, name, text);
}

static void write_profile_text(struct json_writer *writer, const struct customer_profile *profile,
			       int text)
{
	write_text(writer, customer_text_name((enum customer_text)text), profile->text[text]);
}

static void write_address(struct json_writer *writer, const struct customer_profile *profile)
{
	bool given = false;

	for (int text = CUSTOMER_ADDRESS_BEGIN; text < CUSTOMER_TEXT_COUNT; text++)
		given = given || profile->text[text][0] != '\0';
	json_name(writer, "address");
	if (!given) {
		json_put_null(writer);
		return;
	}
	json_open(writer, '{');
	for (int text = CUSTOMER_ADDRESS_BEGIN; text < CUSTOMER_TEXT_COUNT; text++)
		write_profile_text(writer, profile, text);
	json_close(writer, '}');
}

void render_customer(struct json_writer *writer, const struct customer *customer)
{
	const struct customer_profile *profile = &customer->profile;

	json_open(writer, '{');
	write_text(writer, "customer_id", customer->customer);
	write_profile_text(writer, profile, CUSTOMER_NAME);
	write_profile_text(writer, profile, CUSTOMER_EMAIL);
	write_profile_text(writer, profile, CUSTOMER_PHONE);
	write_text(writer, "country", profile->country);
	write_address(writer, profile);
	write_profile_text(writer, profile, CUSTOMER_BIRTH);
	json_name(writer, "metadata");
	if (customer->metadata[0] != '\0')
		json_put_raw(writer, customer->metadata);
	else
		json_put_null(writer);
	write_time(writer, "created_at", customer->created_at_us);
	write_time(writer, "updated_at", customer->updated_at_us);
	write_time(writer, "erased_at", customer->erased_at_us);
	json_close(writer, '}');
}

/* 0 is null. */
static void write_number(struct json_writer *writer, const char *name, int number)
{
	json_name(writer, name);
	if (number != 0)
		json_put_integer(writer, number);
	else
		json_put_null(writer);
}

void render_customer_method(struct json_writer *writer, const struct payment_method_row *row)
{
	char id[ID_TEXT_SIZE];

	json_open(writer, '{');
	write_text(writer, "payment_method_id", id_format(ID_PAYMENT_METHOD, row->id, id));
	write_text(writer, "gateway", row->gateway);
	write_text(writer, "payment_method", row->method);
	write_text(writer, "brand", row->brand);
	write_text(writer, "last4", row->last4);
	write_number(writer, "expiry_month", row->expiry_month);
	write_number(writer, "expiry_year", row->expiry_year);
	json_name(writer, "default");
	json_put_raw(writer, row->is_default ? "true" : "false");
	write_time(writer, "created_at", row->created_at_us);
	write_time(writer, "updated_at", row->updated_at_us);
	json_close(writer, '}');
}
