"""In: `Window`s, already read. Out: `Belief`, everything the search holds true about the site: which samples meet the bottleneck, how
fast it is, what the dial means in requests, and whether it is still the same site as before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.analysis.search.asked import Asked
from harness.analysis.search.bottleneck import Bottleneck
from harness.analysis.search.estimator import Estimator, Interval
from harness.analysis.search.failures import Failures
from harness.analysis.search.hidden import Hidden
from harness.analysis.search.inflight import Crowd, Levels
from harness.analysis.search.meter import MIDDLE, Meter, Reading
from harness.analysis.search.mix import Mix
from harness.analysis.search.queueing import Demand, Fit
from harness.analysis.search.stalls import Stalls
from harness.analysis.search.warmth import Warmth

Mask = npt.NDArray[np.bool_]
_WARM = 14  # windows that are believed while the site warms up
_MINUTE = 120  # windows
_RECENT = 40  # windows after a drift in which the interval is wider


class Belief:
    """`arriving`: the share of the dial that arrives, see `Mix`."""

    def __init__(self, *, asked: Asked, samples: int, arriving: float, seed: int) -> None:
        self._asked, self._seed, self._arriving = asked, seed, arriving
        self.everything: Mask = np.ones(samples, bool)
        self.members: Mask = self.everything
        self.meter = Meter(samples, asked.limits)
        self.mix = Mix(samples, len(asked.limits), arriving)
        self.bottleneck = Bottleneck(samples)
        self._group = Crowd(self.meter, self.members)
        self.whole = Estimator(demands=self._demands(), seed=seed)
        self.hidden: Hidden | None = None
        self._reading: Reading | None = None
        self.failures = Failures(asked.failing, samples, self.meter)
        self._warmth = Warmth()
        self.stalls = Stalls(self.meter)
        self.drift: set[str] = set()  # "rose", "fell"
        self._way = ""  # the latest of them
        self.first_estimate: float | None = None
        self._windows = 0
        self._moved_at = -999
        self.since = 0  # windows before it are of a site that was faster or slower

    # ------------------------------------------------------------------ in
    def add(self, reading: Reading, *, stressed: bool, steady: bool, calm: bool, trusted: bool = True) -> None:
        """Counts a window; one in which our own machine was late (not `trusted`) only keeps the counts of what is under way. `calm`: the
        site was never at its limit yet; `stressed`: the map from visitors to requests does not hold in it; `steady`: its dial stood
        still."""
        self._windows += 1
        self._reading = reading
        levels = self._group.levels()
        before = self.stalls.count
        self.stalls.watch(trusted=trusted)
        if trusted:
            self.mix.add(reading, stressed=stressed, calm=calm)
            self.whole.add(levels)
            self._feel(reading, levels, stressed)
        if self.hidden is not None:
            self.hidden.add(trusted=trusted)
            if reading.late[0].sum() > 0.05 * max(reading.decided[0].sum(), 10):
                self.hidden.watch(reading.spread[self.members].sum(axis=0))
        self._mark(self.stalls.count - before)
        self.failures.add(reading, steady=steady and trusted)
        self._tune()

    def _feel(self, reading: Reading, levels: Levels, stressed: bool) -> None:
        """Whether the site warms up."""
        if self.hidden is not None and self.hidden.found:
            return  # the line that binds is not the group's, whose answers and latencies these are
        found = self.fit
        if not stressed and not reading.failed.any() and (found is None or self.in_flight <= found.knee):
            self._warmth.watch(reading)
        if found is not None and not found.falling and not reading.failed.any():
            busy = (found.knee <= MIDDLE) & (1.5 * found.full >= MIDDLE)
            self._warmth.watch_busy(float(levels.time[busy].sum()), float(levels.answers[busy].sum()))

    def _mark(self, latest: int) -> None:
        """Tells the lines of the latest so many stalls."""
        for begin, end in self.stalls.latest(latest):
            self.whole.history.stood(begin, end)
            if self.hidden is not None:
                self.hidden.queue.history.stood(begin, end)

    def _tune(self) -> None:
        queue, mix = self.whole, self.mix
        queue.per_dial = mix.requests(self.members) or 1.0
        queue.per_dial_error = mix.uncertainty(self.members)
        queue.calm = mix.calm_of(self.members)
        queue.usual = mix.calm_quantile(self.members, 0.5)

    def _demands(self) -> tuple[Demand, ...]:
        """The promises as they bear on the group: what the others do not use up is the group's to spend."""
        share = float(self.mix.shares()[self.members].sum())
        others = ~self.members
        found = []
        for k, (limit, late) in enumerate(zip(self._asked.limits, self._asked.late, strict=True)):
            spare = late - self.mix.calm_late(others, k) if others.any() else late
            found.append(Demand(limit=limit, late=float(np.clip(spare / max(share, 1e-3), 0.002, 0.95))))
        return tuple(found)

    def start_over(self) -> None:
        """Forget what was measured so far: the site was over its limit from the first moment."""
        self.mix = Mix(len(self.everything), len(self._asked.limits), self._arriving)
        self.whole = Estimator(demands=self._demands(), seed=self._seed)

    def regroup(self) -> bool:
        """Looks again which samples wait together; on a change (and the first time) the group's last half minute is counted anew."""
        found = self.bottleneck.waiting()
        found = self.members if found is None else found
        changed = not bool(np.array_equal(found, self.members))
        if not changed and self.hidden is not None:
            return False
        self.members = found
        if changed:
            self._group = Crowd(self.meter, found)
            self.whole = Estimator(demands=self._demands(), seed=self._seed)
        limit = self._asked.limit
        age = float(np.clip(self.mix.calm_quantile(found, 0.97), 0.005, 0.3 * limit))
        self.hidden = Hidden(self.meter, found, age=age, usual=self.mix.calm_quantile(found, 0.4), demands=self._demands(), seed=self._seed)
        for back in range(self.meter.kept - 1, -1, -1):
            if changed:
                self.whole.add(self._group.levels(back))
            self.hidden.add(back)
        self._mark(self.stalls.count)
        self._tune()
        return True

    def refit(self) -> float:
        """Fits everything believed; the estimate as a dial, or NaN."""
        self.whole.demands = self._demands()
        if self.hidden is not None:
            self.hidden.tune(demands=self.whole.demands, per_dial=self.whole.per_dial, per_dial_error=self.whole.per_dial_error)
        self.queue.stalls, self.queue.wears = self.stalls.law, "fell" in self.drift
        self.queue.refit()
        failing = self.bottleneck.failing()
        failed = self.everything if failing is None else failing
        self.failures.refit(failing, (self.mix.requests(failed), max(self.mix.uncertainty(failed), 1e-3)))
        return self.dial

    # ------------------------------------------------------------------ out
    @property
    def queue(self) -> Estimator:
        """The line that binds: that of the whole group, or the one hidden in it."""
        return self.hidden.queue if self.hidden is not None and self.hidden.found else self.whole

    @property
    def in_flight(self) -> int:
        """Requests in that line."""
        if self.hidden is not None and self.hidden.found:
            return self.hidden.in_flight
        return int(self._reading.in_flight[self.members].sum()) if self._reading is not None else 0

    @property
    def fit(self) -> Fit | None:
        return self.queue.fit

    @property
    def dial(self) -> float:
        """The smaller of the two limits; NaN while there is none."""
        both = [d for d in (self.queue.dial, self.failures.dial) if np.isfinite(d)]
        return min(both) if both else float("nan")

    @property
    def by_failures(self) -> bool:
        """Whether failures, not waiting, bind."""
        return bool(np.isfinite(self.failures.dial) and not self.queue.dial < self.failures.dial)

    def interval(self) -> Interval:
        """The 90 % interval of `dial`."""
        return (
            self.failures.interval()
            if self.by_failures
            else self.queue.interval(recent_drift=self.lately_moved(_RECENT), stalls=self.stalls.spread)
        )

    @property
    def late_without_load(self) -> bool:
        """Whether more answers came too late before any load than the promises allow."""
        return any(self.mix.calm_late(self.everything, k) > late for k, late in enumerate(self._asked.late))

    def lately_moved(self, windows: int) -> bool:
        """Whether the capacity moved within the last so many windows."""
        return self._windows - self._moved_at < windows

    @property
    def saturation(self) -> float | None:
        """The dial at which answers stop growing; None while unknown."""
        return self.fit.plateau / self.queue.per_dial if self.fit is not None else None

    # ------------------------------------------------------------------ drift
    def check_drift(self, limit: float) -> bool:
        """Recent seconds contradict the earlier ones: forget the earlier ones. Call once a window while the dial is near the estimate."""
        if not self.by_failures and self._warmth.warming(self.mix.calm()):  # what is refused is not refused for being slow
            self._fade()
        found, history = self.fit, self.queue.history
        rows = history.size - history.first
        if found is None or rows < 12:
            return False
        dispersion = max(1.0, self.queue.dispersion)
        time, answers, _, _ = history.sums(history.size - 8)
        seconds, reference = float(history.seconds()[-8:].sum()), max(found.peak, found.plateau, self.queue.speed(found))
        top = time[limit * found.plateau <= MIDDLE].sum()
        if top == 0 and answers.sum() / seconds > reference * 1.02 + self._sure(3.0) * np.sqrt(dispersion * reference / seconds):
            self._moved("rose", 6)
            return True
        if found.falling or rows < 16:
            return False
        spent, came = history.busy((found.knee <= MIDDLE) & (1.5 * limit * found.plateau >= MIDDLE))
        moving = history.moving()  # what a site does between its stalls tells whether it is still the same
        spent, came = spent * moving, came * moving
        half, quarter = rows // 2, rows // 2 + (rows - rows // 2) // 2
        before, after = (spent[:half].sum(), came[:half].sum()), (spent[half:].sum(), came[half:].sum())
        if min(before[0], after[0]) <= 1.0:
            return False
        old, new = before[1] / before[0], after[1] / after[0]
        for part in (slice(half, quarter), slice(quarter, rows)):  # both quarters of the later half must agree: one stall is not a drift
            t, a = spent[part].sum(), came[part].sum()
            if t <= 0.4 or (a / t - old) * np.sign(new - old) <= 0.5 * abs(new - old):
                return False
        way = "rose" if new > old else "fell"
        further = way == self._way and self.lately_moved(60) and not self.stalls.count  # a stall looks like a fall, and its end like a rise
        error = np.sqrt(dispersion * (new / after[0] + old / before[0])) * self.queue.luck
        if abs(new - old) <= (1.0 if further else self._sure(3.2)) * error:
            return False
        self._moved(way, rows - half)
        return True

    def _sure(self, errors: float) -> float:
        """Standard errors that tell a change: whoever looks on for ten minutes meets rarer chances than in the first."""
        return float(np.sqrt(errors**2 + 2 * np.log(max(self._windows / _MINUTE, 1.0))))

    def rose(self, windows: int) -> None:
        """The last windows alone show a faster site than all before."""
        self._moved("rose", windows)
        if not np.isfinite(self.queue.dial):
            self.queue.fit = None  # what was fitted is the slower site's

    def _fade(self) -> None:
        """The site becomes faster all the time: only the last windows are about the site of now."""
        if "rose" in self.drift and self.lately_moved(2):
            self._moved_at, self.since = self._windows, self._windows - _WARM
            self.queue.forget(self.queue.history.size - _WARM)
            self.failures.forget(_WARM)
        else:
            self._moved("rose", _WARM)

    def _moved(self, how: str, believed: int) -> None:
        if self.first_estimate is None and np.isfinite(self.dial):
            self.first_estimate = self.dial
        self.drift.add(how)
        self._way = how
        self._moved_at, self.since = self._windows, self._windows - believed
        self.queue.forget(self.queue.history.size - believed)
        self.failures.forget(believed)
        self.refit()
