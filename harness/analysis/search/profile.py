"""In: the name of a profile. Out: `Profile`, how long the search may last and how it divides its time. Seconds of load throughout."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Budgets, not timers: a search that is sure stops early. `estimate_seconds` is when the estimate is taken, counted from the first
    window."""

    name: str
    budget: float  # s, everything: estimate, confirmation, rehearsal, recovery
    estimate_seconds: float
    confirm_seconds: float
    rehearsal_seconds: float  # at the campaign's own peak, where the site carries it
    recovery_seconds: float  # at most, for watching the site come back
    baseline_seconds: float = 1.5
    growth: float = 1.5  # of the dial, per second, while exploring
    push: float = 0.04  # how far above the estimate the first part of the hold stands
    push_share: float = 0.55  # of the estimate's time
    drain_seconds: float = 15.0  # longer than this without coming back is "does not recover"
    minimum: float = 4.0  # requests/s: the slowest rate that still tells something within a second
    believe: float = 0.35  # an interval wider than this share of the estimate is printed as a bracket


QUICK = Profile(name="quick", budget=58.0, estimate_seconds=38.0, confirm_seconds=8.0, rehearsal_seconds=4.5, recovery_seconds=8.0)
FULL = Profile(
    name="full",
    budget=590.0,
    estimate_seconds=420.0,
    confirm_seconds=60.0,
    rehearsal_seconds=20.0,
    recovery_seconds=60.0,
    drain_seconds=45.0,
)
PROFILES = {profile.name: profile for profile in (QUICK, FULL)}
