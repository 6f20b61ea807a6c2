"""In: `FlashSale`. Out: `ArrivalPlan`: a crowd waits at a countdown, rushes in when the sale opens, and thins out when the stock is gone.

Audience: A = invited × turn_out. Arrivals, t in seconds from the opening, cut at the end of the sale and scaled to A:

    f(t) = w·Exp(mean 4 min) before the opening + (1 − w)·[0.7·Laplace(0, punctuality) + 0.3·Exp(mean 8 min) after it]

Everybody who is waiting when the countdown ends loads the shop again within seconds: they return (`returning`), W·g(t) with g the
lognormal reaction time (median `reaction`, σ 0.6). That is the sale's real peak, and the reason why a countdown wants a jitter.
Once `stock` orders are made, later arrivals fall off: "sold out" spreads within minutes (halved every 5 min).

Defaults and ranges. No published distribution of arrivals at a flash sale was found: all are assumptions for last time's log to replace.

    turn_out     0.10  0.02–0.5   of those invited [A]
    waiting w    0.40  0–0.8      share of the audience that comes early and waits [A]
    punctuality  30 s  10–120 s   the hard start of a webcast: "everyone arrives in the same 60–120 seconds" (Revidd, live sport)
    reaction     2 s   0.5–30 s   median time until a waiting page is loaded again; a page that reloads by itself is below 1 s [A]
    buy_rate     0.10  0.02–0.4   of visitors while there is stock [A]
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from harness.campaigns.curve import Integral, jumps, tabulate
from harness.campaigns.plan import ArrivalPlan, Curve, Phase
from harness.campaigns.words import people
from harness.scenario.model import FlashSale

DOORS = 1800.0
EARLY_MEAN, LATE_MEAN = 240.0, 480.0
PUNCTUAL = 0.7
REACTION_SIGMA = 0.6
FORGET = 300.0  # s in which the interest halves once everything is sold


def plan(campaign: FlashSale) -> ArrivalPlan:
    """The plan of one sale. Plan second 0 is half an hour before the opening."""
    audience = campaign.invited * campaign.turn_out
    scale = max(campaign.punctuality, 1.0)
    zero, end = DOORS, DOORS + campaign.length

    def density(t: Curve) -> Curve:
        since = np.asarray(t, dtype=float) - zero
        early = np.where(since < 0, np.exp(np.minimum(since, 0.0) / EARLY_MEAN) / EARLY_MEAN, 0.0)
        punctual = np.exp(-np.abs(since) / scale) / (2.0 * scale)
        late = np.where(since >= 0, np.exp(-np.maximum(since, 0.0) / LATE_MEAN) / LATE_MEAN, 0.0)
        return campaign.waiting * early + (1.0 - campaign.waiting) * (PUNCTUAL * punctual + (1.0 - PUNCTUAL) * late)

    first = tabulate((density,), marks=(0.0, *jumps(zero), end))
    arrived = Integral(first, density(first) * audience / Integral(first, density(first)).total)
    waiting = float(arrived.at(zero))
    sold_out = _sold_out(campaign, arrived, zero)

    def visitors(t: Curve) -> Curve:
        interest = 1.0 if sold_out is None else np.exp2(-np.maximum(t - sold_out, 0.0) / FORGET)
        return np.asarray(arrived.rate_at(t) * interest)

    def returning(t: Curve) -> Curve:
        since = np.asarray(t, dtype=float) - zero
        late = since > 0
        z = np.log(np.where(late, since, 1.0) / campaign.reaction) / REACTION_SIGMA
        shape = np.exp(-0.5 * z * z) / (np.where(late, since, 1.0) * REACTION_SIGMA * np.sqrt(2.0 * np.pi))
        return np.where(late, waiting * shape, 0.0)

    rush = zero + campaign.reaction * np.exp(REACTION_SIGMA * np.array([-3.0, -REACTION_SIGMA, 0.0, 1.0, 3.0]))
    marks = [*first[:: max(1, len(first) // 64)], zero, end, *rush, *([] if sold_out is None else [sold_out])]
    times = tabulate((visitors, returning), marks=[mark for mark in marks if mark <= end] + [*jumps(zero)], finest=0.02)
    return ArrivalPlan(
        times=times,
        visitors=visitors(times),
        scanners=np.zeros_like(times),
        zero=zero,
        origin=campaign.starts - timedelta(seconds=zero) if campaign.starts is not None else None,
        phases=(
            Phase(name="the countdown", start=0.0, end=zero),
            Phase(name="the rush", start=zero, end=min(zero + 120.0, end)),
            Phase(name="the sale", start=min(zero + 120.0, end), end=end if sold_out is None else sold_out),
            *(() if sold_out is None else (Phase(name="sold out", start=sold_out, end=end),)),
        ),
        assumptions=_assumptions(campaign, waiting, sold_out, zero),
        returning=returning(times),
    )


def _sold_out(campaign: FlashSale, arrived: Integral, zero: float) -> float | None:
    """When the last piece is gone: those who waited buy at the opening, everybody else on arrival. None when stock is left."""
    if campaign.stock is None or campaign.buy_rate <= 0:
        return None
    needed = campaign.stock / campaign.buy_rate
    if needed >= arrived.total:
        return None
    return max(zero + campaign.reaction, float(arrived.inverse(np.array([needed]))[0]))


def _assumptions(campaign: FlashSale, waiting: float, sold_out: float | None, zero: float) -> tuple[str, ...]:
    found = [
        f"{campaign.turn_out:.0%} of those invited come (usual: 2–50%; an assumption, better taken from the last sale).",
        f"{people(waiting)} wait at the countdown when it ends and load the shop again within seconds (half of them within"
        f" {campaign.reaction:g} s): they count as visits, not as new visitors. Letting them in one by one would cut it.",
    ]
    if sold_out is not None:
        found.append(
            f"With {campaign.buy_rate:.0%} buying, the stock of {campaign.stock:,} is gone {(sold_out - zero) / 60:.1f} min after the"
            " opening; then interest halves every 5 min."
        )
    return tuple(found)
