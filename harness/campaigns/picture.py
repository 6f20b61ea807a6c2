"""In: `ArrivalPlan`, `Moment`, the scenario. Out: the plan as one SVG picture, text and lines only: who comes, and the requests they make.

For `surge plan --svg`. The report's charts are the report's; this one needs no chart library, so that a plan stays quick.
"""

from __future__ import annotations

import math
from html import escape

import numpy as np

from harness.campaigns.blocks import highest, window
from harness.campaigns.moment import timeline
from harness.campaigns.plan import ArrivalPlan, Curve, Moment
from harness.campaigns.words import START, clock, people, rate, spell
from harness.scenario.model import Scenario

WIDE, HIGH, LEFT, RIGHT = 880, 560, 70, 860
VISITS, REQUESTS = (95, 300), (350, 510)  # top and bottom of the two panels
COLUMNS = 420
COLOURS = {"visitors": "#1f5fa8", "scanners": "#b35c00", "people who come back": "#6a3d9a", "requests": "#333333"}


def svg(plan: ArrivalPlan, moment: Moment, scenario: Scenario) -> str:
    """The stretch of the plan that is above 6 % of its peak, as a stand-alone SVG document. The same plan, the same bytes.

    Above: visits/s of new visitors, scanners, and people who come back. Below: all requests/s, a page counted once.
    """
    whole = timeline(plan, scenario)
    edges = window(plan, COLUMNS, moment.at, float(whole.times[int(whole.requests.argmax())]))
    curves = {"visitors": plan.visitors, "scanners": plan.scanners}
    if plan.returning is not None:
        curves["people who come back"] = plan.returning
    drawn = {name: highest(plan.times, values, edges) for name, values in curves.items() if float(values.max()) > 0}
    start = START[scenario.campaign.type]
    title = f"About {people(plan.total)} visitors, at most {rate(plan.peak)}/s {clock(plan, plan.peak_at, start)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(scenario.name)}: {escape(title)}</title>",
        f'<rect width="{WIDE}" height="{HIGH}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(scenario.name)}</text>',
        f'<text x="{LEFT}" y="42">{escape(title)}</text>',
        *_panel(edges, drawn, VISITS, "visits per second"),
        *_panel(edges, {"requests": highest(whole.times, whole.requests, edges)}, REQUESTS, "requests per second, a page counted once"),
    ]
    for k, name in enumerate(drawn):
        left = LEFT + 170 * k
        parts.append(f'<rect x="{left}" y="56" width="14" height="4" fill="{COLOURS[name]}"/><text x="{left + 20}" y="63">{name}</text>')
    for since in _marks(float(edges[0]) - plan.zero, float(edges[-1]) - plan.zero):
        words = "0" if since == 0 else f"{'−' if since < 0 else '+'}{spell(abs(since))}"
        at = _across(edges, since + plan.zero)
        parts.append(f'<text x="{at:.1f}" y="{REQUESTS[1] + 18}" text-anchor="middle">{words}</text>')
    parts.append(f'<text x="{RIGHT}" y="{REQUESTS[1] + 36}" text-anchor="end">time from {escape(start)}</text>')
    at = _across(edges, moment.at)
    side, anchor = (6, "start") if at < WIDE * 0.7 else (-6, "end")
    parts.append(f'<path d="M{at:.1f} {VISITS[0]}V{REQUESTS[1]}" stroke="#555555" stroke-dasharray="4 4"/>')
    parts.append(f'<text x="{at + side:.1f}" y="{VISITS[1] + 22}" text-anchor="{anchor}">the hardest moment</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(edges: Curve, drawn: dict[str, Curve], place: tuple[int, int], words: str) -> list[str]:
    """One set of axes with its curves, between the heights of `place`."""
    top, steps = _round_up(max((float(line.max()) for line in drawn.values()), default=1.0))
    above, below = place
    parts = [f'<text x="{LEFT}" y="{above - 10}">{words}</text>']
    for k in range(steps + 1):
        y = below - (below - above) * k / steps
        parts.append(f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{rate(top * k / steps)}</text>')
    across = [_across(edges, float(t)) for t in 0.5 * (edges[1:] + edges[:-1])]
    for name, heights in drawn.items():
        line = " ".join(f"{x:.1f},{below - (below - above) * float(v) / top:.1f}" for x, v in zip(across, heights, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
    return parts


def _across(edges: Curve, t: float) -> float:
    return LEFT + (RIGHT - LEFT) * (t - float(edges[0])) / float(edges[-1] - edges[0])


def _round_up(value: float) -> tuple[float, int]:
    """The next of 1, 2, 2.5, 4, 5, 8 times a power of ten, and in how many round steps it is read."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-9)))
    steps = ((1.0, 5), (2.0, 4), (2.5, 5), (4.0, 4), (5.0, 5), (8.0, 4), (10.0, 5))
    return next((float(size * power), count) for size, count in steps if value <= size * power * (1 + 1e-9))


def _marks(low: float, high: float) -> list[float]:
    """Four to eight round times between `low` and `high`, 0 among them where it lies between."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
    step = next((step for step in steps if (high - low) / step <= 8), math.ceil((high - low) / 8 / 86400) * 86400)
    return [float(k * step) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
