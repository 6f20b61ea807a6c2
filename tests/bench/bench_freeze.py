"""Is the time that a frozen site costs its visitors seen? `python tests/bench/bench_freeze.py`. Exit code 1 when it is not.

The site stops dead for 2 s of every 10 s. Visitors come when they come, so 2 in 10 meet a frozen site and wait, evenly, up to 2 s:
P(wait > w) = 0.2 (1 - w / 2), whose 90th percentile is 1 s and whose 99th is 1.9 s. A generator that waits for answers before it sends
again sends hardly anything while the site is frozen (coordinated omission): what k6 and Locust report of the same site stands below.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from harness.campaigns.plan import Moment
from harness.engine.fleet import Fleet, Mission
from harness.scenario.model import EmailBlast, Get, Journey, Scenario

PERIOD, FROZEN, CYCLES, RATE = 10.0, 2.0, 4, 200.0
CLOSED_FORM, CLOSED_P90 = (FROZEN * (1 - share * PERIOD / FROZEN) for share in (0.01, 0.10))
GOAL = 0.05
BESIDE = 2  # cycles for each of the others
SITE = f"""
import asyncio, time
from harness.engine import null_site
def freeze(loop):
    loop.call_later({PERIOD - FROZEN}, lambda: (time.sleep({FROZEN}), freeze(loop)))
serve = null_site._serve
async def both():
    freeze(asyncio.get_running_loop())
    await serve()
null_site._serve = both
null_site.main()
"""


def latencies(site: str, folder: Path) -> np.ndarray:
    """From the due moment to the last byte, in s, of every request due in whole cycles."""
    mission = Mission(
        scenario=Scenario(
            name="one page",
            campaign=EmailBlast(list_size=1000, sent_over=60.0),
            promises=(),
            journeys=(Journey(name="one page", share=1.0, steps=(Get(url="/"),)),),
        ),
        scenario_path=Path("bench.yaml"),
        target=site,
        moment=Moment(
            at=0,
            peak=1.0,
            visitors_per_second=1.0,
            scanners_per_second=0.0,
            concurrent=0.0,
            peak_concurrent=0.0,
            requests_per_second=1.0,
            dwelling={},
        ),
        seed=1,
        workers=2,
        hosts=frozenset(),
        log=folder / "run.log",
    )
    with Fleet(mission) as fleet:
        fleet.start()
        done = []
        for window in fleet.windows():
            if window.number == 0:
                fleet.dial(RATE)
            done.append(window.done)
            if window.at >= 1.0 + PERIOD * CYCLES + FROZEN:
                break
        fleet.drain(5.0, lambda w: done.append(w.done))
    records = np.concatenate(done)
    due = records["sent"] - records["wait"]
    return (records["wait"] + records["total"])[(due >= 1.0) & (due < 1.0 + PERIOD * CYCLES)]


def beside(kind: str, site: str) -> str:
    """What another generator reports of whole cycles of the site: its own p90 and p99, and how much of the load it made."""
    options = {"base": site, "rate": RATE, "seconds": PERIOD * BESIDE}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.beside", kind, json.dumps(options)], capture_output=True, text=True, timeout=120
    )
    if ran.returncode:
        raise RuntimeError(f"{kind} failed: {ran.stderr[-2000:]}")
    said = json.loads(ran.stdout.strip().splitlines()[-1])
    made = said["requests"] / (RATE * PERIOD * BESIDE)
    return f"p90 {said['p90'] * 1000:,.1f} ms, p99 {said['p99'] * 1000:,.0f} ms, {made:.0%} of the load made"


def main() -> int:
    """Measure, compare with the closed form; beside it what the others say."""
    process = subprocess.Popen([sys.executable, "-c", SITE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    others = {"locust": "Locust, users with a constant throughput"}
    if shutil.which(os.environ.get("K6", "k6")):
        others["k6"] = "k6, constant arrival rate and 50 VUs"
    try:
        site = f"http://127.0.0.1:{int(process.stdout.readline())}"
        with tempfile.TemporaryDirectory() as folder:
            found = latencies(site, Path(folder))
        said = {name: beside(kind, site) for kind, name in others.items()}
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
    p90, p99 = (float(np.quantile(found, share)) for share in (0.90, 0.99))
    off = p99 / CLOSED_FORM - 1
    met = abs(off) < GOAL
    print(
        f"p99 from the due moment of a site that freezes {FROZEN:g} s in {PERIOD:g} s: {p99:.3f} s, closed form {CLOSED_FORM:.3f} s, "
        f"{off:+.1%} over {len(found)} requests (goal: within {GOAL:.0%}) {'met' if met else 'MISSED'}"
    )
    print(f"    of the same site: closed form p90 {CLOSED_P90 * 1000:,.0f} ms, p99 {CLOSED_FORM * 1000:,.0f} ms")
    print(f"    Surge: p90 {p90 * 1000:,.0f} ms, p99 {p99 * 1000:,.0f} ms, all of the load made")
    for name, words in said.items():
        print(f"    {name}: {words}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
