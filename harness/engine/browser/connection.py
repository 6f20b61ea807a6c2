"""In: an origin and encoded requests. Out: one answer for each, over one TCP (or TLS) connection: `Connection`.

Plain non-blocking sockets under gevent's loop, never select() (it fails from descriptor 1024 on); llhttp cuts the messages. The head of an
answer is kept as bytes and searched only when somebody asks: a callback for each header line costs more than all other parsing
(1.4 µs against 0.5 µs for an nginx answer). A connection carries one request at a time and never repeats one.
"""

from __future__ import annotations

import _socket
import errno
import re
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
import httptools
from gevent.monkey import get_original
from greenlet import getcurrent

from harness.engine.browser.alarm import Alarm
from harness.engine.browser.body import MOST
from harness.engine.browser.origin import Origin
from harness.engine.browser.tls import TlsStream
from harness.engine.browser.trouble import Trouble, of_os_error
from harness.engine.wire import Outcome
from harness.safety import Refused

if TYPE_CHECKING:
    from harness.engine.browser.client import Client

LONGEST_HEAD = 64 << 10  # bytes of status line and headers (interim answers included) before an answer counts as nonsense
CHUNK = 32 << 10
END = b"\r\n\r\n"
IP_BIND_ADDRESS_NO_PORT = 24  # the local port is chosen at connect, when the peer is known: four times as many connections
_FRAMED = re.compile(rb"\n(?:content-length[ \t]*:|transfer-encoding[ \t]*:[^\r\n]*chunked)", re.IGNORECASE)
_POLLIN = 1
_look = get_original("select", "poll")()
_HALF_WAY = (errno.EINPROGRESS, errno.EALREADY, errno.EINTR)


class Connection:
    """`open` once, then `send` and `receive` in turn while `keep`, then `shut` (and `renew` for the next visitor) or `close`. Any exception
    leaves it useless: `close` it. Requests have their time from `alarm`.

    After `receive`: `status`, `head` (bytes, up to and with the empty line), `body()`, `size` (bytes of body received), `first_at` (moment
    of the first byte), `keep` (another request may follow).
    """

    __slots__ = (
        *("_complete", "_hub", "_parser", "_parts", "_reader", "_sock", "_tls", "_whole", "_writer"),
        *("alarm", "connect_seconds", "connected", "first_at", "head", "keep", "on_body", "origin", "size", "status", "tls_seconds"),
    )

    def __init__(self, origin: Origin) -> None:
        self.renew(origin)
        self.head = b""
        self.status = self._complete = self._whole = 0
        self._hub = gevent.get_hub()
        self._sock: Any = None
        self._reader: Any = None
        self._writer: Any = None
        self._tls: TlsStream | None = None
        self.alarm = Alarm()
        self._parts: list[bytes] = []
        self.on_body = self._parts.append  # llhttp's callback straight into C
        self._parser: Any = httptools.HttpResponseParser(self)

    def renew(self, origin: Origin) -> Connection:
        """As new, to be opened to this place: one that was `shut` between two requests. A tenth of the price of another one."""
        self.origin = origin
        self.connected = self.keep = False
        self.connect_seconds = self.tls_seconds = self.first_at = 0.0
        self.size = 0
        return self

    # Opening and closing

    def open(self, client: Client) -> None:
        """Try the origin's addresses in turn, each only when the gate lets it. Raises Trouble, OSError."""
        origin = self.origin
        started = monotonic()
        problem: Exception | None = None
        for family, address in client.names.addresses(origin.host, origin.port):
            try:
                client.gate.check(origin.host, address[0])
                self._connect(family, address, client.source(family))
                break
            except Refused:
                raise Trouble(Outcome.UNSAFE, "the safety rules do not allow this host") from None
            except OSError as error:
                self.shut()
                problem = of_os_error(error)
                if problem.outcome is Outcome.GENERATOR:
                    raise problem from error
        else:
            raise problem or Trouble(Outcome.DNS, "the name has no address")
        self.connected = True
        connected = monotonic()
        self.connect_seconds = connected - started
        if origin.secure:
            self._tls = TlsStream(client.tls, origin.host, self._pull, self._push)
            self._tls.handshake()
            self.tls_seconds = monotonic() - connected

    def _connect(self, family: int, address: Any, source: str | None) -> None:
        kind = _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
        sock = self._sock = _socket.socket(family, kind, _socket.IPPROTO_TCP)
        self._reader = self._hub.loop.io(sock.fileno(), 1)
        sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        if source is not None:
            sock.setsockopt(_socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
        result = sock.connect_ex(address)
        if result in _HALF_WAY:
            result = sock.connect_ex(address)  # over loopback the handshake is done by now
            while result in _HALF_WAY:
                self._wait_writable()
                result = sock.connect_ex(address)
        if result not in (0, errno.EISCONN):
            raise OSError(result, "connect")

    def is_alive(self) -> bool:
        """False when the other side has closed it, or has spoken unasked, while nobody looked. One system call, never waits."""
        descriptor = self._sock.fileno()
        _look.register(descriptor, _POLLIN)
        news = _look.poll(0)  # half the price of a recv that fails
        _look.unregister(descriptor)
        return not news

    def close(self) -> None:
        """At once, never waiting; may be called twice."""
        self.shut()
        self.alarm.close()
        self._parser = None  # it holds this connection's callbacks: without the circle all of it is freed at once

    def shut(self) -> None:
        """The socket alone, at once; what is costly to make stays for `renew`."""
        if self._sock is not None:
            self._reader.close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self._sock.close()
            self._sock = self._tls = None

    # One request, one answer

    def send(self, data: bytes) -> None:
        """All of it leaves, or OSError. A site may answer (413, say) and close before it has read everything: that answer is still read."""
        self.size = 0
        self.first_at = 0.0
        try:
            if self._tls is not None:
                self._tls.send(data)
            else:
                self._push(data)
        except (BrokenPipeError, ConnectionResetError):
            try:
                answered = self._sock.recv(1, _socket.MSG_PEEK)
            except OSError:
                answered = b""
            if not answered:
                raise

    def receive(self, keep_body: bool, bodiless: bool = False) -> None:
        """The final answer to the request just sent (interim 1xx answers are passed over).

        `keep_body`: `body()` will be asked for; at most body.MOST bytes are kept. `bodiless`: it answers a HEAD.
        Raises Trouble RESET (it ended too early), PROTOCOL (not HTTP), OSError.
        """
        parts = self._parts
        parts.clear()
        self._complete = 0
        head, end, counted = b"", -1, 0
        pull = self._pull if self._tls is None else self._pull_tls
        while True:
            data = pull()
            if not data:
                return self._end_of_stream(head, end)
            if not self.first_at:
                self.first_at = monotonic()
            if end < 0:
                head = head + data if head else data
                end = _end_of_head(head)
                if end < 0 and len(head) > LONGEST_HEAD:
                    raise Trouble(Outcome.PROTOCOL, "the head of the answer does not end")
                if end >= 0:
                    self.head = head[:end]
                    if bodiless:
                        data = data[: len(data) - (len(head) - end)]
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserError as error:
                if not self._complete:
                    raise Trouble(Outcome.PROTOCOL, f"not HTTP: {error}") from None
                self.keep = False  # the answer was whole; what came after it was not asked for
            except httptools.HttpParserUpgrade:
                raise Trouble(Outcome.PROTOCOL, "the answer switches to another protocol") from None
            if self._complete and self._whole < len(parts):
                del parts[self._whole :]  # of a second answer that nobody asked for
            for part in parts[counted:] if counted else parts:
                self.size += len(part)
            if not keep_body:
                parts.clear()
            if self._complete:
                return None
            if self.size > MOST:
                del parts[counted:]
            counted = len(parts)
            if bodiless and end >= 0:
                self.status, self.keep = self._parser.get_status_code(), False
                return None

    def body(self) -> bytes:
        """The body as it came (still packed, if it was), cut at body.MOST bytes."""
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        return body

    def _end_of_stream(self, head: bytes, end: int) -> None:
        if not head:
            raise Trouble(Outcome.RESET, "closed without an answer")
        if end < 0:
            raise Trouble(Outcome.RESET, "closed in the middle of the head")
        if _FRAMED.search(self.head):
            raise Trouble(Outcome.RESET, "closed in the middle of the body")
        self.status, self.keep = self._parser.get_status_code(), False

    def on_message_begin(self) -> None:
        """llhttp's callback. A second message after a whole one was not asked for: the connection is out of step."""
        if self._complete:
            self.keep = False

    def on_message_complete(self) -> None:
        """llhttp's callback. Interim answers are followed by the real one."""
        status = self._parser.get_status_code()
        if (status >= 200 or status == 101) and not self._complete:
            self._complete = 1
            self.status = status
            self.keep = self._parser.should_keep_alive()
            self._whole = len(self._parts)

    # Waiting for the network

    def _pull(self) -> bytes:
        reader = self._reader
        while True:
            reader.start(getcurrent().switch)
            try:
                self._hub.switch()
            finally:
                reader.stop()
            try:
                data: bytes = self._sock.recv(CHUNK)
                return data
            except BlockingIOError:
                continue

    def _pull_tls(self) -> bytes:
        assert self._tls is not None
        return self._tls.receive(CHUNK)

    def _push(self, data: bytes) -> None:
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        while sent < len(data):
            self._wait_writable()
            try:
                sent += self._sock.send(memoryview(data)[sent:])
            except BlockingIOError:
                continue

    def _wait_writable(self) -> None:
        if self._writer is None:
            self._writer = self._hub.loop.io(self._sock.fileno(), 2)
        self._writer.start(getcurrent().switch)
        try:
            self._hub.switch()
        finally:
            self._writer.stop()


def _end_of_head(data: bytes) -> int:
    """Where the final answer's head ends (after its empty line), or -1. Interim answers before it are passed over."""
    start = 0
    while True:
        end = data.find(END, start)
        if end < 0:
            return -1
        if data[start + 9 : start + 10] != b"1" or data[start + 9 : start + 12] == b"101":
            return end + 4
        start = end + 4
