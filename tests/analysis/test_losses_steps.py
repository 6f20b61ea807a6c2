"""Where lost transactions stop: along the journey, by what was measured beyond the breaking point."""

import numpy as np
import pytest

from harness.analysis.cohorts import Cohorts
from harness.analysis.levels import stretches
from harness.analysis.stopping import stopped_at
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window
from harness.engine.wire import Outcome
from harness.result import StepLoss
from harness.scenario.catalog import samples
from harness.scenario.model import Get, Journey, Page, Post
from tests.analysis.rehearsal import mail, point
from tests.sim.rig import PROMISES

SCENARIO = mail(100.0).model_copy(
    update={
        "journeys": (
            Journey(name="look", share=0.5, steps=(Page(url="/", line=3),)),
            Journey(name="buy", share=0.5, steps=(Page(url="/", line=7), Get(url="/shop", line=8), Post(url="/checkout", line=9))),
        )
    }
)
SAMPLES = samples(SCENARIO)
NUMBER = {(s.journey, s.label): s.number for s in SAMPLES}


def stopped(bad: dict[tuple[int, str], float], *, dial: float = 90.0) -> list[StepLoss]:
    """Four seconds at this dial, with these shares of failures by (journey, label); the site takes 50 visitors/s."""
    cohorts = Cohorts(PROMISES, len(SAMPLES))
    for k in range(8):
        rows = [(NUMBER[key], j < 100 * bad.get(key, 0.0)) for key in NUMBER for j in range(100)]
        sent, done = np.zeros(len(rows), SENT_TYPE), np.zeros(len(rows), DONE_TYPE)
        sent["at"] = done["sent"] = k / 2 + 0.1
        done["total"] = 0.05
        done["sample"] = sent["sample"] = [n for n, _ in rows]
        done["outcome"] = [Outcome.HTTP_5XX if failed else Outcome.OK for _, failed in rows]
        cohorts.add(
            Window(
                number=k, at=k / 2, seconds=0.5, dial=dial, sent=sent, done=done, lags=np.zeros(0, np.float32), census=Census(), workers=()
            ),
            "hold",
        )
    return stopped_at(SCENARIO, SAMPLES, cohorts, stretches(cohorts), point(49.0, 51.0))


def test_the_step_that_fails_is_where_they_stop() -> None:
    """With the author's own line."""
    assert stopped({(1, "POST /checkout"): 0.4}) == [StepLoss(journey="buy", step="POST /checkout", file_line="scenario.yaml:9", share=1.0)]


def test_who_has_stopped_already_cannot_stop_again() -> None:
    """Half fail at the first step, and half of the rest at the last: two to one."""
    found = stopped({(1, "page /"): 0.5, (1, "POST /checkout"): 0.5})
    assert [(loss.step, loss.share) for loss in found] == [("page /", pytest.approx(2 / 3)), ("POST /checkout", pytest.approx(1 / 3))]


def test_a_journey_without_a_transaction_loses_none() -> None:
    assert stopped({(0, "page /"): 1.0}) == []


def test_nothing_is_said_where_no_overload_was_measured() -> None:
    """Failures below the breaking point are not what the plan's overload would do."""
    assert stopped({(1, "POST /checkout"): 0.4}, dial=40.0) == []
