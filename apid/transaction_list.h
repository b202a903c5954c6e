/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of transactions: filters, pages and cursors, the same for all of a merchant's and for those of one customer.
 *
 * Invariant  a filter that is not understood is refused, never passed over; a cursor fits the filters it was made with
 * Threads    as the call
 * Source     API.md: Lists; RFC 8288 (Link)
 */
#ifndef APID_TRANSACTION_LIST_H
#define APID_TRANSACTION_LIST_H

#include "apid/call.h"

/*
 * Answer a page of the list that the query's parameters choose, with a link to the next one. `path` is where the list
 * is, percent-encoded; `customer` whose it is, NULL where that is a filter too.
 */
void transaction_list_serve(struct call *call, const char *path, const char *customer);

#endif
