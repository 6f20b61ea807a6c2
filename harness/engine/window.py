"""In: the workers' packed records for one half second. Out: `Window`, all that analysis may know of a run.

The parent's side: needs numpy, not gevent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.engine.wire import DONE_FIELDS, SENT_FIELDS

SENT_TYPE = np.dtype(list(SENT_FIELDS))
DONE_TYPE = np.dtype(list(DONE_FIELDS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Census:
    """Visitors of a whole run so far, over all workers.

    due = started + dropped; started = completed + failed + abandoned + cut_off + present.
    """

    due: int = 0
    started: int = 0
    dropped: int = 0
    completed: int = 0
    failed: int = 0
    abandoned: int = 0
    cut_off: int = 0
    present: int = 0  # under way now; 0 once a run has drained


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerHealth:
    """One worker during one window. Times in ms; `cpu` is the share of one core."""

    name: str
    alive: bool
    cpu: float = 0.0
    loop_ms: float = 0.0  # the longest that the worker's own event loop was late
    descriptors: int = 0
    descriptor_limit: int = 0
    offset_ms: float = 0.0  # how far its clock, once corrected, may still be from the master's
    rss_mb: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Half a second of the surge, merged over all workers and exact: every request that left and every one that ended.

    `lags` are start minus due of every arrival, dwellers that were put in place excepted. A record's own time is right even where a late
    part has brought it into the window after its own.

    `whole`: every worker's part of this time is in it, and nothing of a time before. What is not whole says little about the site: a part
    that came late is missing in one window, and doubles the answers of another.

    `at` .. `at + seconds` on the master's clock, 0 = the first arrival's earliest moment. `dial` is the mean offered rate in the
    window, in visitors/s at the campaign's peak (see `Moment`). `sent` and `done` are sorted by time.
    """

    number: int
    at: float
    seconds: float
    dial: float
    sent: npt.NDArray[Any]  # SENT_TYPE
    done: npt.NDArray[Any]  # DONE_TYPE
    lags: npt.NDArray[Any]  # float32, s
    census: Census
    workers: tuple[WorkerHealth, ...]
    errors: dict[tuple[int, int, str], int] = field(
        default_factory=dict
    )  # (sample, outcome, message without URLs) → count in the window; bounded
    lost: int = 0  # of `done`, requests cut off with a worker that was lost
    whole: bool = True
    notes: tuple[str, ...] = ()  # things that happened: "worker 2 was lost", ...
