"""In: a `watch` step. Out: its closure: a viewer with a player and polls, each on its own schedule and connection, like the scripts of a
page.

The player reads the media playlist once a target duration, after half of it when nothing was new (RFC 8216 section 6.3.4), and fetches
each new segment once. A poll goes out every `every` seconds from a random phase; while its last request is unanswered it skips its turns,
as polling scripts do. A failed poll, segment or playlist is a failed request and the viewer goes on; three failed playlists in a row end
the visit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from harness.engine.browser.client import Answer, Client
from harness.engine.browser.origin import Origin
from harness.engine.browser.trouble import Trouble
from harness.engine.visitors.call import Call, place_of
from harness.engine.visitors.playlist import TARGET, Playlist, parse
from harness.engine.visitors.strand import FOREVER, Strand
from harness.engine.wire import Outcome
from harness.scenario.model import Poll, Watch

if TYPE_CHECKING:
    from harness.engine.visitors.users import Visitor

PATIENCE = 3  # failed playlists in a row before a viewer leaves
BUFFER = 3  # segments that a player fetches when it starts (RFC 8216 section 6.3.3: not closer than three target durations to the end)
KEPT = 16  # playlists remembered: all viewers read nearly the same one


class Reader:
    """Playlists parsed, the last few remembered. `target` is the target duration seen last: the phase of a viewer who is put in
    mid-view."""

    def __init__(self) -> None:
        self.target = TARGET
        self._known: dict[tuple[str, bytes], Playlist] = {}

    def judge(self, judge: Callable[[Answer], Trouble | None]) -> Callable[[Answer], Trouble | None]:
        """An answer that is no playlist is a failed check."""

        def judge_both(answer: Answer) -> Trouble | None:
            trouble = judge(answer)
            if trouble is None and self.read(answer) is None:
                return Trouble(Outcome.CHECK_FAILED, "the answer is not a playlist")
            return trouble

        return judge_both

    def read(self, answer: Answer) -> Playlist | None:
        """The playlist in an answer."""
        key = (answer.url, answer.raw)
        known = self._known.get(key)
        if known is None:
            known = parse(answer.text, answer.url)
            if known is None:
                return None
            while len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = known
            if known.variant is None:
                self.target = known.target
        return known


@dataclass(kw_only=True, slots=True, eq=False)
class Player:
    """One viewer's player. `due` is the moment of its next turn; `last` the number of the newest segment it has seen."""

    client: Client
    reader: Reader
    playlist: Call
    segment: Call
    due: float
    joined: bool  # False: the viewer was in mid-view already, its buffer is full
    last: int | None = None
    failures: int = 0
    source: tuple[Origin, str] | None = None  # the media playlist, once a master playlist has named it
    stored: list[str] = field(default_factory=list)  # segments of a recording, still to be fetched
    recording: bool = False

    def turn(self, visitor: Visitor) -> float | None:
        """Read the playlist, fetch what is new. The moment of the next turn, or None when there is nothing more to come."""
        began = max(self.due, monotonic() - 1.0) if self.due else monotonic()
        if self.recording:
            return self._next_of_recording(visitor)
        try:
            listed = self._read(visitor)
        except Trouble as trouble:
            self.failures += 1
            if self.failures >= PATIENCE:
                visitor.fail(trouble.sample, trouble.outcome, trouble.message)
                return None
            self.due = monotonic() + self.reader.target / 2
            return self.due
        self.failures = 0
        new = self._news(listed)
        if listed.ended:
            self.recording, self.stored = True, list(listed.segments)
            return self._next_of_recording(visitor)
        for url in new:
            self.fetch(visitor, url)
        self.due = max(monotonic(), began + (listed.target if new else listed.target / 2))
        return self.due

    def _read(self, visitor: Visitor) -> Playlist:
        for _ in range(3):
            if self.source is None:
                answer = self.playlist.make(visitor, planned=self.due)
            else:
                answer = self.playlist.make_at(visitor, *self.source, planned=self.due)
            visitor.variables.update(answer.taken or {})
            listed = self.reader.read(answer)
            assert listed is not None
            if listed.variant is None:
                return listed
            self.source, self.due = place_of(self.client, "", listed.variant), 0.0
        raise Trouble(Outcome.CHECK_FAILED, "a master playlist names another one")

    def _news(self, listed: Playlist) -> tuple[str, ...]:
        newest = listed.first + len(listed.segments) - 1
        known, self.last = self.last, newest
        if known is None:
            # A viewer in mid-view finds one new segment at every reading. Were it told "nothing new", it would read again after half the
            # target and, like all who were put in place with it, end up in the same half of the stream's cycle: a wave of our own making.
            return listed.segments[-BUFFER:] if self.joined else listed.segments[-1:]
        if newest < known:  # the stream was started again
            return listed.segments[-1:]
        return listed.segments[max(0, known + 1 - listed.first) :]

    def fetch(self, visitor: Visitor, url: str) -> None:
        """One segment; a failure is on record and the player goes on."""
        with suppress(Trouble):
            self.segment.make_at(visitor, *place_of(self.client, "", url))

    def _next_of_recording(self, visitor: Visitor) -> float | None:
        if not self.stored:
            return None
        self.fetch(visitor, self.stored.pop(0))
        self.due = max(monotonic(), (self.due or monotonic()) + self.reader.target)
        return self.due


@dataclass(kw_only=True, slots=True, eq=False)
class Viewing:
    """One visitor's stay in a watch step: its strands besides the visitor's own, and whether the time is up."""

    main: Strand
    strands: list[Strand] = field(default_factory=list)
    over: bool = False

    def guard(self, turn: Callable[[], float | None]) -> Callable[[Strand], float | None]:
        """A strand's turn, which ends with the stay; the last one to end wakes the visitor's own strand."""

        def go(strand: Strand) -> float | None:
            at = turn()
            if at is not None and not self.over:
                return at
            self.strands.remove(strand)
            if self.over and not self.strands:
                strand.visitor.crew.resume(self.main)
            return None

        return go

    def close(self, visitor: Visitor) -> bool:
        """The time is up: what waits, ends. True when nothing is under way any more."""
        self.over = True
        for strand in tuple(self.strands):
            if strand.hand is None:
                visitor.crew.drop(strand)
                self.strands.remove(strand)
        return not self.strands


def compile_watch(
    client: Client, step: Watch, number: int, playlist: Callable[[Reader], Call], segment: Call, polls: tuple[tuple[Poll, Call], ...]
) -> Callable[[Visitor, Strand], float | None]:
    """The closure of one watch step. Scouts read the playlist twice, the newest segment and each poll once; scanners the playlist once."""
    reader = Reader()
    call = playlist(reader)

    def start(visitor: Visitor, strand: Strand) -> float:
        now, dice, placed = monotonic(), visitor.dice, visitor.placed_at == number
        visitor.until = now + (step.duration.residual(dice) if placed else step.duration.draw(dice.random()))
        visitor.viewing = viewing = Viewing(main=strand)
        due = now + dice.random() * reader.target if placed else now
        player = Player(client=client, reader=reader, playlist=call, segment=segment, due=due, joined=not placed)
        viewing.strands.append(visitor.crew.strand(visitor, viewing.guard(lambda: player.turn(visitor)), due))
        for poll, ask in polls:
            first = now + dice.random() * poll.every
            turn = viewing.guard(_polling(visitor, ask, poll.every, first))
            viewing.strands.append(visitor.crew.strand(visitor, turn, first))
        return visitor.until

    def hurry(visitor: Visitor) -> None:
        player = Player(client=client, reader=reader, playlist=call, segment=segment, due=0.0, joined=True)
        listed = player._read(visitor)
        if visitor.scanner:
            return
        listed = player._read(visitor)
        if listed.segments:
            segment.make_at(visitor, *place_of(client, "", listed.segments[-1]))
        for _, ask in polls:
            ask.make(visitor)

    def go(visitor: Visitor, strand: Strand) -> float | None:
        if visitor.scout:
            visitor.crew.enter(visitor, number)
        if visitor.scout or visitor.scanner:
            hurry(visitor)
            return None
        viewing = visitor.viewing
        if viewing is None:
            visitor.crew.enter(visitor, number)
            return start(visitor, strand)
        if not viewing.close(visitor):
            return FOREVER
        visitor.crew.leave(visitor, number)
        visitor.viewing, visitor.until = None, 0.0
        return None

    return go


def _polling(visitor: Visitor, ask: Call, every: float, first: float) -> Callable[[], float]:
    due = first

    def turn() -> float:
        nonlocal due
        with suppress(Trouble):  # it is on record
            ask.make(visitor, planned=due)
        due += every * max(1, ceil((monotonic() - due) / every))
        return due

    return turn
