"""In: a scenario file and the choices of one run. Out: a run's folder with its verdict. The arrow of the house, walked once.

    load → plan → hardest moment → target up and allowed → fleet up → windows ⇄ search → drain → findings → result.json → pages

Raises `ScenarioError` and `FleetFailed` (exit 2), `TargetDown` and `safety.Refused` (exit 4), all before a visitor has been sent, and
then leaves no folder. Once the load has begun, every way out leaves a folder that says what happened.
"""

from __future__ import annotations

import contextlib
import platform
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from harness import __version__, advised, report
from harness.analysis.findings import Analyst, Findings
from harness.analysis.search import PROFILES
from harness.brake import Brake
from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest, timeline
from harness.campaigns.plan import ArrivalPlan, Moment
from harness.engine.fleet import Fleet, FleetLost, Mission
from harness.engine.window import Census, Window
from harness.report.live import Tick
from harness.result import CampaignPart, PhasePart, Result, Run, ScenarioPart, Target
from harness.scenario import load
from harness.scenario.catalog import samples
from harness.scenario.model import Scenario
from harness.scenario.problems import Problem, ScenarioError
from harness.scenario.secrets import filled
from harness.target import Resolved, TargetProblem, resolve_target

GRACE = 10.0  # s that visitors under way get to finish once arrivals have stopped
CURVE_POINTS = 400
MEMORY = ".generator"  # below the runs: what this machine can send, measured once


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """What the command line chose. `seed` fixes every arrival; `max_rate` (visitors/s) is never exceeded; `out` holds the runs' folders."""

    scenario: str
    seed: int
    target: str | None = None
    workers: int = 2
    profile: str = "quick"
    max_rate: float | None = None
    out: Path = field(default_factory=lambda: Path("reports"))
    allow_hosts: tuple[str, ...] = ()
    web_port: int | None = None
    lent: int = 0  # workers of other machines, which connect to `listen`
    listen: tuple[str, int] | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # where the scenario's ${NAME} are looked up

    def command(self) -> str:
        """The command that repeats the run."""
        words = ["surge", "run", self.scenario, "--seed", str(self.seed), "--workers", str(self.workers), "--profile", self.profile]
        if self.target:
            words += ["--target", self.target]
        if self.max_rate:
            words += ["--max-rate", f"{self.max_rate:g}"]
        if self.listen:
            words += ["--lent", str(self.lent), "--listen", f"{self.listen[0]}:{self.listen[1]}"]
        for host in self.allow_hosts:
            words += ["--allow-host", host]
        return shlex.join(words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A run that has ended, one way or another."""

    folder: Path
    result: Result
    interrupted: bool


def surge(choices: Choices, *, tell: Callable[[Tick], None], say: Callable[[str], None]) -> Finished:
    """Run one surge test. `tell` gets a tick every half second, `say` a sentence now and then."""
    path = load.resolve(choices.scenario)
    scenario = filled(load.load(path), choices.environment)
    try:
        plan = plan_campaign(scenario)
    except ValueError as error:  # numbers that contradict each other in a way that only the model can see
        raise ScenarioError([Problem(file=path, line=0, column=0, message=str(error))]) from None
    moment = hardest(plan, scenario)
    started = datetime.now(UTC)
    with Brake() as brake, resolve_target(choices.target or scenario.target.url, scenario, choices.allow_hosts, say) as target:
        if choices.lent and target.local:
            raise TargetProblem(f"workers of other machines cannot reach {target.name}: it is on this machine's loopback")
        first = not choices.out.exists()
        folder = _new_folder(choices.out, started, path.stem)
        try:
            return _walk(choices, path, scenario, plan, moment, target, folder, started, brake, tell, say)
        except KeyboardInterrupt:
            # Pressed twice: leave at once, but not without a word about what this folder is.
            (folder / "summary.md").write_text("This run was stopped early, before its report was written.\n", encoding="utf-8")
            raise
        except BaseException:
            # Before the first result there is nothing worth keeping: the folder would only look like a run.
            if not (folder / "result.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
                if first:
                    with contextlib.suppress(OSError):  # nor an empty folder of runs that was not there before
                        choices.out.rmdir()
            raise


def _walk(
    choices: Choices,
    path: Path,
    scenario: Scenario,
    plan: ArrivalPlan,
    moment: Moment,
    target: Resolved,
    folder: Path,
    started: datetime,
    brake: Brake,
    tell: Callable[[Tick], None],
    say: Callable[[str], None],
) -> Finished:
    (folder / "scenario.yaml").write_text(load.redacted(path.read_text(encoding="utf-8")), encoding="utf-8")
    mission = Mission(
        scenario=scenario,
        scenario_path=path,
        target=target.url,
        moment=moment,
        seed=choices.seed,
        workers=choices.workers,
        hosts=target.hosts,
        log=folder / "run.log",
        web_port=choices.web_port,
        bind=choices.listen,
        lent=choices.lent,
        memory=choices.out / MEMORY,
    )
    stopped: str | None = None
    census = Census()
    seconds = 0.0
    notes: tuple[str, ...] = ()
    fleet = Fleet(mission)
    analyst = _analyst(choices, scenario, plan, moment, choices.max_rate)
    try:
        with fleet:
            notes = fleet.start()
            if fleet.ceiling is not None:  # beyond it our own machine would be the limit: nothing to learn there
                analyst = _analyst(choices, scenario, plan, moment, min(fleet.ceiling, choices.max_rate or fleet.ceiling))
            say(f"{choices.workers + choices.lent} workers are up and {target.name} answers. The surge begins; Ctrl-C ends it early.")
            with brake.gently():
                for window in fleet.windows():
                    order = analyst.observe(window)
                    seconds, census = window.at + window.seconds, window.census
                    tell(_tick(window, order.phase, order.say, order.dial, seconds, PROFILES[choices.profile].budget))
                    if brake.pulled:
                        stopped = "interrupted by hand"
                        break
                    if order.dial is None:
                        break
                    fleet.dial(order.dial)
                census = fleet.drain(GRACE, analyst.drained)
    except FleetLost as lost:
        stopped = str(lost)
    except KeyboardInterrupt:
        stopped = stopped or "interrupted by hand"
    with brake.gently():
        found = analyst.findings(census=census, stopped_early=stopped, scout_notes=notes, scouts=fleet.scouting, same_machine=target.local)
        result = Result(
            run=_run_part(choices, folder, started, seconds, stopped),
            scenario=ScenarioPart(name=scenario.name, type=scenario.campaign.type, file=path.name, sha256=load.sha256(path)),
            target=Target(url=target.shown, name=target.name),
            campaign=_campaign_part(plan, moment, scenario),
            business=_business(scenario),
            **(_parts(found) | {"advice": advised.write(folder, scenario, found.advice)}),
        )
        analyst.write_series(folder / "series.csv")
        result.write(folder / "result.json")
        report.write(folder)
        _point_latest(choices.out, folder)
        report.write_index(choices.out)
    return Finished(folder=folder, result=result, interrupted=bool(brake.pulled))


def _analyst(choices: Choices, scenario: Scenario, plan: ArrivalPlan, moment: Moment, ceiling: float | None) -> Analyst:
    return Analyst(
        scenario=scenario,
        plan=plan,
        moment=moment,
        samples=samples(scenario),
        profile=PROFILES[choices.profile],
        ceiling=ceiling,
        seed=choices.seed,
    )


def _parts(found: Findings) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__ if name in Result.model_fields}


def _new_folder(out: Path, started: datetime, stem: str) -> Path:
    base = f"{started:%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', stem)}"
    for suffix in ("", *(f"-{n}" for n in range(2, 100))):
        folder = out / (base + suffix)
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            continue
    raise FileExistsError(f"{out / base} and 98 more exist already")


def _point_latest(out: Path, folder: Path) -> None:
    """reports/latest → the newest run, swapped in one step. Where links cannot be made (some file systems) it is left out."""
    fresh = out / ".latest"
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(folder.name, target_is_directory=True)
        fresh.replace(out / "latest")
    except OSError:
        fresh.unlink(missing_ok=True)


def _run_part(choices: Choices, folder: Path, started: datetime, seconds: float, stopped: str | None) -> Run:
    versions = {"surge": __version__, "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in ("locust", "gevent")}
    return Run(
        id=folder.name,
        started=started.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        seed=choices.seed,
        command=choices.command(),
        versions=versions,
        profile=choices.profile,
        stopped_early=stopped,
    )


def _campaign_part(plan: ArrivalPlan, moment: Moment, scenario: Scenario) -> CampaignPart:
    """The plan for the page, on the clock that people use: 0 is the first mail, the webcast's hour, the post."""
    times = plan.times
    if len(times) > CURVE_POINTS:
        # Half of the points evenly in time, half evenly in visitors: the quiet day and the steep minute both keep their shape.
        even = np.linspace(times[0], times[-1], CURVE_POINTS // 2 - 2)
        mass = np.concatenate(([0.0], np.cumsum((plan.visitors[1:] + plan.visitors[:-1]) / 2 * np.diff(times))))
        busy = np.interp(np.linspace(0, mass[-1], CURVE_POINTS // 2 - 2), mass, times)
        times = np.unique(np.concatenate((even, busy, [plan.peak_at, moment.at])))
    whole = timeline(plan, scenario)
    load = np.interp(times, whole.times, whole.requests * (moment.peak / whole.requests.max()))
    return CampaignPart(
        visitors=plan.total,
        peak_visitors_per_second=plan.peak,
        peak_at_seconds=plan.peak_at - plan.zero,
        peak_concurrent_visitors=moment.peak_concurrent,
        starts=plan.starts.isoformat() if plan.starts else None,
        scanners_peak_per_second=float(plan.scanners.max()),
        moment_at_seconds=moment.at - plan.zero,
        curve_seconds=[round(float(t - plan.zero), 3) for t in times],
        curve_visitors_per_second=[float(f"{v:.5g}") for v in np.interp(times, plan.times, plan.visitors)],
        curve_scanners_per_second=[float(f"{v:.5g}") for v in np.interp(times, plan.times, plan.scanners)],
        curve_load_visitors_per_second=[float(f"{v:.5g}") for v in load],
        returning_peak_per_second=float(plan.returning.max()) if plan.returning is not None else 0.0,
        phases=[PhasePart(name=p.name, start_seconds=p.start - plan.zero, end_seconds=p.end - plan.zero) for p in plan.phases],
        assumptions=list(plan.assumptions),
    )


def _business(scenario: Scenario) -> dict[str, float | str] | None:
    if scenario.business is None:
        return None
    return {
        "conversion": scenario.business.conversion,
        "value": scenario.business.value.amount,
        "currency": scenario.business.value.currency,
    }


def _tick(window: Window, phase: str, say: str, dial: float | None, elapsed: float, budget: float) -> Tick:
    done = window.done
    latency = done["wait"] + done["total"]
    return Tick(
        elapsed=elapsed,
        budget=budget,
        phase=phase,
        say=say,
        dial=window.dial if dial is None else dial,
        visitors=window.census.present,
        requests_per_second=len(done) / window.seconds,
        slowest_in_twenty=float(np.quantile(latency, 0.95)) if len(done) >= 20 else None,
        failed_share=float(((done["outcome"] > 0) & (done["outcome"] < 14)).mean()) if len(done) else 0.0,
        notes=window.notes,
    )
