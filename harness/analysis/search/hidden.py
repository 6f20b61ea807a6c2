"""In: one group's requests. Out: whether only some of them meet the bottleneck, though nothing tells them apart; and if so, its capacity.

A slow query, one server of several, a cache that misses: the others pass at once, so the group as a whole shows no plateau. But the line
of the bottleneck consists of requests that have waited longer than requests usually take: lingerers (see inflight.py). While a line stands,

    answers to lingerers per second          = the bottleneck's own speed μ,
    lingerers born per request sent (φ)      = the share of requests that it concerns,

so the site's limit is that of a queue of speed μ fed by a share φ of the requests. Lingerers are those of its line that are older than
`age`; the younger ones, μ × age of them while the line stands, are added to the count. Where the bottleneck's own service is long, some are
late without any line, and some who meet a short one are served before they linger: what few lingerers show tells the former, and where a
longer line lets more of them be seen, only the longer one counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.analysis.search.estimator import Estimator
from harness.analysis.search.inflight import Lingerers
from harness.analysis.search.meter import BINS, MIDDLE, SPREAD, Meter, bin_of
from harness.analysis.search.queueing import Demand

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_STANDS = 4  # lingerers that make a line, at least
_SOME = 0.6  # where fewer than this share of requests come to linger although a long line stands, the others pass it by
_MOST = 0.75
_USUAL = 0.4  # of the answers without load stay below what is called usual
_UNMOVED = 1.6  # times as slow as without load still counts as the same
_SOON = 0.8  # of a wait as long as the limit: the line stands by then
_CLEAR = 2.5  # standard errors
_NEEDED = 40  # requests sent while a long line stood


class Hidden:
    """The line hidden within one group. `age`, s: see above; `usual`, s: what four requests in ten stay below without load."""

    def __init__(self, meter: Meter, members: Mask, *, age: float, usual: float, demands: tuple[Demand, ...], seed: int) -> None:
        self.age = age
        self._usual = usual
        self._spread = np.zeros(len(SPREAD), np.int64)
        self._crowd = Lingerers(meter, members, age)
        self.queue = Estimator(demands=demands, seed=seed, limits=len(demands) + 1)
        self.found = False
        self.share = 1.0
        self._share_error = 0.0
        self._speed = 0.0
        self._stands = float(_STANDS)

    def add(self, back: int = 0, *, trusted: bool = True) -> None:
        """Counts the raw window `back` windows before the newest."""
        levels = self._crowd.levels(back)
        if trusted:
            self.queue.add(levels)

    def tune(self, *, demands: tuple[Demand, ...], per_dial: float, per_dial_error: float) -> None:
        """Looks again for a hidden line. The arguments are the whole group's."""
        history = self.queue.history
        history.relevel = None
        time, answers, sent, late = history.sums()  # late[-1]: those who came to linger
        # A line stands when whoever joins it will linger: when there are as many lingerers as are answered within the age.
        self._stands = float(_STANDS)
        limit = min(d.limit for d in demands)
        for _ in range(3):
            line = self._stands <= MIDDLE
            if time[line].sum() < 1.0 or sent[-1][line].sum() < _NEEDED:
                self.found = False
                return
            self._speed = float(answers[line].sum() / time[line].sum())
            young = self._speed * self.age
            self._stands = max(float(_STANDS), young)
            sure = _SOON * limit * self._speed - young
            if sure > self._stands and self._hides(sent[-1], late[-1], sure):
                self._stands = sure
        # Where the line is so long that most of its requests come too late, hardly anyone who meets it passes unseen.
        came, stayed, missed = (np.cumsum(column[::-1])[::-1] for column in (sent[-1], late[-1], late[0]))
        long = line & (came >= _NEEDED) & (missed >= 0.5 * stayed) & (stayed >= 5)
        if long.any():
            at = int(np.argmax(long))
            share = float(stayed[at] / came[at])
            unsure = np.sqrt((share * (1 - share) + 0.1) / came[at])
            self.found = self._others_pass(share) and share + 2 * unsure < (_MOST if self.found else _SOME)
        if not self.found or self._speed <= 0:
            return
        births = float(late[-1][line].sum())
        self.share = max(births / float(sent[-1][line].sum()), 1e-3)
        self._share_error = float(np.sqrt((1 - self.share) / max(births, 1.0)))
        queue = self.queue
        queue.hit = self.share
        queue.per_dial = per_dial * self.share
        queue.per_dial_error = float(np.hypot(per_dial_error, self._share_error))
        queue.calm = (self.age + self._stands / self._speed) / 1.5
        alone = self._stands / 2 > MIDDLE  # few linger: whoever is late is served slowly, and did not wait
        calm = late[:, alone].sum(axis=1) / np.maximum(self.share * sent[:, alone].sum(axis=1), 1.0)
        queue.demands = tuple(
            Demand(limit=d.limit, late=float(np.clip(d.late / self.share, 0.002, 0.95)), calm=float(min(calm[k], 1.0)))
            for k, d in enumerate(demands)
        )
        relevel = np.zeros((BINS, BINS))
        rows = np.flatnonzero(line)
        relevel[rows, bin_of(np.round(MIDDLE[rows] + self._speed * self.age).astype(np.int64))] = 1.0
        history.relevel = relevel

    def _hides(self, sent: Floats, births: Floats, sure: float) -> bool:
        """Whether fewer come to linger who meet a line shorter than `sure`, though it stands: some of them are served too soon to show."""
        long = sure <= MIDDLE
        short = (self._stands <= MIDDLE) & ~long
        few, many = float(sent[short].sum()), float(sent[long].sum())
        if min(few, many) < _NEEDED:
            return False
        less, more = float(births[short].sum()) / few, float(births[long].sum()) / many
        return bool(more - less > _CLEAR * np.sqrt(more * (1 - more) * (1 / few + 1 / many)))

    def watch(self, spread: npt.NDArray[np.int64]) -> None:
        """The answers of a window in which many came too late, by latency."""
        self._spread = self._spread + spread

    def _others_pass(self, share: float) -> bool:
        """Whether the answers to those who do not meet the line, all but `share`, come as fast as without load even while many are late:
        one line for all would delay all."""
        counts = np.cumsum(self._spread)
        if counts[-1] < _NEEDED:
            return False
        return bool(SPREAD[int(np.searchsorted(counts, _USUAL * (1 - share) * counts[-1]))] <= _UNMOVED * self._usual)

    @property
    def in_flight(self) -> int:
        """How many stand in the hidden line, young ones included."""
        return self._crowd.now + (round(self._speed * self.age) if self._crowd.now >= self._stands else 0)
