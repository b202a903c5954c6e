/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token.h"

#include <jansson.h>
#include <jwt.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/token_rule.h"

#define HEADER_DEPTH_MAX 4
#define CLAIMS_DEPTH_MAX 8
#define SCOPE_WORD_SIZE 32 /* longer words are none of ours */

enum part { PART_HEADER, PART_CLAIMS, PART_SIGNATURE, PART_COUNT };

struct part_text {
	const char *text;
	size_t size;
};

const char token_expired[] = "the token has expired";

/* From here to token_verify(), each returns why it refuses, or NULL. */

static const char *split(const char *token, struct part_text parts[PART_COUNT])
{
	const char *at = token;

	if (strnlen(token, TOKEN_TEXT_MAX + 1) > TOKEN_TEXT_MAX)
		return "the token is too long";
	for (int i = PART_HEADER; i < PART_COUNT; i++) {
		size_t size = strcspn(at, ".");

		if (size == 0 || (at[size] == '.') != (i < PART_SIGNATURE))
			return "the token does not have three parts";
		parts[i] = (struct part_text){ at, size };
		at += size + 1;
	}
	return NULL;
}

static const char *read_object(struct part_text part, size_t depth_max, json_t **object)
{
	uint8_t bytes[TOKEN_RULE_PART_MAX];
	char ignored[JSON_WHY_SIZE]; /* the reason given outside is a constant */
	size_t size;

	if (!crypto_base64url_decode(part.text, part.size, bytes, sizeof bytes, &size))
		return "the token is not base64url";
	if (json_read(bytes, size, depth_max, object, ignored) != ERR_OK)
		return "the token is not strict JSON";
	return NULL;
}

static const struct token_rule_algorithm *rule(const struct token_key *key)
{
	return token_rule_algorithm(key->algorithm);
}

static const struct token_key *key_find(const struct token_keys *keys, const char *kid)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (strcmp(keys->keys[i].kid, kid) == 0)
			return &keys->keys[i];
	}
	return NULL;
}

static const char *header_members(json_t *header)
{
	const char *name;
	json_t *value;

	json_object_foreach(header, name, value)
	{
		if (strcmp(name, "alg") != 0 && strcmp(name, "kid") != 0 &&
		    strcmp(name, "typ") != 0)
			return "the token's header has a member that is not allowed";
		if (!json_is_string(value))
			return "the token's header has a member that is not a string";
	}
	return NULL;
}

static const char *judge_header(json_t *header, const struct token_keys *keys,
				const struct token_key **key)
{
	const char *why = header_members(header);
	const char *algorithm = json_string_value(json_object_get(header, "alg"));
	const char *kid = json_string_value(json_object_get(header, "kid"));
	const char *type = json_string_value(json_object_get(header, "typ"));
	const struct token_key *found;

	if (why != NULL)
		return why;
	if (type != NULL && strcasecmp(type, "JWT") != 0)
		return "the token is not of type JWT";
	if (kid == NULL || *kid == '\0')
		return "the token names no key";
	found = key_find(keys, kid);
	/* Given an empty key libjwt verifies nothing and succeeds. */
	if (found == NULL || found->material.size == 0)
		return "the token's key is unknown";
	if (algorithm == NULL || strcmp(algorithm, rule(found)->word) != 0)
		return "the token's algorithm is not its key's";
	*key = found;
	return NULL;
}

static const char *judge_signature(const char *token, struct part_text part,
				   const struct token_key *key)
{
	const struct token_rule_algorithm *algorithm = rule(key);
	uint8_t bytes[TOKEN_RULE_PART_MAX];
	jwt_t *jwt = NULL;
	bool good;
	size_t size;

	if (!crypto_base64url_decode(part.text, part.size, bytes, sizeof bytes, &size))
		return "the token is not base64url";
	if (size > algorithm->signature_max)
		return "the token's signature is invalid";
	good = jwt_decode(&jwt, token, key->material.bytes, (int)key->material.size) == 0 &&
	       jwt != NULL && jwt_get_alg(jwt) == jwt_str_alg(algorithm->word);
	jwt_free(jwt);
	return good ? NULL : "the token's signature is invalid";
}

static bool is_seconds(const json_t *value)
{
	return json_is_integer(value) && token_rule_seconds(json_integer_value(value));
}

/* A time that must not lie ahead; absent is fine. */
static bool not_ahead(const json_t *value, int64_t now_s)
{
	return value == NULL ||
	       (is_seconds(value) && json_integer_value(value) - TOKEN_SKEW_S <= now_s);
}

static bool any_real(json_t *claims)
{
	const char *name;
	json_t *value;

	json_object_foreach(claims, name, value)
	{
		if (json_is_real(value))
			return true;
	}
	return false;
}

static const char *judge_times(json_t *claims, int64_t now_s)
{
	const json_t *expiry = json_object_get(claims, "exp");

	if (any_real(claims))
		return "the token has a number that is not a plain integer";
	if (!is_seconds(expiry))
		return "the token has no valid expiry";
	if (json_integer_value(expiry) <= now_s)
		return token_expired;
	if (!not_ahead(json_object_get(claims, "nbf"), now_s))
		return "the token is not valid yet";
	if (!not_ahead(json_object_get(claims, "iat"), now_s))
		return "the token was issued in the future";
	return NULL;
}

static bool equals(const json_t *value, const char *text)
{
	return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static bool audience_holds(const json_t *value, const char *audience)
{
	bool found = false;

	if (!json_is_array(value))
		return equals(value, audience);
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *entry = json_array_get(value, i);

		if (!json_is_string(entry))
			return false;
		found = found || equals(entry, audience);
	}
	return found;
}

/* Other systems' words may stand in the same claim: they are passed over. */
static unsigned known_scopes(const char *text)
{
	unsigned found = 0;

	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		char word[SCOPE_WORD_SIZE] = "";
		size_t size = strcspn(text, " ");
		unsigned bit;

		if (size < sizeof word)
			memcpy(word, text, size);
		if (token_scopes_parse(word, &bit))
			found |= bit;
		text += size;
	}
	return found;
}

static const char *judge_claims(json_t *object, const struct token_keys *keys, int64_t now_s,
				struct token_claims *claims)
{
	const char *merchant = json_string_value(json_object_get(object, "merchant"));
	const char *subject = json_string_value(json_object_get(object, "sub"));
	const json_t *scope = json_object_get(object, "scope");
	const char *why = judge_times(object, now_s);

	if (why != NULL)
		return why;
	if (!equals(json_object_get(object, "iss"), keys->issuer))
		return "the token is of another issuer";
	if (!audience_holds(json_object_get(object, "aud"), keys->audience))
		return "the token is for another audience";
	if (!token_rule_merchant(merchant))
		return "the token names no valid merchant";
	if (!token_rule_subject(subject))
		return "the token names no valid subject";
	if (scope != NULL && !json_is_string(scope))
		return "the token's scope is not a string";
	*claims = (struct token_claims){
		.expires_at_s = json_integer_value(json_object_get(object, "exp")),
	};
	memcpy(claims->merchant, merchant, strlen(merchant) + 1);
	memcpy(claims->subject, subject, strlen(subject) + 1);
	if (scope != NULL)
		claims->scopes = known_scopes(json_string_value(scope));
	return NULL;
}

enum err token_verify(const struct token_keys *keys, const char *token, int64_t now_s,
		      struct token_claims *claims, const char **why)
{
	struct part_text parts[PART_COUNT];
	const struct token_key *key = NULL;
	json_t *header = NULL, *body = NULL;
	const char *refusal = split(token, parts);

	if (refusal == NULL)
		refusal = read_object(parts[PART_HEADER], HEADER_DEPTH_MAX, &header);
	if (refusal == NULL)
		refusal = judge_header(header, keys, &key);
	/* libjwt parses the claims too, so they must be known to be tame before it sees them. */
	if (refusal == NULL)
		refusal = read_object(parts[PART_CLAIMS], CLAIMS_DEPTH_MAX, &body);
	if (refusal == NULL)
		refusal = judge_signature(token, parts[PART_SIGNATURE], key);
	if (refusal == NULL)
		refusal = judge_claims(body, keys, now_s, claims);
	json_decref(header);
	json_decref(body);
	if (refusal == NULL)
		return ERR_OK;
	*why = refusal;
	return ERR_UNAUTHENTICATED;
}
