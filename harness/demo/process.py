"""In: `Settings`. Out: `Site`, the embedded site in a process of its own, up while its `with` block lasts.

    with Site(Settings(workers=4)) as site:
        site.url, site.pid, site.stats().requests

Nothing is left behind: the process is ended and waited for, and it ends by itself when this one is killed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import urlsplit

from harness.demo.settings import Settings

_START_WITHIN = 20.0  # seconds; it takes well under one
_STOP_WITHIN = 5.0


class SiteFailed(Exception):
    """The embedded site did not start, or is gone; the message holds what it said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """The site's own count, see `App.stats`. `routes` is by route name ("GET /webcast"), `rows` by table."""

    requests: int
    routes: dict[str, int]
    dynamic_served: int
    refused: int
    limited: int
    queued: int
    admitted: int
    work_seconds: float
    capacity_per_second: float
    rows: dict[str, int]
    uptime_seconds: float


class Site:
    """Started by entering the block. Raises `SiteFailed` when it does not listen in time."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.url = ""
        self.db = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SiteFailed("the embedded site has not been started")
        return self._process.pid

    def __enter__(self) -> Site:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed in stop)
        command = [sys.executable, "-m", "harness.demo", *self.settings.arguments, f"--parent={os.getpid()}"]
        # In a session of its own: Ctrl-C at the terminal reaches the run first, which then ends the site in its order.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._said, start_new_session=True
        )
        try:
            told = json.loads(self._first_line())
        except BaseException:
            self.stop()
            raise
        self.url, self.db = told["url"], Path(told["db"])

    def stop(self) -> None:
        """End it; safe to call twice. Nothing remains."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.terminate()
                try:
                    self._process.wait(_STOP_WITHIN)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()
        if self._said is not None:
            self._said.close()
            self._said = None
        if self.settings.db is None and self.db.name:  # had it been killed, its temporary files would still be there
            shutil.rmtree(self.db.parent, ignore_errors=True)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stats(self) -> Stats:
        """The site's own counts, by a request that is not counted. Raises `SiteFailed` when it does not answer."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request("GET", "/_demo/stats")
            told: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise SiteFailed(f"the embedded site at {self.url} does not answer: {problem}{self._words()}") from None
        finally:
            connection.close()
        return Stats(**{name: told[name] for name in Stats.__slots__})

    def _first_line(self) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        stdout, line, end = self._process.stdout, b"", time.monotonic() + _START_WITHIN
        with selectors.DefaultSelector() as waiting:
            waiting.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not waiting.select(max(0.0, end - time.monotonic())):
                    raise SiteFailed(f"the embedded site did not start within {_START_WITHIN:g} s{self._words()}")
                piece = os.read(stdout.fileno(), 4096)
                if not piece:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(_STOP_WITHIN)
                    raise SiteFailed(f"the embedded site ended at once{self._words()}")
                line += piece
        return line

    def _words(self) -> str:
        """What it wrote to standard error, if anything."""
        if self._said is None:
            return ""
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip()
        return f": {words}" if words else ""
