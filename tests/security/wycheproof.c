/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Wycheproof's vectors through lib/base: wycheproof FILE…
 *
 * Each file is one of the project's JSON files, known by its `algorithm`. A vector that lib/base has no function for
 * (AES keys of other than 256 bits) is counted as not ours; one with a nonce of another size must be refused.
 * Exit status 1 where a vector is judged otherwise than it says, or a file holds none that is ours.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define BYTES_MAX 65536
#define NONCE_SIZE 12
#define TAG_SIZE 16

struct bytes {
	size_t size;
	uint8_t at[BYTES_MAX];
};

enum verdict { VERDICT_RIGHT, VERDICT_WRONG, VERDICT_NOT_OURS };

struct vector {
	bool valid;
	struct bytes key, nonce, aad, text, cipher, tag;
};

typedef enum verdict judging(const struct vector *vector);

static void bytes_take(const json_t *test, const char *name, struct bytes *bytes)
{
	const char *hex = json_string_value(json_object_get(test, name));

	bytes->size = hex != NULL ? strlen(hex) / 2 : 0;
	if (hex == NULL)
		return;
	if (bytes->size > sizeof bytes->at || !crypto_unhex(hex, bytes->at, bytes->size)) {
		fprintf(stderr, "wycheproof: %s is no hex of at most %d bytes\n", name, BYTES_MAX);
		exit(EXIT_FAILURE);
	}
}

/* nonce, ciphertext, tag: what crypto_open() takes. */
static size_t sealed_write(const struct vector *vector, uint8_t *sealed)
{
	const struct bytes *parts[] = { &vector->nonce, &vector->cipher, &vector->tag };
	size_t used = 0;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		memcpy(sealed + used, parts[i]->at, parts[i]->size);
		used += parts[i]->size;
	}
	return used;
}

static bool opens(const struct vector *vector, const uint8_t *sealed, size_t size)
{
	static uint8_t plain[3 * BYTES_MAX]; /* lint: state: too large for a stack */

	if (size < CRYPTO_SEAL_OVERHEAD ||
	    crypto_open(vector->key.at, vector->aad.at, vector->aad.size, sealed, size, plain) !=
		    ERR_OK)
		return false;
	return size - CRYPTO_SEAL_OVERHEAD == vector->text.size &&
	       memcmp(plain, vector->text.at, vector->text.size) == 0;
}

/* No byte of what was sealed may be another one. */
static bool is_bound(const struct vector *vector, uint8_t *sealed, size_t size)
{
	bool bound = true;

	for (size_t i = 0; i < size; i++) {
		sealed[i] ^= 1;
		bound = bound && !opens(vector, sealed, size);
		sealed[i] ^= 1;
	}
	return bound;
}

static enum verdict judge_gcm(const struct vector *vector)
{
	static uint8_t sealed[3 * BYTES_MAX]; /* lint: state: too large for a stack */
	const size_t size = sealed_write(vector, sealed);
	bool expected = vector->valid;

	if (vector->key.size != CRYPTO_KEY_SIZE)
		return VERDICT_NOT_OURS;
	if (vector->nonce.size != NONCE_SIZE || vector->tag.size != TAG_SIZE)
		expected = false;
	if (opens(vector, sealed, size) != expected)
		return VERDICT_WRONG;
	if (!expected)
		return VERDICT_RIGHT;
	if (!is_bound(vector, sealed, size))
		return VERDICT_WRONG;
	if (crypto_seal(vector->key.at, vector->aad.at, vector->aad.size, vector->text.at,
			vector->text.size, sealed) != ERR_OK)
		return VERDICT_WRONG;
	return opens(vector, sealed, size) ? VERDICT_RIGHT : VERDICT_WRONG;
}

typedef void mac_make(const struct secret *key, const void *bytes, size_t size, uint8_t *out);

/* Tags of half the size are the first half. */
static enum verdict judge_mac(const struct vector *vector, mac_make *make, size_t mac_size)
{
	struct secret key = { .size = vector->key.size };
	uint8_t mac[CRYPTO_SHA512_SIZE];
	bool fits;

	if (vector->key.size > SECRET_MAX || vector->tag.size > mac_size)
		return VERDICT_NOT_OURS;
	memcpy(key.bytes, vector->key.at, key.size);
	make(&key, vector->text.at, vector->text.size, mac);
	fits = secret_equal(mac, vector->tag.size, vector->tag.at, vector->tag.size);
	return fits == vector->valid ? VERDICT_RIGHT : VERDICT_WRONG;
}

static enum verdict judge_hmac_sha256(const struct vector *vector)
{
	return judge_mac(vector, crypto_hmac_sha256, CRYPTO_SHA256_SIZE);
}

static enum verdict judge_hmac_sha512(const struct vector *vector)
{
	return judge_mac(vector, crypto_hmac_sha512, CRYPTO_SHA512_SIZE);
}

static const struct {
	const char *algorithm;
	judging *judge;
} judges[] = {
	{ "AES-GCM", judge_gcm },
	{ "HMACSHA256", judge_hmac_sha256 },
	{ "HMACSHA512", judge_hmac_sha512 },
};

static judging *judge_find(const char *algorithm)
{
	for (size_t i = 0; algorithm != NULL && i < sizeof judges / sizeof judges[0]; i++)
		if (strcmp(judges[i].algorithm, algorithm) == 0)
			return judges[i].judge;
	return NULL;
}

static enum verdict test_run(const json_t *test, judging *judge)
{
	static struct vector vector; /* lint: state: too large for a stack */
	const char *result = json_string_value(json_object_get(test, "result"));

	vector.valid = result != NULL && strcmp(result, "valid") == 0;
	bytes_take(test, "key", &vector.key);
	bytes_take(test, "iv", &vector.nonce);
	bytes_take(test, "aad", &vector.aad);
	bytes_take(test, "msg", &vector.text);
	bytes_take(test, "ct", &vector.cipher);
	bytes_take(test, "tag", &vector.tag);
	return judge(&vector);
}

static bool file_run(const char *path)
{
	json_t *root = json_load_file(path, 0, NULL), *group, *test;
	const char *algorithm = json_string_value(json_object_get(root, "algorithm"));
	judging *judge = judge_find(algorithm);
	unsigned counts[3] = { 0, 0, 0 };
	size_t i, j;
	bool good;

	if (judge == NULL) {
		fprintf(stderr, "wycheproof: %s is no file of vectors that are ours\n", path);
		json_decref(root);
		return false;
	}
	json_array_foreach(json_object_get(root, "testGroups"), i, group)
	{
		json_array_foreach(json_object_get(group, "tests"), j, test)
		{
			const enum verdict verdict = test_run(test, judge);

			counts[verdict]++;
			if (verdict == VERDICT_WRONG)
				printf("%s: vector %lld is judged wrongly\n", algorithm,
				       (long long)json_integer_value(
					       json_object_get(test, "tcId")));
		}
	}
	printf("%-10s %u right, %u wrong, %u not ours\n", algorithm, counts[VERDICT_RIGHT],
	       counts[VERDICT_WRONG], counts[VERDICT_NOT_OURS]);
	good = counts[VERDICT_RIGHT] > 0 && counts[VERDICT_WRONG] == 0;
	json_decref(root);
	return good;
}

int main(int argc, char **argv)
{
	bool good = argc > 1;

	for (int i = 1; i < argc; i++)
		good = file_run(argv[i]) && good;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
