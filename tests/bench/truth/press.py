"""In: a URL. Out: how many answers a second it gives to a crowd that asks again at once: the capacity under saturation, on real sockets.

`python -m tests.bench.truth.press URL [--visitors 64] [--seconds 6]`; `python -m tests.bench.truth.press --kinds` holds every kind
with a plain capacity against its own model.
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import numpy as np

from tests.bench.truth.kinds import KINDS
from tests.bench.truth.model import NEVER, Answer, Model
from tests.bench.truth.process import stub

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_SETTLE = 1.0
_BLOCK = 2.0  # s
PLAIN = ("exponential", "exponential-wide", "constant", "lognormal", "sharing", "leak", "retrograde", "slow-step", "stalls")


@dataclass(slots=True)
class Pressed:
    """`per_second`: good answers (status 200) a second after the first second; `steady`: the same in the middle one of blocks of two
    seconds, which does not know the moments that a virtual machine loses; `statuses`: all answers, 0 for a broken connection."""

    per_second: float = 0.0
    steady: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)


class _Visitor:
    """A visitor after the other, each with one request on a connection of its own, as those of a surge. They leave at once: gunicorn's sync
    workers wait for that (RFC 9112, 9.6). Whether they stay connected matters little (PostgreSQL's threads: 187.4 and 188.6/s)."""

    def __init__(self, address: tuple[str, int], requests: list[bytes], ready: selectors.BaseSelector) -> None:
        self._address, self._requests, self._ready = address, requests, ready
        self._number = 0
        self._socket: socket.socket | None = None
        self._heard = b""

    def ask(self) -> None:
        """The next visitor. Raises OSError when there is no way in."""
        self._heard = b""
        self._socket = socket.create_connection(self._address, timeout=1.0)
        self._ready.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(self._requests[self._number % len(self._requests)])
        self._number += 1

    def hear(self) -> int | None:
        """The status, once an answer is whole. Raises OSError when the connection broke."""
        assert self._socket is not None
        piece = self._socket.recv(1 << 16)
        if not piece:
            raise ConnectionResetError("closed before its answer was whole")
        self._heard += piece
        head, mark, body = self._heard.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not mark or len(body) < (int(length[1]) if length else 0):
            return None
        self.leave()
        return int(head[9:12])

    def leave(self) -> None:
        if self._socket is not None:
            self._ready.unregister(self._socket)
            self._socket.close()
            self._socket = None


def press(url: str, visitors: int, seconds: float, paths: list[str] | None = None) -> Pressed:
    """A crowd of `visitors` for `seconds` (and one more to settle)."""
    seen, answered = Pressed(), list[float]()
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 80

    def come(visitor: _Visitor) -> None:
        """Who finds no way in stays away: a stack that is gone answers nothing, and that is told."""
        try:
            visitor.ask()
        except OSError:
            seen.statuses[0] += 1
            visitor.leave()

    requests = [f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() for path in paths or ["/"]]
    with selectors.DefaultSelector() as ready:
        crowd = [_Visitor((host, port), requests, ready) for _ in range(visitors)]
        for visitor in crowd:
            come(visitor)
        begin = time.monotonic() + _SETTLE
        while (now := time.monotonic()) < begin + seconds:
            for key, _ in ready.select(begin + seconds - now):
                visitor = key.data
                try:
                    if (status := visitor.hear()) is None:
                        continue
                    seen.statuses[status] += 1
                    if status == 200 and begin <= (now := time.monotonic()) < begin + seconds:
                        answered.append(now - begin)
                except OSError:
                    seen.statuses[0] += 1
                    visitor.leave()
                come(visitor)
        for visitor in crowd:
            visitor.leave()
    counts, _ = np.histogram(answered, bins=max(int(seconds / _BLOCK), 1), range=(0.0, seconds))
    seen.per_second, seen.steady = len(answered) / seconds, float(np.median(counts)) * len(counts) / seconds
    return seen


def modelled(model: Model, visitors: int, seconds: float, steps: int) -> float:
    """What the model answers to the same crowd, in virtual time."""
    now, good = 0.0, 0
    paths = [0] * visitors
    for visitor in range(visitors):
        model.arrive(0.0, visitor, 0)
    while now < seconds + _SETTLE and (due := model.due()) < NEVER:
        for now, visitor, answer in list(model.finished(due)):
            good += answer is Answer.OK and now >= _SETTLE
            paths[visitor] += 1
            model.arrive(now, visitor, paths[visitor] % steps)
    return good / seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.truth.press", description=__doc__.split("\n")[0])
    parser.add_argument("url", nargs="?")
    parser.add_argument("--path", action="append")
    parser.add_argument("--visitors", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--kinds", action="store_true")
    given = parser.parse_args()
    if given.url:
        seen = press(given.url, given.visitors, given.seconds, given.path)
        print(json.dumps({"per_second": round(seen.per_second, 1), "steady": round(seen.steady, 1), "statuses": seen.statuses}))
    if given.kinds:
        for name in PLAIN:
            kind = KINDS[name]
            with stub(name) as told:
                paths = ["/a", "/b", "/c", "/d"] if kind.steps == 4 else ["/"]
                seen = press(told["url"], given.visitors, given.seconds, paths)
            expected = sum(modelled(kind.build(Random(seed)), given.visitors, given.seconds, kind.steps) for seed in range(20)) / 20
            print(
                f"{name:18s} {seen.per_second:8.1f}/s on sockets, {expected:8.1f}/s by its model ({seen.per_second / expected - 1:+.1%})",
                flush=True,
            )


if __name__ == "__main__":
    main()
