"""A site that becomes slower all the time is told from one that became slower once."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.search.profile import FULL
from harness.analysis.search.wear import NONE, Wear, wear
from tests.sim.rig import Rig, run
from tests.sim.servers import Pool, exponential

WINDOWS, RATE = 800, 200.0  # of half a second; answers/s at first


def told(slower: np.ndarray, *, first: int = 400, seed: int = 1) -> Wear:
    """Of windows busy half of the time, in which an answer takes `slower` times as long as at first."""
    answers = np.random.default_rng(seed).poisson(0.25 * RATE / slower).astype(float)
    return wear(np.full(len(slower), 0.25), answers, 2 * answers, first=first, dispersion=1.0)


def test_a_leak_is_carried_on_to_the_last_answer():
    """A fifth slower at the end, a straight line: the later half of the windows is a twentieth slower on average than the last."""
    for seed in range(10):
        found = told(np.linspace(1.0, 1.2, WINDOWS), seed=seed)
        assert found.factor == pytest.approx(1.15 / 1.20, abs=0.01)
        assert 0.0005 < found.unsure < 0.01


def test_what_became_slower_once_or_not_at_all_does_not_wear():
    """Twenty draws each of a step in the middle, and of a steady site; a site that becomes faster; one hardly seen."""
    step = np.where(np.arange(WINDOWS) < 400, 1.0, 1.2)
    for seed in range(20):
        assert told(step, seed=seed) == NONE
        assert told(np.ones(WINDOWS), seed=seed) == NONE
    assert told(np.linspace(1.2, 1.0, WINDOWS)) == NONE
    assert told(np.linspace(1.0, 1.2, 50), first=25) == NONE
    assert wear(np.zeros(0), np.zeros(0), np.zeros(0), first=0, dispersion=1.0) == NONE


def test_ten_minutes_on_a_site_that_leaks_say_what_it_carries_at_the_end():
    """1 % slower after every 4,000 requests: a fifth is lost on the way. What it held while it was young neither raises the number nor
    widens its interval."""
    for seed in (1, 2):
        random = np.random.default_rng(seed)
        site = Pool(random, workers=8, service=exponential(0.040), leak=1 / 400e3)
        found, search = run(Rig(site, random), peak=60.0, profile=FULL, seed=seed)
        truth = 195.9 / (1 + site.served / 400e3)
        assert found.visitors_per_second == pytest.approx(truth, rel=0.025)
        assert found.low <= truth <= found.high
        assert found.high - found.low < 0.1 * truth
        assert search.flags == ("fell",)
        assert "go on falling" in found.cause_detail
