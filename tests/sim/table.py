"""The table: every simulated server, many seeded searches each, judged against its true capacity.

    python -m tests.sim.table                          development servers, 20 runs each
    python -m tests.sim.table --held 1 2 --runs 100    fresh servers drawn with seeds 1 and 2, 100 runs each
    python -m tests.sim.table --only stalls --jobs 2

Errors in % of the true capacity: mean / 95th percentile of the absolute error (bias; share of 90 % intervals that hold the truth).
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.analysis.search import Search
from harness.analysis.search.profile import PROFILES
from harness.result import BreakingPoint
from tests.sim.catalogue import Case, development, held_out
from tests.sim.rig import PROMISES, Rig, moment
from tests.sim.truth import FILE

EARLY = 30.0  # s


@dataclass(frozen=True, kw_only=True)
class Run:
    """One search. Errors are relative to the truth; None where no number was given."""

    status: str
    model: str
    cause: str | None
    step: str | None
    early: float | None
    early_covered: bool
    error: float | None
    covered: bool
    width: float
    seconds: float
    harmed: float
    recovered: bool | None
    step_ms: float


def truth_of(case: Case) -> float:
    return float(json.loads(FILE.read_text())[case.name]["capacity"]) if case.kind != "none" else case.guess


def one(case: Case, seed: int, profile: str, truth: float, peak: float | None = None) -> Run:
    """One search; its start, an eighth of the campaign's peak, lies between a sixtieth and an eighth of the truth. `peak`: a campaign of so
    many times the truth instead."""
    random = np.random.default_rng(seed)
    server = case.build(random)
    rig = Rig(server, random, mix=case.mix, most=case.most)
    drawn = 8 * truth / float(np.exp(random.uniform(np.log(8), np.log(60))))
    dialled = drawn if peak is None else peak * truth
    per = 1 + sum(case.mix)
    search = Search(promises=PROMISES, moment=moment(dialled, per), samples=rig.samples, profile=PROFILES[profile], ceiling=None, seed=seed)
    began = time.perf_counter()
    order = search.next(rig.step(0.0))
    early: BreakingPoint | None = None
    steps = 1
    while order.dial is not None:
        order = search.next(rig.step(order.dial))
        steps += 1
        if early is None and rig.now >= EARLY + 0.5:
            early = search.breaking_point()
    spent = time.perf_counter() - began
    found = search.breaking_point()
    early = early or found
    if case.drifts:
        truth /= 1 + getattr(server, "served", 0) / 400e3

    def error(point: BreakingPoint) -> float | None:
        return None if point.visitors_per_second is None else point.visitors_per_second / truth - 1

    def covered(point: BreakingPoint) -> bool:
        return point.low is not None and point.low <= truth and (point.high is None or truth <= point.high)

    return Run(
        status=found.status,
        model=found.model,
        cause=found.cause,
        step=found.first_step,
        early=error(early),
        early_covered=covered(early),
        error=error(found),
        covered=covered(found),
        width=(found.high - found.low) / found.visitors_per_second if found.visitors_per_second else np.nan,
        seconds=rig.now,
        harmed=rig.bad / max(rig.sent, 1),
        recovered=found.recovered,
        step_ms=1000 * spent / steps,
    )


def row(case: Case, runs: list[Run]) -> str:
    """One line of the table."""

    def cell(errors: list[float], held: float) -> str:
        if not errors:
            return f"{'no number':>28s}"
        e = 100 * np.array(errors)
        return f"{np.abs(e).mean():5.1f} /{np.quantile(np.abs(e), 0.95):5.1f} ({e.mean():+5.1f}; {100 * held:3.0f} %)"

    early = [r.early for r in runs if r.early is not None]
    final = [r.error for r in runs if r.error is not None]
    right = np.mean([r.cause in case.causes for r in runs])
    step = np.mean([r.step in case.steps for r in runs])
    models = {m: sum(r.model == m for r in runs) for m in sorted({r.model for r in runs})}
    width = 100 * float(np.nanmean([r.width for r in runs])) if final else float("nan")
    parts = [
        f"{case.name:26s} {cell(early, float(np.mean([r.early_covered for r in runs])))}",
        f"{cell(final, float(np.mean([r.covered for r in runs])))} width {width:3.0f}",
        f"cause {100 * right:3.0f} step {100 * step:3.0f}",
        f"{np.mean([r.seconds for r in runs]):3.0f} s harmed {100 * np.mean([r.harmed for r in runs]):4.1f}",
        f"status {100 * np.mean([r.status == case.status for r in runs]):3.0f} numbers {len(final):3d}/{len(runs)}",
        f"back {sum(r.recovered is True for r in runs)}/{sum(r.recovered is False for r in runs)}",
        f"{' '.join(f'{k}:{v}' for k, v in models.items())} {np.mean([r.step_ms for r in runs]):.2f} ms",
    ]
    return " | ".join(parts)


def _batch(name: str, held: int, seeds: range, profile: str, peak: float | None) -> list[Run]:
    case = next(c for c in (held_out(held) if held else development()) if c.name == name)
    truth = truth_of(case)
    return [one(case, seed, profile, truth, peak) for seed in seeds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--held", type=int, nargs="*", default=[], help="held-out servers drawn with these seeds, instead of the development ones"
    )
    parser.add_argument("--only", nargs="*", default=[], help="names that contain one of these words")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--peak", type=float, help="of the campaign, as a multiple of the truth; otherwise drawn below it")
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args()
    sets = [(seed, held_out(seed)) for seed in chosen.held] or [(0, development())]
    kinds: dict[str, list[Run]] = {}
    with ProcessPoolExecutor(chosen.jobs) as pool:
        waiting = []
        for held, cases in sets:
            for case in cases:
                if not chosen.only or any(word in case.name for word in chosen.only):
                    seeds = range(chosen.seed, chosen.seed + chosen.runs)
                    waiting.append((case, pool.submit(_batch, case.name, held, seeds, chosen.profile, chosen.peak)))
        for case, future in waiting:
            runs = future.result()
            kinds.setdefault(case.kind, []).extend(runs)
            print(row(case, runs), flush=True)
    for kind, runs in kinds.items():
        errors = np.abs([100 * r.error for r in runs if r.error is not None])
        early = np.abs([100 * r.early for r in runs if r.early is not None])
        if len(errors) and len(early):
            print(f"all {kind:8s} 30 s {early.mean():.1f} / {np.quantile(early, 0.95):.1f}", end="")
            print(f"   end {errors.mean():.1f} / {np.quantile(errors, 0.95):.1f}", end="")
            print(f"   cover {100 * np.mean([r.covered for r in runs]):.0f} %   harmed {100 * np.mean([r.harmed for r in runs]):.1f} %")


if __name__ == "__main__":
    main()
