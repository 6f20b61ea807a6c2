"""The fleet with real processes: conservation, the same schedule for any number of workers, the dial, targets that are down."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from fleet_ground import PLAIN, CountingSite, balanced, fly, mission, scenario

from harness.engine.fleet import Fleet, FleetFailed, TargetDown

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    """One run of two workers: the dial at 30, then 150, then 40 visitors/s, scanners beside them."""
    folder = tmp_path_factory.mktemp("fleet")
    with CountingSite() as site:
        with Fleet(mission(site.url, folder / "run.log", scanners=0.2), locustfile=PLAIN) as fleet:
            book, census = fly(fleet, {0: 30, 4: 150, 8: 40}, 11)
            children = [fleet._master, *fleet._workers]
        yield book, census, site.seen(), children


def test_every_visitor_is_accounted_for(flown):
    """due = started + dropped; started = completed + failed + abandoned + cut off; nobody is present after the drain."""
    _, census, _, _ = flown
    assert balanced(census) and census.present == 0
    assert census.due > 300 and census.dropped == 0 and census.failed == 0


def test_the_target_saw_exactly_the_requests_that_were_recorded(flown):
    """Scouts and scanners included."""
    book, _, seen, _ = flown
    assert book.begun == book.ended and book.requests == seen


def test_who_is_cut_off_before_a_connection_stands_is_no_request_that_the_target_saw(tmp_path):
    """The site stands still behind a short queue when the load ends: those in the queue have sent their request, those before it have not.
    One worker: connections come one after the other, so none can stand for the visitor alone."""
    with CountingSite(queue=8) as site:
        with Fleet(mission(site.url, tmp_path / "run.log", workers=1)) as fleet:
            book, census = fly(fleet, {0: 40}, 6, at={3: lambda: os.kill(site.process.pid, signal.SIGSTOP)}, grace=0.0)
        os.kill(site.process.pid, signal.SIGCONT)
        seen = site.seen()
    assert balanced(census) and census.cut_off > book.unsent > 8
    assert book.begun == book.ended and book.requests == seen


def test_windows_follow_each_other_without_a_gap(flown):
    book, _, _, _ = flown
    assert [w.number for w in book.windows] == list(range(len(book.windows)))
    assert [w.at for w in book.windows[1:]] == pytest.approx([w.at + w.seconds for w in book.windows[:-1]])


def test_records_are_sorted_and_lie_near_their_window(flown):
    book, _, _, _ = flown
    for window in book.windows:
        ended = window.done["sent"] + window.done["total"]
        assert (np.diff(window.sent["at"]) >= 0).all() and (np.diff(ended) >= 0).all()
        assert ((window.sent["at"] > window.at - 1.0) & (window.sent["at"] < window.at + 1.5)).all()


def test_visitors_stand_in_the_pause_from_the_first_moment_of_a_level(flown):
    """At dial 150 the pause holds 1.4 visitors for each visitor/s: the second page is asked for at once, not after two seconds."""
    book, _, _, _ = flown
    second = [int((w.sent["sample"] == 2).sum()) for w in book.windows]
    assert sum(second[5:9]) == pytest.approx(0.7 * 150 * 2, rel=0.25)


def test_lowering_the_dial_takes_its_share_of_those_who_stand(flown):
    _, census, _, _ = flown
    assert census.cut_off > 0.5 * (150 - 40) * 1.4


def test_both_workers_bear_the_load(flown):
    book, _, _, _ = flown
    window = book.windows[7]
    assert [w.name for w in window.workers] == ["worker 1", "worker 2"]
    assert all(w.alive and w.cpu > 0 and w.descriptors > 0 and w.rss_mb > 1 for w in window.workers)


def test_no_process_is_left_behind(flown):
    *_, children = flown
    assert all(child.ended() == 0 for child in children)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_schedule_is_the_same_for_any_number_of_workers(workers, tmp_path, request):
    """The same visitors, numbered alike, come in the same order whoever sends them (neighbours a few ms apart may change places)."""
    with CountingSite() as site:
        with Fleet(mission(site.url, tmp_path / "run.log", workers=workers, told=scenario(pause=(30.0, 60.0))), locustfile=PLAIN) as fleet:
            fly(fleet, {0: 25}, 5)
        came = [n for n in site.visitors() if 0 <= n < 1 << 40]
    assert set(range(40)) <= set(came)
    assert max(abs(place - number) for place, number in enumerate(came)) <= 3


def test_a_target_that_refuses_is_down_and_named(tmp_path):
    with CountingSite() as site:
        url = site.url
    with (
        pytest.raises(TargetDown, match=f"{url} is down: it refuses connections"),
        Fleet(mission(url, tmp_path / "run.log"), locustfile=PLAIN) as fleet,
    ):
        fleet.start()


def test_a_journey_that_fails_before_any_load_is_a_note_with_file_and_line(tmp_path):
    with CountingSite() as site, Fleet(mission(site.url, tmp_path / "run.log", told=scenario(second="/broken")), locustfile=PLAIN) as fleet:
        notes = fleet.start()
        assert len(notes) == 1
        assert "ground.yaml:7: the journey 'two pages' fails at 'GET /broken' before any load: http 5xx (status 503)" in notes[0]


@pytest.mark.parametrize("kind", ["bind", "web_port"])
def test_a_port_in_use_is_named(kind, tmp_path):
    """Before a process is started, with what to do about it."""
    with CountingSite() as site:
        port = int(site.url.rsplit(":", 1)[1])
        asked = mission(site.url, tmp_path / "run.log", **{kind: ("127.0.0.1", port) if kind == "bind" else port})
        with (
            pytest.raises(FleetFailed, match=f"port {port} .*Address already in use\nChoose another port"),
            Fleet(asked, locustfile=PLAIN) as fleet,
        ):
            fleet.start()


def test_a_fleet_that_is_closed_twice_stays_closed(tmp_path):
    with CountingSite() as site:
        fleet = Fleet(mission(site.url, tmp_path / "run.log"), locustfile=PLAIN)
        fleet.start()
        fleet.close()
        fleet.close()
        assert all(child.ended() is not None for child in [fleet._master, *fleet._workers])
