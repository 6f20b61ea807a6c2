"""A visit that a browser recorded becomes a sound scenario that repeats it, and not the recording's secrets, names or tickets."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.scenario.importing import scalar, scenario_text
from harness.scenario.load import ScenarioError, parse
from harness.scenario.model import Get, Page, Post, Scenario, Think, Watch
from harness.scenario.source import parse as parse_yaml

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SITE = "https://www.example.com"


def entry(at: float, url: str, kind: str = "", **more: Any) -> dict[str, Any]:
    """One entry as Chrome 130 saves it; `at` in s. Firefox has the same without `_resourceType`."""
    method, status = more.get("method", "GET"), more.get("status", 200)
    mime = more.get(
        "mime", {"document": "text/html", "xhr": "application/json", "fetch": "application/json", "stylesheet": "text/css"}.get(kind, "")
    )
    request: dict[str, Any] = {
        "method": method,
        "url": url,
        "httpVersion": "http/2.0",
        "headers": [
            {"name": ":authority", "value": "www.example.com"},
            {"name": "cookie", "value": "sid=recorded-cookie"},
            {"name": "user-agent", "value": "Mozilla/5.0"},
            *({"name": name, "value": value} for name, value in more.get("headers", {}).items()),
        ],
        "queryString": [],
        "cookies": [{"name": "sid", "value": "recorded-cookie"}],
        "headersSize": -1,
        "bodySize": 0,
    }
    if "form" in more:
        params = [{"name": name, "value": value} for name, value in more["form"].items()]
        text = "&".join(f"{name}={value.replace('@', '%40').replace(' ', '+')}" for name, value in more["form"].items())
        request["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": text, "params": params}
    if "body" in more:
        request["postData"] = {"mimeType": "application/json;charset=UTF-8", "text": json.dumps(more["body"])}
    made: dict[str, Any] = {
        "_initiator": {"type": "other"},
        "_priority": "VeryHigh",
        "cache": {},
        "connection": "443",
        "pageref": "page_1",
        "request": request,
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": "http/2.0",
            "headers": [{"name": "content-type", "value": mime}, {"name": "set-cookie", "value": "sid=recorded-cookie"}],
            "cookies": [],
            "content": {"size": 10, "mimeType": mime, "text": more.get("text", "")},
            "redirectURL": more.get("redirect", ""),
            "headersSize": -1,
            "bodySize": -1,
            "_transferSize": 10,
        },
        "serverIPAddress": "203.0.113.9",
        "startedDateTime": (START + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": more.get("ms", 80.0),
        "timings": {"blocked": 1, "dns": -1, "ssl": -1, "connect": -1, "send": 0.1, "wait": 70, "receive": 5},
    }
    if kind:
        made["_resourceType"] = kind
    return made | more.get("extra", {})


def imported(tmp_path: Path, *entries: dict[str, Any], title: str = "Spring: the sale") -> tuple[str, Scenario]:
    file = tmp_path / "visit.har"
    pages = [{"startedDateTime": START.isoformat(), "id": "page_1", "title": title, "pageTimings": {"onContentLoad": 300, "onLoad": 500}}]
    file.write_text(
        json.dumps(
            {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": pages, "entries": list(entries)}}
        )
    )
    text = scenario_text(file)
    return text, parse(text)


def test_a_page_takes_its_parts_with_it_and_gaps_become_thinking(tmp_path: Path) -> None:
    """Styles, scripts, pictures and other hosts are no steps of their own; a pause is measured from the last answer."""
    text, scenario = imported(
        tmp_path,
        entry(0.0, f"{SITE}/", "document"),
        entry(0.1, f"{SITE}/style.css", "stylesheet"),
        entry(0.1, f"{SITE}/app.js", "script"),
        entry(0.2, f"{SITE}/hero.png", "image", ms=800.0),
        entry(0.3, "https://stats.example.net/collect", "fetch"),
        entry(9.0, f"{SITE}/shop?from=mail&x=%C3%BC", "document"),
    )
    steps = scenario.journeys[0].steps
    assert [step.label for step in steps] == ["page /", "think", "page /shop?from=mail&x=%C3%BC"]
    assert isinstance(steps[1], Think) and str(steps[1].pause) == "about 8 s"
    assert (scenario.name, scenario.target.url, scenario.target.allow) == ("Spring: the sale", SITE, ("www.example.com",))
    assert "1 to stats.example.net" in text


def test_firefox_recordings_are_read_without_the_kind(tmp_path: Path) -> None:
    """The type of the content and the path decide."""
    _, scenario = imported(
        tmp_path,
        entry(0.0, f"{SITE}/", mime="text/html; charset=utf-8"),
        entry(0.1, f"{SITE}/style.css", mime="text/css"),
        entry(0.1, f"{SITE}/favicon.ico", mime="text/html", status=404),
        entry(0.2, f"{SITE}/api/stock", mime="application/json"),
    )
    assert [type(step) for step in scenario.journeys[0].steps] == [Page, Get]


def test_a_form_is_filled_in_by_each_visitor_and_its_hidden_token_is_the_sites_own(tmp_path: Path) -> None:
    """The address and name become the visitor's, the token is extracted from the page, the redirect is followed."""
    html = '<form><input type="hidden" name="csrf_token" value="recorded-token-1"><input type="text" name="x" value="recorded-text"></form>'
    text, scenario = imported(
        tmp_path,
        entry(0.0, f"{SITE}/signup", "document", text=html),
        entry(
            20.0,
            f"{SITE}/signup",
            "document",
            method="POST",
            status=303,
            redirect="/thanks?for=you",
            form={
                "csrf_token": "recorded-token-1",
                "email": "ann@corp.example",
                "name": "Ann Other",
                "password": "recorded-password",
                "plan": "gold: big",
            },
        ),
        entry(20.2, f"{SITE}/thanks?for=you", "document"),
        entry(30.0, f"{SITE}/", "document"),
    )
    page, _, post, _, last = scenario.journeys[0].steps
    assert isinstance(page, Page) and page.extract[0].name == "csrf_token"
    assert isinstance(post, Post) and post.form == {
        "csrf_token": "{{ csrf_token }}",
        "email": "{{ visitor.email }}",
        "name": "{{ visitor.name }}",
        "password": "${PASSWORD}",
        "plan": "gold: big",
    }
    assert last.label == "page /"
    assert "recorded-" not in text and "ann@" not in text


def test_the_extracted_token_is_found_again_in_the_page(tmp_path: Path) -> None:
    """The pattern that is written matches another visitor's page."""
    import re

    html = "<input name='t' type='hidden' value='recorded+token/1=='>"
    _, scenario = imported(
        tmp_path,
        entry(0.0, f"{SITE}/a", "document", text=html),
        entry(1.0, f"{SITE}/b", "xhr", method="POST", body={"t": "recorded+token/1==", "n": 2}),
    )
    page, post = scenario.journeys[0].steps[0], scenario.journeys[0].steps[-1]
    assert isinstance(page, Page)
    found = re.search(page.extract[0].expression, html.replace("recorded+token/1==", "another-9"))
    assert found is not None and found[1] == "another-9"
    assert isinstance(post, Post) and post.json_body == {"t": "{{ t }}", "n": 2}


def test_a_live_playlist_becomes_watching_with_its_polls(tmp_path: Path) -> None:
    """The ticket of the answer is the ticket of the address; segments are the player's; the feed is polled every 10 s."""
    live = [entry(12.0 + 6 * n, f"{SITE}/live/TCK-0001/index.m3u8", "xhr", mime="application/vnd.apple.mpegurl") for n in range(20)]
    media = [entry(12.5 + 6 * n, f"{SITE}/live/segment-{n}.ts", "xhr", mime="video/mp2t") for n in range(20)]
    polls = [entry(13.0 + 10 * n, f"{SITE}/live/questions?ticket=TCK-0001", "fetch") for n in range(12)]
    _, scenario = imported(
        tmp_path,
        entry(0.0, f"{SITE}/webcast", "document"),
        entry(11.0, f"{SITE}/webcast/join", "fetch", method="POST", form={"email": "a@b.example"}, text='{"v": {"ticket": "TCK-0001"}}'),
        *live, *media, *polls,
    )  # fmt: skip
    join, watch = scenario.journeys[0].steps[-2:]
    assert isinstance(join, Post) and [(one.name, one.expression) for one in join.extract] == [("ticket", "$.v.ticket")]
    assert isinstance(watch, Watch) and watch.url == "/live/{{ ticket }}/index.m3u8"
    assert str(watch.duration) == "1 min 55 s" or str(watch.duration) == "2 min"
    assert [(poll.get, poll.every) for poll in watch.meanwhile] == [("/live/questions?ticket={{ ticket }}", 10.0)]
    assert len(scenario.journeys[0].steps) == 4


def test_secrets_of_headers_and_addresses_are_references(tmp_path: Path) -> None:
    """Cookies are dropped (each visitor gets its own); authorisation is taken from the environment."""
    text, scenario = imported(
        tmp_path,
        entry(0.0, f"{SITE}/", "document"),
        entry(
            0.5,
            f"{SITE}/api?api_key=recorded-key&q=1",
            "fetch",
            headers={"Authorization": "Bearer recorded-bearer", "X-Shop": "uk", "Accept": "*/*"},
        ),
    )
    get = scenario.journeys[0].steps[-1]
    assert isinstance(get, Get) and get.url == "/api?api_key=${API_KEY}&q=1"
    assert get.headers == {"authorization": "Bearer ${AUTHORIZATION}", "x-shop": "uk"}
    assert "recorded-" not in text


def test_what_never_reached_the_site_or_cannot_be_repeated_is_left_out(tmp_path: Path) -> None:
    """Cache, data:, aborted, preflights; methods that a scenario does not know and failures are named in the first lines."""
    text, scenario = imported(
        tmp_path,
        entry(0.0, f"{SITE}/", "document"),
        entry(0.1, "data:image/png;base64,AAAA", "image"),
        entry(0.2, f"{SITE}/cached", "fetch", extra={"_fromCache": "disk"}),
        entry(0.3, f"{SITE}/aborted", "fetch", status=0),
        entry(0.4, f"{SITE}/api", "preflight", method="OPTIONS", status=204),
        entry(0.5, f"{SITE}/api/item", "fetch", method="DELETE"),
        entry(0.6, f"{SITE}/api/gone", "fetch", status=410),
    )
    assert [step.label for step in scenario.journeys[0].steps] == ["page /"]
    assert "DELETE /api/item" in text and "GET /api/gone (answered with 410)" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a HAR recording"),
        (b"{}", "is not a HAR recording"),
        (b"\xff\xfe", "is not a HAR recording"),
        (b'{"log": {"entries": 5}}', "is not a HAR recording"),
        (b'{"log": {"entries": []}}', "holds no request"),
        (b'{"log": {"entries": [5, {}, {"request": {}}]}}', "holds no request"),
    ],
)
def test_what_is_no_recording_says_so(tmp_path: Path, content: bytes, says: str) -> None:
    """With the way to save one."""
    file = tmp_path / "a.har"
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match=says) as error:
        scenario_text(file)
    assert error.value.problems[0].remedy


def test_a_recording_of_pictures_only_says_so(tmp_path: Path) -> None:
    """There is nothing that a visitor did."""
    with pytest.raises(ScenarioError, match="holds no page and no form"):
        imported(tmp_path, entry(0.0, f"{SITE}/a.png", "image", mime="image/png"))


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "",
        "a: b",
        "- a",
        "{{ x }}",
        "no",
        "null",
        "#a",
        "a #b",
        " a",
        "a ",
        "'",
        '"',
        "\\",
        "é\u2028",
        "\x07",
        "1:30",
        "*a",
        "&a",
        "@",
        "a:",
        "~",
    ],
)
def test_any_text_survives_the_way_through_yaml(text: str) -> None:
    """What is written is read back as exactly that."""
    assert parse_yaml(f"x: {scalar(text)}\n", Path("a.yaml")).at("x").bare() == text
