/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guessers: which subject a call's wrong credentials are held against, and whether it is locked out.
 *
 * Invariant  what is known to be right is taken whoever else is behind the same address: credentials that were verified
 *            lately, the right secret of a key that is guessed elsewhere, and every callback that a gateway signed
 * Threads    as the call
 * Source     API.md: Authentication; RFC 7239 (who is behind a proxy)
 */
#ifndef APID_GUESSER_H
#define APID_GUESSER_H

#include <stdbool.h>

#include "apid/call.h"

/* Where the call comes from: the peer, or what the proxies that are trusted say of theirs. */
struct address guesser_address(const struct call *call);

/* Whether the caller's address is locked out; refuse the call because it is. */
bool guesser_is_locked_out(const struct call *call);
void guesser_refuse(struct call *call);

/*
 * Hold wrong credentials against the caller's address and, where they were those of an API key (its id, else NULL),
 * against that key. True: the key is locked out, and the call was refused.
 */
bool guesser_failed(struct call *call, const char *key_id);

/* Hold a forged callback against its address. True: it is locked out, and the call was refused. */
bool guesser_forged(struct call *call);

#endif
