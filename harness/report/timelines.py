"""In: a run's series, one row a second. Out: the figures over the test's own clock: load and answers, and response times, spikes kept."""

from __future__ import annotations

import math

import pandas as pd

from harness import series as columns
from harness.report import facts
from harness.report.axis import elapsed, elapsed_axis, ms_axis
from harness.report.charts import CROSS, Second, percentile_colours, percentile_dashes, percentile_keys, promise_key
from harness.report.drawing import NARROW, WIDE, Figure, Key, Spec, Table, both_sizes, values
from harness.report.quantities import milliseconds, number, percent, plural, whole
from harness.report.thin import every, spikes
from harness.report.words import sentence
from harness.result import Result

POINTS = 240
"""At most so many points a curve: about three px each on a wide screen."""
ROWS = 60

Numbers = list[float | None]


def whole_site(series: pd.DataFrame) -> pd.DataFrame:
    """The rows of the whole site, by second."""
    return series[series["step"] == columns.ALL].sort_values("second", kind="stable")


def _numbers(column: pd.Series) -> Numbers:
    return [None if value is None or math.isnan(value) else float(value) for value in column.tolist()]


def seconds_of(series: pd.DataFrame) -> list[Second]:
    """Every second of the whole site as the load charts show it."""
    site = whole_site(series)
    told = zip(*(_numbers(site[name]) for name in ("dial_visitors_per_second", "ok", "slow", "ok_p95_ms")), strict=True)
    return [Second(offered=dial * 60, good=None if ok is None else ok - (slow or 0.0), p95_ms=p95) for dial, ok, slow, p95 in told if dial]


def answers(series: pd.DataFrame) -> Figure | None:
    """What was offered, and what came back each second: in time, too late, failed."""
    site = whole_site(series)
    if site.empty:
        return None
    seconds = [float(value) for value in site["second"]]
    dial = [(value or 0.0) * 60 for value in _numbers(site["dial_visitors_per_second"])]
    good = [(ok or 0.0) - (slow or 0.0) for ok, slow in zip(_numbers(site["ok"]), _numbers(site["slow"]), strict=True)]
    slow, failed = ([value or 0.0 for value in _numbers(site[name])] for name in ("slow", "failed"))
    kinds = (("in time", good), ("too late", slow), ("failed", failed))
    width = max(seconds) + 1
    offered = [{"at": seconds[i], "rate": dial[i]} for i in spikes(dial, POINTS)]
    together = [a + b + c for a, b, c in zip(good, slow, failed, strict=True)]
    kept = sorted({*spikes(together, POINTS // 2), *spikes(failed, POINTS // 4), *spikes(slow, POINTS // 4)})
    rows = [
        {"at": seconds[i], "count": counts[i], "kind": name, "order": place} for place, (name, counts) in enumerate(kinds) for i in kept
    ]

    def make(small: bool) -> Spec:
        axis = elapsed_axis(width, ticks=5 if small else 10)
        x: Spec = {"field": "at", "type": "quantitative", "scale": {"domain": [0, width], "nice": False}, "axis": axis}
        across = (NARROW if small else WIDE) - 60
        load = {
            "width": across,
            "height": 70,
            "data": values(offered),
            "mark": {"type": "line", "interpolate": "step-after", "color": "var(--plan)"},
            "encoding": {
                "x": {**x, "axis": {**axis, "title": None, "labels": False}},
                "y": {"field": "rate", "type": "quantitative", "title": "offered: visitors a minute", "axis": {"tickCount": 2}},
            },
        }
        back = {
            "width": across,
            "height": 150 if small else 180,
            "data": values(rows),
            "mark": {"type": "area", "interpolate": "linear"},
            "encoding": {
                "x": x,
                "y": {"field": "count", "type": "quantitative", "stack": "zero", "title": "answers a second"},
                "order": {"field": "order", "type": "quantitative"},
                "color": {
                    "field": "kind",
                    "type": "nominal",
                    "scale": {"domain": [name for name, _ in kinds], "range": ["var(--good)", "var(--late)", "var(--bad)"]},
                },
            },
        }
        return {"vconcat": [load, back], "spacing": 34}

    total, bad = sum(together), sum(slow) + sum(failed)
    worst = max(range(len(kept)), key=lambda place: slow[kept[place]] + failed[kept[place]])
    caption = (
        "Every answer came well and in time."
        if bad == 0
        else sentence(f"{percent(bad / total)} of all answers came too late or failed, most at {elapsed(seconds[kept[worst]])}.")
    )
    table = every(len(seconds), ROWS)
    return both_sizes(
        make,
        keys=tuple(Key(name=name, shape="area", colour=colour) for (name, _), colour in zip(kinds, ("good", "late", "bad"), strict=True)),
        key="answers",
        title="Load and answers over the test",
        caption=caption,
        description="Upper chart: visitors offered a minute. Lower chart: answers a second, stacked: in time, too late, failed.",
        table=Table(
            head=("Second", "Offered, visitors a minute", "In time", "Too late", "Failed", "Under way"),
            rows=tuple(
                (f"{seconds[i]:.0f}", number(dial[i]), whole(good[i]), whole(slow[i]), whole(failed[i]), number(site["in_flight"].iloc[i]))
                for i in table
            ),
            note=_left_out(len(seconds)),
            places=tuple(seconds[i] for i in table),
        ),
        reach=(0.0, width),
    )


def _left_out(count: int) -> str:
    return f"{ROWS} of {plural(count, 'second')}, evenly spread; series.csv has all of them, and every step." if count > ROWS else ""


def response_times(result: Result, series: pd.DataFrame) -> Figure | None:
    """Percentiles each second, good answers and failures apart."""
    site = whole_site(series)
    names = {"ok_p50_ms": "p50", "ok_p95_ms": "p95", "ok_p99_ms": "p99"}
    data = {name: _numbers(site[field]) for field, name in names.items()}
    if site.empty or all(value is None for value in data["p50"]):
        return None
    seconds, failures = [float(value) for value in site["second"]], _numbers(site["failed_p95_ms"])
    rows: list[dict[str, object]] = [
        {"at": seconds[i], "ms": None if data[name][i] is None else max(data[name][i] or 0.0, 0.1), "share": name}
        for name in names.values()
        for i in spikes(data[name], POINTS)
    ]
    kept = [i for i in spikes(failures, POINTS // 2) if failures[i] is not None]
    crosses: list[dict[str, object]] = [{"at": seconds[i], "ms": max(failures[i] or 0.0, 0.1)} for i in kept]
    times = [float(str(row["ms"])) for row in [*rows, *crosses] if row["ms"] is not None]
    limit, width = facts.latency_limit_ms(result), max(seconds) + 1

    def make(small: bool) -> Spec:
        axis = elapsed_axis(width, ticks=5 if small else 10)
        x: Spec = {"field": "at", "type": "quantitative", "scale": {"domain": [0, width], "nice": False}, "axis": axis}
        y = {"field": "ms", "type": "quantitative", **ms_axis([*times, *([limit] if limit else [])])}
        layers: list[Spec] = []
        if limit is not None:
            layers.append(
                {"data": values([{"ms": limit}]), "mark": {"type": "rule", "color": "var(--bad)", "strokeWidth": 1.5}, "encoding": {"y": y}}
            )
        shares = list(names.values())
        layers.append(
            {
                "data": values(rows),
                "mark": {"type": "line", "strokeWidth": 1.75},
                "encoding": {"x": x, "y": y, "color": percentile_colours(shares), "strokeDash": percentile_dashes(shares)},
            }
        )
        if crosses:
            layers.append(
                {
                    "data": values(crosses),
                    "mark": {"type": "point", "shape": CROSS, "size": 40, "color": "var(--bad)"},
                    "encoding": {"x": x, "y": y},
                }
            )
        return {"width": (NARROW if small else WIDE) - 60, "height": 200 if small else 240, "layer": layers}

    slowest = max((value, i) for i, value in enumerate(data["p95"]) if value is not None) if any(data["p95"]) else None
    caption = (
        f"In the slowest second 1 in 20 good answers took longer than {milliseconds(slowest[0])}."
        if slowest
        else "Response times over the test."
    )
    if crosses:
        caption += " Failures are marked apart: 19 in 20 of a second's failures took up to that long."
    table = every(len(seconds), ROWS)
    return both_sizes(
        make,
        keys=(
            *percentile_keys(list(names.values())),
            *promise_key(limit),
            *((Key(name="failures (p95)", shape="cross", colour="bad"),) if crosses else ()),
        ),
        key="response-times",
        title="Response times over the test",
        caption=caption,
        description="Lines: p50, p95 and p99 of good answers each second. Solid rule: the promise.",
        table=Table(
            head=("Second", "p50", "p95", "p99", "Failures, p95"),
            rows=tuple(
                (f"{seconds[i]:.0f}", *(milliseconds(data[name][i]) for name in names.values()), milliseconds(failures[i])) for i in table
            ),
            note=_left_out(len(seconds)),
            places=tuple(seconds[i] for i in table),
        ),
        reach=(0.0, width),
    )
