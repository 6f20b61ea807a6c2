"""In: `Window`s and the promises. Out: after each window an `Order` (the next dial), and at any moment a `BreakingPoint`.

A pure state machine: no clock, no I/O, a few milliseconds a step. The phases of a search:

    baseline   a quiet rate: what the site does without load, and whether it answers at all
    explore    the dial rises by half each second until something gives
    drain      the load falls at once; the line must go away
    hold       at the estimate, first a little above, so that the site is busy most of the time; refitted each second
    confirm    the lower end of the interval, held: a plain fact beside the estimate
    recovery   one short push past the break, then half the load: does the site come back?
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.answer import Answer, Outlook
from harness.analysis.asked import asked
from harness.analysis.cause import Harm
from harness.analysis.estimator import Estimator
from harness.analysis.generator import Headroom
from harness.analysis.meter import Meter, Reading
from harness.analysis.mix import Mix
from harness.analysis.profile import FULL, PROFILES, QUICK, Profile
from harness.analysis.queueing import Demand
from harness.campaigns.plan import Moment
from harness.engine.window import Window
from harness.result import BreakingPoint
from harness.scenario.catalog import Sample
from harness.scenario.model import Promise

__all__ = ["FULL", "PROFILES", "QUICK", "Order", "Profile", "Search"]

_STEP = 0.5  # s, the usual length of a window


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What to do next. `dial` in visitors/s; None: the search is over. `say` is one sentence for whoever watches."""

    dial: float | None
    phase: str
    say: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Beat:
    """One window in a few numbers, of the watched group unless said otherwise."""

    end: float
    seconds: float
    dial: float
    sent: int
    decided: int
    late: int
    failed: int  # of all samples
    all_decided: int
    all_late: int
    in_flight: int
    answered: int


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
        self._limit = self._asked.limit
        self._moment = moment
        self._ceiling = ceiling if ceiling is not None else float("inf")
        self._seed = seed
        count = len(samples)
        self._members: npt.NDArray[np.bool_] = np.ones(count, bool)
        self._meter = Meter(count, self._asked.limits)
        arriving = (moment.visitors_per_second + moment.scanners_per_second) / moment.peak if moment.peak > 0 else 1.0
        self._mix = Mix(count, arriving)
        self._headroom = Headroom(self._limit)
        self._harm = Harm(samples)
        self._answer = Answer(asked=self._asked, moment=moment, samples=samples, mix=self._mix, harm=self._harm)
        self._group = self._meter.group(self._members)
        self._estimator = self._fresh_estimator()
        per_visitor = max(moment.requests_per_second / moment.peak, 0.05) if moment.peak > 0 else 1.0
        self._smallest = profile.minimum / per_visitor
        self._start = max(self._smallest, moment.peak / 8)
        self._dial = min(max(self._start / 2, self._smallest), self._ceiling)
        self._phase = "baseline"
        self._beats: deque[_Beat] = deque(maxlen=48)
        self._k = 0  # windows counted, idle ones left out
        self._phase_began = 0
        self._clock0: float | None = None
        self._trace: list[tuple[int, str, float]] = []
        # hold
        self._estimate = float("nan")  # dial
        self._floor = 0.0
        self._climb = 0.0
        self._refusing = False  # failures without a line: nothing to drain
        self._episodes = 0
        self._last_fit = -9
        self._rose = -999
        self._drift: set[str] = set()
        self._first_estimate: float | None = None
        self._broke = False
        self._outlook = Outlook()
        self._plan_confirm = float("nan")
        self._push_stage = "push"

    # ------------------------------------------------------------------ public
    @property
    def trace(self) -> tuple[tuple[int, str, float], ...]:
        """(window number, phase in which it was played, dial in force), one for each window seen."""
        return tuple(self._trace)

    def next(self, window: Window) -> Order:
        """Takes one window, answers with the next dial."""
        reading = self._meter.read(window)
        if self._phase == "over":
            return self._order(None, "The search is over.")
        if window.dial <= 0 and not len(window.sent):
            self._trace.append((window.number, "baseline", 0.0))
            return self._order(self._dial, "The first visitors are on their way.")
        if self._clock0 is None:
            self._clock0 = window.at
        self._trace.append((window.number, self._phase, window.dial))
        self._headroom.watch(window)
        self._take(reading)
        return self._decide()

    def breaking_point(self) -> BreakingPoint:
        """The answer so far. May be asked at any time."""
        if np.isfinite(self._estimate):
            self._refit()
        self._answer.first_estimate = self._first_estimate
        return self._answer.breaking_point(
            estimator=self._estimator,
            estimate=self._estimate if self._broke else float("nan"),
            outlook=self._outlook,
            recent_drift=self._k - self._rose < 40,
            drift=frozenset(self._drift),
            members=self._members,
            believe=self.profile.believe,
        )

    # ------------------------------------------------------------------ one window
    def _take(self, reading: Reading) -> None:
        members = self._members
        last = self._beats[-1] if self._beats else None
        beat = _Beat(
            end=reading.end,
            seconds=reading.seconds,
            dial=reading.dial,
            sent=int(reading.sent[members].sum()),
            decided=int(reading.decided[0][members].sum()),
            late=int(reading.late[0][members].sum()),
            failed=int(reading.failed.sum()),
            all_decided=int(reading.decided[0].sum()),
            all_late=int(reading.late[0].sum()),
            in_flight=int(reading.in_flight[members].sum()),
            answered=int(reading.answered.sum()),
        )
        self._beats.append(beat)
        self._k += 1
        stressed = (
            self._phase in ("drain", "recovery")
            or beat.all_late > 0.2 * max(beat.all_decided, 5)
            or beat.failed > 0.05 * max(beat.sent, 20)
        )
        self._mix.add(reading, stressed=stressed or self._k <= 1)
        steady = (
            self._phase in ("hold", "confirm")
            and last is not None
            and last.dial > 0
            and abs(np.log(last.dial / max(beat.dial, 1e-9))) < 0.1
        )
        self._estimator.add(self._group.levels(), reading, steady=steady)
        self._estimator.per_dial = self._mix.requests(members) or 1.0
        self._estimator.per_dial_error = self._mix.uncertainty(members)
        self._estimator.calm = self._mix.calm_of(members)
        self._harm.watch(reading)
        self._outlook.watch(reading, self._phase, self._asked)

    def _decide(self) -> Order:
        elapsed = self._beats[-1].end - (self._clock0 or 0.0)
        limited = self._headroom.limited
        if limited and self._phase in ("baseline", "explore", "hold") and not self._outlook.ceiling_reason:
            return self._limited(limited)
        if elapsed >= self.profile.budget:
            if not self._broke:
                self._outlook.ceiling_reason = self._outlook.ceiling_reason or "the time was up"
            return self._finish()
        return getattr(self, f"_in_{self._phase}")(elapsed)  # type: ignore[no-any-return]

    def _limited(self, why: str) -> Order:
        """Our own machine is the limit. What was held so far may still be shown to hold, a little lower; a number is out of the
        question."""
        self._outlook.generator = why
        if self._broke or self._phase == "baseline":
            return self._finish()
        self._outlook.ceiling_reason = f"the load generator reached its own limit ({why})"
        self._dial = 0.7 * self._beats[-1].dial
        self._enter("confirm")
        return self._order(self._dial, f"The load generator is at its limit: {why}. Holding a rate that it can send.")

    def _in_baseline(self, elapsed: float) -> Order:
        say = "Listening to the site at a quiet rate."
        if elapsed < self.profile.baseline_seconds:
            return self._order(self._dial, say)
        beats = list(self._beats)[1:]
        decided = sum(b.all_decided for b in beats)
        if decided < 10 and elapsed < self.profile.baseline_seconds + max(4.0, 2 * self._limit):
            return self._order(self._dial, say)
        late, failed, answered = sum(b.all_late for b in beats), sum(b.failed for b in beats), sum(b.answered for b in beats)
        if late > 0.5 * max(decided, 1) or failed > 0.5 * max(decided, 1) or answered == 0:
            if self._dial > 2 * self._smallest:  # too much already? Then a quieter rate must work.
                self._dial = max(self._smallest, self._dial / 8)
                self._start = 2 * self._dial
                self._beats.clear()
                self._clock0 = self._clock0 if self._clock0 is None else self._clock0 + elapsed
                return self._order(self._dial, "The site fails already: trying a far quieter rate.")
            self._outlook.broken_at_baseline = True
            return self._finish()
        self._enter("explore")
        self._dial = min(self._start, self._ceiling)
        return self._order(self._dial, "The site answers. Raising the load by half each second.")

    def _in_explore(self, elapsed: float) -> Order:
        beat, last = self._beats[-1], list(self._beats)[-2:]
        decided, late, failed = (sum(getattr(b, f) for b in last) for f in ("decided", "late", "failed"))
        bad_failures = failed >= 3 and failed > 3 * max(self._asked.failing, 0.01) * sum(b.all_decided for b in last)
        bad_late = decided >= 10 and late > 0.2 * decided
        calm, rate = self._estimator.calm, beat.sent / beat.seconds
        bad_line = beat.in_flight > rate * calm + max(0.25 * rate * (self._limit - calm), 6 * np.sqrt(rate * calm) + 5)
        if bad_failures or bad_late or bad_line:
            self._broke = True
            self._refusing = bad_failures and not bad_line
            self._refit()
            growth = self.profile.growth
            if not np.isfinite(self._estimate):
                self._estimate = max(self._start / 2, beat.dial / growth)
            self._floor = beat.dial / (1.2 * growth)
            self._estimate = max(self._estimate, self._floor)
            self._harm.broke(beat.dial)
            return self._to_drain()
        if self._dial >= self._ceiling:
            if (self._k - self._phase_began) * _STEP >= 2 or beat.dial >= 0.98 * self._ceiling:
                self._outlook.ceiling_reason = "that is the highest rate allowed"
                self._enter("confirm")
            return self._order(self._ceiling, "The highest rate allowed is reached: holding it.")
        self._dial = min(self._dial * self.profile.growth**beat.seconds, self._ceiling)
        return self._order(self._dial, f"Exploring: {self._dial:.3g} visitors/s.")

    def _in_drain(self, elapsed: float) -> Order:
        if self._drained():
            self._outlook.came_back((self._k - self._phase_began) * _STEP)
            self._enter("hold")
            return self._hold_order(elapsed)
        if (self._k - self._phase_began) * _STEP > self.profile.drain_seconds:
            self._outlook.recovered = False
            return self._finish()
        return self._drain_order()

    def _in_hold(self, elapsed: float) -> Order:
        if elapsed >= self.profile.estimate_seconds:
            return self._to_confirm()
        self._check_drift()
        if self._k - self._last_fit >= 2:
            self._last_fit = self._k
            self._refit()
        last = list(self._beats)[-2:]
        decided, late, failed = (sum(getattr(b, f) for b in last) for f in ("decided", "late", "failed"))
        everything = sum(b.all_decided for b in last)
        full = self._full()
        beat = self._beats[-1]
        over_line = beat.in_flight > full
        over_late = decided >= 10 and late - failed > 0.5 * decided
        over_failed = failed >= 5 and failed > max(0.12, 3 * self._asked.failing) * everything
        if over_line or over_late or over_failed:
            self._climb = 0.0
            self._refit()
            if over_failed and not (over_line or beat.in_flight > 0.3 * full):
                self._refusing = True
                self._phase_began = self._k
                self._dial = self._estimate * 0.99
                return self._order(self._dial, "Requests are refused: stepping back a little.")
            self._episodes += 1
            return self._to_drain()
        return self._hold_order(elapsed)

    def _in_confirm(self, elapsed: float) -> Order:
        spent = (self._k - self._phase_began) * _STEP
        beats = list(self._beats)[-4:]
        decided, late = sum(b.all_decided for b in beats), sum(b.all_late for b in beats)
        given_way = len(beats) == 4 and spent >= 2 and decided >= 20 and late > 0.5 * decided
        if spent >= self.profile.confirm_seconds or given_way or self._headroom.limited:
            if given_way:
                self._outlook.confirm_failed = True
            if self._headroom.limited:
                self._outlook.generator = self._headroom.limited
            if self._outlook.ceiling_reason:
                return self._finish()
            self._refit()
            if self.profile.budget - elapsed < 5 or not self._broke:
                return self._finish()
            self._enter("recovery")
            self._push_stage = "drain" if given_way else "push"
            return self._in_recovery(elapsed)
        return self._order(self._dial, f"Holding {self._dial:.3g} visitors/s to confirm it.")

    def _in_recovery(self, elapsed: float) -> Order:
        beat, spent = self._beats[-1], (self._k - self._phase_began) * _STEP
        if self._push_stage == "push":
            gone = (
                beat.late > 0.5 * max(beat.decided, 5)
                or beat.in_flight > 1.3 * self._full()
                or beat.failed > 0.2 * max(beat.all_decided, 5)
            )
            if spent > 0 and (gone or spent >= 3.0):
                self._push_stage = "drain"
                self._phase_began = self._k
            else:
                self._dial = min(1.3 * self._estimate, self._ceiling)
                return self._order(self._dial, "One short push past the break, to see whether the site comes back.")
        spent = (self._k - self._phase_began) * _STEP
        if spent > 0 and self._drained() and beat.late <= 0.05 * max(beat.decided, 1):
            self._outlook.came_back(spent, alone=self._push_stage == "drain")
            return self._finish()
        if spent >= self.profile.recovery_seconds:
            if self._push_stage == "drain" and self.profile.budget - elapsed > 4:
                self._push_stage = "trickle"
                self._phase_began = self._k
            else:
                self._outlook.recovered = False
                return self._finish()
        self._dial = self._estimate * (0.5 if self._push_stage == "drain" else 0.03)
        return self._order(self._dial, "Half the load: waiting for the site to come back.")

    # ------------------------------------------------------------------ moves
    def _enter(self, phase: str) -> None:
        self._phase = phase
        self._phase_began = self._k

    def _to_drain(self) -> Order:
        self._enter("drain")
        return self._drain_order()

    def _drain_order(self) -> Order:
        early = (self._k - self._phase_began) * _STEP < 1.0
        self._dial = max(self._smallest, self._saturation() * (0.5 if early else 0.03))
        return self._order(self._dial, "Past the break: the load is lowered at once until the line is gone.")

    def _to_confirm(self) -> Order:
        self._refit()
        low = (
            self._estimator.interval(boots=40, recent_drift=self._k - self._rose < 40).low
            if np.isfinite(self._estimator.dial)
            else 0.9 * self._estimate
        )
        self._enter("confirm")
        self._dial = min(max(low, self._smallest), self._ceiling)
        return self._order(self._dial, f"Holding the lower end of the interval, {self._dial:.3g} visitors/s.")

    def _finish(self) -> Order:
        self._phase = "over"
        return self._order(None, "The search is over.")

    def _order(self, dial: float | None, say: str) -> Order:
        return Order(dial=dial, phase=self._phase if self._phase != "over" else "recovery", say=say)

    # ------------------------------------------------------------------ the hold
    def _hold_order(self, elapsed: float) -> Order:
        beats, beat, held = list(self._beats), self._beats[-1], self._k - self._phase_began
        recent = beats[-min(4, held) :] if held else []
        if len(recent) >= 4:
            quiet = sum(b.failed for b in recent) == 0 and beat.late == 0
            if self._refusing:
                if quiet and held >= 6 and sum(b.failed for b in beats[-min(8, held) :]) == 0:
                    self._climb = max(self._climb, beat.dial) * 1.03
            else:
                busy = self._estimator.busy_share(4)
                if quiet and busy < 0.25:
                    self._climb = max(self._climb, beat.dial) * 1.09
                elif busy > 0.6:
                    self._climb = min(self._climb, beat.dial)
        if held < 6 and self._episodes == 0:
            self._estimate = max(self._estimate, self._floor)
        push = self.profile.push if elapsed < self.profile.push_share * self.profile.estimate_seconds else 0.0
        if self._k - self._rose < 30 and "rose" in self._drift:
            push = 0.10
        target = self._estimate * (1 + push)
        if self._refusing:
            target = self._estimate * (1.06 if (held // 6) % 2 == 0 else 0.99)
        target = max(target, self._climb)
        # The dial stands still for 2 s at a time: failures and lines then belong to one rate.
        if not (held % 4 and held > 0 and self._climb <= self._dial):
            self._dial = min(max(target, self._smallest), self._ceiling)
        return self._order(self._dial, f"Measuring around {self._estimate:.3g} visitors/s.")

    def _refit(self) -> None:
        self._estimator.refit()
        if np.isfinite(self._estimator.dial):
            self._estimate = self._estimator.dial

    def _saturation(self) -> float:
        """Where answers stop growing, in units of the dial."""
        found = self._estimator.fit
        if found is None:
            return self._estimate
        return found.plateau / self._estimator.per_dial

    def _full(self) -> float:
        """As many requests in flight as mean that the limit is passed."""
        found = self._estimator.fit
        if found is None:
            return max(1.0, self._limit * self._beats[-1].dial * self._estimator.per_dial)
        full = max(1.0, self._limit * found.plateau)
        return max(10.0, min(full, found.full, 3.0 * found.peak_at)) if found.falling else full

    def _drained(self) -> bool:
        beat, last = self._beats[-1], list(self._beats)[-2:]
        calm, rate = self._estimator.calm, self._saturation() * self._estimator.per_dial
        line = max(3.0, 1.5 * rate * calm, rate * (calm + 0.12 * (self._limit - calm)))
        failed = sum(b.failed for b in last)
        quiet = failed <= 0.02 * sum(b.all_decided for b in last) or (self._refusing and beat.failed == 0)
        return beat.in_flight <= line and quiet

    def _check_drift(self) -> None:
        """Recent seconds contradict the earlier ones: forget the earlier ones."""
        estimator = self._estimator
        found, history = estimator.fit, estimator.history
        rows = history.size - history.first
        if found is None or rows < 12:
            return
        dispersion = max(1.0, estimator.dispersion)
        beats = list(self._beats)[-8:]
        if len(beats) == 8 and all(b.dial * estimator.per_dial > 0.5 * found.plateau for b in beats):
            time, answers, _, _ = history.sums(history.size - 8)
            seconds, reference = time.sum(), max(found.peak, found.plateau)
            if (
                answers.sum() / seconds > reference * 1.02 + 3.0 * np.sqrt(dispersion * reference / seconds)
                and beats[-1].in_flight < self._limit * found.plateau
            ):
                self._moved("rose", history.size - 6)
                self._refusing = False
                return
        if found.falling or rows < 16:
            return
        time, answers = history.busy((self._levels() >= found.knee) & (self._levels() <= 1.5 * self._limit * found.plateau))
        half, quarter = rows // 2, rows // 2 + (rows - rows // 2) // 2
        before, after = (time[:half].sum(), answers[:half].sum()), (time[half:].sum(), answers[half:].sum())
        if min(before[0], after[0]) <= 1.0:
            return
        old, new = before[1] / before[0], after[1] / after[0]
        # Both quarters of the later half must agree: one stall is not a drift.
        for part in (slice(half, quarter), slice(quarter, rows)):
            t, a = time[part].sum(), answers[part].sum()
            if t <= 0.4 or (a / t - old) * np.sign(new - old) <= 0.5 * abs(new - old):
                return
        needed = 2.0 if self._k - self._rose < 60 else 3.2
        if abs(new - old) > needed * np.sqrt(dispersion * (new / after[0] + old / before[0])):
            self._moved("rose" if new > old else "fell", history.first + half)

    def _moved(self, how: str, first: int) -> None:
        if self._first_estimate is None:
            self._first_estimate = self._estimate
        self._drift.add(how)
        self._rose = self._k
        self._estimator.forget(first)
        self._refit()

    @staticmethod
    def _levels() -> npt.NDArray[np.float64]:
        from harness.analysis.meter import MIDDLE

        return MIDDLE

    def _fresh_estimator(self) -> Estimator:
        demands = tuple(Demand(limit=limit, late=late) for limit, late in zip(self._asked.limits, self._asked.late, strict=True))
        return Estimator(demands=demands, allowed=self._asked.failing, seed=self._seed)
