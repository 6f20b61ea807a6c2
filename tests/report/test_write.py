"""A run's folder becomes a page, a JUnit file and a summary; all runs become an index."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report_factory import STORIES, story
from rich.console import Console

from harness import report
from harness import series as columns
from harness.report import junit, markdown, terminal
from harness.report.page import render


def folder_of(name: str, place: Path) -> Path:
    told = story(name)
    folder = place / told.result.run.id
    folder.mkdir(parents=True)
    told.result.write(folder / "result.json")
    columns.write(told.series, folder / "series.csv")
    (folder / "scenario.yaml").write_text("name: as it was run\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", STORIES)
def test_every_story_becomes_a_page_and_the_same_one_twice(name: str) -> None:
    """Rendering is a function of its input: the same bytes, whatever the verdict, and a page of bounded size."""
    told = story(name)
    once, again = (render(told.result, told.series, "name: x\n") for _ in range(2))
    assert once == again
    assert len(once.encode()) < 500_000
    assert "default-src &#39;none&#39;" in once or "default-src 'none'" in once


def test_the_folder_gets_all_its_files(tmp_path: Path) -> None:
    """The page, junit.xml and summary.md stand beside the result, nothing half-written remains, and the index links to the page."""
    folder = folder_of("ready", tmp_path)
    report.write(folder)
    report.write_index(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        "junit.xml",
        "report.html",
        "result.json",
        "scenario.yaml",
        "series.csv",
        "summary.md",
    ]
    assert f'href="{folder.name}/report.html"' in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_folder_without_series_or_scenario_still_gets_its_page(tmp_path: Path) -> None:
    """A run that was cut off before it wrote its series is reported from result.json alone."""
    folder = folder_of("ready", tmp_path)
    (folder / "series.csv").unlink()
    (folder / "scenario.yaml").unlink()
    report.write(folder)
    assert "The site is ready" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_broken_promise_is_a_failure_and_an_unclear_one_an_error() -> None:
    """CI tools tell "the site is not good enough" from "nothing was proved"."""
    for name, failures, errors in (("ready", 0, 0), ("not-ready-email", 2, 0), ("generator", 0, 2)):
        suite = ElementTree.fromstring(junit.render(story(name).result)).find("testsuite")
        assert suite is not None
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", str(failures), str(errors))
        assert len(suite.findall("testcase/failure")) == failures
        assert len(suite.findall("testcase/error")) == errors


def test_the_summary_says_what_the_page_says() -> None:
    """The comment under a change opens with the page's own verdict and names each promise."""
    told = story("not-ready-email").result
    text = markdown.render(told)
    assert text.startswith("## ❌ Not ready: Spring sale mailing")
    assert "expect long waits" in text
    assert "95% of responses within 800 ms" in text
    assert "Send in 3 batches, 12 minutes apart" in text
    assert "Ready to run: `scenario-sent-over-36-min-batches-3.yaml`" in text
    assert "612 ms at 3,230 visitors a minute, the most it holds" in text


def test_the_terminal_ends_with_the_paths_to_open_and_to_run(tmp_path: Path) -> None:
    """Each on a line of its own that is not broken, however narrow the terminal."""
    out = StringIO()
    terminal.show(story("not-ready-email").result, Console(file=out, width=40), tmp_path)
    assert out.getvalue().splitlines()[-2:] == [
        f" Report: {tmp_path / 'report.html'}",
        f" Advised, ready to run: {tmp_path / 'scenario-sent-over-36-min-batches-3.yaml'}",
    ]
