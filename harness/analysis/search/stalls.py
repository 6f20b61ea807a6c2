"""In: the raw windows of a `Meter`. Out: how often, how evenly and how long the whole site stood still (a collection of garbage, a
checkpoint, a lock): `Law`.

A stall is a gap in which requests went on being sent and none was answered, many times longer than gaps are at the rate of answers just
before. A handful a minute decides what a site carries, and a test sees only a handful: how many it happened to see is the largest part of
what it cannot know, unless they come evenly (a timer's work), which a few gaps between them tell.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import lgamma, log

import numpy as np

from harness.analysis.search.meter import Floats, Meter

_SHORTEST = 0.1  # s
_MISSING = 12.0  # answers that the gap has room for: one gap in e^12 is so long by chance
_BEHIND = 10  # requests sent into it
_LOADED = 40.0  # requests/s at which a stall would be seen
_RECENT = 4  # windows that say how fast answers come
_COST = 3.75  # measured on simulated stalls of 0.2 to 0.4 s: a share f of the time standing still costs so many f of the capacity
_NEEDED, _EVERY = 2, 30.0  # stalls that are no accident, and at least one in so many s
_LEAST = 10.0  # s looked at before a law is believed
_PRIOR = 10.0  # s in which one stall more counts as seen: luck in what a minute shows of a handful must not decide alone
_LENGTHS = 10  # stalls that tell the spread of their lengths half
_RHYTHM = 3  # gaps that may tell a rhythm
_OUT = 0.2  # more of the stalls that a rhythm foretells may not be missing, or too many
_KEPT = 200  # stalls remembered: what is known of their law no longer gains
_SHAPES = 2.0 ** np.arange(10)  # of the gamma law of the gaps: 1 is at random, 512 a clock's
_AT_RANDOM = 0.5  # prior of the first shape; the others share the rest


@dataclass(frozen=True, kw_only=True, slots=True)
class Law:
    """`every`, s from the beginning of one stall to the next, known to a relative standard deviation of `unsure`; `evenness`: one over the
    squared relative scatter of these (1: at random); `lengths`, s, of equal weight."""

    every: float
    unsure: float
    evenness: float
    lengths: tuple[float, ...]


class Stalls:
    """`seconds` looked at, and the stalls in them. They are remembered whatever else changes about the site: what collects its garbage goes
    on."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._rates: deque[float] = deque(maxlen=_RECENT)
        self._last = float("nan")  # when the last good answer came, s
        self._seen: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # end and length, s
        self._gaps: deque[tuple[float, bool]] = deque(maxlen=_KEPT)  # s from one beginning to the next; whether all of it was looked at
        self._since = float("inf")  # looked at without a break since then, s
        self._loaded = False  # the window before
        self.seconds = 0.0
        self.count = 0
        self.square = 0.0  # s², of their lengths

    def watch(self, *, trusted: bool) -> None:
        """Looks at the newest window, unless our own machine was late in it."""
        raw = self._meter.raw(0)
        ends = np.sort(raw.done_end[raw.good])
        usual = float(np.mean(self._rates)) if self._rates else 0.0
        seconds = raw.end - raw.start
        loaded = trusted and len(raw.sent) >= _LOADED * seconds
        if trusted and (loaded or self._loaded) and usual > 0 and len(ends):
            before = self._meter.raw(1).sent if self._meter.kept > 1 else raw.sent[:0]
            self._look(np.concatenate([[self._last], ends]), np.concatenate([before, raw.sent]), usual)
        if loaded:
            self.seconds += seconds
            self._since = min(self._since, raw.start)
        else:
            self._since = float("inf")
        self._loaded = loaded
        if len(ends):
            self._last = float(ends[-1])
            self._rates.append(len(ends) / seconds)

    def _look(self, ends: Floats, sent: Floats, usual: float) -> None:
        gaps = np.diff(ends)
        for at in np.flatnonzero(gaps > max(_SHORTEST, _MISSING / usual)):
            begin, end = float(ends[at]), float(ends[at + 1])
            if ((sent > begin) & (sent < end)).sum() >= _BEHIND:
                length = end - begin - 1 / usual
                if self._seen:
                    before = self._seen[-1][0] - self._seen[-1][1]
                    self._gaps.append((end - length - before, before >= self._since))
                self._seen.append((end, length))
                self.count += 1
                self.square += length**2

    def latest(self, count: int) -> list[tuple[float, float]]:
        """Begin and end of the latest so many, as far as they are remembered, s."""
        return [(over - length, over) for over, length in list(self._seen)[-count:]] if count else []

    @property
    def law(self) -> Law | None:
        """How it stalls; None while it may have been an accident."""
        if self.count < max(_NEEDED, self.seconds / _EVERY) or self.seconds < _LEAST:
            return None
        evenness, period = self._rhythm()
        lengths = np.array([length for _, length in self._seen])
        middle = float(np.median(lengths))
        # A handful tells how uneven the lengths are as badly as how many there are: two at once are two, rather than one of a longer kind.
        told = middle * (lengths / middle) ** (self.count / (self.count + _LENGTHS))
        every = (self.seconds + _PRIOR) / (self.count + 1) * float(told.mean() / lengths.mean())
        every = float(np.exp(np.log(every) / evenness + np.log(period) * (1 - 1 / evenness)))
        unsure = np.sqrt((1 + 1 / self.count) / (self.count + 1) / evenness)
        return Law(every=every, unsure=float(unsure), evenness=evenness, lengths=tuple(told.tolist()))

    def _rhythm(self) -> tuple[float, float]:
        """Evenness, from the posterior of the gaps' shape: one over the mean of their squared scatter; and the mean gap, s.

        In a gap that was not looked at all the time a stall may be missing: where others were, it counts as as many of those as fit."""
        if len(self._gaps) < _RHYTHM:
            return 1.0, 1.0
        whole = [gap for gap, seen in self._gaps if seen]
        usual = float(np.median(whole)) if whole else float("inf")
        gaps = np.array([gap if seen else gap / max(1, round(gap / usual)) for gap, seen in self._gaps])
        due = self.seconds / gaps.mean()
        if abs(self.count - due) > 1 + _OUT * due:
            return 1.0, 1.0
        relative = gaps / gaps.mean()
        each = np.array([k * log(k) - lgamma(k) for k in _SHAPES])
        likelihood = (_SHAPES - 1) * np.log(relative).sum() - _SHAPES * relative.sum() + len(gaps) * each
        likelihood += np.log(np.where(_SHAPES == 1, _AT_RANDOM, (1 - _AT_RANDOM) / (len(_SHAPES) - 1)))
        weight = np.exp(likelihood - likelihood.max())
        return float(weight.sum() / (weight / _SHAPES).sum()), float(gaps.mean())

    @property
    def spread(self) -> float:
        """Relative standard deviation that too few stalls for a law bring into the capacity: of a number that is one more than was seen,
        for where few were seen there may well be more."""
        if not self.count or not self.seconds:
            return 0.0
        return _COST * float(np.sqrt(self.square * (1 + 1 / self.count))) / self.seconds
