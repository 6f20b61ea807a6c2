"""In: `Node`, a scenario as it is written. Out: `Node`, the same in the shape of the models, each value still at its own place.

What people write short is opened here: `- page: /shop` becomes a step of kind page with its line, a promise's sentence becomes its demand,
`extract: {ticket: json $.ticket}` becomes a name, a source and an expression. Unknown keys are reported here (keys.py); one that is
clearly misspelt is read as the key that was meant, so that what stands below it is judged in the same go.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pydantic_core import PydanticCustomError

from harness.scenario import model
from harness.scenario.campaign import CAMPAIGNS
from harness.scenario.keys import STEPS, SYNONYMS, TYPES, VERBS, home, inner_model, written_keys
from harness.scenario.problems import Problem, near
from harness.scenario.promises import read_promise
from harness.scenario.source import Mark, Node

SURE = 0.75  # so alike that the misspelt key is read as the known one


@dataclass
class Shaper:
    """Opens the written form and collects what is wrong with its keys. `meant` holds the keys that a misspelt one may have stood for."""

    file: Path
    problems: list[Problem] = field(default_factory=list)
    meant: set[tuple[Mark, str]] = field(default_factory=set)

    def scenario(self, root: Node) -> Node:
        """The whole file."""
        found = self.block(root, model.Scenario, "a scenario")
        self.open(found, "campaign", self.campaign)
        self.open(found, "promises", lambda node: self.each(node, self.promise))
        self.open(found, "journeys", lambda node: self.each(node, self.journey))
        self.open(found.at("target"), "allow", self.listed)
        return found

    def campaign(self, node: Node) -> Node:
        if not isinstance(node.value, dict):
            return node
        kind = node.value.get("type")
        name = (kind.text or "") if kind else ""
        if kind is None or name not in CAMPAIGNS:
            wanted = TYPES.get(name.lower()) or near(name, CAMPAIGNS) if name else None
            message = f'"{name}" is not a type of campaign' if name else "the campaign has no type"
            place = (kind.mark if name else kind.key or kind.mark) if kind else node.key or node.mark
            self.report(place, message, f"did you mean {wanted}?" if wanted else f"write type: {', type: '.join(CAMPAIGNS)}")
            if wanted is None:
                return Node(None, node.mark, node.key)
            name = wanted
        value = {**node.value, "type": Node(name, kind.mark if kind else node.mark, kind.key if kind else None)}
        return self.block(Node(value, node.mark, node.key), CAMPAIGNS[name], f"a campaign of type {name}")

    def journey(self, node: Node) -> Node:
        found = self.block(node, model.Journey, "a journey")
        self.open(found, "steps", lambda steps: self.each(steps, self.step))
        return self.with_line(found)

    def step(self, node: Node) -> Node:
        if not isinstance(node.value, dict):
            self.report(
                node.mark,
                f'"{node.text}" is not a step' if node.text else "an empty step",
                "write for example page: /shop, or think: 5 s to 20 s",
            )
            return Node(None, node.mark)
        kinds = [key for key in node.value if key in STEPS]
        value = dict(node.value)
        if not kinds:
            first = next(iter(value), "")
            wanted = VERBS.get(first.lower()) or near(first, STEPS)
            place = value[first].key if first else node.mark
            self.report(
                place or node.mark,
                f'"{first}" is not a kind of step',
                f"did you mean {wanted}?" if wanted else f"a step starts with one of {', '.join(STEPS)}",
            )
            if wanted is None or first.lower() in VERBS:
                return Node(None, node.mark)
            value = {wanted if key == first else key: one for key, one in value.items()}
            kinds = [wanted]
        if len(kinds) > 1:
            self.report(
                value[kinds[1]].key or node.mark, f"one step with both {kinds[0]} and {kinds[1]}", f"start a new step: - {kinds[1]}: …"
            )
        kind = kinds[0]
        rest: Node = Node({key: one for key, one in value.items() if key not in kinds}, node.mark, node.key)
        found = self.block(rest, STEPS[kind], f"a {kind} step")
        assert isinstance(found.value, dict)
        found.value |= {"kind": Node(kind, node.mark), "pause" if kind == "think" else "url": value[kind]}
        self.open(found, "check", self.check)
        self.open(found, "extract", self.extract)
        self.open(found, "meanwhile", lambda polls: self.each(self.listed(polls), self.poll))
        self.open(found, "json", lambda body: Ready(None, body.mark, body.key, ready=typed(body)))
        return self.with_line(found)

    def poll(self, node: Node) -> Node:
        found = self.block(node, model.Poll, "a request of meanwhile")
        self.open(found, "check", self.check)
        return self.with_line(found)

    def check(self, node: Node) -> Node:
        if node.text is not None:
            return Node({"contains": Node([node], node.mark)}, node.mark, node.key)
        found = self.block(node, model.Check, "a check")
        for key in ("contains", "lacks", "status"):
            self.open(found, key, self.listed)
        return found

    def extract(self, node: Node) -> Node:
        if not isinstance(node.value, dict):
            self.report(node.mark, "extract takes names and where to find them", "write extract: {ticket: json $.ticket}")
            return Node([], node.mark, node.key)
        opened: list[Node] = []
        for name, value in node.value.items():
            source, _, expression = (value.text or "").partition(" ")
            if source not in ("json", "regex", "header") or not expression.strip():
                guess = f"json {source}" if source.startswith("$") else None
                example = 'write json $.ticket, header Location, or regex name="t" value="(.+?)"'
                self.report(
                    value.mark, f'"{value.text or ""}" does not say where {name} is found', f"did you mean {guess}?" if guess else example
                )
                source, expression = "json", "$"  # the name is known from here on, so that its users are not reported too
            place = value.key or value.mark
            parts = {"name": Node(name, place), "source": Node(source, value.mark), "expression": Node(expression.strip(), value.mark)}
            opened.append(Node(parts, place))
        return Node(opened, node.mark, node.key)

    def promise(self, node: Node) -> Node:
        if node.text is None:
            self.report(node.mark, "a promise is one sentence", "write for example - 95% of responses within 800 ms")
            return Node(None, node.mark)
        try:
            demand = read_promise(node.text)
        except PydanticCustomError as error:
            context: dict[str, Any] = error.context or {}
            self.report(node.mark, context["what"], context["remedy"])
            return Node(None, node.mark)
        parts: dict[str, object] = {
            "text": node.text,
            "line": node.mark.line,
            "kind": demand.kind,
            "limit": demand.limit,
            "share": demand.share,
        }
        return Ready(None, node.mark, ready=parts)

    def listed(self, node: Node) -> Node:
        """One value where several may stand."""
        return node if isinstance(node.value, list) or node.value is None else Node([node], node.mark, node.key)

    def each(self, node: Node, change: Callable[[Node], Node]) -> Node:
        return Node([change(item) for item in node.value], node.mark, node.key) if isinstance(node.value, list) else node

    def open(self, node: Node, key: str, change: Callable[[Node], Node]) -> None:
        """Replace the value of one key, where the block has it."""
        if isinstance(node.value, dict) and key in node.value and node.value[key].value is not None:
            node.value[key] = change(node.value[key])

    def block(self, node: Node, kind: type[model.Model], what: str) -> Node:
        """The block with the keys of its model only, and so for the blocks in it; each unknown key is reported."""
        if not isinstance(node.value, dict):
            return node
        keys = written_keys(kind)
        known: dict[str, Node] = {}
        for key, value in node.items():
            name = key if key in keys else self.misspelt(key, value, node, keys, what)
            if name is None:
                continue
            inner = inner_model(kind, name)
            if inner and isinstance(value.value, list):
                value = self.each(value, lambda item, inner=inner, name=name: self.block(item, inner, name))  # type: ignore[misc]
            elif inner:
                value = self.block(value, inner, name)
            known[name] = value
        return Node(known, node.mark, node.key)

    def misspelt(self, key: str, value: Node, node: Node, keys: list[str], what: str) -> str | None:
        """Report an unknown key. Returns the key to read it as, where it is clear which one was meant and that is free."""
        free = [candidate for candidate in keys if not (isinstance(node.value, dict) and candidate in node.value)]
        synonym = SYNONYMS.get(key.lower().replace("-", "_"))
        synonym = synonym if synonym in free else None
        wanted = synonym or near(key, free) or near(key, keys, 0.8)
        if wanted:
            self.meant.add((node.mark, wanted))
        place = home(key) if not wanted else None
        remedy = f"did you mean {wanted}?" if wanted else f"it belongs {place}" if place else f"it may hold {', '.join(keys)}"
        self.report(value.key or value.mark, f'{what} has no key "{key}"', remedy)
        return synonym or near(key, free, SURE)

    def with_line(self, node: Node) -> Node:
        if isinstance(node.value, dict):
            node.value["line"] = Node(str(node.mark.line), node.mark)
        return node

    def report(self, at: Mark, message: str, remedy: str = "") -> None:
        self.problems.append(self.problem(at, message, remedy))

    def problem(self, at: Mark, message: str, remedy: str) -> Problem:
        return Problem(file=self.file, line=at.line, column=at.column, message=message, remedy=remedy)


@dataclass(slots=True)
class Ready(Node):
    """A node whose Python value is already made: a promise's demand, the body of a JSON request."""

    ready: object = None

    def bare(self) -> object:
        return self.ready


def typed(node: Node) -> object:
    """A JSON body: unquoted true, false, null and numbers (as JSON writes them) are such; everything else, `no` and `0755` too, is text."""
    if isinstance(node.value, list):
        return [typed(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: typed(value) for key, value in node.items()}
    if node.plain and node.value is not None:
        try:
            return json.loads(node.value, parse_constant=_no_constant)
        except ValueError:
            return node.value
    return node.value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are words of Python's reader, not of JSON
