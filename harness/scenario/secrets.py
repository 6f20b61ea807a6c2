"""In: a scenario's text or its models, and the environment. Out: the text without secrets, and the models with `${NAME}` filled in.

A secret is written `${NAME}` in a header, a form, a JSON body or an address. It is filled in when the test runs, never when the file is
read, so that no report, message or copy of the scenario ever holds it. Secrets that were written out all the same are blanked in copies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.scenario.model import Scenario
from harness.scenario.problems import Problem, ScenarioError
from harness.scenario.source import Node, parse
from harness.scenario.templates import REFERENCE

BLANK = '"[redacted]"'
_SECRET = re.compile(
    r"auth(?!ors?$)|cookie|token|secret|passw|pwd|(?:api|access|private)[-_ ]?key|credential|session|signature|[cx]srf|bearer|\bpin\b|otp",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(
    r"([?&;][^=&\s\"']*(?:token|secret|passw|pwd|key|auth|session|signature|sig)[^=&\s\"']*=)([^&\s\"'#}]+)", re.IGNORECASE
)
_USER = re.compile(r"(https?://)[^/?#@\s\"']+@", re.IGNORECASE)


def references(scenario: Scenario) -> tuple[str, ...]:
    """The names of the environment variables that the steps refer to, each once, in order."""
    return tuple(dict.fromkeys(name for text in _texts(scenario.model_dump()["journeys"]) for name in REFERENCE.findall(text)))


def filled(scenario: Scenario, environment: Mapping[str, str]) -> Scenario:
    """The scenario that is run: every `${NAME}` in its steps replaced. Raises `ScenarioError` naming every variable that is not set."""
    wanted = references(scenario)
    missing = [name for name in wanted if name not in environment]
    if missing:
        raise ScenarioError(_missing(scenario, missing))
    if not wanted:
        return scenario

    def fill(text: str) -> str:
        return REFERENCE.sub(lambda found: environment[found[1]], text)

    return scenario.model_copy(
        update={
            "journeys": tuple(
                journey.model_copy(update={"steps": tuple(step.model_copy(update=_replaced(step, fill)) for step in journey.steps)})
                for journey in scenario.journeys
            )
        }
    )


def sounds_secret(name: str) -> bool:
    """True for the name of a header, field or parameter whose value should not be shown."""
    return _SECRET.search(name) is not None


def redacted(text: str, file: Path = Path("scenario.yaml")) -> str:
    """The text of a scenario with every secret blanked that stands in a header, form field, JSON body or address; `${NAME}` stays."""
    for start, end in sorted(set(_spans(parse(text, file))), reverse=True):
        kept = end - start - len(text[start:end].rstrip())  # the line break that ends a block of text
        text = text[:start] + BLANK + text[end - kept :]
    return _USER.sub(r"\1[redacted]@", _IN_ADDRESS.sub(_blank_value, text))


def _blank_value(found: re.Match[str]) -> str:
    return found[0] if REFERENCE.search(found[2]) or "{{" in found[2] else f"{found[1]}[redacted]"


def _spans(node: Node, secret: bool = False) -> Iterator[tuple[int, int]]:
    """Where the values of keys stand that sound like a secret, but for references and for variables of the visitor."""
    if node.text is not None:
        if secret and not _refers(node.text):
            yield node.span
    elif isinstance(node.value, list):
        for item in node.value:
            yield from _spans(item, secret)
    for key, value in node.items():
        if key == "extract":
            continue  # names of variables and where they are found, not their values
        yield from _spans(value, secret or sounds_secret(key))


def _refers(text: str) -> bool:
    """True when nothing is left of a value but references, variables and the name of a scheme."""
    rest = re.sub(r"\{\{.*?\}\}", "", REFERENCE.sub("", text))
    return rest != text and re.fullmatch(r"\W*((bearer|basic|token|session|[\w-]+=)\W*)*", rest, re.IGNORECASE) is not None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _texts(part)


def _replaced(step: Any, fill: Any) -> dict[str, Any]:
    """New values for the fields of a step that may hold a reference. The name stays that of the reference: reports show it."""
    new: dict[str, Any] = {"name": step.label} if REFERENCE.search(getattr(step, "url", "")) else {}
    for name in ("url", "headers", "form", "json_body"):
        value = getattr(step, name, None)
        if value is not None:
            new[name] = _filled(value, fill)
    if getattr(step, "meanwhile", ()):
        new["meanwhile"] = tuple(poll.model_copy(update={"get": fill(poll.get), "name": poll.label}) for poll in step.meanwhile)
    return new


def _filled(value: Any, fill: Any) -> Any:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {key: _filled(part, fill) for key, part in value.items()}
    return [_filled(part, fill) for part in value] if isinstance(value, list) else value


def _missing(scenario: Scenario, names: list[str]) -> Iterator[Problem]:
    for journey in scenario.journeys:
        for step in journey.steps:
            for name in dict.fromkeys(name for text in _texts(step.model_dump()) for name in REFERENCE.findall(text)):
                if name in names:
                    yield Problem(
                        file=scenario.file,
                        line=step.line,
                        column=0,
                        message=f"the environment variable {name} is not set",
                        remedy=f"set it for this command: {name}=… surge run {scenario.file.stem}",
                    )
