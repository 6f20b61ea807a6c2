"""Our own machines: when they are to blame, the site is not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.analysis.search.generator import lag_limit
from harness.analysis.totals import totals, unsent_of, violations
from harness.analysis.watch import Watch
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window, WorkerHealth
from harness.engine.wire import FLAG_NEW_CONNECTION, FLAG_SCOUT, FLAG_UNSENT, Outcome

SOUND = Census(due=100, started=100, completed=100)


def window(number: int = 0, *, lag: float = 0.001, outcome: Outcome = Outcome.OK, **worker: Any) -> Window:
    sent, done = np.zeros(50, SENT_TYPE), np.zeros(50, DONE_TYPE)
    sent["at"] = done["sent"] = number / 2 + np.linspace(0, 0.2, 50)
    done["total"], done["outcome"] = 0.2, outcome
    return Window(
        number=number,
        at=number / 2,
        seconds=0.5,
        dial=100.0,
        sent=sent,
        done=done,
        lags=np.full(50, lag, np.float32),
        census=Census(),
        workers=(WorkerHealth(**{"name": "worker 1", "alive": True, "cpu": 0.3, **worker}),),
    )


def watch(*windows: Window, promise: float | None = 0.8) -> Watch:
    found = Watch(lag_limit(promise))
    for one in windows:
        found.add(one)
    return found


def test_a_punctual_generator_is_healthy() -> None:
    part = watch(*(window(k) for k in range(10))).part(SOUND)
    assert part.healthy
    assert part.lag_p99_ms == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(("promise", "limit"), [(0.1, 0.010), (0.8, 0.040), (None, 0.010)])
def test_how_late_it_may_be_depends_on_the_promise(promise: float | None, limit: float) -> None:
    """A twentieth of the strictest response time, and never less than 10 ms."""
    assert lag_limit(promise) == pytest.approx(limit)
    assert watch(*(window(k, lag=limit * 0.9) for k in range(5)), promise=promise).part(SOUND).healthy
    assert not watch(*(window(k, lag=limit * 1.1) for k in range(5)), promise=promise).part(SOUND).healthy


def test_a_burst_of_lateness_is_told_and_spoils_only_its_own_windows() -> None:
    """What is said of the site leaves those windows out; only when they are many is too little left."""
    found = Watch(lag_limit(0.8))
    assert [found.add(window(k, lag=1.5 if k == 7 else 0.001)) for k in range(20)] == [k == 7 for k in range(20)]
    part = found.part(SOUND)
    assert part.healthy and part.lag_p99_ms is not None and part.lag_p99_ms > 1000
    assert not watch(*(window(k, lag=1.5 if k > 16 else 0.001) for k in range(20))).part(SOUND).healthy


def test_visitors_that_could_not_be_started_make_it_unhealthy() -> None:
    part = watch(window()).part(Census(due=100, started=97, dropped=3, completed=97))
    assert not part.healthy
    assert part.achieved_share == 0.97


def test_a_lost_worker_is_counted_and_named() -> None:
    part = watch(window(0), window(1, alive=False)).part(SOUND)
    assert part.lost_workers == 1
    assert [w.lost for w in part.workers] == [True]
    assert not part.healthy


def test_one_busy_half_second_is_not_a_busy_generator() -> None:
    """Two in a row are."""
    once = watch(window(0), window(1, cpu=0.95), window(2)).part(SOUND)
    twice = watch(window(0), window(1, cpu=0.95), window(2, cpu=0.9)).part(SOUND)
    assert once.workers[0].cpu_max == pytest.approx(0.3)
    assert twice.workers[0].cpu_max == pytest.approx(0.9)


def test_the_clock_that_was_furthest_off_is_told_with_its_sign() -> None:
    part = watch(window(0, offset_ms=2.0), window(1, offset_ms=-9.0), window(2, offset_ms=3.0)).part(SOUND)
    assert part.workers[0].offset_ms == -9.0


def test_requests_that_our_own_machine_could_not_send_are_ours() -> None:
    """No failure of the site, no request to the target; a doubt."""
    found = watch(window(0, outcome=Outcome.GENERATOR))
    assert found.failures == 50
    assert not found.part(SOUND).healthy
    outcomes = np.zeros((1, len(Outcome)), np.int64)
    outcomes[0, Outcome.OK], outcomes[0, Outcome.GENERATOR], outcomes[0, Outcome.HTTP_5XX] = 90, 7, 3
    sums = totals(SOUND, outcomes, 0)
    assert (sums.requests, sums.requests_failed) == (93, 3)


def test_requests_whose_connection_never_stood_are_told_apart() -> None:
    """The target saw the others; scouts count too; what our own machine held back is no request at all."""
    refused, held_back, scouts = window(outcome=Outcome.REFUSED), window(outcome=Outcome.UNSAFE), window(outcome=Outcome.CUT_OFF)
    refused.done["flags"] = held_back.done["flags"] = FLAG_UNSENT | FLAG_NEW_CONNECTION
    scouts.done["flags"][:3] = FLAG_UNSENT | FLAG_SCOUT
    outcomes = np.zeros((1, len(Outcome)), np.int64)
    outcomes[0, Outcome.OK], outcomes[0, Outcome.REFUSED], outcomes[0, Outcome.UNSAFE] = 90, 50, 50
    sums = totals(SOUND, outcomes, 0, scouts, unsent=unsent_of(refused.done) + unsent_of(held_back.done))
    assert (sums.requests, sums.requests_unsent) == (190, 53)


def test_sound_books_balance() -> None:
    census = Census(due=103, started=100, dropped=3, completed=80, failed=5, abandoned=1, cut_off=14)
    assert violations(census, sent=500, ended=500, ours=0) == []
    assert violations(census, sent=500, ended=507, ours=7) == []
    assert violations(census, sent=507, ended=507, ours=7) == []


@pytest.mark.parametrize(
    ("change", "sent"),
    [({"dropped": 4}, 500), ({"completed": 79}, 500), ({"present": 1}, 500), ({}, 501), ({}, 499)],
)
def test_each_law_that_does_not_hold_is_told_in_a_sentence(change: dict[str, int], sent: int) -> None:
    """With both of its sides."""
    census = Census(due=103, started=100, dropped=3, completed=80, failed=5, abandoned=1, cut_off=14)
    (said,) = violations(replace(census, **change), sent=sent, ended=500, ours=0)
    assert sum(character.isdigit() for character in said) >= 4
