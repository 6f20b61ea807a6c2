"""The vocabulary of visits: `Record` (where requests are written down), `Tally` (who came and how it ended), `Strand` (one thing at a
time)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.engine.wire import Outcome

if TYPE_CHECKING:
    from harness.engine.visitors.users import State, Visitor

SNAPSHOTS = 64  # states kept for each dwelling step
FOREVER = float("inf")


class Record(Protocol):
    """Where requests are written down; called for every request, so it must be cheap and never raise. Times: monotonic moments and
    seconds."""

    def sent(self, at: float, sample: int) -> None:
        """A request begins (its connection, if it needs one, not yet made)."""

    def done(
        self,
        sent: float,
        wait: float,
        connect: float,
        tls: float,
        first_byte: float,
        total: float,
        size: int,
        sample: int,
        outcome: int,
        flags: int,
    ) -> None:
        """The same request ended: exactly one `done` for each `sent`. Fields as in wire.DONE_FIELDS."""

    def error(self, sample: int, outcome: int, message: str) -> None:
        """Why a request failed, in bounded words without URLs or values."""

    def lag(self, seconds: float) -> None:
        """A visitor started so many seconds after its due moment."""


class CutOff(BaseException):
    """Thrown into a strand whose visitor must go at once. Not an Exception: nothing on the way may swallow it."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Visitors of this worker so far. started = completed + failed + abandoned + cut_off + present. Scouts and scanners are counted apart.

    abandoned: waited for an answer until the step's timeout and gave up. failed: any other failure. What could not be started at all
    (`due` without `started`) is the driver's to count: it adds to `due` itself when it drops an arrival.
    """

    due: int = 0
    started: int = 0
    completed: int = 0
    failed: int = 0
    abandoned: int = 0
    cut_off: int = 0
    present: int = 0
    scouts: int = 0
    scanners: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scouted:
    """How a scout's visit ended. `outcome` is OK, or the first failure with its sample and message."""

    outcome: Outcome
    sample: int | None = None
    message: str = ""


@dataclass(kw_only=True, slots=True, eq=False)
class Strand:
    """One thing that a visitor does at a time: its journey, a viewer's player, one poll, one of a page's fetchers.

    `go` runs in a lent greenlet and returns the moment of its next turn, or None when it is over.
    """

    visitor: Visitor
    go: Callable[[Strand], float | None]
    timer: Any = None
    hand: Any = None  # the greenlet lent to it while it runs


@dataclass(kw_only=True, slots=True)
class Standing:
    """One think or watch step: who stands in it, and states of visitors who reached it."""

    inside: dict[int, Visitor] = field(default_factory=dict)
    states: deque[State] = field(default_factory=lambda: deque(maxlen=SNAPSHOTS))
    reached: int = 0
