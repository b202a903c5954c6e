-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The idempotency key that made a customer or a payment method, as a keyed hash, with the keyed hashes of what was asked for:
-- a key makes one of them, for as long as it is there. Nothing of it is left of a customer who was erased.

ALTER TABLE customer
	ADD COLUMN idempotency_hash BINARY(16) NULL,
	ADD COLUMN request_hashes VARBINARY(128) NULL,
	ADD UNIQUE KEY one_per_key (merchant, idempotency_hash);

ALTER TABLE customer ADD CONSTRAINT customer_key CHECK ((idempotency_hash IS NULL) = (request_hashes IS NULL)
	AND (status <> 'erased' OR idempotency_hash IS NULL));

ALTER TABLE payment_method
	ADD COLUMN idempotency_hash BINARY(16) NULL,
	ADD COLUMN request_hashes VARBINARY(128) NULL,
	ADD UNIQUE KEY one_per_key (merchant, idempotency_hash);

ALTER TABLE payment_method ADD CONSTRAINT payment_method_key CHECK
	((idempotency_hash IS NULL) = (request_hashes IS NULL));
