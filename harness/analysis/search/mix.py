"""In: `Reading`s of a site that is not yet stressed. Out: how many requests of each sample one unit of the dial makes, how long they
take without load, and how many visitors are present: the measured map between visitors and requests.

The ratio is requests over dialled visitors, corrected for the luck of the draw: where more visitors than expected happened to arrive, the
requests that they brought are not counted as a property of the journey (a control variate with a fitted coefficient).
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from harness.analysis.search.meter import SPREAD, Reading

Floats = npt.NDArray[np.float64]
_ENOUGH = 30  # answers that make a calm latency
_BLOCK, _FASTER = 200, 0.7
_LATELY = 4  # windows: whatever breaks next was not to be seen before that


class _Sums:
    """Moments of requests, arrivals and dialled visitors over windows."""

    def __init__(self, samples: int) -> None:
        self.requests = np.zeros(samples)
        self.with_arrivals = np.zeros(samples)
        self.with_expected = np.zeros(samples)
        self.arrivals = self.expected = self.square = self.cross = self.expected_square = 0.0
        self.present = 0.0
        self.windows = 0

    def add(self, reading: Reading) -> None:
        expected = reading.dial * reading.seconds
        self.requests += reading.sent
        self.with_arrivals += reading.sent * reading.arrivals
        self.with_expected += reading.sent * expected
        self.arrivals += reading.arrivals
        self.expected += expected
        self.square += reading.arrivals**2
        self.cross += reading.arrivals * expected
        self.expected_square += expected**2
        self.present += reading.present * reading.seconds
        self.windows += 1


class Mix:
    """`arriving` is the share of the dial that arrives (the rest is already there): (visitors + scanners) / peak of the moment."""

    def __init__(self, samples: int, limits: int, arriving: float) -> None:
        self._arriving = arriving
        self._steady, self._moving = _Sums(samples), _Sums(samples)
        self._calm_sum, self._calm_count = np.zeros(samples), np.zeros(samples)
        self._block_sum, self._block_count = np.zeros(samples), np.zeros(samples)
        self._decided, self._late = np.zeros(samples), np.zeros((limits, samples))
        self._spread = np.zeros((samples, len(SPREAD)))
        self._fresh: deque[Reading] = deque()
        self._last = 0.0

    def add(self, reading: Reading, *, stressed: bool, calm: bool = False) -> None:
        """Counts a window; stressed ones count for nothing, since visitors who wait or fail make fewer requests. `calm`: the
        site was never yet at its limit, so its latencies a little while ago were those without load."""
        last, self._last = self._last, reading.dial
        if calm:
            self._fresh.append(reading)
            if len(self._fresh) > _LATELY:
                earlier = self._fresh.popleft()
                self._spread += earlier.spread
                self._decided += earlier.decided[0]
                self._late += earlier.late
        if stressed or last <= 0 or reading.dial <= 0:
            return
        missing = self._calm_count < _ENOUGH
        self._calm_sum += np.where(missing, reading.latency_sum, 0.0)
        self._calm_count += np.where(missing, reading.answered, 0)
        self._block_sum += reading.latency_sum
        self._block_count += reading.answered
        full = self._block_count >= _BLOCK
        faster = full & (self._block_sum * self._calm_count < _FASTER * self._calm_sum * self._block_count)
        # Later and under more load, and yet far faster: the first answers came from a cold or burdened site.
        self._calm_sum[faster], self._calm_count[faster] = self._block_sum[faster], self._block_count[faster]
        self._block_sum[full] = self._block_count[full] = 0.0
        steady = abs(np.log(reading.dial / last)) < 0.1
        (self._steady if steady else self._moving).add(reading)

    @property
    def _sums(self) -> _Sums:
        return self._steady if self._steady.expected >= 0.5 * self._moving.expected else self._moving

    def requests(self, members: npt.NDArray[np.bool_]) -> float:
        """Requests of these samples for each visitor that the dial stands for."""
        return self._ratio(members)[0]

    def uncertainty(self, members: npt.NDArray[np.bool_]) -> float:
        """Relative standard error of `requests`."""
        return self._ratio(members)[1]

    def _ratio(self, members: npt.NDArray[np.bool_]) -> tuple[float, float]:
        sums = self._sums
        count = float(sums.requests[members].sum())
        if sums.expected <= 0 or count <= 0:
            return 0.0, 1.0
        plain = count / sums.expected
        luck = sums.arrivals - self._arriving * sums.expected
        scatter = sums.square - 2 * self._arriving * sums.cross + self._arriving**2 * sums.expected_square
        together = (
            sums.with_arrivals[members].sum()
            - plain * sums.cross
            - self._arriving * (sums.with_expected[members].sum() - plain * sums.expected_square)
        )
        usual = np.sqrt(self._arriving * sums.expected + 1.0)
        if sums.windows < 6 or scatter <= 0 or abs(luck) > 5 * usual or self._arriving <= 0:
            return plain, 1 / np.sqrt(count)
        slope = float(np.clip(together / scatter, 0.0, 2 * count / max(sums.arrivals, 1.0)))
        explained = min(1.0, slope**2 * sums.arrivals / count)
        return max(plain - slope * luck / sums.expected, 0.5 * plain), float(np.sqrt(max(1 - explained, 0.02) / count))

    def shares(self) -> Floats:
        """Each sample's share of all requests."""
        total = self._sums.requests.sum()
        return self._sums.requests / total if total else np.full(len(self._sums.requests), 1 / len(self._sums.requests))

    def calm_late(self, others: npt.NDArray[np.bool_], limit: int) -> float:
        """Share of all requests that belong to these samples and are late even without load, against latency limit number `limit`."""
        return float(self._late[limit][others].sum() / max(self._decided.sum(), 1.0))

    @property
    def calm_decided(self) -> int:
        """How many requests `calm_late` rests on."""
        return int(self._decided.sum())

    def calm(self) -> Floats:
        """Mean latency of each sample without load, s; of all samples together where a sample was not seen."""
        seen = self._calm_count > 0
        overall = self._calm_sum.sum() / self._calm_count.sum() if seen.any() else 0.05
        return np.where(seen, self._calm_sum / np.maximum(self._calm_count, 1), overall)

    def calm_of(self, members: npt.NDArray[np.bool_]) -> float:
        """Mean latency of these samples together without load, s."""
        weight = self._sums.requests[members]
        calm = self.calm()[members]
        return float((weight * calm).sum() / weight.sum()) if weight.sum() else float(calm.mean())

    def calm_quantile(self, members: npt.NDArray[np.bool_], share: float) -> float:
        """A quantile of these samples' latency without load, s, from above by at most 15 %."""
        counts = np.cumsum(self._spread[members].sum(axis=0))
        if counts[-1] < _ENOUGH:
            return 4 * self.calm_of(members)
        return float(SPREAD[int(np.searchsorted(counts, share * counts[-1]))])

    def concurrent(self) -> float | None:
        """Visitors present for each unit of the dial; None when never seen steady."""
        sums = self._steady
        return sums.present / sums.expected if sums.expected > 0 and sums.present > 0 else None
