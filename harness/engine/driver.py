"""In: orders, the turns of the dial, and who of the workers lives. Out: visitors of this worker's crew, each started at its due moment.

The driver sleeps until the next due moment, never for an interval. A visitor that is late is started late and its lag is recorded; it is
dropped, and counted, only when this process has no descriptors left or more visitors than it can hold.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import gevent
from gevent.event import Event
from greenlet import getcurrent

from harness.campaigns.arrivals import Dial, arrivals
from harness.engine.clock import Clock
from harness.engine.mission import Orders
from harness.engine.standing import Place, Shards, mark_of, places
from harness.engine.visitors.visit import Crew
from harness.engine.vitals import open_descriptors

BREATH = 20  # visitors started in one go before the event loop may serve the others
MEMORY = 30.0  # s for which the arrivals that others own are remembered, should one of them turn out to be lost
SPARE = 200  # descriptors kept for everything but visitors
CONNECTIONS = 10  # descriptors that one more visitor may need: a page opens up to six at once
FAR = 3600.0  # s; nobody sleeps longer without a look
CROWD = 60_000  # visitors of one worker: about a GB
_NEVER = math.inf
_DWELLERS = 1 << 40  # numbers of dwellers begin here, far from any arrival's


class Stream:
    """One endless sequence of arrivals on the dialled rate; `per_dial` arrivals a second for every unit of the dial."""

    def __init__(self, seed: int, shares: Sequence[float], name: str, per_dial: float) -> None:
        self.dial = Dial()
        self.scanners = name == "scanners"
        self.number = 0
        self.due = _NEVER
        self.passed: deque[tuple[int, float]] = deque()  # arrivals of other workers, for the account of one that is lost
        self._per_dial = per_dial
        self._source = arrivals(seed, shares, stream=name)
        self._unit, self.journey = next(self._source)

    def level(self, at: float) -> float:
        """The dial at run second `at`."""
        return self.dial.rate(at) / self._per_dial

    def turn(self, at: float, rate: float) -> None:
        """The dial stands at `rate` from run second `at` on."""
        self.dial.set(at, rate * self._per_dial)
        self._aim()

    def advance(self) -> None:
        """On to the next arrival."""
        self.number += 1
        self._unit, self.journey = next(self._source)
        self._aim()

    def _aim(self) -> None:
        due = self.dial.due(self._unit)
        self.due = _NEVER if due is None else due


class Driver:
    """One worker's share of the arrivals. `descriptors` is this process's limit."""

    def __init__(self, orders: Orders, *, shard: int, shards: int, clock: Clock, crew: Crew, descriptors: int) -> None:
        self.shard = shard
        self.shards = Shards(shards)
        self.dropped = 0
        self.notes: list[str] = []
        self.stopped = False
        self._clock = clock
        self._crew = crew
        self._seed = orders.seed
        self._limit = descriptors - SPARE
        shares = [j.share for j in orders.scenario.journeys]
        self._visitors = Stream(orders.seed, shares, "visitors", orders.arrivals)
        self._scanners = Stream(orders.seed, shares, "scanners", orders.scanners)
        self._places = places(orders.dwelling, orders.seed)
        self._dial = 0.0
        self._acts: list[tuple[float, int, Callable[[], None]]] = []
        self._acted = 0
        self._loop = gevent.get_hub().loop
        self._asleep: tuple[Any, Any] | None = None  # the greenlet of `run` while it sleeps, and its timer
        self._unlooked = 0  # visitors that may still start before the open descriptors are counted again
        self._waiting: deque[tuple[Place, int]] = deque()  # dwellers to be seated
        self._seats = Event()
        self._unreached: set[tuple[int, int]] = set()

    # What the worker asks of it

    def turn(self, at: float, rate: float) -> None:
        """From run second `at` on the dial stands at `rate`. `at` should lie a little ahead, so that every worker turns at once."""
        self._visitors.turn(at, rate)
        self._scanners.turn(at, rate)
        self._plan(at, lambda: self._scale(at, rate))

    def reshard(self, at: float, living: Sequence[int], lost: int, reported: Sequence[int]) -> None:
        """From `at` on the `living` own what was worker `lost`'s, which had accounted for its arrivals below the `reported` number."""
        before = self.shards.copy()
        self.shards.change(at, living)
        self._plan(at, lambda: self._take_over(at, before, lost, reported[0]))

    def halt(self) -> None:
        """No further visitor starts here, ever; those present stay until they end or are cut off."""
        self.stopped = True
        self._waiting.clear()
        self._wake()

    def reached(self) -> tuple[int, int]:
        """Numbers of the next arrivals, visitors and scanners: everything below has been accounted for here."""
        return self._visitors.number, self._scanners.number

    # The two greenlets

    def run(self, trusted: Callable[[], bool]) -> None:
        """Start every arrival at its due moment, until `halt`. While `trusted()` is False nothing overdue starts.

        A process that was frozen and wakes up finds its whole backlog due at once: others have taken it over, it must not come twice.
        """
        started = 0
        while not self.stopped:
            stream = self._visitors if self._visitors.due <= self._scanners.due else self._scanners
            act = self._acts[0][0] if self._acts else _NEVER
            upcoming = min(stream.due, act)
            ahead = upcoming - self._clock.now()
            if ahead > 0:
                self._sleep(ahead)
                started = 0
            elif ahead < -1.0 and not trusted():
                gevent.sleep(0.05)
            elif act <= stream.due:
                heapq.heappop(self._acts)[2]()
            else:
                self._arrive(stream)
                started += 1
                if started % BREATH == 0:
                    gevent.sleep(0)

    def seat(self) -> None:
        """Put dwellers in place, a few at a time, so that no arrival waits for a thousand of them. Runs for ever."""
        while True:
            self._seats.wait()
            self._seats.clear()
            while self._waiting:
                for _ in range(min(BREATH, len(self._waiting))):
                    self._settle(*self._waiting.popleft())
                gevent.sleep(0)

    def _sleep(self, seconds: float) -> None:
        """Until so many seconds have passed or `_wake` is called. A bare timer: an Event with a timeout costs four times as much."""
        me = getcurrent()
        timer = self._loop.timer(seconds if seconds < _NEVER else FAR)
        self._asleep = me, timer
        timer.start(me.switch, update=True)  # the loop may have been busy since it last looked at the clock
        try:
            gevent.get_hub().switch()
        finally:
            timer.close()
            self._asleep = None

    def _wake(self) -> None:
        if self._asleep is not None:
            (sleeper, timer), self._asleep = self._asleep, None
            timer.stop()  # else it would be woken twice
            self._loop.run_callback(sleeper.switch)

    def _arrive(self, stream: Stream) -> None:
        number, due, journey = stream.number, stream.due, stream.journey
        stream.advance()
        if self.shards.owner(number, due) != self.shard:
            stream.passed.append((number, due))
            while stream.passed[0][1] < due - MEMORY:
                stream.passed.popleft()
        elif not self._room():
            self._drop(0 if stream.scanners else 1)
        elif stream.scanners:
            self._crew.scan(number, journey, self._clock.locally(due))
        else:
            self._crew.arrive(number, journey, self._clock.locally(due), mark_of(number, stream.level(due), self._seed))

    def _room(self) -> bool:
        """Whether one more may come. Descriptors are counted for every visitor where they run short, else for every twentieth."""
        if self._unlooked <= 0:
            self._unlooked = min(BREATH, (self._limit - open_descriptors()) // CONNECTIONS)
        self._unlooked -= 1
        return self._unlooked >= 0 and self._crew.tally.present < CROWD

    def _drop(self, visitors: int) -> None:
        self._crew.tally.due += visitors
        self.dropped += visitors

    # The dial

    def _plan(self, at: float, act: Callable[[], None]) -> None:
        self._acted += 1
        heapq.heappush(self._acts, (at, self._acted, act))
        self._wake()

    def _scale(self, at: float, rate: float) -> None:
        before, self._dial = self._dial, rate
        if rate < before:
            self._waiting = deque(seat for seat in self._waiting if seat[0].mark(seat[1]) < rate)
            self._crew.lower(rate)
            return
        self._crew.level = rate
        for place in self._places:
            new = range(place.count(before), place.count(rate))
            self._waiting.extend((place, k) for k in new if self.shards.owner(k + place.salt, at) == self.shard)
        self._seats.set()

    def _settle(self, place: Place, k: int) -> None:
        if not self._room():
            self._drop(1)
        elif not self._crew.place(_DWELLERS + (place.salt << 24) + k, place.journey, place.step, place.mark(k)):
            where = (place.journey, place.step)
            if where not in self._unreached:
                self._unreached.add(where)
                self.notes.append(
                    f"no scout got as far as step {place.step + 1} of journey {place.journey + 1}: nobody stands in it from the start"
                )

    def _take_over(self, at: float, before: Shards, lost: int, reported: int) -> None:
        """Count what the lost worker can no longer have told (once, by the first of the living), and seat its dwellers anew."""
        if self.shards.first(at) == self.shard:
            self._drop(sum(1 for n, due in self._visitors.passed if n >= reported and due < at and before.owner(n, due) == lost))
        for place in self._places:
            theirs = [k for k in range(place.count(self._dial)) if before.owner(k + place.salt, at) == lost]
            self._waiting.extend((place, k) for k in theirs if self.shards.owner(k + place.salt, at) == self.shard)
        self._seats.set()
