"""In: windows of the surge, as they come. Out: `Generator`: whether our own machines kept the schedule over the whole run, and every sign
that they did not.

The rules are the usual ones for an open load generator: lateness, sends achieved, processor, event loop, descriptors, and Little's law
as a check on clocks and counting (in flight = rate × time; more than 10 % apart, one of them is wrong).

Lateness is judged window by window, because what is said of the site leaves out the windows in which we were late. A burst of it is a
doubt; only when it takes more than `SPOILED` of the arrivals is too little left to judge by.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from harness.analysis import histogram
from harness.analysis.search.generator import ACHIEVED, lateness
from harness.engine.window import Census, Window, WorkerHealth
from harness.engine.wire import Outcome
from harness.result import Generator, Worker

SPOILED = 0.10  # of the arrivals
CPU = 0.8  # of one core
OFFSET = 5.0  # ms
LITTLE = 0.10
DESCRIPTORS = 0.9  # of the limit


@dataclass(slots=True)
class _Worker:
    cpu: float = 0.0
    cpu_max: float = 0.0
    loop_ms: float = 0.0
    offset_ms: float = 0.0
    rss_mb: float = 0.0
    descriptors: float = 0.0
    alive: bool = True

    def see(self, health: WorkerHealth) -> None:
        self.alive = health.alive
        # A core is busy when it stays so for two windows: one busy half second is a page being parsed.
        self.cpu_max = max(self.cpu_max, min(self.cpu, health.cpu))
        self.cpu = health.cpu
        self.loop_ms = max(self.loop_ms, health.loop_ms)
        self.offset_ms = max(self.offset_ms, health.offset_ms, key=abs)
        self.rss_mb = max(self.rss_mb, health.rss_mb)
        if health.descriptor_limit > 0:
            self.descriptors = max(self.descriptors, health.descriptors / health.descriptor_limit)


@dataclass(slots=True)
class Watch:
    """The generator over one run. `lag_limit` in s; from the strictest response-time promise, see `search.generator.lag_limit`."""

    lag_limit: float
    failures: int = 0  # requests that our own machine could not send: no descriptor, no port
    _lags: np.ndarray = field(default_factory=lambda: np.zeros(histogram.BUCKETS, np.int64))
    _lag_max: float = 0.0
    _spoiled: int = 0
    _workers: dict[str, _Worker] = field(default_factory=dict)
    _outstanding: int = 0
    _area: float = 0.0
    _times: float = 0.0

    def add(self, window: Window) -> bool:
        """Take in one window. True when we were late in it: then what its visitors met may be our own doing."""
        late = lateness(window) > self.lag_limit
        if len(window.lags):
            self._lags += histogram.count(window.lags)
            self._lag_max = max(self._lag_max, float(window.lags.max()))
            self._spoiled += late * len(window.lags)
        for health in window.workers:
            self._workers.setdefault(health.name, _Worker()).see(health)
        done = window.done
        self.failures += int((done["outcome"] == Outcome.GENERATOR).sum())
        before = self._outstanding
        self._outstanding += len(window.sent) - len(done)
        # The count of those under way comes from what has been reported, the times from the workers' clocks: two roads to one number.
        self._area += (before + self._outstanding) / 2 * window.seconds
        self._times += float(done["total"].sum(dtype=np.float64))
        return late

    @property
    def descriptors(self) -> float:
        """Highest share of its descriptor limit that a worker has used."""
        return max((w.descriptors for w in self._workers.values()), default=0.0)

    def part(self, census: Census) -> Generator:
        """The findings. `healthy` says that what was measured is the site's doing: on time, all sent, nothing lost, nothing exhausted."""
        p50, p99 = (None if np.isnan(v) else float(v) * 1000 for v in histogram.quantiles(self._lags, (0.5, 0.99)))
        lost = sum(not w.alive for w in self._workers.values())
        achieved = census.started / census.due if census.due else None
        little = abs(self._times / self._area - 1) if self._area > 1 else None
        healthy = (
            self._spoiled <= SPOILED * self._lags.sum()
            and (achieved is None or achieved >= ACHIEVED)
            and not lost
            and not self.failures
            and (little is None or little <= LITTLE)
        )
        return Generator(
            healthy=healthy,
            lag_p50_ms=p50,
            lag_p99_ms=p99,
            lag_max_ms=None if p99 is None else self._lag_max * 1000,
            lost_workers=lost,
            achieved_share=achieved,
            little_error=little,
            workers=[_part(name, worker) for name, worker in sorted(self._workers.items())],
        )


def _part(name: str, worker: _Worker) -> Worker:
    return Worker(
        name=name,
        lost=not worker.alive,
        cpu_max=worker.cpu_max,
        loop_ms_max=worker.loop_ms,
        offset_ms=worker.offset_ms,
        rss_mb_max=worker.rss_mb,
    )
