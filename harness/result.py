"""In: what a run found. Out: `Result` ⇄ result.json, format 1: all that a report may know (with series.csv beside it).

Units stand in the names: `_seconds`, `_ms`, `_per_second`; shares run from 0 to 1. More fields may come; those here keep name and meaning.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["ready", "not_ready", "inconclusive"]
Status = Literal["found", "not_reached", "broken_at_baseline", "inconclusive"]
Held = Literal["yes", "no", "unclear"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(Part):
    id: str
    started: str  # ISO 8601, UTC
    seconds: float  # of load
    seed: int
    command: str
    versions: dict[str, str]
    profile: str
    stopped_early: str | None = None  # why, in words, when the run was cut short


class ScenarioPart(Part):
    name: str
    type: str
    file: str
    sha256: str


class Target(Part):
    url: str
    name: str  # as a reader should see it: "the embedded demo site" or the host


class PhasePart(Part):
    name: str
    start_seconds: float
    end_seconds: float


class CampaignPart(Part):
    visitors: float
    peak_visitors_per_second: float
    peak_at_seconds: float  # since the moment that people call the start; may be negative
    peak_concurrent_visitors: float
    starts: str | None  # ISO 8601 with zone, when the scenario names it
    scanners_peak_per_second: float
    moment_at_seconds: float  # the hardest moment, on the same clock as peak_at_seconds
    curve_seconds: list[float]  # at most 400 points, same clock
    curve_visitors_per_second: list[float]
    curve_scanners_per_second: list[float]
    curve_load_visitors_per_second: list[float] = Field(default_factory=list)
    """All planned requests, also of scanners and of those who stay or come back, as visitors/s: highest where the campaign is hardest."""
    returning_peak_per_second: float = 0.0  # visits/s, at most, of people who were counted before
    phases: list[PhasePart]
    assumptions: list[str]


class AnswerCurve(Part):
    """The measurement behind the number: answers per second while so many requests were in flight."""

    in_flight: list[float]
    answers_per_second: list[float]
    seconds: list[float]  # how long the site was seen at that level


class BreakingPoint(Part):
    status: Status
    visitors_per_second: float | None  # the highest arrival rate at which every promise holds; the campaign scaled so that its peak is this
    low: float | None
    high: float | None
    confidence: float | None  # of the interval, 0.9
    requests_per_second: float | None
    concurrent_visitors: float | None
    headroom: float | None  # breaking point / the campaign's peak
    headroom_low: float | None
    headroom_high: float | None
    cause: str | None  # one of CAUSES
    cause_detail: str | None  # one sentence of evidence
    promise: str | None  # the text of the promise that binds
    first_step: str | None
    recovered: bool | None
    recovery_seconds: float | None
    model: str  # "queue" | "errors" | "collapse" | "bracket" | "none": what the estimate rests on
    curve: AnswerCurve | None


CAUSES = (
    "slow",  # queueing: answers came, too late
    "server_errors",
    "client_errors",
    "rate_limited",
    "refused",  # connections refused or reset
    "timeouts",
    "wrong_content",  # checks failed: a 200 with an error page
    "collapse",  # throughput fell as load rose
    "generator",
)


class Level(Part):
    visitors_per_second: float
    started_at_seconds: float
    seconds: float
    held: Held
    phase: str
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    error_rate: float | None
    slow_rate: float | None
    requests: int
    requests_per_second: float
    goodput_per_second: float


class PromisePart(Part):
    """`measured` is at the breaking point's held level where one was found (else at the highest level seen), in `unit`."""

    text: str
    kind: Literal["latency", "errors"]
    limit: float
    measured: float | None
    measured_at_visitors_per_second: float | None = None  # the level at which it was measured
    unit: Literal["ms", "share"]
    verdict: Literal["kept", "broken", "unclear"]  # at the campaign's own peak
    first_broken_at_seconds: float | None
    first_broken_at_visitors_per_second: float | None


class StepPart(Part):
    number: int
    journey: str
    label: str
    kind: str
    file_line: str  # "scenarios/webcast.yaml:31"
    requests: int
    failed: int
    cut_off: int
    bytes_mean: float
    calm_p50_ms: float | None  # at the lowest loads
    calm_requests: int = 0  # that `calm_p50_ms` rests on
    p50_ms: float | None  # over the whole run, answered requests
    p95_ms: float | None
    p99_ms: float | None
    first_byte_p95_ms: float | None
    errors: dict[str, int]  # by outcome name


class ErrorPart(Part):
    step: str
    outcome: str
    message: str
    count: int
    file_line: str


class Range(Part):
    low: float
    mid: float
    high: float
    unit: str
    assumption: str


class FeltPart(Part):
    """What visitors felt in one part of the run. Shares of requests: `fast` + `slow` + `too_slow` + `failed` = 1.

    `fast` is within the strictest response-time promise T, `slow` up to 4 T, `too_slow` beyond (the zones of Apdex).
    """

    name: Literal["calm", "rise", "peak", "after"]
    visitors_per_second: float  # offered, on average
    seconds: float
    requests: int
    typical_ms: float | None  # half of the good answers came within
    slowest_in_twenty_ms: float | None  # 19 in 20 of the good answers came within
    fast: float
    slow: float
    too_slow: float
    failed: float


class StepLoss(Part):
    """Where transactions stop: `share` of the lost ones end at this step. The shares of all steps add up to 1."""

    journey: str
    step: str
    file_line: str
    share: float


class Losses(Part):
    """What this campaign would lose at its planned size; empty when the run could not tell."""

    seconds_over: float  # planned time above the breaking point
    over_from_seconds: float | None  # of the stretch above it that holds the worst moment; `seconds_over` counts every stretch
    over_to_seconds: float | None
    visits: Range | None
    transactions: Range | None
    money: Range | None
    note: str = ""  # what low, mid and high mean, and the source: for all three ranges
    stopped_at: list[StepLoss] = Field(default_factory=list)  # as measured in overload; empty when no overload was measured


class Advice(Part):
    audience: Literal["marketing", "it"]
    text: str
    why: str
    changes: dict[str, str] = Field(default_factory=dict)  # of the scenario, "campaign.sent_over": "45 min"
    checked: bool = False  # the changed campaign was planned again and fits
    scenario: str | None = None  # the file beside result.json that holds the changed scenario


class Doubt(Part):
    kind: str
    text: str
    remedy: str


class Worker(Part):
    name: str
    lost: bool
    cpu_max: float  # share of one core
    loop_ms_max: float
    offset_ms: float
    rss_mb_max: float


class Generator(Part):
    healthy: bool
    lag_p50_ms: float | None
    lag_p99_ms: float | None
    lag_max_ms: float | None
    lost_workers: int
    achieved_share: float | None  # started / due
    little_error: float | None  # | in flight / (rate × time) − 1 |
    workers: list[Worker]


class Totals(Part):
    due: int
    started: int
    dropped: int
    completed: int
    failed: int
    abandoned: int
    cut_off: int
    requests: int  # all that were made of the target: visitors', security scanners' and scouts'; it saw requests - requests_unsent
    requests_failed: int
    requests_cut_off: int
    bytes: int
    requests_scouts: int = 0  # of `requests`: those that walked every journey once before the load, and stand in no step or level
    requests_unsent: int = 0  # of `requests`: those of which no byte left, as their connection never stood (refused, cut off before it, …)


class Result(Part):
    format: Literal[1] = 1
    run: Run
    scenario: ScenarioPart
    target: Target
    verdict: Verdict
    verdict_reason: str = ""  # one of harness.analysis.verdict.Reason: "holds", "breaks", "straddles", "not_pushed", …
    campaign: CampaignPart
    breaking_point: BreakingPoint
    levels: list[Level]
    promises: list[PromisePart]
    steps: list[StepPart]
    errors: list[ErrorPart]
    felt: list[FeltPart] = Field(default_factory=list)
    losses: Losses | None
    advice: list[Advice]
    doubts: list[Doubt]
    generator: Generator
    totals: Totals
    business: dict[str, float | str] | None = Field(default=None)  # conversion, value, currency

    def write(self, path: Path) -> None:
        """Whole or not at all: written beside its place and moved in."""
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Result:
        return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
