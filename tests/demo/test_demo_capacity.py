"""The formula of the true capacity against the pool itself, in virtual time, and its reading of scenarios."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from statistics import median

import pytest

from harness.demo.capacity import dynamic_requests, requests_held, true_capacity
from harness.demo.limiter import TokenBucket
from harness.demo.pool import Pool
from harness.demo.settings import Settings, Stall
from harness.scenario.model import Get, Journey, Page, Poll, Post, Promise, Scenario, Think, Watch, Webcast
from harness.scenario.spread import Spread

LATENCY = Promise(text="95% of responses within 800 ms", kind="latency", limit=0.8, share=0.95)
ERRORS = Promise(text="errors below 1%", kind="errors", limit=0.01)


@dataclass
class Hour:
    """A hardest moment."""

    peak: float = 10.0
    visitors_per_second: float = 10.0
    scanners_per_second: float = 0.0
    dwelling: dict[tuple[int, int], float] = field(default_factory=dict)


def scenario(*journeys: Journey) -> Scenario:
    return Scenario(name="x", campaign=Webcast(registrants=1000), promises=(LATENCY, ERRORS), journeys=journeys)


def late_or_refused(settings: Settings, rate: float, seconds: float, seed: int, settle: float = 0.0) -> tuple[float, float]:
    """Shares of Poisson requests at `rate` that are answered later than 0.8 s, and that are refused."""
    pool, random, clock = Pool.of(settings), Random(seed), 0.0
    late = refused = asked = 0
    while (clock := clock + random.expovariate(rate)) < settle + seconds:
        end = pool.admit(clock)
        if clock >= settle:
            asked += 1
            refused += end is None
            late += end is not None and end - clock > 0.8
    return late / asked, refused / asked


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(distribution="constant"), Settings(distribution="lognormal", variation=2.0), Settings(workers=2, service=0.05)],
    ids=["default", "constant", "lognormal", "small"],
)
def test_one_in_twenty_is_late_at_the_capacity_that_lasts_for_ever(settings: Settings) -> None:
    """Half a million virtual requests just below and just above the formula's number bracket the promise."""
    held = requests_held((LATENCY,), settings, plateau=None)
    seconds = 5e5 / held
    assert late_or_refused(settings, held * 0.985, seconds, seed=1)[0] < 0.05
    assert late_or_refused(settings, held * 1.012, seconds, seed=2)[0] > 0.05


@pytest.mark.parametrize("settings", [Settings(), Settings(workers=4, service=0.02)], ids=["default", "medium"])
def test_half_of_all_minutes_keep_the_promise_at_the_capacity_of_a_minute(settings: Settings) -> None:
    """The plateau's number: of many minutes (after 20 s to settle) at 3 % less most pass, at 3 % more most fail."""
    held = requests_held((LATENCY,), settings)

    def typical(rate: float) -> float:
        return median(late_or_refused(settings, rate, 60.0, seed, settle=20.0)[0] for seed in range(25))

    assert typical(held * 0.97) < 0.05 < typical(held * 1.03)


@pytest.mark.parametrize("settings", [Settings(queue=10), Settings(queue=25, distribution="constant"), Settings(workers=4, queue=12)])
def test_a_short_queue_breaks_the_promise_on_errors_first(settings: Settings) -> None:
    held = requests_held((LATENCY, ERRORS), settings)
    assert held < requests_held((LATENCY,), settings)
    seconds = 3e5 / held
    assert late_or_refused(settings, held * 0.96, seconds, seed=1)[1] < 0.01 < late_or_refused(settings, held * 1.04, seconds, seed=2)[1]


def test_with_the_default_queue_latency_binds_and_nobody_is_refused() -> None:
    """So that the first run of a newcomer shows queueing."""
    held = requests_held((LATENCY, ERRORS), Settings())
    assert held == requests_held((LATENCY,), Settings())
    assert late_or_refused(Settings(), held, 60.0, seed=4, settle=20.0)[1] == 0.0


@pytest.mark.parametrize("burst", [10, 20, 100])
def test_a_limiter_binds_where_it_is_lower_than_the_pool(burst: int) -> None:
    """At the formula's number the bucket turns one in a hundred away; a small bucket costs much of its rate."""
    held = requests_held((LATENCY, ERRORS), Settings(limit=120.0, burst=burst))
    assert held < requests_held((LATENCY, ERRORS), Settings(limit=120.0, burst=2 * burst))

    def turned_away(rate: float) -> float:
        bucket, random, clock = TokenBucket(rate=120.0, burst=burst), Random(burst), 0.0
        for _ in range(300_000):
            clock += random.expovariate(rate)
            bucket.take(clock)
        return bucket.refused / 300_000

    assert turned_away(held * 0.95) < 0.01 < turned_away(held * 1.05)


def test_a_promise_that_an_idle_site_breaks_holds_at_no_rate() -> None:
    assert requests_held((LATENCY,), Settings(service=0.5)) == 0.0


@pytest.mark.parametrize(
    "settings", [Settings(mute=True), Settings(collapse=1.0), Settings(limit=9.0, burst=3), Settings(stall=Stall(every=20, lasts=2))]
)
def test_faults_without_a_closed_form_are_refused_not_guessed(settings: Settings) -> None:
    with pytest.raises(ValueError, match="measured"):
        requests_held((LATENCY,), settings)


def test_a_visit_is_its_dynamic_requests_redirects_included() -> None:
    """A page is one (its pictures are free), a sign-up two (it leads to /thanks), a missing page none."""
    steps = (
        Page(url="/"),
        Think(pause=Spread.fixed(5.0)),
        Page(url="/signup"),
        Post(url="/signup", form={}),
        Get(url="/nowhere"),
        Get(url="/static/app.js"),
    )
    assert dynamic_requests(scenario(Journey(name="a", share=1.0, steps=steps)), Hour()) == pytest.approx(4.0)


def test_shares_weigh_and_scanners_open_the_first_link() -> None:
    both = scenario(
        Journey(name="a", share=0.75, steps=(Page(url="/"),)), Journey(name="b", share=0.25, steps=(Page(url="/"), Post(url="/share")))
    )
    assert dynamic_requests(both, Hour()) == pytest.approx(1.25)
    assert dynamic_requests(both, Hour(scanners_per_second=5.0)) == pytest.approx(1.75)


def test_a_standing_audience_counts_by_its_viewers() -> None:
    """300 viewers: a playlist every 6 s and the questions every 10 s; segments are free. New arrivals at this moment are few."""
    watch = Watch(
        url="/live/{{ ticket }}/index.m3u8",
        duration=Spread.fixed(1200.0),
        meanwhile=(Poll(get="/live/questions?ticket={{ ticket }}", every=10.0),),
    )
    steps = (Page(url="/webcast"), Post(url="/webcast/join"), watch)
    now = Hour(peak=4.0, visitors_per_second=1.0, dwelling={(0, 2): 300.0})
    assert dynamic_requests(scenario(Journey(name="a", share=1.0, steps=steps)), now) == pytest.approx((1 * 2 + 300 / 6 + 300 / 10) / 4)


def test_the_capacity_in_visitors_is_that_in_requests_over_the_requests_of_a_visitor() -> None:
    one = scenario(Journey(name="a", share=1.0, steps=(Page(url="/"), Post(url="/signup"))))
    assert true_capacity(one, Hour()) == pytest.approx(requests_held((LATENCY, ERRORS), Settings()) / 3)
