/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text from outside: strict UTF-8 and the character classes that fields allow.
 *
 * Threads    safe
 * Source     RFC 3629 (no overlong forms, no surrogates, nothing above U+10FFFF)
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* True for well-formed UTF-8; a NUL byte makes it false. */
bool text_is_utf8(const char *text, size_t size);

/* Code points in well-formed UTF-8. */
size_t text_length(const char *text, size_t size);

/* True where the text holds a C0 or C1 control or DEL (tab, LF and CR too). */
bool text_has_control(const char *text, size_t size);

enum text_class {
	TEXT_ANY,     /* any UTF-8 without controls */
	TEXT_FREE,    /* any UTF-8; tab, LF and CR allowed, other controls not */
	TEXT_VISIBLE, /* visible ASCII 0x21..0x7e */
	TEXT_WORD,    /* a-z 0-9 _ */
	TEXT_TOKEN,   /* A-Za-z0-9 and . _ - @ / : + */
	TEXT_COUNTRY, /* two capitals */
	TEXT_URL,     /* http:// or https://, visible ASCII, no user info, no fragment */
	TEXT_DIGITS,  /* 0-9 */
	TEXT_EMAIL,   /* name@host: dot-atom of RFC 5322, host names of at least two labels */
	TEXT_PHONE,   /* E.164 with its plus: 7 to 15 digits, before each at most two of " ().-" */
	TEXT_DATE,    /* a day of the calendar from 1900 on: 1990-02-28 */
	TEXT_NATION,  /* a code of core/country.h */
};

/*
 * True where every character is of the class (an empty text is, but for those of a form: COUNTRY, URL, EMAIL, PHONE,
 * DATE, NATION).
 */
bool text_is(enum text_class class, const char *text, size_t size);

#endif
