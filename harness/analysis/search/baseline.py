"""In: the beats of a quiet rate. Out: what they say about the site: keep listening, it answers, or it fails already."""

from __future__ import annotations

import math
from typing import Literal

from harness.analysis.search.beats import Beats
from harness.analysis.search.profile import Profile

Sound = Literal["listening", "answers", "fails"]
_NEEDED = 10  # verdicts
_LONGER = 3.0  # s more, where some requests fail already
_PATIENCE = 12.0  # s at a far quieter rate, until it would show the failures that the first one showed
_LUCK, _AGAIN = 0.003, 0.08  # chance of so many failures at a site that keeps its promise: at first, and where many failed before


class Baseline:
    """`limit`, s: the tightest latency limit. `failing`: the share of responses that may fail."""

    def __init__(self, beats: Beats, profile: Profile, limit: float, failing: float) -> None:
        self._beats, self._profile, self._limit, self._failing = beats, profile, limit, failing
        self._since: float | None = None
        self._began = 0.0
        self._left = 0.0  # requests that may be under way from a rate that was too high
        self._share = 0.0  # of requests that failed at that rate

    def again(self, in_flight: float) -> None:
        """Start anew at a quieter rate, at which at most so many requests may be under way."""
        self._began, self._left = self._beats.last.end, max(3.0, in_flight)
        self._since = self._began + self._limit  # verdicts of before come in until then

    def listen(self) -> Sound:
        """Call once a window."""
        beats, profile = self._beats, self._profile
        now = beats.last.end
        if self._since is None:
            self._since = self._began = now - beats.last.seconds
        # After too high a start the line that it left must go before anything can be heard.
        if self._left and beats.last.in_flight > self._left and now - self._began < profile.drain_seconds:
            self._since = max(self._since, now)
            return "listening"
        spent = now - self._since
        if spent < profile.baseline_seconds:
            return "listening"
        windows = min(beats.count - 1, int(spent / beats.last.seconds), 24)
        decided, late, failed, answered = (beats.total(name, windows) for name in ("all_decided", "all_late", "failed", "answered"))
        if decided < _NEEDED and spent < profile.baseline_seconds + max(4.0, 2 * self._limit):
            return "listening"
        # One page that never works among pictures that do: the promise on errors is broken at any rate. Two failures may be bad luck,
        # and where many failed before, a handful of answers without a failure may be good luck.
        luck = _chance(failed, self._failing * decided)
        broken = (failed >= 2 and luck < _AGAIN) if self._share else (failed >= 3 and luck < _LUCK)
        if not broken and failed >= 2 and spent < profile.baseline_seconds + _LONGER:
            return "listening"
        if not broken and decided * self._share < 4 and self._share and spent < _PATIENCE:
            return "listening"
        if broken or max(late, failed) > 0.5 * max(decided, 1) or answered == 0:
            self._share = failed / max(decided, 1)
            return "fails"
        return "answers"


def _chance(count: int, expected: float) -> float:
    """Of at least `count` events where so many are expected (Poisson)."""
    term = fewer = math.exp(-expected)
    for k in range(1, count):
        term *= expected / k
        fewer += term
    return 1.0 - fewer
