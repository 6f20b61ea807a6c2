"""In: how many requests failed at each rate. Out: a posterior of the rate at which the allowed share of requests fails.

A limiter or a bounded buffer of B places in front of a server of rate L loses, at rate λ, the share θ / (1 − exp(−2θB/λ)) / λ with θ = λ
− L (the diffusion of a finite buffer; heavy-traffic loss). Far above L that is 1 − L/λ, far below it vanishes. The posterior is a grid
over (L, B)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_BUFFERS = np.geomspace(1.0, 400.0, 28)
_RELATIVE = np.linspace(0.3, 1.6, 262)


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


def _likelihood(limits: Floats, rates: Floats, requests: Floats, failures: Floats, spread: float) -> Floats:
    """Log likelihood of each limit and buffer."""
    found = np.zeros((len(limits), len(_BUFFERS)))
    for rate, count, failed in zip(rates, requests, failures, strict=True):
        share = _loss(rate, limits[:, None], _BUFFERS[None, :])
        found += (failed * np.log(share) + (count - failed) * np.log1p(-share)) / spread
    return found


def posterior(rates: Floats, requests: Floats, failures: Floats, *, spread: float, allowed: float) -> Posterior:
    """`spread` (≥ 1) is the variance of the failures over that of independent ones; `allowed` the share that may fail."""
    limits = rates.max() * np.geomspace(0.25, 1.5, 60)
    coarse = _likelihood(limits, rates, requests, failures, spread).max(axis=1)
    likely = limits[coarse > coarse.max() - 12.0]
    limits = np.geomspace(likely[0] / 1.04, likely[-1] * 1.04, 90)
    likelihood = _likelihood(limits, rates, requests, failures, spread)
    weight = np.exp(likelihood - likelihood.max())
    scale = np.array([np.interp(allowed, _loss(_RELATIVE, 1.0, buffer), _RELATIVE) for buffer in _BUFFERS])
    points = (limits[:, None] * scale[None, :]).ravel()
    order = np.argsort(points)
    cumulative = np.cumsum(weight.ravel()[order])
    return Posterior(rates=points[order], cumulative=cumulative / cumulative[-1])
