/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const log_words[] = { "debug", "info", "warning", "error", NULL };
static const char *const algorithm_words[] = { "HS256", "RS256", "ES256", NULL };

static const struct conf_setting scalars[] = {
	/* name, type, default, min, max, words, help, whether a running apid takes it over */
	{ "listen.address", CONF_TEXT, "127.0.0.1", 1, 64, NULL, "Address that apid listens on.",
	  CONF_RESTART },
	{ "listen.port", CONF_INT, "8080", 1, 65535, NULL, "Port that apid listens on.",
	  CONF_RESTART },
	{ "listen.plain_is_meant", CONF_BOOL, "false", 0, 0, NULL,
	  "Whether plain HTTP at an address that other machines reach is meant, since TLS ends at "
	  "a proxy; without it apid warns.",
	  CONF_RESTART },
	{ "listen.connections_max", CONF_INT, "1000", 1, 20000, NULL,
	  "Connections served at once; more are reset.", CONF_RESTART },
	{ "listen.read_deadline_ms", CONF_INT, "10000", 100, 600000, NULL,
	  "How long a request may take to arrive before its connection is closed.", CONF_RESTART },
	{ "tls.address", CONF_TEXT, "127.0.0.1", 1, 64, NULL, "Address that apid serves TLS on.",
	  CONF_RESTART },
	{ "tls.port", CONF_INT, "0", 0, 65535, NULL, "Port that apid serves TLS on; 0: no TLS.",
	  CONF_RESTART },
	{ "tls.certificate_file", CONF_PATH, "", 0, 0, NULL,
	  "PEM file of the certificate, followed by those of the authorities up to the root.",
	  CONF_LIVE },
	{ "tls.key_file", CONF_PATH, "", 0, 0, NULL, "PEM file of the certificate's private key.",
	  CONF_LIVE },
	{ "tls.client_ca_file", CONF_PATH, "", 0, 0, NULL,
	  "PEM file of the authorities one of which must have certified each client of TLS; empty: "
	  "anybody may come.",
	  CONF_LIVE },
	{ "public_url", CONF_TEXT, "http://127.0.0.1:8080", 1, 400, NULL,
	  "Our address as gateways see it, without a slash at the end: callbacks come to it.",
	  CONF_LIVE },
	{ "log.level", CONF_WORD, "info", 0, 0, log_words, "Least level that is logged.",
	  CONF_LIVE },
	{ "database.host", CONF_TEXT, "127.0.0.1", 0, 255, NULL,
	  "Host of the database, where no socket is set.", CONF_RESTART },
	{ "database.port", CONF_INT, "3306", 1, 65535, NULL, "Port of the database.",
	  CONF_RESTART },
	{ "database.socket", CONF_PATH, "", 0, 107, NULL,
	  "Socket of the database; it is used instead of host and port.", CONF_RESTART },
	{ "database.user", CONF_TEXT, "payops_apid", 1, 80, NULL, "User of the database.",
	  CONF_RESTART },
	{ "database.password_file", CONF_PATH, "", 0, 0, NULL,
	  "File that holds the database user's password; none when empty.", CONF_RESTART },
	{ "database.name", CONF_TEXT, "payops", 1, 64, NULL, "Name of the database.",
	  CONF_RESTART },
	{ "database.pool_size", CONF_INT, "16", 2, 256, NULL, "Connections to the database.",
	  CONF_RESTART },
	{ "database.connect_timeout_ms", CONF_INT, "3000", 100, 60000, NULL,
	  "How long connecting to the database may take.", CONF_RESTART },
	{ "database.statement_timeout_ms", CONF_INT, "10000", 100, 600000, NULL,
	  "How long the database may be silent during a statement.", CONF_RESTART },
	{ "rate.per_second", CONF_INT, "2000", 0, 100000, NULL,
	  "Requests a second that each merchant may make for long; 0 is no limit.", CONF_LIVE },
	{ "rate.burst", CONF_INT, "4000", 1, 1000000, NULL,
	  "Requests that a merchant may make at once after a rest.", CONF_LIVE },
	{ "lockout.failures", CONF_INT, "300", 0, 100000, NULL,
	  "Wrong credentials within the window, of one address or for one API key, at which they "
	  "are locked out; 0: never.",
	  CONF_RESTART },
	{ "lockout.window_s", CONF_INT, "60", 1, 86400, NULL,
	  "How long wrong credentials are held against their address.", CONF_RESTART },
	{ "lockout.first_s", CONF_INT, "1", 1, 86400, NULL,
	  "How long the first lock-out is; each one that follows soon is twice as long.",
	  CONF_RESTART },
	{ "lockout.longest_s", CONF_INT, "300", 1, 86400, NULL, "Longest lock-out.", CONF_RESTART },
	{ "listen.trusted_proxies", CONF_TEXT, "", 0, 1000, NULL,
	  "Addresses, or ranges like 10.0.0.0/8, separated by blanks, whose X-Forwarded-For is "
	  "believed.",
	  CONF_RESTART },
	{ "cors.origins", CONF_TEXT, "", 0, 1000, NULL,
	  "Origins, separated by blanks, whose web pages may read answers.", CONF_LIVE },
	{ "docs.swagger_ui_directory", CONF_PATH, "", 0, 4000, NULL,
	  "Directory of swagger-ui-dist's files for /docs; where empty, swagger-ui beside the "
	  "installed SQL files.",
	  CONF_RESTART },
	{ "request.timeout_ms", CONF_INT, "10000", 100, 30000, NULL,
	  "Deadline of a request whose client names none.", CONF_LIVE },
	{ "stop.patience_ms", CONF_INT, "20000", 0, 25000, NULL,
	  "How long a stopping apid lets requests and gateway calls finish.", CONF_LIVE },
	{ "crash.core_dumps", CONF_BOOL, "false", 0, 0, NULL,
	  "Whether a crash of apid may leave a core file, which holds keys and customers' data.",
	  CONF_RESTART },
	{ "token.issuer", CONF_TEXT, "payops", 1, 127, NULL,
	  "The iss that access tokens must have.", CONF_LIVE },
	{ "token.audience", CONF_TEXT, "payops", 1, 127, NULL,
	  "The aud that access tokens must have.", CONF_LIVE },
	{ "vault.hash_key_file", CONF_PATH, "", 0, 0, NULL,
	  "File of at least 32 random bytes that keys the hashes of idempotent requests; it must "
	  "never change.",
	  CONF_RESTART },
	{ "dispatch.in_flight_max", CONF_INT, "512", 1, SETTINGS_IN_FLIGHT_MAX, NULL,
	  "Gateway calls in flight at once.", CONF_LIVE },
	{ "dispatch.request_wait_ms", CONF_INT, "100", 0, 60000, NULL,
	  "How long payments may wait to be taken in before due work is taken up more slowly; 0: "
	  "never.",
	  CONF_LIVE },
	{ "dispatch.send_window_ms", CONF_INT, "5000", 100, 60000, NULL,
	  "How long after it was claimed an attempt may still be sent.", CONF_LIVE },
	{ "dispatch.lease_margin_ms", CONF_INT, "5000", 100, 60000, NULL,
	  "What a lease has over send window and total timeout.", CONF_LIVE },
	{ "dispatch.manual_expiry_s", CONF_INT, "86400", 60, 2592000, NULL,
	  "How long a payment with process manual waits for its start before it is cancelled.",
	  CONF_LIVE },
	{ "breaker.failure_percent", CONF_INT, "50", 1, 100, NULL,
	  "Share of failed calls at which a breaker opens, of those within the window.",
	  CONF_LIVE },
	{ "breaker.calls_min", CONF_INT, "20", 1, 1000000, NULL,
	  "Calls within the window that this share needs.", CONF_LIVE },
	{ "breaker.window_ms", CONF_INT, "30000", 100, 3600000, NULL, "How long calls are counted.",
	  CONF_LIVE },
	{ "breaker.failures_in_row", CONF_INT, "5", 1, 1000000, NULL,
	  "Failed calls in a row at which a breaker opens, however many there were.", CONF_LIVE },
	{ "breaker.open_ms", CONF_INT, "30000", 100, 3600000, NULL,
	  "How long it is open before one call is tried; doubled each time that fails too.",
	  CONF_LIVE },
	{ "breaker.open_max_ms", CONF_INT, "600000", 100, 86400000, NULL,
	  "Longest time it is open before one call is tried.", CONF_LIVE },
	{ "breaker.refresh_ms", CONF_INT, "1000", 50, 60000, NULL,
	  "How often other processes' breakers, and what operators force, are read.", CONF_LIVE },
};

static const struct conf_setting token_key_settings[] = {
	{ "kid", CONF_TEXT, NULL, 1, 64, NULL, "The key's id; a token names it.", CONF_LIVE },
	{ "algorithm", CONF_WORD, "HS256", 0, 0, algorithm_words,
	  "The one algorithm this key is used with.", CONF_LIVE },
	{ "file", CONF_PATH, NULL, 1, 511, NULL,
	  "File of the key: raw bytes for HS256, PEM otherwise.", CONF_LIVE },
};

static const struct conf_setting seal_key_settings[] = {
	{ "id", CONF_TEXT, NULL, 1, 32, NULL, "The key's id, stored beside what it sealed.",
	  CONF_LIVE },
	{ "file", CONF_PATH, NULL, 1, 511, NULL, "File of exactly 32 random bytes.", CONF_LIVE },
};

static const struct conf_list lists[] = {
	{ "token_keys", token_key_settings,
	  sizeof token_key_settings / sizeof token_key_settings[0],
	  "Keys that access tokens are verified with; payopsctl token issue signs with the "
	  "first." },
	{ "seal_keys", seal_key_settings, sizeof seal_key_settings / sizeof seal_key_settings[0],
	  "Keys that seal waiting secrets; the first seals, all open." },
};

const struct conf_table settings_table = { scalars, sizeof scalars / sizeof scalars[0], lists,
					   sizeof lists / sizeof lists[0], false };

struct reading {
	struct settings *settings;
	char *why;
	size_t why_size;
};

/* "file:line:column: name: text", without a place where the setting has its default. */
static enum err refuse(struct reading *reading, const char *name, const char *text)
{
	char where[CONF_WHERE_SIZE];

	conf_where(reading->settings->conf, name, where);
	snprintf(reading->why, reading->why_size, "%s%s: %s", where, name, text);
	return ERR_CONFIG;
}

/* Of a list as a whole, or of one of its groups. */
static enum err refuse_list(struct reading *reading, const char *list, const char *text)
{
	snprintf(reading->why, reading->why_size, "%s: %s", list, text);
	return ERR_CONFIG;
}

static enum err refuse_item(struct reading *reading, const char *list, size_t index,
			    const char *text)
{
	char where[CONF_WHERE_SIZE];

	conf_list_where(reading->settings->conf, list, index, NULL, where);
	snprintf(reading->why, reading->why_size, "%s%s: %s", where, list, text);
	return ERR_CONFIG;
}

static enum err secret_take(struct reading *reading, const char *path, struct secret *secret)
{
	return secret_read_file(path, secret, reading->why, reading->why_size);
}

/* Paths are appended to it. */
static bool is_base_url(const char *text)
{
	size_t size = strlen(text);

	return text_is(TEXT_URL, text, size) && text[size - 1] != '/';
}

/* Scheme, host and port as a browser writes them: nothing behind, no capitals. */
static bool is_origin(const char *text, size_t size)
{
	const char *host = memchr(text, '/', size);

	if (!text_is(TEXT_URL, text, size) || memchr(text, '?', size) != NULL)
		return false;
	host += 2;
	for (size_t i = 0; i < size; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			return false;
	return memchr(host, '/', size - (size_t)(host - text)) == NULL;
}

static bool are_origins(const char *text)
{
	while (*text != '\0') {
		const size_t size = strcspn(text, " ");

		if (!is_origin(text, size))
			return false;
		text += size;
		text += strspn(text, " ");
	}
	return true;
}

/* Two keys with one id: what the second sealed or signed would be tried with the first. */
static bool is_repeated(const struct conf *conf, const char *list, size_t index, const char *member)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(conf_list_text(conf, list, i, member),
			   conf_list_text(conf, list, index, member)) == 0)
			return true;
	return false;
}

static enum err database_take(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct conf *conf = settings->conf;
	const char *password_file = conf_text(conf, "database.password_file");
	enum err err = ERR_OK;

	settings->database = (struct store_settings){
		.host = conf_text(conf, "database.host"),
		.port = (int)conf_int(conf, "database.port"),
		.socket = conf_text(conf, "database.socket"),
		.user = conf_text(conf, "database.user"),
		.database = conf_text(conf, "database.name"),
		.connect_timeout_ms = (int)conf_int(conf, "database.connect_timeout_ms"),
		.statement_timeout_ms = (int)conf_int(conf, "database.statement_timeout_ms"),
	};
	settings->pool_size = (size_t)conf_int(conf, "database.pool_size");
	if (password_file[0] == '\0')
		return ERR_OK;
	err = secret_take(reading, password_file, &settings->database_password);
	settings->database.password = &settings->database_password;
	return err;
}

static enum token_algorithm algorithm_of(const char *word)
{
	int i = 0;

	while (strcmp(algorithm_words[i], word) != 0)
		i++;
	return (enum token_algorithm)i;
}

static enum err token_key_take(struct reading *reading, size_t index)
{
	const struct conf *conf = reading->settings->conf;
	struct token_key *key = &reading->settings->token_keys.keys[index];
	char why[256], text[384];
	enum err err;

	if (is_repeated(conf, "token_keys", index, "kid"))
		return refuse_item(reading, "token_keys", index,
				   "each key must have a kid of its own");
	snprintf(key->kid, sizeof key->kid, "%s", conf_list_text(conf, "token_keys", index, "kid"));
	key->algorithm = algorithm_of(conf_list_text(conf, "token_keys", index, "algorithm"));
	err = secret_take(reading, conf_list_text(conf, "token_keys", index, "file"),
			  &key->material);
	if (err != ERR_OK)
		return err;
	err = token_key_check(key, why, sizeof why);
	if (err == ERR_OK)
		return ERR_OK;
	snprintf(text, sizeof text, "key %s: %s", key->kid, why);
	return refuse_item(reading, "token_keys", index, text);
}

static enum err tokens_take(struct reading *reading)
{
	const struct conf *conf = reading->settings->conf;
	struct token_keys *keys = &reading->settings->token_keys;
	size_t count = conf_list_count(conf, "token_keys");
	enum err err = ERR_OK;

	if (count == 0 || count > TOKEN_KEYS_MAX)
		return refuse_list(reading, "token_keys",
				   "name 1 to 8 keys that access tokens are verified with");
	snprintf(keys->issuer, sizeof keys->issuer, "%s", conf_text(conf, "token.issuer"));
	snprintf(keys->audience, sizeof keys->audience, "%s", conf_text(conf, "token.audience"));
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		keys->count = i + 1;
		err = token_key_take(reading, i);
	}
	return err;
}

static enum err vault_take(struct reading *reading)
{
	const struct conf *conf = reading->settings->conf;
	struct vault *vault = &reading->settings->vault;
	size_t count = conf_list_count(conf, "seal_keys");
	const char *hash_key_file = conf_text(conf, "vault.hash_key_file");
	struct secret key = { .size = 0 };
	enum err err;

	if (count == 0 || count > VAULT_KEYS_MAX)
		return refuse_list(reading, "seal_keys", "name 1 to 4 keys of 32 random bytes");
	if (hash_key_file[0] == '\0')
		return refuse(reading, "vault.hash_key_file",
			      "name a file of at least 32 random bytes");
	err = secret_take(reading, hash_key_file, &vault->hash_key);
	if (err == ERR_OK && vault->hash_key.size < CRYPTO_KEY_SIZE)
		err = refuse(reading, "vault.hash_key_file",
			     "the file must hold at least 32 bytes");
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		snprintf(vault->keys[i].key_id, sizeof vault->keys[i].key_id, "%s",
			 conf_list_text(conf, "seal_keys", i, "id"));
		err = secret_take(reading, conf_list_text(conf, "seal_keys", i, "file"), &key);
		if (err == ERR_OK && key.size != CRYPTO_KEY_SIZE)
			err = refuse_item(reading, "seal_keys", i,
					  "a key's file must hold exactly 32 bytes");
		if (err == ERR_OK && is_repeated(conf, "seal_keys", i, "id"))
			err = refuse_item(reading, "seal_keys", i,
					  "each key must have an id of its own");
		if (err == ERR_OK)
			memcpy(vault->keys[i].key, key.bytes, CRYPTO_KEY_SIZE);
		vault->count = i + 1;
	}
	secret_done(&key);
	return err;
}

static enum err server_take(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct conf *conf = settings->conf;
	const char *public_url = conf_text(conf, "public_url");

	if (!is_base_url(public_url))
		return refuse(reading, "public_url",
			      "must be an http or https address without a slash at the end");
	settings->rate_per_second = (int)conf_int(conf, "rate.per_second");
	settings->rate_burst = (int)conf_int(conf, "rate.burst");
	settings->swagger_ui_directory = conf_text(conf, "docs.swagger_ui_directory");
	if (settings->swagger_ui_directory[0] == '\0')
		settings->swagger_ui_directory = PAYOPS_SWAGGER_UI_DIRECTORY;
	settings->cors_origins = conf_text(conf, "cors.origins");
	if (!are_origins(settings->cors_origins))
		return refuse(reading, "cors.origins",
			      "each must be like https://shop.example, in small letters, with "
			      "nothing behind host and port");
	settings->lockout_failures = (int)conf_int(conf, "lockout.failures");
	settings->lockout_window_us = conf_int(conf, "lockout.window_s") * 1000000;
	settings->lockout_first_us = conf_int(conf, "lockout.first_s") * 1000000;
	settings->lockout_longest_us = conf_int(conf, "lockout.longest_s") * 1000000;
	if (settings->lockout_longest_us < settings->lockout_first_us)
		return refuse(reading, "lockout.longest_s", "must be at least lockout.first_s");
	if (!address_ranges_read(conf_text(conf, "listen.trusted_proxies"),
				 &settings->trusted_proxies))
		return refuse(reading, "listen.trusted_proxies",
			      "must be addresses, or ranges like "
			      "10.0.0.0/8, at most 32, separated by blanks");
	settings->listen_address = conf_text(conf, "listen.address");
	settings->listen_port = (int)conf_int(conf, "listen.port");
	settings->listen_plain_meant = conf_bool(conf, "listen.plain_is_meant");
	settings->connections_max = (int)conf_int(conf, "listen.connections_max");
	settings->read_deadline_ms = (int)conf_int(conf, "listen.read_deadline_ms");
	settings->request_timeout_ms = (int)conf_int(conf, "request.timeout_ms");
	settings->stop_patience_ms = (int)conf_int(conf, "stop.patience_ms");
	settings->core_dumps = conf_bool(conf, "crash.core_dumps");
	settings->in_flight_max = (size_t)conf_int(conf, "dispatch.in_flight_max");
	settings->request_wait_us = conf_int(conf, "dispatch.request_wait_ms") * 1000;
	settings->manual_expiry_us = conf_int(conf, "dispatch.manual_expiry_s") * 1000000;
	settings->due = (struct due_settings){
		.vault = &settings->vault,
		.callback_base = public_url,
		.send_window_us = conf_int(conf, "dispatch.send_window_ms") * 1000,
		.lease_margin_us = conf_int(conf, "dispatch.lease_margin_ms") * 1000,
	};
	return ERR_OK;
}

static enum err tls_take(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct conf *conf = settings->conf;
	const struct tls_files files = {
		.certificate = conf_text(conf, "tls.certificate_file"),
		.key = conf_text(conf, "tls.key_file"),
		.client_ca = conf_text(conf, "tls.client_ca_file"),
	};

	settings->tls_address = conf_text(conf, "tls.address");
	settings->tls_port = (int)conf_int(conf, "tls.port");
	if (settings->tls_port == 0) {
		if (files.certificate[0] == '\0' && files.key[0] == '\0' &&
		    files.client_ca[0] == '\0')
			return ERR_OK;
		return refuse(reading, "tls.port",
			      "name a port to serve TLS on, or take the files of tls away");
	}
	if (files.certificate[0] == '\0')
		return refuse(reading, "tls.certificate_file",
			      "name the certificate's file, or set tls.port to 0");
	if (files.key[0] == '\0')
		return refuse(reading, "tls.key_file", "name the file of the certificate's key");
	return tls_read(&files, &settings->tls, reading->why, reading->why_size);
}

static enum err breakers_take(struct reading *reading)
{
	struct settings *settings = reading->settings;
	const struct conf *conf = settings->conf;

	settings->breakers = (struct breakers_settings){
		.rules = {
			.failure_percent = (unsigned)conf_int(conf, "breaker.failure_percent"),
			.calls_min = (unsigned)conf_int(conf, "breaker.calls_min"),
			.window_us = conf_int(conf, "breaker.window_ms") * 1000,
			.failures_in_row = (unsigned)conf_int(conf, "breaker.failures_in_row"),
			.open_us = conf_int(conf, "breaker.open_ms") * 1000,
			.open_max_us = conf_int(conf, "breaker.open_max_ms") * 1000,
		},
		.probe_margin_us = settings->due.send_window_us + settings->due.lease_margin_us,
		.refresh_ms = (int)conf_int(conf, "breaker.refresh_ms"),
	};
	if (settings->breakers.rules.open_max_us < settings->breakers.rules.open_us)
		return refuse(reading, "breaker.open_max_ms", "must be at least breaker.open_ms");
	return ERR_OK;
}

typedef enum err taker(struct reading *reading);

/* What each part reads, in order. */
static const struct {
	enum settings_part from;
	taker *take;
} takers[] = {
	{ SETTINGS_DATABASE, database_take }, { SETTINGS_TOKENS, tokens_take },
	{ SETTINGS_VAULT, vault_take },       { SETTINGS_ALL, server_take },
	{ SETTINGS_ALL, breakers_take },      { SETTINGS_ALL, tls_take },
};

enum err settings_load(const char *path, enum settings_part part, struct settings **settings,
		       char *why, size_t why_size)
{
	struct settings *loaded = calloc(1, sizeof *loaded);
	struct reading reading = { loaded, why, why_size };
	enum err err;

	if (loaded == NULL)
		return ERR_MEMORY;
	atomic_init(&loaded->holders, 1);
	err = conf_load(&settings_table, path, &loaded->conf, why, why_size);
	if (err == ERR_OK)
		(void)log_level_parse(conf_text(loaded->conf, "log.level"), &loaded->log_level);
	for (size_t i = 0; err == ERR_OK && i < sizeof takers / sizeof takers[0]; i++)
		if (part >= takers[i].from)
			err = takers[i].take(&reading);
	if (err != ERR_OK) {
		settings_release(loaded);
		return err;
	}
	*settings = loaded;
	return ERR_OK;
}

const struct settings *settings_share(const struct settings *settings)
{
	atomic_fetch_add(&((struct settings *)settings)->holders, 1);
	return settings;
}

void settings_release(const struct settings *settings)
{
	struct settings *held = (struct settings *)settings;

	if (held == NULL || atomic_fetch_sub(&held->holders, 1) != 1)
		return;
	conf_free(held->conf);
	tls_release(held->tls);
	explicit_bzero(held, sizeof *held);
	free(held);
}
