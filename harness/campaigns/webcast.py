"""In: `Webcast`. Out: `ArrivalPlan`: how the audience of a live event joins around its hour. How long it stays is `Stay`.

Of a journey's `for` and the retention below, whichever is shorter ends a viewer's visit, and nobody stays beyond the event (moment.py).

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
    call_to_action  0  0–0.3      share of those present at the end who follow the closing link, Exp(mean 25 s) later; 15 % is usual [A]
    stream_drop     none          reconnects of the players: storm.py
    replay_mail     none          a mail to all registrants an hour after the end: an email_blast, audience engaged, 10 % clicks [A]
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np

from harness.campaigns import email_blast
from harness.campaigns.curve import JUMP, Integral, Rate, jumps, tabulate
from harness.campaigns.plan import ArrivalPlan, Curve, Phase, Stay
from harness.campaigns.storm import storm
from harness.campaigns.words import percent
from harness.scenario.model import EmailBlast, Webcast

DOORS = 3600.0  # the doors open this long before the start
EARLY, PUNCTUAL, LATE = 0.25, 0.55, 0.20
EARLY_MEAN, LATE_MEAN = 480.0, 420.0
CLICK_MEAN = 25.0  # s between the closing words and the click


def join_density(t: Curve, punctuality: float) -> Curve:
    """Share of the audience that joins per second, `t` seconds after the start. Before truncation; its integral is 1."""
    t = np.asarray(t, dtype=float)
    early = np.where(t < 0, np.exp(np.minimum(t, 0.0) / EARLY_MEAN) / EARLY_MEAN, 0.0)
    punctual = np.exp(-np.abs(t) / punctuality) / (2.0 * punctuality)
    late = np.where(t >= 0, np.exp(-np.maximum(t, 0.0) / LATE_MEAN) / LATE_MEAN, 0.0)
    return EARLY * early + PUNCTUAL * punctual + LATE * late


def plan(campaign: Webcast) -> ArrivalPlan:
    """The plan of one event. Plan second 0 is when the doors open, an hour or more before the start.

    Raises `ValueError` when the stream is to drop after the end.
    """
    audience = campaign.registrants * campaign.attendance + campaign.walk_ins
    punctuality = max(campaign.punctuality, 1.0)
    zero = max(DOORS, 8.0 * punctuality)
    end = zero + campaign.length
    drop = campaign.stream_drop
    if drop is not None and drop.at >= campaign.length:
        raise ValueError(
            f"the stream drops {drop.at:g} s after the start, but the event ends after {campaign.length:g} s: write an earlier time"
        )
    stay = Stay(
        first=campaign.leave_early,
        within=300.0,
        hazard=campaign.leave_per_minute / 60.0,
        until=end,
        leave=120.0,
        drop_at=None if drop is None else zero + drop.at,
        drop_share=0.0 if drop is None else drop.share,
    )

    def density(t: Curve) -> Curve:
        return np.where(t <= end, join_density(t - zero, punctuality), 0.0)

    whole = Integral(own := tabulate((density,), marks=(0.0, *jumps(zero), end)), density(own)).total
    present = Integral(own, audience / whole * density(own))
    joins: Rate = lambda t: np.asarray(audience / whole * density(t))  # noqa: E731
    marks = [own, np.array([end, end + JUMP])]
    returns: list[tuple[Curve, Curve]] = []
    hits: list[tuple[Curve, Curve]] = []
    if drop is not None:
        since, failed, back = storm(drop.back_off, drop.lasts)
        lost = drop.share * audience_at(present, stay, zero + drop.at)
        returns.append((zero + drop.at + since, lost * back))
        hits.append((zero + drop.at + since, lost * failed))
    if campaign.call_to_action > 0:
        since = np.concatenate([[0.0], np.geomspace(1.0, 250.0, 60)])
        clicking = campaign.call_to_action * audience_at(present, stay, end)
        times = end + np.concatenate([[-JUMP], since])
        hits.append((times, clicking * np.concatenate([[0.0], np.exp(-since / CLICK_MEAN) / CLICK_MEAN])))
    replay = _replay(campaign, end) if campaign.replay_mail is not None else None
    if replay is not None:
        marks.append(replay.times)
    every = np.unique(np.concatenate([*marks, *(times for times, _ in returns + hits)]))
    every = every[np.concatenate([[True], np.diff(every) >= JUMP / 2])]
    visitors = joins(every)
    visitors[every > end] = 0.0
    if replay is not None:
        visitors = visitors + np.interp(every, replay.times, replay.visitors, left=0.0, right=0.0)
    return ArrivalPlan(
        times=every,
        visitors=visitors,
        scanners=np.zeros_like(every) if replay is None else np.interp(every, replay.times, replay.scanners, left=0.0, right=0.0),
        zero=zero,
        origin=campaign.starts - timedelta(seconds=zero) if campaign.starts is not None else None,
        phases=_phases(campaign, zero, end, punctuality),
        assumptions=_assumptions(campaign, punctuality),
        stay=stay,
        returning=_summed(every, returns),
        hits=_summed(every, hits),
    )


def _summed(times: Curve, parts: list[tuple[Curve, Curve]]) -> Curve | None:
    if not parts:
        return None
    return np.asarray(sum((np.interp(times, own, rate, left=0.0, right=0.0) for own, rate in parts), np.zeros_like(times)))


def audience_at(joined: Integral, stay: Stay, t: float) -> float:
    """Viewers present at plan second `t` (before the end) when nobody's own plans take them away: joins less what retention loses."""
    moments = joined.times[joined.times <= t]
    moments = np.concatenate([moments, [t]])
    shares = np.diff(joined.at(moments))
    middles = 0.5 * (moments[1:] + moments[:-1])
    return float(shares @ stay.kept(np.maximum(t - middles, 0.0)))


def _replay(campaign: Webcast, end: float) -> ArrivalPlan:
    """The replay mail as a mailing of its own, on the event's clock."""
    mail = campaign.replay_mail
    assert mail is not None
    sent = email_blast.plan(
        EmailBlast(
            list_size=campaign.registrants, sent_over=mail.sent_over, click_rate=mail.click_rate, audience="engaged", scanner_share=0.3
        )
    )
    return replace(sent, times=sent.times + end + mail.after)


def _phases(campaign: Webcast, zero: float, end: float, punctuality: float) -> tuple[Phase, ...]:
    joined = min(zero + 2 * punctuality, end)
    found = [
        Phase(name="doors open", start=0.0, end=zero - 2 * punctuality),
        Phase(name="everybody joins", start=zero - 2 * punctuality, end=joined),
        Phase(name="the event", start=joined, end=end),
    ]
    if campaign.stream_drop is not None:
        at = zero + campaign.stream_drop.at
        found.append(Phase(name="the stream drops and comes back", start=at, end=at + campaign.stream_drop.lasts + 5.0))
    if campaign.call_to_action > 0:
        found.append(Phase(name="the closing link", start=end, end=end + 4 * CLICK_MEAN))
    if campaign.replay_mail is not None:
        at = end + campaign.replay_mail.after
        found.append(Phase(name="the replay mail", start=at, end=at + 86400.0))
    return tuple(found)


def leaving(campaign: Webcast) -> str:
    """How viewers leave, as a sentence: of no use where a plan drops `stay`."""
    return (
        f"{percent(campaign.leave_early)} leave in the first 5 min, then {percent(campaign.leave_per_minute)} a minute, and everybody"
        " within 2 min of the end (an assumption; the defaults give the mean of 52 of 60 min that platforms report)."
    )


def _assumptions(campaign: Webcast, punctuality: float) -> tuple[str, ...]:
    near = 2.0 * punctuality
    joined = PUNCTUAL * -math.expm1(-2.0) + EARLY * -math.expm1(-near / EARLY_MEAN) + LATE * -math.expm1(-near / LATE_MEAN)
    found = [
        f"{campaign.attendance:.0%} of those who registered attend (usual: 30–60%; Spotler, PCMA).",
        f"{joined:.0%} join within {2 * punctuality:.0f} s of the start (punctuality {punctuality:.0f} s, usual 30–300 s; an assumption:"
        " no study of join times was found).",
        leaving(campaign),
        f"A quarter of registrations ({0.25 * campaign.registrants:,.0f}) arrive on the day itself, 58% in the last week (ON24 2014): an"
        " earlier load on the registration form, not part of this curve.",
    ]
    drop = campaign.stream_drop
    if drop is not None:
        policy = {"none": "at once", "patient": "after 1 to 5 s, then ever more slowly", "jitter": "at random times, ever more slowly"}
        found.append(
            f"When the stream drops, {drop.share:.0%} of viewers lose it and their players try again {policy[drop.back_off]}; who is back"
            " counts as a visit, never as a new visitor."
        )
    if campaign.call_to_action > 0:
        found.append(
            f"{campaign.call_to_action:.0%} of those present at the end follow the closing link, {CLICK_MEAN:.0f} s later on average"
            " (usual: 15%; both assumptions)."
        )
    if drop is not None or campaign.call_to_action > 0:
        found.append(
            "Players that try in vain and clicks on the closing link are single requests outside a visit: they are in the plan, but a surge"
            " rehearses visits and leaves them out."
        )
    return tuple(found)
