"""The client beside `requests`, case by case, on a real httpbin under gunicorn: same hops, same body, same cookies, same place."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from client_ground import Lone

from harness.engine.browser.body import unpack
from harness.engine.browser.client import Browser
from harness.engine.browser.trouble import Trouble
from harness.engine.wire import Outcome

HEADERS = {"User-Agent": "same", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", "Connection": "keep-alive"}


def case(name, method="GET", path="/get", **more):
    return {"name": name, "method": method, "path": path, "headers": HEADERS, **more}


CASES = [
    case("plain", path="/get?x=1&y=a+b"),
    case("percent", path="/anything/caf%C3%A9%20au%20lait?q=%26%3D"),
    case("unquoted", path="/anything/café au lait?q=ü"),
    case("fragment", path="/anything/a?b=c#d"),
    case("html", path="/html"),
    case("utf8", path="/encoding/utf8"),
    case("json", path="/json"),
    case("gzip", path="/gzip"),
    case("deflate", path="/deflate"),
    case("brotli", path="/brotli"),
    case("chunked", path="/stream/20"),
    case("chunked bytes", path="/stream-bytes/50000?seed=3&chunk_size=700"),
    case("bytes", path="/bytes/70000?seed=5"),
    case("drip", path="/drip?numbytes=20&duration=0.3&delay=0"),
    case("range", path="/range/2048?chunk_size=64"),
    case("form", "POST", "/anything", data={"email": "a+b@example.com", "name": "Zoë & Co", "empty": ""}),
    case("json body", "POST", "/anything", json={"a": [1, 2.5, None, True], "ü": "ß", "nested": {"b": ""}}),
    case("empty post", "POST", "/anything"),
    case("head", "HEAD", "/get"),
    case("head redirected", "HEAD", "/redirect/2"),
    case("redirects", path="/redirect/4"),
    case("absolute redirects", path="/absolute-redirect/3"),
    case("relative redirects", path="/relative-redirect/3"),
    case("as many redirects as allowed", path="/redirect/10"),
    case("one redirect too many", path="/redirect/11"),
    *(case(f"post {s}", "POST", f"/redirect-to?url=/anything&status_code={s}", data={"a": "b"}) for s in (301, 302, 303, 307, 308)),
    case("redirect with a query", path="/redirect-to?url=/get%3Fa%3Db%26c%3Dd"),
    case("redirect with spaces", path="/redirect-to?url=/anything/a%20b"),
    *(case(f"status {s}", path=f"/status/{s}") for s in (200, 201, 204, 206, 304, 400, 403, 404, 405, 410, 418, 429, 500, 502, 503, 504)),
    case("cookies set and sent", path="/cookies/set?a=1&b=two"),
    case("cookies kept", path="/cookies", before=["/cookies/set?a=1", "/cookies/set/b/2"]),
    case("cookies deleted", path="/cookies", before=["/cookies/set?a=1&b=2", "/cookies/delete?a"]),
    case("cookie with a path", path="/cookies", before=["/response-headers?Set-Cookie=p%3D1%3B%20Path%3D/cookies"]),
    case("cookie with another path", path="/cookies", before=["/response-headers?Set-Cookie=p%3D1%3B%20Path%3D/elsewhere"]),
    case("cookie of another domain", path="/cookies", before=["/response-headers?Set-Cookie=p%3D1%3B%20Domain%3Dexample.com"]),
    case("expired cookie", path="/cookies", before=["/response-headers?Set-Cookie=p%3D1%3B%20Max-Age%3D0"]),
    case("secure cookie", path="/cookies", before=["/response-headers?Set-Cookie=p%3D1%3B%20Secure"]),
    case("etag", path="/etag/x", headers={**HEADERS, "If-None-Match": "x"}),
    case("cache", path="/cache", headers={**HEADERS, "If-Modified-Since": "Sat, 21 Nov 2026 00:00:00 GMT"}),
    case("xml", path="/xml"),
    case("image", path="/image/png"),
    case("base64", path="/base64/SGVsbG8="),
    case("denied", path="/deny"),
    case("links", path="/links/5/0"),
]


@pytest.fixture(scope="module")
def httpbin():
    """A real httpbin under gunicorn, keeping connections alive."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = ["--chdir", str(Path(__file__).parent), "httpbin_app:app"]
    serve = ["-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "4", "--log-level", "error"]
    command = [sys.executable, "-m", "gunicorn", *app, *serve]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urlopen(base + "/status/200", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def said(httpbin):
    """What `requests` made of every case."""
    script = Path(__file__).with_name("requests_says.py")
    ran = subprocess.run([sys.executable, str(script), httpbin], input=json.dumps(CASES), capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


class Noting(Browser):
    """A browser that remembers every answer it was handed, whatever its status."""

    __slots__ = ("answers",)

    def exchange(self, *place, **options):
        answer = super().exchange(*place, **{**options, "judge": lambda answer: None})
        self.answers.append(answer)
        return answer


def ours(base, one):
    """The same case with our client, told in the same words."""
    visitor = Lone()
    visitor.browser = Noting(visitor.client, visitor.record)
    visitor.browser.answers = []
    for path in one.get("before", []):
        visitor.call(base, path, timeout=20)
    del visitor.browser.answers[:], visitor.record.rows[:], visitor.record.sents[:]
    headers, body = dict(one["headers"]), b"" if one["method"] == "POST" else None
    if "data" in one:
        body = urlencode(one["data"]).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif "json" in one:
        body = json.dumps(one["json"]).encode()
        headers["Content-Type"] = "application/json"
    failed = False
    try:
        encode = None if body is None else lambda _: body
        visitor.call(base, one["path"], method=one["method"], headers=headers, body=encode, read=True, timeout=20)
    except Trouble as trouble:
        failed = True
        if trouble.outcome is not Outcome.PROTOCOL:
            assert trouble.outcome is Outcome.RESET
            return {"hops": [], "url": "", "failed": True, "cookies": [], "body": ""}
    answers = visitor.browser.answers
    rows = visitor.record.rows
    assert visitor.record.balanced
    assert [row.sample for row in rows] == [0] + [1] * (len(rows) - 1), "each hop is on record"
    text = "" if failed else answers[-1].text
    return {
        "hops": [answer.status for answer in answers] + ([302] if failed else []),
        "url": "" if failed else answers[-1].path,
        "failed": failed,
        "cookies": sorted([c.name, c.value, c.path] for c in visitor.browser.jar.state),
        "body": text
        if len(text) < 3000
        else hashlib.sha256(unpack(answers[-1].raw, answers[-1].header("content-encoding") or "")).hexdigest(),
    }


@pytest.mark.parametrize("one", CASES, ids=lambda one: one["name"])
def test_it_ends_where_requests_ends(httpbin, said, one):
    """Statuses of all hops, the final place, the decoded body (headers that arrived are echoed in it), the cookies afterwards."""
    theirs = dict(said[one["name"]])
    mine = ours(httpbin, one)
    theirs["url"] = theirs["url"].partition("#")[0]  # fragments never travel
    assert mine == theirs


def test_requests_on_one_connection_follow_each_other(httpbin):
    """Keep-alive on a real server: the first request connects, the others do not, and their times say so."""
    visitor = Lone()
    for path in ("/get", "/stream-bytes/1000", "/stream/3", "/status/404", "/gzip"):
        try:
            visitor.call(httpbin, path, timeout=20)
        except Trouble as trouble:
            assert trouble.outcome is Outcome.HTTP_4XX
    rows = visitor.record.rows
    assert [row.flags & 1 for row in rows] == [1, 0, 0, 0, 0]
    assert rows[0].connect > 0 and all(row.connect == 0 for row in rows[1:])
    assert all(0 < row.first_byte <= row.total for row in rows)


def test_a_delay_of_the_server_shows_in_the_first_byte_and_a_drip_in_the_total(httpbin):
    """Where the time went can be told."""
    visitor = Lone()
    visitor.call(httpbin, "/delay/0.3", timeout=20)
    visitor.call(httpbin, "/drip?numbytes=5&duration=0.4&delay=0", timeout=20)
    late, dripped = visitor.record.rows
    assert late.first_byte > 0.29
    assert dripped.total - dripped.first_byte > 0.2
