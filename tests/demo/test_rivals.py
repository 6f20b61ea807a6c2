"""What surges are held against: a windowed ramp and a step test that know their trade."""

from __future__ import annotations

import numpy as np
import pytest

from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window
from harness.engine.wire import Outcome
from tests.sim.rivals import BUDGETS, LIMIT, RAMP, STEP, Watch, ramp, steps

CAPACITY = 200.0


class Cliff:
    """Answers `CAPACITY` visitors/s at once and turns the others away."""

    def __init__(self, capacity: float = CAPACITY) -> None:
        self.now, self._capacity = 0.0, capacity

    def step(self, dial: float) -> Window:
        count = round(dial / 2)
        times = self.now + (np.arange(count) + 0.5) / max(count, 1) / 2
        fails = np.diff(np.floor(np.arange(count + 1) * max(0.0, 1 - self._capacity / max(dial, 1.0)))) > 0
        made = window(self.now, times, fails)
        self.now += 0.5
        return made


def window(at: float, times: np.ndarray, fails: np.ndarray, *, unanswered: int = 0, took: float = 0.01) -> Window:
    sent = np.zeros(len(times), SENT_TYPE)
    sent["at"] = times
    done = np.zeros(len(times) - unanswered, DONE_TYPE)
    done["sent"], done["total"] = times[: len(done)], took
    done["outcome"] = np.where(fails[: len(done)], int(Outcome.HTTP_5XX), int(Outcome.OK))
    return Window(number=0, at=at, seconds=0.5, dial=0.0, sent=sent, done=done, lags=np.zeros(0), census=Census(), workers=())


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("top", [320.0, 950.0])
def test_both_find_a_cliff_in_their_time_wherever_the_top_was_guessed(budget: str, top: float) -> None:
    """A ramp that is steep for its window (950 in 25 s) reads too low, and has no time left to mend it: that is its nature."""
    for policy, setting, near in ((ramp, RAMP[budget], 0.2), (steps, STEP[budget], 0.05)):
        cliff = Cliff()
        assert policy(cliff, top, *setting, BUDGETS[budget]) == pytest.approx(CAPACITY, rel=near)
        assert BUDGETS[budget] - 20 < cliff.now < BUDGETS[budget] + 6


def test_what_never_breaks_was_held_at_the_top_at_least() -> None:
    assert ramp(Cliff(1e9), 300.0, *RAMP["quick"]) >= 290.0
    assert steps(Cliff(1e9), 300.0, *STEP["quick"]) >= 0.9 * 300.0


def test_what_was_sent_is_late_once_it_is_old_and_nobody_has_answered() -> None:
    times = np.linspace(10.0, 10.49, 50)
    fine = np.zeros(50, bool)
    for unanswered, took, broken in ((0, 0.1, False), (2, 0.1, False), (4, 0.1, True), (0, LIMIT + 0.1, True)):
        watch = Watch()
        watch.add(window(10.0, times, fine, unanswered=unanswered, took=took))
        assert watch.broken(9.9, 10.5) is broken, (unanswered, took)


def test_what_happened_before_is_forgiven() -> None:
    watch = Watch()
    watch.add(window(10.0, np.linspace(10.0, 10.49, 50), np.ones(50, bool)))
    watch.add(window(10.5, np.linspace(10.5, 10.99, 50), np.zeros(50, bool)))
    assert watch.broken(10.0, 11.0)
    assert watch.broken(10.4, 11.0)  # the last tenth of a second of them is enough
    assert not watch.broken(10.5, 11.0)
    assert not watch.broken(11.0, 12.0)  # nothing sent, nothing broken
