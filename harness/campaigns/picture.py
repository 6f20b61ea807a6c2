"""In: `ArrivalPlan`, `Moment` and the scenario. Out: the plan as one SVG picture, text and lines only: visitors, scanners, who comes back.

For `surge plan --svg`. The report's charts are the report's; this one needs no chart library, so that a plan stays quick.
"""

from __future__ import annotations

import math
from html import escape

import numpy as np

from harness.campaigns.blocks import highest, window
from harness.campaigns.plan import ArrivalPlan, Moment
from harness.campaigns.words import START, clock, people, rate, spell
from harness.scenario.model import Scenario

WIDE, HIGH, LEFT, TOP, BOTTOM = 880, 400, 70, 95, 50
COLUMNS = 420
COLOURS = {"visitors": "#1f5fa8", "scanners": "#b35c00", "people who come back": "#6a3d9a"}


def svg(plan: ArrivalPlan, moment: Moment, scenario: Scenario) -> str:
    """The stretch of the plan that is above 6 % of its peak, as a stand-alone SVG document. The same plan, the same bytes."""
    edges = window(plan, COLUMNS, moment.at)
    curves = {"visitors": plan.visitors, "scanners": plan.scanners}
    if plan.returning is not None:
        curves["people who come back"] = plan.returning
    drawn = {name: highest(plan.times, values, edges) for name, values in curves.items() if float(values.max()) > 0}
    top = _round_up(max(float(line.max()) for line in drawn.values()) if drawn else 1.0)
    wide, high = WIDE - LEFT - 20, HIGH - TOP - BOTTOM

    def x(t: float) -> float:
        return LEFT + wide * (t - float(edges[0])) / float(edges[-1] - edges[0])

    def y(value: float) -> float:
        return TOP + high * (1.0 - value / top)

    start = START.get(scenario.campaign.type, "the start")
    title = f"About {people(plan.total)} visitors, at most {rate(plan.peak)}/s {clock(plan, plan.peak_at, start)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(scenario.name)}: {escape(title)}</title>",
        f'<rect width="{WIDE}" height="{HIGH}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(scenario.name)}</text>',
        f'<text x="{LEFT}" y="42">{escape(title)}</text>',
    ]
    for k in range(5):
        value = top * k / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDE - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{rate(value)}</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 10}">visits per second</text>')
    for since in _marks(float(edges[0]) - plan.zero, float(edges[-1]) - plan.zero):
        words = "0" if since == 0 else f"{'−' if since < 0 else '+'}{spell(abs(since))}"
        parts.append(f'<text x="{x(since + plan.zero):.1f}" y="{HIGH - BOTTOM + 18}" text-anchor="middle">{words}</text>')
    parts.append(f'<text x="{WIDE - 20}" y="{HIGH - BOTTOM + 36}" text-anchor="end">time from {escape(start)}</text>')
    if edges[0] <= moment.at <= edges[-1]:
        at = x(moment.at)
        side, anchor = (6, "start") if at < WIDE * 0.7 else (-6, "end")
        parts.append(f'<path d="M{at:.1f} {TOP}V{HIGH - BOTTOM}" stroke="#555555" stroke-dasharray="4 4"/>')
        parts.append(f'<text x="{at + side:.1f}" y="{TOP + 12}" text-anchor="{anchor}">the hardest moment</text>')
    middles = 0.5 * (edges[1:] + edges[:-1])
    for k, (name, heights) in enumerate(drawn.items()):
        line = " ".join(f"{x(float(t)):.1f},{y(float(v)):.1f}" for t, v in zip(middles, heights, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        left = LEFT + 170 * k
        parts.append(f'<rect x="{left}" y="56" width="14" height="4" fill="{COLOURS[name]}"/><text x="{left + 20}" y="63">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5, 8 times a power of ten: an axis that can be read."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-9)))
    return float(next(step * power for step in (1.0, 2.0, 2.5, 4.0, 5.0, 8.0, 10.0) if value <= step * power * (1 + 1e-9)))


def _marks(low: float, high: float) -> list[float]:
    """Four to eight round times between `low` and `high`, 0 among them where it lies between."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
    step = next((step for step in steps if (high - low) / step <= 8), math.ceil((high - low) / 8 / 86400) * 86400)
    return [float(k * step) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
