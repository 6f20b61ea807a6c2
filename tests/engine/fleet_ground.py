"""What the fleet's tests stand on: a counting site in a process of its own, and missions of two plain journeys."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np

from harness.analysis.totals import unsent_of
from harness.campaigns.plan import Moment
from harness.engine.fleet import Mission
from harness.engine.window import Census
from harness.scenario.model import EmailBlast, Get, Journey, Scenario, Think
from harness.scenario.spread import Spread

PLAIN = Path(__file__).with_name("plain_locustfile.py")

SITE = r"""
import asyncio, json, sys
seen, order = {}, []
async def handle(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        body = b"hello"
        if path == "/seen":
            body = json.dumps({"seen": seen, "order": order}).encode()
        else:
            seen[path] = seen.get(path, 0) + 1
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"x-visitor:"):
                    order.append(int(line.split(b":")[1]))
            if path.startswith("/slow"):
                await asyncio.sleep(float(path.split("/")[2]))
            if path.startswith("/never"):
                await asyncio.sleep(60)
        status = b"503 No" if path.startswith("/broken") else b"200 OK"
        writer.write(b"HTTP/1.0 " + status + b"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=int(sys.argv[1]))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class CountingSite:
    """Answers everything, counts every request, and remembers the visitor numbers in the order in which they came. `queue`: how many
    connections may wait to be accepted."""

    def __init__(self, queue: int = 4096):
        self.queue = queue

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", SITE, str(self.queue)], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def seen(self) -> int:
        with urllib.request.urlopen(self.url + "/seen", timeout=10) as answer:
            return sum(json.load(answer)["seen"].values())

    def visitors(self) -> list[int]:
        with urllib.request.urlopen(self.url + "/seen", timeout=10) as answer:
            return json.load(answer)["order"]


class Cable:
    """A line between a worker and its master that can be cut: nothing passes any more, and neither side is told."""

    def __init__(self, port: int):
        self.target = port
        self.severed = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self.severed = True

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            while True:
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                    break
                except ConnectionRefusedError:
                    time.sleep(0.05)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if not self.severed:
                    other.sendall(data)
            if not self.severed:
                other.shutdown(socket.SHUT_WR)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scenario(first: str = "/a", second: str = "/b", alone: str = "/c", pause: tuple[float, float] = (1.0, 3.0)) -> Scenario:
    """Seven visitors in ten read two pages with a pause between them, three in ten one page."""
    return Scenario(
        name="ground",
        campaign=EmailBlast(list_size=1000, sent_over=60.0),
        promises=(),
        journeys=(
            Journey(
                line=3,
                name="two pages",
                share=0.7,
                steps=(Get(line=5, url=first), Think(line=6, pause=Spread.uniform(*pause)), Get(line=7, url=second)),
            ),
            Journey(line=8, name="one page", share=0.3, steps=(Get(line=10, url=alone),)),
        ),
    )


def mission(
    url: str, log: Path, *, workers: int = 2, seed: int = 1, told: Scenario | None = None, scanners: float = 0.0, **more
) -> Mission:
    """The dial's unit is one visitor a second; the pause holds 1.4 visitors for each."""
    moment = Moment(
        at=0,
        peak=1.0,
        visitors_per_second=1.0,
        scanners_per_second=scanners,
        concurrent=1.4,
        peak_concurrent=1.4,
        requests_per_second=1.7,
        dwelling={(0, 1): 1.4},
    )
    return Mission(
        scenario=told or scenario(),
        scenario_path=Path("ground.yaml"),
        target=url,
        moment=moment,
        seed=seed,
        workers=workers,
        hosts=frozenset(),
        log=log,
        **more,
    )


class Logbook:
    """Everything that the windows told. `requests` are those that the target saw: one without a connection has ended unseen."""

    def __init__(self, fleet):
        self.windows = []
        self.begun = self.ended = self.unsent = self.lost = 0
        self._count(fleet.scouting)

    def __call__(self, window):
        self.windows.append(window)
        self._count(window)

    def _count(self, window):
        self.begun += len(window.sent)
        self.ended += len(window.done)
        self.unsent += unsent_of(window.done)
        self.lost += window.lost  # nobody knows whether those had left

    @property
    def requests(self):
        return self.begun - self.unsent

    @property
    def notes(self):
        return [note for window in self.windows for note in window.notes]

    @property
    def lags(self):
        return np.concatenate([window.lags for window in self.windows])


def fly(fleet, dials: dict[int, float], until: int, *, at=None, grace: float = 5.0) -> tuple[Logbook, Census]:
    """Start, turn the dial after these windows, call `at[number]()` after those, drain."""
    fleet.start()
    book = Logbook(fleet)
    for window in fleet.windows():
        book(window)
        if window.number in dials:
            fleet.dial(dials[window.number])
        if at and window.number in at:
            at[window.number]()
        if window.number >= until:
            break
    return book, fleet.drain(grace, book)


def balanced(census: Census) -> bool:
    """The two equations of conservation."""
    ended = census.completed + census.failed + census.abandoned + census.cut_off + census.present
    return census.due == census.started + census.dropped and census.started == ended


def alive(pid: int) -> bool:
    """Is there a process that is not merely waiting to be buried?"""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False
