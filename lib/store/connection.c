/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/connection.h"

#include <assert.h>
#include <errmsg.h>
#include <mysqld_error.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LOCK_WAIT_MAX_S 5
#define METADATA_LOCK_WAIT_S 30
#define SESSION_TEXT_SIZE 512

/* Numbers that not every header of the two libraries names. */
#define ERROR_CHECKREAD 1020
#define ERROR_DISK_FULL 1021
#define ERROR_QUERY_INTERRUPTED 1317
#define ERROR_CONNECTION_KILLED 1927  /* MariaDB */
#define ERROR_SESSION_WAS_KILLED 3169 /* MySQL */
#define ERROR_IDLE_TOO_LONG 4031      /* MySQL */
#define ERROR_WSREP_NOT_READY 1047
#define ERROR_SERVER_IS_READ_ONLY 1290
#define ERROR_READ_ONLY_MODE 1836
#define ERROR_LOCK_NOWAIT 3572 /* MySQL; MariaDB says ER_LOCK_WAIT_TIMEOUT */
#define CLIENT_FIRST 2000
#define CLIENT_LAST 2999

static const struct {
	unsigned first, last;
	enum err err;
	bool lost;
} errors[] = {
	/* clang-format off */ /* the first row that holds the number counts; none: ERR_STORE */
	{ ER_DUP_ENTRY,              ER_DUP_ENTRY,              ERR_CONFLICT,    false },
	{ ER_NO_REFERENCED_ROW_2,    ER_NO_REFERENCED_ROW_2,    ERR_NOT_FOUND,   false },
	{ ER_LOCK_WAIT_TIMEOUT,      ER_LOCK_WAIT_TIMEOUT,      ERR_BUSY,        false },
	{ ER_LOCK_DEADLOCK,          ER_LOCK_DEADLOCK,          ERR_BUSY,        false },
	{ ERROR_LOCK_NOWAIT,         ERROR_LOCK_NOWAIT,         ERR_BUSY,        false },
	{ ERROR_CHECKREAD,           ERROR_CHECKREAD,           ERR_BUSY,        false },
	{ ERROR_QUERY_INTERRUPTED,   ERROR_QUERY_INTERRUPTED,   ERR_BUSY,        false },
	{ ERROR_WSREP_NOT_READY,     ERROR_WSREP_NOT_READY,     ERR_BUSY,        false },
	{ ER_CON_COUNT_ERROR,        ER_CON_COUNT_ERROR,        ERR_UNAVAILABLE, true  },
	{ ER_SERVER_SHUTDOWN,        ER_SERVER_SHUTDOWN,        ERR_UNAVAILABLE, true  },
	{ ER_ABORTING_CONNECTION,    ER_ABORTING_CONNECTION,    ERR_UNAVAILABLE, true  },
	{ ER_NET_READ_ERROR,         ER_NET_WRITE_INTERRUPTED,  ERR_UNAVAILABLE, true  },
	{ ERROR_CONNECTION_KILLED,   ERROR_CONNECTION_KILLED,   ERR_UNAVAILABLE, true  },
	{ ERROR_SESSION_WAS_KILLED,  ERROR_SESSION_WAS_KILLED,  ERR_UNAVAILABLE, true  },
	{ ERROR_IDLE_TOO_LONG,       ERROR_IDLE_TOO_LONG,       ERR_UNAVAILABLE, true  },
	/* The server answers, but takes no writes for now: full disk, or read-only during a switch-over. */
	{ ERROR_DISK_FULL,           ERROR_DISK_FULL,           ERR_UNAVAILABLE, false },
	{ ER_RECORD_FILE_FULL,       ER_RECORD_FILE_FULL,       ERR_UNAVAILABLE, false },
	{ ERROR_SERVER_IS_READ_ONLY, ERROR_SERVER_IS_READ_ONLY, ERR_UNAVAILABLE, false },
	{ ERROR_READ_ONLY_MODE,      ERROR_READ_ONLY_MODE,      ERR_UNAVAILABLE, false },
	{ CR_OUT_OF_MEMORY,          CR_OUT_OF_MEMORY,          ERR_MEMORY,      true  },
	{ CR_COMMANDS_OUT_OF_SYNC,   CR_COMMANDS_OUT_OF_SYNC,   ERR_STORE,       true  },
	{ CR_NO_PREPARE_STMT,        CR_UNSUPPORTED_PARAM_TYPE, ERR_STORE,       true  },
	{ CLIENT_FIRST,              CLIENT_LAST,               ERR_UNAVAILABLE, true  },
	/* clang-format on */
};

enum err connection_err(unsigned code, bool *lost)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		if (code < errors[i].first || code > errors[i].last)
			continue;
		if (lost != NULL)
			*lost = errors[i].lost;
		return errors[i].err;
	}
	if (lost != NULL)
		*lost = false;
	return ERR_STORE;
}

/* lint: state: the client library wants one initialisation per process and one farewell per thread */
static struct {
	pthread_once_t once;
	pthread_key_t key;
	bool ready;
} library = { PTHREAD_ONCE_INIT, 0, false };

static void thread_leave(void *entered)
{
	(void)entered;
	mysql_thread_end();
}

static void library_init(void)
{
	library.ready = mysql_library_init(0, NULL, NULL) == 0 &&
			pthread_key_create(&library.key, thread_leave) == 0;
}

void connection_enter_thread(void)
{
	int once = pthread_once(&library.once, library_init);

	assert(once == 0 && library.ready);
	if (pthread_getspecific(library.key) != NULL)
		return;
	mysql_thread_init();
	once = pthread_setspecific(library.key, &library);
	assert(once == 0);
}

static unsigned whole_seconds(int ms)
{
	return ms <= 0 ? 0 : ((unsigned)ms + 999) / 1000;
}

static void set_options(MYSQL *mysql, const struct store_settings *settings)
{
	unsigned connect_s = whole_seconds(settings->connect_timeout_ms);
	unsigned statement_s = whole_seconds(settings->statement_timeout_ms);
	unsigned protocol =
		settings->socket[0] != '\0' ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
	unsigned local_infile = 0;

	if (connect_s > 0)
		mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	if (statement_s > 0) {
		mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &statement_s);
		mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &statement_s);
	}
	mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
}

enum err connection_command(MYSQL *mysql, const char *text, bool *lost)
{
	if (mysql_real_query(mysql, text, strlen(text)) == 0) {
		*lost = false;
		return ERR_OK;
	}
	return connection_err(mysql_errno(mysql), lost);
}

/* A lock must be given up before the client stops waiting for the answer. */
static unsigned lock_wait_s(const struct store_settings *settings)
{
	unsigned statement_s = whole_seconds(settings->statement_timeout_ms);
	unsigned most_s = settings->lock_wait_max_s > 0 ? (unsigned)settings->lock_wait_max_s
							: LOCK_WAIT_MAX_S;

	if (statement_s == 0 || statement_s > most_s)
		return most_s;
	return statement_s > 1 ? statement_s - 1 : 1;
}

static enum err set_session(MYSQL *mysql, const struct store_settings *settings)
{
	char text[SESSION_TEXT_SIZE];
	bool lost;
	enum err err;

	err = connection_command(mysql, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
				 &lost);
	if (err != ERR_OK)
		return err;
	err = connection_command(mysql, "SET NAMES utf8mb4", &lost);
	if (err != ERR_OK)
		return err;
	snprintf(text, sizeof text,
		 "SET SESSION time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, "
		 "unique_checks = 1, innodb_lock_wait_timeout = %u, lock_wait_timeout = %u, "
		 "sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,"
		 "ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY'",
		 lock_wait_s(settings), METADATA_LOCK_WAIT_S);
	return connection_command(mysql, text, &lost);
}

static void explain(MYSQL *mysql, const struct store_settings *settings, char why[STORE_WHY_SIZE])
{
	if (settings->socket[0] != '\0')
		snprintf(why, STORE_WHY_SIZE, "database %s at %s: %s (%u)", settings->database,
			 settings->socket, mysql_error(mysql), mysql_errno(mysql));
	else
		snprintf(why, STORE_WHY_SIZE, "database %s at %s port %d: %s (%u)",
			 settings->database, settings->host, settings->port, mysql_error(mysql),
			 mysql_errno(mysql));
}

enum err connection_open(const struct store_settings *settings, MYSQL **mysql,
			 char why[STORE_WHY_SIZE])
{
	const char *socket = settings->socket[0] != '\0' ? settings->socket : NULL;
	const char *host = socket != NULL ? NULL : settings->host;
	const char *password =
		settings->password != NULL ? (const char *)settings->password->bytes : NULL;
	MYSQL *opened;

	connection_enter_thread();
	opened = mysql_init(NULL);
	if (opened == NULL) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	set_options(opened, settings);
	if (mysql_real_connect(opened, host, settings->user, password, settings->database,
			       (unsigned)settings->port, socket,
			       settings->counts_changed ? 0 : CLIENT_FOUND_ROWS) == NULL ||
	    set_session(opened, settings) != ERR_OK) {
		explain(opened, settings, why);
		mysql_close(opened);
		return ERR_UNAVAILABLE;
	}
	*mysql = opened;
	return ERR_OK;
}
