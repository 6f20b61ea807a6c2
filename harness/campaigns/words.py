"""In: numbers of a plan. Out: the words that people use for them: clock times, durations, rates, heads."""

from __future__ import annotations

import math

from harness.campaigns.plan import ArrivalPlan

START = {
    "email_blast": "the first mail",
    "webcast": "the start",
    "viral_spike": "the post",
    "flash_sale": "the opening",
    "measured": "the first row",
    "calendar": "the first campaign",
}


def clock(plan: ArrivalPlan, t: float, start: str) -> str:
    """A plan second as people say it: "3 min 20 s after the first mail (15:03:20)"."""
    since = t - plan.zero
    words = f"at {start}" if abs(since) < 0.5 else f"{spell(abs(since))} {'after' if since > 0 else 'before'} {start}"
    moment, starts = plan.clock_time(round(t)), plan.starts
    if moment is None or starts is None:
        return words
    days = (moment.date() - starts.date()).days
    return f"{words} ({moment:%H:%M:%S}{f' on {moment:%Y-%m-%d}' if days else ''})"


def spell(seconds: float) -> str:
    """Seconds with the two units that matter: "1 h 5 min", "3 min 20 s", "42 s", "7 days"."""
    whole = round(seconds)
    for size, unit, small, minor in ((86400, "day", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            count, rest = whole // size, whole % size // small
            name = f"{unit}s" if unit == "day" and count > 1 else unit
            return f"{count} {name}" + (f" {rest} {minor}" if rest else "")
    return f"{whole} s"


def rate(value: float) -> str:
    """A rate with three figures: 0.331, 3.84, 28.6, 2,387."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def people(value: float) -> str:
    """A number of people or hits with three figures, as far as a plan knows it: 640, 71,300, 1,020,000; "hardly any" below a half."""
    if value < 0.5:
        return "hardly any"
    return f"{round(value, min(0, 2 - math.floor(math.log10(value)))):,.0f}"


def percent(share: float) -> str:
    """A share with three figures at most: 99%, 2.9%, 0.15%."""
    return f"{share * 100:.3g}%"
