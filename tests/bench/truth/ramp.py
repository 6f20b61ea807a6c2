"""In: a case, a seed and a k6 program. Out: a `Row`: where a k6 ramp with `abortOnFail` thresholds stopped on the same server.

One minute (or ten) from nothing to a guessed top, thresholds as the promises say. What it reports is the rate of arrivals at the moment
when it gave up; without that, the top.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.truth.cases import Case
from tests.bench.truth.rows import Row, machine
from tests.bench.truth.trial import commit, cores, ended

SECONDS = {"quick": 60.0, "full": 600.0}
_STOPPED = re.compile(r"thresholds on metrics? '([^']+)'")
_SCRIPT = """\
import http from "k6/http";
import {{ check }} from "k6";
import {{ Rate }} from "k6/metrics";
import exec from "k6/execution";
const bad = new Rate("bad");
export const options = {{
  scenarios: {{ ramp: {{ executor: "ramping-arrival-rate", startRate: 1, timeUnit: "1s", preAllocatedVUs: {users}, maxVUs: {most},
    stages: [{{ target: {top}, duration: "{seconds}s" }}], gracefulStop: "2s" }} }},
  thresholds: {{
    http_req_duration: [{{ threshold: "p(95)<500", abortOnFail: true, delayAbortEval: "2s" }}],
    bad: [{{ threshold: "rate<0.01", abortOnFail: true, delayAbortEval: "2s" }}],
  }},
  noUsageReport: true,
}};
const paths = {paths};
export default function () {{
  for (const path of paths) {{
    const answer = http.get("{url}" + path, {{ timeout: "10s" }});
    bad.add(!check(answer, {{ fine: (r) => r.status === 200 && r.body.includes("{contains}") }}));
  }}
}}
export function handleSummary(data) {{
  return {{ stdout: JSON.stringify({{ ms: data.state.testRunDurationMs, metrics: data.metrics }}) }};
}}
"""


def ramp(case: Case, seed: int, program: Path, budget: str, *, core: int | None = 0) -> Row:
    """One ramp. `low` and `high` stay empty: it has no interval."""
    top, length = case.guessed(seed), SECONDS[budget]
    date, before = datetime.now(UTC).isoformat(timespec="seconds"), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="surge-k6-") as name, case.served(seed) as told, cores(told["pid"], core):
        truth = case.true(told)
        script = Path(name) / "ramp.js"
        script.write_text(
            _SCRIPT.format(
                users=200,
                most=4000,
                top=round(top),
                seconds=round(length),
                paths=json.dumps(case.paths),
                url=told["url"],
                contains=case.contains or "",
            )
        )
        began = time.monotonic()
        process = subprocess.run(
            [str(program), "run", "--quiet", "--no-color", str(script)], capture_output=True, text=True, timeout=length + 30, cwd=name
        )
        seconds = time.monotonic() - began
        state = ended(case, told["url"])
    data = json.loads(process.stdout[process.stdout.index("{") :])
    ran, bad = data["ms"] / 1000, data["metrics"]["bad"]["values"]
    stopped = process.returncode == 99  # k6's own code for thresholds that have failed
    requests = int(bad["passes"] + bad["fails"])
    why = _STOPPED.findall(process.stderr)
    return Row(
        date=date,
        machine=machine(),
        code=commit(),
        tool="k6",
        profile=budget,
        kind=case.name,
        group=case.group,
        seed=seed,
        peak=top,
        truth=case.worn(truth, state),
        estimate=top * min(ran / length, 1.0) if stopped else top,
        low=None,
        high=None,
        covered=None,
        status="found" if stopped else "not_reached",
        status_right=stopped,
        model="ramp",
        cause=", ".join(why),
        cause_right=None,
        first_step="",
        step_right=None,
        recovered="",
        harmed=None,  # its counters tell the failed alone
        requests=requests,
        asked=state.get("requests"),
        lag_p99_ms=None,
        seconds=seconds,
        load=before,
    )
