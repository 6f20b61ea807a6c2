"""In: argv. Out: an exit code. The only place that prints, exits or reads the environment; every command imports what it needs and no more.

Exit codes: 0 ready · 1 not ready · 2 usage or scenario error · 3 inconclusive · 4 unreachable or refused by the safety rules ·
130 interrupted. Results go to stdout, progress and complaints to stderr; with --json stdout holds the result and nothing else.
"""

from harness.cli import records, running, scenarios
from harness.cli.group import main

__all__ = ["main", "records", "running", "scenarios"]
