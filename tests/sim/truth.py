"""In: a case. Out: its true capacity, the dial at which half of the plateaus of a minute keep the promises; kept in truth.json.

python -m tests.sim.truth [NAME…]     computes what is missing (or the names given)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from harness.engine.wire import Outcome
from tests.sim.catalogue import Case, development, held_out

FILE = Path(__file__).with_name("truth.json")
LIMIT, LATE, FAILING = 0.5, 0.05, 0.01


def passes(case: Case, dial: float, seed: int) -> bool:
    """Whether one plateau keeps the promises (95 % within 500 ms, errors below 1 %), after settling. Drifting servers start warm."""
    random = np.random.default_rng(seed)
    server = case.build(random)
    if getattr(server, "_cold", None):
        server.served = 1e6  # type: ignore[attr-defined]
    end = case.settle + case.held
    times, kinds = [], []
    for kind, ratio in enumerate((1.0, *case.mix)):
        count = random.poisson(dial * ratio * end)
        times.append(random.uniform(0, end, count))
        kinds.append(np.full(count, kind))
    at, which = np.concatenate(times), np.concatenate(kinds)
    order = np.argsort(at)
    sent, latency, _, outcome = server.serve(at[order], which[order], end)
    judged = (sent > case.settle) & (sent < end - LIMIT)
    born = ((at > case.settle) & (at < end - LIMIT)).sum()
    good = (judged & (outcome == Outcome.OK) & (latency <= LIMIT)).sum()
    failed = (judged & (outcome != Outcome.OK)).sum()
    return bool(1 - good / born <= LATE and failed / born <= FAILING)


def capacity(case: Case) -> tuple[float, float]:
    """The dial of an even chance, and the width of the change from 90 % to 10 % relative to it."""
    low, high = case.guess * 0.4, case.guess * 1.8
    for i in range(9):
        middle = np.sqrt(low * high)
        if np.mean([passes(case, middle, 1000 * i + j) for j in range(8)]) >= 0.5:
            low = middle
        else:
            high = middle
    centre = np.sqrt(low * high)
    random = np.random.default_rng(1)
    x = np.log(random.uniform(0.88, 1.12, 240))
    y = np.array([passes(case, float(centre * np.exp(v)), 50_000 + i) for i, v in enumerate(x)], float)
    # Logistic regression on a grid: the middle, and the distance from 90 % to 10 %.
    middles, widths = np.linspace(-0.1, 0.1, 161), np.geomspace(0.004, 0.3, 40)
    slope = 2 * np.log(9) / widths
    odds = -slope[None, :, None] * (x[None, None, :] - middles[:, None, None])
    likelihood = (y * odds - np.logaddexp(0, odds)).sum(axis=2)
    at = np.unravel_index(int(np.argmax(likelihood)), likelihood.shape)
    return float(centre * np.exp(middles[at[0]])), float(widths[at[1]])


def main() -> None:
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    wanted = set(sys.argv[1:])
    for case in [*development(), *(c for seed in range(1, 11) for c in held_out(seed))]:
        if case.kind == "none" or (case.name in known and case.name not in wanted) or (wanted and case.name not in wanted):
            continue
        centre, width = capacity(case)
        known[case.name] = {"capacity": round(centre, 2), "width": round(width, 4)}
        print(f"{case.name:28s} {centre:8.1f}  ±{50 * width:.1f} %", flush=True)
        FILE.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
