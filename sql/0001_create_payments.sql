-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Payments: merchants, transactions, operations, attempts, callbacks, events, exceptions.
--
-- Times are UTC microseconds since 1970; amounts are minor units of their ISO 4217 currency; ids are 16 bytes that sort
-- by time. Words of ENUM columns are those of lib/core. A statement ends with a semicolon at the end of its line.
-- There is no foreign key between a transaction and its operations: a payment's operation is inserted first, since its
-- idempotency key decides whether there is a payment at all. Lock order: operation, transaction, attempt.

CREATE TABLE merchant (
	merchant VARBINARY(32) NOT NULL,
	name VARCHAR(120) NOT NULL,
	created_at_us BIGINT NOT NULL,
	PRIMARY KEY (merchant),
	CONSTRAINT merchant_word CHECK
		(merchant <> '' AND CONVERT(merchant USING ascii) COLLATE ascii_bin NOT REGEXP '[^a-z0-9_-]')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE transaction (
	id BINARY(16) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	customer VARBINARY(64) NOT NULL,
	kind ENUM('payment','deposit','withdrawal','instalment') NOT NULL,
	amount_minor BIGINT NOT NULL,
	currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	exponent TINYINT NOT NULL,
	amount_form ENUM('minor','major') NOT NULL,
	method VARBINARY(32) NOT NULL,
	description VARCHAR(255) NULL,
	country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NULL,
	callback_url VARBINARY(512) NULL,
	metadata VARBINARY(4096) NULL,
	status ENUM('pending','processing','authorised','completed','failed','cancelled','parked') NOT NULL,
	status_reason VARBINARY(40) NULL,
	version INT UNSIGNED NOT NULL,
	amount_captured BIGINT NOT NULL DEFAULT 0,
	amount_refunded BIGINT NOT NULL DEFAULT 0,
	failure_code VARBINARY(40) NULL,
	created_at_us BIGINT NOT NULL,
	updated_at_us BIGINT NOT NULL,
	PRIMARY KEY (id),
	KEY customer_history (merchant, customer, created_at_us, id),
	CONSTRAINT transaction_merchant FOREIGN KEY (merchant) REFERENCES merchant (merchant),
	CONSTRAINT transaction_amount CHECK (amount_minor > 0 AND amount_minor <= 999999999999),
	CONSTRAINT transaction_exponent CHECK (exponent IN (0, 2, 3, 4)),
	CONSTRAINT transaction_captured CHECK (amount_captured >= 0 AND amount_captured <= amount_minor),
	CONSTRAINT transaction_refunded CHECK (amount_refunded >= 0 AND amount_refunded <= amount_captured),
	CONSTRAINT transaction_completed CHECK (status <> 'completed' OR amount_captured > 0),
	CONSTRAINT transaction_failed CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
	CONSTRAINT transaction_version CHECK (version >= 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE operation (
	id BINARY(16) NOT NULL,
	transaction_id BINARY(16) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	kind ENUM('charge','authorise','capture','void','refund','payout') NOT NULL,
	amount_minor BIGINT NOT NULL,
	status ENUM('awaiting_approval','pending','processing','succeeded','failed','parked','cancelled','reversed','returned')
		NOT NULL,
	next_action ENUM('none','send','ask','expire','human') NOT NULL,
	next_action_at_us BIGINT NULL,
	gateway_key_number SMALLINT UNSIGNED NOT NULL DEFAULT 1,
	attempt_count SMALLINT UNSIGNED NOT NULL DEFAULT 0,
	retry_count SMALLINT UNSIGNED NOT NULL DEFAULT 0,
	human_verdict TINYINT NOT NULL DEFAULT 0,
	idempotency_key VARBINARY(255) NULL,
	request_hashes VARBINARY(512) NULL,
	payment_token_sealed VARBINARY(256) NULL,
	payment_token_key_id VARBINARY(32) NULL,
	created_at_us BIGINT NOT NULL,
	updated_at_us BIGINT NOT NULL,
	sole_transaction_id BINARY(16) GENERATED ALWAYS AS
		(CASE WHEN kind IN ('charge','authorise','payout') THEN transaction_id END) VIRTUAL,
	PRIMARY KEY (id),
	UNIQUE KEY one_money_operation (sole_transaction_id),
	UNIQUE KEY one_per_key (merchant, idempotency_key),
	KEY of_transaction (transaction_id),
	KEY due (next_action_at_us, status),
	CONSTRAINT operation_amount CHECK (amount_minor > 0 AND amount_minor <= 999999999999),
	CONSTRAINT operation_next CHECK ((next_action = 'none') = (next_action_at_us IS NULL)),
	CONSTRAINT operation_final CHECK
		((status IN ('succeeded','failed','cancelled','reversed','returned')) = (next_action = 'none')),
	CONSTRAINT operation_wiped CHECK (next_action <> 'none' OR payment_token_sealed IS NULL),
	CONSTRAINT operation_key CHECK ((idempotency_key IS NULL) = (request_hashes IS NULL)),
	CONSTRAINT operation_seal CHECK ((payment_token_sealed IS NULL) = (payment_token_key_id IS NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE attempt (
	id BINARY(16) NOT NULL,
	operation_id BINARY(16) NOT NULL,
	transaction_id BINARY(16) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	number SMALLINT UNSIGNED NOT NULL,
	gateway VARBINARY(32) NOT NULL,
	account VARBINARY(64) NOT NULL DEFAULT '',
	our_reference VARBINARY(64) NOT NULL,
	gateway_key VARBINARY(64) NOT NULL,
	gateway_ref VARBINARY(128) NULL,
	status ENUM('prepared','sent','accepted','requires_action','succeeded','declined','not_sent','unknown','not_found')
		NOT NULL,
	class ENUM('definite','not_sent','unknown') NULL,
	http_status SMALLINT UNSIGNED NULL,
	decline_code VARBINARY(40) NULL,
	reason VARBINARY(96) NULL,
	answer_masked VARBINARY(1024) NULL,
	send_by_us BIGINT NOT NULL,
	lease_until_us BIGINT NOT NULL,
	prepared_at_us BIGINT NOT NULL,
	sent_at_us BIGINT NULL,
	answered_at_us BIGINT NULL,
	open_since_us BIGINT NULL,
	asked_count INT UNSIGNED NOT NULL DEFAULT 0,
	asked_at_us BIGINT NULL,
	not_found_at_us BIGINT NULL,
	contradicted_at_us BIGINT NULL,
	updated_at_us BIGINT NOT NULL,
	live_operation_id BINARY(16) GENERATED ALWAYS AS
		(CASE WHEN status IN ('declined','not_sent','not_found') THEN NULL ELSE operation_id END) VIRTUAL,
	PRIMARY KEY (id),
	UNIQUE KEY one_live_attempt (live_operation_id),
	UNIQUE KEY number_of_operation (operation_id, number),
	KEY of_transaction (transaction_id, number),
	KEY by_gateway_ref (gateway, gateway_ref),
	KEY by_our_reference (gateway, our_reference),
	CONSTRAINT attempt_operation FOREIGN KEY (operation_id) REFERENCES operation (id),
	CONSTRAINT attempt_number CHECK (number >= 1),
	CONSTRAINT attempt_lease CHECK (prepared_at_us < send_by_us AND send_by_us < lease_until_us),
	CONSTRAINT attempt_open CHECK
		(status NOT IN ('accepted','requires_action','unknown') OR open_since_us IS NOT NULL),
	CONSTRAINT attempt_declined CHECK (status <> 'declined' OR decline_code IS NOT NULL)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE callback (
	gateway VARBINARY(32) NOT NULL,
	callback_key VARBINARY(128) NOT NULL,
	id BINARY(16) NOT NULL,
	transaction_id BINARY(16) NULL,
	attempt_id BINARY(16) NULL,
	gateway_ref VARBINARY(128) NULL,
	our_reference VARBINARY(64) NULL,
	word VARBINARY(64) NOT NULL,
	amount_minor BIGINT NULL,
	currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NULL,
	body_sha256 BINARY(32) NOT NULL,
	body_masked VARBINARY(2048) NOT NULL,
	result ENUM('applied','hint','kept','superseded','contradiction','integrity','orphan') NOT NULL,
	received_at_us BIGINT NOT NULL,
	PRIMARY KEY (gateway, callback_key),
	KEY of_transaction (transaction_id),
	CONSTRAINT callback_amount CHECK ((amount_minor IS NULL) = (currency IS NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE event (
	transaction_id BINARY(16) NOT NULL,
	sequence INT UNSIGNED NOT NULL,
	id BINARY(16) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	type VARBINARY(40) NOT NULL,
	operation_id BINARY(16) NULL,
	attempt_id BINARY(16) NULL,
	transaction_from ENUM('pending','processing','authorised','completed','failed','cancelled','parked') NULL,
	transaction_to ENUM('pending','processing','authorised','completed','failed','cancelled','parked') NOT NULL,
	operation_from ENUM('awaiting_approval','pending','processing','succeeded','failed','parked','cancelled','reversed',
		'returned') NULL,
	operation_to ENUM('awaiting_approval','pending','processing','succeeded','failed','parked','cancelled','reversed',
		'returned') NULL,
	attempt_from ENUM('prepared','sent','accepted','requires_action','succeeded','declined','not_sent','unknown',
		'not_found') NULL,
	attempt_to ENUM('prepared','sent','accepted','requires_action','succeeded','declined','not_sent','unknown',
		'not_found') NULL,
	reason VARBINARY(96) NULL,
	api_call_id VARBINARY(64) NULL,
	at_us BIGINT NOT NULL,
	position BIGINT UNSIGNED NULL,
	PRIMARY KEY (transaction_id, sequence),
	UNIQUE KEY by_position (position),
	CONSTRAINT event_sequence CHECK (sequence >= 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE exception (
	id BINARY(16) NOT NULL,
	kind ENUM('late_success','integrity','orphan_callback') NOT NULL,
	merchant VARBINARY(32) NULL,
	transaction_id BINARY(16) NULL,
	attempt_id BINARY(16) NULL,
	state ENUM('open','resolved') NOT NULL,
	owner VARBINARY(64) NULL,
	detail VARBINARY(512) NOT NULL,
	opened_at_us BIGINT NOT NULL,
	resolved_at_us BIGINT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY one_per_attempt (attempt_id, kind),
	KEY of_transaction (transaction_id),
	KEY by_state (state, opened_at_us),
	CONSTRAINT exception_resolved CHECK ((state = 'resolved') = (resolved_at_us IS NOT NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
