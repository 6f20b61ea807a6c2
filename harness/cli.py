"""In: argv. Out: an exit code. The only place that prints, exits or reads the environment; every command imports what it needs and no more.

Exit codes: 0 ready · 1 not ready · 2 usage or scenario error · 3 inconclusive · 4 unreachable or refused by the safety rules ·
130 interrupted. Results go to stdout, progress and complaints to stderr; with --json stdout holds the result and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from harness.result import Result

READY, NOT_READY, USAGE, INCONCLUSIVE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
VERDICT_CODES = {"ready": READY, "not_ready": NOT_READY, "inconclusive": INCONCLUSIVE}


def _complain(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


class Surge(click.Group):
    """Turns the project's own errors into a message on stderr and the documented exit code, whichever command raised them."""

    def invoke(self, ctx: click.Context) -> Any:
        from harness.safety import Refused
        from harness.scenario.problems import ScenarioError

        try:
            return super().invoke(ctx)
        except ScenarioError as error:
            _complain(str(error), USAGE)
        except Refused as error:
            _complain(f"Refused by the safety rules, nothing was sent: {error}", UNREACHABLE)
        except KeyboardInterrupt:
            _complain("Interrupted.", INTERRUPTED)


@click.group(cls=Surge, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="surge-harness", prog_name="surge")
def main() -> None:
    """Will the site hold when the campaign goes out? Campaigns in marketing's words, surge tests, a breaking point with an interval."""


@main.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def validate(files: tuple[str, ...], as_json: bool) -> None:
    """Check scenario files: every error at once, as FILE:line:column, with its remedy."""
    from harness.scenario import load
    from harness.scenario.problems import Problem, ScenarioError

    problems: list[Problem] = []
    for name in files:
        try:
            path = load.resolve(name)
            scenario = load.load(path)
        except ScenarioError as error:
            problems += error.problems
            if not as_json:
                click.echo(str(error), err=True)
        else:
            if not as_json:
                click.echo(f"{path}: fine ({scenario.campaign.type}, {len(scenario.journeys)} journeys, {len(scenario.promises)} promises)")
    if as_json:
        click.echo(json.dumps([problem.as_dict() for problem in problems], indent=2))
    sys.exit(USAGE if problems else READY)


@main.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Also write the curve as a picture.")
def plan(file: str, as_json: bool, svg: Path | None) -> None:
    """What would be sent, as sentences and a curve. Sends nothing."""
    from harness.campaigns import blocks, plan_campaign, sentences
    from harness.campaigns.moment import hardest
    from harness.scenario import load

    path = load.resolve(file)
    scenario = load.load(path)
    try:
        arrivals = plan_campaign(scenario)
    except ValueError as error:
        _complain(f"{path}: {error}", USAGE)
    moment = hardest(arrivals, scenario)
    if svg is not None:
        from harness.campaigns import picture

        svg.write_text(picture.svg(arrivals, moment, scenario), encoding="utf-8")
    if as_json:
        click.echo(sentences.to_json(arrivals, moment, scenario))
        return
    for sentence in sentences.describe(arrivals, moment, scenario):
        click.echo(sentence)
    for line in blocks.curves(arrivals, moment, scenario):
        click.echo(line)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--type", "kind", required=True, type=click.Choice(["email_blast", "webcast", "viral_spike"]), help="The model to fit.")
@click.option("--list-size", type=click.IntRange(min=1), help="Of a mail: how many addresses it went to.")
@click.option("--sent-over", metavar="DURATION", help="Of a mail: how long the sending took, such as '30 min'; estimated when left out.")
def fit(file: Path, kind: str, list_size: int | None, sent_over: str | None) -> None:
    """What last campaign's visitors (a CSV of times and counts) say about a campaign's parameters, and the YAML to paste."""
    from pydantic_core import PydanticCustomError

    from harness.campaigns import fitted
    from harness.campaigns.fit import fit as fit_curve
    from harness.scenario import export
    from harness.scenario.reading import read_duration

    try:
        seconds = None if sent_over is None else read_duration(sent_over)
    except PydanticCustomError as error:
        raise click.BadParameter(error.message(), param_hint="--sent-over") from None
    try:
        found = fit_curve(export.read(file), kind, sent_over=seconds)  # type: ignore[arg-type]
    except ValueError as error:
        _complain(f"{file}: {error}", USAGE)
    for sentence in fitted.describe(found):
        click.echo(sentence)
    click.echo()
    click.echo(fitted.yaml(found, list_size=list_size), nl=False)


@main.command()
@click.argument("file")
@click.option("--target", help="http(s)://host[:port] or demo; default: the scenario's own.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Generator processes on this machine.")
@click.option("--lent", type=click.IntRange(0, 256), default=0, help="Wait for so many workers of other machines (see surge worker).")
@click.option("--listen", metavar="HOST[:PORT]", help="Where lent workers connect; needed with --lent.")
@click.option(
    "--profile", type=click.Choice(["quick", "full"]), default="quick", show_default=True, help="About one or about ten minutes of load."
)
@click.option("--max-rate", type=click.FloatRange(min=0, min_open=True), help="Never offer more than so many visitors per second.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Repeats the same arrivals; default: a fresh one, printed.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the runs' folders go.",
)
@click.option(
    "--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="Confirm a host that the scenario lists under target.allow."
)
@click.option(
    "--web",
    is_flag=False,
    flag_value=8089,
    type=click.IntRange(1, 65535),
    metavar="[PORT]",
    help="Also serve Locust's web page on loopback.",
)
@click.option("--json", "as_json", is_flag=True, help="Print result.json on stdout and nothing else there.")
@click.option("--quiet", is_flag=True, help="No progress, only the result.")
def run(
    file: str,
    target: str | None,
    workers: int,
    lent: int,
    listen: str | None,
    profile: str,
    max_rate: float | None,
    seed: int | None,
    out: Path,
    allow_hosts: tuple[str, ...],
    web: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a surge test and write its report."""
    import secrets

    from rich.console import Console

    from harness.engine.fleet import FleetFailed, TargetDown
    from harness.engine.worker import address
    from harness.report import terminal
    from harness.report.live import Progress
    from harness.run import Choices, surge
    from harness.target import TargetProblem

    if bool(lent) != bool(listen):
        raise click.UsageError("--lent and --listen go together: --lent 2 --listen 192.0.2.7 waits there for two workers of other machines")
    try:
        bind = address(listen) if listen else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from None
    errors = Console(stderr=True)
    choices = Choices(
        scenario=file,
        seed=secrets.randbelow(2**32) if seed is None else seed,
        target=target,
        workers=workers,
        lent=lent,
        listen=bind,
        profile=profile,
        max_rate=max_rate,
        out=out,
        allow_hosts=allow_hosts,
        web_port=web,
        environment=os.environ,
    )
    try:
        with Progress(errors, quiet=quiet) as progress:
            finished = surge(choices, tell=progress.tick, say=progress.note)
    except (TargetDown, TargetProblem) as error:
        _complain(str(error), UNREACHABLE)
    except FleetFailed as error:
        _complain(str(error), USAGE)
    if as_json:
        click.echo((finished.folder / "result.json").read_text(encoding="utf-8"), nl=False)
    else:
        terminal.show(finished.result, Console(), finished.folder)
    sys.exit(INTERRUPTED if finished.interrupted else VERDICT_CODES[finished.result.verdict])


@main.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def render(runs: tuple[Path, ...]) -> None:
    """Render runs again from their files: report.html, junit.xml, summary.md, and the index beside them."""
    from harness import report

    for folder in runs:
        if not (folder / "result.json").is_file():
            _complain(f"{folder}: no result.json here; name a run's folder, such as reports/latest", USAGE)
        report.write(folder)
        click.echo(folder / "report.html")
    for parent in {folder.resolve().parent for folder in runs}:
        report.write_index(parent)


@main.command()
@click.argument("base", type=click.Path(exists=True, path_type=Path))
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(base: Path, run: Path, as_json: bool) -> None:
    """What changed from run BASE to RUN, and whether it is more than noise. Exit code 1: capacity fell by more than that."""
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
        _complain(f"{place}: no result.json here; name a run's folder, such as reports/latest", USAGE)
    except ValueError as error:
        _complain(f"{path}: not a result of this version: {error}", USAGE)


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
    """The runs so far, campaign by campaign, and where the breaking point shifted for good."""
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


@main.command()
@click.option("--master", required=True, metavar="HOST[:PORT]", help="Where `surge run --listen` waits.")
def worker(master: str) -> None:
    """Lend this machine to a run."""
    from harness.engine.worker import lend

    try:
        sys.exit(lend(master))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--master") from None


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 picks a free one.")
@click.argument("knobs", nargs=-1, type=click.UNPROCESSED)
def demo(port: int, knobs: tuple[str, ...]) -> None:
    """The embedded site alone, in the foreground. KNOBS such as --workers 4 are passed on: `surge demo -- --help`."""
    from harness.demo.__main__ import main as serve

    sys.exit(serve(["--port", str(port), *knobs], human=True))


@main.command()
@click.option("--result", "of_result", is_flag=True, help="The schema of result.json instead.")
def schema(of_result: bool) -> None:
    """The JSON Schema of a scenario, for editors."""
    if of_result:
        from harness.result import Result

        made = Result.model_json_schema()
    else:
        from harness.scenario.schema import schema as make

        made = make()
    click.echo(json.dumps(made, indent=2))


@main.group("import")
def imports() -> None:
    """Make a scenario out of a recording."""


@imports.command("har")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the scenario to this new file; default: print it.")
def import_har(file: Path, out: Path | None) -> None:
    """A visit that a browser recorded (developer tools, Network, Save all as HAR) becomes a scenario to review."""
    from harness.scenario import importing

    text = importing.scenario_text(file)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        _complain(f"{out} exists already and was left as it is; name another file", USAGE)
    except OSError as error:
        _complain(f"{out} cannot be written: {error.strerror}", USAGE)
    click.echo(out)
