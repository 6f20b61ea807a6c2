"""In: `Reading`s. Out: the dial at which too many requests fail, from every window in which the dial stood still (see refusals.py)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.analysis.search import refusals
from harness.analysis.search.estimator import Interval
from harness.analysis.search.meter import Reading

Mask = npt.NDArray[np.bool_]
_CELL = 0.03  # of log rate: windows closer than this count as one rate
_WIDER, _MODEL = 1.2, 0.03  # measured on simulated limiters and caps: the posterior alone covered three times in four
_NEAR = 0.08  # of log rate
_NEEDED = 5  # failures that make a law


class Failures:
    """`allowed`: the share of all requests that may fail."""

    def __init__(self, allowed: float, samples: int) -> None:
        self.allowed = allowed
        self._dials = np.zeros(64)  # 0 where the dial did not stand still
        self._counts = np.zeros((64, 2, samples), np.int32)  # sent and failed
        self._size = self._first = 0
        self._posterior: refusals.Posterior | None = None

    def add(self, reading: Reading, *, steady: bool) -> None:
        """`steady`: the dial stood still since the window before, so the failures belong to this rate."""
        if self._size == len(self._dials):
            self._dials = np.concatenate([self._dials, np.zeros_like(self._dials)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._dials[self._size] = reading.dial if steady else 0.0
        self._counts[self._size] = reading.sent, reading.failed
        self._size += 1

    def forget(self, windows: int) -> None:
        """Believe only the last so many windows."""
        self._first = max(self._first, self._size - windows)

    def refit(self, members: Mask | None) -> None:
        """Fit the samples that fail together (None: all)."""
        before, self._posterior = self._posterior, None
        dials, counts = self._dials[self._first : self._size], self._counts[self._first : self._size]
        held = (dials > 0) & (counts[:, 0].sum(axis=1) > 0)
        dials, counts = dials[held], counts[held]
        everything = np.ones(counts.shape[2], bool)
        members = everything if members is None else members
        mine, others = counts[:, :, members].sum(axis=2), counts[:, 1, ~members].sum()
        if mine[:, 1].sum() < _NEEDED:
            return
        all_sent = counts[:, 0].sum()
        allowed = float((self.allowed - others / all_sent) / (mine[:, 0].sum() / all_sent))
        if not 0 < allowed < 0.9:
            return
        _, cell = np.unique(np.round(np.log(dials) / _CELL), return_inverse=True)
        requests, failures = np.bincount(cell, mine[:, 0]), np.bincount(cell, mine[:, 1])
        known = requests > 0
        rates = np.bincount(cell, dials * mine[:, 0])[known] / requests[known]
        spread = _spread(cell, mine)
        # The law is least sure far from the limit: rates near it weigh most.
        middle = (
            before.quantile(0.5) if before is not None else float(rates[np.argmin(np.abs(failures[known] / requests[known] - allowed))])
        )
        near = 1 / (1 + (np.log(rates / middle) / _NEAR) ** 2)
        self._posterior = refusals.posterior(rates, near * requests[known], near * failures[known], spread=spread, allowed=allowed)

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


def _spread(cell: npt.NDArray[np.intp], counts: npt.NDArray[np.int64]) -> float:
    """Variance of the failures over that of independent ones, from pairs of windows at one rate; they come in bursts: prior of 2, worth
    three."""
    excess = freedom = 0.0
    for which in range(int(cell.max()) + 1):
        rows = counts[cell == which]
        pairs = rows[: len(rows) // 2 * 2].reshape(-1, 2, 2).sum(axis=1)
        sent, failed = pairs[:, 0], pairs[:, 1]
        if len(pairs) >= 2 and 0 < failed.sum() < sent.sum():
            share = failed.sum() / sent.sum()
            some = sent > 0
            excess += float(((failed[some] - sent[some] * share) ** 2 / (sent[some] * share * (1 - share))).sum())
            freedom += len(pairs) - 1
    return max(1.0, (excess + 3 * 2.0) / (freedom + 3))
