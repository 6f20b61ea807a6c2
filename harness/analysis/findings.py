"""In: windows, one after another; at the end the census. Out: the next `Order` for each window; at the end `Findings`.

`Analyst` is what the run's loop talks to: it feeds the search and the evidence with the same windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.analysis.advice import advice
from harness.analysis.doubts import Signs, doubts, thin
from harness.analysis.evidence import Evidence
from harness.analysis.felt import felt
from harness.analysis.levels import Stretch, levels, stretches
from harness.analysis.losses import losses, overload
from harness.analysis.promises import promise_parts, rehearsed
from harness.analysis.search import Order, Search
from harness.analysis.search.profile import Profile
from harness.analysis.stopping import stopped_at
from harness.analysis.totals import totals, violations
from harness.analysis.verdict import Judgement, judge
from harness.campaigns.moment import timeline
from harness.campaigns.plan import ArrivalPlan, Moment
from harness.engine.window import Census, Window
from harness.engine.wire import Outcome
from harness.result import (
    Advice,
    BreakingPoint,
    Doubt,
    ErrorPart,
    FeltPart,
    Generator,
    Level,
    Losses,
    PromisePart,
    StepPart,
    Totals,
    Verdict,
)
from harness.scenario.catalog import Sample
from harness.scenario.model import Scenario


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """The parts of a `harness.result.Result` that come from measuring, under the same names."""

    verdict: Verdict
    verdict_reason: str
    breaking_point: BreakingPoint
    levels: list[Level]
    promises: list[PromisePart]
    steps: list[StepPart]
    errors: list[ErrorPart]
    felt: list[FeltPart]
    losses: Losses | None
    advice: list[Advice]
    doubts: list[Doubt]
    generator: Generator
    totals: Totals


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """The scenario with its plan: what the findings are held against."""

    scenario: Scenario
    plan: ArrivalPlan
    moment: Moment


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How the run ended. `same_machine` says that site and visitors shared one machine."""

    census: Census
    stopped_early: str | None = None
    scout_notes: tuple[str, ...] = ()
    scouts: Window | None = None
    same_machine: bool = False


class Analyst:
    """One run's analysis. `ceiling` (visitors/s) is never exceeded; `seed` fixes the search's own randomness."""

    def __init__(
        self,
        *,
        scenario: Scenario,
        plan: ArrivalPlan,
        moment: Moment,
        samples: tuple[Sample, ...],
        profile: Profile,
        ceiling: float | None,
        seed: int,
    ) -> None:
        self._campaign = Campaign(scenario=scenario, plan=plan, moment=moment)
        self._search = Search(promises=scenario.promises, moment=moment, samples=samples, profile=profile, ceiling=ceiling, seed=seed)
        self._evidence = Evidence(scenario, samples)

    def observe(self, window: Window) -> Order:
        """Take in a window and say what to do next: an order without a dial ends the load."""
        order = self._search.next(window)
        self._evidence.add(window, self._search.trace[-1][1])
        return order

    def drained(self, window: Window) -> None:
        """Take in a window after the load has ended: what was still under way."""
        self._evidence.add(window, "drain")

    def findings(
        self,
        *,
        census: Census,
        stopped_early: str | None = None,
        scout_notes: tuple[str, ...] = (),
        scouts: Window | None = None,
        same_machine: bool = False,
    ) -> Findings:
        """What the run found, however it ended. `scouts` holds the requests of those who walked ahead of the load."""
        ending = Ending(census=census, stopped_early=stopped_early, scout_notes=scout_notes, scouts=scouts, same_machine=same_machine)
        return findings(self._campaign, self._evidence, self._search.breaking_point(), ending, self._search.flags)

    def series(self) -> pd.DataFrame:
        """The run second by second, in the columns of `harness.series`."""
        return self._evidence.series.frame()

    def write_series(self, path: Path) -> None:
        """Write series.csv."""
        self._evidence.series.write(path)


def findings(campaign: Campaign, evidence: Evidence, point: BreakingPoint, ending: Ending, flags: tuple[str, ...] = ()) -> Findings:
    """Everything that follows from the evidence and the breaking point. `flags` are the search's own doubts, by kind."""
    scenario, moment = campaign.scenario, campaign.moment
    stretched = stretches(evidence.cohorts)
    steps = evidence.steps
    sums = totals(ending.census, steps.outcomes, steps.bytes, ending.scouts, unsent=evidence.unsent)
    generator = evidence.generator.part(ending.census)
    ended = int(steps.outcomes.sum())
    ours = int(steps.outcomes[:, [Outcome.GENERATOR, Outcome.UNSAFE]].sum())
    missing = max(evidence.sent - ended, 0)
    # What was under way when a run ended without draining is missing and no fault of the books; with a lost worker it was cut off.
    excused = missing if ending.census.present else 0
    broken_laws = violations(ending.census, sent=evidence.sent - excused, ended=ended, ours=ours)
    own = rehearsed(stretched, moment.peak)
    kept = promise_parts(evidence.cohorts, stretched, point, moment.peak)
    judgement: Judgement = judge(
        point,
        moment.peak,
        generator,
        requests=sums.requests,
        unbalanced=bool(broken_laws),
        stopped_early=ending.stopped_early is not None,
        failed_rehearsal=own is not None and own.all_held == "no",
        unmeasured=any(promise.measured is None for promise in kept),
    )
    told = judgement.reason not in ("generator", "counting", "no_data", "rehearsal")
    signs = Signs(
        point=point,
        peak=moment.peak,
        highest=evidence.highest,
        generator=generator,
        totals=sums,
        limit_ms=evidence.generator.lag_limit * 1000,
        violations=tuple(broken_laws),
        flags=flags,
        failures=evidence.generator.failures,
        descriptors=evidence.generator.descriptors,
        missing=missing + evidence.lost,
        stopped_early=ending.stopped_early,
        scout_notes=ending.scout_notes,
        same_machine=ending.same_machine,
        thin=thin(scenario, evidence.samples, steps.outcomes),
    )
    return Findings(
        verdict=judgement.verdict,
        verdict_reason=judgement.reason,
        breaking_point=point,
        levels=levels(stretched, scenario.promises),
        promises=kept,
        steps=steps.step_parts(),
        errors=steps.error_parts(),
        felt=felt(evidence.cohorts, moment.peak),
        losses=_losses(campaign, evidence, point, stretched) if told else None,
        advice=advice(scenario, campaign.plan, moment, point) if told else [],
        doubts=doubts(signs),
        generator=generator,
        totals=sums,
    )


def _losses(campaign: Campaign, evidence: Evidence, point: BreakingPoint, stretched: list[Stretch]) -> Losses | None:
    whole = timeline(campaign.plan, campaign.scenario)
    found = losses(campaign.scenario, whole, campaign.plan.zero, campaign.moment.peak, point, overload(stretched, point))
    if found is None or found.transactions is None or found.transactions.high <= 0:
        return found
    steps = stopped_at(campaign.scenario, evidence.samples, evidence.cohorts, stretched, point)
    return found.model_copy(update={"stopped_at": steps})
