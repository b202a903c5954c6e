-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A gateway's own decline code, without which a stored decline could not be judged again as it came.

ALTER TABLE callback ADD COLUMN decline_word VARBINARY(40) NULL;
