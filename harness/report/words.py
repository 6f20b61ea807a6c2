"""In: `Result`. Out: every sentence above the fold, for each verdict, status and campaign type: no percentile, no acronym.

A sentence says what was found and never more: no number without its interval where it has one, nothing green because data is missing.
"""

from __future__ import annotations

from typing import Literal

from harness.report import facts
from harness.report.quantities import SHORT_MS, Clock, Interval, a_minute, at_least, number, plural, span, times, wait, whole
from harness.result import FeltPart, Result, Verdict

State = Literal["good", "bad", "unknown"]

VERDICT_WORDS: dict[Verdict, str] = {"ready": "Ready", "not_ready": "Not ready", "inconclusive": "Could not tell"}
DECISIONS: dict[Verdict, str] = {
    "ready": "Go ahead as planned",
    "not_ready": "Change the plan or the site first",
    "inconclusive": "Test again before you decide",
}
STATES: dict[Verdict, State] = {"ready": "good", "not_ready": "bad", "inconclusive": "unknown"}

CAMPAIGN_NOUNS = {
    "email_blast": "mailing",
    "webcast": "webcast",
    "viral_spike": "post",
    "flash_sale": "sale",
    "measured": "campaign",
    "calendar": "calendar",
}
CAMPAIGN_TITLES = {
    "email_blast": "Email blast",
    "webcast": "Webcast",
    "viral_spike": "Viral spike",
    "flash_sale": "Flash sale",
    "measured": "Measured before",
    "calendar": "Several campaigns",
}

EXPECT = {
    "slow": "long waits",
    "server_errors": "error pages",
    "client_errors": "refused requests",
    "rate_limited": "visitors turned away",
    "refused": "refused connections",
    "timeouts": "pages that never arrive",
    "wrong_content": "wrong pages",
    "collapse": "long waits, then failures",
    "generator": "trouble",
}

CAUSE_TITLES = {
    "slow": "It became too slow",
    "server_errors": "It answered with server errors",
    "client_errors": "It refused requests as invalid",
    "rate_limited": "It limited the rate of requests",
    "refused": "It refused connections",
    "timeouts": "It stopped answering",
    "wrong_content": "It answered with the wrong content",
    "collapse": "It collapsed: more load, fewer answers",
    "generator": "The test's own machines were the limit",
}


def noun(result: Result) -> str:
    return CAMPAIGN_NOUNS.get(result.scenario.type, "campaign")


def clock(result: Result) -> Clock:
    return Clock.of(result.campaign.starts, result.scenario.type)


def peak(result: Result) -> str:
    return a_minute(result.campaign.peak_visitors_per_second).value


def limit(result: Result) -> Interval:
    """The breaking point as text, rounded to its interval. ValueError when there is none."""
    point = result.breaking_point
    if point.visitors_per_second is None:
        raise ValueError("no breaking point was found")
    return a_minute(point.visitors_per_second, point.low, point.high)


def headline(result: Result) -> str:
    """The verdict in one or two sentences, in visitors a minute and the campaign's own clock."""
    if result.verdict == "ready":
        return _ready(result)
    if result.verdict == "not_ready":
        return _not_ready(result)
    return _inconclusive(result)


def _ready(result: Result) -> str:
    point, own = result.breaking_point, peak(result)
    opening = f"The site is ready for this {noun(result)}."
    when = clock(result).when(result.campaign.peak_at_seconds)
    if point.status == "found" and point.visitors_per_second is not None:
        held = limit(result)
        return f"{opening} It holds about {held.value} visitors a minute ({held.both}); your plan peaks at {own}, {when}."
    if point.status == "not_reached" and point.low is not None:
        multiple = times(point.low / result.campaign.peak_visitors_per_second)
        return f"{opening} It held {a_minute(point.low).value} visitors a minute, {multiple} your peak of {own} {when}, and did not break."
    return f"{opening} It held your peak of {own} visitors a minute; how much more it can take, this test could not tell."


def _not_ready(result: Result) -> str:
    point, own = result.breaking_point, peak(result)
    when = clock(result).when(result.campaign.peak_at_seconds)
    plan = f"your {noun(result)} peaks at {own} {when}"
    expect = EXPECT.get(point.cause or "", "failures")
    if point.status == "broken_at_baseline":
        lowest = min((level.visitors_per_second for level in result.levels if level.requests), default=None)
        load = f"{a_minute(lowest).value} visitors a minute" if lowest else "the smallest load"
        return f"The site breaks its promises even when it is almost empty: {expect} at {load}. Repair it before you send anybody there."
    if point.status == "found" and point.visitors_per_second is not None:
        if point.visitors_per_second < result.campaign.peak_visitors_per_second:
            held, stretch = limit(result), facts.risk(result)
            period = clock(result).between(*stretch) if stretch else "at the peak"
            return f"The site holds about {held.value} visitors a minute ({held.both}). {sentence(plan)}: expect {expect} {period}."
    elif point.high is not None and point.high < result.campaign.peak_visitors_per_second:
        most = a_minute(point.high).value
        return f"The site breaks somewhere below {most} visitors a minute, and {plan}: expect {expect}. Where exactly is open."
    return f"The site breaks a promise at or below your own peak of {own} visitors a minute {when}: expect {expect}."


def _inconclusive(result: Result) -> str:
    point, own = result.breaking_point, peak(result)
    plan = f"your {noun(result)} peaks at {own}"
    least = a_minute(point.low).value if point.low else None
    if result.run.stopped_early:
        return f"The test was stopped before it could tell how many visitors a minute the site can take; {plan}."
    if facts.generator_was_the_limit(result):
        reached = f" at about {least} visitors a minute" if least else ""
        return f"The machines that played the visitors reached their limit{reached}, before the site did. Whether {own} would hold is open."
    if point.status == "found" and point.low is not None and point.high is not None:
        both = limit(result).both
        if result.verdict_reason == "rehearsal":
            return f"The site seemed to hold {both} visitors a minute, yet it broke a promise when your own peak of {own} was played."
        if point.low <= result.campaign.peak_visitors_per_second <= point.high:
            return f"Too close to call: the site holds {both} visitors a minute, and {plan}, inside that range."
        return f"The site seemed to hold {both} visitors a minute ({plan}), but the test was disturbed, so this does not count."
    if point.low is not None and point.low < result.campaign.peak_visitors_per_second:
        return f"The site held {least} visitors a minute, but {plan} and the test did not get that far."
    if point.low is not None:
        return f"The site held {least} visitors a minute ({plan}), but the test was disturbed, so this does not count."
    return f"The test could not measure how many visitors a minute the site can take, so whether it holds when {plan} is open."


def sentence(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def confidence(result: Result) -> str:
    """One line on how sure the verdict is."""
    point, seen = result.breaking_point, f"{whole(result.totals.requests)} requests in {span(result.run.seconds)}"
    if result.verdict == "inconclusive":
        return f"Do not rely on this test ({seen}). Why not, and what to do about it, stands under “Can you trust this?”."
    if point.status == "found":
        return f"{_odds(point.confidence)} a range measured this way contains the true limit. Measured with {seen}."
    if point.status == "not_reached":
        best = facts.best_held(result)
        how_long = f" for {span(best.seconds)}" if best is not None else ""
        return f"The highest load was held{how_long}; how far above it the limit lies is unknown. Measured with {seen}."
    return f"Measured with {seen}."


def _odds(confidence: float | None) -> str:
    if confidence is None:
        return "Usually"
    if abs(confidence - 0.9) < 0.005:
        return "Nine times in ten,"
    return f"{confidence * 100:.0f} times in a hundred,"


def early(result: Result) -> str | None:
    """The line about a run that was cut short."""
    return f"This test was stopped early: {result.run.stopped_early.rstrip('.')}." if result.run.stopped_early else None


def stand_in(result: Result) -> str | None:
    """The line that keeps a green page about the embedded site from being read as one about the reader's own."""
    return "Tested on a demo site, not on yours: run it on your own site before you decide." if result.target.url == "demo" else None


def one_in(rate: float, requests: int) -> str:
    """A share of failures as people say it: "About 1 in 250 requests failed"."""
    if rate <= 0:
        return f"Not one of {whole(requests)} requests failed."
    if rate > 0.9:
        return "Almost every request failed."
    if rate > 0.4:
        return f"About {round(rate * 10)} in 10 requests failed."
    return f"About 1 in {number(float(f'{1 / rate:.2g}'))} requests failed."


FELT_TITLES = {"calm": "Calm", "rise": "On the rise", "after": "After the surge"}
AT_PEAK, NEAR_PEAK = 0.03, 0.1  # as shares of it: what was held there is the peak, or speaks for it


def felt_title(result: Result, part: FeltPart) -> str:
    """Which part of the surge, in words; what is called the peak is the campaign's own only where the test stayed there."""
    if part.name != "peak":
        return FELT_TITLES[part.name]
    ratio = part.visitors_per_second / result.campaign.peak_visitors_per_second
    if abs(ratio - 1) <= NEAR_PEAK:
        return "At your peak" if abs(ratio - 1) <= AT_PEAK else "Near your peak"
    return "Above your peak" if ratio > 1 else "At the highest load, below your peak"


def felt_sentence(part: FeltPart) -> str:
    """What a visitor felt in one part of the surge."""
    failed = one_in(part.failed, part.requests)
    typical, slowest = part.typical_ms, part.slowest_in_twenty_ms
    if typical is None:
        return failed
    if slowest is None:
        return f"Half waited less than {at_least(typical)}. {failed}"
    if slowest < SHORT_MS:
        return f"Almost nobody waited: 19 in 20 had their answer within 0.1 seconds. {failed}"
    return f"Half waited less than {at_least(typical)}; 1 in 20 waited more than {wait(slowest)}. {failed}"


def workers_line(result: Result) -> str:
    """Who played the visitors, in one line."""
    lost = result.generator.lost_workers
    text = f"{plural(len(result.generator.workers), 'process', 'processes')} played the visitors"
    return f"{text}; {plural(lost, 'of them was', 'of them were')} lost on the way." if lost else f"{text}, and all of them lasted."
