"""In: plain messages at one end of a stream socket. Out: the same at the other end: the line between the parent and the Locust master.

A frame is four bytes of length (little endian) and one msgpack map of plain types. Works on both sides: with a plain socket in the
parent, with a cooperative one where gevent has patched the process.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Mapping
from typing import Any

import msgpack

_LENGTH = struct.Struct("<I")
LARGEST = 1 << 28  # bytes of one frame: a half second of a million requests is a sixth of this

Message = Mapping[str, Any]


class LinkClosed(Exception):
    """The other end is gone."""


class Link:
    """One end of the line. One reader and one writer at a time; `send` blocks until the frame has been handed over."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()

    def fileno(self) -> int:
        return self._sock.fileno()

    def send(self, message: Message) -> None:
        """Raises `LinkClosed` when nobody is left to hear it."""
        body = msgpack.packb(dict(message), use_bin_type=True)
        try:
            self._sock.sendall(_LENGTH.pack(len(body)) + body)
        except OSError as error:
            raise LinkClosed(str(error)) from None

    def receive(self, timeout: float | None) -> Message | None:
        """The next message, or None after `timeout` seconds without one (None: wait for ever). Raises `LinkClosed` at the end."""
        while True:
            if (message := self._cut()) is not None:
                return message
            if timeout is not None and not select.select([self._sock], [], [], max(0.0, timeout))[0]:
                return None
            try:
                data = self._sock.recv(1 << 18)
            except OSError as error:
                raise LinkClosed(str(error)) from None
            if not data:
                raise LinkClosed("the other end has closed the line")
            self._buffer += data
            if timeout is not None:
                timeout = max(timeout, 0.05)  # a frame has begun to arrive: its rest is on its way

    def close(self) -> None:
        self._sock.close()

    def _cut(self) -> Message | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > LARGEST:
            raise LinkClosed(f"a frame of {length} bytes is not one of ours")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        message: Message = msgpack.unpackb(body, raw=False, strict_map_key=False)
        return message
