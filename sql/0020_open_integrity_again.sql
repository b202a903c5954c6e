-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- One exception per attempt and kind, but for what differs from our order: when a human has looked, and it differs again, that
-- is another one. What is open is found by the same key.

ALTER TABLE exception
	ADD COLUMN sole_attempt_id BINARY(16) GENERATED ALWAYS AS
		(CASE WHEN state = 'open' OR kind <> 'integrity' THEN attempt_id END) VIRTUAL,
	DROP KEY one_per_attempt,
	ADD UNIQUE KEY one_per_attempt (sole_attempt_id, kind);
