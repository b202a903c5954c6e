-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The client's trace (W3C Trace Context): its id, and whether it is sampled; gateways are told when they are asked.

ALTER TABLE operation ADD COLUMN trace VARBINARY(17) NULL;

ALTER TABLE operation ADD CONSTRAINT operation_trace CHECK (trace IS NULL OR LENGTH(trace) = 17);
