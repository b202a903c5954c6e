/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sealed values for many rows of customer, payment_method and operation, as lines that LOAD DATA reads: number, then in
 * hexadecimal the customer's id, profile and metadata, the method's id and token, the operation's id and token.
 *
 * Why not through the API: sealing anew is measured with more rows than could be accepted in the time; and rows cannot
 * be multiplied in the database, since what is sealed opens in its own row alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/clock.h"
#include "core/customer.h"
#include "service/vault.h"

#define PROGRAM "seal"
#define APART_US 1000 /* rows, so that their ids sort as they are made */
#define TOLD_SIZE 8192

enum option { OPTION_ROWS, OPTION_KEY_ID, OPTION_KEY_FILE };

/* clang-format off */
static const struct cli_option options[] = {
	[OPTION_ROWS] = { "rows", 'n', CLI_INT, "N", "1000", 1, 100000000, "rows of each table" },
	[OPTION_KEY_ID] = { "key-id", 0, CLI_TEXT, "ID", "dev-1", 0, 0, "the key's id" },
	[OPTION_KEY_FILE] = { "key-file", 0, CLI_TEXT, "FILE", "", 0, 0, "the key" },
};
/* clang-format on */

static const struct cli_program program = {
	.name = PROGRAM,
	.summary = "seal values for many rows",
	.options = options,
	.count = sizeof options / sizeof options[0],
};

__attribute__((noreturn)) static void give_up(const char *message)
{
	cli_fail(PROGRAM, "%s", message);
	exit(1);
}

static void vault_take(struct vault *vault, const char *key_id, const char *file)
{
	struct vault_key *key = &vault->keys[0];
	struct secret bytes = { .size = 0 };
	char why[256];

	if (secret_read_file(file, &bytes, why, sizeof why) != ERR_OK)
		give_up(why);
	if (bytes.size != sizeof key->key || strlen(key_id) >= sizeof key->key_id)
		give_up("that is not a key");
	(void)snprintf(key->key_id, sizeof key->key_id, "%s", key_id);
	memcpy(key->key, bytes.bytes, sizeof key->key);
	vault->count = 1;
	secret_done(&bytes);
}

static struct id id_new(int64_t at_us)
{
	uint8_t random[10];

	crypto_random(random, sizeof random);
	return id_make(at_us, random);
}

static void tell_id(struct id id)
{
	char told[2 * ID_SIZE + 1];

	printf("\t%s", crypto_hex(id.bytes, ID_SIZE, told));
}

static void tell_sealed(const struct vault *vault, const char *column, struct id row,
			const char *text)
{
	const struct vault_place place = { column, row };
	struct vault_column sealed;
	uint8_t bytes[TOLD_SIZE / 2];
	char key_id[VAULT_KEY_ID_SIZE], told[TOLD_SIZE + 1];

	sealed = (struct vault_column){ .bytes = bytes, .room = sizeof bytes, .key_id = key_id };
	if (vault_seal_column(vault, &place, text, &sealed) != ERR_OK)
		give_up("cannot seal");
	printf("\t%s", crypto_hex(bytes, sealed.size, told));
}

/* A profile as people have: all but the state and the second line. */
static const char *profile_make(int64_t number, char packed[CUSTOMER_PACKED_SIZE])
{
	static struct customer_profile profile = {
		.text = { [CUSTOMER_PHONE] = "+62 21 5550 1234",
			  [CUSTOMER_BIRTH] = "1990-02-28",
			  [CUSTOMER_LINE1] = "Jalan Jenderal Sudirman 12",
			  [CUSTOMER_CITY] = "Jakarta",
			  [CUSTOMER_POSTAL] = "10220" },
	};

	(void)snprintf(profile.text[CUSTOMER_NAME], CUSTOMER_TEXT_SIZE, "Ana Wijaya %" PRId64,
		       number);
	(void)snprintf(profile.text[CUSTOMER_EMAIL], CUSTOMER_TEXT_SIZE, "ana%" PRId64 "@shop.test",
		       number);
	return customer_pack(&profile, packed);
}

static void tell_row(const struct vault *vault, int64_t number, int64_t at_us)
{
	const struct id customer = id_new(at_us), method = id_new(at_us), operation = id_new(at_us);
	char packed[CUSTOMER_PACKED_SIZE], token[64];

	(void)snprintf(token, sizeof token, "tok_ok_%" PRId64, number);
	printf("%" PRId64, number);
	tell_id(customer);
	tell_sealed(vault, VAULT_PROFILE, customer, profile_make(number, packed));
	tell_sealed(vault, VAULT_METADATA, customer, "{\"tier\":\"gold\",\"since\":\"2020\"}");
	tell_id(method);
	tell_sealed(vault, VAULT_METHOD_TOKEN, method, token);
	tell_id(operation);
	tell_sealed(vault, VAULT_PAYMENT_TOKEN, operation, token);
	printf("\n");
}

static void tell_rows(const struct cli_values *values)
{
	static struct vault vault;
	const int64_t rows = values->integer[OPTION_ROWS];
	const int64_t begin_us = clock_now_us() - rows * APART_US;

	vault_take(&vault, values->text[OPTION_KEY_ID], values->text[OPTION_KEY_FILE]);
	for (int64_t number = 0; number < rows; number++)
		tell_row(&vault, number, begin_us + number * APART_US);
	vault_done(&vault);
	if (fflush(stdout) != 0 || ferror(stdout))
		give_up("cannot write");
}

int main(int argc, char **argv)
{
	struct cli_values values;

	switch (cli_parse(&program, argc, argv, &values)) {
	case CLI_HELP_SHOWN:
		return 0;
	case CLI_WRONG:
		return 64;
	case CLI_RUN:
		break;
	}
	tell_rows(&values);
	return 0;
}
