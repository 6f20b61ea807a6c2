"""In: how many good answers per second a site gave at each number of requests in flight. Out: `Fit`, the highest rate of requests whose
waiting line stays short enough for a minute.

The model is a line that grows by arrivals at rate λ and shrinks by answers at the measured rate r(N), both irregular (a diffusion with
drift λ − r(N) and variance bλ + I r(N); b and I are the variances over the means of arrivals and answers). Three shapes of r(N):

- flat above the knee: a plain queue. Solved with the stationary law of the diffusion, corrected for a plateau of one minute.
- rising: capacity still grows with the line (processor sharing, several tiers). The same with the measured curve.
- falling: the site slows down under load and tips over. Solved with the mean time until it tips (heavy-traffic first passage).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.search.meter import BINS, EDGES, MIDDLE
from harness.analysis.search.plateau import boundary

Floats = npt.NDArray[np.float64]

PLATEAU = 60.0  # s that a rate must hold to count as held
_CELLS = 100
_TAIL = 0.005  # of a line's time may be left out
_IRREGULAR = 3.0  # dispersion from which on answers are no renewals but a site that changes
_WIDTH = np.append(np.diff(EDGES), 1)
_SMOOTH = np.array([0.3, 0.7, 1.0, 0.7, 0.3])


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What is asked of the group: at most a share `late` of its requests later than `limit` seconds. `calm`: the share that is later
    without any line, where few lines this short are seen."""

    limit: float
    late: float
    calm: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """Rates in requests/s of the group; levels in requests in flight."""

    rate: float  # the highest rate that keeps the demand for a minute in half of the cases
    plateau: float  # answers/s when busy
    knee: float  # busy from here on
    full: float  # as many in flight as make a wait of the limit
    peak_at: float  # where answers/s are highest: `full` unless the curve falls
    peak: float
    falling: bool
    rising: bool
    busy_seconds: float
    busy_answers: float
    curve: Floats  # answers/s at each bin, as used


def fit(
    time: Floats,
    answers: Floats,
    sent: Floats,
    late: Floats,
    *,
    calm: float,
    dispersion: float,
    burstiness: float,
    demand: Demand,
    may_fall: bool = True,
) -> Fit | None:
    """Fit the sums over windows (arrays of BINS). `calm` is the latency without load, s. None when the site was never seen busy.
    `may_fall`: whether a fall of the curve is credible (see `Estimator`)."""
    limit = demand.limit
    if answers.sum() < 20 or time.sum() <= 0:
        return None
    plateau = float(answers.sum() / time.sum())
    for _ in range(4):
        knee = max(1.9, 1.5 * plateau * calm)
        full = max(limit * plateau, knee * 1.2)
        busy = (knee <= MIDDLE) & (1.5 * full >= MIDDLE)
        if time[busy].sum() < 0.3:
            return None
        found = _speed(time, answers, busy, dispersion)
        done = abs(found - plateau) < 1e-3 * plateau
        if done or found <= 0:
            break
        plateau = found
    full = max(limit * plateau, knee * 1.2)
    busy_seconds, busy_answers = float(time[busy].sum()), float(answers[busy].sum())

    def compare(low: npt.NDArray[np.bool_], high: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
        """Answers/s in two ranges of levels and the standard error of their difference."""
        t1, t2 = time[low].sum(), time[high].sum()
        r1, r2 = answers[low].sum() / t1, answers[high].sum() / t2
        return r1, r2, float(np.sqrt(dispersion * (r1 / t1 + r2 / t2)))

    low, high = (knee <= MIDDLE) & (0.45 * full >= MIDDLE), (0.55 * full < MIDDLE) & (1.5 * full >= MIDDLE)
    falling = rising = False
    if time[low].sum() > 0.5 and time[high].sum() > 0.3:
        r1, r2, error = compare(low, high)
        falling = may_fall and r1 - r2 > max(3.0 * error, 0.12 * r1)
    low, high = (knee <= MIDDLE) & (2 * knee >= MIDDLE), (max(2 * knee, 0.3 * full) < MIDDLE) & (1.5 * full >= MIDDLE)
    if not falling and time[low].sum() > 0.5 and time[high].sum() > 0.5:
        r1, r2, error = compare(low, high)
        rising = r2 - r1 > max(3.0 * error, 0.08 * r1)
        if rising:
            plateau, full = r2, limit * r2
            high = (0.3 * full < MIDDLE) & (1.5 * full >= MIDDLE)
            if time[high].sum() > 0.5:
                busy_seconds, busy_answers = float(time[high].sum()), float(answers[high].sum())
                plateau = busy_answers / busy_seconds
    # The same question without the limit: does the curve fall beyond its own peak?
    weight = np.convolve(time, _SMOOTH, "same")
    smooth = np.convolve(answers, _SMOOTH, "same") / np.maximum(weight, 1e-9)
    seen = (weight > 0.25) & (knee <= MIDDLE)
    peak_at = full
    if seen.sum() > 4:
        sure = smooth - 1.5 * np.sqrt(dispersion * np.maximum(smooth, 1) / np.maximum(weight, 1e-3))
        peak_at = float(MIDDLE[int(np.argmax(np.where(seen, sure, -1.0)))])
        low, high = (knee <= MIDDLE) & (1.6 * peak_at >= MIDDLE), 2.2 * peak_at < MIDDLE
        if time[low].sum() > 0.5 and time[high].sum() > 0.3:
            r1, r2, error = compare(low, high)
            if may_fall and r1 - r2 > max(3.5 * error, 0.15 * r1):
                falling, rising, plateau = True, False, r1
    if falling:
        beyond = np.flatnonzero(seen & (peak_at < MIDDLE) & (limit * smooth <= MIDDLE))
        full = float(MIDDLE[beyond[0]]) if len(beyond) else limit * plateau

    curve = _curve(time, answers, plateau, calm, shaped=falling or rising, rising=rising)
    # Where many may be late the line may be long: as far as all but one in two hundred of its time.
    top = full * (1.05 if falling else float(np.clip(np.log(_TAIL) / np.log(demand.late), 2.5, 12.0)))
    grid = (np.arange(_CELLS) + 0.5) * top / _CELLS
    rates = np.interp(grid, MIDDLE, curve)
    if not (falling or rising):
        rates[grid >= knee] = plateau
        curve = np.where(knee <= MIDDLE, plateau, curve)
    if rising:
        plateau = float(np.interp(full, MIDDLE, curve))
    peak = float(rates.max())
    if falling:
        rate = _tips(grid, rates, peak, dispersion, burstiness)
    else:
        rate = _holds(grid, rates, sent, late, full, plateau, dispersion, burstiness, demand)
    return Fit(
        rate=rate,
        plateau=plateau,
        knee=knee,
        full=full,
        peak_at=peak_at,
        peak=peak,
        falling=falling,
        rising=rising,
        busy_seconds=busy_seconds,
        busy_answers=busy_answers,
        curve=curve,
    )


def _speed(time: Floats, answers: Floats, busy: npt.NDArray[np.bool_], dispersion: float) -> float:
    """Answers/s while busy. The stretches of being busy end with an answer and begin at any moment between two of them, so each holds
    (1 − I) / 2 answers more than its length times the speed, I being their variance over their mean: half of one, where answers come as
    regularly as a clock ticks; measured, +1.1 % of speed with constant service. A stretch that the line ends by growing further has none
    to spare, and begins anew, just after an answer, with as much too few."""
    first, last = np.flatnonzero(busy)[[0, -1]]
    ends = answers[first] / _WIDTH[first]
    if last + 1 < BINS:
        ends -= answers[last + 1] / _WIDTH[last + 1]
    spare = (1.0 - min(dispersion, _IRREGULAR)) / 2 * ends
    return float((answers[busy].sum() - spare) / time[busy].sum())


def _curve(time: Floats, answers: Floats, plateau: float, calm: float, *, shaped: bool, rising: bool) -> Floats:
    """Answers/s at every bin. Below the knee Little's law (N / calm latency) stands in for what was not seen."""
    prior = plateau * np.minimum(1.0, MIDDLE / max(1.0, plateau * calm))
    if not shaped:
        plain: Floats = (answers + 0.3 * prior) / (time + 0.3)
        return plain
    curve = np.convolve(answers + 0.05 * prior, _SMOOTH, "same") / np.convolve(time + 0.05, _SMOOTH, "same")
    seen = time > 0.02
    far = max(3.0, float(MIDDLE[seen].max()) if seen.any() else 3.0) < MIDDLE
    if far.any():
        curve[far] = curve[~far][-1]
    return isotonic(curve, time + 0.02) if rising else curve


def _holds(
    grid: Floats,
    rates: Floats,
    sent: Floats,
    late: Floats,
    full: float,
    plateau: float,
    dispersion: float,
    burstiness: float,
    demand: Demand,
) -> float:
    """The rate at which a plateau of a minute has just the allowed share of late requests."""
    prior = demand.calm + (1.0 - demand.calm) / (1.0 + (full / np.maximum(MIDDLE, 0.5)) ** 8)
    slow = isotonic((late + 2 * prior) / (sent + 2), sent + 2)
    at_grid = np.interp(grid, MIDDLE, slow)
    tried = plateau * (1 - np.geomspace(0.0015, 0.75, 36))
    noise = burstiness * tried[:, None] + dispersion * rates[None]
    log_density = np.cumsum(2 * (tried[:, None] - rates[None]) / noise, axis=1) * (grid[1] - grid[0]) - np.log(noise)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    share = (density * at_grid).sum(axis=1) / density.sum(axis=1)
    if share.min() > demand.late:
        stationary = float(tried[-1])
    elif share.max() < demand.late:
        stationary = float(tried[0])
    else:
        stationary = float(np.interp(-demand.late, -share, tried))
    # A minute is shorter than forever: translate the stationary answer into that of a finite plateau (reflected Brownian motion).
    sigma = np.sqrt(plateau * (burstiness + dispersion))
    slack = (plateau - stationary) * np.sqrt(PLATEAU) / sigma
    # Where the demand is out of reach the line is not what binds; a rate near nothing says so.
    return float(max(plateau - boundary(slack, demand.late) * sigma / np.sqrt(PLATEAU), 0.02 * plateau))


def _tips(grid: Floats, rates: Floats, peak: float, dispersion: float, burstiness: float) -> float:
    """The rate whose mean time until the line passes the top of the grid is PLATEAU / ln 2 (half of the plateaus survive), a little longer
    because a plateau begins with an empty line."""
    tried = peak * (1 - np.geomspace(0.01, 0.7, 40))
    noise = burstiness * tried[:, None] + dispersion * rates[None]
    step = grid[1] - grid[0]
    potential = np.cumsum(2 * (tried[:, None] - rates[None]) / noise, axis=1) * step
    potential = np.clip(potential - potential[:, :1], -300, 300)
    inner = np.cumsum(2 / noise * np.exp(potential), axis=1) * step
    passage = np.log((np.exp(-potential) * inner).sum(axis=1) * step + 1e-9)
    if passage.max() <= np.log(1.5 * PLATEAU):
        return float(tried[-1])
    return float(np.interp(np.log(1.15 * PLATEAU / np.log(2)), passage, tried))


def isotonic(values: Floats, weights: Floats) -> Floats:
    """The closest non-decreasing sequence (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            other = pools.pop()
            total = other[1] + pool[1]
            pool = ((other[0] * other[1] + pool[0] * pool[1]) / total, total, other[2] + pool[2])
        pools.append(pool)
    return np.repeat([p[0] for p in pools], [p[2] for p in pools])


def empty() -> Floats:
    """Sums over no window at all."""
    return np.zeros(BINS)
