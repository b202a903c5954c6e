/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tokens: what the sandbox does with an operation is chosen by its payment token, one table row
 * each.
 *
 * Invariant  the verdict of an operation is fixed when it is recorded; a token only says how and
 *            when it is told
 * Units      milliseconds
 * Threads    safe: constants only
 */
#ifndef SANDBOX_TOKEN_H
#define SANDBOX_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_DEFAULT "tok_ok"
#define TOKEN_TEXT_SIZE 65
#define TOKEN_SLOW_MAX_MS 120000

enum token_verdict { TOKEN_SUCCEEDS, TOKEN_DECLINES };

enum token_timing {
	TOKEN_AT_ONCE, /* decided when it is recorded: answer 200 or 402 */
	TOKEN_LATER,   /* recorded as accepted: answer 202, decided `due_ms` later */
};

/* How the caller of the operation is answered */
enum token_manner {
	TOKEN_ANSWERS,
	TOKEN_HOLDS,          /* never: the connection is held until the caller gives up */
	TOKEN_RESETS,         /* never: the connection is reset */
	TOKEN_AFTER_CALLBACK, /* only after the callback was tried once, and answer_ms
					     later */
};

struct token {
	const char *name;
	enum token_timing timing;
	enum token_verdict verdict;
	const char *decline_code; /* TOKEN_DECLINES only */
	enum token_manner manner;
	int answer_ms; /* wait before the answer leaves */
	int due_ms;    /* from recording to the decision (TOKEN_LATER) and to the first callback */
	int callbacks; /* how often the callback is delivered: 0, 1, 2 */
	bool numbered; /* `name` is followed by 1..TOKEN_SLOW_MAX_MS, which is answer_ms */
	const char *help; /* half a sentence for the manual page */
};

/*
 * Read a payment token.
 * Returns  true and writes *token, a copy of its row with answer_ms filled in; false (untouched)
 * where no row fits
 */
bool token_find(const char *text, struct token *token);

/* All rows; *count is how many. */
const struct token *token_list(size_t *count);

#endif
