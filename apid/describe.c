/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes in words; the members of answers are in describe_schemas.c, parameters in describe_parameters.c. */
#include "apid/describe.h"

#include <string.h>

#include "apid/api_key_fields.h"
#include "apid/explain.h"
#include "apid/idempotency_key.h"
#include "core/amendment.h"
#include "core/customer.h"
#include "core/operation.h"
#include "core/payment.h"
#include "core/payment_method.h"

#define PAYMENTS "Payments"
#define REFUNDS "Captures and refunds"
#define TRANSFERS "Deposits and withdrawals"
#define CUSTOMERS "Customers"
#define PROOF "Proof"
#define ROUTING "Routing"
#define KEYS "API keys"
#define GATEWAYS "Callbacks"
#define SERVER "Server"

const char *const describe_tags[][2] = {
	{ PAYMENTS, "Take payments, see what became of them, change and stop them." },
	{ REFUNDS, "Collect what is authorised, release it, give back what was collected." },
	{ TRANSFERS,
	  "Money from users and to them, as the old deposit service's clients send it." },
	{ CUSTOMERS,
	  "Who pays: profiles, which are kept encrypted, and the tokens that they pay with." },
	{ PROOF, "What happened to a payment, step by step, and whether paying again is safe." },
	{ ROUTING, "Which gateways there are, and where a payment would go." },
	{ KEYS, "Make, replace and revoke what your programs bear in place of tokens." },
	{ GATEWAYS, "Messages of payment gateways, signed by them." },
	{ SERVER, "Probes of the process, and this description." },
	{ NULL, NULL },
};

#define PAYMENT_EXAMPLE                                                                            \
	"{\"amount\":1000,\"currency\":\"USD\",\"payment_method\":\"credit_card\","                \
	"\"description\":\"Payment for order #1234\",\"customer_id\":\"cust_001\"}"

#define PAGE_TEXT                                                                                  \
	"A page that is not the last has the next one's address in its Link header; it goes with " \
	"the same filters only. A page may be short, or empty, where few rows pass the "           \
	"filters: the next page goes on behind what was looked at."

#define PART_EXAMPLE "{\"amount\":250,\"reason\":\"One of four came back\"}"
#define CUSTOMER_EXAMPLE                                                                           \
	"{\"customer_id\":\"cust_001\",\"name\":\"Ana Wijaya\",\"email\":\"ana@shop.example\","  \
	"\"phone\":\"+62 812 3456 789\",\"country\":\"ID\",\"address\":{\"line1\":"            \
	"\"Jl. Merdeka 1\",\"city\":\"Jakarta\",\"postal_code\":\"10110\"},"                   \
	"\"date_of_birth\":\"1990-02-28\",\"metadata\":{\"tier\":\"silver\"}}"
#define METHOD_EXAMPLE                                                                             \
	"{\"gateway\":\"alpha\",\"payment_token\":\"tok_ok\",\"payment_method\":\"credit_card\"," \
	"\"brand\":\"visa\",\"last4\":\"4242\",\"expiry_month\":12,\"expiry_year\":2031}"
#define TRANSFER_EXAMPLE "{\"user_id\":123,\"amount\":\"100.50\",\"currency\":\"USD\"}"

static const struct field_spec *fields_of_payments(size_t *count)
{
	return payment_fields(TRANSACTION_PAYMENT, count);
}

static const struct field_spec *fields_of_transfers(size_t *count)
{
	return payment_fields(TRANSACTION_DEPOSIT, count);
}

static const struct describe_route routes[] = {
	{ .method = "POST",
	  .path = "/transactions",
	  .id = "createTransaction",
	  .request = "PaymentRequest",
	  .tag = PAYMENTS,
	  .summary = "Take a payment",
	  .text = "Answers when the payment is durably stored; the gateway is called after that. "
		  "With "
		  "an Idempotency-Key the same request again gets the same answer and makes no "
		  "second "
		  "payment. With wait it answers with the payment as it is then. A "
		  "payment_method_id in place of a payment_token takes a method that is kept for "
		  "the customer: it goes to that method's gateway and to no other.",
	  .fields = fields_of_payments,
	  .headers = DESCRIBE_KEY,
	  .example = PAYMENT_EXAMPLE,
	  .answers = { { .status = 201,
			 .text = "It is stored; where wait was asked for, its outcome is known.",
			 .schema = "PaymentReceipt",
			 .headers = DESCRIBE_LOCATION | DESCRIBE_REPLAYED | DESCRIBE_ETAG },
		       { .status = 202,
			 .text = "It is under way: its outcome was not known in time. Ask for it; "
				 "do "
				 "not pay again.",
			 .schema = "PaymentReceipt",
			 .headers = DESCRIBE_LOCATION | DESCRIBE_REPLAYED | DESCRIBE_ETAG } },
	  .errors = { ERR_DECLINED, ERR_NO_ROUTE, ERR_KEY_REUSED, ERR_KEY_IN_FLIGHT } },
	{ .method = "GET",
	  .path = "/transactions",
	  .id = "listTransactions",
	  .tag = PAYMENTS,
	  .summary = "List payments",
	  .text = "All payments of the merchant, the newest first. " PAGE_TEXT,
	  .answers = { { .status = 200,
			 .text = "A page of payments.",
			 .schema = "Transaction",
			 .list = true,
			 .headers = DESCRIBE_LINK } } },
	{ .method = "POST",
	  .path = "/transactions/cancel-by-key",
	  .id = "cancelByKey",
	  .request = "KeyCancellation",
	  .tag = PAYMENTS,
	  .summary = "Cancel what a key began",
	  .text = "For a client that does not know what became of its request. Where the customer "
		  "may "
		  "have been charged already, 409 says so and the wish is remembered: nothing more "
		  "is "
		  "sent, and a success is proposed for refund.",
	  .fields = idempotency_key_fields,
	  .headers = 0,
	  .example = "{\"idempotency_key\":\"order-1234\"}",
	  .answers = { { .status = 200,
			 .text = "It is cancelled, now or before.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG } },
	  .errors = { ERR_NOT_FOUND, ERR_STATE, ERR_KEY_IN_FLIGHT, ERR_STALE } },
	{ .method = "GET",
	  .path = "/transactions/{transaction_id}",
	  .id = "getTransaction",
	  .tag = PAYMENTS,
	  .summary = "Show a payment",
	  .text = "The payment as it is now, with its version as ETag. With refresh=true the "
		  "gateway is "
		  "asked about an open outcome first.",
	  .headers = DESCRIBE_IF_NONE_MATCH,
	  .answers = { { .status = 200,
			 .text = "The payment.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG },
		       { .status = 304,
			 .text = "It is the version that If-None-Match names.",
			 .headers = DESCRIBE_ETAG } } },
	{ .method = "PATCH",
	  .path = "/transactions/{transaction_id}",
	  .id = "updateTransaction",
	  .request = "PaymentUpdate",
	  .tag = PAYMENTS,
	  .summary = "Amend a pending payment",
	  .text = "Changes description and metadata while nothing was sent. What is not given "
		  "stays; "
		  "null removes. Metadata are merged (RFC 7396).",
	  .fields = amendment_fields,
	  .headers = DESCRIBE_IF_MATCH,
	  .example = "{\"description\":\"Order #1234, amended\",\"metadata\":{\"order\":\"1234\"}}",
	  .answers = { { .status = 200,
			 .text = "The payment as it is now.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG } },
	  .errors = { ERR_STATE } },
	{ .method = "GET",
	  .path = "/transactions/{transaction_id}/events",
	  .id = "listEvents",
	  .tag = PROOF,
	  .summary = "List what happened to it",
	  .text = "Its timeline, the oldest first; events are numbered without gaps. The first "
		  "1,000 are listed.",
	  .answers = { { .status = 200,
			 .text = "The timeline.",
			 .schema = "Event",
			 .list = true,
			 .headers = DESCRIBE_TRUNCATED } } },
	{ .method = "GET",
	  .path = "/transactions/{transaction_id}/attempts",
	  .id = "listAttempts",
	  .tag = PROOF,
	  .summary = "List the tries at gateways",
	  .text = "Each try at a gateway, with what became of it and the gateway's masked answer.",
	  .answers = { { .status = 200,
			 .text = "The tries, the oldest first.",
			 .schema = "Attempt",
			 .list = true } } },
	{ .method = "GET",
	  .path = "/transactions/{transaction_id}/why",
	  .id = "explainTransaction",
	  .tag = PROOF,
	  .summary = "Explain it in words",
	  .text = "Whether the customer was charged, whether paying again is safe, each step with "
		  "its "
		  "evidence and the rule that followed, and what happens next.",
	  .answers = { { .status = 200, .text = "The proof in words.", .schema = "Why" } } },
	{ .method = "POST",
	  .path = "/transactions/{transaction_id}/process",
	  .id = "processTransaction",
	  .request = "EmptyRequest",
	  .tag = PAYMENTS,
	  .summary = "Start a payment that waits",
	  .text = "Starts a payment that was taken with process: manual.",
	  .headers = DESCRIBE_IF_MATCH,
	  .example = "{}",
	  .answers = { { .status = 200,
			 .text = "It was started before.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG },
		       { .status = 202,
			 .text = "It is started.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG } },
	  .errors = { ERR_STATE } },
	{ .method = "POST",
	  .path = "/transactions/{transaction_id}/cancel",
	  .id = "cancelTransaction",
	  .request = "EmptyRequest",
	  .tag = PAYMENTS,
	  .summary = "Cancel a payment",
	  .text = "Cancels a payment of which nothing was sent, or stops one between two tries. "
		  "What may "
		  "have been charged, or is over, is refused.",
	  .headers = DESCRIBE_IF_MATCH,
	  .example = "{}",
	  .answers = { { .status = 200,
			 .text = "It is cancelled, now or before.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG } },
	  .errors = { ERR_STATE } },
	{ .method = "POST",
	  .path = "/transactions/{transaction_id}/capture",
	  .id = "captureTransaction",
	  .request = "CaptureRequest",
	  .tag = REFUNDS,
	  .summary = "Capture what is authorised",
	  .text = "Collects all that is left of it, or a part, in as many requests as it takes.",
	  .fields = payment_part_fields,
	  .headers = DESCRIBE_KEY_NEEDED | DESCRIBE_IF_MATCH,
	  .example = PART_EXAMPLE,
	  .answers = { { .status = 201,
			 .text = "It is stored.",
			 .schema = "CaptureReceipt",
			 .headers = DESCRIBE_REPLAYED },
		       { .status = 202,
			 .text = "Whether it is stored is not known yet: send it again.",
			 .schema = "CaptureReceipt" } },
	  .errors = { ERR_KEY_REQUIRED, ERR_KEY_REUSED, ERR_KEY_IN_FLIGHT, ERR_STATE } },
	{ .method = "POST",
	  .path = "/transactions/{transaction_id}/void",
	  .id = "voidTransaction",
	  .request = "EmptyRequest",
	  .tag = REFUNDS,
	  .summary = "Release what is authorised",
	  .text = "Releases what is not captured; while a capture is open it is refused.",
	  .headers = DESCRIBE_IF_MATCH,
	  .example = "{}",
	  .answers = { { .status = 200,
			 .text = "It was released before.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG },
		       { .status = 202,
			 .text = "It is being released.",
			 .schema = "Transaction",
			 .headers = DESCRIBE_ETAG } },
	  .errors = { ERR_STATE } },
	{ .method = "POST",
	  .path = "/transactions/{transaction_id}/refunds",
	  .id = "refundTransaction",
	  .request = "RefundRequest",
	  .tag = REFUNDS,
	  .summary = "Refund a payment",
	  .text = "Gives back all that is left of what was captured, or a part. The amount is "
		  "reserved "
		  "when this is answered, so that refunds can never be more than was captured.",
	  .fields = payment_part_fields,
	  .headers = DESCRIBE_KEY_NEEDED | DESCRIBE_IF_MATCH,
	  .example = PART_EXAMPLE,
	  .answers = { { .status = 201,
			 .text = "It is stored and reserved.",
			 .schema = "RefundReceipt",
			 .headers = DESCRIBE_LOCATION | DESCRIBE_REPLAYED },
		       { .status = 202,
			 .text = "Whether it is stored is not known yet: send it again.",
			 .schema = "RefundReceipt",
			 .headers = DESCRIBE_LOCATION } },
	  .errors = { ERR_KEY_REQUIRED, ERR_KEY_REUSED, ERR_KEY_IN_FLIGHT, ERR_STATE } },
	{ .method = "GET",
	  .path = "/transactions/{transaction_id}/refunds",
	  .id = "listTransactionRefunds",
	  .tag = REFUNDS,
	  .summary = "List a payment's refunds",
	  .text = "Its refunds, the oldest first. The first 1,000 are listed.",
	  .answers = { { .status = 200,
			 .text = "The refunds.",
			 .schema = "Refund",
			 .list = true,
			 .headers = DESCRIBE_TRUNCATED } } },
	{ .method = "GET",
	  .path = "/refunds",
	  .id = "listRefunds",
	  .tag = REFUNDS,
	  .summary = "List refunds",
	  .text = "All refunds of the merchant, the newest first; currency, payment method and "
		  "customer are those of their payments. " PAGE_TEXT,
	  .statuses = &operation_status_words,
	  .answers = { { .status = 200,
			 .text = "A page of refunds.",
			 .schema = "Refund",
			 .list = true,
			 .headers = DESCRIBE_LINK } } },
	{ .method = "GET",
	  .path = "/refunds/{refund_id}",
	  .id = "getRefund",
	  .tag = REFUNDS,
	  .summary = "Show a refund",
	  .text = "The refund as it is now.",
	  .answers = { { .status = 200, .text = "The refund.", .schema = "Refund" } } },
	{ .method = "POST",
	  .path = "/deposit",
	  .id = "createDeposit",
	  .request = "TransferRequest",
	  .tag = TRANSFERS,
	  .summary = "Take money from a user",
	  .text = "Like a payment, with the members of the old deposit service.",
	  .fields = fields_of_transfers,
	  .headers = DESCRIBE_KEY,
	  .example = TRANSFER_EXAMPLE,
	  .answers = { { .status = 202,
			 .text = "It is taken, and worked at.",
			 .schema = "Receipt",
			 .headers = DESCRIBE_LOCATION | DESCRIBE_REPLAYED } },
	  .errors = { ERR_NO_ROUTE, ERR_KEY_REUSED, ERR_KEY_IN_FLIGHT } },
	{ .method = "POST",
	  .path = "/withdrawal",
	  .id = "createWithdrawal",
	  .request = "TransferRequest",
	  .tag = TRANSFERS,
	  .summary = "Pay money out to a user",
	  .text = "Once it was sent to a gateway it is never sent again by itself. An "
		  "Idempotency-Key is "
		  "required, unless the merchant may do without.",
	  .fields = fields_of_transfers,
	  .headers = DESCRIBE_KEY,
	  .example = TRANSFER_EXAMPLE,
	  .answers = { { .status = 202,
			 .text = "It is taken, and worked at.",
			 .schema = "Receipt",
			 .headers = DESCRIBE_LOCATION | DESCRIBE_REPLAYED } },
	  .errors = { ERR_KEY_REQUIRED, ERR_NO_ROUTE, ERR_KEY_REUSED, ERR_KEY_IN_FLIGHT } },
	{ .method = "GET",
	  .path = "/idempotency-keys/{key}",
	  .id = "getIdempotencyKey",
	  .tag = PROOF,
	  .summary = "Show what a key began",
	  .text = "For a client whose request was cut off: whether anything was begun with its "
		  "key, and "
		  "what.",
	  .answers = { { .status = 200, .text = "What it began.", .schema = "IdempotencyKey" } } },
	{ .method = "GET",
	  .path = "/customers/{customer_id}/transactions",
	  .id = "listCustomerTransactions",
	  .tag = PAYMENTS,
	  .summary = "List a customer's payments",
	  .text = "Like all payments, without customer_id. " PAGE_TEXT,
	  .answers = { { .status = 200,
			 .text = "A page of payments.",
			 .schema = "CustomerTransaction",
			 .list = true,
			 .headers = DESCRIBE_LINK } },
	  .errors = { ERR_INVALID } },
	{ .method = "POST",
	  .path = "/api-keys",
	  .id = "createApiKey",
	  .request = "ApiKeyRequest",
	  .tag = KEYS,
	  .summary = "Make an API key",
	  .text = "The key in the answer is shown this once: only a hash of it is kept. It allows "
		  "what its scope says, which is no more than the token of this request does.",
	  .fields = api_key_fields,
	  .example = "{\"name\":\"till-7\",\"scope\":\"payments:read payments:write\"}",
	  .answers = { { .status = 201,
			 .text = "It is made, and allows it from now on.",
			 .schema = "NewApiKey",
			 .headers = DESCRIBE_LOCATION } },
	  .errors = { ERR_CONFLICT } },
	{ .method = "GET",
	  .path = "/api-keys",
	  .id = "listApiKeys",
	  .tag = KEYS,
	  .summary = "List API keys",
	  .text = "All of the merchant's, the newest first, revoked and expired ones too; without "
		  "their secrets. A page that is not the last has the next one's address in its "
		  "Link header.",
	  .answers = { { .status = 200,
			 .text = "A page of API keys.",
			 .schema = "ApiKey",
			 .list = true,
			 .headers = DESCRIBE_LINK } } },
	{ .method = "GET",
	  .path = "/api-keys/{api_key_id}",
	  .id = "getApiKey",
	  .tag = KEYS,
	  .summary = "Show an API key",
	  .text = "What it allows and until when, without its secret.",
	  .answers = { { .status = 200, .text = "The API key.", .schema = "ApiKey" } } },
	{ .method = "DELETE",
	  .path = "/api-keys/{api_key_id}",
	  .id = "revokeApiKey",
	  .tag = KEYS,
	  .summary = "Revoke an API key",
	  .text = "For good: within two seconds it is refused everywhere. Once more it changes "
		  "nothing.",
	  .answers = { { .status = 200,
			 .text = "It is revoked, now or before.",
			 .schema = "ApiKey" } } },
	{ .method = "POST",
	  .path = "/api-keys/{api_key_id}/rotate",
	  .id = "rotateApiKey",
	  .request = "ApiKeyRotation",
	  .tag = KEYS,
	  .summary = "Replace an API key",
	  .text = "Makes a second key of the same name and scope beside the live one. Both are "
		  "taken "
		  "until the old one is revoked, and there is never a third. Who asks must be "
		  "allowed "
		  "all that the key allows.",
	  .fields = api_key_rotation_fields,
	  .example = "{}",
	  .answers = { { .status = 201,
			 .text = "It is made; the old one lives on.",
			 .schema = "NewApiKey",
			 .headers = DESCRIBE_LOCATION } },
	  .errors = { ERR_STATE } },
	{ .method = "POST",
	  .path = "/customers",
	  .id = "createCustomer",
	  .request = "CustomerRequest",
	  .tag = CUSTOMERS,
	  .summary = "Add a customer",
	  .text = "Payments name a customer_id with or without a profile. With one, its country "
		  "chooses the gateway of payments that name none. Sent again with the same "
		  "customer_id it is refused with 409, so that none is added twice; with an "
		  "Idempotency-Key the same request again gets the same answer. The id of a "
		  "customer who was erased may be given again.",
	  .fields = customer_fields,
	  .headers = DESCRIBE_KEY,
	  .example = CUSTOMER_EXAMPLE,
	  .answers = { { .status = 201,
			 .text = "It is stored.",
			 .schema = "Customer",
			 .headers = DESCRIBE_LOCATION | DESCRIBE_REPLAYED | DESCRIBE_ETAG } },
	  .errors = { ERR_CONFLICT, ERR_KEY_REUSED, ERR_KEY_IN_FLIGHT } },
	{ .method = "GET",
	  .path = "/customers",
	  .id = "listCustomers",
	  .tag = CUSTOMERS,
	  .summary = "List customers",
	  .text = "The merchant's customers, the newest first; by e-mail address or phone number "
		  "only where all of it is given. A page that is not the last has the next one's "
		  "address in its Link header; it goes with the same filters only.",
	  .answers = { { .status = 200,
			 .text = "A page of customers.",
			 .schema = "Customer",
			 .list = true,
			 .headers = DESCRIBE_LINK } } },
	{ .method = "GET",
	  .path = "/customers/{customer_id}",
	  .id = "getCustomer",
	  .tag = CUSTOMERS,
	  .summary = "Show a customer",
	  .text = "The profile as it is now, with its version as ETag.",
	  .headers = DESCRIBE_IF_NONE_MATCH,
	  .answers = { { .status = 200,
			 .text = "The customer.",
			 .schema = "Customer",
			 .headers = DESCRIBE_ETAG },
		       { .status = 304,
			 .text = "It is the version that If-None-Match names.",
			 .headers = DESCRIBE_ETAG } } },
	{ .method = "PATCH",
	  .path = "/customers/{customer_id}",
	  .id = "updateCustomer",
	  .request = "CustomerUpdate",
	  .tag = CUSTOMERS,
	  .summary = "Change a customer",
	  .text = "What is not given stays; null removes. Address and metadata are merged "
		  "(RFC 7396).",
	  .fields = customer_amendment_fields,
	  .headers = DESCRIBE_IF_MATCH,
	  .example = "{\"phone\":\"+62 811 222 333\",\"address\":{\"line2\":null},"
		     "\"metadata\":{\"tier\":\"gold\"}}",
	  .answers = { { .status = 200,
			 .text = "The customer as it is now.",
			 .schema = "Customer",
			 .headers = DESCRIBE_ETAG } } },
	{ .method = "DELETE",
	  .path = "/customers/{customer_id}",
	  .id = "eraseCustomer",
	  .tag = CUSTOMERS,
	  .summary = "Erase a customer",
	  .text = "Erases the profile and the payment methods for good. Payments stay, with the "
		  "customer_id they name, and GET /customers?erased=true tells when it was "
		  "erased; otherwise there is no such customer any more.",
	  .headers = DESCRIBE_IF_MATCH,
	  .answers = { { .status = 204, .text = "It is erased." } } },
	{ .method = "POST",
	  .path = "/customers/{customer_id}/payment-methods",
	  .id = "addPaymentMethod",
	  .request = "PaymentMethodRequest",
	  .tag = CUSTOMERS,
	  .summary = "Add a payment method",
	  .text = "Keeps a gateway's token, encrypted; it is not answered again. A gateway's token "
		  "is kept once for each customer, 50 of them at most. With an Idempotency-Key the "
		  "same request again gets the same answer.",
	  .fields = payment_method_fields,
	  .headers = DESCRIBE_KEY,
	  .example = METHOD_EXAMPLE,
	  .answers = { { .status = 201,
			 .text = "It is stored.",
			 .schema = "PaymentMethod",
			 .headers = DESCRIBE_LOCATION | DESCRIBE_REPLAYED | DESCRIBE_ETAG } },
	  .errors = { ERR_CONFLICT, ERR_KEY_REUSED, ERR_KEY_IN_FLIGHT } },
	{ .method = "GET",
	  .path = "/customers/{customer_id}/payment-methods",
	  .id = "listPaymentMethods",
	  .tag = CUSTOMERS,
	  .summary = "List a customer's payment methods",
	  .text = "All of them, the newest first.",
	  .answers = { { .status = 200,
			 .text = "The payment methods.",
			 .schema = "PaymentMethod",
			 .list = true } } },
	{ .method = "GET",
	  .path = "/customers/{customer_id}/payment-methods/{payment_method_id}",
	  .id = "getPaymentMethod",
	  .tag = CUSTOMERS,
	  .summary = "Show a payment method",
	  .text = "As it is now, with its version as ETag.",
	  .headers = DESCRIBE_IF_NONE_MATCH,
	  .answers = { { .status = 200,
			 .text = "The payment method.",
			 .schema = "PaymentMethod",
			 .headers = DESCRIBE_ETAG },
		       { .status = 304,
			 .text = "It is the version that If-None-Match names.",
			 .headers = DESCRIBE_ETAG } } },
	{ .method = "DELETE",
	  .path = "/customers/{customer_id}/payment-methods/{payment_method_id}",
	  .id = "deletePaymentMethod",
	  .tag = CUSTOMERS,
	  .summary = "Delete a payment method",
	  .text = "Deletes it and its token for good.",
	  .headers = DESCRIBE_IF_MATCH,
	  .answers = { { .status = 204, .text = "It is deleted." } } },
	{ .method = "GET",
	  .path = "/gateways",
	  .id = "listGateways",
	  .tag = ROUTING,
	  .summary = "List the gateways",
	  .text = "With their state, what they take and their maintenance; those that serve a "
		  "country "
		  "or take a currency where these are asked for.",
	  .answers = { { .status = 200,
			 .text = "The gateways.",
			 .schema = "Gateway",
			 .list = true } } },
	{ .method = "POST",
	  .path = "/routes/explain",
	  .id = "explainRoute",
	  .request = "ExplainRequest",
	  .tag = ROUTING,
	  .summary = "Explain where a payment would go",
	  .text = "Which rule fits, why those before it do not, and which gateways would be tried "
		  "in "
		  "which order, or why not. Nothing is paid.",
	  .fields = explain_fields,
	  .example = "{\"currency\":\"IDR\",\"amount\":\"100000\",\"country\":\"ID\","
		     "\"payment_method\":\"qris\"}",
	  .answers = { { .status = 200, .text = "The explanation.", .schema = "Explanation" } } },
	{ .method = "POST",
	  .path = "/callback/{transaction_id}",
	  .id = "receiveTransactionCallback",
	  .request = "GatewayMessage",
	  .tag = GATEWAYS,
	  .summary = "Receive a message about a payment",
	  .text = "A gateway's message, signed over its raw bytes by the gateway's own scheme. The "
		  "same "
		  "message again changes nothing.",
	  .answers = { { .status = 200, .text = "It is stored.", .schema = "Received" } } },
	{ .method = "POST",
	  .path = "/gateways/{gateway}/callbacks",
	  .id = "receiveGatewayCallback",
	  .request = "GatewayMessage",
	  .tag = GATEWAYS,
	  .summary = "Receive a message of a gateway",
	  .text = "For a gateway that knows one address only: the message itself says what it is "
		  "about.",
	  .answers = { { .status = 200, .text = "It is stored.", .schema = "Received" } } },
	{ .method = "GET",
	  .path = "/healthz",
	  .id = "getHealth",
	  .tag = SERVER,
	  .summary = "Tell that the process serves",
	  .text = "Answers while the process serves, whatever else is missing.",
	  .answers = { { .status = 200, .text = "It does.", .schema = "Status" } } },
	{ .method = "GET",
	  .path = "/readyz",
	  .id = "getReadiness",
	  .tag = SERVER,
	  .summary = "Tell whether it is of use",
	  .text = "Answers 503 with what is missing: the database, a process that stops, or work "
		  "that "
		  "has been due for a minute.",
	  .answers = { { .status = 200, .text = "It is.", .schema = "Status" } },
	  .errors = { ERR_UNAVAILABLE, ERR_OVERLOADED, ERR_DRAINING } },
	{ .method = "GET",
	  .path = "/metrics",
	  .id = "getMetrics",
	  .tag = SERVER,
	  .summary = "Show the figures",
	  .text = "Figures in Prometheus' text format, to clients on the same host only.",
	  .answers = { { .status = 200, .text = "The figures.", .type = "text/plain" } },
	  .errors = { ERR_NOT_FOUND } },
	{ .method = "GET",
	  .path = "/docs",
	  .id = "getDocs",
	  .tag = SERVER,
	  .summary = "Show this API to people",
	  .text = "Swagger UI where it is installed, else one plain page; nothing comes from "
		  "another host.",
	  .headers = DESCRIBE_IF_NONE_MATCH,
	  .answers = { { .status = 200,
			 .text = "The page.",
			 .type = "text/html",
			 .headers = DESCRIBE_ETAG },
		       { .status = 304,
			 .text = "It is the version that If-None-Match names.",
			 .headers = DESCRIBE_ETAG } } },
	{ .method = "GET",
	  .path = "/docs/{file}",
	  .id = "getDocsFile",
	  .tag = SERVER,
	  .summary = "Show the plain page, or a file of Swagger UI",
	  .text = "`plain` is there always: one page without scripts. Swagger UI's files are "
		  "there where it is installed.",
	  .headers = DESCRIBE_IF_NONE_MATCH,
	  .answers = { { .status = 200,
			 .text = "The page, or the file with its own type.",
			 .type = "*/*",
			 .headers = DESCRIBE_ETAG },
		       { .status = 304,
			 .text = "It is the version that If-None-Match names.",
			 .headers = DESCRIBE_ETAG } },
	  .errors = { ERR_NOT_FOUND } },
	{ .method = "GET",
	  .path = "/openapi.json",
	  .id = "getDescription",
	  .tag = SERVER,
	  .summary = "Describe this API",
	  .text = "This description (OpenAPI 3.1), made from the tables that the server works by.",
	  .headers = DESCRIBE_IF_NONE_MATCH,
	  .answers = { { .status = 200,
			 .text = "The description.",
			 .type = "application/json",
			 .headers = DESCRIBE_ETAG },
		       { .status = 304,
			 .text = "It is the version that If-None-Match names.",
			 .headers = DESCRIBE_ETAG } } },
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

const struct describe_route *describe_routes(size_t *count)
{
	*count = COUNT_OF(routes);
	return routes;
}

const struct describe_route *describe_route(const char *method, const char *path)
{
	for (size_t i = 0; i < COUNT_OF(routes); i++)
		if (strcmp(routes[i].method, method) == 0 && strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}
