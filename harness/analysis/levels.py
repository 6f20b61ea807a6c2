"""In: `Cohorts`. Out: the levels of load that were held for a second or more, what their requests met, and whether every promise held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.analysis import histogram, shares
from harness.analysis.cohorts import Cohorts
from harness.analysis.watch import SPOILED
from harness.result import Held, Level
from harness.scenario.model import Promise

SHORTEST = 1.0  # s: shorter pieces are on the way to somewhere
SHOWN = 200
PUSH = 1.05  # times the load before
AFTERMATH = (
    "drain",
    "recover",
    "recovery",
    "shed",
)  # phases whose requests meet the backlog of the phase before: no evidence of what a level does


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Consecutive windows of one level: `windows` are records of `Cohorts`, `counts` the histogram of their good answers."""

    phase: str
    dial: float
    at: float
    seconds: float
    windows: npt.NDArray[Any]
    counts: npt.NDArray[np.int64]
    held: tuple[Held, ...]  # per promise
    evidence: bool  # whether the level speaks for itself, and not for the backlog of the one before, nor for our own lateness

    @property
    def all_held(self) -> Held:
        """Every promise: no if one was broken, yes if each was kept."""
        return "no" if "no" in self.held else "yes" if self.held and set(self.held) == {"yes"} else "unclear"

    def share_bad(self, promise: int) -> float | None:
        """Share of the requests that broke this promise; None when none was decided."""
        decided = int(self.windows["decided"][:, promise].sum())
        return int(self.windows["bad"][:, promise].sum()) / decided if decided else None


def aftermath(cohorts: Cohorts) -> npt.NDArray[np.bool_]:
    """Per window: whether its visitors meet the backlog of a higher load. A push beyond the load before it is an overload of its own,
    for as long as it lasts."""
    windows = cohorts.windows
    codes = [cohorts.phases.index(p) for p in AFTERMATH if p in cohorts.phases]
    found = np.isin(windows["phase"], codes)
    before = most = 0.0  # the load before the aftermath, and the highest one since then
    for k, dial in enumerate(windows["dial"].tolist()):
        if not found[k]:
            before = most = dial
            continue
        most = max(most, dial)
        found[k] = dial <= PUSH * before or dial * PUSH < most
    return np.asarray(found)


def stretches(cohorts: Cohorts) -> list[Stretch]:
    """The run as a list of held levels, in order of time."""
    windows, after = cohorts.windows, aftermath(cohorts)
    found: list[Stretch] = []
    begins = np.flatnonzero(np.diff(windows["piece"].astype(np.int64), prepend=-1))
    for start, end in zip(begins, [*begins[1:], len(windows)], strict=True):
        part = windows[start:end]
        if part["seconds"].sum() >= SHORTEST - 1e-6:
            disturbed = (part["seconds"] * part["late"]).sum() > SPOILED * part["seconds"].sum()
            evidence = not (after[start:end].any() or disturbed)
            found.append(_stretch(cohorts, part, cohorts.phase(int(start)), evidence=evidence))
    return found


def levels(found: list[Stretch], promises: tuple[Promise, ...]) -> list[Level]:
    """The levels as a report has them, in order of time: of a long run the `SHOWN` that tell most.

    Times in ms; percentiles of good answers, absent where there is not enough data.
    """
    telling = sorted(found, key=lambda s: (s.all_held == "unclear", -s.seconds))[:SHOWN]
    return [_level(s, promises) for s in sorted(telling, key=lambda s: s.at)]


def _stretch(cohorts: Cohorts, part: npt.NDArray[Any], phase: str, *, evidence: bool) -> Stretch:
    pieces = np.unique(part["piece"])
    held = tuple(
        shares.kept(part["bad"][:, j], part["decided"][:, j], 1 - p.share if p.kind == "latency" else p.limit)
        for j, p in enumerate(cohorts.promises)
    )
    # A queue that has grown by more than chance would break the promise if the level lasted: it is not held, whatever the answers so far.
    growth, sent = float(part["in_flight"][-1] - part["in_flight"][0]), float(part["sent"].sum())
    if growth > 2.5 * np.sqrt(2 * sent) and sent > 0:
        held = tuple("unclear" if h == "yes" else h for h in held)
    seconds = float(part["seconds"].sum())
    return Stretch(
        phase=phase,
        dial=float((part["dial"] * part["seconds"]).sum() / seconds),
        at=float(part["at"][0]),
        seconds=seconds,
        windows=part,
        counts=cohorts.histograms[pieces].sum(axis=0, dtype=np.int64),
        held=held,
        evidence=evidence,
    )


def _level(stretch: Stretch, promises: tuple[Promise, ...]) -> Level:
    windows = stretch.windows
    ok, failed = int(windows["ok"].sum()), int(windows["failed"].sum())
    limits = [(p.limit, j) for j, p in enumerate(promises) if p.kind == "latency"]
    times = [histogram.quantiles(stretch.counts, (q,), at_least=histogram.enough(q))[0] for q in (0.5, 0.95, 0.99)]
    p50, p95, p99 = (None if np.isnan(t) else round(float(t) * 1000, 3) for t in times)
    sent = int(windows["sent"].sum())
    return Level(
        visitors_per_second=stretch.dial,
        started_at_seconds=stretch.at,
        seconds=stretch.seconds,
        held=stretch.all_held if stretch.evidence else "unclear",
        phase=stretch.phase,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        error_rate=failed / (ok + failed) if ok + failed else None,
        slow_rate=stretch.share_bad(min(limits)[1]) if limits else None,
        requests=sent,
        requests_per_second=sent / stretch.seconds,
        goodput_per_second=int(windows["good"].sum()) / stretch.seconds,
    )
