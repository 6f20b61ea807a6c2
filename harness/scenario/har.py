"""In: a HAR file, as browsers save what they sent ("Save all as HAR"). Out: `Exchange`s of the visited site in the order of their start.

HAR 1.2 (Jan Odvarko, 2012), with the fields that Chrome, Firefox and Safari add or leave out. What was never sent is left out: data:
addresses, answers from the browser's own cache, blocked and aborted requests, web sockets and preflights.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.scenario.problems import Problem, ScenarioError

PARTS = frozenset(
    (
        "stylesheet",
        "style",
        "script",
        "image",
        "font",
        "manifest",
        "texttrack",
        "track",
        "iframe",
        "other",
        "ping",
        "beacon",
        "worker",
        "serviceworker",
    )
)
_PART = re.compile(r"^(image|font|video|audio)/|css|javascript|ecmascript|wasm|shockwave")
_PART_NAME = re.compile(r"\.(css|m?js|map|png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|otf|eot|swf|ts|m4s|mp4|webm|mp3|aac|vtt)$")
LARGEST = 300_000_000  # bytes; recordings with video in them are large


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One request and its answer. `at` and `seconds` are in s, `at` since the first; `path` holds the query."""

    at: float
    seconds: float
    method: str
    origin: str
    path: str
    status: int
    mime: str
    kind: str  # the browser's own word where it says one: document, stylesheet, script, image, font, xhr, fetch, media
    headers: dict[str, str]
    form: tuple[tuple[str, str], ...] | None
    body: object | None  # of a JSON request
    text: str  # of the answer, where the recording holds it
    redirect: str

    @property
    def is_page(self) -> bool:
        """An HTML page that the visitor went to, also by way of a redirect."""
        if self.method != "GET" or self.is_part:
            return False
        return self.kind == "document" or (not self.kind and ("html" in self.mime or 300 <= self.status < 400))

    @property
    def is_part(self) -> bool:
        """A style, script, picture or the like, which a page brings with it."""
        path = self.path.split("?")[0].lower()
        return self.kind in PARTS or (self.kind != "document" and (_PART.search(self.mime) or _PART_NAME.search(path)) is not None)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recorded visit. `elsewhere` counts the requests to other hosts, which are not part of a test of this one."""

    title: str
    origin: str
    exchanges: tuple[Exchange, ...]
    elsewhere: dict[str, int] = field(default_factory=dict)


def read(path: Path) -> Recording:
    """The visit of one HAR file. Raises `ScenarioError` for what is no HAR, or holds no request that reached a site."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}", "name a .har file that a browser has saved") from None
    if len(data) > LARGEST:
        raise _refused(path, "is larger than 300 MB", "record the visit again without video, or save it without the answers' contents")
    try:
        log = json.loads(data.decode("utf-8-sig"))["log"]
        entries = [entry for entry in log["entries"] if isinstance(entry, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        remedy = "in the browser: developer tools, Network, visit the site, then Save all as HAR"
        raise _refused(path, "is not a HAR recording", remedy) from None
    sent = sorted((one for entry in entries if (one := _exchange(entry))), key=lambda pair: pair[0])
    if not sent:
        raise _refused(path, "holds no request that reached a site", "record the visit with the Network tab open from the start")
    start = sent[0][0]
    exchanges = [_later(exchange, (moment - start).total_seconds()) for moment, exchange in sent]
    origin = next((one.origin for one in exchanges if one.is_page and one.status < 300), exchanges[0].origin)
    here = tuple(one for one in exchanges if one.origin == origin)
    elsewhere = Counter(urlsplit(one.origin).netloc for one in exchanges if one.origin != origin)
    return Recording(title=_title(log, origin), origin=origin, exchanges=here, elsewhere=dict(elsewhere.most_common()))


def _exchange(entry: dict[str, Any]) -> tuple[datetime, Exchange] | None:
    """One entry with its start, or None when it never reached a site."""
    request, response = entry.get("request") or {}, entry.get("response") or {}
    try:
        parts = urlsplit(str(request.get("url", "")))
        moment = datetime.fromisoformat(str(entry["startedDateTime"]))
        status = int(response.get("status") or 0)
        host = parts.hostname
    except (ValueError, KeyError, TypeError):
        return None
    method = str(request.get("method", "")).upper()
    cached = entry.get("_fromCache") is not None or response.get("_fetchedViaServiceWorker") is True
    if parts.scheme not in ("http", "https") or not host or not 100 <= status <= 599 or cached or method in ("OPTIONS", "CONNECT", ""):
        return None
    content = response.get("content") or {}
    form, body = _sent(request.get("postData") or {})
    duration = entry.get("time")
    return moment, Exchange(
        at=0.0,
        seconds=max(0.0, float(duration) / 1000) if isinstance(duration, int | float) else 0.0,
        method=method,
        origin=f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}",
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        status=status,
        mime=str(content.get("mimeType") or "").split(";")[0].strip().lower(),
        kind=str(entry.get("_resourceType") or _destination(request)).lower(),
        headers={
            name: str(header.get("value", "")) for header in request.get("headers") or [] if (name := str(header.get("name", "")).lower())
        },
        form=form,
        body=body,
        text=_text(content),
        redirect=str(response.get("redirectURL") or ""),
    )


def _later(exchange: Exchange, at: float) -> Exchange:
    values = {name: getattr(exchange, name) for name in Exchange.__slots__}
    return Exchange(**{**values, "at": at})


def _destination(request: dict[str, Any]) -> str:
    """What the request was for, in the words of Fetch metadata, where the browser does not say it otherwise."""
    for header in request.get("headers") or []:
        if str(header.get("name", "")).lower() == "sec-fetch-dest":
            word = str(header.get("value", "")).lower()
            return {"style": "stylesheet", "empty": "fetch", "iframe": "iframe"}.get(word, word)
    return ""


def _sent(post: dict[str, Any]) -> tuple[tuple[tuple[str, str], ...] | None, object | None]:
    """The fields of a form, or the body of a JSON request."""
    mime, text = str(post.get("mimeType") or "").lower(), str(post.get("text") or "")
    if "json" in mime:
        try:
            return None, json.loads(text)
        except ValueError:
            return None, None
    given = post.get("params") or []
    params = [(str(one.get("name", "")), str(one.get("value") or "")) for one in given if isinstance(one, dict) and not one.get("fileName")]
    if "urlencoded" in mime:
        return tuple(parse_qsl(text, keep_blank_values=True) if text else params), None
    return (tuple(params) if params else None), None


def _text(content: dict[str, Any]) -> str:
    text = str(content.get("text") or "")
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text).decode("utf-8", "replace")
        except (ValueError, binascii.Error):
            return ""
    return text


def _title(log: dict[str, Any], origin: str) -> str:
    """The title of the first page that has one which is not its address."""
    for page in log.get("pages") or []:
        title = str(page.get("title") or "").strip() if isinstance(page, dict) else ""
        if title and "://" not in title and title.isprintable():
            return title
    return urlsplit(origin).netloc


def _refused(path: Path, message: str, remedy: str) -> ScenarioError:
    return ScenarioError([Problem(file=path, line=0, column=0, message=message, remedy=remedy)])
