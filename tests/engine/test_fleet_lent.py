"""Workers of other machines: lent, refused, cut off, with clocks of their own. Each is a real process; the other machine is this one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fleet_ground import PLAIN, Cable, CountingSite, balanced, fly, free_port, mission

from harness.engine.fleet import Fleet
from harness.engine.worker import PORT, address

real = pytest.mark.real
LEND = "import sys; from pathlib import Path; from harness.engine.worker import lend; sys.exit(lend({master!r}, locustfile=Path({file!r})))"


def lender(port: int) -> subprocess.Popen:
    """`surge worker --master 127.0.0.1:port` as another machine would run it."""
    text = LEND.format(master=f"127.0.0.1:{port}", file=str(PLAIN))
    return subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("build-7", ("build-7", PORT)),
        ("10.0.0.9:6000", ("10.0.0.9", 6000)),
        ("[2001:db8::1]:6000", ("2001:db8::1", 6000)),
        ("2001:db8::1", ("2001:db8::1", PORT)),
    ],
)
def test_a_master_is_a_host_with_or_without_a_port(said, meant):
    assert address(said) == meant


@pytest.mark.parametrize("said", ["", ":5557", "host:", "host:0", "host:99999", "host:http"])
def test_an_address_that_makes_no_sense_is_refused_with_what_to_write(said):
    with pytest.raises(ValueError, match="write HOST or HOST:PORT"):
        address(said)


@real
def test_a_lent_worker_bears_its_share_and_goes_home_with_the_run(tmp_path):
    port = free_port()
    with CountingSite() as site:
        guest = lender(port)
        with Fleet(mission(site.url, tmp_path / "run.log", workers=1, lent=1, bind=("127.0.0.1", port)), locustfile=PLAIN) as fleet:
            book, census = fly(fleet, {0: 40}, 5)
        assert guest.wait(10) == 0
        guest.stderr.close()
        assert book.requests == site.seen()
    assert balanced(census) and len(book.windows[3].workers) == 2
    assert all(w.cpu > 0 for w in book.windows[3].workers)


@real
def test_a_late_worker_is_refused_and_told_why(tmp_path):
    """The run goes on as if nothing had happened, but for a note."""
    port = free_port()
    with CountingSite() as site:
        with Fleet(mission(site.url, tmp_path / "run.log", workers=1, bind=("127.0.0.1", port)), locustfile=PLAIN) as fleet:
            guests = []
            book, census = fly(fleet, {0: 20}, 8, at={0: lambda: guests.append(lender(port))})
            _, said = guests[0].communicate(timeout=10)
        assert book.requests == site.seen()
    assert guests[0].returncode == 4
    assert "refused: it was not started by this run, and this run takes no workers of other machines" in said
    assert [n for n in book.notes if "was refused" in n]
    assert balanced(census)


@real
def test_one_guest_more_than_awaited_comes_too_late(tmp_path):
    port = free_port()
    with CountingSite() as site:
        first, second = lender(port), lender(port)
        with Fleet(mission(site.url, tmp_path / "run.log", workers=1, lent=1, bind=("127.0.0.1", port)), locustfile=PLAIN) as fleet:
            fly(fleet, {0: 20}, 8)
        told = [guest.communicate(timeout=10)[1] for guest in (first, second)]
    assert sorted((first.returncode, second.returncode)) == [0, 4]
    assert sum("it comes too late: the run has all the workers that it waited for" in text for text in told) == 1


@real
def test_a_plain_locust_worker_is_none_of_ours(tmp_path):
    """It never says hello, so it is asked to leave; it has sent nothing."""
    port = free_port()
    foreign = tmp_path / "foreign.py"
    foreign.write_text("from locust import User, task\nclass Other(User):\n    @task\n    def go(self):\n        pass\n")
    with CountingSite() as site:
        with Fleet(mission(site.url, tmp_path / "run.log", workers=1, bind=("127.0.0.1", port)), locustfile=PLAIN) as fleet:
            command = [sys.executable, "-m", "locust", "-f", str(foreign), "--worker", "--master-port", str(port)]
            started = []

            def join():
                started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

            book, census = fly(fleet, {0: 20}, 18, at={0: join})
            assert started[0].wait(10) is not None  # with whatever code Locust likes
        assert book.requests == site.seen()
    assert [n for n in book.notes if "foreign Locust worker" in n]
    assert balanced(census)


@real
def test_a_worker_whose_network_is_cut_stops_by_itself_and_is_replaced(tmp_path):
    """Neither side is told of the cut. After 2.5 s the master gives its arrivals to the other, and the worker itself ends its load."""
    port = free_port()
    cable = Cable(port)
    with CountingSite() as site:
        guest = lender(cable.port)
        with Fleet(mission(site.url, tmp_path / "run.log", workers=1, lent=1, bind=("127.0.0.1", port)), locustfile=PLAIN) as fleet:
            book, census = fly(fleet, {0: 40}, 24, at={5: cable.cut})
        ended = time.monotonic()
        assert guest.wait(10) == 4 and time.monotonic() - ended < 5
        guest.stderr.close()
        unreported = site.seen() - book.requests
    assert [n for n in book.notes if "worker 2 was lost" in n and "its arrivals go to worker 1" in n]
    assert balanced(census) and census.present == 0
    assert sum(len(w.lags) for w in book.windows[14:24]) == pytest.approx(40 * 5, rel=0.3)
    assert -book.lost <= unreported <= 40 * 0.85 * 4


@real
def test_a_worker_with_another_clock_keeps_the_run_s_time(tmp_path):
    """Its clock is two minutes ahead: its records still fall into their windows, and arrivals keep their order over both workers."""
    shifted = Path(__file__).with_name("shifted_locustfile.py")
    with CountingSite() as site:
        with Fleet(mission(site.url, tmp_path / "run.log"), locustfile=shifted) as fleet:
            book, census = fly(fleet, {0: 60}, 8)
        came = [n for n in site.visitors() if 0 <= n < 40]
    assert balanced(census)
    assert all(abs(at - w.at - 0.25) < 1.0 for w in book.windows for at in w.sent["at"])
    assert float(np.max(book.lags)) < 0.5 and float(np.min(book.lags)) >= 0
    assert sorted(set(came)) == list(range(40))
    assert max(abs(place - number) for place, number in enumerate(dict.fromkeys(came))) <= 3
    assert all(w.offset_ms < 5 for w in book.windows[5].workers)
