"""In: `ArrivalPlan`, `Moment` and the scenario. Out: the plan's curves in blocks for a terminal, and the stretch that is worth drawing."""

from __future__ import annotations

import math

import numpy as np

from harness.campaigns.moment import timeline
from harness.campaigns.plan import ArrivalPlan, Curve, Moment
from harness.campaigns.words import START, rate, spell
from harness.scenario.model import Scenario

BLOCKS = " ▁▂▃▄▅▆▇█"
NAMES = ("visits/s", "requests/s")


def window(plan: ArrivalPlan, columns: int, *include: float) -> Curve:
    """Edges of `columns` equal stretches around the peak: where arrivals are above 6 % of it, with the plan seconds to `include`."""
    high = np.flatnonzero(plan.visitors >= 0.06 * plan.peak)
    low, end = min(float(plan.times[high[0]]), *include, math.inf), max(float(plan.times[high[-1]]), *include, -math.inf)
    margin = 0.04 * max(end - low, 60.0)
    return np.linspace(low - margin, end + margin, columns + 1)


def highest(times: Curve, values: Curve, edges: Curve) -> Curve:
    """The highest rate within each stretch, so that a summit of seconds is not flattened in a picture of days."""
    at = np.unique(np.concatenate([edges, times[(times > edges[0]) & (times < edges[-1])]]))
    heights = np.interp(at, times, values, left=0.0, right=0.0)
    first = np.searchsorted(at, edges)
    return np.asarray(np.maximum(np.maximum.reduceat(heights, first[:-1]), heights[first[1:]]))


def curves(plan: ArrivalPlan, moment: Moment, scenario: Scenario, *, width: int = 60) -> tuple[str, ...]:
    """Three lines: visits/s and requests/s as `width` blocks, each with its highest value, and the marks of time below them.

    Each block is the highest value of its stretch. Single requests outside a visit are in the second curve. Nothing to draw, no lines.
    """
    if plan.peak <= 0:
        return ()
    whole = timeline(plan, scenario)
    edges = window(plan, width, moment.at, float(whole.times[int(whole.requests.argmax())]))
    lines = []
    for name, times, values in zip(NAMES, (plan.times, whole.times), (plan.visits, whole.requests), strict=True):
        heights = highest(times, values, edges)
        levels = np.ceil(heights / max(float(heights.max()), 1e-300) * (len(BLOCKS) - 1) - 1e-9).astype(int)
        lines.append(f"{name:10s} {''.join(BLOCKS[k] for k in levels)} up to {rate(float(heights.max()))}")
    left, right = (f"{'−' if t < plan.zero else '+'}{spell(abs(t - plan.zero))}" for t in (edges[0], edges[-1]))
    middle = f"from {START[scenario.campaign.type]}"
    between = width - len(left) - len(right)
    return (*lines, " " * 11 + left + middle.center(between) + right)
