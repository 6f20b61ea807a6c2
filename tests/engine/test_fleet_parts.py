"""The fleet's small parts without processes: the line, the clock, the seal, shards and standing visitors, windows."""

from __future__ import annotations

import pickle
import socket
from pathlib import Path
from random import Random

import numpy as np
import pytest
from fleet_ground import mission, scenario

from harness.engine.clock import Clock
from harness.engine.link import Link, LinkClosed
from harness.engine.mission import Orders, seal, unseal
from harness.engine.standing import Place, Shards
from harness.engine.window import DONE_TYPE
from harness.engine.windows import census_of, joined, window_of
from harness.engine.wire import DONE, SENT
from harness.scenario import load


def test_a_message_arrives_as_it_was_sent_however_large():
    """Half a million bytes do not fit the socket at once; the frame comes whole."""
    left, right = socket.socketpair()
    sender, receiver = Link(left), Link(right)
    left.setblocking(True)
    from threading import Thread

    message = {"kind": "window", "data": b"\x00\xff" * 400_000, "list": [1, 2.5, "é", None, True]}
    thread = Thread(target=sender.send, args=(message,))
    thread.start()
    assert receiver.receive(5.0) == message
    thread.join()
    assert receiver.receive(0.0) is None


def test_the_end_of_the_other_side_is_an_error_not_a_silence():
    left, right = socket.socketpair()
    left.close()
    with pytest.raises(LinkClosed):
        Link(right).receive(1.0)


def test_a_frame_that_is_not_ours_closes_the_line():
    left, right = socket.socketpair()
    left.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(LinkClosed, match="not one of ours"):
        Link(right).receive(1.0)


def test_the_clock_believes_the_quickest_exchange():
    """The true offset is 100 s; a slow, lopsided exchange would say otherwise."""
    clock = Clock(lambda: 0.0)
    clock.learn(asked=10.0, answered=110.4, heard=10.5)
    assert clock.offset == pytest.approx(100.15)
    clock.learn(asked=20.0, answered=120.0005, heard=20.001)
    assert clock.offset == pytest.approx(100.0, abs=0.0006)
    clock.learn(asked=30.0, answered=130.7, heard=31.0)
    assert clock.offset == pytest.approx(100.0, abs=0.0006)
    assert clock.uncertain == pytest.approx(0.0005)


def test_the_clock_is_never_wrong_by_more_than_it_says():
    """Ways there and back drawn at random: the error stays within half of the best round trip."""
    random = Random(5)
    for _ in range(200):
        clock, offset, at = Clock(lambda: 0.0), random.uniform(-1e4, 1e4), 0.0
        for _ in range(20):
            there, back = random.expovariate(1000), random.expovariate(1000)
            clock.learn(at, at + there + offset, at + there + back)
            at += 0.5
        assert abs(clock.offset - offset) <= clock.uncertain + 0.0005 + 1e-9


def test_a_clock_that_drifts_is_followed():
    """50 ppm for ten minutes are 30 ms; the clock stays within a few ms of the truth."""
    clock = Clock(lambda: 0.0)
    for second in range(1200):
        at = second * 0.5
        clock.learn(at, at * (1 + 50e-6) + 7.0 + 0.0005, at + 0.001)
    assert clock.offset == pytest.approx(7.0 + 600 * 50e-6, abs=0.002)


def test_a_mission_travels_whole():
    told = scenario()
    orders = unseal(seal(mission("http://127.0.0.1:80", Path("run.log"), told=told, scanners=0.3)))
    assert orders.scenario.journeys == told.journeys
    assert (orders.arrivals, orders.scanners, orders.dwelling) == (1.0, 0.3, {(0, 1): 1.4})


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_campaign_that_is_shipped_can_be_sealed(file):
    """Dates, calendars and curves among them: what cannot be unsealed on a worker cannot be run."""
    told = load.load(file)
    assert unseal(seal(mission("http://127.0.0.1:80", Path("run.log"), told=told))).scenario.journeys == told.journeys


def test_a_seal_carries_values_and_never_code():
    """Whatever a stranger sends in place of a mission is refused before it is built."""

    class Bomb:
        def __reduce__(self):
            return (print, ("boom",))

    for stranger in (Bomb(), Path.cwd, [1, 2], Orders):
        with pytest.raises(pickle.UnpicklingError):
            unseal(pickle.dumps(stranger))


def test_every_number_has_one_owner_and_a_dead_home_s_numbers_are_spread():
    shards = Shards(3)
    shards.change(10.0, [0, 2])
    assert [shards.owner(n, 9.9) for n in range(6)] == [0, 1, 2, 0, 1, 2]
    assert [shards.owner(n, 10.0) for n in range(6)] == [0, 0, 2, 0, 2, 2]
    assert shards.first(9.0) == 0 and shards.first(11.0) == 0


def test_a_place_holds_its_number_to_within_one_and_marks_agree_with_counts():
    """Raising the dial to d brings exactly the dwellers whose mark is at most d."""
    place = Place(journey=0, step=1, density=0.37, phase=0.62, salt=9)
    for dial in (0.0, 0.5, 3.0, 77.7, 1000.0):
        count = place.count(dial)
        assert abs(count - 0.37 * dial) < 1
        assert sum(place.mark(k) <= dial for k in range(count + 5)) == count


def part(name, at, **more):
    return {
        "name": name,
        "sent": SENT.pack(at, 0),
        "done": DONE.pack(at, 0, 0, 0, 0.1, 0.2, 10, 0, 0, 1),
        "errors": [[0, 6, "gone", 2]],
        "lags": b"",
        "notes": ["a note"],
        "cpu": 0.5,
        "loop_ms": 3.0,
        "descriptors": 9,
        "descriptor_limit": 100,
        "offset_ms": 5e6,
        "uncertain_ms": 0.1,
        "rss_mb": 50.0,
    } | more


def test_a_window_merges_the_parts_of_all_workers():
    tally = {"due": 5, "started": 5, "completed": 2, "present": 3, "lost": False}
    frame = {
        "number": 4,
        "at": 2.0,
        "seconds": 0.5,
        "dial": 7.0,
        "whole": True,
        "parts": [part("worker 2", 2.4, number=4), part("worker 1", 2.1, number=4), part("worker 1", 1.9, number=3, cpu=0.9)],
        "tallies": [tally, {**tally, "lost": True}],
        "living": ["worker 1"],
        "names": ["worker 1", "worker 2"],
        "notes": [],
    }
    window = window_of(frame)
    assert window.sent["at"].tolist() == [1.9, 2.1, 2.4]
    assert window.done.dtype == DONE_TYPE and np.allclose(window.done["sent"], [1.9, 2.1, 2.4])
    assert window.errors == {(0, 6, "gone"): 6} and window.notes == ("a note",)
    assert [(w.name, w.alive, w.cpu) for w in window.workers] == [("worker 1", True, 0.9), ("worker 2", False, 0.5)]


def test_a_window_is_whole_with_every_part_of_its_time_and_none_of_an_earlier():
    """A part that came late is missing in one window and too much in another: both are said to be no whole ones. Joined frames are whole
    when the parts of both halves are there; a worker's last words have no time of their own."""
    plain = {"number": 4, "at": 2.0, "seconds": 0.5, "dial": 7.0, "tallies": [], "living": ["worker 1"], "names": ["worker 1"], "notes": []}
    there = {"whole": True, "parts": [part("worker 1", 2.1, number=4)]}
    missing = {"whole": False, "parts": []}
    later = {**plain, "number": 5, "at": 2.5, "whole": True, "parts": [part("worker 1", at, number=round(2 * at)) for at in (2.0, 2.5)]}
    assert window_of({**plain, **there}).whole
    assert not window_of({**plain, **missing}).whole
    assert not window_of(later).whole
    assert window_of(joined({**plain, **missing}, later)).whole
    assert window_of({**later, "parts": [part("worker 1", 2.5, number=5), part("worker 1", 2.6, number=-1)]}).whole


def test_who_was_present_on_a_lost_worker_has_been_cut_off():
    census = census_of([{"due": 10, "started": 9, "dropped": 1, "completed": 4, "present": 5, "lost": True}])
    assert (census.present, census.cut_off, census.completed) == (0, 5, 4)
