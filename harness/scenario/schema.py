"""In: the models. Out: the JSON Schema of a scenario file *as it is written*: quantities with their units, steps by their first key.

Editors read it through the first line of each file in scenarios/ and complete keys, explain them and underline mistakes while the author
types. It is generated and nothing else; `surge schema` prints it, and a test holds the committed copy current.
"""

from __future__ import annotations

import json
import re
from typing import Any

from harness.scenario import model
from harness.scenario.campaign import CAMPAIGNS
from harness.scenario.hints import hint
from harness.scenario.keys import STEPS, written_keys
from harness.scenario.spread import Spread, duration_text

Schema = dict[str, Any]
_TEXT: Schema = {"type": ["string", "number", "boolean"]}  # unquoted 1 or yes is text to us; the editor need not complain
_STEP_MAIN = {"get": "url", "post": "url", "page": "url", "watch": "url", "think": "pause"}
_PROMISE: Schema = {
    "type": "string",
    "description": "One line of the agreement: a share of responses within a time, or errors below a share.",
    "pattern": r"%|percent|[pP][0-9]{2}|percentile|median",
    "examples": ["95% of responses within 800 ms", "errors below 1%"],
}
_EXTRACT: Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "string",
        "pattern": r"^(json \$|regex .|header [A-Za-z])",
        "examples": ["json $.ticket", "header Location"],
    },
}


def schema() -> Schema:
    """The schema, draft 2020-12."""
    made = model.Scenario.model_json_schema()
    definitions: Schema = made.pop("$defs")
    found = {kind.__name__: kind for kind in _below(model.Model)}
    units: Schema = {}
    root = _object(model.Scenario, made, units)
    written = {
        name: _object(found[name], definition, units) for name, definition in definitions.items() if name not in ("Promise", "Extract")
    }
    for kind, step in STEPS.items():
        written[step.__name__] = _step(kind, step, written[step.__name__])
    root["properties"]["promises"] = {**root["properties"]["promises"], "items": _PROMISE, "minItems": 1}
    root["properties"]["journeys"]["minItems"] = 1
    written["Journey"]["properties"]["steps"] |= {"items": _by_first_key(), "minItems": 1}
    root["properties"]["campaign"] |= _by_type()
    root["properties"]["campaign"].pop("oneOf", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Surge scenario",
        **{key: value for key, value in root.items() if key != "title"},
        "$defs": dict(sorted({**written, **units}.items())),
    }


def text() -> str:
    """The committed copy, byte for byte what `surge schema` prints."""
    return json.dumps(schema(), indent=2) + "\n"


def _below(kind: type[Any]) -> set[type[Any]]:
    """Every model that builds on this one."""
    direct: set[type[Any]] = set(kind.__subclasses__())
    return direct.union(*map(_below, direct))


def _object(kind: type[model.Model], made: Schema, units: Schema) -> Schema:
    """One block: the keys that may be written, with their hints; without pydantic's titles and nulls."""
    keys = written_keys(kind)
    names = tuple(base.__name__ for base in kind.__mro__) + (("Campaign",) if kind in CAMPAIGNS.values() else ())
    properties = {key: _value(key, made["properties"][key], hint(names, key), units) for key in keys}
    return {
        "description": re.split(r"\n\n|(?<=\.) (?=Sources)", (kind.__doc__ or "").strip())[0],
        "type": "object",
        "properties": properties,
        "required": [key for key in made.get("required", []) if key in keys] + (["type"] if "type" in keys else []),
        "additionalProperties": False,
    }


def _value(key: str, made: Schema, words: str | None, units: Schema) -> Schema:
    value = {name: part for name, part in made.items() if name not in ("title", "default", "discriminator")}
    if "anyOf" in value and {"type": "null"} in value["anyOf"]:
        rest = [part for part in value.pop("anyOf") if part != {"type": "null"}]
        value |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    unit = value.pop("unit", None)
    if unit:
        units[unit] = dict(value)
        value = {"$ref": f"#/$defs/{unit}"}
    if key == "extract":
        value = dict(_EXTRACT)
    elif key == "check":
        value = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Check"}]}
    elif key in ("contains", "lacks", "allow"):
        value = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
    elif key == "status":
        value = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}
    elif key in ("form", "headers"):
        value = {"type": "object", "additionalProperties": _TEXT}
    elif key == "meanwhile":
        value = {"anyOf": [{"$ref": "#/$defs/Poll"}, {"type": "array", "items": {"$ref": "#/$defs/Poll"}}]}
    elif value == {"type": "string"} and key == "name":
        value = dict(_TEXT)
    if words:
        value["description"] = words
    default = _default(made.get("default"), unit)
    return value if default is None else {**value, "default": default}


def _default(value: Any, unit: str | None) -> Any:
    """A default as an author would write it."""
    if unit == "Percent" and isinstance(value, int | float):
        return f"{value * 100:g}%"
    if unit == "Duration" and isinstance(value, int | float):
        return duration_text(value)
    if unit == "Length" and isinstance(value, Spread):
        return str(value)
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _step(kind: str, step: type[model.Step], made: Schema) -> Schema:
    """A step: its first key says what it is."""
    main: Schema = {"$ref": "#/$defs/Length"} if kind == "think" else {"type": "string", "minLength": 1}
    words = hint((step.__name__,), kind)
    return {
        **made,
        "properties": {kind: {**main, "description": words}, **made["properties"]},
        "required": [kind, *made["required"]],
    }


def _by_first_key() -> Schema:
    """One branch a kind of step, chosen by its key, so that an editor's complaint is about the step that was begun."""
    return {
        "type": "object",
        "anyOf": [{"required": [kind]} for kind in STEPS],
        "allOf": [{"if": {"required": [kind]}, "then": {"$ref": f"#/$defs/{step.__name__}"}} for kind, step in STEPS.items()],
    }


def _by_type() -> Schema:
    """One branch a type of campaign, chosen by `type`."""
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(CAMPAIGNS), "description": hint(("Campaign",), "type")}},
        "allOf": [
            {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": {"$ref": f"#/$defs/{kind.__name__}"}}
            for name, kind in CAMPAIGNS.items()
        ],
    }
