/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Render: rows of the store as the JSON objects of the API.
 *
 * Invariant  absent values are null; amounts in the form the client wrote; times RFC 3339 with six
 *            decimals
 * Ownership  objects are the caller's to json_decref(); NULL where memory is short
 * Threads    safe: pure functions
 * Source     API.md: Paths
 */
#ifndef APID_RENDER_H
#define APID_RENDER_H

#include <jansson.h>
#include <stdint.h>

#include "base/json_writer.h"
#include "service/why.h"
#include "store/attempt.h"
#include "store/event.h"
#include "service/request.h"
#include "store/refund.h"
#include "store/transaction.h"

/* The object of GET /transactions/{id}; a customer's list leaves the customer out. */
enum render_customer { RENDER_CUSTOMER, RENDER_NO_CUSTOMER };
void render_transaction(struct json_writer *writer, const struct transaction_view *view,
			enum render_customer customer);

/* What a refusal says of a payment that has failed: its id, the decline code, what to do; *message is for people. */
json_t *render_declined(const struct transaction_view *view, const char **message);

/* One entry of a timeline. */
json_t *render_event(const struct event_row *row);

/* One try, with the gateway's masked answer. */
json_t *render_attempt(const struct attempt_row *row);

/* The proof in words, as a merchant may see it: without who of us settles what, and how. */
json_t *render_why(const struct why *why);

/* "2026-03-01T12:00:00.123456Z"; null for 0. */
json_t *render_time(int64_t at_us);

/* What was asked for, as it was: from what never changes, so that it can be repeated byte for byte. */
json_t *render_requested(const char *id_name, const char *id,
			 const struct request_receipt *receipt);

/* What a refusal of more than is left says: how much could be asked for, in the form of enum amount_form. */
json_t *render_left(int form, const struct request_receipt *receipt);

/* A refund as it is now. */
json_t *render_refund(const struct refund_view *view);

#endif
