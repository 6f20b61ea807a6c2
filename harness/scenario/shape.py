"""In: `Node`, a scenario as it is written. Out: `Node`, the same in the shape of the models, each value still at its own place.

What people write short is opened here: `- page: /shop` becomes a step of kind page with its line, a promise's sentence becomes its demand,
`extract: {ticket: json $.ticket}` becomes a name, a source and an expression. Unknown keys are reported here, with the key that was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from harness.scenario import model
from harness.scenario.problems import Problem, near
from harness.scenario.promises import read_promise
from harness.scenario.source import Mark, Node

STEPS: dict[str, type[model.Step]] = {"get": model.Get, "post": model.Post, "page": model.Page, "think": model.Think, "watch": model.Watch}
VERBS = {
    **dict.fromkeys(("visit", "open", "goto", "load", "url"), "page"),
    **dict.fromkeys(("wait", "pause", "sleep", "read"), "think"),
    **dict.fromkeys(("submit", "send", "put", "patch"), "post"),
    **dict.fromkeys(("request", "fetch"), "get"),
    **dict.fromkeys(("view", "stream", "play", "live", "video"), "watch"),
}
CAMPAIGNS: dict[str, type[model.Model]] = {"email_blast": model.EmailBlast, "webcast": model.Webcast, "viral_spike": model.ViralSpike}
TYPES = {
    **dict.fromkeys(("email", "mail", "newsletter", "mailing", "blast"), "email_blast"),
    **dict.fromkeys(("webinar", "live", "stream", "event"), "webcast"),
    **dict.fromkeys(("viral", "social", "post", "spike"), "viral_spike"),
}
_INTERNAL = {"line", "file"}
_OPENED = {"kind", "url", "pause"}  # of a step: said by its first key


def written_keys(kind: type[model.Model]) -> list[str]:
    """The keys that an author may write in a block of this model, in the order of the model."""
    hidden = _INTERNAL | _OPENED if issubclass(kind, model.Step) else _INTERNAL
    return [info.alias or name for name, info in kind.model_fields.items() if name not in hidden]


@dataclass
class Shaper:
    """Opens the written form and collects what is wrong with its keys. `meant` holds the keys that a misspelt one stood for."""

    file: Path
    problems: list[Problem] = field(default_factory=list)
    meant: set[tuple[Mark, str]] = field(default_factory=set)

    def scenario(self, root: Node) -> Node:
        """The whole file."""
        found = self.block(root, written_keys(model.Scenario), "a scenario")
        self.open(found, "campaign", self.campaign)
        self.open(found, "target", lambda node: self.block(node, written_keys(model.Target), "target"))
        self.open(found, "business", lambda node: self.block(node, written_keys(model.Business), "business"))
        self.open(found, "promises", lambda node: self.each(node, self.promise))
        self.open(found, "journeys", lambda node: self.each(node, self.journey))
        target = found.value.get("target") if isinstance(found.value, dict) else None
        if target is not None:
            self.open(target, "allow", self.listed)
        return found

    def campaign(self, node: Node) -> Node:
        kind = node.value.get("type") if isinstance(node.value, dict) else None
        if not isinstance(node.value, dict):
            return node
        if kind is None or kind.text not in CAMPAIGNS:
            place, name = (kind.mark, kind.text or "") if kind else (node.key or node.mark, "")
            wanted = TYPES.get(name.lower()) or near(name, CAMPAIGNS) if name else None
            message = f'"{name}" is not a type of campaign' if name else "the campaign has no type"
            self.report(place, message, f"did you mean {wanted}?" if wanted else f"write type: {', '.join(CAMPAIGNS)}")
            return Node(None, node.mark, node.key)
        return self.block(node, written_keys(CAMPAIGNS[kind.text]), f"a campaign of type {kind.text}")

    def journey(self, node: Node) -> Node:
        found = self.block(node, written_keys(model.Journey), "a journey")
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
        if not kinds:
            first = next(iter(node.value), "")
            wanted = VERBS.get(first.lower()) or near(first, STEPS)
            place = node.value[first].key if first else node.mark
            self.report(
                place or node.mark,
                f'"{first}" is not a kind of step',
                f"did you mean {wanted}?" if wanted else f"a step starts with one of {', '.join(STEPS)}",
            )
            return Node(None, node.mark)
        if len(kinds) > 1:
            self.report(
                node.value[kinds[1]].key or node.mark, f"one step with both {kinds[0]} and {kinds[1]}", f"start a new step: - {kinds[1]}: …"
            )
        kind, rest = kinds[0], {key: value for key, value in node.value.items() if key not in kinds}
        found = self.block(Node(rest, node.mark, node.key), written_keys(STEPS[kind]), f"a {kind} step")
        assert isinstance(found.value, dict)
        main = "pause" if kind == "think" else "url"
        found.value |= {"kind": Node(kind, node.mark), main: node.value[kind]}
        self.open(found, "check", self.check)
        self.open(found, "extract", self.extract)
        self.open(
            found,
            "meanwhile",
            lambda polls: self.each(polls if isinstance(polls.value, list) else Node([polls], polls.mark, polls.key), self.poll),
        )
        if kind == "post":
            self.open(found, "json", lambda body: Ready(None, body.mark, body.key, ready=typed(body)))
        return self.with_line(found)

    def poll(self, node: Node) -> Node:
        found = self.block(node, written_keys(model.Poll), "a request of meanwhile")
        self.open(found, "check", self.check)
        return self.with_line(found)

    def check(self, node: Node) -> Node:
        if node.text is not None:
            return Node({"contains": Node([node], node.mark)}, node.mark, node.key)
        found = self.block(node, written_keys(model.Check), "a check")
        for key in ("contains", "lacks", "status"):
            self.open(found, key, self.listed)
        return found

    def extract(self, node: Node) -> Node:
        if not isinstance(node.value, dict):
            self.report(node.mark, "extract takes names and where to find them", "write extract: {ticket: json $.ticket}")
            return Node([], node.mark, node.key)
        opened = []
        for name, value in node.value.items():
            source, _, expression = (value.text or "").partition(" ")
            if source not in ("json", "regex", "header") or not expression.strip():
                guess = "json " + source if source.startswith("$") else None
                self.report(value.mark, f'"{value.text or ""}" does not say where {name} is found', f"did you mean {guess}?" if guess else
                            'write json $.ticket, header Location, or regex name="t" value="(.+?)"')  # fmt: skip
                continue
            parts = {
                "name": Node(name, value.key or value.mark),
                "source": Node(source, value.mark),
                "expression": Node(expression.strip(), value.mark),
            }
            opened.append(Node(dict(parts), value.key or value.mark))
        return Node(list(opened), node.mark, node.key)

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

    def block(self, node: Node, keys: Iterable[str], what: str) -> Node:
        """The block with its known keys only; each unknown one is reported with the key that was probably meant."""
        if not isinstance(node.value, dict):
            return node
        keys = list(keys)
        for key, value in node.items():
            if key in keys:
                continue
            wanted = near(key, [candidate for candidate in keys if candidate not in node.value]) or near(key, keys, 0.8)
            if wanted:
                self.meant.add((node.mark, wanted))
            remedy = f"did you mean {wanted}?" if wanted else f"it may hold {', '.join(keys)}"
            self.report(value.key or value.mark, f'{what} has no key "{key}"', remedy)
        return Node({key: value for key, value in node.items() if key in keys}, node.mark, node.key)

    def with_line(self, node: Node) -> Node:
        if isinstance(node.value, dict):
            node.value["line"] = Node(str(node.mark.line), node.mark)
        return node

    def report(self, at: Mark, message: str, remedy: str = "") -> None:
        self.problems.append(Problem(file=self.file, line=at.line, column=at.column, message=message, remedy=remedy))


@dataclass(slots=True)
class Ready(Node):
    """A node whose Python value is already made: a promise's demand, the body of a JSON request."""

    ready: object = None

    def bare(self) -> object:
        return self.ready


def typed(node: Node) -> object:
    """A JSON body: unquoted true, false, null and numbers (as JSON writes them) are such; everything else, `no` and `0755` too, is text."""
    import json

    if isinstance(node.value, list):
        return [typed(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: typed(value) for key, value in node.items()}
    if node.plain and node.value is not None:
        try:
            return json.loads(node.value)
        except ValueError:
            return node.value
    return node.value
