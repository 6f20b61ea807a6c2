"""In: `Reading`s. Out: the dial at which too many requests fail, from every window in which the dial stood still (see refusals.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis import refusals
from harness.analysis.estimator import Interval
from harness.analysis.meter import Reading

Mask = npt.NDArray[np.bool_]
_CELL = 0.03  # of log rate: windows closer than this count as one rate
_WIDER, _MODEL = 1.25, 0.03  # measured on simulated limiters and caps: the posterior alone covered three times in four
_NEEDED = 5  # failures that make a law


@dataclass(frozen=True, slots=True)
class _Row:
    dial: float
    sent: npt.NDArray[np.int64]  # by sample
    failed: npt.NDArray[np.int64]


class Failures:
    """`allowed`: the share of all requests that may fail."""

    def __init__(self, allowed: float) -> None:
        self.allowed = allowed
        self._rows: list[_Row | None] = []
        self._first = 0
        self._posterior: refusals.Posterior | None = None

    def add(self, reading: Reading, *, steady: bool) -> None:
        """`steady`: the dial stood still since the window before, so the failures belong to this rate."""
        self._rows.append(_Row(reading.dial, reading.sent, reading.failed) if steady and reading.dial > 0 else None)

    def forget(self, windows: int) -> None:
        """Believe only the last so many windows."""
        self._first = max(self._first, len(self._rows) - windows)

    def refit(self, members: Mask | None) -> None:
        """Fit the samples that fail together (None: all)."""
        rows = [r for r in self._rows[self._first :] if r is not None and r.sent.sum()]
        self._posterior = None
        if sum(int(r.failed.sum()) for r in rows) < _NEEDED:
            return
        everything = np.ones(len(rows[0].sent), bool)
        members = everything if members is None else members
        share = sum(int(r.sent[members].sum()) for r in rows) / sum(int(r.sent.sum()) for r in rows)
        elsewhere = sum(int(r.failed[~members].sum()) for r in rows) / sum(int(r.sent.sum()) for r in rows)
        allowed = (self.allowed - elsewhere) / share if share > 0 else 1.0
        if not 0 < allowed < 0.9 or sum(int(r.failed[members].sum()) for r in rows) < _NEEDED:
            return
        cells: dict[int, list[tuple[float, int, int]]] = {}
        for r in rows:
            cells.setdefault(round(np.log(r.dial) / _CELL), []).append((r.dial, int(r.sent[members].sum()), int(r.failed[members].sum())))
        rates, requests, failures = [], [], []
        excess = freedom = 0.0
        for cell in cells.values():
            count = sum(n for _, n, _ in cell)
            if not count:
                continue
            rates.append(sum(rate * n for rate, n, _ in cell) / count)
            requests.append(count)
            failures.append(sum(e for _, _, e in cell))
            pairs = [(a[1] + b[1], a[2] + b[2]) for a, b in zip(cell[::2], cell[1::2], strict=False)]
            total, bad = sum(n for n, _ in pairs), sum(e for _, e in pairs)
            if len(pairs) >= 2 and 0 < bad < total:
                rate = bad / total
                excess += sum((e - n * rate) ** 2 / (n * rate * (1 - rate)) for n, e in pairs if n)
                freedom += len(pairs) - 1
        spread = max(1.0, (excess + 3 * 2.0) / (freedom + 3))  # failures come in bursts: prior of 2, worth three blocks
        self._posterior = refusals.posterior(
            np.array(rates), np.array(requests, float), np.array(failures, float), spread=spread, allowed=allowed
        )

    @property
    def dial(self) -> float:
        """The estimate; NaN while too few requests failed."""
        return self._posterior.quantile(0.5) if self._posterior is not None else float("nan")

    def interval(self) -> Interval:
        """The 90 % interval of the posterior, widened by what the law cannot know."""
        assert self._posterior is not None
        estimate = self.dial
        low, high = self._posterior.quantile(0.05), self._posterior.quantile(0.95)
        below, above = (float(np.hypot(_WIDER * reach, _MODEL * estimate)) for reach in (estimate - low, high - estimate))
        return Interval(low=estimate - below, high=estimate + above, spread=float((below + above) / 3.3 / estimate))
