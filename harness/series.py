"""In: what was seen each second, per step. Out: series.csv ⇄ `pandas.DataFrame`: all that a report may know beside result.json.

One row per second and step that had traffic, and one row per second with step "all". It opens in a spreadsheet: comma separated,
UTF-8, one header line, units in the column names, empty where nothing was measured. `COLUMNS` is the dictionary of the columns.

A request is counted as sent in the second in which it left, and as answered, failed or cut off, with its times, in the second in which
it ended. Times run from the planned moment to the last byte, so the generator's own lateness counts; they are read from histograms
with a relative error of at most 1 %. Percentiles are never to be averaged over rows.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

ALL = "all"

OUTCOMES = (
    "http_4xx",
    "http_429",
    "http_5xx",
    "check_failed",
    "refused",
    "reset",
    "connect_timeout",
    "read_timeout",
    "tls",
    "dns",
    "protocol",
    "generator",
    "unsafe",
)
"""How a request can fail, in the order of `harness.engine.wire.Outcome`: one column each."""

COLUMNS: dict[str, str] = {
    "second": "whole seconds since the first arrival could come",
    "phase": "what the search was doing when the second began",
    "dial_visitors_per_second": "the offered load: the campaign scaled so that its peak has this arrival rate",
    "step_number": "number of the step's sample; -1 for all of them",
    "step": 'the step as its author wrote it, without values; "all" for the whole site',
    "journey": 'the journey\'s name; empty for "all"',
    "sent": "requests that left in this second",
    "ok": "requests answered well in this second",
    "slow": "of `ok`, those later than the strictest response-time promise",
    "failed": "requests that failed in this second (without those of the generator's own making)",
    "cut_off": "requests that the test itself ended while they were under way: neither ok nor failed",
    "bytes": "bytes of response bodies received",
    "connections": "new connections opened",
    "in_flight": "requests under way, mean over the second",
    "ok_p50_ms": "half of the good answers came within",
    "ok_p95_ms": "19 in 20 of the good answers came within",
    "ok_p99_ms": "99 in 100 of the good answers came within",
    "ok_max_ms": "slowest good answer",
    "failed_p50_ms": "half of the failures took up to",
    "failed_p95_ms": "19 in 20 of the failures took up to",
    "first_byte_p50_ms": "half of the good answers began within, counted from the sending",
    "first_byte_p95_ms": "19 in 20 of the good answers began within, counted from the sending",
    "connect_p95_ms": "19 in 20 new connections (TCP and TLS) were made within",
    **{name: f"of `failed`, by kind: {name.replace('_', ' ')}" for name in OUTCOMES},
    "arrivals": 'visitors who arrived in this second (only "all")',
    "dropped": 'visitors whom the generator could not start (only "all")',
    "present": 'visitors on the site at the end of the second (only "all")',
    "lag_p99_ms": 'the generator\'s lateness: 99 in 100 arrivals started within (only "all")',
}
"""Column name → what it holds. All counts are for the second and step of the row."""


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write series.csv, whole or not at all. `frame` has exactly `COLUMNS`, else ValueError."""
    if list(frame.columns) != list(COLUMNS):
        raise ValueError(f"a series has the columns {list(COLUMNS)}, not {list(frame.columns)}")
    partial = path.with_suffix(path.suffix + ".partial")
    frame.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    partial.replace(path)


def read(path: Path) -> pd.DataFrame:
    """Read series.csv: columns as in `COLUMNS`, text never missing, numbers NaN where nothing was measured. ValueError on other files."""
    frame = pd.read_csv(path, dtype={"phase": "str", "step": "str", "journey": "str"}, keep_default_na=False, na_values=[""])
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ValueError(f"{path}: not a series of a surge: no column {missing[0]!r}")
    for name in ("phase", "step", "journey"):
        frame[name] = frame[name].fillna("")
    return frame
