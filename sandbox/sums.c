/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/sums.h"

#include <string.h>

#define KIND(NAME) (1U << OPERATION_##NAME)

static int64_t rest_of_authorisation(const struct entry *root)
{
	return root->sums.released ? 0 : root->terms.amount.minor - root->sums.captured_minor;
}

static int64_t rest_of_captured(const struct entry *root)
{
	int64_t captured = root->terms.kind == OPERATION_CHARGE ? root->terms.amount.minor
								: root->sums.captured_minor;

	return captured - root->sums.refunded_minor;
}

/* clang-format off */
static const struct rule {
	unsigned parents; /* kinds, as bits; 0: it is about nothing */
	int64_t (*rest)(const struct entry *root);
	bool whole;       /* takes all that is left, whatever its amount */
	const char *refusal;
} rules[OPERATION_KIND_COUNT] = {
	[OPERATION_CAPTURE] = { KIND(AUTHORISE), rest_of_authorisation, false,
		"capture_exceeds_authorisation" },
	[OPERATION_VOID] =    { KIND(AUTHORISE), rest_of_authorisation, true,
		"nothing_to_void" },
	[OPERATION_REFUND] =  { KIND(CHARGE) | KIND(AUTHORISE) | KIND(CAPTURE), rest_of_captured,
		false, "refund_exceeds_charge" },
};
/* clang-format on */

bool sums_need_parent(enum operation_kind kind)
{
	return rules[kind].parents != 0;
}

const char *sums_judge(const struct entry_terms *terms, struct entry *parent, struct entry **root)
{
	const struct rule *rule = &rules[terms->kind];
	struct entry *judged;
	int64_t rest;

	if (parent == NULL || (rule->parents & 1U << parent->terms.kind) == 0)
		return "parent_not_found";
	if (entry_status_now(parent) != ENTRY_SUCCEEDED)
		return "parent_not_succeeded";
	if (strcmp(parent->terms.amount.currency, terms->amount.currency) != 0)
		return "currency_mismatch";
	judged = parent->terms.kind == OPERATION_CAPTURE ? parent->parent : parent;
	rest = rule->rest(judged);
	if (rest < (rule->whole ? 1 : terms->amount.minor))
		return rule->refusal;
	*root = judged;
	return NULL;
}

/* The sum at its root that an operation of this kind counts in; NULL for a void. */
static int64_t *sum_of(const struct entry *entry)
{
	return entry->terms.kind == OPERATION_CAPTURE ? &entry->parent->sums.captured_minor
	       : entry->terms.kind == OPERATION_REFUND ? &entry->parent->sums.refunded_minor
						       : NULL;
}

static void count(const struct entry *entry, int64_t minor)
{
	int64_t *sum;

	if (entry->parent == NULL)
		return;
	sum = sum_of(entry);
	if (sum == NULL)
		entry->parent->sums.released = minor > 0;
	else
		*sum += minor;
}

void sums_take(const struct entry *entry)
{
	count(entry, entry->terms.amount.minor);
}

void sums_give_back(const struct entry *entry)
{
	count(entry, -entry->terms.amount.minor);
}
