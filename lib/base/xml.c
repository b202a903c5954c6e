/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/xml.h"

#include <libxml/xmlreader.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"

#define LONG_ESCAPE 11 /* characters of _xHHHHHHHH_ */
#define SHORT_ESCAPE 7 /* of _xHHHH_ */

/* ---- characters and names ---- */

/* Bytes of the code point that begins here in well-formed UTF-8. */
static size_t point_read(const char *text, uint32_t *point)
{
	const unsigned char first = (unsigned char)*text;
	const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	*point = size == 1 ? first : first & (0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++)
		*point = *point << 6 | ((unsigned char)text[i] & 0x3f);
	return size;
}

/* The code point in UTF-8; room for 4. Returns its size. */
static size_t point_write(uint32_t point, char *out)
{
	const size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	if (size == 1) {
		out[0] = (char)point;
		return size;
	}
	for (size_t i = size - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (char)((0xf00u >> size & 0xf0) | point);
	return size;
}

static bool point_is_allowed(uint32_t point)
{
	if (point < 0x20)
		return point == '\t' || point == '\n' || point == '\r';
	return (point < 0xd800 || point > 0xdfff) && point != 0xfffe && point != 0xffff &&
	       point <= 0x10ffff;
}

/* Size of the escape _xHHHH_ or _xHHHHHHHH_ at `text`, 0 where there is none; *point is what it stands for. */
static size_t escape_read(const char *text, uint32_t *point)
{
	size_t digits, size;

	if (strncmp(text, "_x", 2) != 0)
		return 0;
	digits = strspn(text + 2, "0123456789ABCDEFabcdef");
	size = digits + 3;
	if ((size != SHORT_ESCAPE && size != LONG_ESCAPE) || text[size - 1] != '_')
		return 0;
	*point = (uint32_t)strtoul(text + 2, NULL, 16);
	if (*point == 0 || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return size;
}

/* Undo the escapes; what comes out is never longer. */
static void name_decode(const char *name, char *out)
{
	uint32_t point;

	while (*name != '\0') {
		const size_t size = escape_read(name, &point);

		if (size == 0) {
			*out++ = *name++;
			continue;
		}
		out += point_write(point, out);
		name += size;
	}
	*out = '\0';
}

/* ---- before the parser ---- */

static enum err refuse(char why[XML_WHY_SIZE], const char *what)
{
	(void)snprintf(why, XML_WHY_SIZE, "%s", what);
	return ERR_MALFORMED;
}

static bool holds(const char *bytes, size_t size, const char *word)
{
	return memmem(bytes, size, word, strlen(word)) != NULL;
}

/* The XML declaration may name no encoding but UTF-8, which the bytes are. */
static bool declares_utf8(const char *bytes, size_t size)
{
	static const char name[] = "encoding";
	const char *end, *at;

	if (size < 5 || memcmp(bytes, "<?xml", 5) != 0)
		return true;
	end = memmem(bytes, size, "?>", 2);
	at = end != NULL ? memmem(bytes, (size_t)(end - bytes), name, sizeof name - 1) : NULL;
	if (at == NULL)
		return true;
	at += sizeof name - 1;
	while (at < end && strchr(" \t\r\n=", *at) != NULL)
		at++;
	return end - at >= 7 && (*at == '"' || *at == '\'') && at[6] == *at &&
	       strncasecmp(at + 1, "utf-8", 5) == 0;
}

/*
 * What the parser must never see. A DOCTYPE is looked for in the bytes: it cannot stand in a well-formed document
 * otherwise but in a comment, which is refused too, or in CDATA, where refusing it harms nobody.
 */
static enum err prescan(const char *bytes, size_t size, char why[XML_WHY_SIZE])
{
	if (size > XML_SIZE_MAX)
		return refuse(why, "The XML is too large");
	if (size == 0)
		return refuse(why, "The XML is empty: an element is expected");
	if (memchr(bytes, '\0', size) != NULL)
		return refuse(why, "A NUL byte is not allowed");
	if (!text_is_utf8(bytes, size))
		return refuse(why, "The text is not valid UTF-8");
	if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		return refuse(why, "A byte order mark is not allowed");
	if (holds(bytes, size, "<!DOCTYPE") || holds(bytes, size, "<!ENTITY"))
		return refuse(why, "A document type or an entity is not allowed");
	if (!declares_utf8(bytes, size))
		return refuse(why, "The encoding must be UTF-8");
	return ERR_OK;
}

/* ---- reading ---- */

struct reading {
	xmlTextReader *reader;
	json_t *objects[XML_DEPTH_MAX]; /* of the open elements; NULL: no element in it so far */
	size_t depth;                   /* open elements */
	char *text;                     /* since the last tag; as large as the document */
	size_t text_size;
	json_t *root;
	enum err err; /* the first refusal */
	char *why;
};

static void reading_refuse(struct reading *reading, const char *what, int line, int column)
{
	if (reading->err != ERR_OK)
		return;
	reading->err = ERR_MALFORMED;
	(void)snprintf(reading->why, XML_WHY_SIZE, "%s (line %d, column %d)", what, line, column);
}

static void refuse_here(struct reading *reading, const char *what)
{
	reading_refuse(reading, what, xmlTextReaderGetParserLineNumber(reading->reader),
		       xmlTextReaderGetParserColumnNumber(reading->reader));
}

static void out_of_memory(struct reading *reading)
{
	if (reading->err == ERR_OK)
		reading->err = ERR_MEMORY;
}

/* The parser's own words quote the input. */
static void error_take(void *context, xmlError *error)
{
	struct reading *reading = context;

	if (error->code == XML_ERR_NO_MEMORY)
		out_of_memory(reading);
	else if (error->level >= XML_ERR_ERROR)
		reading_refuse(reading, "The text is not valid XML", error->line, error->int2);
}

static bool text_is_blank(const struct reading *reading)
{
	for (size_t i = 0; i < reading->text_size; i++)
		if (strchr(" \t\r\n", reading->text[i]) == NULL)
			return false;
	return true;
}

static void text_add(struct reading *reading)
{
	const char *text = (const char *)xmlTextReaderConstValue(reading->reader);
	const size_t size = text != NULL ? strlen(text) : 0;

	/* Without entities text cannot grow, so this is the parser's bug and not the client's. */
	if (size > XML_SIZE_MAX - reading->text_size) {
		refuse_here(reading, "A text is too long");
		return;
	}
	if (size > 0)
		memcpy(reading->text + reading->text_size, text, size);
	reading->text_size += size;
}

/* Add the member to the innermost open element. */
static void member_add(struct reading *reading, json_t *value)
{
	const char *name = (const char *)xmlTextReaderConstName(reading->reader);
	json_t **object = &reading->objects[reading->depth - 1];
	char *decoded = name != NULL ? malloc(strlen(name) + 1) : NULL;

	if (*object == NULL)
		*object = json_object();
	if (decoded == NULL || *object == NULL || value == NULL) {
		out_of_memory(reading);
		json_decref(value);
		free(decoded);
		return;
	}
	name_decode(name, decoded);
	if (json_object_get(*object, decoded) != NULL) {
		refuse_here(reading, "A member is given twice");
		json_decref(value);
	} else if (json_object_set_new(*object, decoded, value) != 0) {
		out_of_memory(reading);
	}
	free(decoded);
}

/* What the element that ends now holds. */
static json_t *value_take(struct reading *reading, bool is_root)
{
	json_t **object = &reading->objects[reading->depth - 1];
	json_t *value = *object;

	*object = NULL;
	if (value != NULL || (is_root && text_is_blank(reading))) {
		if (!text_is_blank(reading))
			refuse_here(reading, "Text between elements is not allowed");
		return value != NULL ? value : json_object();
	}
	if (is_root)
		refuse_here(reading, "The XML must be one element that holds elements");
	return reading->text_size > 0 ? json_stringn(reading->text, reading->text_size)
				      : json_null();
}

static void element_end(struct reading *reading)
{
	json_t *value = value_take(reading, reading->depth == 1);

	reading->text_size = 0;
	reading->depth--;
	if (reading->depth > 0)
		member_add(reading, value);
	else if (value == NULL)
		out_of_memory(reading);
	else
		reading->root = value;
}

static void element_begin(struct reading *reading)
{
	const char *name = (const char *)xmlTextReaderConstName(reading->reader);

	if (xmlTextReaderHasAttributes(reading->reader) != 0)
		refuse_here(reading, "Attributes and namespaces are not allowed");
	else if (name == NULL || strchr(name, ':') != NULL)
		refuse_here(reading, "Names with a prefix are not allowed");
	else if (reading->depth == XML_DEPTH_MAX)
		refuse_here(reading, "The XML is nested too deeply");
	else if (!text_is_blank(reading))
		refuse_here(reading, "Text between elements is not allowed");
	if (reading->err != ERR_OK)
		return;
	/* The element around it is an object, even while it is the only one in it. */
	if (reading->depth > 0 && reading->objects[reading->depth - 1] == NULL)
		reading->objects[reading->depth - 1] = json_object();
	reading->text_size = 0;
	reading->depth++;
	if (xmlTextReaderIsEmptyElement(reading->reader) == 1)
		element_end(reading);
}

static void node_take(struct reading *reading)
{
	switch (xmlTextReaderNodeType(reading->reader)) {
	case XML_READER_TYPE_ELEMENT:
		element_begin(reading);
		return;
	case XML_READER_TYPE_END_ELEMENT:
		element_end(reading);
		return;
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
	case XML_READER_TYPE_WHITESPACE:
	case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
		text_add(reading);
		return;
	default:
		refuse_here(reading, "Only elements and text are allowed");
	}
}

/* Before the first thread asks for a parser; the library's own way is for one thread. */
static void library_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT; /* lint: state: the library's, begun once */

	(void)pthread_once(&once, xmlInitParser);
}

static void reading_done(struct reading *reading)
{
	for (size_t i = 0; i < XML_DEPTH_MAX; i++)
		json_decref(reading->objects[i]);
	json_decref(reading->root);
	xmlFreeTextReader(reading->reader);
	free(reading->text);
}

enum err xml_read(const void *bytes, size_t size, json_t **object, char why[XML_WHY_SIZE])
{
	struct reading reading = { .err = prescan(bytes, size, why), .why = why };
	int got = 1;

	if (reading.err != ERR_OK)
		return reading.err;
	library_begin();
	reading.text = malloc(XML_SIZE_MAX);
	reading.reader =
		xmlReaderForMemory(bytes, (int)size, NULL, "UTF-8",
				   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (reading.text == NULL || reading.reader == NULL)
		reading.err = ERR_MEMORY;
	else
		xmlTextReaderSetStructuredErrorHandler(reading.reader, error_take, &reading);
	while (reading.err == ERR_OK && (got = xmlTextReaderRead(reading.reader)) == 1)
		node_take(&reading);
	if (reading.err == ERR_OK && (got != 0 || reading.root == NULL))
		reading.err = refuse(why, "The text is not valid XML");
	if (reading.err == ERR_OK) {
		*object = reading.root;
		reading.root = NULL;
	} else if (reading.err == ERR_MEMORY) {
		(void)snprintf(why, XML_WHY_SIZE, "Out of memory");
	}
	reading_done(&reading);
	return reading.err;
}

/* ---- writing ---- */

/* ASCII only, so that no table of letters is needed. */
static bool is_name_point(uint32_t point, bool first)
{
	if (point == '_' || (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z'))
		return true;
	return !first && (point == '-' || point == '.' || (point >= '0' && point <= '9'));
}

static void put_name(FILE *out, const char *name)
{
	uint32_t point, escaped;
	bool first = true;

	for (; *name != '\0'; first = false) {
		const size_t size = point_read(name, &point);

		if (is_name_point(point, first) && escape_read(name, &escaped) == 0)
			(void)fputc((int)point, out);
		else
			(void)fprintf(out, point > 0xffff ? "_x%08X_" : "_x%04X_", (unsigned)point);
		name += size;
	}
}

static void put_text(FILE *out, const char *text, size_t size)
{
	uint32_t point;

	for (size_t at = 0; at < size;) {
		const size_t step = point_read(text + at, &point);

		if (!point_is_allowed(point))
			(void)fputs("\xef\xbf\xbd", out);
		else if (point == '&')
			(void)fputs("&amp;", out);
		else if (point == '<')
			(void)fputs("&lt;", out);
		else if (point == '>')
			(void)fputs("&gt;", out);
		else if (point == '\r') /* a bare one would be read as a line feed */
			(void)fputs("&#13;", out);
		else
			(void)fwrite(text + at, 1, step, out);
		at += step;
	}
}

/* The name of an array's items: "transactions" holds "transaction", "entries" "entry", "evidence" "item". */
static char *item_name(const char *plural)
{
	const size_t size = strlen(plural);
	char *name;

	if (size > 3 && strcmp(plural + size - 3, "ies") == 0) {
		name = strdup(plural);
		if (name != NULL)
			memcpy(name + size - 3, "y", 2);
		return name;
	}
	if (size > 1 && plural[size - 1] == 's' && plural[size - 2] != 's')
		return strndup(plural, size - 1);
	return strdup("item");
}

struct writing {
	FILE *out;
	const struct xml_form *form;
	bool failed;
};

static void put_element(struct writing *writing, const char *name, json_t *value);

static void put_array(struct writing *writing, const char *name, json_t *array)
{
	char *item = writing->form->item != NULL ? strdup(writing->form->item) : item_name(name);
	json_t *value;
	size_t i;

	if (item == NULL) {
		writing->failed = true;
		return;
	}
	json_array_foreach(array, i, value) put_element(writing, item, value);
	free(item);
}

static void put_value(struct writing *writing, const char *name, json_t *value)
{
	const char *member_name;
	json_t *member;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_foreach(value, member_name, member)
			put_element(writing, member_name, member);
		return;
	case JSON_ARRAY:
		put_array(writing, name, value);
		return;
	case JSON_STRING:
		put_text(writing->out, json_string_value(value), json_string_length(value));
		return;
	case JSON_INTEGER:
		(void)fprintf(writing->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return;
	case JSON_REAL: /* no answer holds one */
	case JSON_NULL:
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		(void)fputs(json_is_true(value) ? "true" : "false", writing->out);
		return;
	}
}

static bool is_empty(const json_t *value)
{
	return json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static void put_element(struct writing *writing, const char *name, json_t *value)
{
	const bool is_root = name == writing->form->root;

	(void)fputc('<', writing->out);
	put_name(writing->out, name);
	if (is_root && writing->form->namespace != NULL)
		(void)fprintf(writing->out, " xmlns=\"%s\"", writing->form->namespace);
	if (is_empty(value)) {
		(void)fputs("/>", writing->out);
		return;
	}
	(void)fputc('>', writing->out);
	put_value(writing, name, value);
	(void)fputs("</", writing->out);
	put_name(writing->out, name);
	(void)fputc('>', writing->out);
}

char *xml_text(const json_t *value, const struct xml_form *form)
{
	struct writing writing = { .form = form };
	char *text = NULL;
	size_t size;
	bool failed;

	writing.out = open_memstream(&text, &size);
	if (writing.out == NULL)
		return NULL;
	(void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", writing.out);
	/* jansson's iterators have no const form */
	put_element(&writing, form->root, (json_t *)(uintptr_t)value);
	failed = writing.failed || ferror(writing.out) != 0;
	if (fclose(writing.out) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}
