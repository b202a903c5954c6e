/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/ledger.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "core/id.h"
#include "sandbox/index.h"
#include "sandbox/profile.h"

#define RENDER_STEP 256 /* entries rendered while the mutex is held */

struct ledger {
	struct journal *journal; /* has a mutex of its own; never called with ours held */
	pthread_mutex_t mutex;	 /* guards: everything below, and the entries' changing members */
	struct index index;
	struct entry **entries; /* by ordinal; NULL where the line could not be written */
	size_t count;
	size_t room;
	int64_t last_number[PROFILE_COUNT];
	uint64_t succeeded[PROFILE_COUNT];
};

/* Under the mutex, as all static functions here that take an entry. */
static struct entry *entry_of(const struct ledger *ledger, size_t gateway, const char *reference)
{
	return index_reference(&ledger->index, gateway, reference);
}

static enum err entries_reserve(struct ledger *ledger)
{
	size_t room = ledger->room == 0 ? 1024 : ledger->room * 2;
	struct entry **entries;

	if (ledger->count < ledger->room)
		return ERR_OK;
	entries = realloc(ledger->entries, room * sizeof *entries);
	if (entries == NULL)
		return ERR_MEMORY;
	ledger->entries = entries;
	ledger->room = room;
	return ERR_OK;
}

static enum err entry_insert(struct ledger *ledger, struct entry *entry)
{
	enum err err = entries_reserve(ledger);

	if (err == ERR_OK)
		err = index_reserve(&ledger->index);
	if (err != ERR_OK)
		return err;
	entry->ordinal = ledger->count;
	ledger->entries[ledger->count++] = entry;
	index_insert(&ledger->index, entry);
	return ERR_OK;
}

static void entry_remove(struct ledger *ledger, struct entry *entry)
{
	index_remove(&ledger->index, entry);
	ledger->entries[entry->ordinal] = NULL;
	entry_free(entry);
}

static void entry_count_verdict(struct ledger *ledger, const struct entry *entry)
{
	if (entry->decided_at_us != 0 && entry->verdict.final == ENTRY_SUCCEEDED)
		ledger->succeeded[entry->terms.gateway]++;
}

static void entry_decide(struct ledger *ledger, struct entry *entry, int64_t at_us)
{
	if (entry->decided_at_us != 0)
		return;
	entry->decided_at_us = at_us;
	entry_count_verdict(ledger, entry);
}

static enum entry_status entry_status_now(const struct entry *entry)
{
	return entry->decided_at_us == 0 ? ENTRY_ACCEPTED : entry->verdict.final;
}

static enum err replay_operation(struct ledger *ledger, struct entry *entry)
{
	int64_t *last = &ledger->last_number[entry->terms.gateway];
	enum err err = ERR_MALFORMED;

	if (entry_of(ledger, entry->terms.gateway, entry->terms.name[ENTRY_REFERENCE]) == NULL)
		err = entry_insert(ledger, entry);
	if (err != ERR_OK) {
		entry_free(entry);
		return err;
	}
	entry->durable = true;
	if (entry->number > *last)
		*last = entry->number;
	entry_count_verdict(ledger, entry);
	return ERR_OK;
}

static enum err replay_line(void *context, const char *text, size_t size)
{
	struct ledger *ledger = context;
	struct entry_line line;
	struct entry *entry;
	enum err err = entry_line_read(text, size, &line);

	if (err != ERR_OK)
		return err;
	if (line.record == ENTRY_RECORD_OPERATION)
		return replay_operation(ledger, line.entry);
	entry = entry_of(ledger, line.gateway, line.reference);
	if (entry == NULL)
		return ERR_MALFORMED;
	if (line.record == ENTRY_RECORD_DECIDED)
		entry_decide(ledger, entry, line.at_us);
	else
		entry->called_back = true;
	return ERR_OK;
}

enum err ledger_open(const char *path, struct ledger **ledger, char why[JOURNAL_WHY_SIZE])
{
	struct ledger *opened = calloc(1, sizeof *opened);
	enum err err;

	if (opened == NULL) {
		(void)snprintf(why, JOURNAL_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	(void)pthread_mutex_init(&opened->mutex, NULL);
	err = journal_open(path, replay_line, opened, &opened->journal, why);
	if (err != ERR_OK) {
		ledger_close(opened);
		return err;
	}
	*ledger = opened;
	return ERR_OK;
}

static struct entry *entry_make(const struct entry_terms *terms,
				const struct entry_verdict *verdict, bool with_callback)
{
	char callback_id[ID_TEXT_SIZE];
	uint8_t random[10];

	if (!with_callback)
		return entry_new(terms, verdict, NULL);
	crypto_random(random, sizeof random);
	(void)id_format(ID_CALLBACK, id_make(verdict->at_us, random), callback_id);
	return entry_new(terms, verdict, callback_id);
}

/* Under the mutex. Judge what the ledger has; with LEDGER_ENTERED `fresh` was put into it. */
static enum err claim(struct ledger *ledger, struct entry *fresh, enum ledger_outcome *outcome,
		      struct entry **entry)
{
	const struct entry_terms *terms = &fresh->terms;
	struct entry *found = entry_of(ledger, terms->gateway, terms->name[ENTRY_REFERENCE]);
	enum err err;

	if (found != NULL) {
		*outcome = !entry_has_terms(found, terms) ? LEDGER_KEY_REUSED
			   : found->running		  ? LEDGER_IN_PROGRESS
							  : LEDGER_REPLAYED;
		*entry = found;
		return ERR_OK;
	}
	if (ledger->count >= LEDGER_ENTRIES_MAX) {
		*outcome = LEDGER_FULL;
		return ERR_OK;
	}
	fresh->running = true;
	fresh->number = ledger->last_number[terms->gateway] + 1;
	err = entry_insert(ledger, fresh);
	if (err != ERR_OK)
		return err;
	ledger->last_number[terms->gateway]++;
	*outcome = LEDGER_ENTERED;
	*entry = fresh;
	return ERR_OK;
}

static enum err line_append(struct ledger *ledger, struct render *line,
			    struct journal_batch **batch)
{
	size_t size;
	char *text = render_take(line, &size);
	enum err err;

	if (text == NULL)
		return ERR_MEMORY;
	err = journal_append(ledger->journal, text, size, batch);
	free(text);
	return err;
}

static enum err operation_write(struct ledger *ledger, const struct entry *entry)
{
	struct render line = {0};
	struct journal_batch *batch;
	enum err err;

	entry_render_operation(entry, &line);
	err = line_append(ledger, &line, &batch);
	return err == ERR_OK ? journal_wait(ledger->journal, batch) : err;
}

/* Make a claimed entry durable, or take it out again. */
static enum err confirm(struct ledger *ledger, struct entry *entry)
{
	enum err err = operation_write(ledger, entry);

	pthread_mutex_lock(&ledger->mutex);
	if (err == ERR_OK) {
		entry->durable = true;
		entry_count_verdict(ledger, entry);
	} else {
		entry_remove(ledger, entry);
	}
	pthread_mutex_unlock(&ledger->mutex);
	return err;
}

enum err ledger_enter(struct ledger *ledger, const struct entry_terms *terms,
		      const struct entry_verdict *verdict, bool with_callback,
		      enum ledger_outcome *outcome, struct entry **entry)
{
	struct entry *fresh = entry_make(terms, verdict, with_callback);
	enum ledger_outcome judged = LEDGER_FULL;
	struct entry *chosen = NULL;
	enum err err;

	if (fresh == NULL)
		return ERR_MEMORY;
	pthread_mutex_lock(&ledger->mutex);
	err = claim(ledger, fresh, &judged, &chosen);
	pthread_mutex_unlock(&ledger->mutex);
	if (err != ERR_OK || judged != LEDGER_ENTERED)
		entry_free(fresh);
	else
		err = confirm(ledger, fresh);
	if (err != ERR_OK)
		return err;
	*outcome = judged;
	if (judged == LEDGER_ENTERED || judged == LEDGER_REPLAYED)
		*entry = chosen;
	return ERR_OK;
}

void ledger_release(struct ledger *ledger, struct entry *entry)
{
	pthread_mutex_lock(&ledger->mutex);
	assert(entry->running);
	entry->running = false;
	pthread_mutex_unlock(&ledger->mutex);
}

bool ledger_find(struct ledger *ledger, size_t gateway, const char *reference,
		 const struct entry **entry, enum entry_status *status)
{
	const struct entry *found;
	bool known;

	pthread_mutex_lock(&ledger->mutex);
	found = entry_of(ledger, gateway, reference);
	known = found != NULL && found->durable;
	if (known) {
		*entry = found;
		*status = entry_status_now(found);
	}
	pthread_mutex_unlock(&ledger->mutex);
	return known;
}

/* Those of `entries` that are not decided yet; returns how many. */
static size_t undecided(struct ledger *ledger, struct entry *const *entries, size_t count,
			struct entry **open)
{
	size_t open_count = 0;

	pthread_mutex_lock(&ledger->mutex);
	for (size_t i = 0; i < count; i++) {
		if (entries[i]->decided_at_us == 0)
			open[open_count++] = entries[i];
	}
	pthread_mutex_unlock(&ledger->mutex);
	return open_count;
}

/* Append all lines, then wait for all: they share one write, or two where another thread's comes
 * between. */
static enum err decided_write(struct ledger *ledger, struct entry *const *entries, size_t count,
			      int64_t at_us)
{
	struct journal_batch *batches[LEDGER_DECIDE_MAX];
	size_t appended = 0;
	enum err err = ERR_OK;

	while (err == ERR_OK && appended < count) {
		struct render line = {0};

		entry_render_decided(entries[appended], at_us, &line);
		err = line_append(ledger, &line, &batches[appended]);
		if (err == ERR_OK)
			appended++;
	}
	for (size_t i = 0; i < appended; i++) {
		enum err written = journal_wait(ledger->journal, batches[i]);

		if (err == ERR_OK)
			err = written;
	}
	return err;
}

enum err ledger_decide(struct ledger *ledger, struct entry *const *entries, size_t count,
		       int64_t at_us)
{
	struct entry *open[LEDGER_DECIDE_MAX];
	size_t open_count;
	enum err err;

	assert(count <= LEDGER_DECIDE_MAX);
	open_count = undecided(ledger, entries, count, open);
	err = decided_write(ledger, open, open_count, at_us);
	if (err != ERR_OK)
		return err;
	pthread_mutex_lock(&ledger->mutex);
	for (size_t i = 0; i < open_count; i++)
		entry_decide(ledger, open[i], at_us);
	pthread_mutex_unlock(&ledger->mutex);
	return ERR_OK;
}

void ledger_called_back(struct ledger *ledger, struct entry *entry, const char *outcome,
			int64_t at_us)
{
	struct render line = {0};

	pthread_mutex_lock(&ledger->mutex);
	entry->called_back = true;
	pthread_mutex_unlock(&ledger->mutex);
	entry_render_called_back(entry, outcome, at_us, &line);
	if (line_append(ledger, &line, NULL) != ERR_OK)
		log_note(LOG_WARNING,
			 "a callback's end was not recorded: it may come again after a restart");
}

enum err ledger_sync(struct ledger *ledger)
{
	return journal_sync(ledger->journal);
}

void ledger_each_unfinished(struct ledger *ledger, void (*each)(void *context, struct entry *entry),
			    void *context)
{
	for (size_t i = 0; i < ledger->count; i++) {
		struct entry *entry = ledger->entries[i];
		bool calls = entry->callback_id != NULL && !entry->called_back;

		if (entry->decided_at_us == 0 || calls)
			each(context, entry);
	}
}

static void render_row(const struct entry *entry, struct render *render)
{
	const struct entry_terms *terms = &entry->terms;
	char id[ENTRY_ID_SIZE];
	char at[CLOCK_TEXT_SIZE];

	if (!entry->durable || entry->decided_at_us == 0)
		return;
	render_begin(render, '{');
	render_text(render, "gateway", profile_row(terms->gateway)->name);
	render_text(render, "operation", words_text(operation_kind_words, (int)terms->kind));
	render_text(render, "reference", terms->name[ENTRY_REFERENCE]);
	render_text(render, "attempt", terms->name[ENTRY_ATTEMPT]);
	render_text(render, "transaction", terms->name[ENTRY_TRANSACTION]);
	render_text(render, "operation_id", terms->name[ENTRY_OPERATION]);
	render_text(render, "gateway_ref", entry_id(entry, id));
	render_integer(render, "amount_minor", terms->amount.minor);
	render_text(render, "currency", terms->amount.currency);
	render_text(render, "outcome", words_text(entry_status_words, (int)entry->verdict.final));
	render_text(render, "at", clock_format(entry->decided_at_us, at));
	render_end(render, '}');
}

/* Steps, so that nobody waits long for the mutex however many entries there are. */
static void render_all(struct ledger *ledger, struct render *render)
{
	size_t at = 0;
	bool more = true;

	while (more) {
		pthread_mutex_lock(&ledger->mutex);
		for (size_t i = 0; i < RENDER_STEP && at < ledger->count; i++, at++) {
			if (ledger->entries[at] != NULL)
				render_row(ledger->entries[at], render);
		}
		more = at < ledger->count;
		pthread_mutex_unlock(&ledger->mutex);
	}
}

static void render_named(struct ledger *ledger, const char *name, struct render *render)
{
	struct entry **found;
	size_t count;
	enum err err;

	pthread_mutex_lock(&ledger->mutex);
	err = index_collect(&ledger->index, name, &found, &count);
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		render_row(found[i], render);
	pthread_mutex_unlock(&ledger->mutex);
	if (err == ERR_OK)
		free(found);
	else
		render->failed = true;
}

void ledger_render(struct ledger *ledger, const char *name, struct render *render)
{
	render_begin(render, '[');
	if (name == NULL)
		render_all(ledger, render);
	else
		render_named(ledger, name, render);
	render_end(render, ']');
}

uint64_t ledger_succeeded(struct ledger *ledger, size_t gateway)
{
	uint64_t succeeded;

	assert(gateway < PROFILE_COUNT);
	pthread_mutex_lock(&ledger->mutex);
	succeeded = ledger->succeeded[gateway];
	pthread_mutex_unlock(&ledger->mutex);
	return succeeded;
}

size_t ledger_count(struct ledger *ledger)
{
	size_t count;

	pthread_mutex_lock(&ledger->mutex);
	count = ledger->count;
	pthread_mutex_unlock(&ledger->mutex);
	return count;
}

void ledger_close(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	journal_close(ledger->journal);
	for (size_t i = 0; i < ledger->count; i++)
		entry_free(ledger->entries[i]);
	free(ledger->entries);
	index_done(&ledger->index);
	(void)pthread_mutex_destroy(&ledger->mutex);
	free(ledger);
}
