/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scratch database on the server behind PAYOPS_TEST_SOCKET, where root has no password. A program that needs it ends
 * with status 77 (skipped) where that is not set. The database is named after the program's process and dropped
 * at the end.
 */
#ifndef TESTS_STORE_SCRATCH_H
#define TESTS_STORE_SCRATCH_H

#include <check.h>
#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "store/attempt.h"
#include "store/callback.h"
#include "store/event.h"
#include "store/operation.h"
#include "store/statement.h"
#include "store/transaction.h"

/* Ends the program with 77 where there is no server. */
void scratch_require(void);

/* An empty database; with the schema of PAYOPS_TEST_SQLDIR; and its end. For unchecked fixtures. */
void scratch_create(void);
void scratch_create_schema(void);
void scratch_drop(void);
const char *scratch_database(void);

/* root's settings on it; `database` and `user` may be exchanged. */
struct store_settings scratch_settings(void);

/* A plain connection as root. */
MYSQL *scratch_connect(void);

/* Run a statement; it must succeed. */
void scratch_do(MYSQL *mysql, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Run one that must be refused; returns the server's error number. */
unsigned scratch_refused(MYSQL *mysql, const char *text);

/* The first cell of a result, as text ("NULL" for NULL, "" for no row) and as a number; in static storage. */
const char *scratch_text(MYSQL *mysql, const char *text);
long long scratch_number(MYSQL *mysql, const char *text);

/* The statement's plan, each text parameter but the first being `text`, must neither sort nor read all of a table. */
void scratch_check_plan(MYSQL *mysql, enum statement_id id, const char *text);

/* What it asks of its first table must stand in the index. */
void scratch_check_covered(MYSQL *mysql, enum statement_id id);

/* Rows the server has read for this connection: a bound on them is a bound on the time at any size of a table. */
long long scratch_rows_read(MYSQL *mysql);

/* Remove all rows, and put the merchants "shop" and "other" there. */
void scratch_clean(void);

/* A store on it that must open; to be closed by store_close(). */
struct store *scratch_store(void);

/* For checked fixtures: clean the tables, and open a store with a tx for single statements (autocommit). */
/* lint: state: one store per test process, made and closed by the fixture */
extern struct store *store;
/* lint: state: as store */
extern struct store_tx tx;
void scratch_open(void);
void scratch_close(void);

/* Insert the sample; it must be taken. An attempt gets the decline code "code_<number>" and is open since 1. */
void insert_transaction(unsigned n);
void insert_operation(unsigned n);
void insert_attempted(unsigned n, unsigned attempt_count); /* an operation that has them */
void insert_attempt(unsigned n, unsigned number, enum attempt_status status);

void ck_id(struct id a, struct id b);

/* What listings hand to their callbacks. */
struct seen {
	struct id ids[256];
	int64_t last_us;
	size_t count;
};

/* Ids and rows that are valid as they are; `n` makes them differ. */
struct id sample_id(unsigned kind, unsigned n);
struct transaction_row sample_transaction(unsigned n);
struct operation_row
sample_operation(unsigned n); /* charge of sample_transaction(n), pending, to be sent now */
struct attempt_row sample_attempt(unsigned n,
				  unsigned number); /* of sample_operation(n), prepared */
struct event_row sample_event(unsigned n, uint32_t sequence);
struct callback_row sample_callback(unsigned n);

/* Write a text into an array member; it must fit. */
#define SET_TEXT(ARRAY, TEXT)                                                                      \
	ck_assert_int_lt(snprintf((ARRAY), sizeof(ARRAY), "%s", (TEXT)), (int)sizeof(ARRAY))

/* Fill with `size` - 1 letters and a NUL. */
void sample_fill(char *text, size_t size, char letter);

#endif
