"""In: a case, a seed and the name of a policy. Out: a `Row`: what a tuned windowed ramp or step test says of the same server, driven by our
own fleet, so that generator, windows and time are those of a surge and only the policy is another.

The settings are those that erred least in simulation; the top is guessed as for k6.
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness.engine.fleet import Fleet
from harness.engine.window import Window
from harness.run import GRACE
from tests.bench.truth.cases import Case
from tests.bench.truth.rows import Row, machine
from tests.bench.truth.trial import commit, cores, ended, harmed, launched
from tests.sim.rivals import BUDGETS, RAMP, STEP, ramp, steps

POLICIES = ("ramp", "steps")


class Player:
    """A fleet as `rivals` play it. All windows are kept."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet, self._windows = fleet, fleet.windows()
        self.seen: list[Window] = []
        self.now = 0.0

    def step(self, dial: float) -> Window:
        self._fleet.dial(dial)
        window = next(self._windows)
        self.seen.append(window)
        self.now = window.at + window.seconds
        return window


def answered(player: Player, policy: str, budget: str, top: float) -> float:
    """Where that policy says that it breaks, in visitors/s."""
    if policy == "ramp":
        return ramp(player, top, *RAMP[budget], BUDGETS[budget])
    return steps(player, top, *STEP[budget], BUDGETS[budget])


def tuned(case: Case, seed: int, policy: str, budget: str, *, workers: int = 2, core: int | None = 0) -> Row:
    """One test. `low` and `high` stay empty: it has no interval."""
    top = case.guessed(seed)
    date, before = datetime.now(UTC).isoformat(timespec="seconds"), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="surge-tuned-") as name, case.served(seed) as told, cores(told["pid"], core):
        folder = Path(name)
        truth = case.true(told)  # before anything else has worn it
        file = case.scenario(folder, told["url"], case.near)
        began = time.monotonic()
        with launched(file, told["url"], seed, workers=workers, pinned=core is not None) as (fleet, _):
            player = Player(fleet)
            estimate = answered(player, policy, budget, top)
            fleet.drain(GRACE, player.seen.append)
        seconds = time.monotonic() - began
        state = ended(case, told["url"])
    share, requests = harmed(player.seen)
    lags = np.concatenate([window.lags for window in player.seen])
    return Row(
        date=date,
        machine=machine(),
        code=commit(),
        tool=policy,
        profile=budget,
        kind=case.name,
        group=case.group,
        seed=seed,
        peak=top,
        truth=case.worn(truth, state),
        estimate=estimate,
        low=None,
        high=None,
        covered=None,
        status="found",
        status_right=True,
        model=policy,
        cause="",
        cause_right=None,
        first_step="",
        step_right=None,
        recovered="",
        harmed=share,
        requests=requests,
        asked=state.get("requests"),
        lag_p99_ms=1000 * float(np.quantile(lags, 0.99)) if len(lags) else None,
        seconds=seconds,
        load=before,
    )
