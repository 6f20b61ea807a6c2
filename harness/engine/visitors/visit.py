"""In: who is due when, and who is to stand where. Out: visitors under way, counted exactly: `Crew`, all visitors of one worker.

The contract with the driver. A crew is told *who* and *when*; it never decides how many. Nothing here blocks but `scout` and `join`.
All moments are readings of this machine's `time.monotonic()`; the recorder translates them to the master's clock.

A visitor who waits (a think, a viewer between two polls) holds no greenlet, only a timer: ten thousand of them are cheap. A greenlet is
lent to a visitor's strand while it has a request under way (a new greenlet costs ~9 µs and 16 KB of frames on Python 3.11, a lent one ~1
µs).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from greenlet import getcurrent, greenlet

from harness.engine.visitors.strand import FOREVER, SNAPSHOTS, CutOff, Record, Scouted, Standing, Strand, Tally
from harness.engine.wire import Outcome

if TYPE_CHECKING:
    from harness.engine.visitors.users import CompiledJourney, Visitor

log = logging.getLogger("surge.visit")


class Crew:
    """All visitors of one worker. `journeys` in the scenario's order; `seed` is the run's: visitor n does the same in every run with it."""

    def __init__(self, *, journeys: tuple[CompiledJourney, ...], record: Record, seed: int, environment: Any = None) -> None:
        self.journeys, self.record, self.seed, self.environment = journeys, record, seed, environment
        self.tally = Tally()
        self.standings = {(j.number, s): Standing() for j in journeys for s in j.dwelling}
        self.level = FOREVER  # the dial: a visitor whose mark is not below it leaves as soon as it would stand
        self._random = Random(seed)
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        self._idle: list[Any] = []
        self._all: dict[int, Visitor] = {}  # by id(): numbers of scouts and scanners are the driver's own
        self._unnumbered = 1 << 60
        self._empty = Event()
        self._empty.set()

    # What the driver calls

    def arrive(self, number: int, journey: int, due: float, mark: float = 0.0) -> None:
        """Visitor `number`, due at `due`, starts now at the journey's first step. Its randomness is seeded from (seed, number).

        `mark` is the level below which this visitor is not part of the picture, see `lower`.
        """
        self._count()
        visitor = self.journeys[journey].user(self.environment, crew=self, number=number, due=due)
        visitor.mark = mark
        self._start(visitor)

    def place(self, number: int, journey: int, step: int, mark: float = 0.0) -> bool:
        """A visitor stands inside the dwelling step at once, with a copy of the state of one who reached it and a residual time to go.

        False, and nobody is placed, when no visitor has reached that step yet: send scouts first.
        """
        states = self.standings[journey, step].states
        if not states:
            return False
        self._count()
        visitor = self.journeys[journey].user(self.environment, crew=self, number=number, due=monotonic())
        visitor.mark = mark
        visitor.take_over(step, states[int(visitor.dice.random() * len(states))])
        self._start(visitor)
        return True

    def scan(self, number: int, journey: int, due: float) -> None:
        """A mail security scanner opens the journey's first address (nothing else) and leaves; counted in `tally.scanners` only."""
        self.tally.scanners += 1
        self._start(self.journeys[journey].user(self.environment, crew=self, number=number, due=due, scanner=True))

    def standing(self, journey: int, step: int) -> int:
        """How many visitors are inside this think or watch step now."""
        return len(self.standings[journey, step].inside)

    def thin(self, journey: int, step: int, count: int) -> int:
        """Cut off `count` of those inside the step, drawn at random (seeded), or all when there are fewer. Returns how many."""
        inside = self.standings[journey, step].inside
        chosen = self._random.sample(list(inside.values()), min(count, len(inside)))
        for visitor in chosen:
            self.cut(visitor)
        return len(chosen)

    def lower(self, level: float) -> int:
        """Whoever stands with a mark of `level` or more leaves now; returns how many. Others so marked leave where they would stand next.

        So nobody on the way gives up a request because the dial fell, and a backlog does not go on to load the site as if it had not
        fallen.
        """
        self.level = level
        leaving = [v for standing in self.standings.values() for v in standing.inside.values() if v.mark >= level]
        for visitor in leaving:
            self.cut(visitor)
        return len(leaving)

    def scout(self, number: int, journey: int) -> Scouted:
        """One visitor goes through the journey without pauses (a watch is two playlist reads, a segment and one of each poll).

        Blocks the calling greenlet until it is over. Its requests are recorded with FLAG_SCOUT; it leaves its states for `place`.
        """
        self.tally.scouts += 1
        visitor = self.journeys[journey].user(self.environment, crew=self, number=number, due=monotonic(), scout=True)
        self._watch_over(visitor)
        return visitor.trouble or Scouted(outcome=Outcome.OK)

    def cut_all(self) -> None:
        """Everybody leaves at once. Requests under way are recorded as CUT_OFF; `join` afterwards, it takes one turn of the loop."""
        for visitor in list(self._all.values()):
            self.cut(visitor)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until nobody is under way (scouts and scanners included). False when the timeout (s) came first."""
        return bool(self._empty.wait(timeout))

    # What visitors call

    def next_number(self) -> int:
        """A number for a visitor whom nobody has numbered."""
        self._unnumbered += 1
        return self._unnumbered

    def adopt(self, visitor: Visitor) -> None:
        """A user that Locust itself has started goes on its visit as an arrival; blocks until it is over."""
        self._count()
        self._watch_over(visitor)

    def _count(self) -> None:
        self.tally.due += 1
        self.tally.started += 1
        self.tally.present += 1

    def _watch_over(self, visitor: Visitor) -> None:
        """Start a visitor and wait until its visit is over; if the caller is killed meanwhile, the visitor is cut off."""
        visitor.over = Event()
        self._start(visitor)
        try:
            visitor.over.wait()
        finally:
            self.cut(visitor)

    def strand(self, visitor: Visitor, go: Callable[[Strand], float | None], at: float = 0.0) -> Strand:
        """One more strand for this visitor: runs at the moment `at`, or as soon as the loop turns."""
        strand = Strand(visitor=visitor, go=go)
        visitor.strands.append(strand)
        if at:
            self._park(strand, at)
        else:
            self._loop.run_callback(self._wake, strand)
        return strand

    def drop(self, strand: Strand) -> None:
        """End a strand that has no request under way."""
        if strand.timer is not None:
            strand.timer.stop()
            strand.timer = None
        if strand in strand.visitor.strands:
            strand.visitor.strands.remove(strand)

    def resume(self, strand: Strand) -> None:
        """Give a parked strand its turn as soon as the loop turns."""
        if strand.timer is not None:
            strand.timer.stop()
            strand.timer = None
        self._loop.run_callback(self._wake, strand)

    def enter(self, visitor: Visitor, step: int) -> None:
        """A visitor begins to dwell. One in eight leaves a copy of its state, the first 64 all do. Raises CutOff if it must leave."""
        if visitor.mark >= self.level and not visitor.scout:
            visitor.ended = visitor.ended or "cut_off"
            raise CutOff
        standing = self.standings[visitor.journey.number, step]
        if not visitor.scout:
            standing.inside[id(visitor)] = visitor
            visitor.dwells = step
        if visitor.placed_at != step:
            standing.reached += 1
            if standing.reached <= SNAPSHOTS or standing.reached % 8 == 0:
                standing.states.append(visitor.state())

    def leave(self, visitor: Visitor, step: int) -> None:
        """It dwells no longer."""
        self.standings[visitor.journey.number, step].inside.pop(id(visitor), None)
        visitor.dwells = None

    def cut(self, visitor: Visitor) -> None:
        """This visitor leaves at once, wherever it is. Does nothing to one who has left."""
        if id(visitor) not in self._all or visitor.leaving:
            return
        visitor.leaving = True
        visitor.ended = visitor.ended or "cut_off"
        self._disband(visitor)

    # How strands get their turns

    def _start(self, visitor: Visitor) -> None:
        self._all[id(visitor)] = visitor
        self._empty.clear()
        self.strand(visitor, visitor.begin)

    def _park(self, strand: Strand, at: float) -> None:
        if at == FOREVER:
            return
        strand.timer = self._loop.timer(max(0.0, at - monotonic()))
        strand.timer.start(self._wake, strand, update=True)

    def _wake(self, strand: Strand) -> None:
        """In the hub: lend a greenlet. Returns when the strand waits for the network or has ended its turn."""
        strand.timer = None
        if strand not in strand.visitor.strands:
            return
        if self._idle:
            hand = self._idle.pop()
        else:
            hand = greenlet(self._work, self._hub)
            hand.switch()  # a greenlet holds on to the arguments of its start as long as it lives, so it gets none
        hand.switch(strand)

    def _work(self) -> None:
        """What a lent greenlet does, turn after turn. Nothing may escape from here: the hub is its parent."""
        me = getcurrent()
        strand: Strand = self._hub.switch()
        while True:
            strand.hand = me
            try:
                at = strand.go(strand)
            except CutOff:
                at = None
            except Exception as error:  # a fault of ours: counted as the generator's, never lost, never the site's
                at = None
                self._blame_us(strand.visitor, error)
            strand.hand = None
            self._settle(strand, at)
            del strand
            self._idle.append(me)
            strand = self._hub.switch()

    def _blame_us(self, visitor: Visitor, error: Exception) -> None:
        message = f"{type(error).__name__} in the generator: {error}"[:160]
        log.error("a visitor failed by our own fault", exc_info=error)
        self.record.error(max(0, visitor.sample), Outcome.GENERATOR, message)
        visitor.fail(visitor.sample, Outcome.GENERATOR, message)

    def _settle(self, strand: Strand, at: float | None) -> None:
        visitor = strand.visitor
        if at is not None and visitor.ended is None:
            self._park(strand, at)
            return
        visitor.strands.remove(strand)
        if visitor.ended is not None and visitor.strands and not visitor.leaving:
            visitor.leaving = True
            self._disband(visitor)
        elif not visitor.strands:
            self._finish(visitor)

    def _disband(self, visitor: Visitor) -> None:
        for strand in tuple(visitor.strands):
            if strand.hand is None:
                self.drop(strand)
            else:
                self._loop.run_callback(self._throw, strand)
        if not visitor.strands:
            self._finish(visitor)

    def _throw(self, strand: Strand) -> None:
        if strand.hand is not None:
            strand.hand.throw(CutOff)

    def _finish(self, visitor: Visitor) -> None:
        if self._all.pop(id(visitor), None) is None:
            return
        if visitor.dwells is not None:
            self.leave(visitor, visitor.dwells)
        visitor.browser.close()
        if visitor.viewing is not None:  # its strands and it hold each other
            visitor.viewing.strands.clear()
            visitor.viewing = None
        if not (visitor.scout or visitor.scanner):
            ended = visitor.ended or "completed"
            setattr(self.tally, ended, getattr(self.tally, ended) + 1)
            self.tally.present -= 1
        if visitor.over is not None:
            visitor.over.set()
        if not self._all:
            self._empty.set()
