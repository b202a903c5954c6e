/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificate: what the log says of the one that TLS is served with, while there is time to renew it.
 *
 * Units      microseconds, UTC
 * Threads    safe
 */
#ifndef APID_CERTIFICATE_H
#define APID_CERTIFICATE_H

#include <stdint.h>

#include "service/settings.h"

enum certificate_state {                      /* in order of precedence */
			 CERTIFICATE_EARLY,   /* clients refuse it: it is not valid yet */
			 CERTIFICATE_EXPIRED, /* clients refuse it */
			 CERTIFICATE_ENDS,    /* within 14 days */
			 CERTIFICATE_GOOD,
};

enum certificate_state certificate_state(int64_t begins_us, int64_t ends_us, int64_t now_us);

/* Warn, in one line, where it is not good. Settings without TLS are good. */
void certificate_tell(const struct settings *settings, int64_t now_us);

#endif
