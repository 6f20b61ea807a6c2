"""In: any request. Out: an order in a SQLite file, read back with the latest others: an ordinary little WSGI application, nothing made for
tests.

Its commits do not wait for the disk (WAL with synchronous=NORMAL, as SQLite advises), and it counts what was sold lately: so the
processor is what runs out, and not a disk that others use too.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

LATELY = 5000  # orders
_connection: sqlite3.Connection | None = None


def _opened() -> sqlite3.Connection:
    connection = sqlite3.connect(os.environ["SHOP_DB"], timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def opened_shop() -> None:
    """The file named by SHOP_DB, with as many orders of old as are ever counted: no request is cheaper than another."""
    database = _opened()
    with database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)")
        database.executemany("INSERT INTO orders (item, quantity) VALUES (?, ?)", [("cup", 2)] * LATELY)
    database.close()


def application(environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    global _connection  # one connection a worker process
    database = _connection = _connection or _opened()
    with database:
        number = database.execute("INSERT INTO orders (item, quantity) VALUES ('kettle', 1)").lastrowid
    latest = database.execute("SELECT id, item FROM orders ORDER BY id DESC LIMIT 50").fetchall()
    lately = "SELECT item, sum(quantity) FROM (SELECT item, quantity FROM orders ORDER BY id DESC LIMIT ?) GROUP BY item"
    sold = database.execute(lately, (LATELY,)).fetchall()
    lines = "".join(f"<li>{i} {item}</li>" for i, item in latest) + "".join(f"<li>{count} × {item} sold</li>" for item, count in sold)
    body = f"<!doctype html><title>Order {number}</title><ul>{lines}</ul>".encode()
    start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]
