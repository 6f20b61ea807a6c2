"""The driver: who starts whom, when, and what becomes of a lost worker's share. Real event loop, a crew that only takes notes."""

from __future__ import annotations

import os
import time
from collections import Counter
from types import SimpleNamespace

import gevent
import pytest

from harness.campaigns.arrivals import Dial, arrivals
from harness.engine.clock import Clock
from harness.engine.driver import SPARE, Driver
from harness.engine.mission import Orders
from harness.engine.visitors.visit import Tally
from harness.engine.vitals import open_descriptors

SEED = 11
DWELLING = {(0, 1): 0.37, (1, 2): 1.2}


class NoteTaker:
    """A crew whose visitors stay for ever unless thinned."""

    def __init__(self, reached=True):
        self.tally = Tally()
        self.arrived, self.placed, self.scanned = [], [], []
        self.marks, self.seats = [], []  # of arrivals; of dwellers with their place
        self.level = float("inf")
        self.inside = Counter()
        self.reached = reached

    def arrive(self, number, journey, due, mark):
        self.tally.due += 1
        self.tally.started += 1
        self.tally.present += 1
        self.arrived.append((number, journey, due, time.monotonic()))
        self.marks.append(mark)

    def place(self, number, journey, step, mark):
        if not self.reached:
            return False
        self.tally.due += 1
        self.tally.started += 1
        self.tally.present += 1
        self.placed.append((journey, step, number))
        self.inside[journey, step] += 1
        self.seats.append(((journey, step), mark))
        return True

    def scan(self, number, journey, due):
        self.scanned.append((number, journey, due))

    def lower(self, level):
        self.level = level
        self.inside = Counter(place for place, mark in self.seats if mark < level)


def orders(**more):
    journeys = [SimpleNamespace(share=0.8), SimpleNamespace(share=0.2)]
    given = {"arrivals": 1.0, "scanners": 0.1, "dwelling": DWELLING} | more
    return Orders(scenario=SimpleNamespace(journeys=journeys), target="http://127.0.0.1:1", seed=SEED, hosts=frozenset(), **given)


def drive(workers, turns, seconds, *, lose=None, descriptors=10_000, crew=NoteTaker, **more):
    """Run so many drivers in one loop. `turns` are (second, rate); `lose` is (second, worker): it dies
    50 ms after its last report."""
    clock = Clock(time.monotonic)
    clock.learn(0.0, 0.0, 0.0)
    clock.begin(time.monotonic() + 0.05)
    crews = [crew() for _ in range(workers)]
    drivers = [Driver(orders(**more), shard=n, shards=workers, clock=clock, crew=crews[n], descriptors=descriptors) for n in range(workers)]
    running = [[gevent.spawn(d.run, lambda: True), gevent.spawn(d.seat)] for d in drivers]
    for at, rate in turns:
        for driver in drivers:
            driver.turn(at, rate)
    reported = (0, 0)
    if lose is not None:
        at, worker = lose
        gevent.sleep(at - clock.now())
        reported = drivers[worker].reached()
        gevent.sleep(0.05)
        gevent.killall(running[worker])
        back = clock.now() + 0.05
        for n, driver in enumerate(drivers):
            if n != worker:
                driver.reshard(back, [m for m in range(workers) if m != worker], worker, reported)
    gevent.sleep(seconds - clock.now())
    for driver in drivers:
        driver.halt()
    gevent.killall([greenlet for pair in running for greenlet in pair])
    return clock, crews, drivers, reported[0]


def expected(turns, seconds):
    """(number, journey, due) of every arrival up to then, straight from the campaign's own arithmetic."""
    dial = Dial()
    for at, rate in turns:
        dial.set(at, rate)
    found = []
    for number, (unit, journey) in enumerate(arrivals(SEED, [0.8, 0.2])):
        due = dial.due(unit)
        if due is None or due > seconds:
            break
        found.append((number, journey, due))
    return found


TURNS = [(0.1, 300.0), (0.3, 1200.0), (0.5, 80.0)]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_the_schedule_is_the_seed_s_for_any_number_of_workers(workers):
    """Every arrival comes exactly once, on one worker, with its own number, journey and due moment, and never before it is due."""
    clock, crews, _, _ = drive(workers, TURNS, 0.7)
    came = sorted((number, journey, due) for crew in crews for number, journey, due, _ in crew.arrived)
    planned = expected(TURNS, 0.69)
    assert len(planned) > 250
    assert [c[:2] for c in came[: len(planned)]] == [p[:2] for p in planned]
    assert max(abs(clock.shared(c[2]) - p[2]) for c, p in zip(came, planned, strict=False)) < 1e-6
    assert all(started >= due for crew in crews for _, _, due, started in crew.arrived)


def test_dwellers_are_exact_over_all_workers_and_follow_the_dial():
    """At dial 300 there stand 0.37 and 1.2 visitors for each unit, to within one, however many workers share them."""
    for workers in (1, 3):
        _, crews, _, _ = drive(workers, [(0.05, 300.0)], 0.3)
        total = sum((crew.inside for crew in crews), Counter())
        assert abs(total[0, 1] - 111) <= 1 and abs(total[1, 2] - 360) <= 1
        numbers = [p for crew in crews for p in crew.placed]
        assert len(set(numbers)) == len(numbers)


def test_the_same_dwellers_stand_whatever_the_number_of_workers():
    one, three = ({p for crew in drive(n, [(0.05, 100.0)], 0.2)[1] for p in crew.placed} for n in (1, 3))
    assert one == three


def test_lowering_the_dial_thins_every_pause_in_proportion():
    _, crews, _, _ = drive(2, [(0.05, 300.0), (0.25, 75.0)], 0.4)
    total = sum((crew.inside for crew in crews), Counter())
    assert abs(total[0, 1] - 28) <= 2 and abs(total[1, 2] - 90) <= 2


def test_an_arrival_is_marked_evenly_below_the_dial_at_which_it_came():
    """Lowering the dial to b then keeps each who came at a with chance b/a, in whatever step."""
    _, crews, _, _ = drive(2, [(0.05, 900.0)], 0.6, dwelling={})
    marks = sorted(mark for crew in crews for mark in crew.marks)
    assert len(marks) > 300 and marks[0] >= 0 and marks[-1] < 900
    assert max(abs(mark / 900 - (n + 0.5) / len(marks)) for n, mark in enumerate(marks)) < 0.02


def test_where_no_scout_came_nobody_stands_and_it_is_said_once():
    _, _, drivers, _ = drive(1, [(0.05, 20.0)], 0.2, crew=lambda: NoteTaker(reached=False))
    assert len(drivers[0].notes) == 2
    assert "step 2 of journey 1" in drivers[0].notes[0] or "step 2 of journey 1" in drivers[0].notes[1]


def test_a_lost_worker_s_arrivals_go_to_the_survivors_and_the_gap_is_counted_as_dropped():
    """No number comes twice from the living, none is missing after the change, and what fell between is due and dropped, exactly."""
    _, crews, drivers, reported = drive(3, [(0.05, 600.0)], 0.8, lose=(0.3, 1))
    told = [number for n in (0, 2) for number, *_ in crews[n].arrived] + [n for n, *_ in crews[1].arrived if n < reported]
    everyone = set(range(min(drivers[n].reached()[0] for n in (0, 2))))
    missing = everyone - set(told)
    assert len(told) == len(set(told))
    assert missing and all(number % 3 == 1 and number >= reported for number in missing)
    assert drivers[0].dropped == len(missing) and drivers[2].dropped == 0
    assert max(missing) < max(everyone) - 50


def test_a_lost_worker_s_dwellers_are_seated_again_by_the_survivors():
    """The pauses hold as many visitors as before, on two workers instead of three."""
    _, crews, _, _ = drive(3, [(0.05, 300.0)], 0.6, lose=(0.3, 1))
    total = crews[0].inside + crews[2].inside
    assert abs(total[0, 1] - 111) <= 1 and abs(total[1, 2] - 360) <= 1


def test_without_descriptors_arrivals_are_dropped_and_counted_never_lost():
    """A worker that has no room left counts every arrival as due and dropped."""
    _, crews, drivers, _ = drive(1, [(0.05, 400.0)], 0.4, descriptors=200, dwelling={})
    assert not crews[0].arrived
    assert drivers[0].dropped == crews[0].tally.due > 50


def test_scanners_have_arrivals_of_their_own():
    """One for ten visitors here; they are not in the visitors' numbers."""
    _, crews, _, _ = drive(2, [(0.05, 1000.0)], 0.55, dwelling={})
    scanned = [number for crew in crews for number, *_ in crew.scanned]
    assert sorted(scanned) == list(range(len(scanned)))
    assert 25 <= len(scanned) <= 80
    assert sum(crew.tally.due for crew in crews) == sum(len(crew.arrived) for crew in crews)


def test_a_worker_that_was_frozen_does_not_send_its_backlog():
    """It wakes up with seconds of arrivals overdue; while the master no longer trusts it, none of them starts."""
    clock = Clock(time.monotonic)
    clock.learn(0.0, 0.0, 0.0)
    clock.begin(time.monotonic() - 5.0)
    crew = NoteTaker()
    driver = Driver(orders(dwelling={}), shard=0, shards=1, clock=clock, crew=crew, descriptors=10_000)
    driver.turn(1.0, 100.0)
    running = gevent.spawn(driver.run, lambda: False)
    gevent.sleep(0.2)
    driver.halt()
    running.join(2)
    assert not crew.arrived


class Opener(NoteTaker):
    """A crew each of whose visitors opens a connection at once, and keeps it."""

    def __init__(self):
        super().__init__()
        self.opened = []

    def arrive(self, *told):
        super().arrive(*told)
        self.opened.append(os.dup(1))


def test_the_last_descriptors_are_never_given_away():
    """Descriptors are not counted for every visitor, yet nobody comes whom the limit does not allow, and somebody comes up to there."""
    crew, before = Opener(), open_descriptors()
    clock = Clock(time.monotonic)
    clock.learn(0.0, 0.0, 0.0)
    clock.begin(time.monotonic())
    driver = Driver(orders(dwelling={}, scanners=0.0), shard=0, shards=1, clock=clock, crew=crew, descriptors=before + SPARE + 300)
    driver.turn(0.01, 3000.0)
    running = gevent.spawn(driver.run, lambda: True)
    try:
        gevent.sleep(0.3)
    finally:
        driver.halt()
        for descriptor in crew.opened:
            os.close(descriptor)
    running.join(2)
    assert running.ready()
    assert 250 <= len(crew.opened) <= 300
    assert driver.dropped == crew.tally.due - crew.tally.started > 0


def test_a_turn_of_the_dial_wakes_a_sleeping_driver():
    """The next arrival was a quarter of an hour away; with the new rate they come at once, and so does the end."""
    crew = NoteTaker()
    clock = Clock(time.monotonic)
    clock.learn(0.0, 0.0, 0.0)
    clock.begin(time.monotonic())
    driver = Driver(orders(dwelling={}), shard=0, shards=1, clock=clock, crew=crew, descriptors=10_000)
    driver.turn(0.0, 0.001)
    running = gevent.spawn(driver.run, lambda: True)
    gevent.sleep(0.1)
    assert not crew.arrived
    driver.turn(clock.now(), 500.0)
    gevent.sleep(0.3)
    assert crew.arrived
    driver.turn(clock.now(), 0.0)
    gevent.sleep(0.05)
    driver.halt()
    running.join(2)
    assert running.ready()
