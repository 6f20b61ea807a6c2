"""In: a run's folder with result.json, series.csv and scenario.yaml. Out: report.html, junit.xml and summary.md in it; reports/index.html.

Everything is a pure function of those files: rendering twice gives the same bytes, and any run can be rendered again later.
"""

from __future__ import annotations

from pathlib import Path


def write(folder: Path) -> None:
    """Render every file of a run's folder from its result.json, series.csv and scenario.yaml.

    Raises FileNotFoundError when there is no result.json, ValueError (pydantic's included) when a file is not what it should be.
    A missing series or scenario leaves its part of the page out.
    """
    from harness import series as columns  # here: pandas and the charts cost a second that `import harness.report` must not
    from harness.report import junit, markdown, page
    from harness.result import Result

    result = Result.read(folder / "result.json")
    place, text = folder / "series.csv", folder / "scenario.yaml"
    series = columns.read(place) if place.exists() else None
    scenario = text.read_text(encoding="utf-8") if text.exists() else ""
    for name, content in (
        ("report.html", page.render(result, series, scenario)),
        ("junit.xml", junit.render(result)),
        ("summary.md", markdown.render(result)),
    ):
        put(folder / name, content)


def write_index(reports: Path) -> None:
    """Render reports/index.html over every run's folder in `reports`; a folder that cannot be read is listed as such."""
    from harness.report import index

    put(reports / "index.html", index.render(index.collect(reports)))


def put(path: Path, content: str) -> None:
    """Write a file whole or not at all, with the same bytes on every system."""
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_bytes(content.encode("utf-8", errors="replace"))
    partial.replace(path)
