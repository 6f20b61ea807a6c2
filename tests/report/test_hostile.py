"""Text from outside is only ever text: on the page, in JUnit, in Markdown, on the terminal; and nothing makes the page large or slow."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from headless import browser, executable
from report_factory import run, story
from rich.console import Console

from harness import series as columns
from harness.report import index, junit, markdown, terminal
from harness.report.page import render
from harness.result import Result

EVIL = (
    "\"'></style></title></svg><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "{{7*7}}{%x%}&lt;\x00\x1b[31m\u202e"
)


def hostile() -> tuple[Result, pd.DataFrame]:
    """A run in which every text that comes from a scenario, a site or a path is hostile."""
    told = story("not-ready-email")
    series = told.series.copy()
    data = told.result.model_dump()
    kept = {"status", "cause", "model", "verdict", "held", "kind", "unit", "audience", "type", "started", "starts", "currency"}

    def poison(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: poison(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [poison(inner, key) for inner in value]
        return value + EVIL if isinstance(value, str) and key not in kept else value

    data["doubts"] = [{"kind": "x", "text": "doubt", "remedy": "remedy"}]
    data["run"]["stopped_early"] = "stopped"
    for name in ("step", "journey", "phase"):
        series[name] = [value if value == columns.ALL else f"{value}{EVIL}" for value in series[name]]
    poisoned = poison(data)
    assert isinstance(poisoned, dict)
    return Result.model_validate(poisoned | {"felt": data["felt"]}), series  # which holds numbers, and names of a closed list


@pytest.mark.skipif(executable() is None, reason="no Chromium here: install Debian's chromium, or name one in SURGE_CHROMIUM")
def test_hostile_text_stays_text_in_a_browser(tmp_path: Path) -> None:
    """No script, image, style or broken-out element: the page has as many elements as without the hostile text, and asks for nothing."""
    program = executable()
    assert program is not None
    result, series = hostile()
    (tmp_path / "evil.html").write_bytes(render(result, series, EVIL).encode("utf-8", errors="replace"))
    entry = index.Entry(folder=EVIL, result=result, broken="", has_page=True)
    gone = index.Entry(folder=EVIL, result=None, broken=EVIL, has_page=False)
    (tmp_path / "index.html").write_bytes(index.render([entry, gone]).encode("utf-8", errors="replace"))
    with browser(program) as running:
        tab = running.page()
        for name in ("evil.html", "index.html"):
            path = tmp_path / name
            tab.open(path)
            assert tab.evaluate("document.querySelectorAll('script:not([data-own]), img, iframe, object, embed, base, form').length") == 0
            assert tab.evaluate("document.title") != "owned"
            if name == "evil.html":  # a file that this product would not write is no link
                assert tab.evaluate("[...document.querySelectorAll('a')].every(link => link.getAttribute('href').startsWith('#'))")
            assert (
                tab.evaluate("[...document.querySelectorAll('*')].some(n => [...n.attributes].some(a => a.name.startsWith('on')))") is False
            )
            assert "<script>document.title=" in tab.text()
            assert "49" not in tab.evaluate("document.querySelector('h1').innerText")
            assert [address for address in tab.requests if not address.startswith("data:")] == [path.as_uri()]


def test_hostile_text_stays_text_in_xml() -> None:
    """JUnit readers get well-formed XML, without the characters that XML cannot hold."""
    result, _ = hostile()
    suite = ElementTree.fromstring(junit.render(result)).find("testsuite")
    assert suite is not None
    assert "<script>" in str(suite.get("name"))
    assert "\x00" not in junit.render(result)


def test_hostile_text_stays_text_in_markdown() -> None:
    """No markup, no mention, no link, and no table cell of its own making."""
    result = story("ready").result
    evil = "x | y **bold** <img src=x> @everyone [a](http://b)\n# head"
    promises = [promise.model_copy(update={"text": evil}) for promise in result.promises]
    text = markdown.render(result.model_copy(update={"promises": promises, "scenario": result.scenario.model_copy(update={"name": evil})}))
    assert "<img" not in text
    assert "@everyone" not in text
    assert "**bold**" not in text
    assert "[a](" not in text
    assert not any(line.startswith("# head") for line in text.splitlines())
    rows = [line for line in text.splitlines() if "bold" in line and line.startswith("|")]
    assert len(rows) == 2
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)


def test_hostile_text_stays_text_on_the_terminal() -> None:
    """Square brackets are no markup of rich, and escape sequences do not reach the terminal."""
    result, _ = hostile()
    name = "[bold red]x[/bold red][link=http://b]y[/link]"
    result = result.model_copy(update={"promises": [result.promises[0].model_copy(update={"text": name})]})
    out = StringIO()
    terminal.show(result, Console(file=out, width=200, force_terminal=True, color_system=None), Path("/tmp/x"))
    assert name in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert "\x00" not in out.getvalue()


def test_an_hour_with_ten_million_requests_and_ten_thousand_errors_is_a_small_page_soon(tmp_path: Path) -> None:
    """What a page costs does not grow with the run: the same few hundred points a curve, the twelve most frequent errors."""
    small, _ = run(errors=3)
    result, _ = run(errors=3)
    seconds = 3600
    long = pd.concat([_hour(name, seconds) for name in ("all", *(f"step {n}" for n in range(8)))], ignore_index=True)
    errors = [result.errors[0].model_copy(update={"message": f"{n} " + "no such thing " * 40, "count": n + 1}) for n in range(10_000)]
    levels = [result.levels[n % len(result.levels)] for n in range(2_000)]
    totals = result.totals.model_copy(update={"requests": 10_000_000, "requests_failed": sum(e.count for e in errors)})
    result = result.model_copy(update={"errors": errors, "levels": levels, "totals": totals})
    page = render(result, long, "name: x\n")
    assert len(page.encode()) < 500_000
    assert len(page) < 3.5 * len(render(small, _hour("all", 60), "name: x\n"))


def _hour(step: str, seconds: int) -> pd.DataFrame:
    _, series = run()
    row = series[series["step"] == "all"].iloc[[20]]
    frame = pd.concat([row] * seconds, ignore_index=True)
    frame["second"] = range(seconds)
    frame["step"] = step
    frame["ok"] = [2_700 + (n * 7919) % 331 for n in range(seconds)]
    frame["failed"] = [(n * 104_729) % 97 for n in range(seconds)]
    for name, scale in (("ok_p50_ms", 40.0), ("ok_p95_ms", 220.0), ("ok_p99_ms", 600.0), ("failed_p95_ms", 15.0)):
        frame[name] = [scale * (1 + ((n * 7919) % 1009) / 1009) for n in range(seconds)]
    return frame


def test_importing_the_report_does_not_load_what_only_rendering_needs() -> None:
    """`surge validate` must not pay for pandas, charts and templates."""
    heavy = ("pandas", "jinja2", "vl_convert", "altair", "numpy")
    code = f"import sys, harness.report; print(sorted(name for name in {heavy} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
