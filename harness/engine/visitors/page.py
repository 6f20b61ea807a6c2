"""In: an HTML page. Out: what a browser fetches next for it from the same site, at most six at a time: styles, scripts, pictures.

What is found is remembered by the page's bytes, so a page that is the same for everybody is searched once. A visitor fetches each address
once a visit, as from a browser's cache. A picture that fails is a failed request; the visit goes on, as it would for people.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import gevent
from greenlet import getcurrent

from harness.engine.browser.client import Answer, Client, judge_status, target_of
from harness.engine.browser.trouble import Trouble
from harness.engine.visitors.call import Call, compile_headers, encode_headers
from harness.engine.visitors.strand import Strand

if TYPE_CHECKING:
    from harness.engine.visitors.users import Visitor

AT_ONCE = 6  # connections to one host, as browsers have had since 2008
KEPT = 64  # pages remembered
_IGNORED = re.compile(r"<!--.*?-->|<(noscript|template)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(link|script|img|base)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_FETCHED = {"stylesheet", "icon", "modulepreload", "preload", "manifest", "apple-touch-icon"}


class Shelf:
    """Which addresses a page needs, for the pages seen last."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, bytes], tuple[str, ...]] = {}

    def targets(self, answer: Answer) -> tuple[str, ...]:
        """Targets on the page's own origin, in the order in which a browser meets them, each once."""
        key = (answer.url, answer.raw)
        found = self._known.get(key)
        if found is None:
            found = tuple(dict.fromkeys(target for target in self._search(answer)))
            while len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found

    def _search(self, answer: Answer) -> Iterator[str]:
        base = answer.url
        for tag, inside in _TAG.findall(_IGNORED.sub("", answer.text)):
            kind = tag.lower()
            has = {name.lower(): html.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(inside)}
            if kind == "base":
                base = urljoin(base, has.get("href", ""))
                continue
            if kind == "link" and not _FETCHED & set(has.get("rel", "").lower().split()):
                continue
            address = has.get("href" if kind == "link" else "src", "").strip()
            if not address or address.startswith(("#", "data:")):
                continue
            try:
                url = urljoin(base, address)
                if self._client.origin(url) is answer.origin:
                    yield target_of(url)
            except (Trouble, ValueError):
                continue


def compile_assets(client: Client, headers: dict[str, str], sample: int, further: int, timeout: float) -> Call:
    """The call that is made for each asset, wherever it is."""
    compiled = compile_headers({**headers, "Accept": "*/*"}, {})
    lines = encode_headers((name, value) for name, value in compiled if isinstance(value, str))
    return Call(
        client=client,
        method="GET",
        place=None,
        headers=compiled,
        lines=lines,
        own_host=False,
        body=None,
        read=False,
        judge=judge_status,
        first=sample,
        further=further,
        timeout=timeout,
    )


def fetch_assets(visitor: Visitor, strand: Strand, page: Answer, targets: tuple[str, ...], call: Call, deadline: float) -> None:
    """Fetch what this visitor has not fetched before; returns when all have ended. The visitor's own strand fetches too."""
    wanted = [target for target in targets if target not in visitor.fetched]
    if not wanted:
        return
    visitor.fetched |= frozenset(wanted)
    queue = iter(wanted)

    def fetch_next() -> bool:
        target = next(queue, None)
        if target is None or monotonic() >= deadline:
            return False
        with suppress(Trouble):  # it is on record
            call.make_at(visitor, page.origin, target, deadline=deadline)
        return True

    helpers = min(AT_ONCE, len(wanted)) - 1
    hub = gevent.get_hub()
    waiting: list[Any] = []

    def help_out(helper: Strand) -> None:
        nonlocal helpers
        try:
            while fetch_next():
                pass
        finally:
            helpers -= 1
            if helpers == 0 and waiting:
                hub.loop.run_callback(waiting.pop().switch)

    for _ in range(helpers):
        visitor.crew.strand(visitor, help_out)
    while fetch_next():
        pass
    if helpers:
        waiting.append(getcurrent())
        try:
            hub.switch()
        finally:
            waiting.clear()
