"""Pages that somebody has looked at: the committed example byte by byte, and the words of a page for every verdict and status."""

from __future__ import annotations

import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_factory import STORIES, story

from harness import report
from harness.report.page import render

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
GOLDEN = Path(__file__).with_name("golden")
MADE = ("report.html", "junit.xml", "summary.md")


class Words(HTMLParser):
    """A page's words, a line for each element that holds some; without folded parts, styles, scripts and what is drawn."""

    SKIPPED = frozenset({"style", "script", "details", "svg"})
    INLINE = frozenset({"span", "b", "code", "a", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.lines = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag in self.SKIPPED
        if tag not in self.INLINE:
            self.lines.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A drawing's element that holds nothing."""

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag in self.SKIPPED
        if tag not in self.INLINE:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.lines[-1] += data


def words_of(page: str) -> str:
    reader = Words()
    reader.feed(page)
    lines = (re.sub(r"[ \t\n]+", " ", line).strip() for line in reader.lines)
    return "\n".join(line for line in lines if line) + "\n"


def test_rendering_the_example_again_gives_the_committed_bytes(tmp_path: Path) -> None:
    """When this fails and the page is better now: run `surge report reports/example`, look at the page, commit it."""
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)
    for name in MADE:
        (folder / name).unlink()
    report.write(folder)
    for name in MADE:
        assert (folder / name).read_bytes() == (EXAMPLE / name).read_bytes(), f"{name} of reports/example is not what the code makes"


@pytest.mark.parametrize("name", STORIES)
def test_the_words_of_every_story_are_those_that_somebody_has_read(name: str) -> None:
    """When this fails and the words are better now: run it with SURGE_GOLDEN=write, read the difference, commit it."""
    told = story(name)
    found = words_of(render(told.result, told.series, "name: as it was run\n"))
    place = GOLDEN / f"{name}.txt"
    if os.environ.get("SURGE_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        place.write_text(found, encoding="utf-8")
    assert found == place.read_text(encoding="utf-8")


def test_the_stories_cover_every_verdict_and_every_status() -> None:
    """No combination that a run can end in is left without a page that was read."""
    told = [story(name).result for name in STORIES]
    assert {result.verdict for result in told} == {"ready", "not_ready", "inconclusive"}
    assert {result.breaking_point.status for result in told} == {"found", "not_reached", "broken_at_baseline", "inconclusive"}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(STORIES)
