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
#include "sandbox/roll.h"
#include "sandbox/sums.h"

#define STEP 256 /* entries looked at while the mutex is held */

struct ledger {
	struct journal *journal; /* has a mutex of its own; never called with ours held */
	pthread_mutex_t mutex;	 /* guards: everything below, and the entries' changing members */
	struct index index;
	struct entry **entries; /* by ordinal; NULL where the line could not be written */
	size_t count;
	size_t room;
	struct roll rolls[PROFILE_COUNT];
	uint64_t charges[PROFILE_COUNT];
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

/* The entry's number is free and above 0. */
static enum err entry_insert(struct ledger *ledger, struct entry *entry)
{
	struct roll *roll = &ledger->rolls[entry->terms.gateway];
	enum err err = entries_reserve(ledger);

	if (err == ERR_OK)
		err = index_reserve(&ledger->index);
	if (err == ERR_OK)
		err = roll_reserve(roll, entry->number);
	if (err != ERR_OK)
		return err;
	entry->ordinal = ledger->count;
	ledger->entries[ledger->count++] = entry;
	roll_insert(roll, entry);
	index_insert(&ledger->index, entry);
	return ERR_OK;
}

/* It succeeds, or will. */
static bool entry_will_succeed(const struct entry *entry)
{
	return entry->verdict.final == ENTRY_SUCCEEDED || entry->verdict.later == ENTRY_SUCCEEDED;
}

static void entry_remove(struct ledger *ledger, struct entry *entry)
{
	if (entry_will_succeed(entry))
		sums_give_back(entry);
	index_remove(&ledger->index, entry);
	ledger->entries[entry->ordinal] = NULL;
	roll_remove(&ledger->rolls[entry->terms.gateway], entry);
	entry_free(entry);
}

static void entry_count_success(struct ledger *ledger, const struct entry *entry)
{
	if (entry->terms.kind == OPERATION_CHARGE && entry_status_now(entry) == ENTRY_SUCCEEDED)
		ledger->charges[entry->terms.gateway]++;
}

static void entry_decide(struct ledger *ledger, struct entry *entry, int64_t at_us)
{
	if (entry->decided_at_us != 0)
		return;
	entry->decided_at_us = at_us;
	entry_count_success(ledger, entry);
}

static void entry_turn(struct ledger *ledger, struct entry *entry, int64_t at_us)
{
	if (entry->turned_at_us != 0)
		return;
	entry->turned_at_us = at_us;
	if (entry->verdict.later == ENTRY_SUCCEEDED)
		entry_count_success(ledger, entry);
	else if (entry->verdict.final == ENTRY_SUCCEEDED)
		sums_give_back(entry);
}

/* The entry of a gateway's own id, once it is durable; NULL where there is none. */
static struct entry *entry_of_id(const struct ledger *ledger, size_t gateway, const char *id)
{
	struct entry *entry = roll_find_id(&ledger->rolls[gateway], id);

	return entry != NULL && entry->durable ? entry : NULL;
}

/* The root of an entry that was judged when it was taken. False: the file misses it. */
static bool replay_parent(const struct ledger *ledger, struct entry *entry)
{
	struct entry *parent;

	if (!entry_will_succeed(entry) || !sums_need_parent(entry->terms.kind))
		return true;
	if (entry->terms.parent == NULL)
		return false;
	parent = entry_of_id(ledger, entry->terms.gateway, entry->terms.parent);
	if (parent != NULL && parent->terms.kind == OPERATION_CAPTURE)
		parent = parent->parent;
	entry->parent = parent;
	if (parent != NULL)
		sums_take(entry);
	return parent != NULL;
}

/* Neither its number nor, where that is one operation only, its reference is taken. */
static bool replay_is_new(const struct ledger *ledger, const struct entry *entry)
{
	size_t gateway = entry->terms.gateway;

	if (entry->number > LEDGER_ENTRIES_MAX ||
	    roll_find(&ledger->rolls[gateway], entry->number) != NULL)
		return false;
	return !profile_row(gateway)->idempotent ||
	       entry_of(ledger, gateway, entry->terms.name[ENTRY_REFERENCE]) == NULL;
}

static enum err replay_operation(struct ledger *ledger, struct entry *entry)
{
	enum err err = ERR_MALFORMED;

	if (replay_is_new(ledger, entry) && replay_parent(ledger, entry))
		err = entry_insert(ledger, entry);
	if (err != ERR_OK) {
		entry_free(entry);
		return err;
	}
	entry->durable = true;
	entry_count_success(ledger, entry);
	return ERR_OK;
}

/* Which entry a line tells of: by its number, in older files by its reference alone. */
static struct entry *replay_find(const struct ledger *ledger, const struct entry_line *line)
{
	struct entry *entry;

	if (line->number == 0)
		return entry_of(ledger, line->gateway, line->reference);
	entry = roll_find(&ledger->rolls[line->gateway], line->number);
	if (entry == NULL || strcmp(entry->terms.name[ENTRY_REFERENCE], line->reference) != 0)
		return NULL;
	return entry;
}

static enum err replay_step(struct ledger *ledger, const struct entry_line *line)
{
	struct entry *entry = replay_find(ledger, line);

	if (entry == NULL)
		return ERR_MALFORMED;
	switch (line->record) {
	case ENTRY_RECORD_OPERATION:
		return ERR_MALFORMED;
	case ENTRY_RECORD_DECIDED:
		entry_decide(ledger, entry, line->at_us);
		return ERR_OK;
	case ENTRY_RECORD_TURNED:
		if (entry->verdict.later == ENTRY_ACCEPTED || entry->decided_at_us == 0)
			return ERR_MALFORMED;
		entry_turn(ledger, entry, line->at_us);
		return ERR_OK;
	case ENTRY_RECORD_CALLED_BACK:
		entry->called_back = true;
		return ERR_OK;
	}
	return ERR_MALFORMED;
}

static enum err replay_line(void *context, const char *text, size_t size)
{
	struct ledger *ledger = context;
	struct entry_line line;
	enum err err = entry_line_read(text, size, &line);

	if (err != ERR_OK)
		return err;
	if (line.record == ENTRY_RECORD_OPERATION)
		return replay_operation(ledger, line.entry);
	return replay_step(ledger, &line);
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

/* Under the mutex. What its parent's sums forbid becomes a decline made at once. */
static void fresh_judge(const struct ledger *ledger, struct entry *fresh)
{
	const struct entry_terms *terms = &fresh->terms;
	const char *code;

	if (!sums_need_parent(terms->kind) || !entry_will_succeed(fresh))
		return;
	code = sums_judge(terms, entry_of_id(ledger, terms->gateway, terms->parent),
			  &fresh->parent);
	if (code == NULL) {
		sums_take(fresh);
		return;
	}
	fresh->verdict = (struct entry_verdict){ENTRY_DECLINED, ENTRY_DECLINED, code,
						fresh->verdict.at_us, ENTRY_ACCEPTED};
	fresh->decided_at_us = fresh->verdict.at_us;
	fresh->callback_id = NULL;
	fresh->terms.callback_url = NULL;
}

/* Under the mutex. Judge what the ledger has; with LEDGER_ENTERED `fresh` was put into it. */
static enum err claim(struct ledger *ledger, struct entry *fresh, enum ledger_outcome *outcome,
		      struct entry **entry)
{
	const struct entry_terms *terms = &fresh->terms;
	struct entry *found = entry_of(ledger, terms->gateway, terms->name[ENTRY_REFERENCE]);
	enum err err;

	if (found != NULL && profile_row(terms->gateway)->idempotent) {
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
	fresh->number = ledger->rolls[terms->gateway].last + 1;
	err = entry_insert(ledger, fresh);
	if (err != ERR_OK)
		return err;
	fresh_judge(ledger, fresh);
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
		entry_count_success(ledger, entry);
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

struct entry *ledger_by_id(struct ledger *ledger, size_t gateway, const char *id)
{
	struct entry *entry;

	pthread_mutex_lock(&ledger->mutex);
	entry = entry_of_id(ledger, gateway, id);
	pthread_mutex_unlock(&ledger->mutex);
	return entry;
}

enum entry_status ledger_status(struct ledger *ledger, const struct entry *entry)
{
	enum entry_status status;

	pthread_mutex_lock(&ledger->mutex);
	status = entry_status_now(entry);
	pthread_mutex_unlock(&ledger->mutex);
	return status;
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

enum err ledger_turn(struct ledger *ledger, struct entry *entry, int64_t at_us)
{
	struct render line = {0};
	struct journal_batch *batch;
	enum err err;

	assert(entry->verdict.later != ENTRY_ACCEPTED);
	entry_render_turned(entry, at_us, &line);
	err = line_append(ledger, &line, &batch);
	if (err == ERR_OK)
		err = journal_wait(ledger->journal, batch);
	if (err != ERR_OK)
		return err;
	pthread_mutex_lock(&ledger->mutex);
	entry_turn(ledger, entry, at_us);
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

		bool turns = entry->verdict.later != ENTRY_ACCEPTED && entry->turned_at_us == 0;

		if (entry->decided_at_us == 0 || turns || calls)
			each(context, entry);
	}
}

/* A late success counts as one from then on; what was reversed or returned had succeeded. */
static void render_outcome(const struct entry *entry, struct render *render)
{
	bool late = entry->turned_at_us != 0 && entry->verdict.final == ENTRY_DECLINED;
	enum entry_status outcome = late ? ENTRY_SUCCEEDED : entry->verdict.final;
	char at[CLOCK_TEXT_SIZE];

	render_text(render, "outcome", words_text(entry_status_words, (int)outcome));
	render_text(render, "at",
		    clock_format(late ? entry->turned_at_us : entry->decided_at_us, at));
	if (entry->turned_at_us == 0 || entry->verdict.later == ENTRY_SUCCEEDED)
		return;
	render_text(render, "turned",
		    words_text(entry_status_words, (int)entry->verdict.later));
	render_text(render, "turned_at", clock_format(entry->turned_at_us, at));
}

static void render_row(void *context, const struct entry *entry)
{
	const struct entry_terms *terms = &entry->terms;
	struct render *render = context;
	char id[ENTRY_ID_SIZE];

	render_begin(render, '{');
	render_text(render, "gateway", profile_row(terms->gateway)->name);
	render_text(render, "operation", words_text(operation_kind_words, (int)terms->kind));
	render_text(render, "reference", terms->name[ENTRY_REFERENCE]);
	render_text(render, "attempt", terms->name[ENTRY_ATTEMPT]);
	render_text(render, "transaction", terms->name[ENTRY_TRANSACTION]);
	render_text(render, "operation_id", terms->name[ENTRY_OPERATION]);
	render_text(render, "gateway_ref", entry_id(entry, id));
	render_text(render, "parent", terms->parent);
	render_integer(render, "amount_minor", terms->amount.minor);
	render_text(render, "currency", terms->amount.currency);
	render_outcome(entry, render);
	render_end(render, '}');
}

static bool is_told(const struct entry *entry)
{
	return entry != NULL && entry->durable && entry->decided_at_us != 0;
}

/* Steps, so that nobody waits long for the mutex however many entries there are. */
void ledger_each_decided(struct ledger *ledger,
			 void (*each)(void *context, const struct entry *entry), void *context)
{
	size_t at = 0;
	bool more = true;

	while (more) {
		pthread_mutex_lock(&ledger->mutex);
		for (size_t i = 0; i < STEP && at < ledger->count; i++, at++) {
			if (is_told(ledger->entries[at]))
				each(context, ledger->entries[at]);
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
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		if (is_told(found[i]))
			render_row(render, found[i]);
	}
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
		ledger_each_decided(ledger, render_row, render);
	else
		render_named(ledger, name, render);
	render_end(render, ']');
}

uint64_t ledger_charges(struct ledger *ledger, size_t gateway)
{
	uint64_t charges;

	assert(gateway < PROFILE_COUNT);
	pthread_mutex_lock(&ledger->mutex);
	charges = ledger->charges[gateway];
	pthread_mutex_unlock(&ledger->mutex);
	return charges;
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
	for (size_t i = 0; i < PROFILE_COUNT; i++)
		roll_done(&ledger->rolls[i]);
	index_done(&ledger->index);
	(void)pthread_mutex_destroy(&ledger->mutex);
	free(ledger);
}
