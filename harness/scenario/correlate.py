"""In: the answers of a recorded visit. Out: where a value that a later request sends came from, as an `extract` would say it.

A ticket, an order's number or a form's hidden token is different for every visitor: replaying the recorded one would test the wrong thing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from harness.scenario.har import Exchange

SHORTEST = 6  # a shorter value is found in any answer by chance
_INPUT = re.compile(r"<(?:input|meta)\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """A value that exchange number `exchange` answered with: the variable's name and the expression that finds it again."""

    exchange: int
    name: str
    value: str
    expression: str


def origins(exchanges: tuple[Exchange, ...]) -> list[Origin]:
    """Every value that an answer gave and a later request sent, at its first appearance, under a name of its own."""
    found: list[Origin] = []
    names: set[str] = set()
    values: set[str] = set()
    for number, exchange in enumerate(exchanges):
        later = exchanges[number + 1 :]
        for name, value, expression in _offered(exchange):
            if value in values or not any(_sends(one, value) for one in later):
                continue
            values.add(value)
            plain = re.sub(r"\W+", "_", name).strip("_").lower() or "value"
            plain = f"v_{plain}" if plain[0].isdigit() or plain == "visitor" else plain
            unique = next(word for word in (plain, *(f"{plain}_{n}" for n in range(2, 1000))) if word not in names)
            names.add(unique)
            found.append(Origin(exchange=number, name=unique, value=value, expression=expression))
    return found


def _sends(exchange: Exchange, value: str) -> bool:
    fields = [field for _, field in exchange.form or ()]
    return value in exchange.path or quote(value, safe="") in exchange.path or value in fields or value in list(_strings(exchange.body))


def _offered(exchange: Exchange) -> Iterator[tuple[str, str, str]]:
    """Name, value and expression of whatever an answer offers for later: leaves of JSON, hidden fields and metas of HTML."""
    if "json" in exchange.mime:
        try:
            yield from _leaves(json.loads(exchange.text), "$", "value")
        except (ValueError, RecursionError):
            return
    elif "html" in exchange.mime:
        for tag in _INPUT.findall(exchange.text):
            attributes = {name.lower(): html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(tag)}
            name, value = attributes.get("name", ""), attributes.get("value") or attributes.get("content") or ""
            if name and len(value) >= SHORTEST and attributes.get("type", "hidden") == "hidden":
                around = re.escape(tag).replace("\\ ", " ")
                yield name, value, "regex " + around.replace(re.escape(html.escape(value)).replace("\\ ", " "), "([^\"']+)", 1)


def _leaves(value: Any, path: str, name: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            step = f".{key}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) else f"['{key}']"
            if "'" not in key:
                yield from _leaves(part, path + step, key)
    elif isinstance(value, list):
        for place, part in enumerate(value[:50]):
            yield from _leaves(part, f"{path}[{place}]", name)
    elif isinstance(value, str) and len(value) >= SHORTEST:
        yield name, value, f"json {path}"
    elif isinstance(value, int) and not isinstance(value, bool) and len(str(value)) >= SHORTEST:
        yield name, str(value), f"json {path}"


def _strings(body: object) -> Iterator[str]:
    if isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from _strings(part)
    elif body is not None:
        yield str(body)
