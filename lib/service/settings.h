/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settings: payops.conf, read into plain values that apid and payopsctl share.
 *
 * Invariant  every setting is a row of one table, documented in payops.conf(5); secrets come by
 *            file reference only; once in force they never change, others replace them as a whole
 *            (settings_live.h)
 * Units      as the names say
 * Ownership  counted by those who hold them; who lets go last wipes and frees all. The parts are
 *            borrowed from what is held
 * Threads    safe once loaded
 */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <stdatomic.h>

#include "base/address.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/tls.h"
#include "base/token.h"
#include "service/breakers.h"
#include "service/due.h"
#include "service/vault.h"
#include "store/store.h"

#define SETTINGS_DEFAULT_PATH PAYOPS_SYSCONFDIR "/payops.conf"
#define SETTINGS_WHY_SIZE 2048
#define SETTINGS_IN_FLIGHT_MAX 5000 /* the most that dispatch.in_flight_max may be */

struct settings {
	atomic_size_t holders;
	uint64_t generation; /* counts those that were in force before */
	struct conf *conf;
	enum log_level log_level;
	const char *listen_address;
	int listen_port;
	bool listen_plain_meant; /* where others reach it */
	const char *tls_address;
	int tls_port;          /* 0: no TLS */
	const struct tls *tls; /* NULL: the same */
	int connections_max;
	int read_deadline_ms;
	int request_timeout_ms;
	int stop_patience_ms;
	bool core_dumps;
	size_t pool_size;
	size_t in_flight_max;
	int64_t request_wait_us; /* from which on due work yields to requests; 0: never */
	int64_t manual_expiry_us;
	int rate_per_second;
	int rate_burst;
	int lockout_failures; /* 0: nobody is locked out */
	int64_t lockout_window_us;
	int64_t lockout_first_us;
	int64_t lockout_longest_us;
	struct address_ranges trusted_proxies;
	const char *cors_origins; /* separated by blanks */
	const char *swagger_ui_directory;
	struct secret database_password;
	struct store_settings database;
	struct token_keys token_keys;
	struct vault vault;
	struct due_settings due;
	struct breakers_settings breakers;
};

/* The table itself, for --print-config and the tests. */
extern const struct conf_table settings_table;

enum settings_part {
	SETTINGS_DATABASE, /* only what a connection needs: payopsctl migrate works before any key exists */
	SETTINGS_TOKENS, /* database and token keys */
	SETTINGS_VAULT,  /* these and the vault's keys */
	SETTINGS_ALL,
};

/*
 * Read `path`, and the secrets of this part.
 * Returns  ERR_OK with *settings, held once; ERR_CONFIG or ERR_IO with what is wrong, as "file:line:column: text"
 *          lines, in `why`
 */
CHECKED enum err settings_load(const char *path, enum settings_part part,
			       struct settings **settings, char *why, size_t why_size);

/* Hold one more time what is held already. */
const struct settings *settings_share(const struct settings *settings);

/* Accepts NULL. */
void settings_release(const struct settings *settings);

#endif
