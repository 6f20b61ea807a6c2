"""What others would have measured: the same simulated servers, met with a k6-style ramp and with the best tuned windowed ramp and step
test.

    python -m tests.sim.baselines [--held 1 2] [--runs 20]

    k6        a linear ramp to a guessed top in 60 s; stops when the 95th percentile or the failures of the whole run so far break a promise
              (`abortOnFail`); reports the rate at which it stopped
    ramp      the same with a sliding window; repeated around its own answer until the time is used; settings tuned on the development
    servers steps     plateaus at equal distances; the answer lies between the last that held and the first that failed; tuned likewise

All get the same 58 s as a quick search. The guess of the top is 1.5 to 5 times the truth, as nobody knows better beforehand.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from harness.engine.window import Window
from tests.sim.catalogue import Case, development, held_out
from tests.sim.rig import Rig
from tests.sim.table import one, truth_of

BUDGET = 58.0
LIMIT, LATE, FAILING = 0.5, 0.05, 0.01
RAMPS = [(seconds, window) for seconds in (15.0, 25.0, 50.0) for window in (1.0, 2.0, 5.0)]
STEPS = [(count, dwell) for count in (6, 10, 16) for dwell in (3.0, 5.0)]


class _Watch:
    """Verdicts by windows, over what was sent: late once its age passes the limit."""

    def __init__(self) -> None:
        self.sent: list[np.ndarray] = []
        self.good: list[np.ndarray] = []
        self.bad: list[np.ndarray] = []

    def add(self, window: Window) -> None:
        self.sent.append(window.sent["at"])
        fine = (window.done["outcome"] == 0) & (window.done["total"] <= LIMIT)
        self.good.append(window.done["sent"][fine])
        self.bad.append(window.done["sent"][window.done["outcome"] != 0])

    def broken(self, since: float, until: float) -> bool:
        """Whether the requests sent in this time broke a promise."""
        sent, good, bad = (np.concatenate(x) for x in (self.sent, self.good, self.bad))
        count = ((sent > since) & (sent <= until)).sum()
        if count < 5:
            return False
        fine = ((good > since) & (good <= until)).sum()
        failed = ((bad > since) & (bad <= until)).sum()
        return bool(1 - fine / count > LATE or failed / count > FAILING)


def k6(rig: Rig, top: float) -> float:
    watch = _Watch()
    while rig.now < 60.0:
        dial = max(top * rig.now / 60.0, 1.0)
        watch.add(rig.step(dial))
        if rig.now > 2 and watch.broken(0.0, rig.now - LIMIT):
            return dial
    return top


def _rest(rig: Rig, watch: _Watch, dial: float) -> None:
    """A tenth of the load until nothing is late, at most 5 s."""
    began = rig.now
    while rig.now - began < 5 and (rig.now - began < 1 or watch.broken(rig.now - 1.5, rig.now - LIMIT)):
        watch.add(rig.step(0.1 * dial))


def ramp(rig: Rig, top: float, seconds: float, window: float) -> float:
    watch, low, high, answers = _Watch(), 0.02 * top, top, []
    while rig.now + 4 < BUDGET:
        began = rig.now
        while True:
            dial = low + (high - low) * min(1.0, (rig.now - began) / seconds)
            watch.add(rig.step(dial))
            past = rig.now - began
            if past > window and watch.broken(rig.now - LIMIT - window, rig.now - LIMIT):
                found = low + (high - low) * min(1.0, max(0.0, past - LIMIT - window) / seconds)  # the rate at the window's start
                break
            if past >= seconds or rig.now >= BUDGET:
                found = high
                break
        answers.append(found)
        _rest(rig, watch, found)
        low, high = 0.6 * found, 1.5 * found
    return float(np.mean(answers[1:] or answers))


def steps(rig: Rig, top: float, count: int, dwell: float) -> float:
    watch, low, high = _Watch(), 0.0, top
    while rig.now + dwell < BUDGET:
        held, failed = low, high
        for dial in np.linspace(low, high, count + 1)[1:]:
            began = rig.now
            while rig.now - began < dwell and rig.now < BUDGET:
                watch.add(rig.step(float(dial)))
            if watch.broken(began + 0.5, rig.now - LIMIT):
                failed = float(dial)
                break
            held = float(dial)
            if rig.now >= BUDGET:
                break
        low, high = (0.9 * held, 1.05 * failed) if held else (0.0, failed)
        _rest(rig, watch, failed)
    return (held + failed) / 2 if held else failed / 2


def errors(case: Case, seed: int, settings: dict[str, tuple[float, float]] | None = None) -> dict[str, float]:
    """Absolute relative errors of every method (or only of the chosen settings) on one seeded server."""
    truth = truth_of(case)
    found: dict[str, float] = {}

    def play(name: str, method: object, *arguments: float) -> None:
        random = np.random.default_rng(seed)
        rig = Rig(case.build(random), random, mix=case.mix)
        top = truth * float(random.uniform(1.5, 5.0))
        found[name] = abs(method(rig, top, *arguments) / truth - 1)  # type: ignore[operator]

    play("k6", k6)
    for setting in RAMPS if settings is None else [settings["ramp"]]:
        play(f"ramp {setting}", ramp, *setting)
    for setting in STEPS if settings is None else [settings["steps"]]:
        play(f"steps {setting}", steps, *setting)
    return found


def _batch(held: int, name: str, runs: int, settings: dict[str, tuple[float, float]] | None) -> tuple[list[dict[str, float]], list[float]]:
    case = next(c for c in (held_out(held) if held else development()) if c.name == name)
    others = [errors(case, seed, settings) for seed in range(runs)]
    ours = [one(case, seed, "quick", truth_of(case)).error for seed in range(runs)] if settings else []
    return others, [abs(e) for e in ours if e is not None]


def tuned() -> dict[str, tuple[float, float]]:
    """The settings with the smallest mean error over the development servers (6 runs each)."""
    total: dict[str, list[float]] = {}
    for case in development():
        if case.kind != "none":
            for found in _batch(0, case.name, 6, None)[0]:
                for name, error in found.items():
                    total.setdefault(name, []).append(error)
    best = {}
    for method, settings in (("ramp", RAMPS), ("steps", STEPS)):
        best[method] = min(settings, key=lambda s, m=method: np.mean(total[f"{m} {s}"]))  # type: ignore[misc]
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", type=int, nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args()
    settings = tuned()
    print(f"tuned on the development servers: ramp {settings['ramp']}, steps {settings['steps']}")
    everything: dict[str, list[float]] = {"k6": [], "ramp": [], "steps": [], "ours": []}
    with ProcessPoolExecutor(chosen.jobs) as pool:
        cases = [(h, c) for h in chosen.held for c in held_out(h)] or [(0, c) for c in development()]
        waiting = [(c, pool.submit(_batch, h, c.name, chosen.runs, settings)) for h, c in cases if c.kind != "none"]
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
