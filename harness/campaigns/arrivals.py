"""In: a seed, the journeys' shares, and a dial that is turned while visitors arrive. Out: who is due when. Standard library only.

Arrival i belongs to a Poisson process of rate one, drawn from the seed alone: the same in every process, on every machine. It is due when
the integral of the dialled rate reaches its unit time, so a change of the dial moves the arrivals that are still to come and no others,
exactly, and the process stays Poisson at every rate (time change: Brown et al. 2002).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from random import Random


def arrivals(seed: int, shares: Sequence[float], *, stream: str = "visitors") -> Iterator[tuple[float, int]]:
    """Endless (unit time, journey number) for arrival 0, 1, 2…: gaps Exp(1), journeys drawn in proportion to `shares`.

    Another `stream` of the same seed is independent of this one (security scanners have their own). About half a microsecond each.
    Raises `ValueError` when no share is positive or one is negative.
    """
    if not shares or min(shares) < 0 or not math.isfinite(sum(shares)) or sum(shares) <= 0:
        raise ValueError(f"the journeys' shares {tuple(shares)} must not be negative, and one must be above 0")
    whole = math.fsum(shares)
    bounds: list[float] = []
    reached = 0.0
    for share in shares:
        reached += share / whole
        bounds.append(reached)
    last = max(j for j, share in enumerate(shares) if share > 0)
    return _endless(Random(f"{seed}/{stream}"), bounds[:last])


def _endless(random: Random, bounds: list[float]) -> Iterator[tuple[float, int]]:
    draw, log, at = random.random, math.log, 0.0
    if not bounds:
        while True:
            at -= log(1.0 - draw())
            draw()  # the journey's number, so that times do not depend on how many journeys there are
            yield at, 0
    while True:
        at -= log(1.0 - draw())
        yield at, bisect_right(bounds, draw())


class Dial:
    """The rate that is asked for, piecewise constant in time: turns unit times into due times and back.

    Before the first `set` the rate is zero. Times are seconds on one clock of the caller's choice; rates are arrivals per second.
    """

    __slots__ = ("_rates", "_reached", "_times")

    def __init__(self) -> None:
        self._times: list[float] = [-math.inf]
        self._reached: list[float] = [0.0]  # the integral at each time
        self._rates: list[float] = [0.0]

    def set(self, t: float, rate: float) -> None:
        """From `t` on the rate is `rate`. Whatever was set for `t` or later is forgotten; what lies before `t` stays as it was."""
        if not (math.isfinite(t) and math.isfinite(rate) and rate >= 0):
            raise ValueError(f"the dial cannot be set to {rate} per second at {t} s: both must be finite and the rate at least 0")
        reached = self.integral(t)
        while len(self._times) > 1 and self._times[-1] >= t:
            self._times.pop()
            self._reached.pop()
            self._rates.pop()
        if rate != self._rates[-1]:
            self._times.append(t)
            self._reached.append(reached)
            self._rates.append(rate)

    def rate(self, t: float) -> float:
        """The rate that holds at `t`."""
        return self._rates[bisect_right(self._times, t) - 1]

    def integral(self, t: float) -> float:
        """How much unit time has passed at `t`: the expected number of arrivals so far."""
        i = bisect_right(self._times, t) - 1
        if i == 0:
            return 0.0
        return self._reached[i] + self._rates[i] * (t - self._times[i])

    def due(self, unit_time: float) -> float | None:
        """When the arrival of this unit time (≥ 0) is due as the dial stands now; None while the dial never gets there."""
        reached = self._reached
        i = len(reached) - 1
        if unit_time < reached[i]:
            i = bisect_right(reached, unit_time) - 1
        rate = self._rates[i]
        if rate > 0.0:
            return self._times[i] + (unit_time - reached[i]) / rate
        return None
