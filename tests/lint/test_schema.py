# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagram of the schema in docs/design.md is that of the migrations, and what docs/schema.py reads is what they do."""
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "docs"))

import schema  # noqa: E402, pylint: disable=wrong-import-position


def drawn(tmp_path, *migrations):
    for number, text in enumerate(migrations, 1):
        (tmp_path / f"{number:04}_do.sql").write_text(text)
    return schema.diagram(schema.schema(tmp_path)).splitlines()[2:-1]


SHOP = "CREATE TABLE shop (\n\tid BINARY(16) NOT NULL,\n\tPRIMARY KEY (id)\n) ENGINE=InnoDB;\n"


def test_the_document_has_the_diagram_of_the_migrations():
    done = subprocess.run([sys.executable, "-B", TOP / "docs/schema.py", "--check"], text=True, capture_output=True)

    assert done.returncode == 0, done.stderr


def test_keys_and_relations_are_drawn(tmp_path):
    lines = drawn(tmp_path, SHOP, """-- A comment; with a semicolon
CREATE TABLE till (
	id BIGINT NOT NULL,
	shop BINARY(16) NULL,
	state ENUM('open','shut, or so') NOT NULL,
	twice BIGINT GENERATED ALWAYS AS (CASE WHEN id IN (1, 2) THEN id END) VIRTUAL,
	PRIMARY KEY (id),
	UNIQUE KEY one (twice),
	CONSTRAINT till_shop FOREIGN KEY (shop) REFERENCES shop (id),
	CONSTRAINT till_id CHECK (id IN (1, 2))
) ENGINE=InnoDB;
""")

    assert lines == ['    shop ||--o{ till : "shop"',
                     "    shop {", "        binary_16 id PK", "    }",
                     "    till {", "        bigint id PK", "        binary_16 shop FK", "        enum state",
                     '        bigint twice UK "generated"', "    }"]


def test_later_migrations_change_what_earlier_ones_made(tmp_path):
    lines = drawn(tmp_path, SHOP,
                  "ALTER TABLE shop ADD COLUMN old INT NULL,\n\tADD COLUMN name VARCHAR(9) NULL;\n",
                  "ALTER TABLE shop DROP COLUMN old, MODIFY COLUMN name VARCHAR(20) NOT NULL;\n",
                  "CREATE TABLE gone (id INT) ENGINE=InnoDB;\nDROP TABLE gone;\nUPDATE shop SET name = 'a';\n")

    assert lines == ["    shop {", "        binary_16 id PK", "        varchar_20 name", "    }"]


@pytest.mark.parametrize("text", ["RENAME TABLE shop TO store;\n", "ALTER TABLE shop RENAME COLUMN id TO number;\n",
                                  "ALTER TABLE mall ADD COLUMN a INT NULL;\n"])
def test_what_it_does_not_know_is_refused(tmp_path, text):
    with pytest.raises(SystemExit, match="0002_do.sql"):
        drawn(tmp_path, SHOP, text)
