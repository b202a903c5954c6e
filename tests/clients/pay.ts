/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
// The generated TypeScript client pays, waits, refunds, lists, keeps a customer, and is refused: as a shop would use it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
	CapturesAndRefundsApi, Charged, Configuration, Country, Currency, CustomersApi, DepositsAndWithdrawalsApi, ErrorCode,
	PaymentMethodKind, PaymentRequest, PaymentsApi, Problem, ProblemFromJSON, ProofApi, ResponseError, Transaction,
	TransactionStatus,
} from './index';

const key = `client-ts-${randomUUID().slice(0, 13).replace(/[0-9]/g, 'g')}`;
const configuration = new Configuration({
	basePath: process.env.PAYOPS_URL, accessToken: process.env.PAYOPS_TOKEN,
});
const payments = new PaymentsApi(configuration);
const order: PaymentRequest = {
	amount: 1000, currency: Currency.Usd, paymentMethod: PaymentMethodKind.CreditCard, customerId: key,
	description: 'Order',
};

async function pay(): Promise<Transaction> {
	const made = await payments.createTransaction({ paymentRequest: order, idempotencyKey: key });
	const again = await payments.createTransaction({ paymentRequest: order, idempotencyKey: key });
	assert.equal(made.transactionId, again.transactionId, 'one key, one payment');
	const open: TransactionStatus[] = [TransactionStatus.Pending, TransactionStatus.Processing];
	let payment = await payments.getTransaction({ transactionId: made.transactionId, wait: 5 });
	for (let i = 0; i < 5 && open.includes(payment.status); i++)
		payment = await payments.getTransaction({ transactionId: made.transactionId, wait: 5 });
	assert.equal(payment.status, TransactionStatus.Completed);
	assert.equal(payment.amount, 1000);
	const waited = await payments.createTransaction({ paymentRequest: { ...order, description: 'At once' }, wait: 20 });
	assert.equal(waited.status, TransactionStatus.Completed);
	assert.equal(waited.amount, 1000);
	return payment;
}

async function refund(payment: Transaction) {
	const api = new CapturesAndRefundsApi(configuration);
	const { transactionId } = payment;
	const made = await api.refundTransaction({
		transactionId, idempotencyKey: `${key}-back`, refundRequest: { amount: '2.50', reason: 'One came back' },
	});
	assert.equal((await api.getRefund({ refundId: made.refundId })).amount, '2.50');
	const all = await api.listTransactionRefunds({ transactionId });
	assert.deepEqual(all.map((one) => one.refundId), [made.refundId]);
}

async function lists(payment: Transaction) {
	const history = await payments.listCustomerTransactions({ customerId: key, limit: 20 });
	assert(history.some((one) => one.transactionId === payment.transactionId));
	const chosen = await payments.listTransactions({
		status: new Set([TransactionStatus.Completed]), customerId: key, from: payment.createdAt,
	});
	assert(chosen.some((one) => one.transactionId === payment.transactionId));
	const proof = new ProofApi(configuration);
	const { transactionId } = payment;
	const events = await proof.listEvents({ transactionId });
	assert.deepEqual(events.map((one) => one.sequence), events.map((_, i) => i + 1));
	assert.equal((await proof.explainTransaction({ transactionId })).charged, Charged.Yes);
}

async function customer() {
	const api = new CustomersApi(configuration);
	const customerId = `${key}-customer`;
	await api.createCustomer({
		customerRequest: {
			customerId, name: 'Ana Wijaya', country: Country.Id, address: { city: 'Jakarta' }, metadata: { tier: 'gold' },
		},
	});
	const method = await api.addPaymentMethod({
		customerId,
		paymentMethodRequest: {
			gateway: 'alpha', paymentToken: 'tok_ok', paymentMethod: PaymentMethodKind.CreditCard, last4: '4242',
		},
	});
	const kept = await api.listPaymentMethods({ customerId });
	assert.deepEqual(kept.map((one) => one.paymentMethodId), [method.paymentMethodId]);
	const changed = await api.updateCustomer({ customerId, customerUpdate: { name: 'Ana' } });
	assert.equal(changed.address?.city, 'Jakarta');
	await api.eraseCustomer({ customerId });
}

async function transfer() {
	const made = await new DepositsAndWithdrawalsApi(configuration).createDeposit({
		transferRequest: { userId: 123, amount: '100.50', currency: Currency.Usd },
	});
	assert.equal(made.status, TransactionStatus.Pending);
}

async function refused(request: Promise<unknown>): Promise<[number, Problem]> {
	const error: unknown = await request.then(() => null, (reason: unknown) => reason);
	assert(error instanceof ResponseError, 'it was not refused');
	return [error.response.status, ProblemFromJSON(await error.response.json())];
}

async function refusals() {
	const [status, problem] = await refused(payments.createTransaction({ paymentRequest: { ...order, amount: 10.5 } }));
	assert.deepEqual([status, problem.code], [422, ErrorCode.ValidationFailed]);
	assert.equal(problem.errors?.[0].field, 'amount');
	const [missing] = await refused(payments.getTransaction({ transactionId: 'trans_0000000000000000000000000Z' }));
	assert.equal(missing, 404);
}

async function main() {
	const payment = await pay();
	await refund(payment);
	await lists(payment);
	await customer();
	await transfer();
	await refusals();
	console.log('paid', payment.transactionId);
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
