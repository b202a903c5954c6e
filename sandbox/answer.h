/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers: what leaves on a connection, and every way a request is refused, one table row each.
 *
 * Ownership  an answer owns its body until sandbox/http.c takes it
 * Threads    one thread per answer
 */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/render.h"

#define ANSWER_ALLOW_SIZE 32

enum answer_kind {
	ANSWER_SEND,  /* status and body */
	ANSWER_CLOSE, /* nothing: the connection is closed */
	ANSWER_RESET, /* nothing: the connection is reset (RST) */
};

/* How an ANSWER_SEND leaves; all but ANSWER_WHOLE end the connection behind it */
enum answer_pace {
	ANSWER_WHOLE,
	ANSWER_HALVED, /* closed in the middle of the body */
	ANSWER_CUT,    /* closed after cut_bytes, head included */
	ANSWER_BROKEN, /* reset after cut_bytes */
	ANSWER_DRIPS,  /* byte by byte */
};

struct answer {
	enum answer_kind kind;
	int status;
	char *body; /* on the heap */
	size_t body_size;
	const char *type; /* NULL: application/json */
	enum answer_pace pace;
	size_t cut_bytes;
	bool replayed;                 /* header Idempotent-Replayed: true */
	char allow[ANSWER_ALLOW_SIZE]; /* header Allow; "": none */
};

enum refusal {
	REFUSAL_MALFORMED,
	REFUSAL_FIELD,
	REFUSAL_BODY_TOO_LARGE,
	REFUSAL_MEDIA_TYPE,
	REFUSAL_KEY,
	REFUSAL_KEY_MISMATCH,
	REFUSAL_REFERENCE,
	REFUSAL_OPERATION,
	REFUSAL_TOKEN,
	REFUSAL_UNAUTHENTICATED,
	REFUSAL_NOT_FOUND,
	REFUSAL_PATH,
	REFUSAL_GATEWAY,
	REFUSAL_METHOD,
	REFUSAL_UNKNOWN_OPERATION,
	REFUSAL_IN_PROGRESS,
	REFUSAL_KEY_REUSED,
	REFUSAL_MODE,
	REFUSAL_SETTLEMENT,
	REFUSAL_RATE_LIMITED,
	REFUSAL_BROKEN,
	REFUSAL_FAULT,
	REFUSAL_STORAGE,
	REFUSAL_SETTLEMENT_FILE,
	REFUSAL_PORT,
	REFUSAL_FULL,
};
#define REFUSAL_COUNT 26

struct refusal_row {
	int status;
	const char *code; /* stable; the first seven are one code, their messages differ */
	const char *message;
};

/* The row of a refusal; never NULL. */
const struct refusal_row *refusal_row(enum refusal refusal);

/* Answer with the refusal's row; `message` replaces its message where it is not NULL. */
void answer_refuse(struct answer *answer, enum refusal refusal, const char *message);

/* Answer with the status and the rendered body, which is taken. Short memory closes the connection
 * instead. */
void answer_send(struct answer *answer, int status, struct render *body);

#define ANSWER_HUGE_SIZE (10 * 1024 * 1024)

/*
 * Spoil the JSON object of an answer: blow it up to ANSWER_HUGE_SIZE with blanks; tell a second
 * status in it; write it in UTF-16. Short memory closes the connection instead.
 */
void answer_swell(struct answer *answer);
void answer_repeat_status(struct answer *answer);
void answer_widen(struct answer *answer);

/* Answer 200 with an HTML page, as a proxy in front of a gateway might. */
void answer_page(struct answer *answer);

void answer_close(struct answer *answer);
void answer_reset(struct answer *answer);

/* Free the body. Accepts an empty answer. */
void answer_done(struct answer *answer);

#endif
