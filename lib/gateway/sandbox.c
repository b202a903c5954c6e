/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The adapter for payops-sandbox; its protocol is in payops-sandbox(8). */
#include "gateway/gateway.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/xml.h"
#include "core/decline.h"
#include "core/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define API_KEY_MAX 512
#define ANSWER_DEPTH 4
#define SIGNATURE_WINDOW_US INT64_C(300000000)
#define SIGNATURE_HEADER "Sandbox-Signature"
#define SIGNED_MAX (64 * 1024)

/* The gateway's words -> ours. What is not here tells nothing. */
static const struct word {
	const char *word;
	enum attempt_event event;
} words[] = {
	{ "accepted", AE_ACCEPTED },   { "requires_action", AE_REQUIRES_ACTION },
	{ "succeeded", AE_SUCCEEDED }, { "completed", AE_SUCCEEDED },
	{ "declined", AE_DECLINED },   { "failed", AE_DECLINED },
	{ "reversed", AE_REVERSED },   { "returned", AE_RETURNED },
};

/* Decline codes -> ours, which say whether another attempt may follow (core/decline.def). */
static const struct translation {
	const char *code;
	const char *ours;
} declines[] = {
	{ "insufficient_funds", "insufficient_funds" },
	{ "do_not_honor", "do_not_honor" },
	{ "expired_card", "expired_card" },
	{ "stolen_card", "stolen_card" },
	{ "fraud_suspected", "fraud_suspected" },
	{ "issuer_unavailable", "issuer_unavailable" },
	{ "try_again_later", "try_again_later" },
	{ "processing_error", "processing_error" },
	{ "limit_exceeded", "limit_exceeded" },
	{ "invalid_card", "invalid_card" },
	{ "card_not_supported", "card_not_supported" },
	/* what its sums forbid: our books and the gateway's differ, trying again changes nothing */
	{ "refund_exceeds_charge", "refund_exceeds_charge" },
	{ "capture_exceeds_authorisation", "capture_exceeds_authorisation" },
	{ "nothing_to_void", "nothing_to_void" },
	{ "parent_not_found", "parent_not_found" },
	{ "parent_not_succeeded", "parent_not_succeeded" },
	{ "currency_mismatch", "currency_mismatch" },
};

/* Refusals after which nothing was done: HTTP status and the error word that must come with it. */
static const struct refusal {
	int status;
	const char *error;
	const char *ours;
} refusals[] = {
	{ 400, "unknown_payment_token", "invalid_payment_token" },
	{ 400, "unsupported_operation", "not_supported" },
	{ 400, "malformed_request", "gateway_refused_request" },
	{ 429, "rate_limited", "try_again_later" },
};

static const char *member_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "" : text;
}

static void text_copy(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text);
}

static enum err request_fill(const struct gateway *gateway, struct http_request *request)
{
	request->connect_timeout_ms = gateway->connect_timeout_ms;
	request->total_timeout_ms = gateway->total_timeout_ms;
	request->header_count = 1;
	if (gateway->api_key.size > API_KEY_MAX)
		return ERR_CONFIG;
	snprintf(request->headers[0], HTTP_HEADER_MAX, "Authorization: Bearer %.*s", API_KEY_MAX,
		 (const char *)gateway->api_key.bytes);
	return ERR_OK;
}

static char *order_text(const struct gateway_order *order)
{
	char transaction[ID_TEXT_SIZE];
	char operation[ID_TEXT_SIZE];
	char attempt[ID_TEXT_SIZE];
	json_t *body;
	char *text;

	body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "operation",
			 words_text(operation_kind_words, (int)order->kind), "reference",
			 order->our_reference, "transaction",
			 id_format(ID_TRANSACTION, order->transaction_id, transaction),
			 "operation_id", id_format(ID_OPERATION, order->operation_id, operation),
			 "attempt", id_format(ID_ATTEMPT, order->attempt_id, attempt),
			 "amount_minor", (json_int_t)order->amount.minor, "currency",
			 order->amount.currency, "callback_url", order->callback_url);
	if (body != NULL && order->payment_token[0] != '\0')
		json_object_set_new(body, "payment_token", json_string(order->payment_token));
	if (body != NULL && order->parent_ref[0] != '\0')
		json_object_set_new(body, "parent", json_string(order->parent_ref));
	text = body == NULL ? NULL : json_text(body);
	json_decref(body);
	return text;
}

static enum err sandbox_build(const struct gateway *gateway, const struct gateway_order *order,
			      char *body, struct http_request *request)
{
	char *text = order_text(order);
	size_t size;
	enum err err;

	if (text == NULL)
		return ERR_MEMORY;
	size = strlen(text);
	if (size >= GATEWAY_BODY_MAX) {
		free(text);
		return ERR_TOO_LONG;
	}
	memcpy(body, text, size + 1);
	free(text);
	*request = (struct http_request){ .method = "POST", .body = body, .body_size = size };
	err = request_fill(gateway, request);
	snprintf(request->url, sizeof request->url, "%s/v1/operations", gateway->base_url);
	snprintf(request->headers[1], HTTP_HEADER_MAX, "Idempotency-Key: %s", order->gateway_key);
	snprintf(request->headers[2], HTTP_HEADER_MAX, "Content-Type: application/json");
	request->header_count = 3;
	/*
	 * A connection that died under the request leaves the outcome unknown, whoever notices.
	 * Where a key is one operation, that costs no more than an inquiry.
	 */
	request->fresh = !gateway->idempotent;
	return err;
}

static enum err sandbox_build_inquiry(const struct gateway *gateway,
				      const struct gateway_order *order,
				      struct http_request *request)
{
	*request = (struct http_request){ .method = "GET" };
	snprintf(request->url, sizeof request->url, "%s/v1/operations?reference=%s",
		 gateway->base_url, order->our_reference);
	return request_fill(gateway, request);
}

static bool event_of_word(const char *word, enum attempt_event *event)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(words[i].word, word) == 0) {
			*event = words[i].event;
			return true;
		}
	}
	return false;
}

static void decline_set(const char *ours, struct gateway_answer *answer)
{
	const struct decline *decline = decline_find(ours);

	text_copy(answer->decline_code, sizeof answer->decline_code, decline->code);
	answer->retryable = decline->elsewhere || decline->again;
}

static void decline_fill(const char *code, struct gateway_answer *answer)
{
	decline_set(DECLINE_OTHER, answer);
	for (size_t i = 0; i < sizeof declines / sizeof declines[0]; i++)
		if (strcmp(declines[i].code, code) == 0)
			decline_set(declines[i].ours, answer);
}

/* Most answers and messages tell it, not all. */
static bool sandbox_is_kind(const char *operation_word, enum operation_kind kind)
{
	return operation_word[0] == '\0' ||
	       strcmp(operation_word, words_text(operation_kind_words, (int)kind)) == 0;
}

/* The answer speaks of our order, with its amount. */
static bool agrees(const struct gateway_order *order, const json_t *object)
{
	const json_t *amount = json_object_get(object, "amount_minor");

	return sandbox_is_kind(member_text(object, "operation"), order->kind) &&
	       strcmp(member_text(object, "reference"), order->our_reference) == 0 &&
	       json_is_integer(amount) && json_integer_value(amount) == order->amount.minor &&
	       strcmp(member_text(object, "currency"), order->amount.currency) == 0;
}

/* One flat object of texts that fits; anything else is left out, and the state is no less known. */
static void instructions_fill(json_t *instructions, struct gateway_answer *answer)
{
	const char *name;
	json_t *value;
	char *text;

	if (!json_is_object(instructions))
		return;
	json_object_foreach(instructions, name, value) {
		if (!json_is_string(value))
			return;
	}
	text = json_text(instructions);
	if (text != NULL && strlen(text) < sizeof answer->instructions)
		text_copy(answer->instructions, sizeof answer->instructions, text);
	free(text);
}

static void read_operation(const struct gateway_order *order, const json_t *object,
			   struct gateway_answer *answer)
{
	enum attempt_event event;

	if (!agrees(order, object)) {
		answer->integrity = true;
		text_copy(answer->reason, sizeof answer->reason,
			  "the answer's reference, amount or currency differ");
		return;
	}
	if (!event_of_word(member_text(object, "status"), &event)) {
		text_copy(answer->reason, sizeof answer->reason,
			  "the answer's status is not known");
		return;
	}
	answer->event = event;
	text_copy(answer->gateway_ref, sizeof answer->gateway_ref, member_text(object, "id"));
	text_copy(answer->reason, sizeof answer->reason,
		  words_text(attempt_event_words, (int)event));
	if (event == AE_DECLINED)
		decline_fill(member_text(object, "decline_code"), answer);
	if (event == AE_REQUIRES_ACTION)
		instructions_fill(json_object_get(object, "instructions"), answer);
}

static void read_refusal(int status, const json_t *object, struct gateway_answer *answer)
{
	const char *error = member_text(object, "error");

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		if (refusals[i].status != status || strcmp(refusals[i].error, error) != 0)
			continue;
		answer->event = AE_DECLINED;
		decline_set(refusals[i].ours, answer);
		text_copy(answer->reason, sizeof answer->reason, refusals[i].error);
		return;
	}
	text_copy(answer->reason, sizeof answer->reason, "not an answer that says what was done");
}

/* A complete HTTP answer as one JSON object, or NULL with the reason set. */
static json_t *answer_object(const struct http_answer *http, struct gateway_answer *answer)
{
	char why[JSON_WHY_SIZE];
	json_t *object;

	if (strncmp(http->content_type, "application/json", 16) != 0 ||
	    json_read(http->body, http->body_size, ANSWER_DEPTH, &object, why) != ERR_OK) {
		text_copy(answer->reason, sizeof answer->reason, "the answer is not JSON");
		return NULL;
	}
	return object;
}

static void sandbox_read(const struct gateway_order *order, const struct http_answer *http,
			 struct gateway_answer *answer)
{
	json_t *object;

	if (gateway_answer_from_fate(http, answer))
		return;
	object = answer_object(http, answer);
	if (object == NULL)
		return;
	if (http->status == 200 || http->status == 202 || http->status == 402)
		read_operation(order, object, answer);
	else
		read_refusal(http->status, object, answer);
	json_decref(object);
}

/* An inquiry that was not sent, or got no clear answer, tells nothing. */
static void sandbox_read_inquiry(const struct gateway_order *order, const struct http_answer *http,
				 struct gateway_answer *answer)
{
	json_t *object;

	if (gateway_answer_from_fate(http, answer)) {
		answer->event = AE_LOST;
		return;
	}
	object = answer_object(http, answer);
	if (object == NULL)
		return;
	if (http->status == 200) {
		read_operation(order, object, answer);
	} else if (http->status == 404 && strcmp(member_text(object, "error"), "not_found") == 0) {
		answer->event = AE_NOT_FOUND;
		text_copy(answer->reason, sizeof answer->reason, "not_found");
	} else {
		text_copy(answer->reason, sizeof answer->reason, "the inquiry was not answered");
	}
	json_decref(object);
}

/* "t=<seconds>,v1=<hex>": both parts, nothing else. */
static bool signature_parse(const char *text, int64_t *at_s, uint8_t mac[CRYPTO_SHA256_SIZE])
{
	char *end;
	long long seconds;

	if (strncmp(text, "t=", 2) != 0 || text[2] < '0' || text[2] > '9')
		return false;
	seconds = strtoll(text + 2, &end, 10);
	if (end - text > 13 || strncmp(end, ",v1=", 4) != 0)
		return false;
	*at_s = seconds;
	return crypto_unhex(end + 4, mac, CRYPTO_SHA256_SIZE);
}

static bool signature_fits(const struct gateway *gateway, const struct gateway_message *message,
			   int64_t at_s, const uint8_t mac[CRYPTO_SHA256_SIZE])
{
	uint8_t expected[CRYPTO_SHA256_SIZE];
	char prefix[24];
	size_t prefix_size = (size_t)snprintf(prefix, sizeof prefix, "%" PRId64 ".", at_s);
	char *signed_text = malloc(prefix_size + message->body_size);
	bool fits = false;

	if (signed_text == NULL)
		return false;
	memcpy(signed_text, prefix, prefix_size);
	memcpy(signed_text + prefix_size, message->body, message->body_size);
	for (size_t i = 0; i < gateway->callback_secret_count; i++) {
		crypto_hmac_sha256(&gateway->callback_secrets[i], signed_text,
				   prefix_size + message->body_size, expected);
		fits |= secret_equal(expected, sizeof expected, mac, CRYPTO_SHA256_SIZE);
	}
	free(signed_text);
	return fits;
}

static bool signature_verify(const struct gateway *gateway, const struct gateway_message *message,
			     int64_t now_us)
{
	const char *header = message->header(message->context, SIGNATURE_HEADER);
	uint8_t mac[CRYPTO_SHA256_SIZE];
	int64_t at_s;
	int64_t age_us;

	if (header == NULL || message->body_size > SIGNED_MAX ||
	    !signature_parse(header, &at_s, mac))
		return false;
	age_us = now_us - at_s * 1000000;
	if (age_us > SIGNATURE_WINDOW_US || age_us < -SIGNATURE_WINDOW_US)
		return false;
	return signature_fits(gateway, message, at_s, mac);
}

static bool text_take(const json_t *object, const char *name, char *field, size_t size)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	if (value == NULL)
		return true;
	if (text == NULL || strlen(text) >= size || !text_is(TEXT_VISIBLE, text, strlen(text)))
		return false;
	memcpy(field, text, strlen(text) + 1);
	return true;
}

/* Amount and currency come together or not at all. */
static bool amount_take(const json_t *object, struct gateway_notice *notice)
{
	const json_t *amount = json_object_get(object, "amount_minor");
	const char *currency = json_string_value(json_object_get(object, "currency"));

	if (amount == NULL && currency == NULL)
		return true;
	if (!json_is_integer(amount) || currency == NULL || currency_find(currency) == NULL)
		return false;
	notice->has_amount = true;
	notice->amount.minor = json_integer_value(amount);
	memcpy(notice->amount.currency, currency, sizeof notice->amount.currency);
	return true;
}

/* In XML an amount is of major units: "100.50"; amount_minor is text there, and refused as of the wrong type. */
static bool amount_translate(json_t *object)
{
	const json_t *amount = json_object_get(object, "amount");
	const struct currency *currency = currency_find(member_text(object, "currency"));
	const char *text = json_string_value(amount);
	int64_t minor;

	if (amount == NULL)
		return true;
	return text != NULL && currency != NULL &&
	       json_object_get(object, "amount_minor") == NULL &&
	       money_from_major(text, strlen(text), currency->exponent, &minor) == MONEY_OK &&
	       json_object_set_new(object, "amount_minor", json_integer(minor)) == 0;
}

static void sandbox_read_word(const char *word, const char *decline_word,
			      struct gateway_answer *answer)
{
	enum attempt_event event;

	answer->event = event_of_word(word, &event) ? event : AE_LOST;
	text_copy(answer->reason, sizeof answer->reason, "callback");
	if (answer->event == AE_DECLINED)
		decline_fill(decline_word, answer);
}

static enum err notice_fill(const json_t *object, struct gateway_notice *notice)
{
	if (!text_take(object, "callback_id", notice->callback_id, sizeof notice->callback_id) ||
	    !text_take(object, "gateway_txn_id", notice->gateway_ref, sizeof notice->gateway_ref) ||
	    !text_take(object, "reference", notice->our_reference, sizeof notice->our_reference) ||
	    !text_take(object, "operation", notice->operation_word,
		       sizeof notice->operation_word) ||
	    !text_take(object, "status", notice->word, sizeof notice->word) ||
	    notice->word[0] == '\0' || !amount_take(object, notice))
		return ERR_MALFORMED;
	text_copy(notice->decline_word, sizeof notice->decline_word,
		  member_text(object, "decline_code"));
	sandbox_read_word(notice->word, notice->decline_word, &notice->answer);
	memcpy(notice->answer.gateway_ref, notice->gateway_ref, sizeof notice->gateway_ref);
	return ERR_OK;
}

static enum err message_read(const struct gateway_message *message, json_t **object)
{
	static const char xml[] = "application/xml";
	const char *type = message->header(message->context, "Content-Type");
	char why[JSON_WHY_SIZE];
	enum err err;

	static_assert(JSON_WHY_SIZE == XML_WHY_SIZE, "both parsers fill it");
	if (type == NULL || strncasecmp(type, xml, sizeof xml - 1) != 0)
		return json_read(message->body, message->body_size, ANSWER_DEPTH, object, why);
	err = xml_read(message->body, message->body_size, object, why);
	if (err != ERR_OK || amount_translate(*object))
		return err;
	json_decref(*object);
	return ERR_MALFORMED;
}

static enum err sandbox_read_callback(const struct gateway *gateway,
				      const struct gateway_message *message, int64_t now_us,
				      struct gateway_notice *notice)
{
	struct gateway_notice read = { .has_amount = false };
	json_t *object;
	enum err err;

	if (!signature_verify(gateway, message, now_us))
		return ERR_SIGNATURE;
	if (message_read(message, &object) != ERR_OK)
		return ERR_MALFORMED;
	err = notice_fill(object, &read);
	json_decref(object);
	if (err == ERR_OK)
		*notice = read;
	return err;
}

const struct gateway_adapter gateway_sandbox = {
	.name = "sandbox",
	.operations = (1u << OPERATION_KIND_COUNT) - 1,
	.build = sandbox_build,
	.read = sandbox_read,
	.build_inquiry = sandbox_build_inquiry,
	.read_inquiry = sandbox_read_inquiry,
	.read_callback = sandbox_read_callback,
	.read_word = sandbox_read_word,
	.is_kind = sandbox_is_kind,
};
