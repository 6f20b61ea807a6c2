"""What a reader is told, for every verdict and status: the sentences themselves, and the rules that each of them keeps."""

from __future__ import annotations

import re

import pytest
from report_factory import STARTS, STORIES, run, story

from harness.report import brief, details, facts, words
from harness.report.cards import cards
from harness.result import CAUSES

HEADLINES = {
    "ready": (
        "The site is ready for this webcast. It holds about 1,130 visitors a minute (1,070 to 1,200); your plan peaks at 696, at 15:00."
    ),
    "ready-not-reached": (
        "The site is ready for this webcast. It held 480 visitors a minute, 2 times your peak of 240 at 15:00, and did not break."
    ),
    "ready-spike": (
        "The site is ready for this post. It holds about 1,130 visitors a minute (1,070 to 1,200); your plan peaks at "
        "960, 2 minutes after the post."
    ),
    "not-ready-email": (
        "The site holds about 3,410 visitors a minute (3,230 to 3,620). Your mailing peaks at 5,000 at 10:10: expect "
        "long waits from 10:03 to 10:11."
    ),
    "not-ready-webcast": (
        "The site holds about 1,130 visitors a minute (1,070 to 1,200). Your webcast peaks at 1,320 at 15:00: expect "
        "long waits, then failures from 14:59 to 15:01."
    ),
    "broken-at-baseline": (
        "The site breaks its promises even when it is almost empty: error pages at 24 visitors a minute. Repair it "
        "before you send anybody there."
    ),
    "too-close": (
        "Too close to call: the site holds 1,070 to 1,200 visitors a minute, and your webcast peaks at 1,110, inside that range."
    ),
    "generator": (
        "The machines that played the visitors reached their limit at about 720 visitors a minute, before the site did."
        " Whether 2,400 would hold is open."
    ),
    "not-far-enough": ("The site held 240 visitors a minute, but your webcast peaks at 1,200 and the test did not get that far."),
    "disturbed": (
        "The site seemed to hold 1,070 to 1,200 visitors a minute (your webcast peaks at 696), but the test was "
        "disturbed, so this does not count."
    ),
    "stopped-early": (
        "The test was stopped before it could tell how many visitors a minute the site can take; your webcast peaks at 1,200."
    ),
    "nothing-measured": (
        "The test could not measure how many visitors a minute the site can take, so whether it holds when your webcast"
        " peaks at 720 is open."
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_headline_of_every_story(name: str) -> None:
    """One sentence in visitors a minute and the campaign's own clock, and its numbers no finer than the interval."""
    assert words.headline(story(name).result) == HEADLINES[name]


@pytest.mark.parametrize("name", STORIES)
def test_nothing_above_the_fold_needs_explaining(name: str) -> None:
    """No percentile, no acronym, no milliseconds, no requests per second, nothing from a programming language."""
    result = story(name).result
    above = [
        words.VERDICT_WORDS[result.verdict],
        words.DECISIONS[result.verdict],
        words.headline(result),
        words.confidence(result),
        words.early(result) or "",
    ]
    for card in cards(result):
        above += [card.title, card.value, card.unit, card.range, card.target, card.margin, card.meaning]
    text = " ".join(above).replace("Ctrl-C", "")
    assert not re.search(r"\bp\d\d\b|percentile|\bms\b|[A-Z]{2,}|None |nan|inf\b|\{|\}", text), text


@pytest.mark.parametrize("name", STORIES)
def test_nothing_is_green_because_data_is_missing(name: str) -> None:
    """A run that could not tell shows no good card, claims no capacity and puts a price on nothing."""
    result = story(name).result
    if result.verdict == "inconclusive":
        assert {card.state for card in cards(result)} == {"unknown"}
        assert "ready" not in words.headline(result)
        assert details.losses(result) == []
        assert words.DECISIONS[result.verdict] == "Test again before you decide"
    if result.verdict == "ready":
        assert all(card.state != "bad" for card in cards(result))


@pytest.mark.parametrize("cause", [*CAUSES, None])
def test_every_cause_has_words_for_marketing_and_for_the_people_who_run_the_site(cause: str | None) -> None:
    """The headline says what visitors would meet, the evidence what the site did."""
    result, _ = run(campaign="email_blast", peak=83.3, capacity=520)
    result = result.model_copy(update={"breaking_point": result.breaking_point.model_copy(update={"cause": cause})})
    assert "expect" in words.headline(result)
    assert details.cause(result)
    if cause is not None:
        assert cause in words.EXPECT
        assert cause in words.CAUSE_TITLES


def test_a_broken_promise_below_the_peak_without_a_limit_names_what_is_known() -> None:
    """The site broke, but where exactly could not be pinned: the sentence says so and gives the upper bound."""
    result, _ = run(campaign="email_blast", peak=83.3, capacity=520)
    point = result.breaking_point.model_copy(update={"status": "inconclusive", "visitors_per_second": None, "low": None})
    text = words.headline(result.model_copy(update={"breaking_point": point}))
    assert "somewhere below" in text
    assert "Where exactly is open" in text


def test_the_campaigns_clock_is_used_where_there_is_one() -> None:
    """A webcast with an hour is spoken of in clock times, a post without one in time since the post."""
    assert STARTS["viral_spike"] is None
    assert "after the post" in words.headline(story("ready-spike").result)
    assert "at 15:00" in words.headline(story("ready").result)


def test_the_time_at_risk_is_where_the_plan_crosses_the_limit() -> None:
    """Without losses the stretch is read off the curve itself: the plan at both ends equals the breaking point."""
    result = story("not-ready-webcast").result
    stretch = facts.risk(result)
    assert stretch is not None
    plan = result.campaign
    for at in stretch:
        right = next(place for place, time in enumerate(plan.curve_seconds) if time >= at)
        left = right - 1
        share = (at - plan.curve_seconds[left]) / (plan.curve_seconds[right] - plan.curve_seconds[left])
        rate = plan.curve_visitors_per_second[left] * (1 - share) + plan.curve_visitors_per_second[right] * share
        assert rate == pytest.approx(result.breaking_point.visitors_per_second)


def test_visitors_felt_is_told_for_calm_rise_peak_and_after_and_the_peak_is_the_campaigns_own_only_where_it_is() -> None:
    """A load above or below the peak is not sold as the peak."""
    told = story("not-ready-webcast").result
    assert [part.name for part in told.felt] == ["calm", "rise", "peak", "after"]
    peak = told.campaign.peak_visitors_per_second
    part = next(part for part in told.felt if part.name == "peak")
    for share, title in (
        (1.0, "At your peak"),
        (0.92, "Near your peak"),
        (1.4, "Above your peak"),
        (0.5, "At the highest load, below your peak"),
    ):
        assert words.felt_title(told, part.model_copy(update={"visitors_per_second": share * peak})) == title
    assert [words.felt_title(told, part) for part in told.felt if part.name != "peak"] == ["Calm", "On the rise", "After the surge"]


@pytest.mark.parametrize(
    ("typical", "slowest", "failed", "said"),
    [
        (30.0, 80.0, 0.0, "Almost nobody waited: 19 in 20 had their answer within 0.1 seconds. Not one of 400 requests failed."),
        (300.0, 2100.0, 0.02, "Half waited less than 0.3 seconds; 1 in 20 waited more than 2.1 seconds. About 1 in 50 requests failed."),
        (300.0, None, 0.0, "Half waited less than 0.3 seconds. Not one of 400 requests failed."),
        (None, None, 1.0, "Almost every request failed."),
    ],
)
def test_what_a_visitor_felt_is_a_sentence(typical: float | None, slowest: float | None, failed: float, said: str) -> None:
    """In tenths of a second and one in so many, whatever is missing."""
    part = story("ready").result.felt[0]
    update = {"typical_ms": typical, "slowest_in_twenty_ms": slowest, "failed": failed, "requests": 400}
    assert words.felt_sentence(part.model_copy(update=update)) == said


def test_a_bar_adds_up_to_all_answers() -> None:
    """Fast, slow, too slow and failed are the whole of a part, also when everything failed; what fast means is told."""
    for name in STORIES:
        for part in story(name).result.felt:
            assert sum(piece.share for piece in details.bar(part)) == pytest.approx(1.0)
    assert "Fast is within 0.8 seconds, the strictest promise" in details.zones(story("ready").result)


def test_a_promise_says_at_which_load_it_was_measured() -> None:
    """612 ms against a promise of 800 is no contradiction of "broken": it is at the most that the site holds."""
    told = story("not-ready-email").result
    promise = told.promises[0]
    assert details.measured_where(told, promise) == "at 3,230 visitors a minute, the most it holds"
    lower = promise.model_copy(update={"measured_at_visitors_per_second": 20.0})
    assert details.measured_where(told, lower) == "at 1,200 visitors a minute"
    own = promise.model_copy(update={"measured_at_visitors_per_second": told.campaign.peak_visitors_per_second})
    assert details.measured_where(told, own) == "at 5,000 visitors a minute, your own peak"
    beyond = promise.model_copy(update={"measured_at_visitors_per_second": 70.0})
    assert details.measured_where(told, beyond) == "at 4,200 visitors a minute"
    assert details.measured_where(told, promise.model_copy(update={"measured_at_visitors_per_second": None})) == ""
    never = promise.model_copy(update={"first_broken_at_seconds": None})
    assert details.first_broken(told, never) == "computed: above 3,410 visitors a minute"
    assert details.first_broken(told, promise) == "28 seconds into the test, at 3,820 visitors a minute"
    other = never.model_copy(update={"text": "errors below 1%"})
    assert details.first_broken(told, other) == "not seen for long enough to say"
    assert details.first_broken(told, other.model_copy(update={"verdict": "kept"})) == "never in this test"
    reached = story("ready-not-reached").result
    sent = reached.promises[0].model_copy(update={"measured_at_visitors_per_second": 8.0})
    assert details.measured_where(reached, sent) == "at 480 visitors a minute, the most that was sent"


@pytest.mark.parametrize("name", STORIES)
def test_the_first_screen_answers_what_to_do_what_it_costs_and_what_broke(name: str) -> None:
    """Three short lines for every verdict; a test that could not tell promises nothing."""
    result = story(name).result
    told = brief.lines(result)
    assert [line.place for line in told] == ["trust" if result.verdict == "inconclusive" else "advice", "costs", "cause"]
    assert all(line.answer and line.answer.endswith((".", "”.")) for line in told), told
    if result.verdict == "inconclusive":
        assert told[1].answer == "Not known: this test puts no price on it."
    if result.verdict == "ready":
        assert told[1].answer.startswith("Nothing")


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_its_word_on_the_first_screen(cause: str) -> None:
    """And the words differ: a reader can tell refusals from waits."""
    result, _ = run(campaign="email_blast", peak=83.3, capacity=520)
    result = result.model_copy(update={"breaking_point": result.breaking_point.model_copy(update={"cause": cause})})
    assert brief.lines(result)[2].answer != "Nothing broke in this test."
    assert len(set(brief.BROKE.values())) == len(brief.BROKE)


def test_no_two_places_of_a_page_promise_different_room() -> None:
    """The card's room is the advice's: a tenth below the lower end of the breaking point."""
    result = story("ready").result
    low = result.breaking_point.headroom_low
    assert low is not None
    (card,) = (card for card in cards(result) if card.key == "limit")
    assert f"up to {0.9 * low:.1f} times as large" in card.meaning


def test_ten_thousand_errors_become_a_short_list_that_counts_the_rest() -> None:
    """The most frequent stand on the page; the others are counted, so the sum is still that of the run."""
    result, _ = run(errors=10_000)
    rows, more = details.errors(result)
    assert len(rows) == details.ERROR_ROWS
    rest = sum(error.count for error in result.errors) - sum(row.count for row in rows)
    assert f"{len(result.errors) - len(rows):,} more kinds of error, {rest:,} in all" in more


def test_the_rarer_ends_of_a_run_have_their_sentences_too() -> None:
    """A peak that was held without a limit, a promise broken without one, a disturbed lower bound, other confidences."""
    ready = story("ready-not-reached").result
    unknown = ready.breaking_point.model_copy(update={"status": "inconclusive", "low": None})
    held = ready.model_copy(update={"breaking_point": unknown})
    assert words.headline(held).endswith("It held your peak of 240 visitors a minute; how much more it can take, this test could not tell.")
    broken = held.model_copy(update={"verdict": "not_ready"})
    assert "breaks a promise at or below your own peak of 240 visitors a minute at 15:00" in words.headline(broken)
    disturbed = ready.model_copy(update={"verdict": "inconclusive"})
    assert "but the test was disturbed, so this does not count" in words.headline(disturbed)
    failed = story("disturbed").result.model_copy(update={"verdict_reason": "rehearsal"})
    assert "yet it broke a promise when your own peak of 696 was played" in words.headline(failed)
    with pytest.raises(ValueError, match="no breaking point"):
        words.limit(ready)
    found = story("ready").result
    for odds, said in ((None, "Usually a range"), (0.95, "95 times in a hundred, a range")):
        point = found.breaking_point.model_copy(update={"confidence": odds})
        assert words.confidence(found.model_copy(update={"breaking_point": point})).startswith(said)


@pytest.mark.parametrize(
    ("low", "said"),
    [(1.04, "little to spare"), (1.13, "a tenth to spare for a better response"), (1.5, "up to 1.4 times as large, a tenth to spare")],
)
def test_how_much_room_there_is_counts_from_the_lower_end(low: float, said: str) -> None:
    """The interval's lower end, a tenth kept back: the same figure that the advice gives."""
    result = story("ready").result
    point = result.breaking_point.model_copy(update={"headroom_low": low, "headroom": low * 1.05})
    (card,) = (card for card in cards(result.model_copy(update={"breaking_point": point})) if card.key == "limit")
    assert said in card.meaning


def test_the_error_card_is_no_surer_than_the_agreement() -> None:
    """No failure among too few requests proves nothing: neither place is green."""
    result = story("ready").result
    unclear = [promise.model_copy(update={"verdict": "unclear"}) for promise in result.promises]
    (card,) = (card for card in cards(result.model_copy(update={"promises": unclear})) if card.key == "errors")
    assert card.state == "unknown"
    (card,) = (card for card in cards(result) if card.key == "errors")
    assert card.state == "good"
