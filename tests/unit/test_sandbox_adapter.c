/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The sandbox adapter: what it asks, and what it believes of an answer. */
#include "gateway/gateway.h"

#include "base/crypto.h"
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOW_S INT64_C(1800000000)
#define NOW_US (NOW_S * 1000000)
#define AGREES                                                                                     \
	"\"id\":\"alpha_1\",\"reference\":\"op_X-1\",\"amount_minor\":1000,\"currency\":\"USD\""

static struct gateway_order order_make(void)
{
	struct gateway_order order = {
		.kind = OPERATION_CHARGE,
		.our_reference = "op_X-1",
		.gateway_key = "op_X-1",
		.amount = { 1000, "USD" },
		.exponent = 2,
		.payment_token = "tok_ok",
		.callback_url = "http://127.0.0.1:8080/callback/trans_X",
	};
	return order;
}

static struct gateway gateway_made(void)
{
	struct gateway gateway = {
		.name = "alpha",
		.adapter = &gateway_sandbox,
		.base_url = "http://127.0.0.1:8082",
		.callback_secret_count = 2,
		.connect_timeout_ms = 1000,
		.total_timeout_ms = 4000,
	};

	gateway.api_key.size = 6;
	memcpy(gateway.api_key.bytes, "apikey", 7);
	gateway.callback_secrets[0].size = 3;
	memcpy(gateway.callback_secrets[0].bytes, "new", 4);
	gateway.callback_secrets[1].size = 3;
	memcpy(gateway.callback_secrets[1].bytes, "old", 4);
	return gateway;
}

static struct gateway_answer read_made(int status, const char *type, const char *body, bool inquiry)
{
	struct gateway_order order = order_make();
	struct http_answer http = {
		.fate = HTTP_ANSWERED,
		.status = status,
		.body = body,
		.body_size = strlen(body),
	};
	struct gateway_answer answer;

	snprintf(http.content_type, sizeof http.content_type, "%s", type);
	(inquiry ? gateway_sandbox.read_inquiry : gateway_sandbox.read)(&order, &http, &answer);
	return answer;
}

static const struct reading {
	int status;
	const char *type;
	const char *body;
	bool inquiry;
	enum attempt_event event;
	bool integrity;
} readings[] = {
	{ 202, "application/json", "{" AGREES ",\"status\":\"accepted\"}", false, AE_ACCEPTED,
	  false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"succeeded\"}", false, AE_SUCCEEDED,
	  false },
	{ 200, "application/json; charset=utf-8", "{" AGREES ",\"status\":\"succeeded\"}", false,
	  AE_SUCCEEDED, false },
	{ 402, "application/json",
	  "{" AGREES ",\"status\":\"declined\",\"decline_code\":\"expired_card\"}", false,
	  AE_DECLINED, false },
	{ 400, "application/json", "{\"error\":\"unknown_payment_token\"}", false, AE_DECLINED,
	  false },
	{ 429, "application/json", "{\"error\":\"rate_limited\"}", false, AE_DECLINED, false },
	{ 202, "application/json", "{" AGREES ",\"status\":\"requires_action\"}", false,
	  AE_REQUIRES_ACTION, false },
	{ 200, "application/json",
	  "{" AGREES ",\"operation\":\"charge\",\"status\":\"succeeded\"}", false, AE_SUCCEEDED,
	  false },
	/* everything below may have been charged */
	{ 400, "application/json", "{\"error\":\"something_else\"}", false, AE_LOST, false },
	{ 401, "application/json", "{\"error\":\"unauthenticated\"}", false, AE_LOST, false },
	{ 409, "application/json", "{\"error\":\"in_progress\"}", false, AE_LOST, false },
	{ 422, "application/json", "{\"error\":\"idempotency_key_reused\"}", false, AE_LOST,
	  false },
	{ 500, "application/json", "{" AGREES ",\"status\":\"declined\"}", false, AE_LOST, false },
	{ 500, "application/json", "{\"error\":\"internal_error\"}", false, AE_LOST, false },
	{ 500, "application/json", "{\"error\":\"rate_limited\"}", false, AE_LOST, false },
	{ 503, "application/json", "{\"error\":\"ledger_full\"}", false, AE_LOST, false },
	{ 429, "text/html", "<html>slow down</html>", false, AE_LOST, false },
	{ 429, "application/json", "{\"error\":\"in_progress\"}", false, AE_LOST, false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"reversed\"}", false,
	  AE_REVERSED, false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"returned\"}", false,
	  AE_RETURNED, false },
	{ 200, "application/json",
	  "{" AGREES ",\"operation\":\"refund\",\"status\":\"succeeded\"}", false, AE_LOST,
	  true },
	{ 302, "text/html", "", false, AE_LOST, false },
	{ 200, "text/html", "<html>ok</html>", false, AE_LOST, false },
	{ 200, "application/json", "", false, AE_LOST, false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"succeeded\"", false, AE_LOST, false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"succeeded\"}{}", false, AE_LOST,
	  false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"succeeded\",\"status\":\"declined\"}",
	  false, AE_LOST, false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"SUCCEEDED\"}", false, AE_LOST, false },
	{ 200, "application/json", "{" AGREES "}", false, AE_LOST, false },
	{ 404, "application/json", "{\"error\":\"not_found\"}", false, AE_LOST, false },
	/* another order's answer is never ours */
	{ 200, "application/json",
	  "{\"id\":\"a\",\"reference\":\"op_Y-1\",\"amount_minor\":1000,\"currency\":\"USD\","
	  "\"status\":\"succeeded\"}",
	  false, AE_LOST, true },
	{ 200, "application/json",
	  "{\"id\":\"a\",\"reference\":\"op_X-1\",\"amount_minor\":1001,\"currency\":\"USD\","
	  "\"status\":\"succeeded\"}",
	  false, AE_LOST, true },
	{ 200, "application/json",
	  "{\"id\":\"a\",\"reference\":\"op_X-1\",\"amount_minor\":1000.0,\"currency\":\"USD\","
	  "\"status\":\"succeeded\"}",
	  false, AE_LOST, true },
	{ 200, "application/json",
	  "{\"id\":\"a\",\"reference\":\"op_X-1\",\"amount_minor\":1000,\"currency\":\"EUR\","
	  "\"status\":\"declined\"}",
	  false, AE_LOST, true },
	{ 200, "application/json", "{\"status\":\"succeeded\"}", false, AE_LOST, true },
	/* inquiries */
	{ 200, "application/json", "{" AGREES ",\"status\":\"succeeded\"}", true, AE_SUCCEEDED,
	  false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"accepted\"}", true, AE_ACCEPTED,
	  false },
	{ 200, "application/json", "{" AGREES ",\"status\":\"requires_action\"}", true,
	  AE_REQUIRES_ACTION, false },
	{ 404, "application/json", "{\"error\":\"not_found\"}", true, AE_NOT_FOUND, false },
	{ 429, "application/json", "{\"error\":\"rate_limited\"}", true, AE_LOST, false },
	{ 404, "text/html", "not found", true, AE_LOST, false },
	{ 404, "application/json", "{\"error\":\"no_such_path\"}", true, AE_LOST, false },
	{ 500, "application/json", "{\"error\":\"not_found\"}", true, AE_LOST, false },
};

START_TEST(an_answer_is_definite_only_when_everything_agrees)
{
	const struct reading *reading = &readings[_i];
	struct gateway_answer answer =
		read_made(reading->status, reading->type, reading->body, reading->inquiry);

	ck_assert_msg(answer.event == reading->event, "%s: %s", reading->body, answer.reason);
	ck_assert_int_eq(answer.integrity, reading->integrity);
	ck_assert(answer.reason[0] != '\0');
	if (answer.event == AE_DECLINED)
		ck_assert(answer.decline_code[0] != '\0');
}
END_TEST

/* Every code that the sandbox declines with, and whether another attempt may follow. */
static const struct decline_case {
	const char *code;
	bool retryable;
} decline_cases[] = {
	{ "insufficient_funds", false },    { "do_not_honor", false },
	{ "expired_card", false },	    { "stolen_card", false },
	{ "fraud_suspected", false },	    { "issuer_unavailable", true },
	{ "try_again_later", true },	    { "processing_error", true },
	{ "limit_exceeded", false },	    { "invalid_card", false },
	{ "card_not_supported", true },     { "refund_exceeds_charge", false },
	{ "nothing_to_void", false },	    { "capture_exceeds_authorisation", false },
	{ "parent_not_found", false },	    { "parent_not_succeeded", false },
	{ "currency_mismatch", false },
};

START_TEST(a_decline_says_whether_another_attempt_may_follow)
{
	const struct decline_case *given = &decline_cases[_i];
	struct gateway_answer answer;
	char body[256];

	snprintf(body, sizeof body,
		 "{" AGREES ",\"status\":\"declined\",\"decline_code\":\"%s\"}", given->code);
	answer = read_made(402, "application/json", body, false);

	ck_assert_int_eq(answer.event, AE_DECLINED);
	ck_assert_str_eq(answer.decline_code, given->code);
	ck_assert_int_eq(answer.retryable, given->retryable);
}
END_TEST

START_TEST(a_decline_for_a_reason_of_its_own_is_final)
{
	struct gateway_answer answer = read_made(
		402, "application/json",
		"{" AGREES ",\"status\":\"declined\",\"decline_code\":\"unheard\"}", false);

	ck_assert_int_eq(answer.event, AE_DECLINED);
	ck_assert_str_eq(answer.decline_code, "declined_other");
	ck_assert(!answer.retryable);
}
END_TEST

START_TEST(too_many_requests_is_a_decline_after_which_another_attempt_may_follow)
{
	struct gateway_answer answer =
		read_made(429, "application/json", "{\"error\":\"rate_limited\"}", false);

	ck_assert_int_eq(answer.event, AE_DECLINED);
	ck_assert_str_eq(answer.decline_code, "try_again_later");
	ck_assert(answer.retryable);
}
END_TEST

static const struct instruction_case {
	const char *member, *text;
} instruction_cases[] = {
	{ ",\"instructions\":{\"qr_string\":\"00020101\"}", "{\"qr_string\":\"00020101\"}" },
	{ ",\"instructions\":{\"virtual_account\":\"8810\",\"bank\":\"X\"}",
	  "{\"virtual_account\":\"8810\",\"bank\":\"X\"}" },
	{ "", "" },
	{ ",\"instructions\":\"pay\"", "" },
	{ ",\"instructions\":{\"amount\":1}", "" },
	{ ",\"instructions\":{\"a\":{\"b\":\"c\"}}", "" },
};

START_TEST(what_the_customer_must_do_is_kept_where_it_is_plain)
{
	struct gateway_answer answer;
	char body[512];

	snprintf(body, sizeof body, "{" AGREES ",\"status\":\"requires_action\"%s}",
		 instruction_cases[_i].member);
	answer = read_made(202, "application/json", body, false);

	ck_assert_int_eq(answer.event, AE_REQUIRES_ACTION);
	ck_assert_str_eq(answer.instructions, instruction_cases[_i].text);
}
END_TEST

START_TEST(instructions_that_do_not_fit_are_left_out)
{
	struct gateway_answer answer;
	char body[2048];
	int size;

	for (int length = GATEWAY_INSTRUCTIONS_SIZE - 20; length < GATEWAY_INSTRUCTIONS_SIZE;
	     length++) {
		size = snprintf(body, sizeof body,
				"{" AGREES ",\"status\":\"requires_action\",\"instructions\":"
				"{\"qr\":\"%0*d\"}}",
				length, 0);
		ck_assert_int_lt(size, (int)sizeof body);
		answer = read_made(202, "application/json", body, false);
		ck_assert_int_eq(answer.event, AE_REQUIRES_ACTION);
		ck_assert_int_eq(answer.instructions[0] != '\0',
				 length + (int)strlen("{\"qr\":\"\"}") < GATEWAY_INSTRUCTIONS_SIZE);
	}
}
END_TEST

START_TEST(an_answer_that_never_came_says_whether_bytes_left)
{
	struct gateway_order order = order_make();
	struct http_answer not_sent = { .fate = HTTP_NOT_SENT,
					.body = "",
					.reason = "connection refused" };
	struct http_answer lost = { .fate = HTTP_SENT_NO_ANSWER,
				    .body = "",
				    .reason = "timed out" };
	struct http_answer resent = { .fate = HTTP_ANSWERED,
				      .status = 200,
				      .body = "{" AGREES ",\"status\":\"succeeded\"}",
				      .resent = true };
	struct gateway_answer answer;

	gateway_sandbox.read(&order, &not_sent, &answer);
	ck_assert_int_eq(answer.event, AE_NOT_SENT);
	gateway_sandbox.read_inquiry(&order, &not_sent, &answer);
	ck_assert_int_eq(answer.event, AE_LOST);
	gateway_sandbox.read(&order, &lost, &answer);
	ck_assert_int_eq(answer.event, AE_LOST);
	gateway_sandbox.read(&order, &resent, &answer);
	ck_assert_int_eq(answer.event, AE_LOST);
}
END_TEST

START_TEST(a_connection_is_shared_only_where_a_key_is_one_operation)
{
	struct gateway gateway = gateway_made();
	struct gateway_order order = order_make();
	struct http_request request;
	char body[GATEWAY_BODY_MAX];

	for (int idempotent = 0; idempotent <= 1; idempotent++) {
		gateway.idempotent = idempotent == 1;
		ck_assert_int_eq(gateway_sandbox.build(&gateway, &order, body, &request), ERR_OK);
		ck_assert_int_eq(request.fresh, !gateway.idempotent);
	}
}
END_TEST

START_TEST(a_charge_goes_out_fresh_with_one_key)
{
	struct gateway gateway = gateway_made();
	struct gateway_order order = order_make();
	struct http_request request;
	char body[GATEWAY_BODY_MAX];

	ck_assert_int_eq(gateway_sandbox.build(&gateway, &order, body, &request), ERR_OK);

	ck_assert_str_eq(request.method, "POST");
	ck_assert_str_eq(request.url, "http://127.0.0.1:8082/v1/operations");
	ck_assert(request.fresh);
	ck_assert_str_eq(request.headers[1], "Idempotency-Key: op_X-1");
	ck_assert_ptr_nonnull(strstr(body, "\"amount_minor\":1000"));
	ck_assert_ptr_nonnull(strstr(body, "\"payment_token\":\"tok_ok\""));
}
END_TEST

START_TEST(every_operation_is_named_and_says_what_it_is_about)
{
	struct gateway gateway = gateway_made();
	struct gateway_order order = order_make();
	struct http_request request;
	char body[GATEWAY_BODY_MAX];
	char expected[64];

	for (int kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
		const char *name = words_text(operation_kind_words, kind);

		ck_assert_uint_ne(gateway_sandbox.operations & 1u << kind, 0);
		order.kind = (enum operation_kind)kind;
		order.parent_ref[0] = '\0';
		ck_assert_int_eq(gateway_sandbox.build(&gateway, &order, body, &request), ERR_OK);
		snprintf(expected, sizeof expected, "\"operation\":\"%s\"", name);
		ck_assert_ptr_nonnull(strstr(body, expected));
		ck_assert_ptr_null(strstr(body, "\"parent\""));
	}
	snprintf(order.parent_ref, sizeof order.parent_ref, "alpha_000007");
	ck_assert_int_eq(gateway_sandbox.build(&gateway, &order, body, &request), ERR_OK);
	ck_assert_ptr_nonnull(strstr(body, "\"parent\":\"alpha_000007\""));
}
END_TEST

struct headers {
	const char *signature;
	const char *type;
};

static const char *header_find(void *context, const char *name)
{
	const struct headers *headers = context;

	if (strcmp(name, "Content-Type") == 0)
		return headers->type;
	return strcmp(name, "Sandbox-Signature") == 0 ? headers->signature : NULL;
}

static enum err typed_callback_read(const char *type, const char *body, const char *signature,
				    struct gateway_notice *notice)
{
	struct gateway gateway = gateway_made();
	struct headers headers = { signature, type };
	struct gateway_message message = { body, strlen(body), header_find, &headers };

	return gateway_sandbox.read_callback(&gateway, &message, NOW_US, notice);
}

static enum err callback_read(const char *body, const char *signature,
			      struct gateway_notice *notice)
{
	return typed_callback_read("application/json", body, signature, notice);
}

static const char *signature_make(const char *secret_text, int64_t at_s, const char *body,
				  char out[128])
{
	struct secret secret = { .size = strlen(secret_text) };
	uint8_t mac[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	char text[1024];

	memcpy(secret.bytes, secret_text, secret.size);
	snprintf(text, sizeof text, "%" PRId64 ".%s", at_s, body);
	crypto_hmac_sha256(&secret, text, strlen(text), mac);
	snprintf(out, 128, "t=%" PRId64 ",v1=%s", at_s, crypto_hex(mac, sizeof mac, hex));
	return out;
}

#define BODY                                                                                       \
	"{\"callback_id\":\"cb_1\",\"gateway_txn_id\":\"alpha_1\",\"reference\":\"op_X-1\","       \
	"\"status\":\"completed\",\"amount_minor\":1000,\"currency\":\"USD\"}"

START_TEST(a_callback_of_either_secret_inside_the_window_is_read)
{
	static const struct {
		const char *secret;
		int64_t at_s;
		enum err err;
	} cases[] = {
		{ "new", NOW_S, ERR_OK },
		{ "old", NOW_S, ERR_OK },
		{ "new", NOW_S - 300, ERR_OK },
		{ "new", NOW_S + 300, ERR_OK },
		{ "new", NOW_S - 301, ERR_SIGNATURE },
		{ "new", NOW_S + 301, ERR_SIGNATURE },
		{ "other", NOW_S, ERR_SIGNATURE },
	};
	char signature[128];
	struct gateway_notice notice;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(callback_read(BODY,
					    signature_make(cases[i].secret, cases[i].at_s, BODY,
							   signature),
					    &notice) == cases[i].err,
			      "case %zu", i);
	ck_assert_int_eq(
		callback_read(BODY, signature_make("new", NOW_S, BODY, signature), &notice),
		ERR_OK);
	ck_assert_int_eq(notice.answer.event, AE_SUCCEEDED);
	ck_assert(notice.has_amount);
	ck_assert_int_eq(notice.amount.minor, 1000);
}
END_TEST

/* What a callback's word claims; a word that is not in the table is a hint to ask, no more. */
static const struct word_case {
	const char *word;
	enum attempt_event event;
} word_cases[] = {
	{ "completed", AE_SUCCEEDED }, { "succeeded", AE_SUCCEEDED },
	{ "failed", AE_DECLINED },     { "declined", AE_DECLINED },
	{ "accepted", AE_ACCEPTED },   { "requires_action", AE_REQUIRES_ACTION },
	{ "reversed", AE_REVERSED },   { "returned", AE_RETURNED },
	{ "COMPLETED", AE_LOST },      { "pending", AE_LOST },
};

START_TEST(a_callback_claims_what_its_word_says)
{
	struct gateway_notice notice;
	char signature[128];
	char body[256];

	snprintf(body, sizeof body,
		 "{\"gateway_txn_id\":\"alpha_1\",\"reference\":\"op_X-1\",\"status\":\"%s\","
		 "\"amount_minor\":1000,\"currency\":\"USD\"}",
		 word_cases[_i].word);
	ck_assert_int_eq(
		callback_read(body, signature_make("new", NOW_S, body, signature), &notice),
		ERR_OK);

	ck_assert_int_eq(notice.answer.event, word_cases[_i].event);
	ck_assert_str_eq(notice.word, word_cases[_i].word);
}
END_TEST

START_TEST(a_callback_without_amount_claims_none)
{
	static const char body[] = "{\"gateway_txn_id\":\"gw-tx-12345\",\"status\":\"completed\"}";
	char signature[128];
	struct gateway_notice notice;

	ck_assert_int_eq(
		callback_read(body, signature_make("new", NOW_S, body, signature), &notice),
		ERR_OK);

	ck_assert(!notice.has_amount);
	ck_assert_str_eq(notice.callback_id, "");
	ck_assert_str_eq(notice.gateway_ref, "gw-tx-12345");
}
END_TEST

static const char *const unreadable[] = {
	"",
	"[]",
	"nonsense",
	"{\"gateway_txn_id\":\"x\"}",
	"{\"status\":7}",
	"{\"status\":\"\"}",
	"{\"status\":\"completed\",\"amount_minor\":1000}",
	"{\"status\":\"completed\",\"currency\":\"USD\"}",
	"{\"status\":\"completed\",\"amount_minor\":\"1000\",\"currency\":\"USD\"}",
	"{\"status\":\"completed\",\"amount_minor\":1000.5,\"currency\":\"USD\"}",
	"{\"status\":\"completed\",\"amount_minor\":1000,\"currency\":\"ZZZ\"}",
	"{\"status\":\"completed\",\"gateway_txn_id\":\"a b\"}",
};

START_TEST(a_signed_callback_that_cannot_be_read_is_malformed)
{
	char signature[128];
	struct gateway_notice notice;

	ck_assert_int_eq(callback_read(unreadable[_i],
				       signature_make("new", NOW_S, unreadable[_i], signature),
				       &notice),
			 ERR_MALFORMED);
}
END_TEST

#define XML_BODY                                                                                   \
	"<callback><callback_id>cb_1</callback_id><gateway_txn_id>alpha_1</gateway_txn_id>"        \
	"<reference>op_X-1</reference><operation>charge</operation>"                               \
	"<status>completed</status><amount>100.50</amount>"                                        \
	"<currency>USD</currency></callback>"

START_TEST(a_callback_in_xml_has_major_units)
{
	char signature[128];
	struct gateway_notice notice;

	ck_assert_int_eq(typed_callback_read("Application/XML; charset=utf-8", XML_BODY,
					     signature_make("new", NOW_S, XML_BODY, signature),
					     &notice),
			 ERR_OK);

	ck_assert_str_eq(notice.callback_id, "cb_1");
	ck_assert_str_eq(notice.gateway_ref, "alpha_1");
	ck_assert_str_eq(notice.our_reference, "op_X-1");
	ck_assert_str_eq(notice.operation_word, "charge");
	ck_assert_int_eq(notice.answer.event, AE_SUCCEEDED);
	ck_assert(notice.has_amount);
	ck_assert_int_eq(notice.amount.minor, 10050);
	ck_assert_str_eq(notice.amount.currency, "USD");
}
END_TEST

START_TEST(a_callback_in_xml_is_verified_before_it_is_read)
{
	static const char bomb[] = "<!DOCTYPE r [<!ENTITY a \"x\">]><r><status>&a;</status></r>";
	char signature[128];
	struct gateway_notice notice;

	ck_assert_int_eq(typed_callback_read("application/xml", bomb,
					     signature_make("new", NOW_S, XML_BODY, signature),
					     &notice),
			 ERR_SIGNATURE);
	ck_assert_int_eq(typed_callback_read("application/xml", bomb,
					     signature_make("new", NOW_S, bomb, signature),
					     &notice),
			 ERR_MALFORMED);
}
END_TEST

#define STATUS "<status>completed</status>"

static const struct {
	const char *type;
	const char *body;
} unreadable_xml[] = {
	{ "application/json", XML_BODY },
	{ NULL, XML_BODY },
	{ "application/xml", BODY },
	{ "application/xml", "" },
	{ "application/xml", "<r/>" },
	{ "application/xml", "<r><status/></r>" },
	{ "application/xml", "<r>" STATUS STATUS "</r>" },
	{ "application/xml", "<r>" STATUS "<amount>10.50</amount></r>" },
	{ "application/xml", "<r>" STATUS "<currency>USD</currency></r>" },
	{ "application/xml",
	  "<r>" STATUS "<amount_minor>1050</amount_minor><currency>USD</currency></r>" },
	{ "application/xml", "<r>" STATUS "<amount>10.50</amount><amount_minor>1050</amount_minor>"
			     "<currency>USD</currency></r>" },
	{ "application/xml", "<r>" STATUS "<amount>10.505</amount><currency>USD</currency></r>" },
	{ "application/xml", "<r>" STATUS "<amount>10.5</amount><currency>JPY</currency></r>" },
	{ "application/xml", "<r>" STATUS "<amount>1e1</amount><currency>USD</currency></r>" },
	{ "application/xml", "<r>" STATUS "<amount/><currency>USD</currency></r>" },
	{ "application/xml", "<r>" STATUS "<amount>10.50</amount><currency>ZZZ</currency></r>" },
};

START_TEST(a_signed_callback_in_xml_that_cannot_be_read_is_malformed)
{
	const char *body = unreadable_xml[_i].body;
	char signature[128];
	struct gateway_notice notice;

	ck_assert_int_eq(typed_callback_read(unreadable_xml[_i].type, body,
					     signature_make("new", NOW_S, body, signature),
					     &notice),
			 ERR_MALFORMED);
}
END_TEST

static const char *const forged[] = {
	NULL,
	"",
	"t=",
	"v1=",
	"t=1800000000",
	"t=1800000000,v1=",
	"t=1800000000,v1=00",
	"t=-1,v1=",
	"t=99999999999999999999,v1="
	"0000000000000000000000000000000000000000000000000000000000000000",
	"t=1800000000,v1=0000000000000000000000000000000000000000000000000000000000000000",
	"t=1800000000,v0=0000000000000000000000000000000000000000000000000000000000000000",
	"t= 1800000000,v1=0000000000000000000000000000000000000000000000000000000000000000",
};

START_TEST(a_callback_that_is_not_signed_is_not_read)
{
	struct gateway_notice notice;

	ck_assert_int_eq(callback_read(BODY, forged[_i], &notice), ERR_SIGNATURE);
}
END_TEST

/* A MAC that begins with a zero byte, of which the rest is wrong: equal to whoever compares it as text. */
START_TEST(a_mac_is_compared_to_its_end)
{
	char body[256];
	char signature[128];
	struct gateway_notice notice;
	char *mac;
	unsigned n = 0;

	do {
		snprintf(body, sizeof body, "{\"callback_id\":\"cb_%u\",\"status\":\"failed\"}",
			 n++);
		mac = strstr(signature_make("new", NOW_S, body, signature), ",v1=") + 4;
	} while (strncmp(mac, "00", 2) != 0);
	ck_assert_int_eq(callback_read(body, signature, &notice), ERR_OK);

	for (size_t i = 2; i < 2 * CRYPTO_SHA256_SIZE; i++) {
		const char right = mac[i];

		mac[i] = right == '1' ? '2' : '1';
		ck_assert_int_eq(callback_read(body, signature, &notice), ERR_SIGNATURE);
		mac[i] = right;
	}
}
END_TEST

UNIT_MAIN("sandbox_adapter", {
	tcase_add_test(tests, a_mac_is_compared_to_its_end);
	tcase_add_loop_test(tests, an_answer_is_definite_only_when_everything_agrees, 0,
			    (int)(sizeof readings / sizeof readings[0]));
	tcase_add_loop_test(tests, a_decline_says_whether_another_attempt_may_follow, 0,
			    (int)(sizeof decline_cases / sizeof decline_cases[0]));
	tcase_add_test(tests, a_decline_for_a_reason_of_its_own_is_final);
	tcase_add_test(tests,
		       too_many_requests_is_a_decline_after_which_another_attempt_may_follow);
	tcase_add_loop_test(tests, what_the_customer_must_do_is_kept_where_it_is_plain, 0,
			    (int)(sizeof instruction_cases / sizeof instruction_cases[0]));
	tcase_add_test(tests, instructions_that_do_not_fit_are_left_out);
	tcase_add_test(tests, every_operation_is_named_and_says_what_it_is_about);
	tcase_add_loop_test(tests, a_callback_claims_what_its_word_says, 0,
			    (int)(sizeof word_cases / sizeof word_cases[0]));
	tcase_add_test(tests, an_answer_that_never_came_says_whether_bytes_left);
	tcase_add_test(tests, a_connection_is_shared_only_where_a_key_is_one_operation);
	tcase_add_test(tests, a_charge_goes_out_fresh_with_one_key);
	tcase_add_test(tests, a_callback_of_either_secret_inside_the_window_is_read);
	tcase_add_test(tests, a_callback_without_amount_claims_none);
	tcase_add_loop_test(tests, a_signed_callback_that_cannot_be_read_is_malformed, 0,
			    (int)(sizeof unreadable / sizeof unreadable[0]));
	tcase_add_test(tests, a_callback_in_xml_has_major_units);
	tcase_add_test(tests, a_callback_in_xml_is_verified_before_it_is_read);
	tcase_add_loop_test(tests, a_signed_callback_in_xml_that_cannot_be_read_is_malformed, 0,
			    (int)(sizeof unreadable_xml / sizeof unreadable_xml[0]));
	tcase_add_loop_test(tests, a_callback_that_is_not_signed_is_not_read, 0,
			    (int)(sizeof forged / sizeof forged[0]));
})
