-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The list of what went to one gateway. A transaction's id begins with the time of its creation, so this index has the list's
-- order to the millisecond.

ALTER TABLE attempt ADD KEY by_gateway (merchant, gateway, transaction_id);
