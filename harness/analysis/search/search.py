"""In: `Window`s and the promises. Out: after each window an `Order` (the next dial), and at any moment a `BreakingPoint`.

A pure state machine: no clock, no I/O, a few milliseconds a step, tens for a close look. Its phases are those of `Order`.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from harness.analysis.search.alarm import alarm
from harness.analysis.search.answer import Answer
from harness.analysis.search.asked import asked
from harness.analysis.search.baseline import Baseline
from harness.analysis.search.beats import Beats
from harness.analysis.search.belief import Belief
from harness.analysis.search.cause import Harm
from harness.analysis.search.facts import Facts
from harness.analysis.search.finale import Finale
from harness.analysis.search.generator import Headroom
from harness.analysis.search.hold import Hold
from harness.analysis.search.meter import Reading
from harness.analysis.search.order import Order
from harness.analysis.search.profile import FULL, PROFILES, QUICK, Profile
from harness.campaigns.plan import Moment
from harness.engine.window import Window
from harness.result import BreakingPoint
from harness.scenario.catalog import Sample
from harness.scenario.model import Promise

__all__ = ["FULL", "PROFILES", "QUICK", "Order", "Profile", "Search"]

_ENOUGH = 20  # windows of a hold that make a number


class Search:
    """Drives one search. `ceiling` (visitors/s) is never passed. `seed` fixes the interval's resampling."""

    def __init__(
        self,
        *,
        promises: tuple[Promise, ...],
        moment: Moment,
        samples: tuple[Sample, ...],
        profile: Profile,
        ceiling: float | None,
        seed: int,
    ) -> None:
        self.profile = profile
        self._asked = asked(promises)
        self._ceiling = ceiling if ceiling is not None else float("inf")
        arriving = (moment.visitors_per_second + moment.scanners_per_second) / moment.peak if moment.peak > 0 else 1.0
        self._belief = Belief(asked=self._asked, samples=len(samples), arriving=arriving, seed=seed)
        self._beats = Beats()
        self._hold = Hold(profile, self._belief, self._beats, self._asked.limit)
        self._headroom = Headroom(self._asked.limit)
        self._harm = Harm(samples)
        self._facts = Facts(self._asked)
        self._answer = Answer(
            asked=self._asked, moment=moment, belief=self._belief, harm=self._harm, facts=self._facts, believe=profile.believe
        )
        per_visitor = max(moment.requests_per_second / moment.peak, 0.05) if moment.peak > 0 else 1.0
        self._smallest = min(profile.minimum / per_visitor, self._ceiling)
        self._start = max(self._smallest, moment.peak / 8)
        self._dial = min(max(self._start / 2, self._smallest), self._ceiling)
        self._phase = "baseline"
        self._entered = 0.0  # s
        self._began: float | None = None
        self._trace: list[tuple[int, str, float]] = []
        self._broke = False
        self._baseline = Baseline(self._beats, profile, self._asked.limit, self._asked.failing)
        self._finale = Finale(
            self._hold, self._beats, self._facts, profile, peak=moment.peak, ceiling=self._ceiling, limit=self._asked.limit
        )
        self._trusted = 0  # windows of the hold in which our own machine was in time
        self._readings: deque[Reading] = deque(maxlen=2)

    # ------------------------------------------------------------------ public
    @property
    def trace(self) -> tuple[tuple[int, str, float], ...]:
        """(window number, phase in which it was played, dial in force), one for each window seen."""
        return tuple(self._trace)

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader should doubt, by kind."""
        return self._answer.flags(self._hold.estimate if self._broke else float("nan"))

    def next(self, window: Window) -> Order:
        """Takes one window, answers with the next dial."""
        reading = self._belief.meter.read(window)
        if self._phase == "over":
            return self._order(None, "The search is over.")
        if window.dial <= 0 and not len(window.sent):
            self._trace.append((window.number, "baseline", 0.0))
            return self._order(self._dial, "The first visitors are on their way.")
        if self._began is None:
            self._began = self._entered = window.at
        self._trace.append((window.number, self._phase, window.dial))
        self._headroom.watch(window)
        self._take(reading)
        return self._decide()

    def breaking_point(self) -> BreakingPoint:
        """The answer so far. May be asked at any time."""
        if self._broke:
            self._hold.fit()
        return self._answer.breaking_point(estimate=self._hold.estimate if self._broke else float("nan"))

    # ------------------------------------------------------------------ one window
    def _take(self, reading: Reading) -> None:
        belief, beats = self._belief, self._beats
        last = beats.last.dial if beats.count else 0.0
        decided = int(reading.decided[0].sum())
        hurt = reading.late[0].sum() > 0.2 * max(decided, 5) or reading.failed.sum() > 0.05 * max(decided, 20)
        calm = self._phase in ("baseline", "explore") and not self._broke
        still = last > 0 and reading.dial > 0 and abs(np.log(last / reading.dial)) < 0.1
        belief.add(
            reading,
            stressed=(hurt and not calm) or self._phase in ("drain", "recovery") or beats.count < 1,
            steady=still and self._phase in ("hold", "confirm"),
            calm=calm and beats.count >= 1,
            # What a site does when it is pushed far past its limit says how it comes back, and no longer how much it carries.
            trusted=self._headroom.last is None and self._phase != "recovery",
        )
        beat = beats.add(reading, belief.members, belief.in_flight)
        if (
            self._phase == "hold"
            and self._headroom.last is None
            and (belief.fit is None or beat.in_flight >= belief.fit.knee or beat.failed)
        ):
            belief.bottleneck.watch(reading, belief.mix.calm())
        self._trusted += self._phase == "hold" and self._headroom.last is None
        self._readings.append(reading)
        self._harm.watch(reading)
        self._facts.watch(reading, self._phase, trusted=self._headroom.last is None)

    def _decide(self) -> Order:
        now = self._beats.last.end
        elapsed = now - (self._began or 0.0)
        limited = self._headroom.limited
        if limited and self._phase in ("baseline", "explore", "hold"):
            return self._limited(limited)
        if self._headroom.suspect and self._phase == "explore":
            return self._order(self._dial, f"Waiting for our own machine: {self._headroom.suspect}.")
        if elapsed >= self.profile.budget:
            self._facts.stopped = self._facts.stopped or "the time was up"
            return self._finish()
        if self._phase == "baseline":
            return self._in_baseline()
        if self._phase == "explore":
            return self._in_explore()
        if self._phase == "drain":
            return self._in_drain(elapsed)
        if self._phase == "hold":
            return self._in_hold(elapsed)
        return self._in_finale(elapsed)

    def _limited(self, why: str) -> Order:
        """Our own machine is the limit: no number. What it can send may still be shown to hold, a little lower."""
        if self._broke and self._trusted >= _ENOUGH:
            self._facts.stopped = f"the load generator reached its own limit: {why}"
            return self._finish()  # the number rests on the windows before that
        self._facts.generator = why
        if self._broke or self._phase == "baseline":
            return self._finish()
        self._facts.stopped = f"the load generator reached its own limit: {why}"
        self._dial = 0.7 * self._beats.last.dial
        self._headroom.forgive()
        self._confirm()
        return self._order(self._dial, f"The load generator is at its limit: {why}. Holding a rate that it can send.")

    def _in_baseline(self) -> Order:
        heard = self._baseline.listen()
        if heard == "listening":
            return self._order(self._dial, "Listening to the site at a quiet rate.")
        if heard == "answers":
            self._enter("explore")
            self._dial = min(self._start, self._ceiling)
            return self._order(self._dial, "The site answers. Raising the load by half each second.")
        if self._dial <= 2 * self._smallest:
            self._facts.broken_at_baseline = True
            return self._finish()
        self._start = self._dial = max(self._smallest, self._dial / 8)  # too much already? Then a far quieter rate must work
        self._baseline.again(self._dial * self._asked.limit * max(self._belief.whole.per_dial, 1.0))
        self._belief.start_over()
        return self._order(self._dial, "The site fails already: trying a far quieter rate.")

    def _in_explore(self) -> Order:
        beat, hold = self._beats.last, self._hold
        sign = alarm(self._readings, self._beats, self._belief, self._asked, trusted=self._headroom.last is None)
        if sign is not None:
            self._broke = True
            for reading in self._readings:
                self._belief.bottleneck.watch(reading, self._belief.mix.calm())
            self._belief.regroup()
            hold.broke(refusing=sign == "failures", start=self._start)
            return self._to_drain()
        if beat.dial >= 0.98 * self._ceiling:
            self._facts.stopped = "that is the highest rate allowed"
            self._dial = self._ceiling
            self._confirm()
            return self._order(self._dial, "The highest rate allowed is reached: holding it.")
        self._dial = min(self._dial * self.profile.growth**beat.seconds, self._ceiling)
        return self._order(self._dial, f"Exploring: {self._dial:.3g} visitors/s.")

    def _in_drain(self, elapsed: float) -> Order:
        if self._hold.drained():
            self._facts.came_back(self._spent())
            self._enter("hold")
            self._hold.enter()
            return self._hold_order(elapsed)
        if self._spent() > self.profile.drain_seconds:
            self._facts.recovered = False
            return self._finish()
        return self._drain_order()

    def _in_hold(self, elapsed: float) -> Order:
        # A site that still becomes faster is worth every second: what is confirmed now is untrue in ten.
        rising = self._belief.lately_moved(24) and "rose" in self._belief.drift and elapsed < self.profile.budget - 4.0
        if elapsed >= self.profile.estimate_seconds and not rising:
            return self._to_confirm()
        hold, belief = self._hold, self._belief
        if belief.check_drift(self._asked.limit):
            hold.moved()
        if self._beats.count % 8 == 0:
            belief.regroup()
        if self._beats.count % 2 == 0:
            hold.fit()
        if hold.outgrown():
            if belief.fit is not None:
                belief.rose(4)
            self._enter("explore")
            return self._in_explore()
        if self._headroom.whole and hold.overrun(self._asked.failing):
            hold.fit()
            return self._to_drain()
        return self._hold_order(elapsed)

    def _in_finale(self, elapsed: float) -> Order:
        limited, finale = self._headroom.limited, self._finale
        if limited and self._phase == "confirm":
            if not self._broke and self._dial > self._start:
                return self._limited(limited)
            self._facts.generator = limited
            return self._finish()
        dial = finale.next(self.profile.budget - elapsed, broke=self._broke, late=self._headroom.last is not None)
        if finale.over:
            return self._finish()
        if finale.carried:  # far more than the estimate, without a line: the hold goes on from here
            self._belief.rose(6)
            self._hold.estimate = max(self._hold.estimate, dial)
            self._hold.enter()
            self._enter("hold")
            return self._hold_order(elapsed)
        if finale.act != self._phase:
            self._enter(finale.act)
        self._dial = min(max(dial, self._smallest), self._ceiling)
        return self._order(self._dial, finale.say)

    # ------------------------------------------------------------------ moves
    def _spent(self) -> float:
        """Seconds in this phase."""
        return self._beats.last.end - self._entered

    def _enter(self, phase: str) -> None:
        self._phase = phase
        self._entered = self._beats.last.end

    def _confirm(self) -> None:
        """The dial is to be held from now on."""
        self._enter("confirm")
        self._finale.begin(self._dial)

    def _hold_order(self, elapsed: float) -> Order:
        self._dial = min(max(self._hold.dial(self._dial, elapsed), self._smallest), self._ceiling)
        return self._order(self._dial, f"Measuring around {self._hold.estimate:.3g} visitors/s.")

    def _to_drain(self) -> Order:
        self._enter("drain")
        return self._drain_order()

    def _drain_order(self) -> Order:
        self._dial = max(self._smallest, self._hold.saturation() * (0.5 if self._spent() < 1.0 else 0.03))
        return self._order(self._dial, "Past the break: the load is lowered at once until the line is gone.")

    def _to_confirm(self) -> Order:
        self._hold.fit()
        low = self._belief.interval().low if np.isfinite(self._belief.dial) else 0.9 * self._hold.estimate
        self._dial = min(max(low, self._smallest), self._ceiling)
        self._confirm()
        return self._order(self._dial, f"Holding the lower end of the interval, {self._dial:.3g} visitors/s.")

    def _finish(self) -> Order:
        self._phase = "over"
        return self._order(None, "The search is over.")

    def _order(self, dial: float | None, say: str) -> Order:
        return Order(dial=dial, phase=self._phase if self._phase != "over" else self._trace[-1][1], say=say)
