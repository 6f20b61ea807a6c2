"""In: requests. Out: the same small page at once: a site that costs next to nothing, to learn what the generator itself can do.

Run as a process of its own: prints its port, and ends when its standard input does. Not a web server: it counts heads and answers each.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import cast

BODY = b"<!doctype html><title>null</title><p>hello</p>"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nSet-Cookie: seen=1; Path=/\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (len(BODY), BODY)
)


class Null(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        heads = data.count(b"\r\n\r\n")
        self._rest = b"" if data.endswith(b"\r\n\r\n") else data[-3:] if not heads else data.rpartition(b"\r\n\r\n")[2]
        if heads:
            self._transport.write(ANSWER * heads)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Null, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = loop.create_future()

    def look() -> None:
        if not os.read(sys.stdin.fileno(), 1) and not ended.done():
            ended.set_result(None)

    loop.add_reader(sys.stdin.fileno(), look)
    await ended
    server.close()


def main() -> None:
    """Serve until standard input ends."""
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
