"""How long planning takes and what it costs, one line a figure: `python tests/bench/bench_campaigns.py`. Fails when a promise is broken."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice

import numpy as np

from harness.campaigns import plan_campaign
from harness.campaigns.arrivals import Dial, arrivals
from harness.campaigns.moment import hardest
from harness.campaigns.plan import ArrivalPlan
from harness.campaigns.schedule import schedule
from harness.scenario.model import EmailBlast, Journey, Page, Scenario, Think
from harness.scenario.spread import Spread

JOURNEYS = (
    Journey(
        name="buy", share=0.4, steps=(Page(url="/"), Think(pause=Spread.about(8)), Page(url="/shop"), Think(pause=Spread.uniform(5, 20)))
    ),
    Journey(name="look", share=0.6, steps=(Page(url="/"),)),
)
WEEK = Scenario(name="week", campaign=EmailBlast(list_size=10_000_000, sent_over=7 * 86400.0), promises=(), journeys=JOURNEYS)


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The fastest of a few."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def plan_of_a_week() -> tuple[float, float]:
    """Seconds and peak MB of a fresh process that plans 10 million mails over a week, imports included."""
    code = (
        "import resource\nfrom bench_campaigns import WEEK, plan_campaign, hardest\n"
        "hardest(plan_campaign(WEEK), WEEK)\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    start = time.perf_counter()
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="tests/bench")
    return time.perf_counter() - start, float(found.stdout)


def five_million() -> float:
    """Seconds to draw about five million arrivals of a mail."""
    plan = plan_campaign(WEEK)
    large = ArrivalPlan(
        times=plan.times,
        visitors=plan.visitors * (5e6 / plan.total),
        scanners=plan.scanners,
        zero=0.0,
        origin=None,
        phases=(),
        assumptions=(),
    )
    drawn = schedule(large, 1)
    assert abs(len(drawn) - 5e6) < 5 * np.sqrt(5e6)
    return seconds(lambda: schedule(large, 2))


def one_arrival() -> float:
    """Microseconds for one arrival of the worker's sequence with its due time."""
    dial = Dial()
    dial.set(0.0, 400.0)

    def work() -> None:
        for at, _ in islice(arrivals(1, (0.5, 0.35, 0.15)), 200_000):
            dial.due(at)

    return seconds(work) / 200_000 * 1e6


def main() -> int:
    wall, memory = plan_of_a_week()
    inside = seconds(lambda: hardest(plan_campaign(WEEK), WEEK))
    rows = (
        ("plan of 10 million mails over a week, process and imports included", wall, 1.0, "s"),
        ("… peak memory of that process", memory, 200.0, "MB"),
        ("… the planning alone", inside, 1.0, "s"),
        ("schedule of 5 million arrivals", five_million(), 2.0, "s"),
        ("one arrival with its due time", one_arrival(), 2.0, "µs"),
    )
    for name, found, limit, unit in rows:
        print(f"{name:70s} {found:9.3f} {unit:3s} (limit {limit:g}) {'ok' if found < limit else 'TOO SLOW'}")
    print(f"{'peak memory of the whole bench':70s} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:9.1f} MB")
    return 0 if all(found < limit for _, found, limit, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
