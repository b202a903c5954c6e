// SPDX-FileCopyrightText: payops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// RATE payments a second (1000) for DURATION (60s), begun on time whatever the answers do. All clients (VUS) are ready
// from the start, since k6 hides a stall where it has too few: an iteration dropped fails the run.
import { clients, needToken, newKey, newPayment, noFailures, number, pay, payAgain } from "./payops.js";

const rate = number("RATE", 1000);
const vus = number("VUS", clients(rate));

export const options = {
	scenarios: {
		rate: {
			executor: "constant-arrival-rate",
			rate,
			timeUnit: "1s",
			duration: __ENV.DURATION || "60s",
			preAllocatedVUs: vus,
			maxVUs: vus,
			gracefulStop: "30s",
		},
	},
	thresholds: Object.assign({}, noFailures, {
		http_req_failed: ["rate==0"],
		"http_req_duration{name:POST /transactions}": [`p(99)<${number("P99_MS", 250)}`],
	}),
	summaryTrendStats: ["min", "med", "p(90)", "p(99)", "p(99.9)", "max"],
};

export const setup = needToken;

export default function () {
	const key = newKey();
	const payment = newPayment();
	const first = pay(key, payment);

	if (first.status === 201 && Math.random() < 0.01)
		payAgain(key, payment, first);
}
