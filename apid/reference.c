/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/reference.h"

#include <stdlib.h>
#include <string.h>

#include "apid/call.h"
#include "apid/etag.h"
#include "apid/openapi.h"
#include "base/crypto.h"
#include "base/json.h"

struct text {
	char *text;
	uint32_t
		version; /* the beginning of its hash: as good as any number that changes with it */
};

struct reference {
	struct text openapi;
};

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

	if (made != NULL && document != NULL)
		made->openapi.text = json_text(document);
	json_decref(document);
	if (made == NULL || made->openapi.text == NULL) {
		reference_free(made);
		return ERR_MEMORY;
	}
	made->openapi.version = version_of(made->openapi.text);
	*reference = made;
	return ERR_OK;
}

void reference_free(struct reference *reference)
{
	if (reference == NULL)
		return;
	free(reference->openapi.text);
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
