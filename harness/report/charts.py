"""In: `Result`. Out: the figures that need no clock: answers and waits against the load, and answers against the queue."""

from __future__ import annotations

from harness.report import facts, words
from harness.report.drawing import NARROW, PLAN, WIDE, Figure, Key, Spec, Table, both_sizes, values
from harness.report.quantities import a_minute, milliseconds, number, percent, plural, whole
from harness.report.thin import every, spikes
from harness.result import Level, Result

ROWS = 60
"""At most so many rows of numbers behind a figure; all of them are in the files beside the report."""

CROSS = "M-.8,-.8L.8,.8M.8,-.8L-.8,.8"

HELD = {"yes": "held", "no": "broke", "unclear": "unclear"}


def _levels(result: Result) -> list[Level]:
    able = sorted(
        (level for level in result.levels if level.requests and not facts.is_aftermath(level)), key=lambda level: level.visitors_per_second
    )
    return [able[index] for index in every(len(able), 150)]


def _load_axis(result: Result, levels: list[Level], small: bool) -> Spec:
    rates = [level.visitors_per_second for level in levels] + [result.campaign.peak_visitors_per_second]
    if result.breaking_point.high:
        rates.append(result.breaking_point.high)
    return {
        "field": "offered",
        "type": "quantitative",
        "title": "offered load, visitors a minute" if small else "offered load: the campaign scaled to a peak of so many visitors a minute",
        "axis": {"tickCount": 5 if small else 9},
        "scale": {"domain": [0, max(rates) * 60 * 1.03], "nice": False},
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


def throughput(result: Result) -> Figure | None:
    """Good answers a second at each level of load, with the breaking point's interval."""
    levels = _levels(result)
    if not levels:
        return None
    rows = [{"offered": lev.visitors_per_second * 60, "good": lev.goodput_per_second, "held": HELD[lev.held]} for lev in levels]

    def make(small: bool) -> Spec:
        x = _load_axis(result, levels, small)
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
        return {"width": _width(small), "height": 200 if small else 240, "layer": [*_guides(result, x), dots]}

    caption = _throughput_caption(result)
    return both_sizes(
        make,
        keys=(
            Key(name="held", shape="circle", colour="good"),
            Key(name="broke", shape="cross", colour="bad"),
            Key(name="unclear", shape="diamond", colour="unknown"),
            *_guide_keys(result),
        ),
        key="throughput",
        title="Throughput against offered load",
        caption=caption,
        description=caption
        + " Each mark is a level: circle held, cross broke, diamond unclear. Band: breaking point. Dashed: the campaign's peak.",
        table=_level_table(result),
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


def latency(result: Result) -> Figure | None:
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
    logarithmic = max(times) / min(times) > 30

    def make(small: bool) -> Spec:
        x = _load_axis(result, levels, small)
        scale: Spec = {"type": "log"} if logarithmic else {"zero": True}
        y: Spec = {"field": "ms", "type": "quantitative", "title": "ms" + (" (logarithmic)" if logarithmic else ""), "scale": scale}
        layers = _guides(result, x)
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
        keys=(*percentile_keys(list(names.values())), *_guide_keys(result), *promise_key(limit)),
        key="latency",
        title="Response times against offered load",
        caption=caption,
        description="Lines: p50, p95 and p99 of good answers, from the planned moment. Solid rule: the promise.",
        table=_level_table(result),
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
    )


def in_flight(result: Result) -> Figure | None:
    """Answers a second while so many requests were under way: the measurement that the estimate rests on."""
    curve = result.breaking_point.curve
    if curve is None or not curve.in_flight:
        return None
    kept = spikes(curve.answers_per_second, 200)
    rows = [{"n": curve.in_flight[i], "rate": curve.answers_per_second[i], "seconds": curve.seconds[i]} for i in kept]

    def make(small: bool) -> Spec:
        encoding = {
            "x": {"field": "n", "type": "quantitative", "title": "requests under way", "axis": {"tickCount": 5 if small else 10}},
            "y": {"field": "rate", "type": "quantitative", "title": "answers a second"},
        }
        line = {"mark": {"type": "line", "color": "var(--site)"}, "encoding": encoding}
        size = {"field": "seconds", "type": "quantitative", "legend": None, "scale": {"range": [12, 220]}}
        dots = {"mark": {"type": "point", "filled": True, "color": "var(--site)", "opacity": 0.55}, "encoding": {**encoding, "size": size}}
        return {"width": _width(small), "height": 180 if small else 220, "data": values(rows), "layer": [line, dots]}

    top = max(curve.answers_per_second)
    caption = f"The site answers at most about {number(top)} requests a second, however many wait: where the curve goes flat, it is full."
    return both_sizes(
        make,
        key="in-flight",
        title="Answers a second against requests under way",
        caption=caption,
        description="The larger a dot, the longer the site was seen at that level.",
        table=Table(
            head=("Requests under way", "Answers a second", "Seconds seen"),
            rows=tuple(
                (number(row["n"]), number(row["rate"]), f"{row['seconds']:.1f}") for row in (rows[i] for i in every(len(rows), ROWS))
            ),
        ),
    )
