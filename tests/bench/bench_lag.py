"""How punctual visitors start at half of the generator's maximum: `python tests/bench/bench_lag.py`. Exit code 1 when the goal is missed.

One worker on one core, a null site on the other. A visitor is a new connection, a cookie, three GETs and a check. The maximum is the
highest rate of fresh visitors at which 99 of 100 start within 25 ms of their moment, for two seconds.

The worker runs as any user's does, without a priority of its own. On a shared machine others then hold its core while it has work to do;
the kernel counts that time (/proc/PID/schedstat, the second number). The rate is held several times, and the round in which others took
the least counts: chosen by what they took, not by how punctual it was. All rounds are printed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from harness.campaigns.plan import Moment
from harness.engine.fleet import Fleet, Mission
from harness.scenario.model import Check, EmailBlast, Get, Journey, Scenario

LATE = 0.025  # s, beyond which the generator is over its limit
GOAL = 0.005  # s, p99 at half of it
ROUNDS, SECONDS = 5, 4.0
CHECK = Check(contains=("hello",))
SCENARIO = Scenario(
    name="three pages",
    campaign=EmailBlast(list_size=1000, sent_over=60.0),
    promises=(),
    journeys=(Journey(name="three pages", share=1.0, steps=tuple(Get(url=f"/{n}", check=CHECK) for n in range(3))),),
)
MOMENT = Moment(
    at=0,
    peak=1.0,
    visitors_per_second=1.0,
    scanners_per_second=0.0,
    concurrent=0.0,
    peak_concurrent=0.0,
    requests_per_second=3.0,
    dwelling={},
)


@contextmanager
def null_site(core: int) -> Iterator[str]:
    """A null site on that core."""
    process = subprocess.Popen([sys.executable, "-m", "harness.engine.null_site"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        port = int(process.stdout.readline())
        psutil.Process(process.pid).cpu_affinity([core])
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """p99 lag (s), visitors/s started, the worker's share of its core, and the share of time that others kept it from running."""

    p99: float
    started: float
    cpu: float
    waited: float

    def __str__(self) -> str:
        return (
            f"{self.started:7.0f} visitors/s started, p99 lag {self.p99 * 1000:7.2f} ms, {self.cpu:.0%} of its core, "
            f"kept waiting {self.waited:.1%} of the time"
        )


class Bench:
    """A fleet of one pinned worker whose dial is turned by hand."""

    def __init__(self, fleet: Fleet, worker: int) -> None:
        self.fleet = fleet
        self.windows = fleet.windows()
        self._schedule = Path(f"/proc/{worker}/schedstat")

    def _waited(self) -> float:
        """Seconds that the worker was ready to run while another had its core; NaN where the kernel does not tell."""
        try:
            return int(self._schedule.read_text().split()[1]) / 1e9
        except OSError:
            return float("nan")

    def at(self, rate: float, seconds: float) -> Round:
        """This rate for so long, the first half second left out."""
        self.fleet.dial(rate)
        next(self.windows)
        waited, began = self._waited(), time.monotonic()
        seen = [next(self.windows) for _ in range(round(seconds * 2) + 1)][1:]
        lags = np.concatenate([w.lags for w in seen])
        p99 = float(np.quantile(lags, 0.99)) if len(lags) > 20 else float("inf")
        took = (self._waited() - waited) / (time.monotonic() - began)
        return Round(p99=p99, started=len(lags) / seconds, cpu=max(w.workers[0].cpu for w in seen), waited=took)


def main() -> int:
    """Find the maximum, halve it, measure."""
    cores = sorted(psutil.Process().cpu_affinity())
    with tempfile.TemporaryDirectory() as folder, null_site(cores[0]) as url:
        mission = Mission(
            scenario=SCENARIO,
            scenario_path=Path("bench.yaml"),
            target=url,
            moment=MOMENT,
            seed=1,
            workers=1,
            hosts=frozenset(),
            log=Path(folder) / "run.log",
        )
        with Fleet(mission) as fleet:
            fleet.start()
            worker = psutil.Process(fleet._workers[0].pid)
            worker.cpu_affinity([cores[-1]])
            bench = Bench(fleet, worker.pid)
            bench.at(100, 1.0)
            rate, best = 400.0, 0.0
            while rate < 20_000:
                held = False
                for _ in range(2):  # one hiccup of a shared machine must not end the search
                    seen = bench.at(rate, 2.0)
                    print(f"    {rate:7.0f} asked, {seen}", flush=True)
                    held = seen.p99 <= LATE
                    if held:
                        break
                    bench.at(best / 4, 2.0)
                if not held:
                    break
                best, rate = rate, rate * 1.25
            bench.at(best / 4, 2.0)
            rounds = [bench.at(best / 2, SECONDS) for _ in range(ROUNDS)]
            fleet.dial(0.0)
            fleet.drain(5.0)
    for seen in rounds:
        print(f"    half of the maximum: {seen}")
    calm = min(rounds, key=lambda seen: seen.waited)
    met = calm.p99 < GOAL
    print(
        f"p99 start lag at half the maximum ({best / 2:.0f} of {best:.0f} visitors/s, one core, {calm.cpu:.0%} of it), in the calmest "
        f"of {ROUNDS} rounds ({calm.waited:.1%} waiting for others): {calm.p99 * 1000:.2f} ms, median of all "
        f"{statistics.median(seen.p99 for seen in rounds) * 1000:.2f} ms (goal: below {GOAL * 1000:.0f} ms) {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
