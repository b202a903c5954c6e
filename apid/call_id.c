/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/call_id.h"

#include <stdint.h>
#include <string.h>

#include "base/crypto.h"
#include "core/card.h"

#define RANDOM_SIZE 16

static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static bool is_usable(const char *id)
{
	size_t size = strlen(id);

	for (size_t i = 0; i < size; i++)
		if (strchr(characters, id[i]) == NULL && strchr("._-", id[i]) == NULL)
			return false;
	return size >= 1 && size < CALL_ID_SIZE && !card_word_in(id);
}

const char *call_id_choose(const struct http_call *call, char out[CALL_ID_SIZE])
{
	static const char *const names[] = { "X-Request-Id", "X-Api-Call-Id" };
	uint8_t random[RANDOM_SIZE];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t count;
		const char *id = http_header(call, names[i], &count);

		if (count == 1 && is_usable(id)) {
			memcpy(out, id, strlen(id) + 1);
			return out;
		}
	}
	crypto_random(random, sizeof random);
	return crypto_hex(random, sizeof random, out);
}
