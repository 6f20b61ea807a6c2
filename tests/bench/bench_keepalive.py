"""Kept-alive requests/s of one core, forty visitors in a closed loop with a check on every answer: Surge, FastHttpUser, k6.

Two rows of the same rounds: by the clock, which the goals are for, and by the generator's own CPU time, which a busy machine changes less.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys

from tests.bench.ground import generate, in_turn, row, target

GOALS = {"FastHttpUser": 4.0, "k6": 1.5}


def main() -> int:
    """In turn, several rounds."""
    by_cpu: dict[str, list[float]] = {}
    with target() as base:

        def rate(side: str, kind: str, requests: int) -> float:
            said = generate(kind, base=base, visitors=40, requests=requests)
            assert said["failed"] == 0
            by_cpu.setdefault(side, []).append(said["per_cpu_second"])
            return said["per_second"]

        sides = {"Surge": lambda: rate("Surge", "surge_keep", 1500), "FastHttpUser": lambda: rate("FastHttpUser", "fast_keep", 300)}
        if shutil.which(os.environ.get("K6", "k6")):
            sides["k6"] = lambda: rate("k6", "k6_keep", 2000)
        found = dict(zip(sides, in_turn(int(os.environ.get("ROUNDS", "3")), *sides.values()), strict=True))
    others = [name for name in sides if name != "Surge"]
    cpu = {name: statistics.median(rates) for name, rates in by_cpu.items()}
    missed = row("kept-alive requests", found["Surge"], {name: (found[name], GOALS[name]) for name in others}, "requests/s")
    row("the same for each second of CPU time", cpu["Surge"], {name: (cpu[name], GOALS[name]) for name in others}, "requests")
    return missed


if __name__ == "__main__":
    sys.exit(main())
