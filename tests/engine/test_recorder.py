"""The recorder: what goes in comes out at the other end of the wire, nothing stays behind, nothing grows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.engine.clock import Clock
from harness.engine.recorder import DISTINCT, OTHER, Recorder
from harness.engine.window import DONE_TYPE, SENT_TYPE
from harness.engine.wire import Outcome


def recorder(ahead: float = 0.0) -> Recorder:
    """On a machine whose clock shows `ahead` seconds more than the run's."""
    clock = Clock(lambda: 0.0)
    clock.learn(ahead, 0.0, ahead)
    return Recorder(clock)


def test_records_come_back_field_by_field_and_on_the_run_s_clock():
    book = recorder(ahead=1000.0)
    book.sent(1002.5, 3)
    book.done(1002.5, 0.001, 0.002, 0.003, 0.04, 0.05, 12345, 3, Outcome.HTTP_5XX, 1)
    taken = book.take()
    sent, done = np.frombuffer(taken.sent, SENT_TYPE), np.frombuffer(taken.done, DONE_TYPE)
    assert sent["at"].tolist() == done["sent"].tolist() == [2.5]
    assert sent["sample"].tolist() == done["sample"].tolist() == [3]
    assert [round(float(done[name][0]), 6) for name in ("wait", "connect", "tls", "first_byte", "total")] == [
        0.001,
        0.002,
        0.003,
        0.04,
        0.05,
    ]
    assert (done["size"][0], done["outcome"][0], done["flags"][0]) == (12345, Outcome.HTTP_5XX, 1)


def test_a_record_is_taken_once():
    book = recorder()
    book.sent(1.0, 0)
    book.lag(0.25)
    book.error(0, Outcome.RESET, "gone")
    first, second = book.take(), book.take()
    assert (len(first.sent), np.frombuffer(first.lags, "<f4").tolist(), first.errors) == (10, [0.25], {(0, 6, "gone"): 1})
    assert (second.sent, second.done, second.lags, second.errors) == (b"", b"", b"", {})


def test_distinct_errors_are_bounded_for_the_whole_run_and_their_counts_stay_whole():
    """However many messages a site invents, in however many windows: so many are told apart, the rest is counted under one name."""
    book = recorder()
    seen: dict[tuple[int, int, str], int] = {}
    for window in range(20):
        for n in range(1000):
            book.error(1, Outcome.PROTOCOL, f"message {window}/{n}")
        for key, count in book.take().errors.items():
            seen[key] = seen.get(key, 0) + count
    assert len(seen) == DISTINCT + 1
    assert sum(seen.values()) == 20_000
    assert seen[1, Outcome.PROTOCOL, OTHER] == 20_000 - DISTINCT


def test_a_long_message_is_cut():
    book = recorder()
    book.error(0, Outcome.CHECK_FAILED, "x" * 10_000)
    assert [len(message) for _, _, message in book.take().errors] == [200]


def test_a_body_beyond_four_gigabytes_does_not_break_the_record():
    book = recorder()
    book.done(1.0, 0.0, 0.0, 0.0, 0.0, math.inf, 1 << 40, 0, Outcome.OK, 0)
    assert np.frombuffer(book.take().done, DONE_TYPE)["size"][0] == 0xFFFFFFFF


@pytest.mark.parametrize("shift", [-86400.0, 0.0, 3.5])
def test_durations_do_not_depend_on_the_clocks(shift):
    book = recorder(ahead=shift)
    book.done(10.0 + shift, 0.5, 0, 0, 0.25, 0.75, 1, 0, 0, 0)
    done = np.frombuffer(book.take().done, DONE_TYPE)
    assert (done["sent"][0], done["wait"][0], done["total"][0]) == (10.0, 0.5, 0.75)
