"""In: the workers' packed records, on the master. Out: Locust's own statistics, so that its web page and log show true numbers.

In bulk and only on the master: the event that Locust fires for each request costs a worker as much as the request itself.
"""

from __future__ import annotations

from locust.env import Environment

from harness.engine.wire import DONE, Outcome


class Mirror:
    """Adds to `environment.stats`. Counts and times are exact; a request is booked under the second of its report."""

    def __init__(self, environment: Environment) -> None:
        self._stats = environment.stats
        self._names: list[tuple[str, str]] = []

    def begin(self, names: list[tuple[str, str]]) -> None:
        """(name, method) of every sample, by number."""
        self._names = names

    def add(self, done: bytes) -> None:
        """The requests of one part."""
        for _sent, wait, _connect, _tls, _first, total, size, sample, outcome, _flags in DONE.iter_unpack(done):
            if outcome == Outcome.CUT_OFF or sample >= len(self._names):
                continue
            name, method = self._names[sample]
            self._stats.log_request(method, name, (wait + total) * 1000, size)
            if outcome:
                self._stats.log_error(method, name, Outcome(outcome).name.lower().replace("_", " "))
