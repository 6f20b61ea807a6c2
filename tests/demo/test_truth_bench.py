"""The bench of known truths: its scenarios are what they claim, its rows survive the file, its table says what was missed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window
from harness.engine.wire import Outcome
from harness.scenario import load
from tests.bench.truth.cases import CASES
from tests.bench.truth.rows import Row, add, read
from tests.bench.truth.table import table
from tests.bench.truth.trial import agreed, harmed, peak_of

RIGHT = Row(
    date="2026-11-21T22:00:00+00:00",
    machine="2 cores",
    code="abc",
    tool="surge",
    profile="quick",
    kind="constant",
    group="smooth",
    seed=1,
    peak=120.0,
    truth=299.4,
    estimate=300.0,
    low=290.0,
    high=310.0,
    covered=True,
    status="found",
    status_right=True,
    model="queue",
    cause="slow",
    cause_right=True,
    first_step="GET /",
    step_right=True,
    recovered="True",
    harmed=0.03,
    requests=12000,
    asked=12000,
    lag_p99_ms=2.5,
    seconds=57.0,
    load=0.5,
)
SILENT = replace(
    RIGHT, kind="mute", group="none", truth=None, estimate=None, low=None, high=None, covered=None, lag_p99_ms=None, note="down, it said"
)


def test_what_a_crowd_presses_out_of_a_stack_is_a_little_more_than_it_bears(tmp_path: Path) -> None:
    """200/s pressed are 198.6/s kept for a minute, in the error and in what the interval covers; a truth that moved stays none."""
    stack = replace(RIGHT, kind="postgresql-pool", group="stacks", truth=200.0, estimate=198.6, low=195.0, high=199.0, covered=False)
    for row in (stack, replace(stack, truth=None, covered=None), RIGHT):
        add(row, tmp_path / "rows.csv")
    pressed, moved, plain = read([tmp_path / "rows.csv"], "")
    assert pressed.truth == pytest.approx(198.6)
    assert pressed.covered is True
    assert pressed.error == pytest.approx(0.0, abs=1e-6)
    assert moved.truth is None
    assert plain.truth == RIGHT.truth


def missed(text: str) -> set[str]:
    """What the table says was missed."""
    return {line[:43].strip() for line in text.splitlines() if "MISSED" in line}


def verdict(text: str, name: str) -> str:
    """Of one line of the table."""
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return line[85:95].strip()


@pytest.mark.parametrize("name", ["exponential", "slow-step", "gunicorn-httpbin"])
def test_the_scenario_of_a_case_is_a_steady_crowd_of_its_size(name: str, tmp_path: Path) -> None:
    """One visitor makes one request a step; nobody stands or comes back, so a dial is a rate of visitors."""
    case = CASES[name]
    scenario = load.load(case.scenario(tmp_path, "http://127.0.0.1:9", 123.0))
    moment = hardest(plan_campaign(scenario), scenario)
    assert moment.peak == pytest.approx(123.0, rel=0.01)
    assert moment.visitors_per_second == pytest.approx(moment.peak)
    assert not moment.dwelling and moment.scanners_per_second == 0
    assert [step.label for step in scenario.journeys[0].steps] == [f"GET {path}" for path in case.paths]


def test_where_a_search_begins_does_not_give_the_truth_away() -> None:
    begins = [peak_of(CASES["constant"], seed) / 8 / 299.4 for seed in range(200)]
    assert 1 / 62 < min(begins) < 1 / 50
    assert 1 / 10 < max(begins) < 1 / 7.5


def test_rows_come_back_as_they_were_written_and_only_those_since_a_date(tmp_path: Path) -> None:
    """Without a date, a surge counts from the day of the present search on, another tool's test from an earlier one."""
    file = tmp_path / "rows.csv"
    later = replace(SILENT, date="2026-11-22T01:00:00+00:00")
    other, now = replace(later, tool="steps"), replace(later, date="2030-01-01T00:00:00+00:00")
    for row in (RIGHT, later, other, now):
        add(row, file)
    assert read([file], since="") == [RIGHT, later, other, now]
    assert read([file], since="2026-11-22") == [later, other, now]
    assert read([file]) == [other, now]


def test_the_table_shows_a_miss_as_a_miss() -> None:
    assert "MISSED" not in table([RIGHT, SILENT])
    far = replace(RIGHT, estimate=360.0, low=340.0, high=380.0, covered=False)
    assert missed(table([far])) == {"error, smooth servers", "the interval covers, each server"}
    invented = table([RIGHT, replace(SILENT, estimate=200.0)])
    assert missed(invented) == {"numbers where generator or dead site was it"}


def test_ten_minutes_are_held_to_goals_of_their_own() -> None:
    """2 % are enough within a minute and too much within ten; no cause is asked for there."""
    near = replace(RIGHT, estimate=299.4 * 1.02, harmed=0.06, cause_right=False)
    assert missed(table([near])) == {"right cause and right first step"}
    assert table([near]).endswith("full: not measured")
    assert missed(table([replace(near, profile="full")])) == {"error, smooth servers", "requests that were slow or failed"}


def test_one_server_that_is_not_covered_is_a_miss_however_many_others_are() -> None:
    others = [replace(RIGHT, kind="lognormal", seed=seed) for seed in range(40)]
    text = table([*others, *(replace(RIGHT, covered=seed != 1) for seed in range(5))])
    assert missed(text) == {"the interval covers, each server"}
    assert "below: constant 4/5" in text


def test_the_table_says_which_servers_have_too_few_runs() -> None:
    text = table([*(replace(RIGHT, seed=seed) for seed in range(5)), replace(RIGHT, kind="lognormal")])
    (line,) = [line for line in text.splitlines() if line.startswith("surge: fewer than 5 runs")]
    assert "lognormal 1" in text and "constant" not in line
    assert "k6: no rows" in text
    assert verdict(text, "error, smooth servers") == "met so far"
    smooth = [name for name, case in CASES.items() if case.group == "smooth"]
    whole = table([replace(RIGHT, kind=name, seed=seed) for name in smooth for seed in range(5)])
    assert verdict(whole, "error, smooth servers") == "met"
    assert verdict(whole, "right cause and right first step") == "met so far"


def test_other_tools_are_held_against_ours_on_the_same_servers_only() -> None:
    ours = replace(RIGHT, estimate=299.4 * 1.1)
    others = [replace(RIGHT, tool="k6", estimate=299.4 * 1.3), replace(RIGHT, tool="k6", kind="lognormal", estimate=900.0)]
    text = table([ours, *others])
    assert "k6 30.0% against 10.0%, on 1 servers" in text
    assert "error of a k6 ramp, times ours" in missed(text)  # three times, and six were promised


def test_the_better_of_the_tuned_is_what_counts() -> None:
    ours = replace(RIGHT, estimate=299.4 * 1.02)
    ramp = replace(RIGHT, tool="ramp", estimate=299.4 * 1.2)
    name = "error of the best tuned ramp, times ours"
    assert name not in missed(table([ours, ramp, replace(ramp, tool="steps", estimate=299.4 * 0.9)]))  # five times
    assert name in missed(table([ours, ramp, replace(ramp, tool="steps", estimate=299.4 * 0.96)]))  # twice
    assert verdict(table([ours, ramp]), name) == "met so far"  # a step test might have been better


def test_harmed_are_the_late_and_the_failed_and_nobody_twice() -> None:
    done = np.zeros(5, DONE_TYPE)
    done["total"] = [0.1, 0.6, 0.1, 0.9, 0.2]
    done["outcome"] = [Outcome.OK, Outcome.OK, Outcome.HTTP_5XX, Outcome.READ_TIMEOUT, Outcome.CUT_OFF]
    window = Window(
        number=0, at=0.0, seconds=0.5, dial=1.0, sent=np.zeros(0, SENT_TYPE), done=done, lags=np.zeros(0), census=Census(), workers=()
    )
    assert harmed([window]) == (3 / 5, 5)
    assert harmed([]) == (None, 0)


def test_a_truth_that_was_pressed_twice_is_one_or_none() -> None:
    """A stack on a busy machine may carry half as much a minute later: nobody knows what was true in between, and the table says so."""
    assert agreed(180.0, 185.0) == pytest.approx(182.5, abs=0.1)
    assert agreed(387.0, 921.0) is None and agreed(None, 180.0) is None and agreed(180.0, 0.0) is None
    moved = replace(RIGHT, kind="gunicorn-sqlite", group="stacks", truth=None, covered=None)
    text = table([RIGHT, replace(moved, truth=299.4), moved])
    assert "of 1 runs; 1 more whose truth moved meanwhile" in text
