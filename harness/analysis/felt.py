"""In: `Cohorts` and the campaign's peak. Out: `FeltPart`s: what visitors met when it was calm, on the rise, at the peak, and afterwards.

The peak is the campaign's own where the surge stayed there for two seconds (the first half second of an overload is still fast, and
nobody's experience); else the next higher load that was held so long, else the next lower one; the part says which.
Zones are Apdex's (Application Performance Index, 2007): up to T, up to 4 T, beyond, with T the strictest response-time promise.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harness.analysis import histogram
from harness.analysis.cohorts import Cohorts
from harness.analysis.levels import aftermath
from harness.result import FeltPart

Name = Literal["calm", "rise", "peak", "after"]

CALM, NEAR, ABOVE = 0.5, 0.9, 1.1  # of the peak
HELD = 2.0  # s
TOLERATED = 4  # times T
DEFAULT_T = 1.0  # s, without a promise of response times: the limit of an uninterrupted flow of thought (Nielsen 1993)
FEW = 20  # requests: fewer are no experience


def felt(cohorts: Cohorts, peak: float) -> list[FeltPart]:
    """The parts of which enough requests were seen, in order. `peak` in visitors/s."""
    windows = cohorts.windows
    dial, after = windows["dial"], aftermath(cohorts)
    top = _top(windows[~after], peak)
    chosen: dict[Name, npt.NDArray[np.bool_]] = {
        "calm": ~after & (dial > 0) & (dial < CALM * top),
        "rise": ~after & (dial >= CALM * top) & (dial < NEAR * top),
        "peak": ~after & _near(dial, top),
        "after": after & (dial > 0),
    }
    # The windows of one piece have nearly one dial: it is in or out as a whole, as its first window is.
    _, first = np.unique(windows["piece"], return_index=True)
    parts = (_part(name, cohorts, windows[which[first][windows["piece"]]]) for name, which in chosen.items())
    return [part for part in parts if part is not None]


def _near(dial: npt.NDArray[np.float64], top: float) -> npt.NDArray[np.bool_]:
    return (dial > 0) & (dial >= NEAR * top) & (dial <= ABOVE * top)


def _top(windows: npt.NDArray[Any], peak: float) -> float:
    """The peak, or the closest dial that was held for `HELD` seconds in all, higher ones first."""
    dials = sorted(set(windows["dial"].tolist()))
    higher, lower = [d for d in dials if d > peak], [d for d in reversed(dials) if d < peak]
    for dial in (peak, *higher, *lower):
        if float(windows["seconds"][_near(windows["dial"], dial)].sum()) >= HELD:
            return float(dial)
    return float(windows["dial"].max(initial=0.0))


def _part(name: Name, cohorts: Cohorts, windows: npt.NDArray[Any]) -> FeltPart | None:
    ok, failed = int(windows["ok"].sum()), int(windows["failed"].sum())
    if ok + failed < FEW:
        return None
    counts = cohorts.histograms[np.unique(windows["piece"])].sum(axis=0, dtype=np.int64)
    limit = cohorts.strictest or DEFAULT_T
    fast, tolerated = (float(counts[t >= histogram.VALUES].sum()) / (ok + failed) for t in (limit, TOLERATED * limit))
    answered = ok / (ok + failed)
    typical, slowest = (histogram.quantile(counts, q) for q in (0.5, 0.95))
    seconds = float(windows["seconds"].sum())
    return FeltPart(
        name=name,
        visitors_per_second=float((windows["dial"] * windows["seconds"]).sum()) / seconds,
        seconds=seconds,
        requests=ok + failed,
        typical_ms=None if typical is None else round(typical[0] * 1000, 3),
        slowest_in_twenty_ms=None if slowest is None else round(slowest[0] * 1000, 3),
        fast=fast,
        slow=tolerated - fast,
        too_slow=max(answered - tolerated, 0.0),
        failed=1 - answered,
    )
