-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Circuit breakers: what all apids must agree on, and a restart must remember. A breaker without a row is closed.
-- `version` rises with each change, so that of two who change the same version one wins.

CREATE TABLE breaker (
	gateway VARBINARY(32) NOT NULL,
	operation ENUM('charge','authorise','capture','void','refund','payout','inquiry') NOT NULL,
	state ENUM('closed','half_open','open') NOT NULL,
	opened_at_us BIGINT NULL,
	until_us BIGINT NULL,
	span_us BIGINT NULL,
	changed_at_us BIGINT NOT NULL,
	probe_by BINARY(16) NULL,
	forced ENUM('open','closed') NULL,
	forced_until_us BIGINT NULL,
	forced_reason VARCHAR(200) NULL,
	forced_by VARBINARY(64) NULL,
	forced_at_us BIGINT NULL,
	version INT UNSIGNED NOT NULL,
	PRIMARY KEY (gateway, operation),
	CONSTRAINT breaker_closed CHECK ((state = 'closed') = (opened_at_us IS NULL)
		AND (state = 'closed') = (until_us IS NULL) AND (state = 'closed') = (span_us IS NULL)),
	CONSTRAINT breaker_span CHECK (span_us IS NULL OR span_us > 0),
	CONSTRAINT breaker_probe CHECK ((state = 'half_open') = (probe_by IS NOT NULL)),
	CONSTRAINT breaker_forced CHECK ((forced IS NULL) = (forced_until_us IS NULL)
		AND (forced IS NULL) = (forced_reason IS NULL) AND (forced IS NULL) = (forced_by IS NULL)
		AND (forced IS NULL) = (forced_at_us IS NULL)),
	CONSTRAINT breaker_version CHECK (version >= 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
