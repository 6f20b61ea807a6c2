"""In: quantities as people write them ("20,000", "45 min", "40%", "60 GBP"). Out: the value types of the vocabulary.

Each type reads text and refuses what could be misread, with a remedy; from Python it takes the plain number as well (seconds, shares
from 0 to 1, whole visitors). Scenario files give text only (source.py), so a bare `90` in a file is refused and never taken for seconds.
Every type carries the JSON Schema of its written form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, NoReturn

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from harness.scenario.spread import Spread

__all__ = ["Count", "Duration", "Instant", "Length", "Money", "Percent", "Price", "Rate", "Spread", "parse"]

_SPACE = "[ \u00a0\u2009\u202f]"
NUMBER = rf"(?:\d{{1,3}}(?:(?:,|{_SPACE})\d{{3}})+|\d+)(?:\.\d+)?"
_NUMBER = re.compile(NUMBER)
_MULTIPLES = {"": 1, "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_UNITS = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_PIECE = re.compile(rf"({NUMBER}|an?|half an?)\s*({_UNIT})(?![a-z])(?:,?\s*(?:and\s+)?)?", re.IGNORECASE)
_SIGNS = {"£": "GBP", "€": "EUR", "$": "USD", "¥": "JPY", "₹": "INR"}


def refuse(what: str, remedy: str) -> NoReturn:
    """A value that does not say what it must; `remedy` is what to write instead."""
    raise PydanticCustomError("unit", "{what}: {remedy}", {"what": what, "remedy": remedy})


def number(text: str) -> float | None:
    """A number with thousands set apart by commas or spaces and a decimal point, or None."""
    return float(re.sub(rf",|{_SPACE}", "", text)) if _NUMBER.fullmatch(text) else None


def read_count(value: object) -> int:
    """Whole visitors, mails or viewers: 20000, "20,000", "2 million", "20k"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount: float | None = value
    else:
        text = _text(value, "a whole number", "20,000 or 2 million").lower()
        found = re.fullmatch(rf"({NUMBER})\s*({'|'.join(_MULTIPLES)})", text)
        amount = None if found is None else round((number(found[1]) or 0.0) * _MULTIPLES[found[2]], 6)
    if amount is None or amount < 0 or amount != int(amount):
        refuse(f"{_quoted(value)} is not a whole number", "write for example 20,000 or 20000 or 2 million")
    if re.fullmatch(r"\d{1,3}(\.\d{3})+", str(value)) and isinstance(value, str):
        refuse(f"{value} can be read in two ways", f"write {value.replace('.', ',')} or {value.replace('.', '')}")
    return int(amount)


def read_duration(value: object) -> float:
    """Seconds: "45 min", "1 h 30 min", "800 ms", "half an hour". Text without a unit is refused, but for 0."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not value >= 0:
            refuse(f"{value} is not a duration", "a duration cannot be negative")
        return float(value)
    text = _text(value, "a duration", "45 min or 800 ms")
    if text == "0":
        return 0.0
    if number(text) is not None:
        refuse(f"{text} has no unit", f"write {text} s, {text} min or {text} ms")
    if re.fullmatch(r"\d+:\d\d(:\d\d)?", text):
        first, second = text.split(":")[:2]
        refuse(f"{text} can be read in two ways", f"write {int(first)} h {int(second)} min or {int(first)} min {int(second)} s")
    seconds, at = 0.0, 0
    while at < len(text) and (piece := _PIECE.match(text, at)):
        amount = {"a": 1.0, "an": 1.0, "half a": 0.5, "half an": 0.5}.get(piece[1].lower()) or number(piece[1]) or 0.0
        seconds, at = seconds + amount * _UNITS[piece[2].lower()], piece.end()
    if at < len(text) or not text:
        refuse(f"{_quoted(value)} is not a duration", "write for example 45 min, 1 h 30 min or 800 ms")
    return round(seconds, 9)


def read_percent(value: object) -> float:
    """A share from 0 to 1: "40%". Text without the sign is refused; a number from Python is the share itself."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= 1:
            refuse(f"{value} is not a share", "a share lies between 0 and 1")
        return float(value)
    text = _text(value, "a percentage", "40%")
    found = re.fullmatch(rf"(-?)\s*({NUMBER})\s*(%|percent|per cent)", text, re.IGNORECASE)
    if found is None:
        bare = number(text)
        if bare is not None:
            refuse(f"{text} has no percent sign", f"write {_short(bare * 100 if bare <= 1 else bare)}%")
        if comma := re.fullmatch(r"(\d+),(\d{1,2}|\d{4,})\s*%", text):
            refuse(f"{text} has a decimal comma", f"write {comma[1]}.{comma[2]}%")
        refuse(f"{_quoted(value)} is not a percentage", "write for example 40% or 2.9%")
    share = round((number(found[2]) or 0.0) / 100, 12)
    if found[1] or share > 1:
        refuse(f"{text} is outside 0% to 100%", "write a percentage between 0% and 100%")
    return share


@dataclass(frozen=True, kw_only=True)
class Money:
    """An amount of money. `currency` is the three-letter code (ISO 4217)."""

    amount: float
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,.2f}".removesuffix(".00") + f" {self.currency}"


def read_money(value: object) -> Money:
    """An amount with its currency: "60 GBP", "£60", "EUR 1,200.50"."""
    if isinstance(value, Money):
        return value
    text = _text(value, "an amount of money", "60 GBP")
    found = re.fullmatch(rf"({NUMBER})\s*([A-Za-z]{{3}}|[£€$¥₹])", text)
    amount, currency = (found[1], found[2]) if found else ("", "")
    if not found and (found := re.fullmatch(rf"([A-Za-z]{{3}}|[£€$¥₹])\s*({NUMBER})", text)):
        amount, currency = found[2], found[1]
    if not found:
        if number(text) is not None:
            refuse(f"{text} has no currency", f"write {text} GBP, {text} EUR or {text} USD")
        refuse(f"{_quoted(value)} is not an amount of money", "write for example 60 GBP or £60")
    return Money(amount=number(amount) or 0.0, currency=_SIGNS.get(currency, currency.upper()))


def read_instant(value: object) -> datetime:
    """A clock time with its zone: "2026-12-03 15:00 Europe/London", "2026-12-03T15:00:00Z", "2026-12-03 15:00 +01:00"."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            refuse(f"{value:%Y-%m-%d %H:%M} names no time zone", f"write {value:%Y-%m-%d %H:%M} Europe/London")
        return value
    text = _text(value, "a date and time", "2026-12-03 15:00 Europe/London")
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ]+(\d{1,2}:\d\d(?::\d\d)?)\s*(.*)", text)
    if found is None:
        refuse(f"{_quoted(value)} is not a date and time", "write for example 2026-12-03 15:00 Europe/London")
    day, clock, zone = found.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock.rjust(8 if clock.count(':') == 2 else 5, '0')}")
    except ValueError as error:
        refuse(f"{day} {clock} does not exist ({error})", "write for example 2026-12-03 15:00 Europe/London")
    if not zone:
        refuse(f"{text} names no time zone", f"write {text} Europe/London, or the zone you mean")
    return _in_zone(local, zone)


def _in_zone(local: datetime, zone: str) -> datetime:
    if zone.upper() in ("Z", "UTC", "GMT"):
        return local.replace(tzinfo=UTC)
    if offset := re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?", zone):
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours > 14 or minutes > 59:
            refuse(f"{zone} is not an offset from UTC", "write for example +01:00")
        shift = timedelta(hours=hours, minutes=minutes)
        return local.replace(tzinfo=timezone(-shift if offset[1] == "-" else shift))
    from zoneinfo import ZoneInfo, available_timezones

    try:
        aware = local.replace(tzinfo=ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        from difflib import get_close_matches

        near = get_close_matches(zone, available_timezones(), 1)
        refuse(
            f"{zone} is not a time zone",
            f"did you mean {near[0]}?" if near else "write a zone such as Europe/London, or an offset such as +01:00",
        )
    if aware.astimezone(UTC).astimezone(aware.tzinfo).replace(tzinfo=None) != local:
        refuse(f"{local:%Y-%m-%d %H:%M} does not exist in {zone}", "the clocks go forward over it: write a time before or after the change")
    if aware.utcoffset() != aware.replace(fold=1).utcoffset():
        refuse(f"{local:%Y-%m-%d %H:%M} comes twice in {zone}", "the clocks go back over it: write the offset, such as +01:00")
    return aware


def read_spread(value: object) -> Spread:
    """How long something lasts: "5 s to 20 s" (all alike), "20 min" (always), "about 8 s" (mostly short, some long)."""
    if isinstance(value, Spread):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Spread.fixed(read_duration(value))
    text = _text(value, "a duration or a range", "20 min, 5 s to 20 s or about 8 s")
    if about := re.fullmatch(r"(?:about|around|roughly|~)\s*(.+)", text, re.IGNORECASE):
        return Spread.about(_positive(read_duration(about[1]), text))
    pair = re.fullmatch(r"(?:between\s+|from\s+)?(.+?)\s*(?:\bto\b|\band\b|–|-)\s*(.+)", text, re.IGNORECASE)
    if pair is None or re.match(r"and\b", text[pair.end(1) :].strip()) and not text.lower().startswith("between"):
        return Spread.fixed(read_duration(text))
    low_text, high_text = pair.groups()
    high = read_duration(high_text)
    if number(low_text) is not None and (unit := re.search(rf"({_UNIT})$", high_text, re.IGNORECASE)):
        low_text = f"{low_text} {unit[1]}"  # "5 to 20 s": the unit stands once for both
    low = read_duration(low_text)
    if low > high:
        refuse(f"{text} runs backwards", f"write {high_text} to {low_text}")
    return Spread.uniform(low, high)


def read_rate(value: object) -> float:
    """Visitors, mails or requests per second: "50/s", "3,000 a minute", "200,000 an hour"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not value >= 0:
            refuse(f"{value} is not a rate", "a rate cannot be negative")
        return float(value)
    text = _text(value, "a rate", "50/s or 3,000 a minute")
    found = re.fullmatch(rf"({NUMBER})\s*[a-z]*\s*(?:/|\bper\b|\ban?\b|\beach\b|\bevery\b)\s*({_UNIT})", text, re.IGNORECASE)
    if found is None:
        if number(text) is not None:
            refuse(f"{text} has no unit of time", f"write {text}/s, {text} a minute or {text} an hour")
        refuse(f"{_quoted(value)} is not a rate", "write for example 50/s, 3,000 a minute or 200,000 an hour")
    return (number(found[1]) or 0.0) / _UNITS[found[2].lower()]


def _positive(seconds: float, text: str) -> float:
    if seconds == 0:
        refuse(f"{text} has no length", "write a duration above zero, or leave the step out")
    return seconds


def _text(value: object, what: str, example: str) -> str:
    if not isinstance(value, str) or not value.strip():
        refuse(f"{_quoted(value)} is not {what}", f"write for example {example}")
    return re.sub(r"\s+", " ", value.strip())


def _quoted(value: object) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, dict | list | tuple):
        return "a list" if not isinstance(value, dict) else "a block of keys"
    return f'"{value}"'


def _short(value: float) -> str:
    return f"{value:g}"


def _schema(description: str, pattern: str, *examples: object, numeric: str | None = None) -> WithJsonSchema:
    written: dict[str, Any] = {"type": "string", "pattern": pattern}
    if numeric:
        written = {"anyOf": [{"type": numeric, "minimum": 0}, written]}
    return WithJsonSchema({**written, "description": description, "examples": list(examples)})


Count = Annotated[
    int,
    BeforeValidator(read_count),
    _schema("A whole number: 20,000 or 20000 or 2 million.", r"^\d", "20,000", "2 million", numeric="integer"),
]
Duration = Annotated[
    float, BeforeValidator(read_duration), _schema("A duration with its unit: 45 min, 1 h 30 min, 800 ms.", r"^.+$", "45 min")
]
Percent = Annotated[float, BeforeValidator(read_percent), _schema("A percentage: 40%.", r"%|per ?cent$", "40%", "2.9%")]
Price = Annotated[Money, BeforeValidator(read_money), _schema("An amount with its currency: 60 GBP.", r"\d", "60 GBP", "£60")]
Instant = Annotated[
    datetime,
    BeforeValidator(read_instant),
    _schema("A date, a time and a zone.", r"^\d{4}-\d\d-\d\d[T ]+\d{1,2}:\d\d", "2026-12-03 15:00 Europe/London"),
]
Rate = Annotated[float, BeforeValidator(read_rate), _schema("A rate: 50/s, 3,000 a minute.", r"\d", "50/s", "3,000 a minute")]
Length = Annotated[
    Spread, BeforeValidator(read_spread), _schema("A duration or a range of durations.", r"\d", "5 s to 20 s", "20 min", "about 8 s")
]


def parse(reader: Callable[[object], Any], text: str) -> Any:
    """Read one value outside a scenario (a command line option), with ValueError in place of pydantic's own error."""
    try:
        return reader(text)
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None
