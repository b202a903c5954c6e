/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The decision over its whole space: every set of conditions against every set of facts. */
#include "core/routing.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define COUNT(ROWS) (int)(sizeof(ROWS) / sizeof(ROWS)[0])
#define NOW_US INT64_C(1767225600000000)
#define SHARES 20000

static struct id id_number(uint64_t number)
{
	uint8_t random[10] = { 0 };

	memcpy(random, &number, sizeof number);
	return id_make(NOW_US, random);
}

static struct routing_facts facts_usual(void)
{
	return (struct routing_facts){ .transaction_id = id_number(1),
				       .kind = TRANSACTION_PAYMENT,
				       .operation = OPERATION_CHARGE,
				       .merchant = "demo",
				       .country = "ID",
				       .method = "credit_card",
				       .amount = { 5000, "IDR" },
				       .token_gateway = "",
				       .now_us = NOW_US };
}

static void currency_put(struct routing_facts *facts, const char *currency)
{
	snprintf(facts->amount.currency, sizeof facts->amount.currency, "%s", currency);
}

static void set_put(char set[ROUTING_SET_SIZE], const char *words)
{
	snprintf(set, ROUTING_SET_SIZE, "%s", words);
}

static struct routing_gateway gateway_named(const char *name)
{
	struct routing_gateway gateway = { .operations = (1u << OPERATION_KIND_COUNT) - 1 };

	snprintf(gateway.name, sizeof gateway.name, "%s", name);
	return gateway;
}

/* ---- rules ---- */

/* Each condition alone, as it fits and as it misses; bit i of a mask is row i. */
static void condition_set(struct routing_rule *rule, int condition, bool fits)
{
	switch (condition) {
	case 0:
		set_put(rule->merchants, fits ? "other demo" : "other demo2");
		break;
	case 1:
		set_put(rule->kinds, fits ? "deposit payment" : "deposit");
		break;
	case 2:
		set_put(rule->countries, fits ? "ID SG" : "SG");
		break;
	case 3:
		set_put(rule->currencies, fits ? "IDR" : "USD EUR");
		break;
	case 4:
		set_put(rule->methods, fits ? "qris credit_card" : "qris");
		break;
	default:
		rule->amount_min = fits ? 5000 : 5001;
		break;
	}
}
#define CONDITIONS 6

static const enum routing_miss miss_of[CONDITIONS] = {
	ROUTING_MISS_MERCHANT, ROUTING_MISS_KIND,   ROUTING_MISS_COUNTRY,
	ROUTING_MISS_CURRENCY, ROUTING_MISS_METHOD, ROUTING_MISS_AMOUNT,
};

START_TEST(routing_rule_fits_when_all_its_conditions_do_and_names_the_first_that_does_not)
{
	const struct routing_facts facts = facts_usual();

	for (unsigned given = 0; given < 1u << CONDITIONS; given++) {
		for (unsigned fitting = 0; fitting < 1u << CONDITIONS; fitting++) {
			struct routing_rule rule = { .name = "rule" };
			enum routing_miss expected = ROUTING_FITS;

			for (int i = CONDITIONS - 1; i >= 0; i--) {
				if ((given >> i & 1) == 0)
					continue;
				condition_set(&rule, i, (fitting >> i & 1) != 0);
				if ((fitting >> i & 1) == 0)
					expected = miss_of[i];
			}
			unit_expect(routing_judge(&rule, &facts) == expected, "%x %x", given,
				    fitting);
			unit_expect(routing_is_default(&rule) == (given == 0), "%x", given);
		}
	}
}
END_TEST

static const struct {
	int64_t min;
	int64_t max;
	int64_t amount;
	enum routing_miss miss;
} amounts[] = {
	{ 0, 0, 1, ROUTING_FITS },     { 10, 0, 9, ROUTING_MISS_AMOUNT },
	{ 10, 0, 10, ROUTING_FITS },   { 0, 10, 10, ROUTING_FITS },
	{ 10, 20, 20, ROUTING_FITS },  { 0, 10, 11, ROUTING_MISS_AMOUNT },
	{ 0, 10, 1, ROUTING_FITS },    { 10, 20, 21, ROUTING_MISS_AMOUNT },
	{ 10, 10, 10, ROUTING_FITS },
};

START_TEST(routing_rule_takes_amounts_with_both_ends)
{
	struct routing_rule rule = { .amount_min = amounts[_i].min, .amount_max = amounts[_i].max };
	struct routing_facts facts = facts_usual();

	facts.amount.minor = amounts[_i].amount;
	ck_assert_int_eq(routing_judge(&rule, &facts), amounts[_i].miss);
}
END_TEST

START_TEST(routing_rule_that_names_countries_misses_a_payment_without_one)
{
	struct routing_rule rule = { .countries = "ID" };
	struct routing_facts facts = facts_usual();

	facts.country = "";
	ck_assert_int_eq(routing_judge(&rule, &facts), ROUTING_MISS_COUNTRY);
}
END_TEST

START_TEST(routing_set_holds_whole_words_only)
{
	ck_assert(routing_set_has("", "EUR"));
	ck_assert(routing_set_has("EUR", "EUR"));
	ck_assert(routing_set_has("USD EUR", "EUR"));
	ck_assert(routing_set_has("EUR USD", "EUR"));
	ck_assert(!routing_set_has("EURO", "EUR"));
	ck_assert(!routing_set_has("AEUR USD", "EUR"));
	ck_assert(!routing_set_has("EUR", "EU"));
	ck_assert(!routing_set_has("EUR", ""));
}
END_TEST

/* ---- filters ---- */

/* Make a gateway unusable in one way. */
static void defect_set(struct routing_gateway *gateway, enum routing_drop defect)
{
	switch (defect) {
	case ROUTING_DROP_DISABLED:
		gateway->state = ROUTING_DISABLED;
		break;
	case ROUTING_DROP_DRAINING:
		gateway->state = ROUTING_DRAINING;
		break;
	case ROUTING_DROP_OPERATION:
		gateway->operations &= ~(1u << OPERATION_CHARGE);
		break;
	case ROUTING_DROP_CURRENCY:
		set_put(gateway->currencies, "USD");
		break;
	case ROUTING_DROP_COUNTRY:
		set_put(gateway->countries, "SG MY");
		break;
	case ROUTING_DROP_METHOD:
		set_put(gateway->methods, "qris");
		break;
	case ROUTING_DROP_AMOUNT:
		set_put(gateway->limits, "IDR:-4999");
		break;
	case ROUTING_DROP_MAINTENANCE:
		gateway->maintenance_from_us = NOW_US - 1;
		gateway->maintenance_until_us = NOW_US + 1;
		break;
	case ROUTING_DROP_TOKEN: /* a fact, not a defect of the gateway */
	case ROUTING_USABLE:
		break;
	}
}
#define DROPS (ROUTING_DROP_MAINTENANCE + 1)

START_TEST(routing_drops_a_gateway_for_the_first_of_all_reasons)
{
	for (unsigned mask = 0; mask < 1u << DROPS; mask++) {
		struct routing_gateway gateway = gateway_named("alpha");
		struct routing_facts facts = facts_usual();
		enum routing_drop expected = ROUTING_USABLE;

		for (int drop = DROPS - 1; drop > ROUTING_USABLE; drop--) {
			if ((mask >> drop & 1) == 0)
				continue;
			defect_set(&gateway, (enum routing_drop)drop);
			if (drop == ROUTING_DROP_TOKEN)
				facts.token_gateway = "beta";
			expected = (enum routing_drop)drop;
		}
		unit_expect(routing_filter(&gateway, &facts) == expected, "%x", mask);
	}
}
END_TEST

START_TEST(routing_keeps_a_gateway_whose_capabilities_name_the_payment)
{
	struct routing_gateway gateway = gateway_named("alpha");
	struct routing_facts facts = facts_usual();

	gateway.operations = 1u << OPERATION_CHARGE;
	set_put(gateway.currencies, "USD IDR");
	set_put(gateway.countries, "ID");
	set_put(gateway.methods, "qris credit_card");
	set_put(gateway.limits, "IDR:5000-5000");
	facts.token_gateway = "alpha";
	ck_assert_int_eq(routing_filter(&gateway, &facts), ROUTING_USABLE);

	facts.country = "";
	ck_assert_int_eq(routing_filter(&gateway, &facts), ROUTING_USABLE);
}
END_TEST

START_TEST(routing_maintenance_begins_at_its_start_and_is_over_at_its_end)
{
	struct routing_gateway gateway = gateway_named("alpha");

	ck_assert(!routing_in_maintenance(&gateway, NOW_US));
	gateway.maintenance_from_us = NOW_US;
	gateway.maintenance_until_us = NOW_US + 10;
	ck_assert(!routing_in_maintenance(&gateway, NOW_US - 1));
	ck_assert(routing_in_maintenance(&gateway, NOW_US));
	ck_assert(routing_in_maintenance(&gateway, NOW_US + 9));
	ck_assert(!routing_in_maintenance(&gateway, NOW_US + 10));
}
END_TEST

START_TEST(routing_names_the_field_that_a_drop_is_about)
{
	static const char *const fields[DROPS] = {
		[ROUTING_DROP_CURRENCY] = "currency",     [ROUTING_DROP_COUNTRY] = "country",
		[ROUTING_DROP_METHOD] = "payment_method", [ROUTING_DROP_AMOUNT] = "amount",
		[ROUTING_DROP_TOKEN] = "payment_token",
	};
	const char *field = routing_drop_field((enum routing_drop)_i);

	ck_assert_pstr_eq(field, fields[_i]);
}
END_TEST

/* ---- decisions ---- */

enum { ALPHA, BETA, GAMMA, GATEWAYS };

static struct routing_gateway gateways[GATEWAYS];
static struct routing_rule rules[3];
static struct routing_table table = { GATEWAYS, gateways, 3, rules };

/* Indonesia to beta before alpha; rupiah to gamma; the rest by weight, gamma last. */
static void table_make(void)
{
	static const struct routing_target third[] = { { ALPHA, 1, 70 },
						       { BETA, 1, 30 },
						       { GAMMA, 2, 1 } };

	gateways[ALPHA] = gateway_named("alpha");
	gateways[BETA] = gateway_named("beta");
	gateways[GAMMA] = gateway_named("gamma");
	rules[0] = (struct routing_rule){ .name = "indonesia",
					  .countries = "ID",
					  .target_count = 2,
					  .targets = { { BETA, 1, 1 }, { ALPHA, 2, 1 } } };
	rules[1] = (struct routing_rule){ .name = "rupiah",
					  .currencies = "IDR",
					  .target_count = 1,
					  .targets = { { GAMMA, 1, 1 } } };
	rules[2] = (struct routing_rule){ .name = "default", .target_count = 3 };
	memcpy(rules[2].targets, third, sizeof third);
}

/* "beta alpha -gamma:currency" */
static const char *decision_text(const struct routing_decision *decision)
{
	static char text[256];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < decision->count; i++) {
		const struct routing_candidate *candidate = &decision->candidates[i];
		const bool usable = candidate->drop == ROUTING_USABLE;

		used += (size_t)snprintf(
			text + used, sizeof text - used, "%s%s%s%s%s", used > 0 ? " " : "",
			usable ? "" : "-", gateways[candidate->gateway].name, usable ? "" : ":",
			usable ? "" : words_text(routing_drop_words, (int)candidate->drop));
	}
	return text;
}

START_TEST(routing_takes_the_first_rule_that_fits)
{
	static const struct {
		const char *country;
		const char *currency;
		int rule;
	} cases[] = { { "ID", "IDR", 0 }, { "ID", "USD", 0 }, { "SG", "IDR", 1 }, { "", "IDR", 1 },
		      { "SG", "USD", 2 } };
	struct routing_facts facts = facts_usual();

	table_make();
	for (int i = 0; i < COUNT(cases); i++) {
		facts.country = cases[i].country;
		currency_put(&facts, cases[i].currency);
		unit_expect(routing_decide(&table, &facts).rule == cases[i].rule, "case %d", i);
	}
}
END_TEST

START_TEST(routing_orders_by_priority_and_puts_the_dropped_ones_last)
{
	struct routing_facts facts = facts_usual();
	struct routing_decision decision;

	table_make();
	decision = routing_decide(&table, &facts);
	ck_assert_str_eq(decision_text(&decision), "beta alpha");
	ck_assert_uint_eq(decision.usable_count, 2);

	set_put(gateways[BETA].currencies, "USD");
	decision = routing_decide(&table, &facts);
	ck_assert_str_eq(decision_text(&decision), "alpha -beta:currency");
	ck_assert_uint_eq(decision.usable_count, 1);

	gateways[ALPHA].state = ROUTING_DRAINING;
	decision = routing_decide(&table, &facts);
	ck_assert_str_eq(decision_text(&decision), "-beta:currency -alpha:draining");
	ck_assert_uint_eq(decision.usable_count, 0);
	ck_assert_int_eq(decision.rule, 0);
}
END_TEST

START_TEST(routing_without_rules_has_no_candidate)
{
	const struct routing_table empty = { GATEWAYS, gateways, 0, NULL };
	const struct routing_facts facts = facts_usual();
	const struct routing_decision decision = routing_decide(&empty, &facts);

	ck_assert_int_eq(decision.rule, ROUTING_NO_RULE);
	ck_assert_uint_eq(decision.count, 0);
}
END_TEST

/* How often each gateway comes first in the default rule, of SHARES payments. */
static void count_first(int first[GATEWAYS])
{
	struct routing_facts facts = facts_usual();

	memset(first, 0, GATEWAYS * sizeof first[0]);
	facts.country = "";
	currency_put(&facts, "USD");
	for (uint64_t i = 0; i < SHARES; i++) {
		facts.transaction_id = id_number(i);
		first[routing_decide(&table, &facts).candidates[0].gateway]++;
	}
}

START_TEST(routing_splits_by_weight_within_a_priority)
{
	int first[GATEWAYS];

	table_make();
	count_first(first);
	ck_assert_int_eq(first[GAMMA], 0);
	ck_assert_int_gt(first[ALPHA], SHARES * 68 / 100);
	ck_assert_int_lt(first[ALPHA], SHARES * 72 / 100);

	gateways[ALPHA].state = ROUTING_DISABLED;
	count_first(first);
	ck_assert_int_eq(first[BETA], SHARES);
}
END_TEST

START_TEST(routing_keeps_a_payment_on_its_side_and_gives_every_gateway_once)
{
	uint64_t state = seed_start();
	struct routing_facts facts = facts_usual();

	table_make();
	facts.country = "";
	currency_put(&facts, "USD");
	for (int i = 0; i < 2000; i++) {
		struct routing_decision first;
		struct routing_decision second;
		unsigned seen = 0;

		facts.transaction_id = id_number(seed_next(&state));
		first = routing_decide(&table, &facts);
		facts.now_us += 12345678;
		second = routing_decide(&table, &facts);
		for (size_t j = 0; j < first.count; j++) {
			unit_expect(first.candidates[j].gateway == second.candidates[j].gateway,
				    "%d", i);
			seen |= 1u << first.candidates[j].gateway;
		}
		unit_expect(first.count == GATEWAYS && seen == (1u << GATEWAYS) - 1, "%d", i);
		unit_expect(first.candidates[GATEWAYS - 1].gateway == GAMMA, "%d", i);
	}
}
END_TEST

UNIT_MAIN("routing", {
	tcase_add_test(
		tests,
		routing_rule_fits_when_all_its_conditions_do_and_names_the_first_that_does_not);
	tcase_add_loop_test(tests, routing_rule_takes_amounts_with_both_ends, 0, COUNT(amounts));
	tcase_add_test(tests, routing_rule_that_names_countries_misses_a_payment_without_one);
	tcase_add_test(tests, routing_set_holds_whole_words_only);
	tcase_add_test(tests, routing_drops_a_gateway_for_the_first_of_all_reasons);
	tcase_add_test(tests, routing_keeps_a_gateway_whose_capabilities_name_the_payment);
	tcase_add_test(tests, routing_maintenance_begins_at_its_start_and_is_over_at_its_end);
	tcase_add_loop_test(tests, routing_names_the_field_that_a_drop_is_about, 0, DROPS);
	tcase_add_test(tests, routing_takes_the_first_rule_that_fits);
	tcase_add_test(tests, routing_orders_by_priority_and_puts_the_dropped_ones_last);
	tcase_add_test(tests, routing_without_rules_has_no_candidate);
	tcase_add_test(tests, routing_splits_by_weight_within_a_priority);
	tcase_add_test(tests, routing_keeps_a_payment_on_its_side_and_gives_every_gateway_once);
})
