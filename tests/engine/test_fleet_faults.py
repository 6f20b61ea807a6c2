"""The fleet when things die: a worker, the master, the parent, Ctrl-C. Real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
from fleet_ground import PLAIN, CountingSite, alive, balanced, fly, mission

from harness.engine.fleet import Fleet, FleetLost

pytestmark = pytest.mark.real


def gone(pids, within: float = 15.0) -> bool:
    """Have all of these ended?"""
    end = time.monotonic() + within
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)


def test_a_worker_that_is_killed_is_noted_and_its_arrivals_go_on(tmp_path):
    """The schedule goes on at its full rate, visitors stay accounted for, and at most the worker's last half second goes unreported."""
    with CountingSite() as site:
        with Fleet(mission(site.url, tmp_path / "run.log"), locustfile=PLAIN) as fleet:
            book, census = fly(fleet, {0: 60}, 12, at={5: lambda: os.kill(fleet._workers[1].pid, signal.SIGKILL)})
        unreported = site.seen() - book.requests
    assert [n for n in book.notes if n.startswith("worker 2 was lost at 3 s (killed by signal 9); its arrivals go to worker 1")]
    assert balanced(census) and census.present == 0
    assert sum(len(w.lags) for w in book.windows[8:13]) == pytest.approx(60 * 2.5, rel=0.3)
    assert -book.lost <= unreported <= 60
    assert census.dropped <= 30
    assert sum(len(w.sent) for w in book.windows) == sum(len(w.done) for w in book.windows)
    assert [w.alive for w in book.windows[-1].workers] == [True, False]


def test_a_worker_that_freezes_is_lost_and_stays_so_when_it_thaws(tmp_path):
    """SIGSTOP: after 2.5 s its arrivals go to the other; when it wakes up it sends nothing of its backlog and leaves."""
    with CountingSite() as site:
        with Fleet(mission(site.url, tmp_path / "run.log"), locustfile=PLAIN) as fleet:
            pid = fleet._workers[0].pid if fleet._workers else 0

            def freeze():
                os.kill(fleet._workers[0].pid, signal.SIGSTOP)

            def thaw():
                os.kill(fleet._workers[0].pid, signal.SIGCONT)

            book, census = fly(fleet, {0: 40}, 24, at={3: freeze, 14: thaw})
            pid = fleet._workers[0].pid
            thawed_left = gone([pid], 5.0)
        unreported = site.seen() - book.requests
    frozen = next(w.workers.index(h) for w in book.windows for h in w.workers if not h.alive)
    assert [n for n in book.notes if "was lost" in n and "not heard of for 2.5 s" in n] and frozen in (0, 1)
    assert thawed_left
    assert balanced(census)
    assert abs(unreported) <= 40
    assert sum(len(w.sent) for w in book.windows) == sum(len(w.done) for w in book.windows)
    assert sum(len(w.lags) for w in book.windows[15:25]) == pytest.approx(40 * 5, rel=0.3)


def test_what_a_worker_tells_late_is_in_the_window_that_it_tells_of(tmp_path):
    """Both stand still for 0.9 s, as on a busy machine: no window shows a site that answers nobody while it did."""
    with CountingSite() as site, Fleet(mission(site.url, tmp_path / "run.log"), locustfile=PLAIN) as fleet:

        def pause():
            for worker in fleet._workers:
                os.kill(worker.pid, signal.SIGSTOP)
            time.sleep(0.9)
            for worker in fleet._workers:
                os.kill(worker.pid, signal.SIGCONT)

        book, census = fly(fleet, {0: 100}, 12, at={4: pause, 8: pause})
    assert balanced(census) and all(h.alive for h in book.windows[-1].workers)
    assert any(w.seconds > 0.5 for w in book.windows)
    assert [w.at for w in book.windows[1:]] == pytest.approx([w.at + w.seconds for w in book.windows[:-1]])
    for window in book.windows[1:13]:
        assert len(window.sent) > 0
        assert ((window.sent["at"] > window.at - 0.1) & (window.sent["at"] < window.at + window.seconds + 0.1)).all()


def test_the_death_of_the_master_ends_the_run_with_its_reason_and_no_orphan(tmp_path):
    with CountingSite() as site, Fleet(mission(site.url, tmp_path / "run.log"), locustfile=PLAIN) as fleet:
        fleet.start()
        pids = [fleet._master.pid, *(w.pid for w in fleet._workers)]
        with pytest.raises(FleetLost, match="the Locust master was killed by signal 9"):
            for window in fleet.windows():
                fleet.dial(20)
                if window.number == 3:
                    os.kill(fleet._master.pid, signal.SIGKILL)
        assert window.number >= 3
        fleet.close()
        assert gone(pids, 1.0)


def test_the_death_of_every_worker_ends_the_run(tmp_path):
    with CountingSite() as site, Fleet(mission(site.url, tmp_path / "run.log"), locustfile=PLAIN) as fleet:
        fleet.start()
        with pytest.raises(FleetLost, match="every worker was lost"):
            for window in fleet.windows():
                fleet.dial(20)
                if window.number == 2:
                    for worker in fleet._workers:
                        os.kill(worker.pid, signal.SIGKILL)


PARENT = """
import signal
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from fleet_ground import PLAIN, mission
from harness.engine.fleet import Fleet
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
with Fleet(mission({url!r}, Path({log!r})), locustfile=PLAIN) as fleet:
    fleet.start()
    for window in fleet.windows():
        fleet.dial(10)
        if window.number == 1:
            print("up", flush=True)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_the_parent(blow, tmp_path):
    """kill -9, Ctrl-C, or a polite kill of the parent in mid-run: a few seconds later master and workers are gone too."""
    here = str(PLAIN.parent)
    with CountingSite() as site:
        text = textwrap.dedent(PARENT).format(here=here, url=site.url, log=str(tmp_path / "run.log"))
        parent = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert parent.stdout.readline() == "up\n"
        children = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        assert len(children) == 3
        parent.send_signal(blow)
        parent.wait(15)
        parent.stdout.close()
        assert gone(children)


def test_a_parent_that_is_suspended_does_not_leave_the_load_running(tmp_path):
    """Ctrl-Z, or a laptop's lid: the children are not suspended with it, and end the load after six seconds by themselves."""
    here = str(PLAIN.parent)
    with CountingSite() as site:
        text = textwrap.dedent(PARENT).format(here=here, url=site.url, log=str(tmp_path / "run.log"))
        parent = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert parent.stdout.readline() == "up\n"
            parent.send_signal(signal.SIGSTOP)
            time.sleep(9.0)
            before = site.seen()
            time.sleep(1.5)
            assert before > 10 and site.seen() == before
        finally:
            parent.kill()
            parent.wait(15)
            parent.stdout.close()
