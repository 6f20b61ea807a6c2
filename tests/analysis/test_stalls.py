"""Sites that stand still now and then."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.search.interrupted import carried
from harness.analysis.search.meter import Meter
from harness.analysis.search.profile import QUICK
from harness.analysis.search.queueing import Demand
from harness.analysis.search.stalls import Law, Stalls
from tests.sim.catalogue import held_out
from tests.sim.rig import Rig, run
from tests.sim.servers import Contended, Pool, Server, exponential, lognormal
from tests.sim.table import truth_of


def _watched(server: Server, dial: float, seed: int, trusted: bool = True) -> Stalls:
    """Forty seconds at one rate."""
    rig, meter = Rig(server, np.random.default_rng(seed)), Meter(1, (0.5,))
    stalls = Stalls(meter)
    for _ in range(80):
        meter.read(rig.step(dial))
        stalls.watch(trusted=trusted)
    return stalls


def test_stalls_are_counted_and_measured():
    """Every 8 s or so 0.4 s without an answer, at 140/s: four in five of them are seen, with their length to a fifth."""
    seen = there = 0
    lengths = []
    for seed in range(6):
        server = Pool(np.random.default_rng(seed), service=exponential(0.040), stall=(8.0, 0.4))
        there += sum(1.0 < at < 39.0 for at in server._stalls)
        stalls = _watched(server, 140.0, seed)
        seen += stalls.count
        lengths.append(np.sqrt(stalls.square / max(stalls.count, 1)))
    assert 0.8 * there <= seen <= 1.1 * there
    assert np.mean(lengths) == pytest.approx(0.4, rel=0.2)


def _clockwork(random: np.random.Generator) -> Pool:
    """Stands still for 0.4 s every 9 s on the second: 8 workers × exponential 36 ms."""
    server = Pool(random, workers=8, service=exponential(0.036), stall=(9.0, 0.4))
    server._stalls = (random.uniform(0, 9) + 9.0 * np.arange(100)).tolist()
    return server


def test_a_stall_is_seen_wherever_the_windows_part():
    """Half a second's windows, a stall that ends at each twentieth of one: all are seen."""
    for place in np.arange(0.025, 0.5, 0.025):
        server = Pool(np.random.default_rng(2), service=exponential(0.040), stall=(1.0, 0.3))
        server._stalls = [20.0 + float(place)]
        assert _watched(server, 150.0, 2).count == 1


def test_a_rhythm_is_told_from_chance():
    """Stalls on the second are even and their gap is known; those at random are not taken for a rhythm."""
    law = _watched(_clockwork(np.random.default_rng(3)), 150.0, 3).law
    assert law is not None and law.evenness > 50 and law.every == pytest.approx(9.0, rel=0.01) and law.unsure < 0.1
    evens = []
    for seed in range(8):
        found = _watched(Pool(np.random.default_rng(seed), service=exponential(0.040), stall=(6.0, 0.3)), 150.0, seed).law
        evens.append(found.evenness if found is not None else 1.0)
    assert np.median(evens) < 2


def test_a_rhythm_is_heard_although_each_stall_is_followed_by_a_quiet_time():
    """Three seconds after each stall the load is too low to see another: nothing is looked at without a break, and the gaps tell all the
    same."""
    server = _clockwork(np.random.default_rng(3))
    first = server._stalls[0]
    rig, meter = Rig(server, np.random.default_rng(3)), Meter(1, (0.5,))
    stalls = Stalls(meter)
    for _ in range(90):
        quiet = rig.now > first and (rig.now - first) % 9.0 < 3.0 and (rig.now - first) % 9.0 > 0.5
        meter.read(rig.step(5.0 if quiet else 150.0))
        stalls.watch(trusted=True)
    law = stalls.law
    assert law is not None and law.evenness > 50 and law.every == pytest.approx(9.0, rel=0.01)


def test_what_a_stalling_site_carries_is_what_simulation_finds():
    """The law alone, with the server's own speed, gaps and lengths, against half of all plateaus of a minute: within 3 %."""
    cases = [case for seed in range(1, 7) for case in held_out(seed) if case.kind == "stalls"]
    assert len(cases) == 6
    for case in cases:
        workers, service, gap, length = case.build.__defaults__
        law = Law(every=gap, unsure=0.0, evenness=1.0, lengths=(length,))
        demand = Demand(limit=0.5, late=0.05)
        share = carried(law, speed=workers / service, dispersion=1.0, burstiness=1.0, calm=service, demand=demand)
        assert share * workers / service == pytest.approx(truth_of(case), rel=0.03)


def test_stalls_on_the_second_are_as_good_as_none_for_the_estimate():
    """201.6/s is what its plateaus carry in simulation (tests/bench/truth, "stalls"); six searches err by less than 3 % on average."""
    errors = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        found, _ = run(Rig(_clockwork(random), random), peak=60.0, profile=QUICK, seed=seed)
        errors.append(abs(found.visitors_per_second / 201.6 - 1))
    assert np.mean(errors) < 0.03


def test_queues_and_collapses_do_not_stall():
    """A full queue, one of very uneven services, and a site that slows down under its load: none has a stall. Nor is a gap in windows
    in which our own machine was late the site's."""
    random = np.random.default_rng(1)
    assert _watched(Pool(random, workers=8, service=exponential(0.040)), 196.0, 1).count == 0
    assert _watched(Pool(random, workers=12, service=lognormal(0.055, 2.0)), 205.0, 1).count == 0
    assert _watched(Contended(random), 185.0, 1).count == 0
    assert _watched(Pool(random, service=exponential(0.040), stall=(4.0, 0.4)), 140.0, 1, trusted=False).count == 0


def test_the_interval_of_a_stalling_site_allows_for_the_stalls_that_were_not_seen():
    """Eight searches on a site that stands still for 0.4 s every 10 s or so (170/s): at least six intervals hold the truth."""
    covered = 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        found, _ = run(Rig(Pool(random, service=exponential(0.040), stall=(10.0, 0.4)), random), peak=60.0, profile=QUICK)
        covered += found.low <= 170 <= found.high
    assert covered >= 6


def test_a_stalling_site_is_not_said_to_collapse():
    """Six searches on such a site: in none does the answer call it slower under load, which it is only while it stands still."""
    for seed in range(20, 26):
        random = np.random.default_rng(seed)
        found, _ = run(Rig(Pool(random, service=exponential(0.040), stall=(10.0, 0.4)), random), peak=60.0, profile=QUICK)
        assert found.cause == "slow"
