/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of route_rule and route_target: the rules that choose a gateway, in order of their numbers.
 *
 * Invariant  they change as a whole, with the catalogue's version locked and raised
 *            (store/catalogue.h)
 * Units      minor units of the currencies the rule names
 * Ownership  rows are plain values in the caller's storage
 * Threads    as the store transaction passed in
 */
#ifndef STORE_ROUTE_H
#define STORE_ROUTE_H

#include <stdint.h>

#include "core/routing.h"
#include "store/store.h"

struct route_rule_row {
	int number; /* 1, 2, … */
	char rule[ROUTING_NAME_SIZE];
	char merchants[ROUTING_SET_SIZE]; /* "" is NULL, here and below: every one */
	char kinds[ROUTING_SET_SIZE];
	char countries[ROUTING_SET_SIZE];
	char currencies[ROUTING_SET_SIZE];
	char methods[ROUTING_SET_SIZE];
	int64_t amount_min; /* 0 is NULL */
	int64_t amount_max;
};

struct route_target_row {
	int number; /* of the rule */
	char gateway[ROUTING_NAME_SIZE];
	int priority;
	int weight;
};

/* All rules by number; all targets by rule, priority and name. */
typedef void store_route_rule_each(void *context, const struct route_rule_row *row);
typedef void store_route_target_each(void *context, const struct route_target_row *row);
CHECKED enum err store_route_rule_list(struct store_tx *tx, store_route_rule_each *each,
				       void *context);
CHECKED enum err store_route_target_list(struct store_tx *tx, store_route_target_each *each,
					 void *context);

/* Delete all rules and their targets. */
CHECKED enum err store_route_clear(struct store_tx *tx);

/* Returns ERR_OK; ERR_CONFLICT (number, name or gateway of a rule twice); ERR_NOT_FOUND (no such gateway). */
CHECKED enum err store_route_rule_insert(struct store_tx *tx, const struct route_rule_row *row);
CHECKED enum err store_route_target_insert(struct store_tx *tx, const struct route_target_row *row);

#endif
