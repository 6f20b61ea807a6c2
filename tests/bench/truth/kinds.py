"""In: a name. Out: `Kind`: how that server behaves, what is asked of it, and the right answers about it.

Promises of every kind: 95 % of responses within 500 ms, errors below 1 %. One visitor makes one request (`/`); of the kinds with four steps
one each to /a, /b, /c and /d. A rate is therefore visitors/s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.bench.truth import model as m
from tests.bench.truth import pools as p
from tests.bench.truth import sharing as s

LIMIT, LATE, FAILING = 0.5, 0.05, 0.01
Group = Literal["smooth", "hard", "stalls", "paths", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """`near`: visitors/s around which the truth is looked for. `settle`, `plateau`: seconds over which a rate is judged; what
    drifts is judged young (or, when it warms up, warm: `requests_before`). `status`: the right kind of answer; only "found" has
    a capacity."""

    name: str
    group: Group
    definition: str
    build: Callable[[Random], m.Model]
    near: float = 0.0
    steps: int = 1
    causes: tuple[str, ...] = ("slow",)
    first_step: int = 0
    status: Literal["found", "not_reached", "broken_at_baseline"] = "found"
    settle: float = 20.0
    plateau: float = 60.0
    requests_before: int = 0
    closed_form: str = ""
    grown: Callable[[Random, int], m.Model] | None = None  # the same with another number of workers: `sizes`, after `begins`
    begins: int = 0
    sizes: tuple[int, ...] = ()


def _four(r: Random) -> m.Model:
    wide = p.Pool(64, m.exponential(r, 0.030))
    return m.Steps((m.Free(m.exponential(r, 0.004)), wide, p.Pool(6, m.exponential(r, 0.050))), (0, 1, 2, 1))


def _share(r: Random) -> m.Model:
    return m.Hidden(r, (p.Pool(4, m.exponential(r, 0.080)), p.Pool(32, m.exponential(r, 0.020))), (0.2, 0.8))


_PLAIN = "mu − ln(20)(1 + I)/(2 X) for ever, a little more for a minute; mu = workers/service"
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="exponential",
            group="smooth",
            definition="10 workers × exponential 40 ms, queue of 400: 250/s",
            build=lambda r: p.Pool(10, m.exponential(r, 0.040)),
            near=246,
            closed_form=_PLAIN,
        ),
        Kind(
            name="exponential-wide",
            group="smooth",
            definition="30 workers × exponential 60 ms, queue of 800: 500/s",
            build=lambda r: p.Pool(30, m.exponential(r, 0.060), room=800),
            near=496,
            closed_form=_PLAIN,
        ),
        Kind(
            name="constant",
            group="smooth",
            definition="9 workers × constant 30 ms, queue of 400: 300/s",
            build=lambda r: p.Pool(9, m.constant(0.030)),
            near=297,
            closed_form=_PLAIN,
        ),
        Kind(
            name="lognormal",
            group="smooth",
            definition="12 workers × lognormal 50 ms, cv 1.5, queue of 400: 240/s",
            build=lambda r: p.Pool(12, m.lognormal(r, 0.050, 1.5)),
            near=232,
            closed_form=_PLAIN,
        ),
        Kind(
            name="bucket-large",
            group="hard",
            definition="token bucket 220/s, 50 at once, then 429",
            build=lambda r: m.Bucket(220, 50, m.lognormal(r, 0.030, 0.5)),
            near=220,
            causes=("rate_limited",),
            closed_form="(theta/lambda)/(1 − exp(−2 theta B/lambda)) = 1 %, theta = lambda − rate",
        ),
        Kind(
            name="bucket-small",
            group="hard",
            definition="token bucket 260/s, 6 at once, then 429",
            build=lambda r: m.Bucket(260, 6, m.lognormal(r, 0.030, 0.5)),
            near=200,
            causes=("rate_limited",),
        ),
        Kind(
            name="retrograde",
            group="hard",
            definition=f"scalability law (30, 0.02, 0.0015): peak {s.Retrograde.peak(30, 0.02, 0.0015):.0f}/s, less beyond",
            build=lambda r: s.Retrograde(r, gamma=30, alpha=0.02, beta=0.0015),
            near=250,
            causes=("collapse", "slow"),
        ),
        Kind(
            name="sharing",
            group="hard",
            definition="processor sharing, exponential work of 4.5 ms: 222/s",
            build=lambda r: s.Sharing(m.exponential(r, 0.0045)),
            near=215,
        ),
        Kind(
            name="leak",
            group="hard",
            definition="8 workers × exponential 35 ms, 1 % slower after every 4,000 requests: 229/s when young",
            build=lambda r: p.Leak(8, m.exponential(r, 0.035), 1 / 400_000),
            near=222,
            settle=5,
            plateau=30,
        ),
        Kind(
            name="autoscaler",
            group="hard",
            definition="8 workers × exponential 40 ms: 200/s; 8 more come 60 s after 15 s of 70 % busy, at most 32",
            build=lambda r: p.Autoscaler(8, m.exponential(r, 0.040), more=8, hold=15, delay=60, most=32),
            near=197,
            settle=5,
            plateau=50,
            grown=lambda r, workers: p.Pool(workers, m.exponential(r, 0.040)),
            begins=8,
            sizes=(16, 24, 32),
        ),
        Kind(
            name="retry-collapse",
            group="hard",
            definition="a gateway that asks again after 2 s, three times, before 9 workers × exponential 40 ms: 225/s, less beyond",
            build=lambda r: p.Retrying(r, 9, m.exponential(r, 0.040), patience=2.0, tries=3, backoff=1.0),
            near=220,
            causes=("slow", "collapse"),
        ),
        Kind(
            name="cold-start",
            group="hard",
            definition="8 workers × exponential 36 ms: 222/s when warm, 2.5 times slower cold, warm after some 3,000 requests",
            build=lambda r: p.Cold(8, m.exponential(r, 0.036), 2.5, 1200),
            near=218,
            requests_before=10_000,
        ),
        Kind(
            name="connection-cap",
            group="hard",
            definition="16 workers × exponential 45 ms (355/s); a connection beyond 24 requests inside is reset",
            build=lambda r: p.Capped(16, m.exponential(r, 0.045), 24),
            near=300,
            causes=("refused",),
            closed_form="M/M/16/24 loss of 1 %",
        ),
        Kind(
            name="stalls",
            group="stalls",
            definition="8 workers × exponential 36 ms, standing still for 0.4 s every 9 s: 212/s on average",
            build=lambda r: p.Stalling(8, m.exponential(r, 0.036), every=9.0, lasts=0.4, phase=r.uniform(0, 9)),
            near=195,
        ),
        Kind(
            name="slow-step",
            group="paths",
            definition="four steps; the third has 6 workers × exponential 50 ms: 120/s, the others are wide",
            build=_four,
            near=117,
            steps=4,
            first_step=2,
        ),
        Kind(
            name="slow-share",
            group="paths",
            definition="a fifth of the requests meets 4 workers × exponential 80 ms (50/s), the others a wide pool: 250/s",
            build=_share,
            near=235,
        ),
        Kind(
            name="error-page",
            group="hard",
            definition="8 workers × exponential 35 ms (229/s), queue of 12; beyond it status 200 with an error page",
            build=lambda r: p.Pool(8, m.exponential(r, 0.035), 12, m.Answer.WRONG),
            near=190,
            causes=("wrong_content",),
            closed_form="M/M/8/20 loss of 1 %",
        ),
        Kind(
            name="never-breaks",
            group="none",
            definition="exponential 20 ms at any rate",
            build=lambda r: m.Free(m.exponential(r, 0.020)),
            status="not_reached",
        ),
        Kind(
            name="broken", group="none", definition="503 from the first request on", build=lambda r: m.Dead(), status="broken_at_baseline"
        ),
        Kind(name="mute", group="none", definition="accepts and never answers", build=lambda r: m.Mute(), status="broken_at_baseline"),
    )
}
