-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A gateway's own word for the operation that a message speaks of: one about another operation is not believed, also when it
-- is judged again.

ALTER TABLE callback ADD COLUMN operation_word VARBINARY(40) NULL;
