"""In: a visitor's requests. Out: answers, and for each request exactly one `sent` and one `done` on record: `Client` and `Browser`.

One request is one on the wire, or none (FLAG_UNSENT) if its connection never stood. Nothing is ever sent twice: a kept connection is looked
at (without waiting) before it is used again, and replaced when the other side has closed it; if it closes after the first byte has left,
the request has failed with RESET. (A browser would try once more and so hide it; at the breaking point that doubles the load.)
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from harness.engine.browser.body import unpack
from harness.engine.browser.connection import Connection
from harness.engine.browser.cookies import Jar
from harness.engine.browser.names import Names
from harness.engine.browser.origin import Origin
from harness.engine.browser.tls import shared_context
from harness.engine.browser.trouble import TimedOut, Trouble, of_os_error, of_status
from harness.engine.visitors.strand import Record
from harness.engine.wire import FLAG_NEW_CONNECTION, FLAG_UNSENT, Outcome
from harness.safety import Gate, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SPARE = 500  # shut connections that are kept for the next visitors
HOPS = 10  # redirects that are followed for one request
REDIRECTS = (301, 302, 303, 307, 308)
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_IPV6 = 10
_OK, _CUT_OFF = int(Outcome.OK), int(Outcome.CUT_OFF)  # a member's look-up costs 0.1 µs on Python 3.11


@lru_cache(maxsize=256)
def _header_pattern(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"\n" + re.escape(name.encode("latin-1", "replace")) + rb"[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)


class Client:
    """What all visitors of a worker share: the gate, known names, the TLS context, the source addresses to leave from in turn."""

    def __init__(self, *, gate: Gate, names: Names | None = None, authorities: Path | None = None, sources: Sequence[str] = ()) -> None:
        self.gate = gate
        self.names = names or Names()
        self._authorities = authorities
        self._tls: ssl.SSLContext | None = None
        self._sources = {False: [s for s in sources if ":" not in s], True: [s for s in sources if ":" in s]}
        self._turn = 0
        self.spare: list[Connection] = []  # of visitors who have left: shut, for the next ones
        self._origins: dict[tuple[bool, str, int], Origin] = {}

    @property
    def tls(self) -> ssl.SSLContext:
        """The one shared, verifying context; made when first needed."""
        if self._tls is None:
            self._tls = shared_context(self._authorities)
        return self._tls

    def source(self, family: int) -> str | None:
        """The local address for the next connection, or None to leave it to the system."""
        sources = self._sources[family == _IPV6]
        if not sources:
            return None
        self._turn += 1
        return sources[self._turn % len(sources)]

    def origin(self, url: str) -> Origin:
        """Where a URL leads; the same object for the same place. Raises `Trouble` PROTOCOL when it is not http(s)."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Trouble(Outcome.PROTOCOL, "a redirect to something that is not a URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Trouble(Outcome.PROTOCOL, "a redirect to something that is neither http nor https")
        secure = parts.scheme == "https"
        key = (secure, normal(parts.hostname), port or (443 if secure else 80))
        origin = self._origins.get(key)
        if origin is None:
            if len(self._origins) > 1000:
                self._origins.clear()
            origin = self._origins[key] = Origin(*key)
        return origin


@dataclass(slots=True, eq=False)
class Answer:
    """A final answer or a redirect (then `location` is set). `raw` is the body as it came, if it was to be read; `lower` is the head in
    lower case, to see quickly what is not in it."""

    status: int
    head: bytes
    lower: bytes
    raw: bytes
    origin: Origin
    path: str
    location: str | None = None
    taken: dict[str, str] | None = None  # variables extracted from it
    _text: str | None = None

    @property
    def url(self) -> str:
        """Where it came from."""
        return f"{'https' if self.origin.secure else 'http'}://{self.origin.authority}{self.path}"

    def header(self, name: str) -> str | None:
        """The first header of that name, or None."""
        found = _header_pattern(name).search(self.head)
        return found[1].rstrip(b" \t").decode("latin-1") if found else None

    @property
    def text(self) -> str:
        """The body unpacked and decoded (bytes that fit no character become U+FFFD). Raises `Trouble` PROTOCOL when it cannot be
        unpacked."""
        if self._text is None:
            head = self.lower
            encoding = self.header("content-encoding") if b"\ncontent-encoding" in head else None
            body = unpack(self.raw, encoding) if encoding else self.raw
            charset = _CHARSET.search(self.header("content-type") or "") if b"charset=" in head else None
            try:
                self._text = body.decode(charset[1] if charset else "utf-8", "replace")
            except LookupError:
                self._text = body.decode("utf-8", "replace")
        return self._text


def judge_status(answer: Answer) -> Trouble | None:
    """A status below 400 is fine."""
    return None if answer.status < 400 else Trouble(of_status(answer.status), f"status {answer.status}")


class Browser:
    """One visitor's connections and cookies. Several strands of the visitor may use it at once, each on its own connection."""

    __slots__ = ("_client", "_idle", "_record", "flags", "jar")

    def __init__(self, client: Client, record: Record, flags: int = 0) -> None:
        self._client, self._record, self.flags = client, record, flags
        self._idle: list[Connection] = []
        self.jar = Jar()

    def close(self) -> None:
        """Close what is idle; what is in use is closed by who uses it."""
        spare = self._client.spare
        for connection in self._idle:
            if len(spare) < SPARE:
                connection.shut()
                spare.append(connection)
            else:
                connection.close()
        self._idle.clear()

    def exchange(
        self,
        origin: Origin,
        path: str,
        data: bytes,
        *,
        sample: int,
        planned: float,
        deadline: float,
        read: bool = False,
        judge: Callable[[Answer], Trouble | None] = judge_status,
        hops: int = 0,
        bodiless: bool = False,
    ) -> Answer:
        """One request as encoded in `data`, one answer, on record. `planned` and `deadline` are monotonic moments.

        A redirect is handed back unjudged while `hops` > 0; with 0 left it is a failure; with -1 it is an answer like any other.
        Raises `Trouble` when it failed (then `trouble.sample` says which sample), CutOff when the visitor had to go.
        """
        sent = monotonic()
        self._record.sent(sent, sample)
        flags = self.flags
        connection: Connection | None = None
        answer: Answer | None = None
        trouble: Trouble | None = None
        outcome = _CUT_OFF
        ended = 0.0
        try:
            connection = self._take(origin) if self._idle else None
            if connection is None:
                flags |= FLAG_NEW_CONNECTION | FLAG_UNSENT
                spare = self._client.spare
                connection = spare.pop().renew(origin) if spare else Connection(origin)
                connection.alarm.set(deadline, sent)
                connection.open(self._client)
                flags ^= FLAG_UNSENT
            else:
                connection.alarm.set(deadline, sent)
            connection.send(data)
            connection.receive(read, bodiless)
            ended = monotonic()
            head = connection.head
            answer = Answer(connection.status, head, head.lower(), connection.body() if read else b"", origin, path)
            trouble = self._look_at(answer, judge, hops)
            outcome = _OK
        except Trouble as error:
            trouble = error
        except TimedOut:
            trouble = _timed_out(connection)
        except OSError as error:
            trouble = of_os_error(error)
        finally:
            ended = ended or monotonic()
            if trouble is not None:
                outcome = trouble.outcome
                self._record.error(sample, outcome, trouble.message)
            fresh = connection if flags & FLAG_NEW_CONNECTION else None
            self._record.done(
                sent,
                max(0.0, sent - planned) if planned else 0.0,
                0.0 if fresh is None else fresh.connect_seconds,
                0.0 if fresh is None else fresh.tls_seconds,
                connection.first_at - sent if connection is not None and connection.first_at > sent else 0.0,
                ended - sent,
                0 if connection is None else connection.size,
                sample,
                outcome,
                flags,
            )
            if connection is not None:
                connection.alarm.hand = None  # nothing above has waited since the last byte, so its time cannot have run out meanwhile
                if answer is not None and connection.keep:
                    self._idle.append(connection)
                else:
                    connection.close()
        if trouble is not None:
            trouble.sample = sample
            try:
                raise trouble
            finally:
                del trouble  # else it and this frame hold each other until a collection: at the breaking point, thousands a second
        assert answer is not None
        return answer

    def _take(self, origin: Origin) -> Connection | None:
        """A kept connection to this place that is still open, the one used last."""
        idle = self._idle
        for at in range(len(idle) - 1, -1, -1):
            if idle[at].origin is origin:
                connection = idle.pop(at)
                if connection.is_alive():
                    return connection
                connection.close()
        return None

    def _look_at(self, answer: Answer, judge: Callable[[Answer], Trouble | None], hops: int) -> Trouble | None:
        head = answer.head
        found = answer.lower.find(b"\nset-cookie")  # a tenth of a pattern's price
        while found >= 0:
            end = head.find(b"\n", found + 1)
            self.jar.hear(head[found + 1 : end], answer.origin.host, answer.path)
            found = answer.lower.find(b"\nset-cookie", end)
        if answer.status in REDIRECTS and hops >= 0:
            answer.location = answer.header("location")
            if answer.location is not None:
                return None if hops else Trouble(Outcome.PROTOCOL, f"more than {HOPS} redirects")
        return judge(answer)


def next_place(answer: Answer, client: Client) -> tuple[Origin, str]:
    """Where a redirect leads. Raises `Trouble` PROTOCOL when it is no place for a browser."""
    url = urljoin(answer.url, answer.location or "")
    return client.origin(url), target_of(url)


def target_of(url: str) -> str:
    """Path and query of a URL as they go on the wire: what may not stand there is percent-encoded, the fragment stays at home."""
    parts = urlsplit(url)
    return encode_target((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


_UNFIT = re.compile(r"[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~|]")


def encode_target(text: str) -> str:
    """Percent-encode what may not stand in a request line: spaces, quotes, control and non-ASCII characters."""
    return _UNFIT.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _timed_out(connection: Connection | None) -> Trouble:
    if connection is None or not connection.connected:
        return Trouble(Outcome.CONNECT_TIMEOUT, "no connection within the timeout")
    if connection.first_at:
        return Trouble(Outcome.READ_TIMEOUT, "the answer did not end within the timeout")
    return Trouble(Outcome.READ_TIMEOUT, "no answer within the timeout")
