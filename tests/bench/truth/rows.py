"""In: what one run said and what is true. Out: `Row`, one line of rows.csv; lines are only ever added."""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from tests.bench.truth.cases import CASES, KEPT

FILE = Path(__file__).with_name("rows.csv")
SINCE = "2026-11-28T00:10"  # rows of before were taken with another search: they are kept, and do not count
# What moves late is followed, other kinds see no change; regular answers are told from fast ones, slow ones from a line; truths are pressed
# for longer, and the shop over SQLite is another.
LATER = {("full", kind): "2026-11-28T03:58" for kind in ("leak", "autoscaler")} | {
    (profile, kind): "2026-11-28T07:00"
    for profile in ("quick", "full")
    for kind in ("constant", "lognormal", "slow-share", "gunicorn-httpbin", "gunicorn-sqlite", "postgresql-pool")
}
OTHERS = "2026-11-22"  # the same of ramps, step tests and k6


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One run. Rates in visitors/s, shares from 0 to 1. `harmed`: requests of the whole run that were slow or failed. `requests`: as the
    run counted them, its scouts' included; `asked`: as the server did. `load`: the machine's load average before the run. `tool`:
    "surge", or what it was compared with."""

    date: str
    machine: str
    code: str  # commit
    tool: str
    profile: str
    kind: str
    group: str
    seed: int
    peak: float
    truth: float | None
    estimate: float | None
    low: float | None
    high: float | None
    covered: bool | None
    status: str
    status_right: bool
    model: str
    cause: str
    cause_right: bool | None
    first_step: str
    step_right: bool | None
    recovered: str
    harmed: float | None
    requests: int
    asked: int | None
    lag_p99_ms: float | None
    seconds: float
    load: float
    note: str = ""

    @property
    def error(self) -> float | None:
        """Relative to the truth."""
        return None if self.truth is None or self.estimate is None else self.estimate / self.truth - 1


def machine() -> str:
    return f"{os.cpu_count()} cores {platform.machine()} {platform.system()} {platform.release()} Python {platform.python_version()}"


def add(row: Row, file: Path = FILE) -> None:
    """Append one line; the first one is the header."""
    new = not file.exists()
    with file.open("a", newline="") as out:
        writer = csv.DictWriter(out, [field.name for field in fields(Row)], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow({name: _text(value) for name, value in asdict(row).items()})


def read(files: Iterable[Path] = (FILE,), since: str | None = None) -> list[Row]:
    """The rows of the files from that date on (ISO); without one, those that count. What a crowd pressed out of a stack is told as the rate
    that keeps the promises for a minute, as the truths of all others are."""
    hints = get_type_hints(Row)
    found = []
    for file in files:
        if file.exists():
            with file.open(newline="") as lines:
                found += [Row(**{n: _value(t, hints[n]) for n, t in line.items()}) for line in csv.DictReader(lines)]
    return [_kept(row) for row in found if row.date >= (_since(row) if since is None else since)]


def _kept(row: Row) -> Row:
    if row.truth is None or not CASES[row.kind].pressed:
        return row
    truth = KEPT * row.truth
    return replace(row, truth=truth, covered=row.low is not None and row.low <= truth and (row.high is None or truth <= row.high))


def _since(row: Row) -> str:
    """From when on rows of its sort count."""
    return LATER.get((row.profile, row.kind), SINCE) if row.tool == "surge" else OTHERS


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _value(text: str, hint: object) -> Any:
    kinds = get_args(hint) or (hint,)
    if not text and NoneType in kinds:
        return None
    if bool in kinds:
        return text == "True"
    return float(text) if float in kinds else int(text) if int in kinds else text
