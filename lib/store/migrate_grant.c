/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/connection.h"
#include "store/migrate.h"
#include "store/migrate_file.h"

#define ACCOUNT_SIZE 160  /* 'name'@'host' */
#define GRANTEE_SIZE 168  /* the same as a literal */
#define DATABASE_SIZE 160 /* quoted */
#define GRANT_SIZE 2048
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.%-"
#define NAME_MAX_SIZE 60

/* Which rights both of two accounts have, and which there are; NULL and 0 where none can be seen. */
static const char compare_text[] =
	"SELECT SUM(accounts = 2), COUNT(*) FROM (SELECT COUNT(*) AS accounts FROM ("
	"SELECT GRANTEE, TABLE_SCHEMA, TABLE_NAME, '' AS COLUMN_NAME, PRIVILEGE_TYPE, IS_GRANTABLE "
	"FROM information_schema.TABLE_PRIVILEGES UNION ALL "
	"SELECT GRANTEE, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, PRIVILEGE_TYPE, IS_GRANTABLE "
	"FROM information_schema.COLUMN_PRIVILEGES UNION ALL "
	"SELECT GRANTEE, TABLE_SCHEMA, '', '', PRIVILEGE_TYPE, IS_GRANTABLE "
	"FROM information_schema.SCHEMA_PRIVILEGES UNION ALL "
	"SELECT GRANTEE, '', '', '', PRIVILEGE_TYPE, IS_GRANTABLE "
	"FROM information_schema.USER_PRIVILEGES) AS rights WHERE GRANTEE IN (%s, %s) "
	"GROUP BY TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, PRIVILEGE_TYPE, IS_GRANTABLE) AS counted";

struct grant {
	MYSQL *mysql;
	const char *user;
	const char *host;
	char account[ACCOUNT_SIZE];
	char database[DATABASE_SIZE];
	char *why;
};

static bool is_name(const char *text)
{
	size_t size = strlen(text);

	return size >= 1 && size <= NAME_MAX_SIZE && strspn(text, NAME_CHARACTERS) == size;
}

/* An identifier between backticks, those within doubled. */
static bool quote_database(const char *name, char out[DATABASE_SIZE])
{
	size_t used = 0;

	out[used++] = '`';
	for (; *name != '\0'; name++) {
		if (used + 4 > DATABASE_SIZE)
			return false;
		if (*name == '`')
			out[used++] = '`';
		out[used++] = *name;
	}
	out[used++] = '`';
	out[used] = '\0';
	return true;
}

static enum err refused(struct grant *grant, const char *what)
{
	unsigned code = mysql_errno(grant->mysql);

	snprintf(grant->why, STORE_WHY_SIZE, "%s: %.256s (%u)", what, mysql_error(grant->mysql),
		 code);
	return connection_err(code, NULL) == ERR_UNAVAILABLE ? ERR_UNAVAILABLE : ERR_STORE;
}

static enum err command(struct grant *grant, const char *what, const char *text)
{
	bool lost;

	if (connection_command(grant->mysql, text, &lost) == ERR_OK)
		return ERR_OK;
	return refused(grant, what);
}

static enum err create_user(struct grant *grant, const struct secret *password)
{
	size_t size = ACCOUNT_SIZE + 64 + (password != NULL ? 2 * password->size : 0);
	char *text = malloc(size);
	size_t used;
	enum err err;

	if (text == NULL) {
		snprintf(grant->why, STORE_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	used = (size_t)snprintf(text, size, "CREATE USER IF NOT EXISTS %s", grant->account);
	if (password != NULL) {
		used += (size_t)snprintf(text + used, size - used, " IDENTIFIED BY '");
		used += mysql_real_escape_string(grant->mysql, text + used,
						 (const char *)password->bytes, password->size);
		snprintf(text + used, size - used, "'");
	}
	err = command(grant, "the user cannot be created", text);
	explicit_bzero(text, size);
	free(text);
	return err;
}

/* Copy `text` with {user} and {database} filled in. */
static bool fill_in(const struct grant *grant, const char *text, char out[GRANT_SIZE])
{
	const struct {
		const char *mark;
		const char *value;
	} marks[] = { { "{user}", grant->account }, { "{database}", grant->database } };
	size_t used = 0;

	while (*text != '\0') {
		const char *piece = text;
		size_t piece_size = 1;
		size_t step = 1;

		for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
			if (strncmp(text, marks[i].mark, strlen(marks[i].mark)) != 0)
				continue;
			piece = marks[i].value;
			piece_size = strlen(piece);
			step = strlen(marks[i].mark);
		}
		if (used + piece_size >= GRANT_SIZE)
			return false;
		memcpy(out + used, piece, piece_size);
		used += piece_size;
		text += step;
	}
	out[used] = '\0';
	return true;
}

static enum err give_all(struct grant *grant, const struct script *script)
{
	char text[GRANT_SIZE];
	enum err err = ERR_OK;

	for (int i = 0; i < script->count && err == ERR_OK; i++) {
		if (!fill_in(grant, script->statements[i], text)) {
			snprintf(grant->why, STORE_WHY_SIZE,
				 "statement %d of the grants is too long", i + 1);
			return ERR_CONFIG;
		}
		err = command(grant, "a right cannot be given", text);
	}
	return err;
}

/* True where the server says that two accounts have the same rights. */
static bool rights_are_equal(struct grant *grant, const char *other)
{
	char text[sizeof compare_text + 2 * GRANTEE_SIZE];
	char grantees[2][GRANTEE_SIZE];
	MYSQL_RES *result;
	MYSQL_ROW row;
	bool equal;

	snprintf(grantees[0], GRANTEE_SIZE, "'''%s''@''%s'''", grant->user, grant->host);
	snprintf(grantees[1], GRANTEE_SIZE, "'''%s''@''%s'''", other, grant->host);
	snprintf(text, sizeof text, compare_text, grantees[0], grantees[1]);
	result = mysql_query(grant->mysql, text) == 0 ? mysql_store_result(grant->mysql) : NULL;
	row = result != NULL ? mysql_fetch_row(result) : NULL;
	equal = row != NULL && row[0] != NULL && strcmp(row[0], row[1]) == 0;
	mysql_free_result(result);
	return equal;
}

/*
 * True where the user has the role's rights and no others: those of an account that was given nothing else, locked
 * and gone again at the end. False too where that cannot be found out.
 */
static bool has_no_others(struct grant *grant, const struct script *script)
{
	char unheard[STORE_WHY_SIZE], text[GRANT_SIZE], name[NAME_MAX_SIZE];
	struct grant model = { .mysql = grant->mysql, .why = unheard };
	bool equal;

	snprintf(name, sizeof name, "payops_model_%lu", mysql_thread_id(grant->mysql));
	snprintf(model.account, sizeof model.account, "'%s'@'%s'", name, grant->host);
	memcpy(model.database, grant->database, sizeof model.database);
	snprintf(text, sizeof text, "CREATE USER %s ACCOUNT LOCK", model.account);
	equal = command(&model, "", text) == ERR_OK && give_all(&model, script) == ERR_OK &&
		rights_are_equal(grant, name);
	snprintf(text, sizeof text, "DROP USER IF EXISTS %s", model.account);
	return command(&model, "", text) == ERR_OK && equal;
}

/*
 * What is missing is given first, so that an apid that runs meets no refusal. Where there is more, all is taken back
 * and given anew: for a moment the user has no rights.
 */
static enum err give_rights(struct grant *grant, const struct script *script)
{
	char text[GRANT_SIZE];
	enum err err = give_all(grant, script);

	if (err != ERR_OK || has_no_others(grant, script))
		return err;
	snprintf(text, sizeof text, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s", grant->account);
	err = command(grant, "the user's rights cannot be taken back", text);
	return err == ERR_OK ? give_all(grant, script) : err;
}

static enum err grant_on(struct grant *grant, const struct store_settings *settings,
			 const struct secret *password, const struct script *script)
{
	enum err err = connection_open(settings, &grant->mysql, grant->why);

	if (err != ERR_OK)
		return err;
	err = create_user(grant, password);
	if (err == ERR_OK)
		err = give_rights(grant, script);
	mysql_close(grant->mysql);
	return err;
}

/* lint: parameters: see the header */
enum err migrate_grant(const struct store_settings *settings, const char *directory,
		       const char *role, const char *user, const char *host,
		       const struct secret *password, char why[STORE_WHY_SIZE])
{
	struct grant grant = { .user = user, .host = host, .why = why };
	struct script script;
	char path[PATH_MAX];
	enum err err;

	why[0] = '\0';
	if (!is_name(role) || !is_name(user) || !is_name(host) ||
	    !quote_database(settings->database, grant.database)) {
		snprintf(why, STORE_WHY_SIZE,
			 "names of role, user and host are 1 to 60 of A-Z a-z 0-9 _ . %% -");
		return ERR_CONFIG;
	}
	snprintf(grant.account, sizeof grant.account, "'%s'@'%s'", user, host);
	if (snprintf(path, sizeof path, "%s/grants_%s.sql", directory, role) >= (int)sizeof path) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: the path is too long", directory);
		return ERR_IO;
	}
	err = script_read(path, &script, why);
	if (err != ERR_OK)
		return err;
	err = grant_on(&grant, settings, password, &script);
	script_done(&script);
	return err;
}
