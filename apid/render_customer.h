/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Render: customers and their payment methods as the JSON objects of the API.
 *
 * Invariant  absent values are null; a payment token is never written
 * Ownership  the writer is the caller's
 * Threads    safe: pure functions
 */
#ifndef APID_RENDER_CUSTOMER_H
#define APID_RENDER_CUSTOMER_H

#include "base/json_writer.h"
#include "service/customer.h"
#include "store/payment_method.h"

/* One object, behind what is written already. */
void render_customer(struct json_writer *writer, const struct customer *customer);
void render_customer_method(struct json_writer *writer, const struct payment_method_row *row);

#endif
