"""In: `Reading`s with their phase. Out: plain facts that need no model: rates that were held, limits that were met, how the site came
back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.search.asked import Asked
from harness.analysis.search.meter import Reading


@dataclass(slots=True)
class Plateau:
    """A dial that stood still: since which window, how long, and how its requests fared (`decided` and `late` for each latency limit)."""

    phase: str
    dial: float
    decided: npt.NDArray[np.int64]
    late: npt.NDArray[np.int64]
    began: int = 0
    seconds: float = 0.0
    sent: int = 0
    failed: int = 0

    def holds(self, asked: Asked) -> bool:
        """Whether every promise was kept on it."""
        share = self.late / np.maximum(self.decided, 1)
        return bool(self.sent > 0 and np.all(share <= np.array(asked.late)) and self.failed <= asked.failing * self.sent)

    def fails(self, asked: Asked) -> bool:
        """Whether a promise was broken beyond doubt: twice what it allows."""
        late = np.any(self.late > 2 * np.array(asked.late) * np.maximum(self.decided, 20))
        return bool(late or self.failed > 2 * asked.failing * max(self.sent, 200))


class Facts:
    """What happened. The attributes are set by the controller as it happens."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.broken_at_baseline = False
        self.generator: str | None = None  # why our own machine was the limit
        self.stopped: str | None = None  # why the search went no further
        self.recovered: bool | None = None
        self.recovery_seconds: float | None = None
        self.passed: float | None = None  # a dial that the last push reached without a line, with no time left to measure what it met
        self.only_unloaded = False  # it came back, but only once the load was gone
        self.plateaus: list[Plateau] = []
        self._windows = 0

    def watch(self, reading: Reading, phase: str, *, trusted: bool) -> None:
        """Counts a window to its plateau, unless our own machine was late in it; plateaus shorter than 3 s are dropped."""
        self._windows += 1
        if not trusted:
            return
        last = self.plateaus[-1] if self.plateaus else None
        if last is None or last.phase != phase or abs(np.log(max(reading.dial, 1e-9) / last.dial)) > 0.03:
            if last is not None and last.seconds < 3.0:
                self.plateaus.pop()
            count = len(self._asked.limits)
            none = np.zeros(count, np.int64)
            last = Plateau(phase=phase, dial=max(reading.dial, 1e-9), decided=none, late=none, began=self._windows)
            self.plateaus.append(last)
        last.seconds += reading.seconds
        last.decided = last.decided + reading.decided.sum(axis=1)
        last.late = last.late + reading.late.sum(axis=1)
        last.sent += int(reading.sent.sum())
        last.failed += int(reading.failed.sum())

    def came_back(self, seconds: float, *, alone: bool = True) -> None:
        """The line was gone again after so long; `alone`: at half the load, without taking all of it away."""
        self.recovered = alone
        self.only_unloaded = not alone
        self.recovery_seconds = max(seconds, self.recovery_seconds or 0.0)

    def held(self, seconds: float) -> float | None:
        """The highest dial at which every promise was kept for so long."""
        quiet = [p for p in self.plateaus if p.phase in ("baseline", "explore", "hold", "confirm")]
        good = [p.dial for p in quiet if p.seconds >= seconds and p.holds(self._asked)]
        return max(good) if good else None
