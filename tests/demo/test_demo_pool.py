"""The pool's capacity is what its knobs say: pure, in virtual time, no sleeping."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.demo.limiter import TokenBucket
from harness.demo.pool import Pool, draws
from harness.demo.settings import Settings, Stall


def saturated(settings: Settings, seconds: float) -> tuple[float, Pool]:
    """Answers per second of a pool that always has something to do, and the pool."""
    pool, clock, ends = Pool.of(settings), 0.0, []
    while clock < seconds:
        end = pool.admit(clock)
        if end is None:
            clock += 0.001
        else:
            ends.append(end)
    return sum(end <= seconds for end in ends) / seconds, pool


@pytest.mark.parametrize("distribution", ["constant", "exponential", "lognormal"])
def test_a_saturated_pool_answers_workers_over_service_and_no_less(distribution: str) -> None:
    """Against the mean of the very service times that it drew, so that no luck of the draw is left in the comparison."""
    rate, pool = saturated(Settings(workers=14, service=0.04, queue=200, distribution=distribution), 60.0)  # type: ignore[arg-type]
    drawn = pool.work / pool.admitted
    assert rate == pytest.approx(14 / drawn, rel=0.01)
    assert drawn == pytest.approx(0.04, rel=0.03)


@pytest.mark.parametrize(("distribution", "variation", "wanted"), [("constant", 1, 0), ("exponential", 1, 1), ("lognormal", 2, 2)])
def test_service_times_have_the_mean_and_the_spread_that_were_asked_for(distribution: str, variation: float, wanted: float) -> None:
    draw = draws(Settings(service=0.05, distribution=distribution, variation=variation, seed=3))  # type: ignore[arg-type]
    times = [draw() for _ in range(200_000)]
    mean = math.fsum(times) / len(times)
    spread = math.sqrt(math.fsum((t - mean) ** 2 for t in times) / len(times)) / mean
    assert mean == pytest.approx(0.05, rel=0.02)
    assert spread == pytest.approx(wanted, rel=0.08, abs=1e-6)


def test_the_same_seed_gives_the_same_service_times() -> None:
    one, same, other = (draws(Settings(seed=seed)) for seed in (5, 5, 6))
    first = [one() for _ in range(50)]
    assert first == [same() for _ in range(50)]
    assert first != [other() for _ in range(50)]


def test_one_worker_serves_in_the_order_of_arrival_and_one_at_a_time() -> None:
    pool = Pool(workers=1, queue=10, service=lambda: 2.0)
    assert [pool.admit(t) for t in (0.0, 0.5, 1.0, 7.0)] == [2.0, 4.0, 6.0, 9.0]


@given(workers=st.integers(1, 9), queue=st.integers(0, 30), crowd=st.integers(1, 80))
def test_a_crowd_fills_workers_and_queue_and_the_rest_is_refused(workers: int, queue: int, crowd: int) -> None:
    """Nobody is lost: admitted + refused = arrived, and never more wait than may."""
    pool = Pool(workers=workers, queue=queue, service=lambda: 1.0)
    answers = [pool.admit(1.0) for _ in range(crowd)]
    assert pool.admitted == min(crowd, workers + queue)
    assert pool.refused == crowd - pool.admitted == answers.count(None)
    assert pool.waiting(1.0) == max(0, pool.admitted - workers)
    assert pool.waiting(1000.0) == 0


def test_a_free_worker_takes_a_request_even_where_nobody_may_wait() -> None:
    pool = Pool(workers=2, queue=0, service=lambda: 1.0)
    assert [pool.admit(0.0), pool.admit(0.1), pool.admit(0.2), pool.admit(1.0)] == [1.0, 1.1, None, 2.0]


def test_a_stall_stops_all_work_and_takes_its_share_of_the_capacity() -> None:
    """Work that a stall interrupts ends later by the whole stall; 2 s in 20 s cost a tenth."""
    pool = Pool(workers=1, queue=10, service=lambda: 3.0, stall=Stall(every=20.0, lasts=2.0))
    assert pool.admit(16.0) == 21.0
    settings = Settings(distribution="constant", stall=Stall(every=20.0, lasts=2.0))
    rate, _ = saturated(settings, 80.0)
    assert rate == pytest.approx(settings.capacity_per_second, rel=0.01)
    assert settings.capacity_per_second == pytest.approx(180.0)


def test_with_collapse_more_load_means_fewer_answers() -> None:
    """The deeper the queue, the longer the work: throughput falls as load rises."""
    settings = Settings(distribution="constant", queue=200, collapse=1.0)

    def answered(rate: float) -> float:
        pool, random, clock, ends = Pool.of(settings), Random(1), 0.0, []
        while clock < 60:
            clock += random.expovariate(rate)
            ends.append(pool.admit(clock) or math.inf)
        return sum(30 <= end < 60 for end in ends) / 30

    assert answered(170) == pytest.approx(170, rel=0.05)
    assert answered(400) < 0.6 * 200


def test_a_token_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=10.0, burst=5)
    assert [bucket.take(0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    passed = sum(bucket.take(k / 100) for k in range(1, 1001))
    assert passed == pytest.approx(100, abs=1)
    assert bucket.refused == 2 + 1000 - passed
