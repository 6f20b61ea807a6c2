"""In: the scenario, its hardest moment, and the breaking point. Out: `Advice`: the gentlest change of this campaign that the site can take.

Nothing is advised that has not been planned again: a change fits when the changed campaign's hardest moment, in units of the dial, stays
`MARGIN` below the lower end of the breaking point. What IT is told follows from the cause.
"""

from __future__ import annotations

import math

from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.campaigns.plan import ArrivalPlan, Moment
from harness.result import Advice, BreakingPoint
from harness.scenario.model import EmailBlast, Scenario, ViralSpike, Webcast

MARGIN = 0.10
LONGEST = 14 * 86400.0  # s: a mail that takes longer to send is another campaign
ROUND = ((3600.0, 300.0), (6 * 3600.0, 900.0), (86400.0, 3600.0), (math.inf, 6 * 3600.0))  # up to this, in steps of that

IT: dict[str, tuple[str, str]] = {
    "slow": (
        "Find what {step} queues for (a pool of workers, database connections, a lock) and make it larger or quicker: "
        "it must answer {factor:.1f} times as much.",
        "Answers came, but later and later: requests waited for something of which there is a fixed number.",
    ),
    "server_errors": (
        "Read the server's log for {step} at the time it first failed; it must answer {factor:.1f} times as much.",
        "The site answered with errors of its own (5xx): a resource ran out and nothing queued for it.",
    ),
    "client_errors": (
        "Check why {step} refuses visitors under load: sessions, tokens, or stock that ran out.",
        "The site refused requests as wrong (4xx) that it took at lower loads.",
    ),
    "rate_limited": (
        "Raise the limit that answers 429 on {step}, at the site, its CDN or its firewall, to {factor:.1f} times today's, "
        "or let the campaign's addresses pass.",
        "A rate limiter turned visitors away; the site behind it was not the bottleneck.",
    ),
    "refused": (
        "Raise the number of connections that the site accepts (listen backlog, worker connections, open files) for {step}.",
        "Connections were refused or reset: the limit is in front of the application.",
    ),
    "timeouts": (
        "Find what {step} waits for without an end, and give it a limit: a late error is worse than an early one.",
        "Requests got no answer at all before visitors gave up.",
    ),
    "wrong_content": (
        "Look at what {step} answered under load: status 200, but not the page that it should be.",
        "The answers failed the scenario's own checks.",
    ),
    "collapse": (
        "Put a limit on how many requests {step} works on at once, and turn the rest away early: beyond its peak the site does less, "
        "not more.",
        "Fewer good answers came per second as the load rose: work was contended for or thrown away.",
    ),
}


def advice(scenario: Scenario, plan: ArrivalPlan, moment: Moment, point: BreakingPoint) -> list[Advice]:
    """What marketing and IT can do about this breaking point; empty when nothing was measured that advice could rest on."""
    if point.status == "broken_at_baseline":
        return [
            Advice(
                audience="marketing",
                text="Do not send yet: the site does not keep its promises even for a handful of visitors.",
                why="It broke at the lowest load that was tried, so no gentler plan would fit.",
            ),
            *_for_it(point, 1.0),
        ]
    if point.low is None or point.low <= 0 or point.status == "inconclusive":
        return []
    room = point.low * (1 - MARGIN) / moment.peak  # the multiple of this campaign that fits, with the margin
    if room >= 1:
        return [_go(room, moment)]
    if point.status == "not_reached":
        return []
    return [*_for_marketing(scenario, plan, moment, room), *_for_it(point, 1 / room)]


def multiple(scenario: Scenario, plan: ArrivalPlan, moment: Moment) -> float:
    """How hard this scenario is, as a multiple of the campaign that has this plan and moment.

    By requests at the hardest moment, and where no audience stays, by arrivals too: the mix of people and scanners may differ.
    """
    changed = plan_campaign(scenario)
    by_requests = hardest(changed, scenario).requests_per_second / moment.requests_per_second
    return by_requests if isinstance(scenario.campaign, Webcast) else max(by_requests, changed.peak / plan.peak)


def send_over(scenario: Scenario, plan: ArrivalPlan, moment: Moment, room: float) -> float | None:
    """The shortest sending time (s, rounded up to one that people use) with which a mail fits; None when not even `LONGEST` does."""
    assert isinstance(scenario.campaign, EmailBlast)
    low, high = scenario.campaign.sent_over, LONGEST
    if _hard(scenario, plan, moment, high) > room:
        return None
    while high / low > 1.01:
        middle = math.sqrt(max(low, 1.0) * high)
        low, high = (low, middle) if _hard(scenario, plan, moment, middle) <= room else (middle, high)
        low = max(low, 1.0)
    rounded = _up(high)
    return rounded if _hard(scenario, plan, moment, rounded) <= room else None


def _hard(scenario: Scenario, plan: ArrivalPlan, moment: Moment, sent_over: float) -> float:
    return multiple(changed(scenario, sent_over=sent_over), plan, moment)


def changed(scenario: Scenario, **campaign: object) -> Scenario:
    """The scenario with other numbers in its campaign."""
    return scenario.model_copy(update={"campaign": scenario.campaign.model_copy(update=campaign)})


def _for_marketing(scenario: Scenario, plan: ArrivalPlan, moment: Moment, room: float) -> list[Advice]:
    campaign = scenario.campaign
    if isinstance(campaign, EmailBlast):
        return [_spread(scenario, campaign, plan, moment, room)]
    if isinstance(campaign, Webcast):
        return _smaller_audience(scenario, campaign, plan, moment, room)
    return _waiting_room(scenario, campaign, moment, room)


def _spread(scenario: Scenario, campaign: EmailBlast, plan: ArrivalPlan, moment: Moment, room: float) -> Advice:
    seconds = send_over(scenario, plan, moment, room)
    if seconds is None:
        size = _down(campaign.list_size * room)
        return Advice(
            audience="marketing",
            text=(
                f"Send to at most {size:,} addresses: no sending time of up to {span(LONGEST)} is gentle enough for {campaign.list_size:,}."
            ),
            why="Each sending time was planned again against the lower end of the breaking point with a tenth to spare.",
            changes={"campaign.list_size": f"{size:,}"},
            checked=multiple(changed(scenario, list_size=size), plan, moment) <= room,
        )
    batches = max(2, math.ceil(seconds / max(60.0, campaign.sent_over / 4)))
    batches = min(batches, 24)
    return Advice(
        audience="marketing",
        text=(
            f"Send the mail over {span(seconds)} instead of {span(campaign.sent_over)}: for example {batches} batches of "
            f"{math.ceil(campaign.list_size / batches):,}, one every {span(seconds / batches)}."
        ),
        why=(
            f"Planned again with that sending time, the campaign's hardest moment falls to {_hard(scenario, plan, moment, seconds):.0%} of "
            f"today's plan; {room:.0%} is what the site takes with a tenth to spare."
        ),
        changes={"campaign.sent_over": written(seconds)},
        checked=True,
    )


def _smaller_audience(scenario: Scenario, campaign: Webcast, plan: ArrivalPlan, moment: Moment, room: float) -> list[Advice]:
    registrants = _down(campaign.registrants * room - campaign.walk_ins * (1 - room) / max(campaign.attendance, 1e-9))
    found = []
    if registrants > 0:
        found.append(
            Advice(
                audience="marketing",
                text=(
                    f"Close registration at {registrants:,} instead of {campaign.registrants:,}, "
                    f"or hold the webcast in {math.ceil(1 / room)} sessions."
                ),
                why=(
                    f"Planned again, that audience is at most {room:.0%} of today's plan at its hardest moment, which the site "
                    "takes with a tenth to spare."
                ),
                changes={"campaign.registrants": f"{registrants:,}"},
                checked=multiple(changed(scenario, registrants=registrants), plan, moment) <= room,
            )
        )
    found.append(
        Advice(
            audience="marketing",
            text=(
                f"Or put a waiting room in front: let in at most {room * moment.peak * 60:,.0f} visitors a minute, "
                f"and no more than {room * moment.peak_concurrent:,.0f} at a time."
            ),
            why="Viewers who are let in get what was promised; the others see a page that says when.",
        )
    )
    return found


def _waiting_room(scenario: Scenario, campaign: ViralSpike, moment: Moment, room: float) -> list[Advice]:
    return [
        Advice(
            audience="marketing",
            text=(
                f"A spike cannot be sent more slowly: put a waiting room in front that lets in at most {room * moment.peak * 60:,.0f} "
                f"visitors a minute, or have {1 / room:.1f} times the capacity ready before the post."
            ),
            why=f"The plan peaks at {moment.peak * 60:,.0f} visitors a minute; the site takes {room:.0%} of that with a tenth to spare.",
        )
    ]


def _for_it(point: BreakingPoint, factor: float) -> list[Advice]:
    if point.cause not in IT:
        return []
    text, why = IT[point.cause]
    step = f"“{point.first_step}”" if point.first_step else "the site"
    evidence = f" {point.cause_detail}" if point.cause_detail else ""
    return [Advice(audience="it", text=text.format(step=step, factor=factor), why=why + evidence)]


def _go(room: float, moment: Moment) -> Advice:
    return Advice(
        audience="marketing",
        text=f"Go ahead as planned. The same plan could be up to {room:.1f} times as large." if room >= 1.1 else "Go ahead as planned.",
        why=f"The site was shown to hold {room / (1 - MARGIN):.1f} times the campaign's hardest moment; a tenth of that is kept to spare.",
    )


def _up(seconds: float) -> float:
    step = next(step for until, step in ROUND if seconds <= until)
    return math.ceil(seconds / step - 1e-9) * step


def _down(number: float) -> int:
    """Two figures, rounded down: what people write on a plan."""
    if number < 1:
        return 0
    step = 10 ** max(int(math.log10(number)) - 1, 0)
    return int(number // step * step)


def span(seconds: float) -> str:
    """A duration as people say it: "45 minutes", "1 hour 30 minutes", "2 days"."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    minutes = round(seconds / 60)
    parts = ((minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute"))
    return " ".join(f"{n} {name}{'s' if n > 1 else ''}" for n, name in parts if n)


def written(seconds: float) -> str:
    """A duration as a scenario file has it: "45 min", "1 h 30 min"."""
    minutes = round(seconds / 60)
    return " ".join(f"{n} {unit}" for n, unit in ((minutes // 60, "h"), (minutes % 60, "min")) if n) or f"{seconds:.0f} s"
