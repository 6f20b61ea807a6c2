"""In: this machine's range of local ports, and how many connections leave. Out: whether they will run out, in words.

A closed connection keeps its port for a minute (TIME_WAIT), for each source address and target: ~28,000 ports are ~470 new connections
a second. Linux lifts this on loopback (tcp_tw_reuse = 2), where ports come back at once.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

TIME_WAIT = 60.0  # s
WARN = 0.8  # of the budget
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_REUSE = Path("/proc/sys/net/ipv4/tcp_tw_reuse")


def budget(*, loopback: bool, addresses: int = 1, ports: Path = _RANGE, reuse: Path = _REUSE) -> float | None:
    """New connections/s that can go on for ever to one target; None where there is no such limit, or where the system does not tell."""
    try:
        low, high = map(int, ports.read_text().split())
        mode = int(reuse.read_text())
    except (OSError, ValueError):
        return None
    if mode == 1 or (mode == 2 and loopback):
        return None
    return (high - low + 1) * addresses / TIME_WAIT


class PortWatch:
    """Counts new connections over the last minute and speaks once, before the ports are gone."""

    def __init__(self, per_second: float | None) -> None:
        self._allowed = None if per_second is None else per_second * TIME_WAIT
        self._seen: deque[tuple[float, int]] = deque()
        self._sum = 0
        self._spoken = False

    def look(self, at: float, fresh: int) -> str | None:
        """`fresh` connections were made around run second `at`. A sentence the first time that four fifths of the ports are taken."""
        self._seen.append((at, fresh))
        self._sum += fresh
        while self._seen[0][0] <= at - TIME_WAIT:
            self._sum -= self._seen.popleft()[1]
        if self._allowed is None or self._spoken or self._sum <= WARN * self._allowed:
            return None
        self._spoken = True
        return (
            f"{self._sum:,} connections of the last minute hold {self._sum / self._allowed:.0%} of this machine's local ports: "
            "widen net.ipv4.ip_local_port_range, allow net.ipv4.tcp_tw_reuse, or lend another machine"
        )
