"""In: the path of a scenario file. Out: `Scenario`, or `ScenarioError` with every mistake at once, each at its line with a remedy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.scenario import parts, rules, source
from harness.scenario.messages import translate
from harness.scenario.model import Scenario
from harness.scenario.problems import Problem as Problem
from harness.scenario.problems import ScenarioError as ScenarioError
from harness.scenario.problems import near
from harness.scenario.secrets import redacted as redacted
from harness.scenario.shape import Shaper
from harness.scenario.source import Node

FOLDER = Path("scenarios")


def load(path: Path | str) -> Scenario:
    """The scenario of one file, with the files that it names. Raises `ScenarioError`."""
    file = Path(path)
    _, tree = source.read(file)
    return _read(tree, file)


def parse(text: str, file: Path = FOLDER / "scenario.yaml") -> Scenario:
    """The scenario of a text; `file` is what messages and the scenario itself call it, and where the files stand that it names."""
    return _read(source.parse(text, file), file)


def _read(tree: Node, file: Path, follow: bool = True) -> Scenario:
    shaper = Shaper(file)
    shaped = shaper.scenario(tree)
    problems = shaper.problems
    bare: Any = shaped.bare()
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate(bare | {"file": file} if isinstance(bare, dict) else bare)
    except ValidationError as error:
        problems += translate(error, shaped, shaper)
    known = parts.of_scenario(scenario) if scenario else parts.of_values(bare)
    problems += rules.check(known, shaped, file)
    if problems or scenario is None:
        raise ScenarioError(dict.fromkeys(problems))
    if not follow or scenario.campaign.type not in ("measured", "calendar"):
        return scenario
    from harness.scenario.beside import joined

    return joined(scenario, shaped, lambda other: _read(source.read(other)[1], other, follow=False))


def resolve(name: str | Path, folder: Path = FOLDER) -> Path:
    """A path as it is given, or the bare name of a file in `folder`. Raises `ScenarioError` with the scenario that was probably meant."""
    given = Path(name)
    if given.is_file():
        return given
    bare = len(given.parts) == 1 and given.suffix in ("", ".yaml", ".yml")
    if bare:
        for suffix in (given.suffix,) if given.suffix else (".yaml", ".yml"):
            found = folder / f"{given.stem}{suffix}"
            if found.is_file():
                return found
    place = folder if bare else given.parent
    known = sorted({found.stem for found in place.glob("*.y*ml")}) if place.is_dir() else []
    wanted = near(given.stem, known)
    remedy = (
        f"did you mean {wanted if bare else place / (wanted + '.yaml')}?"
        if wanted
        else f"there are {', '.join(known)}"
        if known
        else "name a .yaml file"
    )
    where = f"there is no scenario of this name in {place}/" if bare else "there is no such file"
    raise ScenarioError([Problem(file=given, line=0, column=0, message=where, remedy=remedy)])


def sha256(path: Path) -> str:
    """The fingerprint of the file as it stands, in hexadecimal digits: two runs of the same file carry the same one."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
