"""In: anything that plays a dial for half a second and tells what came of it. Out: where others would say that it breaks.

    ramp      a linear ramp with a sliding window; repeated around its own answer until the time is used
    steps     plateaus at equal distances; the answer lies between the last that held and the first that failed; repeated likewise

The same code against simulated servers (`tests.sim.baselines`, where the settings are tuned) and against real sockets
(`tests.bench.truth.tuned`). `top` is the rate that somebody has guessed before the test, in visitors/s.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

import numpy as np

from harness.engine.window import Window

LIMIT, LATE, FAILING = 0.5, 0.05, 0.01
BUDGETS = {"quick": 58.0, "full": 590.0}  # s, those of a search
RAMP = {"quick": (25.0, 5.0), "full": (100.0, 10.0)}  # s of one ramp, s of its window
STEP = {"quick": (16, 3.0), "full": (30, 10.0)}  # plateaus, s of each


class Player(Protocol):
    """Plays dials: `now` is the end of the last window, in s since the first one began."""

    @property
    def now(self) -> float: ...

    def step(self, dial: float) -> Window: ...


class Watch:
    """Verdicts by windows, over what was sent: late once its age passes the limit."""

    def __init__(self) -> None:
        self._ends: list[float] = []
        self._sent: list[np.ndarray] = []
        self._good: list[np.ndarray] = []
        self._bad: list[np.ndarray] = []

    def add(self, window: Window) -> None:
        failed = window.done["outcome"] != 0
        fine = ~failed & (window.done["wait"] + window.done["total"] <= LIMIT)
        self._ends.append(window.at + window.seconds)
        self._sent.append(window.sent["at"])
        self._good.append(window.done["sent"][fine])
        self._bad.append(window.done["sent"][failed])

    def broken(self, since: float, until: float) -> bool:
        """Whether the requests sent in this time broke a promise."""
        first = bisect_right(self._ends, since)  # what is sent later than that is told in no earlier window
        if first == len(self._ends):
            return False
        sent, good, bad = (np.concatenate(x[first:]) for x in (self._sent, self._good, self._bad))
        count = ((sent > since) & (sent <= until)).sum()
        if count < 5:
            return False
        fine = ((good > since) & (good <= until)).sum()
        failed = ((bad > since) & (bad <= until)).sum()
        return bool(1 - fine / count > LATE or failed / count > FAILING)


def _rest(player: Player, watch: Watch, dial: float) -> None:
    """A tenth of the load until nothing is late, at most 5 s."""
    began = player.now
    while player.now - began < 5 and (player.now - began < 1 or watch.broken(player.now - 1.5, player.now - LIMIT)):
        watch.add(player.step(0.1 * dial))


def ramp(player: Player, top: float, seconds: float, window: float, budget: float = BUDGETS["quick"]) -> float:
    """The mean of all ramps that broke, the first one (coarse) excepted. After a break the next goes from 0.6 to 1.5 times its rate, after
    none from 0.9 to twice its end: a ramp that nothing broke has found nothing. With one break or none the highest rate counts that was
    held, or that broke."""
    watch, low, high = Watch(), 0.02 * top, top
    answers, held = list[float](), 0.0
    while player.now + 4 < budget:
        began, dial = player.now, low
        while player.now < budget and player.now - began < seconds:
            dial = low + (high - low) * (player.now - began) / seconds
            watch.add(player.step(dial))
            past = player.now - began
            if past > window and watch.broken(player.now - LIMIT - window, player.now - LIMIT):
                found = low + (high - low) * max(0.0, past - LIMIT - window) / seconds  # the rate at the window's start
                answers.append(found)
                _rest(player, watch, found)
                low, high = 0.6 * found, 1.5 * found
                break
        else:
            held = max(held, dial)
            low, high = 0.9 * high, 2 * high
    return float(np.mean(answers[1:] or [max([held, *answers])]))


def steps(player: Player, top: float, count: int, dwell: float, budget: float = BUDGETS["quick"]) -> float:
    """The middle of the last bracket; each round of plateaus lies within the one before."""
    watch, low, high = Watch(), 0.0, top
    held = failed = 0.0
    while player.now + dwell < budget:
        held, failed = low, high
        for dial in np.linspace(low, high, count + 1)[1:]:
            began = player.now
            while player.now - began < dwell and player.now < budget:
                watch.add(player.step(float(dial)))
            if watch.broken(began + 0.5, player.now - LIMIT):
                failed = float(dial)
                break
            held = float(dial)
            if player.now >= budget:
                break
        low, high = (0.9 * held, 1.05 * failed) if held else (0.0, failed)
        _rest(player, watch, failed)
    return (held + failed) / 2 if held else failed / 2
