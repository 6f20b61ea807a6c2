"""In: `Reading`s. Out: the dial at which too many requests fail: from the one token bucket that turns away just those that failed (see
tokens.py); without such a one, from the shares that failed in the windows in which the dial stood still (see refusals.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.analysis.search import refusals
from harness.analysis.search.estimator import Interval
from harness.analysis.search.meter import Meter, Reading
from harness.analysis.search.tokens import Bucket, Tokens

Mask = npt.NDArray[np.bool_]
_CELL = 0.03  # of log rate: windows closer than this count as one rate
_WIDER, _MODEL = 1.2, 0.03  # measured on simulated limiters and caps: the posterior alone covered three times in four
_NEAR = 0.08  # of log rate
_NEEDED = 5  # failures that make a law
_HARDLY = 0.1  # of what failed


class Failures:
    """`allowed`: the share of all requests that may fail. `meter` has read each reading that is added."""

    def __init__(self, allowed: float, samples: int, meter: Meter) -> None:
        self.allowed = allowed
        self._meter = meter
        self._tokens = Tokens(meter, np.ones(samples, bool))
        self._dials = np.zeros(64)  # 0 where the dial did not stand still
        self._seconds = np.zeros(64)
        self._counts = np.zeros((64, 2, samples), np.int32)  # sent and failed
        self._size = self._first = 0
        self._posterior: refusals.Posterior | None = None
        self._unsure = 0.0  # relative error of the map from the posterior's rates to dials

    def add(self, reading: Reading, *, steady: bool) -> None:
        """`steady`: the dial stood still since the window before, so the failures belong to this rate."""
        if self._size == len(self._dials):
            self._dials = np.concatenate([self._dials, np.zeros_like(self._dials)])
            self._seconds = np.concatenate([self._seconds, np.zeros_like(self._seconds)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._dials[self._size], self._seconds[self._size] = reading.dial if steady else 0.0, reading.seconds
        self._counts[self._size] = reading.sent, reading.failed
        self._size += 1
        self._tokens.watch()

    def forget(self, windows: int) -> None:
        """Believe only the last so many windows."""
        self._first = max(self._first, self._size - windows)
        since = self._meter.raw(min(windows, self._meter.kept) - 1).start if self._meter.kept else float("-inf")
        self._tokens = Tokens(self._meter, self._tokens.members, since)

    def refit(self, members: Mask | None, per_dial: tuple[float, float]) -> None:
        """Fit the samples that fail together (None: all). `per_dial`: requests of theirs for each unit of the dial while none failed, and
        the relative error of that."""
        before, self._posterior, self._unsure = self._posterior, None, 0.0
        dials, counts = self._dials[self._first : self._size], self._counts[self._first : self._size]
        held = (dials > 0) & (counts[:, 0].sum(axis=1) > 0)
        dials, counts, seconds = dials[held], counts[held], self._seconds[self._first : self._size][held]
        everything = np.ones(counts.shape[2], bool)
        members = self._settled(everything if members is None else members, counts[:, 1].sum(axis=0))
        mine, others = counts[:, :, members].sum(axis=2), counts[:, 1, ~members].sum()
        if mine[:, 1].sum() < _NEEDED:
            return
        all_sent = counts[:, 0].sum()
        allowed = float((self.allowed - others / all_sent) / (mine[:, 0].sum() / all_sent))
        if not 0 < allowed < 0.9:
            return
        exact = self._tokens.posterior(allowed)
        if exact is not None:
            # What was sent at dials that stood still, and what was sent for each visitor before: the surer counts for more.
            sent = float(mine[:, 0].sum())
            own, sure, usual, unsure = sent / float((dials * seconds).sum()), sent, per_dial[0], per_dial[1] ** -2
            ratio = (own * sure + usual * unsure) / (sure + unsure) if usual > 0 else own
            self._unsure = float((sure + (unsure if usual > 0 else 0.0)) ** -0.5)
            self._posterior = refusals.Posterior(rates=exact.rates / ratio, cumulative=exact.cumulative)
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

    def _settled(self, members: Mask, failed: npt.NDArray[np.int64]) -> Mask:
        """These samples; those of before, where the change carries hardly any of what failed."""
        before = self._tokens.members
        if failed[members ^ before].sum() > _HARDLY * failed.sum():
            self._tokens = Tokens(self._meter, members, self._tokens.since)
        return self._tokens.members

    @property
    def dial(self) -> float:
        """The estimate; NaN while too few requests failed."""
        return self._posterior.quantile(0.5) if self._posterior is not None else float("nan")

    @property
    def bucket(self) -> Bucket | None:
        """The token bucket that refuses requests, where it is one."""
        return self._tokens.bucket if self._posterior is not None else None

    def interval(self) -> Interval:
        """The 90 % interval of the posterior, widened by what the law cannot know."""
        assert self._posterior is not None
        estimate = self.dial
        low, high = self._posterior.quantile(0.05), self._posterior.quantile(0.95)
        other = float(np.hypot(_MODEL, 1.645 * self._unsure)) * estimate
        below, above = (float(np.hypot(_WIDER * reach, other)) for reach in (estimate - low, high - estimate))
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
