"""Is the time that a frozen site costs its visitors seen? `python tests/bench/bench_freeze.py`. Exit code 1 when it is not.

The site stops dead for 2 s of every 10 s. Visitors come when they come, so 2 in 10 meet a frozen site and wait, evenly, up to 2 s:
P(wait > w) = 0.2 (1 - w / 2), whose 99th percentile is 1.9 s. A generator that waits for answers before it sends again sends hardly
anything while the site is frozen, and reports a few ms (coordinated omission).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from harness.campaigns.plan import Moment
from harness.engine.fleet import Fleet, Mission
from harness.scenario.model import EmailBlast, Get, Journey, Scenario

PERIOD, FROZEN, CYCLES, RATE = 10.0, 2.0, 4, 200.0
CLOSED_FORM = FROZEN * (1 - 0.01 * PERIOD / FROZEN)
GOAL = 0.05
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


def main() -> int:
    """Measure, compare with the closed form."""
    process = subprocess.Popen([sys.executable, "-c", SITE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = latencies(f"http://127.0.0.1:{int(process.stdout.readline())}", Path(folder))
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
    p99 = float(np.quantile(found, 0.99))
    off = p99 / CLOSED_FORM - 1
    met = abs(off) < GOAL
    print(
        f"p99 from the due moment of a site that freezes {FROZEN:g} s in {PERIOD:g} s: {p99:.3f} s, closed form {CLOSED_FORM:.3f} s, "
        f"{off:+.1%} over {len(found)} requests (goal: within {GOAL:.0%}) {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
