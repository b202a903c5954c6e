/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define PREFIX_SIZE 32

enum err signature_make(const struct secret *secret, int64_t now_s, const char *body, size_t size,
			char out[SIGNATURE_SIZE])
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	char prefix[PREFIX_SIZE];
	size_t prefix_size = (size_t)snprintf(prefix, sizeof prefix, "%" PRId64 ".", now_s);
	char *signed_text = malloc(prefix_size + size);

	if (signed_text == NULL)
		return ERR_MEMORY;
	memcpy(signed_text, prefix, prefix_size);
	memcpy(signed_text + prefix_size, body, size);
	crypto_hmac_sha256(secret, signed_text, prefix_size + size, digest);
	free(signed_text);
	(void)snprintf(out, SIGNATURE_SIZE, "t=%" PRId64 ",v1=%s", now_s,
		       crypto_hex(digest, sizeof digest, hex));
	return ERR_OK;
}
