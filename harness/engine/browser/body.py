"""In: a body as it came over the wire. Out: what it says, unpacked but never more than `MOST` bytes of it: a bomb costs no more than
that."""

from __future__ import annotations

import zlib
from typing import Any

from harness.engine.browser.trouble import Trouble
from harness.engine.wire import Outcome

try:
    import brotli

    if not hasattr(brotli.Decompressor(), "can_accept_more_data"):  # an older one has no bound on its output
        brotli = None
except ImportError:
    brotli = None

MOST = 8 << 20  # bytes of a body that checks and extracts may read
ACCEPTED = b"gzip, deflate, br" if brotli else b"gzip, deflate"


def unpack(body: bytes, encoding: str) -> bytes:
    """The body without its content encodings (the last one applied comes off first), cut at `MOST` bytes. Raises `Trouble` PROTOCOL."""
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("", "identity"):
            continue
        try:
            body = _unpack(body, name)
        except Trouble:
            raise
        except Exception as error:  # zlib.error, brotli.error
            raise Trouble(Outcome.PROTOCOL, f"the body is not valid {name}: {error}") from None
    return body


def _unpack(body: bytes, name: str) -> bytes:
    if name in ("gzip", "x-gzip"):
        return _inflate(body, zlib.MAX_WBITS | 16)
    if name == "deflate":
        try:
            return _inflate(body, zlib.MAX_WBITS)
        except zlib.error:
            return _inflate(body, -zlib.MAX_WBITS)  # many servers send it without the zlib wrapper, and every browser takes it
    if name == "br" and brotli is not None:
        return _unbrotli(body)
    raise Trouble(Outcome.PROTOCOL, "the body has an encoding that was not asked for")


def _inflate(body: bytes, bits: int) -> bytes:
    parts: list[bytes] = []
    room = MOST
    while body and room > 0:  # gzip may have several members
        machine = zlib.decompressobj(bits)
        parts.append(machine.decompress(body, room))
        room -= len(parts[-1])
        if not machine.eof:
            if room > 0:
                raise zlib.error("it ends too early")
            break
        body = machine.unused_data if bits > zlib.MAX_WBITS else b""
        if body and not body.startswith(b"\x1f\x8b"):
            break  # padding after the last member
    return b"".join(parts)


def _unbrotli(body: bytes) -> bytes:
    machine: Any = brotli.Decompressor()
    parts = [machine.process(body, output_buffer_limit=MOST)]
    room = MOST - len(parts[0])
    while room > 0 and not machine.is_finished():
        if machine.can_accept_more_data():
            raise ValueError("it ends too early")
        parts.append(machine.process(b"", output_buffer_limit=room))
        room -= len(parts[-1])
    return b"".join(parts)[:MOST]
