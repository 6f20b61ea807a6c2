"""PostgreSQL behind a small pool: a real one, started as nobody in particular, gone afterwards."""

from __future__ import annotations

import socket
import tempfile
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.bench.truth.database import USER, database
from tests.bench.truth.orders import CONNECTIONS, Connection, Refused
from tests.bench.truth.press import press
from tests.bench.truth.process import stack
from tests.bench.truth.stacks import missing

pytestmark = [pytest.mark.real, pytest.mark.skipif(missing("orders") is not None, reason="PostgreSQL is not installed")]


def test_a_session_tells_rows_and_refusals_and_goes_on() -> None:
    with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as path:  # pytest's own folders are closed to the database's user
        session = Connection(str(path), USER)
        session.ask("CREATE TABLE fruit (id serial, name text)")
        assert session.ask("INSERT INTO fruit (name) VALUES ('quince'), (NULL) RETURNING id, name; SELECT 'done'") == [
            ["1", "quince"],
            ["2", ""],
            ["done"],
        ]
        with pytest.raises(Refused, match="syntax error"):
            session.ask("SELEKT")
        assert session.ask("SELECT count(*) FROM fruit") == [["2"]]
        server = psutil.Process(int((path.parent / "data" / "postmaster.pid").read_text().split()[0]))
        assert server.username() != "root"
    assert not server.is_running()
    with socket.socket(socket.AF_UNIX) as probe, pytest.raises(OSError):
        probe.connect(str(path))


def test_the_pool_is_what_an_order_waits_for() -> None:
    """Each order holds one of the four connections for 20 ms and more: sixteen visitors who ask again at once get no more than that."""
    with stack("orders") as told:
        seen = press(told["url"], 16, 2.0, ["/order"])
        assert set(seen.statuses) == {200}
        assert 0 < seen.per_second <= CONNECTIONS / 0.020
        page = urllib.request.urlopen(f"{told['url']}/order", timeout=5).read().decode()
        count = sum(seen.statuses.values())
        assert page.count("<li>") == 20
        number = int(page.split("<title>Order ")[1].split("<")[0])
        assert count < number <= count + 1 + 16 + 1  # one by the stack itself, those under way at the end, and this
