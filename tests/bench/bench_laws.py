"""Whether the campaigns' laws hold, over more seeds than the tests have time for, and how long `surge plan` takes: a line a figure.

`python -m tests.bench laws`, half a minute. Every seed is fixed: the figures are the same on every machine, the seconds are not.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import stats

from harness.campaigns import plan_one
from harness.campaigns.cascade import cascade
from harness.campaigns.curve import Integral, lognormal_cdf
from harness.campaigns.fit import fit
from harness.campaigns.schedule import schedule, thinning
from harness.scenario.campaign import EmailBlast, OneCampaign, ViralSpike, Webcast
from tests.campaigns.test_fit import covered, export
from tests.campaigns.test_schedule import CAMPAIGNS, planned, rescaled

Row = tuple[str, str, str, bool]  # what, found, goal, met
SEEDS = 200


def counts() -> Iterator[Row]:
    """Arrivals are Poisson: no count is far off, and the variance equals the mean."""
    for number, campaign in enumerate(CAMPAIGNS):
        plan = planned(campaign)
        seeds = range(number * SEEDS, (number + 1) * SEEDS)  # the same seeds would be the same luck three times
        drawn = np.array([len(schedule(plan, seed)) for seed in seeds])
        far = float(np.abs(drawn - plan.total).max() / np.sqrt(plan.total))
        ratio = float(drawn.var(ddof=1) / plan.total)
        yield f"{campaign.type}: largest deviation of {SEEDS} counts", f"{far:.2f} σ", "< 4 σ", far < 4
        yield f"{campaign.type}: variance of the counts / mean", f"{ratio:.3f}", "0.8 to 1.25", 0.8 < ratio < 1.25


def shapes() -> Iterator[Row]:
    """Time rescaling passes for the right law, and rejects a wrong one."""
    for number, campaign in enumerate(CAMPAIGNS):
        plan = planned(campaign)
        integral = Integral(plan.times, plan.visitors)
        found = np.array([rescaled(schedule(plan, number * SEEDS + k), integral) for k in range(SEEDS)])
        for column, name in ((0, "times uniform"), (1, "gaps exponential")):
            passed = float(np.mean(found[:, column] > 0.01))
            yield f"{campaign.type}: time rescaling, {name} (p > 0.01)", f"{passed:.1%}", "≥ 97%", passed >= 0.97
        alike = float(np.abs(found[:, 2]).max())
        yield f"{campaign.type}: largest lag-1 correlation of the gaps · √n", f"{alike:.2f}", "< 4", alike < 4
    plan = planned(EmailBlast(list_size=296_000, sent_over=1800.0))
    t, wrong = plan.times, 2.44 * 1.1
    rate = lognormal_cdf(t, median=2.8 * 3600, sigma=wrong) - lognormal_cdf(t - 1800.0, median=2.8 * 3600, sigma=wrong)
    integral = Integral(t, rate * plan.total / np.trapezoid(rate, t))
    rejected = sum(rescaled(schedule(plan, seed), integral)[0] < 0.01 for seed in range(SEEDS))
    yield f"a σ wrong by 10%, rejected ({plan.total:,.0f} clicks)", f"{rejected} of {SEEDS}", "all", rejected == SEEDS
    for campaign in (Webcast(registrants=25_000), EmailBlast(list_size=50_000, sent_over=86400.0)):
        plan = planned(campaign)
        same = sum(stats.ks_2samp(schedule(plan, 2 * k), thinning(plan, 2 * k + 1)).pvalue > 0.01 for k in range(50))
        yield f"{campaign.type}: inversion and thinning alike (p > 0.01)", f"{same} of 50", "≥ 47", same >= 47


def peaks() -> Iterator[Row]:
    """The table's peak against the closed forms."""
    for spread in (600.0, 1800.0, 7200.0, 86400.0):
        plan = plan_one(EmailBlast(list_size=1_000_000, sent_over=spread))
        form = plan.total / spread * float(lognormal_cdf(np.array([spread]), median=2.8 * 3600, sigma=2.44)[0])
        yield _near(f"email_blast sent over {spread / 60:g} min: peak / V·F(D)/D", plan.peak / form)
    for scale in (30.0, 90.0, 300.0):
        plan = plan_one(Webcast(registrants=10_000, punctuality=scale))
        form = 4_000 * (0.55 / (2 * scale) + 0.25 / 480.0)  # just before the start
        late = 4_000 * (0.55 / (2 * scale) + 0.20 / 420.0)  # just after it
        yield _near(f"webcast, punctuality {scale:g} s: peak / 0.55·A/(2·scale) + the rest", plan.peak / max(form, late))


def _near(name: str, ratio: float) -> Row:
    return name, f"{ratio:.4f}", "1 ± 0.02", abs(ratio - 1) < 0.02


def branches() -> Iterator[Row]:
    """A thousand cascades: mean S/(1 − R) and variance S·R/(1 − R)³, within four standard errors."""
    for passed_on in (0.3, 0.6, 0.8):
        totals = np.array([len(cascade(ViralSpike(seed_visitors=200, passed_on=passed_on), seed)) for seed in range(1000)])
        mean, variance = 200 / (1 - passed_on), 200 * passed_on / (1 - passed_on) ** 3
        off = abs(totals.mean() - mean) / np.sqrt(variance / 1000)
        ratio = totals.var(ddof=1) / variance
        yield f"cascades, R = {passed_on:g}: mean against theory", f"{off:.2f} σ", "< 4 σ", bool(off < 4)
        yield f"cascades, R = {passed_on:g}: variance / theory", f"{ratio:.3f}", "1 ± 0.2", bool(abs(ratio - 1) < 0.2)


def fits() -> Iterator[Row]:
    """True values inside their 95 % intervals, from exports of 100 campaigns each; the rarest parameter counts."""
    mail = EmailBlast(list_size=500_000, sent_over=3600.0, half_of_clicks_within=7200.0, click_spread=2.2)
    live, spike = Webcast(registrants=10_000, punctuality=120.0), ViralSpike(seed_visitors=5_000, passed_on=0.6)
    sent, cast = plan_one(mail), plan_one(live)
    cases: tuple[tuple[OneCampaign, list[object], dict[str, float]], ...] = (
        (
            mail,
            [export(schedule(sent, seed), 600.0, 3 * 86400.0) for seed in range(100)],
            {"clicks": sent.total, "half_of_clicks_within": 7200.0, "click_spread": 2.2, "sent_over": 3600.0},
        ),
        (
            live,
            [export(schedule(cast, seed), 60.0, 7200.0) for seed in range(100)],
            {"audience": 4_000.0, "punctuality": 120.0, "start": cast.zero},
        ),
        (
            spike,
            [export(cascade(spike, seed), 300.0, 86400.0) for seed in range(100)],
            {"seed_visitors": 5_000.0, "passed_on": 0.6},
        ),
    )
    for campaign, exports, truth in cases:
        found = covered([fit(rows, campaign.type) for rows in exports], truth)  # type: ignore[arg-type]
        for name, times in found.items():
            yield f"{campaign.type}: {name} recovered", f"{times} of 100", "≥ 90", times >= 90


def commands() -> Iterator[Row]:
    """`surge plan` of every shipped scenario in a fresh process, imports included: the faster of two."""
    for file in sorted(Path("scenarios").glob("*.yaml")):
        taken = []
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "harness", "plan", str(file)], check=True, capture_output=True)
            taken.append(time.perf_counter() - start)
        yield f"surge plan {file.name}", f"{min(taken):.2f} s", "< 1.5 s", min(taken) < 1.5


def main() -> int:
    missed = 0
    for part in (counts, shapes, peaks, branches, fits, commands):
        for name, found, goal, met in part():
            missed += not met
            print(f"{name:78s} {found:>12s}   (goal {goal}) {'ok' if met else 'MISSED'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
