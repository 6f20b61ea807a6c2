"""In: the parent's commands and the workers' parts. Out: a frame each half second to the parent, turns of the dial to all workers at once.

Runs beside the Locust master. A worker is one of ours when it says hello with the run's token in the run's version, in time; any other is
refused and told why. One that falls silent, or whose process the parent saw die, is lost: its arrivals go to the survivors from then on,
and nothing that it may still send is counted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import Queue

from harness.engine.link import Link, LinkClosed
from harness.engine.roster import Hand, Roster
from harness.engine.wire import BEAT

PATIENCE = 0.25  # s after a window's end that a worker's part is waited for; what is later goes with the next window
SILENCE = 2.5  # s without a word after which a worker is lost
UNWATCHED = 6.0  # s without a look from the parent (suspended, hung) after which the load ends: nobody hits a site that nobody watches
RUNNING = 3.0  # s that Locust may take to call itself running; if it does not, only its own page is wrong
LEAD = 0.03  # s that a turn of the dial lies ahead, so that every worker has heard of it when it takes effect; more on slow links

log = logging.getLogger("surge.master")

Post = Callable[[str, dict[str, Any], str], None]
"""(kind, message, client id): to one worker."""


class Conductor:
    """The master's side. `post` sends to one worker; `leave` ends this process; `port` is where workers connect."""

    def __init__(
        self,
        link: Link,
        post: Post,
        *,
        port: int,
        leave: Callable[[], None],
        on_begin: Callable[[list[tuple[str, str]]], None],
        on_part: Callable[[bytes], None],
        make_running: Callable[[], bool],
        dismiss: Callable[[str], None],
    ) -> None:
        self._link = link
        self._post = post
        self._port = port
        self._leave = leave
        self._on_begin = on_begin
        self._on_part = on_part
        self._make_running = make_running
        self._dismiss = dismiss
        self._orders = b""
        self._roster = Roster(token="", local=0, lent=0)
        self._zero: float | None = None
        self._turns: list[tuple[float, float]] = [(0.0, 0.0)]
        self._parts: list[dict[str, Any]] = []
        self._notes: list[str] = []
        self._arrived = Event()
        self._watched = 0.0
        self._draining = self._leaving = False
        self._outbox: Queue[dict[str, Any]] = Queue()
        self._open = Event()
        self.handlers: dict[str, Callable[[str, Mapping[str, Any]], None]] = {
            "surge_hello": self._on_hello,
            "surge_ping": self._on_ping,
            "surge_ready": self._on_ready,
            "surge_scouted": self._on_scouted,
            "surge_part": self._on_part_message,
        }

    def run(self) -> None:
        """Follow the parent until it lets go. In a greenlet of its own."""
        gevent.spawn(self._write)
        self._tell(kind="listening", port=self._port)
        try:
            while True:
                message = self._link.receive(None)
                assert message is not None
                if message["kind"] == "quit":
                    break
                getattr(self, "_do_" + message["kind"])(message)
        except LinkClosed:
            log.error("the parent has gone: the run ends here")
        self._leaving = True
        self._leave()

    def hear(self, kind: str, client: str, message: Mapping[str, Any] | None) -> None:
        """Every message of a worker comes through here; must not block."""
        hand = self._roster.known(client)
        if hand is None:
            if kind == "surge_hello":
                self._on_hello(client, message or {})
            return
        if hand.lost:
            if kind != "surge_ping":
                self._refuse(client, f"{hand.name} was silent for too long and counts as lost: its arrivals have gone to others")
            return
        hand.heard = time.monotonic()
        self.handlers[kind](client, message or {})

    def stranger(self, client: str) -> None:
        """A Locust worker has connected; if it never says hello it is none of ours."""

        def judge() -> None:
            gevent.sleep(5.0)
            if self._roster.known(client) is None:
                log.error("a Locust worker that is not part of this run has connected (%s): it is asked to leave", client)
                self._notes.append("a foreign Locust worker connected and was refused")
                self._dismiss(client)

        gevent.spawn(judge)

    def stopped_by_hand(self) -> None:
        """Somebody pressed "stop" on Locust's own page, or every worker has gone."""
        if not self._leaving:
            self._tell(kind="stopped")

    # ---- the parent's commands ----

    def _do_muster(self, message: Mapping[str, Any]) -> None:
        self._orders = message["orders"]
        self._roster = Roster(token=message["token"], local=message["local"], lent=message["lent"])
        self._on_begin([(name, method) for name, method in message["samples"]])
        self._open.set()

    def _do_scout(self, message: Mapping[str, Any]) -> None:
        self._make_running()
        self._broadcast("surge_scout", {})

    def _do_begin(self, message: Mapping[str, Any]) -> None:
        deadline = time.monotonic() + RUNNING
        while not self._make_running() and time.monotonic() < deadline:
            gevent.sleep(0.01)
        self._zero = time.monotonic() + 2 * self._lead()
        self._watched = time.monotonic()
        for hand in self._roster.hands:
            hand.heard = time.monotonic()
        self._broadcast("surge_begin", {"zero": self._zero})
        gevent.spawn(self._assemble)

    def _do_dial(self, message: Mapping[str, Any]) -> None:
        if self._draining:
            return
        at = self._now() + self._lead()
        self._turns.append((at, message["rate"]))
        self._broadcast("surge_dial", {"at": at, "rate": message["rate"]})

    def _do_drain(self, message: Mapping[str, Any]) -> None:
        self._draining = True
        at = self._now() + self._lead()
        self._turns.append((at, 0.0))
        self._broadcast("surge_drain", {"at": at, "grace": message["grace"]})

    def _do_seen(self, message: Mapping[str, Any]) -> None:
        self._watched = time.monotonic()

    def _do_gone(self, message: Mapping[str, Any]) -> None:
        for hand in self._roster.hands:
            if hand.pid == message["pid"] and hand.host == message["host"] and not hand.lost:
                self._lose(hand, message["why"])

    # ---- the workers' messages ----

    def _on_hello(self, client: str, message: Mapping[str, Any]) -> None:
        if not self._open.is_set():
            return  # the parent has not spoken yet; the worker asks again in a second
        hand = self._roster.admit(client, message)
        if isinstance(hand, str):
            self._refuse(client, hand)
            self._notes.append(f"a worker on {message.get('host', '?')} was refused: {hand}")
            return
        hand.heard = time.monotonic()
        self._post("surge_mission", {"orders": self._orders, "shard": hand.shard, "shards": self._roster.size}, client)

    def _on_ping(self, client: str, message: Mapping[str, Any]) -> None:
        self._post("surge_pong", {"asked": message["asked"], "answered": time.monotonic()}, client)

    def _on_ready(self, client: str, message: Mapping[str, Any]) -> None:
        hand = self._roster.of(client)
        hand.ready = True
        self._tell(kind="ready", name=hand.name, host=hand.host, pid=hand.pid, trouble=message["trouble"])

    def _on_scouted(self, client: str, message: Mapping[str, Any]) -> None:
        self._tell(kind="scouted", name=self._roster.of(client).name, **message)

    def _on_part_message(self, client: str, message: Mapping[str, Any]) -> None:
        hand = self._roster.of(client)
        hand.tally, hand.reached = dict(message["tally"]), list(message["reached"])
        hand.slowest = message["uncertain_ms"] / 1000
        hand.latest = max(hand.latest, message["number"])
        hand.drained = bool(message["last"])
        self._parts.append({**message, "name": hand.name})
        self._on_part(message["done"])
        self._arrived.set()

    # ---- windows ----

    def _assemble(self) -> None:
        number = 0
        while True:
            end = (number + 1) * BEAT
            gevent.sleep(max(0.0, end - self._now()))
            while self._now() < end + PATIENCE and not self._whole(number):
                self._arrived.clear()
                self._arrived.wait(0.02)
            for hand in self._roster.hands:
                if not hand.lost and not hand.drained and time.monotonic() - hand.heard > SILENCE:
                    self._lose(hand, f"not heard of for {SILENCE:g} s")
            over = all(h.lost or h.drained for h in self._roster.hands)
            if time.monotonic() - self._watched > UNWATCHED and not self._draining:
                log.error("the parent has looked at no window for %g s: the load ends here", UNWATCHED)
                self._notes.append(f"nobody looked at the run for {UNWATCHED:g} s, so its load was ended")
                self._do_drain({"grace": 5.0})
            self._window(number, end, over)
            if over:
                return
            number += 1

    def _whole(self, number: int) -> bool:
        return all(h.lost or h.drained or h.latest >= number for h in self._roster.hands)

    def _window(self, number: int, end: float, over: bool) -> None:
        parts = [part for part in self._parts if over or part["number"] <= number]  # a late master has heard of the next window already
        self._parts = [part for part in self._parts if not over and part["number"] > number]
        notes, self._notes = self._notes, []
        self._tell(
            kind="window",
            number=number,
            at=end - BEAT,
            seconds=BEAT,
            dial=self._mean_dial(end - BEAT, end),
            parts=parts,
            whole=self._whole(number),
            tallies=[{**h.tally, "lost": h.lost} for h in self._roster.hands],
            living=[h.name for h in self._roster.hands if not h.lost],
            names=[h.name for h in self._roster.hands],
            notes=notes,
            over=over,
            all_lost=all(h.lost for h in self._roster.hands),
        )

    def _mean_dial(self, start: float, end: float) -> float:
        whole = 0.0
        for (since, rate), (until, _) in zip(self._turns, [*self._turns[1:], (end, 0.0)], strict=True):
            whole += rate * max(0.0, min(until, end) - max(since, start))
        while len(self._turns) > 1 and self._turns[1][0] <= start:
            self._turns.pop(0)
        return whole / (end - start)

    def _lose(self, hand: Hand, why: str) -> None:
        hand.lost = True
        living = [h for h in self._roster.hands if not h.lost]
        log.error("%s was lost (%s)", hand.name, why)
        if self._zero is None:
            self._tell(kind="lost", name=hand.name, why=why)
            return
        heirs = " and ".join(h.name for h in living)
        self._notes.append(
            f"{hand.name} was lost at {self._now():.0f} s ({why}); " + (f"its arrivals go to {heirs}" if heirs else "nobody is left")
        )
        at = self._now() + self._lead()
        for heir in living:
            order = {"at": at, "living": [h.shard for h in living], "lost": hand.shard, "reported": hand.reached}
            self._post("surge_shards", order, heir.client)
        self._refuse(hand.client, f"{hand.name} counts as lost ({why}): its arrivals have gone to others")
        self._arrived.set()

    # ---- small change ----

    def _now(self) -> float:
        assert self._zero is not None
        return time.monotonic() - self._zero

    def _lead(self) -> float:
        """Long enough for the slowest worker to hear: four times its way, at most half a second."""
        return min(0.5, max(LEAD, 4 * max((h.slowest for h in self._roster.hands), default=0.0)))

    def _broadcast(self, kind: str, message: dict[str, Any]) -> None:
        for hand in self._roster.hands:
            if not hand.lost:
                self._post(kind, message, hand.client)

    def _refuse(self, client: str, why: str) -> None:
        self._post("surge_refused", {"why": why}, client)

    def _tell(self, **message: Any) -> None:
        self._outbox.put(message)

    def _write(self) -> None:
        while True:
            try:
                self._link.send(self._outbox.get())
            except LinkClosed:
                return
