"""In: pydantic's complaints about the shaped tree. Out: `Problem`s at the author's own line and column, in the words of the file."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from harness.scenario.problems import Problem, near
from harness.scenario.shape import Ready, Shaper
from harness.scenario.source import Node

_EXPECTED = {
    "string_type": ("is text", "write one word or sentence here, no list and no block of keys"),
    "model_type": ("is a block of keys", "write the keys below it, indented by two spaces"),
    "model_attributes_type": ("is a block of keys", "write the keys below it, indented by two spaces"),
    "dict_type": ("is a block of keys", "write the keys below it, indented by two spaces"),
    "tuple_type": ("is a list", "start each entry below it with a dash"),
    "int_parsing": ("is a whole number", "write digits alone"),
    "int_type": ("is a whole number", "write digits alone"),
    "float_parsing": ("is a number", "write digits, with a point for decimals: 0.3"),
    "float_type": ("is a number", "write digits, with a point for decimals: 0.3"),
}
EXAMPLES = {
    "name": "name: Spring product webcast",
    "campaign": "campaign: with its type and size below",
    "promises": "promises: with - 95% of responses within 800 ms below",
    "journeys": "journeys: with at least one list of steps below",
    "share": "share: 85%",
    "steps": "steps: with at least - page: / below",
    "list_size": "list_size: 120,000",
    "sent_over": "sent_over: 30 min",
    "registrants": "registrants: 20,000",
    "seed_visitors": "seed_visitors: 5,000",
    "invited": "invited: 50,000",
    "curve": "curve: last-year.csv",
    "campaigns": "campaigns: with - scenario: webcast below",
    "scenario": "scenario: webcast",
    "visitors_a_day": "visitors_a_day: 5,000",
    "visitors": "visitors: 5,000",
    "at": "at: 20 min",
    "later": "later: 5 h",
    "conversion": "conversion: 3%",
    "value": "value: 60 GBP",
    "for": "for: 20 min",
    "every": "every: 10 s",
    "get": "get: /live/questions",
}


def translate(error: ValidationError, tree: Node, shaper: Shaper) -> list[Problem]:
    """One problem for each complaint that is not the echo of one that was reported while shaping."""
    return list(_translated(error, tree, shaper))


def _translated(error: ValidationError, tree: Node, shaper: Shaper) -> Iterator[Problem]:
    told = {problem.line for problem in shaper.problems}
    for complaint in error.errors(include_url=False):
        node, missing = find(tree, complaint["loc"])
        kind, context = complaint["type"], complaint.get("ctx", {})
        if kind == "missing":
            key = str(missing or complaint["loc"][-1])
            if (node.mark, key) not in shaper.meant:
                at = node.key or node.mark
                yield shaper.problem(at, f'{_what(complaint["loc"])} has no "{key}"', f"write {EXAMPLES.get(key, key + ': …')}")
            continue
        name, empty = _name(complaint["loc"]), node.value is None and not isinstance(node, Ready)
        if empty and told & {node.mark.line, node.key.line if node.key else 0}:
            continue  # the shaper has already said what is wrong here, and left a gap
        if empty:
            remedy = context["remedy"] if kind == "unit" else f"write {EXAMPLES.get(name, name + ': …')}"
            yield shaper.problem(node.key or node.mark, f"{name} has no value", remedy)
        elif kind == "unit":
            yield shaper.problem(node.mark, f"{name}: {context['what']}", context["remedy"])
        elif kind in ("literal_error", "enum"):
            choices = [choice.strip("' ") for choice in str(context.get("expected", "")).replace(" or ", ",").split(",")]
            wanted = near(node.text or "", choices)
            remedy = f"did you mean {wanted}?" if wanted else f"choose {' or '.join(choices)}"
            yield shaper.problem(node.mark, f'{name}: "{node.text}" is not one of {", ".join(choices)}', remedy)
        elif kind in _EXPECTED:
            what, remedy = _EXPECTED[kind]
            yield shaper.problem(node.mark, f"{name} {what}" + (f', not "{node.text}"' if node.text else ""), remedy)
        else:
            yield shaper.problem(node.mark, f"{name}: {complaint['msg']}", "")


def find(tree: Node, loc: tuple[int | str, ...]) -> tuple[Node, str | None]:
    """The node at a pydantic location, and the key that is missing there if the way ends early. Union tags in the way are passed over."""
    node = tree
    for step in loc:
        deeper = node.at(step)
        if deeper is node and isinstance(node.value, dict) and str(step) not in _tags(node):
            return node, str(step)
        node = deeper
    return node, None


def _tags(node: Node) -> set[str]:
    return {found.text or "" for key, found in node.items() if key in ("kind", "type")}


def _name(loc: tuple[int | str, ...]) -> str:
    """The key that the author wrote."""
    words = [str(part) for part in loc if isinstance(part, str)]
    last = words[-1] if words else "the scenario"
    return {"pause": "think", "url": "the address"}.get(last, last)


def _what(loc: tuple[int | str, ...]) -> str:
    """What a missing key is missing from."""
    owners = [part for part in loc if isinstance(part, str)][:-1]
    if not owners:
        return "the scenario"
    if owners[0] == "campaign":
        return f"the {owners[-1]} campaign"
    if "meanwhile" in owners:
        return "the request of meanwhile"
    if "steps" in owners:
        return f"the {owners[-1]} step"
    return {"journeys": "the journey"}.get(owners[-1], owners[-1])
