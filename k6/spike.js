// SPDX-FileCopyrightText: payops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// From RATE payments a second (100) to ten times that at once, and back. Under the spike payments may be refused, in
// time and with the moment to come again; afterwards all are taken as before.
import { clients, needToken, newKey, newPayment, number, payOrRefused } from "./payops.js";

const rate = number("RATE", 100);
const few = clients(rate, 100);
const many = clients(10 * rate, 700);
const calm = { executor: "constant-arrival-rate", timeUnit: "1s", rate, preAllocatedVUs: few, maxVUs: few };

export const options = {
	scenarios: {
		before: Object.assign({ duration: "10s", startTime: "0s" }, calm),
		spike: {
			executor: "constant-arrival-rate",
			timeUnit: "1s",
			rate: 10 * rate,
			duration: "15s",
			startTime: "10s",
			preAllocatedVUs: many,
			maxVUs: many,
		},
		after: Object.assign({ duration: "10s", startTime: "30s" }, calm),
	},
	thresholds: {
		payops_failures: ["rate==0"],
		dropped_iterations: ["count==0"],
		"payops_refusals{scenario:before}": ["rate==0"],
		"payops_refusals{scenario:after}": ["rate==0"],
		"http_req_duration{scenario:after}": [`p(99)<${number("P99_MS", 250)}`],
	},
	summaryTrendStats: ["min", "med", "p(90)", "p(99)", "max"],
};

export const setup = needToken;

export default function () {
	payOrRefused(newKey(), newPayment());
}
