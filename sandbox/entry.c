/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/entry.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sandbox/profile.h"

#define LINE_DEPTH_MAX 2

static const char *const statuses[] = {"accepted",        "succeeded", "declined",
				       "requires_action", "reversed",  "returned"};
const struct words entry_status_words = {statuses, sizeof statuses / sizeof statuses[0]};

static const char *const records[] = {"operation", "decided", "turned", "called_back"};
static const struct words record_words = {records, sizeof records / sizeof records[0]};

static const char *const names[ENTRY_NAME_COUNT] = {"reference", "transaction", "operation_id",
						    "attempt"};

#define TEXT_COUNT (ENTRY_NAME_COUNT + 6)

/* Where an entry keeps its texts, in one order for measuring and copying. */
static void texts_of(struct entry *entry, const char **texts[TEXT_COUNT])
{
	size_t count = 0;

	for (int i = 0; i < ENTRY_NAME_COUNT; i++)
		texts[count++] = &entry->terms.name[i];
	texts[count++] = &entry->terms.payment_token;
	texts[count++] = &entry->terms.effect;
	texts[count++] = &entry->terms.parent;
	texts[count++] = &entry->terms.callback_url;
	texts[count++] = &entry->verdict.decline_code;
	texts[count++] = &entry->callback_id;
	assert(count == TEXT_COUNT);
}

/* Move all texts into `room`, which is large enough. */
static void texts_copy(const char **texts[TEXT_COUNT], char *room)
{
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		size_t size = *texts[i] == NULL ? 0 : strlen(*texts[i]) + 1;

		if (size == 0)
			continue;
		memcpy(room, *texts[i], size);
		*texts[i] = room;
		room += size;
	}
}

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct entry *entry_new(const struct entry_terms *terms, const struct entry_verdict *verdict,
			const char *callback_id)
{
	struct entry borrowed = {.terms = *terms, .verdict = *verdict, .callback_id = callback_id};
	const char **texts[TEXT_COUNT];
	struct entry *entry;
	size_t size = 0;

	if (callback_id == NULL)
		borrowed.terms.callback_url = NULL;
	if (texts_equal(terms->effect, terms->payment_token))
		borrowed.terms.effect = NULL;
	texts_of(&borrowed, texts);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		size += *texts[i] == NULL ? 0 : strlen(*texts[i]) + 1;
	entry = malloc(sizeof *entry + size);
	if (entry == NULL)
		return NULL;
	memcpy(entry, &borrowed, sizeof *entry);
	atomic_init(&entry->callback_tried, false);
	entry->decided_at_us = entry_status_is_decided(verdict->opened) ? verdict->at_us : 0;
	texts_of(entry, texts);
	texts_copy(texts, entry->texts);
	return entry;
}

void entry_free(struct entry *entry)
{
	free(entry);
}

const char *entry_id(const struct entry *entry, char out[ENTRY_ID_SIZE])
{
	(void)snprintf(out, ENTRY_ID_SIZE, "%s_%06" PRId64, profile_row(entry->terms.gateway)->name,
		       entry->number);
	return out;
}

bool entry_has_terms(const struct entry *entry, const struct entry_terms *terms)
{
	const struct entry_terms *ours = &entry->terms;

	return ours->gateway == terms->gateway && ours->kind == terms->kind &&
	       money_equal(ours->amount, terms->amount) &&
	       strcmp(ours->name[ENTRY_REFERENCE], terms->name[ENTRY_REFERENCE]) == 0 &&
	       strcmp(ours->name[ENTRY_TRANSACTION], terms->name[ENTRY_TRANSACTION]) == 0 &&
	       texts_equal(ours->parent, terms->parent) &&
	       strcmp(ours->payment_token, terms->payment_token) == 0;
}

const char *entry_effect(const struct entry *entry)
{
	return entry->terms.effect == NULL ? entry->terms.payment_token : entry->terms.effect;
}

bool entry_status_is_decided(enum entry_status status)
{
	return status != ENTRY_ACCEPTED && status != ENTRY_REQUIRES_ACTION;
}

enum entry_status entry_status_now(const struct entry *entry)
{
	if (entry->turned_at_us != 0)
		return entry->verdict.later;
	return entry->decided_at_us == 0 ? entry->verdict.opened : entry->verdict.final;
}

static void line_begin(const struct entry *entry, enum entry_record record, struct render *line)
{
	render_begin(line, '{');
	render_text(line, "record", words_text(record_words, (int)record));
	render_text(line, "gateway", profile_row(entry->terms.gateway)->name);
	render_text(line, "reference", entry->terms.name[ENTRY_REFERENCE]);
	render_integer(line, "number", entry->number);
}

static void line_end(int64_t at_us, struct render *line)
{
	render_integer(line, "at_us", at_us);
	render_end(line, '}');
	render_line_end(line);
}

void entry_render_operation(const struct entry *entry, struct render *line)
{
	const struct entry_terms *terms = &entry->terms;
	const struct entry_verdict *verdict = &entry->verdict;

	line_begin(entry, ENTRY_RECORD_OPERATION, line);
	render_text(line, "operation", words_text(operation_kind_words, (int)terms->kind));
	for (int i = ENTRY_TRANSACTION; i < ENTRY_NAME_COUNT; i++)
		render_text(line, names[i], terms->name[i]);
	render_integer(line, "amount_minor", terms->amount.minor);
	render_text(line, "currency", terms->amount.currency);
	render_text(line, "payment_token", terms->payment_token);
	render_text(line, "effect", terms->effect);
	render_text(line, "parent", terms->parent);
	render_text(line, "opened", words_text(entry_status_words, (int)verdict->opened));
	render_text(line, "final", words_text(entry_status_words, (int)verdict->final));
	render_text(line, "decline_code", verdict->decline_code);
	if (verdict->later != ENTRY_ACCEPTED)
		render_text(line, "later", words_text(entry_status_words, (int)verdict->later));
	render_text(line, "callback_id", entry->callback_id);
	render_text(line, "callback_url", terms->callback_url);
	line_end(verdict->at_us, line);
}

void entry_render_decided(const struct entry *entry, int64_t at_us, struct render *line)
{
	line_begin(entry, ENTRY_RECORD_DECIDED, line);
	line_end(at_us, line);
}

void entry_render_turned(const struct entry *entry, int64_t at_us, struct render *line)
{
	line_begin(entry, ENTRY_RECORD_TURNED, line);
	line_end(at_us, line);
}

void entry_render_called_back(const struct entry *entry, const char *outcome, int64_t at_us,
			      struct render *line)
{
	line_begin(entry, ENTRY_RECORD_CALLED_BACK, line);
	render_text(line, "outcome", outcome);
	line_end(at_us, line);
}

/* One string member; NULL where it is absent or something else. */
static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static bool word_of(const json_t *object, const char *name, struct words words, int *value)
{
	const char *text = text_of(object, name);

	*value = text == NULL ? -1 : words_find(words, text);
	return *value >= 0;
}

/* What was done is not done again: only a decline turns to success. */
static bool verdict_holds(const struct entry_verdict *verdict)
{
	bool declined = verdict->final == ENTRY_DECLINED;

	if (verdict->final != ENTRY_SUCCEEDED && !declined)
		return false;
	if (entry_status_is_decided(verdict->opened) && verdict->opened != verdict->final)
		return false;
	if (declined != (verdict->decline_code != NULL))
		return false;
	if (verdict->later == ENTRY_ACCEPTED)
		return true;
	return verdict->later == ENTRY_REVERSED || verdict->later == ENTRY_RETURNED ||
	       (declined && verdict->later == ENTRY_SUCCEEDED);
}

static bool verdict_read(const json_t *object, int64_t at_us, struct entry_verdict *verdict)
{
	int opened, final, later = ENTRY_ACCEPTED;

	if (!word_of(object, "opened", entry_status_words, &opened) ||
	    !word_of(object, "final", entry_status_words, &final) ||
	    (json_object_get(object, "later") != NULL &&
	     !word_of(object, "later", entry_status_words, &later)))
		return false;
	*verdict = (struct entry_verdict){(enum entry_status)opened, (enum entry_status) final,
					  text_of(object, "decline_code"), at_us,
					  (enum entry_status)later};
	return verdict_holds(verdict);
}

static bool amount_read(const json_t *object, struct money *amount)
{
	const json_t *minor = json_object_get(object, "amount_minor");
	const char *currency = text_of(object, "currency");

	if (!json_is_integer(minor) || currency == NULL || currency_find(currency) == NULL)
		return false;
	(void)snprintf(amount->currency, sizeof amount->currency, "%s", currency);
	return money_from_minor(json_integer_value(minor), &amount->minor) == MONEY_OK;
}

static bool terms_read(const json_t *object, struct entry_terms *terms)
{
	int kind;

	for (int i = 0; i < ENTRY_NAME_COUNT; i++) {
		terms->name[i] = text_of(object, names[i]);
		if (terms->name[i] == NULL)
			return false;
	}
	terms->payment_token = text_of(object, "payment_token");
	terms->effect = text_of(object, "effect");
	terms->parent = text_of(object, "parent");
	terms->callback_url = text_of(object, "callback_url");
	if (!word_of(object, "operation", operation_kind_words, &kind))
		return false;
	terms->kind = (enum operation_kind)kind;
	return terms->payment_token != NULL && amount_read(object, &terms->amount);
}

static enum err operation_read(const json_t *object, struct entry_line *line)
{
	struct entry_terms terms = {.gateway = line->gateway};
	struct entry_verdict verdict;
	const char *callback_id = text_of(object, "callback_id");

	if (line->number == 0 || !terms_read(object, &terms) ||
	    !verdict_read(object, line->at_us, &verdict) ||
	    (callback_id == NULL) != (terms.callback_url == NULL))
		return ERR_MALFORMED;
	line->entry = entry_new(&terms, &verdict, callback_id);
	if (line->entry == NULL)
		return ERR_MEMORY;
	line->entry->number = line->number;
	return ERR_OK;
}

static enum err object_read(const json_t *object, struct entry_line *line)
{
	const char *gateway = text_of(object, "gateway");
	const char *reference = text_of(object, "reference");
	struct entry_line out = {
		.at_us = json_integer_value(json_object_get(object, "at_us")),
		.number = json_integer_value(json_object_get(object, "number")),
	};
	enum err err = ERR_OK;
	int record;

	if (gateway == NULL || reference == NULL || strlen(reference) > ENTRY_NAME_MAX ||
	    out.at_us <= 0 || out.number < 0 || !word_of(object, "record", record_words, &record))
		return ERR_MALFORMED;
	out.record = (enum entry_record)record;
	out.gateway = profile_find(gateway);
	if (out.gateway == PROFILE_COUNT)
		return ERR_MALFORMED;
	(void)snprintf(out.reference, sizeof out.reference, "%s", reference);
	if (out.record == ENTRY_RECORD_OPERATION)
		err = operation_read(object, &out);
	if (err == ERR_OK)
		*line = out;
	return err;
}

enum err entry_line_read(const char *text, size_t size, struct entry_line *line)
{
	char why[JSON_WHY_SIZE];
	json_t *object;
	enum err err;

	if (json_read(text, size, LINE_DEPTH_MAX, &object, why) != ERR_OK)
		return ERR_MALFORMED;
	err = object_read(object, line);
	json_decref(object);
	return err;
}
