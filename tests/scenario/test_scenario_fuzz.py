"""However a scenario is broken, it is read or refused with places and remedies: never another error, never half a scenario."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.demo.routes import OTHER, find
from harness.scenario.load import ScenarioError, load, parse
from harness.scenario.model import Get, Page, Post, Watch
from harness.scenario.templates import TEMPLATE

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SHIPPED = sorted(SCENARIOS.glob("*.yaml"))
LINES = (SCENARIOS / "webcast.yaml").read_text(encoding="utf-8").splitlines()
ODD = [
    "",
    "~",
    "no",
    "[]",
    "{}",
    "[[]]",
    "{a: {b: c}}",
    "- x",
    "5",
    "-1",
    "1e9",
    "99%",
    "5 s",
    "'",
    '"',
    "{{",
    "{{ x }}",
    "${X}",
    "&a",
    "*a",
    "!!map",
    "\t",
    "? y",
    ": z",
    "#",
]


@st.composite
def broken(draw: st.DrawFn) -> str:
    """The webcast with one to four lines removed, doubled, swapped, moved in or out, or given another value."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(("drop", "double", "swap", "indent", "dedent", "value", "key", "cut")))
        line = lines[place]
        key, colon, _ = line.partition(":")
        other = draw(st.integers(0, len(lines) - 1))
        lines[place : place + 1] = {
            "drop": [],
            "double": [line, line],
            "swap": [lines[other]],
            "indent": ["  " + line],
            "dedent": [line.removeprefix("  ")],
            "value": [f"{key}{colon} {draw(st.sampled_from(ODD))}"],
            "key": [f"{draw(st.sampled_from(ODD))}{colon}{line.partition(':')[2]}"],
            "cut": [line[: draw(st.integers(0, len(line)))]],
        }[change]
        lines = lines or [""]
    return "\n".join(lines) + "\n"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(broken())
def test_a_broken_scenario_is_read_or_refused(text: str) -> None:
    """Every problem has a line inside the file, a column, a message and a remedy."""
    try:
        parse(text, SCENARIOS / "a.yaml")
    except ScenarioError as error:
        assert error.problems
        for problem in error.problems:
            assert 1 <= problem.line <= len(text.splitlines()) + 1, problem
            assert problem.column >= 1 and problem.message and problem.remedy, problem


@pytest.mark.parametrize("file", SHIPPED, ids=[file.stem for file in SHIPPED])
def test_a_shipped_scenario_asks_only_for_what_the_embedded_site_has(file: Path) -> None:
    """Every path is one of its routes, and every text that is checked stands on the page."""
    pages = Path(__file__).parents[2] / "harness" / "demo" / "pages"
    for journey in load(file).journeys:
        for step in journey.steps:
            if not isinstance(step, Get | Page | Post | Watch):
                continue
            polls = [poll.get for poll in step.meanwhile] if isinstance(step, Watch) else []
            for url in (step.url, *polls):
                path = TEMPLATE.sub("x", url).split("?")[0]
                assert find("POST" if isinstance(step, Post) else "GET", path)[0] is not OTHER, path
            if isinstance(step, Page) and step.check:
                text = (pages / f"{step.url[1:] or 'index'}.html").read_text(encoding="utf-8")
                assert all(words in text for words in step.check.contains)
