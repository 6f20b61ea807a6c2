"""Commands about runs that have ended: report, compare, history."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.exits import NOT_READY, READY, USAGE, complain
from harness.cli.group import main

if TYPE_CHECKING:
    from harness.result import Result


@main.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def render(runs: tuple[Path, ...]) -> None:
    """Render runs again. From their files: report.html, junit.xml, summary.md, and the index beside them."""
    from harness import report

    for folder in runs:
        if not (folder / "result.json").is_file():
            complain(f"{folder}: no result.json here; name a run's folder, such as reports/latest", USAGE)
        report.write(folder)
        click.echo(folder / "report.html")
    for parent in {folder.resolve().parent for folder in runs}:
        report.write_index(parent)


@main.command()
@click.argument("base", type=click.Path(exists=True, path_type=Path))
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(base: Path, run: Path, as_json: bool) -> None:
    """What changed from BASE to RUN. Whether it is more than noise, too. Exit code 1: capacity fell by more than that."""
    from harness.analysis.compare import compare as compare_results

    found = compare_results(_result_of(base), _result_of(run))
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        click.echo(found.sentence)
        for change in found.steps:
            times = " → ".join(f"{ms:.0f} ms" for ms in (change.before, change.after) if ms is not None)
            click.echo(f"  {change.step}: {change.what}{' at calm load, ' + times if times else ''}")
        for note in (*found.notes, *found.conditions):
            click.echo(f"  {note}")
        if found.detectable is not None:
            click.echo(f"  Two such runs find a loss of {found.detectable:.0%} four times in five.")
    sys.exit(NOT_READY if found.regression else READY)


def _result_of(place: Path) -> Result:
    """The result of a run's folder or of a result.json itself."""
    from harness.result import Result

    path = place / "result.json" if place.is_dir() else place
    try:
        return Result.read(path)
    except FileNotFoundError:
        complain(f"{place}: no result.json here; name a run's folder, such as reports/latest", USAGE)
    except ValueError as error:
        complain(f"{path}: not a result of this version: {error}", USAGE)


@main.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the runs' folders are.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the history as JSON.")
def history(out: Path, as_json: bool) -> None:
    """The runs so far. Campaign by campaign, and where the breaking point shifted for good."""
    from harness.analysis.trend import trend
    from harness.report.index import collect, group

    campaigns, broken = group(collect(out))
    found = {one.name: trend([entry.result for entry in one.entries if entry.result]) for one in campaigns}
    if as_json:
        click.echo(json.dumps({name: [point.model_dump() for point in points] for name, points in found.items()}, indent=2))
        return
    if not found:
        click.echo(f"No runs in {out}/ yet: surge run webcast makes the first.")
    for name, points in found.items():
        click.echo(f"{name} (visitors/s; the campaign's peak is {points[-1].peak:.3g})")
        for point in points:
            middle = "no number"
            if point.middle is not None:
                middle = f"{point.middle:.3g} ({point.low:.3g} to {point.high:.3g})"
            elif point.low is not None:
                middle = f"above {point.low:.3g}"
            shift = f"  from here on {point.shifted - 1:+.0%}" if point.shifted else ""
            click.echo(f"  {point.started[:16].replace('T', ' ')}  {point.verdict.replace('_', ' '):13} {middle}{shift}")
    for entry in broken:
        click.echo(f"  {entry.folder}: {entry.broken}")
