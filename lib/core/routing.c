/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/routing.h"

#include "core/routing_text.h"

#include <string.h>

static const char *const states[] = { "enabled", "draining", "disabled" };
const struct words routing_state_words = { states, sizeof states / sizeof states[0] };

static const char *const misses[] = {
	[ROUTING_FITS] = "fits",
	[ROUTING_MISS_MERCHANT] = "merchant",
	[ROUTING_MISS_KIND] = "kind",
	[ROUTING_MISS_COUNTRY] = "country",
	[ROUTING_MISS_CURRENCY] = "currency",
	[ROUTING_MISS_METHOD] = "payment_method",
	[ROUTING_MISS_AMOUNT] = "amount",
};
const struct words routing_miss_words = { misses, sizeof misses / sizeof misses[0] };

static const char *const drops[] = {
	[ROUTING_USABLE] = "usable",
	[ROUTING_DROP_DISABLED] = "disabled",
	[ROUTING_DROP_DRAINING] = "draining",
	[ROUTING_DROP_OPERATION] = "operation",
	[ROUTING_DROP_CURRENCY] = "currency",
	[ROUTING_DROP_COUNTRY] = "country",
	[ROUTING_DROP_METHOD] = "payment_method",
	[ROUTING_DROP_AMOUNT] = "amount",
	[ROUTING_DROP_TOKEN] = "payment_token",
	[ROUTING_DROP_MAINTENANCE] = "maintenance",
};
const struct words routing_drop_words = { drops, sizeof drops / sizeof drops[0] };

bool routing_set_has(const char *set, const char *word)
{
	const size_t size = strlen(word);

	if (*set == '\0')
		return true;
	while (*set != '\0') {
		const size_t length = strcspn(set, " ");

		if (length == size && memcmp(set, word, size) == 0)
			return true;
		set += length + (set[length] == ' ' ? 1 : 0);
	}
	return false;
}

enum routing_miss routing_judge(const struct routing_rule *rule, const struct routing_facts *facts)
{
	const char *kind = words_text(transaction_kind_words, (int)facts->kind);

	if (!routing_set_has(rule->merchants, facts->merchant))
		return ROUTING_MISS_MERCHANT;
	if (!routing_set_has(rule->kinds, kind))
		return ROUTING_MISS_KIND;
	if (!routing_set_has(rule->countries, facts->country))
		return ROUTING_MISS_COUNTRY;
	if (!routing_set_has(rule->currencies, facts->amount.currency))
		return ROUTING_MISS_CURRENCY;
	if (!routing_set_has(rule->methods, facts->method))
		return ROUTING_MISS_METHOD;
	if (facts->amount.minor < rule->amount_min ||
	    (rule->amount_max != 0 && facts->amount.minor > rule->amount_max))
		return ROUTING_MISS_AMOUNT;
	return ROUTING_FITS;
}

bool routing_in_maintenance(const struct routing_gateway *gateway, int64_t now_us)
{
	return now_us >= gateway->maintenance_from_us && now_us < gateway->maintenance_until_us;
}

/* An unknown country contradicts no gateway. */
static bool serves_country(const struct routing_gateway *gateway, const char *country)
{
	return *country == '\0' || routing_set_has(gateway->countries, country);
}

static bool knows_token(const struct routing_gateway *gateway, const char *token_gateway)
{
	return *token_gateway == '\0' || strcmp(token_gateway, gateway->name) == 0;
}

enum routing_drop routing_filter(const struct routing_gateway *gateway,
				 const struct routing_facts *facts)
{
	if (gateway->state == ROUTING_DISABLED)
		return ROUTING_DROP_DISABLED;
	if (gateway->state == ROUTING_DRAINING)
		return ROUTING_DROP_DRAINING;
	if ((gateway->operations >> facts->operation & 1) == 0)
		return ROUTING_DROP_OPERATION;
	if (!routing_set_has(gateway->currencies, facts->amount.currency))
		return ROUTING_DROP_CURRENCY;
	if (!serves_country(gateway, facts->country))
		return ROUTING_DROP_COUNTRY;
	if (!routing_set_has(gateway->methods, facts->method))
		return ROUTING_DROP_METHOD;
	if (!routing_limits_allow(gateway->limits, facts->amount))
		return ROUTING_DROP_AMOUNT;
	if (!knows_token(gateway, facts->token_gateway))
		return ROUTING_DROP_TOKEN;
	if (routing_in_maintenance(gateway, facts->now_us))
		return ROUTING_DROP_MAINTENANCE;
	return ROUTING_USABLE;
}

const char *routing_drop_field(enum routing_drop drop)
{
	switch (drop) {
	case ROUTING_DROP_CURRENCY:
	case ROUTING_DROP_COUNTRY:
	case ROUTING_DROP_METHOD:
	case ROUTING_DROP_AMOUNT:
	case ROUTING_DROP_TOKEN:
		return words_text(routing_drop_words, (int)drop);
	case ROUTING_USABLE:
	case ROUTING_DROP_DISABLED:
	case ROUTING_DROP_DRAINING:
	case ROUTING_DROP_OPERATION:
	case ROUTING_DROP_MAINTENANCE:
		break;
	}
	return NULL;
}

bool routing_is_default(const struct routing_rule *rule)
{
	return rule->merchants[0] == '\0' && rule->kinds[0] == '\0' && rule->countries[0] == '\0' &&
	       rule->currencies[0] == '\0' && rule->methods[0] == '\0' && rule->amount_min == 0 &&
	       rule->amount_max == 0;
}

size_t routing_gateway_find(const struct routing_table *table, const char *name)
{
	size_t i = 0;

	while (i < table->gateway_count && strcmp(table->gateways[i].name, name) != 0)
		i++;
	return i;
}

/* FNV-1a: all bytes of an id count, though the first ones are its time. */
static uint64_t id_hash(struct id id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < ID_SIZE; i++)
		hash = (hash ^ id.bytes[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

/* The targets that are left to be put in order. */
struct draw {
	size_t count;
	struct routing_target left[ROUTING_TARGETS_MAX];
	uint64_t hash;
};

static unsigned best_priority(const struct draw *draw)
{
	unsigned best = draw->left[0].priority;

	for (size_t i = 1; i < draw->count; i++)
		if (draw->left[i].priority < best)
			best = draw->left[i].priority;
	return best;
}

/* Of those with the best priority the one on whose share of the weights the hash falls; it leaves. */
static unsigned draw_next(struct draw *draw)
{
	const unsigned priority = best_priority(draw);
	uint64_t total = 0;
	uint64_t point;
	size_t at = 0;
	unsigned gateway;

	for (size_t i = 0; i < draw->count; i++)
		if (draw->left[i].priority == priority)
			total += draw->left[i].weight;
	point = draw->hash % total;
	for (;; at++) {
		if (draw->left[at].priority != priority)
			continue;
		if (point < draw->left[at].weight)
			break;
		point -= draw->left[at].weight;
	}
	gateway = draw->left[at].gateway;
	draw->count--;
	memmove(&draw->left[at], &draw->left[at + 1],
		(draw->count - at) * sizeof draw->left[0]);
	return gateway;
}

static void decision_add(struct routing_decision *decision, unsigned gateway,
			 enum routing_drop drop)
{
	decision->candidates[decision->count++] = (struct routing_candidate){ gateway, drop };
}

/* Filtered first, so that what is away does not take its share with it. */
static void decision_fill(struct routing_decision *decision, const struct routing_table *table,
			  const struct routing_rule *rule, const struct routing_facts *facts)
{
	struct draw draw = { .hash = id_hash(facts->transaction_id) };

	for (size_t i = 0; i < rule->target_count; i++) {
		const struct routing_target *target = &rule->targets[i];

		if (routing_filter(&table->gateways[target->gateway], facts) == ROUTING_USABLE)
			draw.left[draw.count++] = *target;
	}
	decision->usable_count = draw.count;
	while (draw.count > 0)
		decision_add(decision, draw_next(&draw), ROUTING_USABLE);
	for (size_t i = 0; i < rule->target_count; i++) {
		const unsigned gateway = rule->targets[i].gateway;
		const enum routing_drop drop = routing_filter(&table->gateways[gateway], facts);

		if (drop != ROUTING_USABLE)
			decision_add(decision, gateway, drop);
	}
}

struct routing_decision routing_decide(const struct routing_table *table,
				       const struct routing_facts *facts)
{
	struct routing_decision decision = { .rule = ROUTING_NO_RULE };

	for (size_t i = 0; i < table->rule_count; i++) {
		if (routing_judge(&table->rules[i], facts) != ROUTING_FITS)
			continue;
		decision.rule = (int)i;
		decision_fill(&decision, table, &table->rules[i], facts);
		break;
	}
	return decision;
}
