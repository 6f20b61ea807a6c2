"""In: the breaking point, the campaign's peak, and how far the run can be trusted. Out: one of three verdicts, and the one reason for it.

Nothing is green because data is missing: `ready` needs a load at or above the peak that held, `not_ready` a break at or below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.analysis.search.generator import ACHIEVED
from harness.result import BreakingPoint, Generator, Verdict

Reason = Literal[
    "holds",  # the whole interval is at or above the peak
    "breaks",  # the whole interval is below the peak
    "baseline",  # broken at the lowest load already
    "straddles",  # the interval has the peak inside
    "rehearsal",  # the interval is above the peak, but the peak itself was played and broke a promise
    "not_pushed",  # held everything that was offered, which was less than the peak
    "generator",  # our own machines were late or could not send
    "counting",  # the books do not balance
    "stopped",  # cut short before it could tell
    "no_data",  # too little was measured
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    verdict: Verdict
    reason: Reason


def judge(
    point: BreakingPoint,
    peak: float,
    generator: Generator,
    *,
    requests: int,
    unbalanced: bool,
    stopped_early: bool,
    failed_rehearsal: bool = False,
    unmeasured: bool = False,
) -> Judgement:
    """The verdict for a campaign with this peak (visitors/s).

    A generator that ran late makes answers look slower than they are: what held, held; a break is then not the site's for certain.
    `failed_rehearsal`: the peak itself was played and broke a promise; then an interval above it is not believed.
    `unmeasured`: a promise has no number, as after a few seconds; then nothing is ready.
    A generator that dropped arrivals offered less than it says: then nothing is certain.
    """
    if requests == 0:
        return Judgement(verdict="inconclusive", reason="stopped" if stopped_early else "no_data")
    if unbalanced:
        return Judgement(verdict="inconclusive", reason="counting")
    if generator.achieved_share is not None and generator.achieved_share < ACHIEVED:
        return Judgement(verdict="inconclusive", reason="generator")
    if point.status == "inconclusive":
        reason: Reason = "generator" if point.cause == "generator" else "stopped" if stopped_early else "no_data"
        return Judgement(verdict="inconclusive", reason=reason)
    if point.low is not None and point.low >= peak:
        if unmeasured:
            return Judgement(verdict="inconclusive", reason="stopped" if stopped_early else "no_data")
        return Judgement(verdict="inconclusive", reason="rehearsal") if failed_rehearsal else Judgement(verdict="ready", reason="holds")
    # A site broken at a lowest load that lies above a tiny campaign's peak has not been tried where it matters.
    beyond = point.high is not None and point.high >= peak
    broken = not beyond and (point.status == "broken_at_baseline" or point.high is not None)
    if broken and (point.cause == "generator" or _late(generator)):
        return Judgement(verdict="inconclusive", reason="generator")
    if broken:
        return Judgement(verdict="not_ready", reason="baseline" if point.status == "broken_at_baseline" else "breaks")
    if point.status == "not_reached":
        limited = point.cause == "generator" or not generator.healthy
        return Judgement(verdict="inconclusive", reason="stopped" if stopped_early else "generator" if limited else "not_pushed")
    return Judgement(verdict="inconclusive", reason="straddles")


def _late(generator: Generator) -> bool:
    """Whether the generator itself may have made the answers late. Lost workers alone do not: the others took over their share."""
    only_lost = generator.lost_workers and (generator.lag_p99_ms is None or generator.lag_p99_ms <= 10.0)
    return not generator.healthy and not only_lost
