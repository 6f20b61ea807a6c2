"""Commands about scenarios: validate, plan, fit, schema, import. None of them sends anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from harness.cli.exits import READY, USAGE, complain
from harness.cli.group import main


@main.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def validate(files: tuple[str, ...], as_json: bool) -> None:
    """Check scenario files. Every error at once, as FILE:line:column, with its remedy."""
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
    import shutil

    from harness.campaigns import blocks, plan_campaign, sentences
    from harness.campaigns.moment import hardest
    from harness.scenario import load

    path = load.resolve(file)
    scenario = load.load(path)
    try:
        arrivals = plan_campaign(scenario)
    except ValueError as error:
        complain(f"{path}: {error}", USAGE)
    moment = hardest(arrivals, scenario)
    if svg is not None:
        from harness.campaigns import picture

        svg.write_text(picture.svg(arrivals, moment, scenario), encoding="utf-8")
    if as_json:
        click.echo(sentences.to_json(arrivals, moment, scenario))
        return
    for sentence in sentences.describe(arrivals, moment, scenario):
        click.echo(click.wrap_text(sentence, shutil.get_terminal_size((100, 0)).columns))
    for line in blocks.curves(arrivals, moment, scenario):
        click.echo(line)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--type", "kind", required=True, type=click.Choice(["email_blast", "webcast", "viral_spike"]), help="The model to fit.")
@click.option("--list-size", type=click.IntRange(min=1), help="Of a mail: how many addresses it went to.")
@click.option("--sent-over", metavar="DURATION", help="Of a mail: how long the sending took, such as '30 min'; estimated when left out.")
def fit(file: Path, kind: str, list_size: int | None, sent_over: str | None) -> None:
    """Last campaign's visitors as a model. What a CSV of times and counts says about a campaign's parameters, and the YAML to paste."""
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
        complain(f"{file}: {error}", USAGE)
    for sentence in fitted.describe(found):
        click.echo(sentence)
    click.echo()
    click.echo(fitted.yaml(found, list_size=list_size), nl=False)


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
        complain(f"{out} exists already and was left as it is; name another file", USAGE)
    except OSError as error:
        complain(f"{out} cannot be written: {error.strerror}", USAGE)
    click.echo(out)
