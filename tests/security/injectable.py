#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page that is open to SQL injection on purpose, on a port of 127.0.0.1 that is written to a file: injectable.py FILE.
It proves that the scanner finds what it looks for."""
import http.server
import pathlib
import sqlite3
import sys
import urllib.parse


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("id", ["1"])[0]
        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE item (id INTEGER, name TEXT)")
        database.execute("INSERT INTO item VALUES (1, 'one'), (2, 'two')")
        try:
            rows = database.execute(f"SELECT name FROM item WHERE id = {asked}").fetchall()
            status, text = 200, "<html>" + "".join(f"<p>{name} is here</p>" for name, in rows) + "</html>"
        except (sqlite3.Error, sqlite3.Warning) as error:
            status, text = 500, f"<html>{error}</html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
    pathlib.Path(sys.argv[1]).write_text(str(server.server_address[1]))
    server.serve_forever()
