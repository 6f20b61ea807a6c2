"""The servers of the table. `development` ones were looked at while the search was written; `held_out` ones are drawn from ranges, with
seeds that were not; see `python -m tests.sim.table --help`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.engine.wire import Outcome
from tests.sim import servers as s

Kind = Literal["smooth", "hard", "stalls", "paths", "small", "none"]
Build = Callable[[np.random.Generator], s.Server]


@dataclass(frozen=True, kw_only=True)
class Case:
    """`guess`: visitors/s around which the true capacity is looked for. `mix`: see `Rig`. `causes`: right answers. `step`: the right
    first step."""

    name: str
    kind: Kind
    build: Build
    guess: float
    mix: tuple[float, ...] = ()
    causes: tuple[str, ...] = ("slow",)
    steps: tuple[str, ...] = ("step 0",)
    most: float = float("inf")
    status: str = "found"
    drifts: bool = False  # judged by the capacity at the moment of the answer
    settle: float = 20.0
    held: float = 60.0


def _four(random: np.random.Generator, workers: int, service: s.Sampler) -> s.Server:
    """Four steps: static files, two steps on a wide pool, and one on a narrow one."""
    return s.Routes(
        (
            s.Free(random, service=s.exponential(0.004)),
            s.Pool(random, workers=64, service=s.exponential(0.030)),
            s.Pool(random, workers=workers, service=service),
        ),
        (0, 1, 2, 1),
    )


def development() -> list[Case]:
    e, k, ln = s.exponential, s.constant, s.lognormal
    return [
        Case(name="queue of 8", kind="smooth", guess=196, build=lambda r: s.Pool(r, workers=8, service=e(0.040))),
        Case(name="queue of 40", kind="smooth", guess=1000, build=lambda r: s.Pool(r, workers=40, service=e(0.040), room=2000)),
        Case(name="queue of 20, 100 ms", kind="smooth", guess=195, build=lambda r: s.Pool(r, workers=20, service=e(0.100))),
        Case(name="queue of 3, short", kind="smooth", guess=115, build=lambda r: s.Pool(r, workers=3, service=e(0.025), room=120)),
        Case(name="constant service", kind="smooth", guess=198, build=lambda r: s.Pool(r, workers=8, service=k(0.040))),
        Case(name="lognormal cv 2", kind="smooth", guess=200, build=lambda r: s.Pool(r, workers=12, service=ln(0.055, 2.0))),
        Case(name="one worker", kind="small", guess=19, build=lambda r: s.Pool(r, workers=1, service=e(0.040), room=50)),
        Case(
            name="bucket 200, burst 20",
            kind="hard",
            guess=195,
            causes=("rate_limited",),
            build=lambda r: s.Bucket(r, rate=200, burst=20, service=ln(0.034, 0.5)),
        ),
        Case(
            name="bucket 300, burst 5",
            kind="hard",
            guess=250,
            causes=("rate_limited",),
            build=lambda r: s.Bucket(r, rate=300, burst=5, service=ln(0.034, 0.5)),
        ),
        Case(name="contended", kind="hard", guess=193, causes=("collapse", "slow"), build=lambda r: s.Contended(r)),
        Case(name="sharing", kind="hard", guess=240, build=lambda r: s.Sharing(r, work=e(0.004))),
        Case(
            name="leak", kind="hard", guess=196, drifts=True, settle=5, held=30, build=lambda r: s.Pool(r, service=e(0.040), leak=1 / 400e3)
        ),
        Case(
            name="autoscaler",
            kind="hard",
            guess=197,
            settle=5,
            held=50,
            build=lambda r: s.Pool(r, service=e(0.040), grow=(8, 15.0, 60.0, 32)),
        ),
        Case(
            name="retry collapse",
            kind="hard",
            guess=196,
            causes=("slow", "collapse"),
            build=lambda r: s.Retrying(r, workers=8, service=e(0.040), patience=2.0, tries=3, backoff=1.0),
        ),
        Case(name="cold start", kind="hard", guess=196, build=lambda r: s.Pool(r, service=e(0.040), cold=(3.0, 1500.0))),
        Case(
            name="connection cap",
            kind="hard",
            guess=300,
            causes=("refused",),
            build=lambda r: s.Pool(r, workers=16, service=e(0.045), cap=24),
        ),
        Case(name="stalls", kind="stalls", guess=170, build=lambda r: s.Pool(r, service=e(0.040), stall=(10.0, 0.4))),
        Case(
            name="one slow step of four",
            kind="paths",
            guess=80,
            mix=(1.0, 0.5, 1.0),
            steps=("step 2",),
            build=lambda r: _four(r, 4, e(0.080)),
        ),
        Case(
            name="static and dynamic",
            kind="paths",
            guess=150,
            mix=(4.0, 0.6),
            steps=("step 0", "step 2"),
            build=lambda r: s.Routes((s.Pool(r, workers=10, service=e(0.040)), s.Free(r, service=e(0.003))), (0, 1, 0)),
        ),
        Case(
            name="a slow quarter",
            kind="paths",
            guess=200,
            build=lambda r: s.Tandem(
                r, first=s.Pool(r, workers=16, service=e(0.030)), second=s.Pool(r, workers=4, service=e(0.080)), share=0.25
            ),
        ),
        Case(
            name="a slow tenth",
            kind="paths",
            guess=300,
            build=lambda r: s.Hidden(
                r, share=0.10, slow=s.Pool(r, workers=3, service=e(0.100)), fast=s.Pool(r, workers=32, service=e(0.020))
            ),
        ),
        Case(
            name="200 with an error page",
            kind="hard",
            guess=190,
            causes=("wrong_content", "slow"),
            build=lambda r: s.Wrong(s.Pool(r, workers=8, service=e(0.040), room=12)),
        ),
        Case(
            name="dead",
            kind="none",
            guess=50,
            status="broken_at_baseline",
            build=lambda r: s.Always(latency=0.003, outcome=Outcome.HTTP_5XX),
        ),
        Case(name="mute", kind="none", guess=50, status="broken_at_baseline", build=lambda r: s.Always(latency=1e6, outcome=Outcome.OK)),
        Case(
            name="generator limited", kind="none", guess=1000, most=400.0, status="not_reached", build=lambda r: s.Free(r, service=e(0.02))
        ),
    ]


def held_out(seed: int = 1) -> list[Case]:
    """One fresh case a family for each seed, its parameters drawn."""
    r = np.random.default_rng(770_000 + seed)
    e, k, ln = s.exponential, s.constant, s.lognormal

    def u(low: float, high: float) -> float:
        return float(np.exp(r.uniform(np.log(low), np.log(high))))

    def n(low: int, high: int) -> int:
        return int(r.integers(low, high + 1))

    found: list[Case] = []

    def add(name: str, kind: Kind, guess: float, build: Build, **more: object) -> None:
        found.append(Case(name=f"{name} #{seed}", kind=kind, guess=guess, build=build, **more))  # type: ignore[arg-type]

    rate, c = u(110, 600), n(3, 40)
    c = min(c, int(0.08 * rate))  # service well within the promise, or no rate keeps it
    add("queue", "smooth", rate * 0.97, lambda g, c=c, t=c / rate: s.Pool(g, workers=c, service=e(t), room=3000))
    rate, c = u(110, 400), n(3, 24)
    add("constant", "smooth", rate * 0.98, lambda g, c=c, t=c / rate: s.Pool(g, workers=c, service=k(t), room=3000))
    rate, c, cv = u(150, 400), n(8, 20), u(0.6, 2.2)
    add("lognormal", "smooth", rate * 0.95, lambda g, c=c, t=c / rate, v=cv: s.Pool(g, workers=c, service=ln(t, v), room=3000))
    rate, b = u(80, 400), u(15, 60)
    add(
        "bucket",
        "hard",
        rate * 0.95,
        lambda g, rate=rate, b=b: s.Bucket(g, rate=rate, burst=b, service=ln(0.02, 0.6)),
        causes=("rate_limited",),
    )
    rate, b = u(80, 400), u(3, 10)
    add(
        "small bucket",
        "hard",
        rate * 0.8,
        lambda g, rate=rate, b=b: s.Bucket(g, rate=rate, burst=b, service=ln(0.02, 0.6)),
        causes=("rate_limited",),
    )
    gamma, alpha, beta = u(20, 60), u(0.01, 0.05), u(0.0008, 0.004)
    top = np.arange(1, 200)
    peak = float((gamma * top / (1 + alpha * (top - 1) + beta * top * (top - 1))).max())
    add(
        "contended",
        "hard",
        peak * 0.9,
        lambda g, a=gamma, b=alpha, c=beta: s.Contended(g, gamma=a, alpha=b, beta=c),
        causes=("collapse", "slow"),
    )
    rate = u(120, 400)
    add("sharing", "hard", rate * 0.95, lambda g, t=1 / rate: s.Sharing(g, work=e(t)))
    rate, c, patience, tries = u(120, 300), n(4, 16), u(1.0, 3.0), n(2, 3)
    add(
        "retry collapse",
        "hard",
        rate * 0.97,
        lambda g, c=c, t=c / rate, p=patience, m=tries: s.Retrying(g, workers=c, service=e(t), patience=p, tries=m, backoff=0.7),
        causes=("slow", "collapse"),
    )
    rate, c, slower, warm = u(120, 300), n(4, 16), u(1.8, 3.5), u(600, 2000)
    add("cold start", "hard", rate * 0.97, lambda g, c=c, t=c / rate, a=slower, w=warm: s.Pool(g, workers=c, service=e(t), cold=(a, w)))
    rate, c = u(150, 400), n(10, 24)
    add(
        "connection cap",
        "hard",
        rate * 0.8,
        lambda g, c=c, t=c / rate: s.Pool(g, workers=c, service=e(t), cap=int(1.5 * c)),
        causes=("refused",),
    )
    rate, c, gap, length = u(150, 350), n(6, 16), u(5, 10), u(0.2, 0.45)
    add("stalls", "stalls", rate * 0.9, lambda g, c=c, t=c / rate, a=gap, b=length: s.Pool(g, workers=c, service=e(t), stall=(a, b)))
    rate, c, share = u(60, 150), n(3, 10), u(0.3, 1.0)
    add(
        "one slow step of four",
        "paths",
        rate * 0.95 / share,
        lambda g, c=c, t=c / rate: _four(g, c, e(t)),
        mix=(1.0, share, 1.0),
        steps=("step 2",),
    )
    rate, c, share = u(40, 90), n(3, 8), u(0.12, 0.4)
    add(
        "a slow share",
        "paths",
        rate * 0.97 / share,
        lambda g, c=c, t=c / rate, q=share: s.Hidden(
            g, share=q, slow=s.Pool(g, workers=c, service=e(t)), fast=s.Pool(g, workers=64, service=e(0.03), room=3000)
        ),
    )
    return found
