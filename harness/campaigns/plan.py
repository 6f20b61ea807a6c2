"""The vocabulary of campaigns: `ArrivalPlan`, when visitors come; `Timeline` and `Moment`, what they make. Pure values, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
class Stay:
    """How an audience that watches leaves, beyond its journey's own duration: see `kept` and `until`."""

    first: float  # share that leaves evenly within the first `within` seconds
    within: float  # s
    hazard: float  # per second, after that
    until: float  # plan second of the event's end
    leave: float  # s that the last ones take to leave after it
    drop_at: float | None = None  # plan second at which the stream fails
    drop_share: float = 0.0  # of those watching then, who lose it and come back as `ArrivalPlan.returning`

    def kept(self, age: Curve) -> Curve:
        """The share of viewers still there `age` seconds (≥ 0) after joining, had the event no end."""
        age = np.asarray(age, dtype=float)
        early = 1.0 - self.first * np.minimum(age / self.within, 1.0)
        return np.asarray(early * np.exp(-self.hazard * np.maximum(age - self.within, 0.0)))


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
    stay: Stay | None = None  # for events: how viewers leave
    returning: Curve | None = None  # visits/s by people counted before: a player that is back, a countdown that ended
    hits: Curve | None = None  # single requests/s by such people: a player's failed attempt, a click on the closing link

    @property
    def starts(self) -> datetime | None:
        """The clock time of `zero`."""
        return self.clock_time(self.zero)

    def clock_time(self, second: float) -> datetime | None:
        """The clock time of a plan second, in the zone of `origin`: a night in which the clocks change is as long as it is."""
        if self.origin is None:
            return None
        return (self.origin.astimezone(UTC) + timedelta(seconds=second)).astimezone(self.origin.tzinfo)

    @property
    def visits(self) -> Curve:
        """Visits/s that the site sees, scanners not counted: new visitors and those who come back."""
        return self.visitors if self.returning is None else self.visitors + self.returning

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
    visitors_per_second: float  # visits that begin at this very moment, per second: equal to `peak` unless an audience stays or comes back
    scanners_per_second: float
    concurrent: float  # visitors present at this moment
    peak_concurrent: float  # and at most, over the whole campaign
    requests_per_second: (
        float  # expected at this moment, page assets counted as one request each page; measured, not this, is what is reported
    )
    dwelling: dict[tuple[int, int], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The whole campaign at its own size, as expected values on common `times` (plan seconds)."""

    times: Curve
    visitors: Curve  # arrivals/s
    scanners: Curve  # arrivals/s
    concurrent: Curve  # visitors present
    requests: Curve  # requests/s, scanners included
