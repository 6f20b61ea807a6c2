"""The regression table: a few seeded searches on every development server. `python -m tests.sim.table --runs 100` prints it in full.

The bounds are what the full table shows with room for so few runs; they are there to catch a search that became worse.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.sim.catalogue import Case, development
from tests.sim.table import one, truth_of

RUNS = 4
MEAN = {"smooth": 0.055, "hard": 0.06, "stalls": 0.16, "paths": 0.13, "small": 0.22}  # of the absolute error
FOUND = [case for case in development() if case.kind != "none"]
NONE = [case for case in development() if case.kind == "none"]


@pytest.mark.parametrize("case", FOUND, ids=[case.name for case in FOUND])
def test_the_capacity_is_found(case: Case):
    """Every search gives a number near the truth, in a minute, and does little harm."""
    runs = [one(case, 7000 + seed, "quick", truth_of(case)) for seed in range(RUNS)]
    assert all(run.error is not None for run in runs)
    allowed = 0.15 if case.name == "cold start" else MEAN[case.kind]  # after a minute it is barely warm
    assert np.mean([abs(run.error) for run in runs]) < allowed
    assert np.mean([run.harmed for run in runs]) < (0.2 if case.kind == "small" else 0.12)
    assert max(run.seconds for run in runs) <= 60


@pytest.mark.parametrize("case", NONE, ids=[case.name for case in NONE])
def test_no_number_where_there_is_none(case: Case):
    """A dead site, a mute one and a limited generator."""
    for seed in range(RUNS):
        run = one(case, 7000 + seed, "quick", truth_of(case))
        assert run.error is None
        assert run.status == case.status


def test_the_intervals_hold_the_truth_nine_times_in_ten():
    """Over all smooth servers together: nominally 90 %, and no fewer than 85."""
    held = [one(case, 8000 + seed, "quick", truth_of(case)).covered for case in FOUND if case.kind == "smooth" for seed in range(RUNS)]
    assert np.mean(held) >= 0.85
