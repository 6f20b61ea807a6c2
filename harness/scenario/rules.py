"""In: a scenario, read as far as it can be. Out: `Problem`s of meaning: absurd sizes, shares that do not add up, hosts that nobody allowed.

Every part is judged on its own, so that a typo in one journey does not hide what is wrong with the campaign. What a single journey
must obey stands in visits.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.scenario import visits
from harness.scenario.base import Model
from harness.scenario.model import Business, Promise, Target
from harness.scenario.parts import Parts, Visit
from harness.scenario.problems import Problem
from harness.scenario.source import Node
from harness.scenario.spread import duration_text

DAY = 86_400.0
Found = Iterator[tuple[Node, str, str]]

# Lowest and highest value that makes sense, and how a person would say the range. The bounds are wide: they catch slips, not opinions.
RANGES: dict[str, tuple[float, float, str]] = {
    "list_size": (1, 5e9, "a list has at least 1 address"),
    "sent_over": (1, 30 * DAY, "write a time from 1 s to 30 d; 30 min is usual"),
    "delivered": (0.01, 1, "95% to 99.5% is usual"),
    "click_rate": (0.00001, 1, "1% to 5% is usual"),
    "scanner_share": (0, 0.95, "write a share of all clicks from 0% to 95%; 30% is usual"),
    "registrants": (1, 5e9, "a webcast has at least 1 registrant"),
    "attendance": (0.001, 1, "30% to 60% is usual"),
    "walk_ins": (0, 5e9, "write how many come without having registered"),
    "punctuality": (1, 3600, "write a time from 1 s to 1 h; 90 s is usual"),
    "length": (60, DAY, "write a length from 1 min to 1 d"),
    "seed_visitors": (1, 5e9, "a spike starts with at least 1 visitor"),
    "passed_on": (0, 20, "write how many further visitors each visitor brings; 0.3 is usual, 0.8 is viral"),
    "seen_over": (1, 7 * DAY, "write a time from 1 s to 7 d; 5 min is usual"),
    "batches": (1, 1e6, "write how many portions the list is sent in"),
    "open_rate": (0.0001, 1, "15% to 45% is usual"),
    "click_to_open": (0.0001, 1, "5% to 20% is usual"),
    "links": (1, 1000, "write how many links the mail holds"),
    "hits_per_link": (0, 100, "write how often a scanner opens each link; 1 to 3 is usual"),
    "invited": (1, 5e9, "a sale has at least 1 guest"),
    "turn_out": (0.0001, 1, "5% to 20% is usual"),
    "stock": (1, 5e9, "a sale has at least 1 item to sell, or no stock at all"),
    "scale": (0.0001, 10_000, "1 is last time's traffic, 2 is twice as much"),
    "busiest": (1, 24, "write how far the busiest hour stands above the average hour; 2 is usual"),
    "conversion": (0.000001, 1, "1% to 5% is usual"),
}
_DURATIONS = {"sent_over", "punctuality", "length", "seen_over"}
_COUNTS = {"list_size", "registrants", "walk_ins", "seed_visitors"}


def check(parts: Parts, tree: Node, file: Path) -> list[Problem]:
    """All problems of meaning. `tree` is the scenario in the shape of the models."""
    told: list[Problem] = []

    def tell(node: Node, message: str, remedy: str) -> None:
        place = node.mark if node.value is not None else node.key or node.mark
        told.append(Problem(file=file, line=place.line, column=place.column, message=message, remedy=remedy))

    for node, message, remedy in (
        *_campaign(parts.campaign, tree.at("campaign")),
        *_target(parts.target, tree.at("target")),
        *_promises(parts.promises, tree.at("promises")),
        *_business(parts.business, tree.at("business")),
        *_journeys(parts.visits, tree.at("journeys")),
    ):
        tell(node, message, remedy)
    for number, visit in enumerate(parts.visits or ()):
        for node, message, remedy in visits.check(visit, tree.at("journeys", number), parts.target or Target()):
            tell(node, message, remedy)
    return told


def _campaign(campaign: Model | None, node: Node) -> Found:
    if campaign is None:
        return
    yield from _ranges(campaign, node)
    audience, passed_on = getattr(campaign, "audience", None), getattr(campaign, "passed_on", 0.0)
    if isinstance(audience, int) and audience < getattr(campaign, "seed_visitors", 0):
        yield (
            node.at("audience"),
            "the audience is smaller than the visitors of the first post",
            "audience is everybody who could ever come",
        )
    if passed_on >= 1 and audience is None:
        remedy = "write audience: 2 million (everybody who could ever come), or passed_on below 1"
        yield node.at("passed_on"), f"passed_on {passed_on:g}: a post that each visitor passes on once or more never ends", remedy


def _ranges(part: Model, node: Node) -> Found:
    for key, (low, high, remedy) in RANGES.items():
        value = getattr(part, key, None)
        if not isinstance(value, int | float) or low <= value <= high:
            continue
        text = duration_text(value) if key in _DURATIONS else f"{value:,}" if key in _COUNTS else node.at(key).text or f"{value:g}"
        yield node.at(key), f"{key}: {text} makes no sense", remedy


def _target(target: Target | None, node: Node) -> Found:
    if target is None:
        return
    for number, entry in enumerate(target.allow):
        if problem := visits.host_problem(entry):
            yield node.at("allow", number), problem, "write the host alone, such as www.example.com"
    if target.url == "demo":
        return
    address = visits.address(target.url)
    if address is None:
        yield node.at("url"), f'"{target.url}" is not an address', "write demo, or an address such as https://www.example.com"
    elif address.path not in ("", "/") or address.rest:
        yield node.at("url"), "the target is a site, not a page", f"write {address.origin}, and the paths in the journeys"
    elif address.user:
        yield (
            node.at("url"),
            "the target holds a user name or password",
            "write a header authorization: Basic ${NAME} in the steps that need it",
        )
    elif not visits.allowed(address.host, target.allow):
        remedy = f"write allow: [{address.host}] under target if the site is yours to test"
        yield node.at("url"), f"{address.host} is not allowed in this scenario", remedy


def _promises(promises: tuple[Promise | None, ...] | None, node: Node) -> Found:
    if promises == ():
        yield node, "the scenario promises nothing, so nothing can break", "write for example - 95% of responses within 800 ms"
    seen: dict[tuple[str, float], Promise] = {}
    for number, promise in enumerate(promises or ()):
        if promise is None:
            continue
        what = (promise.kind, promise.share)
        if what in seen:
            differs = ", with limits that differ" if seen[what].limit != promise.limit else ""
            yield node.at(number), f"the same promise twice{differs}", f"the first is in line {seen[what].line}: keep the stricter one"
        seen.setdefault(what, promise)


def _business(business: Business | None, node: Node) -> Found:
    if business is None:
        return
    yield from _ranges(business, node)
    if business.value.amount <= 0:
        yield (
            node.at("value"),
            "a visit that is worth nothing costs nothing when it is lost",
            "write a value above zero, or leave business out",
        )


def _journeys(journeys: tuple[Visit, ...] | None, node: Node) -> Found:
    if journeys == ():
        yield node, "the scenario has no journeys", "write what a visitor does: name, share and steps"
    names: dict[str, Node] = {}
    for number, journey in enumerate(journeys or ()):
        place = node.at(number, "name")
        if journey.name in names:
            yield place, f'two journeys are called "{journey.name}"', f"the first is in line {names[journey.name].mark.line}: rename one"
        if journey.name is not None:
            names.setdefault(journey.name, place)
        if journey.share == 0:
            yield node.at(number, "share"), "nobody takes this journey", "write a share above 0%, or remove the journey"
    shares = [journey.share for journey in journeys or () if journey.share is not None]
    if shares and len(shares) == len(journeys or ()) and abs(sum(shares) - 1) > 1e-6:
        rest = round(1 - sum(shares[:-1]), 9)
        remedy = f"write share: {rest * 100:g}% here, or change the others" if 0 < rest <= 1 else "make them add up to 100%"
        yield node.at(len(shares) - 1, "share"), f"the shares of the journeys add up to {sum(shares) * 100:g}%, not 100%", remedy
