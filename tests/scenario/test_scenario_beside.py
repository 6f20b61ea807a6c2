"""What a scenario names beside itself is read with it: an analytics export, and the campaigns of a calendar."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.scenario.campaign import Calendar, Measured
from harness.scenario.export import read
from harness.scenario.load import ScenarioError, load

REST = "promises: [errors below 1%]\njourneys: [{name: a, share: 100%, steps: [page: /]}]\n"


def rows(tmp_path: Path, text: str) -> list[tuple[float, float, float]]:
    file = tmp_path / "curve.csv"
    file.write_text(text, encoding="utf-8")
    return list(read(file))


EXPORTS = {
    "plain": "time,visitors\n2026-03-02 09:00,120\n2026-03-02 10:00,80\n2026-03-02 11:00,40\n",
    "google": "# ----\n# Audience overview\n# ----\nDate + hour (YYYYMMDDHH),Active users,Sessions\n"
    "2026030209,110,120\n2026030210,70,80\n2026030211,30,40\nGrand total,210,240\n",
    "semicolons": "Datum;Sessions\n2026-03-02T09:00:00;120\n2026-03-02T10:00:00;80\n2026-03-02T11:00:00;40\n",
    "tabs and zones": "Timestamp\tPageviews\n2026-03-02T09:00:00Z\t120\n2026-03-02T10:00:00Z\t80\n2026-03-02T11:00:00Z\t40\n",
    "unix seconds": "timestamp,count\n1772442000,120\n1772445600,80\n1772449200,40\n",
    "unix milliseconds": "timestamp,count\n1772442000000,120\n1772445600000,80\n1772449200000,40\n",
    "no names": "09:00,120\n10:00,80\n11:00,40\n",
    "quoted thousands": 'Hour,Page,Visitors\n2026-03-02 09:00,/a,"120"\n2026-03-02 10:00,/a,"80"\n2026-03-02 11:00,/a,"40"\n',
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_read_as_the_tool_wrote_it(tmp_path: Path, name: str) -> None:
    """The same three hours in eight dialects; people count before page views."""
    assert rows(tmp_path, EXPORTS[name]) == [(0.0, 3600.0, 120.0), (3600.0, 7200.0, 80.0), (7200.0, 10800.0, 40.0)]


def test_an_hour_that_was_left_out_stays_empty(tmp_path: Path) -> None:
    """A row does not stretch over the gap behind it."""
    text = "time,visitors\n2026-03-02 09:00,10\n2026-03-02 10:00,20\n2026-03-02 14:00,30\n2026-03-02 15:00,5\n"
    assert rows(tmp_path, text)[1] == (3600.0, 7200.0, 20.0)


def test_thousands_are_read_with_and_without_marks(tmp_path: Path) -> None:
    """As spreadsheets write them."""
    assert [count for _, _, count in rows(tmp_path, 'time,visitors\n0,"1,234"\n60,1 234\n120,1234.5\n')] == [1234.0, 1234.0, 1234.5]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "is empty"),
        ("time,visitors\n", 0, "fewer than two rows"),
        ("when,who\n2026-03-02,5\n", 1, "no column holds"),
        ("time,page\n2026-03-02,5\n", 1, "no column holds visitors"),
        ("time,visitors\n2026-03-02 09:00,5\nlater,6\n", 3, '"later" is not a time'),
        ("time,visitors\n2026-03-02 09:00,5\n2026-03-02 10:00,lots\n", 3, "not a number of visitors"),
        ("time,visitors\n2026-03-02 09:00,5\n2026-03-02 10:00,-6\n", 3, "not a number of visitors"),
        ("time,visitors\n2026-03-02 10:00,5\n2026-03-02 09:00,6\n", 3, "does not come after"),
        ("time,visitors\n2026-03-02 09:00,5\n2026-03-02 09:00,6\n", 3, "does not come after"),
        ("time,visitors\n2026-03-02 09:00,5\n2026-03-02T10:00:00Z,6\n", 3, "zone"),
        ("time,visitors\n0,0\n60,0\n", 0, "no visitor at all"),
    ],
)
def test_a_broken_export_is_told_at_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    """With the file's own name and what to do."""
    with pytest.raises(ScenarioError) as error:
        rows(tmp_path, text)
    (problem,) = error.value.problems
    assert (problem.line, problem.file.name) == (line, "curve.csv")
    assert says in problem.message and problem.remedy


def test_a_measured_campaign_brings_its_rows(tmp_path: Path) -> None:
    """The CSV stands beside the scenario, wherever the command is run."""
    (tmp_path / "last year.csv").write_text(EXPORTS["plain"])
    (tmp_path / "a.yaml").write_text("name: A\ncampaign: {type: measured, curve: last year.csv, scale: 1.5}\n" + REST)
    campaign = load(tmp_path / "a.yaml").campaign
    assert isinstance(campaign, Measured) and campaign.points[0] == (0.0, 3600.0, 120.0) and campaign.scale == 1.5


def test_a_curve_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    """With the file that was meant."""
    (tmp_path / "curve.csv").write_text(EXPORTS["plain"])
    (tmp_path / "a.yaml").write_text("name: A\ncampaign:\n  type: measured\n  curve: cruve.csv\n" + REST)
    with pytest.raises(ScenarioError) as error:
        load(tmp_path / "a.yaml")
    assert [(problem.line, problem.remedy) for problem in error.value.problems] == [(4, "did you mean curve.csv?")]


def calendar(tmp_path: Path, entries: str) -> Calendar:
    (tmp_path / "mail.yaml").write_text("name: Mail\ncampaign: {type: email_blast, list_size: 10k, sent_over: 1 h}\n" + REST)
    start = "2026-12-03 15:00 UTC"
    (tmp_path / "cast.yaml").write_text(f"name: Cast\ncampaign: {{type: webcast, registrants: 100, starts: {start}}}\n" + REST)
    (tmp_path / "year.yaml").write_text(
        f"name: Year\ncampaign:\n  type: calendar\n  everyday: {{visitors_a_day: 5000}}\n  campaigns:\n{entries}" + REST
    )
    campaign = load(tmp_path / "year.yaml").campaign
    assert isinstance(campaign, Calendar)
    return campaign


def test_a_calendar_brings_its_campaigns_with_their_starts(tmp_path: Path) -> None:
    """The entry's own start wins over the scenario's."""
    found = calendar(tmp_path, "    - {scenario: mail, starts: 2026-12-03 09:00 UTC}\n    - {scenario: cast}\n")
    assert [(entry.campaign.type, entry.starts) for entry in found.campaigns if entry.campaign] == [
        ("email_blast", datetime(2026, 12, 3, 9, tzinfo=UTC)),
        ("webcast", datetime(2026, 12, 3, 15, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("entries", "lines", "says"),
    [
        ("    - {scenario: mial, starts: 2026-12-03 09:00 UTC}\n    - {scenario: cats}\n", [6, 7], "did you mean mail?"),
        ("    - {scenario: mail}\n", [6], "nobody says when"),
        ("    - {scenario: year, starts: 2026-12-03 09:00 UTC}\n", [6], "is a calendar itself"),
    ],
)
def test_a_calendar_says_which_entry_is_wrong(tmp_path: Path, entries: str, lines: list[int], says: str) -> None:
    """Also one that names itself."""
    with pytest.raises(ScenarioError) as error:
        calendar(tmp_path, entries)
    assert [problem.line for problem in error.value.problems] == lines
    assert says in str(error.value)
