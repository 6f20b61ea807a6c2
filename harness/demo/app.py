"""In: HTTP requests, as an ASGI application. Out: the campaign site's answers, and exact counts of what was asked.

A request counts once its head has been received, whatever becomes of it: the numbers at /_demo/stats are the target's own, against which a
surge's count of its requests is held. Every dynamic request goes through the limiter (if any), the pool, and only then is worked on.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from harness.demo import live, routes
from harness.demo.forms import Form, Invalid
from harness.demo.limiter import TokenBucket
from harness.demo.pages import Answer, answer, busy_page, html_pages, lost_page, static_files
from harness.demo.pool import Pool
from harness.demo.settings import Settings
from harness.demo.store import Store

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_MAX_BODY = 64 * 1024
_NO_STORE = (b"cache-control", b"no-store")
_PLAYLIST_TYPE = b"application/vnd.apple.mpegurl"


class App:
    """The site. `clock` is the wall clock that the live stream follows, `timer` a monotonic one for the pool; both in seconds."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._store, self._clock, self._timer = settings, store, clock, timer
        self._pool = Pool.of(settings)
        self._bucket = TokenBucket(rate=settings.limit, burst=settings.burst) if settings.limit else None
        self._pages, self._static, self._lost = html_pages(), static_files(), lost_page()
        self._busy = busy_page(200 if settings.error_page else 503)
        self._too_many = busy_page(429)
        self._counts: Counter[str] = Counter()
        self._served = 0
        self._since = timer()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        route, part = routes.find(scope["method"], scope["path"])
        if route is routes.STATS:
            found = answer(200, b"application/json", json.dumps(self.stats()).encode(), _NO_STORE)
        else:
            self._counts[route.name] += 1
            if route.dynamic:
                body = await _body(receive)
                passed = await self._through_the_pool(receive)
                found = passed or await self._work(route, part, scope, headers, body)
                if passed is None:
                    self._served += 1
            else:
                found = self._free(route, part, scope, headers)
        await send({"type": "http.response.start", "status": found.status, "headers": found.headers})
        await send({"type": "http.response.body", "body": found.body})

    def stats(self) -> dict[str, object]:
        """What /_demo/stats shows: counts since the start, the pool, the rows. Looking at it is not counted."""
        now = self._timer()
        settings = self._settings
        return {
            "requests": self._counts.total(),
            "routes": dict(self._counts),
            "dynamic_served": self._served,
            "refused": self._pool.refused,
            "limited": self._bucket.refused if self._bucket else 0,
            "queued": self._pool.waiting(now),
            "work_seconds": self._pool.work,
            "admitted": self._pool.admitted,
            "pool": {
                "workers": settings.workers,
                "service_seconds": settings.service,
                "distribution": settings.distribution,
                "queue": settings.queue,
                "seed": settings.seed,
            },
            "capacity_per_second": settings.capacity_per_second,
            "rows": dict(self._store.rows),
            "uptime_seconds": now - self._since,
        }

    async def _through_the_pool(self, receive: Receive) -> Answer | None:
        """None when the work may be done now, else the answer that turns the visitor away."""
        if self._settings.mute:
            while (await receive())["type"] != "http.disconnect":
                pass
            return self._busy  # to nobody
        now = self._timer()
        if self._bucket and not self._bucket.take(now):
            return self._too_many
        done = self._pool.admit(now)
        if done is None:
            return self._busy
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        loop.call_later(max(0.0, done - now), _wake, waiter)
        await waiter
        return None

    def _free(self, route: routes.Route, part: str, scope: Message, headers: dict[bytes, bytes]) -> Answer:
        if route is routes.STATIC and (file := self._static.get(part)):
            return file.to(headers.get(b"if-none-match"))
        if route is routes.SEGMENT and (found := live.segment(int(part), self._clock())):
            return answer(200, b"video/mp2t", found, (b"cache-control", b"public, max-age=60"))
        if route is routes.OTHER and (methods := routes.allowed(scope["path"])):
            return answer(405, b"text/plain", b"That cannot be done here.\n", (b"allow", ", ".join(methods).encode()))
        return self._lost

    async def _work(self, route: routes.Route, part: str, scope: Message, headers: dict[bytes, bytes], body: bytes | None) -> Answer:
        path = scope["path"]
        if route is routes.PLAYLIST:
            return answer(200, _PLAYLIST_TYPE, live.playlist(self._clock()), _NO_STORE) if part in self._store.tickets else self._lost
        if path == "/live/questions":
            ticket = parse_qs(scope["query_string"].decode("ascii", "replace")).get("ticket", [""])[0]
            return _json(200, live.questions(self._clock())) if ticket in self._store.tickets else _wrong(404, "No such ticket.")
        if scope["method"] != "POST":
            return self._page(path, headers)
        if body is None:
            return _wrong(413, f"At most {_MAX_BODY:,} bytes.")
        try:
            return await self._take_in(path, Form(body, headers.get(b"content-type", b"")))
        except Invalid as problem:
            return _wrong(422, str(problem))
        except sqlite3.Error as problem:
            return _wrong(500, f"It could not be stored: {problem}")

    def _page(self, path: str, headers: dict[bytes, bytes]) -> Answer:
        if b"sid=" in headers.get(b"cookie", b""):
            return self._pages[path]
        return self._pages[path].also((b"set-cookie", b"sid=%s; Path=/; HttpOnly; SameSite=Lax" % secrets.token_hex(16).encode()))

    async def _take_in(self, path: str, form: Form) -> Answer:
        """A valid form becomes a row. Raises `Invalid`."""
        now = self._clock()
        if path == "/signup":
            await self._store.add("signups", now, form.email(), form.text("name"))
            return Answer(303, ((b"location", b"/thanks"), (b"content-length", b"0"), _NO_STORE))
        if path == "/checkout":
            number = f"FW-{secrets.token_hex(6).upper()}"
            await self._store.add("orders", now, number, form.email(), form.item(), form.quantity())
            return _json(201, json.dumps({"order": number}).encode())
        if path == "/webcast/join":
            ticket = secrets.token_hex(8)
            await self._store.add("joins", now, ticket, form.email())
            self._store.tickets.add(ticket)
            return _json(200, json.dumps({"ticket": ticket}).encode())
        await self._store.add("shares", now, form.text("network", default="link"))
        return _json(200, json.dumps({"url": f"/story?from={secrets.token_hex(4)}"}).encode())


def _json(status: int, body: bytes) -> Answer:
    return answer(status, b"application/json", body, _NO_STORE)


def _wrong(status: int, message: str) -> Answer:
    return _json(status, json.dumps({"error": message}).encode())


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is longer than anything the site asks for (the rest is read and dropped)."""
    size, chunks = 0, []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""  # the visitor has gone; the work is done all the same, as servers do
        size += len(message.get("body", b""))
        if size <= _MAX_BODY:
            chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks) if size <= _MAX_BODY else None
