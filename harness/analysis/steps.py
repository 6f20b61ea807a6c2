"""In: windows of the surge, as they come. Out: per step what its requests met over the whole run, and the failures by message."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.analysis import histogram
from harness.analysis.cohorts import OURS
from harness.analysis.levels import AFTERMATH
from harness.engine.window import Window
from harness.engine.wire import Outcome
from harness.result import ErrorPart, StepPart
from harness.scenario.catalog import Sample

CALM = 1.3  # the lowest loads: dials up to this many times the lowest one
KEPT = 1000  # distinct messages; later ones are counted together, so that hostile bodies cannot fill the memory
SHOWN = 60
OTHER = "other messages"


class Steps:
    """One line per sample of the catalogue. `file` is the scenario's name as its author knows it."""

    def __init__(self, samples: tuple[Sample, ...], journeys: tuple[str, ...], file: str) -> None:
        self._samples, self._journeys, self._file = samples, journeys, file
        n = len(samples)
        self._outcomes = np.zeros((n, len(Outcome)), np.int64)
        self._bytes = np.zeros(n)
        self._answers = np.zeros((n, histogram.BUCKETS), np.int64)
        self._calm = np.zeros((n, histogram.BUCKETS), np.int64)
        self._first_bytes = np.zeros((n, histogram.BUCKETS), np.int64)
        self._errors: Counter[tuple[int, int, str]] = Counter()
        self._lowest = np.inf

    def add(self, window: Window, phase: str) -> None:
        """Take in one window."""
        self._add_errors(window)
        done = window.done
        sample, outcome = done["sample"].astype(np.intp), done["outcome"].astype(np.intp)
        np.add.at(self._outcomes, (sample, outcome), 1)
        self._bytes += np.bincount(sample, weights=done["size"], minlength=len(self._samples))
        ok = outcome == Outcome.OK
        latency = histogram.buckets(done["wait"][ok].astype(np.float64) + done["total"][ok])
        np.add.at(self._answers, (sample[ok], latency), 1)
        np.add.at(self._first_bytes, (sample[ok], histogram.buckets(done["first_byte"][ok])), 1)
        if self._is_calm(window, phase):
            np.add.at(self._calm, (sample[ok], latency), 1)

    @property
    def outcomes(self) -> npt.NDArray[np.int64]:
        """(samples, outcomes): requests that have ended."""
        return self._outcomes

    @property
    def bytes(self) -> int:
        return int(self._bytes.sum())

    def step_parts(self) -> list[StepPart]:
        """The samples that had requests, in the catalogue's order."""
        return [self._step(s) for s in self._samples if self._outcomes[s.number].sum() > 0]

    def error_parts(self) -> list[ErrorPart]:
        """The most frequent failures first, at most `SHOWN`; the rest in one line per step and kind."""
        listed = sorted(self._errors.items(), key=lambda item: (-item[1], item[0]))
        rest: Counter[tuple[int, int, str]] = Counter()
        for (sample, outcome, _), n in listed[SHOWN:]:
            rest[sample, outcome, OTHER] += n
        shown = Counter(dict(listed[:SHOWN])) + rest
        return [self._error(*key, n) for key, n in sorted(shown.items(), key=lambda item: (-item[1], item[0]))]

    def _is_calm(self, window: Window, phase: str) -> bool:
        if phase in AFTERMATH or window.dial <= 0:
            return False
        self._lowest = min(self._lowest, window.dial)
        return window.dial <= CALM * self._lowest

    def _add_errors(self, window: Window) -> None:
        for (sample, outcome, message), n in window.errors.items():
            key = (sample, outcome, message)
            if key not in self._errors and len(self._errors) >= KEPT:
                key = (sample, outcome, OTHER)
            self._errors[key] += n

    def _step(self, sample: Sample) -> StepPart:
        i = sample.number
        outcomes = self._outcomes[i]
        ended, ok, cut = int(outcomes.sum()), int(outcomes[Outcome.OK]), int(outcomes[Outcome.CUT_OFF])
        return StepPart(
            number=i,
            journey=self._journeys[sample.journey],
            label=sample.label,
            kind=sample.kind,
            file_line=f"{self._file}:{sample.line}",
            requests=ended,
            failed=ended - ok - cut - int(outcomes[list(OURS)].sum()),
            cut_off=cut,
            bytes_mean=float(self._bytes[i]) / ended,
            calm_p50_ms=_ms(self._calm[i], 0.5),
            calm_requests=int(self._calm[i].sum()),
            p50_ms=_ms(self._answers[i], 0.5),
            p95_ms=_ms(self._answers[i], 0.95),
            p99_ms=_ms(self._answers[i], 0.99),
            first_byte_p95_ms=_ms(self._first_bytes[i], 0.95),
            errors={Outcome(k).name.lower(): int(n) for k, n in enumerate(outcomes) if n and k not in (Outcome.OK, Outcome.CUT_OFF)},
        )

    def _error(self, sample: int, outcome: int, message: str, n: int) -> ErrorPart:
        known = self._samples[sample] if 0 <= sample < len(self._samples) else None
        return ErrorPart(
            step=known.label if known else "",
            outcome=Outcome(outcome).name.lower(),
            message=message,
            count=n,
            file_line=f"{self._file}:{known.line}" if known else self._file,
        )


def _ms(counts: npt.NDArray[Any], share: float) -> float | None:
    found = histogram.quantile(counts, share)
    return None if found is None else round(found[0] * 1000, 3)
