/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/card.h"
#include "core/money.h"
#include "core/text.h"
#include "core/trace.h"
#include "tests/fuzz/fuzz.h"

/* An amount that was taken is written as itself again. */
static void amount_judge(const char *text, size_t size, uint8_t exponent)
{
	char written[MONEY_TEXT_SIZE];
	int64_t minor, again;

	if (money_from_major(text, size, exponent, &minor) != MONEY_OK)
		return;
	fuzz_expect(minor > 0 && minor <= MONEY_MAX_MINOR);
	(void)money_format_major(minor, exponent, written);
	fuzz_expect(money_from_major(written, strlen(written), exponent, &again) == MONEY_OK);
	fuzz_expect(again == minor);
}

void fuzz_characters(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);

	fuzz_expect(text != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	for (uint8_t exponent = 0; exponent <= 4; exponent++)
		amount_judge(text, size, exponent);
	for (int class = TEXT_ANY; class <= TEXT_URL; class ++)
		(void)text_is((enum text_class) class, text, size);
	if (text_is_utf8(text, size)) {
		fuzz_expect(text_length(text, size) <= size);
		(void)text_has_control(text, size);
	}
	(void)card_word_in(text);
	(void)card_mask(text, size);
	fuzz_expect(!card_number_in(text, size));
	free(text);
}

/* What is taken can be told, and is taken again as the same. */
void fuzz_trace(const uint8_t *bytes, size_t size)
{
	static const uint8_t parent[TRACE_PARENT_SIZE] = { 1 };
	char *text = fuzz_text(bytes, size);
	struct trace trace, again;
	char told[TRACE_TEXT_SIZE];

	if (trace_parse(text, &trace)) {
		fuzz_expect(strlen(text) >= TRACE_TEXT_SIZE - 1 && trace.size == TRACE_SIZE);
		trace_format(&trace, parent, told);
		fuzz_expect(trace_parse(told, &again));
		fuzz_expect(memcmp(again.bytes, trace.bytes, TRACE_SIZE) == 0);
	}
	free(text);
}
