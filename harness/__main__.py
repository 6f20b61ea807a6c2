"""`python -m harness` is `surge`."""

from harness.cli import main

main()
