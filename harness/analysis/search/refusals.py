"""In: how many requests failed at each rate. Out: a posterior of the rate at which the allowed share of requests fails.

Two laws, a grid over (L, B) each, and the posterior over both:

- A limiter or a bounded line of B places in front of a server of rate L loses, at rate λ, the share θ / (1 − exp(−2θB/λ)) / λ with
  θ = λ − L (the diffusion of a finite buffer; heavy-traffic loss). Far above L that is 1 − L/λ, far below it vanishes.
- A token bucket of L a second and B at once, asked at random: exactly 1 − W / (1 + ρW) with ρ = λ/L and W = Σ (−ρ(B−1−k))^k / k!
  exp(ρ(B−1−k)), Erlang's sum for a line with constant service, over k = 0 … B − 1. With few tokens its losses rise far more slowly with
  the rate than any diffusion has it: to 1 % already at half of L, for three tokens.

Which law it is shows in how failures come: a reserve that runs dry fails in bursts, a small one fails one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_BUFFERS = np.geomspace(1.0, 400.0, 28)
_RELATIVE = np.linspace(0.3, 1.6, 262)
_BURSTS = np.geomspace(2.0, 16.0, 14)
_LOADS = np.geomspace(0.2, 4.0, 240)
_SINGLY, _SHARPLY = 2.5, 4  # where the variance of failures is so many times that of independent ones, either law is as likely


@dataclass(frozen=True, kw_only=True, slots=True)
class Posterior:
    """Rates in the unit of the input, rising, with their cumulative probability."""

    rates: Floats
    cumulative: Floats

    def quantile(self, share: float) -> float:
        return float(np.interp(share, self.cumulative, self.rates))


def _loss(rate: npt.ArrayLike, limit: npt.ArrayLike, buffer: npt.ArrayLike) -> Floats:
    rate, limit, buffer = np.broadcast_arrays(np.asarray(rate, float), np.asarray(limit, float), np.asarray(buffer, float))
    excess = rate - limit
    exponent = np.clip(2 * excess * buffer / rate, -500, 500)
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(np.abs(exponent) < 1e-6, rate / (2 * buffer), excess / -np.expm1(-exponent))
    share: Floats = np.clip(lost / rate, 1e-7, 1 - 1e-6)
    return share


def refused(load: npt.ArrayLike, burst: float) -> Floats:
    """Share that a token bucket refuses at `load` times its rate; exact for arrivals at random, `burst` ≥ 1 up to about 20."""
    rho = np.asarray(load, float)
    left = burst - 1
    weight = sum(((-rho * (left - k)) ** k / factorial(k) * np.exp(rho * (left - k)) for k in range(int(left) + 1)), np.zeros_like(rho))
    share: Floats = np.clip(1 - weight / (1 + rho * weight), 1e-7, 1 - 1e-6)
    return share


def load_of(allowed: float, burst: float) -> float:
    """The load (rate over limit) at which a token bucket refuses the share `allowed` of arrivals at random."""
    if burst <= _BURSTS[-1]:
        return float(np.exp(np.interp(np.log(allowed), np.log(refused(_LOADS, burst)), np.log(_LOADS))))
    return float(np.interp(allowed, _loss(_RELATIVE, 1.0, burst), _RELATIVE))


_REFUSED = np.log([refused(_LOADS, burst) for burst in _BURSTS])


def _by_bucket(rate: float, limits: Floats) -> Floats:
    """Shares refused by buckets of these limits (rows) and of each burst (columns)."""
    place = np.log(np.clip(rate / limits, _LOADS[0], _LOADS[-1]) / _LOADS[0]) / np.log(_LOADS[-1] / _LOADS[0]) * (len(_LOADS) - 1)
    below = np.minimum(place.astype(np.int64), len(_LOADS) - 2)
    part = place - below
    shares: Floats = np.exp(_REFUSED[:, below] * (1 - part) + _REFUSED[:, below + 1] * part).T
    return shares


def _likelihoods(limits: Floats, rates: Floats, requests: Floats, failures: Floats, spread: float) -> tuple[Floats, Floats]:
    """Log likelihood of each limit (rows) and size (columns), by the diffusion and by the bucket."""
    found = np.zeros((len(limits), len(_BUFFERS))), np.zeros((len(limits), len(_BURSTS)))
    for rate, count, failed in zip(rates, requests, failures, strict=True):
        for law, share in zip(found, (_loss(rate, limits[:, None], _BUFFERS[None, :]), _by_bucket(rate, limits)), strict=True):
            law += (failed * np.log(share) + (count - failed) * np.log1p(-share)) / spread
    return found


def posterior(rates: Floats, requests: Floats, failures: Floats, *, spread: float, allowed: float) -> Posterior:
    """`spread` (≥ 1) is the variance of the failures over that of independent ones; `allowed` the share that may fail."""
    singly = 1 / (1 + (spread / _SINGLY) ** _SHARPLY)
    odds = np.log([(1 - singly) / len(_BUFFERS), singly / len(_BURSTS)])

    def weighed(limits: Floats) -> tuple[Floats, ...]:
        both = _likelihoods(limits, rates, requests, failures, spread)
        return tuple(law + prior for law, prior in zip(both, odds, strict=True))

    limits = rates.max() * np.geomspace(0.25, 2.5, 80)
    coarse = np.max([law.max(axis=1) for law in weighed(limits)], axis=0)
    likely = limits[coarse > coarse.max() - 12.0]
    limits = np.geomspace(likely[0] / 1.04, likely[-1] * 1.04, 90)
    laws = weighed(limits)
    scales = (
        np.array([np.interp(allowed, _loss(_RELATIVE, 1.0, buffer), _RELATIVE) for buffer in _BUFFERS]),
        np.array([np.exp(np.interp(np.log(allowed), row, np.log(_LOADS))) for row in _REFUSED]),
    )
    points = np.concatenate([(limits[:, None] * scale[None, :]).ravel() for scale in scales])
    heights = np.concatenate([law.ravel() for law in laws])
    order = np.argsort(points)
    cumulative = np.cumsum(np.exp(heights - heights.max())[order])
    return Posterior(rates=points[order], cumulative=cumulative / cumulative[-1])
