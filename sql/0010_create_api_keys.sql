-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Keys that merchants' programs bear instead of tokens. Of the secret, only its hash is here. The keys of one name that are
-- in use have a slot each, so that there are never more than two: the old one and the one that replaces it.

CREATE TABLE api_key (
	id VARBINARY(16) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	name VARBINARY(64) NOT NULL,
	slot TINYINT UNSIGNED NULL,
	digest BINARY(32) NOT NULL,
	scopes VARBINARY(255) NOT NULL,
	created_at_us BIGINT NOT NULL,
	created_by VARBINARY(64) NOT NULL,
	expires_at_us BIGINT NOT NULL,
	revoked_at_us BIGINT NULL,
	revoked_by VARBINARY(64) NULL,
	PRIMARY KEY (id),
	UNIQUE KEY one_in_slot (merchant, name, slot),
	CONSTRAINT api_key_merchant FOREIGN KEY (merchant) REFERENCES merchant (merchant),
	CONSTRAINT api_key_id CHECK (LENGTH(id) = 16),
	CONSTRAINT api_key_slot CHECK (slot IS NULL OR slot IN (1, 2)),
	CONSTRAINT api_key_scopes CHECK (scopes <> ''),
	CONSTRAINT api_key_expires CHECK (expires_at_us > created_at_us),
	CONSTRAINT api_key_revoked CHECK ((revoked_at_us IS NULL) = (revoked_by IS NULL)
		AND (revoked_at_us IS NULL OR slot IS NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
