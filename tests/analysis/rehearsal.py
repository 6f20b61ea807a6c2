"""A whole run against a simulated server: the analyst drives, the rig plays. Minutes of load in a second or two of test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.analysis.findings import Analyst, Findings
from harness.analysis.search import PROFILES, Profile
from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window
from harness.engine.wire import Outcome
from harness.result import BreakingPoint, CampaignPart, Generator, Result, Run, ScenarioPart, Target, Worker
from harness.scenario.catalog import samples
from harness.scenario.model import Business, EmailBlast, Get, Journey, Promise, Scenario
from harness.scenario.units import Price
from tests.sim.rig import PROMISES, Rig

PEAK_SENT_OVER = 600.0


def mail(peak: float, *, promises: tuple[Promise, ...] = PROMISES, money: bool = True, sent_over: float = PEAK_SENT_OVER) -> Scenario:
    """A mail without scanners whose clicks peak at about `peak` visitors/s; one request a visit."""
    campaign = EmailBlast(list_size=10_000_000, sent_over=sent_over, click_rate=0.03, scanner_share=0.0)
    journey = Journey(name="read", share=1.0, steps=(Get(url="/", line=7),))
    scenario = Scenario(
        name="Spring mail",
        campaign=campaign,
        promises=promises,
        journeys=(journey,),
        business=Business(conversion=0.03, value=Price(amount=60, currency="GBP")) if money else None,
    )
    size = round(campaign.list_size * peak / plan_campaign(scenario).peak)
    return scenario.model_copy(update={"campaign": campaign.model_copy(update={"list_size": size})})


class Rehearsal:
    """One run. `stop_after` (s) pulls the brake."""

    def __init__(
        self, scenario: Scenario, rig: Rig, *, profile: Profile | str = "quick", ceiling: float | None = None, seed: int = 1
    ) -> None:
        self.scenario, self.rig = scenario, rig
        self.plan = plan_campaign(scenario)
        self.moment = hardest(self.plan, scenario)
        self.analyst = Analyst(
            scenario=scenario,
            plan=self.plan,
            moment=self.moment,
            samples=samples(scenario),
            profile=PROFILES[profile] if isinstance(profile, str) else profile,
            ceiling=ceiling,
            seed=seed,
        )
        self.census = Census()
        self.windows: list[Window] = []

    def run(self, *, stop_after: float = np.inf) -> Findings:
        dial: float | None = 0.0
        while dial is not None and self.rig.now < stop_after:
            window = self.rig.step(dial)
            self.windows.append(window)
            dial = self.analyst.observe(window).dial
        self.drain()
        stopped = "interrupted by hand" if dial is not None else None
        return self.analyst.findings(census=self.census, stopped_early=stopped)

    def drain(self) -> None:
        """Let what is under way finish for ten seconds; cut off the rest."""
        last = self.windows[-1]
        for _ in range(20):
            last = self.rig.step(0.0)
            self.analyst.drained(last)
            self.windows.append(last)
        left = cut_off(self.windows, last.at + last.seconds)
        self.census = settle(last.census)
        final = replace(last, number=last.number + 1, at=last.at + last.seconds, sent=np.zeros(0, SENT_TYPE), done=left, census=self.census)
        self.analyst.drained(final)
        self.windows.append(final)


def settle(census: Census) -> Census:
    """The census once nobody is present: every visitor of the rig completes."""
    return Census(due=census.due, started=census.started, dropped=census.dropped, completed=census.started - census.dropped)


def cut_off(windows: list[Window], now: float) -> np.ndarray:
    """Records for the requests that left and have not ended."""
    sent = np.concatenate([w.sent for w in windows])
    done = np.concatenate([w.done for w in windows])
    open_ = np.setdiff1d(sent["at"], done["sent"])
    records = np.zeros(len(open_), DONE_TYPE)
    records["sent"], records["total"], records["outcome"] = open_, now - open_, int(Outcome.CUT_OFF)
    return records


def point(low: float, high: float, **changes: object) -> BreakingPoint:
    """A breaking point that was found, between these rates (visitors/s)."""
    middle = (low * high) ** 0.5
    known = BreakingPoint(
        status="found",
        visitors_per_second=middle,
        low=low,
        high=high,
        confidence=0.9,
        requests_per_second=middle,
        concurrent_visitors=1.0,
        headroom=None,
        headroom_low=None,
        headroom_high=None,
        cause="slow",
        cause_detail="The site answers at most 200 requests/s.",
        promise=PROMISES[0].text,
        first_step="GET /",
        recovered=True,
        recovery_seconds=2.0,
        model="queue",
        curve=None,
    )
    return known.model_copy(update=changes)


def unfound(status: str, **changes: object) -> BreakingPoint:
    """A search that ended without a number."""
    empty = {"visitors_per_second": None, "low": None, "high": None, "confidence": None, "cause": None, "promise": None, "model": "none"}
    return point(1.0, 1.0).model_copy(update={**empty, "status": status, **changes})


def generator(**changes: object) -> Generator:
    """A generator that did its work."""
    fine = Generator(
        healthy=True,
        lag_p50_ms=0.5,
        lag_p99_ms=2.0,
        lag_max_ms=5.0,
        lost_workers=0,
        achieved_share=1.0,
        little_error=0.01,
        workers=[worker("worker 1"), worker("worker 2")],
    )
    return fine.model_copy(update=changes)


def worker(name: str, **changes: object) -> Worker:
    return Worker(name=name, lost=False, cpu_max=0.3, loop_ms_max=2.0, offset_ms=0.1, rss_mb_max=60.0).model_copy(update=changes)


def result(rehearsal: Rehearsal, found: Findings, *, number: int = 1, profile: str = "quick", **changes: object) -> Result:
    """The findings as a run would write them; run `number` began on that minute."""
    plan, moment, scenario = rehearsal.plan, rehearsal.moment, rehearsal.scenario
    whole = Result(
        run=Run(
            id=f"run-{number}",
            started=f"2026-11-21T{number // 60:02}:{number % 60:02}:00+00:00",
            seconds=rehearsal.rig.now,
            seed=1,
            command="surge run mail",
            versions={"surge": "0.1.0"},
            profile=profile,
        ),
        scenario=ScenarioPart(name=scenario.name, type="email_blast", file="mail.yaml", sha256="0" * 64),
        target=Target(url="http://127.0.0.1:8000", name="127.0.0.1"),
        campaign=CampaignPart(
            visitors=plan.total,
            peak_visitors_per_second=plan.peak,
            peak_at_seconds=plan.peak_at - plan.zero,
            peak_concurrent_visitors=moment.peak_concurrent,
            starts=None,
            scanners_peak_per_second=0.0,
            moment_at_seconds=moment.at - plan.zero,
            curve_seconds=[0.0, 1.0],
            curve_visitors_per_second=[0.0, plan.peak],
            curve_scanners_per_second=[0.0, 0.0],
            phases=[],
            assumptions=[],
        ),
        **{name: getattr(found, name) for name in found.__dataclass_fields__},
    )
    return whole.model_copy(update=changes)
