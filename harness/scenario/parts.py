"""In: a scenario that may be broken in places, as plain values. Out: `Parts`, every part of it that can be read on its own.

The rules judge parts, so that a typo in one step does not hide what is wrong with another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from harness.scenario.base import Model
from harness.scenario.campaign import CAMPAIGNS
from harness.scenario.keys import STEPS
from harness.scenario.model import Business, Promise, Scenario, Step, Target
from harness.scenario.reading import read_percent

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One journey. A step that cannot be read is None; `extracted[i]` are the names that step i extracts even then."""

    name: str | None
    share: float | None
    steps: tuple[Step | None, ...] | None
    extracted: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """None: absent or not to be read. In `promises` a None stands for one that cannot be read."""

    campaign: Model | None
    target: Target | None
    promises: tuple[Promise | None, ...] | None
    business: Business | None
    visits: tuple[Visit, ...] | None


def of_scenario(scenario: Scenario) -> Parts:
    """All parts of a sound scenario, without reading them again."""
    return Parts(
        campaign=scenario.campaign,
        target=scenario.target,
        promises=scenario.promises,
        business=scenario.business,
        visits=tuple(
            Visit(
                name=journey.name,
                share=journey.share,
                steps=journey.steps,
                extracted=tuple(tuple(extract.name for extract in getattr(step, "extract", ())) for step in journey.steps),
            )
            for journey in scenario.journeys
        ),
    )


def of_values(bare: object) -> Parts:
    """What can be read of a broken one."""
    top: Mapping[str, Any] = bare if isinstance(bare, dict) else {}
    campaign, promises, journeys = top.get("campaign"), top.get("promises"), top.get("journeys")
    kind = CAMPAIGNS.get(str(campaign.get("type"))) if isinstance(campaign, dict) else None
    return Parts(
        campaign=_read(kind, campaign) if kind else None,
        target=_read(Target, top.get("target", {})),
        promises=tuple(_read(Promise, one) for one in promises) if isinstance(promises, list) else None,
        business=_read(Business, top.get("business")),
        visits=tuple(_visit(one) for one in journeys) if isinstance(journeys, list) else None,
    )


def _visit(bare: object) -> Visit:
    journey: Mapping[str, Any] = bare if isinstance(bare, dict) else {}
    steps = journey.get("steps")
    name = journey.get("name")
    try:
        share: float | None = read_percent(journey.get("share"))
    except PydanticCustomError:
        share = None
    return Visit(
        name=name if isinstance(name, str) else None,
        share=share,
        steps=tuple(_step(step) for step in steps) if isinstance(steps, list) else None,
        extracted=tuple(_extracted(step) for step in steps) if isinstance(steps, list) else (),
    )


def _step(bare: object) -> Step | None:
    kind = STEPS.get(str(bare.get("kind"))) if isinstance(bare, dict) else None
    return _read(kind, bare) if kind else None


def _extracted(bare: object) -> tuple[str, ...]:
    found = bare.get("extract") if isinstance(bare, dict) else None
    return tuple(str(one["name"]) for one in found if isinstance(one, dict) and "name" in one) if isinstance(found, list) else ()


def _read(kind: type[M], part: object) -> M | None:
    try:
        return kind.model_validate(part)
    except ValidationError:
        return None
