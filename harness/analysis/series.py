"""In: windows of the surge, as they come. Out: one row per second and step (`harness.series`), in memory that grows by 180 bytes a row.

Only the seconds still open hold histograms; a second is closed, and its percentiles read, once no window can add to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness import series as file
from harness.analysis import histogram
from harness.engine.window import Window
from harness.engine.wire import FLAG_NEW_CONNECTION, Outcome

GRACE = 1.0  # s that a record may come after the second in which it ended
_COUNTS = ("sent", "ok", "slow", "failed", "cut_off", "connections", *file.OUTCOMES, "arrivals", "dropped", "present")
_TIMES = (
    "in_flight",
    "ok_p50_ms",
    "ok_p95_ms",
    "ok_p99_ms",
    "ok_max_ms",
    "failed_p50_ms",
    "failed_p95_ms",
    "first_byte_p50_ms",
    "first_byte_p95_ms",
    "connect_p95_ms",
    "lag_p99_ms",
    "dial_visitors_per_second",
)
ROW = np.dtype(
    [("second", "i4"), ("phase", "u2"), ("step_number", "i2"), ("bytes", "u8")]
    + [(name, "u4") for name in _COUNTS]
    + [(name, "f4") for name in _TIMES]
)
_OURS = (int(Outcome.GENERATOR), int(Outcome.UNSAFE))
_OK, _FAILED, _FIRST_BYTE, _CONNECT = range(4)


@dataclass(slots=True)
class _Second:
    """What has been seen of one second so far. Arrays have one line per sample."""

    counts: dict[str, npt.NDArray[np.float64]]
    times: npt.NDArray[np.int64]  # (4, samples, BUCKETS): ok, failed, first byte, connect
    longest: npt.NDArray[np.float64]  # s, slowest good answer
    area: npt.NDArray[np.float64]  # change of ∫ in-flight dt against the number in flight when the second began
    lags: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(histogram.BUCKETS, np.int64))
    dial: float = 0.0
    phase: int | None = None
    arrivals: int = 0
    dropped: int = 0
    present: int = 0


class Series:
    """The run second by second. `limit` (s) is the strictest response-time promise; `journeys` and `labels` are per sample."""

    def __init__(self, *, labels: Sequence[str], journeys: Sequence[str], limit: float | None) -> None:
        self._labels, self._journeys, self._limit = list(labels), list(journeys), limit
        self._samples = len(labels)
        self._phases: list[str] = []
        self._open: dict[int, _Second] = {}
        self._next = 0  # the first second not yet closed
        self._in_flight = np.zeros(self._samples)
        self._rows: list[npt.NDArray[Any]] = []
        self._started = self._dropped = 0

    def add(self, window: Window, phase: str) -> None:
        """Take in one window. Windows come in order of time."""
        if phase not in self._phases:
            self._phases.append(phase)
        end = window.at + window.seconds
        self._add_state(window, self._phases.index(phase))
        self._add_sent(window.sent)
        self._add_done(window.done)
        self._close(int(end - GRACE))

    def frame(self) -> pd.DataFrame:
        """All that was seen, in the columns of `harness.series.COLUMNS`; the seconds still open are closed."""
        self._close(max(self._open, default=-1) + 1)
        rows = np.concatenate(self._rows) if self._rows else np.zeros(0, ROW)
        number = rows["step_number"]
        data: dict[str, Any] = {name: rows[name] for name in ROW.names or ()}
        data["phase"] = np.asarray([*self._phases, ""], dtype=object)[rows["phase"]]
        data["step"] = np.asarray([*self._labels, file.ALL], dtype=object)[number]
        data["journey"] = np.asarray([*self._journeys, ""], dtype=object)[number]
        frame = pd.DataFrame({name: data[name] for name in file.COLUMNS})
        for name in ("arrivals", "dropped", "present"):
            frame[name] = frame[name].astype("float64").where(number == -1)
        return frame

    def write(self, path: Path) -> None:
        """Write series.csv."""
        file.write(self.frame(), path)

    def _second(self, number: int) -> _Second:
        number = max(number, self._next)
        if number not in self._open:
            zero = {name: np.zeros(self._samples) for name in ("sent", "ended", "bytes", *_COUNTS)}
            shape = (4, self._samples, histogram.BUCKETS)
            self._open[number] = _Second(zero, np.zeros(shape, np.int64), np.zeros(self._samples), np.zeros(self._samples))
        return self._open[number]

    def _add_state(self, window: Window, phase: int) -> None:
        second = self._second(int(window.at + 1e-6))
        second.phase = phase if second.phase is None else second.phase
        second.dial += window.dial * window.seconds
        second.present = window.census.present
        second.arrivals += window.census.started - self._started
        second.dropped += window.census.dropped - self._dropped
        self._started, self._dropped = window.census.started, window.census.dropped
        second.lags += histogram.count(window.lags)

    def _add_sent(self, sent: npt.NDArray[Any]) -> None:
        for number, part in _by_second(sent["at"], self._next):
            second = self._second(number)
            records = sent[part]
            n = np.bincount(records["sample"], minlength=self._samples)
            second.counts["sent"] += n
            second.area += np.bincount(records["sample"], weights=number + 1 - records["at"], minlength=self._samples)

    def _add_done(self, done: npt.NDArray[Any]) -> None:
        ended = done["sent"] + done["total"]
        for number, part in _by_second(ended, self._next):
            second, records = self._second(number), done[part]
            sample, outcome = records["sample"].astype(np.intp), records["outcome"]
            latency = records["wait"].astype(np.float64) + records["total"]
            ok = outcome == Outcome.OK
            bad = ~ok & (outcome != Outcome.CUT_OFF)
            theirs = bad & ~np.isin(outcome, _OURS)
            fresh = (records["flags"] & FLAG_NEW_CONNECTION) > 0

            def tell(name: str, which: npt.NDArray[Any], second: _Second = second, sample: npt.NDArray[np.intp] = sample) -> None:
                second.counts[name] += np.bincount(sample[which], minlength=self._samples)

            tell("ok", ok)
            tell("failed", theirs)
            tell("cut_off", outcome == Outcome.CUT_OFF)
            tell("connections", fresh)
            tell("ended", np.ones(len(records), bool))
            if self._limit is not None:
                tell("slow", ok & (latency > self._limit))
            for code in np.unique(outcome[bad]):
                tell(file.OUTCOMES[int(code) - 1], outcome == code)
            second.counts["bytes"] += np.bincount(sample, weights=records["size"], minlength=self._samples)
            second.area -= np.bincount(sample, weights=number + 1 - ended[part], minlength=self._samples)
            np.maximum.at(second.longest, sample[ok], latency[ok])
            for kind, which, seconds in (
                (_OK, ok, latency),
                (_FAILED, theirs, latency),
                (_FIRST_BYTE, ok, records["first_byte"]),
                (_CONNECT, fresh, records["connect"] + records["tls"]),
            ):
                np.add.at(second.times[kind], (sample[which], histogram.buckets(seconds[which])), 1)

    def _close(self, before: int) -> None:
        while self._next < before:
            second = self._open.pop(self._next, None)
            if second is not None or self._in_flight.any():
                self._rows.append(self._row(self._next, second or self._blank()))
            self._next += 1

    def _blank(self) -> _Second:
        second = self._second(self._next)
        del self._open[self._next]
        return second

    def _row(self, number: int, second: _Second) -> npt.NDArray[Any]:
        rows = np.zeros(self._samples + 1, ROW)
        rows["second"] = number
        rows["phase"] = len(self._phases) if second.phase is None else second.phase
        rows["dial_visitors_per_second"] = second.dial
        rows["step_number"] = [*range(self._samples), -1]
        counts = second.counts
        for name in (*_COUNTS[:-3], "bytes"):
            rows[name][:-1] = counts[name]
            rows[name][-1] = counts[name].sum()
        flight = np.maximum(self._in_flight + second.area, 0.0)
        self._in_flight = np.maximum(self._in_flight + counts["sent"] - counts["ended"], 0.0)
        rows["in_flight"] = [*flight, flight.sum()]
        times = np.concatenate((second.times, second.times.sum(axis=1, keepdims=True)), axis=1)
        for kind, shares in ((_OK, (50, 95, 99)), (_FAILED, (50, 95)), (_FIRST_BYTE, (50, 95)), (_CONNECT, (95,))):
            name = ("ok", "failed", "first_byte", "connect")[kind]
            found = histogram.quantiles(times[kind], tuple(s / 100 for s in shares)) * 1000
            for k, share in enumerate(shares):
                rows[f"{name}_p{share}_ms"] = found[:, k]
        longest = np.where(second.longest > 0, second.longest, np.nan) * 1000
        rows["ok_max_ms"] = [*longest, np.nanmax(longest) if np.isfinite(longest).any() else np.nan]
        rows["lag_p99_ms"] = np.nan
        all_row = rows[-1]
        all_row["arrivals"], all_row["dropped"], all_row["present"] = second.arrivals, second.dropped, second.present
        all_row["lag_p99_ms"] = histogram.quantiles(second.lags, (0.99,))[0] * 1000
        busy = (rows["sent"] > 0) | (rows["ok"] + rows["failed"] + rows["cut_off"] > 0) | (rows["in_flight"] > 1e-6)
        busy[-1] = True
        kept: npt.NDArray[Any] = rows[busy]
        return kept


def _by_second(at: npt.NDArray[np.float64], first: int) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """The records of each whole second; what belongs to a closed second counts for the first open one."""
    number = np.maximum(np.floor(at).astype(np.int64), first)
    return [(int(n), np.flatnonzero(number == n)) for n in np.unique(number)]
