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
    shared_as    post         half of a link's clicks come within (bitly, 1,000 links, 2011 [F]): post as SEISMIC; hashtag 2.8 h (Twitter),
                              contest 3.2 h (Facebook), coupon 3.4 h (direct: mail, chat), video 7.4 h (YouTube). The kernel is stretched
                              in time to that half-life; half_life says another one; breaking news had about 5 min
    doubles_every             the pace of the rise in place of R (finite audience): 1 = R·∫ e^(−ru) φ(u) du, r = ln 2/pace (Euler–Lotka)
    shocks                    somebody large posts it too: further seeds at their own time ("popularity is largely driven by …", above)
    seen_over    300 s        how long the post stays on top: the seeds come evenly for so long, then with φ's tail [A]; the highest rate of
                              a Slashdot crowd was "measured right up front" (Adler 1999 [F])
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.campaigns.curve import thinned_out
from harness.campaigns.plan import ArrivalPlan, Curve, Phase
from harness.campaigns.words import people
from harness.scenario.model import ViralSpike
from harness.scenario.spread import duration_text

PLATEAU, THETA = 300.0, 0.2314843
LONGEST = 48 * 3600.0  # no share is followed later than this
MEDIAN = 1164.5  # s, of the cut kernel
HALF_LIVES = {"hashtag": 2.8 * 3600.0, "contest": 3.2 * 3600.0, "coupon": 3.4 * 3600.0, "video": 7.4 * 3600.0}
DAYS = 4 * 86400.0  # the plan ends here: with R = 0.8 more than 95 % of a cascade is over


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """The delay from seeing to clicking: SEISMIC's law, cut at `longest` and scaled to 1, all times stretched by `stretch`."""

    stretch: float = 1.0

    @property
    def longest(self) -> float:
        """No share is followed later than this, s."""
        return LONGEST * self.stretch

    def cdf(self, u: Curve, *, plateau: float = PLATEAU) -> Curve:
        """P(delay ≤ u seconds) given that it is at most `longest`; `plateau` (unstretched s) is how long the density stays flat."""
        return kernel_cdf(np.asarray(u, dtype=float) / self.stretch, plateau=plateau)


def kernel(campaign: ViralSpike) -> Kernel:
    """The kernel whose half-life is the scenario's, or its preset's."""
    half_life = campaign.half_life or HALF_LIVES.get(campaign.shared_as)
    return Kernel() if half_life is None else Kernel(stretch=half_life / MEDIAN)


def kernel_cdf(u: Curve, *, plateau: float = PLATEAU) -> Curve:
    """P(delay ≤ u seconds) from seeing to clicking, given that it is at most 48 h."""
    u = np.clip(np.asarray(u, dtype=float), 0.0, LONGEST)
    return np.asarray(uncut_cdf(u, plateau=plateau) / uncut_cdf(np.array([LONGEST]), plateau=plateau)[0])


def uncut_cdf(u: Curve, *, plateau: float = PLATEAU) -> Curve:
    """P(delay ≤ u seconds), u ≥ 0: a flat density up to `plateau`, then a power law without end."""
    c = THETA / (plateau * (1.0 + THETA))  # the density's height, so that the uncut mass is 1
    return np.where(u < plateau, c * u, 1.0 - c * plateau / THETA * (np.maximum(u, plateau) / plateau) ** -THETA)


def reproduction(campaign: ViralSpike) -> float:
    """R: the scenario's own, or the one whose rise doubles every `doubles_every` seconds (Euler–Lotka)."""
    if campaign.doubles_every is None:
        return campaign.passed_on
    law = kernel(campaign)
    edges = np.concatenate([[0.0], np.geomspace(1.0, law.longest, 4001)])
    middles = 0.5 * (edges[1:] + edges[:-1])
    growth = math.log(2.0) / campaign.doubles_every
    return 1.0 / float(np.exp(-growth * middles) @ np.diff(law.cdf(edges)))


def mean_curve(seeds: Curve, passed_on: float, step: float, law: Kernel | None = None) -> Curve:
    """Visitors/s on an even grid: the renewal equation λ = s + R φ∗λ solved by FFT, λ̂ = ŝ / (1 − R φ̂). R < 1.

    `seeds` is s at the middles of bins of `step` seconds. The kernel's mass of lag k is taken over [(k−½), (k+½)] steps: second order.
    """
    n = len(seeds)
    mass = np.diff((law or Kernel()).cdf(np.linspace(-0.5, n - 0.5, n + 1) * step))
    size = 1 << (4 * n - 1).bit_length()
    damp = 1e-8 ** (np.arange(n) / n)  # the geometric series wraps around; an exponential tilt pushes the wrap below 1e-8
    tilted = np.fft.rfft(mass * damp, size)
    answer = np.fft.irfft(np.fft.rfft(seeds * damp, size) / (1.0 - passed_on * tilted), size)[:n]
    return np.maximum(answer / damp, 0.0)


def saturating_curve(seeds: Curve, passed_on: float, audience: float, step: float, law: Kernel | None = None) -> Curve:
    """Visitors/s on an even grid when only `audience` people exist: λ = s + R·(1 − N/M)·φ∗λ, step by step. Any R ≥ 0."""
    n = len(seeds)
    mass = np.diff((law or Kernel()).cdf(np.linspace(-0.5, n - 0.5, n + 1) * step))
    backwards = mass[::-1].copy()
    rate = np.zeros(n)
    used = 0.0
    for k in range(n):
        left = max(0.0, 1.0 - used / audience)
        heard = float(rate[:k] @ backwards[n - 1 - k : n - 1]) if k else 0.0
        # Lag 0 refers to the bin itself: solved for, not stepped over.
        rate[k] = (seeds[k] + passed_on * left * heard) / (1.0 - min(0.9, passed_on * left * float(mass[0])))
        rate[k] = min(rate[k], max(audience - used, 0.0) / step)
        used += rate[k] * step
    return rate


def plan(campaign: ViralSpike) -> ArrivalPlan:
    """The plan of one post. Plan second 0 is the post.

    Raises `ValueError` when R ≥ 1 without an audience, or when the audience is smaller than the seeds.
    """
    passed_on, law = reproduction(campaign), kernel(campaign)
    everybody = campaign.seed_visitors + sum(shock.visitors for shock in campaign.shocks)
    if campaign.audience is None and passed_on >= 1.0:
        said = f"passed_on is {passed_on:g}" if campaign.doubles_every is None else f"doubles_every means that passed_on is {passed_on:.2f}"
        raise ValueError(
            f"{said}: every visitor brings one or more, so the spike never ends."
            " Say how many people there are (audience), or keep passed_on below 1 (usual: 0 to 0.9)"
        )
    if campaign.audience is not None and campaign.audience < everybody:
        raise ValueError(
            f"audience ({campaign.audience:,}) is smaller than all seeds together ({everybody:,}): raise the one or lower the other"
        )
    last = max((shock.at for shock in campaign.shocks), default=0.0)
    horizon = last + (DAYS if campaign.audience is None else LONGEST) * max(law.stretch, 1.0)
    finest = min([campaign.seen_over, *(shock.seen_over for shock in campaign.shocks), PLATEAU * law.stretch])
    bins = int(min(max(horizon / max(finest / 30.0, 1.0), 2000), 60_000 if campaign.audience is None else 8_000))
    edges = np.linspace(0.0, horizon, bins + 1)
    step = float(edges[1])
    seeds = campaign.seed_visitors * _seen(edges, 0.0, campaign.seen_over, law)
    for shock in campaign.shocks:
        seeds = seeds + shock.visitors * _seen(edges, shock.at, shock.seen_over, law)
    if campaign.audience is None:
        rate = mean_curve(seeds, passed_on, step, law)
    else:
        rate = saturating_curve(seeds, passed_on, float(campaign.audience), step, law)
    grid = np.concatenate([[0.0], 0.5 * (edges[1:] + edges[:-1])])
    rate = np.concatenate([rate[:1], rate])
    times = thinned_out(grid, rate, keep=tuple(shock.at for shock in campaign.shocks))
    visitors = np.interp(times, grid, rate)
    visitors *= float(np.trapezoid(rate, grid)) / float(np.trapezoid(visitors, times))
    return ArrivalPlan(
        times=times,
        visitors=visitors,
        scanners=np.zeros_like(times),
        zero=0.0,
        origin=campaign.starts,
        phases=(
            Phase(name="the post is on top", start=0.0, end=campaign.seen_over),
            *(Phase(name="somebody large posts it too", start=shock.at, end=shock.at + shock.seen_over) for shock in campaign.shocks),
            Phase(name="it is passed on", start=campaign.seen_over, end=max(86400.0, campaign.seen_over)),
            Phase(name="the echo", start=max(86400.0, campaign.seen_over), end=max(horizon, 86400.0)),
        ),
        assumptions=_assumptions(campaign, passed_on, law),
    )


def _seen(edges: Curve, at: float, seen_over: float, law: Kernel) -> Curve:
    """Seeds/s in each bin for one seed whose post goes out at `at`: evenly for `seen_over`, then the kernel's tail."""
    plateau = min(max(seen_over, 1.0) / law.stretch, LONGEST / 2)
    return np.asarray(np.diff(law.cdf(edges - at, plateau=plateau)) / np.diff(edges))


def _assumptions(campaign: ViralSpike, passed_on: float, law: Kernel) -> tuple[str, ...]:
    if law.stretch == 1.0:
        pace = "Of those brought within two days, half come within 19 min (the SEISMIC kernel, measured on Twitter: Zhao et al. 2015)."
    else:
        source = "the scenario's own half-life" if campaign.half_life else "bitly 2011, 1,000 links"
        pace = f"Half of those who are brought come within {law.stretch * MEDIAN / 3600:.1f} h ({source})."
    if campaign.doubles_every is None:
        brings = f"Every visitor brings {passed_on:.3g} more on average (usual: 0 to 0.9; most posts die after one step: Goel et al. 2016)."
    else:
        brings = (
            f"To double every {duration_text(campaign.doubles_every)}, every visitor must bring {passed_on:.3g} more at the beginning"
            " (most posts die after one step: Goel et al. 2016)."
        )
    found = [brings, pace]
    if campaign.audience is not None:
        found.append(f"No more than {campaign.audience:,} people exist to be reached, and nobody comes twice.")
        found.append("The curve is the average of many such posts: a single one may bring far more or far less.")
    else:
        scatter = math.sqrt((campaign.seed_visitors + sum(s.visitors for s in campaign.shocks)) * passed_on / (1.0 - passed_on) ** 3)
        found.append(
            f"The curve is the average of many such posts: chance alone moves the total by ±{people(2 * scatter)} (two standard"
            " deviations), and how far a post is passed on is known far less well than that."
        )
    return tuple(found)
