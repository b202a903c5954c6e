/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/settlement.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "core/money.h"
#include "sandbox/profile.h"

#define DAY_US INT64_C(86400000000)
#define LINES_ROOM_FIRST 256
#define CURRENCIES_MAX 16 /* of one day's totals; the lines of further ones have none */
#define BASIS_POINTS 10000

static const char *const columns[] = {
	"type",     "id",    "reference", "parent", "transaction", "currency",
	"gross",    "fee",   "net",       "booked_at", "batch"};

enum err settlement_reserve(struct settlement *settlement)
{
	size_t room = settlement->room == 0 ? LINES_ROOM_FIRST : settlement->room * 2;
	struct settlement_line *lines;

	if (settlement->count < settlement->room)
		return ERR_OK;
	lines = realloc(settlement->lines, room * sizeof *lines);
	if (lines == NULL)
		return ERR_MEMORY;
	settlement->lines = lines;
	settlement->room = room;
	return ERR_OK;
}

/* clang-format off */
/* The movements that an operation that succeeded is, and that its turn is; 0: no money moves. */
static const struct movement {
	const char *type, *turned_type;
	int sign;
	bool fee;
} movements[OPERATION_KIND_COUNT] = {
	[OPERATION_CHARGE] =  { "charge",  NULL,              1,  true },
	[OPERATION_CAPTURE] = { "capture", NULL,              1,  true },
	[OPERATION_REFUND] =  { "refund",  "refund_reversal", -1, false },
	[OPERATION_PAYOUT] =  { "payout",  "payout_return",   -1, false },
};
/* clang-format on */

static int64_t fee_of(const struct profile *profile, int64_t minor)
{
	int64_t share = minor / BASIS_POINTS * profile->fee_basis_points +
			minor % BASIS_POINTS * profile->fee_basis_points / BASIS_POINTS;

	return share + profile->fee_fixed_minor;
}

struct gathering {
	struct settlement *settlement;
	int64_t from_us;
	enum err err;
};

/* One movement, where it fell on the day. */
static void line_add(struct gathering *gathering, const struct entry *entry, bool turned,
		     int64_t at_us)
{
	const struct movement *movement = &movements[entry->terms.kind];
	struct settlement *settlement = gathering->settlement;
	int64_t minor = entry->terms.amount.minor;
	struct settlement_line *line;

	if (gathering->err != ERR_OK || at_us < gathering->from_us ||
	    at_us >= gathering->from_us + DAY_US)
		return;
	gathering->err = settlement_reserve(settlement);
	if (gathering->err != ERR_OK)
		return;
	line = &settlement->lines[settlement->count++];
	*line = (struct settlement_line){
		.type = turned ? movement->turned_type : movement->type,
		.entry = entry,
		.reference = entry->terms.name[ENTRY_REFERENCE],
		.gross_minor = turned ? -movement->sign * minor : movement->sign * minor,
		.fee_minor = movement->fee ? fee_of(profile_row(settlement->gateway), minor) : 0,
		.at_us = at_us,
	};
	memcpy(line->currency, entry->terms.amount.currency, sizeof line->currency);
	(void)entry_id(entry, line->id);
}

/* Under the ledger's mutex. What was declined moved its money when it turned: back too, where it turned to that. */
static void entry_gather(void *context, const struct entry *entry)
{
	struct gathering *gathering = context;
	bool turned = entry->turned_at_us != 0;
	bool late = turned && entry->verdict.final == ENTRY_DECLINED;

	if (entry->terms.gateway != gathering->settlement->gateway ||
	    movements[entry->terms.kind].type == NULL)
		return;
	if (entry->verdict.final == ENTRY_SUCCEEDED)
		line_add(gathering, entry, false, entry->decided_at_us);
	if (late)
		line_add(gathering, entry, false, entry->turned_at_us);
	if (turned && entry->verdict.later != ENTRY_SUCCEEDED)
		line_add(gathering, entry, true, entry->turned_at_us);
}

/* Midnight UTC of "2026-11-28". */
static bool date_read(const char *date, int64_t *from_us)
{
	char midnight[SETTLEMENT_DATE_SIZE + 16];

	if (strlen(date) != SETTLEMENT_DATE_SIZE - 1)
		return false;
	(void)snprintf(midnight, sizeof midnight, "%sT00:00:00Z", date);
	return clock_parse(midnight, from_us);
}

enum err settlement_gather(struct ledger *ledger, size_t gateway, const char *date,
			   struct settlement *settlement)
{
	struct settlement gathered = {.gateway = gateway};
	struct gathering gathering = {.settlement = &gathered, .err = ERR_OK};

	if (!date_read(date, &gathering.from_us))
		return ERR_INVALID;
	memcpy(gathered.date, date, SETTLEMENT_DATE_SIZE);
	ledger_each_decided(ledger, entry_gather, &gathering);
	if (gathering.err != ERR_OK) {
		settlement_done(&gathered);
		return gathering.err;
	}
	*settlement = gathered;
	return ERR_OK;
}

/* A file being written, in the spelling of its gateway. */
struct sheet {
	FILE *file;
	const struct profile *profile;
	size_t column;
};

static void cell_put(struct sheet *sheet, const char *text)
{
	const char special[] = {sheet->profile->separator, '"', '\n', '\0'};
	bool quoted = strpbrk(text, special) != NULL;

	if (sheet->column++ > 0)
		(void)fputc(sheet->profile->separator, sheet->file);
	if (quoted)
		(void)fputc('"', sheet->file);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			(void)fputc('"', sheet->file);
		(void)fputc(*text, sheet->file);
	}
	if (quoted)
		(void)fputc('"', sheet->file);
}

/* Minor units, or major units with the gateway's decimal mark. */
static void money_put(struct sheet *sheet, int64_t minor, const char *currency)
{
	char text[MONEY_TEXT_SIZE];
	char *point;

	if (sheet->profile->decimal_mark == '\0') {
		(void)snprintf(text, sizeof text, "%" PRId64, minor);
	} else {
		(void)money_format_major(minor, currency_find(currency)->exponent, text);
		point = strchr(text, '.');
		if (point != NULL)
			*point = sheet->profile->decimal_mark;
	}
	cell_put(sheet, text);
}

static void row_end(struct sheet *sheet)
{
	(void)fputc('\n', sheet->file);
	sheet->column = 0;
}

static void amounts_put(struct sheet *sheet, const struct settlement_line *line)
{
	if (line->gross_text == NULL)
		money_put(sheet, line->gross_minor, line->currency);
	else
		cell_put(sheet, line->gross_text);
	money_put(sheet, line->fee_minor, line->currency);
	money_put(sheet, line->gross_minor - line->fee_minor, line->currency);
}

/* One settlement batch a day. */
static const char *batch_of(const struct settlement *settlement, char out[SETTLEMENT_TEXT_SIZE])
{
	(void)snprintf(out, SETTLEMENT_TEXT_SIZE, "%s-%s", profile_row(settlement->gateway)->name,
		       settlement->date);
	return out;
}

static void line_put(struct sheet *sheet, const struct settlement *settlement,
		     const struct settlement_line *line)
{
	const struct entry_terms *terms = &line->entry->terms;
	char batch[SETTLEMENT_TEXT_SIZE];
	char at[CLOCK_TEXT_SIZE];

	cell_put(sheet, line->type);
	cell_put(sheet, line->id);
	cell_put(sheet, line->reference);
	cell_put(sheet, terms->parent == NULL ? "" : terms->parent);
	cell_put(sheet, terms->name[ENTRY_TRANSACTION]);
	cell_put(sheet, line->currency);
	amounts_put(sheet, line);
	cell_put(sheet, clock_format(line->at_us, at));
	cell_put(sheet, batch_of(settlement, batch));
	row_end(sheet);
}

struct total {
	char currency[4];
	size_t count;
	int64_t gross_minor;
	int64_t fee_minor;
};

static struct total *total_of(struct total totals[CURRENCIES_MAX], const char *currency)
{
	for (size_t i = 0; i < CURRENCIES_MAX; i++) {
		if (totals[i].count == 0)
			memcpy(totals[i].currency, currency, sizeof totals[i].currency);
		if (strcmp(totals[i].currency, currency) == 0)
			return &totals[i];
	}
	return NULL;
}

static void totals_sum(const struct settlement *settlement, struct total totals[CURRENCIES_MAX])
{
	memset(totals, 0, CURRENCIES_MAX * sizeof *totals);
	for (size_t i = 0; i < settlement->count; i++) {
		const struct settlement_line *line = &settlement->lines[i];
		struct total *total =
			line->left_out ? NULL : total_of(totals, line->currency);

		if (total == NULL)
			continue;
		total->count++;
		total->gross_minor += line->gross_minor;
		total->fee_minor += line->fee_minor;
	}
}

static void total_put(struct sheet *sheet, const struct settlement *settlement,
		      const struct total *total, int64_t wrong_minor)
{
	char text[SETTLEMENT_TEXT_SIZE];

	cell_put(sheet, "total");
	(void)snprintf(text, sizeof text, "%zu", total->count);
	cell_put(sheet, text);
	for (int i = 0; i < 3; i++)
		cell_put(sheet, "");
	cell_put(sheet, total->currency);
	money_put(sheet, total->gross_minor, total->currency);
	money_put(sheet, total->fee_minor, total->currency);
	money_put(sheet, total->gross_minor - total->fee_minor + wrong_minor, total->currency);
	cell_put(sheet, settlement->date);
	cell_put(sheet, batch_of(settlement, text));
	row_end(sheet);
}

static void sheet_fill(struct sheet *sheet, const struct settlement *settlement)
{
	struct total totals[CURRENCIES_MAX];

	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		cell_put(sheet, columns[i]);
	row_end(sheet);
	for (size_t i = 0; i < settlement->count; i++) {
		if (!settlement->lines[i].left_out)
			line_put(sheet, settlement, &settlement->lines[i]);
	}
	totals_sum(settlement, totals);
	for (size_t i = 0; i < CURRENCIES_MAX && totals[i].count > 0; i++)
		total_put(sheet, settlement, &totals[i],
			  settlement->total_wrong && i == 0 ? 1 : 0);
}

/* The whole file as text on the heap. */
static enum err sheet_text(const struct settlement *settlement, char **text, size_t *size)
{
	struct sheet sheet = {.profile = profile_row(settlement->gateway)};

	sheet.file = open_memstream(text, size);
	if (sheet.file == NULL)
		return ERR_MEMORY;
	sheet_fill(&sheet, settlement);
	if (fclose(sheet.file) != 0) {
		free(*text);
		return ERR_MEMORY;
	}
	if (settlement->truncated)
		*size -= *size / 4;
	return ERR_OK;
}

static void difference_render(const struct settlement_difference *difference,
			      struct render *manifest)
{
	bool has_values = difference->truth[0] != '\0';

	render_begin(manifest, '{');
	render_text(manifest, "kind", difference->kind);
	render_text(manifest, "id", difference->id[0] == '\0' ? NULL : difference->id);
	render_text(manifest, "field", difference->field);
	render_text(manifest, "truth", has_values ? difference->truth : NULL);
	render_text(manifest, "told", has_values ? difference->told : NULL);
	render_end(manifest, '}');
}

static void manifest_render(const struct settlement *settlement, const char *path,
			    const char *digest, struct render *manifest)
{
	size_t lines = 0;

	for (size_t i = 0; i < settlement->count; i++)
		lines += settlement->lines[i].left_out ? 0 : 1;
	render_begin(manifest, '{');
	render_text(manifest, "gateway", profile_row(settlement->gateway)->name);
	render_text(manifest, "date", settlement->date);
	render_text(manifest, "file", path);
	render_text(manifest, "sha256", digest);
	render_integer(manifest, "lines", (int64_t)lines);
	render_member(manifest, "differences", '[');
	for (size_t i = 0; i < settlement->difference_count; i++)
		difference_render(&settlement->differences[i], manifest);
	render_end(manifest, ']');
	render_end(manifest, '}');
}

/* Under another name first, so that nobody reads half a file. */
static enum err file_put(const char *path, const char *text, size_t size)
{
	char passing[SETTLEMENT_PATH_MAX + 8];
	FILE *file;
	bool written;

	(void)snprintf(passing, sizeof passing, "%s.new", path);
	file = fopen(passing, "wx");
	if (file == NULL && errno == EEXIST && unlink(passing) == 0)
		file = fopen(passing, "wx");
	if (file == NULL)
		return ERR_IO;
	written = fwrite(text, 1, size, file) == size;
	written = fclose(file) == 0 && written;
	return written && rename(passing, path) == 0 ? ERR_OK : ERR_IO;
}

/* DIRECTORY/GATEWAY-DATE and what follows; false where it is too long. */
static bool path_make(const struct settlement *settlement, const char *directory,
		      const char *ending, char path[SETTLEMENT_PATH_MAX])
{
	char batch[SETTLEMENT_TEXT_SIZE];
	int size = snprintf(path, SETTLEMENT_PATH_MAX, "%s/%s%s", directory,
			    batch_of(settlement, batch), ending);

	return size > 0 && size < SETTLEMENT_PATH_MAX;
}

static enum err manifest_put(const char *path, const struct render *manifest)
{
	return manifest->failed ? ERR_MEMORY : file_put(path, manifest->text, manifest->size);
}

enum err settlement_write(const struct settlement *settlement, const char *directory,
			  struct render *manifest)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	char path[SETTLEMENT_PATH_MAX], manifest_path[SETTLEMENT_PATH_MAX];
	char *text = NULL;
	size_t size = 0;
	enum err err;

	if (!path_make(settlement, directory, ".csv", path) ||
	    !path_make(settlement, directory, ".manifest.json", manifest_path) ||
	    (mkdir(directory, 0700) != 0 && errno != EEXIST))
		return ERR_IO;
	err = sheet_text(settlement, &text, &size);
	if (err != ERR_OK)
		return err;
	crypto_sha256(text, size, digest);
	manifest_render(settlement, path, crypto_hex(digest, sizeof digest, hex), manifest);
	err = file_put(path, text, size);
	if (err == ERR_OK)
		err = manifest_put(manifest_path, manifest);
	free(text);
	return err;
}

void settlement_done(struct settlement *settlement)
{
	free(settlement->lines);
	*settlement = (struct settlement){0};
}
