"""In: a rate as a function of time. Out: the same rate as a short table, linear between its points, with its exact integral.

Everything that is planned passes through here, so that "linear in between" is true of every curve and every integral is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np

from harness.campaigns.plan import Curve

Rate = Callable[[Curve], Curve]

JUMP = 1e-6  # s: a jump in a rate is written as two points this far apart


def normal_cdf(z: Curve) -> Curve:
    """Φ(z) of the standard normal, by the C library's `erfc`: full double precision, also far out in the tails."""
    values = np.asarray(z, dtype=float) * -math.sqrt(0.5)
    return 0.5 * np.fromiter(map(math.erfc, values.ravel().tolist()), dtype=float, count=values.size).reshape(values.shape)


def lognormal_cdf(t: Curve, *, median: float, sigma: float) -> Curve:
    """P(delay ≤ t) of a lognormal delay; 0 for t ≤ 0. `median` in the unit of `t`."""
    late = np.asarray(t, dtype=float) > 0
    z = np.log(np.where(late, t, 1.0) / median) / sigma
    return np.where(late, normal_cdf(z), 0.0)


def jumps(*moments: float) -> tuple[float, ...]:
    """The marks that draw a jump at each of `moments`: a point just before and a point at it."""
    return tuple(mark for moment in moments for mark in (moment - JUMP, moment))


def tabulate(rates: Iterable[Rate], *, marks: Iterable[float], tolerance: float = 1e-3, finest: float = 0.05, most: int = 4000) -> Curve:
    """Times at which all of `rates`, joined by straight lines, lie within `tolerance` of the truth.

    `marks` are the start, the end and every kink or jump, in any order. An interval is halved while a rate at its middle or at its
    quarters is further from the straight line than `tolerance` × that rate (or than 1e-8 of the highest rate seen), unless
    it is shorter than `finest` seconds. Beyond `most` points the tolerance is tripled and the work begins again.
    """
    functions = tuple(rates)
    marked = np.unique(np.asarray(tuple(marks), dtype=float))
    start = np.unique(np.concatenate([np.linspace(a, b, 5) if b - a > 100 * JUMP else np.array([a, b]) for a, b in pairwise(marked)]))
    while True:
        times = _refined(functions, start, tolerance, finest, most)
        if len(times) <= max(most, len(start)):
            return times
        tolerance *= 3


def _refined(functions: tuple[Rate, ...], times: Curve, tolerance: float, finest: float, most: int) -> Curve:
    values = [f(times) for f in functions]
    suspect = np.diff(times) > finest
    while suspect.any() and len(times) <= most:
        low, high = times[:-1][suspect], times[1:][suspect]
        bad = np.zeros(len(low), dtype=bool)
        for f, known in zip(functions, values, strict=True):
            floor = 1e-8 * float(known.max(initial=0.0))
            left, right = known[:-1][suspect], known[1:][suspect]
            for part in (0.25, 0.5, 0.75):
                truth = f(low + part * (high - low))
                line = left + part * (right - left)
                bad |= np.abs(truth - line) > tolerance * np.abs(truth) + floor
        middle = 0.5 * (low[bad] + high[bad])
        merged = np.concatenate([times, middle])
        order = np.argsort(merged, kind="stable")
        fresh = np.concatenate([np.zeros(len(times), dtype=bool), np.ones(len(middle), dtype=bool)])[order]
        values = [np.concatenate([known, f(middle)])[order] for f, known in zip(functions, values, strict=True)]
        times = merged[order]
        suspect = (fresh[:-1] | fresh[1:]) & (np.diff(times) > finest)
    return times


def thinned_out(times: Curve, rate: Curve, *, keep: Iterable[float] = (), tolerance: float = 1e-3) -> Curve:
    """The times that a table needs to keep: `rate` on them, joined by lines, stays within `tolerance` of the whole table.

    For rates that are only known as a long even table (a renewal equation's answer). Both ends, the peak and `keep` are always kept.
    """
    known: Rate = lambda t: np.interp(t, times, rate)  # noqa: E731
    finest = 2.0 * float(np.diff(times).min())
    peak = int(rate.argmax())
    near = times[max(0, peak - 2) : peak + 3]
    return tabulate((known,), marks=(times[0], times[-1], *near, *keep), tolerance=tolerance, finest=finest)


class Integral:
    """∫ of a table that is linear in between and zero outside: exact (piecewise quadratic), at any time, and its inverse."""

    def __init__(self, times: Curve, rate: Curve) -> None:
        self.times = np.asarray(times, dtype=float)
        self.rate = np.asarray(rate, dtype=float)
        self.steps = np.diff(self.times)
        self.slopes = np.diff(self.rate) / self.steps
        self.cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (self.rate[1:] + self.rate[:-1]) * self.steps)])
        self.total = float(self.cumulative[-1])

    def at(self, t: Curve | float) -> Curve:
        """The integral up to `t` (s): 0 before the first time, `total` after the last."""
        when = np.clip(np.asarray(t, dtype=float), self.times[0], self.times[-1])
        i = np.clip(np.searchsorted(self.times, when, side="right") - 1, 0, len(self.steps) - 1)
        d = when - self.times[i]
        return np.asarray(self.cumulative[i] + d * (self.rate[i] + 0.5 * self.slopes[i] * d))

    def rate_at(self, t: Curve | float) -> Curve:
        """The rate at `t`: zero outside the table."""
        return np.asarray(np.interp(np.asarray(t, dtype=float), self.times, self.rate, left=0.0, right=0.0))

    def inverse(self, sorted_amounts: Curve) -> Curve:
        """The time at which the integral reaches each of `sorted_amounts` (ascending, 0 ≤ amount ≤ total): exact.

        The root of a quadratic in the form that does not cancel. Done in place: five million amounts need two arrays of scratch.
        """
        u = np.asarray(sorted_amounts, dtype=float)
        counts = np.diff(np.searchsorted(u, self.cumulative[1:-1], side="left"), prepend=0, append=len(u))
        i = np.repeat(np.arange(len(self.steps)), counts)
        left = self.rate[i]
        y = u - self.cumulative[i]
        root = self.slopes[i]
        root *= y
        root *= 2.0
        root += left * left
        np.maximum(root, 0.0, out=root)
        np.sqrt(root, out=root)
        root += left
        y *= 2.0
        np.divide(y, root, out=y, where=root > 0.0)
        np.minimum(y, self.steps[i], out=y)
        y += self.times[i]
        return np.asarray(y)
