/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/openapi.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/country.h"
#include "core/customer.h"
#include "core/err.h"
#include "core/money.h"

#define REF_SIZE 80
#define REQUEST_ROOT "request" /* any name is taken */
#define ID_PATTERN_SIZE 64
#define TIME_PATTERN                                                                               \
	"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?(Z|\\+00:?00)$"
#define MAJOR_PATTERN "^(0|[1-9][0-9]*)(\\.[0-9]{1,4})?$"
#define MAJOR_SIZE_MAX 17 /* of 999999999999 with four decimals and its point */

static void put(json_t *object, const char *name, json_t *value)
{
	(void)json_object_set_new(object, name, value);
}

static json_t *reference(const char *schema)
{
	char text[REF_SIZE];

	(void)snprintf(text, sizeof text, "#/components/schemas/%s", schema);
	return json_pack("{s:s}", "$ref", text);
}

/* ---- what may be null ---- */

/* A schema with "type" or one that refers, made to take null too. */
static json_t *or_null(json_t *schema)
{
	json_t *type = json_object_get(schema, "type");

	if (!json_is_string(type))
		return json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
	put(schema, "type", json_pack("[O, s]", type, "null"));
	return schema;
}

/* ---- members of answers, and parameters ---- */

static json_t *word_list(const struct describe_member *member)
{
	json_t *list = json_array();

	if (member->words != NULL)
		for (int i = 0; i < member->words->count; i++)
			(void)json_array_append_new(list, json_string(member->words->list[i]));
	else
		for (const char *const *word = member->list; *word != NULL; word++)
			(void)json_array_append_new(list, json_string(*word));
	return list;
}

/* By its name; a list of words that has none would be a type without a name in each client. */
static json_t *word_schema(const struct describe_member *member)
{
	const struct describe_enum *row = describe_enum(member->words, member->list);

	assert(row != NULL && "a list of words without a row in describe_schemas.c");
	return reference(row->name);
}

static json_t *text_schema(const struct describe_member *member)
{
	json_t *schema = json_pack("{s:s}", "type", "string");

	if (member->of != NULL)
		put(schema, "pattern", json_string(member->of));
	if (member->min > 0)
		put(schema, "minLength", json_integer(member->min));
	if (member->max > 0)
		put(schema, "maxLength", json_integer(member->max));
	return schema;
}

static json_t *integer_schema(const struct describe_member *member)
{
	json_t *schema = json_pack("{s:s}", "type", "integer");

	put(schema, "minimum", json_integer(member->min));
	if (member->max > 0)
		put(schema, "maximum", json_integer(member->max));
	return schema;
}

static json_t *id_schema(const char *prefix)
{
	char pattern[ID_PATTERN_SIZE];

	(void)snprintf(pattern, sizeof pattern, "^%s[0-7][0-9A-HJKMNP-TV-Z]{25}$", prefix);
	return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static json_t *plain_schema(const struct describe_member *member)
{
	switch (member->type) {
	case DESCRIBE_TEXT:
		return text_schema(member);
	case DESCRIBE_TIME:
		return json_pack("{s:s, s:s, s:s}", "type", "string", "format", "date-time",
				 "pattern", TIME_PATTERN);
	case DESCRIBE_AMOUNT:
		return reference("Amount");
	case DESCRIBE_INTEGER:
		return integer_schema(member);
	case DESCRIBE_BOOLEAN:
		return json_pack("{s:s}", "type", "boolean");
	case DESCRIBE_WORD:
		return word_schema(member);
	case DESCRIBE_WORDS:
		return json_pack("{s:s, s:i, s:b, s:o}", "type", "array", "minItems", 1,
				 "uniqueItems", 1, "items", word_schema(member));
	case DESCRIBE_ID:
		return id_schema(member->of);
	case DESCRIBE_OBJECT:
		return reference(member->of);
	case DESCRIBE_LIST:
		return json_pack("{s:s, s:o}", "type", "array", "items", reference(member->of));
	case DESCRIBE_TEXTS:
		return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
	case DESCRIBE_ANY:
		return json_pack("{s:s}", "type", "object");
	case DESCRIBE_STRINGS:
		return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type",
				 "string");
	}
	return NULL;
}

json_t *openapi_member(const struct describe_member *member)
{
	json_t *schema = plain_schema(member);

	if ((member->flags & DESCRIBE_NULLABLE) != 0)
		schema = or_null(schema);
	return schema;
}

static bool is_always(const struct describe_schema *row, const struct describe_member *member)
{
	if (row->always == NULL)
		return (member->flags & DESCRIBE_ABSENT) == 0;
	for (size_t i = 0; i < row->always_count; i++)
		if (strcmp(row->always[i].name, member->name) == 0)
			return (row->always[i].flags & DESCRIBE_ABSENT) == 0;
	return false;
}

static json_t *object_schema(const struct describe_schema *row)
{
	json_t *properties = json_object();
	json_t *required = json_array();

	for (size_t i = 0; i < row->count; i++) {
		json_t *member = openapi_member(&row->members[i]);
		const char *example = describe_example(&row->members[i]);

		put(member, "description", json_string(row->members[i].text));
		if (example != NULL)
			put(member, "examples", json_pack("[s]", example));
		put(properties, row->members[i].name, member);
		if (is_always(row, &row->members[i]))
			(void)json_array_append_new(required, json_string(row->members[i].name));
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "description", row->text, "type", "object",
			 "properties", properties, "required", required);
}

/* ---- members of requests ---- */

static const char *pattern_of(enum text_class class)
{
	switch (class) {
	case TEXT_ANY:
		return "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
	case TEXT_FREE:
		return "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$";
	case TEXT_VISIBLE:
		return "^[!-~]*$";
	case TEXT_WORD:
		return "^[a-z0-9_]*$";
	case TEXT_TOKEN:
		return "^[A-Za-z0-9._@/:+-]*$";
	case TEXT_COUNTRY:
		return "^[A-Z]{2}$";
	case TEXT_URL:
		return "^https?://[A-Za-z0-9.-]+(:[0-9]+)?([/?][!-\"$-~]*)?$";
	case TEXT_DIGITS:
		return "^[0-9]*$";
	case TEXT_EMAIL:
		return "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@"
		       "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
		       "(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$";
	case TEXT_PHONE:
		return "^\\+[1-9]([ ().-]{0,2}[0-9]){6,14}$";
	case TEXT_DATE:
		return "^(19|[2-9][0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
	case TEXT_NATION:
		return "^[A-Z]{2}$";
	}
	return NULL;
}

static json_t *text_field(const struct field_spec *spec)
{
	json_t *schema;

	if (strcmp(spec->name, "currency") == 0)
		return reference("Currency");
	if (spec->class == TEXT_NATION)
		return reference("Country");
	schema = json_pack("{s:s, s:s}", "type", "string", "pattern", pattern_of(spec->class));
	if (spec->min > 0)
		put(schema, "minLength", json_integer((json_int_t)spec->min));
	put(schema, "maxLength", json_integer((json_int_t)spec->max));
	return schema;
}

static json_t *word_field(const struct field_spec *spec)
{
	const struct describe_member member = { .list = spec->words };

	return word_schema(&member);
}

/* Of strings; null removes one where the table says so. */
static json_t *object_field(const struct field_spec *spec)
{
	json_t *text = json_pack("{s:s, s:s, s:i}", "type", "string", "pattern",
				 pattern_of(spec->class), "maxLength", FIELD_PAIR_TEXT_MAX);

	if (spec->null_members)
		text = or_null(text);
	return json_pack("{s:s, s:I, s:{s:i, s:i, s:s}, s:o}", "type", "object", "maxProperties",
			 (json_int_t)spec->max, "propertyNames", "minLength", 1, "maxLength",
			 FIELD_PAIR_NAME_MAX, "pattern", pattern_of(TEXT_ANY),
			 "additionalProperties", text);
}

static json_t *plain_field(const struct field_spec *spec)
{
	switch (spec->rule) {
	case FIELD_TEXT:
		return text_field(spec);
	case FIELD_WORD:
		return word_field(spec);
	case FIELD_AMOUNT:
		return reference("AmountGiven");
	case FIELD_ID:
		return reference("UserId");
	case FIELD_OBJECT:
		return strcmp(spec->name, "address") == 0 ? reference("AddressRequest")
							  : object_field(spec);
	case FIELD_INTEGER:
		return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
				 (json_int_t)spec->min, "maximum", (json_int_t)spec->max);
	case FIELD_BOOLEAN:
		return json_pack("{s:s}", "type", "boolean");
	}
	return NULL;
}

json_t *openapi_field(const struct field_spec *spec)
{
	json_t *schema = plain_field(spec);

	if (!spec->required)
		schema = or_null(schema);
	put(schema, "description", json_string(spec->help));
	return schema;
}

/* ---- what is shared ---- */

static json_t *currency_schema(void)
{
	size_t count;
	const struct currency *currencies = currency_list(&count);
	json_t *codes = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(codes, json_string(currencies[i].code));
	return json_pack("{s:s, s:s, s:o}", "description", "Active ISO 4217 code in capitals.",
			 "type", "string", "enum", codes);
}

static json_t *country_schema(void)
{
	json_t *codes = json_array();

	for (const char *const *code = country_codes; *code != NULL; code++)
		(void)json_array_append_new(codes, json_string(*code));
	return json_pack("{s:s, s:s, s:o}", "description",
			 "ISO 3166-1 code of a country, in capitals.", "type", "string", "enum",
			 codes);
}

static json_t *code_schema(void)
{
	json_t *codes = json_array();

	for (int i = ERR_OK + 1; i < ERR_COUNT; i++)
		(void)json_array_append_new(codes, json_string(err_row((enum err)i)->code));
	return json_pack("{s:s, s:s, s:o}", "description",
			 "Codes of refusals; they stay the same in all releases.", "type", "string",
			 "enum", codes);
}

static json_t *amount_schema(const char *text, json_int_t least)
{
	return json_pack("{s:s, s:[{s:s, s:I, s:I}, {s:s, s:s, s:i}]}", "description", text,
			 "oneOf", "type", "integer", "minimum", least, "maximum",
			 (json_int_t)MONEY_MAX_MINOR, "type", "string", "pattern", MAJOR_PATTERN,
			 "maxLength", MAJOR_SIZE_MAX);
}

/* Of the one field that may be a number too. */
static json_t *user_id_schema(void)
{
	return json_pack(
		"{s:s, s:[{s:s, s:s, s:i, s:i}, {s:s, s:i}]}", "description",
		"Your own id of the user: a string, or a number that is taken as its digits.",
		"oneOf", "type", "string", "pattern", pattern_of(TEXT_VISIBLE), "minLength", 1,
		"maxLength", PAYMENT_CUSTOMER_SIZE - 1, "type", "integer", "minimum", 0);
}

static json_t *address_request_schema(void)
{
	json_t *properties = json_object();

	for (int i = CUSTOMER_ADDRESS_BEGIN; i < CUSTOMER_TEXT_COUNT; i++)
		put(properties, customer_text_name((enum customer_text)i),
		    json_pack("{s:[s, s], s:s, s:I}", "type", "string", "null", "pattern",
			      pattern_of(TEXT_ANY), "maxLength",
			      (json_int_t)customer_text_max((enum customer_text)i)));
	return json_pack("{s:s, s:s, s:o, s:b}", "description",
			 "A postal address; null removes what is named.", "type", "object",
			 "properties", properties, "additionalProperties", 0);
}

/* ---- bodies of requests ---- */

static json_t *request_schema(const struct describe_route *row)
{
	json_t *properties = json_object();
	json_t *required = json_array();
	json_t *schema;
	size_t count = 0;
	const struct field_spec *fields = row->fields != NULL ? row->fields(&count) : NULL;

	for (size_t i = 0; i < count; i++) {
		put(properties, fields[i].name, openapi_field(&fields[i]));
		if (fields[i].required)
			(void)json_array_append_new(required, json_string(fields[i].name));
	}
	schema = json_pack("{s:s, s:s+, s:o, s:b, s:{s:s}}", "type", "object", "description",
			   "The body of: ", row->summary, "properties", properties,
			   "additionalProperties", row->example == NULL, "xml", "name",
			   REQUEST_ROOT);
	if (json_array_size(required) > 0)
		put(schema, "required", required);
	else
		json_decref(required);
	return schema;
}

static void requests_put(json_t *schemas)
{
	size_t count;
	const struct describe_route *rows = describe_routes(&count);

	for (size_t i = 0; i < count; i++)
		if (rows[i].request != NULL && json_object_get(schemas, rows[i].request) == NULL)
			put(schemas, rows[i].request, request_schema(&rows[i]));
}

/* ---- the same in XML ---- */

static bool is_amount(const json_t *member)
{
	const char *name = json_string_value(json_object_get(member, "$ref"));

	if (name == NULL)
		name = json_string_value(json_object_get(
			json_array_get(json_object_get(member, "anyOf"), 0), "$ref"));
	return name != NULL && (strcmp(name, "#/components/schemas/Amount") == 0 ||
				strcmp(name, "#/components/schemas/AmountGiven") == 0);
}

/* Its amounts, each as one of major units; an empty object where it has none. */
static json_t *major_members(const json_t *schema)
{
	json_t *members = json_object();
	const char *name;
	json_t *member;

	json_object_foreach(json_object_get(schema, "properties"), name,
			    member) if (is_amount(member))
		put(members, name, reference("AmountMajor"));
	return members;
}

const char *openapi_xml_name(const json_t *schemas, const char *name, char out[OPENAPI_NAME_SIZE])
{
	(void)snprintf(out, OPENAPI_NAME_SIZE, "%sXml", name);
	return json_object_get(schemas, out) != NULL ? out : name;
}

static void xml_put(json_t *schemas)
{
	json_t *all = json_object();
	const char *name;
	json_t *schema;

	json_object_foreach(schemas, name, schema)
	{
		json_t *members = major_members(schema);
		char xml_name[OPENAPI_NAME_SIZE];

		(void)snprintf(xml_name, sizeof xml_name, "%sXml", name);
		if (json_object_size(members) > 0)
			put(all, xml_name,
			    json_pack("{s:s+, s:[o, {s:s, s:O}]}", "description", name,
				      " in XML: its amounts are always of major units.", "allOf",
				      reference(name), "type", "object", "properties", members));
		json_decref(members);
	}
	(void)json_object_update(schemas, all);
	json_decref(all);
}

static void enums_put(json_t *schemas)
{
	size_t count;
	const struct describe_enum *rows = describe_enums(&count);

	for (size_t i = 0; i < count; i++) {
		const struct describe_member member = { .words = rows[i].words,
							.list = rows[i].list };

		put(schemas, rows[i].name,
		    json_pack("{s:s, s:s, s:o}", "description", rows[i].text, "type", "string",
			      "enum", word_list(&member)));
	}
}

json_t *openapi_schemas(void)
{
	size_t count;
	const struct describe_schema *rows = describe_schemas(&count);
	json_t *schemas = json_object();

	put(schemas, "Amount",
	    amount_schema("An integer of minor units (1000: 10.00 USD), or a string of major units "
			  "(\"10.00\"): in the form the amount was sent.",
			  0));
	put(schemas, "AmountGiven",
	    amount_schema("An integer of minor units (1000: 10.00 USD), or a string of major units "
			  "(\"10.00\") with at most the currency's decimals; above zero. A JSON "
			  "number with a point is refused.",
			  1));
	put(schemas, "AmountMajor",
	    json_pack("{s:s, s:s, s:s, s:i}", "description",
		      "An amount of major units, as XML always has it: 10.00.", "type", "string",
		      "pattern", MAJOR_PATTERN, "maxLength", MAJOR_SIZE_MAX));
	put(schemas, "UserId", user_id_schema());
	put(schemas, "AddressRequest", address_request_schema());
	put(schemas, "Currency", currency_schema());
	put(schemas, "Country", country_schema());
	put(schemas, "ErrorCode", code_schema());
	for (size_t i = 0; i < count; i++)
		put(schemas, rows[i].name, object_schema(&rows[i]));
	enums_put(schemas);
	requests_put(schemas);
	xml_put(schemas);
	return schemas;
}
