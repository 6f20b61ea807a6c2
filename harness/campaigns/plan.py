"""The vocabulary of campaigns: `ArrivalPlan`, when visitors come, and `Moment`, its hardest moment. Pure values, no clock, no randomness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """A named stretch of the campaign, in seconds of the plan: "doors open", "the mail goes out"."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrivalPlan:
    """Planned arrivals: visitors/s at `times` (s from the plan's start), linear in between, zero outside.

    `scanners` is the rate of security scanners on the same times: never counted as visitors nor as money. `origin` is the
    clock time of plan second 0 where the scenario names one. `zero` is the plan second that people call the start (the first mail,
    the webcast's hour, the post).
    """

    times: Curve
    visitors: Curve
    scanners: Curve
    zero: float
    origin: datetime | None
    phases: tuple[Phase, ...]
    assumptions: tuple[str, ...]  # sentences, each with its source

    @property
    def total(self) -> float:
        """Expected visitors of the whole campaign, scanners not counted."""
        return float(np.trapezoid(self.visitors, self.times))

    @property
    def peak(self) -> float:
        """Highest planned rate, visitors/s."""
        return float(self.visitors.max())

    @property
    def peak_at(self) -> float:
        """When the rate is highest, in plan seconds."""
        return float(self.times[int(self.visitors.argmax())])


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """The campaign's hardest moment: the one that the surge rehearses, and whose multiple is the breaking point.

    All rates are at the campaign's own size (multiple 1). `dwelling[(journey, step)]` is how many visitors are inside that think or
    watch step at this moment: the surge starts with them in place, spread over the step, so that a level is measured
    in its steady state at once (Little's law for short pauses; the standing audience for a webcast).
    """

    at: float  # plan seconds
    peak: float  # the campaign's peak arrival rate, visitors/s: the unit of the dial
    visitors_per_second: float  # arrivals at this very moment, visitors/s: equal to `peak` unless an audience stays
    scanners_per_second: float
    concurrent: float  # visitors present at this moment
    peak_concurrent: float  # and at most, over the whole campaign
    requests_per_second: float  # expected at this moment, page assets counted as one request each page; measured, not this, is what is reported
    dwelling: dict[tuple[int, int], float]
