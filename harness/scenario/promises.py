"""In: a promise as marketing and IT would sign it ("95% of responses within 800 ms"). Out: what it demands: kind, limit and share.

Generous in reading: any order of words that names a share and a time, or errors and a share. Exact in refusing: a sentence that
names neither, or both, gets the two forms to copy.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pydantic_core import PydanticCustomError

from harness.scenario.units import NUMBER, read_duration, read_percent, refuse

EXAMPLES = "write for example 95% of responses within 800 ms, or errors below 1%"
_SHARE = re.compile(rf"({NUMBER})\s*(?:%|percent|per cent)", re.IGNORECASE)
_TIME = re.compile(rf"({NUMBER})\s*(ms|msec|milliseconds?|s|secs?|seconds?|m|mins?|minutes?)\b", re.IGNORECASE)
_PERCENTILE = re.compile(r"\bp(\d{2}(?:\.\d+)?)\b|\b(\d{2}(?:\.\d+)?)th percentile", re.IGNORECASE)
_ERRORS = re.compile(r"\b(errors?|fail\w*|error rate)\b", re.IGNORECASE)
_MEDIAN = re.compile(r"\b(median|half of|every second)\b", re.IGNORECASE)
_WITHIN = re.compile(r"\b(within|under|below|in|faster|less|at most|no more than|max\w*|up to|by)\b|<=?|≤", re.IGNORECASE)
_ABOVE = re.compile(r"\b(above|over|more than|at least|slower|beyond|exceed\w*)\b|>", re.IGNORECASE)
_MEAN = re.compile(r"\b(average|mean|avg)\b", re.IGNORECASE)


class Demand(NamedTuple):
    """What a promise asks for: `limit` is in seconds for latency and a share for errors; `share` is that of the responses, for latency."""

    kind: Literal["latency", "errors"]
    limit: float
    share: float


def read_promise(sentence: str) -> Demand:
    """The demand of one sentence. Raises pydantic's custom error, with a remedy, for a sentence that cannot be measured as it stands."""
    text = re.sub(r"\s+", " ", sentence.strip())
    times, shares = _TIME.findall(text), [(_percent(found), found) for found in _SHARE.findall(text)]
    if not times and _ERRORS.search(text):
        return _errors(text, shares)
    if len(times) > 1 or len(shares) > 1 or (times and _ERRORS.search(text)):
        refuse(f'"{text}" says two things at once', "write one promise a line: 95% of responses within 800 ms, and errors below 1%")
    if _MEAN.search(text):
        refuse("an average hides the slow responses", "promise a share instead: 95% of responses within 800 ms")
    percentile = _PERCENTILE.search(text)
    if times and (shares or percentile or _MEDIAN.search(text)):
        share = shares[0][0] if shares else float(percentile[1] or percentile[2]) / 100 if percentile else 0.5
        return _latency(text, share, read_duration(" ".join(times[0])))
    if times:
        refuse(f'"{text}" does not say how many responses', f"write for example 95% of responses within {' '.join(times[0])}")
    if shares:
        refuse(
            f'"{text}" names no time and no errors', f"write {shares[0][1]}% of responses within 800 ms, or errors below {shares[0][1]}%"
        )
    refuse(f'"{text}" is not a promise that can be measured', EXAMPLES)


def _latency(text: str, share: float, limit: float) -> Demand:
    if _ABOVE.search(text) and not _WITHIN.search(text):
        refuse(f'"{text}" promises slowness', "write for example 95% of responses within 800 ms")
    if share >= 1:
        refuse("100% cannot be shown by any test", f"write 99.9% of responses within {_last_time(text)}, or a lower share")
    if share < 0.5:
        refuse(f"{share:.0%} of responses is too few to be a promise", "promise at least 50%; 95% is usual")
    if not 0.001 <= limit <= 600:
        refuse(f"{_last_time(text)} is not a response time", "write a limit between 1 ms and 10 min; 800 ms is usual")
    return Demand("latency", limit, round(share, 12))


def _errors(text: str, shares: list[tuple[float, str]]) -> Demand:
    if re.search(r"\b(no|zero|without|never)\b.*\b(errors?|fail\w*)\b", text, re.IGNORECASE) and not shares:
        refuse("no errors at all cannot be shown by any test", "write for example errors below 0.1%")
    if len(shares) != 1:
        refuse(f'"{text}" does not say how many errors', "write for example errors below 1%")
    limit, written = shares[0]
    if _ABOVE.search(text) and not re.search(r"\bno more than\b|\bnever\b|\bnot\b", text, re.IGNORECASE):
        refuse(f'"{text}" promises errors', f"write errors below {written}%")
    if limit == 0:
        refuse("0% errors cannot be shown by any test", "write for example errors below 0.1%")
    if limit > 0.5:
        refuse(f"errors below {written}% promises nothing", "write for example errors below 1%")
    return Demand("errors", limit, 0.95)


def _percent(text: str) -> float:
    try:
        return read_percent(f"{text}%")
    except PydanticCustomError:
        return 1.0


def _last_time(text: str) -> str:
    found = _TIME.findall(text)
    return " ".join(found[-1]) if found else "that"
