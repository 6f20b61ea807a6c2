"""Kept-alive requests for each second of CPU time, forty visitors in a closed loop with a check on every answer: Surge, FastHttpUser, k6."""

from __future__ import annotations

import os
import shutil
import sys

from tests.bench.ground import generate, in_turn, row, target


def main() -> int:
    """In turn, several rounds."""
    with target() as base:

        def rate(kind: str, requests: int) -> float:
            said = generate(kind, base=base, visitors=40, requests=requests)
            assert said["failed"] == 0
            return said["per_cpu_second"]  # of its own CPU time: what one whole core would give, whoever else is busy on it

        sides = {"Surge": lambda: rate("surge_keep", 1500), "FastHttpUser": lambda: rate("fast_keep", 300)}
        if shutil.which(os.environ.get("K6", "k6")):
            sides["k6"] = lambda: rate("k6_keep", 2000)
        found = dict(zip(sides, in_turn(int(os.environ.get("ROUNDS", "3")), *sides.values()), strict=True))
    goals = {"FastHttpUser": 4.0, "k6": 1.5}
    return row("kept-alive requests", found["Surge"], {name: (found[name], goals[name]) for name in sides if name != "Surge"}, "requests/s")


if __name__ == "__main__":
    sys.exit(main())
