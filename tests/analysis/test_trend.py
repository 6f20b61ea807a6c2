"""The history of a campaign's runs: lasting shifts are found, noise and single bad runs are not."""

import numpy as np

from harness.analysis.trend import shifts, trend
from harness.result import Result
from tests.analysis.rehearsal import point, unfound
from tests.analysis.test_compare import run


def history(values: list[float | None]) -> list[Result]:
    """Runs in order of time with these breaking points; None: inconclusive."""
    return [
        run(0).model_copy(
            update={
                "run": run(0).run.model_copy(update={"id": f"run-{k}", "started": f"2026-11-{k // 24 + 1:02}T{k % 24:02}:00:00+00:00"}),
                "breaking_point": unfound("inconclusive") if value is None else point(value * 0.98, value * 1.02),
            }
        )
        for k, value in enumerate(values)
    ]


def test_noise_is_a_shift_in_about_one_history_of_twenty() -> None:
    """A hundred seeded histories of thirty runs with a spread of 4 %."""
    random = np.random.default_rng(3)
    false = sum(bool(shifts(random.normal(5, 0.04, 30), np.random.default_rng(k))) for k in range(100))
    assert false <= 12


def test_a_lasting_loss_of_a_tenth_is_found_where_it_began() -> None:
    """Within a run or two, in nine of ten seeded histories."""
    random = np.random.default_rng(4)
    hits = 0
    for k in range(30):
        values = np.concatenate([random.normal(5, 0.03, 15), random.normal(5 - 0.105, 0.03, 10)])
        found = shifts(values, np.random.default_rng(k))
        hits += len(found) >= 1 and min(abs(at - 15) for at in found) <= 2
    assert hits >= 27


def test_two_shifts_are_found_both() -> None:
    values = np.array([5.0, 5.01, 4.99, 5.0, 5.02, 4.0, 4.01, 3.99, 4.0, 4.02, 6.0, 6.01, 5.99, 6.0, 6.02])
    assert shifts(values, np.random.default_rng(0)) == [5, 10]


def test_one_bad_run_is_not_a_shift() -> None:
    values = np.full(20, 5.0) + np.random.default_rng(1).normal(0, 0.01, 20)
    values[11] = 3.0
    assert shifts(values, np.random.default_rng(0)) == []


def test_too_few_runs_shift_nothing() -> None:
    assert shifts(np.array([1.0, 1.0, 9.0, 9.0]), np.random.default_rng(0)) == []


def test_the_history_lists_every_run_in_order_and_marks_where_it_shifted() -> None:
    """Inconclusive runs stand in the list without a number, whatever order the folders came in."""
    values = [200.0, 202.0, 199.0, None, 201.0, 198.0, 160.0, 161.0, 159.0, None, 160.0, 158.0]
    results = history(values)
    found = trend([*results[6:], *results[:6]])
    assert [p.run for p in found] == [f"run-{k}" for k in range(12)]
    assert [p.middle is None for p in found] == [v is None for v in values]
    assert [p.run for p in found if p.shifted] == ["run-6"]
    (shifted,) = [p.shifted for p in found if p.shifted]
    assert abs(shifted - 0.8) < 0.01
