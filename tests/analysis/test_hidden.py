"""A bottleneck that only some requests of a step meet."""

from __future__ import annotations

import numpy as np

from harness.analysis.search.profile import QUICK
from tests.sim.rig import Rig, run
from tests.sim.servers import Hidden, Pool, exponential


def test_a_line_met_by_more_than_a_third_of_the_requests_stays_found():
    """36 % of the requests meet 5 workers of 96 ms (52/s, so that 143 visitors/s would fill it; 134/s keep the promise), the others pass.
    Of eight searches at least seven say so at the end, and they err by less than 9 % on average."""
    said, errors = 0, []
    for seed in range(8):
        random = np.random.default_rng(seed)
        slow, fast = Pool(random, workers=5, service=exponential(0.096)), Pool(random, workers=64, service=exponential(0.030), room=3000)
        found, search = run(Rig(Hidden(random, share=0.365, slow=slow, fast=fast), random), peak=40.0, profile=QUICK)
        said += "several_paths" in search.flags
        errors.append(abs(found.visitors_per_second / 134 - 1))
    assert said >= 7
    assert np.mean(errors) < 0.09
