"""The committed example is what the code makes of it today: a change of the page is a change that somebody has looked at."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness import report

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
MADE = ("report.html", "junit.xml", "summary.md")


def test_rendering_the_example_again_gives_the_committed_bytes(tmp_path: Path) -> None:
    """When this fails and the page is better now: run `surge report reports/example`, look at the page, commit it."""
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)
    for name in MADE:
        (folder / name).unlink()
    report.write(folder)
    for name in MADE:
        assert (folder / name).read_bytes() == (EXAMPLE / name).read_bytes(), f"{name} of reports/example is not what the code makes"
