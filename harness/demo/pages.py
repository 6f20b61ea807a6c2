"""In: the files in pages/ and static/. Out: `Answer`s, made once at start: the site's own work must cost next to nothing.

A page is a body in pages/ whose first line is a comment with its title, set into layout.html. Static files carry a strong
ETag of their bytes and answer a matching If-None-Match with 304 (RFC 9110, 13.1.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template

from harness.demo.routes import PAGES

_HERE = Path(__file__).parent
_TYPES = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}
Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, whole."""

    status: int
    headers: tuple[Header, ...]
    body: bytes = b""

    def also(self, *more: Header) -> Answer:
        return Answer(self.status, self.headers + more, self.body)


def answer(status: int, kind: bytes, body: bytes, *more: Header) -> Answer:
    """An answer with its type, length and further headers."""
    return Answer(status, ((b"content-type", kind), (b"content-length", b"%d" % len(body)), *more), body)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file with its validator."""

    whole: Answer
    unchanged: Answer
    etag: bytes

    def to(self, if_none_match: bytes | None) -> Answer:
        """304 when the visitor holds these very bytes."""
        if if_none_match is None:
            return self.whole
        held = {tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")}
        return self.unchanged if self.etag in held or b"*" in held else self.whole


def html_pages() -> dict[str, Answer]:
    """The answer to GET for each path of `routes.PAGES`."""
    return {path: _page(f"{path[1:] or 'index'}.html", 200, (b"cache-control", b"private, no-cache")) for path in PAGES}


def busy_page(status: int) -> Answer:
    """What a visitor reads who was turned away."""
    return _page("busy.html", status, (b"cache-control", b"no-store"), *(((b"retry-after", b"5"),) if status != 200 else ()))


def lost_page() -> Answer:
    """For paths that lead nowhere."""
    return _page("lost.html", 404, (b"cache-control", b"no-store"))


def static_files() -> dict[str, StaticFile]:
    """By file name."""
    return {file.name: _static(file) for file in sorted((_HERE / "static").iterdir()) if file.suffix in _TYPES}


def _page(name: str, status: int, *headers: Header) -> Answer:
    first, body = (_HERE / "pages" / name).read_text(encoding="utf-8").split("\n", 1)
    layout = Template((_HERE / "pages" / "layout.html").read_text(encoding="utf-8"))
    title = first.removeprefix("<!--").removesuffix("-->").strip()
    return answer(status, b"text/html; charset=utf-8", layout.substitute(title=title, body=body.rstrip()).encode(), *headers)


def _static(file: Path) -> StaticFile:
    body = file.read_bytes()
    etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:20].encode()
    validators = ((b"etag", etag), (b"cache-control", b"public, max-age=3600"))
    return StaticFile(answer(200, _TYPES[file.suffix], body, *validators), Answer(304, validators), etag)
