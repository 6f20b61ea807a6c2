"""In: a run's folder with its scenario.yaml, the scenario, its advice. Out: each checked advice as a scenario beside it, ready to run.

The run's own text is edited in place, so comments stay and nothing else changes; the result is loaded again before it counts. The text
is the redacted one: what was blanked in the copy is blank here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.result import Advice
from harness.scenario import load
from harness.scenario.model import Calendar, Measured, Scenario
from harness.scenario.problems import ScenarioError
from harness.scenario.rewrite import rewritten

LONGEST_NAME = 60


def write(folder: Path, scenario: Scenario, advice: Sequence[Advice]) -> list[Advice]:
    """The advice, with the name of its scenario where one could be written. Files that a scenario names are copied beside it."""
    return [_written(folder, scenario, one) if one.audience == "marketing" and one.checked and one.changes else one for one in advice]


def _written(folder: Path, scenario: Scenario, advice: Advice) -> Advice:
    file = folder / f"scenario-{slug(advice)}.yaml"
    if file.exists():
        return advice
    try:
        text = rewritten((folder / "scenario.yaml").read_text(encoding="utf-8"), advice.changes, file)
        _bring(folder, scenario)
        file.write_text(text, encoding="utf-8")
        load.load(file)
    except (ScenarioError, ValueError, OSError):  # an advice whose file would not load is still advice
        file.unlink(missing_ok=True)
        return advice
    return advice.model_copy(update={"scenario": file.name})


def slug(advice: Advice) -> str:
    """What is changed, as part of a file's name: "sent-over-25-min-batches-6"."""
    said = " ".join(f"{key.rpartition('.')[2]} {value}" for key, value in advice.changes.items())
    return re.sub(r"[^a-z0-9]+", "-", said.lower())[:LONGEST_NAME].strip("-")


def _bring(folder: Path, scenario: Scenario) -> None:
    """Copies of what the scenario names, since it looks for them beside itself. Raises ValueError for a name that is a path or is taken."""
    home = scenario.file.parent
    for name in dict.fromkeys(_named(scenario, home)):
        if Path(name).name != name:
            raise ValueError(f"{name} stands in another folder")
        place = folder / name
        content = (home / name).read_text(encoding="utf-8-sig")
        if name.endswith((".yaml", ".yml")):
            content = load.redacted(content, home / name)
        if place.exists() and place.read_text(encoding="utf-8") != content:
            raise ValueError(f"another {name} stands in the run's folder")
        place.write_text(content, encoding="utf-8")


def _named(scenario: Scenario, home: Path) -> Iterator[str]:
    campaign = scenario.campaign
    if isinstance(campaign, Measured):
        yield campaign.curve
    if isinstance(campaign, Calendar):
        for entry in campaign.campaigns:
            yield entry.scenario if entry.scenario.endswith((".yaml", ".yml")) else f"{entry.scenario}.yaml"
            if isinstance(entry.campaign, Measured):
                yield entry.campaign.curve
