"""In: last campaign's visitors by interval. Out: `Fit`: a model's parameters with 95 % intervals, how well it fits, and the YAML to paste.

Counts of intervals are Poisson around the model, so parameters are found by maximum likelihood (Fisher scoring on their logarithms).
Intervals come from the information matrix, widened by the overdispersion X²/df where the counts scatter more than Poisson ones. The
goodness of fit is Pearson's X² over intervals merged to at least 5 expected visitors (Wilson–Hilferty for its p).

email_blast  clicks, half_of_clicks_within, click_spread (and sent_over unless it is given): the integral of a lognormal's
             distribution is closed: ∫F = tΦ(z) − m·e^(σ²/2)·Φ(z − σ)
webcast      audience, punctuality, start: the mixture's distribution is closed
viral_spike  seeds and passed_on, given seen_over: each interval is compared with what the intervals before it make likely (the conditional
             intensity of a self-exciting process), so that a cascade's own luck does not count against the model
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.campaigns.curve import Integral, normal_cdf
from harness.campaigns.email_blast import DELAYS
from harness.campaigns.plan import Curve
from harness.campaigns.viral_spike import kernel_cdf
from harness.campaigns.webcast import EARLY, EARLY_MEAN, LATE, LATE_MEAN, PUNCTUAL

Kind = Literal["email_blast", "webcast", "viral_spike"]
Expected = Callable[[Curve], Curve]


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """One parameter in the units of the scenario's models (s, shares, whole people), with its 95 % interval."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """What a measured curve says about a model. `p` is the chance of a worse fit if the model is true; `explained` is R² of the counts."""

    kind: Kind
    estimates: tuple[Estimate, ...]
    dispersion: float  # X²/df: 1 is Poisson, more is scatter that the model does not know
    p: float
    explained: float
    rows: int

    def __getitem__(self, name: str) -> Estimate:
        return next(estimate for estimate in self.estimates if estimate.name == name)


def fit(points: Sequence[tuple[float, float, float]], kind: Kind, *, sent_over: float | None = None, seen_over: float = 300.0) -> Fit:
    """Fit one model to rows of (start s, end s, visitors). Second 0 is the first row: the first mail, or the post.

    Raises `ValueError` when fewer than 8 rows or fewer than 50 visitors are there, or when no parameters explain them.
    """
    rows = np.asarray(points, dtype=float).reshape(-1, 3)
    if len(rows) < 8 or rows[:, 2].sum() < 50:
        raise ValueError(
            f"{len(rows)} rows with {rows[:, 2].sum():,.0f} visitors are too few to fit a curve:"
            " export at least 8 intervals and 50 visitors"
        )
    start, end, counts = rows[:, 0], rows[:, 1], rows[:, 2]
    match kind:
        case "email_blast":
            names = ("clicks", "half_of_clicks_within", "click_spread", "sent_over")[: 4 if sent_over is None else 3]
            first = _mail_start(start, end, counts, sent_over)

            def expected(x: Curve) -> Curve:
                clicks, median, sigma = (float(v) for v in np.exp(np.clip(x[:3], -12.0, 30.0)))
                spread = sent_over if sent_over is not None else math.exp(min(float(x[3]), 30.0))
                return clicks * (_clicked(end, median, sigma, spread) - _clicked(start, median, sigma, spread))

            return _fitted(kind, names, expected, first, counts)
        case "webcast":
            peak = int(counts.argmax())
            zero = float(start[peak])

            def joined(x: Curve) -> Curve:
                audience, punctuality = (float(v) for v in np.exp(np.clip(x[:2], -3.0, 30.0)))
                begin = zero + float(x[2])
                return audience * (_joined(end - begin, punctuality) - _joined(start - begin, punctuality))

            first = np.array([math.log(counts.sum()), math.log(90.0), 0.5 * float(end[peak] - start[peak])])
            found = _fitted(kind, ("audience", "punctuality", "start"), joined, first, counts, plain=("start",))
            shifted = [
                Estimate(name=e.name, value=e.value + zero, low=e.low + zero, high=e.high + zero) if e.name == "start" else e
                for e in found.estimates
            ]
            return Fit(
                kind=kind,
                estimates=tuple(shifted),
                dispersion=found.dispersion,
                p=found.p,
                explained=found.explained,
                rows=found.rows,
            )
        case "viral_spike":
            plateau = max(seen_over, 1.0)
            seeds = kernel_cdf(end, plateau=plateau) - kernel_cdf(start, plateau=plateau)
            brought, at_once = _brought(start, end, counts)

            def visited(x: Curve) -> Curve:
                many, passed_on = (float(v) for v in np.exp(np.clip(x, -12.0, 30.0)))
                return (many * seeds + passed_on * brought) / (1.0 - np.minimum(passed_on * at_once, 0.9))

            first = np.log([0.6 * counts.sum(), 0.4])
            return _fitted(kind, ("seed_visitors", "passed_on"), visited, first, counts)


def _mail_start(start: Curve, end: Curve, counts: Curve, sent_over: float | None) -> Curve:
    """Where the search begins: the preset's σ, a median from the counts, and the sending time from when half the peak is reached."""
    done = np.cumsum(counts) / counts.sum()
    median = max(float(end[int(np.searchsorted(done, 0.45))]), 60.0)
    peak = float(end[int(np.argmax(counts / (end - start)))])
    guess = [math.log(1.1 * counts.sum()), math.log(median), math.log(DELAYS["typical"].sigma)]
    return np.array(guess if sent_over is not None else [*guess, math.log(max(peak, 60.0))])


def _clicked(t: Curve, median: float, sigma: float, spread: float) -> Curve:
    """The share of clicks by `t` of mails sent evenly over `spread`: (1/D)·[∫F up to t − ∫F up to t − D]."""
    spread = max(spread, 1.0)
    return (_integrated(t, median, sigma) - _integrated(t - spread, median, sigma)) / spread


def _integrated(t: Curve, median: float, sigma: float) -> Curve:
    late = t > 0
    z = np.log(np.where(late, t, 1.0) / median) / sigma
    value = t * normal_cdf(z) - median * math.exp(0.5 * sigma * sigma) * normal_cdf(z - sigma)
    return np.where(late, value, 0.0)


def _joined(t: Curve, punctuality: float) -> Curve:
    """The share of a webcast's audience that has joined `t` seconds after the start."""
    before, after = np.minimum(t, 0.0), np.maximum(t, 0.0)
    early = np.where(t < 0, np.exp(before / EARLY_MEAN), 1.0)
    punctual = np.where(t < 0, 0.5 * np.exp(before / punctuality), 1.0 - 0.5 * np.exp(-after / punctuality))
    return np.asarray(EARLY * early + PUNCTUAL * punctual + LATE * -np.expm1(-after / LATE_MEAN))


def _brought(start: Curve, end: Curve, counts: Curve) -> tuple[Curve, Curve]:
    """For each row: visitors that earlier rows bring into it when R is 1, and the share of its own that its own visitors bring."""
    fine = np.concatenate([[0.0], np.geomspace(1.0, max(float(end[-1] - start[0]), 2.0), 4000)])
    summed = Integral(fine, kernel_cdf(fine))  # ∫ of the distribution: a birth anywhere in its row is as likely as anywhere else
    length = end - start

    def reached(lag: Curve) -> Curve:
        return np.where(lag > 0, summed.at(np.maximum(lag, 0.0)), 0.0)

    total = np.zeros(len(counts))
    for j in np.flatnonzero(counts[:-1]):
        later = slice(j + 1, None)
        by_end = reached(end[later] - start[j]) - reached(end[later] - end[j])
        by_start = reached(start[later] - start[j]) - reached(start[later] - end[j])
        total[later] += counts[j] * (by_end - by_start) / length[j]
    return total, np.asarray(reached(length) / length)


def _fitted(kind: Kind, names: Sequence[str], expected: Expected, first: Curve, counts: Curve, plain: Sequence[str] = ()) -> Fit:
    x, information = _scored(expected, first, counts)
    mean = np.maximum(expected(x), 1e-12)
    squared, freedom = _pearson(counts, mean, len(x))
    dispersion = squared / freedom
    try:
        spread = np.sqrt(np.maximum(np.diag(np.linalg.inv(information)), 0.0) * max(dispersion, 1.0))
    except np.linalg.LinAlgError:
        raise ValueError(f"these visitors do not determine a {kind}: export finer intervals or a longer stretch") from None
    estimates = []
    for name, value, error in zip(names, x, spread, strict=True):
        low, high = value - 1.96 * error, value + 1.96 * error
        if name not in plain:
            low, value, high = (math.exp(min(v, 700.0)) for v in (low, value, high))
        estimates.append(Estimate(name=name, value=float(value), low=float(low), high=float(high)))
    around = float(((counts - counts.mean()) ** 2).sum())
    return Fit(
        kind=kind,
        estimates=tuple(estimates),
        dispersion=dispersion,
        p=_worse(squared, freedom),
        explained=1.0 - float(((counts - mean) ** 2).sum()) / around if around > 0 else 0.0,
        rows=len(counts),
    )


def _scored(expected: Expected, first: Curve, counts: Curve) -> tuple[Curve, Curve]:
    """Maximum of the Poisson likelihood by damped Fisher scoring; also the information matrix there."""
    x = np.asarray(first, dtype=float)
    damping = 1e-2

    def likelihood(y: Curve) -> float:
        mean = np.maximum(expected(y), 1e-12)
        return float((counts * np.log(mean) - mean).sum())

    best = likelihood(x)
    for _ in range(200):
        mean = np.maximum(expected(x), 1e-12)
        slope = _slopes(expected, x)
        information = slope.T @ (slope / mean[:, None])
        score = slope.T @ ((counts - mean) / mean)
        step = np.linalg.lstsq(information + damping * np.diag(np.diag(information) + 1e-12), score, rcond=None)[0]
        step *= min(1.0, 1.5 / max(float(np.abs(step[: len(x)]).max()), 1e-12)) if damping > 1e-6 else 1.0
        tried = likelihood(x + step)
        if math.isfinite(tried) and tried >= best:
            moved, x, best, damping = tried - best, x + step, tried, max(damping / 5.0, 1e-9)
            if moved < 1e-9 * max(1.0, abs(best)) and float(np.abs(step).max()) < 1e-6:
                break
        else:
            damping *= 10.0
            if damping > 1e9:
                break
    mean = np.maximum(expected(x), 1e-12)
    slope = _slopes(expected, x)
    return x, slope.T @ (slope / mean[:, None])


def _slopes(expected: Expected, x: Curve) -> Curve:
    h = 1e-5
    return np.column_stack([(expected(x + h * unit) - expected(x - h * unit)) / (2.0 * h) for unit in np.eye(len(x))])


def _pearson(counts: Curve, mean: Curve, parameters: int) -> tuple[float, float]:
    """X² and its degrees of freedom over neighbouring rows merged to at least 5 expected visitors."""
    groups = np.floor(np.cumsum(mean) / 5.0).astype(int)
    groups = np.unique(groups, return_inverse=True)[1]
    seen, wanted = np.bincount(groups, counts), np.bincount(groups, mean)
    keep = wanted > 1.0
    return float((((seen - wanted) ** 2) / np.maximum(wanted, 1e-12))[keep].sum()), float(max(int(keep.sum()) - parameters, 1))


def _worse(squared: float, freedom: float) -> float:
    """P(χ² > squared) by Wilson and Hilferty's cube root: good to a few thousandths."""
    c = 2.0 / (9.0 * freedom)
    return 0.5 * math.erfc(((squared / freedom) ** (1.0 / 3.0) - (1.0 - c)) / math.sqrt(2.0 * c))
