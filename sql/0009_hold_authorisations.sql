-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- How long each gateway holds what was authorised.

ALTER TABLE gateway ADD COLUMN authorisation_expiry_s BIGINT NOT NULL DEFAULT 518400;
