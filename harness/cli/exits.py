"""The exit codes of the contract, and the way out with a complaint."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

READY, NOT_READY, USAGE, INCONCLUSIVE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
VERDICT_CODES = {"ready": READY, "not_ready": NOT_READY, "inconclusive": INCONCLUSIVE}


def complain(message: str, code: int) -> NoReturn:
    """Say on stderr what is wrong, and end."""
    click.echo(message, err=True)
    sys.exit(code)
