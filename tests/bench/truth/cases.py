"""In: a name. Out: `Case`: a server to be surged, what visitors do there, and the right answers. Kinds, and stacks nobody here wrote."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.truth.capacity import known
from tests.bench.truth.kinds import KINDS
from tests.bench.truth.press import press
from tests.bench.truth.process import stack, stub

_PRESSED = 20.0  # s
KEPT = 0.993  # of what a crowd presses out of a few constant services, half of the plateaus keep for a minute (capacity.py, 180 and 190/s)
_CURVE = "minute,visitors\n" + "".join(f"2026-11-02T09:{minute:02d}:00,{{count}}\n" for minute in range(5))
_SCENARIO = """\
name: A steady crowd
campaign:
  type: measured
  curve: crowd.csv
target:
  url: {url}
promises:
  - 95% of responses within 500 ms
  - errors below 1%
journeys:
  - name: visit
    share: 100%
    steps:
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """`truth` in visitors/s; None: there is none, or (`pressed`) a saturating crowd is to tell it. `near`: what campaigns are sized by.
    `status`, `causes`, `step`: the right answers."""

    name: str
    group: str
    near: float
    truth: float | None = None
    causes: tuple[str, ...] = ()
    step: str | None = None
    status: tuple[str, ...] = ("found",)
    paths: tuple[str, ...] = ("/",)
    contains: str | None = None
    stack: tuple[str, ...] = ()
    pressed: bool = False

    def served(self, seed: int) -> AbstractContextManager[dict[str, Any]]:
        return stack(*self.stack) if self.stack else stub(self.name, seed)  # type: ignore[no-any-return]

    def scenario(self, folder: Path, url: str, peak: float) -> Path:
        """Write the scenario: a crowd of `peak` visitors/s for five minutes."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "crowd.csv").write_text(_CURVE.format(count=round(60 * peak)))
        text = _SCENARIO.format(url=url)
        for path in self.paths:
            text += f"      - get: {path}\n" + (f"        check: {{contains: {self.contains}}}\n" if self.contains else "")
        file = folder / "crowd.yaml"
        file.write_text(text)
        return file

    def true(self, told: dict[str, Any]) -> float | None:
        """Visitors/s that the server which `told` this can bear; None: there is no such rate. What only a saturating crowd can tell is told
        by one: steady answers/s under it, of which `KEPT` keep the promises for a minute (see rows.py). It stays for a while, as a virtual
        machine's sleeps end now sooner, now later: the same httpbin answers 180 to 186/s from one minute to the next, to k6 as to us."""
        if self.pressed:
            return press(told["url"], 32, _PRESSED, list(self.paths)).steady
        return told.get("capacity") or self.truth

    def worn(self, truth: float | None, state: Mapping[str, Any]) -> float | None:
        """The truth at the end, when the server says of itself what it had come to: what leaks is 1 % slower after every 4,000 requests,
        what grows has more workers. Stacks say nothing, and stay what they are."""
        if truth is None or not state:
            return truth
        if self.name == "leak":
            return truth / (1 + float(state["requests"]) / 400_000)
        return known()[self.name].get(f"with {state['workers']} workers", truth)

    def guessed(self, seed: int) -> float:
        """The top of a ramp or step test, in visitors/s: 1.5 to 5 times the truth, as nobody knows better beforehand; the same for every
        tool."""
        return self.near * float(np.random.default_rng([seed, 11]).uniform(1.5, 5.0))


def _kind(name: str) -> Case:
    kind = KINDS[name]
    paths = ("/a", "/b", "/c", "/d") if kind.steps == 4 else ("/",)
    found = kind.status == "found"
    status = {"not_reached": ("not_reached", "inconclusive"), "broken_at_baseline": ("broken_at_baseline", "target_down")}
    return Case(
        name=name,
        group=kind.group,
        near=kind.near or 200.0,
        truth=known()[name]["capacity"] if found else None,
        causes=kind.causes if found else (),
        step=f"GET {paths[kind.first_step]}" if found else None,
        status=status.get(kind.status, ("found",)),
        paths=paths,
        contains="Everything is fine",
    )


CASES = {name: _kind(name) for name in KINDS} | {
    case.name: case
    for case in (
        Case(
            name="nginx-limit",
            group="stacks",
            near=200.0,
            truth=None,
            causes=("rate_limited",),
            step="GET /",
            contains="Everything is fine",
            stack=("nginx", "--rate=200", "--burst=20"),
        ),
        Case(
            name="gunicorn-sqlite",
            group="stacks",
            near=170.0,
            causes=("slow", "collapse", "timeouts"),
            step="GET /order",
            paths=("/order",),
            stack=("shop",),
            pressed=True,
        ),
        Case(
            name="gunicorn-httpbin",
            group="stacks",
            near=120.0,
            causes=("slow", "collapse", "timeouts"),
            step="GET /delay/0.02",
            paths=("/delay/0.02",),
            stack=("httpbin",),
            pressed=True,
        ),
        Case(
            name="postgresql-pool",
            group="stacks",
            near=180.0,
            causes=("slow", "collapse", "timeouts"),
            step="GET /order",
            paths=("/order",),
            stack=("orders",),
            pressed=True,
        ),
    )
}
