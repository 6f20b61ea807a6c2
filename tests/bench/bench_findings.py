"""What an hour of load costs the analysis: `python -m tests.bench.bench_findings`. Fails when a promise of the house is broken.

Ten million requests in 7,200 windows, six steps, the dial changing every two seconds, 10,000 distinct error messages: memory must stay
flat, a window must be done long before the next, and the findings must be there in three seconds.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from harness.analysis.evidence import Evidence
from harness.analysis.findings import Campaign, Ending, findings
from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window, WorkerHealth
from harness.engine.wire import Outcome
from harness.result import BreakingPoint
from harness.scenario.catalog import samples
from harness.scenario.model import EmailBlast, Get, Journey, Page, Post, Promise, Scenario

REQUESTS, SECONDS, WINDOW = 10_000_000, 3600.0, 0.5
MESSAGES = 10_000
SCENARIO = Scenario(
    name="an hour",
    campaign=EmailBlast(list_size=3_000_000, sent_over=600.0),
    promises=(
        Promise(text="95% of responses within 800 ms", kind="latency", limit=0.8, share=0.95),
        Promise(text="errors below 1%", kind="errors", limit=0.01),
    ),
    journeys=(
        Journey(name="look", share=0.5, steps=(Page(url="/"),)),
        Journey(name="buy", share=0.5, steps=(Page(url="/"), Get(url="/shop"), Post(url="/checkout"))),
    ),
)


def windows(random: np.random.Generator):  # type: ignore[no-untyped-def]
    """The run, window by window; one request in fifty fails, with a message of its own."""
    count = int(SECONDS / WINDOW)
    each = REQUESTS // count
    kinds = len(samples(SCENARIO))
    for number in range(count):
        at = number * WINDOW
        done = np.zeros(each, DONE_TYPE)
        done["total"] = random.lognormal(-2.5, 0.8, each)
        done["first_byte"] = done["total"] * 0.8
        done["sent"] = at + random.uniform(0, WINDOW, each) - done["total"]
        done["size"] = 20_000
        done["sample"] = random.integers(0, kinds, each)
        bad = random.random(each) < 0.02
        done["outcome"][bad] = Outcome.HTTP_5XX
        sent = np.zeros(each, SENT_TYPE)
        sent["at"], sent["sample"] = np.sort(random.uniform(at, at + WINDOW, each)), done["sample"]
        first = number * 5 % MESSAGES
        visitors = (number + 1) * each // 3
        yield Window(
            number=number,
            at=at,
            seconds=WINDOW,
            dial=100.0 + 10 * (number // 4 % 7),
            sent=sent,
            done=np.sort(done, order="sent"),
            lags=np.full(each // 3, 0.001, np.float32),
            census=Census(due=visitors, started=visitors, completed=visitors),
            workers=(WorkerHealth(name="worker 1", alive=True, cpu=0.4), WorkerHealth(name="worker 2", alive=True, cpu=0.4)),
            errors={(0, int(Outcome.HTTP_5XX), f"500: request {k} failed"): 5 for k in range(first, first + 5)},
        )


def point(peak: float) -> BreakingPoint:
    known: dict[str, object] = dict.fromkeys(BreakingPoint.model_fields)
    known |= {"status": "found", "visitors_per_second": peak / 2, "low": peak / 2.1, "high": peak / 1.9, "cause": "slow", "model": "queue"}
    return BreakingPoint.model_validate(known)


def main() -> int:
    plan = plan_campaign(SCENARIO)
    moment = hardest(plan, SCENARIO)
    evidence = Evidence(SCENARIO, samples(SCENARIO))
    slowest, total, census, base = 0.0, 0.0, Census(), 0
    tracemalloc.start()
    for window in windows(np.random.default_rng(1)):
        start = time.perf_counter()
        evidence.add(window, "hold")
        spent = time.perf_counter() - start
        slowest, total, census = max(slowest, spent), total + spent, window.census
        if window.number == 120:  # after a minute everything is allocated that has a fixed size
            gc.collect()
            base = tracemalloc.get_traced_memory()[0]
    gc.collect()
    grown = (tracemalloc.get_traced_memory()[0] - base) / 1e6
    tracemalloc.stop()
    start = time.perf_counter()
    found = findings(Campaign(scenario=SCENARIO, plan=plan, moment=moment), evidence, point(moment.peak), Ending(census=census))
    finding = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        path = Path(folder) / "series.csv"
        evidence.series.write(path)
        writing, size = time.perf_counter() - start, path.stat().st_size / 1e6
    text = sum(len(part.model_dump_json()) for part in (*found.levels, *found.steps, *found.errors, *found.doubts)) / 1e3
    windows_seen = SECONDS / WINDOW
    print(f"requests                  {found.totals.requests:,}")
    print(f"a window                  {total / windows_seen * 1000:.2f} ms on average, {slowest * 1000:.1f} ms at most (tracing memory)")
    print(f"memory grown in the hour  {grown:.1f} MB")
    print(f"findings                  {finding:.2f} s")
    print(f"series.csv                {writing:.2f} s, {size:.1f} MB")
    print(f"of result.json            {text:.0f} KB of levels, steps, errors, doubts; {len(found.errors)} errors shown")
    return 0 if grown < 20 and finding < 3 and found.totals.requests == REQUESTS // int(windows_seen) * windows_seen else 1


if __name__ == "__main__":
    sys.exit(main())
