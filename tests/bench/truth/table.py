"""In: rows. Out: the table: each case, each group against its goal. Errors in % of the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.bench.truth.cases import CASES
from tests.bench.truth.rows import Row

GOALS = {  # mean absolute error, 95th percentile; within a minute on real sockets, and in ten
    "quick": {"smooth": (0.03, 0.08), "hard": (0.06, 0.14), "stalls": (0.08, 0.18), "paths": (0.08, math.inf)},
    "full": {"smooth": (0.015, 0.04), "hard": (0.03, 0.07), "stalls": (0.035, 0.08), "paths": (0.04, math.inf)},
}
COVERED = {"quick": 0.85, "full": 0.88}
HARMED = {"quick": 0.08, "full": 0.05}
RATIO = {"quick": 6.0, "full": 4.0}
ENOUGH = 10  # rows for a 95th percentile


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _share(rows: Sequence[Row], of: Callable[[Row], bool | None]) -> float:
    return _mean([float(held) for row in rows if (held := of(row)) is not None])


def _percent(value: float) -> str:
    return "   –  " if math.isnan(value) else f"{100 * value:5.1f} "


def _line(name: str, rows: Sequence[Row], ramps: Sequence[Row]) -> str:
    errors = [row.error for row in rows if row.error is not None]
    size = [abs(e) for e in errors]
    most = float(np.quantile(size, 0.95)) if len(size) >= ENOUGH else max(size, default=math.nan)
    widths = [(row.high - row.low) / row.truth for row in rows if row.truth and row.high is not None and row.low is not None]
    cells = [
        f"{name:17s} {len(rows):3d}",
        f"{_percent(_mean(size))}{_percent(most)}{_percent(_mean(errors))}",
        f"{_percent(_share(rows, lambda r: r.covered))}{_percent(_mean(widths))}",
        f"{_percent(_share(rows, lambda r: r.cause_right))}{_percent(_share(rows, lambda r: r.step_right))}",
        f"{_percent(_share(rows, lambda r: r.status_right))}",
        f"{_percent(_mean([r.harmed for r in rows if r.harmed is not None]))}",
        f"{_mean([r.lag_p99_ms for r in rows if r.lag_p99_ms is not None]):5.1f}",
        f"{_mean([r.seconds for r in rows]):4.0f}",
        f"{_percent(_mean([abs(r.error) for r in ramps if r.error is not None]))}",
    ]
    return " │ ".join(cells)


def table(rows: Sequence[Row]) -> str:
    """Plain text, one block a budget."""
    blocks = []
    for profile in GOALS:
        ours = [row for row in rows if row.profile == profile and row.tool == "surge"]
        ramps = [row for row in rows if row.profile == profile and row.tool == "k6"]
        if ours:
            blocks.append("\n".join(_block(profile, ours, ramps)))
    return "\n\n".join(blocks) or "no rows yet"


def _block(profile: str, ours: Sequence[Row], ramps: Sequence[Row]) -> list[str]:
    dates = sorted(row.date for row in ours)
    machines = ", ".join(sorted({row.machine for row in ours}))
    lines = [
        f"{profile}, real sockets, {dates[0]} to {dates[-1]}, {machines}",
        f"{'case':17s} {'n':>3s} │ {'error':>5s} {'worst':>5s} {'bias':>5s} │ {'cover':>5s} {'width':>5s} │ {'cause':>5s} {'step':>5s} │ "
        f"{'state':>5s} │ {'harm':>5s} │ {'lag':>5s} │ {'s':>4s} │ {'k6':>5s}",
    ]
    lines += [
        _line(name, these, [row for row in ramps if row.kind == name])
        for name in CASES
        if (these := [row for row in ours if row.kind == name])
    ]
    lines.append(f"('worst' is the largest error below {ENOUGH} runs, the 95th percentile from there on)")
    for group, (mean, most) in GOALS[profile].items():
        if not (these := [row for row in ours if row.group == group]):
            continue
        size = [abs(row.error) for row in these if row.error is not None]
        worst = float(np.quantile(size, 0.95)) if len(size) >= ENOUGH else max(size, default=math.nan)
        aim = "" if math.isinf(most) else f" / ≤ {most:.1%}"
        silent = len(these) - len(size)
        lines.append(
            f"{group:8s} mean {_mean(size):6.1%} / worst {worst:6.1%} (goal ≤ {mean:.1%}{aim})"
            f" {_said(_mean(size) <= mean and worst <= most)}" + (f"; {silent} of {len(these)} without a number" if silent else "")
        )
    known = [row for row in ours if row.truth is not None and row.group != "stacks"]
    right = _mean([float(row.cause_right is True and row.step_right is True) for row in known])
    each = [(_share([row for row in known if row.kind == kind], lambda r: r.covered), kind) for kind in {row.kind for row in known}]
    least, where = min(each, default=(math.nan, "none"))
    false = [row for row in ours if row.truth is None and row.group == "none" and row.estimate is not None]
    harm = _mean([row.harmed for row in known if row.harmed is not None])
    covered = _share(known, lambda r: r.covered)
    lines += [
        f"covered  {covered:.0%} of all; least {least:.0%} on {where} (goal ≥ {COVERED[profile]:.0%} each)"
        f" {_said(least >= COVERED[profile])}",
        f"cause and first step right {right:.0%} (goal ≥ 95 %) {_said(right >= 0.95)}",
        f"numbers where there is none {len(false)} (goal 0) {_said(not false)}",
        f"harmed   {harm:.1%} of the requests (goal ≤ {HARMED[profile]:.0%}) {_said(harm <= HARMED[profile])}",
    ]
    if ramps:
        shared = {row.kind for row in ramps} & {row.kind for row in known}
        theirs = _mean([abs(row.error) for row in ramps if row.error is not None and row.kind in shared])
        own = _mean([abs(row.error) for row in known if row.error is not None and row.kind in shared])
        lines.append(
            f"a k6 ramp errs by {theirs:.1%}, {theirs / own:.1f} times as much, on {len(shared)} cases (goal ≥ {RATIO[profile]:g})"
            f" {_said(theirs / own >= RATIO[profile])}"
        )
    return lines


def _said(held: bool) -> str:
    return "met" if held else "MISSED"
