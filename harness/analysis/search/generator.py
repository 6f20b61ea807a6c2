"""In: a `Window`'s lags, census and worker health. Out: whether our own generator was the limit, and why: then nothing may be said about
the site."""

from __future__ import annotations

import numpy as np

from harness.engine.window import Window
from harness.engine.wire import Outcome

LAG = 0.010  # s: more lateness than this (or than a twentieth of the strictest promise) in 1 % of arrivals is the generator's doing
LAG_SHARE = 0.05  # of the latency limit
FEWEST = 5  # arrivals that tell whether a window was late
ACHIEVED = 0.98  # started / due
BUSY = 0.9  # of a core
LOOP_MS = 50.0


def lag_limit(promise: float | None) -> float:
    """How late (s) 1 in 100 visitors may start, for the strictest response-time promise (s)."""
    return LAG if promise is None else max(LAG, LAG_SHARE * promise)


def lateness(window: Window) -> float:
    """How late (s) the last 1 in 100 visitors of this window started; 0 where too few came to tell."""
    return float(np.quantile(window.lags, 0.99)) if len(window.lags) >= FEWEST else 0.0


class Headroom:
    """Watches the generator. One late window is an accident of the machine; two of the last three are `suspect`: the load is raised no
    further; four of the last six are a limit. (With two as the limit, a neighbour's burst of a tenth of a second, seen on shared machines
    every few minutes, ended whole runs.)"""

    def __init__(self, limit: float) -> None:
        self._allowed = lag_limit(limit)
        self._recent: list[str | None] = []
        self._due = self._started = 0
        self.last: str | None = None
        self.whole = True  # the last window

    def watch(self, window: Window) -> str | None:
        """Why the generator limited this window, or None."""
        due, started = window.census.due - self._due, window.census.started - self._started
        self._due, self._started = window.census.due, window.census.started
        found = None
        alive = [w for w in window.workers if w.alive]
        if (late := lateness(window)) > self._allowed:
            found = f"visitors left {1000 * late:.0f} ms late (99th percentile)"
        elif not window.whole:
            found = "a worker's report came too late"
        elif due - started >= 3 and started / due < ACHIEVED:
            found = f"only {100 * started / due:.0f} % of the visitors due could be started"
        elif len(window.done) and int((window.done["outcome"] == Outcome.GENERATOR).sum()) > 0.01 * len(window.done):
            found = "the generator ran out of sockets or ports"
        elif any(w.cpu > BUSY and w.loop_ms > LOOP_MS for w in alive):
            found = "a worker's core was full and its loop late"
        self.last, self.whole = found, window.whole
        self._recent = [*self._recent[-5:], found]
        return found

    def forgive(self) -> None:
        """The load was lowered: judge anew."""
        self._recent = []

    @property
    def suspect(self) -> str | None:
        """The reason, while two of the last three windows were limited."""
        bad = [why for why in self._recent[-3:] if why]
        return bad[-1] if len(bad) >= 2 else None

    @property
    def limited(self) -> str | None:
        """The reason, once four of the last six windows were limited."""
        bad = [why for why in self._recent if why]
        return bad[-1] if len(bad) >= 4 else None
