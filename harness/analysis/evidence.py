"""In: windows of the surge, as they come. Out: `Evidence`: everything that is kept of them, in memory that hardly grows."""

from __future__ import annotations

from harness.analysis.cohorts import Cohorts
from harness.analysis.search.generator import lag_limit
from harness.analysis.series import Series
from harness.analysis.steps import Steps
from harness.analysis.totals import unsent_of
from harness.analysis.watch import Watch
from harness.engine.window import Window
from harness.scenario.catalog import Sample
from harness.scenario.model import Scenario


class Evidence:
    """The four accounts of a run, each fed with every window: by second, by cohort, by step, and of the generator itself."""

    def __init__(self, scenario: Scenario, samples: tuple[Sample, ...]) -> None:
        journeys = tuple(j.name for j in scenario.journeys)
        limit = min((p.limit for p in scenario.promises if p.kind == "latency"), default=None)
        self.series = Series(labels=[s.label for s in samples], journeys=[journeys[s.journey] for s in samples], limit=limit)
        self.cohorts = Cohorts(scenario.promises, len(samples))
        self.steps = Steps(samples, journeys, scenario.file.name)
        self.generator = Watch(lag_limit(limit))
        self.samples = samples
        self.sent = 0  # requests that began
        self.unsent = 0  # of those, requests that had no connection to leave by
        self.lost = 0  # requests cut off with a worker
        self.highest = 0.0  # dial that was offered, visitors/s
        self.notes: list[str] = []

    def add(self, window: Window, phase: str) -> None:
        """Take in one window of the named phase. Windows come in order of time."""
        self.series.add(window, phase)
        self.cohorts.add(window, phase, late=self.generator.add(window))
        self.steps.add(window, phase)
        self.sent += len(window.sent)
        self.unsent += unsent_of(window.done)
        self.lost += window.lost
        self.highest = max(self.highest, window.dial)
        self.notes += [note for note in window.notes if note not in self.notes][:100]
