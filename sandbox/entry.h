/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entry: one operation a gateway took, and the lines of the ledger file that tell of it.
 *
 * Invariant  terms, verdict and ids never change once the entry is in the ledger; what changes is
 *            guarded by its ledger
 * Units      amounts in minor units; times in microseconds UTC
 * Ownership  an entry owns its texts; terms borrow theirs
 * Threads    fixed members may be read by any thread while the ledger is open
 *
 * Four kinds of lines, each one JSON object whose member "record" is
 * 	"operation"    the operation was taken: terms, first status, final verdict, later turn
 * 	"decided"      an accepted one reached its verdict
 * 	"turned"       a verdict was turned: a late success, a reversal, a return
 * 	"called_back"  its callback needs no further try
 */
#ifndef SANDBOX_ENTRY_H
#define SANDBOX_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/money.h"
#include "core/operation.h"
#include "core/transition.h"
#include "sandbox/render.h"

#define ENTRY_NAME_MAX 64 /* bytes of a reference or wire id */
#define ENTRY_URL_MAX 512
#define ENTRY_ID_SIZE 48 /* "alpha_000001" and its NUL */

enum entry_name { ENTRY_REFERENCE, ENTRY_TRANSACTION, ENTRY_OPERATION, ENTRY_ATTEMPT };
#define ENTRY_NAME_COUNT 4

enum entry_status {
	ENTRY_ACCEPTED,
	ENTRY_SUCCEEDED,
	ENTRY_DECLINED,
	ENTRY_REQUIRES_ACTION, /* accepted, and the customer must act */
	ENTRY_REVERSED,        /* a refund that was taken back */
	ENTRY_RETURNED,        /* a payout that came back */
};
extern const struct words entry_status_words;

struct entry_terms {
	size_t gateway; /* sandbox/profile.h */
	enum operation_kind kind;
	struct money amount;
	const char *name[ENTRY_NAME_COUNT];
	const char *payment_token;
	const char *effect;       /* the one token that counts; NULL: it is payment_token */
	const char *parent;       /* the gateway's id of what it is about; NULL: nothing */
	const char *callback_url; /* NULL: none wanted */
};

struct entry_verdict {
	enum entry_status opened; /* what the answer says */
	enum entry_status final;  /* ENTRY_SUCCEEDED or ENTRY_DECLINED; the same where `opened` is
				     neither accepted nor requires_action */
	const char *decline_code; /* ENTRY_DECLINED only, else NULL */
	int64_t at_us;
	enum entry_status later; /* what it turns to afterwards; ENTRY_ACCEPTED: it stays */
};

/* What captures, voids and refunds made of a charge or authorisation (sandbox/sums.h) */
struct entry_sums {
	int64_t captured_minor; /* of an authorisation: succeeded or open */
	int64_t refunded_minor; /* succeeded or open */
	bool released;          /* an authorisation's rest is given up */
};

struct entry;

/* A place in the ledger's index, one per name */
struct entry_link {
	struct entry *entry;
	struct entry_link *next;
};

struct entry {
	int64_t number;           /* from 1, per gateway */
	struct entry_terms terms; /* texts are in `texts` */
	struct entry_verdict verdict;
	const char *callback_id; /* NULL where no callback is to be sent */
	struct entry *parent;    /* the charge or authorisation it is about; NULL: none */

	/* guarded by the ledger's mutex */
	int64_t decided_at_us; /* 0: not yet */
	int64_t turned_at_us;  /* 0: not yet, or never */
	struct entry_sums sums;
	bool durable;          /* its first line is on the disk */
	bool running;          /* its first request is not answered yet */
	bool called_back;
	size_t ordinal;
	struct entry_link links[ENTRY_NAME_COUNT];

	atomic_bool callback_tried; /* one try of the callback has ended, well or badly */

	char texts[];
};

/* A new entry that copies all texts; NULL where memory is short. `callback_id` NULL also drops the
 * callback's URL. */
struct entry *entry_new(const struct entry_terms *terms, const struct entry_verdict *verdict,
			const char *callback_id);
void entry_free(struct entry *entry);

/* The gateway's own id of the operation: "alpha_000001". Returns `out`. */
const char *entry_id(const struct entry *entry, char out[ENTRY_ID_SIZE]);

/* The same content: gateway, operation, amount, reference, transaction, parent and token; the
 * attempt does not count. */
bool entry_has_terms(const struct entry *entry, const struct entry_terms *terms);

/* The name of the one token that counts for it. */
const char *entry_effect(const struct entry *entry);

/* Neither accepted nor waiting for the customer any more. */
bool entry_status_is_decided(enum entry_status status);

/* Under the ledger's mutex: its status now. */
enum entry_status entry_status_now(const struct entry *entry);

/* Render the ledger line of this kind, line feed included. */
void entry_render_operation(const struct entry *entry, struct render *line);
void entry_render_decided(const struct entry *entry, int64_t at_us, struct render *line);
void entry_render_turned(const struct entry *entry, int64_t at_us, struct render *line);
void entry_render_called_back(const struct entry *entry, const char *outcome, int64_t at_us,
			      struct render *line);

enum entry_record {
	ENTRY_RECORD_OPERATION,
	ENTRY_RECORD_DECIDED,
	ENTRY_RECORD_TURNED,
	ENTRY_RECORD_CALLED_BACK,
};

struct entry_line {
	enum entry_record record;
	struct entry *entry; /* ENTRY_RECORD_OPERATION: new, the caller's */
	size_t gateway;      /* the others: which entry they tell of */
	char reference[ENTRY_NAME_MAX + 1];
	int64_t number; /* of the entry; 0: the line does not say, the reference does */
	int64_t at_us;
};

/* Read one ledger line. Returns ERR_OK with *line; ERR_MALFORMED where it is not such a line;
 * ERR_MEMORY. */
CHECKED enum err entry_line_read(const char *text, size_t size, struct entry_line *line);

#endif
