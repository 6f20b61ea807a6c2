"""In: the text of an HLS playlist. Out: `Playlist` (RFC 8216): what a player needs to know of it, and no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

TARGET = 6.0  # s, where a playlist does not say


@dataclass(frozen=True, kw_only=True, slots=True)
class Playlist:
    """`variant` is set for a master playlist: read that one instead. Segments are absolute URLs; the first has the number `first`."""

    target: float = TARGET
    first: int = 0
    segments: tuple[str, ...] = ()
    ended: bool = False
    variant: str | None = None


def parse(text: str, url: str) -> Playlist | None:
    """A playlist as fetched from `url`; None when it is none (every playlist starts with #EXTM3U, section 4.3.1.1)."""
    if not text.lstrip("\ufeff").startswith("#EXTM3U"):
        return None
    target, first = _number(text, "TARGETDURATION", TARGET), int(_number(text, "MEDIA-SEQUENCE", 0))
    lines = [line.strip() for line in text.splitlines()]
    addresses = [line for line in lines if line and not line.startswith("#")]
    if any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
        return Playlist(variant=urljoin(url, addresses[0])) if addresses else None
    return Playlist(
        target=max(0.1, target),
        first=first,
        segments=tuple(urljoin(url, address) for address in addresses),
        ended="#EXT-X-ENDLIST" in lines,
    )


def _number(text: str, tag: str, default: float) -> float:
    found = re.search(rf"^#EXT-X-{tag}:\s*(\d+(?:\.\d+)?)", text, re.MULTILINE)
    return float(found[1]) if found else default
