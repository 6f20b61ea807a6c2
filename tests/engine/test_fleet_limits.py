"""What this machine can do: its calibration, kept from run to run, and its local ports."""

from __future__ import annotations

import json
import os

import pytest
from fleet_ground import CountingSite, mission

from harness.engine.calibration import Calibration, calibrate
from harness.engine.fleet import Fleet
from harness.engine.ports import PortWatch, budget


def test_a_ceiling_is_four_fifths_of_what_the_workers_cores_can_bear():
    """A visit of 100 µs with three requests of 50 µs is 250 µs: one core bears 4,000 a second, of which 3,200 may be asked for."""
    cost = Calibration(visit=100e-6, request=50e-6)
    assert cost.ceiling(visits=1.0, requests=3.0, workers=1) == pytest.approx(3200)
    cores = os.cpu_count()
    assert cost.ceiling(visits=1.0, requests=3.0, workers=64) == pytest.approx(3200 * min(64, cores))


@pytest.mark.real
def test_a_machine_is_measured_once_and_remembered(tmp_path):
    """A request costs between five microseconds and five milliseconds anywhere; what was measured is read back to the last digit."""
    first = calibrate(tmp_path / "memory")
    assert first is not None and 5e-6 < first.request < 5e-3 and first.visit > 0
    file = next((tmp_path / "memory").glob("generator-*.json"))
    assert calibrate(tmp_path / "memory") == first
    file.write_text(json.dumps({"visit": 1.0, "request": 2.0}))
    assert calibrate(tmp_path / "memory") == Calibration(visit=1.0, request=2.0)


@pytest.mark.real
def test_a_memory_that_cannot_be_read_is_measured_anew(tmp_path):
    first = calibrate(tmp_path)
    file = next(tmp_path.glob("generator-*.json"))
    file.write_text("not json")
    again = calibrate(tmp_path)
    assert again is not None and first is not None and json.loads(file.read_text())["request"] == again.request


@pytest.mark.real
def test_a_fleet_with_a_memory_knows_the_highest_dial_that_it_can_bear(tmp_path):
    """Here a unit of the dial is one visit and 1.7 requests a second."""
    with CountingSite() as site, Fleet(mission(site.url, tmp_path / "run.log", memory=tmp_path / "memory")) as fleet:
        fleet.start()
        known = calibrate(tmp_path / "memory")
        assert fleet.ceiling == pytest.approx(known.ceiling(visits=1.0, requests=1.7, workers=2))


@pytest.mark.parametrize(
    ("reuse", "loopback", "expected"), [("0", False, 470.5), ("0", True, 470.5), ("2", True, None), ("2", False, 470.5), ("1", False, None)]
)
def test_ports_bound_the_new_connections_of_a_second(reuse, loopback, expected, tmp_path):
    """28,232 ports, each kept for a minute, but where the system gives them back at once."""
    (tmp_path / "range").write_text("32768\t60999\n")
    (tmp_path / "reuse").write_text(reuse + "\n")
    found = budget(loopback=loopback, ports=tmp_path / "range", reuse=tmp_path / "reuse")
    assert found == (expected and pytest.approx(expected, abs=0.1))


def test_a_system_that_does_not_tell_its_ports_sets_no_limit(tmp_path):
    assert budget(loopback=False, ports=tmp_path / "none", reuse=tmp_path / "none") is None


def test_ports_that_run_out_are_told_once_and_in_time():
    """At 10 connections/s for ever, 9/s are 90 %: the warning comes as soon as four fifths are held, and not again."""
    watch = PortWatch(10.0)
    told = [(second, text) for second in range(200) if (text := watch.look(float(second), 9))]
    assert len(told) == 1 and told[0][0] == 53
    assert told[0][1].startswith("486 connections of the last minute hold 81% of this machine's local ports")
    calm = PortWatch(10.0)
    assert not any(calm.look(float(second), 7) for second in range(200))
