"""In: bytes to and from a connected socket. Out: the same, encrypted: `TlsStream` over one shared, verified context.

The context is made once a worker: loading the certificates of authorities costs ~28 ms, and doing it for each visitor blocks everybody
else.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path


def shared_context(authorities: Path | None = None) -> ssl.SSLContext:
    """A context that verifies chain and host name, with the system's authorities (SSL_CERT_FILE is honoured) or those of a file."""
    context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsStream:
    """TLS between memory buffers; `pull()` waits for bytes from the socket (b"" at its end), `push(bytes)` sends."""

    __slots__ = ("_inside", "_outside", "_pull", "_push", "_tls")

    def __init__(self, context: ssl.SSLContext, host: str, pull: Callable[[], bytes], push: Callable[[bytes], None]) -> None:
        self._inside, self._outside = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._pull, self._push = pull, push
        self._tls = context.wrap_bio(self._inside, self._outside, server_hostname=host)

    def handshake(self) -> None:
        """Raises ssl.SSLError (certificate, version, alert) or ConnectionResetError when the other side just leaves."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._pull()
                if not data:
                    raise ConnectionResetError(104, "closed in the TLS handshake") from None
                self._inside.write(data)
            except ssl.SSLError:
                self._flush()  # the alert
                raise
            else:
                self._flush()
                return

    def send(self, data: bytes) -> None:
        """Encrypt and send all of it."""
        self._tls.write(data)
        self._flush()

    def receive(self, most: int) -> bytes:
        """Some bytes, or b"" when the other side has ended, tidily or not: the message's own framing decides whether that was too early."""
        while True:
            if self._inside.pending or self._tls.pending():  # else it would only say, in an exception, that it has nothing
                try:
                    return self._tls.read(most)
                except ssl.SSLWantReadError:
                    self._flush()
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            data = self._pull()
            if not data:
                return b""
            self._inside.write(data)

    def _flush(self) -> None:
        data = self._outside.read()
        if data:
            self._push(data)
