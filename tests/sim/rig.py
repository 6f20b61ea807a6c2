"""In: a simulated server and the order of a search. Out: the same `Window`s that a real fleet would deliver, at thousands of times the
speed."""

from __future__ import annotations

import numpy as np

from harness.analysis.search import Profile, Search
from harness.campaigns.plan import Moment
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window, WorkerHealth
from harness.engine.wire import FLAG_UNSENT, Outcome
from harness.result import BreakingPoint
from harness.scenario.catalog import Sample
from harness.scenario.model import Promise
from tests.sim.servers import Server

PROMISES = (
    Promise(text="95% of responses within 500 ms", kind="latency", limit=0.5, share=0.95),
    Promise(text="errors below 1%", kind="errors", limit=0.01),
)
SECONDS = 0.5  # of a window
DELAY = 0.05  # s until a new dial is in force


def kinds(count: int) -> tuple[Sample, ...]:
    """`count` kinds of request, each a step of one journey."""
    return tuple(Sample(number=i, journey=0, step=i, kind="get", label=f"step {i}", line=i + 1) for i in range(count))


def moment(peak: float, per_visitor: float = 1.0) -> Moment:
    """A campaign without a standing audience."""
    return Moment(
        at=0.0,
        peak=peak,
        visitors_per_second=peak,
        scanners_per_second=0.0,
        concurrent=peak * 0.1,
        peak_concurrent=peak * 0.1,
        requests_per_second=peak * per_visitor,
        dwelling={},
    )


class Rig:
    """Plays dials against a server. Each visitor makes one request of kind 0 on arrival; `mix[k]` further requests of kind k + 1 a
    visitor come from visitors who are already there. `mix` None: one kind. `most`: visitors/s beyond which the generator itself is late."""

    def __init__(
        self,
        server: Server,
        random: np.random.Generator,
        *,
        mix: tuple[float, ...] = (),
        timeout: float = 10.0,
        most: float = np.inf,
    ) -> None:
        self.server, self._random, self._mix, self._timeout, self._most = server, random, mix, timeout, most
        self.now = 0.0
        self.dial = 0.0
        self._number = 0
        self._due = 0
        self._pending: list[tuple[np.ndarray, ...]] = []
        self._in_flight = 0
        self.sent = self.bad = 0

    @property
    def samples(self) -> tuple[Sample, ...]:
        return kinds(1 + len(self._mix))

    def step(self, dial: float) -> Window:
        """Half a second; the new dial is in force after DELAY."""
        start, end = self.now, self.now + SECONDS
        before, after = min(self.dial, self._most), min(dial, self._most)
        random = self._random

        def arrivals(per: float) -> np.ndarray:
            early = random.uniform(start, start + DELAY, random.poisson(before * per * DELAY))
            late = random.uniform(start + DELAY, end, random.poisson(after * per * (SECONDS - DELAY)))
            return np.concatenate([early, late])

        first = arrivals(1.0)
        parts = [first, *(arrivals(ratio) for ratio in self._mix)]
        times = np.concatenate(parts)
        which = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
        order = np.argsort(times)
        times, which = times[order], which[order]
        sent, latency, kind, outcome = self.server.serve(times, which, end)
        slow = latency > self._timeout
        latency, outcome = np.where(slow, self._timeout, latency), np.where(slow, int(Outcome.READ_TIMEOUT), outcome)
        self._pending.append((sent, latency, kind, outcome))
        joined = [np.concatenate([p[j] for p in self._pending]) for j in range(4)]
        over = joined[0] + joined[1] <= end
        self._pending = [tuple(column[~over] for column in joined)]
        done = np.zeros(int(over.sum()), DONE_TYPE)
        done["sent"], done["total"], done["sample"], done["outcome"] = (column[over] for column in joined)
        done["first_byte"] = done["total"]
        done["flags"][done["outcome"] == Outcome.REFUSED] = FLAG_UNSENT
        done = done[np.argsort(done["sent"] + done["total"], kind="stable")]
        records = np.zeros(len(times), SENT_TYPE)
        records["at"], records["sample"] = times, which
        self._in_flight += len(times) - len(done)
        self._due += len(first)
        self.sent += len(times)
        self.bad += int(((done["outcome"] != Outcome.OK) | (done["total"] > 0.5)).sum())
        lagging = dial > self._most
        window = Window(
            number=self._number,
            at=start,
            seconds=SECONDS,
            dial=(self.dial * DELAY + dial * (SECONDS - DELAY)) / SECONDS,
            sent=records,
            done=done,
            lags=np.full(len(first), 0.2 if lagging else 0.001, np.float32),
            census=Census(due=self._due, started=self._due, present=max(self._in_flight, 0)),
            workers=(WorkerHealth(name="worker 1", alive=True, cpu=0.99 if lagging else 0.3, loop_ms=200.0 if lagging else 1.0),),
        )
        self._number += 1
        self.now, self.dial = end, dial
        return window


def run(
    rig: Rig,
    *,
    peak: float,
    profile: Profile,
    promises: tuple[Promise, ...] = PROMISES,
    ceiling: float | None = None,
    seed: int = 0,
    per_visitor: float = 1.0,
) -> tuple[BreakingPoint, Search]:
    """One whole search against the rig."""
    search = Search(promises=promises, moment=moment(peak, per_visitor), samples=rig.samples, profile=profile, ceiling=ceiling, seed=seed)
    order = search.next(rig.step(0.0))
    while order.dial is not None:
        order = search.next(rig.step(order.dial))
    return search.breaking_point(), search
