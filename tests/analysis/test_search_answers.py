"""The search's answers beside the number: what broke, why, whether it came back; and when there must be no number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.search import Search
from harness.analysis.search.profile import QUICK
from harness.engine.wire import Outcome
from harness.result import BreakingPoint
from harness.scenario.model import Promise
from tests.sim.catalogue import Case, development
from tests.sim.rig import PROMISES, Rig, kinds, moment, run
from tests.sim.servers import Always, Bucket, Free, Pool, Server, exponential, lognormal

CASES = {case.name: case for case in development()}


def _play(case: Case, seed: int = 1, ceiling: float | None = None) -> tuple[BreakingPoint, Search]:
    random = np.random.default_rng(seed)
    rig = Rig(case.build(random), random, mix=case.mix, most=case.most)
    return run(rig, peak=case.guess / 3, profile=QUICK, ceiling=ceiling, seed=seed, per_visitor=1 + sum(case.mix))


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("bucket 200, burst 20", "rate_limited"),
        ("connection cap", "refused"),
        ("200 with an error page", "wrong_content"),
        ("contended", "collapse"),
        ("queue of 8", "slow"),
    ],
)
def test_the_cause_is_named(name: str, cause: str):
    """From the client's side alone: 429, refusals, failed checks, answers that fall under load, plain waiting."""
    found, _ = _play(CASES[name])
    assert (found.status, found.cause) == ("found", cause)


def test_the_step_that_broke_first_is_named_and_measured_apart():
    """Of four steps one is narrow; static files and a wide pool do not hide its line."""
    case = CASES["one slow step of four"]
    found, search = _play(case, seed=2)
    assert found.first_step == "step 2"
    assert found.visitors_per_second == pytest.approx(96.6, rel=0.12)
    assert found.requests_per_second == pytest.approx(found.visitors_per_second * 3.5, rel=0.06)
    assert search.trace[0][1] == "baseline"


def test_the_step_where_the_line_stands_is_named_although_nobody_came_too_late():
    """A promise of 3 s on a site of 20 ms: its line is seen and taken away before anybody has waited for so long."""
    case, random = CASES["one slow step of four"], np.random.default_rng(3)
    patient = Promise(text="95% of responses within 3 s", kind="latency", limit=3.0, share=0.95)
    rig = Rig(case.build(random), random, mix=case.mix)
    search = Search(promises=(patient,), moment=moment(30.0), samples=kinds(4), profile=QUICK, ceiling=None, seed=1)
    order, late = search.next(rig.step(0.0)), 0
    while order.dial is not None and order.phase in ("baseline", "explore"):
        window = rig.step(order.dial)
        late += int((window.done["total"] > 3.0).sum())
        order = search.next(window)
    found = search.breaking_point()
    assert (found.status, late) == ("found", 0)
    assert found.first_step == "step 2"


def test_a_bottleneck_that_only_some_requests_meet_is_a_doubt_and_a_number():
    """A quarter of one step's requests pass a second, slower place."""
    found, search = _play(CASES["a slow quarter"], seed=3)
    assert "several_paths" in search.flags
    assert found.low <= 186.0 <= found.high


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "server",
    [Always(latency=0.003, outcome=Outcome.HTTP_5XX), Always(latency=1e6, outcome=Outcome.OK), Always(latency=0.9, outcome=Outcome.OK)],
    ids=["answers only 503", "accepts and never answers", "always late"],
)
def test_a_site_that_never_kept_its_promise_gets_no_number(server: Server, seed: int):
    """Dead, mute or always late: broken at baseline, whatever the campaign's size."""
    random = np.random.default_rng(seed)
    found, _ = run(Rig(server, random), peak=float(np.exp(random.uniform(0, 6))), profile=QUICK, seed=seed)
    assert found.status == "broken_at_baseline"
    assert found.visitors_per_second is None


@pytest.mark.parametrize("most", [60.0, 250.0, 700.0])
def test_the_generator_s_own_limit_is_no_breaking_point(most: float):
    """What it could send was held; how much more the site can do is unknown."""
    random = np.random.default_rng(4)
    found, _ = run(Rig(Free(random, service=exponential(0.02)), random, most=most), peak=40.0, profile=QUICK)
    assert found.status in ("not_reached", "inconclusive")
    assert found.visitors_per_second is None
    assert found.cause == "generator"
    assert found.low is None or found.low <= most


def test_a_search_that_our_own_lateness_cut_short_says_that_nothing_was_confirmed():
    """Thirty seconds of good windows make a number; the late ones after them end the search before it was held."""
    case, random = CASES["queue of 8"], np.random.default_rng(2)
    rig = Rig(case.build(random), random)
    search = Search(promises=PROMISES, moment=moment(60.0), samples=kinds(1), profile=QUICK, ceiling=None, seed=1)
    order = search.next(rig.step(0.0))
    while order.dial is not None:
        window = rig.step(order.dial)
        late = order.phase == "hold" and rig.now > 30.0
        order = search.next(replace(window, lags=np.full(len(window.sent), 0.5, np.float32)) if late else window)
    assert search.breaking_point().status == "found"
    assert "no_plateau" in search.flags
    assert "no_plateau" not in _play(case)[1].flags


def _with_late_reports(known: bool) -> BreakingPoint:
    """A search in which, every six seconds of the hold, one worker's parts of a second come with the window after; `known`: the
    windows say so."""
    case, random = CASES["queue of 8"], np.random.default_rng(5)
    rig = Rig(case.build(random), random)
    search = Search(promises=PROMISES, moment=moment(60.0), samples=kinds(1), profile=QUICK, ceiling=None, seed=1)
    order, kept = search.next(rig.step(0.0)), []
    while order.dial is not None:
        window = rig.step(order.dial)
        late = order.phase == "hold" and rig.now % 6 < 0.9
        mixed = bool(kept) or late
        sent, done = window.sent, window.done
        if late:
            there = [np.arange(len(records)) % 9 == 0 for records in (sent, done)]
            kept.append((sent[~there[0]], done[~there[1]]))
            sent, done = sent[there[0]], done[there[1]]
        elif kept:
            sent, done = (np.concatenate([*(pair[i] for pair in kept), (sent, done)[i]]) for i in (0, 1))
            kept = []
        order = search.next(replace(window, sent=sent, done=done, whole=not (known and mixed)))
    return search.breaking_point()


def test_reports_that_come_late_are_no_evidence_about_the_site():
    """Windows that miss a worker's part, or hold an earlier one's, count for nothing; taken for the site's doing they move the number."""
    undisturbed = _play(CASES["queue of 8"])[0].visitors_per_second
    known, unknown = _with_late_reports(True), _with_late_reports(False)
    assert known.visitors_per_second == pytest.approx(undisturbed, rel=0.05)
    assert abs(unknown.visitors_per_second / undisturbed - 1) > 0.1


def test_the_ceiling_is_never_passed_and_said_to_be_held():
    """--max-rate: status not_reached, low is the ceiling, and no window goes beyond."""
    found, search = _play(CASES["queue of 8"], ceiling=90.0)
    assert found.status == "not_reached"
    assert found.low == pytest.approx(90.0, rel=0.02)
    assert max(dial for _, _, dial in search.trace) <= 90.0 + 1e-9


def test_a_campaign_too_large_for_the_site_is_met_from_below():
    """The first quiet rate is already too much: the search goes lower and still finds the number."""
    random = np.random.default_rng(8)
    found, _ = run(Rig(Pool(random, workers=2, service=exponential(0.040)), random), peak=2000.0, profile=QUICK)
    assert found.status == "found"
    assert found.visitors_per_second == pytest.approx(45.0, rel=0.15)


def test_a_plain_queue_comes_back_and_a_collapse_does_not():
    """At half the load a queue drains; a site that slows down under load may stay down until the load is gone."""
    assert _play(CASES["queue of 8"])[0].recovered is True
    outcomes = [_play(CASES["contended"], seed)[0].recovered for seed in range(6)]
    assert False in outcomes


def test_a_site_is_not_said_to_stay_down_while_our_own_machine_is_late():
    """The same windows, with visitors that started late during the recovery: then nobody knows."""
    case = CASES["contended"]
    for late in (False, True):
        down = 0
        for seed in range(6):
            random = np.random.default_rng(seed)
            rig = Rig(case.build(random), random)
            search = Search(promises=PROMISES, moment=moment(case.guess / 3), samples=kinds(1), profile=QUICK, ceiling=None, seed=seed)
            order = search.next(rig.step(0.0))
            while order.dial is not None:
                window = rig.step(order.dial)
                if late and order.phase == "recovery":
                    window = replace(window, lags=np.full(max(len(window.sent), 5), 0.5, np.float32))
                order = search.next(window)
            down += search.breaking_point().recovered is False
        assert (down == 0) if late else (down > 0)


@pytest.mark.parametrize("name", ["queue of 8", "contended"])
def test_what_happens_after_the_push_past_the_break_does_not_move_the_number(name: str):
    """Even a site that hardly answers any more once it was pushed: what it carried before is what it carries."""
    case, random = CASES[name], np.random.default_rng(3)
    rig = Rig(case.build(random), random)
    search = Search(promises=PROMISES, moment=moment(case.guess / 3), samples=kinds(1), profile=QUICK, ceiling=None, seed=1)
    order = search.next(rig.step(0.0))
    before = None
    while order.dial is not None:
        window = rig.step(order.dial)
        if order.phase == "recovery":
            before = before or search.breaking_point()
            window = replace(window, done=window.done[:1])
        order = search.next(window)
    after = search.breaking_point()
    assert before is not None and before.visitors_per_second is not None
    assert (after.model, after.visitors_per_second) == (before.model, pytest.approx(before.visitors_per_second, rel=0.005))


def test_stopping_early_gives_what_is_known_by_then():
    """Asked after five seconds nothing broke yet; after twenty there is a number with a wider interval than at the end."""
    case, widths = CASES["queue of 8"], []
    random = np.random.default_rng(11)
    rig = Rig(case.build(random), random)
    search = Search(promises=PROMISES, moment=moment(60.0), samples=kinds(1), profile=QUICK, ceiling=None, seed=1)
    order = search.next(rig.step(0.0))
    while order.dial is not None:
        order = search.next(rig.step(order.dial))
        point = search.breaking_point()
        if rig.now == 5.0:
            assert point.visitors_per_second is None
        if point.visitors_per_second:
            widths.append((point.high - point.low) / point.visitors_per_second)
    assert widths[-1] < widths[3]


def test_an_errors_promise_alone_is_enough():
    """Without a promise about time a limiter is still found, and the promise is named."""
    promise = Promise(text="errors below 1%", kind="errors", limit=0.01)
    random = np.random.default_rng(5)
    rig = Rig(Bucket(random, rate=200, burst=20, service=lognormal(0.03, 0.5)), random)
    found, _ = run(rig, peak=60.0, profile=QUICK, promises=(promise,))
    assert found.status == "found"
    assert found.promise == "errors below 1%"
    assert found.visitors_per_second == pytest.approx(192.0, rel=0.10)


def test_the_tighter_of_two_latency_promises_binds():
    """99 % within 300 ms is harder on this queue than 95 % within 2 s, and is named."""
    promises = (
        Promise(text="95% within 2 s", kind="latency", limit=2.0, share=0.95),
        Promise(text="99% within 300 ms", kind="latency", limit=0.3, share=0.99),
    )
    random = np.random.default_rng(6)
    rig = Rig(Pool(random, workers=8, service=exponential(0.030)), random)
    found, _ = run(rig, peak=80.0, profile=QUICK, promises=promises)
    assert found.status == "found"
    assert found.promise == "99% within 300 ms"
