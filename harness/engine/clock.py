"""In: pairs of question and answer between a worker and its master. Out: `Clock`, the master's time as the worker can know it.

Cristian's estimate (1989): the answer's time belongs to the middle of question and answer, and is wrong by at most half of the round trip.
The quickest of the last exchanges is believed, for a loaded event loop only ever makes an exchange slower.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

REMEMBERED = 40  # exchanges; two a second, so that clocks which drift apart by 50 ppm are known within 1 ms
STEADY = 0.0005  # s: a better estimate inside this and inside its own uncertainty changes nothing (time must not twitch)


class Clock:
    """The run's time on a worker, in seconds since the run's zero on the master's clock. `local` is the worker's own monotonic clock."""

    def __init__(self, local: Callable[[], float]) -> None:
        self.local = local
        self.offset = 0.0  # master's clock minus the local one, s
        self.uncertain = float("inf")  # s, half of the best round trip
        self._zero = 0.0
        self.shift = 0.0  # add to a reading of the local clock to get the run second
        self._seen: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)

    def now(self) -> float:
        return self.local() + self.shift

    def locally(self, at: float) -> float:
        """A run second as the local clock will show it."""
        return at - self.shift

    def shared(self, at: float) -> float:
        """A reading of the local clock as a run second."""
        return at + self.shift

    def learn(self, asked: float, answered: float, heard: float) -> None:
        """One exchange: `asked` and `heard` on the local clock, `answered` on the master's."""
        self._seen.append(((heard - asked) / 2, answered - (asked + heard) / 2))
        half, offset = min(self._seen)
        if self.uncertain == float("inf") or abs(offset - self.offset) > max(STEADY, half):
            self.offset = offset
        self.uncertain = half
        self.shift = self.offset - self._zero

    def begin(self, zero: float) -> None:
        """The run's zero, on the master's clock."""
        self._zero = zero
        self.shift = self.offset - zero
