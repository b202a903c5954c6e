-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The payment method that a payment names, and the only gateway that knows its token: it is sent nowhere else. The method may
-- be deleted later, so its id is no foreign key. One without the other is refused.

ALTER TABLE operation
	ADD COLUMN payment_method_id BINARY(16) NULL,
	ADD COLUMN token_gateway VARBINARY(32) NULL;

ALTER TABLE operation ADD CONSTRAINT operation_method CHECK
	((payment_method_id IS NULL) = (token_gateway IS NULL) AND (token_gateway IS NULL OR token_gateway <> ''));
