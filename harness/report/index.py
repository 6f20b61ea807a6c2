"""In: the folder of all runs. Out: reports/index.html: every run with its verdict, and how the breaking point moved from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.report import details, words
from harness.report.drawing import NARROW, WIDE, Figure, Key, Spec, Table, both_sizes, values
from harness.report.quantities import a_minute
from harness.result import Result

EXAMPLE = "example"
ROWS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One run's folder. `result` is None where it cannot be read, and `broken` then says why."""

    folder: str
    result: Result | None
    broken: str
    has_page: bool


def collect(reports: Path) -> list[Entry]:
    """Every run below `reports`, newest first. The example and links to folders are no runs."""
    entries: list[Entry] = []
    for folder in sorted(reports.iterdir(), key=lambda path: path.name, reverse=True) if reports.is_dir() else []:
        if not folder.is_dir() or folder.is_symlink() or folder.name == EXAMPLE or folder.name.startswith("."):
            continue
        result: Result | None = None
        broken = ""
        try:
            result = Result.read(folder / "result.json")
        except FileNotFoundError:
            broken = "no result: the run was cut off before it could write one"
        except (ValueError, OSError) as error:
            broken = f"result.json cannot be read ({type(error).__name__})"
        entries.append(Entry(folder=folder.name, result=result, broken=broken, has_page=(folder / "report.html").exists()))
    return entries


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """All runs of one scenario on one target, newest first, and the trend of its breaking point."""

    name: str
    target: str
    entries: tuple[Entry, ...]
    trend: Figure | None
    changed: str


def group(entries: list[Entry]) -> tuple[list[Series], list[Entry]]:
    """Runs by scenario and target, the most recent first, and the folders that cannot be read. Other targets are other numbers."""
    told: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.result is not None:
            told.setdefault((entry.result.scenario.name, entry.result.target.name), []).append(entry)
    groups = [
        Series(name=name, target=target, entries=tuple(runs), trend=trend(runs, key=f"trend-{place}"), changed=changed(runs))
        for place, ((name, target), runs) in enumerate(told.items())
    ]
    return groups, [entry for entry in entries if entry.result is None]


def _measured(entries: list[Entry]) -> list[Result]:
    """The runs with a breaking point that counts, oldest first."""
    found = [entry.result for entry in entries if entry.result is not None]
    able = [
        result
        for result in found
        if result.breaking_point.status == "found" and result.verdict != "inconclusive" and result.breaking_point.low
    ]
    return sorted(able, key=lambda result: result.run.started)


def changed(entries: list[Entry]) -> str:
    """What the newest run says against the one before it; more than noise only when the intervals do not meet."""
    runs = _measured(entries)
    if len(runs) < 2:
        return ""
    before, now = runs[-2].breaking_point, runs[-1].breaking_point
    old, new = words.limit(runs[-2]).value, words.limit(runs[-1]).value
    assert before.low and before.high and now.low and now.high  # `_measured` lets no other through
    other = differences(runs[-2], runs[-1])
    aside = f" Between the two runs changed: {', '.join(other)}." if other else ""
    if now.low > before.high or now.high < before.low:
        way = "rose" if now.low > before.high else "fell"
        like = ", but not like for like" if other else ""
        return f"The breaking point {way} from {old} to {new} visitors a minute: more than noise{like}.{aside}"
    return f"The breaking point went from {old} to {new} visitors a minute: the intervals overlap, so this may be noise.{aside}"


def differences(before: Result, now: Result) -> list[str]:
    """What was not the same in two runs of one campaign on one site, other than what they measured."""
    found = []
    if before.scenario.sha256 != now.scenario.sha256:
        found.append("the scenario")
    if before.run.profile != now.run.profile:
        found.append(f"the profile, {before.run.profile} to {now.run.profile}")
    old, new = (result.run.versions.get("surge", "") for result in (before, now))
    if old != new:
        found.append(f"surge itself, {old} to {new}")
    return found


def since(entry: Entry, entries: tuple[Entry, ...]) -> str:
    """What changed against the run before, in a cell of the list; the first run has nothing before it."""
    told = sorted((each.result for each in entries if each.result is not None), key=lambda result: result.run.started)
    assert entry.result is not None
    place = next(number for number, result in enumerate(told) if result is entry.result)
    if place == 0:
        return "first run"
    return ", ".join(differences(told[place - 1], told[place])) or "nothing in the test"


def trend(entries: list[Entry], *, key: str) -> Figure | None:
    """The breaking point with its interval from run to run, against the campaign's peak. None below two points."""
    runs = _measured(entries)[-60:]
    if len(runs) < 2:
        return None
    rows = [
        {
            "run": place + 1,
            "value": (result.breaking_point.visitors_per_second or 0) * 60,
            "low": (result.breaking_point.low or 0) * 60,
            "high": (result.breaking_point.high or 0) * 60,
            "peak": result.campaign.peak_visitors_per_second * 60,
        }
        for place, result in enumerate(runs)
    ]

    def make(small: bool) -> Spec:
        ticks = [1, len(runs)] if small or len(runs) > 20 else [place + 1 for place in range(len(runs))]
        x = {
            "field": "run",
            "type": "quantitative",
            "title": "runs, oldest to newest",
            "scale": {"domain": [0.5, len(runs) + 0.5], "nice": False, "zero": False},
            "axis": {"values": ticks, "format": "d"},
        }
        y = {"field": "low", "type": "quantitative", "title": "visitors a minute", "scale": {"zero": True}}
        return {
            "width": (NARROW if small else WIDE) - 70,
            "height": 170,
            "data": values(rows),
            "layer": [
                {
                    "mark": {"type": "line", "color": "var(--plan)", "strokeDash": [6, 4], "interpolate": "step"},
                    "encoding": {"x": x, "y": {**y, "field": "peak"}},
                },
                {
                    "mark": {"type": "rule", "color": "var(--site)", "strokeWidth": 6, "opacity": 0.35},
                    "encoding": {"x": x, "y": y, "y2": {"field": "high"}},
                },
                {
                    "mark": {"type": "line", "color": "var(--site)", "point": {"size": 60, "filled": True}},
                    "encoding": {"x": x, "y": {**y, "field": "value"}},
                },
            ],
        }

    caption = changed(entries)
    return both_sizes(
        make,
        keys=(
            Key(name="the campaign's peak", shape="dash", colour="plan"),
            Key(name="breaking point and its interval", shape="line", colour="site"),
        ),
        key=key,
        title="Breaking point from run to run",
        caption=caption,
        description="Dots: breaking point, bars: its interval, dashed: the campaign's peak.",
        table=Table(
            head=("Run", "Breaking point, visitors a minute", "Interval", "Campaign's peak"),
            rows=tuple(
                (result.run.id, words.limit(result).value, words.limit(result).both, words.peak(result)) for result in reversed(runs)
            ),
        ),
    )


def point_text(result: Result) -> str:
    """The breaking point in a cell of the list."""
    point = result.breaking_point
    if point.status == "found" and point.visitors_per_second is not None:
        return f"{words.limit(result).value} ({words.limit(result).both})"
    if point.low is not None:
        return f"over {a_minute(point.low).value}"
    return "broken from the start" if point.status == "broken_at_baseline" else "unknown"


def when(result: Result) -> str:
    try:
        return details.day(result.run.started)
    except ValueError:
        return result.run.started


def render(entries: list[Entry]) -> str:
    """The whole page."""
    from harness.report.page import environment

    groups, broken = group(entries[:ROWS])
    return (
        environment()
        .get_template("index.html")
        .render(
            groups=groups, broken=broken, left_out=max(0, len(entries) - ROWS), words=words, point_text=point_text, when=when, since=since
        )
    )
