"""In: `Result`. Out: what a launch meeting asks next, in a line each, for the first screen: what to do, its cost, what broke."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report import details
from harness.report.quantities import number
from harness.result import Result

BROKE = {
    "slow": "became too slow",
    "server_errors": "answered with errors",
    "client_errors": "refused requests as invalid",
    "rate_limited": "turned visitors away",
    "refused": "refused connections",
    "timeouts": "stopped answering",
    "wrong_content": "answered with the wrong content",
    "collapse": "collapsed under the load",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A question, its short answer, and the id of the part of the page that says more."""

    question: str
    answer: str
    place: str


def lines(result: Result) -> tuple[Line, Line, Line]:
    return (
        Line(question="What to do", answer=_change(result), place="advice" if result.verdict != "inconclusive" else "trust"),
        Line(question="What it would cost", answer=_cost(result), place="costs"),
        Line(
            question="What would give way first" if result.verdict == "ready" else "What broke first", answer=_broke(result), place="cause"
        ),
    )


def _change(result: Result) -> str:
    chosen = next((advice.text for audience in ("marketing", "it") for advice in result.advice if advice.audience == audience), None)
    if result.verdict == "inconclusive":
        return result.doubts[0].remedy if result.doubts else "Test again: too little was measured."
    return chosen or details.no_advice(result)


def _cost(result: Result) -> str:
    told = [(loss.high, loss.unit) for name, loss in details.losses(result) if name != "Left unfinished"]
    if told:
        return "Up to " + " and ".join(f"{number(float(f'{most:.2g}'))}\u00a0{unit}" for most, unit in told) + "."
    if result.verdict == "ready":
        return "Nothing: no visitor is expected to be lost."
    return "Not known: this test puts no price on it."


def _broke(result: Result) -> str:
    point = result.breaking_point
    if point.cause == "generator":
        return "The test’s own machines, not the site."
    if point.cause is None:
        return "Nothing broke in this test."
    step = f"“{point.first_step}”" if point.first_step else "The site"
    above = ", but only above your peak" if result.verdict == "ready" else ""
    return f"{step} {BROKE[point.cause]}{above}."
