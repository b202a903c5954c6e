/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/fingerprint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LAST_MEMBER "payment_method_id"

/* A key belongs to a method and path. */
static const char *const scopes[] = {
	[TRANSACTION_PAYMENT] = "POST /transactions",
	[TRANSACTION_DEPOSIT] = "POST /deposit",
	[TRANSACTION_WITHDRAWAL] = "POST /withdrawal",
};

/* Text members by their place in the request. */
static const struct {
	const char *name;
	size_t offset;
} text_members[] = {
	{ "currency", offsetof(struct payment_request, amount.currency) },
	{ "payment_method", offsetof(struct payment_request, method) },
	{ "description", offsetof(struct payment_request, description) },
	{ "customer_id", offsetof(struct payment_request, customer) },
	{ "user_id", offsetof(struct payment_request, customer) },
	{ "payment_token", offsetof(struct payment_request, token) },
	{ "country", offsetof(struct payment_request, country) },
	{ "metadata", offsetof(struct payment_request, metadata) },
	{ "callback_url", offsetof(struct payment_request, callback_url) },
	{ LAST_MEMBER, offsetof(struct payment_request, method_id) },
};

void fingerprint_amount(int form, int64_t minor, char *text, size_t size)
{
	snprintf(text, size, "%d:%" PRId64, form, minor);
}

/* The canonical text of a member: what two requests with the same key must agree on. */
static const char *member_text(const struct payment_request *request, const char *name, char *room,
			       size_t size)
{
	for (size_t i = 0; i < sizeof text_members / sizeof text_members[0]; i++)
		if (strcmp(text_members[i].name, name) == 0)
			return (const char *)request + text_members[i].offset;
	if (strcmp(name, "amount") == 0)
		fingerprint_amount((int)request->form, request->amount.minor, room, size);
	else if (strcmp(name, "capture") == 0)
		snprintf(room, size, "%d", (int)request->capture);
	else if (strcmp(name, "process") == 0)
		snprintf(room, size, "%d", (int)request->process);
	else
		assert(false && "a field of payment_fields() has no canonical text");
	return room;
}

void fingerprint_members(const struct vault *vault, const char *scope,
			 const struct fingerprint_member *members, size_t count,
			 struct fingerprint_place place)
{
	uint8_t *hashes = place.hashes;

	assert((count + 1) * VAULT_HASH_SIZE <= place.room);
	vault_hash(vault, "scope", scope, hashes);
	for (size_t i = 0; i < count; i++)
		vault_hash(vault, members[i].name, members[i].text,
			   hashes + (i + 1) * VAULT_HASH_SIZE);
	*place.size = (count + 1) * VAULT_HASH_SIZE;
}

struct fingerprint_place fingerprint_place(struct operation_row *row)
{
	return (struct fingerprint_place){ row->request_hashes, sizeof row->request_hashes,
					   &row->request_hashes_size };
}

struct fingerprint fingerprint_of(const struct operation_row *row)
{
	return (struct fingerprint){ row->request_hashes, row->request_hashes_size };
}

void fingerprint_payment(const struct vault *vault, enum transaction_kind kind,
			 const struct payment_request *request, struct operation_row *row)
{
	size_t count;
	const struct field_spec *specs = payment_fields(kind, &count);
	struct fingerprint_member members[FINGERPRINT_MEMBERS_MAX];
	char rooms[FINGERPRINT_MEMBERS_MAX][48];

	assert(count <= FINGERPRINT_MEMBERS_MAX);
	assert(strcmp(specs[count - 1].name, LAST_MEMBER) == 0);
	if (request->method_id[0] == '\0')
		count--;
	for (size_t i = 0; i < count; i++)
		members[i] = (struct fingerprint_member){
			specs[i].name,
			member_text(request, specs[i].name, rooms[i], sizeof rooms[i]),
		};
	fingerprint_members(vault, scopes[kind], members, count, fingerprint_place(row));
}

bool fingerprint_equal(struct fingerprint stored, struct fingerprint asked)
{
	return stored.size == asked.size && memcmp(stored.hashes, asked.hashes, asked.size) == 0;
}

unsigned fingerprint_differing(struct fingerprint stored, struct fingerprint asked)
{
	unsigned differing = 0;

	if (memcmp(stored.hashes, asked.hashes, VAULT_HASH_SIZE) != 0)
		return 0; /* of another path: their members say nothing to each other */
	for (size_t i = VAULT_HASH_SIZE; i < asked.size || i < stored.size; i += VAULT_HASH_SIZE)
		if (i >= stored.size || i >= asked.size ||
		    memcmp(stored.hashes + i, asked.hashes + i, VAULT_HASH_SIZE) != 0)
			differing |= 1u << (i / VAULT_HASH_SIZE - 1);
	return differing;
}
