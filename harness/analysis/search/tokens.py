"""In: when requests left and how many were refused, window after window. Out: whether a token bucket refuses them, and which: `Tokens`.

A bucket of `limit` tokens a second and `burst` at once leaves nothing to chance: the moments at which requests came say which of them it
refuses. So many buckets are filled and emptied side by side with the requests as they were sent, and each is held against the number that
was refused in each window. The one that fits says far more than the share refused at each rate (refusals.py): it is believed where it
leaves much less unexplained than those shares do. Nothing else behaves so: what a bounded line or a cap refuses is chance.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.search.meter import Floats, Meter, Raw
from harness.analysis.search.refusals import Posterior, load_of

Mask = npt.NDArray[np.bool_]

_LOWEST, _HIGHEST = 0.45, 2.5  # of the most that passed in a window: where the limit is looked for
_COARSE = (150, 26)  # limits, bursts
_MOST = 500.0  # at once
_FINE = (61, 25)
_AROUND = (0.05, 0.5)  # of log limit and log burst, to either side of the best one
_ROUGHLY, _CLOSELY = 50, 300  # moments of a window told apart; requests that left within the same one count as one crowd
_FIRST = 6  # windows with refusals that are worth a look; without success, twice as many are worth the next
_PAUSE = 8  # windows from one close look to the next: it costs some tens of milliseconds
_EXPLAINED = 0.4  # of the squared deviations from the mean share at each rate may be left
_NEEDED = 10.0  # of them there must be so many for that to mean anything
_CELL = 0.1  # of log rate: windows closer than this count as one rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """`limit` in requests/s, `burst` in requests."""

    limit: float
    burst: float


class Tokens:
    """One limiter in front of the samples `members`, as it is since the moment `since`, s."""

    def __init__(self, meter: Meter, members: Mask, since: float = float("-inf")) -> None:
        self._meter = meter
        self.members = members
        self.since = since
        self._limits = self._bursts = self._level = self._misfit = np.zeros(0, np.float32)
        self._windows: list[tuple[float, int, int]] = []  # log rate, sent, refused
        self._refusing = 0
        self._wanted = _FIRST
        self._judging = False  # from the first window on in which nothing was refused: what the buckets held before that is not known
        self._looked = 0  # windows since it was last looked closely

    def watch(self) -> None:
        """Counts the window before the newest, as what was refused of it is known by now."""
        if self._meter.kept < 2:
            return
        sent, refused = self._mine(1)
        self._refusing += refused > 0
        if len(self._limits):
            self._step(self._meter.raw(1), sent, refused, _CLOSELY)
            self._looked += 1
            if self._looked >= _PAUSE and self._at_the_edge() and self._explains():
                self._closely()
        if self._refusing >= self._wanted and not self._explains():
            self._wanted *= 2
            if self._roughly():
                self._closely()

    def posterior(self, allowed: float) -> Posterior | None:
        """Of the rate, in requests/s, at which the share `allowed` is refused; None where no bucket explains what was refused."""
        if not self._explains():
            return None
        fit = self._misfit - self._misfit.min()
        scale = max(1.0, float(self._misfit.min()) / max(len(self._windows) - 2, 1))
        weight = np.exp(-fit.astype(np.float64) / (2 * scale))
        bursts, which = np.unique(self._bursts, return_inverse=True)
        points = self._limits * np.array([load_of(allowed, float(burst)) for burst in bursts])[which]
        order = np.argsort(points)
        cumulative = np.cumsum(weight[order])
        return Posterior(rates=points[order].astype(np.float64), cumulative=cumulative / cumulative[-1])

    @property
    def bucket(self) -> Bucket | None:
        """The one that fits best; None where none explains what was refused."""
        return self._best if self._explains() else None

    # ------------------------------------------------------------------ parts
    @property
    def _best(self) -> Bucket:
        at = int(np.argmin(self._misfit))
        return Bucket(limit=float(self._limits[at]), burst=float(self._bursts[at]))

    def _at_the_edge(self) -> bool:
        """Whether the best one lies at the edge of those looked at."""
        limit, burst = divmod(int(np.argmin(self._misfit)), _FINE[1])
        return limit in (0, _FINE[0] - 1) or (burst in (0, _FINE[1] - 1) and self._best.burst > 1.0)

    def _mine(self, back: int) -> tuple[Floats, int]:
        """When the members' requests left in that window, and how many of them failed by the end of the next."""
        raw = self._meter.raw(back)
        refused = 0
        for later in (raw, self._meter.raw(back - 1)):
            failed = self.members[later.done_sample] & later.failed
            refused += int((failed & (later.done_sent > raw.start) & (later.done_sent <= raw.end)).sum())
        return raw.sent[self.members[raw.sent_sample]], refused

    def _kept(self) -> list[int]:
        """The windows that may be looked back at, oldest first, the newest left out."""
        return [back for back in range(self._meter.kept - 1, 0, -1) if self._meter.raw(back).start >= self.since]

    def _roughly(self) -> bool:
        """Looks everywhere, at what is still kept of the past. False when nothing ever passed."""
        passed = 0.0
        for back in self._kept():
            sent, refused = self._mine(back)
            passed = max(passed, (len(sent) - refused) / (self._meter.raw(back).end - self._meter.raw(back).start))
        if not passed:
            return False
        self._look(np.geomspace(_LOWEST * passed, _HIGHEST * passed, _COARSE[0]), np.geomspace(1.0, _MOST, _COARSE[1]), _ROUGHLY)
        return True

    def _closely(self) -> None:
        """Looks again around the best one."""
        best = self._best
        limit, burst = (np.exp(np.linspace(-reach, reach, count)) for reach, count in zip(_AROUND, _FINE, strict=True))
        self._look(best.limit * limit, np.maximum(best.burst * burst, 1.0), _CLOSELY)
        self._looked = 0

    def _look(self, limits: Floats, bursts: Floats, steps: int) -> None:
        """Begins with these buckets at the oldest window that is kept."""
        self._limits = np.repeat(limits, len(bursts)).astype(np.float32)
        self._bursts = np.tile(bursts, len(limits)).astype(np.float32)
        self._level = self._bursts.copy()
        self._misfit = np.zeros(len(self._limits), np.float32)
        self._windows, self._judging = [], False
        for back in self._kept():
            self._step(self._meter.raw(back), *self._mine(back), steps)

    def _step(self, raw: Raw, sent: Floats, refused: int, steps: int) -> None:
        level, limits, bursts = self._level, self._limits, self._bursts
        turned = np.zeros(len(level), np.float32)
        moments, crowds = sent, np.ones(len(sent))
        if len(sent) > steps:
            edges = np.linspace(raw.start, raw.end, steps + 1)
            crowds = np.histogram(sent, edges)[0].astype(float)
            moments = edges[1:]
        last = raw.start
        after = 0.0 if len(sent) <= steps else 0.5  # a crowd comes while its moment's tokens do: half of them are there before it
        for moment, crowd in zip(moments.tolist(), crowds.tolist(), strict=True):
            coming = limits * np.float32(max(moment - last, 0.0))
            level += coming * np.float32(1 - after)
            np.minimum(level, bursts, out=level)
            passed = np.minimum(np.floor(level), np.float32(crowd))
            level -= passed
            if after:
                level += coming * np.float32(after)
            turned += np.float32(crowd) - passed
            last = max(moment, last)
        level += limits * np.float32(max(raw.end - last, 0.0))
        np.minimum(level, bursts, out=level)
        self._judging |= len(sent) > 0 and not refused
        if len(sent) and self._judging:
            self._misfit += (turned - refused) ** 2 / np.float32(_variance(refused))
            self._windows.append((float(np.log(len(sent) / (raw.end - raw.start))), len(sent), refused))

    def _explains(self) -> bool:
        """Whether the best bucket leaves far less unexplained than the mean share refused at each rate does."""
        if not self._windows:
            return False
        rates = Counter[int]()
        turned = Counter[int]()
        for rate, sent, refused in self._windows:
            rates[round(rate / _CELL)] += sent
            turned[round(rate / _CELL)] += refused
        plain = sum(
            (refused - sent * turned[cell] / rates[cell]) ** 2 / _variance(refused)
            for rate, sent, refused in self._windows
            for cell in (round(rate / _CELL),)
        )
        return plain > _NEEDED and float(self._misfit.min()) < _EXPLAINED * plain


def _variance(refused: int) -> float:
    """What a fitting bucket may be off by in one window, squared: requests reach a site a little later than they leave."""
    return 0.5 + 0.1 * refused
