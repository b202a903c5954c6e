/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/secret.h"

#define FILE_MAX (256 * 1024)
#define CHAIN_MAX 16
#define SECOND_US 1000000
#define NO_END_US INT64_MAX
#define TLS_1_2 0x0303U
#define EMPTY_LIST_SIZE 4 /* of certificates, with TLS 1.3's context */
#define NOT_VERIFIED UINT_MAX

/*
 * Written from nothing, so that no suite comes in with a later library. A peer's RSA key has 2048 bits or more, and no
 * signature is made with SHA-1.
 */
static const char priorities[] =
	"NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:+CHACHA20-POLY1305:"
	"+AES-128-GCM:+AEAD:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"
	"+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SHA256:"
	"+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512:+SIGN-EDDSA-ED25519:+SIGN-RSA-PSS-RSAE-SHA256:"
	"+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-PSS-SHA256:"
	"+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-SHA512:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:"
	"+SIGN-RSA-SHA512:+CTYPE-SRV-X509:+CTYPE-CLI-X509:+COMP-NULL:%SERVER_PRECEDENCE:"
	"%SAFE_RENEGOTIATION:%PROFILE_MEDIUM";

enum part { PART_CERTIFICATE, PART_KEY, PART_CLIENT_CA, PARTS };

struct tls {
	atomic_size_t holders;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priorities;
	gnutls_typed_vdata_st purpose; /* that a client's certificate must allow */
	bool asks_clients;
	int64_t begins_us, ends_us;
	uint8_t digests[PARTS][CRYPTO_SHA256_SIZE];
};

/* What is being read. */
struct reading {
	struct tls *tls;
	char *why;
	size_t why_size;
};

static enum err refuse(const struct reading *reading, enum err err, const char *path,
		       const char *text)
{
	(void)snprintf(reading->why, reading->why_size, "%s %s", path, text);
	return err;
}

/* ---- files that are no secret ---- */

static enum err bytes_read(const struct reading *reading, const char *path, int fd,
			   gnutls_datum_t *bytes)
{
	struct stat status;
	unsigned char *room;
	ssize_t got;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return refuse(reading, ERR_CONFIG, path, "is not a regular file: name a PEM file");
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(reading, ERR_CONFIG, path,
			      "may be written by others than its owner: run chmod 0644 on it");
	room = malloc(FILE_MAX);
	if (room == NULL)
		return ERR_MEMORY;
	got = read(fd, room, FILE_MAX); /* of a regular file: all that is there */
	if (got >= 0 && got < FILE_MAX) {
		*bytes = (gnutls_datum_t){ room, (unsigned)got };
		return ERR_OK;
	}
	free(room);
	return got < 0 ? refuse(reading, ERR_IO, path, "cannot be read")
		       : refuse(reading, ERR_CONFIG, path,
				"is too long for certificates: keep it below 256 kB");
}

static enum err public_read(const struct reading *reading, const char *path, enum part part,
			    gnutls_datum_t *bytes)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum err err;

	if (fd < 0) {
		(void)snprintf(reading->why, reading->why_size, "cannot open %s: %s", path,
			       strerror(errno));
		return ERR_IO;
	}
	err = bytes_read(reading, path, fd, bytes);
	(void)close(fd);
	if (err == ERR_OK)
		crypto_sha256(bytes->data, bytes->size, reading->tls->digests[part]);
	return err;
}

/* ---- certificate and key ---- */

struct chain {
	gnutls_x509_crt_t list[CHAIN_MAX];
	unsigned count;
};

static void chain_done(struct chain *chain)
{
	for (unsigned i = 0; i < chain->count; i++)
		gnutls_x509_crt_deinit(chain->list[i]);
	chain->count = 0;
}

/* What is sent is valid as long as all of it is. */
static void validity_take(struct tls *tls, const struct chain *chain)
{
	tls->begins_us = 0;
	tls->ends_us = NO_END_US;
	for (unsigned i = 0; i < chain->count; i++) {
		const int64_t begins_us =
			(int64_t)gnutls_x509_crt_get_activation_time(chain->list[i]) * SECOND_US;
		const int64_t ends_us =
			(int64_t)gnutls_x509_crt_get_expiration_time(chain->list[i]) * SECOND_US;

		if (begins_us > tls->begins_us)
			tls->begins_us = begins_us;
		if (ends_us < tls->ends_us)
			tls->ends_us = ends_us;
	}
}

static enum err chain_read(const struct reading *reading, const char *path, struct chain *chain)
{
	gnutls_datum_t bytes = { NULL, 0 };
	unsigned count = CHAIN_MAX;
	int done;
	enum err err = public_read(reading, path, PART_CERTIFICATE, &bytes);

	if (err != ERR_OK)
		return err;
	done = gnutls_x509_crt_list_import(chain->list, &count, &bytes, GNUTLS_X509_FMT_PEM,
					   GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED |
						   GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	free(bytes.data);
	if (done == GNUTLS_E_CERTIFICATE_LIST_UNSORTED)
		return refuse(reading, ERR_CONFIG, path,
			      "has its certificates out of order: put the server's first, then "
			      "each one's issuer");
	if (done <= 0)
		return refuse(reading, ERR_CONFIG, path,
			      "holds no certificate that can be read: put the server's into it "
			      "as PEM, then those of the authorities between it and the root");
	chain->count = count;
	validity_take(reading->tls, chain);
	return ERR_OK;
}

static bool is_strong(gnutls_x509_privkey_t key)
{
	unsigned bits = 0;
	const int algorithm = gnutls_x509_privkey_get_pk_algorithm2(key, &bits);

	return algorithm >= 0 && gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm,
							     bits) >= GNUTLS_SEC_PARAM_MEDIUM;
}

static enum err key_import(const struct reading *reading, const char *path,
			   const struct secret *secret, gnutls_x509_privkey_t key)
{
	const gnutls_datum_t bytes = { (unsigned char *)secret->bytes, (unsigned)secret->size };
	int done;

	done = gnutls_x509_privkey_import2(key, &bytes, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (strstr((const char *)secret->bytes, "ENCRYPTED") != NULL)
		return refuse(reading, ERR_CONFIG, path,
			      "is locked by a password, which nobody could enter: store the key "
			      "without one, readable by apid alone");
	if (done < 0)
		return refuse(reading, ERR_CONFIG, path,
			      "holds no private key that can be read: put the certificate's key "
			      "into it as PEM");
	if (!is_strong(key))
		return refuse(reading, ERR_CONFIG, path,
			      "is too weak a key: make one of RSA with 2048 bits or more, or of "
			      "P-256, and a certificate for it");
	return ERR_OK;
}

static enum err pair_set(const struct reading *reading, const struct tls_files *files,
			 struct chain *chain, gnutls_x509_privkey_t key)
{
	const int done = gnutls_certificate_set_x509_key(reading->tls->credentials, chain->list,
							 (int)chain->count, key);

	if (done == GNUTLS_E_MEMORY_ERROR)
		return ERR_MEMORY;
	if (done >= 0)
		return ERR_OK;
	(void)snprintf(reading->why, reading->why_size,
		       "%s is not the key of the certificate in %s: name two that belong together",
		       files->key, files->certificate);
	return ERR_CONFIG;
}

static enum err pair_read(const struct reading *reading, const struct tls_files *files)
{
	struct chain chain = { .count = 0 };
	struct secret secret = { .size = 0 };
	gnutls_x509_privkey_t key = NULL;
	enum err err = chain_read(reading, files->certificate, &chain);

	if (err == ERR_OK)
		err = secret_read_file(files->key, &secret, reading->why, reading->why_size);
	if (err == ERR_OK)
		crypto_sha256(secret.bytes, secret.size, reading->tls->digests[PART_KEY]);
	if (err == ERR_OK && gnutls_x509_privkey_init(&key) < 0)
		err = ERR_MEMORY;
	if (err == ERR_OK)
		err = key_import(reading, files->key, &secret, key);
	if (err == ERR_OK)
		err = pair_set(reading, files, &chain, key);
	if (key != NULL)
		gnutls_x509_privkey_deinit(key);
	secret_done(&secret);
	chain_done(&chain);
	return err;
}

static enum err client_ca_read(const struct reading *reading, const char *path)
{
	gnutls_datum_t bytes = { NULL, 0 };
	int done;
	enum err err;

	if (path[0] == '\0')
		return ERR_OK;
	err = public_read(reading, path, PART_CLIENT_CA, &bytes);
	if (err != ERR_OK)
		return err;
	done = gnutls_certificate_set_x509_trust_mem(reading->tls->credentials, &bytes,
						     GNUTLS_X509_FMT_PEM);
	free(bytes.data);
	if (done <= 0)
		return refuse(reading, ERR_CONFIG, path,
			      "holds no certificate that can be read: put those of the clients' "
			      "authorities into it as PEM");
	reading->tls->asks_clients = true;
	return ERR_OK;
}

/* ---- read and held ---- */

enum err tls_read(const struct tls_files *files, const struct tls **tls, char *why, size_t why_size)
{
	struct tls *made = calloc(1, sizeof *made);
	const struct reading reading = { made, why, why_size };
	enum err err = ERR_MEMORY;

	if (made == NULL)
		return ERR_MEMORY;
	atomic_init(&made->holders, 1);
	made->purpose =
		(gnutls_typed_vdata_st){ .type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT };
	if (gnutls_priority_init(&made->priorities, priorities, NULL) >= 0 &&
	    gnutls_certificate_allocate_credentials(&made->credentials) >= 0)
		err = pair_read(&reading, files);
	if (err == ERR_OK)
		err = client_ca_read(&reading, files->client_ca);
	if (err == ERR_OK)
		*tls = made;
	else
		tls_release(made);
	return err;
}

const struct tls *tls_share(const struct tls *tls)
{
	atomic_fetch_add(&((struct tls *)tls)->holders, 1);
	return tls;
}

void tls_release(const struct tls *tls)
{
	struct tls *held = (struct tls *)tls;

	if (held == NULL || atomic_fetch_sub(&held->holders, 1) != 1)
		return;
	if (held->credentials != NULL)
		gnutls_certificate_free_credentials(held->credentials);
	if (held->priorities != NULL)
		gnutls_priority_deinit(held->priorities);
	free(held);
}

int64_t tls_begins_us(const struct tls *tls)
{
	return tls->begins_us;
}

int64_t tls_ends_us(const struct tls *tls)
{
	return tls->ends_us;
}

bool tls_equal(const struct tls *one, const struct tls *other)
{
	return memcmp(one->digests, other->digests, sizeof one->digests) == 0;
}

/* ---- sessions ---- */

static void came(struct tls_handshake *handshake, unsigned type, const gnutls_datum_t *message)
{
	if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && message->size >= 2)
		handshake->offered = (unsigned)message->data[0] << 8 | message->data[1];
	else if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
		handshake->certificate_missing = message->size <= EMPTY_LIST_SIZE;
	else if (type == GNUTLS_HANDSHAKE_FINISHED)
		handshake->finished_came = true;
}

/* lint: parameters: GnuTLS calls it with these */
static int step_note(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
		     const gnutls_datum_t *message)
{
	struct tls_handshake *handshake = gnutls_db_get_ptr(session);

	(void)pthread_setspecific(handshake->here, handshake);
	if (incoming != 0 && when == GNUTLS_HOOK_PRE)
		came(handshake, type, message);
	else if (incoming != 0)
		handshake->agreed |= type == GNUTLS_HANDSHAKE_CLIENT_HELLO;
	else if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
		handshake->certificate_sent = true;
	else if (type == GNUTLS_HANDSHAKE_FINISHED)
		handshake->finished_sent = true;
	return 0;
}

/* No session is stored, so the pointer for a store of them is free. */
static void steps_watch(gnutls_session_t session, struct tls_handshake *handshake)
{
	handshake->session = session;
	gnutls_db_set_ptr(session, handshake);
	gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
					   step_note);
}

static bool is_done(const struct tls_handshake *handshake)
{
	return handshake->finished_sent && handshake->finished_came;
}

void tls_handshake_note(struct tls_handshake *handshake)
{
	const unsigned status = gnutls_session_get_verify_cert_status(handshake->session);

	if (is_done(handshake))
		return;
	handshake->alert = (int)gnutls_alert_get(handshake->session);
	handshake->verification = status != NOT_VERIFIED ? status : 0;
}

static const char *const failures[TLS_FAILURES] = { "not_tls",        "version",
						    "nothing_common", "client_certificate",
						    "alert",          "broken_off" };
const struct words tls_failure_words = { failures, TLS_FAILURES };

/* GnuTLS's sentences, which end with a blank. */
static void verification_write(unsigned status, char reason[TLS_REASON_SIZE])
{
	gnutls_datum_t text = { NULL, 0 };

	(void)snprintf(reason, TLS_REASON_SIZE, "the client's certificate is refused");
	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0)
		return;
	while (text.size > 0 && text.data[text.size - 1] == ' ')
		text.size--;
	(void)snprintf(reason, TLS_REASON_SIZE, "the client's certificate is refused: %.*s",
		       (int)text.size, (const char *)text.data);
	gnutls_free(text.data);
}

static const char *version_name(unsigned version)
{
	switch (version) {
	case 0x0302:
		return "TLS 1.1";
	case 0x0301:
		return "TLS 1.0";
	default:
		return "SSL 3.0 or less";
	}
}

static enum tls_failure hello_failed(const struct tls_handshake *handshake,
				     char reason[TLS_REASON_SIZE])
{
	if (handshake->offered == 0) {
		(void)snprintf(reason, TLS_REASON_SIZE,
			       "what came is no TLS handshake, or was cut off in its first "
			       "message");
		return TLS_NOT_TLS;
	}
	if (handshake->offered < TLS_1_2) {
		(void)snprintf(reason, TLS_REASON_SIZE,
			       "the client offers %s at most: TLS 1.2 and 1.3 are served",
			       version_name(handshake->offered));
		return TLS_VERSION;
	}
	(void)snprintf(reason, TLS_REASON_SIZE,
		       "no cipher suite, group or signature algorithm that the client offers is "
		       "served");
	return TLS_NOTHING_COMMON;
}

bool tls_handshake_failed(const struct tls_handshake *handshake, enum tls_failure *failure,
			  char reason[TLS_REASON_SIZE])
{
	const char *stage = handshake->certificate_sent ? "when it had the server's certificate, "
							  "whose authority it may not trust"
							: "";

	if (is_done(handshake))
		return false;
	if (!handshake->agreed) {
		*failure = hello_failed(handshake, reason);
	} else if (handshake->verification != 0) {
		*failure = TLS_CLIENT_CERTIFICATE;
		verification_write(handshake->verification, reason);
	} else if (handshake->alert != 0) {
		*failure = TLS_ALERT;
		(void)snprintf(reason, TLS_REASON_SIZE, "the client answered with the alert: %s",
			       gnutls_alert_get_name((gnutls_alert_description_t)handshake->alert));
	} else if (handshake->certificate_missing) {
		*failure = TLS_CLIENT_CERTIFICATE;
		(void)snprintf(reason, TLS_REASON_SIZE, "the client has sent no certificate");
	} else {
		*failure = TLS_BROKEN_OFF;
		(void)snprintf(reason, TLS_REASON_SIZE, "the client broke it off %s", stage);
	}
	return true;
}

bool tls_session_begin(const struct tls *tls, void *session, struct tls_handshake *handshake)
{
	steps_watch(session, handshake);
	if (gnutls_priority_set(session, tls->priorities) < 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0)
		return false;
	if (!tls->asks_clients)
		return true;
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_cert2(session, (gnutls_typed_vdata_st *)&tls->purpose, 1, 0);
	return true;
}

/* lint: parameters: GnuTLS calls it with these */
static int retrieve_none(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			 gnutls_pcert_st **certificates, unsigned *count,
			 gnutls_ocsp_data_st **statuses, unsigned *status_count,
			 gnutls_privkey_t *key, unsigned *flags)
{
	(void)session, (void)info, (void)certificates, (void)count, (void)statuses,
		(void)status_count, (void)key, (void)flags;
	return -1;
}

void *tls_retrieve_none(void)
{
	return (void *)retrieve_none;
}
