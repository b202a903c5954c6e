/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/auth.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apid/key_cache.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/key_token.h"
#include "core/text.h"
#include "service/settings.h"

#define SLOTS 2048 /* each token has one slot it may stand in; a newer one takes it */

#define ANY_GENERATION UINT64_MAX

struct slot {
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct token_claims claims; /* expires_at_s 0: empty */
	uint64_t generation;        /* of the settings whose keys verified it */
};

struct auth {
	struct key_cache *api_keys;
	pthread_mutex_t mutex; /* guards: slots */
	struct slot slots[SLOTS];
};

enum err auth_new(const struct app *app, struct auth **auth)
{
	struct auth *made = calloc(1, sizeof *made);
	enum err err;

	if (made == NULL)
		return ERR_MEMORY;
	err = key_cache_new(app->find_key, app->keys, &made->api_keys);
	if (err != ERR_OK) {
		free(made);
		return err;
	}
	pthread_mutex_init(&made->mutex, NULL);
	*auth = made;
	return ERR_OK;
}

void auth_free(struct auth *auth)
{
	if (auth == NULL)
		return;
	pthread_mutex_destroy(&auth->mutex);
	key_cache_free(auth->api_keys);
	free(auth);
}

static struct slot *slot_of(struct auth *auth, const uint8_t digest[CRYPTO_SHA256_SIZE])
{
	return &auth->slots[(digest[0] << 8 | digest[1]) % SLOTS];
}

/* What other keys verified is not known: its key may be gone. ANY_GENERATION: whichever did. */
static bool recall(struct auth *auth, const uint8_t digest[CRYPTO_SHA256_SIZE], int64_t now_s,
		   uint64_t generation, struct token_claims *claims)
{
	const struct slot *slot = slot_of(auth, digest);
	bool known;

	pthread_mutex_lock(&auth->mutex);
	known = memcmp(slot->digest, digest, CRYPTO_SHA256_SIZE) == 0 &&
		(generation == ANY_GENERATION || slot->generation == generation) &&
		now_s < slot->claims.expires_at_s;
	if (known)
		*claims = slot->claims;
	pthread_mutex_unlock(&auth->mutex);
	return known;
}

static void remember(struct auth *auth, const uint8_t digest[CRYPTO_SHA256_SIZE],
		     uint64_t generation, const struct token_claims *claims)
{
	struct slot *slot = slot_of(auth, digest);

	pthread_mutex_lock(&auth->mutex);
	memcpy(slot->digest, digest, CRYPTO_SHA256_SIZE);
	slot->claims = *claims;
	slot->generation = generation;
	pthread_mutex_unlock(&auth->mutex);
}

/* The token of the request, or NULL with the reason (itself NULL where there are no credentials). */
static const char *token_of(const struct http_call *call, const char **why)
{
	static const char scheme[] = "Bearer ";
	size_t count;
	const char *value = http_header(call, "Authorization", &count);

	*why = NULL;
	if (count == 0)
		return NULL;
	*why = "there is more than one Authorization header";
	if (count > 1 || strchr(value, ',') != NULL)
		return NULL;
	*why = "the Authorization scheme is not Bearer";
	if (strncasecmp(value, scheme, sizeof scheme - 1) != 0)
		return NULL;
	*why = "the token is not one word";
	value += sizeof scheme - 1;
	return *value != '\0' && text_is(TEXT_VISIBLE, value, strlen(value)) ? value : NULL;
}

/* Whatever is wrong with a key is not told: who guesses learns nothing. */
static enum err check_api_key(struct auth *auth, const char *text, struct auth_moment at,
			      struct token_claims *claims, const char **why)
{
	const struct key_moment moment = { at.now_s, clock_boot_us(), at.deadline_boot_us };
	struct key_token token;

	*why = "the API key is not valid";
	if (!key_token_read(text, &token))
		return ERR_UNAUTHENTICATED;
	return key_cache_check(auth->api_keys, &token, moment, claims);
}

enum err auth_check(struct auth *auth, const struct settings *settings,
		    const struct http_call *call, struct auth_moment at,
		    struct token_claims *claims, const char **why)
{
	const char *token = token_of(call, why);
	uint8_t digest[CRYPTO_SHA256_SIZE];
	enum err err;

	if (token == NULL)
		return ERR_UNAUTHENTICATED;
	if (key_token_is_meant(token))
		return check_api_key(auth, token, at, claims, why);
	crypto_sha256(token, strlen(token), digest);
	if (recall(auth, digest, at.now_s, settings->generation, claims))
		return ERR_OK;
	err = token_verify(&settings->token_keys, token, at.now_s, claims, why);
	if (err == ERR_OK)
		remember(auth, digest, settings->generation, claims);
	return err;
}

bool auth_knows(struct auth *auth, const struct http_call *call, int64_t now_s)
{
	const char *why, *text = token_of(call, &why);
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct token_claims claims;
	struct key_token token;

	if (text == NULL)
		return false;
	if (key_token_is_meant(text))
		return key_token_read(text, &token) && key_cache_knows(auth->api_keys, &token);
	crypto_sha256(text, strlen(text), digest);
	return recall(auth, digest, now_s, ANY_GENERATION, &claims);
}

bool auth_key_id(const struct http_call *call, char id[KEY_TOKEN_ID_SIZE])
{
	const char *why, *text = token_of(call, &why);
	struct key_token token;

	if (text == NULL || !key_token_read(text, &token))
		return false;
	memcpy(id, token.id, KEY_TOKEN_ID_SIZE);
	return true;
}
