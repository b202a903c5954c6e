/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/routing_text.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof(ROWS)[0])

static const struct {
	enum routing_words words;
	const char *text;
	const char *canonical; /* NULL: refused */
	const char *why;
} sets[] = {
	{ ROUTING_CURRENCIES, "", "", "" },
	{ ROUTING_CURRENCIES, " , ", "", "" },
	{ ROUTING_CURRENCIES, "EUR", "EUR", "" },
	{ ROUTING_CURRENCIES, " EUR,USD\tJPY ", "EUR USD JPY", "" },
	{ ROUTING_CURRENCIES, "EUR USX", NULL, "has USX, which is no currency" },
	{ ROUTING_CURRENCIES, "eur", NULL, "has eur, which is no currency" },
	{ ROUTING_CURRENCIES, "EUR USD EUR", NULL, "has EUR, which stands there twice" },
	{ ROUTING_CURRENCIES, "EURUSDJPYEURUSDJPYEURUSDJPYEURUSDJPY", NULL,
	  "has a word which is no currency" },
	{ ROUTING_CURRENCIES, "\xc3\xa9", NULL, "has a word which is no currency" },
	{ ROUTING_COUNTRIES, "ID SG", "ID SG", "" },
	{ ROUTING_COUNTRIES, "id", NULL, "has id, which is not a country's two capitals" },
	{ ROUTING_COUNTRIES, "IDN", NULL, "has IDN, which is not a country's two capitals" },
	{ ROUTING_METHODS, "credit_card qris", "credit_card qris", "" },
	{ ROUTING_METHODS, "card", NULL, "has card, which is no payment method" },
	{ ROUTING_KINDS, "payment deposit", "payment deposit", "" },
	{ ROUTING_KINDS, "refund", NULL,
	  "has refund, which is not payment, deposit, withdrawal or instalment" },
	{ ROUTING_OPERATIONS, "charge,refund", "charge refund", "" },
	{ ROUTING_OPERATIONS, "pay", NULL,
	  "has pay, which is not charge, authorise, capture, void, refund or payout" },
	{ ROUTING_MERCHANTS, "demo shop-2", "demo shop-2", "" },
	{ ROUTING_MERCHANTS, "Demo", NULL, "has Demo, which cannot be a merchant" },
};

START_TEST(routing_set_is_read_into_its_canonical_form)
{
	char set[ROUTING_SET_SIZE] = "untouched";
	char why[ROUTING_WHY_SIZE] = "";
	bool read = routing_set_read(sets[_i].words, sets[_i].text, set, why);

	ck_assert_int_eq(read, sets[_i].canonical != NULL);
	ck_assert_str_eq(set, read ? sets[_i].canonical : "untouched");
	ck_assert_str_eq(why, sets[_i].why);
}
END_TEST

/* Three bytes and a blank each. */
START_TEST(routing_set_refuses_more_than_it_can_hold)
{
	char text[4 * 676 + 1] = "";
	char set[ROUTING_SET_SIZE] = "untouched";
	char why[ROUTING_WHY_SIZE] = "";

	for (int i = 0; i < 676; i++)
		snprintf(text + 3 * i, sizeof text - 3 * (size_t)i, "%c%c ", 'A' + i / 26,
			 'A' + i % 26);

	ck_assert(!routing_set_read(ROUTING_COUNTRIES, text, set, why));
	ck_assert_str_eq(why, "has too many words");
	ck_assert_str_eq(set, "untouched");
	text[3 * 170] = '\0';
	ck_assert(routing_set_read(ROUTING_COUNTRIES, text, set, why));
}
END_TEST

START_TEST(routing_operations_gives_their_bits)
{
	ck_assert_uint_eq(routing_operations(""), (1u << OPERATION_KIND_COUNT) - 1);
	ck_assert_uint_eq(routing_operations("charge"), 1u << OPERATION_CHARGE);
	ck_assert_uint_eq(routing_operations("refund payout"),
			  1u << OPERATION_REFUND | 1u << OPERATION_PAYOUT);
}
END_TEST

static const struct {
	const char *text;
	const char *canonical;
	const char *why;
} limits[] = {
	{ "", "", "" },
	{ "EUR:100-500000", "EUR:100-500000", "" },
	{ "EUR:100-500000, USD:1-  JPY:-9", "EUR:100-500000 USD:1- JPY:-9", "" },
	{ "EUR:-", "EUR:-", "" },
	{ "EUR:999999999999-999999999999", "EUR:999999999999-999999999999", "" },
	{ "EUR", NULL, "has EUR, which is not as EUR:100-500000" },
	{ "EUR:", NULL, "has EUR:, which is not as EUR:100-500000" },
	{ "EUR:5", NULL, "has EUR:5, which is not as EUR:100-500000" },
	{ "EUR:05-9", NULL, "has EUR:05-9, which is not as EUR:100-500000" },
	{ "EUR:1-2-3", NULL, "has EUR:1-2-3, which is not as EUR:100-500000" },
	{ "EUR:-1-2", NULL, "has EUR:-1-2, which is not as EUR:100-500000" },
	{ "EURO:1-2", NULL, "has EURO:1-2, which is not as EUR:100-500000" },
	{ "EUR:1-1000000000000", NULL, "has EUR:1-1000000000000, which is not as EUR:100-500000" },
	{ "XXQ:1-2", NULL, "has XXQ:1-2, which names no currency" },
	{ "EUR:3-2", NULL, "has EUR:3-2, whose least is above its most" },
	{ "EUR:1-2 EUR:3-4", NULL, "has EUR:3-4, whose currency stands there twice" },
};

START_TEST(routing_limits_are_read_into_their_canonical_form)
{
	char read[ROUTING_SET_SIZE] = "untouched";
	char again[ROUTING_SET_SIZE];
	char why[ROUTING_WHY_SIZE] = "";
	bool is_read = routing_limits_read(limits[_i].text, read, why);

	ck_assert_int_eq(is_read, limits[_i].canonical != NULL);
	ck_assert_str_eq(read, is_read ? limits[_i].canonical : "untouched");
	ck_assert_str_eq(why, limits[_i].why);
	if (is_read) {
		ck_assert(routing_limits_read(read, again, why));
		ck_assert_str_eq(again, read);
	}
}
END_TEST

static const struct {
	const char *limits;
	struct money amount;
	bool allowed;
} passes[] = {
	{ "", { 1, "EUR" }, true },
	{ "EUR:100-500", { 99, "EUR" }, false },
	{ "EUR:100-500", { 100, "EUR" }, true },
	{ "EUR:100-500", { 500, "EUR" }, true },
	{ "EUR:100-500", { 501, "EUR" }, false },
	{ "EUR:100-500", { 99, "USD" }, true },
	{ "EUR:100-500 USD:7-", { 6, "USD" }, false },
	{ "EUR:100-500 USD:7-", { 999999999999, "USD" }, true },
	{ "EUR:-5", { 1, "EUR" }, true },
	{ "EUR:-5", { 6, "EUR" }, false },
	{ "EUR:-", { 6, "EUR" }, true },
};

START_TEST(routing_limits_let_pass_what_is_within)
{
	ck_assert_int_eq(routing_limits_allow(passes[_i].limits, passes[_i].amount),
			 passes[_i].allowed);
}
END_TEST

/* Targets as "name.priority.weight", one after the other. */
static const struct {
	const char *text;
	const char *read; /* NULL: refused */
	const char *why;
} targets[] = {
	{ "alpha", "alpha.1.1 ", "" },
	{ " alpha , beta gamma ", "alpha.1.1 beta.2.1 gamma.3.1 ", "" },
	{ "alpha:70|beta:30", "alpha.1.70 beta.1.30 ", "" },
	{ "alpha:70 | beta, gamma:5", "alpha.1.70 beta.1.1 gamma.2.5 ", "" },
	{ "a|b|c d|e", "a.1.1 b.1.1 c.1.1 d.2.1 e.2.1 ", "" },
	{ "a:1000", "a.1.1000 ", "" },
	{ "", NULL, "is not as \"alpha:70 | beta:30, gamma\"" },
	{ " ", NULL, "is not as \"alpha:70 | beta:30, gamma\"" },
	{ "alpha|", NULL, "is not as \"alpha:70 | beta:30, gamma\"" },
	{ "|alpha", NULL, "is not as \"alpha:70 | beta:30, gamma\"" },
	{ "alpha || beta", NULL, "is not as \"alpha:70 | beta:30, gamma\"" },
	{ "Alpha", NULL, "is not as \"alpha:70 | beta:30, gamma\"" },
	{ "alpha:", NULL, "has a weight that is not from 1 to 1000" },
	{ "alpha:0", NULL, "has a weight that is not from 1 to 1000" },
	{ "alpha:1001", NULL, "has a weight that is not from 1 to 1000" },
	{ "alpha:x", NULL, "has a weight that is not from 1 to 1000" },
	{ "alpha:1x", NULL, "is not as \"alpha:70 | beta:30, gamma\"" },
	{ "alpha, beta, alpha", NULL, "has alpha, which stands there twice" },
	{ "alpha|alpha", NULL, "has alpha, which stands there twice" },
	{ "abcdefghijklmnopqrstuvwxyz0123456789", NULL,
	  "is not as \"alpha:70 | beta:30, gamma\"" },
	{ "a b c d e f g h i j k l m n o p q", NULL, "has more than 16 gateways" },
};

START_TEST(routing_targets_are_read_with_priority_and_weight)
{
	struct routing_named_target read[ROUTING_TARGETS_MAX];
	char text[2048] = "";
	char why[ROUTING_WHY_SIZE] = "";
	size_t count = 0;
	bool is_read = routing_targets_read(targets[_i].text, read, &count, why);

	ck_assert_msg(is_read == (targets[_i].read != NULL), "%s: %s", targets[_i].text, why);
	ck_assert_str_eq(why, targets[_i].why);
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s.%u.%u ",
			 read[i].name, read[i].priority, read[i].weight);
	ck_assert_str_eq(text, is_read ? targets[_i].read : "");
}
END_TEST

UNIT_MAIN("routing_text", {
	tcase_add_loop_test(tests, routing_set_is_read_into_its_canonical_form, 0, COUNT(sets));
	tcase_add_test(tests, routing_set_refuses_more_than_it_can_hold);
	tcase_add_test(tests, routing_operations_gives_their_bits);
	tcase_add_loop_test(tests, routing_limits_are_read_into_their_canonical_form, 0,
			    COUNT(limits));
	tcase_add_loop_test(tests, routing_limits_let_pass_what_is_within, 0, COUNT(passes));
	tcase_add_loop_test(tests, routing_targets_are_read_with_priority_and_weight, 0,
			    COUNT(targets));
})
