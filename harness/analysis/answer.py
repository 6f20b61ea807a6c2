"""In: the estimator and what the search saw. Out: `BreakingPoint`, in visitors/s, with its interval, cause and recovery."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.analysis.asked import Asked
from harness.analysis.cause import Harm
from harness.analysis.estimator import Estimator
from harness.analysis.meter import MIDDLE, Reading
from harness.analysis.mix import Mix
from harness.campaigns.plan import Moment
from harness.result import AnswerCurve, BreakingPoint
from harness.scenario.catalog import Sample


@dataclass(slots=True)
class Plateau:
    """A dial that stood still: how long, and how its requests fared (shares per latency limit, and failing)."""

    phase: str
    dial: float
    seconds: float = 0.0
    decided: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    late: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    sent: int = 0
    failed: int = 0

    def holds(self, asked: Asked) -> bool:
        """Whether every promise was kept on it."""
        share = self.late / np.maximum(self.decided, 1)
        return bool(self.sent > 0 and np.all(share <= np.array(asked.late)) and self.failed <= asked.failing * self.sent)


@dataclass(slots=True)
class Outlook:
    """Plain facts beside the model: plateaus held, recovery seen, limits met."""

    broken_at_baseline: bool = False
    generator: str | None = None
    ceiling_reason: str | None = None
    confirm_failed: bool = False
    recovered: bool | None = None
    recovery_seconds: float | None = None
    only_when_unloaded: bool = False
    plateaus: list[Plateau] = field(default_factory=list)
    highest_good: float = 0.0

    def watch(self, reading: Reading, phase: str, asked: Asked) -> None:
        """Counts a window to the plateau that it belongs to."""
        last = self.plateaus[-1] if self.plateaus else None
        if last is None or last.phase != phase or abs(np.log(max(reading.dial, 1e-9) / last.dial)) > 0.03:
            if last is not None and last.seconds < 3.0:
                self.plateaus.pop()
            count = len(asked.limits)
            self.plateaus.append(
                Plateau(phase=phase, dial=max(reading.dial, 1e-9), decided=np.zeros(count, np.int64), late=np.zeros(count, np.int64))
            )
        plateau = self.plateaus[-1]
        plateau.seconds += reading.seconds
        plateau.decided = plateau.decided + reading.decided.sum(axis=1)
        plateau.late = plateau.late + reading.late.sum(axis=1)
        plateau.sent += int(reading.sent.sum())
        plateau.failed += int(reading.failed.sum())
        if (
            reading.late[0].sum() <= 0.02 * max(reading.decided[0].sum(), 1)
            and not reading.failed.sum()
            and phase in ("baseline", "explore")
        ):
            self.highest_good = max(self.highest_good, reading.dial)

    def came_back(self, seconds: float, *, alone: bool = True) -> None:
        """The line was gone again after so long; `alone`: at half the load, without taking it away."""
        self.recovered = alone
        self.only_when_unloaded = not alone
        self.recovery_seconds = max(seconds, self.recovery_seconds or 0.0)

    def held(self, asked: Asked, seconds: float) -> float | None:
        """The highest dial that was held for so long."""
        good = [p.dial for p in self.plateaus if p.seconds >= seconds and p.phase in ("baseline", "hold", "confirm") and p.holds(asked)]
        return max(good) if good else None


class Answer:
    """Words and numbers of the answer."""

    def __init__(self, *, asked: Asked, moment: Moment, samples: tuple[Sample, ...], mix: Mix, harm: Harm) -> None:
        self._asked, self._moment, self._samples, self._mix, self._harm = asked, moment, samples, mix, harm
        self.first_estimate: float | None = None

    def breaking_point(
        self,
        *,
        estimator: Estimator,
        estimate: float,
        outlook: Outlook,
        recent_drift: bool,
        drift: frozenset[str],
        members: npt.NDArray[np.bool_],
        believe: float,
    ) -> BreakingPoint:
        if outlook.broken_at_baseline:
            return self._none(
                "broken_at_baseline",
                outlook,
                cause=self._harm.failing() or "slow",
                detail="Most requests failed or were late at the quietest rate.",
            )
        good = float(self._harm.outcomes[0])
        if not np.isfinite(estimate):
            return self._not_reached(outlook)
        if outlook.generator:
            return self._none(
                "inconclusive", outlook, cause="generator", detail=f"The load generator itself was the limit: {outlook.generator}."
            )
        if good < 20 or (not np.isfinite(estimator.dial) and outlook.recovered is None):
            return self._none("inconclusive", outlook, cause=None, detail="Too few answers to measure a breaking point.")
        if not np.isfinite(estimator.dial):
            low, high = outlook.held(self._asked, 3.0) or 0.0, 1.5 * estimate
            return self._found(estimator, estimate, low, high, "bracket", outlook, drift)
        interval = estimator.interval(recent_drift=recent_drift)
        low, high = interval.low, interval.high
        model = "errors" if estimator.by_errors else "collapse" if estimator.fit is not None and estimator.fit.falling else "queue"
        for plateau in outlook.plateaus:
            holds = plateau.holds(self._asked)
            if plateau.phase in ("hold", "confirm") and plateau.seconds >= 10 and holds and plateau.dial > high:
                high, model = 1.02 * plateau.dial, "bracket"
            if (
                plateau.phase in ("hold", "confirm")
                and plateau.seconds >= 8
                and plateau.dial < low
                and np.any(plateau.late > 2 * np.array(self._asked.late) * np.maximum(plateau.decided, 1))
            ):
                low, model = 0.98 * plateau.dial, "bracket"
        if (high - low) / estimate > 2 * believe:
            model = "bracket"
        return self._found(estimator, estimate, low, high, model, outlook, drift)

    # ------------------------------------------------------------------ forms of the answer
    def _found(
        self, estimator: Estimator, dial: float, low: float, high: float, model: str, outlook: Outlook, drift: frozenset[str]
    ) -> BreakingPoint:
        peak = self._moment.peak
        everything = np.ones(len(self._samples), bool)
        present = self._mix.concurrent()
        cause, detail = self._cause(estimator, model, drift)
        promise = self._asked.failing_promise if estimator.by_errors else self._asked.latency[estimator.demand]
        return BreakingPoint(
            status="found",
            visitors_per_second=dial,
            low=low,
            high=high,
            confidence=0.9,
            requests_per_second=dial * self._mix.requests(everything),
            concurrent_visitors=dial * present if present else self._moment.concurrent * dial / peak,
            headroom=dial / peak,
            headroom_low=low / peak,
            headroom_high=high / peak,
            cause=cause,
            cause_detail=detail,
            promise=promise.text,
            first_step=self._harm.first_step(),
            recovered=outlook.recovered,
            recovery_seconds=outlook.recovery_seconds,
            model=model,
            curve=_curve(estimator),
        )

    def _cause(self, estimator: Estimator, model: str, drift: frozenset[str]) -> tuple[str | None, str | None]:
        moved = "".join(
            f" During the test the capacity {how} (first estimate {self.first_estimate:.3g} visitors/s)."
            for how in sorted(drift)
            if self.first_estimate
        )
        if estimator.by_errors:
            cause = self._harm.failing()
            return cause, f"Requests failed before they became slow ({int(self._harm.outcomes[1:13].sum())} failures).{moved}"
        found = estimator.fit
        if found is None:
            return "slow", f"Responses became slow.{moved}"
        per = estimator.per_dial
        if found.falling:
            fact = (
                f"With more than about {found.peak_at:.0f} requests in flight the site answers fewer per second (at best {found.peak:.0f})."
            )
            return "collapse", fact + moved
        fact = (
            f"The site answers at most {found.plateau:.0f} requests/s ({found.plateau / per:.3g} visitors/s); above that, requests queue."
        )
        return "slow", fact + moved

    def _not_reached(self, outlook: Outlook) -> BreakingPoint:
        low = outlook.held(self._asked, 3.0)
        if low is None and outlook.highest_good > 0 and not outlook.generator:
            low = outlook.highest_good
        if low is None:
            return self._none("inconclusive", outlook, cause="generator" if outlook.generator else None, detail=outlook.generator)
        reason = outlook.ceiling_reason or "the test was stopped"
        point = self._none(
            "not_reached", outlook, cause="generator" if outlook.generator else None, detail=f"Not pushed further: {reason}."
        )
        return point.model_copy(update={"low": low, "headroom_low": low / self._moment.peak})

    @staticmethod
    def _none(status: str, outlook: Outlook, *, cause: str | None, detail: str | None) -> BreakingPoint:
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
                "first_step": None,
                "recovered": outlook.recovered,
                "recovery_seconds": outlook.recovery_seconds,
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
