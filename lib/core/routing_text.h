/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routing texts: the sets, limits and gateway lists that people write, judged into one form.
 *
 *   set      words between blanks or commas: "EUR, USD"         -> "EUR USD"
 *   limits   CURRENCY:MIN-MAX, either number may be left out    -> "EUR:100-500000 USD:1-"
 *   targets  gateways in order of priority; those joined by | share by weight (1 where left out):
 *            "alpha:70 | beta:30, gamma"
 *
 * Invariant  what was read is canonical: reading it again gives the same text
 * Units      minor units
 * Threads    safe: pure functions
 */
#ifndef CORE_ROUTING_TEXT_H
#define CORE_ROUTING_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/money.h"
#include "core/routing.h"

#define ROUTING_WHY_SIZE 160

/* What a set's words are. */
enum routing_words {
	ROUTING_CURRENCIES, /* active ISO 4217 codes */
	ROUTING_COUNTRIES,  /* two capitals */
	ROUTING_METHODS,    /* of the catalogue of payment methods */
	ROUTING_KINDS,      /* of transactions */
	ROUTING_OPERATIONS,
	ROUTING_MERCHANTS, /* a-z 0-9 _ - */
};

/*
 * Read a set.
 * Returns  true with its canonical form in `set`; false with half a sentence in `why` ("has USX,
 *          which is no currency"), which repeats at most one short word
 */
bool routing_set_read(enum routing_words words, const char *text, char set[ROUTING_SET_SIZE],
		      char why[ROUTING_WHY_SIZE]);

/* The bits 1 << enum operation_kind of a canonical set; all of them for the empty one. */
unsigned routing_operations(const char *set);

/* Read limits; returns as routing_set_read(). */
bool routing_limits_read(const char *text, char limits[ROUTING_SET_SIZE],
			 char why[ROUTING_WHY_SIZE]);

/* Whether canonical limits let an amount pass; a currency they do not name always does. */
bool routing_limits_allow(const char *limits, struct money amount);

/* A gateway in a rule, by name. */
struct routing_named_target {
	char name[ROUTING_NAME_SIZE];
	unsigned priority;
	unsigned weight;
};

/* Read targets; returns as routing_set_read(), with 1..ROUTING_TARGETS_MAX of them. */
bool routing_targets_read(const char *text,
			  struct routing_named_target targets[ROUTING_TARGETS_MAX], size_t *count,
			  char why[ROUTING_WHY_SIZE]);

#endif
