/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sandbox's gateways without a network: its own ledger and rules, told by its own words to our adapter. What a test
 * makes of them is what payops-sandbox would have made of the same requests.
 *
 * Ownership  entries belong to the ledger, until sandbox_model_close()
 * Threads    one
 */
#ifndef TESTS_SANDBOX_MODEL_H
#define TESTS_SANDBOX_MODEL_H

#include <stdbool.h>

#include "gateway/gateway.h"
#include "sandbox/ledger.h"
#include "sandbox/tale.h"

#define SANDBOX_MODEL_SECRET "schedules"

struct sandbox_model {
	struct ledger *ledger;
	char directory[64];
	char path[96];
};

/* An empty ledger in memory, where there is such a file system. */
void sandbox_model_open(struct sandbox_model *model);
void sandbox_model_close(struct sandbox_model *model);

/* Whether this entry is new: entered by the call before, not replayed. */
struct sandbox_deed {
	struct entry *entry; /* NULL: nothing was done */
	bool is_new;
	struct gateway_answer answer;
};

/* A request reaches a gateway, by its name; `verdict` is what becomes of it where it is new and allowed. */
void sandbox_model_perform(struct sandbox_model *model, const char *gateway,
			   const struct gateway_order *order, const struct entry_verdict *verdict,
			   struct sandbox_deed *deed);

/* An inquiry reaches it. */
void sandbox_model_ask(struct sandbox_model *model, const char *gateway,
		       const struct gateway_order *order, struct gateway_answer *answer);

/* An accepted entry reaches its verdict; a decided one turns. Both durable, once. */
void sandbox_model_decide(struct sandbox_model *model, struct entry *entry);
void sandbox_model_turn(struct sandbox_model *model, struct entry *entry);
enum entry_status sandbox_model_status(struct sandbox_model *model, const struct entry *entry);

/* A callback of a gateway whose secret is SANDBOX_MODEL_SECRET, signed, read and verified now. */
#define SANDBOX_MODEL_BODY 2048
void sandbox_model_notice(const struct gateway *gateway, const struct entry *entry,
			  enum tale_call call, char body[SANDBOX_MODEL_BODY],
			  struct gateway_notice *notice);

#endif
