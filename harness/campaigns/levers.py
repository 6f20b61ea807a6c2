"""In: a scenario and its plan. Out: what marketing could do about the peak, computed: the same campaign with one thing changed."""

from __future__ import annotations

from harness.campaigns import plan_one
from harness.campaigns.email_blast import even
from harness.campaigns.plan import ArrivalPlan
from harness.campaigns.words import people, rate
from harness.scenario.campaign import Campaign
from harness.scenario.model import EmailBlast, FlashSale, Scenario, ViralSpike, Webcast
from harness.scenario.spread import duration_text


def levers(plan: ArrivalPlan, scenario: Scenario) -> list[str]:
    """One sentence for each lever that this type of campaign has; none for a measured curve or a calendar."""
    return [_told(words, plan, changed) for words, changed in _changes(scenario.campaign)]


def _told(words: str, plan: ArrivalPlan, changed: Campaign) -> str:
    other = plan_one(changed)
    before, after = float(plan.visits.max()), float(other.visits.max())
    what = "visits" if plan.returning is not None and plan.returning.max() > 0 else "arrivals"
    relative = after / before - 1.0 if before else 0.0
    change = f"{abs(relative):.0%} {'more' if relative > 0 else 'less'}" if abs(relative) >= 0.005 else "as now"
    come = "" if abs(other.total - plan.total) < 0.005 * plan.total else f", and about {people(other.total)} visitors would come"
    return f"{words}, {what} would peak at {rate(after)}/s ({change}){come}."


def _changes(campaign: Campaign) -> list[tuple[str, Campaign]]:
    if isinstance(campaign, EmailBlast):
        return _mail(campaign)
    if isinstance(campaign, Webcast):
        slower = campaign.model_copy(update={"punctuality": 2 * campaign.punctuality})
        found: list[tuple[str, Campaign]] = [("With doors that fill twice as slowly (a countdown, music, a poll)", slower)]
        if campaign.stream_drop is not None and campaign.stream_drop.back_off == "none":
            patient = campaign.stream_drop.model_copy(update={"back_off": "patient"})
            found.append(("With players that wait before they try again", campaign.model_copy(update={"stream_drop": patient})))
        return found
    if isinstance(campaign, FlashSale):
        spread = 10 * campaign.reaction
        words = f"If half of those who wait were let in within {duration_text(spread)} instead of {duration_text(campaign.reaction)}"
        return [(words, campaign.model_copy(update={"reaction": spread}))]
    if isinstance(campaign, ViralSpike) and campaign.doubles_every is None and campaign.passed_on > 0:
        more = 1 - (1 - campaign.passed_on) / 2 if campaign.audience is None else 2 * campaign.passed_on
        words = f"Were it passed on more (each visitor bringing {more:.2g} instead of {campaign.passed_on:g})"
        return [(words, campaign.model_copy(update={"passed_on": more}))]
    return []


def _mail(campaign: EmailBlast) -> list[tuple[str, Campaign]]:
    if campaign.send_times == "personal":
        return [("With everybody's mail sent together", campaign.model_copy(update={"send_times": "together"}))]
    twice = campaign.model_copy(update={"sent_over": 2 * campaign.sent_over})
    found: list[tuple[str, Campaign]] = [
        (f"Sent over {duration_text(2 * campaign.sent_over)} instead of {duration_text(campaign.sent_over)}", twice)
    ]
    if not even(campaign):
        more = campaign.model_copy(update={"batches": 2 * campaign.batches})
        found.append((f"In {more.batches} batches instead of {campaign.batches}", more))
    elif campaign.batches == 1:
        found.append(("In two batches, each as quick as it can be, instead of evenly", campaign.model_copy(update={"batches": 2})))
    return found
