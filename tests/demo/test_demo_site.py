"""The embedded site over real sockets: every route, every row, and its exact count of requests."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from harness.demo import Settings, Site
from harness.demo.routes import PAGES
from harness.demo.settings import Stall

EMAIL = "ida@example.com"
VOID = {"meta", "link", "img", "input", "br"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(Settings(workers=50, service=0.001)) as site:
        yield site


@pytest.fixture
def visitor() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


class Page(HTMLParser):
    """What a page needs, and whether its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.needs: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        needed = have.get("href") if tag == "link" else have.get("src")
        if needed:
            self.needs.append(needed)
        if tag == "img":
            assert "alt" in have and have.get("width") and have.get("height")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def rows(site: Site, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{site.db}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_well_formed_and_all_that_it_needs_is_there(site: Site, visitor: requests.Session, path: str) -> None:
    answer = visitor.get(site.url + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert "$" not in answer.text
    page = Page(answer.text)
    assert {"/static/style.css", "/static/app.js"} <= set(page.needs)
    for needed in page.needs:
        assert visitor.get(site.url + needed).status_code == 200, needed


def test_the_landing_page_has_pictures_and_a_form(site: Site, visitor: requests.Session) -> None:
    text = visitor.get(site.url).text
    assert len(set(re.findall(r'src="(/static/\w+\.svg)"', text))) >= 4
    assert 'action="/signup"' in text


def test_the_first_page_sets_a_session_cookie_and_the_next_one_does_not(site: Site, visitor: requests.Session) -> None:
    cookie = visitor.get(site.url).headers["set-cookie"]
    assert re.fullmatch(r"sid=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax", cookie)
    assert "set-cookie" not in visitor.get(site.url + "/shop").headers


def test_a_sign_up_becomes_a_row_and_leads_to_thanks(site: Site, visitor: requests.Session) -> None:
    first = visitor.post(site.url + "/signup", data={"email": EMAIL, "name": "Ida Förn"}, allow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/thanks")
    assert rows(site, "SELECT email, name FROM signups ORDER BY id DESC LIMIT 1") == [(EMAIL, "Ida Förn")]
    assert "Thank you" in visitor.get(site.url + "/thanks").text


def test_an_order_becomes_a_row_with_its_number(site: Site, visitor: requests.Session) -> None:
    order = {"email": EMAIL, "item": "ember-moss", "quantity": "2"}
    answers = [visitor.post(site.url + "/checkout", data=order), visitor.post(site.url + "/checkout", json=order)]
    assert [answer.status_code for answer in answers] == [201, 201]
    numbers = [answer.json()["order"] for answer in answers]
    assert len(set(numbers)) == 2
    for number in numbers:
        assert rows(site, f"SELECT email, item, quantity FROM orders WHERE number = '{number}'") == [(EMAIL, "ember-moss", 2)]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/signup", {"email": EMAIL}),
        ("/signup", {"email": "nobody", "name": "Ida"}),
        ("/checkout", {"email": EMAIL, "item": "ember-ink", "quantity": "0"}),
        ("/checkout", {"email": EMAIL, "item": "ember-ink", "quantity": "a few"}),
        ("/checkout", {"email": EMAIL, "item": "Robert'); DROP TABLE orders;--", "quantity": "1"}),
        ("/webcast/join", {}),
    ],
)
def test_a_bad_form_is_422_with_a_sentence_and_no_row(site: Site, visitor: requests.Session, path: str, form: dict[str, str]) -> None:
    before = site.stats().rows
    answer = visitor.post(site.url + path, data=form)
    assert answer.status_code == 422
    assert "wanted" in answer.json()["error"]
    assert site.stats().rows == before


def test_a_body_larger_than_any_form_is_413(site: Site, visitor: requests.Session) -> None:
    assert visitor.post(site.url + "/signup", data=b"x" * 100_000).status_code == 413


def test_a_viewer_joins_and_follows_playlist_segments_and_questions(site: Site, visitor: requests.Session) -> None:
    assert "Join now" in visitor.get(site.url + "/webcast").text
    ticket = visitor.post(site.url + "/webcast/join", data={"email": EMAIL}).json()["ticket"]
    playlist = visitor.get(f"{site.url}/live/{ticket}/index.m3u8")
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    segments = [line for line in playlist.text.splitlines() if not line.startswith("#")]
    assert len(segments) == 4
    segment = visitor.get(site.url + segments[-1])
    assert (segment.status_code, segment.headers["content-type"], len(segment.content)) == (200, "video/mp2t", 24_064)
    feed = visitor.get(f"{site.url}/live/questions", params={"ticket": ticket}).json()
    assert len(feed["questions"]) == 5


def test_nobody_watches_without_a_ticket(site: Site, visitor: requests.Session) -> None:
    for path in (
        "/live/abc/index.m3u8",
        "/live/questions?ticket=abc",
        "/live/questions",
        "/live/segments/1.ts",
        "/live/segments/999999999999.ts",
    ):
        assert visitor.get(site.url + path).status_code == 404, path


def test_a_share_becomes_a_row_and_a_link(site: Site, visitor: requests.Session) -> None:
    before = site.stats().rows["shares"]
    link = visitor.post(site.url + "/share", data={"email": EMAIL}).json()["url"]
    assert visitor.get(site.url + link).status_code == 200
    assert site.stats().rows["shares"] == before + 1


def test_static_files_may_be_kept_and_are_not_sent_twice(site: Site, visitor: requests.Session) -> None:
    first = visitor.get(site.url + "/static/style.css")
    assert "max-age" in first.headers["cache-control"]
    again = visitor.get(site.url + "/static/style.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert visitor.get(site.url + "/static/style.css", headers={"If-None-Match": '"other"'}).status_code == 200


def test_unknown_paths_are_404_and_wrong_methods_405(site: Site, visitor: requests.Session) -> None:
    assert visitor.get(site.url + "/nowhere").status_code == 404
    assert visitor.get(site.url + "/static/../settings.py").status_code == 404
    wrong = visitor.delete(site.url + "/signup")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    assert visitor.get(site.url + "/checkout").headers["allow"] == "POST"


def test_head_answers_without_a_body(site: Site, visitor: requests.Session) -> None:
    answer = visitor.head(site.url)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000


def test_every_request_is_counted_once_and_looking_is_not(site: Site) -> None:
    """By route and in total, with many visitors at once."""
    before = site.stats()

    def visit(number: int) -> int:
        with requests.Session() as session:
            session.get(site.url + "/webcast")
            session.post(site.url + "/signup", data={"email": EMAIL, "name": str(number)})  # and is redirected to /thanks
            session.get(site.url + "/static/app.js")
            session.get(site.url + "/nowhere")
        return 5

    with ThreadPoolExecutor(16) as crowd:
        sent = sum(crowd.map(visit, range(100)))
    site.stats()
    after = site.stats()
    assert after.requests - before.requests == sent == 500
    assert sum(after.routes.values()) == after.requests
    for name in ("GET /webcast", "POST /signup", "GET /thanks", "GET /static/{file}", "other"):
        assert after.routes[name] - before.routes.get(name, 0) == 100, name
    assert after.rows["signups"] - before.rows["signups"] == 100
    assert after.dynamic_served - before.dynamic_served == 300


async def crowd(
    url: str, connections: int, watch: Site | None = None, seconds: float = 0.0, path: str = "/webcast"
) -> list[tuple[float, int]]:
    """`connections` visitors who ask again as soon as they are answered; the site's (uptime, dynamic answers) meanwhile."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: sid=1\r\n\r\n".encode()

    async def ask_for_ever() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            while True:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))  # type: ignore[index]
        finally:
            writer.close()

    visitors = [asyncio.create_task(ask_for_ever()) for _ in range(connections)]
    await asyncio.sleep(0.7)
    seen = []
    for _ in range(round(seconds / 0.1)):
        stats = await asyncio.to_thread(watch.stats)  # type: ignore[union-attr]
        seen.append((stats.uptime_seconds, stats.dynamic_served))
        await asyncio.sleep(0.1)
    for visitor in visitors:
        visitor.cancel()
    await asyncio.gather(*visitors, return_exceptions=True)
    return seen


@pytest.mark.parametrize("settings", [Settings(distribution="constant"), Settings(workers=8, service=0.01, distribution="constant")])
def test_under_saturation_the_site_answers_its_capacity_within_one_per_cent(settings: Settings) -> None:
    """The slope of its own count over its own clock, with 600 visitors pressing on real sockets: timers cost it nothing."""
    with Site(settings) as site:
        uptime, served = np.array(asyncio.run(crowd(site.url, 600, site, 4.0))).T
    slope = np.polyfit(uptime, served, 1)[0]
    assert slope == pytest.approx(settings.capacity_per_second, rel=0.01)
    assert settings.capacity_per_second in (200.0, 800.0)


def test_beyond_the_queue_visitors_get_503_and_are_counted_as_refused() -> None:
    """Two at work, three waiting, the rest turned away with a page and Retry-After."""
    with Site(Settings(workers=2, service=1.0, queue=3, distribution="constant")) as site, ThreadPoolExecutor(12) as many:
        answers = list(many.map(lambda _: requests.get(site.url), range(12)))
        stats = site.stats()
    turned_away = [answer for answer in answers if answer.status_code == 503]
    assert (len(turned_away), len(answers)) == (7, 12)
    assert all(answer.headers["retry-after"] == "5" and "come back" in answer.text for answer in turned_away)
    assert (stats.requests, stats.dynamic_served, stats.refused) == (12, 5, 7)


def test_static_files_are_free_even_when_the_pool_is_full() -> None:
    with Site(Settings(workers=1, service=30.0, queue=0, distribution="constant")) as site, ThreadPoolExecutor(1) as one:
        one.submit(requests.get, site.url, timeout=30)
        while not site.stats().admitted:
            pass
        assert requests.get(site.url + "/static/app.js", timeout=5).status_code == 200
        assert requests.get(site.url, timeout=5).status_code == 503
        site.stop()


def test_the_limiter_answers_429() -> None:
    with Site(Settings(limit=0.001, burst=2)) as site:
        assert [requests.get(site.url).status_code for _ in range(4)] == [200, 200, 429, 429]
        assert site.stats().limited == 2


def test_the_error_page_comes_with_status_200() -> None:
    with Site(Settings(workers=1, service=1.0, queue=0, distribution="constant", error_page=True)) as site, ThreadPoolExecutor(4) as many:
        answers = list(many.map(lambda _: requests.get(site.url), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert sum("something went wrong" in answer.text for answer in answers) == 3


def test_a_mute_site_accepts_and_never_answers_but_still_counts() -> None:
    with Site(Settings(mute=True)) as site:
        with pytest.raises(requests.ReadTimeout):
            requests.get(site.url, timeout=0.5)
        assert requests.get(site.url + "/static/app.js", timeout=5).status_code == 200
        assert site.stats().routes["GET /"] == 1


def test_a_stalled_site_answers_once_the_stall_is_over() -> None:
    """Nearly always standing still: whoever comes just after the start of a stall waits for its end."""
    with Site(Settings(stall=Stall(every=0.5, lasts=0.45), service=0.001, distribution="constant")) as site, requests.Session() as session:
        waits = []
        for _ in range(30):
            waits.append(session.get(site.url).elapsed.total_seconds())
            time.sleep(0.02)
    assert max(waits) > 0.3
