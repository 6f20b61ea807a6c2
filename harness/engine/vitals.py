"""In: this very process. Out: how it fares: share of a core, lateness of its event loop, descriptors, memory. For workers: needs gevent.

A generator that is out of breath measures itself and not the site: these numbers decide whether a run may be believed.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import gevent

TICK = 0.01  # s between two looks at the event loop
_PAGE = resource.getpagesize()
_OPEN = Path("/proc/self/fd")


def raise_descriptor_limit() -> int:
    """Lift the soft limit of open files to the hard one; returns what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS names a hard limit that it does not grant
            return soft
    return hard if hard != resource.RLIM_INFINITY else 1 << 30


def open_descriptors() -> int:
    """Open files and sockets of this process. Linux tells the number as the size of a directory (6.2 and later), else it is counted."""
    try:
        return _OPEN.stat().st_size or sum(1 for _ in _OPEN.iterdir())
    except OSError:
        return sum(1 for _ in Path("/dev/fd").iterdir())


def resident_mb() -> float:
    """Resident memory in MB; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE / 1e6
    except OSError:
        return 0.0


class Vitals:
    """Watches the event loop from a greenlet of its own; `cpu` and `lateness` are told since the last time they were asked."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._wall = time.monotonic()
        self._busy = time.process_time()

    def watch(self) -> None:
        """Runs for ever: how much later than asked does the event loop come back? A loop held for 300 ms shows as 300 ms."""
        while True:
            before = time.monotonic()
            gevent.sleep(TICK)
            self._worst = max(self._worst, time.monotonic() - before - TICK)

    def lateness(self) -> float:
        """The longest lateness in seconds since the last call."""
        worst, self._worst = self._worst, 0.0
        return worst

    def cpu(self) -> float:
        """Share of one core since the last call."""
        wall, busy = time.monotonic(), time.process_time()
        share = (busy - self._busy) / max(wall - self._wall, 1e-6)
        self._wall, self._busy = wall, busy
        return share
