"""From steps to requests: what is on the wire, what is extracted and checked, what a page fetches, how redirects and failures are told."""

from __future__ import annotations

import gzip
import json
import zlib
from itertools import pairwise

import brotli
import client_ground as ground
import gevent
import pytest
from client_ground import Lone, Served, answering, ok

from harness.engine.browser import body
from harness.engine.browser.trouble import Trouble
from harness.engine.visitors.compile import compile_scenario
from harness.engine.visitors.visit import Crew
from harness.engine.wire import Outcome
from harness.safety import Gate
from harness.scenario.catalog import samples
from harness.scenario.load import parse

FRAME = """
name: test
campaign: {type: email_blast, list_size: 1000, sent_over: 10 min}
promises:
  - 95% of responses within 800 ms
journeys:
"""


def journeys(*steps: str, **more: str) -> str:
    """A scenario of one journey with these steps; further journeys by name."""
    text = FRAME
    shares = 100 // (1 + len(more))
    for name, lines in {"only": steps, **{name: (line,) for name, line in more.items()}}.items():
        text += f"  - name: {name}\n    share: {shares}%\n    steps:\n"
        text += "".join(f"      - {step}\n" for step in lines)
    return text


def crew_for(base: str, text: str, seed: int = 1):
    """The scenario's crew on this server, its recorder, and its samples by label."""
    scenario = parse(text)
    record = ground.Kept()
    catalogue = samples(scenario)
    crew = Crew(journeys=compile_scenario(scenario, catalogue, base, Gate()), record=record, seed=seed)
    return crew, record, {sample.label: sample.number for sample in catalogue}


def visit(base: str, *steps: str, number: int = 7):
    """One visitor goes through these steps; returns crew, record, labels once it has left."""
    crew, record, labels = crew_for(base, journeys(*steps))
    crew.arrive(number, 0, ground.monotonic())
    assert crew.join(15)
    assert record.balanced
    return crew, record, labels


def test_a_form_is_urlencoded_with_the_visitors_own_values():
    """Values are encoded, names too; the same visitor number and seed give the same mail address."""
    with answering(ok()) as served:
        for _ in range(2):
            visit(served.base, 'post: /join\n        form: {email: "{{ visitor.email }}", "a b": "x & y", name: "{{ visitor.name }}"}')
    first, again = served.heads
    assert first == again
    head, _, sent = first.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /join HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert sent.startswith(b"email=visitor-7-") and b"%40example.com&a+b=x+%26+y&name=Visitor+7" in sent
    assert b"Content-Length: %d" % len(sent) in head


def test_json_is_encoded_with_variables_anywhere():
    """Variables in nested texts; numbers, lists and null stay what they are; quotes in values cannot break out."""
    steps = [
        'get: /token\n        extract: {token: "regex token=(.+)$"}',
        'post: /x\n        json: {a: [1, "{{ token }}", null], b: {c: "n {{ visitor.number }}"}}',
    ]
    with answering(ok(b'token=a"b\\c'), ok()) as served:
        crew, _, _ = visit(served.base, *steps)
    sent = served.heads[1].partition(b"\r\n\r\n")[2]
    assert json.loads(sent) == {"a": [1, 'a"b\\c', None], "b": {"c": "n 7"}}
    assert crew.tally.completed == 1


@pytest.mark.parametrize(
    ("expression", "answer", "value"),
    [
        ("json $.ticket", ok(b'{"ticket": "t 1/2"}'), "t%201/2"),
        ("json $.a.b[1]", ok(b'{"a": {"b": [0, 42]}}'), "42"),
        ("regex id=([0-9]+)", ok(b"x id=77 y"), "77"),
        ("header X-Next", ok(b"", b"X-Next: here?a=b"), "here?a=b"),
        ("json $.ticket", ok(gzip.compress(b'{"ticket": "zip"}'), b"Content-Encoding: gzip"), "zip"),
        ("json $.t", ok(brotli.compress(b'{"t": "br"}'), b"content-encoding: br"), "br"),
        ("json $.t", ok(zlib.compress(b'{"t": "fl"}'), b"CONTENT-ENCODING: deflate"), "fl"),
        ("regex n(.)n", ok("nßn".encode("latin-1"), b"Content-Type: text/plain; charset=iso-8859-1"), "%C3%9F"),
    ],
)
def test_what_is_extracted_goes_into_later_urls(expression, answer, value):
    """JSON paths, patterns, headers; packed or not; encoded for a URL where needed."""
    with answering(answer, ok()) as served:
        crew, record, _ = visit(served.base, f"get: /first\n        extract: {{v: {json.dumps(expression)}}}", "get: /next/{{ v }}")
    assert served.heads[1].split(b" ")[1] == b"/next/" + value.encode()
    assert crew.tally.completed == 1 and record.outcomes == [Outcome.OK] * 2


@pytest.mark.parametrize("answer", [ok(b'{"other": 1}'), ok(b"not json"), ok(b'{"ticket": null}'), ok(b"[1]")])
def test_a_missing_variable_fails_the_check_and_ends_the_visit(answer):
    """The visitor does not go on with a hole in its URL."""
    with answering(answer) as served:
        crew, record, _ = visit(served.base, "get: /first\n        extract: {ticket: json $.ticket}", "get: /next/{{ ticket }}")
    assert record.outcomes == [Outcome.CHECK_FAILED]
    assert crew.tally.failed == 1 and len(served.heads) == 1
    ((_, _, message),) = record.errors
    assert message == "nothing to extract for ticket: json $.ticket"


@pytest.mark.parametrize(
    ("check", "answer", "expected"),
    [
        ("{contains: Join now}", ok(b"<b>Join now</b>"), Outcome.OK),
        ("{contains: Join now}", ok(b"sorry"), Outcome.CHECK_FAILED),
        ("{contains: Join now}", ok(b"", status=b"503 No"), Outcome.HTTP_5XX),
        ("{lacks: error}", ok(b"an error"), Outcome.CHECK_FAILED),
        ("{matches: 'a+b'}", ok(b"caab"), Outcome.OK),
        ("{matches: '^a+b$'}", ok(b"caab"), Outcome.CHECK_FAILED),
        ("{status: 404}", ok(b"", status=b"404 No"), Outcome.OK),
        ("{status: 404}", ok(), Outcome.CHECK_FAILED),
        ("{status: 302}", ok(b"", b"Location: /elsewhere", status=b"302 Found"), Outcome.OK),
        ("{contains: x}", ok(b"not gzip", b"Content-Encoding: gzip"), Outcome.PROTOCOL),
        ("{contains: x}", ok(gzip.compress(b"x" * 1000)[:-10], b"Content-Encoding: gzip"), Outcome.PROTOCOL),
        ("{contains: x}", ok(b"x", b"Content-Encoding: zstd"), Outcome.PROTOCOL),
    ],
)
def test_checks_judge_the_answer(check, answer, expected):
    """A 200 with an error page is a failure; an expected 404 is none; a redirect that is expected is not followed."""
    with answering(answer, ok()) as served:
        crew, record, _ = visit(served.base, f"get: /\n        check: {check}")
    assert record.outcomes == [expected]
    assert (crew.tally.completed, crew.tally.failed) == ((1, 0) if expected is Outcome.OK else (0, 1))


@pytest.mark.parametrize(
    "pack", [lambda b: (gzip.compress(b), b"gzip"), lambda b: (zlib.compress(b), b"deflate"), lambda b: (brotli.compress(b), b"br")]
)
def test_a_bomb_costs_no_more_than_the_bound(pack):
    """200 MB in a few KB: what is read of it stops at the bound, quickly, and a check on its start still holds."""
    packed, name = pack(b"start" + b"\0" * 200_000_000)
    with answering(ok(packed, b"Content-Encoding: " + name)) as served:
        visitor = Lone()
        answer = visitor.call(served.base, read=True, timeout=10)
        assert len(body.unpack(answer.raw, name.decode())) == body.MOST
        _crew, record, _ = visit(served.base, "get: /\n        check: {contains: start}")
    assert record.outcomes == [Outcome.OK]


def test_bombs_in_bombs_are_bounded_too():
    """Gzip in gzip in gzip."""
    packed = gzip.compress(gzip.compress(gzip.compress(b"\0" * 50_000_000)))
    assert len(body.unpack(packed, "gzip, gzip, gzip")) == body.MOST
    with pytest.raises(Trouble):
        body.unpack(packed[:-20], "gzip, gzip, gzip")


def test_redirects_are_samples_of_their_own_and_carry_cookies():
    """POST, 302, GET with the cookie that came with the redirect; the check is for the last answer."""
    first = ok(b"", b"Location: thanks?a=b#c", b"Set-Cookie: sid=1; Path=/", status=b"302 Found")
    with answering(first, ok(b"Thank you")) as served:
        _crew, record, labels = visit(served.base, "post: /shop/order\n        form: {a: b}\n        check: {contains: Thank you}")
    assert served.heads[1].startswith(b"GET /shop/thanks?a=b HTTP/1.1\r\n")
    assert b"Cookie: sid=1\r\n" in served.heads[1] and b"Content-" not in served.heads[1]
    assert record.counts(labels["POST /shop/order"]) == {Outcome.OK: 1}
    assert record.counts(labels["POST /shop/order (redirected)"]) == {Outcome.OK: 1}


def test_a_redirect_loop_ends_after_ten_hops():
    """Eleven requests, the last of which is the failure."""
    with answering(ok(b"", b"Location: /again", status=b"301 Moved")) as served:
        crew, record, _labels = visit(served.base, "get: /again")
    assert len(served.heads) == 11
    assert record.outcomes == [Outcome.OK] * 10 + [Outcome.PROTOCOL]
    assert crew.tally.failed == 1


@pytest.mark.parametrize("place", [b"ftp://example.com/", b"javascript:alert(1)", b"http://[bad", b"http://h:99999/"])
def test_a_redirect_to_no_place_is_a_failure_with_words(place):
    """Nothing is sent; the visit fails."""
    with answering(ok(b"", b"Location: " + place, status=b"302 Found")) as served:
        crew, record, _ = visit(served.base, "get: /")
    assert len(served.heads) == 1 and crew.tally.failed == 1
    assert sum(record.errors.values()) == 1


def test_secrets_do_not_travel_to_another_origin():
    """Authorization stays with the site that it was for."""
    with answering(ok(b"other")) as other:
        moved = ok(b"", b"Location: " + other.base.encode() + b"/there", status=b"307 Moved")
        with answering(moved) as served:
            visit(served.base, "post: /\n        form: {a: b}\n        headers: {Authorization: Bearer x, X-Kept: y}")
        assert b"Authorization: Bearer x" in served.heads[0]
    assert other.heads[0].startswith(b"POST /there") and other.heads[0].endswith(b"a=b")
    assert b"Authorization" not in other.heads[0] and b"X-Kept: y" in other.heads[0]
    assert f"Host: 127.0.0.1:{other.port}".encode() in other.heads[0]


def test_line_breaks_in_values_cannot_make_headers():
    """What a site returns is data, also in a header of ours."""
    with answering(ok(b'{"v": "a\\r\\nX-Evil: 1"}'), ok()) as served:
        visit(served.base, "get: /\n        extract: {v: json $.v}", 'get: /next/{{ v }}\n        headers: {X-V: "{{ v }}"}')
    assert b"\r\nX-Evil" not in served.heads[1]


PAGE = b"""<!doctype html><html><head><link rel=stylesheet href="/a.css?x=1&amp;y=2"><link rel="canonical" href="/not">
<link rel='icon' href='icon.png'><script src=/b.js defer></script><script>var a = "<img src='/in-script.png'>";</script>
<!-- <img src="/commented.png"> --><noscript><img src="/noscript.png"></noscript>
<img alt="a > b" src="/c.png"><img src="/c.png"><img src="data:image/png;base64,AAAA"><img src="https://cdn.example.com/far.png">
<script src="//127.0.0.1/other-port.js"></script></head></html>"""


def test_a_page_fetches_what_a_browser_would_from_its_own_site():
    """Styles, icons, scripts and pictures of the same origin, each once; nothing from elsewhere, from comments or without need."""
    with answering(ok(PAGE, b"Content-Type: text/html"), ok()) as served:
        crew, record, _labels = visit(served.base, "page: /dir/", "page: /dir/")
    targets = sorted(head.split(b" ")[1] for head in served.heads)
    assert targets == sorted([b"/dir/", b"/dir/", b"/a.css?x=1&y=2", b"/dir/icon.png", b"/b.js", b"/in-script.png", b"/c.png"])
    assert len(record.rows) == 7
    assert crew.tally.completed == 1


def test_a_page_uses_at_most_six_connections():
    """Twenty pictures, slow ones: six at a time, all fetched; `wait` is not the generator's lateness."""
    now = most = 0
    served: Served
    pictures = b"".join(b"<img src=/%d.png>" % n for n in range(20))

    def handle(sock):
        nonlocal now, most
        while head := served.read_head(sock):
            if b".png" in head:
                now += 1
                most = max(most, now)
                gevent.sleep(0.02)
                now -= 1
            sock.sendall(ok(pictures))

    with (served := Served(handle)):
        crew, record, _ = visit(served.base, "page: /")
    assert most == 6 and served.connections == 6
    assert len(record.rows) == 21 and crew.tally.completed == 1


def test_a_missing_picture_is_counted_and_the_visit_goes_on():
    """As for people: the page without its picture is still a page."""
    with answering(ok(b"<img src=/gone.png>"), ok(status=b"404 No"), ok()) as served:
        crew, record, _ = visit(served.base, "page: /", "get: /next")
    assert record.outcomes == [Outcome.OK, Outcome.HTTP_4XX, Outcome.OK]
    assert crew.tally.completed == 1


def test_a_pages_timeout_is_for_all_of_it():
    """The page answers at once, a picture never does: the step ends at its timeout and every request is on record."""

    def handle(sock):
        while head := served.read_head(sock):
            if b"never" in head:
                gevent.sleep(5)
            sock.sendall(ok(b"<img src=/never1.png><img src=/never2.png>"))

    served = Served(handle)
    with served:
        began = ground.monotonic()
        _crew, record, _ = visit(served.base, "page: /\n        timeout: 300 ms")
        assert 0.25 < ground.monotonic() - began < 3
    assert sorted(record.outcomes) == [Outcome.OK, Outcome.READ_TIMEOUT, Outcome.READ_TIMEOUT]


def test_each_journey_is_a_real_locust_user_class():
    """One class a journey, named after it, its share as its weight, one task that ends in StopUser."""
    from locust import User
    from locust.exception import StopUser

    crew, _, _ = crew_for("http://127.0.0.1:1", journeys("get: /", other="get: /b"))
    one, other = (journey.user for journey in crew.journeys)
    assert issubclass(one, User) and not one.abstract
    assert (one.__name__, other.__name__) == ("Only", "Other")
    assert one.weight == other.weight == 50 and one.host == "http://127.0.0.1:1"
    assert len(one.tasks) == 1 and issubclass(StopUser, Exception)


def test_locust_can_run_the_class_itself():
    """Started the way Locust starts users, the visitor goes once through its journey, counted like any arrival, and stops."""
    from types import SimpleNamespace

    from gevent.pool import Group

    with answering(ok()) as served:
        crew, _record, _ = crew_for(served.base, journeys("get: /a", "think: 10 ms", "get: /b"))
        group = Group()
        user = crew.journeys[0].user(SimpleNamespace(crew=crew))
        user.start(group)
        group.join(10)
        assert [head.split(b" ")[1] for head in served.heads] == [b"/a", b"/b"]
        assert (crew.tally.started, crew.tally.completed, crew.tally.present) == (1, 1, 0)
        killed = crew.journeys[0].user(SimpleNamespace(crew=crew))
        killed.start(group)
        gevent.sleep(0)
        group.kill()
        assert crew.join(5) and crew.tally.cut_off == 1


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n"


def live(first: int, count: int = 4, target: bytes = b"1") -> bytes:
    """A media playlist of `count` segments, the first numbered `first`."""
    listed = b"".join(b"#EXTINF:1.0,\nseg-%d.ts\n" % (first + n) for n in range(count))
    return PLAYLIST.replace(b"DURATION:1", b"DURATION:" + target) % first + listed


def test_a_viewer_reads_the_playlist_and_fetches_each_segment_once():
    """A stream that advances a segment a second: the last three at first, then each new one once, polls on their own schedule."""
    began = ground.monotonic()

    def handle(sock):
        while head := served.read_head(sock):
            sock.sendall(ok(live(10 + int(ground.monotonic() - began)) if b"m3u8" in head else b"data"))

    served = Served(handle)
    with served:
        crew, record, labels = visit(
            served.base, "watch: /live/index.m3u8\n        for: 3500 ms\n        meanwhile: [{get: /questions, every: 500 ms}]"
        )
    segments = [head.split(b" ")[1] for head in served.heads if b"seg-" in head]
    assert len(segments) == len(set(segments)) and segments[0] == b"/live/seg-11.ts"
    assert 5 <= len(segments) <= 7
    playlists = sum(record.counts(labels["watch /live/index.m3u8"]).values())
    polls = sum(record.counts(labels["GET /questions"]).values())
    assert 4 <= playlists <= 6 and 6 <= polls <= 8
    assert crew.tally.completed == 1


def test_an_unchanged_playlist_is_read_again_after_half_its_target_duration():
    """RFC 8216 section 6.3.4."""
    with answering(ok(live(1))) as served:
        _, record, labels = visit(served.base, "watch: /index.m3u8\n        for: 1800 ms")
    moments = [at for at, sample in record.sents if sample == labels["watch /index.m3u8"]]
    assert moments[1] - moments[0] > 0.9
    assert all(0.4 < later - earlier < 0.8 for earlier, later in pairwise(moments[1:]))


def test_a_viewer_gives_up_after_three_failed_playlists_in_a_row():
    """Players try again; people leave."""
    with answering(ok(live(1, target=b"0.2")), ok(), ok(), ok(), ok(status=b"503 No")) as served:
        crew, record, labels = visit(served.base, "watch: /index.m3u8\n        for: 1 min")
    assert record.counts(labels["watch /index.m3u8"]) == {Outcome.OK: 1, Outcome.HTTP_5XX: 3}
    assert crew.tally.failed == 1


def test_failed_polls_and_segments_are_counted_and_the_viewer_stays():
    """Only playlists end a visit."""

    def handle(sock):
        while head := served.read_head(sock):
            sock.sendall(ok(live(1)) if b"m3u8" in head else ok(status=b"500 No"))

    served = Served(handle)
    with served:
        crew, record, labels = visit(served.base, "watch: /index.m3u8\n        for: 700 ms\n        meanwhile: [{get: /q, every: 200 ms}]")
    assert record.counts(labels["watch /index.m3u8 (segments)"]) == {Outcome.HTTP_5XX: 3}
    assert 3 <= record.counts(labels["GET /q"])[Outcome.HTTP_5XX] <= 4
    assert crew.tally.completed == 1


def test_a_master_playlist_leads_to_its_first_variant():
    """And is read once only."""
    master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh/index.m3u8\n"

    def handle(sock):
        while head := served.read_head(sock):
            sock.sendall(ok(master if b"/master" in head else live(1) if b"m3u8" in head else b"data"))

    served = Served(handle)
    with served:
        crew, _, _ = visit(served.base, "watch: /v/master.m3u8\n        for: 1600 ms")
    paths = [head.split(b" ")[1] for head in served.heads]
    assert paths[:3] == [b"/v/master.m3u8", b"/v/low/index.m3u8", b"/v/low/seg-2.ts"]
    assert paths.count(b"/v/master.m3u8") == 1 and paths.count(b"/v/low/index.m3u8") >= 2
    assert crew.tally.completed == 1


def test_a_viewer_whose_time_is_up_waits_for_what_is_under_way():
    """The last answer is not cut: it belongs to the site's record."""

    def handle(sock):
        served.read_head(sock)
        gevent.sleep(0.5)
        sock.sendall(ok(live(1)))
        while served.read_head(sock):
            sock.sendall(ok())

    served = Served(handle)
    with served:
        crew, record, _ = visit(served.base, "watch: /index.m3u8\n        for: 100 ms")
    assert Outcome.CUT_OFF not in record.outcomes and crew.tally.completed == 1


def test_an_answer_that_is_no_playlist_is_a_failed_check():
    """An error page with status 200 is not a stream."""
    with answering(ok(b"<html>Sorry</html>")) as served:
        _crew, record, _labels = visit(served.base, "watch: /index.m3u8\n        for: 1 min\n        timeout: 1 s")
    assert set(record.outcomes) == {Outcome.CHECK_FAILED}
