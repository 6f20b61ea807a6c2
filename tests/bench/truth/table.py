"""In: rows. Out: the table: each case, then everything that is judged against its goal. Errors in % of the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.bench.truth.judged import ENOUGH, ERRORS, by_kind, judged, mean, most, share, sizes
from tests.bench.truth.rows import Row

RIVALS = ("k6", "ramp", "steps")


def _percent(value: float) -> str:
    return "   –  " if math.isnan(value) else f"{100 * value:5.1f} "


def _line(name: str, rows: Sequence[Row], rivals: dict[str, list[Row]]) -> str:
    size = sizes(rows)
    widths = [(row.high - row.low) / row.truth for row in rows if row.truth and row.high is not None and row.low is not None]
    cells = [
        f"{name:17s} {len(rows):3d}",
        f"{_percent(mean(size))}{_percent(most(size))}{_percent(mean(row.error for row in rows if row.error is not None))}",
        f"{_percent(share(rows, lambda r: r.covered))}{_percent(mean(widths))}",
        f"{_percent(share(rows, lambda r: r.cause_right))}{_percent(share(rows, lambda r: r.step_right))}",
        f"{_percent(share(rows, lambda r: r.status_right))}",
        f"{_percent(mean(r.harmed for r in rows if r.harmed is not None))}",
        f"{mean(r.lag_p99_ms for r in rows if r.lag_p99_ms is not None):5.1f}",
        f"{mean(r.seconds for r in rows):4.0f}",
        "".join(_percent(mean(sizes(row for row in rivals[tool] if row.kind == name))) for tool in RIVALS),
    ]
    return " │ ".join(cells).rstrip()


def table(rows: Sequence[Row]) -> str:
    """Plain text, one block a budget."""
    blocks = []
    for profile in ERRORS:
        ours = [row for row in rows if row.profile == profile and row.tool == "surge"]
        rivals = {tool: [row for row in rows if row.profile == profile and row.tool == tool] for tool in RIVALS}
        blocks.append("\n".join(_block(profile, ours, rivals)) if ours else f"{profile}: not measured")
    return "\n\n".join(blocks)


def _block(profile: str, ours: Sequence[Row], rivals: dict[str, list[Row]]) -> list[str]:
    dates = sorted(row.date for row in ours)
    machines, codes = (", ".join(sorted(set(words))) for words in ((row.machine for row in ours), (row.code for row in ours)))
    return [
        f"{profile}, real sockets, {dates[0]} to {dates[-1]}, {machines}; {len(ours)} runs of {codes}",
        f"{'case':17s} {'n':>3s} │ {'error':>5s} {'worst':>5s} {'bias':>5s}  │ {'cover':>5s} {'width':>5s}  │ "
        f"{'cause':>5s} {'step':>5s}  │ {'state':>5s}  │ {'harm':>5s}  │ {'lag':>5s} │ {'s':>4s} │ {'k6':>5s} {'ramp':>5s} {'steps':>5s}",
        *(_line(name, these, rivals) for name, these in by_kind(ours).items()),
        f"('worst' is the largest error below {ENOUGH} runs, the 95th percentile from there on; k6, ramp, steps: their errors)",
        "",
        *judged(profile, ours, rivals),
    ]
