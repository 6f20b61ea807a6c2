"""In: argv. Out: real surges on servers of known truth, a row each; or the table of all rows.

python -m tests.bench.truth --runs 5                   until every case has five rows; may be stopped and started again
python -m tests.bench.truth --kinds stalls nginx-limit --runs 2 --keep /tmp/kept
python -m tests.bench.truth --k6 PATH --runs 5         what a k6 ramp says of the same servers
python -m tests.bench.truth --tool ramp --runs 5       what a tuned windowed ramp says of them, or (steps) a step test
python -m tests.bench.truth --table --since 2026-11-22T01:00

Several may run side by side when their cases differ: rows are appended a whole line at a time. On two cores eight of ten minutes change
nothing (some with --core 0, some with --core 1): each takes a quarter of one core. They should begin half a minute apart, as a search asks
most of its machine while it explores; of seven of one minute, which begin more often, one in twenty ended without a number, as the
generator was late. Nothing else may want the processor meanwhile, be it idle in name: Linux lets what starves run for 50 ms of a second
(sched_rt_runtime_us, and since 6.12 its fair server), which makes the real-time generator late. What needs a core of its own runs alone:
never-breaks (with --core -1), which ends at the generator's limit. The stacks, whose truth a crowd must press out of them, run two or three
together, begun together: beside other tests, which come and go, PostgreSQL was 2 to 3 % slower than when it was pressed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.truth.cases import CASES
from tests.bench.truth.ramp import ramp
from tests.bench.truth.rows import FILE, Row, add, read
from tests.bench.truth.stacks import missing
from tests.bench.truth.table import table
from tests.bench.truth.trial import surge
from tests.bench.truth.tuned import POLICIES, tuned


@contextlib.contextmanager
def alone(lock: Path | None) -> Iterator[None]:
    """While nobody else who knows of this lock measures."""
    if lock is None:
        yield
        return
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def told(row: Row) -> str:
    """One line for whoever waits."""
    number = (
        "no number"
        if row.estimate is None
        else f"{row.estimate:7.1f}" + (f" ({row.low or 0:.1f}–{row.high or float('inf'):.1f})" if row.tool == "surge" else "")
    )
    truth = "" if row.truth is None else f" for {row.truth:.1f}"
    error = "" if row.error is None else f" {row.error:+6.1%}"
    error += "" if row.covered is None else " covered" if row.covered else " NOT COVERED"
    wrong = "".join(
        f" wrong {what}: {said}"
        for what, said, right in (
            ("status", row.status, row.status_right),
            ("cause", row.cause, row.cause_right),
            ("step", row.first_step, row.step_right),
        )
        if right is False
    )
    rest = f"harmed {row.harmed or 0:.1%} lag p99 {row.lag_p99_ms or 0:.1f} ms {row.seconds:.0f} s load {row.load:.1f}"
    return f"{row.tool:5s} {row.kind:17s} #{row.seed:<3d} {number}{truth}{error} {row.model}/{row.cause}{wrong}; {rest}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.truth", description="Estimates against known truths, on real sockets.")
    parser.add_argument("--kinds", nargs="+", choices=CASES, metavar="KIND", help=", ".join(CASES))
    parser.add_argument("--runs", type=int, default=1, help="rows that each case is to have")
    parser.add_argument("--budget", choices=("quick", "full"), default="quick")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--since", help="count and print rows from this date on (ISO, UTC), instead of those of the present search")
    parser.add_argument("--keep", type=Path, help="a folder for the windows of every run, to be read by tests.bench.truth.replay")
    parser.add_argument("--lock", type=Path, help="a file to lock during each run, for machines that several measure on")
    parser.add_argument("--core", type=int, default=0, help="the generator's core; the server gets the next one; -1: wherever they like")
    parser.add_argument("--rows", type=Path, default=FILE)
    parser.add_argument("--tool", choices=("surge", *POLICIES), default="surge", help="a tuned ramp or step test in place of a surge")
    parser.add_argument("--k6", type=Path, metavar="PROGRAM", help="run this k6 in place of a surge")
    parser.add_argument("--table", action="store_true", help="print the table and send nothing")
    given = parser.parse_args()
    if given.table:
        print(table(read([given.rows], given.since)))
        return
    core = None if given.core < 0 else given.core
    tool = "k6" if given.k6 else given.tool
    for number in range(given.runs):
        for name in given.kinds or CASES:
            case, seed = CASES[name], given.first_seed + number
            if tool != "surge" and case.group == "none":
                continue  # they always say a number
            if lacking := case.stack and missing(case.stack[0]):
                print(f"{name}: skipped, {lacking}", file=sys.stderr)
                continue
            there = [r for r in read([given.rows], given.since) if (r.kind, r.profile, r.tool) == (name, given.budget, tool)]
            if len(there) > number:
                continue
            with alone(given.lock):
                if given.k6:
                    row = ramp(case, seed, given.k6, given.budget, core=core)
                elif tool == "surge":
                    row = surge(case, seed, given.budget, keep=given.keep, core=core)
                else:
                    row = tuned(case, seed, tool, given.budget, core=core)
            add(row, given.rows)
            print(told(row), flush=True)


if __name__ == "__main__":
    main()
