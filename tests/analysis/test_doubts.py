"""Doubts: each is raised by its own cause and by nothing else, and each says what to do."""

import re
from typing import Any

import pytest

from harness.analysis.doubts import KINDS, Signs, doubts
from harness.result import Totals
from tests.analysis.rehearsal import generator, point, unfound, worker

PEAK = 100.0


def totals(requests: int = 5000) -> Totals:
    return Totals(
        due=requests,
        started=requests,
        dropped=0,
        completed=requests,
        failed=0,
        abandoned=0,
        cut_off=0,
        requests=requests,
        requests_failed=0,
        requests_cut_off=0,
        bytes=0,
    )


def signs(**changes: Any) -> Signs:
    """A run without a blemish, but for what is changed."""
    fine: dict[str, Any] = {
        "point": point(150.0, 160.0),
        "peak": PEAK,
        "highest": 200.0,
        "generator": generator(),
        "totals": totals(),
        "limit_ms": 40.0,
        "violations": (),
        "flags": (),
        "failures": 0,
        "descriptors": 0.1,
        "missing": 0,
        "stopped_early": None,
        "scout_notes": (),
        "same_machine": False,
    }
    return Signs(**{**fine, **changes})


CAUSES: dict[str, dict[str, Any]] = {
    "counting": {"violations": ("10 visitors were due, but 9 started and 0 were dropped",)},
    "stopped_early": {"stopped_early": "interrupted by hand"},
    "worker_lost": {"generator": generator(lost_workers=1, workers=[worker("worker 1", lost=True)]), "missing": 12},
    "dropped_arrivals": {"generator": generator(achieved_share=0.9)},
    "generator_lag": {"generator": generator(lag_p99_ms=41.0)},
    "generator_failures": {"failures": 3},
    "generator_busy": {"generator": generator(workers=[worker("worker 1", cpu_max=0.85)])},
    "descriptors": {"descriptors": 0.95},
    "clock_offset": {"generator": generator(workers=[worker("worker 1", offset_ms=-12.0)])},
    "littles_law": {"generator": generator(little_error=0.2)},
    "scouts": {"scout_notes": ("no visitor could finish the journey “buy”",)},
    "too_few": {"totals": totals(100)},
    "thin_step": {"thin": (("POST /join", 7),)},
    "wide_interval": {"point": point(120.0, 200.0)},
    "too_close": {"point": point(95.0, 105.0)},
    "not_recovered": {"point": point(150.0, 160.0, recovered=False)},
    "same_machine": {"same_machine": True},
    "scaled": {"point": unfound("not_reached", low=80.0), "highest": 80.0},
    "wavered": {"flags": ("fell", "rose")},
    **{kind: {"flags": (kind,)} for kind in ("model_vs_evidence", "rose", "fell", "still_rising", "several_paths", "no_plateau")},
}


def test_a_run_without_a_blemish_leaves_no_doubt() -> None:
    assert doubts(signs()) == []


def test_every_kind_of_the_closed_list_has_a_cause() -> None:
    assert set(CAUSES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_cause_raises_its_own_doubt_and_no_other(kind: str) -> None:
    """With its numbers filled in, as a sentence, and with a remedy."""
    (found,) = doubts(signs(**CAUSES[kind]))
    assert found.kind == kind
    assert not re.search(r"[{}]", found.text + found.remedy)
    assert found.text.endswith(".") and found.remedy.endswith(".")


def test_numbers_in_a_doubt_are_those_measured() -> None:
    (lost,) = doubts(signs(**CAUSES["worker_lost"]))
    assert lost.text.startswith("worker 1 was lost") and "12 of its requests" in lost.text
    (late,) = doubts(signs(**CAUSES["generator_lag"]))
    assert "41 ms" in late.text and "40 ms" in late.text


def test_the_loudest_doubt_comes_first() -> None:
    """Books that do not balance before everything, whatever the order of discovery."""
    found = doubts(signs(flags=("rose",), violations=("x",), stopped_early="by hand", same_machine=True))
    assert [one.kind for one in found] == ["counting", "stopped_early", "rose", "same_machine"]


def test_an_unknown_flag_of_the_search_is_no_doubt_and_a_repeated_one_is_one() -> None:
    """The list is closed: nothing else reaches the reader."""
    assert doubts(signs(flags=("moon",))) == []
    assert len(doubts(signs(flags=("rose", "rose")))) == 1
