/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/migrate_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define SUFFIX ".sql"
#define SUFFIX_SIZE 4
#define NUMBER_DIGITS 4

static enum err read_stream(FILE *stream, const char *path, char **text, size_t *size,
			    char why[STORE_WHY_SIZE])
{
	char *read = malloc(SCRIPT_SIZE_MAX + 1);

	if (read == NULL) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	*size = fread(read, 1, SCRIPT_SIZE_MAX + 1, stream);
	if (ferror(stream)) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: %s", path, strerror(errno));
		free(read);
		return ERR_IO;
	}
	if (*size > SCRIPT_SIZE_MAX || memchr(read, '\0', *size) != NULL) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: too long, or not a text", path);
		free(read);
		return ERR_CONFIG;
	}
	read[*size] = '\0';
	*text = read;
	return ERR_OK;
}

enum err script_read(const char *path, struct script *script, char why[STORE_WHY_SIZE])
{
	struct script found = { .text = NULL };
	uint8_t hash[CRYPTO_SHA256_SIZE];
	FILE *stream = fopen(path, "re");
	size_t size;
	enum err err;

	if (stream == NULL) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: %s", path, strerror(errno));
		return ERR_IO;
	}
	err = read_stream(stream, path, &found.text, &size, why);
	fclose(stream);
	if (err != ERR_OK)
		return err;
	crypto_sha256(found.text, size, hash);
	crypto_hex(hash, sizeof hash, found.checksum);
	found.count = script_split(found.text, found.statements);
	if (found.count <= 0) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: %s", path,
			 found.count == 0
				 ? "holds no statement"
				 : "must end in a semicolon, and hold at most 256 statements");
		script_done(&found);
		return ERR_CONFIG;
	}
	*script = found;
	return ERR_OK;
}

void script_done(struct script *script)
{
	free(script->text);
	script->text = NULL;
	script->count = 0;
}

/* The next line without its blanks at both ends; *next is behind it. NULL: no more. */
static char *next_line(char **next, size_t *size)
{
	char *line = *next;
	char *end;

	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	*next = *end == '\n' ? end + 1 : end;
	while (line < end && isspace((unsigned char)*line))
		line++;
	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	*size = (size_t)(end - line);
	return line;
}

int script_split(char *text, const char *statements[SCRIPT_STATEMENTS_MAX])
{
	char *out = text; /* never ahead of what is read */
	char *begin = text;
	char *next = text;
	char *line;
	size_t size;
	int count = 0;

	while ((line = next_line(&next, &size)) != NULL) {
		bool last = size > 0 && line[size - 1] == ';';

		if (size == 0 || strncmp(line, "--", 2) == 0)
			continue;
		if (out != begin)
			*out++ = '\n';
		memmove(out, line, size);
		out += size;
		if (!last)
			continue;
		if (count == SCRIPT_STATEMENTS_MAX)
			return -1;
		out[-1] = '\0';
		statements[count++] = begin;
		begin = out;
	}
	return begin == out ? count : -1;
}

static bool is_migration_name(const char *name, size_t size)
{
	const char *verb = name + NUMBER_DIGITS + 1;
	size_t digits = strspn(name, "0123456789");

	if (digits != NUMBER_DIGITS || name[NUMBER_DIGITS] != '_' || size >= MIGRATE_NAME_SIZE)
		return false;
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") < size)
		return false;
	return islower((unsigned char)verb[0]) &&
	       memchr(verb, '_', size - NUMBER_DIGITS - 1) != NULL;
}

static bool has_suffix(const char *name, size_t *size)
{
	*size = strlen(name);
	if (*size <= SUFFIX_SIZE || strcmp(name + *size - SUFFIX_SIZE, SUFFIX) != 0)
		return false;
	*size -= SUFFIX_SIZE;
	return true;
}

static enum err migrations_add(struct migrations *migrations, const char *directory,
			       const char *name, size_t size, char why[STORE_WHY_SIZE])
{
	char path[PATH_MAX];
	struct migration *grown;
	struct migration *added;
	enum err err;

	grown = reallocarray(migrations->list, migrations->count + 1, sizeof *grown);
	if (grown == NULL) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		return ERR_MEMORY;
	}
	migrations->list = grown;
	added = &grown[migrations->count];
	*added = (struct migration){ .version = (int)strtol(name, NULL, 10) };
	memcpy(added->name, name, size);
	if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: the path is too long", name);
		return ERR_IO;
	}
	err = script_read(path, &added->script, why);
	if (err == ERR_OK)
		migrations->count++;
	return err;
}

static enum err consider(struct migrations *migrations, const char *directory, const char *name,
			 char why[STORE_WHY_SIZE])
{
	size_t size;

	if (!has_suffix(name, &size) || strncmp(name, "grants_", 7) == 0)
		return ERR_OK;
	if (!is_migration_name(name, size)) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: must be named NNNN_verb_noun.sql", name);
		return ERR_CONFIG;
	}
	return migrations_add(migrations, directory, name, size, why);
}

static int by_version(const void *a, const void *b)
{
	const struct migration *left = a;
	const struct migration *right = b;

	return left->version - right->version;
}

static enum err check_numbers(struct migrations *migrations, const char *directory,
			      char why[STORE_WHY_SIZE])
{
	if (migrations->count == 0) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: no migrations here", directory);
		return ERR_CONFIG;
	}
	qsort(migrations->list, migrations->count, sizeof *migrations->list, by_version);
	for (size_t i = 0; i < migrations->count; i++) {
		if (migrations->list[i].version == (int)i + 1)
			continue;
		snprintf(why, STORE_WHY_SIZE,
			 "%s: number %zu is missing before it, or is there twice",
			 migrations->list[i].name, i + 1);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

enum err migrations_read(const char *directory, struct migrations *migrations,
			 char why[STORE_WHY_SIZE])
{
	struct migrations found = { .list = NULL, .count = 0 };
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	enum err err = ERR_OK;

	if (stream == NULL) {
		snprintf(why, STORE_WHY_SIZE, "%.256s: %s", directory, strerror(errno));
		return ERR_IO;
	}
	while (err == ERR_OK && (entry = readdir(stream)) != NULL)
		err = consider(&found, directory, entry->d_name, why);
	closedir(stream);
	if (err == ERR_OK)
		err = check_numbers(&found, directory, why);
	if (err != ERR_OK) {
		migrations_done(&found);
		return err;
	}
	*migrations = found;
	return ERR_OK;
}

void migrations_done(struct migrations *migrations)
{
	for (size_t i = 0; i < migrations->count; i++)
		script_done(&migrations->list[i].script);
	free(migrations->list);
	migrations->list = NULL;
	migrations->count = 0;
}
