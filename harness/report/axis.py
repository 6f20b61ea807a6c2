"""In: a stretch of time in seconds. Out: its axis: where the ticks are and what they say, clock times or time from the start. Pure."""

from __future__ import annotations

import json
import math
from datetime import timedelta

from harness.report.drawing import Spec
from harness.report.quantities import MINUS, Clock

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)


def campaign_axis(clock: Clock, low: float, high: float, *, ticks: int) -> Spec:
    """The x axis of a campaign, low..high in seconds from its start."""
    step = _step(high - low, ticks)
    shift = 0.0
    if clock.starts is not None:  # ticks on round clock times, not on round distances from the start
        midnight = clock.starts.replace(hour=0, minute=0, second=0, microsecond=0)
        shift = (clock.starts - midnight).total_seconds() % step
    first = math.ceil((low + shift) / step)
    places = [number * step - shift for number in range(first, math.floor((high + shift) / step) + 1)]
    labels = {_key(place): _clock_label(clock, place) for place in places}
    title = clock.day if clock.day else f"time from {clock.start_word}"
    return labelled(places, labels, title or "")


def elapsed_axis(high: float, *, ticks: int) -> Spec:
    """The x axis of the test itself, from its first arrival."""
    step = _step(high, ticks)
    places = [number * step for number in range(math.floor(high / step) + 1)]
    return labelled(places, {_key(place): elapsed(place) for place in places}, "time since the test began")


def labelled(places: list[float], labels: dict[str, str], title: str) -> Spec:
    """An axis with these ticks and no others."""
    return {
        "title": title,
        "values": places,
        "labelExpr": f"({json.dumps(labels)})[toString(datum.value)] || ''",
        "labelOverlap": "greedy",
    }


def _key(place: float) -> str:
    """A tick's value as the chart library's own language writes it."""
    return str(int(place)) if place == int(place) else repr(place)


def elapsed(seconds: float) -> str:
    """Test time, short: "40 s", "2:30" minutes, "1:05:00" hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _step(width: float, ticks: int) -> float:
    return next((float(step) for step in STEPS if width / step <= ticks), float(STEPS[-1]) * math.ceil(width / STEPS[-1] / ticks))


def _clock_label(clock: Clock, seconds: float) -> str:
    if clock.starts is not None:
        return f"{clock.starts + timedelta(seconds=seconds):%H:%M}"
    if abs(seconds) < 1:
        return "start"
    sign, size = ("+" if seconds > 0 else MINUS), abs(seconds)
    if size < 60:
        return f"{sign}{size:g} s"
    if size < 3600:
        return f"{sign}{size / 60:g} min"
    return f"{sign}{size / 3600:g} h" if size < 48 * 3600 else f"{sign}{size / 86400:g} d"


def ms_axis(times: list[float]) -> Spec:
    """Scale, title and ticks for response times in ms: logarithmic, a tick a decade, where they differ more than thirtyfold."""
    low, high = min(times), max(times)
    if high <= 30 * low:
        return {"title": "ms", "scale": {"zero": True}}
    decades = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    return {
        "title": "ms (logarithmic)",
        "scale": {"type": "log", "domain": [decades[0], decades[-1]], "nice": False},
        "axis": {"values": decades, "format": ",~r"},
    }
