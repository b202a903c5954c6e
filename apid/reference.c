/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apid/call.h"
#include "apid/docs_page.h"
#include "apid/etag.h"
#include "apid/openapi.h"
#include "base/crypto.h"
#include "base/json.h"

#define HASH_SIZE 44 /* a SHA-256 in base64 without padding, NUL */
#define POLICY_SIZE 256

struct text {
	char *text;
	uint32_t
		version; /* the beginning of its hash: as good as any number that changes with it */
};

struct reference {
	struct text openapi;
	struct text docs;
	char docs_policy[POLICY_SIZE];
};

/* Nothing but the page's own style: no script, no other host, no frame around it. */
static void policy_write(char out[POLICY_SIZE])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char text[HASH_SIZE];

	crypto_sha256(docs_page_style, strlen(docs_page_style), hash);
	(void)crypto_base64url_encode(hash, sizeof hash, text, sizeof text);
	for (char *c = text; *c != '\0'; c++) /* policies take the other alphabet, padded */
		*c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
	(void)snprintf(out, POLICY_SIZE,
		       "default-src 'none'; style-src 'sha256-%s='; base-uri 'none'; "
		       "form-action 'none'; frame-ancestors 'none'",
		       text);
}

static uint32_t version_of(const char *text)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	uint32_t version;

	crypto_sha256(text, strlen(text), hash);
	memcpy(&version, hash, sizeof version);
	return version;
}

enum err reference_new(struct reference **reference)
{
	struct reference *made = calloc(1, sizeof *made);
	json_t *document = openapi_document();

	if (made != NULL && document != NULL) {
		made->openapi.text = json_text(document);
		made->docs.text = docs_page(document);
	}
	json_decref(document);
	if (made == NULL || made->openapi.text == NULL || made->docs.text == NULL) {
		reference_free(made);
		return ERR_MEMORY;
	}
	made->openapi.version = version_of(made->openapi.text);
	made->docs.version = version_of(made->docs.text);
	policy_write(made->docs_policy);
	*reference = made;
	return ERR_OK;
}

void reference_free(struct reference *reference)
{
	if (reference == NULL)
		return;
	free(reference->openapi.text);
	free(reference->docs.text);
	free(reference);
}

static void answer(struct call *call, const char *type, const struct text *text)
{
	etag_set(call->reply, text->version);
	if (etag_is_held(call->http, text->version))
		call->reply->status = 304;
	else
		call_answer_text(call, 200, type, strdup(text->text));
}

void reference_openapi(struct call *call)
{
	answer(call, "application/json", &call->app->reference->openapi);
}

void reference_docs(struct call *call)
{
	http_reply_header(call->reply, "Content-Security-Policy",
			  call->app->reference->docs_policy);
	http_reply_header(call->reply, "Referrer-Policy", "no-referrer");
	answer(call, "text/html; charset=utf-8", &call->app->reference->docs);
}
