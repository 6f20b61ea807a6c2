"""In: `ViralSpike` and a seed. Out: one cascade as it might really happen: every visit and who brought it. The check on the mean curve.

A branching process: each visitor brings Poisson(R) further ones, each after a delay drawn from the kernel by inversion.
Expected total S/(1 − R), variance S·R/(1 − R)³ (R < 1).
"""

from __future__ import annotations

import numpy as np

from harness.campaigns.plan import Curve
from harness.campaigns.viral_spike import LONGEST, PLATEAU, THETA, kernel, reproduction, uncut_cdf
from harness.scenario.model import ViralSpike


def delays(uniforms: Curve, *, plateau: float = PLATEAU) -> Curve:
    """Kernel delays (s, unstretched, at most 48 h) from uniforms on [0, 1): the exact inverse of `viral_spike.kernel_cdf`."""
    c = THETA / (plateau * (1.0 + THETA))
    u = uniforms * float(uncut_cdf(np.array([LONGEST]), plateau=plateau)[0])
    tail = plateau * (np.maximum(1.0 - u, 1e-12) * THETA / (c * plateau)) ** (-1.0 / THETA)
    return np.asarray(np.where(u < c * plateau, u / c, tail))


def cascade(campaign: ViralSpike, seed: int, *, most: int = 5_000_000) -> Curve:
    """Arrival times (s after the post, ascending) of one cascade without an audience's limit; it is cut off beyond `most` visitors.

    Raises `ValueError` for R ≥ 1: such a cascade never ends.
    """
    passed_on, law = reproduction(campaign), kernel(campaign)
    if passed_on >= 1.0:
        raise ValueError(f"passed_on {passed_on:g}: a cascade without an audience's limit needs less than 1")
    random = np.random.default_rng(seed)
    first = [_seeds(random, campaign.seed_visitors, 0.0, campaign.seen_over, law.stretch)]
    first += [_seeds(random, shock.visitors, shock.at, shock.seen_over, law.stretch) for shock in campaign.shocks]
    generation = np.concatenate(first)
    every = [generation]
    while len(generation) and sum(map(len, every)) < most:
        brought = random.poisson(passed_on, len(generation))
        generation = np.repeat(generation, brought) + law.stretch * delays(random.random(int(brought.sum())))
        every.append(generation)
    return np.sort(np.concatenate(every))


def _seeds(random: np.random.Generator, count: int, at: float, seen_over: float, stretch: float) -> Curve:
    plateau = min(max(seen_over, 1.0) / stretch, LONGEST / 2)
    return np.asarray(at + stretch * delays(random.random(count), plateau=plateau))
