"""In: a case and a seed. Out: a `Row`: one real surge, Locust master and workers, on a server whose truth is known.

The loop is that of `surge run` without its pages, so that the windows can be kept. Server and generator get a core each where the machine
has two, and go before its other work where that is permitted.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from harness.analysis.findings import Analyst, Findings
from harness.analysis.search import PROFILES
from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.engine.fleet import Fleet, Mission, TargetDown
from harness.engine.window import Window
from harness.engine.wire import Outcome
from harness.run import GRACE
from harness.scenario import load
from harness.scenario.catalog import samples
from tests.bench.truth.cases import Case
from tests.bench.truth.kinds import LIMIT
from tests.bench.truth.process import ROOT
from tests.bench.truth.rows import Row, machine

SAME = 0.06  # two truths that are further apart are not one


@dataclass(kw_only=True, slots=True)
class Record:
    """What is kept of a run to look into it afterwards: `orders` are (window number, phase, dial that followed)."""

    kind: str
    seed: int
    profile: str
    peak: float
    truth: float | None
    scenario: str
    windows: list[Window] = field(default_factory=list)
    scouted: int = 0
    orders: list[tuple[int, str, float | None]] = field(default_factory=list)
    answered: dict[str, object] = field(default_factory=dict)


def peak_of(case: Case, seed: int) -> float:
    """The campaign's size says nothing about the truth: an eighth of it, where exploring begins, lies at a 60th to an 8th of the truth."""
    return case.near * float(np.exp(np.random.default_rng([seed, 7]).uniform(np.log(8 / 60), 0)))


def surge(case: Case, seed: int, profile: str, *, workers: int = 2, keep: Path | None = None, core: int | None = 0) -> Row:
    """Serve, surge, judge."""
    peak = peak_of(case, seed)
    before = os.getloadavg()[0]
    date = datetime.now(UTC).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory(prefix="surge-truth-") as name, case.served(seed) as told, cores(told["pid"], core):
        folder = Path(name)
        truth = case.true(told)
        file = case.scenario(folder, told["url"], peak)
        record = Record(kind=case.name, seed=seed, profile=profile, peak=peak, truth=truth, scenario=file.read_text())
        began = time.monotonic()
        try:
            found, down = _walk(file, told["url"], record, workers, core is not None), ""
        except TargetDown as error:
            found, down = None, str(error)
        seconds = time.monotonic() - began
        state = ended(case, told["url"])
        if case.pressed:  # its truth may have moved with the machine: half a truth is none
            record.truth = agreed(truth, case.true(told))
    row = _judged(case, record, found, down, date=date, load=before, seconds=seconds, state=state)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if found is not None:
            record.answered = found.breaking_point.model_dump() | {"doubts": [doubt.kind for doubt in found.doubts]}
        (keep / f"{date.replace(':', '')}-{case.name}-{seed}.pickle").write_bytes(pickle.dumps(record))
    return row


def _walk(file: Path, url: str, record: Record, workers: int, pinned: bool) -> Findings:
    scenario = load.load(file)
    plan = plan_campaign(scenario)
    moment = hardest(plan, scenario)
    analyst = Analyst(
        scenario=scenario,
        plan=plan,
        moment=moment,
        samples=samples(scenario),
        profile=PROFILES[record.profile],
        ceiling=None,
        seed=record.seed,
    )

    def drained(window: Window) -> None:
        record.windows.append(window)
        analyst.drained(window)

    with launched(file, url, record.seed, workers=workers, pinned=pinned) as (fleet, notes):
        record.scouted = len(fleet.scouting.done) if fleet.scouting else 0
        for window in fleet.windows():
            order = analyst.observe(window)
            record.windows.append(window)
            record.orders.append((window.number, order.phase, order.dial))
            if order.dial is None:
                break
            fleet.dial(order.dial)
        census = fleet.drain(GRACE, drained)
    return analyst.findings(census=census, scout_notes=notes)


@contextlib.contextmanager
def launched(file: Path, url: str, seed: int, *, workers: int = 2, pinned: bool = False) -> Iterator[tuple[Fleet, tuple[str, ...]]]:
    """A fleet for that scenario with its dial at zero, and its scouts' notes. Its log is written beside the scenario."""
    scenario = load.load(file)
    mission = Mission(
        scenario=scenario,
        scenario_path=file,
        target=url,
        moment=hardest(plan_campaign(scenario), scenario),
        seed=seed,
        workers=workers,
        hosts=frozenset(),
        log=file.with_name("run.log"),
    )
    with Fleet(mission) as fleet:
        notes = fleet.start()
        if pinned:
            for child in psutil.Process().children(recursive=True):
                for thread in child.threads():  # those that carry their words to the master too
                    first(thread.id, 2)  # thinking may wait, sending may not
        yield fleet, notes


def agreed(before: float | None, after: float | None) -> float | None:
    """What a crowd pressed out of a stack before the run and after it, in the middle; None where the two are not the same."""
    if not before or not after or abs(np.log(after / before)) > SAME:
        return None
    return float(np.sqrt(before * after))


def ended(case: Case, url: str) -> dict[str, Any]:
    """What the server says of itself when all is over; nothing where nobody here wrote it."""
    if case.stack:
        return {}
    with urllib.request.urlopen(f"{url}/_truth", timeout=10) as answer:
        return json.load(answer)  # type: ignore[no-any-return]


def harmed(windows: list[Window]) -> tuple[float | None, int]:
    """The share of all requests that failed, were late, or were cut off when they were late already; and how many there were."""
    if not windows or not (count := sum(len(w.done) for w in windows)):
        return None, 0
    done = np.concatenate([w.done for w in windows])
    late = done["wait"] + done["total"] > LIMIT
    failed = (done["outcome"] > 0) & (done["outcome"] != Outcome.CUT_OFF)
    return float((late | failed).mean()), count


def _judged(
    case: Case, record: Record, found: Findings | None, down: str, *, date: str, load: float, seconds: float, state: dict[str, Any]
) -> Row:
    share, requests = harmed(record.windows)
    truth = case.worn(record.truth, state)
    point = found.breaking_point if found else None
    number = point is not None and point.visitors_per_second is not None
    status = point.status if point else "target_down"
    covered = None
    if truth is not None:
        covered = bool(point and point.low is not None and point.low <= truth and (point.high is None or truth <= point.high))
    notes = [down] if down else []
    if found:
        notes += [f"{doubt.kind}" for doubt in found.doubts]
    return Row(
        date=date,
        machine=machine(),
        code=commit(),
        tool="surge",
        profile=record.profile,
        kind=case.name,
        group=case.group,
        seed=record.seed,
        peak=record.peak,
        truth=truth,
        estimate=point.visitors_per_second if point else None,
        low=point.low if point else None,
        high=point.high if point else None,
        covered=covered,
        status=status,
        status_right=status in case.status and number == (status == "found"),
        model=point.model if point else "none",
        cause=(point.cause if point else None) or "",
        cause_right=(point is not None and point.cause in case.causes) if case.causes else None,
        first_step=(point.first_step if point else None) or "",
        step_right=(point is not None and point.first_step == case.step) if case.step else None,
        recovered=str(point.recovered) if point else "",
        harmed=share,
        requests=requests + record.scouted,
        asked=state.get("requests"),
        lag_p99_ms=found.generator.lag_p99_ms if found else None,
        seconds=seconds,
        load=load,
        note=" ".join(notes),
    )


def commit() -> str:
    """The commit that ran, with a + when the package had changes of its own."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if git("status", "--short", "harness") else "")


@contextlib.contextmanager
def cores(server: int, core: int | None) -> Iterator[None]:
    """This process and what it starts on one core (the `core`th that may be used), the server and its children on the next.

    All of them go before the machine's other work, in real time: a nice value would not do, as Linux weighs sessions first.
    """
    if core is None or not hasattr(os, "sched_setaffinity") or len(usable := sorted(os.sched_getaffinity(0))) < 2:
        yield
        return
    mine, its = usable[core % len(usable)], usable[(core + 1) % len(usable)]
    there = psutil.Process(server)
    for thread in (thread.id for process in (there, *there.children(recursive=True)) for thread in process.threads()):
        os.sched_setaffinity(thread, {its})
        first(thread, 3)
    os.sched_setaffinity(0, {mine})
    first(0, 1)
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, usable)


def first(pid: int, rank: int) -> None:
    """Before all ordinary work, and before lower ranks."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(rank))
