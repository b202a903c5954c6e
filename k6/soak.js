// SPDX-FileCopyrightText: payops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// RATE payments a second (100) for DURATION (30m), each repeated and looked at, with the tokens that make a gateway
// call back, decline, and lose its answer.
import { clients, needToken, newKey, newPayment, noFailures, number, pay, payAgain, show } from "./payops.js";

const rate = number("RATE", 100);
const words = ["tok_sync", "tok_sync", "tok_sync", "tok_ok", "tok_ok", "tok_callback_twice",
	"tok_decline_insufficient_funds", "tok_answer_lost"];

export const options = {
	scenarios: {
		soak: {
			executor: "constant-arrival-rate",
			rate,
			timeUnit: "1s",
			duration: __ENV.DURATION || "30m",
			preAllocatedVUs: clients(rate),
			maxVUs: clients(rate),
		},
	},
	thresholds: Object.assign({}, noFailures, {
		http_req_failed: ["rate==0"],
		"http_req_duration{name:POST /transactions}": [`p(99)<${number("P99_MS", 250)}`],
		"http_req_duration{name:GET /transactions/{id}}": [`p(99)<${number("P99_MS", 250)}`],
	}),
	summaryTrendStats: ["min", "med", "p(90)", "p(99)", "max"],
};

export const setup = needToken;

export default function () {
	const key = newKey();
	const payment = newPayment({ payment_token: words[Math.floor(Math.random() * words.length)] });
	const first = pay(key, payment);

	if (first.status !== 201)
		return;
	payAgain(key, payment, first);
	show(first.json("transaction_id"));
}
