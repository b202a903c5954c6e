/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tokens: what the sandbox does with an operation is chosen by its payment token, one table row
 * each.
 *
 * A payment token is one token or several, joined with '+'. Each may end in "@gateway", in
 * "/operation" or in both ("tok_html@alpha/refund") and then counts there only. The first that
 * counts is the operation's; where none does, it is TOKEN_DEFAULT.
 *
 * Invariant  the verdict of an operation is fixed when it is recorded; a token only says how and
 *            when it is told
 * Units      milliseconds, bytes
 * Threads    safe: constants only
 */
#ifndef SANDBOX_TOKEN_H
#define SANDBOX_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/operation.h"
#include "sandbox/answer.h"

#define TOKEN_DEFAULT "tok_ok"
#define TOKEN_TEXT_SIZE 129 /* a payment token, with all its parts */
#define TOKEN_NAME_SIZE 65  /* one token, with its number */
#define TOKEN_NUMBER_MAX 120000

enum token_verdict {
	TOKEN_SUCCEEDS,
	TOKEN_DECLINES,
	TOKEN_DOES_NOTHING, /* nothing is recorded: the gateway never took the operation */
};

enum token_timing {
	TOKEN_AT_ONCE, /* decided when it is recorded: answer 200 or 402 */
	TOKEN_LATER,   /* recorded as accepted: answer 202, decided `due_ms` later */
	TOKEN_ACTS,    /* the same, but the answer asks the customer to act, by `instruction` */
};

/* How the caller of the operation is answered */
enum token_manner {
	TOKEN_ANSWERS,
	TOKEN_HOLDS,          /* never: the connection is held until the caller gives up */
	TOKEN_RESETS,         /* never: the connection is reset */
	TOKEN_AFTER_CALLBACK, /* only after the callback was tried once, and answer_ms later */
	TOKEN_REFUSES,        /* with the refusal `instead`, whatever was done */
	TOKEN_PAGE,           /* with an HTML page and status 200, whatever was done */
	TOKEN_SWELLS,         /* with ten megabytes */
	TOKEN_REPEATS,        /* with a second status */
	TOKEN_WIDENS,         /* in UTF-16 */
	TOKEN_HALVES,         /* the answer ends in the middle of its body */
	TOKEN_CUTS,           /* the answer ends after cut_bytes */
	TOKEN_BREAKS,         /* the connection is reset after cut_bytes of the answer */
	TOKEN_DRIPS,          /* byte by byte */
};

/* What is told wrongly, by the answer, the inquiry and the callback alike */
enum token_lie { TOKEN_TRUE, TOKEN_WRONG_AMOUNT, TOKEN_WRONG_CURRENCY, TOKEN_WRONG_REFERENCE };

/* The callbacks that tell the verdict */
enum token_calls {
	TOKEN_NO_CALL,
	TOKEN_ONE_CALL,
	TOKEN_TWO_CALLS,   /* the same one again, after it was taken */
	TOKEN_STALE_CALL,  /* after it was taken, one that tells the status of before */
};

/* What becomes of the verdict after turn_ms, told by a callback of its own */
enum token_turn {
	TOKEN_STAYS,
	TOKEN_TURNS_SUCCESS,  /* a decline becomes a success */
	TOKEN_TURNS_REVERSED, /* a refund is taken back */
	TOKEN_TURNS_RETURNED, /* a payout comes back */
	TOKEN_TURNS_BACK,     /* the one or the other, whatever was said of it before */
};

/* What the number is that ends a token's name */
enum token_number {
	TOKEN_NO_NUMBER,
	TOKEN_NUMBER_ANSWER_MS,
	TOKEN_NUMBER_DUE_MS,
	TOKEN_NUMBER_TURN_MS,
	TOKEN_NUMBER_CUT_BYTES,
};

struct token {
	const char *name;
	enum token_timing timing;
	enum token_verdict verdict;
	const char *decline_code; /* TOKEN_DECLINES only */
	enum token_manner manner;
	enum refusal instead; /* TOKEN_REFUSES only */
	enum token_lie lie;
	enum token_calls calls;
	enum token_turn turn;
	const char *instruction; /* TOKEN_ACTS only: virtual_account, qr_string, redirect_url */
	enum token_number number; /* `name` is followed by 1..TOKEN_NUMBER_MAX */
	int answer_ms;            /* wait before the answer leaves */
	int due_ms;    /* from recording to the decision (not TOKEN_AT_ONCE) and the callback */
	int turn_ms;   /* from recording to the turn */
	int cut_bytes; /* TOKEN_CUTS, TOKEN_BREAKS: of the answer, its head included */
	const char *help; /* half a sentence for the manual page */
};

/*
 * Read one token.
 * Returns  true and writes *token, a copy of its row with the number filled in; false (untouched)
 * where no row fits
 */
bool token_find(const char *text, struct token *token);

enum token_choice {
	TOKEN_UNKNOWN,   /* a part is no token, or names no gateway or operation */
	TOKEN_CHOSEN,    /* *token, and `name` is it without its suffixes */
	TOKEN_ELSEWHERE, /* every part is for other gateways or operations */
};

struct token_place {
	size_t gateway; /* sandbox/profile.h */
	enum operation_kind kind;
	bool named_only; /* only parts that name the operation count */
};

/* Choose among the parts of a payment token. Writes with TOKEN_CHOSEN only. */
enum token_choice token_choose(const char *text, const struct token_place *place,
			       char name[TOKEN_NAME_SIZE], struct token *token);

/* All rows; *count is how many. */
const struct token *token_list(size_t *count);

#endif
