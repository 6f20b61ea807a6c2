"""In: the moment at which a dynamic request arrives. Out: the moment at which its work is done, or None when the queue is full.

A first-come-first-served queue with c workers, computed and not acted out: on arrival a request is given to the worker that is free
first, and its end is known at once. A server that slept for each job would lose the lateness of every timer (a few per cent
at 40 ms); here a late wake-up delays one answer and never the schedule, so the capacity is workers / service, exactly.
Takes the clock as an argument; holds no thread, no timer.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from random import Random

from harness.demo.settings import Settings, Stall


def draws(settings: Settings) -> Callable[[], float]:
    """Independent service times in seconds with mean `settings.service`, the same for the same seed."""
    random, mean = Random(settings.seed), settings.service
    if settings.distribution == "constant":
        return lambda: mean
    if settings.distribution == "exponential":
        return lambda: random.expovariate(1.0) * mean
    sigma = math.sqrt(math.log(1 + settings.variation**2))
    return lambda: mean * math.exp(random.gauss(0.0, sigma) - sigma**2 / 2)


class Pool:
    """State of the queue. Memory is one number a worker and one a waiting request."""

    def __init__(
        self, *, workers: int, queue: int, service: Callable[[], float], collapse: float = 0.0, stall: Stall | None = None
    ) -> None:
        self._free = [0.0] * workers  # when each worker is next free, in work time (the clock less the stalls)
        self._starts: deque[float] = deque()  # work time at which those admitted begin; never decreasing
        self._limit, self._service, self._collapse, self._stall = queue, service, collapse, stall
        self._last = -math.inf
        self.admitted = 0
        self.refused = 0
        self.work = 0.0  # seconds of service handed out

    @classmethod
    def of(cls, settings: Settings) -> Pool:
        return cls(
            workers=settings.workers, queue=settings.queue, service=draws(settings), collapse=settings.collapse, stall=settings.stall
        )

    def admit(self, now: float) -> float | None:
        """Take in a request that arrives at `now` (seconds ≥ 0, not before the last). The moment of its answer; None: refused."""
        at = self._last = max(self._work_time(now), self._last)
        waiting = self._waiting(at)
        start = max(at, self._free[0])
        if start > at and waiting >= self._limit:
            self.refused += 1
            return None
        service = self._service() * (1 + self._collapse * waiting / max(self._limit, 1))
        heapq.heapreplace(self._free, start + service)
        self._starts.append(start)
        self.admitted += 1
        self.work += service
        return self._clock(start + service)

    def waiting(self, now: float) -> int:
        """Requests admitted whose work has not begun at `now`."""
        return self._waiting(self._work_time(now))

    def _waiting(self, at: float) -> int:
        while self._starts and self._starts[0] <= at:
            self._starts.popleft()
        return len(self._starts)

    def _work_time(self, now: float) -> float:
        """Seconds in which work was possible since 0: in every period the first `every - lasts` seconds."""
        if self._stall is None:
            return now
        periods, rest = divmod(now, self._stall.every)
        working = self._stall.every - self._stall.lasts
        return periods * working + min(rest, working)

    def _clock(self, work: float) -> float:
        """The inverse: when so much work time has passed."""
        if self._stall is None:
            return work
        working = self._stall.every - self._stall.lasts
        periods, rest = divmod(work, working)
        return periods * self._stall.every + rest
