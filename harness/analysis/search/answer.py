"""In: the estimator and what the search saw. Out: `BreakingPoint`, in visitors/s, with its interval, cause and recovery."""

from __future__ import annotations

import numpy as np

from harness.analysis.search.asked import Asked
from harness.analysis.search.belief import Belief
from harness.analysis.search.cause import Harm
from harness.analysis.search.estimator import Estimator, Interval
from harness.analysis.search.facts import Facts
from harness.analysis.search.meter import MIDDLE
from harness.campaigns.plan import Moment
from harness.result import AnswerCurve, BreakingPoint

_RISING = 1.10  # a site that still becomes faster: so much further may its capacity go
_CONFIRMED = 3.0  # s: a shorter hold confirms nothing


class Answer:
    """Words and numbers of the answer."""

    def __init__(self, *, asked: Asked, moment: Moment, belief: Belief, harm: Harm, facts: Facts, believe: float) -> None:
        self._asked, self._moment, self._believe = asked, moment, believe
        self._belief, self._harm, self._facts = belief, harm, facts

    def breaking_point(self, *, estimate: float) -> BreakingPoint:
        """`estimate` is a dial, NaN when the site was never brought to its limit."""
        facts, belief = self._facts, self._belief
        if facts.broken_at_baseline:
            detail = "Most requests failed or were late at the quietest rate."
            return self._none("broken_at_baseline", cause=self._harm.failing() or "slow", detail=detail, first_step=self._harm.first_step())
        if not np.isfinite(estimate):
            return self._not_reached()
        if facts.generator:
            return self._none("inconclusive", cause="generator", detail=f"The load generator itself was the limit: {facts.generator}.")
        if self._harm.answered < 20 or self._harm.answered < 0.05 * self._harm.decided:
            return self._none("broken_at_baseline", cause=self._harm.failing() or "slow", detail="Hardly any request was answered well.")
        share, count = belief.mix.calm_late(belief.everything, 0), belief.mix.calm_decided
        if "rose" not in belief.drift and count > 200 and share - 3 * np.sqrt(share / count) > 1.3 * self._asked.late[0]:
            detail = f"Even at a quiet rate {100 * share:.0f} % of the responses came too late."
            return self._none("broken_at_baseline", cause="slow", detail=detail, first_step=self._harm.first_step())
        if not np.isfinite(belief.dial):
            held = facts.held(3.0) or 0.0  # it broke, but never while the dial stood still: what was held is the better witness
            return self._found(max(estimate, held), min(max(held, 0.8 * estimate), estimate), 1.5 * max(estimate, held), "bracket")
        low, high, contradicted = self._contradictions(belief.interval())
        falling = belief.fit is not None and belief.fit.falling
        model = "errors" if belief.by_failures else "collapse" if falling else "queue"
        if contradicted:
            model = "bracket"
        if (high - low) / estimate > 2 * self._believe:
            model = "bracket"
        return self._found(estimate, low, high, model)

    def flags(self, estimate: float) -> tuple[str, ...]:
        """Kinds of doubt about the answer."""
        belief, facts = self._belief, self._facts
        found = sorted(belief.drift)
        if self._still_rising():
            found.append("still_rising")
        if belief.hidden is not None and belief.hidden.found:
            found.append("several_paths")
        if facts.recovered is False:
            found.append("not_recovered")
        if np.isfinite(estimate) and not any(p.phase == "confirm" and p.seconds >= _CONFIRMED for p in facts.plateaus):
            found.append("no_plateau")
        if np.isfinite(estimate) and np.isfinite(belief.dial) and self._contradictions(belief.interval())[2]:
            found.append("model_vs_evidence")
        return tuple(found)

    def _still_rising(self) -> bool:
        """Whether the site became faster until the end: its capacity is higher than what was seen of it."""
        return self._facts.passed is not None or ("rose" in self._belief.drift and self._belief.lately_moved(24))

    def _contradictions(self, interval: Interval) -> tuple[float, float, bool]:
        """The interval, widened to hold what was plainly seen; and whether it had to be."""
        low, high, belief = interval.low, interval.high, self._belief
        if self._still_rising():
            high *= _RISING
        rises, high = high, max(high, _RISING * (self._facts.passed or 0.0))
        for plateau in self._facts.plateaus:
            if plateau.phase not in ("hold", "confirm") or plateau.began < belief.since:
                continue
            # An overload of a share d shows as late answers only after limit / d seconds: held shorter, it proves nothing.
            hidden = 2 * self._asked.limit / plateau.seconds
            told = plateau.seconds >= 10 and belief.queue.wear == 1  # what wears has held more, once
            if told and plateau.dial > high * (1 + hidden) and plateau.holds(self._asked):
                high = 1.02 * plateau.dial
            if plateau.seconds >= 8 and plateau.dial < low and plateau.fails(self._asked):
                low = 0.98 * plateau.dial
        return low, high, (low, high) != (interval.low, rises)

    # ------------------------------------------------------------------ forms of the answer
    def _found(self, dial: float, low: float, high: float, model: str) -> BreakingPoint:
        peak, belief, facts = self._moment.peak, self._belief, self._facts
        present = belief.mix.concurrent()
        cause, detail = self._cause()
        promise = self._asked.failing_promise if belief.by_failures else self._asked.latency[belief.queue.demand]
        return BreakingPoint(
            status="found",
            visitors_per_second=dial,
            low=low,
            high=high,
            confidence=0.9,
            requests_per_second=dial * belief.mix.requests(belief.everything),
            concurrent_visitors=dial * present if present else self._moment.concurrent * dial / peak,
            headroom=dial / peak,
            headroom_low=low / peak,
            headroom_high=high / peak,
            cause=cause,
            cause_detail=detail,
            promise=promise.text,
            first_step=self._harm.first_step(belief.bottleneck.lead()),
            recovered=facts.recovered,
            recovery_seconds=facts.recovery_seconds,
            model=model,
            curve=_curve(belief.queue),
        )

    def _cause(self) -> tuple[str | None, str]:
        belief = self._belief
        moved = ""
        if belief.drift and belief.first_estimate:
            how = " and ".join(sorted(belief.drift))
            moved = f" During the test the capacity {how}; it was first measured at {belief.first_estimate:.3g} visitors/s."
        if belief.queue.wear < 1:
            moved += " It fell all the time, so it will go on falling: the number is that of the end."
        if belief.by_failures:
            fact = f"Requests failed before they became slow: {self._harm.failed} of {self._harm.decided}."
            if bucket := belief.failures.bucket:
                fact += f" A limiter lets {bucket.limit:.3g} requests/s pass, and {bucket.burst:.0f} at once after a pause."
            return self._harm.failing(), fact + moved
        found = belief.fit
        if found is None:
            return "slow", f"Responses became slow.{moved}"
        if found.falling:
            fact = (
                f"With more than about {found.peak_at:.0f} requests in flight the site answers fewer per second (at best {found.peak:.0f})."
            )
            return "collapse", fact + moved
        top = belief.queue.wear * found.plateau
        at_most = f"{top:.0f} requests/s ({top / belief.queue.per_dial:.3g} visitors/s)"
        return "slow", f"The site answers at most {at_most}; above that, requests queue.{moved}"

    def _not_reached(self) -> BreakingPoint:
        facts = self._facts
        low = facts.held(3.0)
        cause = "generator" if facts.generator else None
        if low is None:
            return self._none("inconclusive", cause=cause, detail=facts.generator or facts.stopped or "The test was stopped too early.")
        point = self._none("not_reached", cause=cause, detail=f"Not pushed further: {facts.stopped or 'the test was stopped'}.")
        return point.model_copy(update={"low": low, "headroom_low": low / self._moment.peak})

    def _none(self, status: str, *, cause: str | None, detail: str | None, first_step: str | None = None) -> BreakingPoint:
        return BreakingPoint.model_validate(
            {
                "status": status,
                "visitors_per_second": None,
                "low": None,
                "high": None,
                "confidence": None,
                "requests_per_second": None,
                "concurrent_visitors": None,
                "headroom": None,
                "headroom_low": None,
                "headroom_high": None,
                "cause": cause,
                "cause_detail": detail,
                "promise": None,
                "first_step": first_step,
                "recovered": self._facts.recovered,
                "recovery_seconds": self._facts.recovery_seconds,
                "model": "none",
                "curve": None,
            }
        )


def _curve(estimator: Estimator) -> AnswerCurve | None:
    time, answers, _, _ = estimator.history.sums()
    seen = time > 0.02
    if not seen.any():
        return None
    return AnswerCurve(
        in_flight=[float(x) for x in MIDDLE[seen]],
        answers_per_second=[float(x) for x in answers[seen] / time[seen]],
        seconds=[float(x) for x in time[seen]],
    )
