-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Customers' profiles and payment methods. What tells who somebody is stands sealed (AES-256-GCM, bound to table, column
-- and row id), all of a row by the key that key_id names; what must be found stands as a keyed hash. The country is in
-- clear, since routing reads it. Of a customer who was erased, the row stays with nothing personal in it: the merchant's own
-- id, which the payments have too, and when it was erased.

CREATE TABLE customer (
	id BINARY(16) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	customer VARBINARY(64) NOT NULL,
	status ENUM('active','erased') NOT NULL,
	country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NULL,
	profile_sealed VARBINARY(2560) NULL,
	metadata_sealed VARBINARY(4160) NULL,
	key_id VARBINARY(32) NULL,
	email_hash BINARY(16) NULL,
	phone_hash BINARY(16) NULL,
	version INT UNSIGNED NOT NULL,
	created_at_us BIGINT NOT NULL,
	updated_at_us BIGINT NOT NULL,
	erased_at_us BIGINT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY one_per_id (merchant, customer),
	KEY history (merchant, status, created_at_us, id),
	KEY by_country (merchant, country, created_at_us, id),
	KEY by_email (merchant, email_hash, created_at_us, id),
	KEY by_phone (merchant, phone_hash, created_at_us, id),
	KEY by_key (key_id),
	CONSTRAINT customer_merchant FOREIGN KEY (merchant) REFERENCES merchant (merchant),
	CONSTRAINT customer_id CHECK (customer <> ''),
	CONSTRAINT customer_version CHECK (version >= 1),
	CONSTRAINT customer_seal CHECK
		((key_id IS NULL) = (profile_sealed IS NULL AND metadata_sealed IS NULL)),
	CONSTRAINT customer_erased CHECK ((status = 'erased') = (erased_at_us IS NOT NULL)),
	CONSTRAINT customer_nothing_left CHECK (status <> 'erased' OR (country IS NULL AND profile_sealed IS NULL
		AND metadata_sealed IS NULL AND email_hash IS NULL AND phone_hash IS NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE payment_method (
	id BINARY(16) NOT NULL,
	customer_row BINARY(16) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	gateway VARBINARY(32) NOT NULL,
	method VARBINARY(32) NOT NULL,
	token_sealed VARBINARY(256) NOT NULL,
	token_hash BINARY(16) NOT NULL,
	key_id VARBINARY(32) NOT NULL,
	brand VARBINARY(32) NULL,
	last4 VARBINARY(4) NULL,
	expiry_month TINYINT UNSIGNED NULL,
	expiry_year SMALLINT UNSIGNED NULL,
	is_default TINYINT NOT NULL,
	version INT UNSIGNED NOT NULL,
	created_at_us BIGINT NOT NULL,
	updated_at_us BIGINT NOT NULL,
	default_of BINARY(16) GENERATED ALWAYS AS (CASE WHEN is_default = 1 THEN customer_row END) VIRTUAL,
	PRIMARY KEY (id),
	UNIQUE KEY one_default (default_of),
	UNIQUE KEY one_per_token (customer_row, gateway, token_hash),
	KEY by_key (key_id),
	CONSTRAINT payment_method_customer FOREIGN KEY (customer_row) REFERENCES customer (id),
	CONSTRAINT payment_method_default CHECK (is_default IN (0, 1)),
	CONSTRAINT payment_method_version CHECK (version >= 1),
	CONSTRAINT payment_method_last4 CHECK (last4 IS NULL OR LENGTH(last4) = 4),
	CONSTRAINT payment_method_expiry CHECK ((expiry_month IS NULL) = (expiry_year IS NULL)
		AND (expiry_month IS NULL OR expiry_month BETWEEN 1 AND 12))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
