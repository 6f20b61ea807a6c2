"""In: the master's frames. Out: `Settled`: the same, and for each worker that was lost the requests it had under way, as cut off. The
parent's side.

Without this they would stay in flight for ever: a line in front of the site that nobody stands in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.engine.window import DONE_TYPE, SENT_TYPE
from harness.engine.wire import Outcome

Records = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]
_KEPT = 80  # parts of a worker: longer than the usual timeout of a request


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """`parts` as they count; `lost` (DONE_TYPE): requests of workers that are lost, each told once."""

    parts: Sequence[Mapping[str, Any]]
    lost: Records


@dataclass(slots=True)
class _Worker:
    open: Counts
    told: Counts  # as cut off: should the worker come to life again, their end is no news
    sent: deque[Records] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def take(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """Count a part; returns it without the ends that have been told already."""
        sent, done = np.frombuffer(part["sent"], SENT_TYPE), np.frombuffer(part["done"], DONE_TYPE)
        if self.told.any():
            rank = np.zeros(len(done), np.int64)  # how many of its sample came before it
            for sample in np.unique(done["sample"]):
                mine = done["sample"] == sample
                rank[mine] = np.arange(mine.sum())
            old = rank < self.told[done["sample"]]
            self.told -= np.bincount(done["sample"][old], minlength=len(self.told))
            done = done[~old]
            part = {**part, "done": done.tobytes()}
        self.open += np.bincount(sent["sample"], minlength=len(self.open)) - np.bincount(done["sample"], minlength=len(self.open))
        self.sent.append(sent)
        return part

    def cut_off(self, until: float) -> Records:
        """What is open, of each sample those sent last: in a line they are the open ones, and their number is exact."""
        sent = np.concatenate(list(self.sent)) if self.sent else np.zeros(0, SENT_TYPE)
        found = [np.zeros(0, DONE_TYPE)]
        for sample in np.flatnonzero(self.open > 0):
            at = np.sort(sent["at"][sent["sample"] == sample])[-int(self.open[sample]) :]
            records = np.zeros(len(at), DONE_TYPE)
            records["sent"], records["sample"], records["outcome"] = at, sample, int(Outcome.CUT_OFF)
            records["total"] = np.maximum(until - at, 0.0)
            self.told[sample] += len(at)
            self.open[sample] -= len(at)
            found.append(records)
        self.sent.clear()
        return np.concatenate(found)


class Underway:
    """Requests under way, by worker. `samples`: how many the scenario has."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._workers: dict[str, _Worker] = {}

    def settle(self, frame: Mapping[str, Any]) -> Settled:
        """Count one frame."""
        parts = [self._of(part["name"]).take(part) for part in frame["parts"]]
        until = frame["at"] + frame["seconds"]
        lost = [worker.cut_off(until) for name, worker in self._workers.items() if name not in frame["living"]]
        return Settled(parts=parts, lost=np.concatenate([np.zeros(0, DONE_TYPE), *lost]))

    def _of(self, name: str) -> _Worker:
        if name not in self._workers:
            self._workers[name] = _Worker(open=np.zeros(self._samples, np.int64), told=np.zeros(self._samples, np.int64))
        return self._workers[name]
