"""Fresh visitors/s of one core (new connection, cookie, three GETs with a check) held with p99 start lag below 25 ms: Surge, FastHttpUser,
k6.

A second row of the same rounds, by the generator's own CPU time, which a busy machine changes less; k6 is left out of it, because what its
start costs cannot be told apart.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys

from tests.bench.ground import highest, in_turn, row, target


def main() -> int:
    """Rounds in turn; k6 only where its binary is found (PATH, or the variable K6)."""
    ours: list[float] = []
    stock: list[float] = []
    with target() as base:
        sides = {
            "Surge": lambda: highest("surge", 2500, ours, base=base),
            "FastHttpUser": lambda: highest("fast", 700, stock, base=base),
        }
        if shutil.which(os.environ.get("K6", "k6")):
            sides["k6"] = lambda: highest("k6", 1500, base=base)
        found = dict(zip(sides, in_turn(int(os.environ.get("ROUNDS", "3")), *sides.values()), strict=True))
    goals = {"FastHttpUser": 5.0, "k6": 1.5}
    missed = row("fresh visitors", found["Surge"], {name: (found[name], goals[name]) for name in sides if name != "Surge"}, "visitors/s")
    by_cpu = [1 / statistics.median(costs) for costs in (ours, stock)]
    row("the same for each second of CPU time", by_cpu[0], {"FastHttpUser": (by_cpu[1], goals["FastHttpUser"])}, "visitors")
    return missed


if __name__ == "__main__":
    sys.exit(main())
