"""In: nothing. Out: the value types of the vocabulary: how each is read (reading.py, instant.py) and the JSON Schema of its written form.

After validation a Count is an int, a Duration seconds, a Percent a share from 0 to 1, a Rate something per second, a Price `Money`, an
Instant an aware datetime and a Length a `Spread`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from harness.scenario.instant import read_instant
from harness.scenario.reading import (
    Money,
    read_count,
    read_duration,
    read_factor,
    read_money,
    read_percent,
    read_rate,
    read_spread,
)
from harness.scenario.spread import Spread

__all__ = ["Count", "Duration", "Factor", "Instant", "Length", "Money", "Percent", "Price", "Rate", "Spread"]

# The patterns are for editors: generous, so that they never refuse what the readers take. They are ECMA-262 and Python alike.
_NUMBER = r"[0-9][0-9, .]*"
_UNIT = r"(ms|msec|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_PIECE = rf"({_NUMBER}|([Hh]alf )?[Aa]n?) *{_UNIT}"
_DURATION = rf"(0|{_PIECE}((,? *(and )?){_PIECE})*)"
_SPREAD = rf"(([Aa]bout|[Aa]round|[Rr]oughly|~) *)?{_DURATION}|([Ff]rom |[Bb]etween )?({_NUMBER}|{_DURATION}) *(to|and|–|-) *{_DURATION}"


def _schema(unit: str, description: str, pattern: str, *examples: object, numeric: str | None = None) -> WithJsonSchema:
    written: dict[str, Any] = {"type": "string", "pattern": rf"^\s*({pattern})\s*$"}
    if numeric:
        written = {"anyOf": [{"type": numeric, "minimum": 0}, written]}
    elif pattern in (_DURATION, _SPREAD):
        written = {"anyOf": [{"const": 0}, written]}
    return WithJsonSchema({"unit": unit, "description": description, **written, "examples": list(examples)})


Count = Annotated[
    int,
    BeforeValidator(read_count),
    _schema(
        "Count",
        "A whole number: 20,000 or 20000 or 2 million.",
        rf"{_NUMBER}(k|m|mn|bn|thousand|million|billion)?",
        "20,000",
        "2 million",
        numeric="integer",
    ),
]
Duration = Annotated[
    float,
    BeforeValidator(read_duration),
    _schema("Duration", "A duration with its unit: 45 min, 1 h 30 min, 800 ms.", _DURATION, "45 min", "1 h 30 min", "800 ms"),
]
Percent = Annotated[
    float,
    BeforeValidator(read_percent),
    _schema("Percent", "A percentage with its sign: 40%.", rf"{_NUMBER}(%|percent|per cent)", "40%", "2.9%"),
]
Factor = Annotated[
    float,
    BeforeValidator(read_factor),
    _schema("Factor", "A number: 0.3.", rf"{_NUMBER}%?", "0.3", numeric="number"),
]
Price = Annotated[
    Money,
    BeforeValidator(read_money),
    _schema(
        "Price",
        "An amount with its currency: 60 GBP or £60.",
        rf"{_NUMBER}([A-Za-z]{{3}}|[£€$¥₹])|([A-Za-z]{{3}}|[£€$¥₹]) *{_NUMBER}",
        "60 GBP",
        "£60",
    ),
]
Instant = Annotated[
    datetime,
    BeforeValidator(read_instant),
    _schema(
        "Instant",
        "A date, a time and its zone.",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2})? *[A-Za-z+-].*",
        "2026-12-03 15:00 Europe/London",
    ),
]
Rate = Annotated[
    float,
    BeforeValidator(read_rate),
    _schema("Rate", "A rate: 50/s, 3,000 a minute, 200,000 an hour.", rf"{_NUMBER}.*{_UNIT}", "50/s", "3,000 a minute", "200,000 an hour"),
]
Length = Annotated[
    Spread,
    BeforeValidator(read_spread),
    _schema(
        "Length",
        "How long it lasts: 20 min (always), 5 s to 20 s (all alike), about 8 s (mostly short, some long).",
        _SPREAD,
        "5 s to 20 s",
        "20 min",
        "about 8 s",
    ),
]
