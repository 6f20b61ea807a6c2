"""In: `Window`s, one after another. Out: a `Reading` (what happened to each sample) and, for a group of samples, its `Levels`: seconds
spent and answers received at each number of requests in flight, and how the requests sent at each level fared.

Kept between windows: counters, and the raw windows of the last few seconds. Latency is wait + total, from the planned moment; a request
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
    in_flight: Ints  # at the end
    decided: Ints  # L × S: requests whose verdict fell into this window
    late: Ints  # L × S: of these, neither answered well nor within the limit
    outcomes: Ints  # by Outcome, all samples

    @property
    def end(self) -> float:
        return self.at + self.seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """One window of one group, by bins of its own requests in flight."""

    seconds: float
    time: Floats  # s spent at the level
    answers: Floats  # good answers that came while at the level
    sent: Floats  # L × BINS: requests by the level they met when sent, once their verdict is known
    late: Floats  # L × BINS: of these, answered too late or not yet (quick failures left out of both)


@dataclass(slots=True)
class _Raw:
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
    before: Ints  # requests in flight per sample at the start


class Meter:
    """Counts windows for `samples` samples against the latency `limits` (s)."""

    def __init__(self, samples: int, limits: tuple[float, ...]) -> None:
        self.samples = samples
        self.limits = limits
        self._in_flight = np.zeros(samples, np.int64)
        self._raw: deque[_Raw] = deque()

    def read(self, window: Window) -> Reading:
        """Counts one window; windows must come in order."""
        start, end = window.at, window.at + window.seconds
        done = window.done
        outcome = done["outcome"].astype(np.int64)
        sample = done["sample"].astype(np.int64)
        good = outcome == Outcome.OK
        cut = outcome == Outcome.CUT_OFF
        latency = done["wait"].astype(np.float64) + done["total"]
        ends = np.clip(done["sent"] + done["total"], start, end)
        raw = _Raw(
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
        failed = ~good & ~cut & (outcome != Outcome.GENERATOR)
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
            in_flight=self._in_flight,
            decided=decided,
            late=late,
            outcomes=np.bincount(outcome, minlength=len(Outcome)),
        )

    def _cohort(self, at: int, limit: float) -> tuple[list[tuple[_Raw, npt.NDArray[np.bool_]]], ...]:
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

    def group(self, members: npt.NDArray[np.bool_]) -> GroupMeter:
        """A meter for some of the samples, starting with the oldest window still kept."""
        return GroupMeter(self, members)

    @property
    def kept(self) -> int:
        """How many raw windows are kept, the newest included."""
        return len(self._raw)

    def raw(self, back: int) -> _Raw:
        """The raw window `back` windows before the newest."""
        return self._raw[len(self._raw) - 1 - back]


class GroupMeter:
    """Levels of one group. Call `levels(back)` once for each window, oldest first."""

    def __init__(self, meter: Meter, members: npt.NDArray[np.bool_]) -> None:
        self.members = members
        self._meter = meter
        self._met: deque[tuple[Floats, Ints, Floats, Floats]] = (
            deque()
        )  # per window: when sent, level met; in-time and excused by when sent

    def levels(self, back: int = 0) -> Levels:
        """The levels of the raw window `back` windows before the newest one."""
        raw = self._meter.raw(back)
        members = self.members
        sent = raw.sent[members[raw.sent_sample]]
        mine = members[raw.done_sample]
        ends, good = raw.done_end[mine], raw.good[mine]
        moments = np.concatenate([sent, ends])
        order = np.argsort(moments, kind="stable")
        change = np.where(order < len(sent), 1, -1)
        first = int(raw.before[members].sum())
        after = first + np.cumsum(change)
        before = np.maximum(after - change, 0)
        times = np.clip(moments[order], raw.start, raw.end)
        spans = np.diff(np.concatenate([[raw.start], times, [raw.end]]))
        last = max(0, int(after[-1])) if len(after) else first
        bins = bin_of(np.append(before, last))
        time = np.bincount(bins, weights=np.maximum(spans, 0.0), minlength=BINS).astype(np.float64)
        is_answer = np.zeros(len(moments), bool)
        is_answer[len(sent) :] = good
        answers = np.bincount(bins[:-1], weights=is_answer[order], minlength=BINS).astype(np.float64)
        met = np.empty(len(moments), np.int64)
        met[order] = bins[:-1]
        self._met.append((sent, met[: len(sent)], raw.done_sent[mine], self._settled(raw, mine)))
        limits = self._meter.limits
        while len(self._met) > 3 + max(limits) / max(raw.end - raw.start, 0.05):
            self._met.popleft()
        born = np.zeros((len(limits), BINS))
        late = np.zeros((len(limits), BINS))
        when = np.concatenate([m[0] for m in self._met])
        level = np.concatenate([m[1] for m in self._met])
        for k, limit in enumerate(limits):
            low, high = raw.start - limit, raw.end - limit
            now = (when > low) & (when <= high)
            all_sent = np.bincount(level[now], minlength=BINS).astype(np.float64)
            out = np.concatenate([m[2] for m in self._met])
            settled = np.concatenate([m[3] for m in self._met])
            inside = (out > low) & (out <= high)
            well = inside & (settled >= 0) & (settled <= limit)
            gone = inside & (settled < 0) & (-settled <= limit)
            if len(when):
                all_sent -= np.bincount(self._level_at(when, level, out[gone]), minlength=BINS)
                born[k] = np.maximum(all_sent, 0.0)
                late[k] = np.clip(all_sent - np.bincount(self._level_at(when, level, out[well]), minlength=BINS), 0.0, born[k])
        return Levels(seconds=raw.end - raw.start, time=time, answers=answers, sent=born, late=late)

    @staticmethod
    def _settled(raw: _Raw, mine: npt.NDArray[np.bool_]) -> Floats:
        """Latency of good answers; minus the age of quick failures and cuts, which say nothing about the queue."""
        latency = np.maximum(raw.latency[mine], 1e-9)
        return np.where(raw.good[mine], latency, -latency)

    @staticmethod
    def _level_at(when: Floats, level: Ints, moments: Floats) -> Ints:
        place = np.clip(np.searchsorted(when, moments), 0, len(when) - 1)
        found: Ints = level[place]
        return found
