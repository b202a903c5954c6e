#!/usr/bin/env python3
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a raw request for each operation that /openapi.json describes, with a * where something is to be injected:
requests.py DIRECTORY, of the instance that PAYOPS_URL and PAYOPS_TOKEN name. The requests are good ones: behind a
refusal nothing could be found. A new route is there by itself; a path parameter that is not known here is given a word.
"""
import json
import os
import pathlib
import re
import sys
import urllib.parse
import urllib.request

URL = os.environ["PAYOPS_URL"]
TOKEN = os.environ["PAYOPS_TOKEN"]
METHODS = ("get", "post", "put", "patch", "delete")
QUERY = {"limit": "5", "status": "completed", "from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z",
         "currency": "USD", "method": "credit_card", "gateway": "alpha", "kind": "payment", "customer_id": "cust_001",
         "country": "US", "wait": "0", "refresh": "false"}
HEADERS = ("Idempotency-Key",)
WORD = "word"


def ask(method, path, body=None):
    request = urllib.request.Request(URL + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                     headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def marked(value):
    """The value with a mark behind each text in it; numbers are looked at as texts too."""
    if isinstance(value, dict):
        return {name: marked(member) for name, member in value.items()}
    if isinstance(value, list):
        return [marked(member) for member in value]
    return f"{value}*" if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)) else value


def resolve(document, parameter):
    name = parameter.get("$ref", "").rpartition("/")[2]
    return document["components"]["parameters"][name] if name else parameter


def request_of(document, method, path, operation, known):
    parameters = [resolve(document, parameter) for parameter in operation.get("parameters", [])]
    target = re.sub(r"{(\w+)}", lambda found: urllib.parse.quote(known.get(found[1], WORD)) + "*", path)
    query = "&".join(f"{parameter['name']}={QUERY[parameter['name']]}*" for parameter in parameters
                     if parameter["in"] == "query" and parameter["name"] in QUERY)
    lines = [f"{method.upper()} {target}{'?' + query if query else ''} HTTP/1.1",
             "Host: " + urllib.parse.urlsplit(URL).netloc, f"Authorization: Bearer {TOKEN}"]
    lines += [f"{parameter['name']}: {WORD}*" for parameter in parameters if parameter["name"] in HEADERS]
    example = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if example is not None:
        lines.append("Content-Type: application/json")
    return "\r\n".join(lines) + "\r\n\r\n" + (json.dumps(marked(example)) if example is not None else "")


def main():
    directory = pathlib.Path(sys.argv[1])
    document = ask("GET", "/openapi.json")
    payment = ask("POST", "/transactions?wait=5", {"amount": 1000, "currency": "USD", "payment_method": "credit_card",
                                                   "customer_id": "cust_001", "payment_token": "tok_sync"})
    known = {"transaction_id": payment["transaction_id"], "customer_id": "cust_001", "gateway": "alpha"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            text = request_of(document, method, path, operation, known) if method in METHODS else ""
            if "*" in text:
                name = f"{method}-{path.strip('/').replace('/', '-').translate(str.maketrans('', '', '{}'))}.txt"
                (directory / name).write_bytes(text.encode())


if __name__ == "__main__":
    main()
