"""In: the busy seconds and answers of a site that has become slower, window after window. Out: `Wear`: how much slower it is now than on
average over the windows believed, when it becomes slower all the time (a leak) rather than once (a neighbour, a deploy).

A straight line through the seconds that an answer takes, over the answers given so far, against the best single step through the same:
whichever leaves less unexplained. Over ten minutes of a site that loses a fifth of its speed the line is clear; over one of a site that
loses a fiftieth nothing is, and nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.search.line import line

Floats = npt.NDArray[np.float64]
_NEEDED = 60  # windows with a line
_SURE = 4.0  # standard errors of the slope
_BUSY = 0.1  # s of a window


@dataclass(frozen=True, kw_only=True, slots=True)
class Wear:
    """`factor`: the speed of now over that of the believed windows, at most 1; `unsure`: its relative standard deviation."""

    factor: float
    unsure: float


NONE = Wear(factor=1.0, unsure=0.0)


def wear(seconds: Floats, answers: Floats, total: Floats, *, first: int, dispersion: float) -> Wear:
    """Per window since the start: busy `seconds`, the `answers` that came in them, and the `total` of all answers. `first`: the first
    window that is believed; `dispersion`: variance over mean of the answers."""
    given = np.cumsum(total)
    now = float(given[-1]) if len(given) else 0.0
    seen = (seconds > _BUSY) & (answers > 0)
    believed = np.flatnonzero(seen) >= first
    if seen.sum() < _NEEDED or not believed.any():
        return NONE
    weight, value, place = answers[seen], seconds[seen] / answers[seen], (given - 0.5 * total)[seen]
    found = line(place, value, weight)
    noise = max(found.scatter, max(dispersion, 1.0) * found.mean**2)
    error = float(np.sqrt(noise / found.square))
    if found.slope < _SURE * error or found.rest > _step(weight, value):
        return NONE
    about = float(np.average(place[believed], weights=weight[believed]))
    usual, latest = found.at(about), found.at(now)
    if usual <= 0:
        return NONE
    return Wear(factor=usual / latest, unsure=error * (now - about) / latest)


def _step(weight: Floats, value: Floats) -> float:
    """What the best single step leaves: the smallest weighted sum of squares about two means."""
    many, sums, squares = (np.cumsum(column) for column in (weight, weight * value, weight * value**2))
    before = squares[:-1] - sums[:-1] ** 2 / many[:-1]
    left, come, rest = many[-1] - many[:-1], sums[-1] - sums[:-1], squares[-1] - squares[:-1]
    return float((before + rest - come**2 / left).min())
