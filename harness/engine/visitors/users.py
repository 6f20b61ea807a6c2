"""In: compiled steps. Out: `CompiledJourney` and its Locust user class: one `Visitor` instance a visit.

Visitors are instances of real Locust `User` classes, one class a journey, weight = share. A crew starts them without Locust's task loop
(`run`, which picks tasks, waits and logs; nothing of it applies to a journey with its own steps): their strands go straight into the
compiled steps. Started by Locust itself, the class's only task hands the visitor to the crew in `environment.crew`, waits for the end and
stops the user.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from locust import User
from locust.exception import StopUser

from harness.engine.browser.client import Browser, Client
from harness.engine.browser.cookies import Cookie
from harness.engine.browser.trouble import Trouble
from harness.engine.visitors.strand import Scouted, Strand
from harness.engine.visitors.visit import Crew
from harness.engine.visitors.words import Dice
from harness.engine.wire import FLAG_SCANNER, FLAG_SCOUT, Outcome

if TYPE_CHECKING:
    from gevent.event import Event

_GAVE_UP = (Outcome.CONNECT_TIMEOUT, Outcome.READ_TIMEOUT)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledStep:
    """One step. `go` takes the visitor's turn at it: None when the step is over, else the moment of its next turn. Raises `Trouble`."""

    line: int
    label: str
    dwells: bool
    sample: int  # of its first request; -1 when it makes none
    go: Callable[[Visitor, Strand], float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A visitor who reached a dwelling step, as far as another one needs it to stand there: variables, cookies, the browser's cache."""

    variables: dict[str, str]
    cookies: tuple[Cookie, ...]
    fetched: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CompiledJourney:
    """One journey. `dwelling` are the numbers of its think and watch steps; `user` is its Locust class."""

    number: int
    name: str
    share: float
    steps: tuple[CompiledStep, ...]
    dwelling: tuple[int, ...]
    client: Client
    user: type[Visitor]


class Visitor(User):  # type: ignore[misc]  # Locust has no types
    """One visit. What a visitor has: a number, its own randomness, variables, cookies, connections, and the step it is at."""

    abstract = True
    journey: ClassVar[CompiledJourney]

    step = 0
    mark = 0.0  # the dial below which it is not part of the picture
    until = 0.0  # the moment when the present pause or watch ends; 0 outside of one
    planned = 0.0  # the moment for which the next request was planned; 0: when it comes
    placed_at: int | None = None  # the dwelling step at which it was put in place
    dwells: int | None = None
    sample = -1
    leaving = False
    ended: str | None = None  # the field of Tally that counts it
    trouble: Scouted | None = None
    over: Event | None = None
    fetched: frozenset[str] = frozenset()  # what its pages needed so far: a browser's cache
    viewing: Any = None  # while it watches

    def __init__(
        self, environment: Any, *, crew: Crew | None = None, number: int = 0, due: float = 0.0, scout: bool = False, scanner: bool = False
    ) -> None:
        super().__init__(environment)
        if crew is None:  # made by Locust itself
            crew = environment.crew
            number, due = crew.next_number(), monotonic()
        assert crew is not None
        self.crew, self.number, self.scout, self.scanner = crew, number, scout, scanner
        self.planned = due
        self.dice: Any = Dice(crew.seed, number)  # what random.Random has and a visitor needs
        self.variables: dict[str, str] = {}
        self.strands: list[Strand] = []
        self.browser = Browser(self.journey.client, crew.record, FLAG_SCOUT if scout else FLAG_SCANNER if scanner else 0)

    def begin(self, strand: Strand) -> float | None:
        """The first turn of the visitor's main strand: how late it is goes on record."""
        if not self.scout and self.placed_at is None:
            self.crew.record.lag(monotonic() - self.planned)
        strand.go = self.advance
        return self.advance(strand)

    def advance(self, strand: Strand) -> float | None:
        """Go on through the journey until something has to be waited for (the moment is returned) or it is over (None)."""
        steps = self.journey.steps
        try:
            while self.step < len(steps):
                step = steps[self.step]
                self.sample = step.sample
                at = step.go(self, strand)
                if at is not None:
                    return at
                if self.ended is not None or (self.scanner and step.sample >= 0):
                    return None
                self.step += 1
        except Trouble as trouble:
            if trouble.sample < 0:  # nothing was sent: no request tells of it
                trouble.sample = self.sample
                self.crew.record.error(self.sample, trouble.outcome, trouble.message)
            self.fail(trouble.sample, trouble.outcome, trouble.message)
        return None

    def fail(self, sample: int, outcome: Outcome, message: str) -> None:
        """The visit is over for this reason; the first one counts."""
        if self.ended is None:
            self.ended = "abandoned" if outcome in _GAVE_UP else "failed"
            self.trouble = Scouted(outcome=outcome, sample=sample, message=message)

    def state(self) -> State:
        """What a visitor placed at this step needs to go on from here."""
        return State(variables=dict(self.variables), cookies=self.browser.jar.state, fetched=self.fetched)

    def take_over(self, step: int, state: State) -> None:
        """Stand at this step with a copy of another visitor's state."""
        self.step = self.placed_at = step
        self.variables = dict(state.variables)
        self.fetched = state.fetched
        self.browser.jar.restore(state.cookies)

    def visit(self) -> None:
        """The task of the Locust class, for a user that Locust started itself."""
        self.crew.adopt(self)
        raise StopUser


def user_class(name: str, share: float, host: str) -> type[Visitor]:
    """A Locust class for one journey; the compiler sets its `journey`."""
    namespace = {"tasks": [Visitor.visit], "weight": share * 100, "host": host, "abstract": False, "__module__": __name__}
    return type("".join(part.capitalize() for part in name.split()) or "Journey", (Visitor,), namespace)
