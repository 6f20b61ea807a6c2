"""In: the text of a YAML file. Out: `Node`, the same text as a tree in which every value and key knows its line and column.

Every plain scalar arrives as the text it was written as: `1:30`, `no`, `on`, `0755`, `12e3` and dates stay what the author typed, so none
of the types that YAML 1.1 guesses can be silently wrong. Keys must be plain words and unique. Anchors and merge keys work, within bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness.scenario.problems import Problem, ScenarioError

LARGEST_FILE = 1_000_000  # bytes; a scenario is a page or two
MOST_NODES = 20_000  # after aliases are followed: a few nested anchors can otherwise unfold to billions
DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file; both count from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Node:
    """One value of the file. `value` is None (left empty), text, a list of nodes, or a dict of nodes; `plain` means text without quotes."""

    value: str | list[Node] | dict[str, Node] | None
    mark: Mark
    key: Mark | None = None
    plain: bool = False
    span: tuple[int, int] = (0, 0)  # characters of the text, from and to, of a text value

    @property
    def text(self) -> str | None:
        """The value when it is text, else None."""
        return self.value if isinstance(self.value, str) else None

    def items(self) -> Iterator[tuple[str, Node]]:
        """Keys and values of a mapping; nothing for any other value."""
        return iter(self.value.items()) if isinstance(self.value, dict) else iter(())

    def at(self, *path: str | int) -> Node:
        """The node at this path, or the last one on the way to it that exists."""
        node = self
        for step in path:
            inner = node.value
            if isinstance(inner, dict) and isinstance(step, str) and step in inner:
                node = inner[step]
                continue
            if not (isinstance(inner, list) and isinstance(step, int) and step < len(inner)):
                break
            node = inner[step]
        return node

    def bare(self) -> object:
        """Plain Python values without marks: None, str, list and dict."""
        if isinstance(self.value, list):
            return [node.bare() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.bare() for key, node in self.value.items()}
        return self.value


def read(path: Path) -> tuple[str, Node]:
    """The file's text and its tree. Raises `ScenarioError` for a file that is absent, not text or not YAML."""
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise ScenarioError(
            [Problem(file=path, line=0, column=0, message="this is a folder", remedy="name one of the .yaml files in it")]
        ) from None
    except OSError as error:
        raise ScenarioError([Problem(file=path, line=0, column=0, message=f"cannot be read: {error.strerror}")]) from None
    if len(data) > LARGEST_FILE:
        raise ScenarioError(
            [Problem(file=path, line=0, column=0, message="is larger than 1 MB", remedy="a scenario is a page or two of YAML")]
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise ScenarioError(
            [Problem(file=path, line=line, column=column, message="is not UTF-8 text", remedy="save the file as UTF-8")]
        ) from None
    return text, parse(text, path)


def parse(text: str, file: Path) -> Node:
    """The tree of a YAML text. Raises `ScenarioError` with every duplicate key, odd key, tag and unbounded alias in it."""
    tree = _Tree(file)
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        at = Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise ScenarioError(
            [tree.problem(at, "holds a character that YAML does not allow", f"remove the character U+{ord(text[error.position]):04X}")]
        ) from None
    except yaml.MarkedYAMLError as error:
        raise ScenarioError([tree.problem(*_syntax(error, text))]) from None
    except RecursionError:
        raise ScenarioError([tree.problem(Mark(1, 1), "is nested too deeply to read")]) from None
    if root is None:
        raise ScenarioError([Problem(file=file, line=1, column=1, message="is empty", remedy="start from one of the files in scenarios/")])
    node = tree.build(root, None, 0)
    if tree.problems:
        raise ScenarioError(tree.problems)
    return node


def _syntax(error: yaml.MarkedYAMLError, text: str) -> tuple[Mark, str, str]:
    """YAML's own complaint with its place, in words for people who do not write YAML every day."""
    mark = error.problem_mark or error.context_mark
    at = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
    problem = error.problem or str(error)
    line = text.splitlines()[at.line - 1] if at.line <= len(text.splitlines()) else ""
    if "{" in problem or (("{{" in line or "${" in line) and "expected" in problem):
        return at, "braces in a value", 'put the whole value in quotes: "{{ ticket }}"'
    if "but got '['" in problem:
        return at, "brackets in a value", 'put the whole value in quotes: "json $.items[0].id"'
    if "\\t" in problem:
        return at, "a tab stands where only spaces may", "indent with spaces: two for each level"
    if "mapping values are not allowed" in problem:
        return at, "a second colon on this line", 'put the value in quotes: "…: …", or check the indentation'
    if "found another document" in problem:
        return at, "a second document begins here", "remove the line ---: one scenario a file"
    if "expected <block end>" in problem:
        return at, "this line is not indented like its neighbours, or mixes a list with keys", "align it with the lines of the same level"
    if "could not find expected ':'" in problem:
        return at, "a key without its colon", "write key: value"
    if "cannot start any token" in problem and mark:
        return at, f"a value cannot start with {line[mark.column : mark.column + 1]!r}", "put the value in quotes"
    if "undefined alias" in problem:
        return at, problem.replace("found undefined alias", "no anchor has the name"), "write &name where the value stands first"
    return at, f"is not YAML: {problem}" + (f" ({error.context})" if error.context else ""), "check quotes, brackets and indentation"


@dataclass
class _Tree:
    """Builds `Node`s from YAML's nodes and collects what is wrong on the way."""

    file: Path
    problems: list[Problem] = field(default_factory=list)
    built: int = 0
    open: list[yaml.Node] = field(default_factory=list)

    def problem(self, at: Mark, message: str, remedy: str = "") -> Problem:
        return Problem(file=self.file, line=at.line, column=at.column, message=message, remedy=remedy)

    def build(self, node: yaml.Node, key: Mark | None, depth: int) -> Node:
        at = _mark(node)
        self.built += 1
        if node in self.open:
            raise ScenarioError([self.problem(at, "an alias that contains itself", "write the value out")])
        if self.built > MOST_NODES or depth > DEEPEST:
            raise ScenarioError(
                [self.problem(at, "unfolds to more than a scenario can hold", "write the values out instead of repeating aliases")]
            )
        if node.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
            self.problems.append(self.problem(at, f"tags such as {node.tag} are not used in a scenario", "write the value alone"))
        if isinstance(node, yaml.ScalarNode):
            plain = node.style is None
            span = (node.start_mark.index, node.end_mark.index)
            return Node(None if plain and node.value in ("", "~", "null") else node.value, at, key, plain, span)
        self.open.append(node)
        try:
            if isinstance(node, yaml.SequenceNode):
                return Node([self.build(item, None, depth + 1) for item in node.value], at, key)
            assert isinstance(node, yaml.MappingNode)  # YAML has no fourth kind
            return Node(self.mapping(node, depth), at, key)
        finally:
            self.open.pop()

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key_node, value_node in node.value:
            at = _mark(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(
                    self.problem(at, "a key must be a plain word", 'values such as {{ ticket }} stand in quotes: "{{ ticket }}"')
                )
                continue
            name = key_node.value
            if node.flow_style and re.match(r"\d{3}\b", name) and value_node.value == "":
                remedy = "inside { } a comma begins the next key: write the number without commas, or in quotes"
                self.problems.append(self.problem(at, f'"{name}" is the rest of a number', remedy))
                continue
            if name == "<<" and key_node.style is None:
                for part in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                    if not isinstance(part, yaml.MappingNode):
                        self.problems.append(self.problem(at, "<< takes a block of keys", "name an anchor: <<: *name"))
                        continue
                    for inner, inner_value in self.build(part, at, depth + 1).items():
                        merged.setdefault(inner, inner_value)
                continue
            if name in own:
                first = own[name].key or own[name].mark
                self.problems.append(
                    self.problem(at, f'the key "{name}" stands here twice', f"the first is in line {first.line}: remove one")
                )
                continue
            own[name] = self.build(value_node, at, depth + 1)
        return {**merged, **own}


def _mark(node: yaml.Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)
