"""In: a sound scenario that names other files. Out: the same with their contents: the rows of a curve, the campaigns of a calendar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.scenario import export
from harness.scenario.campaign import Calendar, Entry, Measured
from harness.scenario.model import Scenario
from harness.scenario.problems import Problem, ScenarioError, near
from harness.scenario.source import Mark, Node


def joined(scenario: Scenario, tree: Node, load: Callable[[Path], Scenario]) -> Scenario:
    """The scenario with what it names. `load` reads another scenario without following what that one names in turn.

    Raises `ScenarioError` at the place that names a file, or at the line of the file that cannot be read.
    """
    campaign = scenario.campaign
    folder = scenario.file.parent
    if isinstance(campaign, Measured):
        curve = folder / campaign.curve
        if not curve.is_file():
            place = tree.at("campaign", "curve").mark
            wanted = near(curve.name, [found.name for found in curve.parent.glob("*.csv")] if curve.parent.is_dir() else [])
            raise ScenarioError(
                [
                    _problem(
                        scenario, place, f"there is no file {curve}", f"did you mean {wanted}?" if wanted else "put it beside the scenario"
                    )
                ]
            )
        return scenario.model_copy(update={"campaign": campaign.model_copy(update={"points": export.read(curve)})})
    if isinstance(campaign, Calendar):
        problems: list[Problem] = []
        entries = tuple(_entries(scenario, campaign, tree, load, problems))
        if problems:
            raise ScenarioError(problems)
        return scenario.model_copy(update={"campaign": campaign.model_copy(update={"campaigns": entries})})
    return scenario


def _entries(
    scenario: Scenario, calendar: Calendar, tree: Node, load: Callable[[Path], Scenario], problems: list[Problem]
) -> Iterator[Entry]:
    folder = scenario.file.parent
    for number, entry in enumerate(calendar.campaigns):
        place = tree.at("campaign", "campaigns", number, "scenario").mark
        file = folder / (entry.scenario if entry.scenario.endswith((".yaml", ".yml")) else f"{entry.scenario}.yaml")
        if not file.is_file():
            wanted = near(file.stem, [found.stem for found in folder.glob("*.yaml")])
            remedy = f"did you mean {wanted}?" if wanted else f"name a scenario in {folder}/"
            problems.append(_problem(scenario, place, f'there is no scenario "{entry.scenario}" beside this one', remedy))
            continue
        try:
            other = load(file).campaign
        except ScenarioError as error:
            problems += error.problems
            continue
        starts = entry.starts or other.starts
        if isinstance(other, Calendar):
            problems.append(_problem(scenario, place, f'"{entry.scenario}" is a calendar itself', "name its campaigns here"))
        elif starts is None:
            problems.append(
                _problem(scenario, place, f'nobody says when "{entry.scenario}" starts', "write starts: 2026-12-03 15:00 Europe/London")
            )
        else:
            yield entry.model_copy(update={"starts": starts, "campaign": other.model_copy(update={"starts": starts})})


def _problem(scenario: Scenario, place: Mark, message: str, remedy: str) -> Problem:
    return Problem(file=scenario.file, line=place.line, column=place.column, message=message, remedy=remedy)
