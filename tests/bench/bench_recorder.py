"""Does a worker's memory stay flat? Ten million samples and ten thousand distinct errors: `python tests/bench/bench_recorder.py`.

Taken twice a second of a run at 5,000 requests a second, as a worker does it. Exit code 1 when the resident size grows by 20 MB or more.
"""

from __future__ import annotations

import gc
import sys
import time

from harness.engine.clock import Clock
from harness.engine.recorder import Recorder
from harness.engine.vitals import resident_mb

SAMPLES, ERRORS, TAKE = 10_000_000, 10_000, 2_500
GOAL = 20.0  # MB


def main() -> int:
    """Record, take, forget; look at the resident size."""
    clock = Clock(time.monotonic)
    clock.learn(0.0, 0.0, 0.0)
    book = Recorder(clock)
    done, sent, error = book.done, book.sent, book.error
    errors = bytes_taken = 0
    before = peak = 0.0
    start = time.perf_counter()
    for number in range(SAMPLES):
        at = number / 5000
        sent(at, number % 60)
        done(at, 0.0, 0.001, 0.0, 0.02, 0.03, 1000, number % 60, 0, 1)
        if number % (SAMPLES // ERRORS) == 0:
            error(number % 60, 9, f"a message that the site has never sent before: {number}")
        if number % TAKE == TAKE - 1:
            records = book.take()
            bytes_taken += len(records.sent) + len(records.done)
            errors += sum(records.errors.values())
        if number == 100_000:
            gc.collect()
            before = resident_mb()
        if number % 500_000 == 0:
            peak = max(peak, resident_mb())
    seconds = time.perf_counter() - start
    peak = max(peak, resident_mb())
    grown = peak - before
    met = grown < GOAL and errors == ERRORS and bytes_taken == SAMPLES * 46
    print(
        f"recorder, {SAMPLES:,} samples and {ERRORS:,} distinct errors: resident size grew by {grown:.1f} MB "
        f"(goal: below {GOAL:.0f} MB), {seconds / SAMPLES * 1e6:.2f} µs a request {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
