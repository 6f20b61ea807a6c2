"""Fresh visitors/s of one core (new connection, cookie, three GETs with a check) held with p99 start lag below 25 ms: Surge, FastHttpUser,
k6."""

from __future__ import annotations

import os
import shutil
import sys

from tests.bench.ground import highest, in_turn, row, target


def main() -> int:
    """Three rounds in turn; k6 only where its binary is found (PATH, or the variable K6)."""
    with target() as base:
        sides = {"Surge": lambda: highest("surge", 2500, base=base), "FastHttpUser": lambda: highest("fast", 700, base=base)}
        if shutil.which(os.environ.get("K6", "k6")):
            sides["k6"] = lambda: highest("k6", 1500, base=base)
        found = dict(zip(sides, in_turn(int(os.environ.get("ROUNDS", "3")), *sides.values()), strict=True))
    goals = {"FastHttpUser": 5.0, "k6": 1.5}
    return row("fresh visitors", found["Surge"], {name: (found[name], goals[name]) for name in sides if name != "Surge"}, "visitors/s")


if __name__ == "__main__":
    sys.exit(main())
