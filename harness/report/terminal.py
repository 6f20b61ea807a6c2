"""In: `Result`, a rich console, the run's folder. Out: the end of a run on the terminal: verdict, numbers, targets, doubts, path."""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report import cards, details, words
from harness.result import Result

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

COLOURS = {"good": "green", "bad": "red", "unknown": "yellow"}
MARKS = {"good": "✔", "bad": "✘", "unknown": "?"}


def show(result: Result, console: Console, folder: Path) -> None:
    """Print the closing lines. Text from outside is never read as markup; without colour the words and marks say the same."""
    state = words.STATES[result.verdict]
    verdict = plain(f"{MARKS[state]} {words.VERDICT_WORDS[result.verdict]}", style=f"bold {COLOURS[state]}")
    verdict.append(f"  {words.DECISIONS[result.verdict]}", style="not bold default")
    parts: list[RenderableType] = [
        Text(),
        verdict,
        plain(words.headline(result), style="bold"),
        plain(words.confidence(result), style="dim"),
    ]
    if early := words.early(result):
        parts.append(plain(early, style="bold"))
    parts += [Text(), _cards(result), Text(), _targets(result)]
    if result.breaking_point.cause:
        step = f", first at {result.breaking_point.first_step}" if result.breaking_point.first_step else ""
        parts += [Text(), plain(f"{details.cause(result)}{step}.")]
    parts += [plain(f"· {advice.text}") for advice in result.advice]
    for doubt in result.doubts:
        parts.append(plain("? ", style="yellow").append(clean(doubt.text), style="default").append(clean(f" {doubt.remedy}"), style="dim"))
    console.print(Padding(Group(*parts), (0, 1), expand=False))
    lines = [f"Report: {folder / 'report.html'}"]
    lines += [f"Advised, ready to run: {folder / name}" for advice in result.advice if (name := details.advised(advice))]
    for number, line in enumerate(lines):  # each on one line, however narrow: it is copied, and clicked on
        console.print(plain(f"{'' if number else chr(10)} {line}"), soft_wrap=True)


def _cards(result: Result) -> Table:
    table = Table.grid(padding=(0, 2))
    for card in cards.cards(result):
        value = plain(f"{card.value} {card.unit}", style="bold")
        if card.range:
            value.append(f" ({card.range})", style="not bold")
        aside = plain("; ".join(text for text in (card.target, card.margin) if text), style=COLOURS[card.state])
        table.add_row(plain(card.title, style="dim"), value, aside)
    return table


def _targets(result: Result) -> Table:
    table = Table.grid(padding=(0, 2))
    for promise in result.promises:
        state, word = details.PROMISE_WORDS[promise.verdict]
        table.add_row(
            plain(f"{MARKS[state]} {word}", style=COLOURS[state]),
            plain(promise.text),
            plain(f"measured {details.measured(promise)} {details.measured_where(result, promise)}".rstrip(), style="dim"),
        )
    return table


def clean(text: str) -> str:
    """Text from outside without what a terminal would obey instead of show."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(text: str, style: str = "") -> Text:
    return Text(clean(text), style=style)
