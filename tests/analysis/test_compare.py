"""Two runs side by side: noise is not news, a real loss is, and unlike conditions are named."""

from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from harness.analysis.compare import Comparison, compare
from harness.result import BreakingPoint, Result
from tests.analysis.rehearsal import Rehearsal, generator, mail, point, result, unfound
from tests.sim.rig import Rig
from tests.sim.servers import Pool, exponential


@cache
def run(seed: int, service: float = 0.04) -> Result:
    """A whole run against eight workers with this mean service time (s)."""
    server = Pool(np.random.default_rng(seed), workers=8, service=exponential(service), room=400)
    rehearsal = Rehearsal(mail(150.0), Rig(server, np.random.default_rng(seed + 1000)), seed=seed)
    return result(rehearsal, rehearsal.run(), number=seed + 1)


def having(found: BreakingPoint, **changes: Any) -> Result:
    """Run 0 with another breaking point."""
    return run(0).model_copy(update={"breaking_point": found, **changes})


def test_runs_of_one_and_the_same_site_are_hardly_ever_told_apart() -> None:
    """Twelve runs, 66 pairs: at most one in ten, as the interval promises; none of them a regression."""
    compared = [compare(run(a), run(b)) for a, b in combinations(range(12), 2)]
    assert sum(c.change in ("better", "worse") for c in compared) <= len(compared) / 10
    assert not any(c.regression for c in compared)


def test_a_site_that_lost_a_fifth_of_its_capacity_is_found_worse() -> None:
    """Service a quarter slower, in six pairs of runs; the loss is told within its interval."""
    compared = [compare(run(k), run(k + 20, 0.05)) for k in range(6)]
    assert all(c.change == "worse" for c in compared)
    for c in compared:
        assert c.ratio is not None
        assert c.ratio.low < 0.8 < c.ratio.high + 0.03
    assert sum(c.regression for c in compared) >= 4


def test_a_step_is_slower_when_its_calm_time_grew_by_more_than_so_few_requests_can_by_chance() -> None:
    """Twice as slow is news from 100 requests on either side, and none from ten."""
    (step,) = run(0).steps
    steps = {n: step.model_copy(update={"calm_p50_ms": 20.0, "calm_requests": n}) for n in (10, 100)}
    for n, then in steps.items():
        now = then.model_copy(update={"calm_p50_ms": 40.0})
        found = compare(run(0).model_copy(update={"steps": [then]}), run(0).model_copy(update={"steps": [now]})).steps
        assert [s.what for s in found] == ([] if n == 10 else ["slower"])


def test_steps_that_only_one_run_has_are_named() -> None:
    (step,) = run(0).steps
    other = step.model_copy(update={"label": "POST /join"})
    found = compare(run(0), run(0).model_copy(update={"steps": [other]})).steps
    assert {(s.step, s.what) for s in found} == {("GET /", "gone"), ("POST /join", "new")}


def test_the_other_way_round_it_is_better() -> None:
    assert compare(run(20, 0.05), run(0)).change == "better"


def test_a_loss_is_a_regression_only_beyond_the_tolerance_and_both_intervals() -> None:
    """A gate that cries wolf is switched off."""
    base = having(point(100.0, 104.0))
    assert compare(base, having(point(85.0, 88.0))).regression
    assert not compare(base, having(point(92.0, 96.0))).regression
    assert compare(base, having(point(85.0, 88.0)), tolerance=0.2).regression is False


def test_it_says_what_such_runs_could_have_found_and_how_many_would_do() -> None:
    """Wider intervals hide larger losses and need more repetitions."""
    narrow, wide = (compare(having(point(100.0, high)), having(point(100.0, high))) for high in (103.0, 130.0))
    assert narrow.detectable is not None and wide.detectable is not None
    assert 0.05 < narrow.detectable < wide.detectable < 0.5
    assert narrow.repetitions is not None and wide.repetitions is not None
    assert 1 < narrow.repetitions < wide.repetitions


def test_two_wide_intervals_are_unclear_and_never_the_same() -> None:
    """Not being able to tell is not a finding of sameness."""
    assert compare(having(point(80.0, 130.0)), having(point(80.0, 130.0))).change == "unclear"
    sharp = having(point(100.0, 101.0)).model_copy(update={"run": run(0).run.model_copy(update={"profile": "full"})})
    assert compare(sharp, sharp).change == "same"


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (unfound("not_reached", low=150.0), point(90.0, 95.0), "worse"),
        (unfound("not_reached", low=80.0), point(90.0, 95.0), "unclear"),
        (point(90.0, 95.0), unfound("not_reached", low=150.0), "better"),
        (point(90.0, 95.0), unfound("broken_at_baseline"), "worse"),
        (unfound("broken_at_baseline"), point(90.0, 95.0), "better"),
        (unfound("inconclusive"), point(90.0, 95.0), "unclear"),
        (unfound("not_reached", low=80.0), unfound("not_reached", low=150.0), "unclear"),
    ],
)
def test_runs_without_a_number_are_compared_as_far_as_they_reach(before: BreakingPoint, after: BreakingPoint, change: str) -> None:
    """What held and what broke is known also where the point in between is not."""
    compared = compare(having(before), having(after))
    assert compared.change == change
    assert compared.ratio is None and compared.detectable is None


def test_another_campaign_is_compared_in_requests() -> None:
    """Visitors of two campaigns ask for different things."""
    other = run(0).model_copy(
        update={
            "scenario": run(0).scenario.model_copy(update={"sha256": "1" * 64}),
            "campaign": run(0).campaign.model_copy(update={"peak_visitors_per_second": 3.0}),
        }
    )
    compared = compare(run(1), other)
    assert compared.unit == "requests/s"
    assert "Not alike: the scenario." in compared.conditions


def test_runs_that_ask_for_different_things_are_not_compared() -> None:
    """Half of the requests must be for steps that both have."""
    (step,) = run(0).steps
    other = run(0).model_copy(
        update={
            "scenario": run(0).scenario.model_copy(update={"sha256": "1" * 64}),
            "campaign": run(0).campaign.model_copy(update={"peak_visitors_per_second": 3.0}),
            "steps": [step.model_copy(update={"label": "GET /other"})],
            "breaking_point": point(10.0, 11.0),
        }
    )
    compared = compare(run(0), other)
    assert (compared.change, compared.regression, compared.ratio) == ("unclear", False, None)
    assert "different things" in compared.sentence


def test_conditions_that_differ_are_named() -> None:
    """Target, profile, promises, the generator's health."""
    other = run(0).model_copy(
        update={
            "target": run(0).target.model_copy(update={"url": "https://www.example.com"}),
            "run": run(0).run.model_copy(update={"profile": "full", "stopped_early": "by hand"}),
            "promises": run(0).promises[:1],
            "generator": generator(healthy=False),
        }
    )
    said = " ".join(compare(run(1), other).conditions)
    for word in ("target", "profile", "promises", "number of workers", "generator was not well", "stopped early"):
        assert word in said
    assert compare(run(1), run(2)).conditions == ()


def test_what_changed_beside_the_number_is_told() -> None:
    """Verdict, cause, first step, recovery."""
    worse = having(
        point(50.0, 55.0, cause="server_errors", first_step="POST /join", recovered=False),
        verdict="not_ready",
        promises=[p.model_copy(update={"verdict": "broken"}) for p in run(0).promises],
    )
    said = " ".join(compare(run(0), worse).notes)
    assert "was ready and is not ready" in said
    assert "server errors" in said
    assert "now it is “POST /join”" in said
    assert "no longer recovers" in said
    assert said.count("No longer kept") == 2


def test_a_comparison_is_written_down_and_read_again() -> None:
    """For machines; nothing in it that JSON cannot hold, also where a run has no upper end."""
    for after in (point(80.0, 83.2), unfound("not_reached", low=150.0)):
        compared = compare(having(point(100.0, 104.0)), having(after))
        assert Comparison.model_validate_json(compared.model_dump_json()) == compared


def test_the_sentence_names_the_change_with_its_interval() -> None:
    said = compare(having(point(100.0, 104.0)), having(point(80.0, 83.2))).sentence
    assert said.startswith("The site takes 20% less than before (-") and said.endswith("more than noise.")
