"""What others would have measured: the same simulated servers, met with a k6-style ramp and with the best tuned windowed ramp and step
test (`rivals`).

    python -m tests.sim.baselines [--held 1 2] [--runs 20] [--budget full]

    k6        a linear ramp to a guessed top in the whole time; stops when the 95th percentile or the failures of the whole run so far
              break a promise (`abortOnFail`); reports the rate at which it stopped
    ramp      `rivals.ramp`, its settings tuned on the development servers
    steps     `rivals.steps`, likewise

All get the same 58 s as a quick search, or the 590 s of a full one. The guess of the top is 1.5 to 5 times the truth, as nobody knows
better beforehand.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from tests.sim.catalogue import Case, development, held_out
from tests.sim.rig import Rig
from tests.sim.rivals import BUDGETS, LIMIT, RAMP, STEP, Watch, ramp, steps
from tests.sim.table import one, truth_of

RAMPS = {
    "quick": [(seconds, window) for seconds in (15.0, 25.0, 50.0) for window in (1.0, 2.0, 5.0)],
    "full": [(seconds, window) for seconds in (50.0, 100.0, 200.0) for window in (5.0, 10.0, 20.0)],
}
STEPS = {
    "quick": [(count, dwell) for count in (6, 10, 16) for dwell in (3.0, 5.0)],
    "full": [(count, dwell) for count in (10, 16, 30) for dwell in (5.0, 10.0, 20.0)],
}


Settings = dict[str, tuple[float, float]]


def k6(rig: Rig, top: float, seconds: float) -> float:
    watch = Watch()
    while rig.now < seconds:
        dial = max(top * rig.now / seconds, 1.0)
        watch.add(rig.step(dial))
        if rig.now > 2 and watch.broken(0.0, rig.now - LIMIT):
            return dial
    return top


def errors(case: Case, seed: int, budget: str, settings: Settings | None = None) -> dict[str, float]:
    """Absolute relative errors of every method (or only of the chosen settings) on one seeded server."""
    truth = truth_of(case)
    found: dict[str, float] = {}

    def play(name: str, method: Callable[..., float], *arguments: float) -> None:
        random = np.random.default_rng(seed)
        rig = Rig(case.build(random), random, mix=case.mix)
        top = truth * float(random.uniform(1.5, 5.0))
        found[name] = abs(method(rig, top, *arguments) / truth - 1)

    play("k6", k6, {"quick": 60.0, "full": 600.0}[budget])
    for setting in RAMPS[budget] if settings is None else [settings["ramp"]]:
        play(f"ramp {setting}", ramp, *setting, BUDGETS[budget])
    for setting in STEPS[budget] if settings is None else [settings["steps"]]:
        play(f"steps {setting}", steps, *setting, BUDGETS[budget])
    return found


def _batch(held: int, name: str, runs: int, budget: str, settings: Settings | None) -> tuple[list[dict[str, float]], list[float]]:
    case = next(c for c in (held_out(held) if held else development()) if c.name == name)
    others = [errors(case, seed, budget, settings) for seed in range(runs)]
    ours = [one(case, seed, budget, truth_of(case)).error for seed in range(runs)] if settings else []
    return others, [abs(e) for e in ours if e is not None]


def tuned(budget: str, runs: int) -> Settings:
    """The settings with the smallest mean error over the development servers; all of them are printed."""
    total: dict[str, list[float]] = {}
    for case in development():
        if case.kind != "none":
            for found in _batch(0, case.name, runs, budget, None)[0]:
                for name, error in found.items():
                    total.setdefault(name, []).append(error)
    for name, values in total.items():
        print(f"{name:20s} {100 * np.mean(values):5.1f}", flush=True)
    best: Settings = {}
    for method, settings in (("ramp", RAMPS[budget]), ("steps", STEPS[budget])):
        best[method] = min(settings, key=lambda s, m=method: float(np.mean(total[f"{m} {s}"])))  # type: ignore[misc]
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", type=int, nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=20, help="0: tune only")
    parser.add_argument("--tuning", type=int, default=6, help="runs a server of every setting; 0: take the settings that were tuned before")
    parser.add_argument("--budget", choices=BUDGETS, default="quick")
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args()
    budget = chosen.budget
    settings = tuned(budget, chosen.tuning) if chosen.tuning else {"ramp": RAMP[budget], "steps": STEP[budget]}
    print(f"{budget}: ramp {settings['ramp']}, steps {settings['steps']}")
    if not chosen.runs:
        return
    everything: dict[str, list[float]] = {"k6": [], "ramp": [], "steps": [], "ours": []}
    with ProcessPoolExecutor(chosen.jobs) as pool:
        cases = [(h, c) for h in chosen.held for c in held_out(h)] or [(0, c) for c in development()]
        waiting = [(c, pool.submit(_batch, h, c.name, chosen.runs, budget, settings)) for h, c in cases if c.kind != "none"]
        for case, future in waiting:
            others, ours = future.result()
            line = {k: [e for found in others for n, e in found.items() if n.startswith(k)] for k in ("k6", "ramp", "steps")} | {
                "ours": ours
            }
            for k, values in line.items():
                everything[k].extend(values)
            print(f"{case.name:26s} " + "  ".join(f"{k} {100 * np.mean(v):5.1f}" for k, v in line.items()), flush=True)
    mean = {k: 100 * float(np.mean(v)) for k, v in everything.items()}
    print("all " + "  ".join(f"{k} {v:.1f} ({v / mean['ours']:.1f}x ours)" for k, v in mean.items()))


if __name__ == "__main__":
    main()
