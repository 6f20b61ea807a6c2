"""In: ticks of a run under way. Out: progress on stderr: one live line block on a terminal, a plain line every ten seconds elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

PLAIN_EVERY = 10.0  # s between plain lines where stderr is not a terminal

PHASES = {
    "baseline": "calm",
    "explore": "finding the order of magnitude",
    "drain": "letting the site recover",
    "hold": "measuring at the edge",
    "confirm": "proving that it holds",
    "rehearsal": "rehearsing the campaign's peak",
    "recovery": "watching it recover",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """One half second of a run, as a person follows it. Rates per second, times in s, shares 0 to 1."""

    elapsed: float
    budget: float
    phase: str
    say: str
    dial: float
    visitors: int
    requests_per_second: float
    slowest_in_twenty: float | None
    failed_share: float
    notes: tuple[str, ...] = ()


class Progress:
    """Shows ticks until it is left. `quiet` shows notes only."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._live: Live | None = None
        self._next_plain = 0.0

    def __enter__(self) -> Progress:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(Text("starting …"), console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def note(self, text: str) -> None:
        """A line that stays."""
        self._console.print(Text(text), highlight=False)

    def tick(self, tick: Tick) -> None:
        for text in tick.notes:
            self.note(text)
        if self._live:
            self._live.update(_block(tick))
        elif not self._quiet and tick.elapsed >= self._next_plain:
            self._next_plain = tick.elapsed + PLAIN_EVERY
            self._console.print(_line(tick), highlight=False, soft_wrap=True)


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _a_minute(rate: float) -> str:
    """The unit of the report: people count a campaign's visitors by the minute."""
    return f"{60 * rate:,.0f} visitors a minute"


def _line(tick: Tick) -> Text:
    return Text(
        f"{tick.elapsed:4.0f} s  {PHASES.get(tick.phase, tick.phase)}: {_a_minute(tick.dial)} offered, {tick.visitors:,} on the site, "
        f"{tick.requests_per_second:,.0f} requests/s, slowest 1 in 20 {_wait(tick.slowest_in_twenty)}, {tick.failed_share:.1%} failed"
    )


def _block(tick: Tick) -> Group:
    grid = Table.grid(padding=(0, 2))
    for _ in range(5):
        grid.add_column(justify="left", min_width=14)
    grid.add_row(*(Text(name, style="dim") for name in ("offered", "on the site", "requests", "slowest 1 in 20", "failed")))
    failed = Text(f"{tick.failed_share:.1%}", style="bold red" if tick.failed_share >= 0.01 else "bold")
    grid.add_row(
        Text(_a_minute(tick.dial), style="bold"),
        Text(f"{tick.visitors:,} visitors", style="bold"),
        Text(f"{tick.requests_per_second:,.0f}/s", style="bold"),
        Text(_wait(tick.slowest_in_twenty), style="bold"),
        failed,
    )
    head = Table.grid(padding=(0, 2))
    head.add_row(
        ProgressBar(total=tick.budget, completed=min(tick.elapsed, tick.budget), width=30),
        Text(f"{tick.elapsed:.0f} of about {tick.budget:.0f} s"),
        Text(PHASES.get(tick.phase, tick.phase), style="cyan"),
    )
    return Group(head, grid, Text(tick.say, style="dim"))
