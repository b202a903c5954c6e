/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routing: which gateways may take a payment, and in which order they are tried.
 *
 * Invariant  rules are tried in order and the first that fits decides; the order of gateways is a
 *            function of table, facts and transaction id, so that a second try stays on its side of
 *            a split; why a rule missed and why a gateway was dropped is part of the decision
 * Sets       texts of words with one blank between them ("EUR USD"); "" is every word
 * Units      amounts in minor units of the payment's currency; UTC microseconds
 * Ownership  tables are the caller's and are not changed; decisions are plain values
 * Threads    safe: pure functions
 * Source     DESIGN.md: Routing
 */
#ifndef CORE_ROUTING_H
#define CORE_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/money.h"
#include "core/operation.h"
#include "core/transaction.h"

#define ROUTING_GATEWAYS_MAX 16
#define ROUTING_RULES_MAX 256
#define ROUTING_TARGETS_MAX ROUTING_GATEWAYS_MAX
#define ROUTING_NAME_SIZE 33 /* [a-z0-9_]{1,32} and a NUL */
#define ROUTING_SET_SIZE 512
#define ROUTING_REASON_SIZE 97
#define ROUTING_WEIGHT_MAX 1000

enum routing_state {
	ROUTING_ENABLED,
	ROUTING_DRAINING, /* no new payments; what belongs to earlier ones is still sent */
	ROUTING_DISABLED, /* nothing is sent but inquiries */
};
extern const struct words routing_state_words; /* "enabled", "draining", "disabled" */

struct routing_gateway {
	char name[ROUTING_NAME_SIZE];
	unsigned operations; /* bits 1 << enum operation_kind */
	char currencies[ROUTING_SET_SIZE];
	char countries[ROUTING_SET_SIZE];
	char methods[ROUTING_SET_SIZE];
	char limits[ROUTING_SET_SIZE]; /* "EUR:100-500000 USD:1-": by currency; see routing_text.h */
	enum routing_state state;
	int64_t maintenance_from_us; /* both 0: none is planned */
	int64_t maintenance_until_us;
	char maintenance_reason[ROUTING_REASON_SIZE];
};

/* One gateway of a rule. Those of one priority share the payments by weight. */
struct routing_target {
	unsigned gateway;  /* index in the table */
	unsigned priority; /* 1 is tried first */
	unsigned weight;   /* 1..ROUTING_WEIGHT_MAX */
};

struct routing_rule {
	char name[ROUTING_NAME_SIZE];
	char merchants[ROUTING_SET_SIZE];
	char kinds[ROUTING_SET_SIZE]; /* of transactions: "payment deposit" */
	char countries[ROUTING_SET_SIZE];
	char currencies[ROUTING_SET_SIZE];
	char methods[ROUTING_SET_SIZE];
	int64_t amount_min; /* 0: from any */
	int64_t amount_max; /* 0: to any */
	size_t target_count;
	struct routing_target targets[ROUTING_TARGETS_MAX];
};

struct routing_table {
	size_t gateway_count;
	const struct routing_gateway *gateways;
	size_t rule_count;
	const struct routing_rule *rules;
};

/* What is known of a payment. */
struct routing_facts {
	struct id transaction_id; /* splits by weight follow it */
	enum transaction_kind kind;
	enum operation_kind operation;
	const char *merchant;
	const char *country; /* "": not known, which fits no rule that names countries */
	const char *method;
	struct money amount;
	const char *token_gateway; /* the only gateway that knows its payment token, or "": any */
	int64_t now_us;
};

/* Why a rule does not fit, in order of precedence. */
enum routing_miss {
	ROUTING_FITS,
	ROUTING_MISS_MERCHANT,
	ROUTING_MISS_KIND,
	ROUTING_MISS_COUNTRY,
	ROUTING_MISS_CURRENCY,
	ROUTING_MISS_METHOD,
	ROUTING_MISS_AMOUNT,
};

/* Why a gateway cannot be used, in order of precedence. */
enum routing_drop {
	ROUTING_USABLE,
	ROUTING_DROP_DISABLED,
	ROUTING_DROP_DRAINING,
	ROUTING_DROP_OPERATION,
	ROUTING_DROP_CURRENCY,
	ROUTING_DROP_COUNTRY,
	ROUTING_DROP_METHOD,
	ROUTING_DROP_AMOUNT,
	ROUTING_DROP_TOKEN,
	ROUTING_DROP_MAINTENANCE,
};

/* "merchant", "kind", "country" … of a miss or drop, as short words: "fits", "usable" for none. */
extern const struct words routing_miss_words;
extern const struct words routing_drop_words;

struct routing_candidate {
	unsigned gateway; /* index in the table */
	enum routing_drop drop;
};

#define ROUTING_NO_RULE (-1)

struct routing_decision {
	int rule; /* index in the table, or ROUTING_NO_RULE */
	size_t usable_count;
	size_t count;
	/* The usable ones in the order in which they are tried, then the dropped ones. */
	struct routing_candidate candidates[ROUTING_TARGETS_MAX];
};

/* Decide. */
struct routing_decision routing_decide(const struct routing_table *table,
				       const struct routing_facts *facts);

/* Whether one rule fits, and if not, by what it misses. */
enum routing_miss routing_judge(const struct routing_rule *rule, const struct routing_facts *facts);

/* Whether one gateway can be used, and if not, why. */
enum routing_drop routing_filter(const struct routing_gateway *gateway,
				 const struct routing_facts *facts);

/* It is planned to be away at this time. */
bool routing_in_maintenance(const struct routing_gateway *gateway, int64_t now_us);

/* The request's field that a drop is about ("currency"), or NULL. */
const char *routing_drop_field(enum routing_drop drop);

/* A rule without a condition, which fits every payment: the default. */
bool routing_is_default(const struct routing_rule *rule);

/* Index of a gateway by name; gateway_count where there is none. */
size_t routing_gateway_find(const struct routing_table *table, const char *name);

/* Whether a set holds the word; the empty set holds every word. */
bool routing_set_has(const char *set, const char *word);

#endif
