"""Does the account close, whatever happens? `python tests/bench/bench_conservation.py [RUNS [FIRST]]`: 100 seeded runs with faults.

They take about a quarter of an hour.

Every run is a real fleet against a site that by its seed answers, fails, closes before or within an answer, drips, or never answers. In
every third run the site now and then stands still behind a short queue: visitors are cut off or give up before they are connected. In every
fourth a worker is killed with -9 in the middle. Always: due = started + dropped; started = completed + failed + abandoned + cut off; nobody
is left; every request that was recorded as sent has ended, if only as cut off. Without a killed worker the site saw exactly the requests
that were recorded, but for those whose connection never stood; with one, at most those of the worker's last report and of its patience are
missing, and nobody knows of its last requests under way whether they had left. Exit code 1 when a single run does not close.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from harness.analysis.totals import unsent_of
from harness.campaigns.plan import Moment
from harness.engine.fleet import Fleet, Mission
from harness.scenario.model import Check, EmailBlast, Get, Journey, Scenario, Think
from harness.scenario.spread import Spread

SITE = r"""
import asyncio, random, sys, time
seed = int(sys.argv[1])
dice, seen, sick = random.Random(seed), 0, False
short = seed % 3 == 2
BODY = b"hello" * 50
def head(length, status=b"200 OK", more=b""):
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n" % (status, length, more)
async def handle(reader, writer):
    global seen, sick
    try:
        while True:
            asked = await reader.readuntil(b"\r\n\r\n")
            if asked.startswith(b"GET /seen"):
                sick = True
                writer.write(head(len(str(seen)), more=b"Connection: close\r\n") + str(seen).encode())
                return
            seen += 1
            kind = dice.random() if seen > 40 else 1.0
            if short and 0.99 < kind < 1.0:
                time.sleep(0.7)
            if kind < 0.05:
                return
            if kind < 0.10:
                writer.write(head(len(BODY)) + BODY[:60])
                return
            if kind < 0.15:
                writer.write(head(2, b"503 Busy", b"Connection: close\r\n") + b"no")
                return
            if kind < 0.18:
                writer.transport.abort()
                return
            if kind < 0.21:
                await asyncio.sleep(30)
                return
            if kind < 0.30:
                await asyncio.sleep(dice.uniform(0.05, 0.6))
            if kind < 0.34:
                writer.write(head(7) + b"goodbye")
            else:
                writer.write(head(len(BODY)) + BODY)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=16 if short else 4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
CHECK = Check(contains=("hello",))
SCENARIO = Scenario(
    name="conservation",
    campaign=EmailBlast(list_size=1000, sent_over=60.0),
    promises=(),
    journeys=(
        Journey(
            name="read on",
            share=0.6,
            steps=(Get(url="/a", check=CHECK, timeout=1.0), Think(pause=Spread.uniform(0.2, 2.0)), Get(url="/b", check=CHECK, timeout=1.0)),
        ),
        Journey(name="look", share=0.4, steps=(Get(url="/c", check=CHECK, timeout=1.0),)),
    ),
)
MOMENT = Moment(
    at=0,
    peak=1.0,
    visitors_per_second=1.0,
    scanners_per_second=0.3,
    concurrent=0.66,
    peak_concurrent=0.66,
    requests_per_second=1.9,
    dwelling={(0, 1): 0.66},
)


def run(seed: int) -> tuple[str, int, int]:
    """One run; what does not close (empty when all does), how many visitors it had, and of how many requests nothing left."""
    dice = random.Random(seed)
    kill = dice.randrange(4, 7) if seed % 4 == 3 else None
    rates = [dice.uniform(20, 250) for _ in range(3)]
    site = subprocess.Popen([sys.executable, "-c", SITE, str(seed)], stdout=subprocess.PIPE, text=True)
    assert site.stdout is not None
    try:
        url = f"http://127.0.0.1:{int(site.stdout.readline())}"
        with tempfile.TemporaryDirectory() as folder:
            mission = Mission(
                scenario=SCENARIO,
                scenario_path=Path("bench.yaml"),
                target=url,
                moment=MOMENT,
                seed=seed,
                workers=2,
                hosts=frozenset(),
                log=Path(folder) / "run.log",
            )
            with Fleet(mission) as fleet:
                fleet.start()
                assert fleet.scouting is not None
                told = [fleet.scouting]
                for window in fleet.windows():
                    told.append(window)
                    if window.number in (0, 3, 6):
                        fleet.dial(rates[window.number // 3])
                    if window.number == kill:
                        os.kill(fleet._workers[dice.randrange(2)].pid, signal.SIGKILL)
                    if window.number >= 9:
                        break
                census = fleet.drain(dice.choice((0.0, 0.5, 3.0)), told.append)
        time.sleep(0.1)
        with urllib.request.urlopen(url + "/seen", timeout=10) as answer:
            seen = int(answer.read())
    finally:
        site.kill()
        site.wait()
        site.stdout.close()
    faults = []
    if census.due != census.started + census.dropped:
        faults.append(f"due {census.due} is not started {census.started} + dropped {census.dropped}")
    if census.started != census.completed + census.failed + census.abandoned + census.cut_off or census.present:
        faults.append(f"visitors do not add up: {census}")
    accounts = zip(*((len(w.sent), len(w.done), unsent_of(w.done), w.lost) for w in told), strict=True)
    begun, ended, unsent, lost = map(sum, accounts)
    left = begun - unsent
    if begun != ended:
        faults.append(f"{begun} requests began, {ended} ended")
    if kill is None and seen != left:
        faults.append(f"the site saw {seen} requests, {left} left")
    if kill is not None and not -lost <= seen - left <= max(rates) * 1.9 * 1.0:
        faults.append(f"with a killed worker the site saw {seen} requests, {left} were recorded")
    return "; ".join(faults), census.due, unsent


def main(runs: int = 100, first: int = 0) -> int:
    """So many runs, seeds from `first` on: one line at the end, and one for each that does not close."""
    broken = visitors = unsent = 0
    for seed in range(first, first + runs):
        fault, came, held = run(seed)
        visitors, unsent = visitors + came, unsent + held
        if fault:
            broken += 1
            print(f"    seed {seed}: {fault}", flush=True)
    outcome = "MISSED" if broken else "met"
    print(
        f"conservation: {runs - broken} of {runs} runs with faults close exactly "
        f"({visitors:,} visitors; {unsent:,} requests found no connection) {outcome}"
    )
    return 0 if not broken else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
