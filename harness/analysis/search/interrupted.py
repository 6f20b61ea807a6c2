"""In: how fast a site answers between its stalls, and the law of its stalls. Out: the share of that speed which it carries: `carried`.

Whoever comes now waits for the work before him and for what is left of a stall. That wait V is a random walk reflected at 0 (a Lévy
process without negative jumps; Asmussen, Applied Probability and Queues, 2003): it rises by arrivals and falls by one second a second, with
the noise of both, and a stall lifts it by its whole length at its first moment. A stall that begins while he waits is added to it. A few
stalls a minute are far from any diffusion's limit: how many of them a minute happens to have decides, so plateaus of a minute are walked
through, and the share carried is the one at which half of them keep the demand.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from harness.analysis.search.queueing import PLATEAU, Demand
from harness.analysis.search.stalls import Law

Walks = npt.NDArray[np.float32]

_STEP = 0.04  # s
_SETTLE = 20.0  # s before the minute is judged
_PATHS = 128
_STEPS = round((_SETTLE + PLATEAU) / _STEP)
_BETWEEN = 0.5826  # a walk looked at in steps misses so many standard deviations of a step (Asmussen, Glynn and Pitman, 1995)
_LEAST, _MOST = 0.1, 1.0
_HALVINGS = 4


def carried(law: Law, *, speed: float, dispersion: float, burstiness: float, calm: float, demand: Demand) -> float:
    """The share of `speed` (answers/s of the busy site outside its stalls) that it carries for a minute in half of the cases.

    `dispersion`, `burstiness`: variance over mean of answers and arrivals, stalls apart; `calm`, s: an answer without load. Always the
    same paths; ten to thirty milliseconds.
    """
    ahead = round(demand.limit / _STEP)
    begun, coming = _stalls(law, ahead)
    clock = (np.arange(1, _STEPS + 1) * _STEP).astype(np.float32)
    judged = round(_SETTLE / _STEP)

    def late(share: float) -> float:
        """The late share of the middle one of the minutes."""
        noise = float(np.sqrt(share * (burstiness + dispersion) / speed))
        free = np.float32(noise * np.sqrt(_STEP)) * _noise() + np.float32(share - 1) * clock + begun
        wait = free - np.minimum(np.minimum.accumulate(free, axis=1), 0) + coming + np.float32(_BETWEEN * noise * np.sqrt(_STEP))
        lateness = np.exp(np.minimum(wait[:, judged:] - np.float32(demand.limit), 0) / np.float32(max(calm, 1e-3)))
        return float(np.median(lateness.mean(axis=1)))

    low, high = _LEAST, _MOST
    below, above = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        share = late(middle)
        if share <= demand.late:
            low, below = middle, share
        else:
            high, above = middle, share
    place = np.log(demand.late / max(below, 1e-4)) / np.log(max(above, 1e-3) / max(below, 1e-4))
    return low + (high - low) * float(np.clip(place, 0.0, 1.0))


@cache
def _noise() -> Walks:
    """Standard Brownian paths, at whole steps of unit variance."""
    steps = np.random.default_rng(60).standard_normal((_PATHS, _STEPS)).astype(np.float32)
    walks: Walks = np.cumsum(steps, axis=1, dtype=np.float32)
    return walks


def _stalls(law: Law, ahead: int) -> tuple[Walks, Walks]:
    """For each step of each path: seconds of stall that have begun by then, and seconds of stalls yet to begin that fall into the next
    `ahead` steps."""
    random = np.random.default_rng(61)
    steps = _STEPS + ahead
    count = int(2 * steps * _STEP / law.every + 20)
    gaps = random.gamma(law.evenness, law.every / law.evenness, (_PATHS, count))
    gaps[:, 0] *= random.random(_PATHS)
    begins = (np.cumsum(gaps, axis=1) / _STEP).astype(np.int64)
    lengths = random.choice(np.array(law.lengths), (_PATHS, count))
    path, which = np.nonzero(begins < steps)
    place = path * steps + begins[path, which]
    begun = np.cumsum(np.bincount(place, weights=lengths[path, which], minlength=_PATHS * steps).reshape(_PATHS, steps), axis=1)
    clock = np.arange(1, steps + 1) * _STEP
    left = begun - clock - np.minimum(np.minimum.accumulate(begun - clock, axis=1), 0)
    over = begun - left
    coming = over[:, ahead:] - begun[:, :_STEPS]
    return begun[:, :_STEPS].astype(np.float32), np.maximum(coming, 0).astype(np.float32)
