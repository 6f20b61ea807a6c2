"""In: what visitors send in: sign-ups, orders, joins, shares. Out: rows in SQLite, committed before the visitor is answered.

One writer thread takes everything that waits into one transaction, so that the event loop never waits for the disk and a thousand
rows cost about as much as one.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS signups (id INTEGER PRIMARY KEY, at REAL NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, at REAL NOT NULL, number TEXT NOT NULL UNIQUE, email TEXT NOT NULL,
                                   item TEXT NOT NULL, quantity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS joins (id INTEGER PRIMARY KEY, at REAL NOT NULL, ticket TEXT NOT NULL UNIQUE, email TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shares (id INTEGER PRIMARY KEY, at REAL NOT NULL, network TEXT NOT NULL);
"""
_INSERTS = {
    "signups": "INSERT INTO signups (at, email, name) VALUES (?, ?, ?)",
    "orders": "INSERT INTO orders (at, number, email, item, quantity) VALUES (?, ?, ?, ?, ?)",
    "joins": "INSERT INTO joins (at, ticket, email) VALUES (?, ?, ?)",
    "shares": "INSERT INTO shares (at, network) VALUES (?, ?)",
}
_Value = str | int | float
_Job = tuple[str, Sequence[_Value], "asyncio.Future[None]"]


class Store:
    """Open while the site runs. Raises sqlite3.Error when the file cannot be opened or is no database of this kind."""

    def __init__(self, path: Path) -> None:
        self.rows = dict.fromkeys(_INSERTS, 0)  # committed, per table
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        for table in _INSERTS:
            self.rows[table] = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        self.tickets: set[str] = {row[0] for row in self._connection.execute("SELECT ticket FROM joins")}
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="sqlite-writer", daemon=True)
        self._writer.start()

    async def add(self, table: str, *values: _Value) -> None:
        """One row; returns when it is committed. Raises sqlite3.Error when it could not be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._jobs.put((table, values, done))
        await done

    def close(self) -> None:
        """Write what waits, then close the file."""
        self._jobs.put(None)
        self._writer.join()
        self._connection.close()

    def _write(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            with contextlib.suppress(queue.Empty):
                while len(batch) < 1000:
                    following = self._jobs.get_nowait()
                    if following is None:
                        self._jobs.put(None)
                        break
                    batch.append(following)
            problem = self._commit(batch)
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits for these any more
                batch[0][2].get_loop().call_soon_threadsafe(_settle, [future for _, _, future in batch], problem)

    def _commit(self, batch: list[_Job]) -> sqlite3.Error | None:
        try:
            self._connection.execute("BEGIN")
            for table, values, _ in batch:
                self._connection.execute(_INSERTS[table], values)
            self._connection.execute("COMMIT")
        except sqlite3.Error as problem:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            return problem
        for table, _, _ in batch:
            self.rows[table] += 1
        return None


def _settle(futures: list[asyncio.Future[None]], problem: sqlite3.Error | None) -> None:
    for future in futures:
        if future.done():  # its visitor has gone
            continue
        if problem is None:
            future.set_result(None)
        else:
            future.set_exception(problem)
