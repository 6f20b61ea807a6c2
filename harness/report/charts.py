"""In: `Result` and the single seconds of its series. Out: the figures over the offered load: good answers, and response times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.report import facts, words
from harness.report.axis import ms_axis
from harness.report.drawing import NARROW, PLAN, WIDE, Figure, Key, Spec, Table, both_sizes, values
from harness.report.quantities import a_minute, milliseconds, number, percent, plural, whole
from harness.report.thin import every
from harness.result import Level, Result

DOTS = 200
"""At most so many single seconds in a chart."""

ROWS = 60
"""At most so many rows of numbers behind a figure; all of them are in the files beside the report."""

DOT = "M-.5-.5h1v1h-1Z"
CROSS = "M-.8,-.8L.8,.8M.8,-.8L-.8,.8"

HELD = {"yes": "held", "no": "broke", "unclear": "unclear"}


def _levels(result: Result) -> list[Level]:
    able = sorted(
        (level for level in result.levels if level.requests and not facts.is_aftermath(level)), key=lambda level: level.visitors_per_second
    )
    return [able[index] for index in every(len(able), 100)]


def _reach(result: Result, levels: list[Level], seconds: Sequence[Second]) -> tuple[float, float]:
    """The ends of the load's axis, in visitors a minute."""
    rates = [level.visitors_per_second for level in levels] + [result.campaign.peak_visitors_per_second]
    rates += [second.offered / 60 for second in seconds]
    if result.breaking_point.high:
        rates.append(result.breaking_point.high)
    return (0.0, max(rates) * 60 * 1.03)


def _load_axis(result: Result, levels: list[Level], seconds: Sequence[Second], small: bool) -> Spec:
    return {
        "field": "offered",
        "type": "quantitative",
        "title": "offered load, visitors a minute" if small else "offered load: the campaign scaled to a peak of so many visitors a minute",
        "axis": {"tickCount": 5 if small else 9},
        "scale": {"domain": list(_reach(result, levels, seconds)), "nice": False},
    }


def _guides(result: Result, x: Spec) -> list[Spec]:
    """The breaking point's interval as a band and the campaign's own peak as a dashed line."""
    point = result.breaking_point
    layers: list[Spec] = []
    if point.low is not None and point.high is not None:
        layers.append(
            {
                "data": values([{"low": point.low * 60, "high": point.high * 60}]),
                "mark": {"type": "rect", "color": "var(--site)", "opacity": 0.24},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            }
        )
    layers.append(
        {
            "data": values([{"offered": result.campaign.peak_visitors_per_second * 60}]),
            "mark": {**PLAN, "type": "rule"},
            "encoding": {"x": x},
        }
    )
    return layers


@dataclass(frozen=True, kw_only=True, slots=True)
class Second:
    """One second of the test: the load offered, and what came back. None where nothing did."""

    offered: float  # visitors a minute
    good: float | None  # answers well and in time
    p95_ms: float | None


def _single(seconds: Sequence[Second], field: Literal["good", "p95_ms"], x: Spec, y: Spec) -> list[Spec]:
    """Every second of the test as a faint dot, so that what was passed through shows beside what was held."""
    told = [{"offered": each.offered, y["field"]: max(value, 0.1)} for each in seconds if (value := getattr(each, field)) is not None]
    if not told:
        return []
    mark = {"type": "point", "shape": DOT, "filled": True, "size": 16, "color": "var(--muted)", "opacity": 0.55}
    return [{"data": values([told[place] for place in every(len(told), DOTS)]), "mark": mark, "encoding": {"x": x, "y": y}}]


def _single_key(seconds: Sequence[Second], name: str) -> tuple[Key, ...]:
    return (Key(name=name, shape="dot", colour="muted"),) if seconds else ()


def _guide_keys(result: Result) -> tuple[Key, ...]:
    peak = Key(name="the campaign's peak", shape="dash", colour="plan")
    point = result.breaking_point
    return (
        (peak, Key(name="breaking point, interval", shape="band", colour="site"))
        if point.low is not None and point.high is not None
        else (peak,)
    )


def percentile_keys(names: list[str]) -> tuple[Key, ...]:
    """The legend of `percentile_colours` and `percentile_dashes`."""
    first, second, third = names
    return (
        Key(name=first, shape="line", colour="p50"),
        Key(name=second, shape="dash", colour="p95"),
        Key(name=third, shape="dots", colour="p99"),
    )


def promise_key(limit: float | None) -> tuple[Key, ...]:
    return () if limit is None else (Key(name="promised", shape="line", colour="bad"),)


def _width(small: bool) -> int:
    return (NARROW if small else WIDE) - 60


def throughput(result: Result, seconds: Sequence[Second] = ()) -> Figure | None:
    """Good answers a second at each level of load, with the breaking point's interval."""
    levels = _levels(result)
    if not levels:
        return None
    rows = [{"offered": lev.visitors_per_second * 60, "good": lev.goodput_per_second, "held": HELD[lev.held]} for lev in levels]

    def make(small: bool) -> Spec:
        x = _load_axis(result, levels, seconds, small)
        y: Spec = {"field": "good", "type": "quantitative", "title": "good answers a second"}
        dots = {
            "data": values(rows),
            "mark": {"type": "point", "filled": False, "size": 80, "strokeWidth": 2.2},
            "encoding": {
                "x": x,
                "y": y,
                "color": {
                    "field": "held",
                    "type": "nominal",
                    "scale": {"domain": list(HELD.values()), "range": ["var(--good)", "var(--bad)", "var(--unknown)"]},
                },
                "shape": {
                    "field": "held",
                    "type": "nominal",
                    "scale": {"domain": list(HELD.values()), "range": ["circle", CROSS, "diamond"]},
                },
            },
        }
        return {
            "width": _width(small),
            "height": 200 if small else 240,
            "layer": [*_guides(result, x), *_single(seconds, "good", x, y), dots],
        }

    caption = _throughput_caption(result)
    return both_sizes(
        make,
        keys=(
            Key(name="held", shape="circle", colour="good"),
            Key(name="broke", shape="cross", colour="bad"),
            Key(name="unclear", shape="diamond", colour="unknown"),
            *_single_key(seconds, "one second"),
            *_guide_keys(result),
        ),
        key="throughput",
        title="Throughput against offered load",
        caption=caption,
        description=caption
        + " Each mark is a level: circle held, cross broke, diamond unclear. Band: breaking point. Dashed: the campaign's peak.",
        table=_level_table(result),
        reach=_reach(result, levels, seconds),
    )


def _throughput_caption(result: Result) -> str:
    point = result.breaking_point
    best = max(result.levels, key=lambda level: level.goodput_per_second)
    if point.status == "found":
        return (
            f"Good answers grow with the load up to about {number(point.requests_per_second or best.goodput_per_second)} a second; "
            f"past {words.limit(result).value} visitors a minute, more load brings no more of them in time."
        )
    if point.status == "not_reached":
        return f"Good answers grew with the load all the way, to {number(best.goodput_per_second)} a second."
    return f"The most good answers in one second's mean were {number(best.goodput_per_second)}."


def latency(result: Result, seconds: Sequence[Second] = ()) -> Figure | None:
    """Percentiles at each level of load, with the promise's limit and the breaking point's interval."""
    levels = [level for level in _levels(result) if level.p50_ms is not None]
    if not levels:
        return None
    names = {"p50_ms": "half within (p50)", "p95_ms": "19 in 20 within (p95)", "p99_ms": "99 in 100 within (p99)"}
    rows: list[dict[str, object]] = []
    for level in levels:
        for field, name in names.items():
            value = getattr(level, field)
            if value is not None:
                rows.append({"offered": level.visitors_per_second * 60, "ms": max(value, 0.1), "share": name})
    times = [float(str(row["ms"])) for row in rows]
    limit = facts.latency_limit_ms(result)
    times += [max(second.p95_ms, 0.1) for second in seconds if second.p95_ms is not None]

    def make(small: bool) -> Spec:
        x = _load_axis(result, levels, seconds, small)
        y = {"field": "ms", "type": "quantitative", **ms_axis([*times, *([limit] if limit else [])])}
        layers = [*_guides(result, x), *_single(seconds, "p95_ms", x, y)]
        if limit is not None:
            layers.append(
                {"data": values([{"ms": limit}]), "mark": {"type": "rule", "color": "var(--bad)", "strokeWidth": 1.5}, "encoding": {"y": y}}
            )
        layers.append(
            {
                "data": values(rows),
                "mark": {"type": "line", "point": {"size": 36, "filled": True}},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": percentile_colours(list(names.values())),
                    "strokeDash": percentile_dashes(list(names.values())),
                },
            }
        )
        return {"width": _width(small), "height": 200 if small else 240, "layer": layers}

    caption = _latency_caption(result, limit)
    return both_sizes(
        make,
        keys=(
            *percentile_keys(list(names.values())),
            *_single_key(seconds, "p95 of one second"),
            *_guide_keys(result),
            *promise_key(limit),
        ),
        key="latency",
        title="Response times against offered load",
        caption=caption,
        description="Lines: p50, p95 and p99 of good answers, from the planned moment. Solid rule: the promise.",
        table=_level_table(result),
        reach=_reach(result, levels, seconds),
    )


def _latency_caption(result: Result, limit: float | None) -> str:
    peak, promised = facts.at_peak(result), f" (promised: {milliseconds(limit)})" if limit else ""
    if peak is not None and peak.p95_ms is not None:
        return f"At the campaign's own peak 19 in 20 good answers came within {milliseconds(peak.p95_ms)}{promised}."
    best = facts.best_held(result)
    if best is not None and best.p95_ms is not None:
        load = a_minute(best.visitors_per_second).value
        return f"At {load} visitors a minute, the most that held, 19 in 20 good answers came within {milliseconds(best.p95_ms)}{promised}."
    return f"No level of load held{promised}."


def percentile_colours(names: list[str]) -> Spec:
    return {"field": "share", "type": "nominal", "scale": {"domain": names, "range": ["var(--p50)", "var(--p95)", "var(--p99)"]}}


def percentile_dashes(names: list[str]) -> Spec:
    return {"field": "share", "type": "nominal", "scale": {"domain": names, "range": [[1, 0], [7, 3], [2, 3]]}}


def _level_table(result: Result) -> Table:
    levels = sorted(result.levels, key=lambda level: level.visitors_per_second)
    shown = [levels[index] for index in every(len(levels), ROWS)]
    rows = tuple(
        (
            number(lev.visitors_per_second * 60),
            HELD[lev.held],
            f"{lev.seconds:.1f}",
            whole(lev.requests),
            number(lev.goodput_per_second),
            milliseconds(lev.p50_ms),
            milliseconds(lev.p95_ms),
            milliseconds(lev.p99_ms),
            percent(lev.error_rate),
        )
        for lev in shown
    )
    note = f"{ROWS} of {plural(len(levels), 'level')}, evenly spread; result.json has all." if len(levels) > ROWS else ""
    return Table(
        head=("Visitors a minute", "Held?", "Seconds", "Requests", "Good answers a second", "p50", "p95", "p99", "Failed"),
        rows=rows,
        note=note,
        places=tuple(level.visitors_per_second * 60 for level in shown),
    )
