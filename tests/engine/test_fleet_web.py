"""Locust's own web page beside a run: true numbers, and its stop button."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.parse
import urllib.request

import pytest
from fleet_ground import PLAIN, CountingSite, balanced, fly, free_port, mission

from harness.engine.fleet import Fleet, FleetLost

pytestmark = pytest.mark.real


def ask(port: int, path: str, data: dict[str, str] | None = None) -> dict:
    body = urllib.parse.urlencode(data).encode() if data is not None else None
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body, timeout=10) as answer:
        text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else {"page": text}


def test_locust_s_page_shows_our_visitors_and_requests(tmp_path):
    """Visitors present, requests and failures by the author's own step names, while Locust itself has started nobody."""
    port = free_port()
    pages = []
    with CountingSite() as site:
        with Fleet(mission(site.url, tmp_path / "run.log", web_port=port), locustfile=PLAIN) as fleet:
            book, census = fly(fleet, {0: 40}, 8, at={7: lambda: pages.append((ask(port, "/stats/requests"), ask(port, "/")))})
        assert book.requests == site.seen()
    stats, page = pages[0]
    present = book.windows[6].census.present
    by_name = {row["name"]: row["num_requests"] for row in stats["stats"]}
    told = sum(len(w.done) for w in book.windows[:8])
    assert "<title>" in page["page"]
    assert stats["state"] == "running"
    assert abs(stats["user_count"] - present) <= 25
    assert set(by_name) == {"GET /a", "GET /b", "GET /c", "Aggregated"}
    assert abs(by_name["Aggregated"] - told) <= 40
    assert balanced(census)


def press_stop(port: int) -> None:
    """Locust answers only when everybody has left; by then the run has ended the process."""
    with contextlib.suppress(OSError):
        ask(port, "/stop", {})


def test_its_stop_button_ends_the_run_in_words(tmp_path):
    port = free_port()
    with CountingSite() as site, Fleet(mission(site.url, tmp_path / "run.log", web_port=port), locustfile=PLAIN) as fleet:
        fleet.start()
        with pytest.raises(FleetLost, match="stopped on Locust's own page"):
            for window in fleet.windows():
                fleet.dial(20)
                if window.number == 3:
                    threading.Thread(target=press_stop, args=(port,), daemon=True).start()
        seen = site.seen()
        fleet.close()
        time.sleep(0.3)
        assert site.seen() - seen < 60
