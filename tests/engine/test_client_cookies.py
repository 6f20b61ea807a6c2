"""The jar beside the standard library's: whatever servers set, the same cookies are sent to the same places."""

from __future__ import annotations

import email.message
import http.cookiejar
import urllib.request
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.browser import cookies
from harness.engine.browser.cookies import Jar

HOSTS = ["www.example.com", "example.com", "shop.example.com", "other.org", "127.0.0.1", "::1"]
PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/x?q=1"]
NAMES = ["sid", "a", "b"]
ATTRIBUTES = [
    "",
    "; Path=/",
    "; Path=/a",
    "; Path=/a/",
    "; path=/a/b; HttpOnly",
    "; Domain=example.com",
    "; domain=.example.com; Path=/a",
    "; Domain=www.example.com",
    "; Domain=other.org",
    "; Domain=com",
    "; Secure",
    "; Max-Age=0",
    "; Max-Age=3600",
    "; Max-Age=-1",
    "; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "; Expires=Fri, 01-Jan-2100 00:00:00 GMT; SameSite=Lax",
    "; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
]


class Standard:
    """http.cookiejar behind the same three questions."""

    def __init__(self):
        self.jar = http.cookiejar.CookieJar(
            http.cookiejar.DefaultCookiePolicy(strict_ns_domain=http.cookiejar.DefaultCookiePolicy.DomainStrictNonDomain)
        )

    def url(self, host, path, secure):
        return f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}{path}"

    def store(self, header, host, path, secure):
        message = email.message.Message()
        message["Set-Cookie"] = header
        self.jar.extract_cookies(SimpleNamespace(info=lambda: message), urllib.request.Request(self.url(host, path, secure)))

    def line(self, host, path, secure):
        request = urllib.request.Request(self.url(host, path, secure))
        self.jar.add_cookie_header(request)
        return request.get_header("Cookie", "")


events = st.tuples(
    st.builds(
        lambda n, v, a: f"{n}={v}{a}", st.sampled_from(NAMES), st.sampled_from(["1", "two", 'q"x"', "a=b", ""]), st.sampled_from(ATTRIBUTES)
    ),
    st.sampled_from(HOSTS),
    st.sampled_from(PATHS),
    st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(events, min_size=1, max_size=8))
def test_the_same_cookies_go_to_the_same_places(story):
    """Any sequence of Set-Cookie headers from any host and path: both jars send the same pairs everywhere, whatever their order."""
    ours, standard = Jar(), Standard()
    for header, host, path, secure in story + story:
        ours.hear(f"Set-Cookie: {header}\r".encode("latin-1"), host, path)
        standard.store(header, host, path, secure)
    for host in HOSTS:
        for path in PATHS:
            for secure in (False, True):
                mine = ours.line(host, path.partition("?")[0], secure).decode("latin-1")
                assert sorted(mine.split("; ")) == sorted(standard.line(host, path, secure).split("; "))


def test_longer_paths_come_first_then_older_cookies():
    """RFC 6265 section 5.4; a changed value keeps its age."""
    jar = Jar()
    for header in ("z=1; Path=/", "a=1; Path=/", "deep=1; Path=/a/b", "z=2; Path=/"):
        jar.store(header, "h.test", "/")
    assert jar.line("h.test", "/a/b/c", False) == b"deep=1; z=2; a=1"


def test_a_cookie_is_not_sent_after_its_last_moment(monkeypatch):
    """Expiry counts in the middle of a visit, too."""
    now = [1_000_000.0]
    monkeypatch.setattr(cookies, "time", lambda: now[0])
    jar = Jar()
    jar.store("short=1; Max-Age=10", "h.test", "/")
    jar.store("long=1", "h.test", "/")
    assert jar.line("h.test", "/", False) == b"short=1; long=1"
    now[0] += 11
    assert jar.line("h.test", "/", False) == b"long=1"


def test_a_copy_for_another_visitor_is_independent():
    """States are shared between visitors; what one does to its jar stays with it."""
    one, other = Jar(), Jar()
    one.store("a=1", "h.test", "/")
    other.restore(one.state)
    other.store("a=2", "h.test", "/")
    one.store("b=1", "h.test", "/")
    assert one.line("h.test", "/", False) == b"a=1; b=1"
    assert other.line("h.test", "/", False) == b"a=2"


def test_a_jar_is_bounded():
    """A site that sets a cookie an answer does not fill the memory: the oldest go."""
    jar = Jar()
    for number in range(1000):
        jar.store(f"c{number}=1", "h.test", "/")
    assert len(jar) == cookies.MOST
    assert jar.line("h.test", "/", False).endswith(b"c999=1")


def test_the_same_line_from_two_folders_is_two_cookies():
    """A line without a path belongs to the folder of its page, one with a path is the same everywhere."""
    jar = Jar()
    for path in ("/page", "/shop/page", "/shop/other"):
        jar.store("a=1", "h.test", path)
        jar.store("b=1; Path=/", "h.test", path)
    assert len(jar) == 3
    assert jar.line("h.test", "/shop/x", False) == b"a=1; a=1; b=1"
    assert jar.line("h.test", "/x", False) == b"a=1; b=1"


def test_the_same_line_from_two_folders_at_once_is_two_cookies():
    """Nor when nothing else was set in between."""
    jar = Jar()
    jar.store("a=1", "h.test", "/page")
    jar.store("a=1", "h.test", "/shop/page")
    assert [cookie.path for cookie in jar.state] == ["/", "/shop"]
