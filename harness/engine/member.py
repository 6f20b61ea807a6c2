"""In: the master's messages to one worker. Out: its answers, and twice a second its part of the window. The worker's side of a fleet.

A worker that has not heard of its master for `SILENCE` seconds ends its load by itself: nobody hits a site that nobody watches.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import Event

from harness import __version__
from harness.engine.clock import Clock
from harness.engine.driver import Driver
from harness.engine.mission import Orders, unseal
from harness.engine.recorder import Recorder
from harness.engine.visitors.visit import Crew
from harness.engine.vitals import Vitals, open_descriptors, raise_descriptor_limit, resident_mb
from harness.engine.wire import BEAT, Outcome

SILENCE = 2.5  # s: after so long without a word a worker counts as lost, and a worker believes itself lost
HELLOS = 20  # asked once a second before giving up
COUNTED = ("due", "started", "completed", "failed", "abandoned", "cut_off", "present", "scouts", "scanners")
PROBES = 8  # exchanges for the first estimate of the master's clock
SCOUTING = 30.0  # s that scouts may take
REFUSED = 4  # exit code of a worker that the master would not have

log = logging.getLogger("surge.worker")

Send = Callable[[str, dict[str, Any]], None]
Recruit = Callable[[Orders, Recorder], Crew]
"""Makes the crew of visitors from the orders. Raises with a clear message when the scenario cannot be compiled here."""


class Member:
    """One worker's life: hello, clock, orders, scouts, load, drain.

    `send` posts a message to the master and never blocks; `shard` is -1 on a machine that was lent; `leave` ends the process.
    """

    def __init__(
        self,
        send: Send,
        recruit: Recruit,
        *,
        token: str,
        shard: int,
        leave: Callable[[int], None],
        local: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._recruit = recruit
        self._token = token
        self._shard = shard
        self._leave = leave
        self._clock = Clock(local)
        self._recorder = Recorder(self._clock)
        self._vitals = Vitals()
        self._limit = raise_descriptor_limit()
        self._answered = Event()
        self._heard = time.monotonic()
        self._driver: Driver | None = None
        self._crew: Crew | None = None
        self._draining: float | None = None
        self._refused = False
        self._final = False
        self.handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "surge_pong": self._on_pong,
            "surge_refused": self._on_refused,
            "surge_mission": self._on_mission,
            "surge_scout": lambda _: self._spawn(self._scout),
            "surge_begin": self._on_begin,
            "surge_dial": lambda m: self._driver.turn(m["at"], m["rate"]) if self._driver else None,
            "surge_shards": lambda m: self._driver.reshard(m["at"], m["living"], m["lost"], m["reported"]) if self._driver else None,
            "surge_drain": self._on_drain,
        }

    def hear(self, kind: str, message: Mapping[str, Any] | None) -> None:
        """Every message of the master comes through here; must not block."""
        self._heard = time.monotonic()
        self.handlers[kind](message or {})

    def present(self) -> int:
        """Visitors on this worker now, for Locust's own pages."""
        return self._crew.tally.present if self._crew else 0

    def enlist(self) -> None:
        """Say hello until the master answers. In a greenlet."""
        hello = {"token": self._token, "version": __version__, "host": socket.gethostname(), "pid": os.getpid(), "shard": self._shard}
        for _ in range(HELLOS):
            self._send("surge_hello", hello)
            if self._answered.wait(1.0):
                return
        log.error("the master did not answer: it is not a Surge master, or it has gone")
        self._leave(REFUSED)

    # ---- what the master says ----

    def _on_refused(self, message: Mapping[str, Any]) -> None:
        if not self._refused:
            self._refused = True
            self._answered.set()
            log.error("the master refuses this worker: %s", message["why"])
            print(f"refused: {message['why']}", file=sys.stderr, flush=True)
            self._spawn(self._abandon)

    def _on_pong(self, message: Mapping[str, Any]) -> None:
        self._clock.learn(message["asked"], message["answered"], self._clock.local())

    def _on_mission(self, message: Mapping[str, Any]) -> None:
        if not self._answered.is_set():
            self._answered.set()
            self._spawn(self._prepare, message)

    def _on_begin(self, message: Mapping[str, Any]) -> None:
        assert self._driver is not None
        gc.collect()
        gc.freeze()  # what was imported stays: a full collection then looks at visitors only, and holds the loop for 1 ms instead of 40
        self._clock.begin(message["zero"])
        self._spawn(self._driver.run, self._trusted)
        self._spawn(self._driver.seat)
        self._spawn(self._report)
        self._spawn(self._listen_for_silence)

    def _on_drain(self, message: Mapping[str, Any]) -> None:
        if self._driver is not None and self._draining is None:
            self._draining = message["at"] + message["grace"]
            self._driver.turn(message["at"], 0.0)
            self._spawn(self._drain, message["at"])

    # ---- what it does ----

    def _trusted(self) -> bool:
        """False once the master must believe that this worker is lost."""
        return time.monotonic() - self._heard <= SILENCE

    def _spawn(self, work: Callable[..., None], *args: Any) -> gevent.Greenlet:
        return gevent.spawn(work, *args)

    def _ask_time(self) -> None:
        self._send("surge_ping", {"asked": self._clock.local()})

    def _prepare(self, message: Mapping[str, Any]) -> None:
        trouble = ""
        try:
            orders = unseal(message["orders"])
            self._crew = self._recruit(orders, self._recorder)
            self._driver = Driver(
                orders, shard=message["shard"], shards=message["shards"], clock=self._clock, crew=self._crew, descriptors=self._limit
            )
        except Exception as error:  # whatever it is, the master must hear of it: a worker that only logs would be waited for
            log.error("cannot take the mission: %s", traceback.format_exc())
            trouble = f"{type(error).__name__}: {error}"
        for _ in range(PROBES):
            self._ask_time()
            gevent.sleep(0.004)
        self._spawn(self._vitals.watch)
        self._send("surge_ready", {"trouble": trouble})

    def _scout(self) -> None:
        assert self._crew is not None
        crew = self._crew
        walks = [gevent.spawn(crew.scout, number, journey.number) for number, journey in enumerate(crew.journeys)]
        gevent.joinall(walks, timeout=SCOUTING)
        gevent.killall([walk for walk in walks if not walk.ready()])
        reports: list[dict[str, Any]] = []
        for journey, walk in zip(crew.journeys, walks, strict=True):
            scouted = walk.value if walk.successful() and not isinstance(walk.value, gevent.GreenletExit) else None
            report = {
                "journey": journey.number,
                "outcome": int(Outcome.READ_TIMEOUT),
                "sample": None,
                "message": f"no end within {SCOUTING:g} s",
            }
            if scouted is not None:
                report |= {"outcome": int(scouted.outcome), "sample": scouted.sample, "message": scouted.message}
            reports.append(report)
        records = self._recorder.take()
        self._send("surge_scouted", {"reports": reports, "sent": records.sent, "done": records.done, "errors": _plain(records.errors)})

    def _report(self) -> None:
        number = 0
        while not self._final:
            gevent.sleep(max(0.0, (number + 1) * BEAT - self._clock.now()))
            if not self._final:
                self._part(number, last=False)
            number += 1

    def _part(self, number: int, *, last: bool) -> None:
        driver, crew = self._driver, self._crew
        assert driver is not None and crew is not None
        self._ask_time()
        records = self._recorder.take()
        notes, driver.notes = driver.notes, []
        tally = {name: getattr(crew.tally, name) for name in COUNTED} | {"dropped": driver.dropped}
        self._send(
            "surge_part",
            {
                "number": number,
                "last": last,
                "sent": records.sent,
                "done": records.done,
                "errors": _plain(records.errors),
                "lags": records.lags,
                "notes": notes,
                "tally": tally,
                "reached": list(driver.reached()),
                "cpu": self._vitals.cpu(),
                "loop_ms": self._vitals.lateness() * 1000,
                "descriptors": open_descriptors(),
                "descriptor_limit": self._limit,
                "offset_ms": self._clock.offset * 1000,
                "uncertain_ms": self._clock.uncertain * 1000,
                "rss_mb": resident_mb(),
            },
        )

    def _drain(self, at: float) -> None:
        driver, crew = self._driver, self._crew
        assert driver is not None and crew is not None and self._draining is not None
        gevent.sleep(max(0.0, at - self._clock.now()) + 0.01)
        driver.halt()
        crew.lower(0.0)
        crew.join(max(0.0, self._draining - self._clock.now()))
        crew.cut_all()
        crew.join()
        self._final = True
        self._part(-1, last=True)

    def _listen_for_silence(self) -> None:
        while True:
            gevent.sleep(0.25)
            if not self._trusted() and self._driver is not None:
                log.error("no word from the master for %.1f s: the load ends here", SILENCE)
                self._driver.halt()
                if self._crew is not None:
                    self._crew.cut_all()
                self._abandon()

    def _abandon(self) -> None:
        gevent.sleep(0.2)
        self._leave(REFUSED)


def _plain(errors: Mapping[tuple[int, int, str], int]) -> list[list[Any]]:
    return [[sample, outcome, message, count] for (sample, outcome, message), count in errors.items()]
