/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/token.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/clock_test.h"
#include "base/token.h"
#include "tests/unit/capture.h"

#define COUNT(ROWS) (sizeof(ROWS) / sizeof(ROWS)[0])
#define PATH_SIZE 64
#define ARGUMENTS_MAX 12
#define NOW_S 1800000000
#define US_PER_S 1000000
#define KEY_A "0123456789abcdef0123456789abcdeA"
#define KEY_B "0123456789abcdef0123456789abcdeB"

static const char configuration[] = "token: { issuer = \"us\"; audience = \"them\"; };\n"
				    "token_keys = ( { kid = \"a\"; file = \"a.key\"; },\n"
				    "               { kid = \"b\"; file = \"b.key\"; } );\n";

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[2 * PATH_SIZE];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void remove_file(const char *directory, const char *name)
{
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	unlink(path);
}

/* Issue as the command line says, at NOW_S, with keys "a" and "b". Returns the exit status. */
static int issue(const char *const *arguments, struct capture *capture)
{
	const struct cli_program program = { .name = "payopsctl token issue",
					     .options = ctl_token_issue_options.rows,
					     .count = ctl_token_issue_options.count };
	char directory[PATH_SIZE] = "/tmp/payops-test-token-XXXXXX", config[2 * PATH_SIZE];
	char *argv[ARGUMENTS_MAX + 3] = { (char *)"payopsctl", config };
	struct cli_values values;
	int argc = 2, status;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	umask(077);
	write_file(directory, "payops.conf", configuration);
	write_file(directory, "a.key", KEY_A);
	write_file(directory, "b.key", KEY_B);
	snprintf(config, sizeof config, "--config=%s/payops.conf", directory);
	for (; arguments[argc - 2] != NULL; argc++)
		argv[argc] = (char *)arguments[argc - 2];
	ck_assert_int_eq(cli_parse(&program, argc, argv, &values), CLI_RUN);

	clock_test_start((int64_t)NOW_S * US_PER_S, 0);
	capture_start(capture);
	status = ctl_token_issue(&(struct command_call){ .values = &values });
	capture_end(capture);

	remove_file(directory, "payops.conf");
	remove_file(directory, "a.key");
	remove_file(directory, "b.key");
	ck_assert_int_eq(rmdir(directory), 0);
	return status;
}

static struct token_keys keys_of(const char *kid, const char *material)
{
	struct token_keys keys = { .issuer = "us", .audience = "them", .count = 1 };

	snprintf(keys.keys[0].kid, sizeof keys.keys[0].kid, "%s", kid);
	keys.keys[0].material.size = strlen(material);
	memcpy(keys.keys[0].material.bytes, material, strlen(material));
	return keys;
}

static const struct issue_case {
	const char *arguments[ARGUMENTS_MAX];
	const char *kid, *material;
	const char *merchant, *subject; /* subject NULL: any */
	unsigned scopes;
	int64_t hours;
} issues[] = {
	{ { "--merchant=demo" }, "a", KEY_A, "demo", NULL, SCOPE_ALL, 24 },
	{ { "--merchant=demo", "--subject=till-7" }, "a", KEY_A, "demo", "till-7", SCOPE_ALL, 24 },
	{ { "--merchant=demo", "--scope=payments:read" },
	  "a",
	  KEY_A,
	  "demo",
	  NULL,
	  SCOPE_PAYMENTS_READ,
	  24 },
	{ { "--merchant=demo", "--scope", " payments:write  refunds:write " },
	  "a",
	  KEY_A,
	  "demo",
	  NULL,
	  SCOPE_PAYMENTS_WRITE | SCOPE_REFUNDS_WRITE,
	  24 },
	{ { "--merchant=shop_2", "--kid=b", "--hours=1" },
	  "b",
	  KEY_B,
	  "shop_2",
	  NULL,
	  SCOPE_ALL,
	  1 },
	{ { "--merchant=demo", "--kid=a", "--hours=8760" },
	  "a",
	  KEY_A,
	  "demo",
	  NULL,
	  SCOPE_ALL,
	  8760 },
};

START_TEST(token_issue_prints_a_token_that_is_accepted_until_it_expires)
{
	const struct issue_case *row = &issues[_i];
	struct token_keys keys = keys_of(row->kid, row->material);
	struct token_claims claims;
	struct capture capture;
	const char *why = NULL;
	int64_t expires_at_s = NOW_S + row->hours * 3600;

	ck_assert_int_eq(issue(row->arguments, &capture), 0);
	ck_assert_str_eq(capture.err, "");
	ck_assert_uint_eq(strcspn(capture.out, "\n"), strlen(capture.out) - 1);
	capture.out[strlen(capture.out) - 1] = '\0';

	ck_assert_int_eq(token_verify(&keys, capture.out, NOW_S, &claims, &why), ERR_OK);
	ck_assert_str_eq(claims.merchant, row->merchant);
	ck_assert_uint_eq(claims.scopes, row->scopes);
	ck_assert_int_eq(claims.expires_at_s, expires_at_s);
	if (row->subject != NULL)
		ck_assert_str_eq(claims.subject, row->subject);
	ck_assert_int_eq(
		token_verify(&keys, capture.out, expires_at_s + TOKEN_SKEW_S + 1, &claims, &why),
		ERR_UNAUTHENTICATED);
}
END_TEST

static const struct refuse_case {
	const char *arguments[ARGUMENTS_MAX];
	int status;
	const char *said; /* stands in the message */
} refusals[] = {
	{ { NULL }, 64, "name the merchant with --merchant" },
	{ { "--merchant=" }, 65, "'' cannot be a merchant" },
	{ { "--merchant=Demo" }, 65, "'Demo' cannot be a merchant" },
	{ { "--merchant=a123456789012345678901234567890123" }, 65, "cannot be a merchant" },
	{ { "--merchant=demo", "--subject=" }, 65, "--subject must be" },
	{ { "--merchant=demo", "--subject=a b" }, 65, "--subject must be" },
	{ { "--merchant=demo", "--scope=" }, 65, "--scope names no scope" },
	{ { "--merchant=demo", "--scope=payment:read" },
	  65,
	  "unknown scope 'payment:read', did you mean payments:read?" },
	{ { "--merchant=demo", "--scope=payments:read,payments:write" }, 65, "unknown scope" },
	{ { "--merchant=demo", "--scope=payments:read frob" },
	  65,
	  "unknown scope 'frob': there are" },
	{ { "--merchant=demo", "--kid=c" }, 66, "no token key 'c', but a, b" },
	{ { "--merchant=demo", "--config=/nonexistent/payops.conf" }, 74, "cannot be read" },
};

START_TEST(token_issue_refuses_with_one_line_and_prints_no_token)
{
	const struct refuse_case *row = &refusals[_i];
	struct capture capture;

	ck_assert_int_eq(issue(row->arguments, &capture), row->status);
	ck_assert_str_eq(capture.out, "");
	ck_assert_msg(strstr(capture.err, row->said) != NULL, "%s", capture.err);
	ck_assert_uint_eq(strcspn(capture.err, "\n"), strlen(capture.err) - 1);
}
END_TEST

UNIT_MAIN("ctl_token",
	  tcase_add_loop_test(tests, token_issue_prints_a_token_that_is_accepted_until_it_expires,
			      0, COUNT(issues));
	  tcase_add_loop_test(tests, token_issue_refuses_with_one_line_and_prints_no_token, 0,
			      COUNT(refusals)))
