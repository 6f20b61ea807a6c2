"""In: `Scenario`. Out: the catalogue of its samples: every kind of request that a run can measure, numbered from 0.

The numbers are what workers put on the wire, so they depend on the scenario alone: the same file, the same catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.scenario.model import Scenario, Think, Watch

SampleKind = Literal["page", "assets", "get", "post", "playlist", "segment", "poll", "redirect"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One kind of request. `journey` and `step` are indices into the scenario; `line` is the author's line."""

    number: int
    journey: int
    step: int
    kind: SampleKind
    label: str
    line: int


def samples(scenario: Scenario) -> tuple[Sample, ...]:
    """Every sample of the scenario in a fixed order. A step that may be redirected has a sample for its further hops."""
    found: list[Sample] = []

    def add(journey: int, step: int, kind: SampleKind, label: str, line: int) -> None:
        found.append(Sample(number=len(found), journey=journey, step=step, kind=kind, label=label, line=line))

    for j, journey in enumerate(scenario.journeys):
        for s, step in enumerate(journey.steps):
            if isinstance(step, Think):
                continue
            if isinstance(step, Watch):
                add(j, s, "playlist", step.label, step.line)
                add(j, s, "segment", f"{step.label} (segments)", step.line)
                for poll in step.meanwhile:
                    add(j, s, "poll", poll.label, poll.line or step.line)
            else:
                add(j, s, step.kind, step.label, step.line)
                if step.kind == "page":
                    add(j, s, "assets", f"{step.label} (styles, scripts, pictures)", step.line)
            add(j, s, "redirect", f"{step.label} (redirected)", step.line)
    return tuple(found)
