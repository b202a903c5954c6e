/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The country that a payment has by its customer, where it names none itself.
 *
 * It is found when the payment is taken in, and stored with it: so the refusal of what no gateway takes, every later
 * try and the explanation all see the same, whatever becomes of the profile. Most merchants keep no profiles here, and
 * must not pay for those who do: that a merchant has none with a country is remembered for a while, and costs nothing
 * then. A reader looks the others up.
 *
 * Invariant  a profile that this process wrote is seen by the next payment; another process's first one of a merchant
 *            within CUSTOMER_COUNTRY_FRESH_US
 * Threads    safe; the database is asked outside of the mutex
 */
#ifndef APID_CUSTOMER_COUNTRY_H
#define APID_CUSTOMER_COUNTRY_H

#include <stdint.h>

#include "store/customer.h"
#include "store/store.h"

#define CUSTOMER_COUNTRY_FRESH_US INT64_C(500000)

struct customer_country;

/* As reader_start(). */
CHECKED enum err customer_country_new(const struct store_settings *database,
				      struct customer_country **countries);
/* Accepts NULL. Nobody may be looking. */
void customer_country_free(struct customer_country *countries);

/*
 * Write the country of the merchant's customer, "" where it has none.
 * Returns  as reader_ask(), never ERR_NOT_FOUND
 */
CHECKED enum err customer_country_find(struct customer_country *countries, const char *merchant,
				       const char *customer, int64_t deadline_boot_us,
				       char country[3]);

/* The merchant has a profile with a country from now on. */
void customer_country_learn(struct customer_country *countries, const char *merchant);

#endif
