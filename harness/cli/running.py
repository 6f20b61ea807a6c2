"""Commands that start something: run, worker, demo."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from harness.cli.exits import INTERRUPTED, UNREACHABLE, USAGE, VERDICT_CODES, complain
from harness.cli.group import main


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
        complain(str(error), UNREACHABLE)
    except FleetFailed as error:
        complain(str(error), USAGE)
    if as_json:
        click.echo((finished.folder / "result.json").read_text(encoding="utf-8"), nl=False)
    else:
        terminal.show(finished.result, Console(), finished.folder)
    sys.exit(INTERRUPTED if finished.interrupted else VERDICT_CODES[finished.result.verdict])


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
