-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A merchant's API keys, newest first: revoked and expired ones stay, so that there may be many.

ALTER TABLE api_key ADD KEY history (merchant, created_at_us, id);
