/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rotation: which keys sealed what, and sealing all of it anew with the newest key, while everything goes on.
 *
 * Invariant  a row is opened, sealed and written under its lock, many in one commit; so ending at any moment loses
 *            nothing, and running again goes on with what is left. Nobody is waited for: what is held is taken later
 * Ownership  plain values
 * Threads    rotation_run() has some of its own, which have ended when it returns
 * Source     DESIGN.md: Data
 */
#ifndef SERVICE_ROTATION_H
#define SERVICE_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

#include "service/vault.h"
#include "store/seal.h"
#include "store/store.h"

#define ROTATION_KEYS_MAX 32
#define ROTATION_FAILURES_MAX 10

/* Sealed columns, and their names ("customer.profile"), as in vault.h. */
enum rotation_column {
	ROTATION_OPERATION_TOKEN,
	ROTATION_PROFILE,
	ROTATION_METADATA,
	ROTATION_METHOD_TOKEN,
	ROTATION_COLUMN_COUNT
};
const char *rotation_column_name(enum rotation_column column);

struct rotation_key {
	char key_id[VAULT_KEY_ID_SIZE];
	bool configured;
	int64_t values[ROTATION_COLUMN_COUNT]; /* sealed with it */
};

struct rotation_keys {
	size_t count;
	struct rotation_key list[ROTATION_KEYS_MAX];
};

/* Count what is sealed with which key: the vault's keys in their order, then others that are in use. */
CHECKED enum err rotation_count(struct store_tx *tx, const struct vault *vault,
				struct rotation_keys *keys);

/*
 * Whether the vault has every key in use; quick, from indexes.
 * Returns  ERR_OK; ERR_CONFIG with the id of one that it has not in `missing`; what the database says
 */
CHECKED enum err rotation_check(struct store_tx *tx, const struct vault *vault,
				char missing[VAULT_KEY_ID_SIZE]);

/* A value that did not open. */
struct rotation_failure {
	enum rotation_column column;
	struct id row;
};

struct rotation_tally {
	uint64_t rows[SEAL_TABLE_COUNT]; /* sealed anew */
	uint64_t held;                   /* rows that others held until the end: run it again */
	uint64_t failed; /* rows of which something did not open: they stay as they are */
	struct rotation_failure failures[ROTATION_FAILURES_MAX]; /* the first ones */
};

struct rotation_settings {
	const struct store_settings *database;
	const struct vault *vault;
	/* Called a few times a second by the caller's own thread: rows done so far, of all tables. */
	void (*progress)(void *context, uint64_t rows);
	void *context;
};

/*
 * Seal everything with the vault's first key. Every key in use must be in the vault.
 * Returns  ERR_OK with *tally (rows may be left: see held and failed); what the database says, with *tally as far as
 *          it came and one line in `why`
 */
CHECKED enum err rotation_run(const struct rotation_settings *settings,
			      struct rotation_tally *tally, char why[STORE_WHY_SIZE]);

#endif
