"""In: the campaign, its breaking point, and the verdict's reason. Out: `Advice`: the gentlest change that the site can take, planned again.

What fits stays `MARGIN` below the lower end of the breaking point. What IT is told follows from the cause and the step that broke first.
"""

from __future__ import annotations

import math
from datetime import datetime

from harness.analysis import gentler
from harness.analysis.gentler import Gentler, Original
from harness.campaigns.plan import ArrivalPlan, Moment
from harness.result import Advice, BreakingPoint
from harness.scenario.model import EmailBlast, FlashSale, Measured, Scenario, Webcast

MARGIN = 0.10
SPARE = "with a tenth to spare"

IT: dict[str, tuple[str, str]] = {
    "slow": (
        "Find what {step} queues for (a pool of workers, database connections, a lock) and make it larger or quicker{more}.",
        "Answers came, but later and later: requests waited for something of which there is a fixed number.",
    ),
    "server_errors": (
        "Read the server's log for {step} at the time it first failed{more}.",
        "The site answered with errors of its own (5xx): something ran out and nothing queued for it.",
    ),
    "client_errors": (
        "Check why {step} refuses visitors under load: sessions, tokens, or stock that ran out.",
        "The site refused requests as wrong (4xx) that it took at lower loads.",
    ),
    "rate_limited": (
        "Raise the limit that answers 429 on {step}, at the site, its CDN or its firewall{more}.",
        "A rate limiter turned visitors away; what stands behind it was not the bottleneck.",
    ),
    "refused": (
        "Raise the number of connections that the site accepts for {step} (listen backlog, worker connections, open files).",
        "Connections were refused or reset: the limit is in front of the application.",
    ),
    "timeouts": (
        "Find what {step} waits for without an end, and give it a limit: a late error is worse than an early one.",
        "Requests got no answer at all before visitors gave up.",
    ),
    "wrong_content": (
        "Look at what {step} answered under load: a success by its status, but not the page that it should be.",
        "The answers failed the scenario's own checks.",
    ),
    "collapse": (
        "Limit how many requests {step} works on at once, and turn the rest away early: beyond its peak the site does less, not more.",
        "Fewer good answers came per second as the load rose: work was contended for or thrown away.",
    ),
}
"""Cause → (what to do, why)."""


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
    original = Original(scenario=scenario, plan=plan, moment=moment, room=point.low * (1 - MARGIN) / moment.peak)
    if point.low >= moment.peak:
        return [_go(original)]
    if point.status == "not_reached":
        return []
    return [*_for_marketing(original), *_for_it(point, 1 / original.room)]


def _for_marketing(original: Original) -> list[Advice]:
    campaign = original.scenario.campaign
    if isinstance(campaign, EmailBlast):
        return _slower(original, campaign)
    if isinstance(campaign, Webcast):
        return [
            *_fewer(original, "registrants", campaign.registrants, "Close registration at {size} instead of {was}"),
            _waiting_room(original),
        ]
    if isinstance(campaign, FlashSale):
        return [_waiting_room(original), *_fewer(original, "invited", campaign.invited, "Or invite {size} instead of {was}")]
    found = [_waiting_room(original)]
    if (move := gentler.moved(original)) is not None and move.entry.starts is not None:
        text = f"Start “{move.name}” {span(move.change.value)} later, at {move.entry.starts:%H:%M on %d %B}."
        starts = instant(move.entry.starts)
        found.insert(0, _checked(original, move.change, text, {f"campaign.campaigns[{move.place}].starts": starts}))
    if isinstance(campaign, Measured):
        smaller = gentler.scaled(original, "scale", campaign.scale)
        if smaller is not None:
            text = f"The site takes last time's visitors at a scale of {smaller.value:.2f}, not {campaign.scale:.2f}."
            found.append(_checked(original, smaller, text, {"campaign.scale": f"{smaller.value:.2f}"}))
    return found


def _slower(original: Original, campaign: EmailBlast) -> list[Advice]:
    now = max(campaign.sent_over, campaign.list_size / campaign.throttle if campaign.throttle else 0.0)
    even = gentler.slower(original, sent_over=now)
    if even is None:
        text = "Write to {size} addresses instead of {was}: sending more slowly is not enough"
        return [*_fewer(original, "list_size", campaign.list_size, text), _waiting_room(original)]
    text = f"Send the mail over {span(even.value)} instead of {span(now)}, evenly."
    found = [_checked(original, even, text, {"campaign.sent_over": written(even.value)})]
    batched = _batched(original, campaign, even.value)
    return [*found, batched] if batched else found


def _batched(original: Original, campaign: EmailBlast, even: float) -> Advice | None:
    """Batches leave all at once, so they need more time than an even stream of `even` seconds: tried with 1.5, 2 and 3 times as much."""
    for factor in (1.5, 2.0, 3.0):
        over = next((t for t in gentler.SENDING_TIMES if t >= factor * even), None)
        change = None if over is None else gentler.in_batches(original, sent_over=over)
        if over is not None and change is not None:
            number = int(change.value)
            size, apart = math.ceil(campaign.list_size / number), over / number
            text = f"Or send {number} batches of {size:,} mails, one every {span(apart)}."
            return _checked(original, change, text, {"campaign.sent_over": written(over), "campaign.batches": str(number)})
    return None


def _fewer(original: Original, lever: str, size: int, text: str) -> list[Advice]:
    smaller = gentler.fewer(original, lever, size)
    if smaller is None:
        return []
    said = text.format(size=f"{smaller.value:,.0f}", was=f"{size:,}")
    return [_checked(original, smaller, said + ".", {f"campaign.{lever}": f"{smaller.value:,.0f}"})]


def _waiting_room(original: Original) -> Advice:
    moment, room = original.moment, original.room
    staying = f", and no more than {room * moment.peak_concurrent:,.0f} at a time" if original.plan.stay is not None else ""
    return Advice(
        audience="marketing",
        text=(
            f"Put a waiting room in front that lets in at most {room * moment.peak * 60:,.0f} visitors a minute{staying}; "
            f"without one, have {1 / room:.1f} times the capacity ready."
        ),
        why=f"The plan peaks at {moment.peak * 60:,.0f} visitors a minute; {room:.0%} of that fits {SPARE}.",
    )


def _checked(original: Original, change: Gentler, text: str, changes: dict[str, str]) -> Advice:
    return Advice(
        audience="marketing",
        text=text,
        why=(
            f"Planned again, the campaign's hardest moment is then {change.hardness:.0%} of today's plan; "
            f"{original.room:.0%} fits the site {SPARE}."
        ),
        changes=changes,
        checked=True,
    )


def _for_it(point: BreakingPoint, factor: float) -> list[Advice]:
    if point.cause not in IT:
        return []
    text, why = IT[point.cause]
    step = f"“{point.first_step.removesuffix(' (redirected)')}”" if point.first_step else "the site"
    more = f": it must answer {factor:.1f} times as much" if factor > 1.05 else ""
    evidence = f" {point.cause_detail}" if point.cause_detail else ""
    return [Advice(audience="it", text=text.format(step=step, more=more), why=why + evidence)]


def _go(original: Original) -> Advice:
    room = original.room
    if room < 1:
        text = "Go ahead as planned, but not with more: less than a tenth is to spare."
    elif room < 1.1:
        text = "Go ahead as planned."
    else:
        text = f"Go ahead as planned. The same plan could be up to {room:.1f} times as large."
    return Advice(
        audience="marketing",
        text=text,
        why=f"The site was shown to hold {room / (1 - MARGIN):.2f} times the campaign's hardest moment.",
    )


def span(seconds: float) -> str:
    """A duration as people say it: "45 minutes", "1 hour 30 minutes", "2 days"."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    minutes = round(seconds / 60)
    parts = ((minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute"))
    return " ".join(f"{n} {name}{'s' if n > 1 else ''}" for n, name in parts if n)


def written(seconds: float) -> str:
    """A duration as a scenario file has it: "45 min", "1 h 30 min"."""
    whole = round(seconds)
    return " ".join(f"{n} {unit}" for n, unit in ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s")) if n)


def instant(at: datetime) -> str:
    """A clock time as a scenario file has it: "2026-12-03 15:00 Europe/London"."""
    return f"{at:%Y-%m-%d %H:%M} {getattr(at.tzinfo, 'key', None) or f'{at:%z}'}"
