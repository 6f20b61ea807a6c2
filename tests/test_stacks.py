"""Surges, through the command line, on servers that nobody here wrote: httpbin under gunicorn, and nginx with its own rate limiter.

Where httpbin's workers have no time left is measured by `python -m tests.bench truth`; the gate has one minute for each of the two.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.result import Result
from tests.bench.truth.process import stack
from tests.bench.truth.stacks import missing

LIMIT = 120  # s for a whole run
pytestmark = pytest.mark.real
needs_nginx = pytest.mark.skipif(missing("nginx") is not None, reason="nginx is not installed")


def surge(scenario: str | Path, url: str, out: Path) -> tuple[int, Result, str]:
    """`surge run` to its end: exit code, result, and what it said to people."""
    command = [sys.executable, "-m", "harness", "run", str(scenario), "--target", url, "--seed", "11", "--json", "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert ended.stdout, ended.stderr
    return ended.returncode, Result.model_validate(json.loads(ended.stdout)), ended.stderr


def campaign(folder: Path, path: str, peak: int) -> Path:
    """A campaign that fits the server: everybody asks for one page that it has; `peak` visitors a second for five minutes."""
    (folder / "crowd.csv").write_text("minute,visitors\n" + "".join(f"2026-11-02T09:0{i}:00,{60 * peak}\n" for i in range(5)))
    file = folder / "crowd.yaml"
    file.write_text(
        "name: A crowd\ncampaign:\n  type: measured\n  curve: crowd.csv\n"
        "promises:\n  - 95% of responses within 500 ms\n  - errors below 1%\n"
        f"journeys:\n  - name: visit\n    share: 100%\n    steps:\n      - get: {path}\n"
    )
    return file


def balanced(result: Result) -> bool:
    totals = result.totals
    ended = totals.completed + totals.failed + totals.abandoned + totals.cut_off
    return totals.due == totals.started + totals.dropped and totals.started == ended


def test_a_mail_whose_pages_the_site_does_not_have_is_not_ready_and_has_no_number(tmp_path: Path) -> None:
    """The shipped mail on httpbin: its front page is another one, its forms are not there. No capacity is made up from that."""
    with stack("httpbin") as told:
        code, result, _ = surge("email_blast", told["url"], tmp_path)
    point = result.breaking_point
    assert (code, result.verdict, point.status) == (1, "not_ready", "broken_at_baseline")
    assert point.visitors_per_second is None and point.headroom is None
    assert point.cause in ("wrong_content", "client_errors")
    assert {error.outcome for error in result.errors} >= {"check_failed"}
    assert any("sign-up form" in doubt.text for doubt in result.doubts), result.doubts
    assert balanced(result)


@needs_nginx
def test_nginx_limits_where_its_configuration_says_and_counts_what_we_count(tmp_path: Path) -> None:
    """200/s and a burst of 20: the limiter is named as the cause, at the rate at which one visitor in a hundred is turned away; and the
    access log has the very number of requests that the result tells."""
    log = tmp_path / "access.log"
    with stack("nginx", "--rate=200", "--burst=20", f"--log={log}") as told:
        code, result, _ = surge(campaign(tmp_path, "/", 120), told["url"], tmp_path / "runs")
    point, totals = result.breaking_point, result.totals
    assert (point.status, point.cause, point.first_step) == ("found", "rate_limited", "GET /"), (point, result.doubts)
    assert point.low is not None and point.high is not None
    assert 0.93 * point.low < told["capacity"] < 1.07 * point.high, (point.low, told["capacity"], point.high)
    assert (code, result.verdict) == (0, "ready")
    asked: list[Any] = [line.split() for line in log.read_text().splitlines() if "Surge" in line]
    assert totals.requests - totals.requests_unsent == len(asked)
    assert sum(error.count for error in result.errors if error.outcome == "http_429") == sum(line[8] == "429" for line in asked)
    assert balanced(result)
