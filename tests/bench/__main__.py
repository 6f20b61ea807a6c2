"""`python -m tests.bench [NAME…]`: every bench_*.py, or those named (`visitors`, `keepalive` …), one row each. Exit code 1 when a goal is
missed."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path


def main(names: list[str]) -> int:
    """Run them one after the other: they share the machine's cores."""
    known = sorted(file.stem.removeprefix("bench_") for file in Path(__file__).parent.glob("bench_*.py"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    missed = []
    for name in names or known:
        print(f"— {name}", flush=True)
        began = time.perf_counter()
        try:
            code = importlib.import_module(f"tests.bench.bench_{name}").main()
        except SystemExit as left:
            print(left.code, file=sys.stderr)
            code = 1
        print(f"  ({time.perf_counter() - began:.0f} s)", flush=True)
        if code:
            missed.append(name)
    print(f"goals missed: {', '.join(missed)}" if missed else "every goal met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
