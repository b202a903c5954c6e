/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "base/xml.h"
#include "core/amendment.h"
#include "core/payment.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH_MAX 16

static void members_judge(const json_t *object)
{
	static const enum transaction_kind kinds[] = { TRANSACTION_PAYMENT, TRANSACTION_DEPOSIT,
						       TRANSACTION_WITHDRAWAL };
	struct field_member members[FIELD_MEMBERS_MAX];
	struct json_arena arena = { .used = 0 };
	struct payment_request request;
	struct field_errors errors;
	size_t part_count;
	const struct field_spec *part = payment_part_fields(&part_count);
	enum err err;
	const size_t count = json_members(object, members, &arena, &err);

	if (err != ERR_OK)
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		errors.count = 0;
		if (!payment_request_read(kinds[i], members, count, &request, &errors)) {
			fuzz_expect(errors.count > 0);
			continue;
		}
		fuzz_expect(request.amount.minor > 0 && request.amount.minor <= MONEY_MAX_MINOR);
		fuzz_expect(currency_find(request.amount.currency) != NULL);
		fuzz_expect(text_is_utf8(request.description, strlen(request.description)));
	}
	errors.count = 0;
	field_check(part, part_count, members, count, &errors);
}

/* What was read and is written again is read as the same. */
static void json_return(const json_t *object)
{
	char why[JSON_WHY_SIZE];
	char *text = json_text(object);
	json_t *again;

	fuzz_expect(text != NULL);
	fuzz_expect(json_read(text, strlen(text), DEPTH_MAX, &again, why) == ERR_OK);
	fuzz_expect(json_equal(object, again));
	json_decref(again);
	free(text);
}

void fuzz_json(const uint8_t *bytes, size_t size)
{
	char why[JSON_WHY_SIZE] = "";
	json_t *object;

	if (json_read(bytes, size, DEPTH_MAX, &object, why) != ERR_OK) {
		fuzz_expect(strlen(why) > 0);
		return;
	}
	members_judge(object);
	json_return(object);
	json_decref(object);
}

void fuzz_xml(const uint8_t *bytes, size_t size)
{
	static const struct xml_form form = { .root = "response" };
	char why[XML_WHY_SIZE] = "";
	json_t *object, *again;
	char *text;

	if (xml_read(bytes, size, &object, why) != ERR_OK) {
		fuzz_expect(strlen(why) > 0);
		return;
	}
	fuzz_expect(json_is_object(object));
	members_judge(object);
	text = xml_text(object, &form);
	fuzz_expect(text != NULL);
	/* What is written may be longer than what is taken, but is always XML. */
	if (strlen(text) <= XML_SIZE_MAX && xml_read(text, strlen(text), &again, why) == ERR_OK)
		json_decref(again);
	free(text);
	json_decref(object);
}
