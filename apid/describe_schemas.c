/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The members of answers, as render.c and its like write them. */
#include "apid/describe.h"

#include <string.h>

#include "core/attempt.h"
#include "core/decline.h"
#include "core/operation.h"
#include "core/breaker.h"
#include "core/payment.h"
#include "core/routing.h"
#include "core/transaction.h"
#include "core/why.h"
#include "store/exception.h"

#define NULLABLE DESCRIBE_NULLABLE
#define ABSENT DESCRIBE_ABSENT

static const char *const outcome_unknown[] = { "outcome_unknown", NULL };
static const char *const health_words[] = { "ok", "ready", NULL };
static const char *const key_states[] = { "done", "in_flight", NULL };
static const char *const api_key_states[] = { "live", "expired", "revoked", NULL };

/* clang-format off */
static const struct describe_member receipt[] = {
	MEMBER(ID, "transaction_id", 0, "Its id.", .of = "trans_"),
	MEMBER(WORD, "status", 0,
	       "What it was when it was taken.", .words = &transaction_status_words),
	MEMBER(WORD, "status_reason", ABSENT,
	       "Why it is not known whether it is stored.", .list = outcome_unknown),
	MEMBER(TIME, "created_at", 0, "When it was taken."),
};

#define TRANSACTION_HEAD                                                                           \
	MEMBER(ID, "transaction_id", 0, "Its id.", .of = "trans_"),                                \
	MEMBER(WORD, "status", 0,                                                                  \
	       "Where it stands; completed, failed and cancelled are final.",                      \
	       .words = &transaction_status_words),                                                \
	MEMBER(TEXT, "status_reason", NULLABLE, "Why, in a word."),                                \
	MEMBER(AMOUNT, "amount", 0, "How much, in the form it was sent."),                         \
	MEMBER(OBJECT, "currency", 0, "Its currency.", .of = "Currency"),                          \
	MEMBER(WORD, "payment_method", NULLABLE, "How the customer pays.",                         \
	       .list = payment_methods),                                                           \
	MEMBER(ID, "payment_method_id", NULLABLE,                                                  \
	       "The payment method it was made with; it may be deleted since.", .of = "pm_"),      \
	MEMBER(TEXT, "description", NULLABLE, "What is paid for.")

#define TRANSACTION_TAIL                                                                           \
	MEMBER(TIME, "created_at", 0, "When it was taken."),                                       \
	MEMBER(TIME, "updated_at", 0, "When it changed last."),                                    \
	MEMBER(AMOUNT, "amount_captured", 0, "How much was collected."),                           \
	MEMBER(AMOUNT, "amount_refunded", 0, "How much was given back."),                          \
	MEMBER(TEXT, "gateway", NULLABLE, "The gateway of its latest attempt."),                   \
	MEMBER(TEXT, "gateway_txn_id", NULLABLE, "The gateway's own id."),                         \
	MEMBER(OBJECT, "failure", NULLABLE, "Why it failed.", .of = "Failure"),                    \
	MEMBER(WORD, "next_action", NULLABLE,                                                      \
	       "What happens next: send it, ask the gateway, let it expire, or wait for a "        \
	       "human.", .words = &next_action_words),                                             \
	MEMBER(TIME, "next_action_at", NULLABLE, "When."),                                         \
	MEMBER(STRINGS, "metadata", NULLABLE, "Your own strings."),                                \
	MEMBER(ANY, "instructions", NULLABLE,                                                      \
	       "What the customer must do, while there is something: as the gateway says it.")

static const struct describe_member transaction[] = {
	TRANSACTION_HEAD,
	MEMBER(TEXT, "customer_id", 0, "Whose it is."),
	TRANSACTION_TAIL,
};

static const struct describe_member customer_transaction[] = {
	TRANSACTION_HEAD,
	TRANSACTION_TAIL,
};

#define PART_RECEIPT                                                                               \
	MEMBER(ID, "transaction_id", 0, "Of this payment.", .of = "trans_"),                       \
	MEMBER(AMOUNT, "amount", 0, "How much."),                                                  \
	MEMBER(OBJECT, "currency", 0, "The payment's currency.", .of = "Currency"),                \
	MEMBER(TEXT, "reason", NULLABLE, "Why, as it was sent."),                                  \
	MEMBER(WORD, "status", 0, "What it was when it was taken.",                                \
	       .words = &operation_status_words),                                                  \
	MEMBER(WORD, "status_reason", ABSENT, "Why it is not known whether it is stored.",         \
	       .list = outcome_unknown),                                                           \
	MEMBER(TIME, "created_at", 0, "When it was taken.")

static const struct describe_member capture_receipt[] = {
	MEMBER(ID, "operation_id", 0, "Its id.", .of = "op_"),
	PART_RECEIPT,
};

static const struct describe_member refund_receipt[] = {
	MEMBER(ID, "refund_id", 0, "Its id.", .of = "ref_"),
	PART_RECEIPT,
};

static const struct describe_member refund[] = {
	MEMBER(ID, "refund_id", 0, "Its id.", .of = "ref_"),
	MEMBER(ID, "transaction_id", 0, "Of this payment.", .of = "trans_"),
	MEMBER(WORD, "status", 0, "Where it stands.", .words = &operation_status_words),
	MEMBER(TEXT, "status_reason", NULLABLE, "Why, in a word."),
	MEMBER(AMOUNT, "amount", 0, "How much."),
	MEMBER(OBJECT, "currency", 0, "The payment's currency.", .of = "Currency"),
	MEMBER(TEXT, "reason", NULLABLE, "Why, as it was sent."),
	MEMBER(BOOLEAN, "surplus", 0,
	       "Whether it gives back what was charged beside the payment: a late success."),
	MEMBER(TEXT, "gateway", NULLABLE, "The gateway of its latest attempt."),
	MEMBER(TEXT, "gateway_txn_id", NULLABLE, "The gateway's own id."),
	MEMBER(OBJECT, "failure", NULLABLE, "Why it failed.", .of = "Failure"),
	MEMBER(WORD, "next_action", NULLABLE, "What happens next.", .words = &next_action_words),
	MEMBER(TIME, "next_action_at", NULLABLE, "When."),
	MEMBER(TIME, "created_at", 0, "When it was taken."),
	MEMBER(TIME, "updated_at", 0, "When it changed last."),
};

static const struct describe_member failure[] = {
	MEMBER(TEXT, "code", 0, "How it ended: declined, or what else kept it from being made."),
	MEMBER(TEXT, "decline_code", NULLABLE, "Why the gateway declined it."),
	MEMBER(WORD, "advice", 0, "What to do about it.", .words = &advice_words),
	MEMBER(TEXT, "message", 0, "A sentence for people."),
};

static const struct describe_member event[] = {
	MEMBER(ID, "event_id", 0, "Its id.", .of = "evt_"),
	MEMBER(INTEGER, "sequence", 0, "Its number, without gaps from 1."),
	MEMBER(TEXT, "type", 0, "What happened."),
	MEMBER(WORD, "status", NULLABLE,
	       "The payment's status after it.", .words = &transaction_status_words),
	MEMBER(WORD, "from_status", NULLABLE,
	       "The payment's status before it.", .words = &transaction_status_words),
	MEMBER(ID, "operation_id", NULLABLE, "The operation that it concerns.", .of = "op_"),
	MEMBER(WORD, "operation_status", NULLABLE,
	       "That operation's status after it.", .words = &operation_status_words),
	MEMBER(ID, "attempt_id", NULLABLE, "The attempt that it concerns.", .of = "att_"),
	MEMBER(WORD, "attempt_status", NULLABLE,
	       "That attempt's status after it.", .words = &attempt_status_words),
	MEMBER(TEXT, "reason", NULLABLE, "Why, in a word."),
	MEMBER(TEXT, "api_call_id", NULLABLE, "The request that led to it."),
	MEMBER(TIME, "at", 0, "When."),
};

static const struct describe_member attempt[] = {
	MEMBER(ID, "attempt_id", 0, "Its id.", .of = "att_"),
	MEMBER(ID, "operation_id", 0, "The operation that it tries.", .of = "op_"),
	MEMBER(INTEGER, "number", 0, "Its number among the operation's tries."),
	MEMBER(TEXT, "gateway", 0, "The gateway."),
	MEMBER(WORD, "status", 0, "Where it stands.", .words = &attempt_status_words),
	MEMBER(WORD, "class", NULLABLE,
	       "Whether its outcome is certain.", .words = &attempt_class_words),
	MEMBER(TEXT, "gateway_txn_id", NULLABLE, "The gateway's own id."),
	MEMBER(TEXT, "our_reference", 0, "What the gateway knows it by."),
	MEMBER(TEXT, "decline_code", NULLABLE, "Why it was declined."),
	MEMBER(INTEGER, "http_status", NULLABLE, "The gateway's HTTP status."),
	MEMBER(TEXT, "reason", NULLABLE, "Why, in a word."),
	MEMBER(TEXT, "answer", NULLABLE, "The gateway's answer, masked."),
	MEMBER(INTEGER, "asked_count", 0, "How often the gateway was asked about it."),
	MEMBER(TIME, "prepared_at", 0, "When it was written down, before anything was sent."),
	MEMBER(TIME, "sent_at", NULLABLE, "When it was sent, where that was noted."),
	MEMBER(TIME, "answered_at", NULLABLE, "When the answer came."),
	MEMBER(TIME, "asked_at", NULLABLE, "When the gateway was asked last."),
	MEMBER(TIME, "contradicted_at", NULLABLE,
	       "When a success was reported for what was decided otherwise."),
};

static const struct describe_member why[] = {
	MEMBER(ID, "transaction_id", 0, "The payment.", .of = "trans_"),
	MEMBER(WORD, "status", 0, "Where it stands.", .words = &transaction_status_words),
	MEMBER(WORD, "charged", 0,
	       "Whether the customer was charged.", .words = &why_verdict_words),
	MEMBER(TEXT, "charged_text", 0, "The same as a sentence."),
	MEMBER(BOOLEAN, "safe_to_retry", 0, "Whether paying anew is safe."),
	MEMBER(WORD, "safe_to_retry_reason", 0, "Why, or why not.", .words = &why_retry_words),
	MEMBER(TEXT, "safe_to_retry_text", 0, "The same as a sentence."),
	MEMBER(LIST, "steps", 0, "What happened, the oldest first.", .of = "WhyStep"),
	MEMBER(LIST, "next", 0, "What happens next.", .of = "WhyNext"),
	MEMBER(LIST, "exceptions", 0,
	       "What the rules could not settle alone.", .of = "WhyException"),
	MEMBER(BOOLEAN, "truncated", 0,
	       "true where more is on record than is told here: what came last is missing."),
};

static const struct describe_member why_step[] = {
	MEMBER(TIME, "at", NULLABLE, "When."),
	MEMBER(INTEGER, "sequence", NULLABLE, "The event's number, where the step is one."),
	MEMBER(TEXT, "text", 0, "What happened."),
	MEMBER(TEXT, "evidence", NULLABLE, "How that is known."),
	MEMBER(TEXT, "rule", NULLABLE, "Which rule followed."),
};

static const struct describe_member why_next[] = {
	MEMBER(WORD, "action", 0, "What.", .words = &next_action_words),
	MEMBER(TIME, "at", NULLABLE, "When."),
	MEMBER(TEXT, "text", 0, "The same as a sentence."),
};

static const struct describe_member why_exception[] = {
	MEMBER(ID, "exception_id", 0, "Its id.", .of = "exc_"),
	MEMBER(WORD, "kind", 0, "What it is about.", .words = &exception_kind_words),
	MEMBER(WORD, "state", 0, "Whether it is settled.", .words = &exception_state_words),
	MEMBER(ID, "attempt_id", NULLABLE, "The attempt that it concerns.", .of = "att_"),
	MEMBER(TIME, "opened_at", 0, "When it was opened."),
	MEMBER(TIME, "resolved_at", NULLABLE, "When it was settled."),
	MEMBER(TEXT, "text", 0, "What it means."),
	MEMBER(TEXT, "detail", NULLABLE, "What was found."),
};

static const struct describe_member idempotency_key[] = {
	MEMBER(TEXT, "idempotency_key", 0, "The key, bare."),
	MEMBER(WORD, "state", 0,
	       "Whether what it began is stored, or being stored.", .list = key_states),
	MEMBER(ID, "transaction_id", ABSENT, "What it began.", .of = "trans_"),
	MEMBER(WORD, "status", ABSENT, "Where that stands.", .words = &transaction_status_words),
	MEMBER(TIME, "first_seen_at", ABSENT, "When the key came first."),
};

#define API_KEY                                                                                    \
	MEMBER(TEXT, "api_key_id", 0, "Its id, which is no secret.", .of = "^[0-9a-f]{16}$"),      \
	MEMBER(TEXT, "name", 0, "What people know it by."),                                        \
	MEMBER(TEXT, "scope", 0, "What it allows, as words separated by blanks."),                 \
	MEMBER(WORD, "state", 0, "Whether it is taken.", .list = api_key_states),                  \
	MEMBER(TIME, "created_at", 0, "When it was made."),                                        \
	MEMBER(TEXT, "created_by", 0, "By whom."),                                                 \
	MEMBER(TIME, "expires_at", 0, "When it expires."),                                         \
	MEMBER(TIME, "revoked_at", NULLABLE, "When it was revoked."),                              \
	MEMBER(TEXT, "revoked_by", NULLABLE, "By whom.")

static const struct describe_member api_key[] = { API_KEY };

static const struct describe_member new_api_key[] = {
	API_KEY,
	MEMBER(TEXT, "key", 0, "What to send as Bearer; shown this once."),
};

static const struct describe_member gateway[] = {
	MEMBER(TEXT, "gateway", 0, "Its name."),
	MEMBER(WORD, "state", 0, "Whether it takes payments.", .words = &routing_state_words),
	MEMBER(TEXTS, "operations", 0, "What it can do."),
	MEMBER(TEXTS, "currencies", 0, "The currencies it takes; none: all."),
	MEMBER(TEXTS, "countries", 0, "The countries it serves; none: all."),
	MEMBER(TEXTS, "payment_methods", 0, "The payment methods it takes; none: all."),
	MEMBER(OBJECT, "maintenance", NULLABLE, "Its maintenance, until that is over.",
	       .of = "Maintenance"),
};

static const struct describe_member maintenance[] = {
	MEMBER(TIME, "from", NULLABLE, "When it begins."),
	MEMBER(TIME, "until", 0, "When it ends."),
	MEMBER(TEXT, "reason", 0, "Why."),
};

static const struct describe_member explanation[] = {
	MEMBER(TEXT, "rule", NULLABLE, "The rule that fits; null where none does."),
	MEMBER(LIST, "rules", 0, "The rules that were looked at, in order.", .of = "ExplainedRule"),
	MEMBER(LIST, "candidates", 0, "The gateways of the rule that fits, in order.",
	       .of = "ExplainedGateway"),
};

static const struct describe_member explained_rule[] = {
	MEMBER(TEXT, "rule", 0, "Its name."),
	MEMBER(BOOLEAN, "fits", 0, "Whether it fits."),
	MEMBER(WORD, "misses", NULLABLE, "What keeps it from fitting.",
	       .words = &routing_miss_words),
};

static const struct describe_member explained_gateway[] = {
	MEMBER(TEXT, "gateway", 0, "Its name."),
	MEMBER(BOOLEAN, "usable", 0, "Whether it could be tried."),
	MEMBER(WORD, "reason", NULLABLE, "Why not.", .words = &routing_drop_words),
	MEMBER(WORD, "breaker", 0, "The state of its circuit breaker.",
	       .words = &breaker_state_words),
};

static const struct describe_member customer[] = {
	MEMBER(TEXT, "customer_id", 0, "Your own id of it, as payments name it."),
	MEMBER(TEXT, "name", NULLABLE, "Name."),
	MEMBER(TEXT, "email", NULLABLE, "E-mail address."),
	MEMBER(TEXT, "phone", NULLABLE, "Phone number, as it was sent."),
	MEMBER(OBJECT, "country", NULLABLE, "Country.", .of = "Country"),
	MEMBER(OBJECT, "address", NULLABLE, "Postal address.", .of = "Address"),
	MEMBER(TEXT, "date_of_birth", NULLABLE, "Day of birth."),
	MEMBER(STRINGS, "metadata", NULLABLE, "Your own strings."),
	MEMBER(TIME, "created_at", 0, "When it was added."),
	MEMBER(TIME, "updated_at", 0, "When it changed last."),
	MEMBER(TIME, "erased_at", NULLABLE, "When it was erased: of that, nothing else is left."),
};

static const struct describe_member address[] = {
	MEMBER(TEXT, "line1", NULLABLE, "Street and number."),
	MEMBER(TEXT, "line2", NULLABLE, "What else finds it."),
	MEMBER(TEXT, "city", NULLABLE, "City."),
	MEMBER(TEXT, "state", NULLABLE, "State or province."),
	MEMBER(TEXT, "postal_code", NULLABLE, "Postal code."),
};

static const struct describe_member payment_method[] = {
	MEMBER(ID, "payment_method_id", 0, "Its id.", .of = "pm_"),
	MEMBER(TEXT, "gateway", 0, "The gateway that knows its token."),
	MEMBER(WORD, "payment_method", 0, "How the customer pays with it.",
	       .list = payment_methods),
	MEMBER(TEXT, "brand", NULLABLE, "The card's or wallet's brand."),
	MEMBER(TEXT, "last4", NULLABLE, "The last four digits."),
	MEMBER(INTEGER, "expiry_month", NULLABLE, "The last month in which it is valid.",
	       .min = 1, .max = 12),
	MEMBER(INTEGER, "expiry_year", NULLABLE, "That month's year.", .min = 2000, .max = 2099),
	MEMBER(BOOLEAN, "default", 0, "Whether it is the customer's default."),
	MEMBER(TIME, "created_at", 0, "When it was added."),
	MEMBER(TIME, "updated_at", 0, "When it changed last."),
};

static const struct describe_member received[] = {
	MEMBER(BOOLEAN, "received", 0, "true: do not send it again."),
};

static const struct describe_member status[] = {
	MEMBER(WORD, "status", 0, "What it is.", .list = health_words),
};

static const struct describe_member problem[] = {
	MEMBER(TEXT, "type", 0, "/errors/ and the code."),
	MEMBER(TEXT, "title", 0, "What it is, the same for each code."),
	MEMBER(INTEGER, "status", 0, "The HTTP status."),
	MEMBER(OBJECT, "code", 0,
	       "What it is, as a word that stays the same in all releases.", .of = "ErrorCode"),
	MEMBER(TEXT, "detail", 0, "What is wrong here, as a sentence for developers."),
	MEMBER(TEXT, "instance", ABSENT, "The request's path."),
	MEMBER(TEXT, "api_call_id", 0, "The request's id: name it to support."),
	MEMBER(BOOLEAN, "retryable", 0, "Whether the same request may be sent again."),
	MEMBER(INTEGER, "retry_after", ABSENT, "After how many seconds."),
	MEMBER(WORD, "current_status", ABSENT,
	       "What the payment is, where that is the reason.",
	       .words = &transaction_status_words),
	MEMBER(TEXTS, "allowed_actions", ABSENT, "What can be done with it instead."),
	MEMBER(AMOUNT, "amount_left", ABSENT,
	       "How much can still be captured or refunded, where more was asked for."),
	MEMBER(OBJECT, "currency", ABSENT, "The payment's, beside amount_left.", .of = "Currency"),
	MEMBER(ID, "transaction_id", ABSENT, "The payment that failed.", .of = "trans_"),
	MEMBER(TEXT, "decline_code", ABSENT, "Why it was declined."),
	MEMBER(WORD, "advice", ABSENT, "What to do about it.", .words = &advice_words),
	MEMBER(LIST, "errors", ABSENT,
	       "Everything that is wrong, not only the first.", .of = "FieldError"),
};

static const struct describe_member field_error[] = {
	MEMBER(TEXT, "field", 0, "The member's name."),
	MEMBER(TEXT, "pointer", ABSENT, "Where it stands in the body (RFC 6901)."),
	MEMBER(TEXT, "code", 0, "What is wrong with it, as a word."),
	MEMBER(TEXT, "message", 0, "What to send instead."),
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define SCHEMA(name, text, members) { name, text, members, COUNT_OF(members), NULL, 0 }

static const struct describe_schema schemas[] = {
	SCHEMA("Receipt", "A payment that was taken.", receipt),
	/* Flat and not one of two: of a choice, generated clients make a type that people have to unwrap. */
	{ "PaymentReceipt",
	  "A payment that was taken; with wait, all of the payment as it is then "
	  "(Transaction). What a receipt does not hold is absent.",
	  transaction, COUNT_OF(transaction), receipt, COUNT_OF(receipt) },
	SCHEMA("Transaction", "A payment.", transaction),
	SCHEMA("CustomerTransaction", "A payment in its customer's list.", customer_transaction),
	SCHEMA("CaptureReceipt", "A capture that was taken.", capture_receipt),
	SCHEMA("RefundReceipt", "A refund that was taken.", refund_receipt),
	SCHEMA("Refund", "A refund.", refund),
	SCHEMA("Failure", "Why a payment failed, and what to do about it.", failure),
	SCHEMA("Event", "One step of a payment.", event),
	SCHEMA("Attempt", "One try at a gateway.", attempt),
	SCHEMA("Why", "The proof in words.", why),
	SCHEMA("WhyStep", "A step in words.", why_step),
	SCHEMA("WhyNext", "What happens next in words.", why_next),
	SCHEMA("WhyException", "Something that the rules cannot settle alone.", why_exception),
	SCHEMA("IdempotencyKey", "What a key began.", idempotency_key),
	SCHEMA("ApiKey", "An API key, without its secret.", api_key),
	SCHEMA("NewApiKey", "An API key that was just made.", new_api_key),
	SCHEMA("Gateway", "A gateway.", gateway),
	SCHEMA("Maintenance", "When a gateway is in maintenance.", maintenance),
	SCHEMA("Explanation", "Where a payment would go.", explanation),
	SCHEMA("ExplainedRule", "A rule that was looked at.", explained_rule),
	SCHEMA("ExplainedGateway", "A gateway that a rule names.", explained_gateway),
	SCHEMA("Customer", "A customer.", customer),
	SCHEMA("Address", "A postal address.", address),
	SCHEMA("PaymentMethod", "What a customer pays with.", payment_method),
	SCHEMA("Received", "A message that was stored.", received),
	SCHEMA("Status", "What a probe says.", status),
	SCHEMA("Problem", "A refusal (RFC 9457).", problem),
	SCHEMA("FieldError", "What is wrong with a member.", field_error),
};
/* clang-format on */

/* clang-format off */
static const struct describe_enum enums[] = {
	{ "TransactionStatus", "Where a payment stands; completed, failed and cancelled are final.",
	  &transaction_status_words, NULL },
	{ "TransactionKind", "What kind of movement of money it is.",
	  &transaction_kind_words, NULL },
	{ "PaymentMethodKind", "How a customer pays.", NULL, payment_methods },
	{ "CaptureMode", "When the money is taken.", NULL, payment_capture_modes },
	{ "ProcessMode", "When the gateway is asked.", NULL, payment_process_modes },
	{ "OperationKind", "One thing that is asked of a gateway.", &operation_kind_words, NULL },
	{ "OperationStatus", "Where a refund or another operation stands.",
	  &operation_status_words, NULL },
	{ "NextAction",
	  "What happens next: send it, ask the gateway, let it expire, or wait for a human.",
	  &next_action_words, NULL },
	{ "AttemptStatus", "Where a try at a gateway stands.", &attempt_status_words, NULL },
	{ "AttemptClass", "Whether a try's outcome is certain.", &attempt_class_words, NULL },
	{ "Advice", "What to do about a failure.", &advice_words, NULL },
	{ "Charged", "Whether a customer was charged.", &why_verdict_words, NULL },
	{ "RetryReason", "Why paying anew is safe, or why not.", &why_retry_words, NULL },
	{ "ExceptionKind", "What the rules cannot settle alone.", &exception_kind_words, NULL },
	{ "ExceptionState", "Whether an exception is settled.", &exception_state_words, NULL },
	{ "GatewayState", "Whether a gateway takes payments.", &routing_state_words, NULL },
	{ "RuleMiss", "What keeps a rule from fitting.", &routing_miss_words, NULL },
	{ "GatewayDrop", "Why a gateway could not be tried.", &routing_drop_words, NULL },
	{ "BreakerState", "The state of a circuit breaker.", &breaker_state_words, NULL },
	{ "ReceiptReason", "Why it is not known whether it is stored.", NULL, outcome_unknown },
	{ "HealthWord", "What a probe says.", NULL, health_words },
	{ "KeyState", "Whether what a key began is stored, or being stored.", NULL, key_states },
	{ "ApiKeyState", "Whether an API key is taken.", NULL, api_key_states },
};

/* One payment's life, for whoever reads an example; a page that gets none invents times that never were. */
static const struct example {
	enum describe_type type;
	const char *of; /* the member's name, or an id's prefix */
	const char *text;
} examples[] = {
	{ DESCRIBE_ID, "trans_", "trans_01KJMMA2K84TFF59TDWH9EDD1R" },
	{ DESCRIBE_ID, "op_", "op_01KJMMA2K81HEAD8X4A1JH69RE" },
	{ DESCRIBE_ID, "att_", "att_01KJMMA2KHH4QX4FR84G98PBSK" },
	{ DESCRIBE_ID, "evt_", "evt_01KJMMA2K8JMRNV7E9Z0C1HT0H" },
	{ DESCRIBE_ID, "ref_", "ref_01KJQ6PSK8G7KYHRJXJG7DJ13N" },
	{ DESCRIBE_ID, "exc_", "exc_01KJMV5SV82R00K6AGV0VFCXEC" },
	{ DESCRIBE_ID, "pm_", "pm_01KJMMA1M027H6P3AMKDQG6STT" },
	{ DESCRIBE_TIME, "created_at", "2026-03-01T12:00:00.104233Z" },
	{ DESCRIBE_TIME, "first_seen_at", "2026-03-01T12:00:00.104233Z" },
	{ DESCRIBE_TIME, "prepared_at", "2026-03-01T12:00:00.113402Z" },
	{ DESCRIBE_TIME, "sent_at", "2026-03-01T12:00:00.310442Z" },
	{ DESCRIBE_TIME, "answered_at", "2026-03-01T12:00:00.742018Z" },
	{ DESCRIBE_TIME, "updated_at", "2026-03-01T12:00:00.744905Z" },
	{ DESCRIBE_TIME, "at", "2026-03-01T12:00:00.744905Z" },
	{ DESCRIBE_TIME, "next_action_at", "2026-03-01T12:00:02.744905Z" },
	{ DESCRIBE_TIME, "asked_at", "2026-03-01T12:00:02.801377Z" },
	{ DESCRIBE_TIME, "contradicted_at", "2026-03-01T14:00:00.104871Z" },
	{ DESCRIBE_TIME, "opened_at", "2026-03-01T14:00:00.104871Z" },
	{ DESCRIBE_TIME, "resolved_at", "2026-03-01T15:12:40.330016Z" },
	{ DESCRIBE_TIME, "from", "2026-03-08T01:00:00.000000Z" },
	{ DESCRIBE_TIME, "until", "2026-03-08T03:00:00.000000Z" },
	{ DESCRIBE_TIME, "erased_at", "2026-06-01T09:30:00.512084Z" },
	{ DESCRIBE_TIME, "revoked_at", "2026-09-01T08:00:00.250391Z" },
	{ DESCRIBE_TIME, "expires_at", "2027-03-01T12:00:00.104233Z" },
};
/* clang-format on */

const struct describe_enum *describe_enums(size_t *count)
{
	*count = COUNT_OF(enums);
	return enums;
}

static const char *word_at(const struct words *words, const char *const *list, int i)
{
	if (words != NULL)
		return i < words->count ? words->list[i] : NULL;
	return list[i];
}

const struct describe_enum *describe_enum(const struct words *words, const char *const *list)
{
	for (size_t row = 0; row < COUNT_OF(enums); row++) {
		const char *a, *b;
		int i = 0;

		do {
			a = word_at(enums[row].words, enums[row].list, i);
			b = word_at(words, list, i);
			i++;
		} while (a != NULL && b != NULL && strcmp(a, b) == 0);
		if (a == NULL && b == NULL)
			return &enums[row];
	}
	return NULL;
}

const char *describe_example(const struct describe_member *member)
{
	const char *of = member->type == DESCRIBE_ID ? member->of : member->name;

	if (member->example != NULL)
		return member->example;
	for (size_t i = 0; i < COUNT_OF(examples); i++)
		if (examples[i].type == member->type && strcmp(examples[i].of, of) == 0)
			return examples[i].text;
	return NULL;
}

const struct describe_schema *describe_schemas(size_t *count)
{
	*count = COUNT_OF(schemas);
	return schemas;
}

const struct describe_schema *describe_schema(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(schemas); i++)
		if (strcmp(schemas[i].name, name) == 0)
			return &schemas[i];
	return NULL;
}
