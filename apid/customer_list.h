/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of a merchant's customers: filters and pages.
 *
 * Invariant  a filter that is not understood is refused, never passed over; e-mail addresses and phone numbers are
 *            compared by keyed hashes, so that only whole ones are found
 * Threads    as the call
 * Source     API.md: Lists
 */
#ifndef APID_CUSTOMER_LIST_H
#define APID_CUSTOMER_LIST_H

#include "apid/call.h"

/* Answer a page of the list that the query's parameters choose, with a link to the next one. */
void customer_list_serve(struct call *call);

#endif
