/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Gateways: what they answer, and what they tell by themselves. */
#include "base/crypto.h"
#include "gateway/gateway.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S INT64_C(1800000000)
#define SIGNATURE_SIZE 128

static const char secret[] = "callback-secret";

struct lines {
	const char *signature;
	const char *type;
};

static const char *header_find(void *context, const char *name)
{
	const struct lines *lines = context;

	if (strcmp(name, "Content-Type") == 0)
		return lines->type;
	return strcmp(name, "Sandbox-Signature") == 0 ? lines->signature : NULL;
}

static enum err callback_read(const uint8_t *bytes, size_t size, struct lines *lines,
			      struct gateway_notice *notice)
{
	struct gateway gateway = { .name = "alpha", .callback_secret_count = 1 };
	const struct gateway_message message = { (const char *)bytes, size, header_find, lines };

	gateway.callback_secrets[0].size = sizeof secret - 1;
	memcpy(gateway.callback_secrets[0].bytes, secret, sizeof secret);
	return gateway_sandbox.read_callback(&gateway, &message, NOW_S * 1000000, notice);
}

/* The first line is the signature, the rest the body: nobody without the secret signs anything. */
void fuzz_signature(const uint8_t *bytes, size_t size)
{
	char *signature = fuzz_line(&bytes, &size);
	struct lines lines = { signature, "application/json" };
	struct gateway_notice notice;

	fuzz_expect(callback_read(bytes, size, &lines, &notice) == ERR_SIGNATURE);
	free(signature);
}

static void sign(const uint8_t *bytes, size_t size, char out[SIGNATURE_SIZE])
{
	struct secret key = { .size = sizeof secret - 1 };
	uint8_t mac[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	char *text = malloc(size + SIGNATURE_SIZE);
	int head;

	fuzz_expect(text != NULL);
	head = snprintf(text, SIGNATURE_SIZE, "%lld.", (long long)NOW_S);
	memcpy(key.bytes, secret, sizeof secret);
	memcpy(text + head, bytes, size);
	crypto_hmac_sha256(&key, text, (size_t)head + size, mac);
	snprintf(out, SIGNATURE_SIZE, "t=%lld,v1=%s", (long long)NOW_S,
		 crypto_hex(mac, sizeof mac, hex));
	free(text);
}

/* A first line "xml" makes it XML. */
void fuzz_callback(const uint8_t *bytes, size_t size)
{
	const bool is_xml = size > 4 && memcmp(bytes, "xml\n", 4) == 0;
	struct gateway_notice notice;
	char signature[SIGNATURE_SIZE];
	struct lines lines = { signature, is_xml ? "application/xml" : "application/json" };
	enum err err;

	if (is_xml) {
		bytes += 4;
		size -= 4;
	}
	sign(bytes, size, signature);
	err = callback_read(bytes, size, &lines, &notice);
	fuzz_expect(err == ERR_OK || err == ERR_MALFORMED || err == ERR_SIGNATURE);
	if (err == ERR_OK) {
		fuzz_expect(notice.word[0] != '\0');
		fuzz_expect(!notice.has_amount || currency_find(notice.amount.currency) != NULL);
	}
}

/* The first line is the status and the type, "200 application/json"; the rest the body. */
static void answer_read(const uint8_t *bytes, size_t size, bool is_inquiry)
{
	const struct gateway_order order = {
		.kind = OPERATION_CHARGE,
		.our_reference = "op_X-1",
		.gateway_key = "op_X-1",
		.amount = { 1000, "USD" },
		.exponent = 2,
	};
	char *head = fuzz_line(&bytes, &size);
	char *body = fuzz_text(bytes, size);
	char *type;
	struct http_answer http = { .fate = HTTP_ANSWERED };
	struct gateway_answer answer;

	http.status = (int)(strtol(head, &type, 10) % 1000);
	snprintf(http.content_type, sizeof http.content_type, "%s", *type == ' ' ? type + 1 : type);
	http.body = body;
	http.body_size = strlen(body);
	(is_inquiry ? gateway_sandbox.read_inquiry : gateway_sandbox.read)(&order, &http, &answer);
	/* Success is never believed of an answer that does not name the order. */
	fuzz_expect(answer.event != AE_SUCCEEDED || strstr(body, "op_X") != NULL ||
		    strchr(body, '\\') != NULL);
	fuzz_expect(strnlen(answer.masked, sizeof answer.masked) < sizeof answer.masked);
	free(head);
	free(body);
}

void fuzz_answer(const uint8_t *bytes, size_t size)
{
	answer_read(bytes, size, false);
}

void fuzz_inquiry(const uint8_t *bytes, size_t size)
{
	answer_read(bytes, size, true);
}
