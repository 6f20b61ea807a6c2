"""In: `Result`. Out: summary.md, for a step summary or a comment under a change: verdict, numbers, promises, advice, doubts. Pure."""

from __future__ import annotations

import re

from harness.report import cards, details, words
from harness.result import Advice, PromisePart, Result

MARKS = {"ready": "✅", "not_ready": "❌", "inconclusive": "❔"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&@])")


def render(result: Result) -> str:
    """The whole file, GitHub's Markdown. Everything from outside is escaped and kept on one line."""
    lines = [
        f"## {MARKS[result.verdict]} {words.VERDICT_WORDS[result.verdict]}: {inline(result.scenario.name)}",
        "",
        f"**{inline(words.headline(result))}**",
        "",
        inline(words.confidence(result)),
    ]
    if early := words.early(result):
        lines += ["", f"**{inline(early)}**"]
    lines += ["", "| | | Target | Margin |", "|---|---|---|---|"]
    for card in cards.cards(result):
        value = f"**{inline(card.value)}** {inline(card.unit)}" + (f" ({inline(card.range)})" if card.range else "")
        lines.append(f"| {inline(card.title)} | {value} | {inline(card.target)} | {inline(card.margin)} |")
    lines += ["", "| Promise | Target | Measured | At your peak |", "|---|---|---|---|"]
    for promise in result.promises:
        word = details.PROMISE_WORDS[promise.verdict][1]
        lines.append(f"| {inline(promise.text)} | {inline(details.target(promise))} | {_measured(result, promise)} | {word} |")
    if result.breaking_point.cause:
        step = f" at {inline(result.breaking_point.first_step)}" if result.breaking_point.first_step else ""
        lines += [
            "",
            f"**What broke first:** {inline(details.cause(result))}{step}. {inline(result.breaking_point.cause_detail or '')}".rstrip(),
        ]
    if result.advice:
        lines += ["", "**What to do**", "", *(_advice(advice) for advice in result.advice)]
    if result.doubts:
        lines += ["", "**Doubts**", "", *(f"- {inline(doubt.text)} {inline(doubt.remedy)}" for doubt in result.doubts)]
    lines += ["", f"<sub>Run {inline(result.run.id)} · seed {result.run.seed} · {inline(result.run.command)}</sub>", ""]
    return "\n".join(lines)


def _measured(result: Result, promise: PromisePart) -> str:
    return inline(f"{details.measured(promise)} {details.measured_where(result, promise)}")


def _advice(advice: Advice) -> str:
    file = f" Ready to run: `{details.advised(advice)}`." if details.advised(advice) else ""
    return f"- {inline(advice.text)} {inline(advice.why)}{file}"


def inline(text: str) -> str:
    """Text as Markdown that shows it as it is: no markup, no mention, no line break of its own."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\@", "@\u200b")
