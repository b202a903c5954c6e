# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /docs with and without Swagger UI's files; the plain page itself is test_description.py's."""
import re

import pytest

FILES = {"swagger-ui.css": b"/* style */ body { margin: 0 }\n",
         "swagger-ui-bundle.js": b"/* bundle, \xc3\xbc */ function SwaggerUIBundle(options) { return options; }\n" * 20_000,
         "favicon-32x32.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "png": "image/png"}
SET = "docs: {{ swagger_ui_directory = \"{}\"; }};\n"


@pytest.fixture(scope="module", params=["there", "too large", "half", "absent"])
def docs(request, shared):
    """apid with the files, with one that is no such thing, with two of them, and with none."""
    override = shared.dir / "etc" / "payops" / "conf.d" / "90-test-docs.conf"
    directory = shared.dir / "swagger-ui"
    shared.start()
    directory.mkdir(exist_ok=True)
    kept = {"there": 3, "too large": 3, "half": 2, "absent": 0}[request.param]
    for name, content in list(FILES.items())[:kept]:
        (directory / name).write_bytes(content)
    if request.param == "too large":
        (directory / "swagger-ui.css").write_bytes(b" " * ((4 << 20) + 1))
    override.write_text(SET.format(directory))
    try:
        shared.restart()
        shared.with_ui = request.param == "there"
        yield shared
    finally:
        override.unlink()
        for name in FILES:
            (directory / name).unlink(missing_ok=True)
        directory.rmdir()
        shared.restart()


def test_the_page_starts_swagger_ui_and_asks_no_other_host(docs):
    answer = docs.request("GET", "/docs")
    page = answer.body.decode()

    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r'<script src="([^"]*)"></script>', page) == (
        ["docs/swagger-ui-bundle.js", "docs/start.js"] if docs.with_ui else [])
    assert "<script>" not in page
    if docs.with_ui:
        assert "//" not in page
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        assert b"persistAuthorization: false" in docs.request("GET", "/docs/start.js").body
    again = docs.request("GET", "/docs", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("name", [*FILES, "start.js"])
def test_its_files_are_served_as_they_are(docs, name):
    answer = docs.request("GET", f"/docs/{name}")

    if not docs.with_ui:
        assert (answer.status, answer.json["code"]) == (404, "not_found")
        assert "Swagger UI is not installed here: /docs is one plain page" in answer.json["detail"]
        return
    assert (answer.status, answer.headers["content-type"]) == (200, TYPES[name.rpartition(".")[2]])
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-cache")
    assert answer.body == FILES.get(name, answer.body)
    head = docs.request("HEAD", f"/docs/{name}")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", answer.headers["etag"])
    again = docs.request("GET", f"/docs/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_the_plain_page_stays(docs):
    answer = docs.request("GET", "/docs/plain")

    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "createTransaction" in answer.body.decode()
    assert "<script" not in answer.body.decode()


@pytest.mark.parametrize("name", ["payops.conf", "..%2F..%2Fetc%2Fpasswd", "swagger-ui.css.map", "%00", "LICENSE"])
def test_nothing_else_is_there(docs, name):
    assert docs.request("GET", f"/docs/{name}").status in (400, 404)
