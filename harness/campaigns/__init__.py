"""In: `Scenario`. Out: `ArrivalPlan`: when this campaign's visitors come. Pure maths: no clock, no file, no hidden randomness.

`plan_campaign(scenario)` is the registry; one file a campaign type. `moment.hardest` finds the moment that a surge rehearses.
Nothing is imported before it is needed, so that a worker, which only wants `arrivals`, never pays for numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from harness.campaigns.plan import ArrivalPlan
    from harness.scenario.campaign import Campaign
    from harness.scenario.model import Scenario


def plan_campaign(scenario: Scenario) -> ArrivalPlan:
    """The arrivals that the scenario's campaign will bring, at its own size.

    Raises `ValueError` with the sensible range in words when the campaign's numbers contradict each other.
    """
    return plan_one(scenario.campaign)


def plan_one(campaign: Campaign) -> ArrivalPlan:
    """The arrivals of one campaign, whatever its type. Raises as `plan_campaign` does."""
    match campaign.type:
        case "email_blast":
            from harness.campaigns import email_blast

            return email_blast.plan(campaign)
        case "webcast":
            from harness.campaigns import webcast

            return webcast.plan(campaign)
        case "viral_spike":
            from harness.campaigns import viral_spike

            return viral_spike.plan(campaign)
        case "flash_sale":
            from harness.campaigns import flash_sale

            return flash_sale.plan(campaign)
        case "measured":
            from harness.campaigns import measured

            return measured.plan(campaign)
        case "calendar":
            from harness.campaigns import calendar

            return calendar.plan(campaign)
        case _:
            assert_never(campaign.type)
