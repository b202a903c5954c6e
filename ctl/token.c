/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/token.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/token.h"
#include "base/token_rule.h"
#include "ctl/access.h"
#include "ctl/scope.h"

#define US_PER_S 1000000
#define S_PER_HOUR 3600
#define LIST_SIZE 640

enum { CONFIG = ACCESS_CONFIG, MERCHANT, SUBJECT, SCOPE, HOURS, KID };

/* clang-format off */
static const struct cli_option options[] = {
	ACCESS_CONFIG_OPTION,
	{ "merchant", 0, CLI_TEXT, "NAME", NULL, 0, 0, "the merchant that the token speaks for" },
	{ "subject", 0, CLI_TEXT, "TEXT", NULL, 0, 0,
	  "who holds the token, for the log; the name of the user who runs this when left out" },
	{ "scope", 0, CLI_TEXT, "WORDS", NULL, 0, 0,
	  "what the token allows, with blanks between the words; all that a merchant may do when "
	  "left out" },
	{ "hours", 0, CLI_INT, "N", "24", 1, 8760, "how long it is valid" },
	{ "kid", 0, CLI_TEXT, "KID", NULL, 0, 0,
	  "sign with this key of token_keys; the first when left out" },
};
/* clang-format on */
const struct command_options ctl_token_issue_options = { options,
							 sizeof options / sizeof *options };

/* Merchant, subject, scopes and expiry from the command line. Returns 0 or a failure's exit status.
 */
static int take_claims(const struct cli_values *values, int64_t now_s, struct token_claims *claims)
{
	const char *merchant = values->text[MERCHANT];
	const char *subject = values->given[SUBJECT] ? values->text[SUBJECT] : access_person();

	if (!values->given[MERCHANT])
		return command_fail(
			ERR_USAGE, "name the merchant with --merchant; see '%s token issue --help'",
			COMMAND_PROGRAM);
	if (!token_rule_merchant(merchant))
		return command_fail(
			ERR_INVALID,
			"'%.64s' cannot be a merchant: take 1 to 32 of a-z, 0-9, _ and -",
			merchant);
	if (!token_rule_subject(subject))
		return command_fail(
			ERR_INVALID,
			"--subject must be 1 to 128 visible ASCII characters without blanks");
	claims->scopes = SCOPE_ALL;
	if (values->given[SCOPE] && !token_scopes_parse(values->text[SCOPE], &claims->scopes))
		return scope_fail(values->text[SCOPE]);
	if (claims->scopes == 0)
		return command_fail(ERR_INVALID,
				    "--scope names no scope: leave it out for all of a merchant's");
	snprintf(claims->merchant, sizeof claims->merchant, "%s", merchant);
	snprintf(claims->subject, sizeof claims->subject, "%s", subject);
	claims->expires_at_s = now_s + values->integer[HOURS] * S_PER_HOUR;
	return 0;
}

/* The index of the key to sign with; keys->count where no key has that id. */
static size_t find_key(const struct token_keys *keys, const struct cli_values *values)
{
	size_t i = 0;

	while (values->given[KID] && i < keys->count &&
	       strcmp(keys->keys[i].kid, values->text[KID]) != 0)
		i++;
	return i;
}

static int fail_key(const struct token_keys *keys, const char *kid)
{
	char known[LIST_SIZE] = "";
	size_t used = 0;

	for (size_t i = 0; i < keys->count && used < sizeof known; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
					 i > 0 ? ", " : "", keys->keys[i].kid);
	return command_fail(ERR_NOT_FOUND, "the configuration has no token key '%.64s', but %s",
			    kid, known);
}

static int print_token(const struct token_keys *keys, const struct cli_values *values,
		       int64_t now_s, const struct token_claims *claims)
{
	size_t index = find_key(keys, values);
	char token[TOKEN_TEXT_MAX];
	enum err err;

	if (index == keys->count)
		return fail_key(keys, values->text[KID]);
	err = token_issue(keys, index, claims, now_s, token);
	if (err == ERR_CRYPTO)
		return command_fail(err,
				    "token key %s cannot sign: its file must hold the private key",
				    keys->keys[index].kid);
	if (err != ERR_OK)
		return command_fail(err, "no token was made: %s", err_row(err)->title);
	printf("%s\n", token);
	explicit_bzero(token, sizeof token);
	return 0;
}

int ctl_token_issue(const struct command_call *call)
{
	int64_t now_s = clock_now_us() / US_PER_S;
	char why[SETTINGS_WHY_SIZE] = "out of memory";
	struct settings *settings = NULL;
	struct token_claims claims;
	int status = take_claims(call->values, now_s, &claims);
	enum err err;

	if (status != 0)
		return status;
	err = settings_load(call->values->text[CONFIG], SETTINGS_TOKENS, &settings, why,
			    sizeof why);
	if (err != ERR_OK)
		return command_fail(err, "%s", why);
	status = print_token(&settings->token_keys, call->values, now_s, &claims);
	settings_release(settings);
	return status;
}
