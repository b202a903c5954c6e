-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A merchant's refunds, newest first. The operations of other kinds stand in the index under no merchant, so that they
-- are never passed on the way.

ALTER TABLE operation
	ADD COLUMN refund_merchant VARBINARY(32) GENERATED ALWAYS AS
		(CASE WHEN kind = 'refund' THEN merchant END) VIRTUAL,
	ADD KEY refund_history (refund_merchant, created_at_us, id);
