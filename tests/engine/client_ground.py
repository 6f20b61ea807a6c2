"""What the tests of the client and the compiler stand on: servers that do exactly as told, a recorder that keeps everything, a lone
visitor.

Servers are greenlets of this process, so nothing here needs a patched standard library: Locust is imported without its patching.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from types import SimpleNamespace
from typing import Any

os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
import locust  # noqa: F401

del os.environ["LOCUST_SKIP_MONKEY_PATCH"]  # other tests start real Locust processes from this one

import gevent
from gevent import socket
from gevent.server import StreamServer

from harness.engine.browser.client import Browser, Client
from harness.engine.visitors.steps import compile_call
from harness.engine.wire import DONE, DONE_FIELDS, FLAG_UNSENT, SENT, Outcome
from harness.safety import Gate

gevent.get_hub().NOT_ERROR += (OSError,)  # a server of ours whose client has left says nothing

HEAD = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Kept:
    """A recorder that keeps all it is told, through the packed format, so that what cannot be packed fails."""

    sents: list[tuple[float, int]] = field(default_factory=list)
    rows: list[SimpleNamespace] = field(default_factory=list)
    errors: Counter = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)

    def sent(self, at, sample):
        self.sents.append(SENT.unpack(SENT.pack(at, sample)))

    def done(self, *values):
        names = [name for name, _ in DONE_FIELDS]
        self.rows.append(SimpleNamespace(**dict(zip(names, DONE.unpack(DONE.pack(*values)), strict=True))))

    def error(self, sample, outcome, message):
        self.errors[sample, Outcome(outcome), message] += 1

    def lag(self, seconds):
        self.lags.append(seconds)

    @property
    def outcomes(self) -> list[Outcome]:
        return [Outcome(row.outcome) for row in self.rows]

    def counts(self, sample) -> dict[Outcome, int]:
        return dict(Counter(Outcome(row.outcome) for row in self.rows if row.sample == sample))

    @property
    def left(self) -> int:
        """Requests of which a byte left: what a site that reads all that it gets has seen."""
        return sum(not row.flags & FLAG_UNSENT for row in self.rows)

    @property
    def balanced(self) -> bool:
        """One `done` for every `sent`, sample by sample."""
        return Counter(sample for _, sample in self.sents) == Counter(row.sample for row in self.rows)


class Served:
    """A server that calls `handle(socket)` for each connection; `heads` are the request heads it read with `read_head`."""

    def __init__(self, handle, host="127.0.0.1", port=0, **options):
        self.connections = 0
        self.heads: list[bytes] = []
        self._handle = handle
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        self._server = StreamServer(listener, self._serve, **options)
        self.port = listener.getsockname()[1]
        self.base = f"{'https' if options else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def _serve(self, sock, address):
        self.connections += 1
        try:
            self._handle(sock)
        except OSError:
            pass
        finally:
            sock.close()

    def read_head(self, sock) -> bytes:
        """One request's head (and a body of the length it names); b"" when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += sock.recv(65536)
        self.heads.append(head + b"\r\n\r\n" + body)
        return self.heads[-1]

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(timeout=0.2)


def answering(*answers: bytes, close: bool = False):
    """A server that gives these answers in turn (the last one for ever), on kept-alive connections unless told to close."""
    served: Served
    given = iter(answers)
    last = answers[-1]

    def handle(sock):
        while served.read_head(sock):
            sock.sendall(next(given, last))
            if close:
                return

    served = Served(handle)
    return served


def raw(script):
    """A server whose connections read one request and then run `script(socket)`; closing follows."""
    served: Served

    def handle(sock):
        if served.read_head(sock):
            script(sock)

    served = Served(handle)
    return served


def ok(body: bytes = b"hello", *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """A tidy answer."""
    return b"\r\n".join((b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *lines, b"", body))


class Lone:
    """A visitor outside of any crew: one browser, one recorder."""

    def __init__(self, gate: Gate | None = None, **options: Any):
        self.record = Kept()
        self.client = Client(gate=gate or Gate(), **options)
        self.browser = Browser(self.client, self.record)
        self.scanner = False
        self.number = 7
        self.variables: dict[str, str] = {}
        self.crew = SimpleNamespace(seed=1)

    def call(self, base: str, path: str = "/", **options: Any):
        """One request, sample 0, redirects sample 1."""
        call = compile_call(self.client, base, path, first=0, further=1, **{"timeout": 2.0, **options})
        return call.make(self)  # type: ignore[arg-type]

    def last(self) -> SimpleNamespace:
        return self.record.rows[-1]


def reset(sock) -> None:
    """Close with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def within(seconds: float):
    """A deadlock in a test ends the test, not the patience of whoever waits for it."""
    return gevent.Timeout(seconds)


def until(condition, seconds: float = 5.0) -> bool:
    """Let the loop turn until the condition holds."""
    end = monotonic() + seconds
    while not condition():
        if monotonic() > end:
            return False
        gevent.sleep(0.005)
    return True
