"""The JSON Schema is current, takes every sound scenario, and underlines the mistakes that an editor can see."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from harness.scenario.campaign import CAMPAIGNS
from harness.scenario.hints import HINTS, hint
from harness.scenario.keys import STEPS, written_keys
from harness.scenario.model import Business, Check, Journey, Poll, Scenario, Target
from harness.scenario.schema import schema, text

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SOUND: dict[str, Any] = yaml.safe_load((SCENARIOS / "webcast.yaml").read_text(encoding="utf-8"))


def complaints(scenario: object) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema()).iter_errors(scenario)]


def test_the_committed_schema_is_current() -> None:
    """To renew it: surge schema > scenarios/scenario.schema.json"""
    assert (SCENARIOS / "scenario.schema.json").read_text(encoding="utf-8") == text()


def test_the_schema_is_a_schema() -> None:
    """Of the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_scenario_fits(file: Path) -> None:
    """As an editor would read it."""
    assert complaints(yaml.safe_load(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("nmae",), "x"),
        (("campaign", "type"), "webcst"),
        (("campaign", "registrants"), "many"),
        (("campaign", "attendance"), 0.4),
        (("campaign", "length"), 45),
        (("campaign", "list_size"), 5),
        (("campaign", "starts"), "tomorrow"),
        (("promises",), []),
        (("promises", 0), "fast"),
        (("business", "value"), 60),
        (("journeys",), []),
        (("journeys", 0, "share"), 85),
        (("journeys", 0, "weight"), 85),
        (("journeys", 0, "steps", 0), {"visit": "/"}),
        (("journeys", 0, "steps", 0), {"page": "/", "form": {}}),
        (("journeys", 0, "steps", 1), {"think": 5}),
        (("journeys", 0, "steps", 2, "extract"), {"ticket": "$.ticket"}),
        (("journeys", 0, "steps", 3, "for"), "long"),
        (("journeys", 0, "steps", 3, "meanwhile"), [{"get": "/q"}]),
    ],
)
def test_a_mistake_is_underlined(path: tuple[str | int, ...], value: object) -> None:
    """Each of these is wrong in the sound webcast."""
    wrong: Any = json.loads(json.dumps(SOUND, default=str))
    assert complaints(wrong) == []
    place = wrong
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert complaints(wrong)


def test_every_key_has_a_sentence_for_the_editor_and_no_sentence_is_left_over() -> None:
    """The table of hints follows the models."""
    used = set()
    blocks = [Scenario, Target, Business, Journey, Check, Poll, *STEPS.values(), *CAMPAIGNS.values()]
    for kind in blocks:
        names = (*(base.__name__ for base in kind.__mro__), *(["Campaign"] if kind in CAMPAIGNS.values() else []))
        for key in written_keys(kind):
            assert hint(names, key), f"{kind.__name__}.{key}"
    for name, definition in schema()["$defs"].items():
        for key, part in definition.get("properties", {}).items():
            assert part.get("description"), f"{name}.{key}"
            used.add(part["description"])
    used |= {part["description"] for part in schema()["properties"].values()}
    assert set(HINTS.values()) - used - {HINTS["Campaign.type"]} == set()
