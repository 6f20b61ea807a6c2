"""In: a scenario's text and new values of some of its keys. Out: the same text, comments and all, with these values and no other change.

Keys are dotted paths, with the place in a list in brackets: "campaign.sent_over", "campaign.campaigns[1].starts".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.scenario.problems import ScenarioError
from harness.scenario.source import Mark, Node, parse

_PLAIN = re.compile(r"[\w+][\w.%+:/ ,-]*", re.ASCII)
_COMMENT = re.compile(r"( +)(?=#)")


def rewritten(text: str, changes: Mapping[str, str], file: Path = Path("scenario.yaml")) -> str:
    """The text with each key of `changes` set to its value, written as a scenario file has it ("45 min"). A key that the file leaves out is
    added below one that it has.

    Raises ValueError where a key cannot be changed alone, as when an anchor shares its value, and `ScenarioError` for what is no YAML.
    """
    wanted = parse(text, file).bare()
    before: list[str] = []
    for dotted, value in changes.items():
        path = _path(dotted)
        tree = parse(text, file)
        parent = tree.at(*path[:-1])
        key = path[-1]
        try:
            _set(wanted, path, value)
        except (LookupError, TypeError):
            raise ValueError(f"{dotted} is no key of the scenario") from None
        assert isinstance(parent.value, dict) and isinstance(key, str)  # or it could not have been set
        found = parent.value.get(key)
        in_braces = text[_index(text, parent.mark)] == "{"
        written = _scalar(value, in_braces)
        text = _replaced(text, found, written) if found is not None else _added(text, parent, before, f"{key}: {written}", in_braces)
        before.append(key)
    try:
        alone = parse(text, file).bare() == wanted
    except ScenarioError:  # the value carried the anchor that others refer to
        alone = False
    if not alone:
        raise ValueError(f"{', '.join(changes)} cannot be changed without changing something else")
    return text


def _path(dotted: str) -> list[str | int]:
    return [int(step[1:-1]) if step.startswith("[") else step for step in re.findall(r"\[\d+\]|[^.\[\]]+", dotted)]


def _scalar(value: str, in_braces: bool) -> str:
    """As it is, or in quotes where YAML would read it otherwise."""
    risky = _PLAIN.fullmatch(value) is None or ": " in value or value.endswith((":", " ")) or (in_braces and "," in value)
    return json.dumps(value, ensure_ascii=False) if risky else value


def _replaced(text: str, found: Node, written: str) -> str:
    """The new value at the place of the old one; a comment behind it keeps its column where there is room."""
    start, end = found.span
    if isinstance(found.value, list | dict):
        raise ValueError("a list or a block is not replaced by a single value")
    if start == end:  # left empty: "batches:"
        return f"{text[:start]} {written}{text[end:]}"
    rest = text[end:]
    if (gap := _COMMENT.match(rest)) is not None:
        width = max(1, len(gap[1]) - (len(written) - (end - start)))
        rest = " " * width + rest[gap.end() :]
    return text[:start] + written + rest


def _added(text: str, parent: Node, before: list[str], line: str, in_braces: bool) -> str:
    """A new key behind the last one changed so far, or behind the first that stands on one line."""
    single = [
        name for name, node in parent.items() if node.text is not None and node.key is not None and "\n" not in text[slice(*node.span)]
    ]
    chosen = next((name for name in reversed(before) if name in single), single[0] if single else None)
    if chosen is None:
        raise ValueError(f"there is no line beside which {line!r} could stand")
    place = parent.at(chosen)
    assert place.key is not None  # what `single` asks for
    end = place.span[1]
    if in_braces:
        return f"{text[:end]}, {line}{text[end:]}"
    end = text.find("\n", end)
    end = len(text) if end < 0 else end
    return f"{text[:end]}\n{' ' * (place.key.column - 1)}{line}{text[end:]}"


def _index(text: str, mark: Mark) -> int:
    at = 0
    for _ in range(mark.line - 1):
        at = text.index("\n", at) + 1
    return at + mark.column - 1


def _set(bare: Any, path: list[str | int], value: str) -> None:
    for step in path[:-1]:
        bare = bare[step]
    if not isinstance(bare, dict):
        raise TypeError
    bare[path[-1]] = value
