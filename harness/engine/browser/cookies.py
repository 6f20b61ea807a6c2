"""In: Set-Cookie lines. Out: Cookie lines, by RFC 6265 and the standard library jar's rules, without its 100 µs a request: `Jar`.

Nearly every visitor has one host and a few cookies: the line for a place is built once and kept until a cookie changes or may have expired.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from http.cookiejar import http2time  # type: ignore[attr-defined]
from time import time
from typing import NamedTuple

MOST = 180  # cookies a jar holds (RFC 6265 section 6.1 asks for 50 a domain): the oldest goes


Source = tuple[str, str | None]  # host and path; None: any path
Attributes = tuple[str | None, str | None, bool, float | None, float | None]  # path, domain, secure, expires, seconds to live


class Cookie(NamedTuple):
    """One stored cookie. `expires` is in seconds of the Unix clock; `host_only`: no Domain attribute was given. (A tuple: made in a
    third of a frozen dataclass's time, and one is made for every visitor.)"""

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    expires: float | None

    def replaces(self, other: Cookie) -> bool:
        """Whether they are the same cookie (RFC 6265bis: with the host-only flag, as browsers and the standard library have it)."""
        return self[0] == other[0] and self[2:5] == other[2:5]

    def fits(self, host: str, path: str, secure: bool) -> bool:
        """Whether it is sent there (section 5.4)."""
        if self.secure and not secure:
            return False
        if host != self.domain and (self.host_only or not host.endswith("." + self.domain) or _is_address(host)):
            return False
        return path == self.path or (path.startswith(self.path) and (self.path[-1] == "/" or path[len(self.path)] == "/"))


class Jar:
    """The cookies of one visitor."""

    __slots__ = ("_cookies", "_known", "_lines", "_sooner", "_uniform")

    def __init__(self) -> None:
        self._cookies: tuple[Cookie, ...] = ()  # in order of creation; a tuple, so that a copy for another visitor is free
        self._lines: dict[tuple[str, str, bool] | bool, bytes] = {}
        self._known: dict[bytes, Source] = {}  # lines that would change nothing: sites send the same ones with every answer
        self._sooner: float | None = None  # when the first of them expires
        self._uniform: str | None = None  # the host, where all of them belong to one and to all of its paths

    def __len__(self) -> int:
        return len(self._cookies)

    @property
    def state(self) -> tuple[Cookie, ...]:
        """All of it, to be handed to `restore` of another jar."""
        return self._cookies

    def restore(self, state: tuple[Cookie, ...]) -> None:
        """Take over another jar's cookies."""
        self._set(state)

    def line(self, host: str, target: str, secure: bool) -> bytes:
        """The value of the Cookie header there (path and query), or b"". Longer paths first, then older cookies (section 5.4)."""
        if not self._cookies:
            return b""
        if self._sooner is not None and self._sooner <= time():
            now = time()
            self._set(tuple(c for c in self._cookies if c.expires is None or c.expires > now))
        path = target if host == self._uniform else target.partition("?")[0]
        place = secure if host == self._uniform else (host, path, secure)
        line = self._lines.get(place)
        if line is None:
            fitting = [c for c in self._cookies if c.fits(host, path, secure)]
            if len(fitting) > 1:
                fitting.sort(key=lambda c: -len(c.path))
            line = "; ".join([f"{c.name}={c.value}" for c in fitting]).encode("latin-1", "replace")
            if len(self._lines) >= 8:
                self._lines.clear()
            self._lines[place] = line
        return line

    def hear(self, line: bytes, host: str, target: str) -> None:
        """One line of the head of an answer from that host and target (path and query) that may be a Set-Cookie."""
        known = self._known.get(line)
        if known is not None and known[0] == host and (known[1] is None or known[1] == target):
            return
        name, _, header = line.partition(b":")
        if name.rstrip(b" \t").lower() != b"set-cookie":
            return
        path = target.partition("?")[0]
        source = self.store(header.strip().decode("latin-1"), host, path)
        if source is not None:
            if len(self._known) >= 8:
                self._known.clear()
            self._known[line] = source

    def store(self, header: str, host: str, path: str) -> Source | None:
        """One Set-Cookie header of an answer from that host and path (sections 5.2 and 5.3). What breaks the rules is ignored.

        Returns from where it would change nothing, until another one does."""
        pair, _, rest = header.partition(";")
        attributes = _attributes(rest)
        cookie = _cookie(pair, attributes, host, path)
        if cookie is None:
            return None
        self._keep(cookie)
        return (host, None if attributes[0] else path) if cookie.expires is None else None

    def _keep(self, cookie: Cookie) -> None:
        kept = self._cookies
        for at, other in enumerate(kept):
            if cookie.replaces(other):
                if cookie.expires is not None and cookie.expires <= time():
                    self._set(kept[:at] + kept[at + 1 :])
                elif cookie != other:
                    self._set((*kept[:at], cookie, *kept[at + 1 :]))  # it keeps its age
                return
        if cookie.expires is None or cookie.expires > time():
            self._set((*kept, cookie)[-MOST:])

    def _set(self, cookies: tuple[Cookie, ...]) -> None:
        self._cookies = cookies
        self._lines.clear()
        self._known.clear()
        self._sooner = None
        self._uniform = cookies[0].domain if cookies else None
        for cookie in cookies:
            if cookie.expires is not None and (self._sooner is None or cookie.expires < self._sooner):
                self._sooner = cookie.expires
            if not cookie.host_only or cookie.path != "/" or cookie.domain != self._uniform:
                self._uniform = None


def _cookie(pair: str, attributes: Attributes, host: str, path: str) -> Cookie | None:
    """A Set-Cookie header as a cookie, or None where the rules say to ignore it."""
    name, equals, value = pair.partition("=")
    name = name.strip()
    if not equals or not name:
        return None
    where, wanted, secure, expires, lives = attributes
    domain, host_only = host, wanted is None
    if wanted is not None:
        domain = wanted
        if domain == host:
            host_only = _is_address(host) or "." not in host
        elif not host.endswith("." + domain) or "." not in domain or _is_address(host):
            return None
    if lives is not None:
        expires = time() + lives if lives > 0 else 0.0
    return Cookie(name, value.strip(), domain, host_only, where or _default_path(path), secure, expires)


@lru_cache(maxsize=512)
def _attributes(text: str) -> Attributes:
    """Path, Domain, Secure, Expires and Max-Age of a Set-Cookie line. What follows the value is the same for all visitors of a site."""
    where: str | None = None
    domain: str | None = None
    secure = False
    expires: float | None = None
    lives: float | None = None
    for attribute in text.split(";"):
        key, _, value = attribute.partition("=")
        key, value = key.strip().lower(), value.strip()
        if key == "secure":
            secure = True
        elif key == "path" and value.startswith("/"):
            where = value
        elif key == "domain" and value.strip("."):
            domain = value.lstrip(".").lower()
        elif key == "max-age" and value.lstrip("-").isdigit():
            lives = float(value)
        elif key == "expires":
            moment = http2time(value.strip('"'))
            expires = float(moment) if moment is not None else expires
    return where, domain, secure, expires, lives


def _default_path(path: str) -> str:
    """Section 5.1.4."""
    if not path.startswith("/") or path.count("/") == 1:
        return "/"
    return path[: path.rindex("/")]


def _is_address(host: str) -> bool:
    if not host or not (host[-1].isdigit() or ":" in host):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
