"""In: any request. Out: an order in a SQLite file, read back and counted: an ordinary little WSGI application, nothing made for tests."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

_connection: sqlite3.Connection | None = None


def _database() -> sqlite3.Connection:
    global _connection  # one connection a worker process
    if _connection is None:
        _connection = sqlite3.connect(os.environ["SHOP_DB"], timeout=10)
        _connection.execute("PRAGMA journal_mode=WAL")
        _connection.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)")
    return _connection


def application(environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    database = _database()
    with database:
        number = database.execute("INSERT INTO orders (item, quantity) VALUES ('kettle', 1)").lastrowid
    latest = database.execute("SELECT id, item FROM orders ORDER BY id DESC LIMIT 50").fetchall()
    body = f"<!doctype html><title>Order {number}</title><ul>{''.join(f'<li>{i} {item}</li>' for i, item in latest)}</ul>".encode()
    start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]
