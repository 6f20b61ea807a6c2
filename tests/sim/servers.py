"""Servers whose behaviour is known, as discrete events: requests in (when, which kind), answers out (latency, outcome). State lasts, so
queues, caches, leaks and collapses behave as they would in a real test. All randomness comes from the generator given.

`serve(times, kinds, until)` takes the requests of a slice of time in order and returns the answers that are known now, as arrays
(sent, latency, kind, outcome); a server may know them before they happen.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.engine.wire import Outcome

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Answers = tuple[Floats, Floats, Ints, Ints]
Sampler = Callable[[np.random.Generator, int], Floats]
NEVER = 1e9


class Server(Protocol):
    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers: ...


def exponential(mean: float) -> Sampler:
    return lambda random, n: random.exponential(mean, n)


def constant(value: float) -> Sampler:
    return lambda random, n: np.full(n, value)


def lognormal(mean: float, cv: float) -> Sampler:
    sigma = np.sqrt(np.log(1 + cv**2))
    return lambda random, n: random.lognormal(np.log(mean) - sigma**2 / 2, sigma, n)


def _answers(rows: list[tuple[float, float, int, int]]) -> Answers:
    if not rows:
        return np.zeros(0), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64)
    sent, latency, kind, outcome = zip(*rows, strict=True)
    return np.array(sent), np.array(latency), np.array(kind, np.int64), np.array(outcome, np.int64)


class Pool:
    """`workers` serve first come first served; at most `room` wait, more are answered 503 in 3 ms (or refused).

    leak: service grows by this share with every request served. cold: (how many times slower at first, requests that warm it up).
    stall: (mean gap s, length s) of moments when every worker stands still. grow: (workers more, after s busy, delay s, at most).
    cap: refuse beyond so many requests in the system.
    """

    def __init__(
        self,
        random: np.random.Generator,
        *,
        workers: int = 8,
        service: Sampler,
        room: int = 400,
        leak: float = 0.0,
        cold: tuple[float, float] | None = None,
        stall: tuple[float, float] | None = None,
        grow: tuple[int, float, float, int] | None = None,
        cap: int | None = None,
    ) -> None:
        self._random, self._service, self._room, self._cap = random, service, room, cap
        self._free = [0.0] * workers
        self._waiting: deque[float] = deque()  # when each request in the line starts
        self._inside: list[float] = []  # when each request in the system ends (only with a cap)
        self._leak, self._cold, self.served = leak, cold, 0.0
        self._stalls: list[float] = [] if stall is None else np.cumsum(random.exponential(stall[0], 400)).tolist()
        self._stall_length = 0.0 if stall is None else stall[1]
        self._grow, self._busy_since, self._pending = grow, -1.0, -1.0

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        n = len(times)
        latency, outcome = np.empty(n), np.zeros(n, np.int64)
        free, waiting, room = self._free, self._waiting, self._room
        services = self._service(self._random, n).tolist()
        plain = not (self._leak or self._cold or self._stalls or self._grow or self._cap is not None)
        for i, (t, s) in enumerate(zip(times.tolist(), services, strict=True)):
            if not plain:
                s = self._changed(t, s)
                if self._cap is not None:
                    while self._inside and self._inside[0] <= t:
                        heapq.heappop(self._inside)
                    if len(self._inside) >= self._cap:
                        latency[i], outcome[i] = 0.002, Outcome.REFUSED
                        continue
            while waiting and waiting[0] <= t:
                waiting.popleft()
            if len(waiting) >= room:
                latency[i], outcome[i] = 0.003, Outcome.HTTP_5XX
                continue
            start = free[0] if free[0] > t else t
            end = start + s
            if self._stalls:
                start, end = self._stalled(t, start, end)
            heapq.heapreplace(free, end)
            self.served += 1
            if start > t:
                waiting.append(start)
            if self._cap is not None:
                heapq.heappush(self._inside, end)
            latency[i] = end - t
        return times, latency, kinds, outcome

    def _changed(self, t: float, service: float) -> float:
        service *= 1 + self._leak * self.served
        if self._cold:
            service *= 1 + (self._cold[0] - 1) * np.exp(-self.served / self._cold[1])
        if self._grow:
            step, hold, delay, most = self._grow
            busy = sum(1 for end in self._free if end > t) / len(self._free) >= 0.7
            self._busy_since = (self._busy_since if self._busy_since >= 0 else t) if busy else -1.0
            if busy and t - self._busy_since >= hold and t >= self._pending and len(self._free) + step <= most:
                self._pending, self._busy_since = t + delay, -1.0
                for _ in range(step):
                    heapq.heappush(self._free, t + delay)
        return service

    def _stalled(self, t: float, start: float, end: float) -> tuple[float, float]:
        while self._stalls and self._stalls[0] + self._stall_length < t - 5:
            self._stalls.pop(0)
        for begin in self._stalls:
            if begin >= end:
                break
            over = begin + self._stall_length
            if begin <= start < over:
                end += over - start
                start = over
            elif start < begin:
                end += self._stall_length
        return start, end


class Bucket:
    """A token bucket: `rate` a second, `burst` at once; beyond it 429 in 2 ms."""

    def __init__(self, random: np.random.Generator, *, rate: float, burst: float, service: Sampler) -> None:
        self._random, self._rate, self._burst, self._service = random, rate, burst, service
        self._tokens, self._last = burst, 0.0

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        latency, outcome = self._service(self._random, len(times)), np.zeros(len(times), np.int64)
        tokens, last = self._tokens, self._last
        for i, t in enumerate(times.tolist()):
            tokens = min(self._burst, tokens + (t - last) * self._rate)
            last = t
            if tokens >= 1:
                tokens -= 1
            else:
                latency[i], outcome[i] = 0.002, Outcome.HTTP_429
        self._tokens, self._last = tokens, last
        return times, latency, kinds, outcome


class Contended:
    """The universal scalability law: with N inside, γN / (1 + α(N − 1) + βN(N − 1)) answers a second, to a random one of them."""

    def __init__(
        self, random: np.random.Generator, *, gamma: float = 25.0, alpha: float = 0.02, beta: float = 0.002, most: int = 500
    ) -> None:
        self._random = random
        n = np.arange(most + 1)
        self._speed = (gamma * n / (1 + alpha * (n - 1) + beta * n * (n - 1))).tolist()
        self._most = most
        self._jobs: list[tuple[float, int]] = []
        self._now = 0.0

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        rows: list[tuple[float, float, int, int]] = []
        jobs, speed, now = self._jobs, self._speed, self._now
        draws = iter(())
        queue = [*zip(times.tolist(), kinds.tolist(), strict=True), (until, -1)]
        for t, kind in queue:
            while jobs:
                pair = next(draws, None)
                if pair is None:
                    draws = iter(zip(self._random.exponential(1.0, 512).tolist(), self._random.random(512).tolist(), strict=True))
                    pair = next(draws)
                gap, pick = pair
                end = now + gap / speed[len(jobs)]
                if end > t:  # memoryless: drawn again after the next arrival
                    break
                now = end
                k = int(pick * len(jobs))
                sent, what = jobs[k]
                jobs[k] = jobs[-1]
                jobs.pop()
                rows.append((sent, end - sent, what, Outcome.OK))
            now = t
            if kind < 0:
                break
            if len(jobs) >= self._most:
                rows.append((t, 0.002, kind, Outcome.REFUSED))
            else:
                jobs.append((t, kind))
        self._now = now
        return _answers(rows)


class Sharing:
    """Processor sharing: `rate` units of work a second, divided evenly among all inside; `work` is a request's own."""

    def __init__(self, random: np.random.Generator, *, work: Sampler, capacity: float = 1.0, most: int = 2000) -> None:
        self._random, self._work, self._capacity, self._most = random, work, capacity, most
        self._heap: list[tuple[float, float, int]] = []  # finishing in attained service, sent, kind
        self._now = self._attained = 0.0

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        rows: list[tuple[float, float, int, int]] = []
        heap = self._heap
        works = [*self._work(self._random, len(times)).tolist(), 0.0]
        for t, kind, work in zip([*times.tolist(), until], [*kinds.tolist(), -1], works, strict=True):
            while heap:
                pace = self._capacity / len(heap)
                end = self._now + (heap[0][0] - self._attained) / pace
                if end > t:
                    self._attained += (t - self._now) * pace
                    break
                self._attained = heap[0][0]
                self._now = end
                _, sent, what = heapq.heappop(heap)
                rows.append((sent, end - sent, what, Outcome.OK))
            self._now = t
            if kind < 0:
                break
            if len(heap) >= self._most:
                rows.append((t, 0.003, kind, Outcome.HTTP_5XX))
            else:
                heapq.heappush(heap, (self._attained + work, t, kind))
        return _answers(rows)


class Free:
    """Never busy: every request takes a draw of `service`."""

    def __init__(self, random: np.random.Generator, *, service: Sampler) -> None:
        self._random, self._service = random, service

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        return times, self._service(self._random, len(times)), kinds, np.zeros(len(times), np.int64)


class Always:
    """Every request ends the same way: a dead site (503 at once) or a mute one (accepts, never answers)."""

    def __init__(self, *, latency: float, outcome: int) -> None:
        self._latency, self._outcome = latency, outcome

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        return times, np.full(len(times), self._latency), kinds, np.full(len(times), self._outcome, np.int64)


class Routes:
    """Each kind of request has its own server; kinds that share one name share its line."""

    def __init__(self, servers: tuple[Server, ...], route: tuple[int, ...]) -> None:
        self._servers, self._route = servers, np.array(route)

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        parts = []
        place = self._route[kinds]
        for i, server in enumerate(self._servers):
            mine = place == i
            parts.append(server.serve(times[mine], kinds[mine], until))
        return tuple(np.concatenate([p[j] for p in parts]) for j in range(4))  # type: ignore[return-value]


class Hidden:
    """A share of each kind's requests, not to be told from outside, meets `slow`; the others meet `fast`."""

    def __init__(self, random: np.random.Generator, *, share: float, slow: Server, fast: Server) -> None:
        self._random, self._share, self._slow, self._fast = random, share, slow, fast

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        mine = self._random.random(len(times)) < self._share
        a = self._slow.serve(times[mine], kinds[mine], until)
        b = self._fast.serve(times[~mine], kinds[~mine], until)
        return tuple(np.concatenate([x, y]) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


class Wrong:
    """Answers of `behind` that took no place in the line (503) come as a 200 with an error page instead."""

    def __init__(self, behind: Server) -> None:
        self._behind = behind

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        sent, latency, kind, outcome = self._behind.serve(times, kinds, until)
        return sent, latency, kind, np.where(outcome == Outcome.HTTP_5XX, Outcome.CHECK_FAILED, outcome)


class Retrying:
    """A gateway before a pool: it waits `patience` s for the pool, gives up and asks again, up to `tries` times. Work given up on is done
    all the same: past the break the pool works for nobody (a metastable collapse)."""

    def __init__(
        self, random: np.random.Generator, *, workers: int, service: Sampler, patience: float, tries: int, backoff: float, room: int = 20000
    ) -> None:
        self._random, self._service, self._patience, self._tries, self._backoff, self._room = (
            random,
            service,
            patience,
            tries,
            backoff,
            room,
        )
        self._free = [0.0] * workers
        self._waiting: deque[float] = deque()
        self._again: list[tuple[float, int, float, int]] = []  # when, try, sent, kind
        self._order = 0

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        rows: list[tuple[float, float, int, int]] = []
        fresh = deque(zip(times.tolist(), kinds.tolist(), strict=True))
        draws = self._service(self._random, 4 * len(times) + 64)
        pauses = self._random.exponential(self._backoff, 4 * len(times) + 64)
        i = 0
        while True:
            if self._again and (not fresh or self._again[0][0] <= fresh[0][0]):
                if self._again[0][0] >= until:
                    break
                t, attempt, sent, kind = heapq.heappop(self._again)
            elif fresh:
                t, kind = fresh.popleft()
                attempt, sent = 0, t
            else:
                break
            if i >= len(draws):
                draws = np.concatenate([draws, self._service(self._random, 512)])
                pauses = np.concatenate([pauses, self._random.exponential(self._backoff, 512)])
            service, pause = float(draws[i]), float(pauses[i])
            i += 1
            while self._waiting and self._waiting[0] <= t:
                self._waiting.popleft()
            if len(self._waiting) >= self._room:
                over, failed = t + 0.003, True
            else:
                start = max(self._free[0], t)
                end = start + service
                heapq.heapreplace(self._free, end)
                if start > t:
                    self._waiting.append(start)
                failed = end - t > self._patience
                over = t + self._patience if failed else end
            if not failed:
                rows.append((sent, over - sent, kind, Outcome.OK))
            elif attempt < self._tries:
                heapq.heappush(self._again, (over + pause, attempt + 1, sent, kind))
            else:
                rows.append((sent, over - sent, kind, Outcome.HTTP_5XX))
        return _answers(rows)


class Tandem:
    """Every request passes `first`; a share of them then passes `second` (a database behind a page, for example)."""

    def __init__(self, random: np.random.Generator, *, first: Server, second: Server, share: float) -> None:
        self._random, self._first, self._second, self._share = random, first, second, share
        self._between: list[tuple[float, float, int]] = []  # leaves first, sent, kind

    def serve(self, times: Floats, kinds: Ints, until: float) -> Answers:
        sent, latency, kind, outcome = self._first.serve(times, kinds, until)
        on = (self._random.random(len(sent)) < self._share) & (outcome == Outcome.OK)
        for row in zip((sent + latency)[on].tolist(), sent[on].tolist(), kind[on].tolist(), strict=True):
            heapq.heappush(self._between, row)
        due = []
        while self._between and self._between[0][0] < until:
            due.append(heapq.heappop(self._between))
        keep = ~on
        if not due:
            return sent[keep], latency[keep], kind[keep], outcome[keep]
        at, began, what = (np.array(column) for column in zip(*due, strict=True))
        at2, latency2, kind2, outcome2 = self._second.serve(at, what, until)
        assert len(at2) == len(at)  # a pool answers in the order of arrival
        return (
            np.concatenate([sent[keep], began]),
            np.concatenate([latency[keep], at + latency2 - began]),
            np.concatenate([kind[keep], kind2]),
            np.concatenate([outcome[keep], outcome2]),
        )
