// SPDX-FileCopyrightText: payops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A first hour in JavaScript (node 18 or newer; fetch as in a browser): pay, survive a timeout, wait, refund, history, a
// refusal. Needs PAYOPS_URL and PAYOPS_TOKEN: eval "$(./dev env)"; node examples/first-hour.mjs
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

const { PAYOPS_URL: base, PAYOPS_TOKEN: token } = process.env;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// A refusal: `code` is stable; `retryAfterS` is NaN where asking again does not help.
class Refused extends Error {
	constructor(answer, problem) {
		super(`${answer.status} ${problem.code}: ${problem.detail ?? problem.title}`);
		this.status = answer.status;
		this.code = problem.code;
		this.retryAfterS = Number.parseInt(answer.headers.get('Retry-After'), 10);
	}
}

async function call(method, path, { body, key, timeoutMs = 30000 } = {}) {
	const headers = { Authorization: `Bearer ${token}` };
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	if (key !== undefined) headers['Idempotency-Key'] = key;
	const answer = await fetch(base + path, {
		method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(timeoutMs),
	});
	const read = await answer.json();
	if (!answer.ok) throw new Refused(answer, read);
	return read;
}

// With a key the same request may be sent until it is answered: it acts once.
async function callSurely(method, path, body, key, firstTimeoutMs = 30000) {
	for (let number = 0; number < 5; number++) {
		try {
			return await call(method, path, { body, key, timeoutMs: number === 0 ? firstTimeoutMs : 30000 });
		} catch (error) {
			if (error instanceof Refused && Number.isNaN(error.retryAfterS)) throw error;
			console.log('no answer:', error.message);
			await sleep(error instanceof Refused ? error.retryAfterS * 1000 : 100 * 2 ** number);
		}
	}
	throw new Error(`${method} ${path}: not answered; ask again later, with the same key`);
}

// The payment when its outcome is known, or as it is after half a minute.
async function outcome(id) {
	let payment;
	for (let i = 0; i < 6; i++) {
		payment = await call('GET', `/transactions/${id}?wait=5`);
		if (!['pending', 'processing'].includes(payment.status)) break;
	}
	return payment;
}

const key = `first-hour-${randomUUID()}`; // in your shop: the order's number
const order = {
	amount: 1000, currency: 'USD', payment_method: 'credit_card', customer_id: 'cust_001',
	description: 'Payment for order #1234',
};
const made = await callSurely('POST', '/transactions', order, key, 1); // too short on purpose
const same = await callSurely('POST', '/transactions', order, key);
assert.equal(made.transaction_id, same.transaction_id, 'one key, one payment');

const payment = await outcome(made.transaction_id);
assert.equal(payment.status, 'completed');
console.log('paid', payment.transaction_id);

const refund = await callSurely('POST', `/transactions/${payment.transaction_id}/refunds`,
	{ amount: 250, reason: 'One came back' }, `${key}-refund`);
console.log('refund', refund.refund_id);

const history = await call('GET', '/customers/cust_001/transactions?limit=20');
assert(history.some((one) => one.transaction_id === payment.transaction_id));

await assert.rejects(call('POST', '/transactions', { body: { ...order, amount: 10.5 } }), (error) => {
	assert.deepEqual([error.status, error.code], [422, 'validation_failed']);
	console.log('refused:', error.message);
	return true;
});
