"""In: quantities as people write them ("20,000", "45 min", "40%", "60 GBP"). Out: plain values, or a refusal that says what to write.

From Python each reader takes the plain number as well (seconds, shares from 0 to 1, whole visitors). Scenario files give text only
(source.py), so a bare `90` in a file is refused for want of a unit and never taken for seconds.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TypeGuard

from pydantic_core import PydanticCustomError

from harness.scenario.spread import Spread

NUMBER = r"(?:[1-9]\d{0,2}(?:[, ]\d{3})+|0|[1-9]\d*)(?:\.\d+)?"
_NUMBER = re.compile(NUMBER, re.ASCII)
_TWO_READINGS = re.compile(r"(?<![\d.,])([1-9]\d{0,2})((?:\.\d{3})+)(?![\d.])")  # 1.500: one and a half, or fifteen hundred
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(?:(\d+),(\d{1,2}|\d{4,})|(0),(\d+))(?![\d,])")
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


def refusal(what: str, remedy: str) -> PydanticCustomError:
    """A value that does not say what it must; `remedy` is what to write instead."""
    return PydanticCustomError("unit", "{what}: {remedy}", {"what": what, "remedy": remedy})


def number(text: str) -> float | None:
    """A number with thousands set apart by commas or spaces and a decimal point, or None."""
    return float(re.sub("[, ]", "", text)) if _NUMBER.fullmatch(text) else None


def read_count(value: object) -> int:
    """Whole visitors, mails or viewers: 20000, "20,000", "2 million", "20k"."""
    if _is_number(value):
        amount: float | None = value
    else:
        text = words(value, "a whole number", "20,000 or 2 million").lower()
        found = re.fullmatch(rf"({NUMBER})\s*({'|'.join(_MULTIPLES)})", text)
        amount = None if found is None else round((number(found[1]) or 0.0) * _MULTIPLES[found[2]], 6)
    if amount is None or not 0 <= amount < math.inf or amount != int(amount):
        raise refusal(f"{quoted(value)} is not a whole number", "write for example 20,000 or 20000 or 2 million")
    return int(amount)


def read_duration(value: object) -> float:
    """Seconds: "45 min", "1 h 30 min", "800 ms", "half an hour". Text without a unit is refused, but for 0."""
    if _is_number(value):
        if not 0 <= value < math.inf:
            raise refusal(f"{value} is not a duration", "a duration cannot be negative")
        return float(value)
    text = words(value, "a duration", "45 min or 800 ms")
    if text == "0":
        return 0.0
    if number(text) is not None:
        raise refusal(f"{text} has no unit", f"write {text} s, {text} min or {text} ms")
    if re.fullmatch(r"\d+:\d\d(:\d\d)?", text):
        first, second = text.split(":")[:2]
        raise refusal(f"{text} can be read in two ways", f"write {int(first)} h {int(second)} min or {int(first)} min {int(second)} s")
    seconds, at, last = 0.0, 0, math.inf
    while at < len(text) and (piece := _PIECE.match(text, at)) and _UNITS[piece[2].lower()] < last:
        last = _UNITS[piece[2].lower()]
        amount = {"a": 1.0, "an": 1.0, "half a": 0.5, "half an": 0.5}.get(piece[1].lower()) or number(piece[1]) or 0.0
        seconds, at = seconds + amount * last, piece.end()
    if at < len(text) or not text:
        raise refusal(f"{quoted(value)} is not a duration", "write for example 45 min, 1 h 30 min or 800 ms")
    return round(seconds, 9)


def read_percent(value: object) -> float:
    """A share from 0 to 1: "40%". Text without the sign is refused; a number from Python is the share itself."""
    if _is_number(value):
        if not 0 <= value <= 1:
            raise refusal(f"{value} is not a share", "a share lies between 0 and 1")
        return float(value)
    text = words(value, "a percentage", "40%")
    found = re.fullmatch(rf"(-?)\s*({NUMBER})\s*(%|percent|per cent)", text, re.IGNORECASE)
    if found is None:
        if (bare := number(text)) is not None:
            raise refusal(f"{text} has no percent sign", f"write {bare * 100:g}% or {text}%" if 0 < bare <= 1 else f"write {text}%")
        raise refusal(f"{quoted(value)} is not a percentage", "write for example 40% or 2.9%")
    share = round((number(found[2]) or 0.0) / 100, 12)
    if found[1] or share > 1:
        raise refusal(f"{text} is outside 0% to 100%", "write a percentage between 0% and 100%")
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
    text = words(value, "an amount of money", "60 GBP")
    found = re.fullmatch(rf"({NUMBER})\s*([A-Za-z]{{3}}|[£€$¥₹])", text)
    amount, currency = (found[1], found[2]) if found else ("", "")
    if not found and (found := re.fullmatch(rf"([A-Za-z]{{3}}|[£€$¥₹])\s*({NUMBER})", text)):
        amount, currency = found[2], found[1]
    if not found:
        if number(text) is not None:
            raise refusal(f"{text} has no currency", f"write {text} GBP, {text} EUR or {text} USD")
        raise refusal(f"{quoted(value)} is not an amount of money", "write for example 60 GBP or £60")
    return Money(amount=number(amount) or 0.0, currency=_SIGNS.get(currency, currency.upper()))


def read_spread(value: object) -> Spread:
    """How long something lasts: "5 s to 20 s" (all alike), "20 min" (always), "about 8 s" (mostly short, some long)."""
    if isinstance(value, Spread):
        return value
    if _is_number(value):
        return Spread.fixed(read_duration(value))
    text = words(value, "a duration or a range", "20 min, 5 s to 20 s or about 8 s")
    if about := re.fullmatch(r"(?:about|around|roughly|~)\s*(.+)", text, re.IGNORECASE):
        return Spread.about(_positive(read_duration(about[1]), text))
    pair = re.fullmatch(r"between (.+?) and (.+)|(?:from )?(.+?) ?(?:\bto\b|–|-) ?(.+)", text, re.IGNORECASE)
    if pair is None:
        return Spread.fixed(read_duration(text))
    low_text, high_text = (part for part in pair.groups() if part is not None)
    high = read_duration(high_text)
    if number(low_text) is not None and (unit := re.search(rf"({_UNIT})$", high_text, re.IGNORECASE)):
        low_text = f"{low_text} {unit[1]}"  # "5 to 20 s": the unit stands once for both
    low = read_duration(low_text)
    if low > high:
        raise refusal(f"{text} runs backwards", f"write {high_text} to {low_text}")
    return Spread.uniform(low, high)


def read_rate(value: object) -> float:
    """Visitors, mails or requests per second: "50/s", "3,000 a minute", "200,000 an hour"."""
    if _is_number(value):
        if not 0 <= value < math.inf:
            raise refusal(f"{value} is not a rate", "a rate cannot be negative")
        return float(value)
    text = words(value, "a rate", "50/s or 3,000 a minute")
    found = re.fullmatch(rf"({NUMBER})\s*(?:[a-z][a-z ]*?)??\s*(?:/|\bper\b|\ban?\b|\beach\b|\bevery\b)\s*({_UNIT})", text, re.IGNORECASE)
    if found is None:
        if number(text) is not None:
            raise refusal(f"{text} has no unit of time", f"write {text}/s, {text} a minute or {text} an hour")
        raise refusal(f"{quoted(value)} is not a rate", "write for example 50/s, 3,000 a minute or 200,000 an hour")
    return (number(found[1]) or 0.0) / _UNITS[found[2].lower()]


def words(value: object, what: str, example: str) -> str:
    """The text of a value, trimmed, one space at a time. Numbers that are read differently in other countries are refused here."""
    if not isinstance(value, str) or not value.strip():
        raise refusal(f"{quoted(value)} is not {what}", f"write for example {example}")
    text = re.sub(r"\s+", " ", value.strip())
    if swapped := re.search(r"\d{1,3}(?:\.\d{3})+,\d+", text):
        raise refusal(f"{swapped[0]} has a decimal comma", "write " + swapped[0].translate({ord("."): ",", ord(","): "."}))
    if two := _TWO_READINGS.search(text):
        one, other = float(two[1] + two[2][:4]), two[1] + two[2].replace(".", ",")
        raise refusal(f"{two[0]} can be read in two ways", f"write {other} or {one:g}" if two[2].count(".") == 1 else f"write {other}")
    if comma := _DECIMAL_COMMA.search(text):
        whole, part = (group for group in comma.groups() if group is not None)
        raise refusal(f"{comma[0]} has a decimal comma", f"write {whole}.{part}")
    return text


def quoted(value: object) -> str:
    """The value as a message shows it."""
    if value is None:
        return "an empty value"
    if isinstance(value, dict):
        return "a block of keys"
    return "a list" if isinstance(value, list | tuple) else f'"{value}"'


def read_factor(value: object) -> float:
    """A plain factor: 0.3, "1.2"; a percentage is read as its share."""
    if _is_number(value):
        factor: float | None = value
    else:
        text = words(value, "a number", "0.3")
        factor = read_percent(text) if text.endswith("%") else number(text)
    if factor is None or not 0 <= factor < math.inf:
        raise refusal(f"{quoted(value)} is not a number", "write for example 0.3")
    return float(factor)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _positive(seconds: float, text: str) -> float:
    if seconds == 0:
        raise refusal(f"{text} has no length", "write a duration above zero, or leave the step out")
    return seconds
