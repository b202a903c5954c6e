-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Routing: gateways, the accounts that merchants have there, and the rules that choose among them.
--
-- Sets are texts of words with one blank between them, '' is every word; limits are 'EUR:100-500000 USD:1-'. Both were
-- judged by lib/core/routing_text.c before they came here. Secrets stand in files; only their paths are here.
-- catalogue has one row: whoever changes anything of the other tables raises its version in the same commit, and holds
-- its lock meanwhile, so that changes never mix and running servers see each as a whole.

CREATE TABLE catalogue (
	id TINYINT NOT NULL,
	version BIGINT NOT NULL,
	changed_at_us BIGINT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT catalogue_one_row CHECK (id = 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO catalogue (id, version, changed_at_us) VALUES (1, 0, 0);

CREATE TABLE gateway (
	gateway VARBINARY(32) NOT NULL,
	adapter VARBINARY(32) NOT NULL,
	base_url VARBINARY(400) NOT NULL,
	api_key_file VARBINARY(511) NOT NULL,
	callback_secret_file VARBINARY(511) NOT NULL,
	callback_secret_file_previous VARBINARY(511) NULL,
	connect_timeout_ms INT NOT NULL,
	total_timeout_ms INT NOT NULL,
	quiet_ms BIGINT NOT NULL,
	callback_wait_ms BIGINT NOT NULL,
	idempotent TINYINT NOT NULL,
	authoritative TINYINT NOT NULL,
	operations VARBINARY(511) NULL,
	currencies VARBINARY(511) NULL,
	countries VARBINARY(511) NULL,
	methods VARBINARY(511) NULL,
	limits VARBINARY(511) NULL,
	state ENUM('enabled','draining','disabled') NOT NULL,
	state_reason VARBINARY(96) NULL,
	maintenance_from_us BIGINT NULL,
	maintenance_until_us BIGINT NULL,
	maintenance_reason VARBINARY(96) NULL,
	changed_at_us BIGINT NOT NULL,
	PRIMARY KEY (gateway),
	CONSTRAINT gateway_word CHECK
		(gateway <> '' AND CONVERT(gateway USING ascii) COLLATE ascii_bin NOT REGEXP '[^a-z0-9_]'),
	CONSTRAINT gateway_timeouts CHECK
		(connect_timeout_ms > 0 AND total_timeout_ms >= connect_timeout_ms AND quiet_ms > 0 AND callback_wait_ms > 0),
	CONSTRAINT gateway_maintenance CHECK
		((maintenance_from_us IS NULL) = (maintenance_until_us IS NULL)
		AND (maintenance_from_us IS NULL) = (maintenance_reason IS NULL)
		AND (maintenance_from_us IS NULL OR maintenance_from_us < maintenance_until_us))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE gateway_account (
	gateway VARBINARY(32) NOT NULL,
	merchant VARBINARY(32) NOT NULL,
	account VARBINARY(64) NOT NULL,
	api_key_file VARBINARY(511) NULL,
	PRIMARY KEY (gateway, merchant),
	CONSTRAINT account_gateway FOREIGN KEY (gateway) REFERENCES gateway (gateway),
	CONSTRAINT account_merchant FOREIGN KEY (merchant) REFERENCES merchant (merchant),
	CONSTRAINT account_word CHECK (account <> '')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE route_rule (
	number SMALLINT UNSIGNED NOT NULL,
	rule VARBINARY(32) NOT NULL,
	merchants VARBINARY(511) NULL,
	kinds VARBINARY(511) NULL,
	countries VARBINARY(511) NULL,
	currencies VARBINARY(511) NULL,
	methods VARBINARY(511) NULL,
	amount_min BIGINT NULL,
	amount_max BIGINT NULL,
	PRIMARY KEY (number),
	UNIQUE KEY one_per_name (rule),
	CONSTRAINT route_rule_word CHECK
		(rule <> '' AND CONVERT(rule USING ascii) COLLATE ascii_bin NOT REGEXP '[^a-z0-9_]'),
	CONSTRAINT route_rule_number CHECK (number >= 1),
	CONSTRAINT route_rule_amount CHECK
		((amount_min IS NULL AND amount_max IS NULL) OR currencies IS NOT NULL),
	CONSTRAINT route_rule_range CHECK
		(COALESCE(amount_min, 1) > 0 AND COALESCE(amount_max, 999999999999) >= COALESCE(amount_min, 1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE route_target (
	number SMALLINT UNSIGNED NOT NULL,
	gateway VARBINARY(32) NOT NULL,
	priority TINYINT UNSIGNED NOT NULL,
	weight SMALLINT UNSIGNED NOT NULL,
	PRIMARY KEY (number, gateway),
	CONSTRAINT route_target_rule FOREIGN KEY (number) REFERENCES route_rule (number),
	CONSTRAINT route_target_gateway FOREIGN KEY (gateway) REFERENCES gateway (gateway),
	CONSTRAINT route_target_bounds CHECK (priority >= 1 AND weight >= 1 AND weight <= 1000)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

ALTER TABLE operation
	ADD COLUMN route_rule VARBINARY(32) NULL,
	ADD COLUMN route_candidates VARBINARY(255) NULL;
