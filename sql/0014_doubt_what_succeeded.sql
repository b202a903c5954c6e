-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A refund or payout that succeeded is asked about when its gateway hints that it was taken back.

ALTER TABLE operation DROP CONSTRAINT operation_final;

ALTER TABLE operation ADD CONSTRAINT operation_final CHECK
	((status IN ('succeeded','failed','cancelled','reversed','returned')) = (next_action = 'none')
	OR (status = 'succeeded' AND kind IN ('refund','payout') AND next_action = 'ask'));
