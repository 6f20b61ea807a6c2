"""Tests. A package only so that its simulation can be run: `python -m tests.sim.table`."""
