# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client that does everything right gets: the shapes, headers and promises of the HTTP contract."""
import datetime
import http.client
import json
import re
import shutil
import subprocess
import time
import uuid

import pytest

ID_TEXT = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
OTHER = "othershop"
SHOWN = ["transaction_id", "status", "status_reason", "amount", "currency", "payment_method", "payment_method_id",
         "description", "customer_id", "created_at", "updated_at", "amount_captured", "amount_refunded", "gateway", "gateway_txn_id",
         "failure", "next_action", "next_action_at", "instructions", "metadata"]
FINAL = ("completed", "failed", "cancelled")


@pytest.fixture(scope="module")
def payops(shared):
    shared.start()
    shared.mode("ok")
    shared.add_merchant(OTHER)
    return shared


@pytest.fixture(scope="module")
def done(payops):
    """A completed payment: (answer to POST, its id)."""
    answer = payops.pay(description="Payment for order #1234", metadata={"order": "1234"},
                        headers={"X-Request-Id": "done-1"})
    transaction_id = answer.json["transaction_id"]
    payops.await_status(transaction_id, "completed")
    return answer, transaction_id


def new_key():
    return f"test-{uuid.uuid4()}"


def count(payops, table, condition="1"):
    return int(payops.sql(f"SELECT COUNT(*) FROM {table} WHERE {condition}")[0][0])


# --- POST /transactions ---

def test_payment_is_accepted_with_exactly_the_promised_members_and_headers(payops):
    begun = datetime.datetime.now(datetime.timezone.utc)
    answer = payops.pay(headers={"X-Request-Id": "client-7.A_b"})
    shown = answer.json

    assert answer.status == 201
    assert list(shown) == ["transaction_id", "status", "created_at"]
    assert re.fullmatch(f"trans_{ID_TEXT}", shown["transaction_id"])
    assert shown["status"] == "pending"
    assert TIME.fullmatch(shown["created_at"])
    created = datetime.datetime.fromisoformat(shown["created_at"])
    assert abs((created - begun).total_seconds()) < 20
    assert answer.headers["location"] == f"/transactions/{shown['transaction_id']}"
    assert answer.headers["x-api-call-id"] == "client-7.A_b"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    assert "idempotency-replayed" not in answer.headers


@pytest.mark.parametrize("headers, wanted", [
    ({"X-Request-Id": "a"}, "a"),
    ({"X-Request-Id": "Z" * 64}, "Z" * 64),
    ({"X-Api-Call-Id": "by-the-other-name"}, "by-the-other-name"),
    ({"X-Request-Id": "first", "X-Api-Call-Id": "second"}, "first"),
    ({"X-Request-Id": "not usable", "X-Api-Call-Id": "second"}, "second"),
    ({"x-request-id": "any.case"}, "any.case"),
])
def test_call_id_is_the_clients_where_it_is_well_formed(payops, headers, wanted):
    assert payops.request("GET", "/healthz", headers=headers).headers["x-api-call-id"] == wanted


@pytest.mark.parametrize("foreign", ["", "a" * 65, "a b", "a/b", "a,b", "a;b", "é", '"a"', "4111111111111111",
                                     "order-4111111111111111"])
def test_call_id_is_minted_where_the_clients_is_not_well_formed(payops, foreign):
    answers = [payops.request("GET", "/healthz", headers={"X-Request-Id": foreign.encode("utf-8")}) for _ in range(2)]
    minted = [answer.headers["x-api-call-id"] for answer in answers]

    assert all(re.fullmatch("[A-Za-z0-9._-]{1,64}", one) and one != foreign for one in minted)
    assert minted[0] != minted[1]


def test_call_id_is_minted_where_there_are_two(payops):
    raw = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: one\r\nX-Request-Id: two\r\n\r\n"

    assert payops.exchange(raw).headers["x-api-call-id"] not in ("one", "two", "one, two")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON",
                                          'application/json;charset="UTF-8"', "application/json ; charset=utf-8"])
def test_json_is_taken_by_its_spellings(payops, content_type):
    assert payops.pay(headers={"Content-Type": content_type}).status == 201


def test_optional_members_may_be_null(payops):
    body = {"amount": 1, "currency": "USD", "payment_method": "qris", "customer_id": "c", "description": None,
            "payment_token": None, "country": None, "capture": None, "process": None, "metadata": None,
            "callback_url": None}
    answer = payops.request("POST", "/transactions", body, token=payops.token())

    assert answer.status == 201


def test_longest_and_oddest_values_are_taken_and_given_back(payops):
    metadata = {**{f"n{number}": "x" for number in range(17)}, "n" * 40: "😀" * 500, "quote\"\\": "tab\tline\nbreak\r"}
    description = "é😀\t\n" + "x" * 251
    answer = payops.pay(description=description, metadata=metadata,
                        customer_id="~!#$%&'()*+,-./:;<=>?@[]^_`{|}" + "c" * 33,
                        country="ID", capture="automatic", process="auto",
                        callback_url="https://shop.test:8443/paid?a=b&c=d%20e")
    assert answer.status == 201, answer.body
    shown = payops.get(answer.headers["location"]).json

    assert shown["description"] == description
    assert shown["metadata"] == metadata
    assert shown["customer_id"] == "~!#$%&'()*+,-./:;<=>?@[]^_`{|}" + "c" * 33


def test_body_of_exactly_the_limit_is_taken(payops):
    body = json.dumps({"amount": 1, "currency": "USD", "payment_method": "paypal", "customer_id": "c"}).encode()
    answer = payops.request("POST", "/transactions", body + b" " * (65536 - len(body)), token=payops.token())

    assert answer.status == 201


def test_chunked_body_and_expectation_are_taken(payops):
    token = payops.token().encode()
    body = json.dumps({"amount": 1, "currency": "USD", "payment_method": "paypal", "customer_id": "c"}).encode()
    head = (b"POST /transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer " + token + b"\r\n")
    by_chunks = payops.exchange(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    assert by_chunks.status == 201
    with payops.connect() as link, link.makefile("rb") as stream:
        link.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert stream.readline().split()[1] == b"100"
        assert stream.readline() == b"\r\n"
        link.sendall(body)
        assert payops.read_answer(stream).status == 201


def test_http_1_0_is_answered_and_the_connection_closed(payops):
    with payops.connect() as link, link.makefile("rb") as stream:
        link.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert payops.read_answer(stream).status == 200
        assert stream.read() == b""


# --- GET /transactions/{id} ---

@pytest.mark.parametrize("amount, currency, shown", [
    (1000, "USD", 1000), (1, "USD", 1), (999999999999, "USD", 999999999999),
    ("100.50", "USD", "100.50"), ("100.5", "USD", "100.50"), ("100", "USD", "100.00"), ("0.01", "USD", "0.01"),
    ("9999999999.99", "USD", "9999999999.99"),
    (500, "JPY", 500), ("500", "JPY", "500"), ("999999999999", "JPY", "999999999999"),
    (1234, "KWD", 1234), ("1.234", "KWD", "1.234"), ("1.2", "KWD", "1.200"), ("999999999.999", "KWD", "999999999.999"),
    (12345, "CLF", 12345), ("1.2345", "CLF", "1.2345"), ("0.0001", "CLF", "0.0001"),
    ("25000", "IDR", "25000.00"), ("1.00", "EUR", "1.00"),
])
def test_amount_is_answered_in_the_form_it_came(payops, amount, currency, shown):
    answer = payops.pay(amount=amount, currency=currency)
    assert answer.status == 201, answer.body
    begun = payops.get(answer.headers["location"]).json
    ended = payops.await_status(answer.json["transaction_id"], "completed")

    for one in (begun, ended):
        assert one["amount"] == shown and type(one["amount"]) is type(shown)
        assert one["currency"] == currency
    assert ended["amount_captured"] == shown and type(ended["amount_captured"]) is type(shown)
    nothing = 0 if type(shown) is int else re.sub("[0-9]", "0", re.sub(r"^\d+", "0", shown))
    assert ended["amount_refunded"] == nothing and type(ended["amount_refunded"]) is type(shown)


def test_transaction_has_its_members_and_forms(payops, done):
    created, transaction_id = done
    answer = payops.get(f"/transactions/{transaction_id}")
    shown = answer.json

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(shown) == SHOWN
    assert shown["transaction_id"] == transaction_id
    assert shown["status"] == "completed"
    assert shown["amount"] == 1000
    assert shown["description"] == "Payment for order #1234"
    assert shown["customer_id"] == "cust_001"
    assert shown["payment_method"] == "credit_card"
    assert shown["metadata"] == {"order": "1234"}
    assert shown["created_at"] == created.json["created_at"]
    assert TIME.fullmatch(shown["updated_at"]) and shown["updated_at"] > shown["created_at"]
    assert shown["gateway"] == "alpha" and shown["gateway_txn_id"]
    assert shown["failure"] is None and shown["next_action"] is None and shown["next_action_at"] is None


def test_declined_payment_says_why_and_what_to_do(payops):
    answer = payops.pay("tok_decline_insufficient_funds")
    shown = payops.await_status(answer.json["transaction_id"], "failed")

    assert list(shown["failure"]) == ["code", "decline_code", "advice", "message"]
    assert shown["failure"]["decline_code"] == "insufficient_funds"
    assert shown["failure"]["advice"] == "retry_later"
    assert shown["amount_captured"] == 0


def test_etag_is_the_version_and_saves_the_body(payops, done):
    path = f"/transactions/{done[1]}"
    etag = payops.get(path).headers["etag"]

    assert re.fullmatch(r'"[0-9]+"', etag)
    for matching in (etag, f"W/{etag}", f'"0", {etag}', f'"x",W/{etag},"y"', "*"):
        answer = payops.get(path, headers={"If-None-Match": matching})
        assert answer.status == 304, matching
        assert answer.body == b"" and answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "no-store"
    for other in ('"0"', etag.strip('"'), '""', f'"{etag}"', '"*"'):
        answer = payops.get(path, headers={"If-None-Match": other})
        assert answer.status == 200, other


def test_etag_changes_with_the_status(payops):
    payops.mode("slow", 700)
    try:
        answer = payops.pay()
        first = payops.get(answer.headers["location"])
    finally:
        payops.mode("ok")
    payops.await_status(answer.json["transaction_id"], "completed")
    last = payops.get(answer.headers["location"], headers={"If-None-Match": first.headers["etag"]})

    assert last.status == 200
    assert last.headers["etag"] != first.headers["etag"]


# --- methods ---

TEMPLATES = {
    "/transactions": "POST, GET, HEAD, OPTIONS",
    "/transactions/{id}": "GET, HEAD, PATCH, OPTIONS",
    "/transactions/{id}/events": "GET, HEAD, OPTIONS",
    "/transactions/{id}/attempts": "GET, HEAD, OPTIONS",
    "/customers/cust_001/transactions": "GET, HEAD, OPTIONS",
    "/callback/{id}": "POST, OPTIONS",
    "/gateways/alpha/callbacks": "POST, OPTIONS",
    "/healthz": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/metrics": "GET, HEAD, OPTIONS",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_methods_of_each_path(payops, done, template):
    path, allow = template.format(id=done[1]), TEMPLATES[template]
    asked = payops.request("OPTIONS", path)

    assert asked.status == 204
    assert asked.headers["allow"] == allow
    assert asked.body == b"" and asked.headers["x-api-call-id"]
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
        if method in allow:
            continue
        answer = payops.request(method, path, token=payops.token())
        assert answer.status == 405, method
        assert answer.headers["allow"] == allow
        assert method == "HEAD" or answer.json["code"] == "method_not_allowed"


@pytest.mark.parametrize("template", [  # those of other lengths each time are left out
    name for name, allow in TEMPLATES.items() if "HEAD" in allow and name not in ("/metrics", "/transactions")])
def test_head_is_get_without_its_body(payops, done, template):
    path = template.format(id=done[1])
    got, head = payops.get(path), payops.request("HEAD", path, token=payops.token())

    assert head.status == got.status == 200
    assert head.body == b""
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers[name] == got.headers[name], name
    assert head.headers.get("etag") == got.headers.get("etag")


def test_paths_that_are_not_there_are_404(payops):
    for path in ("/", "/transaction", "/transactions/", "/api/payments", "/favicon.ico"):
        answer = payops.request("GET", path)
        assert answer.status == 404 and answer.json["code"] == "not_found"


# --- events and attempts ---

def test_events_are_numbered_without_gaps_and_tell_the_whole_life(payops, done):
    events = payops.get(f"/transactions/{done[1]}/events").json

    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "created" and events[0]["from_status"] is None
    assert events[0]["api_call_id"] == "done-1"
    assert events[-1]["status"] == "completed"
    for before, after in zip(events, events[1:]):
        assert after["from_status"] == before["status"]
        assert before["status"] not in FINAL
        assert before["at"] <= after["at"]
    for event in events:
        assert re.fullmatch(f"evt_{ID_TEXT}", event["event_id"]) and TIME.fullmatch(event["at"])
        assert re.fullmatch(f"op_{ID_TEXT}", event["operation_id"])
    assert len({event["event_id"] for event in events}) == len(events)


def test_attempts_show_each_try_masked(payops):
    answer = payops.pay("tok_ok", description="attempts")
    transaction_id = answer.json["transaction_id"]
    payops.await_status(transaction_id, "completed")
    answer = payops.get(f"/transactions/{transaction_id}/attempts")
    attempt, = answer.json

    assert re.fullmatch(f"att_{ID_TEXT}", attempt["attempt_id"])
    assert attempt["number"] == 1 and attempt["gateway"] == "alpha"
    assert attempt["status"] == "succeeded" and attempt["class"] == "definite"
    assert attempt["our_reference"].startswith("op_")
    assert TIME.fullmatch(attempt["prepared_at"]) and TIME.fullmatch(attempt["answered_at"])
    for secret in ("alpha.api-key", "alpha.callback-secret", "database.password"):
        assert (payops.dir / "etc" / "payops" / "keys" / secret).read_bytes().strip() not in answer.body
    assert b"tok_ok" not in answer.body


def test_decline_is_shown_on_its_attempt(payops):
    answer = payops.pay("tok_decline_expired_card")
    transaction_id = answer.json["transaction_id"]
    payops.await_status(transaction_id, "failed")
    attempts = payops.get(f"/transactions/{transaction_id}/attempts").json

    assert attempts[-1]["status"] == "declined"
    assert attempts[-1]["decline_code"] == "expired_card"


# --- history ---

@pytest.fixture(scope="module")
def history(payops):
    """120 payments of one customer: their ids, oldest first."""
    customer = f"hist_{uuid.uuid4().hex[:12]}"
    answers = [payops.pay(customer_id=customer, amount=number + 1) for number in range(120)]
    assert {answer.status for answer in answers} == {201}
    return customer, [answer.json["transaction_id"] for answer in answers]


def next_of(answer):
    """The path of the next page, or None."""
    link = answer.headers.get("link")
    if link is None:
        return None
    found = re.fullmatch(r'<(/[^>]*)>; rel="next"', link)
    assert found, link
    return found.group(1)


def cursor_of(answer):
    return re.search(r"after=([A-Za-z0-9_-]+)", answer.headers["link"]).group(1)


@pytest.mark.parametrize("limit, pages", [(7, 18), (60, 2), (119, 2), (120, 1), (200, 1)])
def test_history_is_walked_page_by_page_each_payment_once(payops, history, limit, pages):
    customer, ids = history
    path, seen, times, walked = f"/customers/{customer}/transactions?limit={limit}", [], [], 0

    while path is not None:
        answer = payops.get(path)
        assert answer.status == 200 and type(answer.json) is list
        assert 1 <= len(answer.json) <= limit
        seen += [one["transaction_id"] for one in answer.json]
        times += [one["created_at"] for one in answer.json]
        walked += 1
        path = next_of(answer)

    assert walked == pages
    assert sorted(seen) == sorted(ids) and len(set(seen)) == len(seen)
    assert times == sorted(times, reverse=True)


def test_history_leaves_the_customer_out_and_says_the_same_as_the_object(payops, history):
    customer, ids = history
    payops.await_status(ids[-1], "completed")
    payops.await_status(ids[0], "completed")
    newest = payops.get(f"/customers/{customer}/transactions?limit=1").json[0]
    shown = payops.get(f"/transactions/{newest['transaction_id']}").json

    assert list(newest) == [name for name in SHOWN if name != "customer_id"]
    assert {**newest, "customer_id": customer} == shown


def test_history_has_50_by_default_and_the_limit_may_change_on_the_way(payops, history):
    first = payops.get(f"/customers/{history[0]}/transactions")
    second = payops.get(f"/customers/{history[0]}/transactions?limit=3&after={cursor_of(first)}")
    whole = payops.get(f"/customers/{history[0]}/transactions?limit=200").json

    assert [one["transaction_id"] for one in first.json + second.json] == [one["transaction_id"] for one in whole[:53]]
    assert len(first.json) == 50


def test_new_payments_do_not_shift_pages_that_are_being_walked(payops, history):
    customer = f"shift_{uuid.uuid4().hex[:12]}"
    old = [payops.pay(customer_id=customer).json["transaction_id"] for _ in range(4)]
    first = payops.get(f"/customers/{customer}/transactions?limit=2")
    payops.pay(customer_id=customer)
    second = payops.get(next_of(first))

    assert {one["transaction_id"] for one in first.json + second.json} == set(old)


def test_history_of_a_customer_without_payments_is_empty(payops):
    answer = payops.get("/customers/never_seen/transactions")

    assert answer.status == 200 and answer.json == [] and "link" not in answer.headers


def test_customer_is_taken_percent_encoded(payops):
    customer = f"a/b+c%25;?#{uuid.uuid4().hex[:8]}"
    payops.pay(customer_id=customer)
    payops.pay(customer_id=customer)
    encoded = "".join(f"%{byte:02X}" for byte in customer.encode())
    first = payops.get(f"/customers/{encoded}/transactions?limit=1")
    second = payops.get(next_of(first))

    assert len(first.json) == len(second.json) == 1
    assert next_of(second) is None


def test_customers_of_another_merchant_are_other_customers(payops, history):
    answer = payops.get(f"/customers/{history[0]}/transactions", merchant=OTHER)

    assert answer.status == 200 and answer.json == []


def test_tampered_cut_and_foreign_cursors_are_refused(payops, history):
    customer = history[0]
    good = cursor_of(payops.get(f"/customers/{customer}/transactions?limit=2"))
    for _ in range(3):
        payops.pay(customer_id="cust_cursor", merchant=OTHER)
        payops.pay(customer_id="cust_cursor")
    foreign = cursor_of(payops.get("/customers/cust_cursor/transactions?limit=2"))
    other_merchants = cursor_of(payops.get("/customers/cust_cursor/transactions?limit=2", merchant=OTHER))
    flipped = [good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1:] for at in range(0, len(good), 5)]
    cut = [good[:size] for size in (1, 4, len(good) // 2, len(good) - 4, len(good) - 1)]
    longer = [good + "A", good + "AAAA", good + "=", good + good]
    other = ["0", "null", "-1", good.swapcase(), good[::-1], "..%2F", "%00", history[1][0]]

    assert payops.get(f"/customers/{customer}/transactions?after={good}").status == 200
    for cursor in (*flipped, *cut, *longer, *other, foreign, other_merchants):
        answer = payops.get(f"/customers/{customer}/transactions?after={cursor}")
        assert answer.status == 400, cursor
        assert answer.json["code"] == "invalid_query"
    answer = payops.get(f"/customers/cust_cursor/transactions?after={other_merchants}")
    assert answer.status == 400


# --- deadlines ---

@pytest.mark.parametrize("seconds", ["1", "01", "10", "30"])
def test_deadlines_within_bounds_are_taken(payops, seconds):
    assert payops.pay(headers={"Request-Timeout": seconds}).status == 201
    assert payops.get("/healthz", headers={"Request-Timeout": seconds}).status == 200


# --- health and metrics ---

def test_health_and_readiness(payops):
    for path, word in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = payops.request("GET", path)
        assert answer.status == 200 and answer.json == {"status": word}


SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (-?[0-9.e+-]+|[+-]Inf|NaN)')


def metrics(payops):
    """{(name, labels): value} of a page that must be well-formed."""
    answer = payops.request("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    figures, kinds = {}, {}
    for line in answer.body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds and kind in ("counter", "gauge", "histogram")
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            found = SAMPLE.fullmatch(line)
            assert found, line
            name, labels, value = found.groups()
            assert re.sub("_(bucket|sum|count)$", "", name) in kinds or name in kinds, line
            assert (name, labels) not in figures, line
            figures[name, labels] = float(value)
    return figures


def declared_routes(top):
    rows = re.findall(r'^ROUTE\("([A-Z]+)", "([^"]+)"', (top / "apid/route.def").read_text(), re.MULTILINE)
    return {f"{method} {path}" for method, path in rows}


def test_metrics_count_and_hold_templates_never_ids(payops, done):
    before = metrics(payops)
    key = new_key()
    for _ in range(2):
        payops.pay(headers={"Idempotency-Key": key})
    payops.pay(headers={"Idempotency-Key": key}, amount=1)
    payops.get(f"/transactions/{done[1]}")
    payops.get("/customers/cust_metrics_4711/transactions")
    payops.get("/nothing_metrics_4711")
    after = metrics(payops)
    page = payops.request("GET", "/metrics").body.decode()

    def grown(name, labels):
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert grown("payops_http_requests_total", 'route="POST /transactions",code="201"') == 2
    assert grown("payops_http_requests_total", 'route="GET /transactions/{transaction_id}",code="200"') == 1
    assert grown("payops_http_requests_total", 'route="none",code="404"') == 1
    assert grown("payops_idempotency_total", 'result="created"') == 1
    assert grown("payops_idempotency_total", 'result="replayed"') == 1
    assert grown("payops_idempotency_total", 'result="reused"') == 1
    for foreign in ("trans_", "cust_", "4711", "demo", key, "nothing_metrics"):
        assert foreign not in page.replace("{transaction_id}", "").replace("{customer_id}", "")
    routes = {label.split('"')[1] for _, labels in after
              for label in (labels or "").split(",") if label.startswith("route=")}
    assert routes <= {"none"} | declared_routes(payops.top)


def test_histograms_add_up(payops, done):
    figures = metrics(payops)
    for (name, labels), value in figures.items():
        if name.endswith("_count"):
            base = name.removesuffix("_count")
            buckets = [figure for (other, other_labels), figure in figures.items()
                       if other == f"{base}_bucket" and other_labels.startswith(f"{labels},le=" if labels else "le=")]
            assert buckets == sorted(buckets)
            assert buckets[-1] == value
            assert (f"{base}_sum", labels) in figures


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_metrics_please_promtool(payops, done):
    page = payops.request("GET", "/metrics").body
    checked = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


# --- who may what ---

READS = ["/transactions/{id}", "/transactions/{id}/events", "/transactions/{id}/attempts",
         "/customers/cust_001/transactions"]


def test_each_path_needs_its_scope(payops, done):
    write_only, read_only = payops.token("demo", "payments:write"), payops.token("demo", "payments:read refunds:write")
    body = {"amount": 1, "currency": "USD", "payment_method": "qris", "customer_id": "c"}
    refused = [payops.request("GET", path.format(id=done[1]), token=write_only) for path in READS]
    refused.append(payops.request("POST", "/transactions", body, token=read_only))

    for answer, scope in zip(refused, ["payments:read"] * len(READS) + ["payments:write"]):
        assert answer.status == 403
        assert answer.json["code"] == "insufficient_scope"
        assert f'scope="{scope}"' in answer.headers["www-authenticate"]
        assert scope in answer.json["detail"]
    assert payops.request("POST", "/transactions", body, token=write_only).status == 201
    for path in READS:
        assert payops.request("GET", path.format(id=done[1]), token=read_only).status == 200


@pytest.mark.parametrize("path", READS[:3])
def test_another_merchants_transaction_is_not_there(payops, done, path):
    theirs = payops.get(path.format(id=done[1]), merchant=OTHER)
    nobodys = payops.get(path.format(id="trans_00000000000000000000000000"), merchant=OTHER)

    assert theirs.status == nobodys.status == 404
    own = {"instance": None, "api_call_id": None}
    assert {**theirs.json, **own} == {**nobodys.json, **own}


def test_unknown_merchant_in_a_valid_token_is_refused(payops, done):
    ghost = payops.token("ghost")
    body = {"amount": 1, "currency": "USD", "payment_method": "qris", "customer_id": "c"}
    answer = payops.request("POST", "/transactions", body, headers={"Idempotency-Key": new_key()}, token=ghost)

    assert answer.status == 403
    assert answer.json["code"] == "unknown_merchant"
    assert payops.request("GET", f"/transactions/{done[1]}", token=ghost).status == 404
    for table in ("transaction", "operation", "event"):
        assert count(payops, table, "merchant = 'ghost'") == 0


# --- one connection for many requests ---

def test_connection_is_kept_for_many_requests(payops, done):
    link = http.client.HTTPConnection("127.0.0.1", payops.port, timeout=20)
    sockets = set()
    for _ in range(50):
        link.request("GET", f"/transactions/{done[1]}", headers={"Authorization": f"Bearer {payops.token()}"})
        answer = link.getresponse()
        assert answer.status == 200 and answer.read()
        sockets.add(id(link.sock))
    link.close()

    assert len(sockets) == 1


def test_all_payments_of_this_module_end(payops, history):
    deadline = time.monotonic() + 60
    while count(payops, "transaction", "status IN ('pending', 'processing')") > 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
