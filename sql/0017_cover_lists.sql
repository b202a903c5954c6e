-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The list of all transactions, narrowed by what never changes, is judged in its index alone.

ALTER TABLE transaction
	DROP KEY history,
	ADD KEY history (merchant, created_at_us, id, currency, method, kind);
