"""In: `Webcast`. Out: `ArrivalPlan`: how the audience of a live event joins around its hour. How long it stays is `Stay`.

Audience: A = registrants × attendance + walk-ins. Joins, t in seconds from the start, cut at the end of the event and scaled to A:

    f(t) = 0.25·Exp(mean 8 min) before the start + 0.55·Laplace(0, punctuality) + 0.20·Exp(mean 7 min) after it

With the default punctuality 52 % have joined by the start, 89 % within 5 min; the busiest minute holds 16 % of the audience.

Defaults, ranges and sources ([F] read in the source named, [A] an assumption: a knob, not a fact):

    attendance   0.40  0.30–0.60  35–45 % roi4presenter 2021, 36–41 % Spotler 2020/21, 30–45 % PCMA, about 32 % webinarcrusher [F];
                                  ON24's 50–57 % is of webinars with at least 100 attendees only
    punctuality  90 s  30–300 s   no published distribution was found: the mixture is [A], anchored on a 35,000-viewer webcast whose rise is
                                  sharp just before the hour (TheWebinarBlog [F]) and "everyone arrives in the same 60–120 seconds" for
                                  live sport (Revidd [F]); 30 s is a hard start, 300 s a relaxed one
    length       60 min
    retention    8 % leave in the first 5 min, then 0.15 % a minute, and everybody within 2 min of the end [A]: a mean of 52 of
                 60 min, against the 45–52 of 60 that platforms report (PCMA [F])
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from harness.campaigns.curve import Integral, jumps, tabulate
from harness.campaigns.plan import ArrivalPlan, Curve, Phase, Stay
from harness.scenario.model import Webcast

DOORS = 3600.0  # the doors open this long before the start
EARLY, PUNCTUAL, LATE = 0.25, 0.55, 0.20
EARLY_MEAN, LATE_MEAN = 480.0, 420.0


def join_density(t: Curve, punctuality: float) -> Curve:
    """Share of the audience that joins per second, `t` seconds after the start. Before truncation; its integral is 1."""
    t = np.asarray(t, dtype=float)
    early = np.where(t < 0, np.exp(np.minimum(t, 0.0) / EARLY_MEAN) / EARLY_MEAN, 0.0)
    punctual = np.exp(-np.abs(t) / punctuality) / (2.0 * punctuality)
    late = np.where(t >= 0, np.exp(-np.maximum(t, 0.0) / LATE_MEAN) / LATE_MEAN, 0.0)
    return EARLY * early + PUNCTUAL * punctual + LATE * late


def plan(campaign: Webcast) -> ArrivalPlan:
    """The plan of one event. Plan second 0 is when the doors open, an hour or more before the start."""
    audience = campaign.registrants * campaign.attendance + campaign.walk_ins
    punctuality = max(campaign.punctuality, 1.0)
    zero = max(DOORS, 8.0 * punctuality)
    end = zero + campaign.length

    def density(t: Curve) -> Curve:
        return join_density(t - zero, punctuality)

    times = tabulate((density,), marks=(0.0, *jumps(zero), end))
    shape = density(times)
    visitors = shape * (audience / Integral(times, shape).total)
    return ArrivalPlan(
        times=times,
        visitors=visitors,
        scanners=np.zeros_like(times),
        zero=zero,
        origin=campaign.starts - timedelta(seconds=zero) if campaign.starts is not None else None,
        phases=(
            Phase(name="doors open", start=0.0, end=zero - 2 * punctuality),
            Phase(name="everybody joins", start=zero - 2 * punctuality, end=min(zero + 2 * punctuality, end)),
            Phase(name="the event", start=min(zero + 2 * punctuality, end), end=end),
        ),
        assumptions=(
            f"{campaign.attendance:.0%} of those who registered attend (usual: 30–60 %; Spotler, PCMA).",
            f"Most join within {2 * punctuality:.0f} s of the start (punctuality {punctuality:.0f} s, usual 30–300 s; an assumption:"
            " no study of join times was found).",
            "8 % leave in the first 5 min, then 0.15 % a minute, everybody within 2 min of the end (an assumption; it gives the mean of"
            " 52 of 60 min that platforms report).",
        ),
        stay=Stay(first=0.08, within=300.0, hazard=0.0015 / 60.0, until=end, leave=120.0),
    )
