# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /openapi.json: its examples are taken, and answers have exactly the members that it describes."""
import base64
import collections
import copy
import datetime
import hashlib
import html.parser
import json
import os
import re
import subprocess
import xml.etree.ElementTree

import pytest

from support import unique, until

SCOPES = ("payments:read payments:write refunds:write payouts:write keys:read keys:write "
          "customers:read customers:write")
ID_PATTERN_END = "[0-7][0-9A-HJKMNP-TV-Z]{25}$"
METHODS = ("get", "post", "patch", "delete", "put")


@pytest.fixture(scope="module")
def document(shared):
    shared.start()
    answer = shared.request("GET", "/openapi.json")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json


def operations(document):
    return [(method, path, operation) for path, methods in document["paths"].items()
            for method, operation in methods.items() if method in METHODS]


# --- a value against a schema: as strict as JSON Schema, and no member may be there that is not described ---

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_of(value, kind):
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind])


def complaints(document, schema, value, at="$"):
    """What is wrong with the value, as sentences."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            found = [complaints(document, one, value, at) for one in schema[word]]
            good = found.count([])
            if good == 0 or word == "oneOf" and good > 1:
                return [f"{at} fits {good} of {word}"] + min(found, key=len)
            return []  # nothing but a description stands beside these
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_of(value, kind) for kind in kinds):
        return [f"{at} is {value!r}, not of type {kinds}"]
    wrong = []
    if "enum" in schema and value not in schema["enum"]:
        wrong.append(f"{at} is {value!r}, none of {schema['enum']}")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        wrong.append(f"{at} is {value!r}, not like {schema['pattern']}")
    if isinstance(value, list):
        for number, one in enumerate(value):
            wrong += complaints(document, schema["items"], one, f"{at}[{number}]")
    if isinstance(value, dict):
        wrong += member_complaints(document, schema, value, at)
    return wrong


def member_complaints(document, schema, value, at):
    if "properties" not in schema and "additionalProperties" not in schema:
        return []  # any object
    known = schema.get("properties", {})
    wrong = [f"{at} has no {name}" for name in schema.get("required", []) if name not in value]
    for name, member in value.items():
        if name in known:
            wrong += complaints(document, known[name], member, f"{at}.{name}")
        elif isinstance(schema.get("additionalProperties"), dict):
            wrong += complaints(document, schema["additionalProperties"], member, f"{at}.{name}")
        else:
            wrong.append(f"{at}.{name} is not described")
    return wrong


def judge(document, operation, answer):
    """Fails where an answer is not one that the description promises."""
    described = operation["responses"].get(str(answer.status))
    assert described, f"status {answer.status} is not described: {answer.body}"
    required = [name for name, header in described["headers"].items()
                if document["components"]["headers"][header["$ref"].rsplit("/", 1)[1]]["required"]]
    assert [name for name in required if name.lower() not in answer.headers] == []
    if "content" not in described:
        assert answer.body == b""
        return
    kind, content = next(iter(described["content"].items()))
    assert kind in ("*/*", answer.headers["content-type"].split(";")[0])
    if kind.endswith("json"):
        assert complaints(document, content["schema"], answer.json) == []


# --- the examples of answers ---

def test_times_and_ids_of_answers_have_examples_that_were_possible(document):
    """Else a page that shows examples invents years that never were."""
    seen = collections.Counter()
    for name, schema in document["components"]["schemas"].items():
        for member, its in schema.get("properties", {}).items():
            kind = "id" if its.get("pattern", "").endswith(ID_PATTERN_END) else its.get("format")
            if kind not in ("id", "date-time"):
                continue
            seen[kind] += 1
            assert complaints(document, its, its["examples"][0]) == [], f"{name}.{member}"
            if kind == "date-time":
                at = datetime.datetime.strptime(its["examples"][0], "%Y-%m-%dT%H:%M:%S.%fZ")
                assert 2026 <= at.year <= 2027, f"{name}.{member}"
        own = {member: its["examples"][0] for member, its in schema.get("properties", {}).items() if "examples" in its}
        for before, after in (("created_at", "updated_at"), ("prepared_at", "answered_at"), ("from", "until"),
                              ("opened_at", "resolved_at"), ("created_at", "expires_at")):
            assert own.get(before, "") <= own.get(after, "9"), name
    assert min(seen["id"], seen["date-time"]) >= 15


# --- the examples, on what they need ---

@pytest.fixture(autouse=True)
def nothing_left(shared):
    """Payments that nobody started are no others' business."""
    yield
    for (id_,) in shared.sql("SELECT idempotency_key FROM operation WHERE idempotency_key LIKE 'described-%' "
                             "AND status = 'pending'"):
        shared.request("POST", "/transactions/cancel-by-key", {"idempotency_key": id_}, token=shared.token())


def begun(payops):
    """A payment that waits for its start."""
    key = unique("described-")
    answer = payops.pay(process="manual", headers={"Idempotency-Key": key})
    return {"key": key, "idempotency_key": key, "transaction_id": answer.json["transaction_id"]}


def paid(payops):
    transaction_id = payops.pay(metadata={"order": "1"}, description="two\nlines").json["transaction_id"]
    payops.await_status(transaction_id, "completed")
    return {"transaction_id": transaction_id}


def customer(payops):
    paid(payops)
    return {"customer_id": "cust_001"}


def authorised(payops):
    transaction_id = payops.pay(capture="manual").json["transaction_id"]
    payops.await_status(transaction_id, "authorised")
    return {"transaction_id": transaction_id}


def refunded(payops):
    made = paid(payops)
    answer = payops.request("POST", f"/transactions/{made['transaction_id']}/refunds", {"amount": 100},
                            {"Idempotency-Key": unique("described-")}, payops.token(scope=SCOPES))
    assert answer.status == 201, answer.body
    return {**made, "refund_id": answer.json["refund_id"]}


def named(_payops):
    return {"name": unique("described-")}


def keyed(payops):
    answer = payops.request("POST", "/api-keys", {**named(payops), "scope": "payments:read"},
                            token=payops.token(scope=SCOPES))
    assert answer.status == 201, answer.body
    return {"api_key_id": answer.json["api_key_id"]}


def profile(payops):
    """A customer with a profile and a payment method."""
    path = payops.request("POST", "/customers", {"name": "Ana", "metadata": {"a": "b"}, "address": {"city": "X"}},
                          token=payops.token(scope=SCOPES)).headers["location"]
    method = payops.request("POST", path + "/payment-methods", {"gateway": "alpha", "payment_token": "tok_ok",
                                                                "payment_method": "ewallet"},
                            token=payops.token(scope=SCOPES))
    assert method.status == 201, method.body
    return {"customer_id": path.rsplit("/", 1)[1], "payment_method_id": method.json["payment_method_id"]}


def profile_alone(payops):
    path = payops.request("POST", "/customers", {}, token=payops.token(scope=SCOPES)).headers["location"]
    return {"customer_id": path.rsplit("/", 1)[1]}


def new_customer(_payops):
    return {"customer_id": unique("described-")}


def plain_page(_payops):
    return {"file": "plain"}


def nothing(_payops):
    return {}


NEEDS = {  # what the path and the body of an example name
    ("patch", "/transactions/{transaction_id}"): begun,
    ("post", "/transactions/{transaction_id}/process"): begun,
    ("post", "/transactions/{transaction_id}/cancel"): begun,
    ("post", "/transactions/cancel-by-key"): begun,
    ("post", "/transactions/{transaction_id}/capture"): authorised,
    ("post", "/transactions/{transaction_id}/void"): authorised,
    ("post", "/transactions/{transaction_id}/refunds"): paid,
    ("get", "/transactions/{transaction_id}/refunds"): refunded,
    ("get", "/refunds/{refund_id}"): refunded,
    ("get", "/transactions/{transaction_id}"): paid,
    ("get", "/transactions/{transaction_id}/events"): paid,
    ("get", "/transactions/{transaction_id}/attempts"): paid,
    ("get", "/transactions/{transaction_id}/why"): paid,
    ("post", "/api-keys"): named,
    ("get", "/api-keys/{api_key_id}"): keyed,
    ("delete", "/api-keys/{api_key_id}"): keyed,
    ("post", "/api-keys/{api_key_id}/rotate"): keyed,
    ("get", "/idempotency-keys/{key}"): begun,
    ("get", "/customers/{customer_id}/transactions"): customer,
    ("post", "/customers"): new_customer,
    ("get", "/customers/{customer_id}"): profile,
    ("patch", "/customers/{customer_id}"): profile,
    ("delete", "/customers/{customer_id}"): profile,
    ("post", "/customers/{customer_id}/payment-methods"): profile_alone,
    ("get", "/customers/{customer_id}/payment-methods"): profile,
    ("get", "/customers/{customer_id}/payment-methods/{payment_method_id}"): profile,
    ("delete", "/customers/{customer_id}/payment-methods/{payment_method_id}"): profile,
    ("get", "/docs/{file}"): plain_page,
}


def send(payops, method, path, operation, needs):
    body = None
    if "requestBody" in operation:
        body = copy.deepcopy(operation["requestBody"]["content"]["application/json"]["example"])
        body.update({name: value for name, value in needs.items() if name in body})
    for name, value in needs.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"{path}: NEEDS does not say what its example needs"
    headers = {}
    if any(one.get("name") == "Idempotency-Key" for one in operation["parameters"]):
        headers["Idempotency-Key"] = unique("described-")
    token = payops.token(scope=SCOPES) if operation["security"] else None
    answer = payops.request(method.upper(), path, body, headers, token)
    if method == "post" and path == "/transactions":
        payops.history.append({"transaction_id": answer.json["transaction_id"], "amount": body["amount"],
                               "currency": body["currency"], "status": answer.status, "merchant": "demo",
                               "payment_token": None})
    return answer


def is_signed(path):
    return path.startswith("/callback/") or path.endswith("/callbacks")


def test_every_example_is_taken_and_answered_as_described(payops, document, say):
    count = 0
    for method, path, operation in operations(document):
        if is_signed(path):
            continue
        answer = send(payops, method, path, operation, NEEDS.get((method, path), nothing)(payops))
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body}"
        try:
            judge(document, operation, answer)
        except AssertionError as error:
            raise AssertionError(f"{method} {path}: {error}") from error
        count += 1
    say(f"{count} examples were taken")


def xml_types(operation):
    """What an operation takes and answers in JSON and not in XML."""
    contents = {"request": operation.get("requestBody", {}).get("content", {}),
                **{status: answer.get("content", {}) for status, answer in operation["responses"].items()}}
    return [where for where, content in contents.items() for kind in content
            if kind.endswith("json") and kind.replace("json", "xml") not in content]


def as_xml(root, value):
    def element(name, value):
        made = xml.etree.ElementTree.Element(name)
        if isinstance(value, dict):
            made.extend(element(*member) for member in value.items())
        else:
            made.text = str(value)
        return made
    return xml.etree.ElementTree.tostring(element(root, value))


def test_every_example_in_xml_is_taken_and_answered_in_xml(payops, document, say):
    count = 0
    for method, path, operation in operations(document):
        example = operation.get("requestBody", {}).get("content", {}).get("application/xml", {}).get("example")
        if example is None or is_signed(path):
            continue
        needs = NEEDS.get((method, path), nothing)(payops)
        for name, value in needs.items():
            path = path.replace(f"{{{name}}}", value)
        sent = {**example, **{name: value for name, value in needs.items() if name in example}}
        answer = payops.request(method.upper(), path, as_xml("request", sent),
                                {"Content-Type": "application/xml", "Idempotency-Key": unique("described-")},
                                payops.token(scope=SCOPES))
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body}"
        read = xml.etree.ElementTree.fromstring(answer.body)
        content = operation["responses"][str(answer.status)]["content"]["application/xml"]
        assert read.tag == content["schema"]["xml"]["name"]
        if (method, path) == ("post", "/transactions"):
            payops.history.append({"transaction_id": read.findtext("transaction_id"), "amount": 1000,
                                   "currency": "USD", "status": answer.status, "merchant": "demo",
                                   "payment_token": None})
        count += 1
    assert count >= 8
    say(f"{count} examples in XML were taken")


def test_what_is_said_in_json_is_said_in_xml(document):
    """All but this description, which is JSON by its name."""
    lacking = [(path, where) for _, path, operation in operations(document) for where in xml_types(operation)]

    assert [(path, where) for path, where in lacking if path != "/openapi.json"] == []


def test_a_payment_has_the_described_members_in_every_state(payops, document):
    show = document["paths"]["/transactions/{transaction_id}"]["get"]
    below = {word: document["paths"]["/transactions/{transaction_id}/" + word]["get"]
             for word in ("events", "attempts", "why")}
    for word, wanted in (("tok_ok", "completed"), ("tok_decline_insufficient_funds", "failed"),
                         ("tok_timeout_charged", None), ("tok_async", None)):
        transaction_id = payops.pay(word, amount="12.50").json["transaction_id"]
        if wanted:
            payops.await_status(transaction_id, wanted)
        else:
            until(lambda one=transaction_id: payops.get(f"/transactions/{one}/attempts").json, what="an attempt")
        judge(document, show, payops.get(f"/transactions/{transaction_id}"))
        for name, operation in below.items():
            judge(document, operation, payops.get(f"/transactions/{transaction_id}/{name}"))


def test_an_answer_that_was_waited_for_is_described(payops, document):
    operation = document["paths"]["/transactions"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    for token, status in (("tok_ok", 201), ("tok_decline_insufficient_funds", 402)):
        answer = payops.request("POST", "/transactions?wait=20", {**body, "payment_token": token},
                                token=payops.token())
        assert answer.status == status
        payops.history.append({"transaction_id": answer.json["transaction_id"], "amount": body["amount"],
                               "currency": body["currency"], "status": answer.status, "merchant": "demo",
                               "payment_token": token})
        judge(document, operation, answer)


def test_times_are_taken_as_clients_write_utc(payops):
    """strftime("%z") of a generated client in Python writes +0000; %2B is its +."""
    at, later = "2026-03-01T00:00:00.5", "2999-01-01T00:00:00"
    for zone in ("Z", "%2B00:00", "%2B0000"):
        assert payops.get(f"/transactions?from={at}{zone}&to={later}{zone}&limit=1").status == 200
    assert payops.get(f"/transactions?from={at}%2B07:00").status == 400


def test_no_type_of_a_client_goes_without_a_name(document):
    """Bodies and lists of words are references: generated clients name types by them."""
    for _, path, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert list(content["schema"]) == ["$ref"], path
    for name, schema in document["components"]["schemas"].items():
        for member, of in schema.get("properties", {}).items():
            assert "enum" not in of and "properties" not in of, f"{name}.{member}"
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_amounts_in_xml_are_described_as_major_units(document):
    schemas = document["components"]["schemas"]
    body = document["paths"]["/transactions"]["post"]["requestBody"]["content"]["application/xml"]["schema"]
    answer = document["paths"]["/refunds"]["get"]["responses"]["200"]["content"]["application/xml"]["schema"]

    assert body["$ref"].endswith("/PaymentRequestXml") and answer["items"]["$ref"].endswith("/RefundXml")
    major = schemas["PaymentRequestXml"]["allOf"][1]["properties"]
    assert major == {"amount": {"$ref": "#/components/schemas/AmountMajor"}}
    assert schemas["AmountMajor"]["type"] == "string"


def test_a_receipt_is_a_receipt_or_all_of_a_payment(payops, document):
    """PaymentReceipt is one flat type; what is answered is one of the two that it stands for."""
    body = document["paths"]["/transactions"]["post"]["requestBody"]["content"]["application/json"]["example"]
    for query, name in (("", "Receipt"), ("?wait=20", "Transaction")):
        answer = payops.request("POST", "/transactions" + query, body, token=payops.token())
        payops.history.append({"transaction_id": answer.json["transaction_id"], "amount": body["amount"],
                               "currency": body["currency"], "status": answer.status, "merchant": "demo",
                               "payment_token": None})
        assert complaints(document, {"$ref": "#/components/schemas/" + name}, answer.json) == []


def test_refusals_are_described(payops, document):
    paths = document["paths"]
    done = paid(payops)["transaction_id"]
    token, none = payops.token(), "trans_0000000000000000000000000Z"
    for method, template, path, options in (
            ("post", "/transactions", "/transactions", {"body": {"amount": 1.5, "nothing": 1}}),
            ("post", "/transactions", "/transactions", {"body": b"{"}),
            ("post", "/transactions", "/transactions", {"body": b"{}", "headers": {"Content-Type": "text/plain"}}),
            ("get", "/transactions", "/transactions?limit=0", {}),
            ("get", "/transactions/{transaction_id}", f"/transactions/{none}", {}),
            ("post", "/transactions/{transaction_id}/cancel", f"/transactions/{done}/cancel", {}),
            ("post", "/transactions/{transaction_id}/cancel", f"/transactions/{done}/cancel",
             {"headers": {"If-Match": '"1"'}}),
            ("get", "/transactions", "/transactions", {"token": None}),
            ("get", "/transactions", "/transactions", {"token": payops.token(scope="refunds:write")}),
            ("get", "/transactions/{transaction_id}", f"/transactions/{done}",
             {"headers": {"If-None-Match": "*"}}),
            ("post", "/callback/{transaction_id}", f"/callback/{done}", {"body": {}})):
        answer = payops.request(method.upper(), path, **{"token": token, **options})
        assert answer.status >= 300
        judge(document, paths[template][method], answer)


def test_lists_are_described_whatever_is_in_them(payops, document):
    token = payops.token(scope=SCOPES)
    for path, status in (("/deposit", 202), ("/withdrawal", 202)):
        answer = payops.request("POST", path, {"user_id": 9, "amount": "1.00", "currency": "USD"}, token=token)
        assert answer.status == status, answer.body
    for path, shown in (("/transactions", "/transactions?limit=200"),
                        ("/customers/{customer_id}/transactions", "/customers/9/transactions")):
        judge(document, document["paths"][path]["get"], payops.get(shown))


def test_a_forgotten_member_is_noticed(payops, document):
    """The judge can fail."""
    transaction_id = paid(payops)["transaction_id"]
    operation = document["paths"]["/transactions/{transaction_id}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    shown = payops.get(f"/transactions/{transaction_id}").json

    assert complaints(document, schema, shown) == []
    for name in shown:
        assert complaints(document, schema, {key: value for key, value in shown.items() if key != name})
        assert complaints(document, schema, {**shown, name: 1.5})
    assert complaints(document, schema, {**shown, "news": 1}) == ["$.news is not described"]


def test_it_stays_the_same_and_says_so(payops):
    first = payops.request("GET", "/openapi.json")
    again = payops.request("GET", "/openapi.json", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status, again.body) == (304, b"")
    assert payops.request("HEAD", "/openapi.json").headers["content-length"] == str(len(first.body))
    assert json.loads(first.body)["openapi"] == "3.1.0"


# --- the page ---

class Page(html.parser.HTMLParser):
    """Tags, links and texts of a page; tags must be closed in order."""
    OPEN = ("meta", "br", "tr", "th", "td")  # may stay open

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.ids, self.text = [], set(), [], set(), []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        found = dict(attrs)
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.ids.update(filter(None, [found.get("id")]))
        if tag not in self.OPEN:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in self.OPEN or self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_shows_every_operation_and_needs_nothing_else(payops, document):
    answer = payops.request("GET", "/docs/plain")
    page = Page(answer.body.decode())
    text = "".join(page.text)

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert page.tags.isdisjoint(("script", "link", "img", "iframe", "form", "object"))
    assert [link for link in page.links if not link.startswith("#")] == ["/openapi.json"]
    assert [link for link in page.links if link.startswith("#") and link[1:] not in page.ids] == []
    for _, path, operation in operations(document):
        assert operation["operationId"] in page.ids
        assert path in text and operation["summary"] in text
    for code in document["components"]["schemas"]["ErrorCode"]["enum"]:
        assert code in text


def test_the_pages_commands_run_as_they_stand(payops, document):
    """Those of the first hour, pasted into a shell that has the variables which they name."""
    text = "".join(Page(payops.request("GET", "/docs/plain").body.decode()).text)
    variables = {**os.environ, "PAYOPS_URL": f"http://127.0.0.1:{payops.port}",
                 "PAYOPS_TOKEN": payops.token(scope=SCOPES), **paid(payops), "customer_id": "cust_001"}
    for path in ("/transactions/{transaction_id}/refunds", "/transactions/{transaction_id}/events",
                 "/customers/{customer_id}/transactions"):
        shown = re.escape(path.replace("{", "$").replace("}", ""))
        commands = re.findall(r'^(curl [^"](?:[^\n]|\n  )*?"\$PAYOPS_URL' + shown + '")$', text, re.M)
        assert commands, path
        for command in commands:
            done = subprocess.run(["bash", "-c", command.replace("curl", "curl -sS -f", 1)], env=variables,
                                  capture_output=True, text=True, timeout=30)
            assert done.returncode == 0, (command, done.stderr)
            json.loads(done.stdout)


def test_the_pages_policy_allows_its_own_style_alone(payops):
    answer = payops.request("GET", "/docs/plain")
    style = re.search(r"<style>(.*?)</style>", answer.body.decode(), re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'")
    again = payops.request("GET", "/docs/plain", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
