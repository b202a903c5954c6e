// SPDX-FileCopyrightText: payops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One client, every kind of request: a payment, the same again, other content under its key, its state up to the end.
import { sleep } from "k6";
import { failures, needToken, newKey, newPayment, noFailures, pay, payAgain, payOther, show } from "./payops.js";

export const options = {
	scenarios: { smoke: { executor: "per-vu-iterations", vus: 1, iterations: 10, maxDuration: "60s" } },
	thresholds: noFailures,
};

export const setup = needToken;

function isCompleted(id) {
	for (let tries = 0; tries < 100; tries++) {
		if (show(id).json("status") === "completed")
			return true;
		sleep(0.1);
	}
	return false;
}

export default function () {
	const key = newKey();
	const payment = newPayment();
	const first = pay(key, payment);

	if (first.status !== 201)
		return;
	payAgain(key, payment, first);
	payOther(key, payment);
	failures.add(!isCompleted(first.json("transaction_id")));
	payAgain(key, payment, first);
}
