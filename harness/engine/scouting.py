"""In: what every worker's scouts report. Out: whether the target is up, which journeys fail already now, and the scouts' own requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.engine.mission import Mission
from harness.engine.window import Window
from harness.engine.windows import window_of
from harness.engine.wire import BEAT, Outcome
from harness.safety import Refused
from harness.scenario.catalog import Sample

_UNREACHABLE = {
    Outcome.REFUSED: "it refuses connections",
    Outcome.CONNECT_TIMEOUT: "nobody answers there",
    Outcome.DNS: "nobody knows that name",
    Outcome.TLS: "no secure connection could be made",
    Outcome.RESET: "it closes connections without an answer",
    Outcome.READ_TIMEOUT: "it does not answer in time",
}


class TargetDown(Exception):
    """Not one scout got an answer: the message names the target and why."""


class ScoutFailed(Exception):
    """A journey that does not work although the target answers. Never raised by a fleet: it is a note of `start`."""


def window(flights: Sequence[Mapping[str, Any]]) -> Window:
    """The scouts' own requests, as a window before the run's zero."""
    nothing: dict[str, Any] = {"dial": 0.0, "tallies": [], "living": [], "names": [], "notes": []}
    parts = [{**flight, "number": -1, "lags": b""} for flight in flights]
    return window_of({"number": -1, "at": -BEAT, "seconds": BEAT, "whole": True, "parts": parts, **nothing})


def judge(mission: Mission, samples: Sequence[Sample], flights: Sequence[Mapping[str, Any]], requests: Window) -> tuple[ScoutFailed, ...]:
    """The journeys that fail before any load. Raises `TargetDown` when no scout got an answer, `safety.Refused` when one was led astray."""
    failed = [report for flight in flights for report in flight["reports"] if report["outcome"] != Outcome.OK]
    if not failed:
        return ()
    for report in failed:
        if report["outcome"] == Outcome.UNSAFE:
            raise Refused(report["message"])
    if not set(requests.done["outcome"].tolist()) - {int(outcome) for outcome in _UNREACHABLE}:
        first = failed[0]
        kind = Outcome(first["outcome"])
        why = _UNREACHABLE.get(kind, "no scout got an answer")
        raise TargetDown(f"{mission.target} is down: {why} ({first['message'] or _words(kind)})")
    return tuple(ScoutFailed(text) for text in dict.fromkeys(_account(mission, samples, report) for report in failed))


def files(samples: Sequence[Sample], requests: Window) -> float:
    """How many times more requests the scouts made than if every page had one file beside itself, as a plan has to assume."""
    kinds = [samples[number].kind for number in requests.sent["sample"]]
    pages, assets = kinds.count("page"), kinds.count("assets")
    return len(kinds) / max(1, len(kinds) - assets + min(assets, pages))


def _account(mission: Mission, samples: Sequence[Sample], report: Mapping[str, Any]) -> str:
    """One scout's failure as a sentence with the author's file and line."""
    journey = mission.scenario.journeys[report["journey"]]
    sample = samples[report["sample"]] if report["sample"] is not None and report["sample"] >= 0 else None
    where = f"{mission.scenario_path}:{sample.line if sample else journey.line}"
    step = f"at {sample.label!r}" if sample else "on its way"
    more = f" ({report['message']})" if report["message"] else ""
    return f"{where}: the journey {journey.name!r} fails {step} before any load: {_words(Outcome(report['outcome']))}{more}"


def _words(outcome: Outcome) -> str:
    return outcome.name.lower().replace("_", " ")
