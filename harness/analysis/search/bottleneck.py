"""In: `Reading`s of a site under stress. Out: which samples wait (or fail) together: the group that meets the bottleneck.

Requests that share a line wait equally long, whatever their own service takes. By Little's law the mean wait of sample s is
(in flight − in flight without load) / rate, so it can be seen before a single late answer has come. A sample is in the group when it
waits at least a third as long as the sample that waits most surely; the others (static files, another server) would only hide the line.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.analysis.search.meter import Reading

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_SHARE = 0.35  # of the surest wait
_SURE = 4.0  # standard deviations


class Bottleneck:
    """Sums over the windows in which a line stood or requests failed."""

    def __init__(self, samples: int) -> None:
        self._excess, self._requests, self._calm = np.zeros(samples), np.zeros(samples), np.zeros(samples)
        self._sent, self._failed = np.zeros(samples), np.zeros(samples)

    def watch(self, reading: Reading, calm: Floats) -> None:
        """Counts one stressed window; `calm` is each sample's latency without load, s."""
        usual = reading.sent / reading.seconds * calm
        self._excess += (reading.in_flight - usual) * reading.seconds
        self._calm += usual * reading.seconds
        self._requests += reading.sent
        self._sent += reading.sent
        self._failed += reading.failed

    def waiting(self) -> Mask | None:
        """The samples that wait together; None while none does for sure."""
        lead = self.lead()
        if lead is None:
            return None
        wait = self._wait()
        found: Mask = (wait >= _SHARE * wait[lead]) & (self._requests > 0)
        return found

    def lead(self) -> int | None:
        """The sample that waits most surely; None while none does."""
        wait = self._wait()
        noise = np.sqrt(self._calm + 0.25 * self._requests * np.maximum(wait, 0) + 0.5) / np.maximum(self._requests, 1)
        sure = wait - noise
        sure[(self._requests < 5) | (self._excess < _SURE * np.sqrt(self._calm + 1))] = -1.0
        return int(np.argmax(sure)) if sure.max() > 0 else None

    def _wait(self) -> Floats:
        """By sample, s."""
        return self._excess / np.maximum(self._requests, 1)

    def failing(self) -> Mask | None:
        """The samples that fail together."""
        share = self._failed / np.maximum(self._sent, 1)
        sure = share - np.sqrt((share * (1 - share) + 1 / np.maximum(self._sent, 1)) / np.maximum(self._sent, 1))
        if self._failed.sum() < 3 or sure.max() <= 0:
            return None
        lead = int(np.argmax(sure))
        found: Mask = (share >= _SHARE * share[lead]) & (self._failed > 0)
        return found
