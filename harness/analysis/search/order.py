"""`Order`: what a search wants next. The phases of a search:

baseline   a quiet rate: what the site does without load, and whether it answers at all
explore    the dial rises by half each second until something gives
drain      the load falls at once; the line must go away
hold       at the estimate, first a little above, so that the site is busy most of the time; refitted each second
confirm    the lower end of the interval, held: a plain fact beside the estimate
rehearsal  the campaign's own peak; one beyond the break shortly, and never above twice the estimate
recovery   half the load after it (or after one short push past the break): does the site come back?
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What to do next. `dial` in visitors/s; None: the search is over. `say` is one sentence for whoever watches."""

    dial: float | None
    phase: str
    say: str
