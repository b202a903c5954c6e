-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Who owns and who resolved an exception, when and with which note; callbacks in the order they came.

ALTER TABLE exception
	ADD COLUMN owned_by VARBINARY(64) NULL,
	ADD COLUMN owned_at_us BIGINT NULL,
	ADD COLUMN resolved_by VARBINARY(64) NULL,
	ADD COLUMN note VARBINARY(512) NULL;

ALTER TABLE exception ADD CONSTRAINT exception_note CHECK
	((resolved_by IS NULL) = (note IS NULL) AND (note IS NULL OR state = 'resolved'));

ALTER TABLE exception ADD CONSTRAINT exception_owned CHECK
	((owned_by IS NULL) = (owned_at_us IS NULL) AND (owner IS NOT NULL OR owned_by IS NULL));

ALTER TABLE callback ADD KEY by_time (received_at_us);
