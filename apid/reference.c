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
#include "apid/swagger_ui.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"

#define HASH_SIZE 44 /* a SHA-256 in base64 without padding, NUL */
#define POLICY_SIZE 256
#define WHY_SIZE 4300
#define PLAIN "plain"

struct text {
	char *text;
	uint32_t
		version; /* the beginning of its hash: as good as any number that changes with it */
};

struct reference {
	struct text openapi;
	struct text plain;
	char plain_policy[POLICY_SIZE];
	struct swagger_ui *ui; /* NULL: the plain page is all there is */
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

static enum err ui_read(const char *directory, struct swagger_ui **ui)
{
	char why[WHY_SIZE];
	enum err err = swagger_ui_read(directory, ui, why, sizeof why);

	if (err != ERR_NOT_FOUND)
		return err;
	log_info("without Swagger UI: /docs is a plain page", LOG_TEXT("why", why));
	return ERR_OK;
}

enum err reference_new(const char *ui_directory, struct reference **reference)
{
	struct reference *made = calloc(1, sizeof *made);
	json_t *document = openapi_document();

	if (made != NULL && document != NULL) {
		made->openapi.text = json_text(document);
		made->plain.text = docs_page(document);
	}
	json_decref(document);
	if (made == NULL || made->openapi.text == NULL || made->plain.text == NULL ||
	    ui_read(ui_directory, &made->ui) != ERR_OK) {
		reference_free(made);
		return ERR_MEMORY;
	}
	made->openapi.version = version_of(made->openapi.text);
	made->plain.version = version_of(made->plain.text);
	policy_write(made->plain_policy);
	*reference = made;
	return ERR_OK;
}

void reference_free(struct reference *reference)
{
	if (reference == NULL)
		return;
	free(reference->openapi.text);
	free(reference->plain.text);
	swagger_ui_free(reference->ui);
	free(reference);
}

static void answer(struct call *call, const struct swagger_ui_file *file)
{
	etag_set(call->reply, file->version);
	if (etag_is_held(call->http, file->version))
		call->reply->status = 304;
	else
		call_answer_lasting(call, 200, file->type, file->bytes, file->size);
}

static void answer_text(struct call *call, const char *type, const struct text *text)
{
	answer(call, &(struct swagger_ui_file){ .type = type,
						.bytes = text->text,
						.size = strlen(text->text),
						.version = text->version });
}

static void policy_set(struct call *call, const char *policy)
{
	http_reply_header(call->reply, "Content-Security-Policy", policy);
	http_reply_header(call->reply, "Referrer-Policy", "no-referrer");
}

void reference_openapi(struct call *call)
{
	answer_text(call, "application/json", &call->app->reference->openapi);
}

static void answer_plain(struct call *call)
{
	policy_set(call, call->app->reference->plain_policy);
	answer_text(call, "text/html; charset=utf-8", &call->app->reference->plain);
}

void reference_docs(struct call *call)
{
	const struct swagger_ui *ui = call->app->reference->ui;

	if (ui == NULL) {
		answer_plain(call);
		return;
	}
	policy_set(call, SWAGGER_UI_POLICY);
	answer(call, swagger_ui_page(ui));
}

void reference_docs_file(struct call *call)
{
	const char *name = call->match.parameter;
	const struct swagger_ui *ui = call->app->reference->ui;
	const struct swagger_ui_file *file = ui != NULL ? swagger_ui_find(ui, name) : NULL;

	if (strcmp(name, PLAIN) == 0)
		answer_plain(call);
	else if (file != NULL)
		answer(call, file);
	else
		call_refuse(call, ERR_NOT_FOUND,
			    ui != NULL ? "There is no such file: /docs needs none of this name."
				       : "Swagger UI is not installed here: /docs is one plain "
					 "page, which needs no other file.");
}
