"""In: `Result`. Out: the figure that the estimate rests on: answers a second while so many requests were under way."""

from __future__ import annotations

from harness.report import facts
from harness.report.drawing import NARROW, WIDE, Figure, Spec, Table, both_sizes, values
from harness.report.quantities import number
from harness.report.thin import every, spikes
from harness.result import Result

SEEN = 0.5
"""Seconds: levels of requests under way that were seen for less are too noisy to draw."""

ROWS = 60


def in_flight(result: Result) -> Figure | None:
    """Answers a second while so many requests were under way: the measurement that the estimate rests on."""
    curve = result.breaking_point.curve
    if curve is None or not any(seconds >= SEEN for seconds in curve.seconds):
        return None
    seen = [place for place, seconds in enumerate(curve.seconds) if seconds >= SEEN]
    kept = [seen[place] for place in spikes([curve.answers_per_second[place] for place in seen], 200)]
    rows = [{"n": curve.in_flight[i], "rate": curve.answers_per_second[i], "seconds": curve.seconds[i]} for i in kept]

    widest = max(row["n"] for row in rows) * 1.02

    def make(small: bool) -> Spec:
        encoding = {
            "x": {
                "field": "n",
                "type": "quantitative",
                "title": "requests under way",
                "scale": {"domain": [0, widest], "nice": False},
                "axis": {"tickCount": 5 if small else 10},
            },
            "y": {"field": "rate", "type": "quantitative", "title": "answers a second"},
        }
        line = {"mark": {"type": "line", "color": "var(--site)"}, "encoding": encoding}
        size = {"field": "seconds", "type": "quantitative", "legend": None, "scale": {"range": [12, 220]}}
        dots = {"mark": {"type": "point", "filled": True, "color": "var(--site)", "opacity": 0.55}, "encoding": {**encoding, "size": size}}
        return {"width": (NARROW if small else WIDE) - 60, "height": 180 if small else 220, "data": values(rows), "layer": [line, dots]}

    pressed = number(float(f"{facts.under_pressure(curve):.2g}"))
    caption = f"Under pressure the site answers about {pressed} requests a second, however many wait."
    listed = every(len(rows), ROWS)
    return both_sizes(
        make,
        key="in-flight",
        title="Answers a second against requests under way",
        caption=caption,
        description="Where the curve goes flat the site is full; where it falls it collapses. Larger dots were seen longer.",
        table=Table(
            head=("Requests under way", "Answers a second", "Seconds seen"),
            rows=tuple((number(row["n"]), number(row["rate"]), f"{row['seconds']:.1f}") for row in (rows[i] for i in listed)),
            places=tuple(rows[i]["n"] for i in listed),
        ),
        reach=(0.0, widest),
    )
