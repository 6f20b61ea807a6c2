"""In: `Result`. Out: the agreement between marketing and those who run the site: under which conditions it holds, and who acts when."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report import details, words
from harness.report.quantities import a_minute, span, whole
from harness.result import Result

HOLD_BACK = {
    "email_blast": "the batches that have not left yet",
    "webcast": "late invitations and reminders",
    "viral_spike": "paid promotion of the post",
    "flash_sale": "further announcements, and let people in a few at a time",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """When something happens, who does what."""

    when: str
    who: str
    what: str


def conditions(result: Result) -> tuple[str, ...]:
    """What the promises rest on."""
    measured = f"{whole(result.totals.requests)} requests in {span(result.run.seconds)}"
    return (
        f"Up to {words.peak(result)} visitors a minute, the campaign’s own peak, doing what the scenario’s journeys say.",
        f"Measured on {result.target.name}, {details.day(result.run.started)}, with {measured}.",
        "A response is counted from the moment it was planned to be asked for until its last byte; one that failed is never in time.",
    )


def duties(result: Result) -> tuple[Duty, ...]:
    """Before, during and after the campaign."""
    site, campaign = "Those who run the site", "Marketing"
    point = result.breaking_point
    found = [Duty(when="Before the campaign", who=f"{site}, with marketing", what=_before(result))]
    if result.verdict != "inconclusive" and point.low is not None:
        most = a_minute(point.low, point.low, point.high).low
        held = HOLD_BACK.get(result.scenario.type, "whatever brings more visitors")
        found.append(Duty(when=f"More than {most} visitors a minute arrive", who=campaign, what=f"Hold back {held}."))
    look = f", and look at {point.first_step} first" if point.first_step else ""
    found.append(Duty(when="A promise is broken for a minute", who=site, what=f"Tell marketing{look}."))
    if point.recovered is False:
        what = "Restart it, and let visitors back in slowly: it does not come back by itself."
        found.append(Duty(when="The site has broken", who=site, what=what))
    elif point.recovered and point.recovery_seconds is not None:
        what = f"Wait: once the load is gone it comes back by itself within about {span(max(1, point.recovery_seconds))}."
        found.append(Duty(when="The site has broken", who=site, what=what))
    return tuple(found)


def _before(result: Result) -> str:
    if result.verdict == "ready":
        return "Change nothing, or test again after every change of site, pages or audience."
    if result.verdict == "not_ready":
        return "Take one of the changes under “What to do”, and test again, before anything is sent."
    return "Test again: this run does not support an agreement."
