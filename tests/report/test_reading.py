"""The reading test: questions that a launch meeting asks, each tied to the element of the page that answers it.

Somebody who knows nothing of the project must be able to answer them from the page alone. What can be asserted is that the answer stands
in the element that a reader would look at, in words, and that marketing's answers come before the evidence.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from report_factory import story

from harness.report.page import render

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "circle", "rect", "line"}


class Elements(HTMLParser):
    """Reads a page into the text of every element that has an id, and the order in which they come."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.text: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = dict(attrs).get("id")
        if tag not in VOID:
            self.open.append((tag, name))
        if name:
            self.text.setdefault(name, "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A drawing's element that holds nothing."""

    def handle_endtag(self, tag: str) -> None:
        self.handle_data(" ")
        while self.open:
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        for _, name in self.open:
            if name:
                self.text[name] += data


def read(name: str) -> dict[str, str]:
    told = story(name)
    reader = Elements()
    reader.feed(render(told.result, told.series, "name: as it was run\n"))
    return {key: " ".join(text.split()) for key, text in reader.text.items()}


QUESTIONS = [
    # story, question, element, what its answer must say
    ("ready", "Can we send it?", "verdict", "Ready Go ahead as planned"),
    ("ready", "How many visitors a minute can the site take?", "headline", "about 1,130 visitors a minute"),
    ("ready", "How many do we expect at most, and when?", "headline", "peaks at 696, at 15:00"),
    ("ready", "How sure is that?", "headline", "1,070 to 1,200"),
    ("ready", "How sure is that?", "confidence", "Nine times in ten"),
    ("ready", "How much larger could the campaign be?", "card-limit", "up to 1.4 times as large, a tenth to spare"),
    ("ready", "Will visitors see errors?", "card-errors", "About 1 in 3,600 requests failed"),
    ("ready", "What does it cost us?", "costs", "None expected"),
    ("ready", "What must we change?", "advice", "Nothing has to change"),
    ("not-ready-email", "Can we send it?", "verdict", "Not ready Change the plan or the site first"),
    ("not-ready-email", "When does it fail?", "headline", "from 10:03 to 10:11"),
    ("not-ready-email", "How would that feel?", "headline", "long waits"),
    ("not-ready-email", "By how much is it too small?", "card-throughput", "32% short"),
    ("not-ready-email", "Which part of the campaign is at risk?", "campaign", "from 10:03 to 10:11 (8 minutes, shaded)"),
    ("not-ready-email", "How long do visitors wait when it is too much?", "felt-peak", "1 in 20 waited more than"),
    ("not-ready-email", "Who loses what?", "costs", "1,200 to 3,500 visits"),
    ("not-ready-email", "And in money?", "costs", "2,200 to 6,200 GBP"),
    ("not-ready-email", "What can marketing change?", "advice-marketing", "Send in 3 batches, 12 minutes apart"),
    ("not-ready-email", "Where is the changed plan?", "advice-marketing", "Ready to run: scenario-sent-over-36-min-batches-3.yaml"),
    ("not-ready-email", "What shall we do? (first screen)", "brief", "What to do Send in 3 batches, 12 minutes apart."),
    ("not-ready-email", "What does it cost? (first screen)", "brief", "What it would cost Up to 3,500 visits and 6,200 GBP."),
    ("not-ready-email", "What broke first? (first screen)", "brief", "What broke first “POST /webcast/join” became too slow."),
    ("ready", "What broke first? (first screen)", "brief", "became too slow, but only above your peak."),
    ("generator", "What shall we do? (first screen)", "brief", "Use more workers or lend another machine"),
    ("not-ready-email", "By how much does it not fit?", "card-limit", "68% of your peak"),
    ("not-ready-email", "What can IT change?", "advice-it", "Make POST /webcast/join 1.6 times as fast"),
    ("not-ready-email", "Which promise is broken?", "targets", "within 800 ms 612 ms at 3,230 visitors a minute, the most it holds Broken"),
    (
        "not-ready-email",
        "Who holds back what, and when?",
        "targets",
        "More than 3,230 visitors a minute arrive Marketing: Hold back the",
    ),
    ("not-ready-email", "What broke first?", "cause", "It became too slow Step POST /webcast/join"),
    ("not-ready-email", "Does it come back by itself?", "recovery", "came back by itself 4 seconds after"),
    ("not-ready-webcast", "Does it come back by itself?", "recovery", "did not come back by itself"),
    ("not-ready-email", "Can I trust this test?", "trust", "The test's own machines kept up"),
    ("not-ready-email", "How do I repeat it?", "method", "surge run scenarios/email_blast.yaml --seed 7"),
    ("generator", "Can we send it?", "verdict", "Could not tell Test again before you decide"),
    ("generator", "Why can't you tell?", "headline", "The machines that played the visitors reached their limit"),
    ("generator", "What do I do about that?", "trust", "Use more workers or lend another machine"),
    ("generator", "What does it cost us?", "costs", "must not put a price on it"),
    ("broken-at-baseline", "Can we send it?", "headline", "Repair it before you send anybody there"),
    ("ready-not-reached", "Where is the limit?", "confidence", "how far above it the limit lies is unknown"),
    ("stopped-early", "Is this the whole test?", "stopped-early", "This test was stopped early"),
]


@pytest.fixture(scope="module")
def pages() -> dict[str, dict[str, str]]:
    return {name: read(name) for name in sorted({question[0] for question in QUESTIONS})}


@pytest.mark.parametrize(("name", "question", "element", "answer"), QUESTIONS, ids=[f"{q[0]}: {q[1]}" for q in QUESTIONS])
def test_the_page_answers(name: str, question: str, element: str, answer: str, pages: dict[str, dict[str, str]]) -> None:
    """The answer stands where a reader looks for it."""
    assert answer in pages[name].get(element, f"no element {element!r} for {question!r}")


def test_marketings_answers_come_before_the_evidence(pages: dict[str, dict[str, str]]) -> None:
    """Verdict, cards, campaign, felt, costs, advice, agreement; then the evidence, doubts, and how it was measured."""
    order = ["verdict", "card-throughput", "card-errors", "card-limit", "campaign", "felt", "costs", "advice", "targets"]
    order += ["cause", "load", "time", "capacity", "errors", "steps", "trust", "method"]
    found = [name for name in pages["not-ready-email"] if name in order]
    assert found == order


def test_no_element_shows_a_hole_in_the_data(pages: dict[str, dict[str, str]]) -> None:
    """Whatever was not measured is named as such: no page holds a bare None, nan, or an empty range."""
    for name, elements in pages.items():
        text = " ".join(elements.values())
        assert not re.search(r"\bNone (?!expected|found)|\bnan\b|\binf\b|\{\{|\}\}|Undefined", text), name
