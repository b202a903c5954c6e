/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/xml.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/unit/unit.h"

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))
#define TEXT(LITERAL) LITERAL, sizeof(LITERAL) - 1 /* so that a text may hold NUL */

/* ---- reading ---- */

static const struct {
	const char *xml;
	const char *json;
} accepted[] = {
	{ "<request/>", "{}" },
	{ "<request></request>", "{}" },
	{ " \n<request>\n</request>\n ", "{}" },
	{ "<deposit><user_id>123</user_id><amount>100.50</amount><currency>USD</currency></"
	  "deposit>",
	  "{\"user_id\":\"123\",\"amount\":\"100.50\",\"currency\":\"USD\"}" },
	{ "<?xml version=\"1.0\"?><r><a>x</a></r>", "{\"a\":\"x\"}" },
	{ "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<r><a>x</a></r>",
	  "{\"a\":\"x\"}" },
	{ "<?xml version=\"1.0\" encoding = \"UTF-8\"?><r/>", "{}" },
	{ "<r>\n\t<a>1</a>\n\t<b>2</b>\n</r>", "{\"a\":\"1\",\"b\":\"2\"}" },
	{ "<r><a/><b></b></r>", "{\"a\":null,\"b\":null}" },
	{ "<r><a> x </a><b> </b></r>", "{\"a\":\" x \",\"b\":\" \"}" },
	{ "<r><m><k1>v</k1><k2>w</k2></m></r>", "{\"m\":{\"k1\":\"v\",\"k2\":\"w\"}}" },
	{ "<r><m><k/></m></r>", "{\"m\":{\"k\":null}}" },
	{ "<r><m>\n<k></k>\n</m></r>", "{\"m\":{\"k\":null}}" },
	{ "<r><a><r>x</r></a><r>y</r></r>", "{\"a\":{\"r\":\"x\"},\"r\":\"y\"}" },
	{ "<r><a>&lt;&amp;&gt;&quot;&apos;&#65;&#x20AC;</a></r>", "{\"a\":\"<&>\\\"'A€\"}" },
	{ "<r><a><![CDATA[<b>&amp;]]]]><![CDATA[></b>]]></a></r>", "{\"a\":\"<b>&amp;]]></b>\"}" },
	{ "<r><a>10<![CDATA[0.5]]>0</a></r>", "{\"a\":\"100.50\"}" },
	{ "<r><größe>x</größe><A>\xf0\x9f\x98\x80</A></r>", "{\"größe\":\"x\",\"A\":\"😀\"}" },
	{ "<r><order_x0020_no>1</order_x0020_no></r>", "{\"order no\":\"1\"}" },
	{ "<r><_x0031_st>1</_x0031_st><_x0001F600_>2</_x0001F600_></r>",
	  "{\"1st\":\"1\",\"😀\":\"2\"}" },
	{ "<r><a_x005F_x0020_b>1</a_x005F_x0020_b></r>", "{\"a_x0020_b\":\"1\"}" },
	{ "<r><_x0000_>1</_x0000_><_xD800_>2</_xD800_><_x12_>3</_x12_><_x>4</_x></r>",
	  "{\"_x0000_\":\"1\",\"_xD800_\":\"2\",\"_x12_\":\"3\",\"_x\":\"4\"}" },
	{ "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>x</a></a></a></a></a></a></a></a></a></"
	  "a></a></a></a></a></a></a>",
	  "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
	  "\"a\":{\"a\":{\"a\":\"x\"}}}}}}}}}}}}}}}" },
};

START_TEST(xml_read_gives_the_tree_that_json_gives)
{
	json_t *object = NULL;
	json_t *wanted = NULL;
	char why[XML_WHY_SIZE] = "";

	ck_assert_int_eq(json_read(accepted[_i].json, strlen(accepted[_i].json), XML_DEPTH_MAX,
				   &wanted, why),
			 ERR_OK);
	ck_assert_msg(xml_read(accepted[_i].xml, strlen(accepted[_i].xml), &object, why) == ERR_OK,
		      "%s: %s", accepted[_i].xml, why);
	ck_assert_msg(json_equal(object, wanted), "%s", accepted[_i].xml);
	json_decref(object);
	json_decref(wanted);
}
END_TEST

#define DOCTYPE "A document type or an entity is not allowed"
#define INVALID "The text is not valid XML"
#define ONLY "Only elements and text are allowed"
#define MIXED "Text between elements is not allowed"
#define ATTRIBUTES "Attributes and namespaces are not allowed"

static const struct {
	const char *xml;
	size_t size;
	const char *why; /* how it begins */
} refused[] = {
	{ TEXT(""), "The XML is empty: an element is expected" },
	{ TEXT(" \n"), INVALID },
	{ TEXT("x"), INVALID },
	{ TEXT("{\"a\":1}"), INVALID },
	{ TEXT("<r>"), INVALID },
	{ TEXT("<r></s>"), INVALID },
	{ TEXT("<r><a></r></a>"), INVALID },
	{ TEXT("<r/><r/>"), INVALID },
	{ TEXT("<r/>x"), INVALID },
	{ TEXT("<r><a>1</a></r><r><a>2</a></r>"), INVALID },
	{ TEXT("<r><a>1 < 2</a></r>"), INVALID },
	{ TEXT("<r><a>1 & 2</a></r>"), INVALID },
	{ TEXT("<r><a>]]></a></r>"), INVALID },
	{ TEXT("<r><1>x</1></r>"), INVALID },
	{ TEXT("<r><a>\x01</a></r>"), INVALID },
	{ TEXT("<r><a>&#0;</a></r>"), INVALID },
	{ TEXT("<r><a>&#x1;</a></r>"), INVALID },
	{ TEXT("<r><a>&#xD800;</a></r>"), INVALID },
	{ TEXT("<r><a>&#x110000;</a></r>"), INVALID },
	{ TEXT("<r><a>\xef\xbf\xbf</a></r>"), INVALID },
	{ TEXT("<r>text</r>"), "The XML must be one element that holds elements (line 1, column " },
	{ TEXT("<r><![CDATA[text]]></r>"), "The XML must be one element that holds elements" },
	/* bytes */
	{ TEXT("<r>\0</r>"), "A NUL byte is not allowed" },
	{ TEXT("<r/>\0"), "A NUL byte is not allowed" },
	{ TEXT("\xef\xbb\xbf<r/>"), "A byte order mark is not allowed" },
	{ TEXT("<r><a>\xff</a></r>"), "The text is not valid UTF-8" },
	{ TEXT("<r><a>\xc0\xaf</a></r>"), "The text is not valid UTF-8" },
	{ TEXT("<r><a>\xed\xa0\x80</a></r>"), "The text is not valid UTF-8" },
	{ TEXT("<r><a>\xc3</a></r>"), "The text is not valid UTF-8" },
	{ TEXT("\xff\xfe<\0r\0/\0>\0"), "A NUL byte is not allowed" },
	{ TEXT("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><r/>"),
	  "The encoding must be UTF-8" },
	{ TEXT("<?xml version=\"1.0\" encoding=\"UTF-7\"?><r/>"), "The encoding must be UTF-8" },
	{ TEXT("<?xml version=\"1.0\" encoding='UTF-16'?><r/>"), "The encoding must be UTF-8" },
	{ TEXT("<?xml version=\"1.0\" encoding='UTF-8\"?><r/>"), "The encoding must be UTF-8" },
	{ TEXT(" <?xml version=\"1.0\"?><r/>"), INVALID },
	{ TEXT("<?xml version=\"1.0\""), INVALID },
	/* entities and document types */
	{ TEXT("<!DOCTYPE r><r/>"), DOCTYPE },
	{ TEXT("<!DOCTYPE r [<!ENTITY a \"x\">]><r><a>&a;</a></r>"), DOCTYPE },
	{ TEXT("<!DOCTYPE r [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><r><a>&a;</a></r>"),
	  DOCTYPE },
	{ TEXT("<!DOCTYPE r SYSTEM \"http://127.0.0.1:1/x.dtd\"><r/>"), DOCTYPE },
	{ TEXT("<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c "
	       "\"&b;&b;&b;\">]><l><x>&c;</x></l>"),
	  DOCTYPE },
	{ TEXT("<!DOCTYPE r [<!ENTITY % p SYSTEM \"file:///dev/zero\">%p;]><r/>"), DOCTYPE },
	{ TEXT("<r/><!DOCTYPE r>"), DOCTYPE },
	{ TEXT("<!doctype r><r/>"), INVALID },
	{ TEXT("<r><a>&a;</a></r>"), INVALID },
	{ TEXT("<r><a>&lol9;</a></r>"), INVALID },
	/* what JSON has no word for */
	{ TEXT("<r a=\"1\"/>"), ATTRIBUTES },
	{ TEXT("<r><a b=\"1\">x</a></r>"), ATTRIBUTES },
	{ TEXT("<r><a b=\"1\" b=\"2\">x</a></r>"), INVALID },
	{ TEXT("<r xmlns=\"urn:x\"/>"), ATTRIBUTES },
	{ TEXT("<x:r xmlns:x=\"urn:x\"/>"), ATTRIBUTES },
	{ TEXT("<r xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><a "
	       "xsi:nil=\"true\"/></r>"),
	  ATTRIBUTES },
	{ TEXT("<r><a xmlns:xi=\"http://www.w3.org/2001/XInclude\"/></r>"), ATTRIBUTES },
	{ TEXT("<r><x:a>1</x:a></r>"), INVALID },
	{ TEXT("<r><xml:a>1</xml:a></r>"), "Names with a prefix are not allowed" },
	{ TEXT("<!-- x --><r/>"), ONLY },
	{ TEXT("<r/><!-- x -->"), ONLY },
	{ TEXT("<r><a>100<!-- x -->.50</a></r>"), ONLY },
	{ TEXT("<r><?php x?></r>"), ONLY },
	{ TEXT("<?xml-stylesheet href=\"x\"?><r/>"), ONLY },
	/* members */
	{ TEXT("<r><a>1</a><a>1</a></r>"), "A member is given twice (line 1, column " },
	{ TEXT("<r><a>1</a><b/><a/></r>"), "A member is given twice" },
	{ TEXT("<r><a/><_x0061_>1</_x0061_></r>"), "A member is given twice" },
	{ TEXT("<r><m><k>1</k><k>2</k></m></r>"), "A member is given twice" },
	{ TEXT("<r>x<a/></r>"), MIXED },
	{ TEXT("<r><a/>x</r>"), MIXED },
	{ TEXT("<r><m>x<k/></m></r>"), MIXED },
	{ TEXT("<r><m><k/>x<j/></m></r>"), MIXED },
	{ TEXT("<r><m><k/>&#120;</m></r>"), MIXED },
	{ TEXT("<r><m><k/><![CDATA[x]]></m></r>"), MIXED },
	{ TEXT("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/>"
	       "</a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>"),
	  "The XML is nested too deeply (line 1, column " },
};

START_TEST(xml_read_refuses)
{
	json_t *object = NULL;
	char why[XML_WHY_SIZE] = "";
	const enum err err = xml_read(refused[_i].xml, refused[_i].size, &object, why);

	ck_assert_msg(err == ERR_MALFORMED, "%s", refused[_i].xml);
	ck_assert_msg(strncmp(why, refused[_i].why, strlen(refused[_i].why)) == 0, "%s: %s",
		      refused[_i].xml, why);
	ck_assert_ptr_null(object);
}
END_TEST

/* ---- size ---- */

/* `count` times `part` between `head` and `tail`. */
static char *document(const char *head, const char *part, size_t count, const char *tail)
{
	const size_t size = strlen(head) + count * strlen(part) + strlen(tail) + 1;
	char *text = malloc(size);
	char *at = text;

	ck_assert_ptr_nonnull(text);
	at = stpcpy(at, head);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, part);
	(void)stpcpy(at, tail);
	return text;
}

static const struct {
	const char *head, *part;
	size_t count;
	const char *tail;
	enum err err;
} sizes[] = {
	{ "<r><a>", "x", XML_SIZE_MAX - 17, "</a></r>", ERR_OK },        /* 65536 - 3 bytes */
	{ "<r><a>", "x", XML_SIZE_MAX - 14, "</a></r>", ERR_OK },        /* 65536 bytes */
	{ "<r><a>", "x", XML_SIZE_MAX - 13, "</a></r>", ERR_MALFORMED }, /* one more */
	{ "<r><a>", "&#65;", 13000, "</a></r>", ERR_OK },
	{ "<r><a>", "<![CDATA[x]]>", 5000, "</a></r>", ERR_OK },
	{ "<r>", "<a/>", 16000, "</r>", ERR_MALFORMED }, /* wide, and a name twice */
	{ "<r>", " ", 65000, "</r>", ERR_OK },
	{ "", "<a>", 21000, "", ERR_MALFORMED }, /* deep */
	{ "<r>", "<a>", 21000, "", ERR_MALFORMED },
	{ "<r><", "a", 60000, "/></r>", ERR_MALFORMED }, /* a name beyond all sense */
	{ "<r ", "a", 60000, "=\"\"/>", ERR_MALFORMED },
	{ "<r><a>", "&", 60000, "</a></r>", ERR_MALFORMED },
	{ "", "<!DOCTYPE r [", 4000, "", ERR_MALFORMED },
};

START_TEST(xml_read_holds_its_limits)
{
	char *text = document(sizes[_i].head, sizes[_i].part, sizes[_i].count, sizes[_i].tail);
	json_t *object = NULL;
	char why[XML_WHY_SIZE] = "";

	ck_assert_msg(xml_read(text, strlen(text), &object, why) == sizes[_i].err, "%s", why);
	ck_assert_int_eq(object != NULL, sizes[_i].err == ERR_OK);
	json_decref(object);
	free(text);
}
END_TEST

START_TEST(xml_read_takes_many_members)
{
	char text[8192] = "<r>";
	size_t used = 3;
	json_t *object;
	char why[XML_WHY_SIZE];

	for (int i = 0; i < 400; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "<a%d>%d</a%d>", i, i, i);
	(void)snprintf(text + used, sizeof text - used, "</r>");
	ck_assert_int_eq(xml_read(text, strlen(text), &object, why), ERR_OK);
	ck_assert_uint_eq(json_object_size(object), 400);
	ck_assert_str_eq(json_string_value(json_object_get(object, "a399")), "399");
	json_decref(object);
}
END_TEST

/* Every document of the tables cut at every byte: read or refused, never more. */
START_TEST(xml_read_survives_every_cut)
{
	const size_t size = strlen(accepted[_i].xml);
	char why[XML_WHY_SIZE];

	for (size_t cut = 0; cut < size; cut++) {
		json_t *object = NULL;
		char *part = malloc(cut + 1); /* so that a read beyond its end is seen */
		enum err err;

		memcpy(part, accepted[_i].xml, cut);
		err = xml_read(part, cut, &object, why);
		unit_expect(err == ERR_OK || err == ERR_MALFORMED, "cut %zu", cut);
		unit_expect((object != NULL) == (err == ERR_OK), "cut %zu", cut);
		json_decref(object);
		free(part);
	}
}
END_TEST

/* ---- writing ---- */

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define RFC7807 "urn:ietf:rfc:7807"

static const struct {
	const char *json;
	struct xml_form form;
	const char *xml;
} written[] = {
	{ "{}", { "response", NULL, NULL }, "<response/>" },
	{ "[]", { "transactions", NULL, NULL }, "<transactions/>" },
	{ "{\"a\":\"x\",\"b\":7,\"c\":true,\"d\":false,\"e\":null}",
	  { "response", NULL, NULL },
	  "<response><a>x</a><b>7</b><c>true</c><d>false</d><e/></response>" },
	{ "{\"n\":-9223372036854775808}",
	  { "r", NULL, NULL },
	  "<r><n>-9223372036854775808</n></r>" },
	{ "[{\"a\":\"1\"},{\"a\":\"2\"}]",
	  { "transactions", NULL, NULL },
	  "<transactions><transaction><a>1</a></transaction><transaction><a>2</a></transaction></"
	  "transactions>" },
	{ "{\"entries\":[1,2],\"evidence\":[3],\"s\":[4],\"access\":[5],\"steps\":[]}",
	  { "r", NULL, NULL },
	  "<r><entries><entry>1</entry><entry>2</entry></entries><evidence><item>3</item></"
	  "evidence>"
	  "<s><item>4</item></s><access><item>5</item></access><steps/></r>" },
	{ "{\"a\":[[1],[2]]}",
	  { "r", NULL, NULL },
	  "<r><a><item><item>1</item></item><item><item>2</item></item></a></r>" },
	{ "{\"errors\":[{\"field\":\"amount\"}]}",
	  { "problem", RFC7807, "i" },
	  "<problem xmlns=\"" RFC7807
	  "\"><errors><i><field>amount</field></i></errors></problem>" },
	{ "{\"problem\":{\"problem\":\"x\"}}",
	  { "problem", RFC7807, "i" },
	  "<problem xmlns=\"" RFC7807 "\"><problem><problem>x</problem></problem></problem>" },
	{ "{\"a\":\"<b x='1' y=\\\"2\\\">&amp;]]>\"}",
	  { "r", NULL, NULL },
	  "<r><a>&lt;b x='1' y=\"2\"&gt;&amp;amp;]]&gt;</a></r>" },
	{ "{\"a\":\"\\t\\n\\r €😀\"}", { "r", NULL, NULL }, "<r><a>\t\n&#13; €😀</a></r>" },
	{ "{\"a\":\"\\u0001\\u001f\\uffff\\ufffe\\u007f\"}",
	  { "r", NULL, NULL },
	  "<r><a>����\x7f</a></r>" },
	{ "{\"order no\":\"x\",\"1st\":\"y\",\"a:b\":\"z\",\"</a>\":\"\"}",
	  { "r", NULL, NULL },
	  "<r><order_x0020_no>x</order_x0020_no><_x0031_st>y</_x0031_st><a_x003A_b>z</a_x003A_b>"
	  "<_x003C__x002F_a_x003E_></_x003C__x002F_a_x003E_></r>" },
	{ "{\"_x0020_\":\"x\",\"ä😀\":\"y\",\"_x\":\"z\"}",
	  { "r", NULL, NULL },
	  "<r><_x005F_x0020_>x</_x005F_x0020_><_x00E4__x0001F600_>y</_x00E4__x0001F600_><_x>z</"
	  "_x></r>" },
};

START_TEST(xml_text_writes)
{
	json_t *value = json_loads(written[_i].json, 0, NULL);
	char *text = xml_text(value, &written[_i].form);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(strncmp(text, HEAD, sizeof HEAD - 1), 0);
	ck_assert_str_eq(text + sizeof HEAD - 1, written[_i].xml);
	free(text);
	json_decref(value);
}
END_TEST

/* Strings, objects and null, as requests have them. */
static const char *const round_trips[] = {
	"{}",
	"{\"amount\":\"100.50\",\"currency\":\"USD\",\"description\":null}",
	("{\"metadata\":{\"order no\":\"<17>\",\"1\":\"\\r\\n\\t "
	 "\",\"_x0041_\":\"]]>\",\"größe\":\"&\"}}"),
	"{\"a\":{\"😀\":{\"b/c\":\"😀\"}}}",
};

START_TEST(xml_read_reads_what_xml_text_writes)
{
	const struct xml_form form = { .root = "request" };
	json_t *value = json_loads(round_trips[_i], 0, NULL);
	char *text = xml_text(value, &form);
	json_t *read = NULL;
	char why[XML_WHY_SIZE] = "";

	ck_assert_msg(xml_read(text, strlen(text), &read, why) == ERR_OK, "%s: %s", text, why);
	ck_assert_msg(json_equal(read, value), "%s", text);
	json_decref(read);
	json_decref(value);
	free(text);
}
END_TEST

UNIT_MAIN("xml",
	  tcase_add_loop_test(tests, xml_read_gives_the_tree_that_json_gives, 0, COUNT(accepted));
	  tcase_add_loop_test(tests, xml_read_refuses, 0, COUNT(refused));
	  tcase_add_loop_test(tests, xml_read_holds_its_limits, 0, COUNT(sizes));
	  tcase_add_test(tests, xml_read_takes_many_members);
	  tcase_add_loop_test(tests, xml_read_survives_every_cut, 0, COUNT(accepted));
	  tcase_add_loop_test(tests, xml_text_writes, 0, COUNT(written));
	  tcase_add_loop_test(tests, xml_read_reads_what_xml_text_writes, 0, COUNT(round_trips)))
