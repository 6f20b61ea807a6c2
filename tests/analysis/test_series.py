"""The run second by second: everything that happened is in the file once, and the file opens again as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness import series as file
from harness.analysis.series import Series
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window
from harness.engine.wire import Outcome
from tests.analysis.rehearsal import Rehearsal, mail
from tests.sim.rig import Rig
from tests.sim.servers import Pool, exponential


def rehearse(seed: int = 2) -> tuple[Rehearsal, pd.DataFrame]:
    server = Pool(np.random.default_rng(seed), workers=8, service=exponential(0.04), room=100)
    rehearsal = Rehearsal(mail(150.0), Rig(server, np.random.default_rng(seed)))
    rehearsal.run()
    return rehearsal, rehearsal.analyst.series()


def window(number: int, *, sent: list[tuple[float, int]] = (), done: list[tuple] = (), dial: float = 10.0) -> Window:  # type: ignore[assignment]
    """Half a second. `done`: (sent, total, sample, outcome)."""
    ended = np.zeros(len(done), DONE_TYPE)
    for k, name in enumerate(("sent", "total", "sample", "outcome")):
        ended[name] = [d[k] for d in done]
    return Window(
        number=number,
        at=number / 2,
        seconds=0.5,
        dial=dial,
        sent=np.array(list(sent), SENT_TYPE),
        done=ended,
        lags=np.zeros(0, np.float32),
        census=Census(),
        workers=(),
    )


def test_every_request_of_the_run_is_in_the_series_exactly_once() -> None:
    """Sums over the seconds are the sums over the raw records."""
    rehearsal, frame = rehearse()
    done = np.concatenate([w.done for w in rehearsal.windows])
    everything = frame[frame["step"] == file.ALL]
    assert everything["sent"].sum() == sum(len(w.sent) for w in rehearsal.windows)
    assert everything["ok"].sum() == (done["outcome"] == Outcome.OK).sum()
    assert everything["http_5xx"].sum() == (done["outcome"] == Outcome.HTTP_5XX).sum() > 0
    assert everything["cut_off"].sum() == (done["outcome"] == Outcome.CUT_OFF).sum()
    late = (done["outcome"] == Outcome.OK) & (done["wait"] + done["total"] > 0.5)
    assert everything["slow"].sum() == late.sum() > 0


def test_the_steps_add_up_to_the_whole_in_every_second() -> None:
    """The row "all" is the sum of the other rows, for every column of counts."""
    _, frame = rehearse()
    counts = ["sent", "ok", "slow", "failed", "cut_off", "bytes", "connections", *file.OUTCOMES]
    steps = frame[frame["step"] != file.ALL].groupby("second")[counts].sum()
    whole = frame[frame["step"] == file.ALL].set_index("second")[counts]
    pd.testing.assert_frame_equal(steps.reindex(whole.index, fill_value=0), whole, check_dtype=False)


def test_percentiles_are_those_of_the_requests_that_ended_in_the_second() -> None:
    """Within the one per cent of the histogram, for each second with a hundred answers."""
    rehearsal, frame = rehearse()
    done = np.concatenate([w.done for w in rehearsal.windows])
    done = done[done["outcome"] == Outcome.OK]
    second = np.floor(done["sent"] + done["total"])
    checked = 0
    for row in frame[(frame["step"] == file.ALL) & (frame["ok"] >= 100)].itertuples():
        exact = np.quantile(done["total"][second == row.second], 0.95, method="inverted_cdf") * 1000
        assert row.ok_p95_ms == pytest.approx(exact, rel=0.0101)
        checked += 1
    assert checked > 20


def test_requests_in_flight_are_the_time_spent_under_way_per_second() -> None:
    """One request from 0.25 s to 2.75 s is 0.75, 1 and 0.75 requests under way; the seconds are whole."""
    series = Series(labels=["GET /"], journeys=["read"], limit=0.5)
    for k in range(8):
        sent = [(0.25, 0)] if k == 0 else []
        done = [(0.25, 2.5, 0, Outcome.OK)] if k == 5 else []
        series.add(window(k, sent=sent, done=done), "hold")
    rows = series.frame()
    rows = rows[rows["step"] == file.ALL].set_index("second")["in_flight"]
    assert list(rows.loc[:2]) == pytest.approx([0.75, 1.0, 0.75])
    assert rows.loc[3] == 0


def test_a_record_that_comes_too_late_is_counted_in_the_first_second_still_open() -> None:
    """A worker that reports seconds late loses nothing."""
    series = Series(labels=["GET /"], journeys=["read"], limit=0.5)
    for k in range(10):
        series.add(window(k), "hold")
    series.add(window(10, sent=[(0.1, 0)], done=[(0.1, 0.2, 0, Outcome.OK)]), "hold")
    rows = series.frame()
    whole = rows[rows["step"] == file.ALL]
    assert whole["ok"].sum() == 1
    assert whole.loc[whole["ok"] == 1, "second"].item() == 4


def test_the_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """Same columns, same counts, text as text; a spreadsheet sees one header line."""
    _, frame = rehearse()
    path = tmp_path / "series.csv"
    file.write(frame, path)
    again = file.read(path)
    assert list(again.columns) == list(file.COLUMNS)
    for name in ("second", "sent", "ok", "failed", "step", "phase"):
        assert list(again[name]) == list(frame[name])
    np.testing.assert_allclose(again["ok_p95_ms"], frame["ok_p95_ms"], rtol=1e-5)
    assert path.read_text(encoding="utf-8").splitlines()[0] == ",".join(file.COLUMNS)
    assert not path.with_suffix(".csv.partial").exists()


def test_a_file_that_is_no_series_is_refused_with_its_name(tmp_path: Path) -> None:
    """The reader names the file and the column that is missing."""
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.csv.*'second'"):
        file.read(path)


def test_every_way_to_fail_has_its_own_column() -> None:
    """The columns follow the wire's list of outcomes, so a new outcome cannot vanish."""
    assert [o.name.lower() for o in Outcome if o not in (Outcome.OK, Outcome.CUT_OFF)] == list(file.OUTCOMES)


def test_the_same_windows_give_the_same_series() -> None:
    """No clock and no chance of its own."""
    pd.testing.assert_frame_equal(rehearse(5)[1], rehearse(5)[1])


def test_a_second_without_anything_leaves_no_row() -> None:
    """Gaps stay gaps, but a request still under way is shown through them."""
    series = Series(labels=["GET /"], journeys=["read"], limit=None)
    far = replace(window(40), at=20.0)
    series.add(window(0), "baseline")
    series.add(far, "baseline")
    assert list(series.frame()["second"]) == [0, 20]
