/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/guesser.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"

#define BLANKS " \t"

/* ---- where it comes from ---- */

/* The last entry of a list that ends before `end`, without blanks; false: none is left. */
static bool entry_before(const char *text, const char **end, const char **entry, size_t *size)
{
	const char *at = *end;

	if (at == NULL)
		return false;
	while (at > text && at[-1] != ',')
		at--;
	*entry = at + strspn(at, BLANKS);
	*size = *entry < *end ? (size_t)(*end - *entry) : 0;
	while (*size > 0 && strchr(BLANKS, (*entry)[*size - 1]) != NULL)
		(*size)--;
	*end = at > text ? at - 1 : NULL;
	return true;
}

/* Go from proxy to proxy, nearest first, while they are trusted. False: at one that is not, or says nothing of use. */
static bool go_back(const struct address_ranges *proxies, const char *line, struct address *address)
{
	const char *end = line + strlen(line), *entry;
	size_t size;

	while (entry_before(line, &end, &entry, &size)) {
		if (!address_ranges_have(proxies, *address) || !address_parse(entry, size, address))
			return false;
	}
	return true;
}

struct address guesser_address(const struct call *call)
{
	const struct http_call *http = call->http;
	struct address address = http->peer;

	for (size_t i = http->line_count; i > 0; i--)
		if (strcasecmp(http->lines[i - 1].name, "X-Forwarded-For") == 0 &&
		    !go_back(&call->app->proxies, http->lines[i - 1].value, &address))
			break;
	return address_network(address);
}

/* ---- what it is held against ---- */

static_assert(LOCKOUT_NAME_SIZE == ADDRESS_SIZE, "an address is a subject's name");

static struct lockout_subject subject_of(enum lockout_kind kind, const void *name)
{
	struct lockout_subject subject = { .kind = kind };

	memcpy(subject.name, name, LOCKOUT_NAME_SIZE);
	return subject;
}

static int left_s(const struct call *call, const struct lockout_subject *subject)
{
	return lockout_left_s(call->app->lockout, subject, clock_boot_us());
}

static void refuse(struct call *call, int seconds)
{
	metrics_count(call->app->metrics, METRICS_LOCKOUT_REFUSED);
	call_refuse_for(call, ERR_LOCKED_OUT, seconds);
}

/* True: it is locked out, and the call was refused. */
static bool refuse_locked_out(struct call *call, const struct lockout_subject *subject)
{
	const int seconds = left_s(call, subject);

	if (seconds > 0)
		refuse(call, seconds);
	return seconds > 0;
}

/* Told once a lock, however much is refused during it. */
static void note(struct call *call, const struct lockout_subject *subject, const char *of,
		 const char *name)
{
	const int lock_s = lockout_fail(call->app->lockout, subject, clock_boot_us());

	if (lock_s == 0)
		return;
	metrics_count(call->app->metrics, METRICS_LOCKOUT);
	log_warning("guesser locked out", LOG_TEXT("of", of), LOG_TEXT("subject", name),
		    LOG_INT("seconds", lock_s));
}

static int caller_left_s(const struct call *call)
{
	const struct address address = guesser_address(call);
	const struct lockout_subject subject = subject_of(LOCKOUT_CALLER, address.bytes);

	return left_s(call, &subject);
}

bool guesser_is_locked_out(const struct call *call)
{
	return caller_left_s(call) > 0;
}

/* It may be over meanwhile, but was not when it was judged. */
void guesser_refuse(struct call *call)
{
	const int seconds = caller_left_s(call);

	refuse(call, seconds > 0 ? seconds : 1);
}

bool guesser_failed(struct call *call, const char *key_id)
{
	const struct address address = guesser_address(call);
	const struct lockout_subject caller = subject_of(LOCKOUT_CALLER, address.bytes);
	struct lockout_subject key;
	char text[ADDRESS_TEXT_SIZE];
	bool refused;

	note(call, &caller, "address", address_network_write(address, text));
	if (key_id == NULL)
		return false;
	key = subject_of(LOCKOUT_KEY, key_id);
	refused = refuse_locked_out(call, &key);
	note(call, &key, "API key", key_id);
	return refused;
}

bool guesser_forged(struct call *call)
{
	const struct address address = guesser_address(call);
	const struct lockout_subject subject = subject_of(LOCKOUT_GATEWAY, address.bytes);
	char text[ADDRESS_TEXT_SIZE];
	const bool refused = refuse_locked_out(call, &subject);

	if (!refused)
		note(call, &subject, "callbacks' address", address_network_write(address, text));
	return refused;
}
