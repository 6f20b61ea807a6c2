"""In: measured numbers with their intervals. Out: the short text a reader sees. Pure; no number is shown finer than its interval supports.

Rates come in as visitors per second and go out as visitors a minute, the unit that people who plan campaigns think in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUS = "−"
TO = "–"
MISSING = "not measured"
SHORT_MS = 95.0
"""Below this, people are told "0.1 seconds": nobody feels less."""


def step_for(low: float, high: float) -> float:
    """The power of ten that numbers inside low..high are rounded to: about a tenth of the interval, never finer than the third digit."""
    size = max(abs(low), abs(high))
    if size <= 0 or not math.isfinite(size):
        return 1.0
    finest = 10.0 ** (math.floor(math.log10(size)) - 2)
    width = abs(high - low)
    if width <= 0:
        return finest
    return max(finest, 10.0 ** math.floor(math.log10(width / 5)))


def grouped(value: float, step: float = 1.0) -> str:
    """`value` rounded to `step`, thousands separated: 3402 and 10 → "3,400"; 0.42 and 0.01 → "0.42"."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    rounded = round(value / step) * step
    text = f"{abs(rounded):,.{decimals}f}"
    return MINUS + text if rounded < 0 and float(text.replace(",", "")) != 0 else text


def number(value: float) -> str:
    """A number without an interval, to three digits: 12345 → "12,300", 7 → "7", 0.123 → "0.123"."""
    if value == 0:
        return "0"
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    text = grouped(value, step)
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole(value: float) -> str:
    """A count, every digit: requests that were counted, not estimated."""
    return f"{value:,.0f}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A value and its interval as text, all rounded alike."""

    value: str
    low: str
    high: str

    @property
    def both(self) -> str:
        return f"{self.low} to {self.high}"


def a_minute(value: float, low: float | None = None, high: float | None = None) -> Interval:
    """Visitors per second → visitors a minute, rounded to what low..high supports. Without an interval: three digits."""
    lows, highs = (value if low is None else low) * 60, (value if high is None else high) * 60
    step = step_for(lows, highs)
    return Interval(value=_trim(grouped(value * 60, step)), low=_trim(grouped(lows, step)), high=_trim(grouped(highs, step)))


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float | None, *, counted: int | None = None) -> str:
    """A share as a percentage. With `counted` requests and none of them bad: "0%", which the count makes honest in the table beside it."""
    if share is None:
        return MISSING
    value = share * 100
    if value == 0:
        return "0%"
    if value < 0.01:
        return "under 0.01%"
    if value < 1:
        return f"{value:.2g}%"
    if value < 99.5 or value >= 100:
        return f"{value:.0f}%" if value >= 10 else _trim(f"{value:.1f}") + "%"
    return "over 99%"


def wait(ms: float | None) -> str:
    """A response time as people say it: "0.3 seconds", "2.1 seconds", "14 seconds"."""
    if ms is None:
        return MISSING
    seconds = ms / 1000
    if ms < SHORT_MS:
        return "under 0.1 seconds"
    if seconds < 9.95:
        text = _trim(f"{seconds:.1f}")
        return f"{text} second" if text == "1" else f"{text} seconds"
    return f"{seconds:.0f} seconds"


def at_least(ms: float) -> str:
    """A response time after "less than": never below a tenth of a second."""
    return wait(max(ms, SHORT_MS))


def milliseconds(ms: float | None) -> str:
    """A response time for IT: "212 ms", "2.10 s"; two or three digits, as the histograms hold 1 %."""
    if ms is None:
        return "–"
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.2f} s" if ms < 10_000 else f"{ms / 1000:.1f} s"


def span(seconds: float) -> str:
    """A length of time in words: "45 seconds", "8 minutes", "1 hour 20 minutes", "2 days 3 hours"."""
    seconds = abs(seconds)
    if seconds < 90:
        return _plural(round(seconds), "second")
    if seconds < 90 * 60:
        return _plural(round(seconds / 60), "minute")
    if seconds < 36 * 3600:
        hours, minutes = divmod(round(seconds / 60), 60)
        return _plural(hours, "hour") + (f" {_plural(minutes, 'minute')}" if minutes and hours < 10 else "")
    days, hours = divmod(round(seconds / 3600), 24)
    return _plural(days, "day") + (f" {_plural(hours, 'hour')}" if hours else "")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """ "1 worker", "3 workers", "1,200 visits"."""
    return f"{count:,} {noun if count == 1 else (many or noun + 's')}"


def size(count: float) -> str:
    """Bytes as kilobytes or megabytes of a thousand: "48 KB", "1.2 MB"."""
    if count < 1000:
        return f"{count:.0f} bytes"
    if count < 999_500:
        return f"{count / 1000:.0f} KB" if count >= 9_950 else f"{count / 1000:.1f} KB"
    return f"{count / 1e6:,.1f} MB" if count < 999.5e6 else f"{count / 1e9:,.1f} GB"


def times(multiple: float) -> str:
    """A multiple of the campaign's own peak: "1.6 times"."""
    return f"{multiple:.2f} times" if 0.9 <= multiple < 1.1 else f"{number(float(f'{multiple:.2g}'))} times"


def of_peak(multiple: float) -> str:
    """A load against the campaign's own peak: "71% of your peak", "1.7 times your peak"."""
    if multiple < 1:
        return f"{min(99, round(multiple * 100))}% of your peak" if multiple >= 0.01 else "under 1% of your peak"
    return f"{times(multiple)} your peak"


START_WORDS = {"email_blast": "the first email", "webcast": "the start", "viral_spike": "the post", "flash_sale": "the opening"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """The campaign's own clock: seconds since its start → "10:04", or "4 minutes after the first email" when no hour was named."""

    starts: datetime | None
    start_word: str

    @classmethod
    def of(cls, starts: str | None, campaign_type: str) -> Clock:
        """`starts` is ISO 8601 with an offset, perhaps with a zone name in brackets behind it."""
        moment = datetime.fromisoformat(starts.split("[")[0]) if starts else None
        return cls(starts=moment, start_word=START_WORDS.get(campaign_type, "the start"))

    def at(self, seconds: float) -> str:
        """The moment as a noun without its preposition: "10:04", "10:04 on Thursday", or "4 minutes after the start"."""
        if self.starts is None:
            if abs(seconds) < 30:
                return self.start_word
            return f"{span(seconds)} {'after' if seconds > 0 else 'before'} {self.start_word}"
        moment = self.starts + timedelta(seconds=seconds)
        moment += timedelta(seconds=30)  # to the nearest minute
        day = "" if moment.date() == self.starts.date() else f" on {moment:%A}"
        return f"{moment:%H:%M}{day}"

    def when(self, seconds: float) -> str:
        """The moment with its preposition: "at 10:04", "at the start", "4 minutes after the start"."""
        text = self.at(seconds)
        return f"at {text}" if self.starts is not None or text == self.start_word else text

    def between(self, low: float, high: float) -> str:
        """A stretch of time: "from 10:03 to 10:11 on Thursday", "from 1 minute before to 5 minutes after the start"."""
        first, last = self.at(low), self.at(high)
        if first == last:
            return f"around {first}"
        time, on, day = first.partition(" on ")
        return f"from {time if last.endswith(on + day) else first} to {last}"

    @property
    def day(self) -> str | None:
        """The campaign's day, "Thursday 3 December 2026", where the scenario names one."""
        return f"{self.starts:%A} {self.starts.day} {self.starts:%B %Y}" if self.starts else None
