"""In: a CSV file as analytics tools export it: a column of times, a column of visitors. Out: rows of (start s, end s, visitors counted).

Read are commas, semicolons and tabs; comment lines and totals; ISO times, Google's 2026030209 and 202603020905, Unix seconds and
milliseconds, hours and minutes, seconds since the start. Hours without a visitor, which some tools leave out, stay empty.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from harness.scenario.problems import Problem, ScenarioError

Row = tuple[float, float, float]
LARGEST = 50_000_000  # bytes: a year of minutes is 20 MB
_TIME_NAMES = re.compile(r"time|date|hour|minute|second|zeit|datum|stunde|heure|t\b", re.IGNORECASE)
_COUNT_NAMES = (
    r"visitors",
    r"sessions|visits",
    r"users",
    r"clicks|opens|arrivals",
    r"page ?views|views|hits|requests|events",
    r"count|total|value",
)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the file with its number."""

    number: int
    cells: tuple[str, ...]


def read(path: Path) -> tuple[Row, ...]:
    """The rows of a file, times in s since the first. Raises `ScenarioError` at the line that cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refused(path, 0, f"cannot be read: {error.strerror}", "name a CSV file that stands beside the scenario") from None
    if len(data) > LARGEST:
        raise _refused(path, 0, "is larger than 50 MB", "export hours or minutes, not single visits")
    lines = list(_lines(data.decode("utf-8-sig", "replace")))
    if not lines:
        raise _refused(path, 0, "is empty", "export a column of times and a column of visitors")
    time, count, body = _columns(path, lines)
    times, counts = [], []
    for line in body:
        cells = line.cells
        if len(cells) <= max(time, count) or not cells[time] or re.match(r"(grand )?totals?\b|sum\b", cells[time], re.IGNORECASE):
            continue  # a line of totals, or a note below the table
        times.append((line.number, _time(path, line.number, cells[time])))
        counts.append(_count(path, line.number, cells[count]))
    return _rows(path, times, counts)


def _lines(text: str) -> Iterator[_Line]:
    sample = "\n".join(line for line in text.splitlines()[:50] if not line.startswith("#"))
    delimiter = max("\t;,", key=sample.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    for cells in reader:
        if cells and any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            yield _Line(reader.line_num, tuple(cell.strip() for cell in cells))


def _columns(path: Path, lines: list[_Line]) -> tuple[int, int, list[_Line]]:
    """Which column holds times, which visitors, and the lines below the names; without names, the first two columns."""
    head = lines[0]
    if any(re.match(r"[-+]?[\d.]", cell) for cell in head.cells):
        if len(head.cells) < 2:
            raise _refused(path, head.number, "has one column only", "export a column of times and a column of visitors")
        return 0, 1, lines
    time = next((place for place, name in enumerate(head.cells) if _TIME_NAMES.search(name)), None)
    count = next(
        (
            place
            for words in _COUNT_NAMES
            for place, name in enumerate(head.cells)
            if place != time and re.search(words, name, re.IGNORECASE)
        ),
        None,
    )
    if time is None or count is None:
        what = "times" if time is None else "visitors"
        remedy = f"name one of its columns {'time' if time is None else 'visitors'}; it has {', '.join(head.cells)}"
        raise _refused(path, head.number, f"no column holds {what}", remedy)
    return time, count, lines[1:]


def _time(path: Path, number: int, text: str) -> datetime:
    """A time; one that names no day counts from an arbitrary one."""
    zero = datetime(2000, 1, 1)
    try:
        if re.fullmatch(r"\d{8}|\d{10}|\d{12}", text) and text.startswith(("19", "20")):
            return datetime.strptime(text, {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M"}[len(text)])
        if re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
            return zero + timedelta(seconds=seconds / 1000 if seconds > 1e11 else seconds)
        if clock := re.fullmatch(r"(\d{1,3}):(\d\d)(?::(\d\d))?", text):
            return zero + timedelta(hours=int(clock[1]), minutes=int(clock[2]), seconds=int(clock[3] or 0))
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise _refused(path, number, f'"{text}" is not a time', "write for example 2026-03-02 09:00") from None


def _count(path: Path, number: int, text: str) -> float:
    plain = re.sub(r"(?<=\d)[,  \u00a0\u202f'](?=\d{3}(\D|$))", "", text)
    try:
        value = float(plain or 0)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e12:
        raise _refused(path, number, f'"{text}" is not a number of visitors', "write for example 1234 or 1,234")
    return value


def _rows(path: Path, times: list[tuple[int, datetime]], counts: list[float]) -> tuple[Row, ...]:
    if len(times) < 2:
        raise _refused(path, 0, "holds fewer than two rows", "export hours or minutes, so that a curve can be seen")
    zone = times[0][1].tzinfo is None
    for (_, before), (number, after) in pairwise(times):
        if (after.tzinfo is None) != zone:
            raise _refused(path, number, "some times name their zone and some do not", "write all of them alike")
        if after <= before:
            raise _refused(path, number, f"{after} does not come after {before}", "sort the rows by time, one row a time")
    starts = [(moment - times[0][1]).total_seconds() for _, moment in times]
    step = median(after - before for before, after in pairwise(starts))
    ends = [after if after - start <= 1.5 * step else start + step for start, after in pairwise(starts)]
    if sum(counts) == 0:
        raise _refused(path, 0, "counts no visitor at all", "export the visitors of a campaign")
    return tuple(zip(starts, [*ends, starts[-1] + step], counts, strict=True))


def _refused(path: Path, line: int, message: str, remedy: str) -> ScenarioError:
    return ScenarioError([Problem(file=path, line=line, column=0, message=message, remedy=remedy)])
