"""Memory of a waiting visitor: ten thousand in a pause after one request, with their cookies and connections. Goal: at most 12 KB each."""

from __future__ import annotations

import os
import sys

from tests.bench.ground import generate, target

VISITORS, GOAL = 10_000, 12.0


def main() -> int:
    """The growth of the resident size while they all wait, connections open; beside it a stock FastHttpUser."""
    visitors = min(VISITORS, int(os.environ.get("VISITORS", VISITORS)))
    with target() as base:
        ours = generate("surge_waiting", base=base, visitors=visitors)["kb_each"]
        stock = generate("fast_waiting", base=base, visitors=min(visitors, 2000))["kb_each"]
    met = ours <= GOAL
    goal = f"goal: at most {GOAL:.0f} KB{'' if met else ', MISSED'}"
    print(f"memory of a waiting visitor: Surge {ours:.1f} KB ({goal}); FastHttpUser {stock:.1f} KB")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
