"""The index: every run by scenario and target with its verdict, and whether the breaking point moved by more than noise."""

from __future__ import annotations

from pathlib import Path

from report_factory import run, story

from harness import report
from harness.report import index
from harness.result import Result


def entry(name: str, result: Result | None) -> index.Entry:
    return index.Entry(folder=name, result=result, broken="" if result else "no result", has_page=True)


def at_capacity(capacity: float, day: int, *, target: str = "the embedded demo site") -> Result:
    result, _ = run(capacity=capacity, peak=11.6)
    started = result.run.model_copy(update={"started": f"2026-11-{day:02d}T10:00:00Z"})
    return result.model_copy(update={"run": started, "target": result.target.model_copy(update={"name": target})})


def test_a_change_is_more_than_noise_only_when_the_intervals_do_not_meet() -> None:
    """The newest run is held against the one before it, whatever the order they are listed in."""
    before = entry("a", at_capacity(150, 1))
    assert index.changed([before]) == ""
    assert "rose from 990 to 1,230 visitors a minute: more than noise" in index.changed([entry("b", at_capacity(188, 2)), before])
    assert "fell from 990 to 820" in index.changed([entry("b", at_capacity(125, 2)), before])
    assert "may be noise" in index.changed([entry("b", at_capacity(155, 2)), before])


def test_what_else_changed_between_two_runs_is_told_beside_the_trend() -> None:
    """A campaign of another size on the same site is no finding about the site: the list and the caption say that the scenario changed."""
    before, now = at_capacity(150, 1), at_capacity(188, 2)
    edited = now.model_copy(update={"scenario": now.scenario.model_copy(update={"sha256": "aa" * 32})})
    full = now.model_copy(update={"run": now.run.model_copy(update={"profile": "full", "versions": {"surge": "0.2.0"}})})
    assert index.differences(before, now) == []
    assert index.differences(before, edited) == ["the scenario"]
    assert index.differences(before, full) == ["the profile, quick to full", "surge itself, 0.1.0 to 0.2.0"]
    entries = (entry("b", edited), entry("a", before))
    assert index.changed(list(entries)).endswith("more than noise, but not like for like. Between the two runs changed: the scenario.")
    assert [index.since(each, entries) for each in entries] == ["the scenario", "first run"]
    assert index.since(entry("c", now), (entry("c", now), entry("a", before))) == "nothing in the test"


def test_runs_that_could_not_tell_are_listed_but_no_part_of_the_trend() -> None:
    """A run whose number does not count moves no line; it is there to be seen."""
    runs = [entry("a", at_capacity(150, 1)), entry("b", story("disturbed").result), entry("c", at_capacity(155, 3))]
    groups, broken = index.group(runs)
    assert [len(group.entries) for group in groups] == [3]
    assert groups[0].trend is not None
    assert len(groups[0].trend.table.rows) == 2
    assert broken == []


def test_runs_on_different_targets_are_never_compared() -> None:
    """The embedded site says nothing about the real one."""
    groups, _ = index.group([entry("a", at_capacity(150, 1)), entry("b", at_capacity(300, 2, target="www.example.com"))])
    assert [group.target for group in groups] == ["the embedded demo site", "www.example.com"]
    assert [group.changed for group in groups] == ["", ""]


def test_folders_that_cannot_be_read_are_listed_as_such(tmp_path: Path) -> None:
    """Cut off, damaged, or of another format: named with the reason; the example and links are no runs."""
    for name in ("20260101T000000Z-cut-off", "20260102T000000Z-damaged", "20260103T000000Z-other", "example", "20260104T000000Z-good"):
        (tmp_path / name).mkdir()
    (tmp_path / "20260102T000000Z-damaged" / "result.json").write_text('{"format": 1', encoding="utf-8")
    (tmp_path / "20260103T000000Z-other" / "result.json").write_text('{"format": 99}', encoding="utf-8")
    story("ready").result.write(tmp_path / "20260104T000000Z-good" / "result.json")
    (tmp_path / "latest").symlink_to("20260104T000000Z-good")
    entries = index.collect(tmp_path)
    assert [each.folder[8:] for each in entries if each.result is None] == ["T000000Z-other", "T000000Z-damaged", "T000000Z-cut-off"]
    assert [each.folder for each in entries if each.result] == ["20260104T000000Z-good"]
    report.write_index(tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "the run was cut off before it could write one" in page
    assert "cannot be read" in page


def test_an_empty_folder_says_how_to_begin(tmp_path: Path) -> None:
    """The first look at the index is no blank page."""
    report.write_index(tmp_path)
    assert "make surge SCENARIO=webcast" in (tmp_path / "index.html").read_text(encoding="utf-8")
