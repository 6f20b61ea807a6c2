"""In: a null site. Out: what one visit and one request cost this machine's generator, in seconds of processor. A process of its own.

Costs, not rates: processor time is nearly the same on a busy machine as on an idle one, so the site may share the core meanwhile.
Visits of one request and of eleven are timed in turn; the difference is ten kept-alive requests.
"""

from __future__ import annotations

import gc
import json
import sys
import time

import locust  # noqa: F401  (first: it patches the process)

from harness.engine.clock import Clock
from harness.engine.recorder import Recorder
from harness.engine.visitors.compile import compile_scenario
from harness.engine.visitors.visit import Crew
from harness.safety import Gate
from harness.scenario.catalog import samples
from harness.scenario.model import Check, EmailBlast, Get, Journey, Scenario

VISITS = 4  # at a time, as open arrivals come; sixty at a time cost half as much each, and promise what no surge reaches
SHORT, LONG = 1, 11  # requests of a visit
ROUNDS = 60


def _scenario() -> Scenario:
    check = Check(contains=("hello",))
    journeys = tuple(
        Journey(name=f"{n} requests", share=0.5, steps=tuple(Get(url=f"/{k}", check=check) for k in range(n))) for n in (SHORT, LONG)
    )
    return Scenario(name="null", campaign=EmailBlast(list_size=1, sent_over=1.0), promises=(), journeys=journeys)


def measure(url: str) -> tuple[float, float]:
    """Seconds of processor for a visit (connection and visitor, no request) and for a request. Raises when the site fails a request."""
    scenario = _scenario()
    clock = Clock(time.monotonic)
    clock.learn(0.0, 0.0, 0.0)
    recorder = Recorder(clock)
    crew = Crew(journeys=compile_scenario(scenario, samples(scenario), url, Gate()), record=recorder, seed=0)
    gc.collect()
    gc.freeze()
    costs: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS):
        for journey in (0, 1):
            before = time.process_time()
            for number in range(VISITS):
                crew.arrive(turn * VISITS + number, journey, time.monotonic())
            crew.join(20.0)
            costs[journey].append((time.process_time() - before) / VISITS)
            recorder.take()
    if crew.tally.completed != 2 * ROUNDS * VISITS:
        raise RuntimeError(f"the null site failed: {crew.tally}")
    short, long = (sorted(c[5:])[len(c) // 2] for c in costs)  # the first rounds warm up
    request = max((long - short) / (LONG - SHORT), 1e-6)
    return max(short - SHORT * request, 1e-6), request


if __name__ == "__main__":
    visit, request = measure(sys.argv[1])
    print(json.dumps({"visit": visit, "request": request}))
