"""In: the moment by which a request must have ended. Out: `TimedOut` in the greenlet that still waits then: `Alarm`.

Requests end long before their time. So the timer of one request goes on into the next ones of its connection, and is set anew only when it
rings: a visit needs one timer and not one a request. It rings within a millisecond of the moment, as a timer of its own would.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import gevent
from greenlet import getcurrent

from harness.engine.browser.trouble import TimedOut


class Alarm:
    """`set`, wait, `hand = None`, again and again; `close` at the end, for a timer that goes and this hold each other."""

    __slots__ = ("_deadline", "_loop", "_rings", "_timer", "hand")

    def __init__(self) -> None:
        self.hand: Any = None  # the greenlet that is to be woken; None: nobody waits
        self._loop = gevent.get_hub().loop
        self._timer: Any = None
        self._deadline = self._rings = 0.0

    def set(self, deadline: float, now: float) -> None:
        """From now on the calling greenlet gets TimedOut at `deadline`, unless `hand` is None by then. Monotonic moments."""
        self.hand = getcurrent()
        self._deadline = deadline
        if self._timer is None or deadline < self._rings:
            self._start(deadline, now)

    def close(self) -> None:
        """It rings no more."""
        self.hand = None
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _start(self, at: float, now: float) -> None:
        if self._timer is not None:
            self._timer.close()
        self._rings = at
        self._timer = self._loop.timer(max(0.0, at - now))
        self._timer.start(self._ring, update=True)

    def _ring(self) -> None:
        now = monotonic()
        if self.hand is not None and self._deadline > now:
            self._start(self._deadline, now)
            return
        self._timer.close()
        self._timer = None
        if self.hand is not None:
            self.hand.throw(TimedOut)
