# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of bad requests that test_bad_input.py sends: raw bytes, and the status, code and fields of the refusal."""
import json
from collections import namedtuple

GOOD = {"amount": 1000, "currency": "USD", "payment_method": "credit_card", "customer_id": "cust_001"}
BODY_MAX = 65536

Case = namedtuple("Case", "name raw status code errors detail")

ANY = object()  # no opinion about the list of fields
BEARER = b"Authorization: Bearer @TOKEN@"
READ_BEARER = b"Authorization: Bearer @READ@"
JSON_TYPE = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
GOOD_BODY = json.dumps(GOOD).encode()


# --- how a row becomes a request ---

def wire(body=b"", headers=(JSON_TYPE, BEARER), method=b"POST", target=b"/transactions", version=b"HTTP/1.1",
         length=True):
    """Raw bytes of a request; @TOKEN@ is filled in by the test."""
    lines = [b" ".join((method, target, version)), b"Host: 127.0.0.1", *headers]
    if length and (body or method == b"POST"):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body, size=4096):
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def text_of(changes):
    """The good body with members replaced by raw JSON texts; None leaves one out."""
    members = {name: json.dumps(value) for name, value in GOOD.items()}
    members.update(changes)
    return ("{" + ",".join(f"{json.dumps(name)}:{text}"
                           for name, text in members.items() if text is not None) + "}").encode()


def body(name, raw, status=400, code="malformed_request", detail=None):
    return Case(name, wire(raw), status, code, None, detail)


def raw_field(name, errors, **changes):
    """`errors`: {field: code} of a 422."""
    return Case(name, wire(text_of(changes)), 422, "validation_failed", errors, None)


def field(name, errors, **changes):
    return raw_field(name, errors, **{member: None if value is None else json.dumps(value)
                                      for member, value in changes.items()})


def amount(text, code, currency="USD"):
    return field(f"amount {text[:24]!r} {currency}", {"amount": code}, amount=text, currency=currency)


def headers(name, lines, status=400, code="malformed_request", content=GOOD_BODY, **options):
    return Case(name, wire(content, lines, **options), status, code, ANY, None)


def path(name, target, status=404, code="not_found", method=b"GET", lines=(BEARER,)):
    return Case(name, wire(b"", lines, method, target), status, code, ANY, None)


def unparsed(name, raw, statuses):
    """What is no HTTP for certain: the server's own answer, or a closed connection (0)."""
    return Case(name, raw, statuses, None, ANY, None)


# --- the table ---

NESTED = b'{"a":' * 16 + b"{}" + b"}" * 16  # 17 deep

BODIES = [
    body("empty body", b""),
    body("blanks only", b" \r\n\t "),
    body("array", b"[]"),
    body("array of a good body", b"[" + GOOD_BODY + b"]"),
    body("null", b"null"),
    body("true", b"true"),
    body("number", b"1"),
    body("string", b'"x"'),
    body("no JSON at all", b"amount=1000&currency=USD"),
    body("XML", b"<deposit><amount>100.50</amount></deposit>"),
    body("opening brace only", b"{"),
    body("closing brace only", b"}"),
    body("two opening braces", b"{{}}"),
    body("cut in a name", b'{"amo'),
    body("cut behind a name", b'{"amount"'),
    body("cut behind a colon", b'{"amount":'),
    body("cut in a string", b'{"currency":"US'),
    body("cut before the end", GOOD_BODY[:-1]),
    body("comma at the end", b'{"amount":1000,}'),
    body("comma at the start", b'{,"amount":1000}'),
    body("two commas", b'{"amount":1000,,"currency":"USD"}'),
    body("no comma", b'{"amount":1000 "currency":"USD"}'),
    body("no colon", b'{"amount" 1000}'),
    body("no value", b'{"amount":}'),
    body("single quotes", b"{'amount':1000}"),
    body("bare name", b"{amount:1000}"),
    body("number as a name", b"{1:1000}"),
    body("comment", b'{"amount":1000/* ten */}'),
    body("line comment", b'{"amount":1000}//'),
    body("NaN", b'{"amount":NaN}'),
    body("Infinity", b'{"amount":Infinity}'),
    body("minus Infinity", b'{"amount":-Infinity}'),
    body("undefined", b'{"amount":undefined}'),
    body("True", b'{"amount":True}'),
    body("hexadecimal number", b'{"amount":0x3e8}'),
    body("leading zero", b'{"amount":0100}'),
    body("plus sign", b'{"amount":+100}'),
    body("number that ends with a point", b'{"amount":1.}'),
    body("number that begins with a point", b'{"amount":.5}'),
    body("number with a bare exponent", b'{"amount":1e}'),
    body("minus alone", b'{"amount":-}'),
    body("blank in a number", b'{"amount":1 000}'),
    body("underscore in a number", b'{"amount":1_000}'),
    body("trailing word", GOOD_BODY + b"x"),
    body("trailing object", GOOD_BODY * 2),
    body("trailing brace", GOOD_BODY + b"}"),
    body("trailing NUL", GOOD_BODY + b"\0"),
    body("leading NUL", b"\0" + GOOD_BODY),
    body("vertical tab around", b"\v" + GOOD_BODY),
    body("no-break space in front", b"\xc2\xa0" + GOOD_BODY),
    body("byte order mark", b"\xef\xbb\xbf" + GOOD_BODY, detail="byte order mark"),
    body("UTF-16 with a mark", json.dumps(GOOD).encode("utf-16")),
    body("UTF-16 little endian", json.dumps(GOOD).encode("utf-16-le")),
    body("UTF-16 big endian", json.dumps(GOOD).encode("utf-16-be")),
    body("UTF-32", json.dumps(GOOD).encode("utf-32")),
    body("raw NUL in a string", text_of({"description": '"a\0b"'}), detail="NUL"),
    body("raw NUL in a name", b'{"amo\0unt":1000}'),
    body("escaped NUL in a string", text_of({"description": '"a\\u0000b"'})),
    body("escaped NUL in a name", text_of({"a\0b": "1"})),
    body("raw line break in a string", text_of({"description": '"a\nb"'})),
    body("raw tab in a string", text_of({"description": '"a\tb"'})),
    body("raw escape character in a string", text_of({"description": '"a\x1bb"'})),
    body("unknown escape", text_of({"description": '"a\\x41"'})),
    body("octal escape", text_of({"description": '"a\\101"'})),
    body("short escape", text_of({"description": '"a\\u12"'})),
    body("escape without hexadecimal", text_of({"description": '"a\\uzzzz"'})),
    body("high surrogate alone", text_of({"description": '"\\ud83d"'})),
    body("low surrogate alone", text_of({"description": '"\\ude00"'})),
    body("surrogates in the wrong order", text_of({"description": '"\\ude00\\ud83d"'})),
    body("depth 17", NESTED, detail="too deeply"),
    body("depth 17 of arrays", b'{"a":' + b"[" * 16 + b"]" * 16 + b"}", detail="too deeply"),
    body("depth 60,000, never closed", b'{"a":' + b"[" * 60000, detail="too deeply"),
    body("a member twice", text_of({})[:-1] + b',"amount":1}', detail="twice"),
    body("a member twice by an escape", text_of({})[:-1] + b',"\\u0061mount":1}', detail="twice"),
    body("a nested member twice", text_of({"metadata": '{"a":"1","a":"2"}'}), detail="twice"),
    body("an unknown member twice", text_of({})[:-1] + b',"x":1,"x":1}', detail="twice"),
]

NOT_UTF8 = [
    body(f"not UTF-8: {name}", text_of({"description": '"@"'}).replace(b"@", raw)) for name, raw in (
        ("lone continuation", b"\x80"), ("lone last continuation", b"\xbf"), ("two bytes, cut", b"\xc3"),
        ("three bytes, cut", b"\xe2\x82"), ("four bytes, cut", b"\xf0\x9f\x98"), ("overlong slash", b"\xc0\xaf"),
        ("overlong NUL", b"\xc0\x80"), ("overlong in three", b"\xe0\x80\xaf"),
        ("overlong in four", b"\xf0\x80\x80\xaf"), ("high surrogate", b"\xed\xa0\x80"),
        ("low surrogate", b"\xed\xbf\xbf"), ("surrogate pair", b"\xed\xa0\xbd\xed\xb8\x80"),
        ("above U+10FFFF", b"\xf4\x90\x80\x80"), ("five bytes", b"\xf8\x88\x80\x80\x80"),
        ("six bytes", b"\xfc\x84\x80\x80\x80\x80"), ("FE", b"\xfe"), ("FF", b"\xff"),
        ("Latin-1", "é".encode("latin-1")))
] + [body("not UTF-8: in a name", b'{"\xff":1}')]

AMOUNTS = [
    raw_field(f"amount {text}", {"amount": code}, amount=text) for text, code in (
        ("1.0", "float_not_allowed"), ("1000.0", "float_not_allowed"), ("1e3", "float_not_allowed"),
        ("1E3", "float_not_allowed"), ("1e-3", "float_not_allowed"), ("-0.0", "float_not_allowed"),
        ("0.1", "float_not_allowed"), ("9007199254740993.0", "float_not_allowed"), ("1e308", "float_not_allowed"),
        ("0", "not_positive"), ("-0", "not_positive"), ("-1", "not_positive"), ("-1000", "not_positive"),
        ("-9223372036854775808", "not_positive"), ("1000000000000", "too_large"), ("9223372036854775807", "too_large"),
        ("true", "wrong_type"), ("false", "wrong_type"), ("null", "wrong_type"), ("[]", "wrong_type"),
        ("[1000]", "wrong_type"), ("{}", "wrong_type"), ('{"value":1000}', "wrong_type"))
] + [
    Case(f"amount {text[:24]}", wire(text_of({"amount": text})), 422, "validation_failed", {"amount": "too_large"},
         "amount") for text in (
        "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 30, "9" * 400, "1E400",
        "-1E400")
] + [
    amount(text, "wrong_format") for text in (
        "", " ", "1.", ".5", ".", "01", "00.5", "+1", " 1", "1 ", "1,5", "1.000,50", "1'000", "1 000", "1e3", "1E3",
        "0x10", "1_000", "$5", "5 USD", "USD 5", "1.2.3", "--1", "-", "-.5", "1-", "NaN", "Infinity", "ten", "\t1",
        "1\n", "٣", "½", "１", "²", "1\u200b", "null", "1;DROP TABLE transaction", "1/2", "%31")
] + [
    amount(text, "not_positive") for text in ("0", "0.00", "-1", "-0", "-0.01")
] + [
    amount(text, "too_precise") for text in ("10.001", "0.001", "10.000", "10." + "0" * 400)
] + [
    amount(text, "too_large")
    for text in ("10000000000.00", "10000000000", "9" * 400, "92233720368547758.07", "184467440737095516.16")
] + [
    amount("1.0", "too_precise", "JPY"), amount("1.2345", "too_precise", "KWD"),
    amount("1.23456", "too_precise", "CLF"),
    amount("1000000000000", "too_large", "JPY"), amount("1000000000.000", "too_large", "KWD"),
    amount("100000000.0000", "too_large", "CLF"),
]

CURRENCIES = [
    field(f"currency {text!r}", {"currency": "unknown_currency"}, currency=text)
    for text in ("USX", "usd", "Usd", "DEM", "XAU", "XXX", "XTS", "XDR", "ZWL", "HRK", "AAA", "ZZZ", "123", "U$D")
] + [
    field(f"currency {text!r}", {"currency": "wrong_length"}, currency=text)
    for text in ("", "US", "USDT", " USD", "DOLLAR")
] + [
    field(f"currency {text!r}", {"currency": "wrong_characters"}, currency=text)
    for text in ("U D", "US\t", "US\u0130", "€€€", "US ")
] + [
    field("currency and amount", {"currency": "unknown_currency", "amount": "wrong_format"}, currency="usd",
          amount="1.2.3"),
    field("number as currency", {"currency": "wrong_type"}, currency=840),
]

REQUIRED = [field(f"without {name}", {name: "required"}, **{name: None}) for name in GOOD] + [
    field("an empty object", {name: "required" for name in GOOD}, **dict.fromkeys(GOOD))]

TEXT_FIELDS = ("currency", "payment_method", "customer_id", "description", "payment_token", "country", "capture",
               "process", "callback_url")
TYPES = [
    raw_field(f"{name} is {text}", {name: "wrong_type"}, **{name: text})
    for name in TEXT_FIELDS for text in ("1", "1.5", "true", "[]", '["x"]', "{}")
] + [
    raw_field(f"{name} is null", {name: "wrong_type"}, **{name: "null"})
    for name in ("currency", "payment_method", "customer_id")
] + [
    raw_field(f"metadata is {text}", {"metadata": "wrong_type"}, metadata=text)
    for text in ('""', '"{}"', "1", "1.5", "true", "[]", '[{"a":"b"}]', '{"a":1}', '{"a":1.5}', '{"a":null}',
                 '{"a":true}', '{"a":[]}', '{"a":{}}', '{"a":"b","c":{"d":"e"}}')
]

TEXTS = [
    field("description of 256 letters", {"description": "wrong_length"}, description="x" * 256),
    field("description of 256 two-byte letters", {"description": "wrong_length"}, description="é" * 256),
    field("description of 256 emoji", {"description": "wrong_length"}, description="😀" * 256),
    field("description of 60,000 letters", {"description": "wrong_length"}, description="x" * 60000),
    field("empty customer", {"customer_id": "wrong_length"}, customer_id=""),
    field("customer of 65 letters", {"customer_id": "wrong_length"}, customer_id="c" * 65),
    field("customer with a blank", {"customer_id": "wrong_characters"}, customer_id="cust 001"),
    field("customer with a line break", {"customer_id": "wrong_characters"}, customer_id="cust\n001"),
    field("customer that is not ASCII", {"customer_id": "wrong_characters"}, customer_id="müller"),
    field("customer with a DEL", {"customer_id": "wrong_characters"}, customer_id="cust\x7f"),
    field("empty token", {"payment_token": "wrong_length"}, payment_token=""),
    field("token of 129 letters", {"payment_token": "wrong_length"}, payment_token="t" * 129),
    field("token with a blank", {"payment_token": "wrong_characters"}, payment_token="tok ok"),
    field("token with a quote", {"payment_token": "wrong_characters"}, payment_token="tok_'--"),
    field("token with a line break", {"payment_token": "wrong_characters"}, payment_token="tok_ok\r\nX-Evil: 1"),
    field("token that is not ASCII", {"payment_token": "wrong_characters"}, payment_token="tök"),
] + [
    field(f"country {text!r}", {"country": code}, country=text) for text, code in (
        ("", "wrong_length"), ("U", "wrong_length"), ("USA", "wrong_length"), ("us", "wrong_characters"),
        ("Us", "wrong_characters"), ("U1", "wrong_characters"), ("12", "wrong_characters"), ("U ", "wrong_characters"),
        ("ÜS", "wrong_characters"))
] + [
    field(f"payment method {text!r}", {"payment_method": "not_allowed"}, payment_method=text) for text in (
        "", "card", "Credit_card", "CREDIT_CARD", "credit card", "credit_card ", "credit_card\n", "credit_cards",
        "cash", "x" * 300)
] + [
    field(f"capture {text!r}", {"capture": "not_allowed"}, capture=text)
    for text in ("", "Manual", "AUTOMATIC", "later")
] + [
    field(f"process {text!r}", {"process": "not_allowed"}, process=text)
    for text in ("", "later", "AUTO", "MANUAL", "automatic")
] + [
    field(f"callback address {text[:32]!r}", {"callback_url": code}, callback_url=text) for text, code in (
        ("", "wrong_length"), ("http://", "wrong_length"), ("https://x/" + "a" * 503, "wrong_length"),
        ("javascript:alert(1)", "wrong_characters"), ("JavaScript:alert(1)", "wrong_characters"),
        ("data:text/html,x", "wrong_characters"), ("file:///etc/passwd", "wrong_characters"),
        ("ftp://shop.test/x", "wrong_characters"), ("gopher://shop.test", "wrong_characters"),
        ("//shop.test/paid", "wrong_characters"), ("shop.test/paid", "wrong_characters"),
        ("/paid-callback", "wrong_characters"), ("HTTP://shop.test/", "wrong_characters"),
        ("http:/shop.test/", "wrong_characters"), ("http:///paid", "wrong_characters"),
        ("http://user@shop.test/", "wrong_characters"), ("http://user:word@shop.test/", "wrong_characters"),
        ("http://shop.test/a b", "wrong_characters"), (" http://shop.test/", "wrong_characters"),
        ("http://shop.test/\r\nX: 1", "wrong_characters"), ("http://shop.test/#part", "wrong_characters"),
        ("http://shöp.test/", "wrong_characters"), ("http://shop.test\\@evil.test/", "wrong_characters"))
]

CONTROLS = [
    field(f"{name} with U+{ord(control):04X}", {name: "wrong_characters"}, **{name: f"tok{control}ok"})
    for name in ("description", "customer_id", "payment_token")
    for control in ("\x01", "\x08", "\x0b", "\x1b", "\x7f", "\x85", "\x9b")
] + [
    field(f"metadata with U+{ord(control):04X} in {place}", {"metadata": "wrong_characters"}, metadata=metadata)
    for control in ("\x01", "\x1b", "\x7f", "\x9b")
    for place, metadata in (("a name", {f"a{control}": "b"}), ("a value", {"a": f"b{control}"}))
] + [field("metadata with a line break in a name", {"metadata": "wrong_characters"}, metadata={"a\nb": "c"})]

METADATA = [
    field("metadata of 21 members", {"metadata": "wrong_length"}, metadata={f"m{i}": "x" for i in range(21)}),
    field("metadata of 64 members", {"metadata": "wrong_length"}, metadata={f"m{i}": "x" for i in range(64)}),
    field("metadata with an empty name", {"metadata": "wrong_length"}, metadata={"": "x"}),
    field("metadata with a name of 41", {"metadata": "wrong_length"}, metadata={"n" * 41: "x"}),
    field("metadata with a value of 501", {"metadata": "wrong_length"}, metadata={"a": "x" * 501}),
    field("metadata with a value of 501 emoji", {"metadata": "wrong_length"}, metadata={"a": "😀" * 501}),
    field("metadata too long altogether", {"metadata": "wrong_length"},
          metadata={f"m{i}": "x" * 450 for i in range(10)}),
    Case("metadata of 65 members", wire(text_of({"metadata": json.dumps({f"m{i}": "x" for i in range(65)})})), 422,
         "validation_failed", ANY, None),
]

UNKNOWN = [
    field(f"unknown member {name[:24]!r}", {shown: "unknown_field"}, **{name: "x"}) for name, shown in (
        ("ammount", "ammount"), ("Amount", "Amount"), ("AMOUNT", "AMOUNT"), ("amount ", "amount?"),
        (" amount", "?amount"), ("status", "status"), ("merchant", "merchant"), ("transaction_id", "transaction_id"),
        ("__proto__", "__proto__"), ("constructor", "constructor"), ("", ""), ("amoünt", "amo??nt"), ("a\nb", "a?b"),
        ("x" * 200, "x" * 64), ("amount_minor", "amount_minor"), ("id", "id"), ("a/b~c", "a/b~c"))
] + [
    Case("65 members", wire(text_of({f"x{i}": "1" for i in range(61)})), 422, "validation_failed", ANY, None),
]

CARDS = {
    "Visa": "4111111111111111", "Visa of 13": "4222222222222", "Visa of 19": "4000000000000000006",
    "Mastercard": "5555555555554444", "Mastercard of the 2 series": "2223003122003222",
    "American Express": "378282246310005", "Discover": "6011111111111117", "Diners": "30569309025904",
    "JCB": "3530111333300000", "UnionPay": "6200000000000005", "Maestro": "6759649826438453", "Mir": "2200000000000004",
}
VISA = CARDS["Visa"]
SPACED, DASHED = "4111 1111 1111 1111", "4111-1111-1111-1111"


def card(name, field_name, text):
    member = {"a": text} if field_name == "metadata" else text
    return field(f"{name} in {field_name}", {field_name: "card_number"}, **{field_name: member})


CARD_NUMBERS = [
    card(name, field_name, number) for name, number in CARDS.items()
    for field_name in ("description", "customer_id", "payment_token", "metadata")
] + [
    card("Visa with dashes", field_name, DASHED)
    for field_name in ("description", "customer_id", "payment_token", "metadata")
] + [
    card("Visa with blanks", field_name, SPACED) for field_name in ("description", "metadata")
] + [
    card("Visa with tabs", "description", SPACED.replace(" ", "\t")),
    card("Visa among words", "description", f"pay with {SPACED} please"),
    card("Visa behind other digits", "description", "0004111111111111111000"),
    card("Visa in an address", "callback_url", f"https://shop.test/?card={VISA}"),
    card("Visa in a path", "callback_url", f"https://shop.test/{DASHED}/x"),
    field("Visa in a metadata name", {"metadata": "card_number"}, metadata={VISA: "x"}),
    field("Visa with blanks in a metadata name", {"metadata": "card_number"}, metadata={SPACED: "x"}),
    field("Visa with dashes in a metadata name", {"metadata": "card_number"}, metadata={DASHED: "x"}),
    field("Visa as payment method", {"payment_method": "not_allowed"}, payment_method=VISA),
    field("Visa as country", {"country": "wrong_length"}, country=VISA),
    field("Visa as currency", {"currency": "wrong_length"}, currency=VISA),
    field("Visa as capture", {"capture": "not_allowed"}, capture=VISA),
    field("Visa as amount", {"amount": "too_large"}, amount=int(VISA)),
    field("Visa as amount in text", {"amount": "too_large"}, amount=VISA),
    field("Visa as an unknown member", {"************1111": "unknown_field"}, **{VISA: "x"}),
    field("Visa in an unknown member", {"card": "unknown_field"}, card={"number": VISA}),
]

EVERYTHING = [field("every field at once", {
    "amount": "float_not_allowed", "currency": "unknown_currency", "payment_method": "not_allowed",
    "description": "wrong_length", "customer_id": "wrong_characters", "payment_token": "card_number",
    "country": "wrong_characters", "capture": "not_allowed", "process": "not_allowed", "metadata": "wrong_type",
    "callback_url": "wrong_characters", "surprise": "unknown_field"},
    amount=10.5, currency="usd", payment_method="cash", description="x" * 256, customer_id="a b", payment_token=VISA,
    country="us", capture="later", process="later", metadata={"a": 1},
    callback_url="javascript:alert(1)", surprise=1)]

SIZES = [
    body("64 kB and 1 byte", text_of({}) + b" " * (BODY_MAX + 1 - len(text_of({}))), 413, "body_too_large"),
    body("64 kB of nothing", b"\0" * (BODY_MAX + 1), 413, "body_too_large"),
    body("depth 100,000", b'{"a":' + b"[" * 100000, 413, "body_too_large"),
    body("10 MB", b'{"description":"' + b"x" * 10_000_000 + b'"}', 413, "body_too_large"),
    headers("64 kB and 1 byte in chunks", (JSON_TYPE, BEARER, CHUNKED), 413, "body_too_large",
            content=chunked(b" " * (BODY_MAX + 1)), length=False),
    # Smaller ones cost the address sanitizer a copy of the body each, and then the read deadline cuts the connection.
    headers("70 kB in chunks of 10", (JSON_TYPE, BEARER, CHUNKED), 413, "body_too_large",
            content=chunked(b"[" * 70_000, 10), length=False),
    headers("too large and told before", (JSON_TYPE, BEARER, b"Expect: 100-continue"), 413, "body_too_large",
            content=b" " * (BODY_MAX + 1)),
    headers("a body where none is taken", (JSON_TYPE, BEARER), 413, "body_too_large", method=b"GET",
            target=b"/customers/c/transactions"),
    headers("too large, and nothing else is right", (), 413, "body_too_large", content=b" " * (BODY_MAX + 1)),
]


def content_type(*lines, status=415, code="unsupported_media_type"):
    return headers(f"{b' + '.join(lines).decode()[:60] or 'no Content-Type'}", (*lines, BEARER), status, code)


MEDIA_TYPES = [
    content_type(),
    content_type(b"Content-Type:"),
    content_type(b"Content-Type: text/plain"),
    content_type(b"Content-Type: application/xml; charset=utf-16"),
    content_type(b"Content-Type: text/xml"),
    content_type(b"Content-Type: application/x-www-form-urlencoded"),
    content_type(b"Content-Type: multipart/form-data; boundary=x"),
    content_type(b"Content-Type: application/octet-stream"),
    content_type(b"Content-Type: */*"),
    content_type(b"Content-Type: application/*"),
    content_type(b"Content-Type: text/json"),
    content_type(b"Content-Type: application/jsonp"),
    content_type(b"Content-Type: application/json-seq"),
    content_type(b"Content-Type: application/merge-patch+json"),
    content_type(b"Content-Type: application/json; charset=latin1"),
    content_type(b"Content-Type: application/json; charset=utf-16"),
    content_type(b"Content-Type: application/json; charset=utf-8; charset=latin1"),
    content_type(b"Content-Type: application/json; boundary=x"),
    content_type(b"Content-Type: application/json, text/plain"),
    content_type(b"Content-Type: application/json,application/json"),
    content_type(b"Content-Type: application/json application/json"),
    content_type(JSON_TYPE, JSON_TYPE),
    content_type(JSON_TYPE, b"Content-Type: text/plain"),
    content_type(b"content-type: application/json", b"CONTENT-TYPE: application/json"),
    content_type(JSON_TYPE, b"Content-Encoding: gzip"),
    content_type(JSON_TYPE, b"Content-Encoding: identity, gzip"),
    content_type(JSON_TYPE, b"Content-Encoding: identity", b"Content-Encoding: identity"),
    headers("wrong type, and no token", (b"Content-Type: text/plain",), 415, "unsupported_media_type"),
]

HEADERS = [
    headers("two tokens", (JSON_TYPE, BEARER, BEARER), 401, "unauthenticated"),
    headers("two tokens in mixed case", (JSON_TYPE, BEARER, b"aUTHORIZATION: Bearer x"), 401, "unauthenticated"),
    headers("no token, and a malformed body", (JSON_TYPE,), 401, "unauthenticated", content=b"{"),
    headers("scope lacks, and a malformed body", (JSON_TYPE, READ_BEARER), 403, "insufficient_scope", content=b"{"),
    headers("unknown parameter, and a malformed body", (JSON_TYPE, BEARER), 400, "invalid_query", content=b"{",
            target=b"/transactions?amount=1"),
    headers("malformed before semantics", (JSON_TYPE, BEARER), content=b'{"amount":-1,"amount":-1}'),
    headers("length and chunks", (JSON_TYPE, BEARER, b"Transfer-Encoding: chunked"), content=chunked(text_of({}))),
    headers("two lengths", (JSON_TYPE, BEARER, b"Content-Length: 1")),
    headers("two equal lengths", (JSON_TYPE, BEARER, b"Content-Length: %d" % len(json.dumps(GOOD)))),
    headers("key twice", (JSON_TYPE, BEARER, b"Idempotency-Key: a", b"Idempotency-Key: a")),
    headers("key twice in mixed case", (JSON_TYPE, BEARER, b"idempotency-key: a", b"IDEMPOTENCY-KEY: b")),
    headers("key with a comma", (JSON_TYPE, BEARER, b"Idempotency-Key: a,b")),
    headers("empty key", (JSON_TYPE, BEARER, b"Idempotency-Key:")),
    headers("empty quoted key", (JSON_TYPE, BEARER, b'Idempotency-Key: ""')),
    headers("key that is not ASCII", (JSON_TYPE, BEARER, b"Idempotency-Key: k\xc3\xa9y")),
    headers("key with a blank", (JSON_TYPE, BEARER, b"Idempotency-Key: a b")),
    headers("key with a tab", (JSON_TYPE, BEARER, b"Idempotency-Key: a\tb")),
    headers("key with an escape character", (JSON_TYPE, BEARER, b"Idempotency-Key: a\x1bb")),
    headers("quoted key without an end", (JSON_TYPE, BEARER, b'Idempotency-Key: "a')),
    headers("quoted key with parameters", (JSON_TYPE, BEARER, b'Idempotency-Key: "a";x=1')),
    headers("quoted key with an unknown escape", (JSON_TYPE, BEARER, b'Idempotency-Key: "a\\n"')),
    headers("key of 256", (JSON_TYPE, BEARER, b"Idempotency-Key: " + b"k" * 256)),
    headers("quoted key of 256", (JSON_TYPE, BEARER, b'Idempotency-Key: "' + b"k" * 256 + b'"')),
    headers("key of 8,000", (JSON_TYPE, BEARER, b"Idempotency-Key: " + b"k" * 8000)),
    headers("70 header lines", (JSON_TYPE, BEARER, *[b"X-Line-%d: x" % number for number in range(70)])),
    *[headers(f"deadline {text.decode()!r}", (JSON_TYPE, BEARER, b"Request-Timeout: " + text)) for text in (
        b"", b"0", b"00", b"31", b"100", b"-1", b"+1", b"1.5", b"1s", b"10, 10", b"ten", b"0x5",
        b"99999999999999999999")],
    headers("two deadlines", (JSON_TYPE, BEARER, b"Request-Timeout: 5", b"request-timeout: 5")),
    headers("bad body by HTTP/1.0", (JSON_TYPE, BEARER), content=b"{", version=b"HTTP/1.0"),
]

METHODS = [
    Case(f"{method.decode()[:16]} {target.decode()}", wire(b"", (BEARER,), method, target), 405, "method_not_allowed",
         ANY, None)
    for method, target in (
        (b"GET", b"/callback/t"), (b"PUT", b"/transactions"), (b"PATCH", b"/transactions"),
        (b"DELETE", b"/transactions"), (b"TRACE", b"/transactions"), (b"post", b"/transactions"),
        (b"Post", b"/transactions"), (b"POSTX", b"/transactions"), (b"BREW", b"/transactions"),
        (b"PROPFIND", b"/transactions"), (b"X" * 100, b"/transactions"), (b"POST", b"/healthz"),
        (b"DELETE", b"/metrics"), (b"TRACE", b"/healthz"), (b"POST", b"/customers/c/transactions"),
        (b"GET", b"/callback/trans_01M7YTV6ECD2DYMZZGJMTR1Z1T"), (b"GET", b"/gateways/alpha/callbacks"),
        (b"DELETE", b"/transactions/trans_01M7YTV6ECD2DYMZZGJMTR1Z1T"))
]

PATHS = [
    path(f"path {target.decode()[:40]}", target) for target in (
        b"/", b"//", b"//transactions", b"/transactions/", b"/transactions//events", b"/TRANSACTIONS",
        b"/transactions.json", b"/transactions/../healthz", b"/./healthz", b"/healthz/", b"/healthz/..", b"/admin",
        b"/.env", b"/.git/config", b"/etc/passwd", b"/../../../../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd",
        b"/transactions%2Fx", b"/healthz%20", b"/healthz;a=b", b"/transactions/a/b/c", b"/openapi", b"/ops/login",
        b"/customer", b"/customers/c/d", b"/customers//transactions", b"/customers/c/transactions/", b"/" + b"a" * 8000,
        b"/customers/" + b"a" * 300 + b"/transactions", b"/callback", b"/gateways/alpha", b"\\healthz")
] + [
    path(f"path {target.decode()[:40]}", target, 400, "malformed_request") for target in (
        b"/transactions/%00", b"/transactions/a%00b", b"/transactions/%", b"/transactions/%4", b"/transactions/%zz",
        b"/customers/c%00/transactions", b"/customers/%u0041/transactions")
] + [
    path(f"id {text[:44]}", b"/transactions/" + text.encode()) for text in (
        "x", "1", "123", "null", "undefined", "*", "trans_", "01M7YTV6ECD2DYMZZGJMTR1Z1T",
        "trans_01M7YTV6ECD2DYMZZGJMTR1Z1T", "trans_00000000000000000000000000", "trans_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "trans_01M7YTV6ECD2DYMZZGJMTR1Z1", "trans_01M7YTV6ECD2DYMZZGJMTR1Z1TT", "trans_81M7YTV6ECD2DYMZZGJMTR1Z1T",
        "trans_Z1M7YTV6ECD2DYMZZGJMTR1Z1T", "trans_01m7ytv6ecd2dymzzgjmtr1z1t", "TRANS_01M7YTV6ECD2DYMZZGJMTR1Z1T",
        "trans_01M7YTV6ECD2DYMZZGJMTR1Z1I", "trans_01M7YTV6ECD2DYMZZGJMTR1Z1L", "trans_01M7YTV6ECD2DYMZZGJMTR1Z1O",
        "trans_01M7YTV6ECD2DYMZZGJMTR1Z1U", "trans-01M7YTV6ECD2DYMZZGJMTR1Z1T", "trans_01M7YTV6-ECD2DYMZZGJMTR1Z1T",
        "op_01M7YTV6ECD2DYMZZGJMTR1Z1T", "att_01M7YTV6ECD2DYMZZGJMTR1Z1T", "evt_01M7YTV6ECD2DYMZZGJMTR1Z1T",
        "ref_01M7YTV6ECD2DYMZZGJMTR1Z1T", "txn_01M7YTV6ECD2DYMZZGJMTR1Z1T", "trans_01M7YTV6ECD2DYMZZGJMTR1Z1T%20",
        "%20trans_01M7YTV6ECD2DYMZZGJMTR1Z1T", "trans_01M7YTV6ECD2DYMZZGJMTR1Z1T%0A", "trans_'%20OR%20'1'='1",
        "a" * 200, "😀", "%F0%9F%98%80", "%FF", VISA)
] + [
    path(f"{below} of {text}", f"/transactions/{text}/{below}".encode())
    for text in ("x", "trans_01M7YTV6ECD2DYMZZGJMTR1Z1T", VISA) for below in ("events", "attempts")
] + [
    path("nothing below a transaction", b"/transactions/trans_01M7YTV6ECD2DYMZZGJMTR1Z1T/secrets"),
] + [
    path(f"customer {text[:40]}", f"/customers/{text}/transactions".encode(), 422, "validation_failed") for text in (
        "a%20b", "a%0Ab", "%1B", "%7F", "%C3%A9", "%FF", "c" * 65, VISA, DASHED)
] + [
    path(f"query {text[:40]}", f"{target}?{text}".encode(), 400, "invalid_query") for target, text in (
        ("/customers/c/transactions", "limit=0"), ("/customers/c/transactions", "limit=201"),
        ("/customers/c/transactions", "limit=-1"), ("/customers/c/transactions", "limit=%2B1"),
        ("/customers/c/transactions", "limit=1.5"), ("/customers/c/transactions", "limit=x"),
        ("/customers/c/transactions", "limit="), ("/customers/c/transactions", "limit"),
        ("/customers/c/transactions", "limit=1&limit=1"), ("/customers/c/transactions", "limit=1&%6Cimit=2"),
        ("/customers/c/transactions", "LIMIT=1"), ("/customers/c/transactions", "limti=1"),
        ("/customers/c/transactions", "limit=18446744073709551617"), ("/customers/c/transactions", "limit=1%00"),
        ("/customers/c/transactions", "limit=%"), ("/customers/c/transactions", "&limit=1"),
        ("/customers/c/transactions", "limit=1&"), ("/customers/c/transactions", "limit=1;after=x"),
        ("/customers/c/transactions", "after="), ("/customers/c/transactions", "after=x"),
        ("/customers/c/transactions", "after=" + "A" * 71), ("/customers/c/transactions", "after=" + "B" * 5000),
        ("/customers/c/transactions", "offset=10"), ("/customers/c/transactions", "=1"),
        ("/transactions/trans_01M7YTV6ECD2DYMZZGJMTR1Z1T", "verbose=1"), ("/healthz", "x=1"), ("/readyz", "x"),
        ("/metrics", "a=b"))
]

def framed(name, *lines, content=GOOD_BODY, statuses=(0, 400)):
    """A request whose own lines say how long its body is."""
    return unparsed(name, wire(content, (JSON_TYPE, BEARER, *lines), length=False), statuses)


NOT_HTTP = [
    unparsed("no HTTP at all", b"hello\r\n\r\n", (0, 400)),
    unparsed("TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", (0, 400)),
    unparsed("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (0, 400, 404, 405, 505)),
    unparsed("HTTP/9.9", wire(b"", (BEARER,), b"GET", b"/healthz", b"HTTP/9.9"), (0, 400, 505)),
    unparsed("no Host", wire(GOOD_BODY).replace(b"Host: 127.0.0.1\r\n", b""), (0, 400)),
    framed("negative length", b"Content-Length: -1"),
    framed("signed length", b"Content-Length: +%d" % len(GOOD_BODY)),
    framed("length in hexadecimal", b"Content-Length: 0x%x" % len(GOOD_BODY)),
    framed("length with a comma", b"Content-Length: %d, %d" % (len(GOOD_BODY), len(GOOD_BODY))),
    framed("endless length", b"Content-Length: 99999999999999999999999", statuses=(0, 400, 413)),
    framed("chunk of no size", CHUNKED, content=b"\r\n{}\r\n0\r\n\r\n"),
    framed("chunk of a negative size", CHUNKED, content=b"-2\r\n{}\r\n0\r\n\r\n"),
    framed("chunk larger than 64 bits", CHUNKED, content=b"f" * 21 + b"\r\n{}\r\n0\r\n\r\n", statuses=(0, 400, 413)),
    framed("chunked twice", CHUNKED, CHUNKED, content=chunked(GOOD_BODY)),
    unparsed("header without a colon", wire(GOOD_BODY, (JSON_TYPE, BEARER, b"Nonsense")), (0, 400)),
    unparsed("blank before the colon", wire(GOOD_BODY, (b"Content-Type : application/json", BEARER)), (0, 400, 415)),
    unparsed("folded header", wire(GOOD_BODY, (b"Content-Type: application/\r\n json", BEARER)), (0, 400, 415)),
    unparsed("NUL in a header", wire(b"{", (JSON_TYPE, BEARER, b"X-A: a\0b")), (0, 400)),
    unparsed("40 kB of one header", wire(GOOD_BODY, (JSON_TYPE, BEARER, b"X-A: " + b"a" * 40000)), (0, 400, 413, 431)),
    unparsed("40 kB of path", wire(b"", (BEARER,), b"GET", b"/" + b"a" * 40000), (0, 400, 414, 431)),
    unparsed("method of 40 kB", wire(b"", (BEARER,), b"M" * 40000), (0, 400, 414, 431, 501)),
    unparsed("10,000 headers", wire(GOOD_BODY, (JSON_TYPE, BEARER, *[b"A: b"] * 10000)), (0, 400, 413, 431)),
    unparsed("CONNECT", wire(b"", (), b"CONNECT", b"evil.test:443"), (0, 400, 404, 405, 501)),
    unparsed("OPTIONS *", wire(b"", (), b"OPTIONS", b"*"), (0, 204, 400, 404)),
    unparsed("unknown expectation", wire(b"{", (JSON_TYPE, BEARER, b"Expect: a-miracle")), (400, 417)),
]

CASES = (BODIES + NOT_UTF8 + AMOUNTS + CURRENCIES + REQUIRED + TYPES + TEXTS + CONTROLS + METADATA + UNKNOWN
         + CARD_NUMBERS + EVERYTHING + SIZES + MEDIA_TYPES + HEADERS + METHODS + PATHS + NOT_HTTP)
