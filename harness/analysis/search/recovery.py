"""In: beats after the estimate stands. Out: the dials of the last act: one short push past the break, then half the load, and whether
the site comes back; if not, hardly any load, to tell a site that must be left alone from one that is down.
"""

from __future__ import annotations

from harness.analysis.search.beats import Beats
from harness.analysis.search.facts import Facts
from harness.analysis.search.hold import Hold
from harness.analysis.search.rehearsal import BEYOND

_PUSH_SECONDS = 3.0
_AGAIN = 8.0  # s: what measuring anew needs at least
_STUCK_SECONDS = 3.0  # at half the load, without the line becoming shorter


class Recovery:
    """`seconds`: how long to wait for the site. Call `dial` once a window until `over`."""

    def __init__(self, hold: Hold, beats: Beats, facts: Facts, *, seconds: float, pushed: bool) -> None:
        self._hold, self._beats, self._facts, self._seconds = hold, beats, facts, seconds
        self._stage = "half" if pushed else "push"  # "push", "half", "trickle"
        self._since = beats.last.end
        self._refused = 0  # requests that failed during the push
        self.over = False
        self.carried = False  # the push met no limit at all: the site has become faster
        self._disturbed = False

    def dial(self, left: float, *, late: bool) -> float:
        """The next dial, with `left` seconds of the budget; meaningless once `over` or `carried`. `late`: our own machine does not keep up;
        then what does not come back may be us."""
        self._disturbed |= late
        beat, hold = self._beats.last, self._hold
        spent = beat.end - self._since
        if self._stage == "push":
            self._refused += beat.failed if spent > 0 else 0
            failed = beat.failed > 0.2 * max(beat.all_decided, 5)
            gone = beat.late > 0.5 * max(beat.decided, 5) or beat.in_flight > 1.2 * hold.full() or failed
            if spent == 0 or not (gone or spent >= _PUSH_SECONDS):
                return BEYOND * hold.estimate
            passed = not gone and not self._refused and hold.carried()
            if passed and left > _AGAIN:
                self.carried = True
                return beat.dial
            self._facts.passed = beat.dial if passed else None
            self._enter("half")
            spent = 0.0
        if spent > 0 and hold.drained() and beat.late <= 0.05 * max(beat.decided, 1):
            self._facts.came_back(spent, alone=self._stage == "half")
            self.over = True
        elif spent >= self._seconds or (spent >= _STUCK_SECONDS and beat.in_flight >= 0.95 * self._beats.recent(5)[0].in_flight):
            if self._stage == "trickle" or left < 4:
                if not self._disturbed:
                    self._facts.recovered = False
                self.over = True
            else:
                self._enter("trickle")
        return hold.estimate * (0.5 if self._stage == "half" else 0.03)

    def _enter(self, stage: str) -> None:
        self._stage, self._since = stage, self._beats.last.end
