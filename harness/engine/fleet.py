"""In: `Mission`. Out: `Window`s of the surge, one each half second, while the dial is turned. The parent's side: no gevent, no Locust.

    with Fleet(mission) as fleet:
        notes = fleet.start()
        for window in fleet.windows():
            fleet.dial(next_rate)
        census = fleet.drain(grace, each=on_window)

Locust's master and its workers are child processes; nothing of them outlives this one, however it ends.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from harness.engine import scouting
from harness.engine.calibration import Calibration, calibrate
from harness.engine.child import LOCUSTFILE, Child
from harness.engine.link import Link, LinkClosed
from harness.engine.mission import Mission, seal
from harness.engine.ports import PortWatch, budget
from harness.engine.scouting import ScoutFailed, TargetDown
from harness.engine.underway import Underway
from harness.engine.window import Census, Window
from harness.engine.windows import joined, window_of
from harness.engine.wire import FLAG_NEW_CONNECTION
from harness.safety import is_loopback
from harness.scenario.catalog import samples

__all__ = ["Fleet", "FleetFailed", "FleetLost", "Mission", "ScoutFailed", "TargetDown"]

STARTING = 30.0  # s that processes may take to come up
LENDING = 120.0  # s that workers of other machines are waited for
SCOUTING = 40.0  # s that all scouts may take; a worker ends its own after 30
WAIT = 2  # further frames, for a worker whose part is late
DEAF = 5.0  # s without a window after which the master counts as lost


class FleetFailed(Exception):
    """The processes did not come up. The message holds the end of their log, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}\n{remedy}")
        self.remedy = remedy


class FleetLost(Exception):
    """The master, or every worker, died in mid-run. The windows so far are valid."""


class Fleet:
    """One master and its workers. Start it once; `close` is idempotent and also what leaving the `with` does."""

    def __init__(self, mission: Mission, *, locustfile: Path = LOCUSTFILE) -> None:
        self.mission = mission
        self._locustfile = locustfile
        self.scouting: Window | None = None
        """The scouts' own requests: window number -1, before the run's zero. The target has seen them; no visitor made them."""
        self.scouts: tuple[ScoutFailed, ...] = ()
        self.ceiling: float | None = None
        """The dial that the workers can bear at 0.8 of what they were calibrated for; None without a calibration. Above it, doubt us."""
        self._samples = samples(mission.scenario)
        self._link: Link | None = None
        self._master: Child | None = None
        self._workers: list[Child] = []
        self._buried: set[int] = set()
        self._census = Census()
        self._underway = Underway(len(self._samples))
        self._windows = 0
        self._over = False
        self._ports: PortWatch | None = None

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # Start

    def start(self) -> tuple[str, ...]:
        """Bring everything up, fly scouts, and begin with the dial at zero. Returns notes: journeys that fail already now.

        Raises `FleetFailed`, `TargetDown`, or `safety.Refused` when the target leads where no test may go.
        """
        for address, what in ((self.mission.bind, "for workers"), (("127.0.0.1", self.mission.web_port or 0), "for Locust's page")):
            if address is not None and address[1]:
                _free(address, what)
        token = secrets.token_hex(16)
        ours, theirs = socket.socketpair()
        with theirs:
            self._link = Link(ours)
            self._master = self._child(self._master_options(), {"SURGE_LINK": str(theirs.fileno())}, theirs.fileno())
        options = ["--worker", "--master-host", self._local_master(), "--loglevel", "INFO"]
        for number in range(self.mission.workers):
            self._workers.append(self._child(options, {"SURGE_TOKEN": token, "SURGE_SHARD": str(number)}))
        self._link.send(
            {
                "kind": "muster",
                "orders": seal(self.mission),
                "token": token,
                "local": self.mission.workers,
                "lent": self.mission.lent,
                "samples": [(s.label, s.kind) for s in self._samples],
            }
        )
        port = self._await("listening", STARTING)["port"]
        for worker in self._workers:
            worker.tell_port(port)
        for _ in range(self.mission.workers + self.mission.lent):
            ready = self._await("ready", LENDING if self.mission.lent else STARTING)
            if ready["trouble"]:
                raise FleetFailed(f"{ready['name']} on {ready['host']} cannot take the mission: {ready['trouble']}", self._remedy())
        notes = self._scout()
        self._ports = PortWatch(budget(loopback=is_loopback(self._host()) or self._host() == "localhost"))
        if self.mission.memory is not None:
            self.ceiling = self._ceiling(calibrate(self.mission.memory))
        self._send({"kind": "begin"})
        return notes

    def _child(self, options: list[str], extra: dict[str, str], *fds: int) -> Child:
        return Child(options, log=self.mission.log, extra=extra, pass_fds=fds, locustfile=self._locustfile)

    def _master_options(self) -> list[str]:
        host, port = self.mission.bind or ("127.0.0.1", 0)
        options = ["--master", "--master-bind-host", host, "--master-bind-port", str(port), "--expect-workers", "1"]
        options += ["--host", self.mission.target, "--only-summary", "--stop-timeout", "0", "--loglevel", "INFO"]
        if self.mission.web_port is None:
            return [*options, "--headless"]
        return [*options, "--autostart", "--web-host", "127.0.0.1", "--web-port", str(self.mission.web_port)]

    def _local_master(self) -> str:
        host = self.mission.bind[0] if self.mission.bind else "127.0.0.1"
        return "127.0.0.1" if host in ("*", "0.0.0.0", "::", "") else host

    def _scout(self) -> tuple[str, ...]:
        """Every worker sends one visitor a journey ahead; their records become `scouting`, their failures notes."""
        self._send({"kind": "scout"})
        count = self.mission.workers + self.mission.lent
        flights = [self._await("scouted", SCOUTING) for _ in range(count)]
        self.scouting = scouting.window(flights)
        self.scouts = scouting.judge(self.mission, self._samples, flights, self.scouting)
        return tuple(map(str, self.scouts))

    def _host(self) -> str:
        return urlsplit(self.mission.target).hostname or ""

    def _ceiling(self, known: Calibration | None) -> float | None:
        if known is None or self.scouting is None:
            return None
        moment, workers = self.mission.moment, self.mission.workers + self.mission.lent
        visits = (moment.visitors_per_second + moment.scanners_per_second) / moment.peak
        requests = moment.requests_per_second / moment.peak * scouting.files(self._samples, self.scouting)
        return known.ceiling(visits=visits, requests=requests, workers=workers)

    # Load

    def windows(self) -> Iterator[Window]:
        """Each half second as soon as it is complete. Ends when the drain is over. Raises `FleetLost`."""
        while not self._over:
            yield self._next_window()

    def dial(self, visitors_per_second: float) -> None:
        """Turn the dial (visitors/s at the campaign's peak); every worker follows within some tens of milliseconds."""
        self._send({"kind": "dial", "rate": float(visitors_per_second)})

    def drain(self, grace: float, each: Callable[[Window], None] | None = None) -> Census:
        """No more arrivals; who stands leaves, who waits for an answer gets `grace` seconds for it. The last windows go to `each`."""
        self._send({"kind": "drain", "grace": float(grace)})
        for window in self.windows():
            if each is not None:
                each(window)
        return self._census

    def close(self) -> None:
        """Nothing is left behind."""
        self._over = True
        if self._link is not None:
            with contextlib.suppress(LinkClosed):
                self._link.send({"kind": "quit"})
        deadline = time.monotonic() + 4.0
        for child in [self._master, *self._workers]:
            if child is not None:
                child.end(max(0.0, deadline - time.monotonic()))
        if self._link is not None:
            self._link.close()

    def _next_window(self) -> Window:
        frame = self._next_frame()
        for _ in range(WAIT):
            if frame["whole"] or frame["over"]:
                break
            frame = joined(frame, self._next_frame())
        self._windows += 1
        window = window_of({**frame, "number": self._windows - 1}, self._underway.settle(frame))
        self._census = window.census
        fresh = int((window.done["flags"] & FLAG_NEW_CONNECTION).sum())
        if self._ports is not None and (warning := self._ports.look(window.at, fresh)):
            window = replace(window, notes=(*window.notes, warning))
        if frame["over"]:
            self._over = True
            if frame["all_lost"]:
                raise FleetLost("every worker was lost: " + "; ".join(window.notes or ("their processes died",)))
        return window

    # The line to the master

    def _next_frame(self) -> Mapping[str, Any]:
        try:
            frame = self._await("window", DEAF)
        except FleetFailed as error:
            self._over = True
            raise FleetLost(str(error)) from None
        with contextlib.suppress(FleetLost):  # if nobody hears it, the next wait for a window says so
            self._send({"kind": "seen"})
        return frame

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._link is not None
        try:
            self._link.send(message)
        except LinkClosed:
            raise FleetLost(self._obituary()) from None

    def _await(self, kind: str, patience: float) -> Mapping[str, Any]:
        """The next frame of this kind; meanwhile look after the children. Raises `FleetFailed`."""
        assert self._link is not None
        deadline = time.monotonic() + patience
        while True:
            try:
                frame = self._link.receive(0.05)
            except LinkClosed:
                raise FleetFailed(self._obituary(), self._remedy()) from None
            self._bury()
            if frame is not None:
                if frame["kind"] == kind:
                    return frame
                if frame["kind"] == "stopped":
                    raise FleetLost("the run was stopped on Locust's own page")
                if frame["kind"] == "lost":
                    raise FleetFailed(f"{frame['name']} died before the run began ({frame['why']})\n{self._tail()}", self._remedy())
            elif time.monotonic() > deadline:
                raise FleetFailed(f"the master has not said {kind!r} within {patience:g} s\n{self._tail()}", self._remedy())

    def _bury(self) -> None:
        """Tell the master of local workers whose process has died: it need not wait for their silence."""
        assert self._link is not None
        for worker in self._workers:
            code = worker.ended()
            if code is not None and not self._over and worker.pid not in self._buried:
                self._buried.add(worker.pid)
                why = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
                with contextlib.suppress(LinkClosed):
                    self._link.send({"kind": "gone", "pid": worker.pid, "host": socket.gethostname(), "why": why})

    def _obituary(self) -> str:
        code = None
        if self._master is not None:
            end = time.monotonic() + 0.5
            while (code := self._master.ended()) is None and time.monotonic() < end:
                time.sleep(0.01)
        how = "has closed its line" if code is None else f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"the Locust master {how}\n{self._tail()}"

    def _tail(self) -> str:
        try:
            lines = self.mission.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in lines)

    def _remedy(self) -> str:
        return f"The whole log is {self.mission.log}."


def _free(address: tuple[str, int], what: str) -> None:
    """Raises `FleetFailed` when the port is taken: Locust would say it in a stack trace, a second later."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("" if host == "*" else host, port))
        except OSError as error:
            raise FleetFailed(
                f"port {port} {what} cannot be had: {error.strerror}", "Choose another port, or end what is using it."
            ) from None
