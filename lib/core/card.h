/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Card-number detector: text from clients must never hold a primary account number.
 *
 * Invariant  a run counts when it has 13 to 19 digits (single blanks or dashes between digits are
 *            skipped), passes Luhn, and has the prefix and length of a known issuer
 * Threads    safe
 * Source     ISO/IEC 7812-1 (Luhn, annex B); issuer ranges as published by the card schemes;
 *            DESIGN.md: Data
 */
#ifndef CORE_CARD_H
#define CORE_CARD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True where `text` (`size` bytes) holds a card number anywhere, also inside a longer run of digits
 * and text. A UUID holds none, whatever its digits.
 */
bool card_number_in(const char *text, size_t size);

/*
 * The same for ids that are often hex or random: true where a card number is the whole of `text` or
 * a word of it, not where its digits only stand inside a longer word.
 */
bool card_word_in(const char *text);

/*
 * Replace every digit but the last four of each card number in `text` by '*', in place.
 * Returns  how many numbers were masked
 */
size_t card_mask(char *text, size_t size);

#endif
