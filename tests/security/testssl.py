# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exit status 1 where testssl.sh found something above low, or did not look: testssl.py FILE.json"""
import collections
import json
import sys

FINE = ("OK", "INFO", "LOW", "DEBUG")
# What testssl.sh cannot tell here, and tests/integration/test_tls.py does: version 3.0.8 sends drafts of TLS 1.3 along, which
# GnuTLS does not answer; and takes the orderly end of a connection, at its wish for a renegotiation, for consent.
PROVED_ELSEWHERE = ("TLS1_3", "secure_client_renego")
LOOKED_AT = {"TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "heartbleed", "ROBOT", "BEAST", "LUCKY13", "cert_notAfter"}

with open(sys.argv[1]) as file:
    lines = json.load(file)
counts = collections.Counter(line["severity"] for line in lines)
print(", ".join(f"{count} {severity}" for severity, count in sorted(counts.items())))
missing = LOOKED_AT - {line["id"].split(" ")[0] for line in lines}
bad = [line for line in lines if line["severity"] not in FINE and line["id"] not in PROVED_ELSEWHERE]
for line in bad:
    print(f"{line['severity']} {line['id']}: {line['finding']}")
if missing:
    print("not looked at:", ", ".join(sorted(missing)))
sys.exit(bool(bad or missing))
