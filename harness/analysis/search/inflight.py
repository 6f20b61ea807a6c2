"""In: the raw windows of a `Meter`, one after another. Out: for a group of samples its `Levels`: seconds spent and answers received at each
number of requests in flight, and how the requests sent at each level fared.

`Crowd` counts a group's requests from sending to answer. `Lingerers` counts only those that are still unanswered after a certain age: where
some of the group's requests meet a bottleneck that cannot be told from outside (a slow query, one of several servers), the line of that
bottleneck is made of lingerers and of nothing else.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.search.meter import BINS, Floats, Ints, Meter, Raw, bin_of

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """One window of one group, by bins of its own requests in flight."""

    at: float  # s
    seconds: float
    time: Floats  # s spent at the level
    answers: Floats  # good answers that came while at the level
    sent: Floats  # L × BINS: requests by the level they met when sent, once their verdict is known
    late: Floats  # L × BINS: of these, answered too late or not yet (quick failures left out of both)


@dataclass(frozen=True, slots=True)
class _Events:
    """What changes the count within one window, in no order: moments (s), +1 / 0 / −1, whether it is a good answer, whether it is a
    sending."""

    moments: Floats
    change: Ints
    answer: Mask
    sending: Mask


class Crowd:
    """Levels of one group. Call `levels(back)` once for each window, oldest first. `limits` (s): whose verdicts are counted."""

    def __init__(self, meter: Meter, members: Mask, limits: tuple[float, ...] | None = None) -> None:
        self.members = members
        self.now = 0  # in the count at the end of the last window
        self._meter = meter
        self._limits = meter.limits if limits is None else limits
        self._started = False
        self._met: deque[tuple[Floats, Ints, Floats, Floats]] = (
            deque()
        )  # per window: when sent, level met; ended: when sent, how (see _ended)

    def levels(self, back: int = 0) -> Levels:
        """The levels of the raw window `back` windows before the newest one."""
        raw = self._meter.raw(back)
        if not self._started:
            self._started, self.now = True, self._first(raw)
        sent = raw.sent[self.members[raw.sent_sample]]
        mine = self.members[raw.done_sample]
        events = self._events(raw, sent, mine, back)
        order = np.argsort(events.moments, kind="stable")
        after = self.now + np.cumsum(events.change[order])
        before = np.maximum(after - events.change[order], 0)
        self.now = max(0, int(after[-1])) if len(after) else self.now
        times = np.clip(events.moments[order], raw.start, raw.end)
        spans = np.diff(np.concatenate([[raw.start], times, [raw.end]]))
        bins = bin_of(np.append(before, self.now))
        time = np.bincount(bins, weights=np.maximum(spans, 0.0), minlength=BINS).astype(np.float64)
        answers = np.bincount(bins[:-1], weights=events.answer[order], minlength=BINS).astype(np.float64)
        met = np.empty(len(order), np.int64)
        met[order] = bins[:-1]
        self._met.append((sent, met[events.sending], raw.done_sent[mine], self._ended(raw, mine)))
        while len(self._met) > 3 + max(self._limits) / max(raw.end - raw.start, 0.05):
            self._met.popleft()
        born, late = self._verdicts(raw)
        return Levels(at=raw.start, seconds=raw.end - raw.start, time=time, answers=answers, sent=born, late=late)

    def _first(self, raw: Raw) -> int:
        """The count when counting begins."""
        return int(raw.before[self.members].sum())

    def _events(self, raw: Raw, sent: Floats, mine: Mask, back: int) -> _Events:
        ends, good = raw.done_end[mine], raw.good[mine]
        count, ended = len(sent), len(ends)
        return _Events(
            np.concatenate([sent, ends]),
            np.repeat([1, -1], [count, ended]),
            np.concatenate([np.zeros(count, bool), good]),
            np.repeat([True, False], [count, ended]),
        )

    def _verdicts(self, raw: Raw) -> tuple[Floats, Floats]:
        born, late = np.zeros((len(self._limits), BINS)), np.zeros((len(self._limits), BINS))
        when, level, out, how = (np.concatenate([m[i] for m in self._met]) for i in range(4))
        if not len(when):
            return born, late

        def levels_of(which: Mask) -> Floats:
            place = np.clip(np.searchsorted(when, out[which]), 0, len(when) - 1)
            return np.bincount(level[place], minlength=BINS).astype(np.float64)

        for k, limit in enumerate(self._limits):
            low, high = raw.start - limit, raw.end - limit
            everyone = np.bincount(level[(when > low) & (when <= high)], minlength=BINS).astype(np.float64)
            inside = (out > low) & (out <= high)
            born[k] = np.maximum(everyone - levels_of(inside & (how < 0) & (-how <= limit)), 0.0)
            late[k] = np.clip(born[k] - levels_of(inside & (how >= 0) & (how <= limit)), 0.0, born[k])
        return born, late

    @staticmethod
    def _ended(raw: Raw, mine: Mask) -> Floats:
        """Latency of good answers; minus the age of failures and cuts: quick ones say nothing about the line."""
        latency = np.maximum(raw.latency[mine], 1e-9)
        return np.where(raw.good[mine], latency, -latency)


class Lingerers(Crowd):
    """The requests of a group that are older than `age` s. Its last verdict limit is `age` itself: how many of those sent came to
    linger."""

    def __init__(self, meter: Meter, members: Mask, age: float) -> None:
        super().__init__(meter, members, (*meter.limits, age))
        self.age = age

    def _first(self, raw: Raw) -> int:
        return 0

    def _events(self, raw: Raw, sent: Floats, mine: Mask, back: int) -> _Events:
        births = self._births(raw, back) + self.age
        old = mine & (raw.done_end - raw.done_sent > self.age)
        ends, good = raw.done_end[old], raw.good[old]
        counts = [len(births), len(ends), len(sent)]
        return _Events(
            np.concatenate([births, ends, sent]),
            np.repeat([1, -1, 0], counts),
            np.concatenate([np.zeros(counts[0], bool), good, np.zeros(counts[2], bool)]),
            np.repeat([False, False, True], counts),
        )

    def _births(self, raw: Raw, back: int) -> Floats:
        """When those were sent that come of age in this window: the requests of that time, less those that had ended."""
        low, high = raw.start - self.age, raw.end - self.age
        sent, over = [], []
        for further in range(back, self._meter.kept):
            earlier = self._meter.raw(further)
            if earlier.end <= low:
                break
            mine = earlier.sent[self.members[earlier.sent_sample]]
            sent.append(mine[(mine > low) & (mine <= high)])
            young = self.members[earlier.done_sample] & (earlier.done_end - earlier.done_sent <= self.age)
            ended = earlier.done_sent[young]
            over.append(ended[(ended > low) & (ended <= high)])
        began, gone = np.sort(np.concatenate(sent)), np.sort(np.concatenate(over))
        # Requests sent at the same instant are told apart by their order among them.
        place = np.searchsorted(began, gone) + np.arange(len(gone)) - np.searchsorted(gone, gone)
        left = np.ones(len(began), bool)
        left[place[place < len(began)]] = False
        return began[left]
