"""In: `ViralSpike`. Out: `ArrivalPlan`: a post that is passed on: seeds, and the visitors whom each visitor brings.

A self-exciting (Hawkes) process: seeds come at rate s(t), every visitor brings R more on average, each after a delay with density φ:

    λ(t) = s(t) + R · ∫ φ(u) λ(t − u) du          total = S / (1 − R)     (mean curve; R < 1)

With a finite `audience` M nobody comes twice, so R shrinks as M is used up: R·(1 − N(t)/M). Without one, R ≥ 1 never ends and is refused.
The curve is the cascade's mean; one cascade scatters around it (variance of the total S·R/(1 − R)³).

Defaults, ranges and sources ([F] read in the source named, [A] an assumption: a knob, not a fact):

    φ            c up to 300 s, then c·(u/300)^−1.2314843, c = 6.265725e-4 /s: SEISMIC (Zhao et al., KDD 2015 [F]); uncut: median 40 min,
                 54 % within 1 h, 78 % within 24 h. Its mean is infinite and 19 % come after 48 h, so it is cut there and scaled to 1:
                 seeds and R count those who come within two days, of whom half come within 19 min and 66 % within the hour
    passed_on R  0.3  0–0.9   = shares per visitor × people who see a share × clicks per viewer [A]; most cascades die within one step and
                              "popularity is largely driven by the size of the largest broadcast" (Goel et al. 2012, 2016 [F]): 0.8 is viral
    seen_over    300 s        how long the post stays on top: the seeds come evenly for so long, then with φ's tail [A]; the highest rate of
                              a Slashdot crowd was "measured right up front" (Adler 1999 [F])
"""

from __future__ import annotations

import numpy as np

from harness.campaigns.curve import thinned_out
from harness.campaigns.plan import ArrivalPlan, Curve, Phase
from harness.scenario.model import ViralSpike

PLATEAU, THETA = 300.0, 0.2314843
LONGEST = 48 * 3600.0  # no share is followed later than this
DAYS = 4 * 86400.0  # the plan ends here: with R = 0.8 more than 95 % of a cascade is over


def kernel_cdf(u: Curve, *, plateau: float = PLATEAU) -> Curve:
    """P(delay ≤ u seconds) from seeing to clicking, given that it is at most 48 h."""
    u = np.clip(np.asarray(u, dtype=float), 0.0, LONGEST)
    return np.asarray(uncut_cdf(u, plateau=plateau) / uncut_cdf(np.array([LONGEST]), plateau=plateau)[0])


def uncut_cdf(u: Curve, *, plateau: float = PLATEAU) -> Curve:
    """P(delay ≤ u seconds), u ≥ 0: a flat density up to `plateau`, then a power law without end."""
    c = THETA / (plateau * (1.0 + THETA))  # the density's height, so that the uncut mass is 1
    return np.where(u < plateau, c * u, 1.0 - c * plateau / THETA * (np.maximum(u, plateau) / plateau) ** -THETA)


def mean_curve(seeds: Curve, passed_on: float, step: float) -> Curve:
    """Visitors/s on an even grid: the renewal equation λ = s + R φ∗λ solved by FFT, λ̂ = ŝ / (1 − R φ̂). R < 1.

    `seeds` is s at the middles of bins of `step` seconds. The kernel's mass of lag k is taken over [(k−½), (k+½)] steps: second order.
    """
    n = len(seeds)
    edges = np.linspace(-0.5, n - 0.5, n + 1) * step
    kernel = np.diff(kernel_cdf(edges))
    size = 1 << (4 * n - 1).bit_length()
    damp = 1e-8 ** (np.arange(n) / n)  # the geometric series wraps around; an exponential tilt pushes the wrap below 1e-8
    tilted = np.fft.rfft(kernel * damp, size)
    answer = np.fft.irfft(np.fft.rfft(seeds * damp, size) / (1.0 - passed_on * tilted), size)[:n]
    return np.maximum(answer / damp, 0.0)


def saturating_curve(seeds: Curve, passed_on: float, audience: float, step: float) -> Curve:
    """Visitors/s on an even grid when only `audience` people exist: λ = s + R·(1 − N/M)·φ∗λ, step by step. Any R ≥ 0."""
    n = len(seeds)
    kernel = np.diff(kernel_cdf(np.linspace(-0.5, n - 0.5, n + 1) * step))
    backwards = kernel[::-1].copy()
    rate = np.zeros(n)
    used = 0.0
    for k in range(n):
        left = max(0.0, 1.0 - used / audience)
        heard = float(rate[:k] @ backwards[n - 1 - k : n - 1]) if k else 0.0
        # Lag 0 refers to the bin itself: solved for, not stepped over.
        rate[k] = (seeds[k] + passed_on * left * heard) / (1.0 - min(0.9, passed_on * left * float(kernel[0])))
        rate[k] = min(rate[k], max(audience - used, 0.0) / step)
        used += rate[k] * step
    return rate


def plan(campaign: ViralSpike) -> ArrivalPlan:
    """The plan of one post. Plan second 0 is the post.

    Raises `ValueError` when R ≥ 1 without an audience, or when the audience is smaller than the seeds.
    """
    if campaign.audience is None and campaign.passed_on >= 1.0:
        raise ValueError(
            f"passed_on is {campaign.passed_on:g}: every visitor brings one or more, so the spike never ends."
            " Say how many people there are (audience), or keep passed_on below 1 (usual: 0 to 0.9)"
        )
    if campaign.audience is not None and campaign.audience < campaign.seed_visitors:
        raise ValueError(
            f"audience ({campaign.audience:,}) is smaller than seed_visitors ({campaign.seed_visitors:,}): raise the one or lower the other"
        )
    seen_over = max(campaign.seen_over, 1.0)
    horizon = DAYS if campaign.audience is None else LONGEST
    step = min(max(seen_over, PLATEAU) / 30.0, 10.0) if campaign.audience is None else 20.0
    edges = np.arange(0.0, horizon + step, step)
    middles = 0.5 * (edges[1:] + edges[:-1])
    seeds = campaign.seed_visitors * np.diff(kernel_cdf(edges, plateau=seen_over)) / step
    if campaign.audience is None:
        table = mean_curve(seeds, campaign.passed_on, step)
    else:
        table = saturating_curve(seeds, campaign.passed_on, float(campaign.audience), step)
    grid = np.concatenate([[0.0], middles])
    rate = np.concatenate([table[:1], table])
    times = thinned_out(grid, rate)
    visitors = np.interp(times, grid, rate)
    visitors *= float(np.trapezoid(rate, grid)) / float(np.trapezoid(visitors, times))
    return ArrivalPlan(
        times=times,
        visitors=visitors,
        scanners=np.zeros_like(times),
        zero=0.0,
        origin=campaign.starts,
        phases=(
            Phase(name="the post is on top", start=0.0, end=seen_over),
            Phase(name="it is passed on", start=seen_over, end=86400.0),
            Phase(name="the echo", start=86400.0, end=horizon),
        ),
        assumptions=_assumptions(campaign),
    )


def _assumptions(campaign: ViralSpike) -> tuple[str, ...]:
    found = [
        f"Every visitor brings {campaign.passed_on:g} more on average (usual: 0 to 0.9; most posts die after one step: Goel et al. 2016).",
        "Of those who are brought within two days, half come within 19 min (the SEISMIC kernel, measured on Twitter: Zhao et al. 2015).",
        "The curve is the average of many such posts: a single one may bring far more or far less.",
    ]
    if campaign.audience is not None:
        found.append(f"No more than {campaign.audience:,} people exist to be reached, and nobody comes twice.")
    return tuple(found)
