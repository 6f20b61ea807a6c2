"""The command `surge` itself: a group whose commands stand in the modules beside this one."""

from __future__ import annotations

from typing import Any

import click

from harness.cli.exits import INTERRUPTED, UNREACHABLE, USAGE, complain


class Surge(click.Group):
    """Turns the project's own errors into a message on stderr and the documented exit code, whichever command raised them."""

    def invoke(self, ctx: click.Context) -> Any:
        from harness.safety import Refused
        from harness.scenario.problems import ScenarioError

        try:
            return super().invoke(ctx)
        except ScenarioError as error:
            complain(str(error), USAGE)
        except Refused as error:
            complain(f"Refused by the safety rules, nothing was sent: {error}", UNREACHABLE)
        except KeyboardInterrupt:
            complain("Interrupted.", INTERRUPTED)


@click.group(cls=Surge, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="surge-harness", prog_name="surge")
def main() -> None:
    """Will the site hold when the campaign goes out? Campaigns in marketing's words, surge tests, a breaking point with an interval."""
