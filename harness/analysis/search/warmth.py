"""In: windows of the load, one after another. Out: whether the site is warming up: the same work takes it less and less time.

Without a line an answer takes its service and nothing else, so a latency that falls with the number of requests served is a site that
warms (caches, compilers, pools); while a line stands, the seconds between answers fall. A straight line is fitted to each over the
answers given so far; the scatter of the windows about it says how sure the fall is.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from harness.analysis.search.line import line
from harness.analysis.search.meter import Reading

Floats = npt.NDArray[np.float64]
_WINDOWS = 40  # looked back, of either kind
_NEEDED = 10  # windows
_BUSY = 0.25  # s of a window
_SURE = 3.5  # standard errors
_WARM = 240  # looks without a sign: after two minutes under load a site is warm, and who looks on meets strange chances
_FALL = 0.12  # of the time for an answer, over the answers seen


class Warmth:
    """The last windows without a line, by sample; and the last ones with one."""

    def __init__(self) -> None:
        self._quiet: deque[tuple[Floats, Floats]] = deque(maxlen=_WINDOWS)
        self._busy: deque[tuple[float, float]] = deque(maxlen=_WINDOWS)
        self._looks = 0  # since it last became faster

    def watch(self, reading: Reading) -> None:
        """Counts one window in which no line stood and nothing failed."""
        if reading.answered.sum() > 0:
            self._quiet.append((reading.answered.astype(np.float64), reading.latency_sum))

    def watch_busy(self, seconds: float, answers: float) -> None:
        """Counts the part of a window in which a line stood."""
        if seconds > _BUSY and answers > 0:
            self._busy.append((seconds, answers))

    def warming(self, calm: Floats) -> bool:
        """Whether the time for an answer falls for sure. `calm`: each sample's latency without load, s; it evens out a mix of samples
        that shifts."""
        self._looks += 1
        if self._looks > _WARM or not (self._falls_quiet(calm) or self._falls_busy()):
            return False
        self._looks = 0
        return True

    def _falls_quiet(self, calm: Floats) -> bool:
        if len(self._quiet) < _NEEDED:
            return False
        answered, latency = (np.array(column) for column in zip(*self._quiet, strict=True))
        return _falls(answered.sum(axis=1), latency.sum(axis=1) / (answered @ calm))

    def _falls_busy(self) -> bool:
        if len(self._busy) < _NEEDED:
            return False
        seconds, answers = np.array(self._busy).T
        return _falls(answers, seconds / answers)


def _falls(weight: Floats, value: Floats) -> bool:
    """Whether `value` falls over the running sum of `weight`."""
    found = line(np.cumsum(weight) - 0.5 * weight, value, weight)
    error = float(np.sqrt(found.scatter / found.square))
    return bool(found.slope < -_SURE * error and -found.slope * weight.sum() > _FALL * found.mean)
