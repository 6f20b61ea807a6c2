"""In: a scenario whose values can be read. Out: `Problem`s of meaning: shares that do not add up, variables that nobody set, absurd sizes."""

from __future__ import annotations

from pathlib import Path

from harness.scenario.problems import Problem
from harness.scenario.source import Node


def check(bare: object, tree: Node, file: Path) -> list[Problem]:
    return []
