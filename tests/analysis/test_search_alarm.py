"""What ends the rise of the load, and what must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.analysis.search import QUICK, Search
from tests.sim.rig import PROMISES, Rig, moment
from tests.sim.servers import Free, exponential


def _explored(lag: float) -> float:
    """The highest dial of a search on a site without a limit (400/s is the most it may send), where one window's requests all leave in its
    last fortieth of a second; `lag`: what that window says of our own machine, s."""
    random = np.random.default_rng(4)
    rig = Rig(Free(random, service=exponential(0.02)), random)
    search = Search(promises=PROMISES, moment=moment(400.0), samples=rig.samples, profile=QUICK, ceiling=400.0, seed=1)
    order, highest, done = search.next(rig.step(0.0)), 0.0, False
    while order.dial is not None:
        window = rig.step(order.dial)
        if not done and window.dial > 150:
            done = True
            # The machine slept: nothing of this window is answered in it, and the next one brings its answers.
            sent = window.sent.copy()
            sent["at"] = window.at + 0.475 + (sent["at"] - window.at) / 20
            slept = rig.step(order.dial)
            slept = replace(slept, done=np.concatenate([window.done, slept.done]))
            window = replace(window, sent=sent, done=window.done[:0], lags=np.full(len(window.lags), lag, np.float32))
            order = search.next(window)
            highest = max(highest, order.dial or 0.0)
            if order.dial is None:
                break
            window = slept
        order = search.next(window)
        highest = max(highest, order.dial or 0.0)
    return highest if "drain" not in {phase for _, phase, _ in search.trace} else -highest


def test_a_line_of_our_own_making_does_not_end_the_rise():
    """One window in which our machine slept for half a second: the load goes on to the highest allowed rate, and the site is not said to
    have a line. The same window without a word of our own machine's lateness is taken for the site's."""
    assert _explored(lag=0.4) >= 399
    assert _explored(lag=0.001) < 0
