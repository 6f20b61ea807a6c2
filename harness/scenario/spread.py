"""In: how long a pause or a visit lasts, as people say it ("5 s to 20 s", "20 min", "about 8 s"). Out: `Spread`, a law of durations.

A spread draws lengths, and residual lengths for a visitor who is met in the middle of a pause (the stationary residual life of a
renewal process, density (1 − F(x)) / mean; Cox, Renewal Theory, 1962, ch. 5): a visitor met at random stands in a length-biased
pause, uniformly far in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from random import Random

SIGMA = 1.1  # of the natural logarithm: think times on the web are skewed to the right, a few very long (assumed; see `Spread.about`)
CAP = 15.0  # an "about" is cut at so many medians: 8 s never becomes more than 2 min
_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A law of durations in seconds. `low` and `high` are its bounds; `median`, `sigma` and `cap` matter to `lognormal` alone."""

    kind: Literal["fixed", "uniform", "lognormal"]
    low: float
    high: float
    median: float = 0.0
    sigma: float = 0.0

    @classmethod
    def fixed(cls, seconds: float) -> Spread:
        """Always the same length."""
        return cls(kind="fixed", low=seconds, high=seconds, median=seconds)

    @classmethod
    def uniform(cls, low: float, high: float) -> Spread:
        """Every length between `low` and `high` seconds alike."""
        if low == high:
            return cls.fixed(low)
        return cls(kind="uniform", low=low, high=high, median=(low + high) / 2)

    @classmethod
    def about(cls, seconds: float) -> Spread:
        """Lognormal with this median, sigma 1.1, cut at 15 medians ("about 8 s": mean near 14 s, never above 2 min).

        The law is well supported (individual browsing is lognormal: Meiss et al. 2009; page dwell times have a long tail: Liu, White and
        Dumais 2010); the scale is an assumption.
        """
        return cls(kind="lognormal", low=0.0, high=CAP * seconds, median=seconds, sigma=SIGMA)

    @property
    def cap(self) -> float:
        """No draw is longer than this, in seconds."""
        return self.high

    @cached_property
    def mean(self) -> float:
        """Expected length in seconds."""
        if self.kind != "lognormal":
            return (self.low + self.high) / 2
        return self._below_cap + self.high * self._at_cap

    def draw(self, u: float) -> float:
        """The length in seconds below which a share `u` (0 ≤ u < 1) of all lengths lies: one uniform number gives one length."""
        if self.kind == "fixed":
            return self.low
        if self.kind == "uniform":
            return self.low + u * (self.high - self.low)
        return min(self.high, self.median * math.exp(self.sigma * _quantile(u)))

    def sample(self, random: Random) -> float:
        """A length in seconds."""
        return self.draw(random.random())

    def residual(self, random: Random) -> float:
        """What is left, in seconds, for a visitor who is met in mid-step."""
        return random.random() * self._length_biased(random.random())

    def _length_biased(self, u: float) -> float:
        """A length drawn with a weight in proportion to itself: long pauses are met more often than short ones."""
        if self.kind == "fixed":
            return self.low
        if self.kind == "uniform":
            return math.sqrt(self.low**2 + u * (self.high**2 - self.low**2))
        below = self._below_cap / self.mean
        if u >= below:
            return self.high
        bound = _NORMAL.cdf(math.log(self.high / self.median) / self.sigma - self.sigma)
        return min(self.high, self.median * math.exp(self.sigma**2 + self.sigma * _quantile(u / below * bound)))

    @cached_property
    def _at_cap(self) -> float:
        """Share of lengths that are cut at the cap."""
        return _NORMAL.cdf(-math.log(self.high / self.median) / self.sigma)

    @cached_property
    def _below_cap(self) -> float:
        """E[X; X below the cap] of the lognormal, in seconds."""
        bound = _NORMAL.cdf(math.log(self.high / self.median) / self.sigma - self.sigma)
        return self.median * math.exp(self.sigma**2 / 2) * bound

    def __str__(self) -> str:
        if self.kind == "lognormal":
            return f"about {duration_text(self.median)}"
        if self.kind == "fixed":
            return duration_text(self.low)
        return f"{duration_text(self.low)} to {duration_text(self.high)}"


def _quantile(u: float) -> float:
    """Standard normal quantile, with the two ends of the unit interval pulled in so that 0 is a number and not an error."""
    return _NORMAL.inv_cdf(min(max(u, 1e-12), 1 - 1e-12))


def duration_text(seconds: float) -> str:
    """Seconds as a person would write them, exactly: 5400 is "1 h 30 min", 0.8 is "800 ms", 90 is "1 min 30 s"."""
    if seconds == 0:
        return "0 s"
    milliseconds = round(seconds * 1000, 6)
    if milliseconds != int(milliseconds):
        written, unit = (repr(milliseconds), "ms") if seconds < 1 else (repr(round(seconds, 9)), "s")
        return f"{written}0 {unit}" if len(written.rpartition(".")[2]) == 3 else f"{written} {unit}"  # 1.125 could be read in two ways
    rest, parts = int(milliseconds), []
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")):
        whole, rest = divmod(rest, size)
        if whole:
            parts.append(f"{whole} {unit}")
    return " ".join(parts)
