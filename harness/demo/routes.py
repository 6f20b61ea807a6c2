"""In: a method and a path. Out: `Route`, what the site answers there, and whether the answer costs work.

Both the site and the maths of its capacity read this table, so neither can drift from the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """`dynamic` answers pass the pool. `redirects_to` is the path that a good answer sends the visitor to."""

    name: str
    dynamic: bool
    redirects_to: str | None = None


PAGES = ("/", "/signup", "/thanks", "/shop", "/webcast", "/story")  # each is one HTML file in pages/

_EXACT = {
    **{("GET", path): Route(name=f"GET {path}", dynamic=True) for path in PAGES},
    ("POST", "/signup"): Route(name="POST /signup", dynamic=True, redirects_to="/thanks"),
    ("POST", "/checkout"): Route(name="POST /checkout", dynamic=True),
    ("POST", "/webcast/join"): Route(name="POST /webcast/join", dynamic=True),
    ("POST", "/share"): Route(name="POST /share", dynamic=True),
    ("GET", "/live/questions"): Route(name="GET /live/questions", dynamic=True),
}
PLAYLIST = Route(name="GET /live/{ticket}/index.m3u8", dynamic=True)
SEGMENT = Route(name="GET /live/segments/{number}.ts", dynamic=False)
STATIC = Route(name="GET /static/{file}", dynamic=False)
STATS = Route(name="GET /_demo/stats", dynamic=False)  # looks at the site from outside: counted nowhere
OTHER = Route(name="other", dynamic=False)  # 404, 405

_PLAYLIST = re.compile(r"/live/([^/]+)/index\.m3u8")
_SEGMENT = re.compile(r"/live/segments/(\d{1,12})\.ts")


def find(method: str, path: str) -> tuple[Route, str]:
    """The route, and its variable part (ticket, segment number or file name; else empty). HEAD is asked as GET."""
    if method == "HEAD":
        method = "GET"
    if exact := _EXACT.get((method, path)):
        return exact, ""
    if method == "GET":
        if path.startswith("/static/"):
            return STATIC, path[8:]
        if segment := _SEGMENT.fullmatch(path):
            return SEGMENT, segment[1]
        if playlist := _PLAYLIST.fullmatch(path):
            return PLAYLIST, playlist[1]
        if path == "/_demo/stats":
            return STATS, ""
    return OTHER, ""


def allowed(path: str) -> tuple[str, ...]:
    """The methods that a path knows, for a 405; none: the path is unknown."""
    methods = [method for method in ("GET", "POST") if find(method, path)[0] is not OTHER]
    return ("GET", "HEAD", *methods[1:]) if "GET" in methods else tuple(methods)
