"""In: a number of workers and a law of service times. Out: pools, healthy and otherwise, as models."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.bench.truth.model import NEVER, Answer, Draw, Model


class Line:
    """Workers that take requests first come first served, and those that wait for them: the core of a pool."""

    def __init__(self, workers: int, room: int) -> None:
        self._free, self._starts, self._room = [0.0] * workers, deque[float](), room

    def waiting(self, now: float) -> int:
        while self._starts and self._starts[0] <= now:
            self._starts.popleft()
        return len(self._starts)

    def full(self, now: float) -> bool:
        return self._free[0] > now and self.waiting(now) >= self._room

    def take(self, now: float, service: float) -> tuple[float, float]:
        """Start and end of a piece of work that is let in now."""
        start = max(now, self._free[0])
        heapq.heapreplace(self._free, start + service)
        if start > now:
            self._starts.append(start)
        return start, start + service

    def busy(self, now: float) -> float:
        return sum(end > now for end in self._free) / len(self._free)

    def hire(self, workers: int, at: float) -> None:
        for _ in range(workers):
            heapq.heappush(self._free, at)

    @property
    def size(self) -> int:
        return len(self._free)


class Pool(Model):
    """`workers` × `service` with a queue of `room`; beyond it `refusal` in 2 ms."""

    def __init__(self, workers: int, service: Draw, room: int = 400, refusal: Answer = Answer.BUSY) -> None:
        super().__init__()
        self._line, self._service, self._refusal = Line(workers, room), service, refusal
        self._taken = 0

    def arrive(self, now: float, job: Any, step: int) -> None:
        if self._line.full(now):
            self._answer(now + 0.002, job, self._refusal)
            return
        self._taken += 1
        self._answer(self._line.take(now, self._lasting(now))[1], job)

    def working(self, now: float) -> int:
        """Workers there are."""
        return self._line.size

    def _lasting(self, now: float) -> float:
        return self._service()


class Leak(Pool):
    """Every request served makes all later ones slower by `each` of the first one's time."""

    def __init__(self, workers: int, service: Draw, each: float) -> None:
        super().__init__(workers, service)
        self._each = each

    def _lasting(self, now: float) -> float:
        return self._service() * (1 + self._each * self._taken)


class Cold(Pool):
    """`slower` times as slow at first; the excess falls by 1/e with every `warm` requests served."""

    def __init__(self, workers: int, service: Draw, slower: float, warm: float) -> None:
        super().__init__(workers, service)
        self._slower, self._warm = slower, warm

    def _lasting(self, now: float) -> float:
        return self._service() * (1 + (self._slower - 1) * math.exp(-self._taken / self._warm))


class Autoscaler(Pool):
    """After `hold` seconds of 70 % busy workers, `more` are ordered; they work after `delay` seconds; `most` in all."""

    def __init__(self, workers: int, service: Draw, *, more: int, hold: float, delay: float, most: int) -> None:
        super().__init__(workers, service)
        self._more, self._hold, self._delay, self._most = more, hold, delay, most
        self._since, self._ordered_until = NEVER, -NEVER

    def working(self, now: float) -> int:
        return self._line.size - (self._more if now < self._ordered_until else 0)

    def _lasting(self, now: float) -> float:
        # Workers that are on order count as busy until they come: they are not asked about again before that.
        if now < self._ordered_until or self._line.busy(now) < 0.7:
            self._since = NEVER
        else:
            self._since = min(self._since, now)
            if now - self._since >= self._hold and self._line.size + self._more <= self._most:
                self._ordered_until, self._since = now + self._delay, NEVER
                self._line.hire(self._more, now + self._delay)
        return self._service()


class Stalling(Model):
    """A pool in which all work stands still for `lasts` seconds every `every` seconds."""

    def __init__(self, workers: int, service: Draw, *, every: float, lasts: float, phase: float, room: int = 400) -> None:
        super().__init__()
        self._line, self._service = Line(workers, room), service
        self._every, self._works, self._phase = every, every - lasts, phase

    def arrive(self, now: float, job: Any, step: int) -> None:
        periods, rest = divmod(now + self._phase, self._every)
        work_time = periods * self._works + min(rest, self._works)
        if self._line.full(work_time):
            self._answer(now + 0.002, job, Answer.BUSY)
            return
        periods, rest = divmod(self._line.take(work_time, self._service())[1], self._works)
        self._answer(max(now, periods * self._every + rest - self._phase), job)


class Capped(Pool):
    """A pool that resets every connection beyond `cap` requests inside."""

    def __init__(self, workers: int, service: Draw, cap: int) -> None:
        super().__init__(workers, service)
        self._cap, self._ends = cap, list[float]()

    def arrive(self, now: float, job: Any, step: int) -> None:
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        if len(self._ends) >= self._cap:
            self._answer(now, job, Answer.RESET)
            return
        end = self._line.take(now, self._service())[1]
        heapq.heappush(self._ends, end)
        self._answer(end, job)


class Retrying(Model):
    """A gateway before a pool: after `patience` seconds it gives up and asks again, `tries` times. Work given up on is done all the
    same, so past the break the pool works for nobody and stays down until the load has gone."""

    def __init__(self, random: Random, workers: int, service: Draw, *, patience: float, tries: int, backoff: float) -> None:
        super().__init__()
        self._random, self._line, self._service = random, Line(workers, 20_000), service
        self._patience, self._tries, self._backoff = patience, tries, backoff
        self._again: list[tuple[float, int, int, Any]] = []  # when, order, attempt, job

    def arrive(self, now: float, job: Any, step: int) -> None:
        self._ask(now, 1, job)

    def due(self) -> float:
        return min(super().due(), self._again[0][0] if self._again else NEVER)

    def finished(self, now: float) -> Iterator[tuple[float, Any, Answer]]:
        while self._again and self._again[0][0] <= now:
            moment, _, attempt, job = heapq.heappop(self._again)
            self._ask(moment, attempt, job)
        yield from super().finished(now)

    def _ask(self, now: float, attempt: int, job: Any) -> None:
        given_up = now + self._patience
        if not self._line.full(now) and (end := self._line.take(now, self._service())[1]) <= given_up:
            self._answer(end, job)
        elif attempt < self._tries:
            heapq.heappush(self._again, (given_up + self._random.expovariate(1 / self._backoff), next(self._order), attempt + 1, job))
        else:
            self._answer(given_up, job, Answer.BUSY)
