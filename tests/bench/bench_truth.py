"""Estimates of real surges against servers of known capacity: ten more minutes of runs where rows are missing, then the table.

The whole table takes hours: this adds to it a piece at a time (see `python -m tests.bench.truth --help` for single cases).
"""

from __future__ import annotations

import sys
import time

from tests.bench.truth.__main__ import told
from tests.bench.truth.cases import CASES
from tests.bench.truth.rows import add, read
from tests.bench.truth.stacks import missing
from tests.bench.truth.table import table
from tests.bench.truth.trial import surge

RUNS = 5  # that each case is to have
SECONDS = 600.0


def main() -> int:
    """1 when a goal is missed."""
    end = time.monotonic() + SECONDS
    for number in range(RUNS):
        for case in CASES.values():
            there = [row for row in read() if (row.kind, row.tool, row.profile) == (case.name, "surge", "quick")]
            if len(there) > number or time.monotonic() > end:
                continue
            if lacking := case.stack and missing(case.stack[0]):
                print(f"{case.name}: skipped, {lacking}", file=sys.stderr)
                continue
            try:
                row = surge(case, number + 1, "quick")
            except RuntimeError as silent:  # a stack that is installed and does not come up
                print(f"{case.name}: {silent}", file=sys.stderr)
                continue
            add(row)
            print(told(row), flush=True)
    text = table(read())
    print(text)
    return int("MISSED" in text)


if __name__ == "__main__":
    sys.exit(main())
