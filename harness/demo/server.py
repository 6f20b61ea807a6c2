"""In: `Settings`. Out: the site, listening on this machine until it is told to stop or its parent is gone.

uvicorn serves it (httptools parses, uvloop turns the loop where it is installed); everything that could outlive the process is
cleared away: the socket, the writer thread, a temporary database.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from harness.demo.app import App
from harness.demo.settings import HOST, Settings
from harness.demo.store import Store

_PARENT_CHECK = 0.25  # seconds
_KEEP_ALIVE = 75  # seconds, as nginx does: shorter than a pause between two pages would break connections under visitors' feet


class CannotStart(Exception):
    """The site cannot be started with these settings; the message says why and what to do."""


def serve(settings: Settings, announce: Callable[[str, Path], None], parent: int | None = None) -> None:
    """Run until SIGTERM, SIGINT, or until `parent` (a process id; else the parent at the start) is gone.

    `announce` is called with the URL and the database's path once the site listens. Raises `CannotStart`.
    """
    parent = parent or os.getppid()
    with _database(settings) as path, _socket(settings.port) as listening:
        try:
            store = Store(path)
        except sqlite3.Error as problem:
            raise CannotStart(f"{path}: {problem}; name another file with --db, or leave it out") from None
        try:
            config = uvicorn.Config(
                App(settings, store),
                http="httptools",
                loop="auto",
                ws="none",
                interface="asgi3",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=1,
                backlog=4096,
            )
            url = f"http://{HOST}:{listening.getsockname()[1]}"
            with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(_run(_Server(config), listening, parent, lambda: announce(url, path)))
        finally:
            store.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: being told to stop is a normal end here (exit code 0)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(server: _Server, listening: socket.socket, parent: int, announce: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)

    async def watch() -> None:
        while not server.started:
            await asyncio.sleep(0.002)
        announce()
        while not server.should_exit:
            if os.getppid() != parent:  # adopted by another: the parent has died, however it did
                stop()
            await asyncio.sleep(_PARENT_CHECK)

    watching = asyncio.create_task(watch())
    await server.serve(sockets=[listening])
    stop()
    await watching


@contextlib.contextmanager
def _socket(port: int) -> Iterator[socket.socket]:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free, one that is listened on is not
        listening.bind((HOST, port))
        listening.setblocking(False)
    except OSError as problem:
        listening.close()
        raise CannotStart(
            f"port {port} on {HOST} cannot be used: {problem.strerror}; take another with --port, or 0 for any free one"
        ) from None
    with listening:
        yield listening


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Path]:
    if settings.db:
        yield settings.db
        return
    with tempfile.TemporaryDirectory(prefix="surge-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "site.sqlite"
