"""In: the belief about the site and the last beats. Out: the dial of the hold, which keeps the site busy most of the time without
harming it.

Four parts in a hundred above the estimate at first, so that a line stands and every answer measures; on it later. Where nothing is busy
the estimate was too low: climb. Where requests are refused without a line, two sides of the limit are visited in turn.
"""

from __future__ import annotations

import numpy as np

from harness.analysis.search.beats import Beats
from harness.analysis.search.belief import Belief
from harness.analysis.search.profile import Profile

_MODEST = 0.8  # of the rate at which answers stop growing: hardly a line
_COLD_LATE = 0.25  # of the answers may be late while a site that is late without load is warmed up
_MISSED = 3.0  # failures that the promise allows: where so many were due and none came, the limit lies higher
_FAR = 1.35  # times the estimate, without a line: it is another site
_SURE = 3.0  # standard deviations
_LIKELY = 2.0
_LITTLE = 0.3  # of the line that must stand, were the site no faster
_PIECE = 4  # windows that the dial stands still: failures and lines then belong to one rate


class Hold:
    """`estimate` is a dial; it may be set from outside."""

    def __init__(self, profile: Profile, belief: Belief, beats: Beats, limit: float) -> None:
        self._profile, self._belief, self._beats, self._limit = profile, belief, beats, limit
        self.estimate = float("nan")
        self.floor = 0.0  # the first seconds do not go lower: exploring saw this rate pass
        self.refusing = False  # requests fail without a line: there is nothing to drain
        self.episodes = 0  # how often the line grew past the limit
        self.climb = 0.0  # a dial that was reached without a line
        self._began = 0

    def enter(self) -> None:
        self._began = self._beats.count

    def fit(self) -> None:
        """Fits again, and keeps the old estimate where the new one is none."""
        found = self._belief.refit()
        if np.isfinite(found):
            self.estimate = found

    def broke(self, *, refusing: bool, start: float) -> None:
        """The rising load, which began at the dial `start`, has just met the site's limit: a first estimate, and a floor under it."""
        beat, growth = self._beats.last, self._profile.growth
        self.refusing = refusing
        self.fit()
        if not np.isfinite(self.estimate):
            self.estimate = max(start / 2, beat.dial / growth)
        self.floor = beat.dial / (1.2 * growth)
        if refusing:  # what was let through is what the limit lets through, once its reserve is used up
            self.floor = max(self.floor, 0.9 * beat.dial * (1 - 1.5 * beat.failed / max(beat.all_decided, beat.failed, 1)))
        self.climb = 0.0
        self.estimate = max(self.estimate, self.floor)

    def saturation(self) -> float:
        """The dial at which answers stop growing, as far as known."""
        known = self._belief.saturation
        return known if known is not None else self.estimate

    def full(self) -> float:
        """So many of the group in flight mean that the limit is passed."""
        found = self._belief.fit
        if found is None:
            return max(1.0, self._limit * self._beats.last.dial * self._belief.queue.per_dial)
        full = max(1.0, self._limit * found.plateau)
        return max(10.0, min(full, found.full, 3.0 * found.peak_at)) if found.falling else full

    @property
    def collapsing(self) -> bool:
        """Whether the site answers fewer per second the longer its line is."""
        return self._belief.fit is not None and self._belief.fit.falling

    def standing(self) -> bool:
        """Whether a line stands."""
        beat, queue = self._beats.last, self._belief.queue
        alone = max(3.0, 1.5 * beat.dial * queue.per_dial * queue.calm)  # so many are there when none waits
        return beat.in_flight > (alone if queue.fit is None else queue.fit.knee)

    def drained(self) -> bool:
        """Whether the line is gone and requests no longer fail."""
        beat, queue = self._beats.last, self._belief.queue
        rate = self.saturation() * queue.per_dial
        line = max(3.0, 1.5 * rate * queue.calm, rate * (queue.calm + 0.12 * (self._limit - queue.calm)))
        quiet = self._beats.total("failed", 2) <= 0.02 * self._beats.total("all_decided", 2) or (self.refusing and beat.failed == 0)
        return beat.in_flight <= line and quiet

    def overrun(self, failing: float) -> bool:
        """Whether the load must fall now. `failing` is the allowed share."""
        beat, full = self._beats.last, self.full()
        decided, late, failed = (self._beats.total(name, 2) for name in ("decided", "late", "failed"))
        over_line = beat.in_flight > full
        over_late = decided >= 10 and late - failed > 0.5 * decided
        over_failed = failed >= 5 and failed > max(0.12, 3 * failing) * self._beats.total("all_decided", 2)
        if not (over_line or over_late or over_failed):
            return False
        self.climb = 0.0
        if over_failed and not over_line and beat.in_flight <= 0.3 * full:
            self.refusing = True
            self.fit()
            self.enter()
            return False
        self.episodes += 1
        return True

    def dial(self, current: float, elapsed: float) -> float:
        """The next dial, `elapsed` s into the search."""
        held, beat = self._beats.count - self._began, self._beats.last
        if held >= 4:
            self._consider_climbing(held)
        if held < 6 and self.episodes == 0:
            self.estimate = max(self.estimate, self.floor)
        profile = self._profile
        push = profile.push if elapsed < profile.push_share * profile.estimate_seconds else 0.0
        if "rose" in self._belief.drift and self._belief.lately_moved(30):
            push = 0.10
        target = self.estimate * (1 + push)
        if self.refusing:
            target = self.estimate * (1.05 if (held // 6) % 2 == 0 else 0.98)
        if self._cold():
            target = max(target, _MODEST * self.saturation())
        target = max(target, self.climb)
        stand_still = held % _PIECE and held > 0 and self.climb <= beat.dial * 1.001
        return current if stand_still else target

    def _cold(self) -> bool:
        """Whether even without load too many answers came too late. No rate keeps the promise then; but a site may be cold, and only a
        load worth the name warms it up."""
        return self._belief.late_without_load

    def _consider_climbing(self, held: int) -> None:
        beat = self._beats.last
        calm = _COLD_LATE * self._beats.total("all_decided", 4) if self._cold() else 0.0
        quiet = self._beats.total("failed", 4) == 0 and (beat.late == 0 or self._beats.total("all_late", 4) <= calm)
        if self.refusing:
            allowed = self._belief.failures.allowed
            spans = (min(n, held) for n in (8, 16, 24))
            tell = next((n for n in spans if self._beats.total("all_decided", n) * allowed >= _MISSED), None)
            failed = self._beats.total("failed", 8)
            if quiet and held >= 6 and tell is not None and self._beats.total("failed", tell) == 0:
                self.climb = max(self.climb, beat.dial) * 1.03
            elif failed >= 3 and failed > 1.5 * allowed * self._beats.total("all_decided", 8):
                self.climb = 0.0  # it was luck: here too much fails
            return
        busy = self._belief.queue.busy_share(4)
        if quiet and busy < 0.25:
            # Just past what would show another site: there it waits until a line is missing. A cold site shows nothing by being late.
            most = float("inf") if self._cold() else max(self.climb, 1.03 * _FAR * self.estimate)
            self.climb = min(max(self.climb, beat.dial) * 1.09, most)
        elif busy > 0.6:
            self.climb = min(self.climb, beat.dial)

    def outgrown(self) -> bool:
        """Whether the site carries far more than the estimate, which must have been a false alarm or a colder site."""
        far = self._beats.count - self._began >= 8 and self._beats.last.dial > _FAR * self.estimate and self._beats.last.late == 0
        return far and not self.standing() and self._missing_line()

    def _missing_line(self) -> bool:
        """Whether a line would stand by now, were the site no faster than the fit says: a line of few requests takes its time."""
        found = self._belief.fit
        if found is None:
            return True
        excess, scatter = self._excess(self._beats.count - self._began)
        return bool(excess > found.knee + _SURE * scatter)

    def carried(self) -> bool:
        """Whether the overload of the last beats is missing from the line: they met another, faster site."""
        found = self._belief.fit
        if found is None:
            return not self.standing()
        excess, scatter = self._excess(self._beats.count)
        few = self._beats.last.in_flight < min(_LITTLE * excess, excess - _SURE * scatter)
        return few or (not self.standing() and excess > found.knee + _LIKELY * scatter)

    def _excess(self, most: int) -> tuple[float, float]:
        """The requests that came above what the fit says is answered, over the last beats (at most so many) with a dial beyond it; and
        their standard deviation."""
        found, queue, beats = self._belief.fit, self._belief.queue, self._beats
        if found is None:
            return 0.0, 0.0
        answered = found.plateau if queue.stalls is None else queue.speed(found)  # what it does between its stalls
        sent = excess = 0.0
        for beat in reversed(beats.recent(most)):
            if beat.dial <= self.saturation():
                break
            sent += beat.seconds * beat.dial * queue.per_dial
            excess += beat.seconds * (beat.dial * queue.per_dial - answered)
        return excess, float(np.sqrt(max(queue.dispersion, 1.0) * sent))

    def moved(self) -> None:
        """The site's capacity moved: what it refused before means nothing now."""
        if "rose" in self._belief.drift:
            self.refusing = False
        self.fit()
