"""The verdict: ready, not ready, or could not tell; and the reason for it."""

from typing import Any

import pytest

from harness.analysis.verdict import Judgement, judge
from harness.result import BreakingPoint, Generator
from tests.analysis.rehearsal import generator, point, unfound, worker

PEAK = 100.0


def judged(found: BreakingPoint, ours: Generator | None = None, **facts: Any) -> Judgement:
    return judge(found, PEAK, ours or generator(), **{"requests": 5000, "unbalanced": False, "stopped_early": False, **facts})


def test_ready_needs_the_whole_interval_at_or_above_the_peak() -> None:
    """The lower end counts, and being exactly at the peak is enough."""
    assert judged(point(100.0, 120.0)) == Judgement(verdict="ready", reason="holds")
    assert judged(point(99.9, 120.0)) == Judgement(verdict="inconclusive", reason="straddles")


def test_ready_needs_a_number_for_every_promise() -> None:
    """A run that was stopped after a few seconds has an interval above a small peak, and nothing to show for it."""
    assert judged(point(100.0, 120.0), unmeasured=True) == Judgement(verdict="inconclusive", reason="no_data")
    assert judged(point(100.0, 120.0), unmeasured=True, stopped_early=True) == Judgement(verdict="inconclusive", reason="stopped")


def test_not_ready_needs_the_whole_interval_below_the_peak() -> None:
    """The upper end counts."""
    assert judged(point(80.0, 99.9)) == Judgement(verdict="not_ready", reason="breaks")
    assert judged(point(80.0, 100.0)) == Judgement(verdict="inconclusive", reason="straddles")


def test_a_load_above_the_peak_that_held_is_enough_without_a_break() -> None:
    """Nobody has to break a site to know that it is ready."""
    assert judged(unfound("not_reached", low=150.0)).verdict == "ready"
    assert judged(unfound("not_reached", low=90.0)) == Judgement(verdict="inconclusive", reason="not_pushed")


def test_a_site_broken_at_the_lowest_load_is_not_ready() -> None:
    """Unless that load was already more than this small campaign brings."""
    assert judged(unfound("broken_at_baseline")) == Judgement(verdict="not_ready", reason="baseline")
    assert judged(unfound("broken_at_baseline", high=200.0)).verdict == "inconclusive"


@pytest.mark.parametrize(
    "found", [point(120.0, 150.0), point(50.0, 60.0), unfound("not_reached", low=150.0), unfound("broken_at_baseline")]
)
def test_a_run_that_measured_nothing_is_never_ready_nor_not_ready(found: BreakingPoint) -> None:
    """Whatever the search says."""
    assert judged(found, requests=0) == Judgement(verdict="inconclusive", reason="no_data")


@pytest.mark.parametrize("found", [point(120.0, 150.0), point(50.0, 60.0)])
def test_books_that_do_not_balance_settle_nothing(found: BreakingPoint) -> None:
    assert judged(found, unbalanced=True) == Judgement(verdict="inconclusive", reason="counting")


@pytest.mark.parametrize("found", [point(120.0, 150.0), point(50.0, 60.0)])
def test_arrivals_that_were_dropped_settle_nothing(found: BreakingPoint) -> None:
    """The site met less load than the dial says."""
    assert judged(found, generator(achieved_share=0.9, healthy=False)) == Judgement(verdict="inconclusive", reason="generator")


def test_a_late_generator_spoils_a_break_but_not_what_held() -> None:
    """Its lateness makes answers look slower, never faster."""
    late = generator(healthy=False, lag_p99_ms=90.0)
    assert judged(point(120.0, 150.0), late).verdict == "ready"
    assert judged(point(50.0, 60.0), late) == Judgement(verdict="inconclusive", reason="generator")


def test_a_lost_worker_whose_share_the_others_took_over_spoils_nothing() -> None:
    """It is a doubt, not a verdict."""
    lost = generator(healthy=False, lost_workers=1, workers=[worker("worker 1"), worker("worker 2", lost=True)])
    assert judged(point(50.0, 60.0), lost).verdict == "not_ready"


def test_a_peak_that_broke_a_promise_when_it_was_played_is_not_believed_to_be_held() -> None:
    assert judged(point(120.0, 150.0), failed_rehearsal=True) == Judgement(verdict="inconclusive", reason="rehearsal")
    assert judged(point(50.0, 60.0), failed_rehearsal=True).verdict == "not_ready"


def test_the_generators_own_limit_is_never_the_sites() -> None:
    assert judged(unfound("not_reached", low=90.0, cause="generator")) == Judgement(verdict="inconclusive", reason="generator")
    assert judged(unfound("inconclusive", cause="generator")) == Judgement(verdict="inconclusive", reason="generator")


def test_a_run_cut_short_keeps_what_it_had_shown_already() -> None:
    """Stopped early is a reason only where there is no answer yet."""
    assert judged(point(50.0, 60.0), stopped_early=True).verdict == "not_ready"
    assert judged(unfound("inconclusive"), stopped_early=True) == Judgement(verdict="inconclusive", reason="stopped")
    assert judged(unfound("not_reached", low=90.0), stopped_early=True) == Judgement(verdict="inconclusive", reason="stopped")
