/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sheet_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/bulk.h"

#define SLOTS 1024 /* a power of two, at least twice as many as rows */
#define ROWS_MAX (SLOTS / 2)
#define ROWS_FIRST 8

#define COUNTED_OF(WHICH) (SHEET_COUNTED << (WHICH))
#define COUNTED_ALL (COUNTED_OF(SHEET_OPEN_EXCEPTIONS) | COUNTED_OF(SHEET_KEPT_CALLBACKS))

/* The rows of one kind, found by their ids through an open hash. */
struct drawer {
	size_t count;
	size_t room;
	unsigned char *rows;
	uint8_t *marks;
	uint16_t slots[SLOTS]; /* place + 1; 0: free */
};

/* Rows to be inserted. */
struct pile {
	size_t count;
	size_t room;
	unsigned char *rows;
};

struct counts {
	int64_t of[SHEET_COUNTS];
};

struct sheet {
	struct drawer drawers[SHEET_KINDS];
	struct counts *counts; /* by place of the transaction; NULL: nothing was counted */
	bool counted[SHEET_COUNTS];
	struct pile piles[SHEET_LISTS];
	bool pending;
	int64_t now_us; /* 0: not read, or older than a lock */
};

static const size_t row_sizes[SHEET_KINDS] = {
	[SHEET_OPERATION] = sizeof(struct operation_row),
	[SHEET_TRANSACTION] = sizeof(struct transaction_row),
	[SHEET_ATTEMPT] = sizeof(struct attempt_row),
};
static const size_t list_row_sizes[SHEET_LISTS] = {
	[SHEET_EVENTS] = sizeof(struct event_row),
	[SHEET_LEDGER] = sizeof(struct ledger_row),
};
static_assert(offsetof(struct operation_row, id) == 0, "a row begins with its id");
static_assert(offsetof(struct transaction_row, id) == 0, "a row begins with its id");
static_assert(offsetof(struct attempt_row, id) == 0, "a row begins with its id");

bool sheet_is_open(const struct store_tx *tx)
{
	return tx->sheet != NULL;
}

static void *row_at(const struct sheet *sheet, enum sheet_kind kind, size_t place)
{
	return sheet->drawers[kind].rows + place * row_sizes[kind];
}

/* The slot that holds this id's place, or the free one where it belongs. */
static uint16_t *slot_of(struct sheet *sheet, enum sheet_kind kind, struct id id)
{
	struct drawer *drawer = &sheet->drawers[kind];
	uint64_t random;
	size_t at;

	memcpy(&random, id.bytes + ID_SIZE - sizeof random, sizeof random);
	for (at = random % SLOTS; drawer->slots[at] != 0; at = (at + 1) % SLOTS)
		if (memcmp(row_at(sheet, kind, drawer->slots[at] - 1u), &id, sizeof id) == 0)
			break;
	return &drawer->slots[at];
}

static bool place_of(const struct store_tx *tx, enum sheet_kind kind, struct id id, size_t *place)
{
	uint16_t slot;

	if (tx->sheet == NULL)
		return false;
	slot = *slot_of(tx->sheet, kind, id);
	if (slot == 0)
		return false;
	*place = slot - 1u;
	return true;
}

void *sheet_find(const struct store_tx *tx, enum sheet_kind kind, struct id id)
{
	size_t place;

	return place_of(tx, kind, id, &place) ? row_at(tx->sheet, kind, place) : NULL;
}

static enum err drawer_grow(struct drawer *drawer, size_t row_size)
{
	size_t room = drawer->room == 0 ? ROWS_FIRST : 2 * drawer->room;
	unsigned char *rows = realloc(drawer->rows, room * row_size);
	uint8_t *marks;

	if (rows == NULL)
		return ERR_MEMORY;
	drawer->rows = rows;
	marks = realloc(drawer->marks, room);
	if (marks == NULL)
		return ERR_MEMORY;
	drawer->marks = marks;
	drawer->room = room;
	return ERR_OK;
}

enum err sheet_put(struct store_tx *tx, enum sheet_kind kind, const void *row, unsigned marks)
{
	struct sheet *sheet = tx->sheet;
	struct drawer *drawer = &sheet->drawers[kind];
	uint16_t *slot;
	struct id id;
	enum err err;

	memcpy(&id, row, sizeof id);
	slot = slot_of(sheet, kind, id);
	if (*slot != 0)
		return (marks & SHEET_NEW) != 0 ? ERR_CONFLICT : ERR_OK;
	if (drawer->count == ROWS_MAX)
		return ERR_TOO_LONG;
	if (drawer->count == drawer->room) {
		err = drawer_grow(drawer, row_sizes[kind]);
		if (err != ERR_OK)
			return err;
	}
	memcpy(row_at(sheet, kind, drawer->count), row, row_sizes[kind]);
	drawer->marks[drawer->count] = (uint8_t)marks;
	drawer->count++;
	*slot = (uint16_t)drawer->count;
	if ((marks & SHEET_NEW) == 0)
		sheet->now_us = 0;
	sheet->pending = sheet->pending || (marks & SHEET_NEW) != 0;
	return ERR_OK;
}

bool sheet_change(struct store_tx *tx, enum sheet_kind kind, const void *row)
{
	struct id id;
	size_t place;

	memcpy(&id, row, sizeof id);
	if (!place_of(tx, kind, id, &place))
		return false;
	memcpy(row_at(tx->sheet, kind, place), row, row_sizes[kind]);
	tx->sheet->drawers[kind].marks[place] |= SHEET_CHANGED;
	tx->sheet->pending = true;
	return true;
}

bool sheet_find_live(const struct store_tx *tx, struct id operation_id,
		     const struct attempt_row **live)
{
	size_t place;

	if (tx->sheet == NULL)
		return false;
	for (size_t i = 0; i < tx->sheet->drawers[SHEET_ATTEMPT].count; i++) {
		const struct attempt_row *attempt = row_at(tx->sheet, SHEET_ATTEMPT, i);

		if (id_equal(attempt->operation_id, operation_id) &&
		    !attempt_is_uncharged(attempt->status)) {
			*live = attempt;
			return true;
		}
	}
	*live = NULL;
	return place_of(tx, SHEET_OPERATION, operation_id, &place) &&
	       (tx->sheet->drawers[SHEET_OPERATION].marks[place] & SHEET_LIVE_KNOWN) != 0;
}

void sheet_uncount(struct store_tx *tx, struct id transaction_id)
{
	size_t place;

	if (place_of(tx, SHEET_TRANSACTION, transaction_id, &place))
		tx->sheet->drawers[SHEET_TRANSACTION].marks[place] &= (uint8_t)~COUNTED_ALL;
}

bool sheet_now(const struct store_tx *tx, int64_t *now_us)
{
	if (tx->sheet == NULL || tx->sheet->now_us == 0)
		return false;
	*now_us = tx->sheet->now_us;
	return true;
}

void sheet_keep_now(struct store_tx *tx, int64_t now_us)
{
	if (tx->sheet != NULL)
		tx->sheet->now_us = now_us;
}

enum err sheet_append(struct store_tx *tx, enum sheet_list list, const void *row)
{
	struct pile *pile = &tx->sheet->piles[list];
	const size_t size = list_row_sizes[list];

	if (pile->count == pile->room) {
		size_t room = pile->room == 0 ? ROWS_FIRST : 2 * pile->room;
		unsigned char *rows = realloc(pile->rows, room * size);

		if (rows == NULL)
			return ERR_MEMORY;
		pile->rows = rows;
		pile->room = room;
	}
	memcpy(pile->rows + pile->count * size, row, size);
	pile->count++;
	tx->sheet->pending = true;
	return ERR_OK;
}

/* ---- writing ---- */

typedef enum err rows_write(struct store_tx *tx, const void *const *rows, size_t count);

/* clang-format off */
#define WRITER(NAME, FUNCTION, TYPE)                                                               \
	static enum err NAME(struct store_tx *tx, const void *const *rows, size_t count)           \
	{                                                                                          \
		return FUNCTION(tx, (const struct TYPE *const *)rows, count);                      \
	}
WRITER(attempts_insert, attempt_insert_all, attempt_row)
WRITER(attempts_write, attempt_write_all, attempt_row)
WRITER(operations_write, operation_write_all, operation_row)
WRITER(transactions_write, transaction_write_all, transaction_row)
WRITER(events_insert, store_event_insert_all, event_row)
WRITER(ledger_insert, ledger_insert_all, ledger_row)

/* In this order: where a new attempt conflicts with a live one, nothing else was written. */
static const struct {
	enum sheet_kind kind;
	bool new;
	rows_write *write;
} writes[] = {
	{ SHEET_ATTEMPT,     true,  attempts_insert    },
	{ SHEET_ATTEMPT,     false, attempts_write     },
	{ SHEET_OPERATION,   false, operations_write   },
	{ SHEET_TRANSACTION, false, transactions_write },
};
static rows_write *const inserts[SHEET_LISTS] = {
	[SHEET_EVENTS] = events_insert,
	[SHEET_LEDGER] = ledger_insert,
};
/* clang-format on */

static enum err drawer_write(struct store_tx *tx, enum sheet_kind kind, bool new, rows_write *write)
{
	const struct drawer *drawer = &tx->sheet->drawers[kind];
	const void *list[ROWS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < drawer->count; i++) {
		const bool is_new = (drawer->marks[i] & SHEET_NEW) != 0;
		const bool is_changed = (drawer->marks[i] & SHEET_CHANGED) != 0;

		if (new ? is_new : is_changed && !is_new)
			list[count++] = row_at(tx->sheet, kind, i);
	}
	return count == 0 ? ERR_OK : write(tx, list, count);
}

static enum err pile_write(struct store_tx *tx, enum sheet_list which)
{
	const struct pile *pile = &tx->sheet->piles[which];
	const void **list;
	enum err err;

	if (pile->count == 0)
		return ERR_OK;
	list = malloc(pile->count * sizeof *list);
	if (list == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < pile->count; i++)
		list[i] = pile->rows + i * list_row_sizes[which];
	err = inserts[which](tx, list, pile->count);
	free(list);
	return err;
}

static void written(struct sheet *sheet)
{
	for (size_t kind = 0; kind < SHEET_KINDS; kind++)
		for (size_t i = 0; i < sheet->drawers[kind].count; i++)
			sheet->drawers[kind].marks[i] &= (uint8_t) ~(SHEET_CHANGED | SHEET_NEW);
	for (size_t list = 0; list < SHEET_LISTS; list++)
		sheet->piles[list].count = 0;
	sheet->pending = false;
}

enum err sheet_flush(struct store_tx *tx)
{
	enum err err = ERR_OK;

	if (tx->sheet == NULL || !tx->sheet->pending)
		return ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < sizeof writes / sizeof writes[0]; i++)
		err = drawer_write(tx, writes[i].kind, writes[i].new, writes[i].write);
	for (enum sheet_list list = 0; err == ERR_OK && list < SHEET_LISTS; list++)
		err = pile_write(tx, list);
	if (err == ERR_OK)
		written(tx->sheet);
	return err;
}

/* ---- reading ---- */

struct filing {
	struct store_tx *tx;
	enum sheet_kind kind;
	enum err err;
};

static void file(void *context, const void *row)
{
	struct filing *filing = context;

	if (filing->err == ERR_OK)
		filing->err = sheet_put(filing->tx, filing->kind, row, 0);
}

enum err sheet_query_run(struct store_tx *tx, enum statement_id id, const struct shape *shape,
			 void *row, const struct sheet_query *query)
{
	const struct bulk_read read = { .id = id,
					.shape = shape,
					.ids = query->ids,
					.count = query->count,
					.row = row,
					.each = query->each,
					.context = query->context };

	return bulk_read(tx, &read);
}

typedef enum err rows_lock(struct store_tx *tx, const struct sheet_query *query);

static enum err lock_and_file(struct store_tx *tx, enum sheet_kind kind, rows_lock *lock,
			      const struct id *ids, size_t count)
{
	struct filing filing = { tx, kind, ERR_OK };
	const struct sheet_query query = { ids, count, file, &filing };
	enum err err;

	assert(tx->sheet != NULL && count <= SHEET_MAX);
	if (count == 0)
		return ERR_OK;
	err = sheet_flush(tx);
	if (err == ERR_OK)
		err = lock(tx, &query);
	return err == ERR_OK ? filing.err : err;
}

enum err store_sheet_lock_transactions(struct store_tx *tx)
{
	struct id ids[SHEET_MAX];
	size_t count = 0;

	for (size_t i = 0; i < tx->sheet->drawers[SHEET_OPERATION].count; i++) {
		const struct operation_row *operation = row_at(tx->sheet, SHEET_OPERATION, i);

		if (sheet_find(tx, SHEET_TRANSACTION, operation->transaction_id) == NULL &&
		    count < SHEET_MAX)
			ids[count++] = operation->transaction_id;
	}
	return lock_and_file(tx, SHEET_TRANSACTION, transaction_lock_all, ids, count);
}

bool store_sheet_has_transaction(const struct store_tx *tx, struct id id)
{
	return sheet_find(tx, SHEET_TRANSACTION, id) != NULL;
}

struct voids {
	struct id ids[SHEET_MAX];
	size_t count;
};

static void void_add(void *context, struct id id)
{
	struct voids *voids = context;

	if (voids->count < SHEET_MAX)
		voids->ids[voids->count++] = id;
}

/* Nobody waits here, so their order among the operations does not matter. */
static enum err voids_lock(struct store_tx *tx, const struct id *operations, size_t count)
{
	struct voids voids = { .count = 0 };
	struct id captures[SHEET_MAX];
	size_t captures_count = 0;
	enum err err;

	for (size_t i = 0; i < count; i++) {
		const struct operation_row *operation =
			sheet_find(tx, SHEET_OPERATION, operations[i]);

		if (operation != NULL && operation->kind == OPERATION_CAPTURE)
			captures[captures_count++] = operations[i];
	}
	if (captures_count == 0)
		return ERR_OK;
	err = operation_find_voids(tx, captures, captures_count, void_add, &voids);
	if (err != ERR_OK)
		return err;
	return lock_and_file(tx, SHEET_OPERATION, operation_lock_all, voids.ids, voids.count);
}

enum err store_sheet_lock(struct store_tx *tx, const struct id *operations, size_t count)
{
	enum err err = lock_and_file(tx, SHEET_OPERATION, operation_lock_all, operations, count);

	if (err == ERR_OK)
		err = voids_lock(tx, operations, count);
	return err == ERR_OK ? store_sheet_lock_transactions(tx) : err;
}

static enum err void_is_held(struct store_tx *tx, const struct operation_row *operation, bool *held)
{
	struct id id;
	enum err err = store_operation_find_void(tx, operation->transaction_id, &id);

	*held = err == ERR_OK && sheet_find(tx, SHEET_OPERATION, id) == NULL;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* What is not on the sheet is held, or not there at all. */
static enum err operation_is_held(struct store_tx *tx, struct id id, bool *held)
{
	const struct operation_row *operation = sheet_find(tx, SHEET_OPERATION, id);
	struct operation_row there;
	enum err err;

	if (operation == NULL) {
		err = store_operation_read(tx, id, &there);
		*held = err == ERR_OK;
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	}
	*held = sheet_find(tx, SHEET_TRANSACTION, operation->transaction_id) == NULL;
	if (*held || operation->kind != OPERATION_CAPTURE)
		return ERR_OK;
	return void_is_held(tx, operation, held);
}

enum err store_sheet_is_held(struct store_tx *tx, struct id operation_id, struct id attempt_id,
			     bool *held)
{
	struct attempt_row there;
	enum err err = operation_is_held(tx, operation_id, held);

	if (err != ERR_OK || *held || sheet_find(tx, SHEET_ATTEMPT, attempt_id) != NULL)
		return err;
	err = store_attempt_read(tx, attempt_id, &there);
	*held = err == ERR_OK;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err store_sheet_lock_attempts(struct store_tx *tx, const struct id *operations,
				   const struct id *attempts, size_t count)
{
	struct id ours[SHEET_MAX];
	size_t ours_count = 0;

	assert(count <= SHEET_MAX);
	for (size_t i = 0; i < count; i++)
		if (sheet_find(tx, SHEET_OPERATION, operations[i]) != NULL)
			ours[ours_count++] = attempts[i];
	return lock_and_file(tx, SHEET_ATTEMPT, attempt_lock_all, ours, ours_count);
}

enum err store_sheet_lock_live(struct store_tx *tx, const struct id *operations, size_t count)
{
	enum err err = lock_and_file(tx, SHEET_ATTEMPT, attempt_lock_live_all, operations, count);
	size_t place;

	for (size_t i = 0; err == ERR_OK && i < count; i++)
		if (place_of(tx, SHEET_OPERATION, operations[i], &place))
			tx->sheet->drawers[SHEET_OPERATION].marks[place] |= SHEET_LIVE_KNOWN;
	return err;
}

/* ---- counting ---- */

static const enum statement_id count_statements[SHEET_COUNTS] = {
	[SHEET_OPEN_EXCEPTIONS] = STATEMENT_EXCEPTION_COUNT_OPEN_ALL,
	[SHEET_KEPT_CALLBACKS] = STATEMENT_CALLBACK_COUNT_KEPT_ALL,
};

struct count_row {
	struct id transaction_id;
	int64_t count;
};
static const struct column count_columns[] = {
	COLUMN_FIXED(struct count_row, transaction_id),
	COLUMN_NUMBER(struct count_row, count),
};
static const struct shape count_shape = SHAPE(count_columns);

struct counting {
	struct store_tx *tx;
	enum sheet_count which;
};

static void count_each(void *context, const void *row)
{
	const struct counting *counting = context;
	const struct count_row *counted = row;
	size_t place;

	if (place_of(counting->tx, SHEET_TRANSACTION, counted->transaction_id, &place))
		counting->tx->sheet->counts[place].of[counting->which] = counted->count;
}

/* Transactions without any are left out of the answer: theirs is 0. */
static enum err count_all(struct store_tx *tx, enum sheet_count which)
{
	struct sheet *sheet = tx->sheet;
	struct drawer *drawer = &sheet->drawers[SHEET_TRANSACTION];
	struct counting counting = { tx, which };
	struct id ids[SHEET_MAX];
	struct count_row row;
	struct bulk_read read = { .id = count_statements[which],
				  .shape = &count_shape,
				  .ids = ids,
				  .row = &row,
				  .each = count_each,
				  .context = &counting };
	enum err err;

	if (sheet->counts == NULL)
		sheet->counts = calloc(ROWS_MAX, sizeof *sheet->counts);
	if (sheet->counts == NULL)
		return ERR_MEMORY;
	for (; read.count < drawer->count && read.count < SHEET_MAX; read.count++)
		memcpy(&ids[read.count], row_at(sheet, SHEET_TRANSACTION, read.count),
		       sizeof ids[0]);
	err = bulk_read(tx, &read);
	for (size_t i = 0; err == ERR_OK && i < read.count; i++)
		drawer->marks[i] |= (uint8_t)COUNTED_OF(which);
	sheet->counted[which] = err == ERR_OK;
	return err;
}

enum err sheet_count(struct store_tx *tx, enum sheet_count which, struct id transaction_id,
		     int64_t *count, bool *known)
{
	size_t place;
	enum err err = ERR_OK;

	*known = false;
	if (!place_of(tx, SHEET_TRANSACTION, transaction_id, &place))
		return ERR_OK;
	if (!tx->sheet->counted[which])
		err = count_all(tx, which);
	*known = err == ERR_OK &&
		 (tx->sheet->drawers[SHEET_TRANSACTION].marks[place] & COUNTED_OF(which)) != 0;
	if (*known)
		*count = tx->sheet->counts[place].of[which];
	return err;
}

/* ---- life ---- */

enum err store_sheet_open(struct store_tx *tx)
{
	assert(tx->sheet == NULL);
	tx->sheet = calloc(1, sizeof *tx->sheet);
	return tx->sheet == NULL ? ERR_MEMORY : ERR_OK;
}

void sheet_free(struct sheet *sheet)
{
	if (sheet == NULL)
		return;
	for (size_t kind = 0; kind < SHEET_KINDS; kind++) {
		free(sheet->drawers[kind].rows);
		free(sheet->drawers[kind].marks);
	}
	free(sheet->counts);
	for (size_t list = 0; list < SHEET_LISTS; list++)
		free(sheet->piles[list].rows);
	free(sheet);
}
