"""In: a few knobs (`Settings`). Out: a small campaign site in its own process, whose true capacity is known.

    settings → the knobs and their arithmetic      routes → what the site answers, and which answers cost work
    pool, limiter → the capacity, pure             live → playlist, segments, questions as functions of the clock
    pages, store → HTML and pictures, SQLite       app, server → ASGI and its process
    process → `Site`, starts and stops it          capacity → visitors/s that a scenario's promises can bear here

A first run is pointed at it, and the tests compare what a surge found with what is true.
"""

from harness.demo.process import Site, SiteFailed
from harness.demo.settings import Settings

__all__ = ["Settings", "Site", "SiteFailed"]
