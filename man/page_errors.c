/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "man/pages.h"

#include "core/decline.h"
#include "core/err.h"

#define TITLE_SIZE 128

/* What to do about it, where correcting the request is not it. */
static const char *const classes[] = {
	[ERR_CLASS_NONE] = "",
	[ERR_CLASS_CALLER] = "",
	[ERR_CLASS_RETRY] = "Send it again.",
	[ERR_CLASS_UNCERTAIN] = "Ask, do not pay again.",
	[ERR_CLASS_FATAL] = "Tell support.",
};

static void errors_put(struct mdoc *page)
{
	char title[TITLE_SIZE];

	mdoc_macro(page, ".Sh ERROR CODES");
	mdoc_text(page,
		  "Refused requests are answered with `application/problem+json` (RFC 9457), "
		  "whose `code` is one of these. Programs end with the exit status beside it. "
		  "Neither changes from release to release.");
	mdoc_macro(page, ".Bl -tag -width Ds");
	for (int i = ERR_OK + 1; i < ERR_COUNT; i++) {
		const struct err_row *row = err_row((enum err)i);

		mdoc_macro(page, ".It Li %s", row->code);
		(void)snprintf(title, sizeof title, "%s.", row->title);
		mdoc_text(page, title);
		mdoc_text(page, classes[row->class]);
		mdoc_macro(page, "HTTP %d, exit status %d.", row->http_status, row->exit_status);
	}
	mdoc_macro(page, ".El");
}

static void declines_put(struct mdoc *page)
{
	size_t count;
	const struct decline *rows = decline_list(&count);

	mdoc_macro(page, ".Sh DECLINES");
	mdoc_text(page, "Why a gateway, an issuer or a scheme declined a payment: `decline_code` "
			"of `failure`. What a gateway says otherwise is `declined_other`.");
	mdoc_macro(page, ".Bl -tag -width Ds");
	for (size_t i = 0; i < count; i++) {
		mdoc_macro(page, ".It Li %s Pq Cm %s", rows[i].code,
			   words_text(advice_words, (int)rows[i].advice));
		mdoc_text(page, rows[i].message);
		if (rows[i].elsewhere)
			mdoc_text(page, "Another gateway is tried at once.");
		if (rows[i].again)
			mdoc_text(page, "The same is tried again after some seconds.");
	}
	mdoc_macro(page, ".El");
}

static void failures_put(struct mdoc *page)
{
#define DECLINE(code, advice, elsewhere, again, message)
#define FAILURE(code, advice, message) { code, ADVICE_##advice, false, false, message },
	static const struct decline failures[] = {
#include "core/decline.def"
	};
#undef DECLINE
#undef FAILURE

	mdoc_macro(page, ".Sh FAILURES");
	mdoc_text(page, "How a payment ended: `code` of `failure`.");
	mdoc_macro(page, ".Bl -tag -width Ds\n.It Li declined");
	mdoc_text(page, "It was declined, see above.");
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
		mdoc_macro(page, ".It Li %s Pq Cm %s", failures[i].code,
			   words_text(advice_words, (int)failures[i].advice));
		mdoc_text(page, failures[i].message);
	}
	mdoc_macro(page, ".El");
}

void page_errors(struct mdoc *page)
{
	mdoc_head(page, "payops-errors", "PAYOPS-ERRORS",
		  "what refusals, declines and failures of payops mean");
	mdoc_text(page, "An outcome that is not known is none of these: it is a payment that is "
			"`processing`, and the gateway is asked about it. In brackets behind a "
			"decline or a failure stands what to do:");
	mdoc_macro(page, ".Bl -tag -width other_method -compact");
	mdoc_macro(page, ".It Cm retry\nPay again, perhaps after the customer acted.");
	mdoc_macro(page, ".It Cm retry_later\nPay again tomorrow, or when the bank is back.");
	mdoc_macro(page, ".It Cm other_method\nPay with something else.");
	mdoc_macro(page, ".It Cm never\nDo not pay so again.\n.El");
	errors_put(page);
	declines_put(page);
	failures_put(page);
	mdoc_macro(page, ".Sh SEE ALSO\n.Xr payops-api 7 ,\n.Xr payops-states 7 ,\n.Xr apid 8 ,\n"
			 ".Xr payops-sandbox 8 ,\n.Xr payopsctl 8");
}
