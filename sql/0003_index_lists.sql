-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Lists of a merchant's transactions, newest first: all of them, and those of one status. A customer's have their index
-- already. The other filters are judged row by row along one of these, of a bounded number of rows for each page.

ALTER TABLE transaction
	ADD KEY history (merchant, created_at_us, id),
	ADD KEY by_status (merchant, status, created_at_us, id);
