-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Wishes to cancel that came while the outcome was open: nothing more is sent, and a success is an exception.

ALTER TABLE operation ADD COLUMN cancel_wished_at_us BIGINT NULL;

ALTER TABLE exception MODIFY COLUMN kind
	ENUM('late_success','integrity','orphan_callback','unwanted_success') NOT NULL;
