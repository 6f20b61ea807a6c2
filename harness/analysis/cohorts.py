"""In: windows of the surge, as they come. Out: how the requests that were *sent* in each window fared, however much later they ended.

A level of load is judged by what became of the requests sent during it, so the slow end of an overload is never blamed on the
calm that follows. Runs of windows with one dial and one phase form a piece; each piece keeps one histogram of its good answers.
A request is late for a promise when it failed or came after the limit; one that the test cut off is late if it was already older than
the limit, and otherwise not counted. Failures of the generator's own making count for nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.analysis import histogram
from harness.engine.window import Window
from harness.engine.wire import Outcome
from harness.scenario.model import Promise

SAME = 0.01  # dials that differ by less are one
OURS = (int(Outcome.GENERATOR), int(Outcome.UNSAFE))


class Cohorts:
    """Requests by the window they left in. `windows` has one record a window; `pieces[w]` is the window's piece."""

    def __init__(self, promises: Sequence[Promise], samples: int) -> None:
        self.promises = tuple(promises)
        limits = [p.limit for p in self.promises if p.kind == "latency"]
        self.strictest = min(limits, default=None)  # s
        size = max(len(self.promises), 1)
        self._type = np.dtype(
            [
                *((name, "f8") for name in ("at", "seconds", "dial", "in_flight", "latency")),
                *((name, "u4") for name in ("phase", "piece", "sent", "ok", "failed", "good", "answered", "ended_good", "present")),
                *((name, "u4", (size,)) for name in ("decided", "bad")),
                ("late", "?"),
                ("outcomes", "u4", (len(Outcome),)),
            ]
        )
        self._windows = np.zeros(256, self._type)
        self._histograms = np.zeros((64, histogram.BUCKETS), np.uint32)
        self._by_sample = np.zeros((64, samples, 2), np.uint32)
        self.count = 0
        self.phases: list[str] = []
        self._pieces = 0
        self._outstanding = 0
        self._dial = 0.0  # of the piece's first window

    @property
    def windows(self) -> npt.NDArray[Any]:
        """The windows so far, as records. Times in s; counts are of the requests sent then, but for `answered` and `ended_good`."""
        return self._windows[: self.count]

    @property
    def histograms(self) -> npt.NDArray[np.uint32]:
        """(pieces, BUCKETS): the latency of good answers to requests sent during each piece."""
        return self._histograms[: self._pieces]

    @property
    def by_sample(self) -> npt.NDArray[np.uint32]:
        """(pieces, samples, 2): requests decided, and of them those that failed or came later than the strictest promise."""
        return self._by_sample[: self._pieces]

    def add(self, window: Window, phase: str, *, late: bool = False) -> None:
        """Take in one window. Windows come in order of time; a request's verdict may come many windows after its sending. `late`: our own
        machine did not keep up in it."""
        self._begin(window, phase)
        now = self._windows[self.count - 1]
        now["sent"] = len(window.sent)
        now["present"] = window.census.present
        now["late"] = late
        self._outstanding += len(window.sent) - len(window.done)
        now["in_flight"] = self._outstanding
        self._judge(window.done)

    def phase(self, index: int) -> str:
        return self.phases[int(self._windows["phase"][index])]

    def _begin(self, window: Window, phase: str) -> None:
        if phase not in self.phases:
            self.phases.append(phase)
        code, k = self.phases.index(phase), self.count
        before = self._windows[k - 1] if k else None
        if before is None or before["phase"] != code or abs(window.dial - self._dial) > SAME * max(self._dial, window.dial):
            self._pieces += 1
            self._dial = window.dial
        self._windows = _room(self._windows, k + 1)
        self._histograms = _room(self._histograms, self._pieces)
        self._by_sample = _room(self._by_sample, self._pieces)
        now = self._windows[k]
        now["at"], now["seconds"], now["dial"] = window.at, window.seconds, window.dial
        now["phase"], now["piece"] = code, self._pieces - 1
        self.count = k + 1

    def _judge(self, done: npt.NDArray[Any]) -> None:
        if not len(done):
            return
        outcome, latency = done["outcome"], done["wait"].astype(np.float64) + done["total"]
        ok, cut = outcome == Outcome.OK, outcome == Outcome.CUT_OFF
        failed = ~ok & ~cut & ~np.isin(outcome, OURS)
        good = ok if self.strictest is None else ok & (latency <= self.strictest)
        windows = self._windows[: self.count]
        home = np.clip(np.searchsorted(windows["at"], done["sent"], side="right") - 1, 0, self.count - 1)
        first = int(home.min())
        span = self.count - first

        def tally(which: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
            return np.bincount(home[which] - first, minlength=span)

        touched = windows[first:]
        touched["ok"] += tally(ok).astype(np.uint32)
        touched["failed"] += tally(failed).astype(np.uint32)
        touched["good"] += tally(good).astype(np.uint32)
        touched["latency"] += np.bincount(home[ok] - first, weights=latency[ok], minlength=span)
        for code in np.unique(outcome):
            touched["outcomes"][:, code] += tally(outcome == code).astype(np.uint32)
        for j, promise in enumerate(self.promises):
            late = latency > promise.limit
            bad = failed | (late & (ok | cut)) if promise.kind == "latency" else failed
            touched["bad"][:, j] += tally(bad).astype(np.uint32)
            touched["decided"][:, j] += tally(ok | bad).astype(np.uint32)
        windows[-1]["answered"] = ok.sum() + failed.sum()
        windows[-1]["ended_good"] = good.sum()
        piece = windows["piece"][home].astype(np.intp)
        np.add.at(self._histograms, (piece[ok], histogram.buckets(latency[ok])), 1)
        told = ok | failed
        np.add.at(self._by_sample, (piece[told], done["sample"][told].astype(np.intp), 0), 1)
        np.add.at(self._by_sample, (piece[told & ~good], done["sample"][told & ~good].astype(np.intp), 1), 1)


def _room(array: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """The array, or a twice as long copy if it is too short."""
    if length <= len(array):
        return array
    longer = np.zeros((max(length, 2 * len(array)), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
