"""In: a promise as marketing and IT would sign it ("95% of responses within 800 ms"). Out: what it demands: kind, limit and share.

Generous in reading: any order of words that names a share and a time, or errors and a share. Exact in refusing: a sentence that
names neither, or both, gets the two forms to copy.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from harness.scenario.reading import NUMBER, read_duration, read_percent, refusal, words

EXAMPLES = "write for example 95% of responses within 800 ms, or errors below 1%"
_ALONE = r"(?<![\d.,-])"  # no tail of a longer number, no negative one
_SHARE = re.compile(rf"{_ALONE}({NUMBER}) ?(?:%|percent|per cent)", re.IGNORECASE)
_TIME = re.compile(rf"{_ALONE}({NUMBER}) ?(ms|msec|milliseconds?|s|secs?|seconds?|m|mins?|minutes?)\b", re.IGNORECASE)
_PERCENTILE = re.compile(r"\bp(\d{2}(?:\.\d+)?)\b|\b(\d{2}(?:\.\d+)?)th percentile", re.IGNORECASE)
_ERRORS = re.compile(r"\b(errors?|fail\w*)\b", re.IGNORECASE)
_NONE = re.compile(r"\b(no|zero|without|never|nothing|none)\b", re.IGNORECASE)
_SUCCESS = re.compile(r"\b(succeed\w*|success\w*|without (?:an )?errors?|available|availability|uptime|answered|work)\b", re.IGNORECASE)
_MEDIAN = re.compile(r"\bmedian\b", re.IGNORECASE)
_MEAN = re.compile(r"\b(average|mean|avg)\b", re.IGNORECASE)
_WITHIN = re.compile(
    r"\b(within|under|below|in|faster|less|fewer|at most|no more than|not more than|never|max\w*|up to|by)\b|<=?|≤", re.IGNORECASE
)
_ABOVE = re.compile(r"\b(above|over|more than|at least|slower|longer|beyond|exceed\w*)\b|>", re.IGNORECASE)


class Demand(NamedTuple):
    """What a promise asks for: `limit` is in seconds for latency and a share for errors; `share` is that of the responses, for latency."""

    kind: Literal["latency", "errors"]
    limit: float
    share: float


def read_promise(sentence: str) -> Demand:
    """The demand of one sentence. Raises pydantic's custom error, with a remedy, for a sentence that cannot be measured as it stands."""
    text = words(sentence, "a promise", EXAMPLES.removeprefix("write for example "))
    times, shares = _TIME.findall(text), _SHARE.findall(text)
    if len(times) > 1 or len(shares) > 1 or (times and _ERRORS.search(text)):
        raise refusal(f'"{text}" says two things at once', "write one promise a line: 95% of responses within 800 ms, and errors below 1%")
    if _MEAN.search(text):
        raise refusal("an average hides the slow responses", "promise a share instead: 95% of responses within 800 ms")
    percentile = _PERCENTILE.search(text)
    if times and (shares or percentile or _MEDIAN.search(text)):
        share = read_percent(f"{shares[0]}%") if shares else float(percentile[1] or percentile[2]) / 100 if percentile else 0.5
        return _latency(text, share, " ".join(times[0]))
    if times:
        raise refusal(f'"{text}" does not say how many responses', f"write for example 95% of responses within {' '.join(times[0])}")
    if shares and _SUCCESS.search(text):
        return _errors(text, round(1 - read_percent(f"{shares[0]}%"), 12))
    if shares and _ERRORS.search(text):
        if _ABOVE.search(text) and not _WITHIN.search(text):
            raise refusal(f'"{text}" promises errors', f"write errors below {shares[0]}%")
        return _errors(text, read_percent(f"{shares[0]}%"))
    if _ERRORS.search(text):
        if _NONE.search(text):
            raise refusal("no errors at all cannot be shown by any test", "write for example errors below 0.1%")
        raise refusal(f'"{text}" does not say how many errors', "write for example errors below 1%")
    if shares:
        raise refusal(f'"{text}" names no time and no errors', f"write {shares[0]}% of responses within 800 ms, or errors below 1%")
    raise refusal(f'"{text}" is not a promise that can be measured', EXAMPLES)


def _latency(text: str, share: float, time: str) -> Demand:
    limit = read_duration(time)
    if _ABOVE.search(re.sub(r"\bat least\b|\b(no|not|never) more than\b", "", text, flags=re.IGNORECASE)):
        raise refusal(f'"{text}" promises slowness', f"write for example 95% of responses within {time}")
    if share >= 1:
        raise refusal("100% cannot be shown by any test", f"write 99.9% of responses within {time}, or a lower share")
    if share < 0.5:
        raise refusal(f"{share:.0%} of responses is too few to be a promise", "promise at least 50%; 95% is usual")
    if not 0.001 <= limit <= 600:
        raise refusal(f"{time} is not a response time", "write a limit between 1 ms and 10 min; 800 ms is usual")
    return Demand("latency", limit, round(share, 12))


def _errors(text: str, limit: float) -> Demand:
    if limit == 0:
        raise refusal("no errors at all cannot be shown by any test", "write for example errors below 0.1%")
    if limit > 0.5:
        raise refusal(f'"{text}" promises next to nothing', "write for example errors below 1%")
    return Demand("errors", limit, 0.95)
