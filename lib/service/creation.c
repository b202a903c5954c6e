/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/creation.h"

#include <string.h>

_Static_assert(VAULT_SEARCH_SIZE == CUSTOMER_HASH_SIZE, "the column holds the key's hash");

void creation_key_begin(const struct vault *vault, const char *merchant,
			const struct creation *creation, struct creation_key *key)
{
	memset(key, 0, sizeof *key);
	if (creation != NULL)
		vault_search_hash(vault, "idempotency_key", merchant, creation->idempotency_key,
				  key->hash);
}

struct fingerprint_place creation_place(struct creation_key *key)
{
	return (struct fingerprint_place){ key->request, sizeof key->request, &key->request_size };
}

bool creation_is_same(struct creation *creation, const struct creation_key *stored,
		      const struct creation_key *asked)
{
	const struct fingerprint first = { stored->request, stored->request_size };
	const struct fingerprint again = { asked->request, asked->request_size };
	const bool same = fingerprint_equal(first, again);

	creation->differing = same ? 0 : fingerprint_differing(first, again);
	return same;
}
