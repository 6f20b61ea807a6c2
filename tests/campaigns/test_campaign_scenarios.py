"""Every campaign file that is shipped: read, planned, drawn and told within what a newcomer waits for; the commands around them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.campaigns.picture import svg
from harness.campaigns.schedule import schedule
from harness.campaigns.sentences import describe
from harness.cli import main
from harness.scenario.load import load
from harness.scenario.model import EmailBlast, Journey, Page, Scenario

FILES = sorted(Path("scenarios").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_shipped_campaign_can_be_planned_and_told(file: Path) -> None:
    """Visitors, a peak inside the plan, a hardest moment that asks something of the site, and sentences without blanks."""
    scenario = load(file)
    plan = plan_campaign(scenario)
    moment = hardest(plan, scenario)
    assert plan.total > 0
    assert plan.times[0] <= plan.peak_at <= plan.times[-1]
    assert moment.requests_per_second >= moment.visitors_per_second > 0
    assert moment.peak_concurrent >= moment.concurrent >= 0
    sentences = describe(plan, moment, scenario)
    assert all(s.endswith((".", "?", ")")) for s in sentences)
    assert not any(word in " ".join(sentences) for word in ("nan", "inf ", "None"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_the_picture_of_a_plan_is_well_formed_and_repeatable(file: Path) -> None:
    """One document, the same bytes each time, every curve inside the frame."""
    scenario = load(file)
    plan = plan_campaign(scenario)
    moment = hardest(plan, scenario)
    text = svg(plan, moment, scenario)
    assert text == svg(plan, moment, scenario)
    root = ET.fromstring(text)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) >= 2  # who comes, and below it the requests
    for line in lines:
        points = np.array([pair.split(",") for pair in line.attrib["points"].split()], dtype=float)
        assert points[:, 0].min() >= 60 and points[:, 0].max() <= 880
        assert points[:, 1].min() >= (95 if line is not lines[-1] else 350) and points[:, 1].max() <= (
            300 if line is not lines[-1] else 510
        )


def test_plan_answers_in_words_in_json_and_as_a_picture(tmp_path: Path) -> None:
    """surge plan webcast: sentences and blocks; --json alone on stdout; --svg beside it."""
    told = CliRunner().invoke(main, ["plan", "webcast", "--svg", str(tmp_path / "plan.svg")])
    assert told.exit_code == 0
    assert "visitors are expected" in told.output and "█" in told.output
    assert (tmp_path / "plan.svg").read_text(encoding="utf-8").startswith("<svg")
    plain = CliRunner().invoke(main, ["plan", "webcast", "--json"])
    assert json.loads(plain.output)["type"] == "webcast"


def test_fit_reads_an_export_and_prints_what_to_paste(tmp_path: Path) -> None:
    """From a CSV with clock times to the block campaign, through the command line."""
    look = (Journey(name="look", share=1.0, steps=(Page(url="/"),)),)
    mail = Scenario(name="x", campaign=EmailBlast(list_size=500_000, sent_over=3600.0), promises=(), journeys=look)
    counts = np.histogram(schedule(plan_campaign(mail), 1), np.arange(0, 2 * 86400, 600))[0]
    rows = [f"2026-03-{2 + k // 144:02d} {k % 144 // 6:02d}:{k % 6}0,{n}" for k, n in enumerate(counts)]
    export = tmp_path / "last.csv"
    export.write_text("Time,Visitors\n" + "\n".join(rows) + "\n", encoding="utf-8")
    told = CliRunner().invoke(main, ["fit", str(export), "--type", "email_blast", "--list-size", "500000"])
    assert told.exit_code == 0, told.output
    assert "The fit is good" in told.output
    assert "  type: email_blast" in told.output and "half_of_clicks_within" in told.output


def test_fit_refuses_what_it_cannot_read_with_the_line(tmp_path: Path) -> None:
    """A word where a number belongs; too few rows; a sending time without its unit."""
    broken = tmp_path / "broken.csv"
    broken.write_text("time,visitors\n2026-03-02 09:00,12\n2026-03-02 09:10,many\n", encoding="utf-8")
    told = CliRunner().invoke(main, ["fit", str(broken), "--type", "webcast"])
    assert told.exit_code == 2 and "broken.csv:3" in told.output
    short = tmp_path / "short.csv"
    short.write_text("time,visitors\n2026-03-02 09:00,12\n2026-03-02 09:10,13\n", encoding="utf-8")
    told = CliRunner().invoke(main, ["fit", str(short), "--type", "webcast"])
    assert told.exit_code == 2 and "too few" in told.output
    told = CliRunner().invoke(main, ["fit", str(short), "--type", "email_blast", "--sent-over", "30"])
    assert told.exit_code == 2 and "no unit" in told.output


NONSENSE = {
    "type: webcast\n  registrants: 1000\n  attendance: 140%": ("attendance", 5),
    "type: viral_spike\n  seed_visitors: 1000\n  passed_on: 1.2": ("audience", 5),
    "type: viral_spike\n  seed_visitors: 1000\n  doubles_every: 20 min": ("never ends", 5),
    "type: email_blast\n  list_size: 0\n  sent_over: 30 min": ("at least 1", 4),
    "type: webcast\n  registrants: 1000\n  length: 20 min\n  stream_drop: {at: 30 min}": ("after the end", 6),
    "type: email_blast\n  list_size: 1000\n  sent_over: 30 min\n  scanner_share: 100%": ("0% to 95%", 6),
}


@pytest.mark.parametrize("block", NONSENSE)
def test_nonsense_is_refused_with_file_line_and_the_sensible_range(block: str, tmp_path: Path) -> None:
    """At the author's own line, with exit code 2."""
    words, line = NONSENSE[block]
    file = tmp_path / "odd.yaml"
    rest = "promises:\n  - errors below 1%\njourneys:\n  - name: look\n    share: 100%\n    steps:\n      - page: /\n"
    file.write_text(f"name: odd\ncampaign:\n  {block}\n{rest}", encoding="utf-8")
    told = CliRunner().invoke(main, ["plan", str(file)])
    assert told.exit_code == 2
    assert f"odd.yaml:{line}:" in told.output and words in told.output
