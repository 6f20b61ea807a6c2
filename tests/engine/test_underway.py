"""What a worker had under way when it was lost: told once, as cut off, whatever comes of it later."""

from __future__ import annotations

import numpy as np
import pytest

from harness.engine.underway import Underway
from harness.engine.window import DONE_TYPE, SENT_TYPE
from harness.engine.windows import window_of
from harness.engine.wire import Outcome

NAMES = ["worker 1", "worker 2"]


def part(name: str, sent: list[tuple[float, int]] = (), done: list[tuple[float, int]] = ()) -> dict:  # type: ignore[assignment]
    records = np.zeros(len(done), DONE_TYPE)
    for record, (at, sample) in zip(records, done, strict=True):
        record["sent"], record["sample"], record["total"] = at, sample, 0.01
    more = {
        "lags": b"",
        "errors": [],
        "cpu": 0.1,
        "loop_ms": 1.0,
        "descriptors": 9,
        "descriptor_limit": 99,
        "uncertain_ms": 0.1,
        "rss_mb": 50,
    }
    return {"name": name, "sent": np.array(list(sent), SENT_TYPE).tobytes(), "done": records.tobytes(), **more}


def frame(number: int, *parts: dict, living: list[str]) -> dict:
    at = number / 2
    return {
        "number": number,
        "at": at,
        "seconds": 0.5,
        "dial": 9.0,
        "whole": True,
        "parts": [{**part, "number": number} for part in parts],
        "tallies": [],
        "living": living,
        "names": NAMES,
        "notes": [],
    }


def windows(*frames: dict) -> list:
    book = Underway(3)
    return [window_of(one, book.settle(one)) for one in frames]


def test_what_a_lost_worker_had_under_way_ends_as_cut_off_and_the_others_requests_go_on():
    """Three of its requests were open, of two kinds; the other worker has one open too, which is none of this."""
    first, second, third = windows(
        frame(0, part("worker 1", [(0.1, 0)]), part("worker 2", [(0.1, 0), (0.2, 2), (0.3, 2), (0.4, 2)], [(0.2, 2)]), living=NAMES),
        frame(1, part("worker 1", [(0.6, 1)], [(0.6, 1)]), living=["worker 1"]),
        frame(2, part("worker 1", [], [(0.1, 0)]), living=["worker 1"]),
    )
    assert (first.lost, second.lost, third.lost) == (0, 3, 0)
    cut = second.done[second.done["outcome"] == Outcome.CUT_OFF]
    assert sorted(zip(cut["sent"].tolist(), cut["sample"].tolist(), strict=True)) == [(0.1, 0), (0.3, 2), (0.4, 2)]
    assert cut["total"] + cut["sent"] == pytest.approx(np.full(3, 1.0))
    assert sum(len(w.sent) for w in (first, second, third)) == sum(len(w.done) for w in (first, second, third))


def test_a_lost_worker_that_comes_to_life_again_tells_nothing_twice():
    """Its late part has the ends of requests that were given up long ago, and one request that is new."""
    seen = windows(
        frame(0, part("worker 2", [(0.1, 1), (0.2, 1)]), living=NAMES),
        frame(1, living=["worker 1"]),
        frame(9, part("worker 2", [(4.6, 1), (4.7, 1)], [(0.1, 1), (0.2, 1), (4.6, 1)]), living=["worker 1"]),
        frame(10, part("worker 2", [], [(4.7, 1)]), living=["worker 1"]),
    )
    assert [w.lost for w in seen] == [0, 2, 1, 0]
    assert sum(len(w.sent) for w in seen) == sum(len(w.done) for w in seen) == 4
    assert sum(int((w.done["outcome"] == Outcome.OK).sum()) for w in seen) == 1
