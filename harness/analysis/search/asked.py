"""In: the scenario's promises. Out: `Asked`, the same as limits that a search can hold a site to.

A failed response is never in time, so a latency promise of 95 % also bounds the failures at 5 %; the tighter bound holds. Where no promise
is about time, requests that take longer than PATIENCE are what will fail: that is the limit then.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.scenario.model import Promise

PATIENCE = 10.0  # s


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """`limits` (s) and `late` (shares allowed later than that) run in parallel with `latency`, the promises they come from."""

    limits: tuple[float, ...]
    late: tuple[float, ...]
    latency: tuple[Promise, ...]
    failing: float  # share of responses that may fail
    failing_promise: Promise

    @property
    def limit(self) -> float:
        """The tightest time limit, s: what the controller watches."""
        return min(self.limits)


def asked(promises: tuple[Promise, ...]) -> Asked:
    """Raises ValueError without a single promise."""
    if not promises:
        raise ValueError("a search needs at least one promise")
    latency = tuple(p for p in promises if p.kind == "latency")
    bounds = [(p.limit, p) for p in promises if p.kind == "errors"] + [(1 - p.share, p) for p in latency]
    failing, promise = min(bounds, key=lambda bound: bound[0])
    if not latency:
        return Asked(limits=(PATIENCE,), late=(failing,), latency=(promise,), failing=failing, failing_promise=promise)
    return Asked(
        limits=tuple(p.limit for p in latency),
        late=tuple(max(1 - p.share, 0.001) for p in latency),
        latency=latency,
        failing=max(failing, 0.001),
        failing_promise=promise,
    )
