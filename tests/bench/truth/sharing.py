"""In: work that all requests inside have to share. Out: processor sharing and the universal scalability law, as models."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.bench.truth.model import NEVER, Answer, Draw, Model


class Sharing(Model):
    """Processor sharing: one unit of work a second, divided evenly among all inside; `work` is a request's own."""

    def __init__(self, work: Draw, most: int = 2000) -> None:
        super().__init__()
        self._work, self._most = work, most
        self._inside: list[tuple[float, int, Any]] = []  # attained service at which each is done
        self._now = self._attained = 0.0

    def arrive(self, now: float, job: Any, step: int) -> None:
        if self._inside:
            self._attained += (now - self._now) / len(self._inside)
        self._now = now
        if len(self._inside) >= self._most:
            self._answer(now + 0.002, job, Answer.BUSY)
        else:
            heapq.heappush(self._inside, (self._attained + self._work(), next(self._order), job))

    def due(self) -> float:
        return min(super().due(), self._next())

    def _next(self) -> float:
        return self._now + max(0.0, self._inside[0][0] - self._attained) * len(self._inside) if self._inside else NEVER

    def finished(self, now: float) -> Iterator[tuple[float, Any, Answer]]:
        while (moment := self._next()) <= now:
            self._attained, _, job = heapq.heappop(self._inside)
            self._now = moment
            yield moment, job, Answer.OK
        yield from super().finished(now)


class Retrograde(Model):
    """The universal scalability law: with N inside, gamma N / (1 + alpha (N − 1) + beta N (N − 1)) answers a second, to one at random."""

    def __init__(self, random: Random, *, gamma: float, alpha: float, beta: float, most: int = 500) -> None:
        super().__init__()
        self._random, self._jobs = random, list[Any]()
        self._speed = [gamma * n / (1 + alpha * (n - 1) + beta * n * (n - 1)) for n in range(most + 1)]
        self._next, self._most = NEVER, most

    @staticmethod
    def peak(gamma: float, alpha: float, beta: float) -> float:
        """The highest throughput, at N = √((1 − alpha)/beta) (Gunther 2007)."""
        n = math.sqrt((1 - alpha) / beta)
        return gamma * n / (1 + alpha * (n - 1) + beta * n * (n - 1))

    def arrive(self, now: float, job: Any, step: int) -> None:
        if len(self._jobs) >= self._most:
            self._answer(now, job, Answer.RESET)
            return
        self._jobs.append(job)
        self._draw(now)

    def due(self) -> float:
        return min(super().due(), self._next)

    def finished(self, now: float) -> Iterator[tuple[float, Any, Answer]]:
        while self._next <= now:
            moment, k = self._next, self._random.randrange(len(self._jobs))
            job, self._jobs[k] = self._jobs[k], self._jobs[-1]
            self._jobs.pop()
            self._draw(moment)
            yield moment, job, Answer.OK
        yield from super().finished(now)

    def _draw(self, now: float) -> None:
        # Memoryless: the time to the next answer may be drawn afresh whenever the number inside changes.
        self._next = now + self._random.expovariate(self._speed[len(self._jobs)]) if self._jobs else NEVER
