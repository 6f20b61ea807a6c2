"""In: `Result`. Out: the sentences and rows below the fold, for readers who want the evidence: bars, promises, errors, recovery."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.report import facts, words
from harness.report.quantities import a_minute, milliseconds, number, percent, plural, span, wait, whole
from harness.result import Advice, BreakingPoint, FeltPart, PromisePart, Range, Result, StepPart

ERROR_ROWS = 12
MESSAGE_LENGTH = 200
OWN = 0.02  # this close to the campaign's peak, a level is it
MOST = 0.95  # of the breaking point's lower end: a level from here on shows the most that the site holds
_ADVISED = re.compile(r"scenario-[a-z0-9-]+\.yaml")

OUTCOME_WORDS = {
    "HTTP_4XX": "refused by the site (4xx)",
    "HTTP_429": "turned away: too many requests (429)",
    "HTTP_5XX": "server error (5xx)",
    "CHECK_FAILED": "wrong content",
    "REFUSED": "connection refused",
    "RESET": "connection broken off",
    "CONNECT_TIMEOUT": "no connection in time",
    "READ_TIMEOUT": "no answer in time",
    "TLS": "encryption failed (TLS)",
    "DNS": "name not found (DNS)",
    "PROTOCOL": "not understandable (HTTP)",
    "GENERATOR": "our own machine's fault",
    "UNSAFE": "refused by our safety rules",
    "CUT_OFF": "cut off by the test",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """A part of a bar: its class, its share from 0 to 1, and its name."""

    css: str
    share: float
    name: str


def bar(part: FeltPart) -> tuple[Slice, ...]:
    """The requests of a part of the surge by how they were answered; shares add up to 1."""
    parts = (
        ("good", part.fast, "fast"),
        ("late", part.slow, "slow"),
        ("too-late", part.too_slow, "too slow"),
        ("failed", part.failed, "failed"),
    )
    return tuple(Slice(css=css, share=max(0.0, share), name=name) for css, share, name in parts)


def bar_text(part: FeltPart) -> str:
    return ", ".join(f"{percent(piece.share)} {piece.name}" for piece in bar(part) if piece.share > 0)


def zones(result: Result) -> str:
    """What fast and slow mean on this page."""
    limit = facts.latency_limit_ms(result)
    fast = f"within {wait(limit)}, the strictest promise" if limit else "within 1 second"
    return (
        f"Waiting time is from the planned click to the complete answer. Fast is {fast}; slow is up to four times that; too slow is beyond."
    )


PROMISE_WORDS = {"kept": ("good", "Kept"), "broken": ("bad", "Broken"), "unclear": ("unknown", "Unclear")}


def measured(promise: PromisePart) -> str:
    if promise.measured is None:
        return "not measured"
    return milliseconds(promise.measured) if promise.unit == "ms" else percent(promise.measured)


def target(promise: PromisePart) -> str:
    return f"within {milliseconds(promise.limit)}" if promise.unit == "ms" else f"below {percent(promise.limit)}"


def first_broken(result: Result, promise: PromisePart) -> str:
    """When and at which load a promise was first broken in the test; where no second broke it beyond doubt, what is known instead."""
    point, load = result.breaking_point, promise.first_broken_at_visitors_per_second
    if promise.first_broken_at_seconds is not None:
        place = f", at {a_minute(load).value} visitors a minute" if load is not None else ""
        return f"{span(promise.first_broken_at_seconds)} into the test{place}"
    if point.status == "found" and point.promise == promise.text and point.visitors_per_second is not None:
        return f"computed: above {words.limit(result).value} visitors a minute"
    return "not seen for long enough to say" if promise.verdict == "broken" else "never in this test"


def measured_where(result: Result, promise: PromisePart) -> str:
    """At which load a promise's figure was measured, so that it does not seem to contradict what is said of the peak."""
    load, point = promise.measured_at_visitors_per_second, result.breaking_point
    if promise.measured is None or load is None:
        return ""
    place = (
        f"at {a_minute(load, point.low, point.high).value} visitors a minute"
        if _found(point)
        else f"at {a_minute(load).value} visitors a minute"
    )
    if abs(load / result.campaign.peak_visitors_per_second - 1) <= OWN:
        return f"{place}, your own peak"
    if point.low is not None and MOST * point.low <= load <= (point.high or load):
        return f"{place}, {'the most it holds' if point.status == 'found' else 'the most that was sent'}"
    return place


def _found(point: BreakingPoint) -> bool:
    return point.status == "found" and point.low is not None


def recovery(result: Result) -> str:
    """Whether the site came back after it broke."""
    point = result.breaking_point
    if point.recovered is None:
        return (
            "The site was not seen coming back: it did not break, or the test ended before that."
            if point.status != "broken_at_baseline"
            else ""
        )
    if not point.recovered:
        return "The site did not come back by itself after the load went away: somebody must be at hand to restart it."
    if point.recovery_seconds is None:
        return "The site came back by itself after the load went away."
    return f"The site came back by itself {span(max(1, point.recovery_seconds))} after the load went away."


def cause(result: Result) -> str:
    """What broke first, as a title."""
    return words.CAUSE_TITLES.get(result.breaking_point.cause or "", "Nothing broke")


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorRow:
    step: str
    outcome: str
    message: str
    count: int
    file_line: str
    share: float  # of the most frequent


def errors(result: Result) -> tuple[list[ErrorRow], str]:
    """The most frequent errors, and a sentence about those not listed. However many there were, the page stays small."""
    ranked = sorted(result.errors, key=lambda error: (-error.count, error.step, error.outcome, error.message))
    top = max((error.count for error in ranked), default=1)
    rows = [
        ErrorRow(
            step=error.step,
            outcome=outcome(error.outcome),
            message=error.message if len(error.message) <= MESSAGE_LENGTH else error.message[:MESSAGE_LENGTH] + "…",
            count=error.count,
            file_line=error.file_line,
            share=error.count / top,
        )
        for error in ranked[:ERROR_ROWS]
    ]
    rest = ranked[ERROR_ROWS:]
    more = (
        f"{plural(len(rest), 'more kind')} of error, {whole(sum(error.count for error in rest))} in all, stand in result.json."
        if rest
        else ""
    )
    return rows, more


def outcome(name: str) -> str:
    return OUTCOME_WORDS.get(name.upper(), name.lower().replace("_", " "))


def amount(loss: Range) -> str:
    """A loss as a range: "1,200 to 3,400 visits"."""
    low, high = number(float(f"{loss.low:.2g}")), number(float(f"{loss.high:.2g}"))
    return f"{high} {loss.unit}" if low == high else f"{low} to {high} {loss.unit}"


def about(loss: Range) -> str:
    return f"about {number(float(f'{loss.mid:.2g}'))} most likely"


def losses(result: Result) -> list[tuple[str, Range]]:
    """What the campaign would lose, by name; empty when that is nothing, or nobody can tell."""
    if result.losses is None or result.verdict == "inconclusive":
        return []
    named = (("Visits lost", result.losses.visits), ("Left unfinished", result.losses.transactions), ("Money", result.losses.money))
    return [(name, loss) for name, loss in named if loss is not None and loss.high > 0]


def no_losses(result: Result) -> str:
    """Why no costs are given."""
    if result.verdict == "ready":
        return "None expected: the whole campaign stays below what the site can take."
    if result.verdict == "inconclusive":
        return "No figures: a test that could not tell must not put a price on it."
    return "No figures: how much of the campaign would be lost could not be computed from this run."


def trusted(result: Result) -> str:
    """One sentence on the test itself."""
    generator = result.generator
    if facts.generator_was_the_limit(result):
        return "The test's own machines were not up to this load, so what they measured is not held against the site."
    lag = (
        f" 99 in 100 visitors set out within {milliseconds(generator.lag_p99_ms)} of their planned moment."
        if generator.lag_p99_ms is not None
        else ""
    )
    return f"The test's own machines kept up.{lag} {words.workers_line(result)}"


def levels_word(result: Result) -> str:
    return plural(len(result.levels), "level of load", "levels of load")


GLOSSARY = (
    ("Visitor", "one person of the campaign's audience, from the first page to the last step of a journey"),
    (
        "Arrival rate",
        "new visitors a minute or a second, whether or not earlier ones have been served; the test never slows down for a slow site",
    ),
    (
        "Breaking point",
        "the highest arrival rate at which every promise holds: the campaign scaled up or down until its peak is just bearable",
    ),
    ("Interval", "the range in which the true value lies nine times in ten, if the test were repeated"),
    ("Headroom", "the breaking point divided by the campaign's own peak; above 1 it fits"),
    ("Throughput, goodput", "answers a second; good answers a second: correct, and within the promised time"),
    (
        "Response time",
        "from the moment a visitor was planned to ask until the last byte came; a generator's own lateness counts, so nothing is hidden",
    ),
    ("p50, p95, p99", "half, 19 in 20, 99 in 100 of the answers came within this time"),
    ("Error", "an answer with status 400 or above, wrong content, a broken connection, or no answer in time"),
    ("Cut off", "under way when the test ended or lowered the load; counted neither as good nor as failed"),
    ("Worker", "one process that plays visitors"),
    ("SLA", "service level agreement: the promises that marketing and IT signed in the scenario"),
)


def day(started: str) -> str:
    """When a run began, for people: "21 November 2026, 21:14 UTC"."""
    moment = datetime.fromisoformat(started.replace("Z", "+00:00")).astimezone(UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def no_advice(result: Result) -> str:
    """What stands under "What to do" when the run computed nothing."""
    if result.verdict == "ready":
        return "Nothing has to change. Test again when the site, the audience or the pages change."
    if result.verdict == "inconclusive":
        return "Test again first: what disturbed this test, and the remedy, stands under “Can you trust this?”."
    return "No change could be computed from this run. Look at what broke first, below."


def advised(advice: Advice) -> str:
    """The file beside the page with the changed scenario; empty where there is none, or a name that this product does not give."""
    return advice.scenario if advice.scenario and _ADVISED.fullmatch(advice.scenario) else ""


def steps(result: Result) -> list[StepPart]:
    """Every step that had requests, in the scenario's order."""
    return [step for step in result.steps if step.requests or step.failed]


def visitors(result: Result) -> str:
    """The conservation line: everybody who was due is accounted for."""
    t = result.totals
    ended = f"{whole(t.completed)} completed, {whole(t.failed)} failed, {whole(t.abandoned)} gave up, {whole(t.cut_off)} were cut off"
    begun = f"{whole(t.due)} due = {whole(t.started)} started + {whole(t.dropped)} dropped"
    return f"{begun}; of the started, {ended}. {whole(t.requests)} requests."
