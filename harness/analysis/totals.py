"""In: the census of visitors and the outcomes of requests. Out: `Totals`, and the conservation laws that they break, in words.

due = started + dropped; started = completed + failed + abandoned + cut_off; every request that began has ended; the target saw
requests - requests_unsent. (Not to be known from here: whether what a lost worker had under way had left, and whether a site that closed a
kept connection in the very moment of sending still saw the request. Both count as seen.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.analysis.cohorts import OURS
from harness.engine.window import Census, Window
from harness.engine.wire import FLAG_UNSENT, Outcome
from harness.result import Totals


def unsent_of(done: npt.NDArray[Any]) -> int:
    """How many of these requests (DONE_TYPE) had no connection to leave by; those that our own machine held back are none of them."""
    return int(((done["flags"] & FLAG_UNSENT > 0) & ~np.isin(done["outcome"], OURS)).sum())


def totals(census: Census, outcomes: npt.NDArray[np.int64], received: int, scouts: Window | None = None, *, unsent: int = 0) -> Totals:
    """The run's sums. `outcomes` is (samples, outcomes), of ended requests; those that our own machine held back do not count.
    `unsent`: how many of them had no connection, see `unsent_of`.

    The requests of `scouts` are part of the sums, as the target has seen them too.
    """
    by_outcome, walked = outcomes.sum(axis=0), 0
    if scouts is not None:
        ahead = np.bincount(scouts.done["outcome"], minlength=len(by_outcome))
        by_outcome, walked = by_outcome + ahead, int(ahead.sum() - ahead[list(OURS)].sum())
        received += int(scouts.done["size"].sum())
        unsent += unsent_of(scouts.done)
    ours = int(by_outcome[list(OURS)].sum())
    ok, cut = int(by_outcome[Outcome.OK]), int(by_outcome[Outcome.CUT_OFF])
    requests = int(by_outcome.sum()) - ours
    return Totals(
        due=census.due,
        started=census.started,
        dropped=census.dropped,
        completed=census.completed,
        failed=census.failed,
        abandoned=census.abandoned,
        cut_off=census.cut_off,
        requests=requests,
        requests_failed=requests - ok - cut,
        requests_cut_off=cut,
        bytes=received,
        requests_scouts=walked,
        requests_unsent=unsent,
    )


def violations(census: Census, *, sent: int, ended: int, ours: int) -> list[str]:
    """Each law that does not hold, as a sentence; none in a sound run. `ours` never left our machine and may or may not be among `sent`."""
    found = []
    if census.due != census.started + census.dropped:
        found.append(f"{census.due} visitors were due, but {census.started} started and {census.dropped} were dropped")
    ends = census.completed + census.failed + census.abandoned + census.cut_off + census.present
    if census.started != ends:
        found.append(f"{census.started} visitors started, but {ends} are accounted for")
    if not ended - ours <= sent <= ended:
        found.append(f"{sent} requests left, but {ended - ours} ended")
    return found
