"""In: beats after the confirmation. Out: the dials of the rehearsal: the campaign's own peak, played, so that what is said about it was
also seen at it.

A peak that the site should carry is held for some seconds and harms nobody. One beyond the breaking point is an overload: it is played at
most at MOST times the estimate, for as long as it takes to show, and no longer than the whole test stays gentle.
"""

from __future__ import annotations

import numpy as np

from harness.analysis.search.beats import Beats
from harness.analysis.search.hold import Hold

MOST = 2.0  # of the estimate: beyond it a second of overload costs more than it tells
BEYOND = 1.3  # of the estimate: from here on the rehearsal is push enough
GENTLE = 0.065  # of the whole test's requests may be slow or failed, as foreseen; a window too late it becomes 0.07 or 0.08
_OUTGROWN = 1.15  # times the line that means lateness
_SHORTEST, _LONGEST = 1.5, 5.0  # s of an overload; its first window is partly the load before


class Rehearsal:
    """`peak` in visitors/s; `seconds`: how long one is held that the site carries; `limit` (s): of the tightest response-time promise.

    Call `next` once a window until `over`; `pushed` then says that the site is past its limit.
    """

    def __init__(self, hold: Hold, beats: Beats, *, peak: float, seconds: float, limit: float) -> None:
        self._hold, self._beats = hold, beats
        self._bad = beats.bad
        recent = beats.recent(4)
        dialled = sum(beat.dial * beat.seconds for beat in recent)
        self._speed = beats.total("sent", 4) / max(dialled, 1e-9) * hold.estimate  # requests/s at the estimate
        self._ratio = min(peak / hold.estimate, MOST) if np.isfinite(hold.estimate) else 0.0
        if hold.collapsing:  # past its peak its line grows faster the longer it is: no more push than shows that
            self._ratio = min(self._ratio, BEYOND)
        while self._ratio > BEYOND and self._harm(_SHORTEST) > GENTLE * beats.sent:
            self._ratio = max(self._ratio - 0.05, BEYOND)
        self.dial = self._ratio * hold.estimate if self._ratio else peak
        self._seconds = float(np.clip(limit / (self._ratio - 1) + 1.0, 3.0, _LONGEST)) if self._ratio >= BEYOND else seconds
        self._since = beats.last.end
        self.over = False
        self.pushed = False

    def next(self, *, late: bool) -> float:
        """The dial; meaningless once `over`. `late`: our own machine does not keep up."""
        beat, spent = self._beats.last, self._beats.last.end - self._since
        if spent > 0 and self._hold.collapsing and beat.in_flight > self._hold.full():
            self.over = self.pushed = True  # it tips over by itself now
            return self.dial
        if spent < (_SHORTEST if self._ratio >= BEYOND else 2.0):
            return self.dial
        # What the site turns away or leaves waiting too long is a break, seen: more of it would only do harm.
        gone = beat.late > 0.5 * max(beat.decided, 5) or beat.failed > 0.2 * max(beat.all_decided, 5)
        shown = gone or beat.late > 0.1 * max(beat.decided, 5) or beat.in_flight > _OUTGROWN * self._hold.full()
        harmful = shown and self._ratio > 1.0 and self._harm(beat.seconds) > GENTLE * self._beats.sent
        self.over = gone or harmful or late or spent >= self._seconds
        self.pushed = gone or harmful or (self._ratio >= BEYOND and self._hold.standing())
        return self.dial

    def _harm(self, more: float) -> float:
        """Bad requests of the whole test by its end if the overload lasted for so many more seconds: of a line that has outgrown the limit
        by n, those who joined it late and those who join while it is worked off at half the load."""
        excess = max(self._ratio - 1, 0.05)
        over = max(0.0, self._beats.last.in_flight + excess * self._speed * more - self._hold.full())
        return self._bad + max(self._beats.bad - self._bad, over * (1 + 2 * excess) / excess)
