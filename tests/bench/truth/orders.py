"""In: any request. Out: an order in PostgreSQL, read back, over a pool of four connections that the application's threads share.

An ordinary little WSGI application, nothing made for tests but the 20 ms that each order waits in the database: they make the pool, and
not this machine's processor, what runs out. It speaks the few messages of the PostgreSQL protocol that it needs (version 3, simple
queries, no password), so that the bench needs no driver.
"""

from __future__ import annotations

import os
import queue
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

CONNECTIONS = 4
_TABLE = "CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, item text NOT NULL, quantity int NOT NULL)"
_ORDER = "INSERT INTO orders (item, quantity) VALUES ('kettle', 1) RETURNING id; SELECT pg_sleep(0.02)"
_LATEST = "SELECT id, item FROM orders ORDER BY id DESC LIMIT 20"


class Refused(Exception):
    """What the database said in place of an answer."""


class Connection:
    """One session over a unix socket. Raises OSError when it cannot be had or breaks."""

    def __init__(self, path: str, user: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._stream = self._socket.makefile("rb")
        body = struct.pack("!i", 3 << 16) + f"user\0{user}\0database\0{user}\0\0".encode()
        self._socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self._rows()

    def ask(self, statements: str) -> list[list[str]]:
        """The rows of all statements. Raises `Refused`."""
        body = statements.encode() + b"\0"
        self._socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        return self._rows()

    def _rows(self) -> list[list[str]]:
        """All rows until the session is ready again."""
        rows, refused = [], ""
        while True:
            head = self._stream.read(5)
            if len(head) < 5:
                raise ConnectionError("the database has closed the session")
            kind, length = struct.unpack("!ci", head)
            body = self._stream.read(length - 4)
            if kind == b"D":
                rows.append(_fields(body))
            elif kind == b"E":
                refused = body.replace(b"\0", b" ").decode(errors="replace")
            elif kind == b"Z":
                if refused:
                    raise Refused(refused)
                return rows


def _fields(body: bytes) -> list[str]:
    at, fields = 2, []
    for _ in range(struct.unpack_from("!h", body)[0]):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        fields.append(body[at : at + max(length, 0)].decode())
        at += max(length, 0)
    return fields


def _connected() -> Connection:
    """Raises the last error when the database does not take us within five seconds: its socket is there a moment before it is ready."""
    end = time.monotonic() + 5
    while True:
        try:
            return Connection(os.environ["ORDERS_SOCKET"], os.environ["ORDERS_USER"])
        except (OSError, Refused):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _pool() -> queue.SimpleQueue[Connection]:
    pool: queue.SimpleQueue[Connection] = queue.SimpleQueue()
    for _ in range(CONNECTIONS):
        pool.put(_connected())
    connection = pool.get()
    connection.ask(_TABLE)
    pool.put(connection)
    return pool


def served() -> Callable[[dict[str, Any], Callable[[str, list[tuple[str, str]]], object]], Iterable[bytes]]:
    """The application of one process, its pool filled."""
    idle = _pool()

    def application(environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
        connection = idle.get()
        try:
            number = connection.ask(_ORDER)[0][0]
            latest = connection.ask(_LATEST)
        finally:
            idle.put(connection)
        body = f"<!doctype html><title>Order {number}</title><ul>{''.join(f'<li>{i} {item}</li>' for i, item in latest)}</ul>".encode()
        start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
        return [body]

    return application
