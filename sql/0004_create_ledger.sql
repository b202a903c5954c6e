-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Every money operation, and the ledger: captures, voids, refunds and payouts beside charges.
--
-- An entry group is one step: its id is that of the step's event. The lines of a group sum to zero per currency.

ALTER TABLE operation
	ADD COLUMN parent_attempt_id BINARY(16) NULL,
	ADD COLUMN surplus TINYINT NOT NULL DEFAULT 0,
	ADD COLUMN reason VARCHAR(255) NULL,
	ADD COLUMN amount_form ENUM('minor','major') NULL,
	ADD COLUMN status_reason VARBINARY(40) NULL,
	ADD COLUMN open_surplus_attempt_id BINARY(16) GENERATED ALWAYS AS
		(CASE WHEN surplus = 1 AND status NOT IN ('failed','cancelled') THEN parent_attempt_id END) VIRTUAL,
	ADD COLUMN open_void_transaction_id BINARY(16) GENERATED ALWAYS AS
		(CASE WHEN kind = 'void' AND surplus = 0 AND status NOT IN ('failed','cancelled') THEN transaction_id END) VIRTUAL,
	ADD UNIQUE KEY one_refund_of_surplus (open_surplus_attempt_id),
	ADD UNIQUE KEY one_open_void (open_void_transaction_id),
	ADD CONSTRAINT operation_parent CHECK
		((kind IN ('capture','void','refund')) = (parent_attempt_id IS NOT NULL)),
	ADD CONSTRAINT operation_surplus CHECK (surplus = 0 OR kind IN ('void','refund'));

ALTER TABLE attempt ADD COLUMN instructions VARBINARY(512) NULL;

ALTER TABLE merchant ADD COLUMN keyless_withdrawals TINYINT NOT NULL DEFAULT 0;

ALTER TABLE transaction DROP CONSTRAINT transaction_completed;
ALTER TABLE transaction ADD CONSTRAINT transaction_completed CHECK
	(status <> 'completed' OR kind = 'withdrawal' OR amount_captured > 0);

CREATE TABLE ledger_entry (
	entry_group BINARY(16) NOT NULL,
	line TINYINT UNSIGNED NOT NULL,
	transaction_id BINARY(16) NULL,
	operation_id BINARY(16) NULL,
	attempt_id BINARY(16) NULL,
	merchant VARBINARY(32) NOT NULL,
	gateway VARBINARY(32) NOT NULL,
	gateway_account VARBINARY(64) NOT NULL,
	account ENUM('gateway_receivable','gateway_float','merchant_payable','refunds_in_flight','payouts_in_flight',
		'suspense_receivable','suspense_payable','surplus_owed','fees','bank') NOT NULL,
	currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	debit_minor BIGINT NOT NULL,
	credit_minor BIGINT NOT NULL,
	at_us BIGINT NOT NULL,
	PRIMARY KEY (entry_group, line),
	KEY of_transaction (transaction_id),
	CONSTRAINT ledger_side CHECK
		(debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor = 0) <> (credit_minor = 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What was charged, and what was in doubt, before there was a ledger: the group is the operation's or the attempt's id.
INSERT INTO ledger_entry (entry_group, line, transaction_id, operation_id, attempt_id, merchant, gateway,
	gateway_account, account, currency, debit_minor, credit_minor, at_us)
	SELECT o.id, 1, o.transaction_id, o.id, a.id, o.merchant, a.gateway, a.account, 'gateway_receivable', t.currency,
		o.amount_minor, 0, o.updated_at_us
	FROM operation o JOIN transaction t ON t.id = o.transaction_id
	JOIN attempt a ON a.operation_id = o.id AND a.status = 'succeeded'
	WHERE o.kind = 'charge' AND o.status = 'succeeded';
INSERT INTO ledger_entry (entry_group, line, transaction_id, operation_id, attempt_id, merchant, gateway,
	gateway_account, account, currency, debit_minor, credit_minor, at_us)
	SELECT e.entry_group, 2, e.transaction_id, e.operation_id, e.attempt_id, e.merchant, '', '', 'merchant_payable',
		e.currency, 0, e.debit_minor, e.at_us
	FROM (SELECT * FROM ledger_entry WHERE account = 'gateway_receivable') e;
INSERT INTO ledger_entry (entry_group, line, transaction_id, operation_id, attempt_id, merchant, gateway,
	gateway_account, account, currency, debit_minor, credit_minor, at_us)
	SELECT a.id, 1, o.transaction_id, o.id, a.id, o.merchant, a.gateway, a.account, 'suspense_receivable', t.currency,
		o.amount_minor, 0, a.updated_at_us
	FROM attempt a JOIN operation o ON o.id = a.operation_id JOIN transaction t ON t.id = o.transaction_id
	WHERE o.kind = 'charge' AND a.status = 'unknown';
INSERT INTO ledger_entry (entry_group, line, transaction_id, operation_id, attempt_id, merchant, gateway,
	gateway_account, account, currency, debit_minor, credit_minor, at_us)
	SELECT e.entry_group, 2, e.transaction_id, e.operation_id, e.attempt_id, e.merchant, e.gateway, e.gateway_account,
		'suspense_payable', e.currency, 0, e.debit_minor, e.at_us
	FROM (SELECT * FROM ledger_entry WHERE account = 'suspense_receivable') e;
INSERT INTO ledger_entry (entry_group, line, transaction_id, operation_id, attempt_id, merchant, gateway,
	gateway_account, account, currency, debit_minor, credit_minor, at_us)
	SELECT a.id, 3, o.transaction_id, o.id, a.id, o.merchant, a.gateway, a.account, 'gateway_receivable', t.currency,
		o.amount_minor, 0, a.contradicted_at_us
	FROM attempt a JOIN operation o ON o.id = a.operation_id JOIN transaction t ON t.id = o.transaction_id
	WHERE o.kind = 'charge' AND a.contradicted_at_us IS NOT NULL;
INSERT INTO ledger_entry (entry_group, line, transaction_id, operation_id, attempt_id, merchant, gateway,
	gateway_account, account, currency, debit_minor, credit_minor, at_us)
	SELECT e.entry_group, 4, e.transaction_id, e.operation_id, e.attempt_id, e.merchant, e.gateway, e.gateway_account,
		'surplus_owed', e.currency, 0, e.debit_minor, e.at_us
	FROM (SELECT * FROM ledger_entry WHERE account = 'gateway_receivable' AND line = 3) e;
