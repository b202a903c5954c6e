/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/service_fixture.h"

#include <mysql.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/migrate.h"
#include "store/sheet.h"
#include "store/statement.h"

#define THREADS_MAX 32

static const char *socket_path(void)
{
	const char *path = getenv("PAYOPS_TEST_SOCKET");

	return path != NULL ? path : "";
}

void service_require(void)
{
	if (socket_path()[0] != '\0')
		return;
	fputs("skipped: PAYOPS_TEST_SOCKET does not name a server's socket\n", stderr);
	_exit(77); /* at an orderly exit the address sanitizer would report what the framework holds */
}

static MYSQL *connect_beside(const struct service *service)
{
	MYSQL *mysql = mysql_init(NULL);

	ck_assert_ptr_nonnull(mysql);
	ck_assert_msg(mysql_real_connect(mysql, NULL, "root", NULL, NULL, 0, socket_path(), 0) !=
			      NULL,
		      "%s", mysql_error(mysql));
	(void)mysql_select_db(mysql, service->name); /* it may be that there is none yet */
	return mysql;
}

static MYSQL *run(const struct service *service, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static MYSQL *run(const struct service *service, const char *format, va_list arguments)
{
	char text[1024];
	MYSQL *mysql = connect_beside(service);
	int size = vsnprintf(text, sizeof text, format, arguments);

	ck_assert_int_lt(size, (int)sizeof text);
	ck_assert_msg(mysql_query(mysql, text) == 0, "%s: %s", text, mysql_error(mysql));
	return mysql;
}

void service_do(const struct service *service, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	mysql_close(run(service, format, arguments));
	va_end(arguments);
}

long long service_number(const struct service *service, const char *format, ...)
{
	va_list arguments;
	MYSQL *mysql;
	MYSQL_RES *result;
	MYSQL_ROW row;
	long long number;

	va_start(arguments, format);
	mysql = run(service, format, arguments);
	va_end(arguments);
	result = mysql_store_result(mysql);
	ck_assert_ptr_nonnull(result);
	row = mysql_fetch_row(result);
	ck_assert_msg(row != NULL && row[0] != NULL, "%s", format);
	number = strtoll(row[0], NULL, 10);
	mysql_free_result(result);
	mysql_close(mysql);
	return number;
}

/* lint: state: a row is char *, and a test that reads one changes nothing */
static char empty_cell[] = "";

void service_rows(struct service *service, void (*each)(void *context, char **row), void *context,
		  const char *text)
{
	MYSQL *mysql;
	MYSQL_RES *result;
	MYSQL_ROW row;

	if (service->beside == NULL)
		service->beside = connect_beside(service);
	mysql = service->beside;
	ck_assert_msg(mysql_query(mysql, text) == 0, "%s: %s", text, mysql_error(mysql));
	result = mysql_store_result(mysql);
	while (result != NULL && (row = mysql_fetch_row(result)) != NULL) {
		for (unsigned i = 0; i < mysql_num_fields(result); i++)
			if (row[i] == NULL)
				row[i] = empty_cell;
		each(context, row);
	}
	mysql_free_result(result);
}

void service_create(struct service *service, const char *name)
{
	char why[STORE_WHY_SIZE] = "";
	enum err err;

	log_level_set(LOG_ERROR);
	snprintf(service->name, sizeof service->name, "payops_test_%s_%ld", name, (long)getpid());
	service->database = (struct store_settings){ .host = "",
						     .socket = socket_path(),
						     .user = "root",
						     .database = service->name,
						     .connect_timeout_ms = 5000,
						     .statement_timeout_ms = 20000 };
	service_do(service, "DROP DATABASE IF EXISTS %s", service->name);
	service_do(service, "CREATE DATABASE %s", service->name);
	err = migrate_up(&service->database, PAYOPS_TEST_SQLDIR, NULL, NULL, why);
	ck_assert_msg(err == ERR_OK, "%s", why);
	service_do(service, "INSERT INTO merchant (merchant, name, created_at_us) VALUES "
			    "('" SERVICE_MERCHANT "', 'Shop', 1), ('" SERVICE_OTHER_MERCHANT
			    "', 'Other', 1)");
}

void service_drop(struct service *service)
{
	service_do(service, "DROP DATABASE IF EXISTS %s", service->name);
}

static void vault_fill(struct vault *vault)
{
	*vault = (struct vault){ .count = 1 };
	snprintf(vault->keys[0].key_id, sizeof vault->keys[0].key_id, "seal1");
	memset(vault->keys[0].key, 's', CRYPTO_KEY_SIZE);
	memset(vault->hash_key.bytes, 'h', CRYPTO_KEY_SIZE);
	vault->hash_key.size = CRYPTO_KEY_SIZE;
}

static void gateway_fill(struct gateway *gateway)
{
	snprintf(gateway->name, sizeof gateway->name, SERVICE_GATEWAY);
	gateway->adapter = &gateway_sandbox;
	snprintf(gateway->base_url, sizeof gateway->base_url, "http://127.0.0.1:1");
	gateway->connect_timeout_ms = 3000;
	gateway->total_timeout_ms = SERVICE_TIMEOUT_MS;
	gateway->idempotent = true;
	gateway->authoritative = true;
	gateway->quiet_us = SERVICE_QUIET_US;
	gateway->authorisation_us = SERVICE_AUTHORISATION_US;
	gateway->callback_wait_us = SERVICE_CALLBACK_WAIT_US;
}

void service_add_gateway(struct service *service, const char *name)
{
	struct gateway *added = &service->gateways.list[service->gateways.count++];

	*added = service->gateways.list[0];
	snprintf(added->name, sizeof added->name, "%s", name);
}

void service_publish(struct service *service)
{
	struct catalogue_view *view = calloc(1, sizeof *view);
	struct routing_rule *rule = calloc(1, sizeof *rule);

	ck_assert(view != NULL && rule != NULL);
	atomic_init(&view->holders, 1);
	view->version = 1;
	view->gateways = service->gateways;
	view->rules = rule;
	snprintf(rule->name, sizeof rule->name, "default");
	for (unsigned i = 0; i < service->gateways.count; i++) {
		memcpy(view->capabilities[i].name, service->gateways.list[i].name,
		       sizeof view->capabilities[i].name);
		view->capabilities[i].operations = (1u << OPERATION_KIND_COUNT) - 1;
		rule->targets[rule->target_count++] = (struct routing_target){ i, i + 1, 1 };
	}
	view->routing = (struct routing_table){ service->gateways.count, view->capabilities, 1,
						rule };
	service->view = view;
	catalogue_close(service->due.catalogue);
	ck_assert_int_eq(catalogue_of(view, &service->due.catalogue), ERR_OK);
}

void service_open(struct service *service)
{
	static const char *const tables[] = { "ledger_entry", "exception",	"event",
					      "callback",     "attempt",	"operation",
					      "transaction",  "payment_method", "customer",
					      "breaker" };
	char why[STORE_WHY_SIZE] = "";

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		service_do(service, "DELETE FROM %s", tables[i]);
	ck_assert_msg(store_pool_open(&service->database, SERVICE_POOL_SIZE, &service->pool, why) ==
			      ERR_OK,
		      "%s", why);
	ck_assert_msg(store_open(&service->database, &service->store, why) == ERR_OK, "%s", why);
	ck_assert_int_eq(callback_start(&service->database, &service->callbacks), ERR_OK);
	vault_fill(&service->vault);
	service->gateways.count = 1;
	gateway_fill(&service->gateways.list[0]);
	service->due = (struct due_settings){ .vault = &service->vault,
					      .callback_base = "http://payops.test",
					      .send_window_us = SERVICE_SEND_WINDOW_US,
					      .lease_margin_us = SERVICE_LEASE_MARGIN_US };
	service_publish(service);
}

void service_close(struct service *service)
{
	batch_stop(service->callbacks);
	catalogue_close(service->due.catalogue);
	if (service->beside != NULL)
		mysql_close(service->beside);
	service->beside = NULL;
	store_close(service->store);
	store_pool_close(service->pool);
	vault_done(&service->vault);
}

void service_stop_clock(struct service *service, int64_t now_us)
{
	char text[64];

	snprintf(text, sizeof text, "SET timestamp = %lld.%06lld", (long long)(now_us / SECOND_US),
		 (long long)(now_us % SECOND_US));
	ck_assert_msg(mysql_query(service->store->mysql, text) == 0, "%s",
		      mysql_error(service->store->mysql));
}

static struct id id_new(int64_t now_us)
{
	uint8_t random[10];

	crypto_random(random, sizeof random);
	return id_make(now_us, random);
}

static void token_seal(const struct service *service, struct operation_row *operation)
{
	struct vault_place place = { VAULT_PAYMENT_TOKEN, operation->id };
	struct vault_sealed sealed;

	ck_assert_int_eq(vault_seal(&service->vault, &place, SERVICE_TOKEN, &sealed), ERR_OK);
	memcpy(operation->payment_token_sealed, sealed.bytes, sealed.size);
	operation->payment_token_sealed_size = sealed.size;
	memcpy(operation->payment_token_key_id, sealed.key_id, sizeof sealed.key_id);
}

struct story story_pending(const struct service *service, int64_t now_us)
{
	struct id transaction_id = id_new(now_us);
	struct story story = { .without_attempt = true };

	story.transaction =
		(struct transaction_row){ .id = transaction_id,
					  .merchant = SERVICE_MERCHANT,
					  .customer = "cust_001",
					  .kind = TRANSACTION_PAYMENT,
					  .amount = { SERVICE_AMOUNT, SERVICE_CURRENCY },
					  .exponent = 2,
					  .form = AMOUNT_MINOR,
					  .method = "credit_card",
					  .status = TS_PENDING,
					  .version = 1,
					  .created_at_us = now_us,
					  .updated_at_us = now_us };
	story.operation = (struct operation_row){ .id = id_new(now_us),
						  .transaction_id = transaction_id,
						  .merchant = SERVICE_MERCHANT,
						  .kind = OPERATION_CHARGE,
						  .amount_minor = SERVICE_AMOUNT,
						  .status = OS_PENDING,
						  .next_action = NEXT_SEND,
						  .next_action_at_us = now_us,
						  .gateway_key_number = 1,
						  .created_at_us = now_us,
						  .updated_at_us = now_us };
	token_seal(service, &story.operation);
	return story;
}

static void attempt_fill(struct story *story, enum attempt_status status, int64_t now_us)
{
	char operation[ID_TEXT_SIZE];
	struct attempt_row *attempt = &story->attempt;
	int64_t lease_until_us = now_us - 600 * SECOND_US;

	*attempt = (struct attempt_row){ .id = id_new(now_us),
					 .operation_id = story->operation.id,
					 .transaction_id = story->transaction.id,
					 .merchant = SERVICE_MERCHANT,
					 .number = 1,
					 .gateway = SERVICE_GATEWAY,
					 .status = status,
					 .class = ATTEMPT_CLASS_NONE,
					 .prepared_at_us = lease_until_us - 40 * SECOND_US,
					 .send_by_us = lease_until_us - 35 * SECOND_US,
					 .lease_until_us = lease_until_us,
					 .updated_at_us = lease_until_us };
	snprintf(attempt->our_reference, sizeof attempt->our_reference, "%s-1",
		 id_format(ID_OPERATION, story->operation.id, operation));
	memcpy(attempt->gateway_key, attempt->our_reference, sizeof attempt->gateway_key);
	if (status == AS_DECLINED)
		snprintf(attempt->decline_code, sizeof attempt->decline_code, "do_not_honour");
	if (status == AS_ACCEPTED || status == AS_REQUIRES_ACTION || status == AS_UNKNOWN)
		attempt->open_since_us = lease_until_us;
}

static enum transaction_status transaction_status_of(enum operation_status status)
{
	switch (status) {
	case OS_SUCCEEDED:
		return TS_COMPLETED;
	case OS_FAILED:
		return TS_FAILED;
	case OS_PARKED:
		return TS_PARKED;
	case OS_PROCESSING:
		return TS_PROCESSING;
	case OS_AWAITING_APPROVAL:
	case OS_PENDING:
	case OS_CANCELLED:
	case OS_REVERSED:
	case OS_RETURNED:
		break;
	}
	ck_abort_msg("no story has an operation in this status beside an attempt");
	return TS_PENDING;
}

static enum next_action next_action_of(enum attempt_status attempt, enum operation_status operation)
{
	if (operation == OS_SUCCEEDED || operation == OS_FAILED)
		return NEXT_NONE;
	if (operation == OS_PARKED)
		return NEXT_HUMAN;
	return attempt == AS_DECLINED || attempt == AS_NOT_SENT || attempt == AS_NOT_FOUND
		       ? NEXT_SEND
		       : NEXT_ASK;
}

struct story story_attempt(const struct service *service, enum attempt_status attempt,
			   enum operation_status operation, int64_t now_us)
{
	struct story story = story_pending(service, now_us);

	story.without_attempt = false;
	attempt_fill(&story, attempt, now_us);
	story.transaction.version = 2;
	story.transaction.status = transaction_status_of(operation);
	if (operation == OS_SUCCEEDED)
		story.transaction.amount_captured = story.transaction.amount.minor;
	if (operation == OS_FAILED)
		snprintf(story.transaction.failure_code, sizeof story.transaction.failure_code,
			 "declined");
	story.operation.status = operation;
	story.operation.attempt_count = 1;
	story.operation.next_action = next_action_of(attempt, operation);
	if (story.operation.next_action == NEXT_NONE) {
		story.operation.next_action_at_us = 0;
		story.operation.payment_token_sealed_size = 0;
		story.operation.payment_token_key_id[0] = '\0';
	}
	return story;
}

struct story story_part(const struct story *parent, enum operation_kind kind,
			enum attempt_status attempt, enum operation_status operation)
{
	const int64_t now_us = parent->operation.created_at_us;
	struct story story = *parent;

	story.without_attempt = false;
	story.operation = (struct operation_row){
		.id = id_new(now_us),
		.transaction_id = parent->transaction.id,
		.merchant = SERVICE_MERCHANT,
		.kind = kind,
		.amount_minor = parent->operation.amount_minor,
		.status = operation,
		.next_action = next_action_of(attempt, operation),
		.gateway_key_number = 1,
		.attempt_count = 1,
		.created_at_us = now_us,
		.updated_at_us = now_us,
		.parent_attempt_id = parent->attempt.id,
		.form = OPERATION_NO_FORM,
	};
	if (story.operation.next_action != NEXT_NONE)
		story.operation.next_action_at_us = now_us;
	attempt_fill(&story, attempt, now_us);
	return story;
}

struct story story_authorised(const struct service *service, int64_t now_us)
{
	struct story story = story_attempt(service, AS_SUCCEEDED, OS_SUCCEEDED, now_us);

	story.operation.kind = OPERATION_AUTHORISE;
	story.transaction.status = TS_AUTHORISED;
	story.transaction.amount_captured = 0;
	return story;
}

static enum err events_insert(struct store_tx *tx, const struct story *story)
{
	struct event_row event = { .transaction_id = story->transaction.id,
				   .merchant = SERVICE_MERCHANT,
				   .type = "before",
				   .transaction_from = EVENT_NO_STATUS,
				   .transaction_to = (int)story->transaction.status,
				   .operation_from = EVENT_NO_STATUS,
				   .operation_to = EVENT_NO_STATUS,
				   .attempt_from = EVENT_NO_STATUS,
				   .attempt_to = EVENT_NO_STATUS,
				   .at_us = story->transaction.created_at_us };
	enum err err = ERR_OK;

	for (event.sequence = 1; err == ERR_OK && event.sequence <= story->transaction.version;
	     event.sequence++) {
		event.id = id_new(event.at_us);
		err = store_event_insert(tx, &event);
	}
	return err;
}

static enum err put_work(struct store_tx *tx, void *context)
{
	const struct story *story = context;
	enum err err = store_operation_insert(tx, &story->operation);

	if (err == ERR_OK)
		err = store_transaction_insert(tx, &story->transaction);
	if (err == ERR_OK && !story->without_attempt)
		err = store_attempt_insert(tx, &story->attempt);
	return err == ERR_OK ? events_insert(tx, story) : err;
}

void story_put(struct service *service, const struct story *story)
{
	struct story put = *story;

	ck_assert_int_eq(store_run(service->store, put_work, &put), ERR_OK);
}

static enum err part_work(struct store_tx *tx, void *context)
{
	const struct story *story = context;
	enum err err = store_operation_insert(tx, &story->operation);

	return err == ERR_OK && !story->without_attempt ? store_attempt_insert(tx, &story->attempt)
							: err;
}

void story_part_put(struct service *service, const struct story *story)
{
	struct story put = *story;

	ck_assert_int_eq(store_run(service->store, part_work, &put), ERR_OK);
}

static enum err get_work(struct store_tx *tx, void *context)
{
	struct story *story = context;
	enum err err = store_operation_lock(tx, story->operation.id, &story->operation);

	if (err == ERR_OK)
		err = store_transaction_lock(tx, story->transaction.id, &story->transaction);
	if (err == ERR_OK && !story->without_attempt)
		err = store_attempt_lock(tx, story->attempt.id, &story->attempt);
	return err;
}

void story_get(struct service *service, struct story *story)
{
	ck_assert_int_eq(store_look(service->store, get_work, story), ERR_OK);
}

struct listing {
	const struct story *story;
	struct event_row last;
	uint32_t count;
};

static void event_each(void *context, const struct event_row *row)
{
	struct listing *listing = context;

	listing->count++;
	ck_assert_uint_eq(row->sequence, listing->count);
	listing->last = *row;
}

static enum err list_work(struct store_tx *tx, void *context)
{
	struct listing *listing = context;

	listing->count = 0;
	return store_event_list(tx, SERVICE_MERCHANT, listing->story->transaction.id, 0, 200,
				event_each, listing);
}

struct event_row story_last_event(struct service *service, const struct story *story)
{
	struct story now = *story;
	struct listing listing = { .story = story };

	story_get(service, &now);
	ck_assert_int_eq(store_look(service->store, list_work, &listing), ERR_OK);
	ck_assert_uint_eq(listing.count, now.transaction.version);
	ck_assert_int_eq(listing.last.transaction_to, now.transaction.status);
	return listing.last;
}

struct gateway_answer service_answer(enum attempt_event event)
{
	struct gateway_answer answer = { .event = event, .http_status = 200, .reason = "said" };

	if (event == AE_DECLINED)
		snprintf(answer.decline_code, sizeof answer.decline_code, "issuer_unavailable");
	return answer;
}

struct applying {
	const struct outcome_report *report;
	enum outcome_effect *effect;
	struct change_note note;
};

static enum err apply_work(struct store_tx *tx, void *context)
{
	struct applying *applying = context;
	enum err err = store_sheet_open(tx);

	if (err != ERR_OK)
		return err;
	return outcome_apply(tx, applying->report, applying->effect, &applying->note);
}

enum err service_apply(struct service *service, const struct outcome_report *report,
		       enum outcome_effect *effect)
{
	struct applying applying = { .report = report, .effect = effect };

	return store_run(service->store, apply_work, &applying);
}

enum err service_deliver(struct service *service, const struct callback_delivery *delivery,
			 enum callback_outcome *outcome, enum callback_result *result)
{
	return callback_receive(service->callbacks, delivery,
				clock_boot_us() + SERVICE_WAIT_MS * INT64_C(1000), outcome, result);
}

enum err service_mark(struct service *service, const struct due_job *job)
{
	return due_mark_sent(service->pool, &job, 1);
}

static enum err now_work(struct store_tx *tx, void *context)
{
	return store_now(tx, context);
}

int64_t service_now(struct service *service)
{
	int64_t now_us = 0;

	ck_assert_int_eq(store_look(service->store, now_work, &now_us), ERR_OK);
	return now_us;
}

enum outcome_effect story_tell(struct service *service, struct story *story,
			       const struct telling *telling)
{
	const struct gateway *gateway = telling->gateway;
	const struct outcome_report report = {
		.source = telling->source,
		.operation_id = story->operation.id,
		.attempt_id = story->attempt.id,
		.gateway = gateway == NULL ? &service->gateways.list[0] : gateway,
		.answer = &telling->answer,
		.api_call_id = "call_1",
		.asked_at_us = service_now(service) - telling->age_us,
		.quiet_confirmed = !telling->unconfirmed,
	};
	enum outcome_effect effect;

	ck_assert_int_eq(service_apply(service, &report, &effect), ERR_OK);
	story_get(service, story);
	return effect;
}

long long story_exceptions(const struct service *service, const struct story *story,
			   enum exception_kind kind)
{
	char hex[2 * ID_SIZE + 1];

	return service_number(service,
			      "SELECT COUNT(*) FROM exception WHERE transaction_id = x'%s' AND "
			      "kind = '%s' AND state = 'open'",
			      crypto_hex(story->transaction.id.bytes, ID_SIZE, hex),
			      words_text(exception_kind_words, (int)kind));
}

long long story_attempts(const struct service *service, const struct story *story)
{
	char hex[2 * ID_SIZE + 1];

	return service_number(service, "SELECT COUNT(*) FROM attempt WHERE transaction_id = x'%s'",
			      crypto_hex(story->transaction.id.bytes, ID_SIZE, hex));
}

struct runner {
	pthread_barrier_t *barrier;
	void *(*each)(void *context);
	void *context;
};

static void *runner_main(void *context)
{
	struct runner *runner = context;

	pthread_barrier_wait(runner->barrier);
	return runner->each(runner->context);
}

void service_together(size_t count, void *(*each)(void *context), void *contexts, size_t size)
{
	struct runner runners[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	pthread_barrier_t barrier;

	ck_assert_uint_le(count, THREADS_MAX);
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, (unsigned)count), 0);
	for (size_t i = 0; i < count; i++) {
		runners[i] = (struct runner){ &barrier, each, (char *)contexts + i * size };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, runner_main, &runners[i]), 0);
	}
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
}
