"""In: `Reading`s. Out: what went wrong first and most: the cause and the step, told from the client's side alone."""

from __future__ import annotations

import numpy as np

from harness.analysis.search.meter import Reading
from harness.engine.wire import Outcome
from harness.scenario.catalog import Sample

BY_OUTCOME = {
    Outcome.HTTP_4XX: "client_errors",
    Outcome.HTTP_429: "rate_limited",
    Outcome.HTTP_5XX: "server_errors",
    Outcome.CHECK_FAILED: "wrong_content",
    Outcome.REFUSED: "refused",
    Outcome.RESET: "refused",
    Outcome.CONNECT_TIMEOUT: "timeouts",
    Outcome.READ_TIMEOUT: "timeouts",
    Outcome.TLS: "refused",
    Outcome.DNS: "refused",
    Outcome.PROTOCOL: "refused",
    Outcome.UNSAFE: "client_errors",
}


class Harm:
    """Counts bad requests by sample and by outcome, over the whole search and around the first break."""

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self._samples = samples
        self._decided, self._late = np.zeros(len(samples)), np.zeros(len(samples))
        self.outcomes = np.zeros(len(Outcome), np.int64)
        self.decided = self.late = self.failed = self.answered = 0  # of the whole search

    def watch(self, reading: Reading) -> None:
        decided, late = reading.decided[0], reading.late[0]
        self.outcomes += reading.outcomes
        self.decided += int(decided.sum())
        self.late += int(late.sum())
        self.failed += int(reading.failed.sum())
        self.answered += int(reading.answered.sum())
        if late.sum() > 0.02 * max(decided.sum(), 20) or reading.failed.sum() > 0.01 * max(decided.sum(), 20):
            self._decided += decided
            self._late += late

    def failing(self) -> str | None:
        """The dominant kind of failure."""
        kinds: dict[str, int] = {}
        for outcome, name in BY_OUTCOME.items():
            kinds[name] = kinds.get(name, 0) + int(self.outcomes[outcome])
        name = max(kinds, key=lambda k: kinds[k])
        return name if kinds[name] else None

    def first_step(self, waiting: int | None = None) -> str | None:
        """The label of the step whose requests suffered most: the highest share of bad ones that its count supports (95 %). Where none
        suffered, since the load was lowered in time: of the sample that is `waiting`."""
        if not self._late.sum():
            return None if waiting is None else self._samples[waiting].label
        count = np.maximum(self._decided, 1)
        share = self._late / count
        sure = share - 1.645 * np.sqrt(share * (1 - share) / count + 0.25 / count**2)
        return self._samples[int(np.argmax(np.where(self._decided > 0, sure, -9)))].label
