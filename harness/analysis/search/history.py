"""In: the `Levels` of one group, window after window. Out: their sums over any stretch of windows.

One row a window whatever the traffic: about 1 KB for one latency limit, so ten minutes are a little over a megabyte.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.analysis.search.inflight import Levels
from harness.analysis.search.meter import BINS

Floats = npt.NDArray[np.float64]


class History:
    """Rows of levels; `first` is the first row that is still believed (a site whose capacity moved makes older rows untrue)."""

    def __init__(self, limits: int) -> None:
        self.limits = limits
        self._rows = np.zeros((64, 2 + 2 * limits, BINS), np.float32)
        self._seconds = np.zeros(64)
        self._at = np.zeros(64)
        self._still = np.zeros(64, bool)
        self.size = 0
        self.first = 0
        self.relevel: Floats | None = None  # BINS × BINS: where the time and answers of each level are to be counted

    def add(self, levels: Levels) -> None:
        if self.size == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._seconds = np.concatenate([self._seconds, np.zeros_like(self._seconds)])
            self._at = np.concatenate([self._at, np.zeros_like(self._at)])
            self._still = np.concatenate([self._still, np.zeros_like(self._still)])
        row = self._rows[self.size]
        row[0], row[1] = levels.time, levels.answers
        row[2 : 2 + self.limits] = levels.sent
        row[2 + self.limits :] = levels.late
        self._at[self.size], self._seconds[self.size], self._still[self.size] = levels.at, levels.seconds, False
        self.size += 1

    def sums(self, first: int | None = None, last: int | None = None) -> tuple[Floats, Floats, Floats, Floats]:
        """time, answers (BINS each), sent, late (limits × BINS) over rows first .. last − 1; the believed rows unless told."""
        total = self._rows[self.first if first is None else first : self.size if last is None else last].sum(axis=0, dtype=np.float64)
        total = self._placed(total)
        return total[0], total[1], total[2 : 2 + self.limits], total[2 + self.limits :]

    def pieces(self, length: int) -> Floats:
        """The believed rows summed in pieces of `length` windows, pieces × (2 + 2 limits) × BINS; a shorter rest joins the last piece."""
        rows = self._rows[self.first : self.size].astype(np.float64)
        count = max(1, len(rows) // length)
        starts = np.arange(count) * length
        return self._placed(np.add.reduceat(rows, starts, axis=0))

    def _placed(self, rows: Floats) -> Floats:
        return rows if self.relevel is None else rows @ self.relevel

    def _weights(self, levels: Floats) -> npt.NDArray[np.float32]:
        placed = levels if self.relevel is None else self.relevel @ levels
        return placed.astype(np.float32)

    def busy(self, levels: npt.NDArray[np.bool_], *, everything: bool = False) -> tuple[Floats, Floats]:
        """Per believed row, or of all rows: seconds spent within `levels` and answers that came there."""
        # Whatever stands where: a product with a mask is many times faster than picking columns.
        rows = self._rows[0 if everything else self.first : self.size, :2] @ self._weights(levels.astype(np.float64))
        return rows[:, 0].astype(np.float64), rows[:, 1].astype(np.float64)

    def expected(self, curve: Floats) -> tuple[Floats, Floats]:
        """Per believed row: the answers that `curve` (per s, by bin) predicts, and those that came."""
        rows = self._rows[self.first : self.size, :2]
        predicted, came = rows[:, 0] @ self._weights(curve), rows[:, 1] @ self._weights(np.ones(BINS))
        return predicted.astype(np.float64), came.astype(np.float64)

    def seconds(self) -> Floats:
        """Lengths of the believed rows."""
        return self._seconds[self.first : self.size]

    def stood(self, begin: float, end: float) -> None:
        """From `begin` to `end`, s, the site stood still."""
        at = self._at[: self.size]
        self._still[: self.size] |= (at < end) & (at + self._seconds[: self.size] > begin)

    def moving(self) -> npt.NDArray[np.bool_]:
        """Per believed row: whether the site did not stand still in it."""
        return ~self._still[self.first : self.size]
