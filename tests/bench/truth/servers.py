"""In: the name of a kind. Out: that server on a real socket of this machine, until it is told to stop or its parent is gone.

`python -m tests.bench.truth.servers KIND [--port 0] [--seed 1] [--parent PID]` prints one line of JSON when it listens:
{"url", "kind", "capacity", "width", "definition", "group", "causes", "first_step", "status"}. `capacity` is in visitors/s, from truth.json.

HTTP is read as plainly as can be (heads, Content-Length, keep-alive), so that one core carries far more than any kind is asked for. GET
/_truth shows what has been asked and answered; it is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import time
from collections import Counter
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

import uvloop

from tests.bench.truth.capacity import known
from tests.bench.truth.kinds import KINDS
from tests.bench.truth.model import NEVER, Answer, Model
from tests.bench.truth.pools import Pool

_STEPS = {b"/": 0, b"/a": 0, b"/b": 1, b"/c": 2, b"/d": 3}
_BODY = (
    b"<!doctype html><html><head><title>Fine</title></head><body><h1>Everything is fine</h1><p>"
    + b"A word or two. " * 50
    + b"</p></body></html>"
)
_SORRY = b"<!doctype html><html><head><title>Sorry</title></head><body><h1>Sorry, something went wrong</h1></body></html>"


def _whole(status: bytes, body: bytes, kind: bytes = b"text/html") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nCache-Control: no-store\r\n\r\n%s" % (status, kind, len(body), body)


_ANSWERS = {
    Answer.OK: _whole(b"200 OK", _BODY),
    Answer.WRONG: _whole(b"200 OK", _SORRY),
    Answer.LIMITED: _whole(b"429 Too Many Requests", b"Too many requests\n", b"text/plain"),
    Answer.BUSY: _whole(b"503 Service Unavailable", b"Busy\n", b"text/plain"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the server says of itself when it listens."""

    url: str
    kind: str
    capacity: float | None
    width: float | None
    definition: str
    group: str
    causes: tuple[str, ...]
    first_step: int
    steps: int
    status: str


class Course:
    """The model on the wall clock: one timer, set to the model's next answer."""

    def __init__(self, model: Model, loop: asyncio.AbstractEventLoop) -> None:
        self._model, self._loop, self._began = model, loop, time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._due = NEVER
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    def arrive(self, door: Door, path: bytes) -> None:
        self.asked[path.decode("ascii", "replace")] += 1
        step = _STEPS.get(path)
        if step is None:
            door.say(_whole(b"404 Not Found", b"Nothing here\n", b"text/plain"))
            return
        now = time.monotonic() - self._began
        self._settle(now)
        self._model.arrive(now, door, step)
        self._settle(now)
        self._wait(now)

    def state(self) -> bytes:
        now = time.monotonic() - self._began
        return json.dumps(
            {
                "requests": self.asked.total(),
                "paths": dict(self.asked),
                "answers": dict(self.answered),
                "seconds": now,
                "workers": self._model.working(now) if isinstance(self._model, Pool) else None,
            }
        ).encode()

    def _settle(self, now: float) -> None:
        if self._model.due() <= now:
            for _, door, answer in self._model.finished(now):
                self.answered[answer.name] += 1
                door.answer(answer)

    def _wake(self) -> None:
        self._timer, self._due = None, NEVER
        now = time.monotonic() - self._began
        self._settle(now)
        self._wait(now)

    def _wait(self, now: float) -> None:
        due = self._model.due()
        if due == self._due:
            return
        if self._timer:
            self._timer.cancel()
        self._due = due
        # The loop counts whole milliseconds: a wait is rounded up, so that an answer is never early.
        self._timer = self._loop.call_later(max(0.0, due - now) + 0.0005, self._wake) if due < NEVER else None


class Door(asyncio.Protocol):
    """One connection; one request at a time, as clients do."""

    def __init__(self, course: Course) -> None:
        self._course, self._read, self._skip = course, b"", 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._read += data
        while self._read:
            if self._skip:
                dropped = min(self._skip, len(self._read))
                self._read, self._skip = self._read[dropped:], self._skip - dropped
                continue
            head, end, rest = self._read.partition(b"\r\n\r\n")
            if not end:
                return
            self._read = rest
            at = head.lower().find(b"\r\ncontent-length:")
            if at >= 0:
                self._skip = int(head[at + 17 :].split(b"\r\n", 1)[0])
            path = head.split(b" ", 2)[1].split(b"?", 1)[0]
            if path == b"/_truth":
                self.say(_whole(b"200 OK", self._course.state(), b"application/json"))
            else:
                self._course.arrive(self, path)

    def answer(self, answer: Answer) -> None:
        if self._transport is None:
            return
        if answer is Answer.RESET:
            self._transport.abort()
        else:
            self._transport.write(_ANSWERS[answer])

    def say(self, words: bytes) -> None:
        if self._transport is not None:
            self._transport.write(words)


async def serve(name: str, port: int, seed: int, parent: int) -> None:
    """Serve until SIGTERM, SIGINT, or the parent's end."""
    loop = asyncio.get_running_loop()
    kind, stop = KINDS[name], asyncio.Event()
    course = Course(kind.build(Random(seed)), loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Door(course), "127.0.0.1", port, backlog=4096)
    truth = known().get(name, {})
    told = Told(
        url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        kind=name,
        capacity=truth.get("capacity"),
        width=truth.get("width"),
        definition=kind.definition,
        group=kind.group,
        causes=kind.causes,
        first_step=kind.first_step,
        steps=kind.steps,
        status=kind.status,
    )
    print(json.dumps(asdict(told)), flush=True)
    while not stop.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(stop.wait(), 0.25)
        except TimeoutError:
            continue
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.truth.servers", description="A server with a known breaking point.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parent", type=int, default=None, help="end with this process (default: the one that started it)")
    given = parser.parse_args()
    uvloop.run(serve(given.kind, given.port, given.seed, given.parent or os.getppid()))


if __name__ == "__main__":
    main()
