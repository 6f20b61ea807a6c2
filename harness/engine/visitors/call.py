"""In: a `url`, headers, a body as the scenario has them. Out: `Call`, one request encoded ahead, with everything that follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from harness.engine.browser.client import HOPS, Answer, Client, encode_target, judge_status, next_place, target_of
from harness.engine.browser.origin import Origin
from harness.engine.browser.trouble import Trouble
from harness.engine.visitors.words import Words, compile_words

if TYPE_CHECKING:
    from harness.engine.visitors.users import Visitor

KEPT = 500  # encoded requests that one call remembers: a page's assets, a stream's segments
_LINE_BREAK = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a request goes; `fixed` when no variable stands in its URL, else `url` is asked for each visitor."""

    client: Client
    base: str
    url: str | Words
    fixed: tuple[Origin, str] | None

    def of(self, visitor: Visitor) -> tuple[Origin, str]:
        """Origin and target (path and query as they go on the wire) for this visitor."""
        if self.fixed is not None:
            return self.fixed
        assert not isinstance(self.url, str)
        return place_of(self.client, self.base, self.url(visitor))


def place_of(client: Client, base: str, url: str) -> tuple[Origin, str]:
    """Origin and target of a path on the site, or of an absolute URL. Raises `Trouble` when it is neither."""
    if not url.lower().startswith(("http://", "https://")):
        url = base.rstrip("/") + "/" + url.lstrip("/")
    return client.origin(url), target_of(url)


def compile_place(client: Client, base: str, url: str) -> Place:
    """A `url` of the scenario. Variables in it are percent-encoded where they must be; a whole path may be a variable."""
    words = compile_words(url, encode_target)
    return Place(client=client, base=base, url=words, fixed=place_of(client, base, words) if isinstance(words, str) else None)


Headers = tuple[tuple[str, "str | Words"], ...]


def compile_headers(defaults: dict[str, str], own: dict[str, str]) -> Headers:
    """The scenario's own headers replace the defaults of the same name. Line breaks in values become spaces."""
    given = {name.lower() for name in own}
    merged = {name: value for name, value in defaults.items() if name.lower() not in given} | own
    return tuple((name, compile_words(value, lambda text: _LINE_BREAK.sub(" ", text))) for name, value in merged.items())


def encode_headers(headers: Iterable[tuple[str, str]]) -> bytes:
    """As lines on the wire."""
    return "".join(f"{name}: {_LINE_BREAK.sub(' ', value)}\r\n" for name, value in headers).encode("utf-8")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request of a step. `first` is its sample, `further` that of what it is redirected to (-1: a redirect is an answer like any
    other).

    A redirect is followed as browsers do (RFC 9110 section 15.4): 301 and 302 turn a POST into a GET, 303 always does, 307 and 308 never
    do. `lines` are the headers, encoded, when no variable stands in them; `own_host`: they bring their own Host.
    """

    client: Client
    method: str
    place: Place | None
    headers: Headers
    lines: bytes | None
    own_host: bool
    body: Callable[[Visitor], bytes] | None
    read: bool
    judge: Callable[[Answer], Trouble | None]
    first: int
    further: int
    timeout: float
    _starts: dict[tuple[Origin, str], bytes] = field(default_factory=dict)

    def make(self, visitor: Visitor, *, planned: float = 0.0, deadline: float = 0.0) -> Answer:
        """Do it; returns the last answer, which the judge has passed. `planned` and `deadline` are monotonic moments, 0: now, the timeout.

        Raises `Trouble` with the sample that failed.
        """
        assert self.place is not None
        origin, target = self.place.fixed or self.place.of(visitor)
        return self.make_at(visitor, origin, target, planned=planned, deadline=deadline)

    def make_at(self, visitor: Visitor, origin: Origin, target: str, *, planned: float = 0.0, deadline: float = 0.0) -> Answer:
        """The same at another place than its own."""
        start = self._starts.get((origin, target)) or self._start(visitor, origin, target)
        body = self.body(visitor) if self.body is not None else None
        method, sample = self.method, self.first
        hops = HOPS if self.further >= 0 else -1
        deadline = deadline or monotonic() + self.timeout
        judge = judge_status if visitor.scanner else self.judge
        browser = visitor.browser
        lines: bytes | None = None
        while True:
            cookies = browser.jar.line(origin.host, target, origin.secure)
            head = b"%bCookie: %b\r\n" % (start, cookies) if cookies else start
            answer = browser.exchange(
                origin,
                target,
                head + b"\r\n" if body is None else b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body),
                sample=sample,
                planned=planned,
                deadline=deadline,
                read=self.read,
                judge=judge,
                hops=hops,
                bodiless=method == "HEAD",
            )
            if answer.location is None:
                return answer
            if lines is None:
                own_host = self.own_host
                lines = start[len(_encode(method, origin, target, b"", own_host)) :]
            before, (origin, target) = origin, next_place(answer, self.client)
            sample, hops, planned = self.further, hops - 1, 0.0
            if method == "POST" and answer.status in (301, 302, 303):
                method, body = "GET", None
                lines = _without(lines, "content-type")
            if origin is not before:
                lines, own_host = _without(lines, "authorization", "cookie", "host", "origin"), False
            start = _encode(method, origin, target, lines, own_host)

    def _start(self, visitor: Visitor, origin: Origin, target: str) -> bytes:
        """Request line and headers there, for this visitor; kept where the next visitor may need the same."""
        lines = self.lines
        if lines is None:
            values = ((name, value if isinstance(value, str) else value(visitor)) for name, value in self.headers)
            return _encode(self.method, origin, target, encode_headers(values), self.own_host)
        start = _encode(self.method, origin, target, lines, self.own_host)
        if self.place is None or self.place.fixed is not None:
            if len(self._starts) >= KEPT:
                self._starts.clear()
            self._starts[origin, target] = start
        return start


def _encode(method: str, origin: Origin, target: str, lines: bytes, own_host: bool) -> bytes:
    host = "" if own_host else f"Host: {origin.authority}\r\n"
    return f"{method} {target} HTTP/1.1\r\n{host}".encode("ascii") + lines


def _without(lines: bytes, *names: str) -> bytes:
    kept = (line for line in lines.split(b"\r\n") if line and line.partition(b":")[0].strip().lower().decode("latin-1") not in names)
    return b"".join(line + b"\r\n" for line in kept)
