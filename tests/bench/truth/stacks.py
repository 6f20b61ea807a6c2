"""In: the name of a real stack that is installed here. Out: that stack, serving on this machine until told to stop.

    nginx [--rate 200] [--burst 20]     nginx with limit_req: its own token bucket, 429 beyond it; capacity in closed form; --log FILE
                                        has its own account of every request
    shop [--workers 4]                  gunicorn with sync workers; every request writes an order to one SQLite file, pays and reads back
    httpbin [--workers 4]               httpbin under gunicorn; /delay/0.02 holds a worker for 20 ms
    orders                              gunicorn with threads over PostgreSQL, behind a pool of four connections

Prints one line of JSON when it answers: {"url", "path", "capacity", "definition"}. `capacity` is known for nginx alone: press the others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.truth.database import USER, binaries, database
from tests.bench.truth.orders import CONNECTIONS
from tests.bench.truth.process import ROOT
from tests.bench.truth.shop import opened_shop

_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log error;
events {{ worker_connections 4096; }}
http {{
  access_log {log}; keepalive_requests 1000000; default_type text/html;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  limit_req_zone all zone=all:1m rate={rate}r/s;
  limit_req_status 429;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ limit_req zone=all burst={burst} nodelay; root {folder}/site; }}
  }}
}}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A command and what is known about it. `path` is what visitors ask for."""

    command: tuple[str, ...]
    path: str
    definition: str
    capacity: float | None = None


def missing(name: str) -> str | None:
    """What that stack needs and this machine has not; None when it can be served here."""
    if name == "nginx" and _nginx() is None:
        return "nginx is not installed"
    if name == "orders" and binaries() is None:
        return "PostgreSQL is not installed"
    return None


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def nginx(folder: Path, port: int, rate: int, burst: int, log: Path | None = None) -> Stack:
    """`limit_req` counts in milliseconds and lets `burst` through beyond the rate: a bucket of burst + 1."""
    from harness.demo.capacity import requests_held
    from harness.demo.settings import Settings
    from harness.scenario.model import Promise

    folder.chmod(0o755)  # started as root, its workers run as nobody
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<!doctype html><title>Fine</title><h1>Everything is fine</h1>")
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, rate=rate, burst=burst, log=log or "off"))
    program = _nginx()
    if program is None:
        raise FileNotFoundError("nginx is not installed")
    errors = Promise(text="errors below 1%", kind="errors", limit=0.01)
    held = requests_held((errors,), Settings(workers=10_000, queue=10_000, limit=float(rate), burst=burst + 1)) if burst >= 9 else None
    return Stack(
        command=(program, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")),
        path="/",
        definition=f"nginx limit_req rate={rate}r/s burst={burst} nodelay",
        capacity=None if held is None else round(held, 1),
    )


def shop(folder: Path, port: int, workers: int) -> Stack:
    os.environ["SHOP_DB"] = str(folder / "shop.sqlite")
    opened_shop()
    return Stack(
        command=_gunicorn(port, workers, "tests.bench.truth.shop:application"),
        path="/order",
        definition=f"gunicorn, {workers} sync workers: every order is written to one SQLite file, paid for in 20 ms and read back",
    )


def orders(socket: Path, port: int) -> Stack:
    """The pool is what runs out: 20 ms of waiting in the database for every order, and sixteen threads for each of its connections."""
    os.environ |= {"ORDERS_SOCKET": str(socket), "ORDERS_USER": USER}
    return Stack(
        command=_gunicorn(port, 1, "tests.bench.truth.orders:served()", "--worker-class=gthread", f"--threads={16 * CONNECTIONS}"),
        path="/order",
        definition=f"gunicorn with threads over PostgreSQL, {CONNECTIONS} connections: every order waits 20 ms and is read back",
    )


def httpbin(port: int, workers: int) -> Stack:
    return Stack(
        command=_gunicorn(port, workers, "tests.engine.httpbin_app:app"),
        path="/delay/0.02",
        definition=f"httpbin under gunicorn, {workers} sync workers",
    )


def _gunicorn(port: int, workers: int, app: str, *more: str) -> tuple[str, ...]:
    options = (f"--workers={workers}", f"--bind=127.0.0.1:{port}", "--backlog=2048", "--log-level=error", "--no-control-socket")
    return (sys.executable, "-m", "gunicorn", *options, *more, app)


@contextmanager
def started(stack: Stack, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The stack, once it answers; ended with all of its workers."""
    process = subprocess.Popen(stack.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + 15
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{stack.path}", timeout=5).close()
                break
            except OSError as problem:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{stack.command[0]} does not answer: {problem}") from None
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class _Stop(Exception):
    pass


def _stop(number: int, frame: object) -> None:
    raise _Stop


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.truth.stacks", description=__doc__.split("\n")[0])
    parser.add_argument("stack", choices=("nginx", "shop", "httpbin", "orders"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--burst", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--log", type=Path, help="nginx's access log")
    parser.add_argument("--parent", type=int, default=None)
    given = parser.parse_args()
    port, parent = given.port or _free_port(), given.parent or os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    with tempfile.TemporaryDirectory(prefix="surge-stack-") as folder, ExitStack() as beneath:
        make = {
            "nginx": lambda: nginx(Path(folder), port, given.rate, given.burst, given.log),
            "shop": lambda: shop(Path(folder), port, given.workers),
            "httpbin": lambda: httpbin(port, given.workers),
            "orders": lambda: orders(beneath.enter_context(database(Path(folder))), port),
        }
        try:
            stack = make[given.stack]()
            with started(stack, port) as process:
                told = {"url": f"http://127.0.0.1:{port}"} | asdict(stack)
                print(json.dumps({name: told[name] for name in ("url", "path", "capacity", "definition")}), flush=True)
                while process.poll() is None and os.getppid() == parent:
                    time.sleep(0.25)
        except _Stop:
            pass


if __name__ == "__main__":
    main()
