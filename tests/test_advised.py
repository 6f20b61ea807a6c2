"""The advised scenario beside the report: it loads, fits the site when planned again, and differs from the run's own only as it says."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from harness import advised
from harness.analysis import gentler
from harness.analysis.advice import MARGIN, advice
from harness.analysis.gentler import Original
from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.result import Advice
from harness.scenario import load
from tests.analysis.rehearsal import point

SCENARIOS = Path(__file__).parents[1] / "scenarios"
CURVE = "time,visitors\n" + "".join(f"2026-11-01 {9 + k // 6:02d}:{k % 6 * 10:02d},{500 + 400 * k}\n" for k in range(12))


def run_folder(place: Path, name: str, edit: tuple[str, str] = ("", "")) -> tuple[Path, Path]:
    """A folder of scenarios and a run's folder, as `surge run` leaves it before its advice is written."""
    home = shutil.copytree(SCENARIOS, place / "scenarios")
    path = home / f"{name}.yaml"
    if edit[0]:
        text = path.read_text(encoding="utf-8")
        assert edit[0] in text
        path.write_text(text.replace(*edit), encoding="utf-8")
    folder = place / "reports" / "20261121T220000Z"
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(load.redacted(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path, folder


def told(path: Path, folder: Path, share: float) -> tuple[Original, list[Advice]]:
    """The advice of a run whose breaking point lies at `share` of the peak, written down."""
    scenario = load.load(path)
    plan = plan_campaign(scenario)
    moment = hardest(plan, scenario)
    given = advice(scenario, plan, moment, point(share * moment.peak, share * moment.peak * 1.05))
    room = share * (1 - MARGIN)
    return Original(scenario=scenario, plan=plan, moment=moment, room=room), advised.write(folder, scenario, given)


@pytest.mark.parametrize("name", ["email_blast", "webcast", "flash_sale"])
def test_every_checked_advice_stands_beside_the_report_and_fits_when_it_is_planned(name: str, tmp_path: Path) -> None:
    """Read back from the file itself, as `surge run` would read it, the campaign's hardest moment is within what the site holds."""
    path, folder = run_folder(tmp_path, name)
    original, given = told(path, folder, 0.7)
    checked = [one for one in given if one.checked]
    assert checked
    steps = [[step.label for step in journey.steps] for journey in original.scenario.journeys]
    for one in checked:
        assert one.scenario is not None
        again = load.load(folder / one.scenario)
        assert gentler.hardness(again, original) <= original.room + 1e-9
        assert (again.name, again.target, again.business) == (original.scenario.name, original.scenario.target, original.scenario.business)
        assert [[step.label for step in journey.steps] for journey in again.journeys] == steps
    assert all(one.scenario is None for one in given if not one.checked)


def test_a_mails_files_are_named_for_the_change(tmp_path: Path) -> None:
    """The name says what differs; the comments of the author are still there."""
    path, folder = run_folder(tmp_path, "email_blast")
    _, given = told(path, folder, 0.62)
    assert [one.scenario for one in given] == ["scenario-sent-over-15-min.yaml", "scenario-sent-over-25-min-batches-8.yaml", None]
    text = (folder / "scenario-sent-over-25-min-batches-8.yaml").read_text(encoding="utf-8")
    assert "# how fast the mails leave: the lever that marketing has" in text
    before = (folder / "scenario.yaml").read_text(encoding="utf-8").splitlines()
    assert [line for line in text.splitlines() if line not in before] == [
        "  sent_over: 25 min                    # how fast the mails leave: the lever that marketing has",
        "  batches: 8",
    ]


def test_last_times_curve_comes_along(tmp_path: Path) -> None:
    """A scenario looks for its curve beside itself, so the curve is beside the advised one too."""
    path, folder = run_folder(tmp_path, "email_blast")
    text = path.read_text(encoding="utf-8")
    head, tail = text.split("campaign:")[0], text[text.index("target:") :]
    path.write_text(f"{head}campaign:\n  type: measured\n  curve: last.csv\n{tail}", encoding="utf-8")
    (path.parent / "last.csv").write_text(CURVE, encoding="utf-8")
    shutil.copy(path, folder / "scenario.yaml")
    original, given = told(path, folder, 0.5)
    (one,) = [one for one in given if one.scenario]
    assert one.scenario == "scenario-scale-0-45.yaml"
    assert gentler.hardness(load.load(folder / one.scenario), original) <= original.room + 1e-9


def test_a_secret_that_was_blanked_stays_blank(tmp_path: Path) -> None:
    """The advised scenario is made from the copy that may be mailed."""
    path, folder = run_folder(tmp_path, "email_blast", ('name: "{{ visitor.name }}"', "password: hunter2"))
    _, given = told(path, folder, 0.62)
    assert given[0].scenario is not None
    text = (folder / given[0].scenario).read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert "[redacted]" in text


def test_without_the_runs_scenario_the_advice_is_told_all_the_same(tmp_path: Path) -> None:
    """No file, no name of a file, no error; and nothing is left half-written."""
    path, folder = run_folder(tmp_path, "email_blast")
    (folder / "scenario.yaml").unlink()
    _, given = told(path, folder, 0.62)
    assert given[0].text.startswith("Send the mail over")
    assert {one.scenario for one in given} == {None}
    assert list(folder.iterdir()) == []


def test_a_runs_own_file_is_never_overwritten(tmp_path: Path) -> None:
    """A curve named as the run's series would replace it: then there is no file."""
    path, folder = run_folder(tmp_path, "email_blast")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        f"{text.split('campaign:')[0]}campaign:\n  type: measured\n  curve: series.csv\n{text[text.index('target:') :]}", encoding="utf-8"
    )
    (path.parent / "series.csv").write_text(CURVE, encoding="utf-8")
    shutil.copy(path, folder / "scenario.yaml")
    (folder / "series.csv").write_text("second\n", encoding="utf-8")
    _, given = told(path, folder, 0.5)
    assert {one.scenario for one in given} == {None}
    assert (folder / "series.csv").read_text(encoding="utf-8") == "second\n"


def test_a_move_in_a_calendar_is_written_in_the_authors_own_time_zone(tmp_path: Path) -> None:
    """Where the entry has no time of its own, it gets one."""
    path, folder = run_folder(tmp_path, "launch_week")
    mail = path.with_name("email_blast.yaml").read_text(encoding="utf-8")
    path.with_name("again.yaml").write_text(mail.replace("Spring sale newsletter", "The same again"), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    both = "  campaigns:   # two mails at one hour\n    - {scenario: email_blast}\n    - {scenario: again}\n"
    text = text[: text.index("  campaigns:")] + both + text[text.index("target:") :]
    path.write_text(text, encoding="utf-8")
    shutil.copy(path, folder / "scenario.yaml")
    original, given = told(path, folder, 0.7)
    (move,) = [one for one in given if one.scenario]
    ((key, value),) = move.changes.items()
    assert value.endswith("Europe/London")
    again = load.load(folder / str(move.scenario)).campaign.campaigns  # type: ignore[union-attr]
    place = int(key.split("[")[1].split("]")[0])
    moved = again[place].starts - original.scenario.campaign.campaigns[place].starts  # type: ignore[union-attr]
    assert moved >= timedelta(hours=1)


def test_what_stands_in_another_folder_or_bears_the_name_already_is_left_alone(tmp_path: Path) -> None:
    """No copy outside the run's folder, and no second file of one name."""
    path, folder = run_folder(tmp_path, "email_blast")
    _, given = told(path, folder, 0.62)
    assert {one.scenario for one in advised.write(folder, load.load(path), given[:1])} == {given[0].scenario}
    mine = folder / str(given[0].scenario)
    mine.write_text("mine\n", encoding="utf-8")
    blank = given[0].model_copy(update={"scenario": None})
    assert advised.write(folder, load.load(path), [blank]) == [blank]
    assert mine.read_text(encoding="utf-8") == "mine\n"
    (path.parent / "curves").mkdir()
    (path.parent / "curves" / "last.csv").write_text(CURVE, encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    curve = "campaign:\n  type: measured\n  curve: curves/last.csv\n"
    path.write_text(f"{text.split('campaign:')[0]}{curve}{text[text.index('target:') :]}", encoding="utf-8")
    shutil.copy(path, folder / "scenario.yaml")
    assert {one.scenario for one in told(path, folder, 0.5)[1]} == {None}
