"""Whole runs against simulated sites: what is found agrees with what was done to them, and with itself."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from harness.analysis.findings import Findings
from harness.engine.wire import FLAG_UNSENT, Outcome
from harness.result import CAUSES
from tests.analysis.rehearsal import Rehearsal, mail
from tests.sim.rig import Rig
from tests.sim.servers import Always, Bucket, Free, Pool, exponential

TRUE = 197.0  # visitors/s that the pool takes within its promise


def pool(seed: int) -> Pool:
    """Eight workers of 40 ms: 200 requests/s, and a line of up to 400."""
    return Pool(np.random.default_rng(seed), workers=8, service=exponential(0.04), room=400)


@cache
def run(kind: str, peak: float, seed: int = 1, stop_after: float = np.inf, ceiling: float | None = None) -> tuple[Rehearsal, Findings]:
    random = np.random.default_rng(seed)
    servers = {
        "pool": lambda: pool(seed),
        "limiter": lambda: Bucket(random, rate=200, burst=50, service=exponential(0.02)),
        "free": lambda: Free(random, service=exponential(0.02)),
        "dead": lambda: Always(latency=0.01, outcome=int(Outcome.HTTP_5XX)),
        "refusing": lambda: Always(latency=0.01, outcome=int(Outcome.REFUSED)),
    }
    rehearsal = Rehearsal(mail(peak), Rig(servers[kind](), np.random.default_rng(seed + 100)), ceiling=ceiling, seed=seed)
    return rehearsal, rehearsal.run(stop_after=stop_after)


def test_a_campaign_well_above_the_sites_capacity_is_not_ready_and_knows_what_it_costs_and_what_to_change() -> None:
    """The whole chain: verdict, losses, advice."""
    _, found = run("pool", 400.0)
    assert (found.verdict, found.verdict_reason) == ("not_ready", "breaks")
    assert found.losses is not None and found.losses.visits is not None and found.losses.visits.mid > 0
    assert found.losses.money is not None and found.losses.seconds_over > 60
    assert [one.audience for one in found.advice][-1] == "it"
    assert found.advice[0].checked


def test_a_campaign_well_below_it_is_ready_and_loses_nothing() -> None:
    _, found = run("pool", 120.0)
    assert (found.verdict, found.verdict_reason) == ("ready", "holds")
    assert found.losses is not None and found.losses.visits is not None and found.losses.visits.high == 0
    assert {one.verdict for one in found.promises} == {"kept"}


def test_a_campaign_at_the_capacity_is_too_close_to_call_and_says_so() -> None:
    _, found = run("pool", TRUE)
    assert found.verdict == "inconclusive"
    assert "too_close" in {doubt.kind for doubt in found.doubts}


class Disturbed(Rehearsal):
    """While the campaign's own peak is played something else takes our machine: visitors start late, and read their answers late."""

    late = 0

    def run(self, *, stop_after: float = np.inf) -> Findings:
        dial: float | None = 0.0
        phase = ""
        while dial is not None:
            window = self.rig.step(dial)
            if phase == "rehearsal":
                done = window.done.copy()
                done["total"] += 1.0
                window = replace(window, lags=np.full(len(window.sent), 1.0, np.float32), done=done)
                self.late += 1
            self.windows.append(window)
            order = self.analyst.observe(window)
            dial, phase = order.dial, order.phase
        self.drain()
        return self.analyst.findings(census=self.census)


def test_our_own_lateness_at_the_peak_is_not_held_against_the_site() -> None:
    """Its number comes from windows in which we were in time; the lateness is told as a doubt."""
    disturbed = Disturbed(mail(120.0), Rig(pool(1), np.random.default_rng(101)))
    found = disturbed.run()
    assert disturbed.late > 0
    assert (found.verdict, found.verdict_reason) == ("ready", "holds")
    assert "generator_lag" in {doubt.kind for doubt in found.doubts}
    assert not any(level.held == "no" for level in found.levels if level.phase == "rehearsal")


def test_a_dead_site_is_not_ready_and_gets_no_number() -> None:
    _, found = run("dead", 100.0)
    assert (found.verdict, found.verdict_reason) == ("not_ready", "baseline")
    assert found.breaking_point.visitors_per_second is None
    assert {one.verdict for one in found.promises} == {"broken"}
    assert found.promises[1].measured == 1.0


def test_a_site_that_was_not_pushed_to_the_peak_is_not_judged() -> None:
    """The ceiling was below it; what held is stated as held."""
    _, found = run("free", 900.0, ceiling=600.0)
    assert (found.verdict, found.verdict_reason) == ("inconclusive", "not_pushed")
    assert found.losses is None and found.advice == []
    assert "scaled" in {doubt.kind for doubt in found.doubts}


def test_a_run_that_was_stopped_before_it_could_tell_says_so() -> None:
    _, found = run("pool", 400.0, stop_after=4.0)
    assert found.verdict == "inconclusive"
    assert "stopped_early" in {doubt.kind for doubt in found.doubts}
    assert found.losses is None


@pytest.mark.parametrize(("kind", "peak"), [("pool", 400.0), ("pool", 120.0), ("limiter", 300.0), ("dead", 100.0), ("refusing", 100.0)])
def test_the_sums_of_the_findings_are_the_sums_of_the_records(kind: str, peak: float) -> None:
    """Totals, steps, errors and levels tell one story; the laws of conservation hold."""
    rehearsal, found = run(kind, peak)
    done = np.concatenate([w.done for w in rehearsal.windows])
    bad = ~np.isin(done["outcome"], (Outcome.OK, Outcome.CUT_OFF))
    totals = found.totals
    assert totals.requests == len(done) == sum(len(w.sent) for w in rehearsal.windows)
    assert totals.requests_unsent == (done["flags"] == FLAG_UNSENT).sum() == (len(done) if kind == "refusing" else 0)
    assert totals.requests_failed == bad.sum() == sum(step.failed for step in found.steps)
    assert totals.due == totals.started + totals.dropped
    assert totals.started == totals.completed + totals.failed + totals.abandoned + totals.cut_off
    assert "counting" not in {doubt.kind for doubt in found.doubts}
    assert sum(level.requests for level in found.levels) <= totals.requests


def test_a_fleet_that_was_lost_in_mid_run_leaves_findings_and_no_wrong_books() -> None:
    """No drain: what was under way is missing, visitors are still present, and that is not a fault of counting."""
    rehearsal = Rehearsal(mail(400.0), Rig(pool(3), np.random.default_rng(4)))
    dial: float | None = 0.0
    for _ in range(60):
        assert dial is not None
        window = rehearsal.rig.step(dial)
        dial = rehearsal.analyst.observe(window).dial
    census = replace(window.census, completed=window.census.started - window.census.present)
    found = rehearsal.analyst.findings(census=census, stopped_early="the master was lost")
    assert census.present > 0
    assert {doubt.kind for doubt in found.doubts} == {"stopped_early", "no_plateau"}
    assert found.verdict == "not_ready"  # half a minute was enough to see the break


def test_a_run_that_was_stopped_after_seconds_is_not_ready_however_small_the_campaign() -> None:
    """What was offered lies above the small peak already, but nothing was measured well enough to be kept."""
    rehearsal = Rehearsal(mail(0.2), Rig(pool(8), np.random.default_rng(4)))
    dial: float | None = 0.0
    for _ in range(9):
        assert dial is not None
        window = rehearsal.rig.step(dial)
        dial = rehearsal.analyst.observe(window).dial
    found = rehearsal.analyst.findings(census=window.census, stopped_early="interrupted by hand")
    assert found.verdict == "inconclusive"
    assert all(promise.verdict != "kept" or promise.measured is not None for promise in found.promises)


def test_a_level_is_judged_by_the_requests_sent_during_it() -> None:
    """Recounted from the raw records, window by window."""
    rehearsal, found = run("pool", 400.0)
    done = np.concatenate([w.done for w in rehearsal.windows])
    for level in found.levels:
        end = level.started_at_seconds + level.seconds
        mine = done[(done["sent"] >= level.started_at_seconds) & (done["sent"] < end)]
        assert level.requests == len(mine)
        if not len(mine):
            continue
        late = (mine["outcome"] != Outcome.OK) | (mine["wait"] + mine["total"] > 0.5)
        assert level.slow_rate == pytest.approx(late.mean())
        good = np.sort(mine["total"][mine["outcome"] == Outcome.OK]) * 1000
        if level.p95_ms is not None:
            assert level.p95_ms == pytest.approx(np.quantile(good, 0.95, method="inverted_cdf"), rel=0.0101)


def test_the_levels_near_the_limit_tell_kept_from_broken() -> None:
    """Well below it nothing is called broken, beyond it nothing held for long is called kept. Ten runs."""
    for seed in range(10):
        _, found = run("pool", 400.0, seed)
        for level in found.levels:
            if level.visitors_per_second < 0.85 * TRUE:
                assert level.held != "no"
            if level.visitors_per_second > 1.2 * TRUE and level.seconds >= 5:
                assert level.held != "yes"


def test_a_promise_is_measured_at_the_peak_where_it_was_rehearsed_and_else_where_the_site_still_held() -> None:
    """And the first break is dated with the load that caused it, not with the calm after it. Where a third failed no time can be named."""
    _, found = run("limiter", 300.0)
    latency, errors = found.promises
    assert latency.measured is not None and latency.measured < 500
    assert latency.measured_at_visitors_per_second < found.breaking_point.high
    assert errors.measured == pytest.approx(1 / 3, abs=0.08)
    assert errors.measured_at_visitors_per_second == pytest.approx(300.0, rel=0.02)
    assert errors.verdict == "broken"
    assert errors.first_broken_at_visitors_per_second is not None and errors.first_broken_at_visitors_per_second > TRUE
    assert found.breaking_point.cause in CAUSES


def test_what_visitors_felt_is_worse_under_load_than_in_the_calm() -> None:
    """The zones of each part add up to everybody."""
    _, found = run("pool", 400.0)
    parts = {part.name: part for part in found.felt}
    assert list(parts) == ["calm", "rise", "peak", "after"]
    for part in found.felt:
        assert part.fast + part.slow + part.too_slow + part.failed == pytest.approx(1.0)
        assert min(part.fast, part.slow, part.too_slow, part.failed) >= 0
    assert parts["calm"].typical_ms < parts["rise"].typical_ms < parts["peak"].typical_ms  # type: ignore[operator]
    assert parts["peak"].fast < parts["calm"].fast


def test_for_a_campaign_that_fits_the_peak_that_was_felt_is_at_least_its_own() -> None:
    """The search passes through the peak in less than a second; the next higher load that it held speaks for it."""
    rehearsal, found = run("pool", 120.0)
    (peak,) = [part for part in found.felt if part.name == "peak"]
    assert peak.visitors_per_second >= 0.9 * rehearsal.moment.peak
    assert peak.seconds >= 2


def test_the_steps_know_their_line_and_their_calm() -> None:
    """An answer in the calm takes the service time."""
    _, found = run("pool", 400.0)
    (step,) = found.steps
    assert (step.file_line, step.label) == ("scenario.yaml:7", "GET /")
    assert step.calm_p50_ms is not None and step.p50_ms is not None
    assert step.calm_p50_ms < 60 < step.p50_ms


def test_littles_law_finds_no_fault_with_a_sound_run_and_one_with_a_wrong_clock() -> None:
    """Response times told twice as long as they were."""
    _, found = run("pool", 150.0)
    assert found.generator.little_error is not None and found.generator.little_error < 0.05
    rehearsal = Rehearsal(mail(150.0), _Doubling(pool(1), np.random.default_rng(2)))
    wrong = rehearsal.run()
    assert wrong.generator.little_error is not None and wrong.generator.little_error > 0.5
    assert "littles_law" in {doubt.kind for doubt in wrong.doubts}


def test_the_same_run_is_found_the_same_twice() -> None:
    assert run.__wrapped__("pool", 400.0)[1] == run("pool", 400.0)[1]


class _Doubling(Rig):
    """A fleet whose clock tells every response time as twice as long, but reports it on time."""

    def step(self, dial: float):  # type: ignore[no-untyped-def]
        window = super().step(dial)
        window.done["total"] *= 2
        return window
