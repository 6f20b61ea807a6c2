"""In: the dial, and how many visitors stand in each pause for every unit of it. Out: which of them exist, and whose they are. Pure.

Dweller k of a place exists while dial × density + phase ≥ k + 1: so the total over all workers is exact, the same seed places the same
dwellers for any number of workers.

Every visitor carries a mark: the dial below which it is not part of the picture. An arrival at dial a is marked evenly in [0, a), so
lowering the dial to b keeps each with chance b/a: the campaign scaled to b at once, in every pause, and in the backlog of a slow site.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

_GOLDEN = 0.6180339887498949  # multiples of the golden ratio fill the unit interval evenly (Weyl)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One pause of one journey: `density` visitors stand in it for every visitor/s of the dial; `phase` in [0, 1) spreads the rounding."""

    journey: int
    step: int
    density: float
    phase: float
    salt: int

    def count(self, dial: float) -> int:
        """How many stand here, over all workers."""
        return math.floor(dial * self.density + self.phase) if dial > 0 else 0

    def mark(self, k: int) -> float:
        """The dial at which dweller k comes and goes."""
        return max(0.0, (k + 1 - self.phase) / self.density)


def places(dwelling: dict[tuple[int, int], float], seed: int) -> tuple[Place, ...]:
    """The pauses in which visitors stand, phases drawn from the seed."""
    found = []
    for (journey, step), density in sorted(dwelling.items()):
        random = Random(f"{seed}/standing/{journey}/{step}")
        found.append(Place(journey=journey, step=step, density=density, phase=random.random(), salt=random.randrange(1 << 16)))
    return tuple(found)


def mark_of(number: int, dial: float, seed: int) -> float:
    """The mark of arrival `number` that came at this dial: in [0, dial), those of arrivals next to each other far apart."""
    return dial * math.modf((number + seed % 65521) * _GOLDEN)[0]


class Shards:
    """Which worker owns what: number n is at home with worker n mod `homes`; the homeless go to the living in turn, from `at` on."""

    __slots__ = ("_epochs", "homes")

    def __init__(self, homes: int) -> None:
        self.homes = homes
        self._epochs: list[tuple[float, tuple[int, ...]]] = [(-math.inf, tuple(range(homes)))]

    def copy(self) -> Shards:
        """As it stands now."""
        other = Shards(self.homes)
        other._epochs = list(self._epochs)
        return other

    def first(self, at: float) -> int | None:
        """The first of the living at `at`: who does what is to be done once."""
        return min(next(living for since, living in reversed(self._epochs) if since <= at), default=None)

    def change(self, at: float, living: Sequence[int]) -> None:
        """From run second `at` on only these workers own anything."""
        self._epochs.append((at, tuple(living)))

    def owner(self, number: int, at: float) -> int:
        """Whose arrival (or dweller) `number` is, at run second `at`."""
        if len(self._epochs) == 1:
            return number % self.homes
        living = next(w for since, w in reversed(self._epochs) if since <= at)
        home = number % self.homes
        return home if home in living or not living else living[number // self.homes % len(living)]
