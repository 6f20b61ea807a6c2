"""The account by step: the calm, the failures by message, and hostile messages in any number."""

from dataclasses import replace

import numpy as np

from harness.analysis.cohorts import Cohorts
from harness.analysis.levels import SHOWN, levels, stretches
from harness.analysis.steps import KEPT, OTHER, Steps
from harness.analysis.steps import SHOWN as ERRORS_SHOWN
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window
from harness.engine.wire import Outcome
from harness.scenario.catalog import samples
from tests.analysis.rehearsal import mail
from tests.sim.rig import PROMISES

SAMPLES = samples(mail(10.0))


def window(number: int, dial: float = 10.0, requests: int = 20, total: float = 0.05) -> Window:
    sent, done = np.zeros(requests, SENT_TYPE), np.zeros(requests, DONE_TYPE)
    sent["at"] = done["sent"] = number / 2 + np.linspace(0.01, 0.4, requests)
    done["total"], done["size"] = total, 1000
    return Window(
        number=number,
        at=number / 2,
        seconds=0.5,
        dial=dial,
        sent=sent,
        done=done,
        lags=np.zeros(0, np.float32),
        census=Census(),
        workers=(),
    )


def steps() -> Steps:
    return Steps(SAMPLES, ("read",), "mail.yaml")


def test_ten_thousand_different_messages_are_counted_all_and_kept_as_few() -> None:
    """A page that prints a new number in every error fills neither the memory nor the report."""
    account = steps()
    for k in range(1000):
        errors = {(0, int(Outcome.HTTP_5XX), f"request {k * 10 + j} failed"): 2 for j in range(10)}
        account.add(replace(window(k), errors=errors), "hold")
    parts = account.error_parts()
    assert sum(part.count for part in parts) == 20_000
    assert len(parts) <= ERRORS_SHOWN + 1
    assert parts[0].message == OTHER
    assert len(account._errors) <= KEPT + len(SAMPLES) * len(Outcome)


def test_the_calm_is_measured_at_the_lowest_load_and_not_in_the_aftermath() -> None:
    """A quiet dial right after an overload still meets its line."""
    account = steps()
    account.add(window(0, dial=5.0, requests=100, total=0.02), "baseline")
    account.add(window(1, dial=50.0, requests=100, total=0.4), "explore")
    account.add(window(2, dial=4.0, requests=100, total=2.0), "drain")
    (part,) = account.step_parts()
    assert part.calm_requests == 100
    assert part.calm_p50_ms is not None and abs(part.calm_p50_ms - 20) < 0.5
    assert part.bytes_mean == 1000


def test_a_step_says_which_line_of_the_scenario_it_is() -> None:
    account = steps()
    account.add(replace(window(0), errors={(0, int(Outcome.CHECK_FAILED), "no “Join now”"): 1}), "hold")
    (error,) = account.error_parts()
    assert (error.step, error.outcome, error.file_line) == ("GET /", "check_failed", "mail.yaml:7")


def test_a_long_run_shows_the_levels_that_tell_most_in_order_of_time() -> None:
    """Those that kept or broke their promises beyond doubt, and the longest of the others."""
    cohorts = Cohorts(PROMISES, len(SAMPLES))
    for k in range(4 * SHOWN * 2):
        piece = k // 4
        cohorts.add(window(k, dial=100.0 if piece % 2 else 120.0, requests=200 if piece % 4 == 0 else 3), "hold")
    found = levels(stretches(cohorts), PROMISES)
    assert len(found) == SHOWN
    assert [level.started_at_seconds for level in found] == sorted(level.started_at_seconds for level in found)
    assert sum(level.held == "yes" for level in found) == SHOWN // 2


def test_requests_that_end_late_belong_to_the_level_that_sent_them() -> None:
    """A second of overload that is answered in the calm after it."""
    cohorts = Cohorts(PROMISES, len(SAMPLES))
    burst = window(4, dial=300.0, requests=100, total=3.0)
    for k in range(4):
        cohorts.add(window(k, dial=20.0), "hold")
    for k in (4, 5):
        cohorts.add(replace(burst, number=k, at=k / 2, done=burst.done[:0]), "hold")
    for k in range(6, 14):
        late = burst.done if k == 11 else burst.done[:0]
        quiet = window(k, dial=20.0)
        cohorts.add(replace(quiet, done=np.concatenate([late, quiet.done])), "hold")
    before, overload, after = stretches(cohorts)
    assert (before.share_bad(0), overload.share_bad(0), after.share_bad(0)) == (0.0, 1.0, 0.0)
