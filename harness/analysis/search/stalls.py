"""In: the raw windows of a `Meter`. Out: how often and how long the whole site stood still (a collection of garbage, a checkpoint, a lock).

A stall is a gap in which requests went on being sent and none was answered, many times longer than gaps are at the rate of answers just
before. A handful a minute decides what a site carries, and a test sees only a handful: how many it happened to see is the largest part of
what it cannot know.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from harness.analysis.search.meter import Floats, Meter

_SHORTEST = 0.1  # s
_MISSING = 12.0  # answers that the gap has room for: one gap in e^12 is so long by chance
_BEHIND = 10  # requests sent into it
_LOADED = 40.0  # requests/s at which a stall would be seen
_RECENT = 4  # windows that say how fast answers come
_COST = 3.75  # measured on simulated stalls of 0.2 to 0.4 s: a share f of the time standing still costs so many f of the capacity


class Stalls:
    """`seconds` looked at, and the stalls in them."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._rates: deque[float] = deque(maxlen=_RECENT)
        self._last = float("nan")  # when the last good answer came, s
        self.seconds = 0.0
        self.count = 0
        self.square = 0.0  # s², of their lengths

    def watch(self, *, trusted: bool) -> None:
        """Looks at the newest window, unless our own machine was late in it."""
        raw = self._meter.raw(0)
        ends = np.sort(raw.done_end[raw.good])
        usual = float(np.mean(self._rates)) if self._rates else 0.0
        seconds = raw.end - raw.start
        if trusted and len(raw.sent) >= _LOADED * seconds:
            self.seconds += seconds
            if usual > 0 and len(ends):
                self._look(np.concatenate([[self._last], ends]), raw.sent, usual)
        if len(ends):
            self._last = float(ends[-1])
            self._rates.append(len(ends) / seconds)

    def _look(self, ends: Floats, sent: Floats, usual: float) -> None:
        gaps = np.diff(ends)
        for at in np.flatnonzero(gaps > max(_SHORTEST, _MISSING / usual)):
            begin, end = ends[at], ends[at + 1]
            behind = float(((sent > begin) & (sent < end)).sum())
            if behind >= _BEHIND * min(1.0, (end - max(begin, sent.min())) / max(end - begin, 1e-9)) and behind >= _BEHIND / 2:
                self.count += 1
                self.square += float(end - begin - 1 / usual) ** 2

    @property
    def spread(self) -> float:
        """Relative standard deviation that their number brings into the capacity: of a number that is one more than was seen, for where few
        were seen there may well be more."""
        if not self.count:
            return 0.0
        return _COST * float(np.sqrt(self.square * (1 + 1 / self.count))) / self.seconds

    def dispersion(self, rate: float) -> float:
        """Variance over mean that they add to the answers of a busy site of this rate, 1/s."""
        return rate * self.square / self.seconds if self.seconds > 0 else 0.0
