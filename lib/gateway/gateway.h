/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gateways: one adapter per kind of gateway, one table per adapter, and the gateways that are
 * configured.
 *
 * Invariant  an answer is definite only when it is authenticated, parsed, and its reference, amount
 *            and currency agree with the order; everything else is AE_LOST (unknown), or
 *            AE_NOT_SENT when certainly no byte left
 * Units      amounts in minor units; times microseconds, timeouts milliseconds
 * Ownership  orders, answers and notices are plain values; the set is frozen after loading
 * Threads    safe: adapters are pure functions over their arguments
 * Source     DESIGN.md: Outcome classes, Gateways
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/http_client.h"
#include "base/secret.h"
#include "core/attempt.h"
#include "core/err.h"
#include "core/id.h"
#include "core/money.h"
#include "core/operation.h"
#include "core/payment.h"
#include "core/trace.h"

#define GATEWAY_NAME_SIZE 33
#define GATEWAYS_MAX 16
#define GATEWAY_SECRETS_MAX 3
#define GATEWAY_WORD_SIZE 65
#define GATEWAY_DECLINE_SIZE 41 /* a gateway's own decline code */
#define GATEWAY_OPERATION_SIZE 41 /* its word for an operation */
#define GATEWAY_CALLBACK_ID_SIZE 129
#define GATEWAY_BODY_MAX 2048 /* largest request an adapter builds */
#define GATEWAY_INSTRUCTIONS_SIZE ATTEMPT_INSTRUCTIONS_SIZE

struct gateway_adapter;

struct gateway {
	char name[GATEWAY_NAME_SIZE];
	const struct gateway_adapter *adapter;
	char base_url[HTTP_URL_MAX / 2];
	struct secret api_key;
	struct secret
		callback_secrets[GATEWAY_SECRETS_MAX]; /* any may sign: overlap for rotation */
	size_t callback_secret_count;
	int connect_timeout_ms;
	int total_timeout_ms;
	bool idempotent;    /* replays by its idempotency key, so that a connection may be reused */
	bool authoritative; /* its inquiry's "not found" can be believed */
	int64_t quiet_us;   /* how long after a silence "not found" may be believed */
	int64_t authorisation_us; /* how long it holds what was authorised: then it is released */
	int64_t callback_wait_us; /* how long an accepted attempt waits for its callback before it is asked about */
};

struct gateway_set {
	size_t count;
	struct gateway list[GATEWAYS_MAX];
};

/* What we ask a gateway to do. */
struct gateway_order {
	enum operation_kind kind;
	struct id transaction_id;
	struct id operation_id;
	struct id attempt_id;
	char our_reference[ATTEMPT_REFERENCE_SIZE];
	char gateway_key[ATTEMPT_REFERENCE_SIZE]; /* the gateway's idempotency key */
	struct money amount;
	uint8_t exponent;
	char payment_token[PAYMENT_TOKEN_SIZE]; /* "" when the client gave none */
	/* With a capture, void or refund: the gateway's own id of the charge or authorisation it is about, else "". */
	char parent_ref[ATTEMPT_GATEWAY_REF_SIZE];
	char callback_url[HTTP_URL_MAX];
	struct trace trace; /* the client's; none with size 0 */
};

/* What became of it, in our words. */
struct gateway_answer {
	enum attempt_event
		event; /* AE_ACCEPTED, _REQUIRES_ACTION, _SUCCEEDED, _DECLINED, _NOT_SENT, _LOST, _NOT_FOUND */
	bool integrity; /* with AE_LOST: reference, amount or currency differ from the order's */
	bool retryable; /* with AE_DECLINED: another attempt may follow */
	int http_status;
	char gateway_ref[ATTEMPT_GATEWAY_REF_SIZE]; /* "" when none came */
	char decline_code[REASON_SIZE];             /* ours, with AE_DECLINED */
	char reason[REASON_SIZE];                   /* short words for the timeline */
	/* With AE_REQUIRES_ACTION: what the customer needs, one flat JSON object of texts, else "". */
	char instructions[GATEWAY_INSTRUCTIONS_SIZE];
	char masked[ATTEMPT_ANSWER_SIZE]; /* the answer's body, card numbers masked, cut */
};

/* A gateway's own message about an attempt, after its signature was verified. */
struct gateway_notice {
	char callback_id[GATEWAY_CALLBACK_ID_SIZE]; /* "" when the gateway has none */
	char word[GATEWAY_WORD_SIZE];               /* the gateway's status word */
	char gateway_ref[ATTEMPT_GATEWAY_REF_SIZE]; /* either reference may be "" */
	char our_reference[ATTEMPT_REFERENCE_SIZE];
	bool has_amount;
	struct money amount;
	struct gateway_answer
		answer; /* event by the word's table; AE_LOST for a word that is not in it */
	char decline_word[GATEWAY_DECLINE_SIZE]; /* the gateway's own decline code, "" without */
	char operation_word[GATEWAY_OPERATION_SIZE]; /* what it speaks of, "" where it does not say */
};

/* The raw message: what the signature is over. */
struct gateway_message {
	const char *body;
	size_t body_size;
	const char *(*header)(void *context,
			      const char *name); /* value of a header, NULL when absent */
	void *context;
};

struct gateway_adapter {
	const char *name;
	unsigned operations; /* bits 1 << enum operation_kind */

	/*
	 * Fill *request; `body` (GATEWAY_BODY_MAX) is the caller's and is what request->body points
	 * to.
	 */
	enum err (*build)(const struct gateway *gateway, const struct gateway_order *order,
			  char *body, struct http_request *request);
	void (*read)(const struct gateway_order *order, const struct http_answer *http,
		     struct gateway_answer *answer);
	enum err (*build_inquiry)(const struct gateway *gateway, const struct gateway_order *order,
				  struct http_request *request);
	/* AE_LOST: the inquiry itself told nothing (no answer, 5xx, mismatch). */
	void (*read_inquiry)(const struct gateway_order *order, const struct http_answer *http,
			     struct gateway_answer *answer);
	/*
	 * Verify over the raw bytes, then parse.
	 * Returns ERR_OK with *notice; ERR_SIGNATURE (missing, wrong, or older or newer than five
	 * minutes); ERR_MALFORMED (signed, but not readable)
	 */
	enum err (*read_callback)(const struct gateway *gateway,
				  const struct gateway_message *message, int64_t now_us,
				  struct gateway_notice *notice);
	/*
	 * What the tables say of a notice's word and decline word: event, decline code and whether
	 * another attempt may follow. For messages that were verified and stored before.
	 */
	void (*read_word)(const char *word, const char *decline_word,
			  struct gateway_answer *answer);
	/* Whether the gateway's word for an operation is that of this kind; "", which says nothing, is. */
	bool (*is_kind)(const char *operation_word, enum operation_kind kind);
};

/* The adapter of this name ("sandbox"), or NULL. */
const struct gateway_adapter *gateway_adapter_find(const char *name);

/* The configured gateway of this name, or NULL. */
const struct gateway *gateway_find(const struct gateway_set *set, const char *name);

/*
 * Common readings for adapters: the class of an answer that is not a complete HTTP answer
 * (AE_NOT_SENT or AE_LOST), with reason.
 * Returns  true where it was one (nothing more to read)
 */
bool gateway_answer_from_fate(const struct http_answer *http, struct gateway_answer *answer);

/* Copy a body into answer->masked: cut, made printable, card numbers masked. */
void gateway_answer_mask(struct gateway_answer *answer, const char *body, size_t size);

/* Add the traceparent of a call about this order, the attempt as its parent; nothing without a trace. */
void gateway_request_trace(const struct gateway_order *order, struct http_request *request);

/*
 * Star what nobody may read in an answer that repeats what it was asked: the order's payment token, the gateway's
 * API key and callback secrets, in what is kept of the body and in the customer's instructions.
 */
void gateway_answer_hide(const struct gateway *gateway, const struct gateway_order *order,
			 struct gateway_answer *answer);

extern const struct gateway_adapter gateway_sandbox;

#endif
