"""In: `Window`s, one after another. Out: a `Reading` each: what happened to each sample, and which requests came too late.

Kept between windows: counters, and the raw windows of the last half minute. Latency is wait + total, from the planned moment; a request
counts as late once its age passes the limit, answered or not. Requests cut off by the dial are neither.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.engine.window import Window
from harness.engine.wire import Outcome

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EDGES: Ints = np.unique(np.concatenate([np.arange(0, 17), np.round(16 * 1.12 ** np.arange(1, 64))])).astype(np.int64)
BINS = len(EDGES)  # bin b holds the levels EDGES[b] .. EDGES[b + 1] - 1: exact up to 16 in flight, then steps of 12 %
MIDDLE: Floats = np.append((EDGES[:-1] + EDGES[1:] - 1) / 2, EDGES[-1]).astype(np.float64)
_BIN_OF: Ints = np.searchsorted(EDGES, np.arange(EDGES[-1] + 1), side="right") - 1
SPREAD: Floats = (0.001 * 1.15 ** np.arange(72)).astype(np.float64)  # s, upper ends of the bins that latencies are counted in
_REPLAY = 64  # windows kept raw, so that a group found late still has its last seconds


def bin_of(levels: Ints) -> Ints:
    """The bin of each number of requests in flight."""
    return _BIN_OF[np.clip(levels, 0, EDGES[-1])]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One window, per sample (arrays of length S) and per latency limit (first axis L). Counts unless said otherwise."""

    number: int
    at: float  # s
    seconds: float
    dial: float
    arrivals: int  # visitors who were due
    present: int  # visitors under way at the end
    sent: Ints
    answered: Ints  # with Outcome.OK
    failed: Ints
    latency_sum: Floats  # s, of the answered
    spread: Ints  # S × len(SPREAD): the answered by latency
    in_flight: Ints  # at the end
    decided: Ints  # L × S: requests whose verdict fell into this window
    late: Ints  # L × S: of these, neither answered well nor within the limit
    outcomes: Ints  # by Outcome, all samples

    @property
    def end(self) -> float:
        return self.at + self.seconds


@dataclass(slots=True)
class Raw:
    """One window as plain arrays."""

    start: float
    end: float
    sent: Floats
    sent_sample: Ints
    done_sent: Floats
    done_end: Floats
    done_sample: Ints
    latency: Floats
    good: npt.NDArray[np.bool_]
    cut: npt.NDArray[np.bool_]
    failed: npt.NDArray[np.bool_]  # by the site's doing
    before: Ints  # requests in flight per sample at the start


class Meter:
    """Counts windows for `samples` samples against the latency `limits` (s)."""

    def __init__(self, samples: int, limits: tuple[float, ...]) -> None:
        self.samples = samples
        self.limits = limits
        self._in_flight = np.zeros(samples, np.int64)
        self._raw: deque[Raw] = deque()

    def read(self, window: Window) -> Reading:
        """Counts one window; windows must come in order."""
        start, end = window.at, window.at + window.seconds
        done = window.done
        outcome = done["outcome"].astype(np.int64)
        sample = done["sample"].astype(np.int64)
        good = outcome == Outcome.OK
        cut = outcome == Outcome.CUT_OFF
        failed = ~good & ~cut & (outcome != Outcome.GENERATOR)
        latency = done["wait"].astype(np.float64) + done["total"]
        ends = np.clip(done["sent"] + done["total"], start, end)
        raw = Raw(
            start=start,
            end=end,
            sent=window.sent["at"].astype(np.float64),
            sent_sample=window.sent["sample"].astype(np.int64),
            done_sent=done["sent"].astype(np.float64),
            done_end=ends,
            done_sample=sample,
            latency=latency,
            good=good,
            cut=cut,
            failed=failed,
            before=self._in_flight,
        )
        self._raw.append(raw)
        horizon = end - max(self.limits) - 2 * window.seconds
        while len(self._raw) > _REPLAY and self._raw[0].end < horizon:
            self._raw.popleft()
        count = self.samples
        sent = np.bincount(raw.sent_sample, minlength=count)
        self._in_flight = np.maximum(self._in_flight + sent - np.bincount(sample, minlength=count), 0)
        decided = np.zeros((len(self.limits), count), np.int64)
        late = np.zeros((len(self.limits), count), np.int64)
        for k, limit in enumerate(self.limits):
            cohort, kept, excused = self._cohort(len(self._raw) - 1, limit)
            born = sum((np.bincount(r.sent_sample[m], minlength=count) for r, m in cohort), np.zeros(count, np.int64))
            well = sum((np.bincount(r.done_sample[m], minlength=count) for r, m in kept), np.zeros(count, np.int64))
            gone = sum((np.bincount(r.done_sample[m], minlength=count) for r, m in excused), np.zeros(count, np.int64))
            decided[k] = np.maximum(born - gone, 0)
            late[k] = np.clip(born - gone - well, 0, decided[k])
        return Reading(
            number=window.number,
            at=start,
            seconds=window.seconds,
            dial=window.dial,
            arrivals=len(window.lags),
            present=window.census.present,
            sent=sent,
            answered=np.bincount(sample[good], minlength=count),
            failed=np.bincount(sample[failed], minlength=count),
            latency_sum=np.bincount(sample[good], weights=latency[good], minlength=count).astype(np.float64),
            spread=np.bincount(
                sample[good] * len(SPREAD) + np.minimum(np.searchsorted(SPREAD, latency[good]), len(SPREAD) - 1),
                minlength=count * len(SPREAD),
            ).reshape(count, len(SPREAD)),
            in_flight=self._in_flight,
            decided=decided,
            late=late,
            outcomes=np.bincount(outcome, minlength=len(Outcome)),
        )

    def _cohort(self, at: int, limit: float) -> tuple[list[tuple[Raw, npt.NDArray[np.bool_]]], ...]:
        """The requests whose age passed `limit` during raw window `at`: as sent, as answered well in time, and as excused (cut off
        before)."""
        now = self._raw[at]
        low, high = now.start - limit, now.end - limit
        sent, kept, excused = [], [], []
        for i in range(at, -1, -1):
            raw = self._raw[i]
            if raw.end <= low:
                break
            if raw.start <= high:
                sent.append((raw, (raw.sent > low) & (raw.sent <= high)))
            mine = (raw.done_sent > low) & (raw.done_sent <= high)
            kept.append((raw, mine & raw.good & (raw.latency <= limit)))
            if raw.cut.any():
                excused.append((raw, mine & raw.cut & (raw.latency <= limit)))
        return sent, kept, excused

    @property
    def kept(self) -> int:
        """How many raw windows are kept, the newest included."""
        return len(self._raw)

    def raw(self, back: int) -> Raw:
        """The raw window `back` windows before the newest."""
        return self._raw[len(self._raw) - 1 - back]
