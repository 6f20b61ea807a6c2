"""What the meter counts, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.search.inflight import Crowd, Lingerers
from harness.analysis.search.meter import BINS, MIDDLE, Meter
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window
from harness.engine.wire import Outcome
from tests.sim.rig import Rig
from tests.sim.servers import Free, Pool, Routes, constant, exponential

LIMIT = 0.5


def _windows(dials: list[float], seed: int = 1, mix: tuple[float, ...] = ()) -> list[Window]:
    random = np.random.default_rng(seed)
    pool = Pool(random, workers=4, service=exponential(0.040), room=60)
    server = Routes((pool, Free(random, service=exponential(0.003))), (0, 1)) if mix else pool
    rig = Rig(server, random, mix=mix)
    return [rig.step(dial) for dial in dials]


def _window(number: int, sent: list[tuple[float, int]], done: list[tuple[float, float, int, int]]) -> Window:
    """`done`: sent, latency, sample, outcome."""
    ended = np.zeros(len(done), DONE_TYPE)
    for i, (at, latency, sample, outcome) in enumerate(done):
        ended[i]["sent"], ended[i]["total"], ended[i]["sample"], ended[i]["outcome"] = at, latency, sample, outcome
    return Window(
        number=number,
        at=0.5 * number,
        seconds=0.5,
        dial=10.0,
        sent=np.array(sent, SENT_TYPE),
        done=ended,
        lags=np.zeros(len(sent), np.float32),
        census=Census(),
        workers=(),
    )


def test_every_request_is_in_flight_until_it_ends():
    """sent = answered + failed + in flight, for each sample, at the end of every window."""
    meter = Meter(2, (LIMIT,))
    balance = np.zeros(2, np.int64)
    for window in _windows([20.0] * 4 + [130.0] * 8 + [5.0] * 6, mix=(2.0,)):
        reading = meter.read(window)
        balance += reading.sent - reading.answered - reading.failed
        assert (reading.in_flight == balance).all()


def test_a_request_is_late_once_its_age_passes_the_limit():
    """Verdicts fall due when the age passes the limit, answered or not, and add up to what was really late."""
    windows = _windows([20.0] * 4 + [130.0] * 10 + [2.0] * 20)
    meter = Meter(1, (LIMIT,))
    readings = [meter.read(window) for window in windows]
    done = np.concatenate([w.done for w in windows])
    sent = np.concatenate([w.sent for w in windows])
    judged = windows[-1].at + windows[-1].seconds - LIMIT
    late = ((done["outcome"] != Outcome.OK) | (done["total"] > LIMIT)) & (done["sent"] <= judged)
    assert sum(int(r.decided.sum()) for r in readings) == (sent["at"] <= judged).sum()
    assert sum(int(r.late.sum()) for r in readings) == late.sum()


def test_requests_cut_off_by_the_dial_are_neither_kept_nor_late():
    """One is answered, one is cut off young, one is cut off after it had become late: two are judged, one is late."""
    meter = Meter(1, (LIMIT,))
    meter.read(_window(0, [(0.1, 0), (0.2, 0), (0.05, 0)], [(0.1, 0.1, 0, Outcome.OK), (0.2, 0.2, 0, Outcome.CUT_OFF)]))
    reading = meter.read(_window(1, [], [(0.05, 0.9, 0, Outcome.CUT_OFF)]))
    reading = meter.read(_window(2, [], [])) if not reading.decided.sum() else reading
    assert (int(reading.decided.sum()), int(reading.late.sum())) == (2, 1)
    assert reading.in_flight.sum() == 0


def test_the_seconds_at_all_levels_are_the_windows_seconds():
    """And the answers at all levels are the good answers of the group."""
    meter = Meter(2, (LIMIT,))
    crowd = Crowd(meter, np.array([True, False]))
    for window in _windows([30.0] * 4 + [120.0] * 8, mix=(2.0,)):
        reading = meter.read(window)
        levels = crowd.levels()
        assert levels.time.sum() == pytest.approx(0.5)
        assert levels.answers.sum() == reading.answered[0]
        assert crowd.now == reading.in_flight[0]


def test_little_s_law_holds_in_the_levels():
    """The mean level is the rate of answers times their mean latency, within the noise of half a minute."""
    meter = Meter(1, (LIMIT,))
    crowd = Crowd(meter, np.array([True]))
    time, count, latency = np.zeros(BINS), 0, 0.0
    for window in _windows([60.0] * 60):
        reading = meter.read(window)
        time += crowd.levels().time
        count += int(reading.answered.sum())
        latency += float(reading.latency_sum.sum())
    assert (time * MIDDLE).sum() / 30 == pytest.approx(count / 30 * latency / count, rel=0.03)


def test_lingerers_are_the_requests_that_outlived_the_age():
    """Over the whole run as many came to linger as lasted longer than the age; and none is left when all have ended."""
    age = 0.1
    windows = _windows([20.0] * 4 + [115.0] * 10 + [3.0] * 12)
    meter = Meter(1, (LIMIT,))
    lingerers = Lingerers(meter, np.array([True]), age)
    answers = 0.0
    for window in windows:
        meter.read(window)
        answers += lingerers.levels().answers.sum()
    done = np.concatenate([w.done for w in windows])
    old = (done["outcome"] == Outcome.OK) & (done["total"] > age)
    assert answers == pytest.approx(old.sum(), abs=2)
    assert lingerers.now <= 2


def test_requests_of_one_instant_are_told_apart():
    """Ten requests at the same moment, nine of them quick: one lingerer, not ten and not none."""
    meter = Meter(1, (LIMIT,))
    lingerers = Lingerers(meter, np.array([True]), 0.1)
    meter.read(_window(0, [(0.2, 0)] * 10, [(0.2, 0.02, 0, Outcome.OK)] * 9))
    lingerers.levels()
    assert lingerers.now == 1


def test_latency_counts_from_the_planned_moment():
    """A request that left 0.4 s late and took 0.2 s was late for its visitor."""
    window = _window(0, [(0.1, 0)], [(0.1, 0.2, 0, Outcome.OK)])
    window.done["wait"] = 0.4
    meter = Meter(1, (LIMIT,))
    first = meter.read(window)
    second = meter.read(_window(1, [], []))
    assert int(first.late.sum() + second.late.sum()) == 1


def test_raw_windows_are_kept_for_half_a_minute_only():
    """Ten minutes of windows do not pile up."""
    random = np.random.default_rng(1)
    rig = Rig(Free(random, service=constant(0.01)), random)
    meter = Meter(1, (LIMIT,))
    for _ in range(1200):
        meter.read(rig.step(5.0))
    assert meter.kept <= 64
