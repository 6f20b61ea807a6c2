"""What the benchmarks of generators stand on: a target on one core, a generator on another, and the search for the highest rate held.

The target is nginx where it is installed, else the null site. Both sides of a comparison are measured in turn, round after round, so that
a noisy neighbour meets both; what is compared is the median of the rounds.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent
LATE = 0.025  # s: a rate is held when 99 of 100 visitors start within this
NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 30000; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s;
  {tls}
  server {{
    listen 127.0.0.1:{port} backlog=4096 {ssl};
    location / {{ add_header Set-Cookie "sid=abcdef; Path=/; HttpOnly"; default_type text/html; return 200 "{body}"; }}
  }}
}}
"""
BODY = "<html><body>" + "hello " * 100 + "</body></html>"


def cores() -> tuple[int, int]:
    """The core of the target and that of the generator."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


@contextmanager
def target(port: int = 18081, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """nginx on the first core. Raises when it is not installed: the figures in README.md are against it."""
    if shutil.which("nginx") is None:
        raise SystemExit("these benchmarks need nginx (apt-get install nginx-light)")
    with tempfile.TemporaryDirectory() as folder:
        tls = f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};" if certificate else ""
        text = NGINX.format(folder=folder, port=port, tls=tls, ssl="ssl" if certificate else "", body=BODY)
        file = Path(folder) / "nginx.conf"
        file.write_text(text)
        process = subprocess.Popen(["taskset", "-c", str(cores()[0]), "nginx", "-c", str(file)], stderr=subprocess.DEVNULL)
        base = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        try:
            for _ in range(100):
                try:
                    if not certificate:
                        urlopen(base, timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            time.sleep(0.3)
            yield base
        finally:
            process.terminate()
            process.wait(10)


def generate(kind: str, **options: object) -> dict[str, float]:
    """Run one generator in a process of its own on the second core; what it says of itself."""
    command = [sys.executable, str(HERE / "generators.py"), kind, json.dumps(options)]
    ran = subprocess.run(["taskset", "-c", str(cores()[1]), *command], capture_output=True, text=True, timeout=120, cwd=HERE.parent.parent)
    if ran.returncode:
        raise RuntimeError(f"{kind} failed: {ran.stderr[-2000:]}")
    return dict(json.loads(ran.stdout.strip().splitlines()[-1]))


def highest(kind: str, start: float, cpu: list[float] | None = None, **options: object) -> float:
    """The highest rate (visitors/s) held for two seconds, within 10 %: every visitor well served, p99 of the start lag below `LATE`.

    A rate that was not held is tried once more, whoever's it is: one hiccup of a shared machine must not end the search.
    CPU seconds a visitor of each try are added to `cpu`.
    """

    def once(rate: float) -> bool:
        said = generate(kind, rate=rate, seconds=2.0, **options)
        if cpu is not None and said["completed"]:
            cpu.append(said["cpu"] / said["completed"])
        return said["lag_p99"] < LATE and said["failed"] == 0 and said["completed"] >= 0.99 * rate * 2.0

    def held(rate: float) -> bool:
        return once(rate) or once(rate)

    low, high = start, start
    if held(start):
        while held(high := low * 1.5):
            low = high
    else:
        while not held(low := high / 1.5):
            high = low
            if low < 20:
                return 0.0
    while high / low > 1.12:
        middle = (low * high) ** 0.5
        if held(middle):
            low = middle
        else:
            high = middle
    return low


def in_turn(rounds: int, *sides: Callable[[], float]) -> list[float]:
    """The median of each side, measured in turn."""
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, values in zip(sides, found, strict=True):
            values.append(side())
    return [statistics.median(values) for values in found]


def row(what: str, ours: float, theirs: dict[str, tuple[float, float]], unit: str) -> int:
    """Print one row: our figure, theirs, ratios against their goals. 1 when a goal is missed."""
    missed = 0
    parts = []
    for name, (value, goal) in theirs.items():
        ratio = ours / value if value else float("inf")
        missed |= ratio < goal
        parts.append(f"{name} {value:,.0f} → {ratio:.1f}× (goal {goal}×{'' if ratio >= goal else ', MISSED'})")
    print(f"{what}: Surge {ours:,.0f} {unit}; " + "; ".join(parts), flush=True)
    return missed
