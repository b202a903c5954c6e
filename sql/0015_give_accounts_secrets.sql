-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A merchant's account at a gateway may have secrets of its own for callbacks.

ALTER TABLE gateway_account
	ADD COLUMN callback_secret_file VARBINARY(511) NULL,
	ADD COLUMN callback_secret_file_previous VARBINARY(511) NULL;

ALTER TABLE gateway_account ADD CONSTRAINT account_secrets CHECK
	(callback_secret_file_previous IS NULL OR callback_secret_file IS NOT NULL);
