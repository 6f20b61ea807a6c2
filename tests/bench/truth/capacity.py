"""In: a kind. Out: its true capacity: the rate at which half of all plateaus keep the promises, found by simulating its own model.

`python -m tests.bench.truth.capacity [KIND…]` computes what truth.json lacks (or the kinds named), about half a minute each.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from tests.bench.truth.kinds import FAILING, KINDS, LATE, LIMIT, Kind
from tests.bench.truth.model import Answer

FILE = Path(__file__).with_name("truth.json")
_PLATEAUS = 160


def shares(kind: Kind, rate: float, seed: int) -> tuple[float, float]:
    """(late or failed, failed) of all requests of one plateau of Poisson visitors at `rate`/s."""
    random = Random(seed)
    model = kind.build(random)
    warm(model, kind)
    end = kind.settle + kind.plateau
    asked = late = failed = 0
    moment = 0.0
    while (moment := moment + random.expovariate(rate * kind.steps)) < end + 10 * LIMIT:
        for at, (sent, counts), answer in model.finished(moment):
            wrong = answer is not Answer.OK
            failed += counts and wrong
            late += counts and (wrong or at - sent > LIMIT)
        counts = kind.settle <= moment < end
        asked += counts
        model.arrive(moment, (moment, counts), random.randrange(kind.steps))
    while (due := model.due()) < math.inf:
        for at, (sent, counts), answer in model.finished(due):
            wrong = answer is not Answer.OK
            failed += counts and wrong
            late += counts and (wrong or at - sent > LIMIT)
    return late / asked, failed / asked


def warm(model: object, kind: Kind) -> None:
    """What is judged warm has served before."""
    if kind.requests_before:
        model._taken = kind.requests_before  # type: ignore[attr-defined]


def keeps(kind: Kind, rate: float, seed: int) -> bool:
    late, failed = shares(kind, rate, seed)
    return late <= LATE and failed <= FAILING


def capacity(kind: Kind, plateaus: int = _PLATEAUS) -> tuple[float, float]:
    """The rate of an even chance in visitors/s, and the relative width of the change from 90 % to 10 %."""
    low, high = kind.near * 0.6, kind.near * 1.5
    for i in range(8):
        middle = math.sqrt(low * high)
        passed = sum(keeps(kind, middle, 100 * i + j) for j in range(7))
        low, high = (middle, high) if passed >= 4 else (low, middle)
    centre = math.sqrt(low * high)
    random = np.random.default_rng(5)
    x = random.uniform(-0.1, 0.1, plateaus)
    y = np.array([keeps(kind, centre * math.exp(v), 10_000 + i) for i, v in enumerate(x)], float)
    a, b = 0.0, -40.0
    for _ in range(50):  # logistic regression by Newton steps, with a weak ridge on the slope
        chance = 1 / (1 + np.exp(-np.clip(a + b * x, -30, 30)))
        weight = chance * (1 - chance) + 1e-9
        gradient = np.array([(y - chance).sum(), ((y - chance) * x).sum() - 1e-3 * b])
        hessian = np.array([[weight.sum(), (weight * x).sum()], [(weight * x).sum(), (weight * x * x).sum() + 1e-3]])
        step = np.clip(np.linalg.solve(hessian, gradient), (-3, -30), (3, 30))
        a, b = a + step[0], min(b + step[1], -5.0)
    return centre * math.exp(-a / b), 2 * math.log(9) / -b


def known() -> dict[str, dict[str, float]]:
    return json.loads(FILE.read_text()) if FILE.exists() else {}  # type: ignore[no-any-return]


def main(names: list[str]) -> None:
    table = known()
    for kind in KINDS.values():
        if kind.status != "found" or (kind.name not in names if names else kind.name in table):
            continue
        centre, width = capacity(kind)
        table[kind.name] = {"capacity": round(centre, 1), "width": round(width, 4)}
        for workers in kind.sizes:
            assert kind.grown
            near = kind.near * workers / kind.begins
            grown = replace(kind, build=partial(kind.grown, workers=workers), near=near, settle=20.0, plateau=60.0)
            table[kind.name][f"with {workers} workers"] = round(capacity(grown)[0], 1)
        FILE.write_text(json.dumps({name: table[name] for name in KINDS if name in table}, indent=1) + "\n")
        print(f"{kind.name:18s} {centre:7.1f}/s   from 9 of 10 to 1 of 10: ±{width * 50:.1f} %", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
