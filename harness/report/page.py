"""In: `Result`, its series, the scenario's text. Out: report.html, one page for marketing and IT. Pure: same input, same bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from harness.report import agreement, brief, campaign_chart, cards, charts, details, facts, quantities, queue_chart, timelines, words
from harness.report.drawing import Figure
from harness.result import Result


def environment() -> Environment:
    """Templates with everything from outside escaped, and a missing name an error."""
    return Environment(
        loader=PackageLoader("harness.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The page's charts; None where the run has nothing to draw."""

    campaign: Figure
    throughput: Figure | None
    latency: Figure | None
    answers: Figure | None
    response_times: Figure | None
    in_flight: Figure | None


def render(result: Result, series: pd.DataFrame | None, scenario_text: str = "") -> str:
    """The whole page. `series` has the columns of `harness.series`, None where there is none; in `scenario_text` secrets are redacted."""
    seconds = timelines.seconds_of(series) if series is not None else []
    figures = Figures(
        campaign=campaign_chart.campaign(result),
        throughput=charts.throughput(result, seconds),
        latency=charts.latency(result, seconds),
        answers=timelines.answers(series) if series is not None else None,
        response_times=timelines.response_times(result, series) if series is not None else None,
        in_flight=queue_chart.in_flight(result),
    )
    template = environment().get_template("report.html")
    return template.render(
        result=result,
        figures=figures,
        words=words,
        cards=cards.cards(result),
        agreement=agreement,
        brief=brief.lines(result),
        facts=facts,
        details=details,
        q=quantities,
        clock=words.clock(result),
        state=words.STATES[result.verdict],
        scenario_text=scenario_text,
        script_hash=script_hash(),
        **_functions(),
    )


def script_hash() -> str:
    """What the content policy lets run: the page's own script, byte by byte, and no other."""
    environment_ = environment()
    assert environment_.loader is not None
    source, _, _ = environment_.loader.get_source(environment_, "script.js")
    return "sha256-" + base64.b64encode(hashlib.sha256(f"\n{source}".encode()).digest()).decode()


def _functions() -> dict[str, Callable[..., str]]:
    return {
        "percent": quantities.percent,
        "wait": quantities.wait,
        "ms": quantities.milliseconds,
        "whole": quantities.whole,
        "number": quantities.number,
    }
