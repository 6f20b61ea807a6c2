"""In: the last windows while the load rises. Out: whether the site has given way, and how: a line, late answers, or failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from harness.analysis.search.asked import Asked
from harness.analysis.search.beats import Beats
from harness.analysis.search.belief import Belief
from harness.analysis.search.meter import Reading

Alarm = Literal["late", "line", "failures"]
_LINE = 0.25  # of the latency limit: so long a wait, by Little's law, is a line
_SURE = 6.0  # standard deviations of the number in flight without a line


def alarm(readings: Sequence[Reading], beats: Beats, belief: Belief, asked: Asked, *, trusted: bool = True) -> Alarm | None:
    """Looks at the last two windows. A line is looked for in all requests and in each sample, so that a narrow step is not hidden by the
    others; in a window in which our own machine was late (not `trusted`) what is under way may be its own bunching."""
    decided, late, failed = (beats.total(name, 2) for name in ("all_decided", "all_late", "failed"))
    usual = max(min(asked.late), belief.mix.calm_late(belief.everything, 0)) * decided
    if decided >= 10 and late > max(0.2 * decided, usual + 4 * np.sqrt(usual)):
        return "late"
    in_flight = readings[-1].in_flight
    rates = np.sum([r.sent for r in readings], axis=0) / sum(r.seconds for r in readings)
    counts = np.append(in_flight, in_flight.sum())
    rate = np.append(rates, rates.sum())
    calm = np.append(belief.mix.calm(), belief.queue.calm)
    without = rate * calm
    wait = _LINE * np.maximum(asked.limit - calm, 0.2 * asked.limit)
    if trusted and np.any(counts > without + np.maximum(rate * wait, _SURE * np.sqrt(without) + 5)):
        return "line"
    if failed >= 3 and failed > 3 * max(asked.failing, 0.01) * max(decided, 1):
        return "failures"
    return None
