// SPDX-FileCopyrightText: payops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the k6 scripts share: where payops is, payments under keys of their own, and the checks on each answer.
import http from "k6/http";
import exec from "k6/execution";
import { check } from "k6";
import { Rate } from "k6/metrics";

const url = __ENV.PAYOPS_URL || "http://127.0.0.1:8080";
const token = __ENV.PAYOPS_TOKEN;
const run = Date.now().toString(36);

// Whatever was not answered as it must be: thresholds want none of it.
export const failures = new Rate("payops_failures");

// Refused for a while, as it must be under too much load.
export const refusals = new Rate("payops_refusals");

export const noFailures = {
	payops_failures: ["rate==0"],
	checks: ["rate==1"],
	dropped_iterations: ["count==0"],
};

export function needToken() {
	if (!token)
		exec.test.abort("PAYOPS_TOKEN is unset: run ./dev load, or eval \"$(./dev env)\" first");
}

export function number(name, fallback) {
	const value = Number(__ENV[name] || fallback);

	if (!(value > 0))
		exec.test.abort(`${name} is a number above 0, not '${__ENV[name]}'`);
	return value;
}

// Clients for an open rate: enough for a stall of two seconds, and no more than fit into listen.connections_max (1000),
// since k6 takes them in turn and each keeps its connection: one more would wait to be accepted.
export function clients(rate, most) {
	return Math.max(Math.min(2 * rate, most || 900), 1);
}

// Unique in this run and between runs.
export function newKey() {
	return `k6-${run}-${exec.scenario.name}-${exec.scenario.iterationInTest}`;
}

export function newPayment(members) {
	return Object.assign({
		amount: 1000 + (exec.scenario.iterationInTest % 9000),
		currency: "USD",
		payment_method: "credit_card",
		customer_id: `cust_${exec.scenario.iterationInTest % 1000}`,
		payment_token: "tok_sync",
	}, members);
}

function headers(key) {
	const all = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };

	if (key)
		all["Idempotency-Key"] = key;
	return all;
}

function judge(answer, checks) {
	const good = check(answer, checks);

	failures.add(!good);
	return good;
}

// The answer to a payment that must be taken, the first under its key.
export function pay(key, payment) {
	const answer = http.post(`${url}/transactions`, JSON.stringify(payment),
		{ headers: headers(key), tags: { name: "POST /transactions" } });

	judge(answer, {
		"payment is 201": (got) => got.status === 201,
		"payment has an id": (got) => got.status === 201 && got.json("transaction_id").startsWith("trans_"),
	});
	return answer;
}

// The answer to a payment that may be refused for a while: 503 or 429 that says when to come again.
export function payOrRefused(key, payment) {
	const answer = http.post(`${url}/transactions`, JSON.stringify(payment),
		{ headers: headers(key), tags: { name: "POST /transactions" } });
	const refused = answer.status === 503 || answer.status === 429;

	refusals.add(refused);
	judge(answer, {
		"payment is 201, or refused for a while": (got) => got.status === 201 ||
			(refused && Number(got.headers["Retry-After"]) >= 1),
	});
	return answer;
}

// The same request again: the same bytes.
export function payAgain(key, payment, first) {
	const answer = http.post(`${url}/transactions`, JSON.stringify(payment),
		{ headers: headers(key), tags: { name: "POST /transactions again" } });

	judge(answer, {
		"replay is the first answer": (got) => got.status === 201 && got.body === first.body,
		"replay says so": (got) => got.headers["Idempotency-Replayed"] === "true",
	});
	return answer;
}

// Other content under a key that was used: refused.
export function payOther(key, payment) {
	const answer = http.post(`${url}/transactions`, JSON.stringify(Object.assign({}, payment, { amount: 1 })),
		{ headers: headers(key), tags: { name: "POST /transactions other" },
		  responseCallback: http.expectedStatuses(422) });

	judge(answer, { "other content is 422": (got) => got.status === 422 });
	return answer;
}

export function show(id) {
	const answer = http.get(`${url}/transactions/${id}`,
		{ headers: headers(), tags: { name: "GET /transactions/{id}" } });

	judge(answer, { "payment is shown": (got) => got.status === 200 && got.json("transaction_id") === id });
	return answer;
}
