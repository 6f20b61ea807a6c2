"""In: values with a place and a weight. Out: `Line`, the straight line through them by weighted least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """`mean`: the value at `middle`, the place of the weight; `square`: the weight's sum of squares about it; `rest`: the weighted sum of
    squares that the line leaves; `scatter`: that, for each value beyond the two that a line needs."""

    middle: float
    mean: float
    slope: float
    square: float
    rest: float
    scatter: float

    def at(self, place: float) -> float:
        """The value there."""
        return self.mean + self.slope * (place - self.middle)


def line(place: Floats, value: Floats, weight: Floats) -> Line:
    """Of more than two values."""
    middle, mean = float(np.average(place, weights=weight)), float(np.average(value, weights=weight))
    square = max(float((weight * (place - middle) ** 2).sum()), 1e-9)
    slope = float((weight * (place - middle) * (value - mean)).sum()) / square
    rest = float((weight * (value - mean - slope * (place - middle)) ** 2).sum())
    return Line(middle=middle, mean=mean, slope=slope, square=square, rest=rest, scatter=rest / (len(value) - 2))
