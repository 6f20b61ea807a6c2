"""In: Set-Cookie lines. Out: Cookie lines, by RFC 6265 and the standard library jar's rules, without its 100 µs a request: `Jar`.

Nearly every visitor has one host and a few cookies: the line for a place is built once and kept until a cookie changes or may have expired.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from http.cookiejar import http2time  # type: ignore[attr-defined]
from time import time

MOST = 180  # cookies a jar holds (RFC 6265 section 6.1 asks for 50 a domain): the oldest goes


@dataclass(frozen=True, slots=True)
class Cookie:
    """One stored cookie. `expires` is in seconds of the Unix clock; `host_only`: no Domain attribute was given."""

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    expires: float | None

    @property
    def identity(self) -> tuple[str, str, bool, str]:
        """What a later cookie must share to replace it (RFC 6265bis: with the host-only flag, as browsers and the standard library have
        it)."""
        return self.name, self.domain, self.host_only, self.path

    def fits(self, host: str, path: str, secure: bool) -> bool:
        """Whether it is sent there (section 5.4)."""
        if self.secure and not secure:
            return False
        if host != self.domain and (self.host_only or not host.endswith("." + self.domain) or _is_address(host)):
            return False
        return path == self.path or (path.startswith(self.path) and (self.path[-1] == "/" or path[len(self.path)] == "/"))


class Jar:
    """The cookies of one visitor."""

    __slots__ = ("_cookies", "_last", "_lines", "_sooner")

    def __init__(self) -> None:
        self._cookies: tuple[Cookie, ...] = ()  # in order of creation; a tuple, so that a copy for another visitor is free
        self._lines: dict[tuple[str, str, bool], bytes] = {}
        self._sooner: float | None = None  # when the first of them expires
        self._last: tuple[str, str, str] | None = (
            None  # what was stored last, if it has no expiry: sites send the same line with every answer
        )

    def __len__(self) -> int:
        return len(self._cookies)

    @property
    def state(self) -> tuple[Cookie, ...]:
        """All of it, to be handed to `restore` of another jar."""
        return self._cookies

    def restore(self, state: tuple[Cookie, ...]) -> None:
        """Take over another jar's cookies."""
        self._set(state)

    def line(self, host: str, path: str, secure: bool) -> bytes:
        """The value of the Cookie header there, or b"". Longer paths first, then older cookies (section 5.4)."""
        if not self._cookies:
            return b""
        if self._sooner is not None and self._sooner <= time():
            now = time()
            self._set(tuple(c for c in self._cookies if c.expires is None or c.expires > now))
        place = (host, path, secure)
        line = self._lines.get(place)
        if line is None:
            fitting = sorted((c for c in self._cookies if c.fits(host, path, secure)), key=lambda c: -len(c.path))
            line = "; ".join(f"{c.name}={c.value}" for c in fitting).encode("latin-1", "replace")
            if len(self._lines) >= 8:
                self._lines.clear()
            self._lines[place] = line
        return line

    def store(self, header: str, host: str, path: str) -> None:
        """One Set-Cookie header of an answer from that host and path (sections 5.2 and 5.3). What breaks the rules is ignored."""
        place = (header, host, path)
        if place == self._last:
            return
        cookie = parse(header, host, path)
        if cookie is None:
            return
        self._last = place if cookie.expires is None else None
        same = cookie.identity
        kept = list(self._cookies)
        at = next((i for i, c in enumerate(kept) if c.identity == same), None)
        if cookie.expires is not None and cookie.expires <= time():
            if at is not None:
                del kept[at]
        elif at is not None:
            if kept[at] == cookie:
                return
            kept[at] = cookie  # keeps its age
        else:
            kept.append(cookie)
        self._set(tuple(kept[-MOST:]))

    def _set(self, cookies: tuple[Cookie, ...]) -> None:
        self._cookies = cookies
        self._lines = {}
        self._sooner = min((c.expires for c in cookies if c.expires is not None), default=None)


def parse(header: str, host: str, path: str) -> Cookie | None:
    """A Set-Cookie header as a cookie, or None where the rules say to ignore it."""
    pair, *attributes = header.split(";")
    name, equals, value = pair.partition("=")
    name = name.strip()
    if not equals or not name:
        return None
    domain, host_only, where, secure = host, True, _default_path(path), False
    expires: float | None = None
    lives: float | None = None
    for attribute in attributes:
        key, _, text = attribute.partition("=")
        key, text = key.strip().lower(), text.strip()
        if key == "secure":
            secure = True
        elif key == "path" and text.startswith("/"):
            where = text
        elif key == "domain" and text.strip("."):
            domain, host_only = text.lstrip(".").lower(), False
        elif key == "max-age" and text.lstrip("-").isdigit():
            lives = float(text)
        elif key == "expires":
            moment = http2time(text.strip('"'))
            expires = float(moment) if moment is not None else expires
    if not host_only:
        if domain == host:
            host_only = _is_address(host) or "." not in host
        elif not host.endswith("." + domain) or "." not in domain or _is_address(host):
            return None
    if lives is not None:
        expires = time() + lives if lives > 0 else 0.0
    return Cookie(name, value.strip(), domain, host_only, where, secure, expires)


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
