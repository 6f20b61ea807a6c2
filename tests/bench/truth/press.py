"""In: a URL. Out: how many answers a second it gives to a crowd that asks again at once: the capacity under saturation, on real sockets.

`python -m tests.bench.truth.press URL [--visitors 64] [--seconds 6]`; `python -m tests.bench.truth.press --kinds` holds every kind
with a plain capacity against its own model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from statistics import median
from urllib.parse import urlsplit

import uvloop

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
    answered: list[float] = field(default_factory=list)  # s since the first second
    statuses: Counter[int] = field(default_factory=Counter)


async def _visitor(url: str, paths: list[str], begin: float, end: float, seen: Pressed) -> None:
    host, port = urlsplit(url).hostname, urlsplit(url).port
    requests = [f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() for path in paths]
    number = 0
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection(host, port)
            while time.monotonic() < end:
                writer.write(requests[number % len(requests)])
                number += 1
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                status = int(head[9:12])
                seen.statuses[status] += 1
                if status == 200 and begin <= (now := time.monotonic()) < end:
                    seen.answered.append(now - begin)
                if b"connection: close" in head.lower():
                    break
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            seen.statuses[0] += 1
            await asyncio.sleep(0.01)


async def press(url: str, visitors: int, seconds: float, paths: list[str] | None = None) -> Pressed:
    """A crowd of `visitors` for `seconds` (and one more to settle)."""
    seen = Pressed()
    begin = time.monotonic() + _SETTLE
    await asyncio.wait(
        [asyncio.create_task(_visitor(url, paths or ["/"], begin, begin + seconds, seen)) for _ in range(visitors)],
        timeout=_SETTLE + seconds + 0.5,
    )
    seen.per_second = len(seen.answered) / seconds
    blocks = max(int(seconds / _BLOCK), 1)
    counts = [sum(k * seconds <= moment * blocks < (k + 1) * seconds for moment in seen.answered) for k in range(blocks)]
    seen.steady = median(counts) * blocks / seconds
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
        seen = uvloop.run(press(given.url, given.visitors, given.seconds, given.path))
        print(json.dumps({"per_second": round(seen.per_second, 1), "steady": round(seen.steady, 1), "statuses": seen.statuses}))
    if given.kinds:
        for name in PLAIN:
            kind = KINDS[name]
            with stub(name) as told:
                paths = ["/a", "/b", "/c", "/d"] if kind.steps == 4 else ["/"]
                seen = uvloop.run(press(told["url"], given.visitors, given.seconds, paths))
            expected = sum(modelled(kind.build(Random(seed)), given.visitors, given.seconds, kind.steps) for seed in range(20)) / 20
            print(
                f"{name:18s} {seen.per_second:8.1f}/s on sockets, {expected:8.1f}/s by its model ({seen.per_second / expected - 1:+.1%})",
                flush=True,
            )


if __name__ == "__main__":
    main()
