/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/profile.h"

#define STRIDE 7919   /* a prime: damage falls all over the file */
#define NOBODY 900000 /* numbers from here on are no operation's in a settlement of a test */

/* `line` is NULL where the file as a whole is damaged. */
typedef enum err plant(struct settlement *settlement, struct settlement_line *line,
		       struct settlement_difference *difference);

static void told_minor(struct settlement_difference *difference, int64_t truth, int64_t told)
{
	(void)snprintf(difference->truth, sizeof difference->truth, "%" PRId64, truth);
	(void)snprintf(difference->told, sizeof difference->told, "%" PRId64, told);
}

static void told_text(struct settlement_difference *difference, const char *truth, const char *told)
{
	(void)snprintf(difference->truth, sizeof difference->truth, "%s", truth);
	(void)snprintf(difference->told, sizeof difference->told, "%s", told);
}

static enum err leave_out(struct settlement *settlement, struct settlement_line *line,
			  struct settlement_difference *difference)
{
	(void)settlement;
	(void)difference;
	line->left_out = true;
	return ERR_OK;
}

/* A copy of the line behind the last one. */
static enum err line_copy(struct settlement *settlement, const struct settlement_line *line,
			  struct settlement_line **copy)
{
	size_t index = (size_t)(line - settlement->lines);
	enum err err = settlement_reserve(settlement);

	if (err != ERR_OK)
		return err;
	*copy = &settlement->lines[settlement->count++];
	**copy = settlement->lines[index];
	(*copy)->damaged = true;
	return ERR_OK;
}

static enum err repeat(struct settlement *settlement, struct settlement_line *line,
		       struct settlement_difference *difference)
{
	struct settlement_line *copy;

	(void)difference;
	return line_copy(settlement, line, &copy);
}

/* Like another line, but of an operation that nobody asked for. */
static enum err invent(struct settlement *settlement, struct settlement_line *line,
		       struct settlement_difference *difference)
{
	struct settlement_line *copy;
	enum err err;

	line->damaged = false; /* it is only what the invented one looks like */
	err = line_copy(settlement, line, &copy);
	if (err != ERR_OK)
		return err;
	(void)snprintf(copy->id, sizeof copy->id, "%s_%06zu",
		       profile_row(settlement->gateway)->name, NOBODY + settlement->count);
	copy->reference = "op_of_nobody-1";
	memcpy(difference->id, copy->id, sizeof difference->id);
	return ERR_OK;
}

static enum err amount_change(struct settlement *settlement, struct settlement_line *line,
			      struct settlement_difference *difference)
{
	int64_t truth = line->gross_minor;

	(void)settlement;
	line->gross_minor += truth < 0 ? -1 : 1;
	told_minor(difference, truth, line->gross_minor);
	return ERR_OK;
}

static enum err fee_change(struct settlement *settlement, struct settlement_line *line,
			   struct settlement_difference *difference)
{
	(void)settlement;
	told_minor(difference, line->fee_minor, line->fee_minor + 1);
	line->fee_minor++;
	return ERR_OK;
}

static enum err currency_change(struct settlement *settlement, struct settlement_line *line,
				struct settlement_difference *difference)
{
	const char *other = strcmp(line->currency, "USD") == 0 ? "EUR" : "USD";

	(void)settlement;
	told_text(difference, line->currency, other);
	memcpy(line->currency, other, sizeof line->currency);
	return ERR_OK;
}

static enum err type_change(struct settlement *settlement, struct settlement_line *line,
			    struct settlement_difference *difference)
{
	(void)settlement;
	told_text(difference, line->type, "loyalty_bonus");
	line->type = "loyalty_bonus";
	return ERR_OK;
}

static enum err amount_spoil(struct settlement *settlement, struct settlement_line *line,
			     struct settlement_difference *difference)
{
	(void)settlement;
	line->gross_text = "1O5E+02";
	told_minor(difference, line->gross_minor, 0);
	(void)snprintf(difference->told, sizeof difference->told, "%s", line->gross_text);
	return ERR_OK;
}

static enum err total_change(struct settlement *settlement, struct settlement_line *line,
			     struct settlement_difference *difference)
{
	(void)line;
	(void)difference;
	settlement->total_wrong = true;
	return ERR_OK;
}

static enum err truncate_file(struct settlement *settlement, struct settlement_line *line,
			      struct settlement_difference *difference)
{
	(void)line;
	(void)difference;
	settlement->truncated = true;
	return ERR_OK;
}

/* clang-format off */
static const struct row {
	const char *kind;  /* as reconcile calls the break */
	const char *field; /* NULL: the whole line, or file */
	bool of_line;
	plant *plant;
} rows[] = {
	{ "missing_in_file",   NULL,       true,  leave_out },
	{ "missing_in_db",     NULL,       true,  invent },
	{ "duplicate_in_file", NULL,       true,  repeat },
	{ "amount",            "gross",    true,  amount_change },
	{ "fee",               "fee",      true,  fee_change },
	{ "currency",          "currency", true,  currency_change },
	{ "unknown_kind",      "type",     true,  type_change },
	{ "quarantined_row",   "gross",    true,  amount_spoil },
	{ "control_total",     "net",      false, total_change },
	{ "truncated",         NULL,       false, truncate_file },
};
/* clang-format on */

static const struct row *row_find(const char *kind)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(rows[i].kind, kind) == 0)
			return &rows[i];
	}
	return NULL;
}

/* The next undamaged line from a place that differs from one difference to the next. */
static struct settlement_line *line_choose(const struct settlement *settlement)
{
	size_t start = (settlement->difference_count + 1) * STRIDE;

	for (size_t i = 0; i < settlement->count; i++) {
		struct settlement_line *line = &settlement->lines[(start + i) % settlement->count];

		if (!line->damaged)
			return line;
	}
	return NULL;
}

enum err damage_plant(struct settlement *settlement, const char *kind)
{
	struct settlement_difference *difference =
		&settlement->differences[settlement->difference_count];
	const struct row *row = row_find(kind);
	struct settlement_line *line = NULL;
	enum err err;

	if (row == NULL)
		return ERR_INVALID;
	if (settlement->difference_count == SETTLEMENT_DIFFERENCES_MAX)
		return ERR_TOO_LONG;
	*difference = (struct settlement_difference){.kind = row->kind, .field = row->field};
	if (row->of_line) {
		line = line_choose(settlement);
		if (line == NULL)
			return ERR_TOO_LONG;
		line->damaged = true;
		memcpy(difference->id, line->id, sizeof difference->id);
	}
	err = row->plant(settlement, line, difference);
	if (err == ERR_OK)
		settlement->difference_count++;
	return err;
}
