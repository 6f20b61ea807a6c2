"""In: one group's `Levels`, window by window. Out: the dial at which it becomes too slow, with its interval.

It rests on every window, not on trials: while the group is busy each answer is a measurement of the site's speed (see queueing.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from harness.analysis.search.history import History
from harness.analysis.search.inflight import Levels
from harness.analysis.search.interrupted import carried
from harness.analysis.search.meter import MIDDLE
from harness.analysis.search.queueing import Demand, Fit, fit
from harness.analysis.search.stalls import Law
from harness.analysis.search.wear import NONE, Wear, wear

Floats = npt.NDArray[np.float64]

_PIECE = 4  # windows in a bootstrap piece: 2 s, longer than a queue remembers well below saturation
_PRIOR_BLOCKS = 6
_MINUTE = 60  # blocks of 1 s
_WITHOUT = 0.89  # of a variance is left without the largest of sixty normal deviations
_FEWEST = 1.5  # busy seconds that tell a speed
_UNSEEN = 1.15  # times the luck, where a line shows only while it is long: one that is served well is not seen so long
_INTERRUPTED = 0.03  # relative standard deviation of what the law of a site that stalls cannot know


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """In units of the dial. `spread` is the standard deviation of the log."""

    low: float
    high: float
    spread: float


class Estimator:
    """The group's time. `per_dial` (requests of the group for each unit of the dial, with its relative error), `calm` and `usual` (mean and
    middle of its latency without load, s), `demands` (the latency promises as they bear on this group), `stalls` and `wears` are set by the
    owner and may move."""

    def __init__(self, *, demands: tuple[Demand, ...], seed: int, limits: int | None = None) -> None:
        self.demands = demands
        self.per_dial = 1.0
        self.per_dial_error = 0.0
        self.calm = 0.05
        self.usual = 0.05
        self.history = History(len(demands) if limits is None else limits)
        self.hit = 1.0  # the share of the group's requests that this line concerns
        self.dispersion = 1.0
        self._dispersion_prior = 1.0
        self.burstiness = 1.0
        self.stalls: Law | None = None  # it stands still now and then, which looks like a fall of the curve and is none
        self._carried: dict[Demand, tuple[tuple[object, ...], float]] = {}  # the last answer of `_share`, and to what
        self.wears = False  # it has become slower: once, or all the time?
        self._wear = NONE
        self.fit: Fit | None = None
        self.demand = 0  # index of the latency promise that binds
        self.dial = float("nan")  # NaN while the group was never busy
        self._random = np.random.default_rng(seed)

    def add(self, levels: Levels) -> None:
        """Counts a window."""
        self.history.add(levels)

    def forget(self, first: int) -> None:
        """Believe only the windows from `first` on: the site is no longer what it was."""
        self.history.first = max(self.history.first, first)
        self._dispersion_prior = max(1.0, self.dispersion)

    # ------------------------------------------------------------------ out
    def refit(self) -> None:
        """Fit everything believed. Half a millisecond."""
        time, answers, sent, late = self.history.sums()
        best: tuple[float, int, Fit] | None = None
        for k, demand in enumerate(self.demands):
            fitted = partial(
                fit,
                time,
                answers,
                self.hit * sent[k],
                late[k],
                calm=self.calm,
                dispersion=self.dispersion,
                burstiness=self.burstiness,
                demand=demand,
            )
            found = fitted()
            if found is not None and found.falling and (self.stalls is not None or not self._falls(found)):
                found = fitted(may_fall=False)
            if found is not None and self.stalls is not None and self._plain(found):
                speed = self.speed(found)
                found = replace(found, rate=speed * self._share(self.stalls, speed, demand))
            if found is not None and (best is None or found.rate < best[0]):
                best = (found.rate, k, found)
        if best is not None:
            rate, self.demand, self.fit = best
            self._wear = self._worn(self.fit)
            self.dial = self._wear.factor * rate / self.per_dial if self.per_dial > 0 else float("nan")
            self.dispersion = self._dispersion(self.fit)
        else:
            self.dial, self._wear = float("nan"), NONE

    def interval(self, *, boots: int = 60, recent_drift: bool = False, stalls: float = 0.0) -> Interval:
        """The 90 % interval: pieces of windows drawn again with replacement, plus what the model cannot know. `stalls`: what the chance
        number of stalls seen brings while it makes no law, as a relative standard deviation."""
        assert self.fit is not None
        if self.stalls is not None and self._plain(self.fit):
            return self._interrupted(self.stalls, self.fit, recent_drift=recent_drift)
        estimate = self.dial
        pieces = self.history.pieces(_PIECE)
        limits = self.history.limits
        demand = self.demands[self.demand]
        drawn = []
        for _ in range(boots):
            total = pieces[self._random.integers(0, len(pieces), len(pieces))].sum(axis=0)
            jitter = self._random.normal(0, 0.35 if self.dispersion < 1.5 else 0.5)
            again = fit(
                total[0],
                total[1],
                self.hit * total[2 + self.demand],
                total[2 + limits + self.demand],
                calm=self.calm,
                dispersion=self.dispersion * float(np.exp(jitter)),
                burstiness=self.burstiness,
                demand=demand,
                may_fall=self.fit.falling,
            )
            if again is not None:
                drawn.append(self._wear.factor * again.rate / self.per_dial)
        model = 0.03 if self.fit.falling or self.hit < 1.0 else 0.012  # a line seen through those who linger in it is seen less well
        bursty = max(min(0.08, 0.03 * max(0.0, self.dispersion - 1.3)), min(0.1, stalls))  # a site that stalls: few events decide
        drift = 0.04 if recent_drift else 0.0
        if len(drawn) > 10:
            lower, upper = np.quantile(np.log(np.array(drawn) / estimate), [0.16, 0.84])
            sampling = float(upper - lower) / 2
        else:
            sampling = 0.3
        floor = np.sqrt(max(self.dispersion, 0.5) / max(self.fit.busy_answers, 20.0))
        luck = self.luck * np.hypot(max(sampling, floor), self.per_dial_error)
        spread = float(np.sqrt(luck**2 + model**2 + bursty**2 + drift**2 + self._wear.unsure**2))
        reach = 1.645 * 1.1 * spread
        return Interval(low=estimate * np.exp(-reach), high=estimate * np.exp(reach), spread=spread)

    def _interrupted(self, law: Law, found: Fit, *, recent_drift: bool) -> Interval:
        """The interval of a site that stalls: what it carries at either end of what their gap may be, and how sure its speed is."""
        speed, demand = self.speed(found), self.demands[self.demand]
        floor = np.sqrt(max(self.dispersion, 0.5) / max(found.busy_answers, 20.0))
        drift = 0.04 if recent_drift else 0.0
        spread = float(np.sqrt(floor**2 + _INTERRUPTED**2 + drift**2 + self._wear.unsure**2 + self.per_dial_error**2))
        share, reach = found.rate / speed, 1.645 * 1.1
        often, seldom = (replace(law, every=law.every * float(np.exp(sign * reach * law.unsure))) for sign in (-1, 1))
        below, above = (abs(float(np.log(self._share(other, speed, demand, keep=False) / share))) for other in (often, seldom))
        low, high = (float(np.hypot(reach * spread, side)) for side in (below, above))
        return Interval(low=self.dial * np.exp(-low), high=self.dial * np.exp(high), spread=(low + high) / (2 * reach))

    @property
    def wear(self) -> float:
        """The speed of now over that of `fit`: below 1 where it becomes slower all the time."""
        return self._wear.factor

    @property
    def luck(self) -> float:
        """How many times as uncertain a count of this line's answers is as their number says."""
        return _UNSEEN if self.hit < 1.0 else 1.0

    def speed(self, found: Fit) -> float:
        """Answers/s of the busy site in windows without a stall; in all of them, where that would be too few."""
        time, answers = self.history.busy(_busy(found))
        moving = self.history.moving()
        spent = float(time[moving].sum())
        return float(answers[moving].sum()) / spent if spent > _FEWEST else found.plateau

    # ------------------------------------------------------------------ parts
    def _plain(self, found: Fit) -> bool:
        """Whether the law of the stalls is all that shapes this line: it is no hidden one, nor faster the longer it is."""
        return self.hit == 1.0 and not found.rising

    def _worn(self, found: Fit) -> Wear:
        """How it stands now against the windows believed."""
        if not self.wears or found.falling:
            return NONE
        history = self.history
        seconds, answers = history.busy(_busy(found), everything=True)
        _, total = history.busy(np.ones(len(MIDDLE), bool), everything=True)
        return wear(seconds, answers, total, first=history.first, dispersion=self.dispersion)

    def _share(self, law: Law, speed: float, demand: Demand, *, keep: bool = True) -> float:
        """What of its speed a site with these stalls carries; asked again only when something has changed that matters."""
        calm = min(self.calm, self.usual / np.log(2))  # stalls have their part in the mean; the middle of exponential services has none
        near = (np.log(law.every) / 0.06, np.log(law.evenness), np.log(speed) / 0.05, self.dispersion / 0.1, np.log(calm) / 0.2)
        asked = (law.lengths, *map(round, near))
        known = self._carried.get(demand)
        if known is not None and known[0] == asked:
            return known[1]
        found = carried(law, speed=speed, dispersion=self.dispersion, burstiness=self.burstiness, calm=calm, demand=demand)
        if keep:
            self._carried[demand] = (asked, found)
        return found

    def _dispersion(self, found: Fit) -> float:
        """Variance over mean of the answers in blocks of 1 s while busy, shrunk to its prior by a few blocks."""
        time, answers = self.history.busy(_busy(found))
        shaped = found.falling or found.rising
        if shaped:
            expected, came = self.history.expected(found.curve)
        else:
            expected, came = found.plateau * time, answers
        whole = time > 0.9 * self.history.seconds()
        if self.stalls is not None:  # they have a law of their own
            whole &= self.history.moving()
            expected = expected * self.speed(found) / found.plateau
        pairs = len(whole) // 2
        both = whole[: 2 * pairs].reshape(pairs, 2).all(axis=1)
        blocks = np.stack([came, expected])[:, : 2 * pairs].reshape(2, pairs, 2).sum(axis=2)[:, both]
        square, mean = (blocks[0] - blocks[1]) ** 2, blocks[1]
        # What happens less than once a minute does not happen in half of the minutes: a pause in one of them tells nothing of the others.
        rare = len(mean) // _MINUTE
        if rare:
            usual = np.argsort(square / np.maximum(mean, 1e-9))[:-rare]
            square, mean = square[usual] / _WITHOUT, mean[usual]
        prior = _PRIOR_BLOCKS * found.plateau
        if found.plateau <= 0:
            return 1.0
        return float(np.clip((square.sum() + prior * self._dispersion_prior) / (mean.sum() + prior), 0.1, 15.0))

    def _falls(self, found: Fit) -> bool:
        """Whether a fall of the curve is there most of the time. A site that stalls now and then is also slow while many wait, but only in
        the moments that made them wait; before and after them it answers as fast as ever."""
        low = (found.knee <= MIDDLE) & (np.minimum(0.45 * found.full, 1.6 * found.peak_at) >= MIDDLE)
        high = np.minimum(0.55 * found.full, 2.2 * found.peak_at) < MIDDLE
        time, answers = self.history.busy(low)
        usual = answers.sum() / max(time.sum(), 1e-9)
        time, answers = self.history.busy(high)
        seen = time > 0.1
        if not seen.any():
            return False
        rates, weights = answers[seen] / time[seen], time[seen]
        order = np.argsort(rates)
        middle = rates[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)]
        return bool(middle < 0.9 * usual)

    def busy_share(self, windows: int) -> float:
        """Share of the last windows' time that the group was busy."""
        if self.fit is None:
            return 0.0
        time, _, _, _ = self.history.sums(max(0, self.history.size - windows))
        return float(time[self.fit.knee <= MIDDLE].sum() / max(self.history.seconds()[-windows:].sum(), 1e-9))


def _busy(found: Fit) -> npt.NDArray[np.bool_]:
    """The levels at which each answer measures the site's speed."""
    busy: npt.NDArray[np.bool_] = (found.knee <= MIDDLE) & (found.full * 1.5 >= MIDDLE)
    return busy
