/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/routing_text.h"

#include "core/payment.h"
#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SEPARATORS " ,\t\n"
#define WORD_SHOWN 32
#define TARGETS_FORM "is not as \"alpha:70 | beta:30, gamma\""
#define LIMIT_DIGITS_MAX 12 /* MONEY_MAX_MINOR */

/* A word of a text: where it is, without a copy. */
struct word {
	const char *text;
	size_t size;
};

/* The next word; size 0 at the end. */
static struct word word_next(const char **text)
{
	struct word word;

	*text += strspn(*text, SEPARATORS);
	word.text = *text;
	word.size = strcspn(*text, SEPARATORS);
	*text += word.size;
	return word;
}

/* "has USX, which is no currency"; what is not plain ASCII is not repeated. */
static bool refuse_word(struct word word, const char *rule, char why[ROUTING_WHY_SIZE])
{
	if (word.size <= WORD_SHOWN && text_is(TEXT_VISIBLE, word.text, word.size))
		snprintf(why, ROUTING_WHY_SIZE, "has %.*s, %s", (int)word.size, word.text, rule);
	else
		snprintf(why, ROUTING_WHY_SIZE, "has a word %s", rule);
	return false;
}

static bool refuse(const char *rule, char why[ROUTING_WHY_SIZE])
{
	snprintf(why, ROUTING_WHY_SIZE, "%s", rule);
	return false;
}

static bool is_currency(const char *word)
{
	return currency_find(word) != NULL;
}

static bool is_country(const char *word)
{
	return text_is(TEXT_COUNTRY, word, strlen(word));
}

static bool is_method(const char *word)
{
	for (size_t i = 0; payment_methods[i] != NULL; i++)
		if (strcmp(payment_methods[i], word) == 0)
			return true;
	return false;
}

static bool is_kind(const char *word)
{
	return words_find(transaction_kind_words, word) >= 0;
}

static bool is_operation(const char *word)
{
	return words_find(operation_kind_words, word) >= 0;
}

static bool is_merchant(const char *word)
{
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static const struct {
	bool (*fits)(const char *word);
	const char *rule;
} kinds_of_words[] = {
	[ROUTING_CURRENCIES] = { is_currency, "which is no currency" },
	[ROUTING_COUNTRIES] = { is_country, "which is not a country's two capitals" },
	[ROUTING_METHODS] = { is_method, "which is no payment method" },
	[ROUTING_KINDS] = { is_kind, "which is not payment, deposit, withdrawal or instalment" },
	[ROUTING_OPERATIONS] = { is_operation,
				 "which is not charge, authorise, capture, void, refund or "
				 "payout" },
	[ROUTING_MERCHANTS] = { is_merchant, "which cannot be a merchant" },
};

/* Append a word; false where it does not fit. */
static bool set_add(char set[ROUTING_SET_SIZE], const char *word)
{
	size_t used = strlen(set);

	if (used + 1 + strlen(word) >= ROUTING_SET_SIZE)
		return false;
	snprintf(set + used, ROUTING_SET_SIZE - used, "%s%s", used > 0 ? " " : "", word);
	return true;
}

static bool is_in(const char *set, const char *word)
{
	return *set != '\0' && routing_set_has(set, word);
}

bool routing_set_read(enum routing_words words, const char *text, char set[ROUTING_SET_SIZE],
		      char why[ROUTING_WHY_SIZE])
{
	char read[ROUTING_SET_SIZE] = "";
	char copy[WORD_SHOWN + 1];
	struct word word;

	for (word = word_next(&text); word.size > 0; word = word_next(&text)) {
		snprintf(copy, sizeof copy, "%.*s",
			 word.size < sizeof copy ? (int)word.size : WORD_SHOWN, word.text);
		if (word.size > WORD_SHOWN || !kinds_of_words[words].fits(copy))
			return refuse_word(word, kinds_of_words[words].rule, why);
		if (is_in(read, copy))
			return refuse_word(word, "which stands there twice", why);
		if (!set_add(read, copy))
			return refuse("has too many words", why);
	}
	memcpy(set, read, sizeof read);
	return true;
}

unsigned routing_operations(const char *set)
{
	unsigned bits = 0;

	for (int i = 0; i < OPERATION_KIND_COUNT; i++)
		if (routing_set_has(set, words_text(operation_kind_words, i)))
			bits |= 1u << i;
	return bits;
}

/* Digits at *text, which moves behind them; none are 0. False: too many, or a leading zero. */
static bool number_take(const char **text, int64_t *number)
{
	size_t digits = strspn(*text, "0123456789");

	if (digits > LIMIT_DIGITS_MAX || (digits > 0 && **text == '0'))
		return false;
	*number = 0;
	for (size_t i = 0; i < digits; i++)
		*number = *number * 10 + ((*text)[i] - '0');
	*text += digits;
	return true;
}

/* "EUR:100-500000" at `text`, up to a separator or the end; the numbers are 0 where they are left out. */
static bool limit_parse(const char *text, char currency[4], int64_t *min, int64_t *max)
{
	if (strcspn(text, ":") != 3 || text[3] != ':')
		return false;
	memcpy(currency, text, 3);
	currency[3] = '\0';
	text += 4;
	if (!number_take(&text, min) || *text++ != '-' || !number_take(&text, max))
		return false;
	return strcspn(text, SEPARATORS) == 0;
}

static bool limit_add(char limits[ROUTING_SET_SIZE], const char *currency, int64_t min, int64_t max)
{
	char word[48];
	int used = snprintf(word, sizeof word, "%s:", currency);

	if (min > 0)
		used += snprintf(word + used, sizeof word - (size_t)used, "%" PRId64, min);
	used += snprintf(word + used, sizeof word - (size_t)used, "-");
	if (max > 0)
		snprintf(word + used, sizeof word - (size_t)used, "%" PRId64, max);
	return set_add(limits, word);
}

bool routing_limits_read(const char *text, char limits[ROUTING_SET_SIZE],
			 char why[ROUTING_WHY_SIZE])
{
	char read[ROUTING_SET_SIZE] = "";
	char seen[ROUTING_SET_SIZE] = "";
	char currency[4];
	int64_t min;
	int64_t max;
	struct word word;

	for (word = word_next(&text); word.size > 0; word = word_next(&text)) {
		if (!limit_parse(word.text, currency, &min, &max))
			return refuse_word(word, "which is not as EUR:100-500000", why);
		if (!is_currency(currency))
			return refuse_word(word, "which names no currency", why);
		if (max != 0 && min > max)
			return refuse_word(word, "whose least is above its most", why);
		if (is_in(seen, currency))
			return refuse_word(word, "whose currency stands there twice", why);
		if (!set_add(seen, currency) || !limit_add(read, currency, min, max))
			return refuse("has too many limits", why);
	}
	memcpy(limits, read, sizeof read);
	return true;
}

bool routing_limits_allow(const char *limits, struct money amount)
{
	char currency[4];
	int64_t min;
	int64_t max;
	struct word word;

	for (word = word_next(&limits); word.size > 0; word = word_next(&limits))
		if (limit_parse(word.text, currency, &min, &max) &&
		    strcmp(currency, amount.currency) == 0)
			return amount.minor >= min && (max == 0 || amount.minor <= max);
	return true;
}

/* Reading a list of gateways. */
struct target_reader {
	const char *text;
	struct routing_named_target list[ROUTING_TARGETS_MAX];
	size_t count;
	unsigned priority;
	char *why;
};

static bool weight_take(struct target_reader *reader, unsigned *weight)
{
	int64_t number;

	*weight = 1;
	if (*reader->text != ':')
		return true;
	reader->text++;
	if (!number_take(&reader->text, &number) || number < 1 || number > ROUTING_WEIGHT_MAX)
		return refuse("has a weight that is not from 1 to 1000", reader->why);
	*weight = (unsigned)number;
	return true;
}

static bool is_named(const struct target_reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->count; i++)
		if (strcmp(reader->list[i].name, name) == 0)
			return true;
	return false;
}

/* One gateway with its weight. */
static bool target_take(struct target_reader *reader)
{
	struct word word = { reader->text, strcspn(reader->text, SEPARATORS ":|") };
	struct routing_named_target *target = &reader->list[reader->count];

	if (word.size == 0 || word.size >= ROUTING_NAME_SIZE ||
	    !text_is(TEXT_WORD, word.text, word.size))
		return refuse(TARGETS_FORM, reader->why);
	if (reader->count == ROUTING_TARGETS_MAX)
		return refuse("has more than 16 gateways", reader->why);
	*target = (struct routing_named_target){ .priority = reader->priority };
	memcpy(target->name, word.text, word.size);
	if (is_named(reader, target->name))
		return refuse_word(word, "which stands there twice", reader->why);
	reader->text += word.size;
	if (!weight_take(reader, &target->weight))
		return false;
	if (*reader->text != '\0' && strchr(SEPARATORS "|", *reader->text) == NULL)
		return refuse(TARGETS_FORM, reader->why);
	reader->count++;
	return true;
}

/* What stands behind a gateway. True: it shares its priority with the next. */
static bool joiner_take(struct target_reader *reader)
{
	reader->text += strspn(reader->text, SEPARATORS);
	if (*reader->text != '|') {
		reader->priority++;
		return false;
	}
	reader->text += 1 + strspn(reader->text + 1, SEPARATORS);
	return true;
}

bool routing_targets_read(const char *text,
			  struct routing_named_target targets[ROUTING_TARGETS_MAX], size_t *count,
			  char why[ROUTING_WHY_SIZE])
{
	struct target_reader reader = { .text = text, .priority = 1, .why = why };
	bool joined = true; /* another must follow */

	reader.text += strspn(reader.text, SEPARATORS);
	while (joined || *reader.text != '\0') {
		if (!target_take(&reader))
			return false;
		joined = joiner_take(&reader);
	}
	memcpy(targets, reader.list, sizeof reader.list);
	*count = reader.count;
	return true;
}
