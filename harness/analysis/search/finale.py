"""In: the estimate and the beats after it. Out: the last acts of a search, a dial a window: the confirmation of the interval's lower end,
the rehearsal of the campaign's own peak, the recovery.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.analysis.search.beats import Beats
from harness.analysis.search.facts import Facts
from harness.analysis.search.hold import Hold
from harness.analysis.search.profile import Profile
from harness.analysis.search.recovery import Recovery
from harness.analysis.search.rehearsal import Rehearsal

Act = Literal["confirm", "rehearsal", "recovery"]
_LEFT = 5.0  # s: what a recovery needs at least


class Finale:
    """`peak` (visitors/s) is the campaign's, `ceiling` is never passed, `limit` (s) is the tightest response-time promise's. After `begin`,
    call `next` once a window until `over` or `carried`; `act` names what is being played."""

    def __init__(self, hold: Hold, beats: Beats, facts: Facts, profile: Profile, *, peak: float, ceiling: float, limit: float) -> None:
        self._hold, self._beats, self._facts, self._profile = hold, beats, facts, profile
        self._peak, self._ceiling, self._limit = peak, ceiling, limit
        self._dial = 0.0
        self._since = 0.0
        self._rehearsal: Rehearsal | None = None
        self._recovery: Recovery | None = None
        self.act: Act = "confirm"
        self.say = ""
        self.over = False

    @property
    def carried(self) -> bool:
        """The last push met no limit at all: the site has become faster."""
        return self._recovery is not None and self._recovery.carried

    def begin(self, dial: float) -> None:
        """The confirmation of this dial."""
        self.act, self._dial, self._since = "confirm", dial, self._beats.last.end
        self._rehearsal = self._recovery = None

    def next(self, left: float, *, broke: bool, late: bool) -> float:
        """The next dial, with `left` seconds of the budget. `broke`: the site was brought to its limit before; `late`: our own machine does
        not keep up now."""
        if self.act == "confirm":
            return self._confirm(left, broke=broke, late=late)
        if self.act == "rehearsal":
            return self._rehearse(left, broke=broke, late=late)
        return self._recover(left, late=late)

    def _confirm(self, left: float, *, broke: bool, late: bool) -> float:
        beats, spent = self._beats, self._beats.last.end - self._since
        decided, tardy = beats.total("all_decided", 4), beats.total("all_late", 4)
        given_way = spent >= 2 and decided >= 20 and tardy > 0.5 * decided
        if not (spent >= self._profile.confirm_seconds or given_way):
            self.say = f"Holding {self._dial:.3g} visitors/s to confirm it."
            return self._dial
        if broke:
            self._hold.fit()
        if broke and (given_way or left < _LEFT + self._profile.rehearsal_seconds):
            return self._to_recovery(left, pushed=given_way, late=late)
        peak = min(self._peak, self._ceiling)
        if not broke and (given_way or peak > 1.01 * self._dial):
            self.over = True
            return self._dial
        self.act = "rehearsal"
        self._rehearsal = Rehearsal(self._hold, beats, peak=peak, seconds=self._profile.rehearsal_seconds, limit=self._limit)
        return self._rehearse(left, broke=broke, late=False)

    def _rehearse(self, left: float, *, broke: bool, late: bool) -> float:
        assert self._rehearsal is not None
        dial = self._rehearsal.next(late=late)
        if not self._rehearsal.over:
            self.say = f"Rehearsing the campaign's own peak at {dial:.3g} visitors/s."
            return dial
        if not broke:
            self.over = True
            return dial
        return self._to_recovery(left, pushed=self._rehearsal.pushed, late=late)

    def _to_recovery(self, left: float, *, pushed: bool, late: bool) -> float:
        if left < _LEFT or not np.isfinite(self._hold.estimate):
            self.over = True
            return self._dial
        self.act = "recovery"
        self._recovery = Recovery(self._hold, self._beats, self._facts, seconds=self._profile.recovery_seconds, pushed=pushed)
        return self._recover(left, late=late)

    def _recover(self, left: float, *, late: bool) -> float:
        assert self._recovery is not None
        self.say = "One short push past the break, then half the load: does the site come back?"
        dial = self._recovery.dial(left, late=late)
        self.over = self._recovery.over
        return dial
