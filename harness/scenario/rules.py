"""In: a scenario, read as far as it can be. Out: `Problem`s of meaning: shares that do not add up, hosts nobody allowed, double promises.

Every part is judged on its own, so that a typo in one journey does not hide what is wrong with the campaign. What a campaign must obey
stands in sizes.py, what a single journey must obey in visits.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.scenario import sizes, visits
from harness.scenario.model import Business, Promise, Target
from harness.scenario.parts import Parts, Visit
from harness.scenario.problems import Problem
from harness.scenario.source import Node

Found = Iterator[tuple[Node, str, str]]


def check(parts: Parts, tree: Node, file: Path) -> list[Problem]:
    """All problems of meaning. `tree` is the scenario in the shape of the models."""
    told: list[Problem] = []

    def tell(node: Node, message: str, remedy: str) -> None:
        place = node.mark if node.value is not None else node.key or node.mark
        told.append(Problem(file=file, line=place.line, column=place.column, message=message, remedy=remedy))

    for node, message, remedy in (
        *sizes.check(parts.campaign, tree.at("campaign")),
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
    yield from sizes.ranges(business, node)
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
