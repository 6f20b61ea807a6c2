"""In: `Reading`s. Out: `Beats`, the last windows as a handful of totals that a controller decides by."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.search.meter import Reading


@dataclass(frozen=True, kw_only=True, slots=True)
class Beat:
    """One window. Counts of the watched group, except where the name says `all` and for `failed`."""

    end: float  # s
    seconds: float
    dial: float
    sent: int
    decided: int
    late: int
    in_flight: int  # of the line that binds
    failed: int
    all_decided: int
    all_late: int
    answered: int  # all


class Beats:
    """The last windows, newest last. `sent` and `bad` (late or failed) count all requests since the start."""

    def __init__(self) -> None:
        self._kept: deque[Beat] = deque(maxlen=64)
        self.count = 0
        self.sent = self.bad = 0

    def add(self, reading: Reading, members: npt.NDArray[np.bool_], in_flight: int) -> Beat:
        beat = Beat(
            end=reading.end,
            seconds=reading.seconds,
            dial=reading.dial,
            sent=int(reading.sent[members].sum()),
            decided=int(reading.decided[0][members].sum()),
            late=int(reading.late[0][members].sum()),
            in_flight=in_flight,
            failed=int(reading.failed.sum()),
            all_decided=int(reading.decided[0].sum()),
            all_late=int(reading.late[0].sum()),
            answered=int(reading.answered.sum()),
        )
        self._kept.append(beat)
        self.count += 1
        self.sent += int(reading.sent.sum())
        self.bad += beat.all_late
        return beat

    @property
    def last(self) -> Beat:
        return self._kept[-1]

    def recent(self, windows: int) -> list[Beat]:
        """At most so many, oldest first."""
        return list(self._kept)[-windows:] if windows > 0 else []

    def total(self, name: str, windows: int) -> int:
        """The sum of a count over the last windows."""
        return sum(getattr(beat, name) for beat in self.recent(windows))
