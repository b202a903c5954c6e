/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "store/migrate.h"
#include "store/statement.h"

#define VALUE_SIZE 512
#define MARIADB_MIN 100600 /* SKIP LOCKED */
#define MYSQL_MIN 80016    /* CHECK constraints */

/* SHOW VARIABLES gives what this server has: the two families do not have the same names. */
#define VARIABLES                                                                                  \
	"SHOW SESSION VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', "        \
	"'sync_binlog', 'log_bin', 'innodb_doublewrite', 'tx_isolation', "                         \
	"'transaction_isolation', 'sql_mode', 'time_zone', 'foreign_key_checks', "                 \
	"'unique_checks', 'check_constraint_checks')"

#define VALUES_MAX 16

struct variable {
	char name[65];
	char value[VALUE_SIZE];
};

struct variables {
	struct variable list[VALUES_MAX];
	size_t count;
};

enum rule_kind {
	RULE_EQUALS,
	RULE_DIFFERS,
	RULE_HOLDS, /* a list of words that must have this one */
};

struct rule {
	const char *name;
	enum rule_kind kind;
	const char *wanted;
	const char *only_if; /* judged only where this switch is ON; NULL: always */
	const char *danger;
};

/* clang-format off */
static const struct rule rules[] = { /* a variable that this server does not have is not judged */
	{ "innodb_flush_log_at_trx_commit", RULE_EQUALS, "1", NULL,
	  "a crash would forget payments that were answered" },
	{ "sync_binlog", RULE_EQUALS, "1", "log_bin",
	  "after a crash a replica could miss payments that were answered" },
	{ "innodb_doublewrite", RULE_DIFFERS, "OFF", NULL,
	  "a crash could leave torn pages" },
	{ "transaction_isolation", RULE_EQUALS, "READ-COMMITTED", NULL,
	  "a repeated request could miss the payment that won" },
	{ "tx_isolation", RULE_EQUALS, "READ-COMMITTED", NULL,
	  "a repeated request could miss the payment that won" },
	{ "sql_mode", RULE_HOLDS, "STRICT_TRANS_TABLES", NULL,
	  "values that do not fit would be changed silently" },
	{ "time_zone", RULE_EQUALS, "+00:00", NULL,
	  "times would be read as those of another zone" },
	{ "foreign_key_checks", RULE_EQUALS, "ON", NULL,
	  "rows without their parents would be accepted" },
	{ "unique_checks", RULE_EQUALS, "ON", NULL,
	  "a second charge could be accepted" },
	{ "check_constraint_checks", RULE_EQUALS, "ON", NULL,
	  "rows that break a rule of money would be accepted" },
};
/* clang-format on */

static const char *variables_find(const struct variables *variables, const char *name)
{
	for (size_t i = 0; i < variables->count; i++)
		if (strcasecmp(variables->list[i].name, name) == 0)
			return variables->list[i].value;
	return NULL;
}

static bool list_holds(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		if (*at == ',')
			at++;
		if (strncasecmp(at, word, size) == 0 && (at[size] == ',' || at[size] == '\0'))
			return true;
	}
	return false;
}

static bool rule_is_kept(const struct rule *rule, const char *value)
{
	switch (rule->kind) {
	case RULE_EQUALS:
		return strcasecmp(value, rule->wanted) == 0;
	case RULE_DIFFERS:
		return strcasecmp(value, rule->wanted) != 0;
	case RULE_HOLDS:
		return list_holds(value, rule->wanted);
	}
	return false;
}

static bool rule_applies(const struct rule *rule, const struct variables *variables)
{
	const char *condition;

	if (variables_find(variables, rule->name) == NULL)
		return false;
	if (rule->only_if == NULL)
		return true;
	condition = variables_find(variables, rule->only_if);
	return condition != NULL && strcasecmp(condition, "ON") == 0;
}

static const char *rule_wish(enum rule_kind kind)
{
	switch (kind) {
	case RULE_EQUALS:
		return "";
	case RULE_DIFFERS:
		return "other than ";
	case RULE_HOLDS:
		return "one with ";
	}
	return "";
}

static enum err read_variables(struct store *store, struct variables *variables)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	bool lost;
	enum err err = connection_command(store->mysql, VARIABLES, &lost);

	variables->count = 0;
	if (err == ERR_OK) {
		result = mysql_store_result(store->mysql);
		if (result != NULL) {
			while (variables->count < VALUES_MAX && (row = mysql_fetch_row(result))) {
				struct variable *next = &variables->list[variables->count++];

				snprintf(next->name, sizeof next->name, "%s", row[0]);
				snprintf(next->value, sizeof next->value, "%s", row[1]);
			}
			mysql_free_result(result);
			return ERR_OK;
		}
		err = connection_err(mysql_errno(store->mysql), &lost);
	}
	if (lost)
		store->lost = true;
	return err;
}

static enum err check_version(struct store *store, char why[STORE_WHY_SIZE])
{
	const char *text = mysql_get_server_info(store->mysql);
	bool mariadb = strcasestr(text, "mariadb") != NULL;
	unsigned long version = mysql_get_server_version(store->mysql);

	if (version >= (mariadb ? MARIADB_MIN : MYSQL_MIN))
		return ERR_OK;
	snprintf(why, STORE_WHY_SIZE,
		 "the database server is %.64s, wanted MariaDB 10.6 or MySQL 8.0.16 or later: "
		 "upgrade the server",
		 text);
	return ERR_UNSAFE;
}

enum err store_check_durability(struct store *store, char why[STORE_WHY_SIZE])
{
	struct variables variables;
	enum err err;

	connection_enter_thread();
	err = check_version(store, why);
	if (err != ERR_OK)
		return err;
	err = read_variables(store, &variables);
	if (err != ERR_OK) {
		snprintf(why, STORE_WHY_SIZE, "the server's settings cannot be read: %s",
			 mysql_error(store->mysql));
		return err;
	}
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		const struct rule *rule = &rules[i];
		const char *value = variables_find(&variables, rule->name);

		if (!rule_applies(rule, &variables) || rule_is_kept(rule, value))
			continue;
		snprintf(why, STORE_WHY_SIZE,
			 "%s is %.128s, wanted %s%s (%s): set it in the server's configuration",
			 rule->name, value, rule_wish(rule->kind), rule->wanted, rule->danger);
		return ERR_UNSAFE;
	}
	return ERR_OK;
}

struct version_row {
	int64_t version;
	int64_t unfinished;
};
static const struct column version_columns[] = {
	COLUMN_NUMBER(struct version_row, version),
	COLUMN_NUMBER(struct version_row, unfinished),
};
static const struct shape version_shape = SHAPE(version_columns);

static enum err read_version(struct store_tx *tx, void *context)
{
	const struct cells none = { .count = 0 };

	return statement_read(tx, STATEMENT_SCHEMA_VERSION, &none, &version_shape, context);
}

enum err store_check_schema(struct store *store, char why[STORE_WHY_SIZE])
{
	struct version_row row;
	enum err err = store_look(store, read_version, &row);

	if (err != ERR_OK) {
		snprintf(why, STORE_WHY_SIZE, "the schema's version cannot be read: %s",
			 err_row(err)->title);
		return err;
	}
	if (row.version == MIGRATE_VERSION && row.unfinished == 0)
		return ERR_OK;
	if (row.version > MIGRATE_VERSION)
		snprintf(why, STORE_WHY_SIZE,
			 "the schema is of version %lld, wanted %d: run a payops of that version",
			 (long long)row.version, MIGRATE_VERSION);
	else
		snprintf(why, STORE_WHY_SIZE,
			 "the schema is of version %lld%s, wanted %d: run payopsctl migrate up",
			 (long long)row.version, row.unfinished != 0 ? ", not finished" : "",
			 MIGRATE_VERSION);
	return ERR_SCHEMA;
}
