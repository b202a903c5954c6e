/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS: a server's certificate with its key and the authority of its clients, ready to be served.
 *
 * Invariant  versions 1.2 and 1.3, forward secrecy and authenticated encryption only, whatever was read; what was read
 *            never changes, others replace it as a whole
 * Ownership  counted by those who hold it: whoever read it, and each session that began with it; who lets go last
 *            wipes the key and frees all
 * Threads    safe
 * Source     RFC 8446, RFC 5246, RFC 9325 (suites, groups, signatures), RFC 5280 (certificates)
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/transition.h"

struct tls;

/* All PEM. */
struct tls_files {
	const char *
		certificate; /* the server's, followed by those of the authorities between it and the root */
	const char *key; /* without a password; a secret's file: base/secret.h */
	const char *
		client_ca; /* whoever has no certificate of one of these is refused; "": anybody may come */
};

/*
 * Read them and judge that they fit each other. Whether the certificate is still valid is not judged: tls_begins_us(),
 * tls_ends_us().
 * Returns  ERR_OK with *tls, held once; ERR_IO, ERR_CONFIG with the file and what to do in `why`; ERR_MEMORY
 */
CHECKED enum err tls_read(const struct tls_files *files, const struct tls **tls, char *why,
			  size_t why_size);

/* Hold one more time what is held already. */
const struct tls *tls_share(const struct tls *tls);

/* Accepts NULL. */
void tls_release(const struct tls *tls);

/* Between which times all certificates that are sent are valid; microseconds, UTC. */
int64_t tls_begins_us(const struct tls *tls);
int64_t tls_ends_us(const struct tls *tls);

/* Whether both were read from files of the same content. */
bool tls_equal(const struct tls *one, const struct tls *other);

/*
 * How a session's handshake goes. GnuTLS gives its reason to who calls it; where that is a library that keeps it, this
 * is what can be told beside it: from what was sent and received, and from what the session says when it has failed.
 */
struct tls_handshake {
	pthread_key_t here; /* set by the caller: what the session's thread finds this by, from its first message */
	void *session;
	unsigned offered;      /* the latest version that the client offers, as 0x0303; 0: no message came */
	unsigned verification; /* what is wrong with the client's certificate, in GnuTLS's bits */
	int alert;             /* that the client has sent; 0: none */
	bool agreed;           /* on version, suite and group */
	bool certificate_sent;
	bool certificate_missing; /* the client was asked, and has none */
	bool finished_sent;
	bool finished_came;
};

enum tls_failure {               /* in order of precedence */
		   TLS_NOT_TLS,  /* the connection ended before anything that begins a handshake */
		   TLS_VERSION,  /* only versions that are not served */
		   TLS_NOTHING_COMMON,
		   TLS_CLIENT_CERTIFICATE,
		   TLS_ALERT,
		   TLS_BROKEN_OFF,
};
#define TLS_FAILURES 6
extern const struct words tls_failure_words;

#define TLS_REASON_SIZE 160

/*
 * Have a session (a gnutls_session_t of a server, before its handshake) go by this, which must be held until the
 * session's end, as the handshake is.
 * Returns  false when memory is short: the session must not go on
 */
bool tls_session_begin(const struct tls *tls, void *session, struct tls_handshake *handshake);

/* Ask the session, while it is there, what it knows of a handshake that has just failed. */
void tls_handshake_note(struct tls_handshake *handshake);

/*
 * What was wrong with a handshake, in a word and a sentence; it may be asked for when the session is gone.
 * Returns  true with *failure and `reason`; false: it was brought to its end
 */
bool tls_handshake_failed(const struct tls_handshake *handshake, enum tls_failure *failure,
			  char reason[TLS_REASON_SIZE]);

/*
 * A gnutls_certificate_retrieve_function3 that has no certificate for anybody: for a server that must have one before
 * its sessions get what tls_session_begin() gives them.
 */
void *tls_retrieve_none(void);

#endif
