/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection: the client library's connection, its session settings, and the one mapping of its errors. Private to
 * lib/store.
 *
 * Invariant  a connection that was opened is in the session every statement expects: READ COMMITTED, +00:00, strict,
 *            utf8mb4, autocommit, row counts of UPDATE are rows found
 * Threads    the client library is initialised once per process and left once per thread, inside; a connection belongs
 *            to one thread at a time
 */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include <mysql.h>
#include <stdbool.h>

#include "core/err.h"
#include "store/store.h"

/* MariaDB's connector kept my_bool; MySQL 8.0.1 replaced it by bool. */
#if defined(MARIADB_BASE_VERSION) || MYSQL_VERSION_ID < 80001
typedef my_bool connection_bool;
#else
typedef bool connection_bool;
#endif

/*
 * What an error number of server or client library means: the one place that decides it.
 * Writes   *lost (may be NULL): true where the connection is of no more use
 */
enum err connection_err(unsigned code, bool *lost);

/* Make the client library ready for the calling thread. Every function here does it; calls on a store need it first. */
void connection_enter_thread(void);

/*
 * Connect and set the session. statement_timeout_ms 0: no bound.
 * Returns  ERR_OK with *mysql, to be closed with mysql_close(); ERR_UNAVAILABLE or ERR_MEMORY with one line in `why`
 */
CHECKED enum err connection_open(const struct store_settings *settings, MYSQL **mysql,
				 char why[STORE_WHY_SIZE]);

/* Run one statement without parameters or result. Returns as connection_err() says. */
CHECKED enum err connection_command(MYSQL *mysql, const char *text, bool *lost);

#endif
