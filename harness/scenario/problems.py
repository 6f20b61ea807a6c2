"""In: what is wrong with a scenario. Out: `Problem` (file, line, column, message, remedy), and `ScenarioError` with all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake at one place. `line` and `column` count from 1; 0 means the file as a whole. `remedy` says what to write instead."""

    file: Path
    line: int
    column: int
    message: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str | int]:
        """For machines."""
        return {"file": str(self.file), "line": self.line, "column": self.column, "message": self.message, "remedy": self.remedy}

    def __str__(self) -> str:
        where = [str(part) for part in (self.line, self.column) if part]
        place = ":".join([str(self.file), *where]) + ": "
        return place + self.message + (f" ({self.remedy})" if self.remedy else "")


class ScenarioError(Exception):
    """A scenario that cannot be used. `problems` holds every mistake that was found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(map(str, self.problems)))


def near(word: str, valid: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The valid word that was most likely meant, or None. Case, dashes and spaces do not count."""
    known = {_plain(candidate): candidate for candidate in valid}
    found = get_close_matches(_plain(word), known, 1, cutoff)
    return known[found[0]] if found else None


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")
