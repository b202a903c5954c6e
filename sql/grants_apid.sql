-- SPDX-FileCopyrightText: payops contributors
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What apid's database user may do: never DDL, never change or delete what happened (event), never delete money rows.
-- {user} is 'name'@'host', {database} the quoted database; payopsctl migrate grant fills them in.
GRANT SELECT ON {database}.merchant TO {user};
GRANT SELECT ON {database}.schema_migration TO {user};
GRANT SELECT, INSERT, UPDATE (slot, revoked_at_us, revoked_by) ON {database}.api_key TO {user};
GRANT SELECT, INSERT, UPDATE ON {database}.transaction TO {user};
GRANT SELECT, INSERT, UPDATE ON {database}.operation TO {user};
GRANT SELECT, INSERT, UPDATE ON {database}.attempt TO {user};
GRANT SELECT, INSERT, UPDATE ON {database}.callback TO {user};
GRANT SELECT, INSERT, UPDATE (position) ON {database}.event TO {user};
GRANT SELECT, INSERT, UPDATE ON {database}.exception TO {user};
GRANT SELECT, INSERT ON {database}.ledger_entry TO {user};
GRANT SELECT, INSERT, UPDATE ON {database}.breaker TO {user};
GRANT SELECT ON {database}.catalogue TO {user};
GRANT SELECT ON {database}.gateway TO {user};
GRANT SELECT ON {database}.gateway_account TO {user};
GRANT SELECT ON {database}.route_rule TO {user};
GRANT SELECT ON {database}.route_target TO {user};
GRANT SELECT, INSERT, UPDATE ON {database}.customer TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.payment_method TO {user};
