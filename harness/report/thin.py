"""In: a long curve. Out: at most so many of its points, with every spike kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def spikes(values: Sequence[float | None], limit: int) -> list[int]:
    """Indices, ascending, of at most `limit` values to draw: of each stretch the lowest and the highest, so no spike and no dip is lost.

    Values that are None are skipped unless a whole stretch is None: then its first index stands for the gap.
    """
    count = len(values)
    if count <= limit:
        return list(range(count))
    stretches = max(1, limit // 2)
    kept: set[int] = set()
    for number in range(stretches):
        start, end = number * count // stretches, (number + 1) * count // stretches
        present = [(value, index) for index in range(start, end) if (value := values[index]) is not None]
        if present:
            kept.add(min(present)[1])
            kept.add(max(present, key=lambda pair: (pair[0], -pair[1]))[1])
        elif end > start:
            kept.add(start)
    return sorted(kept)


def every(count: int, limit: int) -> list[int]:
    """Indices, ascending, of at most `limit` of `count` rows, evenly spread, first and last kept."""
    if count <= limit:
        return list(range(count))
    return sorted({round(number * (count - 1) / (limit - 1)) for number in range(limit)})
