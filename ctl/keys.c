/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "ctl/access.h"
#include "ctl/member.h"
#include "service/rotation.h"

#define KEY_MODE 0600
#define TELL_LINE_US INT64_C(1000000)  /* between lines */
#define TELL_SCREEN_US INT64_C(200000) /* between changes of a terminal's line */

enum { STATUS_JSON = ACCESS_COUNT };
enum { ROTATE_DRY = ACCESS_COUNT };

/* clang-format off */
static const struct cli_option status_options[] = {
	ACCESS_OPTIONS,
	{ "json", 0, CLI_FLAG, NULL, NULL, 0, 0, "print one JSON array" },
};
static const struct cli_option rotate_options[] = {
	ACCESS_OPTIONS,
	{ "dry-run", 0, CLI_FLAG, NULL, NULL, 0, 0, "say what would be done, and do nothing" },
};
/* clang-format on */
const struct command_options ctl_keys_new_options = { NULL, 0 };
const struct command_options ctl_keys_status_options = {
	status_options, sizeof status_options / sizeof *status_options
};
const struct command_options ctl_keys_rotate_options = {
	rotate_options, sizeof rotate_options / sizeof *rotate_options
};

/* secret_read_file() drops one newline at the end, so a key must not end in one. */
static void make_key(unsigned char key[CRYPTO_KEY_SIZE])
{
	do {
		crypto_random(key, CRYPTO_KEY_SIZE);
	} while (key[CRYPTO_KEY_SIZE - 1] == '\n');
}

/* True when the whole key is on the disk under its final mode. The file is too small for a write to
 * be split. */
static bool write_key(int fd)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	ssize_t written;

	make_key(key);
	written = write(fd, key, sizeof key);
	explicit_bzero(key, sizeof key);
	if (written >= 0 && written < CRYPTO_KEY_SIZE)
		errno = ENOSPC;
	/* The mode at open() was only a wish: the umask may have taken bits of it. */
	return written == CRYPTO_KEY_SIZE && fchmod(fd, KEY_MODE) == 0 && fsync(fd) == 0;
}

int ctl_keys_new(const struct command_call *call)
{
	const char *path = call->argument;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, KEY_MODE);
	bool written;
	int reason;

	if (fd < 0 && errno == EEXIST)
		return command_fail(
			ERR_CONFLICT,
			"%s exists already: a key is never overwritten; name a new file", path);
	if (fd < 0)
		return command_fail(ERR_IO, "cannot make %s: %s", path, strerror(errno));
	written = write_key(fd);
	reason = errno;
	if (close(fd) != 0 && written) {
		written = false;
		reason = errno;
	}
	if (written) {
		printf("made %s: %d random bytes, mode %04o\n", path, CRYPTO_KEY_SIZE, KEY_MODE);
		return 0;
	}
	unlink(path);
	return command_fail(ERR_IO, "cannot write %s: %s", path, strerror(reason));
}

/* ---- what is sealed with which key ---- */

struct keys_state {
	const struct vault *vault;
	struct rotation_keys keys;
};

static enum err count_look(struct store_tx *tx, void *context)
{
	struct keys_state *state = context;

	return rotation_count(tx, state->vault, &state->keys);
}

static enum err count(struct store *store, const struct access *access, struct keys_state *state)
{
	state->vault = &access->settings->vault;
	return store_look(store, count_look, state);
}

static int64_t values_of(const struct rotation_key *key)
{
	int64_t sum = 0;

	for (int column = 0; column < ROTATION_COLUMN_COUNT; column++)
		sum += key->values[column];
	return sum;
}

/* The first key seals, the vault's others open. */
static const char *state_of(const struct keys_state *state, const struct rotation_key *key)
{
	if (!key->configured)
		return "missing";
	if (key == state->keys.list)
		return "seals";
	return values_of(key) > 0 ? "opens" : "unused";
}

/* A key that is needed and not there; NULL: none. */
static const struct rotation_key *missing_of(const struct keys_state *state)
{
	for (size_t i = 0; i < state->keys.count; i++)
		if (!state->keys.list[i].configured)
			return &state->keys.list[i];
	return NULL;
}

static int missing_fail(const struct rotation_key *key)
{
	return command_fail(ERR_CONFIG,
			    "%" PRId64 " values are sealed with the key '%s', which is not in "
			    "seal_keys: put it back, 'keys rotate' needs it to open them",
			    values_of(key), key->key_id);
}

static void status_print(const struct keys_state *state)
{
	printf("%-32s  %-7s", "KEY", "STATE");
	for (int column = 0; column < ROTATION_COLUMN_COUNT; column++)
		printf("  %s", rotation_column_name((enum rotation_column)column));
	printf("\n");
	for (size_t i = 0; i < state->keys.count; i++) {
		const struct rotation_key *key = &state->keys.list[i];

		printf("%-32s  %-7s", key->key_id, state_of(state, key));
		for (int column = 0; column < ROTATION_COLUMN_COUNT; column++)
			printf("  %*" PRId64,
			       (int)strlen(rotation_column_name((enum rotation_column)column)),
			       key->values[column]);
		printf("\n");
	}
}

static void status_print_json(const struct keys_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->keys.count; i++) {
		const struct rotation_key *key = &state->keys.list[i];
		json_t *object = json_object(), *values = json_object();

		member_text(object, "key_id", key->key_id);
		member_text(object, "state", state_of(state, key));
		for (int column = 0; column < ROTATION_COLUMN_COUNT; column++)
			(void)json_object_set_new(
				values, rotation_column_name((enum rotation_column)column),
				json_integer(key->values[column]));
		(void)json_object_set_new(object, "values", values);
		(void)json_array_append_new(list, object);
	}
	member_list_end(list, (unsigned)state->keys.count, "");
	json_decref(list);
}

static enum err status_work(struct store *store, const struct access *access, void *context)
{
	return count(store, access, context);
}

int ctl_keys_status(const struct command_call *call)
{
	struct keys_state state = { .vault = NULL };
	char why[ACCESS_WHY_SIZE];
	enum err err = access_with(call->values, SETTINGS_VAULT, status_work, &state, why);
	const struct rotation_key *missing;

	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	if (call->values->given[STATUS_JSON])
		status_print_json(&state);
	else
		status_print(&state);
	missing = missing_of(&state);
	return missing == NULL ? 0 : missing_fail(missing);
}

/* ---- sealing all with the first key ---- */

struct rotating {
	bool dry;
	bool terminal;
	struct keys_state state;
	uint64_t total; /* rows, as they were counted */
	int64_t began_us;
	int64_t told_us;
	struct rotation_tally tally;
	int64_t took_us;
	char why[STORE_WHY_SIZE];
};

/* A customer's row has two values at most, others have one. */
static uint64_t rows_of(const struct rotation_key *key)
{
	const int64_t profiles = key->values[ROTATION_PROFILE];
	const int64_t metadata = key->values[ROTATION_METADATA];

	return (uint64_t)(key->values[ROTATION_OPERATION_TOKEN] +
			  key->values[ROTATION_METHOD_TOKEN] +
			  (profiles > metadata ? profiles : metadata));
}

static uint64_t rate_of(uint64_t rows, int64_t took_us)
{
	return took_us > 0 ? rows * 1000000 / (uint64_t)took_us : rows;
}

static void progress(void *context, uint64_t rows)
{
	struct rotating *rotating = context;
	const int64_t now_us = clock_boot_us();
	const uint64_t rate = rate_of(rows, now_us - rotating->began_us);
	const uint64_t left = rotating->total > rows ? rotating->total - rows : 0;

	if (now_us - rotating->told_us < (rotating->terminal ? TELL_SCREEN_US : TELL_LINE_US))
		return;
	rotating->told_us = now_us;
	fprintf(stderr,
		"%s%" PRIu64 " of %" PRIu64 " rows, %" PRIu64 " a second, %" PRIu64 " s left%s",
		rotating->terminal ? "\r\033[K" : "", rows, rotating->total, rate,
		rate > 0 ? left / rate : 0, rotating->terminal ? "" : "\n");
}

static enum err rotate_work(struct store *store, const struct access *access, void *context)
{
	struct rotating *rotating = context;
	const struct rotation_settings settings = { .database = &access->store,
						    .vault = &access->settings->vault,
						    .progress = progress,
						    .context = rotating };
	enum err err = count(store, access, &rotating->state);

	if (err != ERR_OK || missing_of(&rotating->state) != NULL)
		return err;
	for (size_t i = 1; i < rotating->state.keys.count; i++)
		rotating->total += rows_of(&rotating->state.keys.list[i]);
	if (rotating->dry)
		return ERR_OK;
	rotating->began_us = rotating->told_us = clock_boot_us();
	err = rotation_run(&settings, &rotating->tally, rotating->why);
	rotating->took_us = clock_boot_us() - rotating->began_us;
	if (rotating->terminal)
		fputs("\r\033[K", stderr);
	return err == ERR_OK ? count(store, access, &rotating->state) : err;
}

static uint64_t rows_sealed(const struct rotating *rotating)
{
	uint64_t rows = 0;

	for (int table = 0; table < SEAL_TABLE_COUNT; table++)
		rows += rotating->tally.rows[table];
	return rows;
}

static int dry_report(const struct rotating *rotating)
{
	status_print(&rotating->state);
	printf("%" PRIu64 " rows would be sealed with '%s'; nothing was done\n", rotating->total,
	       rotating->state.keys.list[0].key_id);
	return 0;
}

static int failed_report(const struct rotation_tally *tally)
{
	char id[ID_TEXT_SIZE];

	for (size_t i = 0; i < tally->failed && i < ROTATION_FAILURES_MAX; i++) {
		const struct rotation_failure *failure = &tally->failures[i];
		const enum id_kind kind = failure->column == ROTATION_OPERATION_TOKEN ? ID_OPERATION
					  : failure->column == ROTATION_METHOD_TOKEN
						  ? ID_PAYMENT_METHOD
						  : ID_CUSTOMER;

		fprintf(stderr, "%s of row %s does not open\n",
			rotation_column_name(failure->column), id_format(kind, failure->row, id));
	}
	return command_fail(ERR_CRYPTO,
			    "%" PRIu64 " rows were left as they are: they were changed, or a key's "
			    "file holds another key than the one that sealed them",
			    tally->failed);
}

static int report(const struct rotating *rotating)
{
	const struct keys_state *state = &rotating->state;

	printf("%" PRIu64 " rows were sealed with '%s' in %" PRId64 ".%03" PRId64 " s, %" PRIu64
	       " a second\n",
	       rows_sealed(rotating), state->keys.list[0].key_id, rotating->took_us / 1000000,
	       rotating->took_us / 1000 % 1000, rate_of(rows_sealed(rotating), rotating->took_us));
	if (rotating->tally.failed > 0)
		return failed_report(&rotating->tally);
	for (size_t i = 1; i < state->keys.count; i++) {
		if (values_of(&state->keys.list[i]) > 0)
			return command_fail(ERR_BUSY,
					    "%" PRId64 " values are sealed with '%s' still: they "
					    "were in use, or an apid seals with it; run this again",
					    values_of(&state->keys.list[i]),
					    state->keys.list[i].key_id);
		printf("nothing is sealed with '%s' any more: take it out of seal_keys\n",
		       state->keys.list[i].key_id);
	}
	return 0;
}

int ctl_keys_rotate(const struct command_call *call)
{
	struct rotating rotating = { .dry = call->values->given[ROTATE_DRY],
				     .terminal = isatty(STDERR_FILENO) == 1 };
	char why[ACCESS_WHY_SIZE];
	const enum err err = access_with(call->values, SETTINGS_VAULT, rotate_work, &rotating, why);
	const struct rotation_key *missing = missing_of(&rotating.state);

	if (err == ERR_OK && missing != NULL)
		return missing_fail(missing);
	if (err != ERR_OK && rotating.began_us == 0)
		return command_fail(err, "%s", why);
	if (err != ERR_OK)
		return command_fail(err, "%s; what was sealed stays so, run this again to go on",
				    rotating.why[0] != '\0' ? rotating.why : why);
	return rotating.dry ? dry_report(&rotating) : report(&rotating);
}
