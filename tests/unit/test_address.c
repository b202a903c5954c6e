/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/address.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* The network of the address that a text is; "" where it is none. */
static const char *network_of(const char *text, char out[ADDRESS_TEXT_SIZE])
{
	struct address address;

	if (!address_parse(text, strlen(text), &address))
		return "";
	return address_network_write(address_network(address), out);
}

static const struct {
	const char *text;
	const char *network;
} texts[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "192.0.2.1:8080", "192.0.2.1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
	{ "[2001:db8:1:2:3::]", "2001:db8:1:2::/64" },
	{ "[2001:db8:1:2:3::]:443", "2001:db8:1:2::/64" },
	{ "::1", "::/64" },
	{ "", "" },
	{ "192.0.2", "" },
	{ "192.0.2.256", "" },
	{ "192.0.2.1:", "" },
	{ "192.0.2.1:http", "" },
	{ "192.0.2.1:123456", "" },
	{ "192.0.2.1 ", "" },
	{ "[192.0.2.1]", "" },
	{ "[::1", "" },
	{ "[::1]x", "" },
	{ "[]", "" },
	{ "2001:db8::g", "" },
	{ "unknown", "" },
	{ "_hidden", "" },
	{ "fe80::1%eth0", "" },
	{ "0000000000000000000000000000000000000000000000000000000000000001", "" },
};

START_TEST(address_is_read_as_proxies_write_it)
{
	char out[ADDRESS_TEXT_SIZE];

	ck_assert_str_eq(network_of(texts[_i].text, out), texts[_i].network);
}
END_TEST

START_TEST(address_stops_where_its_text_does)
{
	const char text[] = "192.0.2.10, 192.0.2.2";
	struct address one, other;

	ck_assert(address_parse(text, 9, &one));
	ck_assert(address_parse("192.0.2.1", 9, &other));
	ck_assert_mem_eq(&one, &other, sizeof one);
	ck_assert(!address_parse(text, sizeof text - 1, &one));
}
END_TEST

static const struct {
	const char *ranges;
	const char *address;
	bool has;
} ranges[] = {
	{ "", "127.0.0.1", false },
	{ "127.0.0.1", "127.0.0.1", true },
	{ "127.0.0.1", "127.0.0.2", false },
	{ "10.0.0.0/8", "10.255.0.1", true },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "10.0.0.0/9", "10.127.255.255", true },
	{ "10.0.0.0/9", "10.128.0.0", false },
	{ "192.0.2.0/31 ::1", "192.0.2.1", true },
	{ "192.0.2.0/31 ::1", "192.0.2.2", false },
	{ " 192.0.2.0/31  ::1 ", "::1", true },
	{ "0.0.0.0/0", "203.0.113.7", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "203.0.113.7", true },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
};

START_TEST(address_is_in_the_ranges_that_hold_it)
{
	struct address_ranges read;
	struct address address;

	ck_assert(address_ranges_read(ranges[_i].ranges, &read));
	ck_assert(address_parse(ranges[_i].address, strlen(ranges[_i].address), &address));
	ck_assert_int_eq(address_ranges_have(&read, address), ranges[_i].has);
}
END_TEST

static const char *const wrong[] = {
	"localhost", "10.0.0.0/33",   "10.0.0.0/",    "10.0.0.0/8x", "10.0.0.0/-1",
	"::1/129",   "10.0.0.0/ 8",   "10.0.0.1,::1", "[::1]",       "1.2.3.4:80",
	"/8",        "10.0.0.0/0008", "10/8",         "10.0.0.0//8", "10.0.0.0/8/8",
};

START_TEST(address_ranges_that_are_none_are_refused)
{
	struct address_ranges read;

	ck_assert(!address_ranges_read(wrong[_i], &read));
}
END_TEST

START_TEST(address_ranges_are_so_many_at_most)
{
	char text[(ADDRESS_RANGES_MAX + 1) * 4 + 1] = "";
	struct address_ranges read;

	for (size_t i = 0; i < ADDRESS_RANGES_MAX; i++)
		(void)snprintf(text + 4 * i, sizeof text - 4 * i, "::1 ");
	ck_assert(address_ranges_read(text, &read));
	(void)snprintf(text + ADDRESS_RANGES_MAX * 4, 5, "::1 ");
	ck_assert(!address_ranges_read(text, &read));
}
END_TEST

static const char *const wholes[] = { "192.0.2.1", "2001:db8::1", "::1", "::" };

START_TEST(address_write_writes_what_address_parse_reads)
{
	const char *text = wholes[_i];
	struct address address;
	char out[ADDRESS_TEXT_SIZE];

	ck_assert(address_parse(text, strlen(text), &address));
	ck_assert_str_eq(address_write(address, out), text);
}
END_TEST

UNIT_MAIN("address", {
	tcase_add_loop_test(tests, address_write_writes_what_address_parse_reads, 0,
			    (int)(sizeof wholes / sizeof wholes[0]));
	tcase_add_loop_test(tests, address_is_read_as_proxies_write_it, 0,
			    (int)(sizeof texts / sizeof texts[0]));
	tcase_add_test(tests, address_stops_where_its_text_does);
	tcase_add_loop_test(tests, address_is_in_the_ranges_that_hold_it, 0,
			    (int)(sizeof ranges / sizeof ranges[0]));
	tcase_add_loop_test(tests, address_ranges_that_are_none_are_refused, 0,
			    (int)(sizeof wrong / sizeof wrong[0]));
	tcase_add_test(tests, address_ranges_are_so_many_at_most);
})
