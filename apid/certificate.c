/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/certificate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"

#include <stddef.h>

#define DAY_US (INT64_C(86400) * 1000000)
#define ENDS_WITHIN_US (14 * DAY_US)

enum certificate_state certificate_state(int64_t begins_us, int64_t ends_us, int64_t now_us)
{
	if (now_us < begins_us)
		return CERTIFICATE_EARLY;
	if (now_us >= ends_us)
		return CERTIFICATE_EXPIRED;
	return ends_us - now_us <= ENDS_WITHIN_US ? CERTIFICATE_ENDS : CERTIFICATE_GOOD;
}

static const char *const texts[] = {
	[CERTIFICATE_EARLY] = "the certificate is not valid yet and clients refuse it: see to this "
			      "machine's clock, or to the certificate",
	[CERTIFICATE_EXPIRED] = "the certificate has expired and clients refuse it: renew it, then "
				"send SIGHUP",
	[CERTIFICATE_ENDS] = "the certificate expires soon: renew it, then send SIGHUP",
	[CERTIFICATE_GOOD] = NULL,
};

void certificate_tell(const struct settings *settings, int64_t now_us)
{
	const struct tls *tls = settings->tls;
	char begins[CLOCK_TEXT_SIZE], ends[CLOCK_TEXT_SIZE];
	const char *text;

	if (tls == NULL)
		return;
	text = texts[certificate_state(tls_begins_us(tls), tls_ends_us(tls), now_us)];
	if (text != NULL)
		log_warning(text,
			    LOG_TEXT("file", conf_text(settings->conf, "tls.certificate_file")),
			    LOG_TEXT("begins", clock_format(tls_begins_us(tls), begins)),
			    LOG_TEXT("expires", clock_format(tls_ends_us(tls), ends)));
}
