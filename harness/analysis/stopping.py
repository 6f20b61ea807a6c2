"""In: how each step fared in overload, and the journeys. Out: `StepLoss`es: at which step the transactions that are lost come to an end."""

from __future__ import annotations

import numpy as np

from harness.analysis.cohorts import Cohorts
from harness.analysis.levels import Stretch
from harness.result import BreakingPoint, StepLoss
from harness.scenario.catalog import Sample
from harness.scenario.model import Scenario


def stopped_at(
    scenario: Scenario, samples: tuple[Sample, ...], cohorts: Cohorts, found: list[Stretch], point: BreakingPoint
) -> list[StepLoss]:
    """A transaction is a visit whose journey posts something. It ends at the first step that fails or comes later than was promised.

    Shares of the lost transactions, the largest first; steps whose every request was well have none.
    """
    beyond = [s for s in found if point.high is not None and s.dial > point.high]
    if not beyond:
        return []
    pieces = np.unique(np.concatenate([s.windows["piece"] for s in beyond]))
    counts = cohorts.by_sample[pieces].sum(axis=0, dtype=np.int64)
    bad = counts[:, 1] / np.maximum(counts[:, 0], 1)
    ended: dict[tuple[int, int], float] = {}
    for j, journey in enumerate(scenario.journeys):
        if not any(step.kind == "post" for step in journey.steps):
            continue
        going = journey.share
        for sample in (s for s in samples if s.journey == j and s.kind in ("page", "get", "post", "playlist")):
            share = float(bad[sample.number])
            ended[j, sample.number] = going * share
            going *= 1 - share
    total = sum(ended.values())
    if total <= 0:
        return []
    file = scenario.file.name
    parts = [
        StepLoss(journey=scenario.journeys[j].name, step=samples[n].label, file_line=f"{file}:{samples[n].line}", share=share / total)
        for (j, n), share in ended.items()
        if share > 0
    ]
    return sorted(parts, key=lambda part: -part.share)
