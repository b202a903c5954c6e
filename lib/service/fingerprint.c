/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/fingerprint.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SCOPE "POST /transactions" /* a key belongs to a method and path */

/* Text members by their place in the request. */
static const struct {
	const char *name;
	size_t offset;
} text_members[] = {
	{ "currency", offsetof(struct payment_request, amount.currency) },
	{ "payment_method", offsetof(struct payment_request, method) },
	{ "description", offsetof(struct payment_request, description) },
	{ "customer_id", offsetof(struct payment_request, customer) },
	{ "payment_token", offsetof(struct payment_request, token) },
	{ "country", offsetof(struct payment_request, country) },
	{ "metadata", offsetof(struct payment_request, metadata) },
	{ "callback_url", offsetof(struct payment_request, callback_url) },
};

/* The canonical text of a member: what two requests with the same key must agree on. */
static const char *member_text(const struct payment_request *request, const char *name, char *room,
			       size_t size)
{
	for (size_t i = 0; i < sizeof text_members / sizeof text_members[0]; i++)
		if (strcmp(text_members[i].name, name) == 0)
			return (const char *)request + text_members[i].offset;
	if (strcmp(name, "amount") == 0)
		snprintf(room, size, "%d:%lld", (int)request->form,
			 (long long)request->amount.minor);
	else if (strcmp(name, "capture") == 0)
		snprintf(room, size, "%d", (int)request->capture);
	else if (strcmp(name, "process") == 0)
		snprintf(room, size, "%d", (int)request->process);
	else
		assert(false && "a field of payment_fields() has no canonical text");
	return room;
}

void fingerprint_payment(const struct vault *vault, const struct payment_request *request,
			 struct operation_row *row)
{
	size_t count;
	const struct field_spec *specs = payment_fields(&count);
	uint8_t *hashes = row->request_hashes;
	char room[48];

	assert((count + 1) * VAULT_HASH_SIZE <= sizeof row->request_hashes);
	vault_hash(vault, "scope", SCOPE, hashes);
	for (size_t i = 0; i < count; i++)
		vault_hash(vault, specs[i].name,
			   member_text(request, specs[i].name, room, sizeof room),
			   hashes + (i + 1) * VAULT_HASH_SIZE);
	row->request_hashes_size = (count + 1) * VAULT_HASH_SIZE;
}

bool fingerprint_equal(const struct operation_row *stored, const struct operation_row *asked)
{
	return stored->request_hashes_size == asked->request_hashes_size &&
	       memcmp(stored->request_hashes, asked->request_hashes, asked->request_hashes_size) ==
		       0;
}

unsigned fingerprint_differing(const struct operation_row *stored,
			       const struct operation_row *asked)
{
	unsigned differing = 0;

	for (size_t i = VAULT_HASH_SIZE; i < asked->request_hashes_size; i += VAULT_HASH_SIZE)
		if (i >= stored->request_hashes_size ||
		    memcmp(stored->request_hashes + i, asked->request_hashes + i,
			   VAULT_HASH_SIZE) != 0)
			differing |= 1u << (i / VAULT_HASH_SIZE - 1);
	return differing;
}
