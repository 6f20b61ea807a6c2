"""In: requests and the moments at which they arrive. Out: their answers and the moments at which these are due. Virtual time, no clock.

The same objects serve real sockets (servers.py) and compute the truth (capacity.py): a late timer delays an answer by its lateness and
never the server's own course, so that both have the same capacity.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from itertools import count
from random import Random
from typing import Any

NEVER = math.inf
Draw = Callable[[], float]


class Answer(IntEnum):
    """What comes back."""

    OK = 200
    WRONG = 0  # status 200 with an error page
    LIMITED = 429
    BUSY = 503
    RESET = 1  # the connection is reset without an answer


class Model:
    """A server. Jobs are opaque. `arrive` is called in order of time, and after every `finished` up to that time."""

    def __init__(self) -> None:
        self._known: list[tuple[float, int, Any, Answer]] = []
        self._order = count()

    def arrive(self, now: float, job: Any, step: int) -> None:
        raise NotImplementedError

    def due(self) -> float:
        """When the next answer is due; `NEVER`: nothing is under way."""
        return self._known[0][0] if self._known else NEVER

    def finished(self, now: float) -> Iterator[tuple[float, Any, Answer]]:
        """All answers due by `now`, in order."""
        while self._known and self._known[0][0] <= now:
            moment, _, job, answer = heapq.heappop(self._known)
            yield moment, job, answer

    def _answer(self, moment: float, job: Any, answer: Answer = Answer.OK) -> None:
        heapq.heappush(self._known, (moment, next(self._order), job, answer))


def exponential(random: Random, mean: float) -> Draw:
    return lambda: random.expovariate(1.0) * mean


def constant(mean: float) -> Draw:
    return lambda: mean


def lognormal(random: Random, mean: float, cv: float) -> Draw:
    sigma = math.sqrt(math.log(1 + cv**2))
    return lambda: mean * math.exp(random.gauss(0.0, sigma) - sigma**2 / 2)


class Bucket(Model):
    """A token bucket in front of a server that is never busy: `rate` a second, `burst` at once, the rest 429 in 2 ms."""

    def __init__(self, rate: float, burst: int, service: Draw) -> None:
        super().__init__()
        self._rate, self._burst, self._service = rate, float(burst), service
        self._tokens, self._last = float(burst), 0.0

    def arrive(self, now: float, job: Any, step: int) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1:
            self._answer(now + 0.002, job, Answer.LIMITED)
        else:
            self._tokens -= 1
            self._answer(now + self._service(), job)


class Free(Model):
    """Never busy."""

    def __init__(self, service: Draw) -> None:
        super().__init__()
        self._service = service

    def arrive(self, now: float, job: Any, step: int) -> None:
        self._answer(now + self._service(), job)


class Dead(Model):
    """503 at once, from the first request on."""

    def arrive(self, now: float, job: Any, step: int) -> None:
        self._answer(now + 0.002, job, Answer.BUSY)


class Mute(Model):
    """Accepts, and never answers."""

    def arrive(self, now: float, job: Any, step: int) -> None:
        pass


class _Parts(Model):
    """Several servers behind one door."""

    def __init__(self, parts: Sequence[Model]) -> None:
        super().__init__()
        self._parts = parts

    def due(self) -> float:
        return min(part.due() for part in self._parts)

    def finished(self, now: float) -> Iterator[tuple[float, Any, Answer]]:
        for part in self._parts:
            yield from part.finished(now)


class Steps(_Parts):
    """Step k of a journey is answered by `parts[route[k]]`."""

    def __init__(self, parts: Sequence[Model], route: Sequence[int]) -> None:
        super().__init__(parts)
        self._route = route

    def arrive(self, now: float, job: Any, step: int) -> None:
        self._parts[self._route[step]].arrive(now, job, step)


class Hidden(_Parts):
    """A part of all requests, not to be told from outside, meets another server: part k with the share that `shares` gives it."""

    def __init__(self, random: Random, parts: Sequence[Model], shares: Sequence[float]) -> None:
        super().__init__(parts)
        self._random, self._bounds = random, [math.fsum(shares[: k + 1]) for k in range(len(shares) - 1)]

    def arrive(self, now: float, job: Any, step: int) -> None:
        self._parts[bisect_left(self._bounds, self._random.random())].arrive(now, job, step)
