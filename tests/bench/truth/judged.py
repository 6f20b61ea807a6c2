"""In: all rows of one budget. Out: a line for everything that is judged: what was measured, the goal, and whether it was met."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tests.bench.truth.cases import CASES
from tests.bench.truth.rows import Row

ERRORS = {  # mean absolute error and its 95th percentile; within a minute on real sockets, and in ten
    "quick": {"smooth": (0.03, 0.08), "hard": (0.06, 0.14), "stalls": (0.08, 0.18), "paths": (0.08, math.inf)},
    "full": {"smooth": (0.015, 0.04), "hard": (0.03, 0.07), "stalls": (0.035, 0.08), "paths": (0.04, math.inf)},
}
COVERED = {"quick": 0.85, "full": 0.88}
CAUSE = {"quick": 0.95, "full": 0.0}  # for ten minutes nothing is asked
HARMED = {"quick": 0.08, "full": 0.05}
RATIOS = {"quick": {"k6": 6.0, "tuned": 2.5}, "full": {"k6": 4.0, "tuned": 2.0}}
RUNS = 5  # that each server is to have
ENOUGH = 10  # rows for a 95th percentile
_NAMES = {
    "smooth": "smooth servers",
    "hard": "limiter, collapse, cap, cold start",
    "stalls": "periodic stalls",
    "paths": "several paths",
    "stacks": "stacks nobody here wrote",
}


def mean(values: Iterable[float]) -> float:
    """NaN of nothing."""
    return float(np.mean(list(values) or [math.nan]))


def share(rows: Iterable[Row], of: Callable[[Row], bool | None]) -> float:
    return mean(float(held) for row in rows if (held := of(row)) is not None)


def sizes(rows: Iterable[Row]) -> list[float]:
    """Absolute errors of those that gave a number."""
    return [abs(row.error) for row in rows if row.error is not None]


def most(values: Sequence[float]) -> float:
    """The 95th percentile, or the largest of a few."""
    return float(np.quantile(values, 0.95)) if len(values) >= ENOUGH else max(values, default=math.nan)


def by_kind(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """In the cases' order."""
    found: dict[str, list[Row]] = {name: [] for name in CASES}
    for row in rows:
        found[row.kind].append(row)
    return {name: these for name, these in found.items() if these}


def judged(profile: str, ours: Sequence[Row], rivals: dict[str, list[Row]]) -> list[str]:
    """`rivals`: the rows of each other tool."""
    true = [row for row in ours if row.truth is not None]
    lines = [_error(profile, group, [row for row in ours if row.group == group]) for group in _NAMES]
    lines += [_covered(profile, true), _cause(profile, true), _invented(ours), _harmed(profile, true)]
    lines += _rivals(profile, true, rivals)
    lines += _few("surge", ours, set(CASES))
    judgeable = {name for name, case in CASES.items() if case.group not in ("none", "stacks")}
    return lines + [line for tool in ("k6", "ramp", "steps") for line in _few(tool, rivals.get(tool, []), judgeable)]


def _told(what: str, figure: str, goal: str, held: bool | None, more: str = "", enough: bool = True) -> str:
    verdict = "" if held is None else "MISSED" if not held else "met" if enough else "met so far"
    return f"{what:43s} {figure:19s} {goal:20s} {verdict:10s} {more}".rstrip()


def _enough(rows: Sequence[Row], *groups: str) -> bool:
    """Whether every server of these groups has its runs."""
    return all(sum(row.kind == name for row in rows) >= RUNS for name, case in CASES.items() if case.group in groups)


def _error(profile: str, group: str, rows: Sequence[Row]) -> str:
    size = sizes(rows)
    centre, worst, goal = mean(size), most(size), ERRORS[profile].get(group)
    aim = "" if goal is None else f"≤ {goal[0]:.1%}" + ("" if math.isinf(goal[1]) else f" / ≤ {goal[1]:.1%}")
    if not size:
        return _told(f"error, {_NAMES[group]}", "not measured", aim, None)
    silent, moved = sum(row.estimate is None for row in rows), sum(row.truth is None and row.estimate is not None for row in rows)
    more = f"mean / {'95th percentile' if len(size) >= ENOUGH else 'largest'} of {len(size)} runs"
    more += (f"; {silent} more without a number" if silent else "") + (f"; {moved} more whose truth moved meanwhile" if moved else "")
    held = None if goal is None else centre <= goal[0] and worst <= goal[1]
    return _told(f"error, {_NAMES[group]}", f"{centre:.1%} / {worst:.1%}", aim, held, more, _enough(rows, group))


def _covered(profile: str, rows: Sequence[Row]) -> str:
    what, goal = "the interval covers, each server", COVERED[profile]
    each = {kind: share(these, lambda row: row.covered) for kind, these in by_kind(rows).items()}
    if not each:
        return _told(what, "not measured", f"≥ {goal:.0%}", None)
    below = [f"{kind} {sum(r.covered is True for r in rows if r.kind == kind)}/{sum(r.kind == kind for r in rows)}" for kind in each]
    below = [words for words, value in zip(below, each.values(), strict=True) if value < goal]
    more = f"{share(rows, lambda row: row.covered):.0%} of all {len(rows)} runs" + (f"; below: {', '.join(below)}" if below else "")
    return _told(what, f"least {min(each.values()):.0%}", f"≥ {goal:.0%}", not below, more, _enough(rows, *_NAMES))


def _cause(profile: str, rows: Sequence[Row]) -> str:
    known = [row for row in rows if row.cause_right is not None and row.step_right is not None]
    goal = CAUSE[profile]
    right = mean(float(bool(row.cause_right and row.step_right)) for row in known)
    wrong = {f"{row.kind} {row.cause or 'none'}" for row in known if not (row.cause_right and row.step_right)}
    what, aim = "right cause and right first step", f"≥ {goal:.0%}" if goal else ""
    if not known:
        return _told(what, "not measured", aim, None)
    more = f"wrong: {', '.join(sorted(wrong))}" if wrong else ""
    return _told(what, f"{right:.0%}", aim, right >= goal if goal else None, more, _enough(rows, *_NAMES))


def _invented(rows: Sequence[Row]) -> str:
    none = [row for row in rows if row.group == "none"]
    said = [row.kind for row in none if row.estimate is not None]
    what = "numbers where generator or dead site was it"
    if not none:
        return _told(what, "not measured", "0", None)
    return _told(what, f"{len(said)} of {len(none)}", "0", not said, ", ".join(sorted(set(said))), _enough(none, "none"))


def _harmed(profile: str, rows: Sequence[Row]) -> str:
    goal = HARMED[profile]
    harm = mean(row.harmed for row in rows if row.harmed is not None)
    each = {kind: mean(r.harmed for r in these if r.harmed is not None) for kind, these in by_kind(rows).items()}
    if math.isnan(harm):
        return _told("requests that were slow or failed", "not measured", f"≤ {goal:.0%}", None)
    worst = max(each, key=lambda kind: -1 if math.isnan(each[kind]) else each[kind])
    more = f"most {each[worst]:.1%} on {worst}"
    return _told("requests that were slow or failed", f"{harm:.1%}", f"≤ {goal:.0%}", harm <= goal, more, _enough(rows, *_NAMES))


def _rivals(profile: str, ours: Sequence[Row], rivals: dict[str, list[Row]]) -> list[str]:
    """Every server counts alike, however often it was run; of the tuned, those count that were run at all."""
    mine = {kind: mean(sizes(rows)) for kind, rows in by_kind(ours).items() if sizes(rows)}
    theirs = {tool: {k: mean(sizes(r)) for k, r in by_kind(rows).items() if sizes(r)} for tool, rows in rivals.items()}
    lines = []
    for names, tools, what in (
        ("k6", ("k6",), "error of a k6 ramp, times ours"),
        ("tuned", ("ramp", "steps"), "error of the best tuned ramp, times ours"),
    ):
        goal = RATIOS[profile][names]
        run = [tool for tool in tools if theirs.get(tool)]
        shared = {kind for kind in mine if CASES[kind].group != "stacks" and run and all(kind in theirs[tool] for tool in run)}
        if not shared:
            lines.append(_told(what, "not measured", f"≥ {goal:g}", None))
            continue
        own = mean(mine[kind] for kind in shared)
        means = {tool: mean(theirs[tool][kind] for kind in shared) for tool in run}
        best = min(means.values())
        more = ", ".join(f"{tool} {value:.1%}" for tool, value in means.items()) + f" against {own:.1%}, on {len(shared)} servers"
        enough = all(_enough(rows, *ERRORS[profile]) for rows in (ours, *(rivals.get(tool, []) for tool in tools)))
        lines.append(_told(what, f"{best / own:.1f}" if own else "∞", f"≥ {goal:g}", best >= goal * own, more, enough))
    return lines


def _few(tool: str, rows: Sequence[Row], wanted: set[str]) -> list[str]:
    count = {kind: sum(row.kind == kind for row in rows) for kind in CASES if kind in wanted}
    few = [f"{kind} {runs}" for kind, runs in count.items() if runs < RUNS]
    if not few:
        return []
    if not any(count.values()):
        return [f"{tool}: no rows"]
    text = f"{tool}: fewer than {RUNS} runs on {len(few)} of {len(count)} servers: {', '.join(few)}"
    return textwrap.wrap(text, 138, subsequent_indent="    ", break_on_hyphens=False)
