"""In: `Measured`, last time's visitors by interval. Out: `ArrivalPlan`: the same curve again, scaled.

Each interval's visitors come evenly over it: exact in its counts, and silent about what happened inside an interval. The finer the export,
the truer the peak; an hourly export hides a minute's peak that may be several times higher.
"""

from __future__ import annotations

import numpy as np

from harness.campaigns.curve import JUMP
from harness.campaigns.plan import ArrivalPlan, Phase
from harness.scenario.model import Measured


def plan(campaign: Measured) -> ArrivalPlan:
    """The plan of a measured curve. Plan second 0 is the first row's time; gaps between rows are empty.

    Raises `ValueError` without rows or when they overlap.
    """
    if not campaign.points:
        raise ValueError(f"{campaign.curve} holds no visitors")
    rows = np.asarray(campaign.points, dtype=float)
    start, end, count = rows.T
    if np.any(end <= start) or np.any(start[1:] < end[:-1] - 1e-6):
        raise ValueError(f"{campaign.curve}: the intervals must follow each other")
    rate = campaign.scale * count / (end - start)
    # Two points a row, drawn as steps: each step rises and falls within a microsecond.
    times = np.column_stack([start + JUMP / 2, end - JUMP / 2]).ravel()
    values = np.repeat(rate, 2)
    times = np.concatenate([[start[0] - JUMP / 2], times, [end[-1] + JUMP / 2]])
    values = np.concatenate([[0.0], values, [0.0]])
    gaps = np.flatnonzero(start[1:] > end[:-1] + JUMP)
    for row in gaps[::-1]:
        at = 2 * row + 3
        times = np.insert(times, at, [end[row] + JUMP / 2, start[row + 1] - JUMP / 2])
        values = np.insert(values, at, [0.0, 0.0])
    interval = float(np.median(end - start))
    return ArrivalPlan(
        times=times - times[0],
        visitors=values,
        scanners=np.zeros_like(values),
        zero=0.0,
        origin=campaign.starts,
        phases=(Phase(name="as measured", start=0.0, end=float(times[-1] - times[0])),),
        assumptions=(
            f"The curve of {campaign.curve} again"
            + (f", scaled by {campaign.scale:g}" if campaign.scale != 1 else "")
            + f": {len(rows):,} intervals of {interval:g} s. Peaks within an interval are not known: the real peak may be higher.",
        ),
    )
