"""Plausible runs for the tests of the report: a queue of known capacity under a search-like load, written down as a real run would be.

`run(...)` gives a `Result` and its series, consistent with each other; `story(name)` gives one of the situations a report must tell apart.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import pandas as pd

from harness import series as columns
from harness.result import (
    Advice,
    AnswerCurve,
    BreakingPoint,
    CampaignPart,
    Doubt,
    ErrorPart,
    FeltPart,
    Generator,
    Level,
    Losses,
    PhasePart,
    PromisePart,
    Range,
    Result,
    Run,
    ScenarioPart,
    StepPart,
    Target,
    Totals,
    Worker,
)

PER_VISITOR = 9.0  # requests
LIMIT_MS = 800.0


def webcast_curve(peak: float) -> tuple[list[float], list[float]]:
    """Joins around the start, visitors/s, from 40 minutes before to 60 after."""
    times = [float(t) for t in range(-2400, 3601, 20)]
    shape = [
        0.25 * (math.exp(t / 480) / 480 if t < 0 else 0)
        + 0.55 * math.exp(-abs(t) / 90) / 180
        + 0.2 * (math.exp(-t / 420) / 420 if t > 0 else 0)
        for t in times
    ]
    top = max(shape)
    return times, [peak * s / top for s in shape]


def email_curve(peak: float) -> tuple[list[float], list[float]]:
    """Clicks after a mail that is sent over ten minutes."""
    times = [float(t) for t in range(0, 14400, 40)]
    shape = [min(1.0, t / 600) ** 0.6 if t <= 600 else 1 / (1 + (t - 600) / 420) ** 0.9 for t in times]
    return times, [peak * s for s in shape]


def spike_curve(peak: float) -> tuple[list[float], list[float]]:
    times = [float(t) for t in range(0, 21600, 60)]
    shape = [min(1.0, t / 120) if t <= 300 else (300 / t) ** 1.23 for t in times]
    return times, [peak * s for s in shape]


CURVES = {"webcast": webcast_curve, "email_blast": email_curve, "viral_spike": spike_curve}
NAMES = {"webcast": "Spring product webcast", "email_blast": "Spring sale mailing", "viral_spike": "The cat video"}
STARTS = {"webcast": "2026-12-03T15:00:00+00:00", "email_blast": "2026-12-01T10:00:00+01:00", "viral_spike": None}
PHASES = {
    "webcast": [("Doors open", -1800.0, -120.0), ("Everybody joins", -120.0, 300.0), ("The show", 300.0, 3600.0)],
    "email_blast": [("The mail goes out", 0.0, 600.0), ("First reactions", 600.0, 3600.0), ("The long tail", 3600.0, 14400.0)],
    "viral_spike": [("The post", 0.0, 300.0), ("Passed on", 300.0, 21600.0)],
}


def answer_times(load: float, capacity: float) -> tuple[float, float, float, float]:
    """p50, p95, p99 in ms and the error rate of a site of `capacity` under `load`, both in requests/s."""
    busy = load / capacity
    if busy < 0.995:
        wait = 18 * busy**4 / (1 - busy)
        return 42 + wait, 95 + 3 * wait, 150 + 4.6 * wait, 0.0004 * busy
    over = busy - 0.995
    return 900 + 2600 * over, 2100 + 3000 * over, 2600 + 4100 * over, min(0.8, 0.002 + 0.9 * over)


def felt_of(levels: list[Level], peak: float) -> list[FeltPart]:
    """Calm, rise, peak and after, as far as the levels go."""
    loaded = [level for level in levels if level.phase != "recover"]
    top = min([level for level in loaded if level.visitors_per_second >= peak] or [max(loaded, key=lambda x: x.visitors_per_second)],
              key=lambda x: x.visitors_per_second)  # fmt: skip
    parts = {
        "calm": [level for level in loaded if level.visitors_per_second < 0.5 * top.visitors_per_second],
        "rise": [level for level in loaded if 0.5 <= level.visitors_per_second / top.visitors_per_second < 0.9],
        "peak": [top],
        "after": [level for level in levels if level.phase == "recover"],
    }
    return [_felt(name, max(part, key=lambda x: x.visitors_per_second)) for name, part in parts.items() if part]


def _felt(name: str, level: Level) -> FeltPart:
    failed, slow = level.error_rate or 0.0, level.slow_rate or 0.0
    late = max(0.0, slow - failed)
    return FeltPart(
        name=name,
        visitors_per_second=level.visitors_per_second,
        seconds=level.seconds,
        requests=level.requests,
        typical_ms=level.p50_ms,
        slowest_in_twenty_ms=level.p95_ms,
        fast=1 - failed - late,
        slow=0.8 * late,
        too_slow=0.2 * late,
        failed=failed,
    )


def _row(level: Level | None, **cells: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(columns.COLUMNS, 0)
    row.update({name: None for name in columns.COLUMNS if name.endswith("_ms")})
    row.update(cells)
    return row


def run(
    *,
    campaign: str = "webcast",
    peak: float = 12.0,
    capacity: float = 172.0,
    seed: int = 7,
    seconds: int = 58,
    rates: list[float] | None = None,
    errors: int = 3,
) -> tuple[Result, pd.DataFrame]:
    """A finished run in which the breaking point was found. `peak` in visitors/s, `capacity` in requests/s."""
    draw = random.Random(seed)
    limit = capacity / PER_VISITOR * 0.985
    offered = rates or [limit * share for share in (0.08, 0.16, 0.31, 0.52, 0.71, 0.86, 1.12, 0.1, 0.95, 1.03, 0.98, 1.01, 0.99)]
    dwell = seconds / len(offered)
    levels: list[Level] = []
    rows: list[dict[str, object]] = []
    for number, rate in enumerate(offered):
        load = rate * PER_VISITOR
        p50, p95, p99, failing = answer_times(load, capacity)
        answered = int(load * dwell)
        slow = failing + (0.01 if p95 < LIMIT_MS else 0.55)
        aftermath = number > 0 and rate < 0.3 * offered[number - 1]
        levels.append(
            Level(
                visitors_per_second=rate,
                started_at_seconds=number * dwell,
                seconds=dwell,
                held="yes" if p95 < LIMIT_MS * 0.9 and failing < 0.009 else ("unclear" if p95 < LIMIT_MS * 1.1 else "no"),
                phase="recover" if aftermath else ("explore" if number < 7 else "hold"),
                p50_ms=p50,
                p95_ms=p95,
                p99_ms=p99,
                error_rate=failing,
                slow_rate=min(1.0, slow),
                requests=answered,
                requests_per_second=min(load, capacity),
                goodput_per_second=min(load, capacity) * (1 - min(1.0, slow)),
            )
        )
    for second in range(seconds):
        level = levels[min(len(levels) - 1, int(second / dwell))]
        load = level.visitors_per_second * PER_VISITOR
        sent = max(0, round(draw.gauss(load, math.sqrt(load))))
        failed = sum(draw.random() < (level.error_rate or 0) for _ in range(sent))
        ok = max(0, min(sent, round(capacity)) - failed)
        late = round(ok * max(0.0, (level.slow_rate or 0) - (level.error_rate or 0)))
        shake = draw.uniform(0.85, 1.2)
        share = {"ok": ok, "failed": failed, "slow": late, "sent": sent, "http_5xx": failed}
        for place, (step, journey, part) in enumerate(
            [("all", "", 1.0), ("page /webcast", "watch", 0.3), ("POST /webcast/join", "watch", 0.7)]
        ):
            whole = place == 0
            rows.append(
                _row(
                    level,
                    second=second,
                    phase=level.phase,
                    dial_visitors_per_second=round(level.visitors_per_second, 4),
                    step_number=place - 1,
                    step=step,
                    journey=journey,
                    bytes=int(ok * part * 14_000),
                    connections=int(sent * part / 4),
                    in_flight=round(load * part * (level.p50_ms or 0) / 1000, 2),
                    ok_p50_ms=round((level.p50_ms or 0) * shake, 1),
                    ok_p95_ms=round((level.p95_ms or 0) * shake, 1),
                    ok_p99_ms=round((level.p99_ms or 0) * shake, 1),
                    ok_max_ms=round((level.p99_ms or 0) * shake * 1.4, 1),
                    failed_p50_ms=12.0 if failed else None,
                    failed_p95_ms=31.0 if failed else None,
                    arrivals=round(level.visitors_per_second) if whole else 0,
                    present=round(level.visitors_per_second * 30) if whole else 0,
                    lag_p99_ms=1.8 if whole else None,
                    **{name: int(value * part) for name, value in share.items()},
                )
            )
    times, curve = CURVES[campaign](peak)
    low, high = limit * 0.945, limit * 1.06
    sent = sum(int(str(row["sent"])) for row in rows if row["step"] == "all")
    failed_total = sum(int(str(row["failed"])) for row in rows if row["step"] == "all")
    ready = low > peak
    result = Result(
        run=Run(
            id=f"2026-11-21T21-14-35Z-{campaign}",
            started="2026-11-21T21:14:35Z",
            seconds=float(seconds),
            seed=seed,
            command=f"surge run scenarios/{campaign}.yaml --seed {seed} --profile quick",
            versions={"surge": "0.1.0", "locust": "2.47.0", "python": "3.11.2"},
            profile="quick",
        ),
        scenario=ScenarioPart(name=NAMES[campaign], type=campaign, file=f"scenarios/{campaign}.yaml", sha256="9f" * 32),
        target=Target(url="demo", name="the embedded demo site"),
        verdict="ready" if ready else "not_ready",
        campaign=CampaignPart(
            visitors=8000,
            peak_visitors_per_second=peak,
            peak_at_seconds=times[curve.index(max(curve))],
            peak_concurrent_visitors=peak * 400,
            starts=STARTS[campaign],
            scanners_peak_per_second=0,
            moment_at_seconds=60,
            curve_seconds=times,
            curve_visitors_per_second=curve,
            curve_scanners_per_second=[0.0] * len(times),
            phases=[PhasePart(name=name, start_seconds=start, end_seconds=end) for name, start, end in PHASES[campaign]],
            assumptions=["40% of those who registered come: between 30% and 60% in published figures."],
        ),
        breaking_point=BreakingPoint(
            status="found",
            visitors_per_second=limit,
            low=low,
            high=high,
            confidence=0.9,
            requests_per_second=limit * PER_VISITOR,
            concurrent_visitors=limit * 28,
            headroom=limit / peak,
            headroom_low=low / peak,
            headroom_high=high / peak,
            cause="slow",
            cause_detail="Above 166 requests a second answers queued: the wait grew while throughput stayed flat, and nothing failed.",
            promise="95% of responses within 800 ms",
            first_step="POST /webcast/join",
            recovered=True,
            recovery_seconds=4.5,
            model="queue",
            curve=AnswerCurve(
                in_flight=[float(n) for n in range(1, 60, 2)],
                answers_per_second=[capacity * n / (n + 6) * 1.1 if n < 54 else capacity for n in range(1, 60, 2)],
                seconds=[max(0.2, 6 - n / 10) for n in range(1, 60, 2)],
            ),
        ),
        levels=levels,
        promises=[
            PromisePart(
                text="95% of responses within 800 ms",
                kind="latency",
                limit=LIMIT_MS,
                measured=612.0,
                measured_at_visitors_per_second=low,
                unit="ms",
                verdict="kept" if ready else "broken",
                first_broken_at_seconds=28.0,
                first_broken_at_visitors_per_second=limit * 1.12,
            ),
            PromisePart(
                text="errors below 1%",
                kind="errors",
                limit=0.01,
                measured=0.0004,
                measured_at_visitors_per_second=low,
                unit="share",
                verdict="kept" if ready else "broken",
                first_broken_at_seconds=29.0,
                first_broken_at_visitors_per_second=limit * 1.12,
            ),
        ],
        steps=[
            StepPart(
                number=number,
                journey="watch",
                label=label,
                kind=kind,
                file_line=f"scenarios/{campaign}.yaml:{line}",
                requests=int(sent * part),
                failed=int(failed_total * part),
                cut_off=0,
                bytes_mean=size,
                calm_p50_ms=40.0,
                p50_ms=61.0,
                p95_ms=540.0,
                p99_ms=980.0,
                first_byte_p95_ms=520.0,
                errors={"HTTP_5XX": int(failed_total * part)},
            )
            for number, (label, kind, line, part, size) in enumerate(
                [("page /webcast", "page", 22, 0.3, 48_200.0), ("POST /webcast/join", "post", 25, 0.7, 1_310.0)]
            )
        ],
        errors=[
            ErrorPart(
                step="POST /webcast/join",
                outcome="HTTP_5XX",
                message=f"503 Service Unavailable ({number})",
                count=max(1, failed_total // (number + 1)),
                file_line=f"scenarios/{campaign}.yaml:25",
            )
            for number in range(errors if failed_total else 0)
        ],
        felt=felt_of(levels, peak),
        losses=None,
        advice=[],
        doubts=[],
        generator=Generator(
            healthy=True,
            lag_p50_ms=0.4,
            lag_p99_ms=1.8,
            lag_max_ms=6.2,
            lost_workers=0,
            achieved_share=1.0,
            little_error=0.02,
            workers=[Worker(name=f"worker {n}", lost=False, cpu_max=0.41, loop_ms_max=3.1, offset_ms=0.0, rss_mb_max=88.0) for n in (1, 2)],
        ),
        totals=Totals(
            due=4100,
            started=4100,
            dropped=0,
            completed=3920,
            failed=120,
            abandoned=0,
            cut_off=60,
            requests=sent,
            requests_failed=failed_total,
            requests_cut_off=12,
            bytes=sent * 14_000,
        ),
        business={"conversion": 0.03, "value": 60.0, "currency": "GBP"},
    )
    return result, pd.DataFrame(rows, columns=list(columns.COLUMNS))


def with_losses(result: Result) -> Result:
    """The same run with what it would cost and what to do."""
    return result.model_copy(
        update={
            "losses": Losses(
                seconds_over=480.0,
                over_from_seconds=180.0,
                over_to_seconds=660.0,
                visits=Range(low=1210, mid=2260, high=3480, unit="visits", assumption="those whose requests fail, or who do not wait"),
                transactions=Range(low=36, mid=68, high=104, unit="sign-ups", assumption="3% of visits convert, from the scenario."),
                money=Range(
                    low=2160,
                    mid=4080,
                    high=6240,
                    unit="GBP",
                    assumption="60 GBP for each, from the scenario.",
                ),
                note="Low: those whose requests fail for certain; high: everybody who is not served in time. Not a forecast.",
            ),
            "advice": [
                Advice(
                    audience="marketing",
                    text="Send in 3 batches, 12 minutes apart.",
                    why="Then the peak is 3,050 visitors a minute; planned again, it fits with 7% to spare.",
                    changes={"campaign.sent_over": "36 min", "campaign.batches": "3"},
                    checked=True,
                    scenario="scenario-sent-over-36-min-batches-3.yaml",
                ),
                Advice(
                    audience="it",
                    text="Make POST /webcast/join 1.6 times as fast, or give it 1.6 times the workers.",
                    why="It broke first, by queueing: its answers waited, nothing failed.",
                ),
            ],
        }
    )


@dataclass(frozen=True)
class Story:
    name: str
    result: Result
    series: pd.DataFrame


STORIES = (
    "ready",
    "ready-not-reached",
    "ready-spike",
    "not-ready-email",
    "not-ready-webcast",
    "broken-at-baseline",
    "too-close",
    "generator",
    "not-far-enough",
    "disturbed",
    "stopped-early",
    "nothing-measured",
)


def story(name: str) -> Story:
    """One of `STORIES`: the situations that a report must tell apart."""
    if name == "ready":
        result, series = run(peak=11.6)
    elif name == "ready-spike":
        result, series = run(campaign="viral_spike", peak=16.0)
    elif name == "ready-not-reached":
        result, series = run(peak=4.0, rates=[1.0, 2.0, 3.0, 4.1, 5.5, 8.0], capacity=172)
        result = _without_limit(result, status="not_reached", low=8.0, verdict="ready")
    elif name == "not-ready-email":
        result, series = run(campaign="email_blast", peak=83.3, capacity=520)
        result = with_losses(result)
    elif name == "not-ready-webcast":
        result, series = run(peak=22.0)
        point = result.breaking_point.model_copy(update={"cause": "collapse", "recovered": False, "recovery_seconds": None})
        result = result.model_copy(update={"breaking_point": point})
    elif name == "broken-at-baseline":
        result, series = run(rates=[0.4], capacity=2.0, seconds=8)
        result = _without_limit(result, status="broken_at_baseline", verdict="not_ready", cause="server_errors")
    elif name == "too-close":
        result, series = run(peak=18.5)
        result = result.model_copy(update={"verdict": "inconclusive", "doubts": [_doubt("too_close")]})
    elif name == "generator":
        result, series = run(rates=[2.0, 4.0, 8.0, 12.0], peak=40.0)
        result = _without_limit(result, status="inconclusive", verdict="inconclusive", low=12.0, cause="generator")
        result = result.model_copy(
            update={
                "generator": result.generator.model_copy(update={"healthy": False, "lag_p99_ms": 64.0}),
                "doubts": [_doubt("generator")],
            }
        )
    elif name == "not-far-enough":
        result, series = run(rates=[1.0, 2.0, 4.0], peak=20.0)
        result = _without_limit(result, status="not_reached", verdict="inconclusive", low=4.0)
    elif name == "disturbed":
        result, series = run(peak=11.6)
        workers = [*result.generator.workers[:1], result.generator.workers[1].model_copy(update={"lost": True})]
        generator = result.generator.model_copy(update={"lost_workers": 1, "workers": workers})
        result = result.model_copy(update={"verdict": "inconclusive", "generator": generator, "doubts": [_doubt("lost_worker")]})
    elif name == "stopped-early":
        result, series = run(rates=[1.0, 2.0], seconds=6, peak=20.0)
        result = _without_limit(result, status="inconclusive", verdict="inconclusive", low=None)
        result = result.model_copy(
            update={"run": result.run.model_copy(update={"stopped_early": "interrupted with Ctrl-C after 6 seconds"})}
        )
    elif name == "nothing-measured":
        result, series = run(rates=[1.0], seconds=2)
        result = _without_limit(result, status="inconclusive", verdict="inconclusive", low=None)
        totals = result.totals.model_copy(
            update={"requests": 0, "requests_failed": 0, "due": 0, "started": 0, "completed": 0, "failed": 0, "cut_off": 0}
        )
        generator = result.generator.model_copy(update={"workers": [], "lag_p99_ms": None})
        result = result.model_copy(update={"levels": [], "felt": [], "steps": [], "errors": [], "totals": totals, "generator": generator})
        series = series.iloc[0:0]
    else:
        raise ValueError(name)
    return Story(name, Result.model_validate(result.model_dump()), series)


def _doubt(kind: str) -> Doubt:
    return {
        "too_close": Doubt(
            kind="too_close",
            text="The campaign's peak lies inside the interval of the breaking point.",
            remedy="Run the full profile: the interval becomes about half as wide.",
        ),
        "generator": Doubt(
            kind="generator",
            text="Visitors set out up to 64 ms late: the machine that played them was busy.",
            remedy="Use more workers or lend another machine with `surge worker`.",
        ),
        "lost_worker": Doubt(
            kind="lost_worker", text="One of two workers was lost 31 seconds into the test.", remedy="Look into run.log, then run again."
        ),
    }[kind]


def _without_limit(result: Result, *, status: str, verdict: str, low: float | None = None, cause: str | None = None) -> Result:
    own = result.campaign.peak_visitors_per_second
    point = result.breaking_point.model_copy(
        update={
            "status": status,
            "visitors_per_second": None,
            "low": low,
            "high": None,
            "confidence": None,
            "requests_per_second": None,
            "concurrent_visitors": None,
            "headroom": None,
            "headroom_low": low / own if low else None,
            "headroom_high": None,
            "cause": cause,
            "cause_detail": None,
            "promise": None,
            "first_step": "POST /webcast/join" if cause else None,
            "recovered": None,
            "recovery_seconds": None,
            "model": "none",
            "curve": None,
        }
    )
    kept = {"ready": "kept", "not_ready": "broken", "inconclusive": "unclear"}[verdict]
    never = {"verdict": kept, "first_broken_at_seconds": None, "first_broken_at_visitors_per_second": None}
    promises = [promise.model_copy(update=never) for promise in result.promises]
    return result.model_copy(update={"verdict": verdict, "breaking_point": point, "promises": promises})
