"""In: text with `{{ variables }}`, and the expressions of `extract`. Out: which variables a text uses, and the steps of a JSON path.

A template may name a variable and nothing else: no filters, no arithmetic, no code. `visitor.email`, `visitor.id`, `visitor.number` and
`visitor.name` exist from the start; every other variable must have been extracted by an earlier step of the same journey.
"""

from __future__ import annotations

import re

VISITOR = ("visitor.email", "visitor.id", "visitor.name", "visitor.number")
TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")  # to an environment variable, filled in when the test runs
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_PART = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(-?\d+)\]|\[(?:'([^']*)'|\"([^\"]*)\")\]")


def variables(text: str) -> tuple[str, ...]:
    """What stands between the braces, in order, trimmed; not checked."""
    return tuple(found.strip() for found in TEMPLATE.findall(text))


def json_path(text: str) -> tuple[str | int, ...]:
    """`$.a.b[0]['c d']` as ("a", "b", 0, "c d"). Raises ValueError with the place where it stops making sense."""
    if not text.startswith("$"):
        raise ValueError("a JSON path starts with $, such as $.ticket")
    parts: list[str | int] = []
    at = 1
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise ValueError(f"the JSON path cannot be read from {text[at:]!r} on: write keys as .name or ['name'] and places as [0]")
        name, place, single, double = found.groups()
        parts.append(int(place) if place is not None else next(key for key in (name, single, double) if key is not None))
        at = found.end()
    return tuple(parts)
