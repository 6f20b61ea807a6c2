"""In: any request. Out: an order in a SQLite file, paid for and read back with the latest others: an ordinary little WSGI application.

Nothing in it is made for tests but the payment, asked for elsewhere, which takes 20 ms: it makes the sync workers, and not this machine's
processor, what runs out. (Without it a shared processor answered 600 to 950/s from one second to the next, and its truth was nobody's.)
Its commits do not wait for the disk: WAL with synchronous=NORMAL, as SQLite advises.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any

PAYMENT = 0.02  # s
_connection: sqlite3.Connection | None = None


def _opened() -> sqlite3.Connection:
    connection = sqlite3.connect(os.environ["SHOP_DB"], timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def opened_shop() -> None:
    """The file named by SHOP_DB, without an order."""
    database = _opened()
    with database:
        database.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL, paid INTEGER NOT NULL)"
        )
    database.close()


def application(environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    global _connection  # one connection a worker process
    database = _connection = _connection or _opened()
    with database:
        number = database.execute("INSERT INTO orders (item, quantity, paid) VALUES ('kettle', 1, 0)").lastrowid
    time.sleep(PAYMENT)
    with database:
        database.execute("UPDATE orders SET paid = 1 WHERE id = ?", (number,))
    latest = database.execute("SELECT id, item FROM orders WHERE paid ORDER BY id DESC LIMIT 50").fetchall()
    lines = "".join(f"<li>{i} {item}</li>" for i, item in latest)
    body = f"<!doctype html><title>Order {number}</title><ul>{lines}</ul>".encode()
    start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]
